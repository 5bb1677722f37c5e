"""Each SDK and signature x each addressing style x each operation; the origin itself is asked what came of it.

`--results FILE` keeps the outcome of these cells: the SDK table of the README is made from it.
"""

import hashlib

import pytest

from devices import OPERATIONS, STYLES, Endpoint, every_signature
from s3_devices import S3_STYLES, every_s3_device

BODY = b"the bytes of a device" * 1000
PARTS = [b"a" * (5 << 20), b"the last part may be small"]


def sha256(*pieces: bytes) -> str:
    return hashlib.sha256(b"".join(pieces)).hexdigest()


def put_object(device, origin, key):
    etag = device.put(key, BODY)
    assert etag.strip('"') == hashlib.md5(BODY).hexdigest()
    assert origin.object(key).sha256 == sha256(BODY)


def initiate_multipart_upload(device, origin, key):
    upload_id = device.initiate(key)
    assert upload_id
    assert origin.parts(key, upload_id) == 200


def upload_part(device, origin, key):
    etag = device.upload_part(key, device.initiate(key), 1, BODY)
    assert etag.strip('"') == hashlib.md5(BODY).hexdigest()


def complete_multipart_upload(device, origin, key):
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, number, part) for number, part in enumerate(PARTS, 1)]
    etag = device.complete(key, upload_id, etags)
    digests = b"".join(hashlib.md5(part).digest() for part in PARTS)
    assert etag.strip('"') == hashlib.md5(digests).hexdigest() + "-2"
    assert origin.object(key).sha256 == sha256(*PARTS)


def abort_multipart_upload(device, origin, key):
    upload_id = device.initiate(key)
    device.upload_part(key, upload_id, 1, BODY)
    device.abort(key, upload_id)
    assert origin.parts(key, upload_id) == 404
    assert origin.object(key).status == 404


def get_object(device, origin, key):
    device.put(key, BODY)
    read = device.get(key)
    assert (read.data, read.header("content-length")) == (BODY, str(len(BODY)))
    assert read.header("x-oss-object-type") == device.object_type


def head_object(device, origin, key):
    device.put(key, BODY)
    head = device.head(key)
    assert head.header("content-length") == str(len(BODY))
    assert head.header("etag").strip('"') == hashlib.md5(BODY).hexdigest()


PERFORM = dict(
    zip(
        OPERATIONS,
        (
            put_object,
            initiate_multipart_upload,
            upload_part,
            complete_multipart_upload,
            abort_multipart_upload,
            get_object,
            head_object,
        ),
        strict=True,
    )
)


def test_an_address_for_an_endpoint_is_path_style_without_being_told(device_kind, gateway, origin, key):
    endpoint = Endpoint("virtual-host", f"http://127.0.0.1:{gateway.port}", gateway.bucket)
    put_object(device_kind(endpoint, gateway.credentials), origin, key)


@every_signature
@pytest.mark.matrix
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("style", STYLES)
def test_the_sdk_performs_the_operation_in_the_addressing_style(device_with, reader, origin, key, style, operation):
    PERFORM[operation](device_with(reader, style), origin, key)


@every_s3_device
@pytest.mark.matrix
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("style", S3_STYLES)
def test_the_s3_client_performs_the_operation_in_the_addressing_style(
    s3_device_with, reader, origin, key, style, operation
):
    PERFORM[operation](s3_device_with(reader, style), origin, key)
