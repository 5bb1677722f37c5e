"""S3 clients on CloudFront: what their signatures say of a body decides which deployment can pass it on."""

import hashlib

import pytest
import requests

from refusals import refused
from s3_chunks import ChunkSigner
from s3_devices import every_s3_device
from test_s3_wire import WHOLE, Signer, streamed


@pytest.fixture
def client(s3_gateway):
    return Signer(s3_gateway)


@every_s3_device
def test_a_body_that_the_signature_binds_is_501_where_cloudfront_signs(device_kind, gateway, key, proxy):
    device = device_kind(gateway.endpoint("path", tls=device_kind.tls), gateway.credentials)
    upload_id = device.initiate(key)
    with proxy.watching() as seen:
        for call in (lambda: device.put(key, b"x"), lambda: device.upload_part(key, upload_id, 1, b"x")):
            with refused(device, 501, "NotImplemented") as told:
                call()
            assert 'direct_path = "router-signed"' in told[0].message
    assert seen == []


@pytest.mark.parametrize("payload", [hashlib.sha256(b"x").hexdigest(), "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_a_body_that_is_bound_is_501_where_origin_access_control_signs(gateway, origin_untouched, key, payload):
    assert ChunkSigner(gateway).put_bound(key, b"x", payload) == (501, "NotImplemented")


def test_a_body_that_is_not_bound_passes_where_origin_access_control_signs(gateway, origin, key):
    assert ChunkSigner(gateway).put_bound(key, b"x", "UNSIGNED-PAYLOAD") == (200, "")
    assert origin.object(key).size == 1


@every_s3_device
def test_a_presigned_url_binds_no_body_and_is_taken_where_cloudfront_signs(device_kind, gateway, origin, key):
    device = device_kind(gateway.endpoint("path", tls=device_kind.tls), gateway.credentials)
    assert requests.put(device.presigned_put(key, 60), b"presigned", timeout=60).status_code == 200
    upload_id = device.initiate(f"{key}-parts")
    url = device.presigned("upload_part", f"{key}-parts", 60, UploadId=upload_id, PartNumber=1)
    etag = requests.put(url, b"part", timeout=60).headers["ETag"]
    device.complete(f"{key}-parts", upload_id, [etag])
    assert origin.object(key).sha256 == hashlib.sha256(b"presigned").hexdigest()
    assert origin.object(f"{key}-parts").sha256 == hashlib.sha256(b"part").hexdigest()


@pytest.mark.parametrize("trailer", [False, True], ids=["plain", "trailer"])
def test_signed_chunks_are_501(gateway, origin_untouched, key, trailer):
    assert ChunkSigner(gateway).put(key, b"x" * 100, trailer=trailer) == (501, "NotImplemented")


def test_f01_s3_refuses_another_body_than_the_one_whose_digest_was_signed(client, origin, key):
    status, code = client.send(client.signed(key, b"as signed"), body=b"as sent!!")
    assert (status, bool(code)) == (400, True)
    assert origin.object(key).status == 404


@pytest.mark.parametrize("length", [8, 10])
def test_f03_s3_refuses_another_length_than_the_one_that_was_signed(client, origin, key, length):
    status, code = streamed(client, key, WHOLE, length)
    assert (status, bool(code)) == (400, True)
    assert origin.object(key).status == 404
