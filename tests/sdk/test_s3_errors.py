"""A refused S3 client learns why from its own SDK: the exception's status and code, in S3's words."""

import dataclasses
import datetime

import botocore.auth
import pytest
import requests
from botocore.exceptions import ClientError

from devices import Credentials
from refusals import refused
from s3_devices import every_s3_device

pytestmark = every_s3_device
PART = 5 << 20
TOKEN = "FwoGZXIvYXdzEA/client-token+1="


def upload(device, key, *parts: bytes):
    upload_id = device.initiate(key)
    return upload_id, [device.upload_part(key, upload_id, number, part) for number, part in enumerate(parts, 1)]


def test_a_wrong_secret_is_a_signature_mismatch(s3_device_with, s3_gateway, key, origin_untouched):
    device = s3_device_with(Credentials(s3_gateway.credentials.access_key_id, "not-the-secret"))
    with refused(device, 403, "SignatureDoesNotMatch"):
        device.put(key, b"x")


def test_an_unknown_key_id_is_an_invalid_one(s3_device_with, key, origin_untouched):
    device = s3_device_with(Credentials("AKIAUNKNOWNTOTHEGATE", "whatever"))
    with refused(device, 403, "InvalidAccessKeyId"):
        device.put(key, b"x")


def test_a_disabled_key_is_an_invalid_one(s3_device_with, keys, key, origin_untouched):
    device = s3_device_with(keys.add(status="disabled"))
    with refused(device, 403, "InvalidAccessKeyId"):
        device.put(key, b"x")


@pytest.mark.parametrize("scheme", ["oss-v1", "oss-v4"])
def test_d10_a_key_for_oss_only_refuses_s3_by_its_name(s3_device_with, keys, key, scheme, origin_untouched):
    device = s3_device_with(keys.add(schemes=[scheme]))
    with refused(device, 403, "AccessDenied") as told:
        device.put(key, b"x")
    assert told[0].message.startswith("s3-v4: ")


@pytest.mark.parametrize("minutes", [-16, 16, 24 * 60])
def test_a_clock_that_is_too_far_off_is_skewed(s3_device, monkeypatch, key, minutes, origin_untouched):
    set_clock(monkeypatch, minutes)
    with refused(s3_device, 403, "RequestTimeTooSkewed"):
        s3_device.put(key, b"x")


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_that_is_a_little_off_is_accepted(s3_device, monkeypatch, origin, key, minutes):
    set_clock(monkeypatch, minutes)
    s3_device.put(key, b"x")
    assert origin.object(key).size == 1


def set_clock(monkeypatch, minutes):
    """Moves the clock that botocore signs by: it reads it through a function of its own."""
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *args, **kw: now(*args, **kw) + datetime.timedelta(minutes=minutes)
    )


def test_a_session_token_is_accepted_with_its_key_and_never_forwarded(s3_device_with, keys, origin, proxy, key):
    device = s3_device_with(keys.add(security_token=TOKEN))
    with proxy.watching() as seen:
        upload_id, etags = upload(device, key, b"part")
        device.complete(key, upload_id, etags)
        device.put(f"{key}-put", b"x")
        put = requests.put(device.presigned_put(f"{key}-url", 60), b"x", timeout=60)
    assert put.status_code == 200, put.text
    assert origin.object(f"{key}-url").size == 1
    assert len(seen) == 5
    for request in seen:
        assert TOKEN not in str(request.headers) and "ecurity-" not in request.query
        # The origin's own credentials may have a token; these have none.
        assert "x-amz-security-token" not in request.header_names


@pytest.mark.parametrize("token", [None, "another-token"], ids=["no-token", "another-token"])
def test_a_key_with_a_token_is_refused_without_that_token(s3_device_with, keys, key, token, origin_untouched):
    device = s3_device_with(dataclasses.replace(keys.add(security_token=TOKEN), security_token=token))
    with refused(device, 400, "InvalidToken"):
        device.put(key, b"x")
    answer = requests.put(device.presigned_put(key, 60), b"x", timeout=60)
    assert (answer.status_code, "<Code>InvalidToken</Code>" in answer.text) == (400, True)


def test_a_key_without_a_token_is_refused_with_one(s3_device_with, s3_gateway, key, origin_untouched):
    device = s3_device_with(dataclasses.replace(s3_gateway.credentials, security_token=TOKEN))
    with refused(device, 400, "InvalidToken"):
        device.put(key, b"x")


def test_a_presigned_put_stores_an_object_and_nothing_else(s3_device, origin, key):
    url = s3_device.presigned("put_object", key, 60, ContentType="text/plain", Metadata={"serial": "A-1"})
    headers = {"Content-Type": "text/plain", "x-amz-meta-serial": "A-1"}
    answer = requests.put(url, b"presigned", headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    assert origin.object(key).metadata == {"serial": "A-1"}
    assert requests.put(url, b"x", headers=headers | {"x-amz-meta-serial": "A-2"}, timeout=60).status_code == 403
    assert requests.put(url.replace(key, f"{key}-other"), b"x", headers=headers, timeout=60).status_code == 403
    for method in ("GET", "DELETE", "POST"):
        assert requests.request(method, url, headers=headers, timeout=60).status_code == 403, method
    assert origin.object(key).size == len(b"presigned")


def test_an_expired_presigned_url_is_denied(s3_device, monkeypatch, key, origin_untouched):
    set_clock(monkeypatch, -2)
    answer = requests.put(s3_device.presigned_put(key, 60), b"late", timeout=60)
    assert answer.status_code == 403
    assert "<Code>AccessDenied</Code><Message>" in answer.text and "expired" in answer.text


def test_an_object_outside_the_granted_prefix_is_denied(s3_device_with, s3_gateway, keys, origin):
    grant = {"bucket": s3_gateway.bucket, "operations": ["upload-only"], "prefix": "logs/"}
    device = s3_device_with(keys.add(grants=[grant]))
    device.put("logs/of-s3.txt", b"x")
    assert origin.object("logs/of-s3.txt").size == 1
    with refused(device, 403, "AccessDenied"):
        device.put("logs-of-others/of-s3.txt", b"x")


def test_a_mount_isolates_a_client_without_its_noticing(s3_device_with, s3_gateway, keys, origin):
    grant = {"bucket": s3_gateway.bucket, "operations": ["upload-only"], "mount": "fleet/{key_id}/"}
    credentials = keys.add(grants=[grant])
    device = s3_device_with(credentials)
    upload_id, etags = upload(device, "log.txt", b"mounted")
    device.complete("log.txt", upload_id, etags)
    assert origin.object(f"fleet/{credentials.access_key_id}/log.txt").size == len(b"mounted")


DENIED = {
    "GetObject": lambda client, where: client.get_object(**where),
    "ListParts": lambda client, where: client.list_parts(**where, UploadId="an-upload-id"),
    "DeleteObject": lambda client, where: client.delete_object(**where),
    "DeleteObjects": lambda client, where: client.delete_objects(
        Bucket=where["Bucket"], Delete={"Objects": [{"Key": where["Key"]}]}
    ),
    "ListObjectsV2": lambda client, where: client.list_objects_v2(Bucket=where["Bucket"]),
    "ListBuckets": lambda client, where: client.list_buckets(),
    "CopyObject": lambda client, where: client.copy_object(**where, CopySource=dict(where)),
    "PutObjectAcl": lambda client, where: client.put_object_acl(**where, ACL="public-read"),
    "PutObjectTagging": lambda client, where: client.put_object_tagging(
        **where, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    ),
    "CreateBucket": lambda client, where: client.create_bucket(Bucket=where["Bucket"]),
}


@pytest.mark.parametrize("operation", DENIED.values(), ids=DENIED)
def test_h01_what_the_preset_does_not_name_is_denied(s3_device, key, operation, origin_untouched):
    with pytest.raises(ClientError) as raised:
        operation(s3_device.client, {"Bucket": s3_device.bucket, "Key": key})
    refusal = s3_device.refusal(raised.value)
    assert refusal.status in (400, 403, 501), refusal
    assert refusal.code in ("AccessDenied", "NotImplemented", "InvalidArgument"), refusal


def test_a_head_that_is_denied_is_a_403(s3_device, key, origin_untouched):
    with pytest.raises(ClientError) as raised:
        s3_device.client.head_object(Bucket=s3_device.bucket, Key=key)
    assert raised.value.response["Error"] == {"Code": "403", "Message": "Forbidden"}


def test_a_public_acl_is_refused(s3_device, key, origin_untouched):
    with pytest.raises(ClientError) as raised:
        s3_device.put(key, b"x", ACL="public-read")
    assert s3_device.refusal(raised.value).status in (400, 403)


@pytest.mark.covers("ListParts")
def test_list_parts_tells_the_parts_to_a_key_that_may_ask(s3_device_with, s3_gateway, keys, key):
    grant = {"bucket": s3_gateway.bucket, "operations": ["upload-only", "ListParts"]}
    device = s3_device_with(keys.add(grants=[grant]))
    upload_id, etags = upload(device, key, b"a" * PART, b"end")
    told = device.client.list_parts(Bucket=device.bucket, Key=key, UploadId=upload_id)
    assert [(part["PartNumber"], part["ETag"], part["Size"]) for part in told["Parts"]] == [
        (1, etags[0], PART),
        (2, etags[1], len(b"end")),
    ]
    assert (told["Bucket"], told["Key"], told["IsTruncated"]) == (device.bucket, key, False)


def test_completing_with_a_wrong_etag_is_refused_and_stores_nothing(s3_device, origin, key):
    upload_id, _ = upload(s3_device, key, b"x")
    with refused(s3_device, 400, "InvalidPart"):
        s3_device.complete(key, upload_id, ['"0123456789abcdef0123456789abcdef"'])
    assert origin.object(key).status == 404


def test_completing_parts_below_5_mib_is_refused(s3_device, key):
    upload_id, etags = upload(s3_device, key, b"x" * 200_000, b"y")
    with refused(s3_device, 400, "EntityTooSmall"):
        s3_device.complete(key, upload_id, etags)


def test_an_upload_id_that_was_never_given_is_refused(s3_device, key):
    with refused(s3_device, 404, "NoSuchUpload"):
        s3_device.upload_part(key, "0004B9895DBBB6EC98E36", 1, b"x")
    with refused(s3_device, 404, "NoSuchUpload"):
        s3_device.abort(key, "0004B9895DBBB6EC98E36")


def test_a_checksum_of_other_bytes_is_refused_and_stores_nothing(s3_device, origin, key):
    with pytest.raises(ClientError) as raised:
        s3_device.put(key, b"as received", ChecksumCRC32="AAAAAA==")
    assert s3_device.refusal(raised.value).status == 400
    assert origin.object(key).status == 404


def test_f10_a_content_md5_of_other_bytes_is_refused_and_stores_nothing(s3_device, origin, key):
    with pytest.raises(ClientError) as raised:
        s3_device.put(key, b"as received", ContentMD5="nxm2r6YyaTCUhXEqAyVXWg==")
    assert s3_device.refusal(raised.value).status == 400
    assert origin.object(key).status == 404


def test_every_part_of_the_answer_is_s3s_own(s3_device, key):
    answer = s3_device.client.put_object(Bucket=s3_device.bucket, Key=key, Body=b"x")["ResponseMetadata"]
    assert answer["RequestId"] and answer["HostId"]
    names = set(answer["HTTPHeaders"])
    assert not [name for name in names if name.startswith(("x-oss-", "seaweed", "x-causeway"))], names


def test_a_url_of_signature_version_2_is_refused_in_s3s_words(s3_gateway, device_kind, key, origin_untouched):
    """boto3 presigns so in its older regions unless `signature_version="s3v4"` is configured."""
    endpoint = s3_gateway.endpoint("path", tls=device_kind.tls)
    url = device_kind(endpoint, s3_gateway.credentials, region="us-east-1").presigned_put(key, 60)
    assert "AWSAccessKeyId=" in url
    answer = requests.put(url, b"x", timeout=60)
    assert answer.status_code in (400, 403)
    assert "<Error><Code>" in answer.text
