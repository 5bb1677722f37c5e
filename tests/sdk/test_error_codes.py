"""Each error of S3's as each SDK's own exception. ListParts is what every SDK has, and its answer is read on each platform."""

import dataclasses

import oss2
import pytest
from botocore.exceptions import ClientError

from conftest import HERE
from devices import Oss2Device, OssV2Device
from error_codes import IDS, ROWS, answer_of_key, key_of, told
from node_tests import shown_as_subtests
from refusals import refused
from s3_devices import Boto3Device

every_row = pytest.mark.parametrize("row", ROWS, ids=IDS)

# By the code that the device is told. oss2 knows no class for the others, and raises ServerError itself.
OSS2_CLASSES = {
    "InvalidArgument": oss2.exceptions.InvalidArgument,
    "InvalidDigest": oss2.exceptions.InvalidDigest,
    "InvalidObjectName": oss2.exceptions.InvalidObjectName,
    "MalformedXML": oss2.exceptions.MalformedXml,
    "NoSuchBucket": oss2.exceptions.NoSuchBucket,
    "NoSuchKey": oss2.exceptions.NoSuchKey,
    "NoSuchUpload": oss2.exceptions.NoSuchUpload,
    "PreconditionFailed": oss2.exceptions.PreconditionFailed,
    "BucketNotEmpty": oss2.exceptions.BucketNotEmpty,
    "RestoreAlreadyInProgress": oss2.exceptions.RestoreAlreadyInProgress,
}

# The errors that S3's service model names, for which boto3 makes classes.
MODELLED = (
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "InvalidObjectState",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
)


@pytest.fixture(scope="module")
def credentials(faulty, faulty_keys):
    return faulty_keys.add(grants=[{"bucket": faulty.bucket, "operations": ["InitiateMultipartUpload", "ListParts"]}])


@pytest.fixture
def scripted(stub):
    with stub.script(ListParts=answer_of_key):
        yield


@every_row
def test_oss2_raises_its_class_of_the_code(faulty, credentials, scripted, row):
    device = Oss2Device(faulty.endpoint("virtual-host"), credentials)
    status, code = told(row, "oss")
    upload_id = device.initiate(key_of(row))
    with pytest.raises(oss2.exceptions.OssError) as raised:
        device.list_parts(key_of(row), upload_id)
    refusal = device.refusal(raised.value)
    assert (refusal.status, refusal.code) == (status, code)
    assert type(raised.value) is OSS2_CLASSES.get(code, oss2.exceptions.ServerError)
    assert refusal.request_id and refusal.message


@every_row
def test_alibabacloud_oss_v2_raises_a_service_error_with_the_code(faulty, credentials, scripted, row):
    device = OssV2Device(faulty.endpoint("virtual-host"), credentials)
    upload_id = device.initiate(key_of(row))
    with refused(device, *told(row, "oss")):
        device.list_parts(key_of(row), upload_id)


@every_row
def test_boto3_raises_its_class_of_the_code(faulty, credentials, scripted, monkeypatch, row):
    # Else it tries again for seconds where S3 failed.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    device = Boto3Device(faulty.endpoint("path"), credentials)
    status, code = told(row, "s3_told")
    upload_id = device.initiate(key_of(row))
    with pytest.raises(ClientError) as raised:
        device.client.list_parts(Bucket=device.bucket, Key=key_of(row), UploadId=upload_id)
    refusal = device.refusal(raised.value)
    assert (refusal.status, refusal.code) == (status, code)
    modelled = getattr(device.client.exceptions, code) if code in MODELLED else ClientError
    assert type(raised.value) is modelled
    assert refusal.request_id and refusal.message


def rows_for(dialect: str) -> list[dict]:
    return [{"name": row["s3"][1], "key": key_of(row), "told": told(row, dialect)} for row in ROWS]


def test_ali_oss_throws_an_error_with_the_code(faulty, platform, credentials, scripted, subtests):
    endpoint = dataclasses.asdict(faulty.endpoint("virtual-host"))
    run = {
        "endpoints": {"virtual-host": endpoint},
        "credentials": dataclasses.asdict(credentials),
        "rows": rows_for("oss"),
    }
    shown_as_subtests(HERE / "error-codes", "oss.test.cjs", run, platform, subtests)


def test_the_aws_sdk_throws_its_class_of_the_code(faulty, platform, credentials, scripted, monkeypatch, subtests):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    names = {"access_key_id": credentials.access_key_id, "secret_access_key": credentials.access_key_secret}
    run = {
        "endpoints": {"http": {"path": dataclasses.asdict(faulty.endpoint("path"))}},
        "bucket": faulty.bucket,
        "credentials": names,
        "rows": rows_for("s3_told"),
    }
    shown_as_subtests(HERE / "error-codes", "s3.test.cjs", run, platform, subtests)
