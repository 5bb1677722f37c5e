"""S3 clients: boto3 as a back end would call it, with the surface of devices.py so that the same tests hold for it.

Nothing is configured but endpoint, credentials, region and addressing style; all else is the SDK's default. What it
then sends depends on TLS: over http a digest of the body is signed, over https the body is framed as aws-chunked with a
checksum behind it, which is not signed.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from devices import Credentials, Endpoint, Read, Refusal, lower_case

# For its older regions, us-east-1 and eu-west-1 among them, boto3 presigns with version 2 unless it is told not to.
REGION = "eu-central-1"
S3_STYLES = ("path", "virtual-host", "distribution-label")


class Boto3Device:
    """boto3 over http."""

    sdk = "boto3"
    version = version("boto3")
    signature = "SigV4"
    object_type = None
    tls = False
    errors = (ClientError,)

    def __init__(self, endpoint: Endpoint, credentials: Credentials, region: str = REGION) -> None:
        self.bucket = endpoint.bucket
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint.url,
            region_name=region,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.access_key_secret,
            aws_session_token=credentials.security_token,
            config=Config(s3={"addressing_style": "path" if endpoint.style == "path" else "virtual"}),
        )

    def put(self, key: str, data, **parameters) -> str:
        """`parameters` are those of `put_object`; so below."""
        return self._call("put_object", key, Body=data, **parameters)["ETag"]

    def initiate(self, key: str, **parameters) -> str:
        return self._call("create_multipart_upload", key, **parameters)["UploadId"]

    def upload_part(self, key: str, upload_id: str, number: int, data, **parameters) -> str:
        return self._call("upload_part", key, UploadId=upload_id, PartNumber=number, Body=data, **parameters)["ETag"]

    def complete(self, key: str, upload_id: str, etags: list[str], **parameters) -> str:
        """Completes with parts 1, 2, …"""
        parts = {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]}
        answer = self._call(
            "complete_multipart_upload", key, UploadId=upload_id, MultipartUpload=parts, **parameters
        )
        return answer["ETag"]

    def abort(self, key: str, upload_id: str) -> None:
        self._call("abort_multipart_upload", key, UploadId=upload_id)

    def get(self, key: str, **parameters) -> Read:
        answer = self._call("get_object", key, **parameters)
        return Read(lower_case(answer["ResponseMetadata"]["HTTPHeaders"]), answer["Body"].read())

    def head(self, key: str, **parameters) -> Read:
        return Read(lower_case(self._call("head_object", key, **parameters)["ResponseMetadata"]["HTTPHeaders"]))

    def presigned(self, operation: str, key: str, seconds: int, **parameters) -> str:
        """A URL that lets its holder do `operation` (`put_object`, …) for `seconds` from now."""
        parameters |= {"Bucket": self.bucket, "Key": key}
        return self.client.generate_presigned_url(operation, parameters, seconds)

    def presigned_put(self, key: str, seconds: int) -> str:
        """A URL that lets its holder put `key` for `seconds` from now."""
        return self.presigned("put_object", key, seconds)

    @staticmethod
    def refusal(error: ClientError) -> Refusal:
        told, about = error.response["Error"], error.response["ResponseMetadata"]
        return Refusal(about["HTTPStatusCode"], told["Code"], about.get("RequestId", ""), told.get("Message", ""), "")

    def _call(self, operation: str, key: str, **parameters) -> dict:
        return getattr(self.client, operation)(Bucket=self.bucket, Key=key, **parameters)


class Boto3TlsDevice(Boto3Device):
    """boto3 over TLS."""

    signature = "SigV4 over TLS"
    tls = True


class AwsCli:
    """The AWS CLI, one process per command."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials, folder: Path, environment: dict[str, str]) -> None:
        self._url, self.bucket = endpoint.url, endpoint.bucket
        config = folder / "aws-config"
        config.write_text(f"[default]\nregion = {REGION}\n")
        self._environment = environment | {
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.access_key_secret,
            "PYTHONPATH": str(Path(__file__).parent / "shims"),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`aws ARGUMENTS`."""
        command = [str(Path(sys.executable).with_name("aws")), "--endpoint-url", self._url, *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120)


S3_DEVICES = {"boto3-http": Boto3Device, "boto3-https": Boto3TlsDevice}
every_s3_device = pytest.mark.parametrize("device_kind", S3_DEVICES.values(), ids=S3_DEVICES, indirect=True)
