"""CopyObject and UploadPartCopy: what is copied from where, and what a key may not copy from."""

from __future__ import annotations

import hashlib

import alibabacloud_oss_v2 as oss_v2
import pytest

from refusals import refused

BODY = b"the bytes of a source" * 100
ALIAS = "d111111abcdef8"
"""The other name of the bucket, see causeway.dev.toml."""


def copy(client, bucket: str, source: str, key: str, *, metadata=None, replace=False, if_match=None) -> None:
    """Copies `source` of `bucket`; with metadata of the request's own, which counts where it replaces."""
    if client.sdk == "oss2":
        headers = {f"x-oss-meta-{name}": value for name, value in (metadata or {}).items()}
        headers |= {"x-oss-metadata-directive": "REPLACE"} if replace else {}
        headers |= {"x-oss-copy-source-if-match": if_match} if if_match else {}
        client.bucket.copy_object(bucket, source, key, headers=headers)
    elif client.sdk == "alibabacloud-oss-v2":
        request = oss_v2.CopyObjectRequest(
            bucket=client.bucket,
            key=key,
            source_bucket=bucket,
            source_key=source,
            metadata=metadata,
            metadata_directive="REPLACE" if replace else None,
            if_match=if_match,
        )
        client.client.copy_object(request)
    else:
        options = {"Metadata": metadata} if metadata else {}
        options |= {"MetadataDirective": "REPLACE"} if replace else {}
        options |= {"CopySourceIfMatch": if_match} if if_match else {}
        client.client.copy_object(
            Bucket=client.bucket, Key=key, CopySource={"Bucket": bucket, "Key": source}, **options
        )


@pytest.fixture
def client(client_with):
    return client_with({"operations": ["read-write"]})


def holds(origin, key: str, body: bytes) -> bool:
    return origin.object(key).sha256 == hashlib.sha256(body).hexdigest()


def test_h11_source_and_copy_each_have_the_mount_of_their_own_grant(client_with, gateway, origin, key):
    client = client_with(
        {"operations": ["CopyObject"], "prefix": f"{key}/own/", "mount": "copy-own/"},
        {"operations": ["GetObject"], "prefix": f"{key}/library/", "mount": "copy-library/"},
    )
    origin.request("PUT", f"copy-library/{key}/library/a b+c", body=BODY).read()
    for bucket in (gateway.bucket, ALIAS):
        copy(client, bucket, f"{key}/library/a b+c", f"{key}/own/{bucket}")
        assert holds(origin, f"copy-own/{key}/own/{bucket}", BODY)


@pytest.mark.usefixtures("origin_untouched")
def test_h11_what_the_key_may_not_read_it_may_not_copy(client_with, gateway, key):
    client = client_with(
        {"operations": ["CopyObject", "PutObject", "HeadObject", "DeleteObject"]},
        {"operations": ["GetObject"], "prefix": "open/"},
    )
    for bucket, source in (
        (gateway.bucket, f"{key}/closed"),
        (gateway.bucket, "open"),
        ("acme-ingest", "open/k"),
        ("nobody-s-bucket", "open/k"),
    ):
        with refused(client, 403, "AccessDenied"):
            copy(client, bucket, source, f"{key}/copy")


@pytest.mark.usefixtures("origin_untouched")
def test_h11_the_rights_to_read_and_to_put_are_no_right_to_copy(client_with, gateway, key):
    client = client_with({"operations": ["upload-only", "read-only"]})
    with refused(client, 403, "AccessDenied"):
        copy(client, gateway.bucket, f"{key}/source", f"{key}/copy")


def test_metadata_is_the_source_s_unless_the_copy_replaces_it(client, gateway, origin, key):
    source, own = f"{key}/source", {"serial": "own"}
    origin.request("PUT", source, body=BODY, headers={"x-amz-meta-serial": "source"}).read()
    for name, replace in (("source", False), ("own", True)):
        copy(client, gateway.bucket, source, f"{key}/copy-{name}", metadata=own, replace=replace)
        assert origin.object(f"{key}/copy-{name}").headers["x-amz-meta-serial"] == name
        assert holds(origin, f"{key}/copy-{name}", BODY)


def test_a_source_that_is_missing_or_another_than_expected_is_told_as_such(client, gateway, origin, key):
    with refused(client, 404, "NoSuchKey"):
        copy(client, gateway.bucket, f"{key}/missing", f"{key}/copy")
    origin.request("PUT", f"{key}/source", body=BODY).read()
    with refused(client, 412, "PreconditionFailed"):
        copy(client, gateway.bucket, f"{key}/source", f"{key}/copy", if_match=f'"{"0" * 32}"')
    assert origin.object(f"{key}/copy").status == 404


def test_the_origin_is_told_its_own_bucket_and_nothing_of_the_client_s_words(client, gateway, origin, proxy, key):
    origin.request("PUT", f"{key}/a b%2Fc?d", body=BODY).read()
    with proxy.watching() as seen:
        copy(client, ALIAS, f"{key}/a b%2Fc?d", f"{key}/copy")
    assert [request.header("x-amz-copy-source") for request in seen] == [f"/{origin.bucket}/{key}/a%20b%252Fc%3Fd"]
    assert not [name for request in seen for name, _ in request.headers if name.lower().startswith("x-oss-")]
    assert holds(origin, f"{key}/copy", BODY)


def test_an_object_is_assembled_of_ranges_of_another(client, origin, key):
    part = 5 << 20
    data = bytes(range(256)) * (2 * part // 256) + b"the end"
    client.put(f"{key}/source", data)
    upload_id = client.initiate(f"{key}/copy")
    ends = [(0, part - 1), (part, 2 * part - 1), (2 * part, len(data) - 1)]
    etags = [
        client.copy_part(f"{key}/source", *range_, f"{key}/copy", upload_id, number)
        for number, range_ in enumerate(ends, 1)
    ]
    client.complete(f"{key}/copy", upload_id, etags)
    assert holds(origin, f"{key}/copy", data)


def test_a_copy_keeps_to_the_size_that_a_grant_allows(client_with, gateway, origin, key):
    client = client_with({"operations": ["CopyObject", "GetObject"], "max_object_bytes": len(BODY)})
    origin.request("PUT", f"{key}/source", body=BODY).read()
    origin.request("PUT", f"{key}/large", body=BODY + b"x").read()
    copy(client, gateway.bucket, f"{key}/source", f"{key}/copy")
    assert holds(origin, f"{key}/copy", BODY)
    with refused(client, 400, "EntityTooLarge"):
        copy(client, gateway.bucket, f"{key}/large", f"{key}/larger")
    assert origin.object(f"{key}/larger").status == 404
