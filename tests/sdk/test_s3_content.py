"""S3 clients with their default settings: keys, bytes, lengths, metadata and checksums arrive unchanged."""

import base64
import hashlib
import io
import zlib

import pytest

from refusals import refused
from s3_devices import every_s3_device

pytestmark = every_s3_device
PART = 5 << 20

KEYS = {
    "spaces": "a b  c .txt",
    "plus": "a+b c+.txt",
    "percent": "100%/%41%2F%zz.txt",
    "sub-delimiters": "~!*'().txt",
    "reserved": "a?b=c&d#e;f:g@h,i$j.txt",
    "markup": "<Key>&amp;\"'{}|^`[].txt",
    "Chinese": "设备/照片 一.jpg",
    "emoji": "🚀/🛰️.bin",
}


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("name", KEYS.values(), ids=KEYS)
def test_a_key_is_stored_under_the_same_bytes(s3_device, origin, key, name):
    s3_device.put(f"{key}/{name}", name.encode())
    assert origin.object(f"{key}/{name}").sha256 == hashlib.sha256(name.encode()).hexdigest()


@pytest.mark.parametrize("name", KEYS.values(), ids=KEYS)
def test_a_multipart_upload_keeps_the_key(s3_device, origin, key, name):
    upload_id = s3_device.initiate(f"{key}/{name}")
    s3_device.complete(f"{key}/{name}", upload_id, [s3_device.upload_part(f"{key}/{name}", upload_id, 1, b"part")])
    stored = origin.object(f"{key}/{name}")
    # S3's clients know which upload made an object.
    assert (stored.size, stored.metadata) == (len(b"part"), {})


@pytest.mark.parametrize("size", [0, 1, PART + 1])
def test_an_object_of_this_size_is_stored_whole_with_the_checksum_that_the_sdk_computed(
    s3_device, origin, proxy, key, size
):
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    with proxy.watching() as seen:
        etag = s3_device.put(key, data)
    assert etag.strip('"') == hashlib.md5(data).hexdigest()
    assert origin.object(key).sha256 == hashlib.sha256(data).hexdigest()
    assert origin.checksum(key, "crc32") == crc32(data)
    assert len(seen) == 1


def test_what_binds_the_body_reaches_the_origin_as_it_was_sent(s3_device, origin, proxy, key):
    with proxy.watching() as seen:
        s3_device.put(key, b"bound")
    [request] = seen
    if s3_device.tls:
        assert request.header("x-amz-content-sha256") == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        assert request.header("x-amz-decoded-content-length") == "5"
        assert request.header("x-amz-trailer") == "x-amz-checksum-crc32"
        assert request.body.startswith(b"5\r\nbound\r\n0\r\nx-amz-checksum-crc32:")
    else:
        assert request.header("x-amz-content-sha256") == hashlib.sha256(b"bound").hexdigest()
        assert request.header("x-amz-checksum-crc32") == crc32(b"bound")
        assert request.body == b"bound"
    signed = request.header("authorization").split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {name for name in request.header_names if name.startswith("x-amz-")} <= set(signed)


def test_metadata_and_the_content_headers_are_stored(s3_device, origin, key):
    s3_device.put(
        key,
        b"x",
        Metadata={"serial": "A-0017", "blanks": "two  inside"},
        ContentType="text/plain; charset=utf-8",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="a b.txt"',
        ContentLanguage="de",
    )
    stored = origin.object(key)
    assert stored.metadata == {"serial": "A-0017", "blanks": "two  inside"}
    assert stored.headers["content-type"] == "text/plain; charset=utf-8"
    assert stored.headers["cache-control"] == "max-age=60"
    assert stored.headers["content-disposition"] == 'attachment; filename="a b.txt"'
    assert stored.headers["content-language"] == "de"


def test_a_coding_of_the_content_is_kept_and_the_one_of_the_transfer_is_not(s3_device, origin, key):
    s3_device.put(key, b"not really gzip", ContentEncoding="gzip")
    assert "gzip" in origin.object(key).headers["content-encoding"]
    s3_device.put(f"{key}-plain", b"x")
    assert origin.object(f"{key}-plain").headers.get("content-encoding") is None


def test_tags_and_a_storage_class_are_asked_of_the_origin(s3_device, origin, proxy, key):
    with proxy.watching() as seen:
        s3_device.put(key, b"x", Tagging="site=Berlin%20Nord&kind=log", StorageClass="STANDARD_IA")
    assert origin.tags(key) == {"site": "Berlin Nord", "kind": "log"}
    assert seen[0].header("x-amz-storage-class") == "STANDARD_IA"


def test_if_none_match_keeps_the_older_object(s3_device, origin, key):
    s3_device.put(key, b"first", IfNoneMatch="*")
    with refused(s3_device, 412, "PreconditionFailed"):
        s3_device.put(key, b"second", IfNoneMatch="*")
    assert origin.object(key).size == len(b"first")


def test_upload_file_stores_a_large_file_in_parallel_parts(s3_device, origin, proxy, key, tmp_path):
    file = tmp_path / "recording.bin"
    file.write_bytes(bytes(range(250)) * 80_000)
    with proxy.watching() as seen:
        s3_device.client.upload_file(str(file), s3_device.bucket, key)
    assert len([request for request in seen if "partNumber" in request.query]) == 3
    assert origin.object(key).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_upload_file_stores_a_small_file(s3_device, origin, key, tmp_path):
    file = tmp_path / "small.bin"
    file.write_bytes(b"small")
    s3_device.client.upload_file(str(file), s3_device.bucket, key)
    assert origin.object(key).sha256 == hashlib.sha256(b"small").hexdigest()


def test_a_file_object_is_streamed(s3_device, origin, key):
    s3_device.client.upload_fileobj(io.BytesIO(b"streamed" * 1000), s3_device.bucket, key)
    assert origin.object(key).size == 8000


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_of_the_callers_choice_is_stored(s3_device, origin, key, algorithm):
    s3_device.put(key, b"x", ChecksumAlgorithm=algorithm.upper())
    assert origin.checksum(key, algorithm) == base64.b64encode(hashlib.new(algorithm, b"x").digest()).decode()
