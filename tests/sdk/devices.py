"""Devices: the two Python SDKs behind one small surface, as firmware would call them.

A test that holds for every SDK is written once against `Device`. What is wrapped is only the SDK's own public calls and
its own exception; nothing of an SDK is replaced or patched.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from importlib.metadata import version

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest

STYLES = ("path", "virtual-host", "cname", "distribution-label")
OPERATIONS = (
    "PutObject",
    "InitiateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "GetObject",
    "HeadObject",
)


@dataclass(frozen=True)
class Credentials:
    """A virtual access key as a device holds it."""

    access_key_id: str
    access_key_secret: str
    security_token: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """Where a device believes OSS to be: what the operator changes in the field."""

    style: str
    url: str
    bucket: str


@dataclass(frozen=True)
class Refusal:
    """What the SDK's own exception told the device."""

    status: int
    code: str
    request_id: str
    message: str
    ec: str


@dataclass(frozen=True)
class Read:
    """What an SDK says of an object that it read; names of headers are lower-case, HEAD has no data."""

    headers: dict[str, str]
    data: bytes = b""

    def header(self, name: str) -> str | None:
        return self.headers.get(name)


def lower_case(headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


REGION = "cn-hangzhou"


class Oss2Device:
    """oss2, signature V1 (`oss2.Auth`, its default)."""

    sdk = "oss2"
    version = version("oss2")
    signature = "V1"
    object_type = "Normal"
    """What a read object is said to be."""
    auth_version = oss2.AUTH_VERSION_1
    errors = (oss2.exceptions.OssError,)

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        key = credentials.access_key_id, credentials.access_key_secret
        token = credentials.security_token
        if token:
            self.auth = oss2.StsAuth(*key, token, self.auth_version)
        else:
            self.auth = oss2.make_auth(*key, self.auth_version)
        self.bucket = oss2.Bucket(
            self.auth,
            endpoint.url,
            endpoint.bucket,
            is_cname=endpoint.style == "cname",
            is_path_style=endpoint.style == "path",
            region=REGION,
            connect_timeout=60,
        )

    def put(self, key: str, data, headers: dict | None = None) -> str:
        return self.bucket.put_object(key, data, headers=headers).etag

    def initiate(self, key: str, headers: dict | None = None) -> str:
        return self.bucket.init_multipart_upload(key, headers=headers).upload_id

    def upload_part(self, key: str, upload_id: str, number: int, data, headers: dict | None = None) -> str:
        return self.bucket.upload_part(key, upload_id, number, data, headers=headers).etag

    def complete(self, key: str, upload_id: str, etags: list[str] | None, headers: dict | None = None) -> str:
        """Completes with parts 1, 2, …; None sends no list at all."""
        parts = None if etags is None else [oss2.models.PartInfo(*part) for part in enumerate(etags, 1)]
        return self.bucket.complete_multipart_upload(key, upload_id, parts, headers=headers).etag

    def abort(self, key: str, upload_id: str) -> None:
        self.bucket.abort_multipart_upload(key, upload_id)

    def list_parts(self, key: str, upload_id: str) -> list[tuple[int, str, int]]:
        """The numbers, ETags and sizes of the parts that were stored."""
        listed = self.bucket.list_parts(key, upload_id)
        return [(part.part_number, part.etag, part.size) for part in listed.parts]

    def presigned_put(self, key: str, seconds: int, headers: dict | None = None) -> str:
        """A URL that lets its holder put `key` for `seconds` from now."""
        return self.bucket.sign_url("PUT", key, seconds, headers=headers)

    def get(self, key: str, headers: dict | None = None, params: dict | None = None) -> Read:
        """Reads an object, with these query parameters."""
        result = self.bucket.get_object(key, headers=headers, params=dict(params or {}))
        return Read(lower_case(result.headers), result.read())

    def head(self, key: str, headers: dict | None = None, params: dict | None = None) -> Read:
        return Read(lower_case(self.bucket.head_object(key, headers, params).headers))

    def meta(self, key: str) -> Read:
        """GetObjectMeta."""
        return Read(lower_case(self.bucket.get_object_meta(key).headers))

    def exists(self, key: str) -> bool:
        return self.bucket.object_exists(key)

    def presigned_get(self, key: str, seconds: int, params: dict | None = None) -> str:
        """A URL that lets its holder get `key` for `seconds` from now."""
        # oss2 puts the signature into what it is given.
        return self.bucket.sign_url("GET", key, seconds, params=dict(params or {}))

    @staticmethod
    def refusal(error: oss2.exceptions.OssError) -> Refusal:
        return Refusal(error.status, error.code, error.request_id, error.message, error.ec)


class Oss2V2Device(Oss2Device):
    """oss2, signature V2 (`oss2.AuthV2`)."""

    signature = "V2"
    auth_version = oss2.AUTH_VERSION_2


class Oss2V4Device(Oss2Device):
    """oss2, signature V4 (`oss2.AuthV4`)."""

    signature = "V4"
    auth_version = oss2.AUTH_VERSION_4


class OssV2Device:
    """alibabacloud-oss-v2, signature V4 (its default); one attempt, so that a test sees the first answer."""

    sdk = "alibabacloud-oss-v2"
    version = version("alibabacloud-oss-v2")
    signature = "V4"
    object_type = "Normal"
    signature_version: str | None = None
    errors = (oss_v2.exceptions.OperationError, oss_v2.exceptions.BaseError)

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        config = oss_v2.config.load_default()
        if self.signature_version:
            config.signature_version = self.signature_version
        config.region = REGION
        config.endpoint = endpoint.url
        config.use_cname = endpoint.style == "cname"
        config.use_path_style = endpoint.style == "path"
        config.retry_max_attempts = 1
        config.readwrite_timeout = 60
        config.credentials_provider = oss_v2.credentials.StaticCredentialsProvider(
            credentials.access_key_id, credentials.access_key_secret, credentials.security_token
        )
        self.client = oss_v2.Client(config)
        self.bucket = endpoint.bucket

    def put(self, key: str, data, headers: dict | None = None) -> str:
        return self.client.put_object(self._request(oss_v2.PutObjectRequest, key, headers, body=data)).etag

    def initiate(self, key: str, headers: dict | None = None) -> str:
        request = self._request(oss_v2.InitiateMultipartUploadRequest, key, headers)
        return self.client.initiate_multipart_upload(request).upload_id

    def upload_part(self, key: str, upload_id: str, number: int, data, headers: dict | None = None) -> str:
        request = self._request(
            oss_v2.UploadPartRequest, key, headers, upload_id=upload_id, part_number=number, body=data
        )
        return self.client.upload_part(request).etag

    def complete(self, key: str, upload_id: str, etags: list[str] | None, headers: dict | None = None) -> str:
        """Completes with parts 1, 2, …; None sends no list at all."""
        parts = [oss_v2.UploadPart(part_number=number, etag=etag) for number, etag in enumerate(etags or [], 1)]
        document = None if etags is None else oss_v2.CompleteMultipartUpload(parts=parts)
        request = self._request(
            oss_v2.CompleteMultipartUploadRequest,
            key,
            headers,
            upload_id=upload_id,
            complete_multipart_upload=document,
        )
        return self.client.complete_multipart_upload(request).etag

    def abort(self, key: str, upload_id: str) -> None:
        self.client.abort_multipart_upload(self._request(oss_v2.AbortMultipartUploadRequest, key, upload_id=upload_id))

    def list_parts(self, key: str, upload_id: str) -> list[tuple[int, str, int]]:
        """The numbers, ETags and sizes of the parts that were stored."""
        listed = self.client.list_parts(self._request(oss_v2.ListPartsRequest, key, upload_id=upload_id))
        return [(part.part_number, part.etag, part.size) for part in listed.parts or []]

    def presigned_put(self, key: str, seconds: int, headers: dict | None = None) -> str:
        """A URL that lets its holder put `key` for `seconds` from now."""
        request = self._request(oss_v2.PutObjectRequest, key, headers)
        return self.client.presign(request, expires=datetime.timedelta(seconds=seconds)).url

    def get(self, key: str, headers: dict | None = None, params: dict | None = None) -> Read:
        """Reads an object, with these query parameters."""
        result = self.client.get_object(self._request(oss_v2.GetObjectRequest, key, headers, parameters=dict(params or {})))
        return Read(lower_case(result.headers), result.body.content)

    def head(self, key: str, headers: dict | None = None, params: dict | None = None) -> Read:
        request = self._request(oss_v2.HeadObjectRequest, key, headers, parameters=dict(params or {}))
        return Read(lower_case(self.client.head_object(request).headers))

    def meta(self, key: str) -> Read:
        """GetObjectMeta."""
        request = self._request(oss_v2.GetObjectMetaRequest, key)
        return Read(lower_case(self.client.get_object_meta(request).headers))

    def exists(self, key: str) -> bool:
        return self.client.is_object_exist(self.bucket, key)

    def presigned_get(self, key: str, seconds: int, params: dict | None = None) -> str:
        """A URL that lets its holder get `key` for `seconds` from now."""
        request = self._request(oss_v2.GetObjectRequest, key, parameters=dict(params or {}))
        return self.client.presign(request, expires=datetime.timedelta(seconds=seconds)).url

    @staticmethod
    def refusal(error: Exception) -> Refusal:
        cause = error.unwrap() if hasattr(error, "unwrap") else error
        assert isinstance(cause, oss_v2.exceptions.ServiceError), f"the SDK could not read the answer: {cause!r}"
        return Refusal(cause.status_code, cause.code, cause.request_id, cause.message, cause.ec)

    def _request(self, kind, key: str, headers: dict | None = None, **fields):
        return kind(bucket=self.bucket, key=key, headers=headers or {}, **fields)


class OssV2V1Device(OssV2Device):
    """alibabacloud-oss-v2 with `signature_version="v1"`."""

    signature = "V1"
    signature_version = "v1"


DEVICES = {device.sdk: device for device in (Oss2Device, OssV2Device)}
SIGNERS = {
    f"{device.sdk}-{device.signature}": device
    for device in (Oss2Device, Oss2V2Device, Oss2V4Device, OssV2V1Device, OssV2Device)
}
# For the tests that signatures are about; all others run with the default of each SDK.
every_signature = pytest.mark.parametrize("device_kind", SIGNERS.values(), ids=SIGNERS, indirect=True)
