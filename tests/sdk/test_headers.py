"""Request headers that S3 calls something else, or has no word for."""

import base64
import hashlib

import pytest

from refusals import refused


def content_md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def put_and_watch(device, proxy, key, headers):
    """Puts one byte and gives the request that the origin saw, whatever the origin answered."""
    with proxy.watching() as seen:
        try:
            device.put(key, b"x", headers)
        except device.errors:
            pass
    assert len(seen) == 1
    return seen[0]


def test_tags_are_stored(device, origin, key):
    device.put(key, b"x", {"x-oss-tagging": "site=Berlin%20Nord&kind=log"})
    assert origin.tags(key) == {"site": "Berlin Nord", "kind": "log"}


def start_with(device, call, key, headers):
    """Stores a byte under `key` with `headers`, in one request or as an upload's only part."""
    if call == "put":
        return device.put(key, b"x", headers)
    upload_id = device.initiate(key, headers)
    return device.complete(key, upload_id, [device.upload_part(key, upload_id, 1, b"x")])


MARK_BYTES = len("causeway-upload") + 24
"""What the gateway says in the metadata of an object that is uploaded in parts: which upload made it."""
CALLS = pytest.mark.parametrize("call", ["put", "initiate"])


@CALLS
def test_ten_tags_are_stored_and_eleven_are_refused(device, origin, key, call):
    tags = [f"tag-{number}=" + "v" * 200 for number in range(11)]
    start_with(device, call, key, {"x-oss-tagging": "&".join(tags[:10])})
    assert len(origin.tags(key)) == 10
    with refused(device, 400, "InvalidArgument") as told:
        start_with(device, call, f"{key}-more", {"x-oss-tagging": "&".join(tags)})
    assert "10" in told[0].message
    assert origin.object(f"{key}-more").status == 404


@CALLS
def test_2_kb_of_metadata_are_stored_and_more_are_refused(device, origin, key, call):
    # S3 counts the names without their prefix, and the values; OSS takes 8 KB.
    sizes = [508, 508, 508, 508 - (MARK_BYTES if call == "initiate" else 0)]
    metadata = {f"{number:04}": "v" * size for number, size in enumerate(sizes)}
    headers = {f"x-oss-meta-{name}": value for name, value in metadata.items()}
    start_with(device, call, key, headers)
    stored = origin.object(key).metadata
    assert {name: value for name, value in stored.items() if name != "causeway-upload"} == metadata
    with refused(device, 400, "InvalidArgument") as told:
        start_with(device, call, f"{key}-more", headers | {"x-oss-meta-0004": "v"})
    assert "2 KB" in told[0].message
    assert origin.object(f"{key}-more").status == 404


@pytest.mark.parametrize(
    ("oss", "s3"),
    [
        ("Standard", "STANDARD"),
        ("IA", "STANDARD_IA"),
        ("Archive", "GLACIER"),
        ("ColdArchive", "GLACIER"),
        ("DeepColdArchive", "DEEP_ARCHIVE"),
    ],
)
def test_a_storage_class_becomes_the_nearest_of_s3(device, proxy, key, oss, s3):
    assert put_and_watch(device, proxy, key, {"x-oss-storage-class": oss}).header("x-amz-storage-class") == s3


def test_an_unknown_storage_class_is_refused(device, key, origin_untouched):
    with refused(device, 400, "InvalidArgument"):
        device.put(key, b"x", {"x-oss-storage-class": "Warm"})


@pytest.mark.parametrize("acl", ["default", "private"])
def test_a_private_acl_is_what_s3_has_anyway_and_is_not_sent(device, origin, proxy, key, acl):
    with proxy.watching() as seen:
        device.put(key, b"x", {"x-oss-object-acl": acl})
    assert seen[0].header("x-amz-acl") is None
    assert origin.object(key).size == 1


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_a_public_acl_is_refused(device, key, acl, origin_untouched):
    with refused(device, 403, "AccessDenied"):
        device.put(key, b"x", {"x-oss-object-acl": acl})


@pytest.mark.parametrize(("oss", "s3"), [("AES256", "AES256"), ("KMS", "aws:kms")])
def test_server_side_encryption_is_asked_of_s3(device, proxy, key, oss, s3):
    seen = put_and_watch(device, proxy, key, {"x-oss-server-side-encryption": oss})
    assert seen.header("x-amz-server-side-encryption") == s3


@pytest.mark.parametrize(("oss", "s3"), [("AES256", "AES256"), ("KMS", "aws:kms")])
def test_server_side_encryption_is_asked_of_s3_when_an_upload_is_initiated(device, proxy, key, oss, s3):
    with proxy.watching() as seen:
        try:
            device.initiate(key, {"x-oss-server-side-encryption": oss})
        except device.errors:
            pass
    assert seen[0].header("x-amz-server-side-encryption") == s3


def test_a_kms_key_that_is_not_configured_is_refused(device, key, origin_untouched):
    headers = {"x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "an-oss-key-id"}
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x", headers)
    assert device.refusal(raised.value).status in (400, 403)


def test_an_encryption_that_s3_does_not_have_is_refused(device, key, origin_untouched):
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x", {"x-oss-server-side-encryption": "SM4"})
    assert device.refusal(raised.value).status in (400, 501)


def test_a_right_content_md5_reaches_the_origin(device, origin, proxy, key):
    with proxy.watching() as seen:
        device.put(key, b"as sent", {"Content-MD5": content_md5(b"as sent")})
    assert seen[0].header("content-md5") == content_md5(b"as sent")
    assert origin.object(key).size == len(b"as sent")


def test_a_wrong_content_md5_is_refused_and_stores_nothing(device, origin, key):
    with refused(device, 400, "InvalidDigest"):
        device.put(key, b"as received", {"Content-MD5": content_md5(b"as sent")})
    assert origin.object(key).status == 404


def test_a_wrong_content_md5_of_a_part_is_refused(device, key):
    upload_id = device.initiate(key)
    with refused(device, 400, "InvalidDigest"):
        device.upload_part(key, upload_id, 1, b"as received", {"Content-MD5": content_md5(b"as sent")})


def test_a_content_md5_that_is_no_md5_is_refused(device, key):
    with refused(device, 400, "InvalidDigest"):
        device.put(key, b"x", {"Content-MD5": "not base64 of 16 bytes"})


def test_forbid_overwrite_stores_a_new_object_and_keeps_an_older_one(device, origin, key):
    device.put(key, b"first", {"x-oss-forbid-overwrite": "true"})
    with refused(device, 409, "FileAlreadyExists"):
        device.put(key, b"second", {"x-oss-forbid-overwrite": "true"})
    assert origin.object(key).sha256 == hashlib.sha256(b"first").hexdigest()
    device.put(key, b"third", {"x-oss-forbid-overwrite": "false"})
    assert origin.object(key).sha256 == hashlib.sha256(b"third").hexdigest()


@pytest.mark.parametrize("header", ["x-oss-callback", "x-oss-callback-var"])
def test_a_callback_is_refused_before_the_body_is_stored(device, key, header, origin_untouched):
    with refused(device, 501, "NotImplemented"):
        device.put(key, b"x", {header: base64.b64encode(b'{"callbackUrl":"http://a/"}').decode()})


def test_a_grant_can_drop_headers_that_v1_does_not_sign(device_with, gateway, keys, proxy, key):
    grant = {"bucket": gateway.bucket, "operations": ["upload-only"], "unsigned_headers": "drop"}
    with proxy.watching() as seen:
        device_with(keys.add(grants=[grant])).put(key, b"x", {"Cache-Control": "no-store", "x-oss-meta-a": "1"})
    assert seen[0].header("cache-control") is None
    assert seen[0].header("x-amz-meta-a") == "1"


def test_a_grant_can_refuse_headers_that_v1_does_not_sign(device_with, gateway, keys, key, origin_untouched):
    grant = {"bucket": gateway.bucket, "operations": ["upload-only"], "unsigned_headers": "refuse"}
    device = device_with(keys.add(grants=[grant]))
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x", {"Cache-Control": "no-store"})
    assert device.refusal(raised.value).status in (400, 403)


def test_a_traffic_limit_is_ignored(device, origin, key):
    device.put(key, b"x", {"x-oss-traffic-limit": "819200"})
    assert origin.object(key).size == 1


def test_conditions_that_v1_does_not_sign_are_dropped_from_a_write(device, origin, proxy, key):
    device.put(key, b"x")
    with proxy.watching() as seen:
        device.put(key, b"yy", {"If-None-Match": "*"})
    assert seen[0].header("if-none-match") is None
    assert origin.object(key).size == 2
