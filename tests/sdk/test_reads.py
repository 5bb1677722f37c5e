"""GetObject and HeadObject: what was stored comes back, and a key that may not read does not."""

import gzip
import hashlib
import os
from urllib.parse import urlsplit

import oss2
import pytest
import requests

from devices import Oss2Device, every_signature
from refusals import refused
from test_content import KEYS, KEYS_ONLY_ASKED_FOR
from test_streaming import SIZE

BODY = bytes(range(256)) * 100
LONG_AGO, LONG_AHEAD = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture
def device(device_with, reader):
    """Each Python SDK in turn, with a key that may upload and read."""
    return device_with(reader)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


@pytest.mark.parametrize("name", KEYS.values(), ids=KEYS)
def test_an_object_with_this_name_is_read_back(device, name):
    key = f"tests/read-keys/{device.sdk}/{name}"
    device.put(key, name.encode())
    assert device.get(key).data == name.encode()
    assert device.head(key).header("etag") == etag_of(name.encode())


@pytest.mark.parametrize("key", KEYS_ONLY_ASKED_FOR.values(), ids=KEYS_ONLY_ASKED_FOR)
def test_a_name_that_the_local_origin_cannot_hold_is_asked_for_exactly(device, origin, proxy, key):
    for read in (device.get, device.head):
        with proxy.watching() as seen:
            try:
                read(key)
            except device.errors:
                pass
        assert [request.path for request in seen] == [f"/{origin.bucket}/{key}".encode()]


@pytest.mark.parametrize("size", [0, 1, (5 << 20) + 1])
def test_an_object_of_this_size_is_read_whole_with_its_length(device, origin, key, size):
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    # Not through the gateway: oss2 sends an empty object without a length.
    origin.request("PUT", key, body=data).read()
    read, head = device.get(key), device.head(key)
    assert (read.data, read.header("content-length")) == (data, str(size))
    assert head.header("content-length") == str(size)


def test_headers_and_metadata_come_back_as_they_were_stored(device, key):
    stored = {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "max-age=60",
        "Content-Disposition": 'attachment; filename="a b.txt"',
        "Content-Language": "de",
        "x-oss-meta-serial": "A-0017",
        "x-oss-meta-note": "two  blanks, kept",
    }
    device.put(key, BODY, stored)
    for read in (device.get(key), device.head(key)):
        for name, value in stored.items():
            assert read.header(name.lower()) == value
        assert read.header("x-oss-object-type") == "Normal"
        assert read.header("x-oss-storage-class") == "Standard"
        assert read.header("x-oss-hash-crc64ecma") is None
        assert read.header("accept-ranges") == "bytes"
        leaked = [name for name in read.headers if name.startswith(("x-amz-", "seaweed"))]
        assert not [name for name in leaked if not name.startswith("x-amz-cf-")], leaked


# alibabacloud-oss-v2 signs and sends different bytes for such a value in V1 mode, to OSS as well.
def test_metadata_that_is_not_ascii_comes_back_as_its_bytes(gateway, reader, key):
    device = Oss2Device(gateway.endpoint("virtual-host"), reader)
    device.put(key, b"x", {"x-oss-meta-name": "设备 一".encode()})
    for read in (device.get(key), device.head(key)):
        # http.client reads a header's bytes as Latin-1.
        assert read.header("x-oss-meta-name").encode("latin-1").decode() == "设备 一"


def test_an_object_of_parts_says_so(device, key):
    upload_id = device.initiate(key)
    device.complete(key, upload_id, [device.upload_part(key, upload_id, 1, BODY)])
    assert device.get(key).header("x-oss-object-type") == "Multipart"
    assert device.get(key).data == BODY


@pytest.mark.parametrize("compressed", [False, True], ids=["not-compressed", "compressed"])
def test_bytes_that_are_labelled_gzip_pass_untouched(gateway, reader, key, compressed):
    data = gzip.compress(BODY) if compressed else b"labelled gzip, and is none"
    device = Oss2Device(gateway.endpoint("virtual-host"), reader)
    device.put(key, data, {"Content-Encoding": "gzip"})
    url = device.presigned_get(key, 60)
    for accepted in ("identity", "gzip"):
        answer = requests.get(url, headers={"Accept-Encoding": accepted}, stream=True, timeout=60)
        assert answer.raw.read(decode_content=False) == data
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Length"] == str(len(data))


@pytest.mark.parametrize(
    ("asked", "told", "start", "end"),
    [
        ("bytes=0-9", "bytes 0-9/25600", 0, 10),
        ("bytes=25599-", "bytes 25599-25599/25600", 25599, 25600),
        ("bytes=-256", "bytes 25344-25599/25600", 25344, 25600),
        # OSS itself answers such a range with the whole object, unless x-oss-range-behavior is standard.
        ("bytes=25000-99999", "bytes 25000-25599/25600", 25000, 25600),
    ],
)
def test_a_range_is_read_alone(device, key, asked, told, start, end):
    device.put(key, BODY)
    read = device.get(key, {"Range": asked, "x-oss-range-behavior": "standard"})
    assert (read.header("content-range"), read.data) == (told, BODY[start:end])
    assert read.header("content-length") == str(end - start)


def test_a_range_outside_the_object_is_invalid(device, key):
    device.put(key, BODY)
    with refused(device, 416, "InvalidRange"):
        device.get(key, {"Range": "bytes=99999-"})


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("If-Match", etag_of(BODY)),
        ("If-None-Match", etag_of(b"another")),
        ("If-Modified-Since", LONG_AGO),
        ("If-Unmodified-Since", LONG_AHEAD),
    ],
)
def test_a_condition_that_holds_lets_read(device, key, proxy, condition, value):
    device.put(key, BODY)
    with proxy.watching() as seen:
        assert device.get(key, {condition: value}).data == BODY
        assert device.head(key, {condition: value}).header("etag") == etag_of(BODY)
    assert [request.header(condition.lower()) for request in seen] == [value] * 2


@pytest.mark.parametrize(
    ("condition", "value"), [("If-Match", etag_of(b"another")), ("If-Unmodified-Since", LONG_AGO)]
)
def test_a_condition_that_fails_is_412(device, key, condition, value):
    device.put(key, BODY)
    for read in (device.get, device.head):
        with refused(device, 412, "PreconditionFailed"):
            read(key, {condition: value})


@pytest.mark.parametrize("condition", ["If-None-Match", "If-Modified-Since"])
def test_what_has_not_changed_is_304(device, key, condition):
    device.put(key, BODY)
    value = etag_of(BODY) if condition == "If-None-Match" else device.head(key).header("last-modified")
    for read in (device.get, device.head):
        with pytest.raises(device.errors) as raised:
            read(key, {condition: value})
        error = raised.value.unwrap() if hasattr(raised.value, "unwrap") else raised.value
        status = error.status if isinstance(error, oss2.exceptions.OssError) else error.status_code
        assert status == 304
        if isinstance(error, oss2.exceptions.OssError):
            assert isinstance(error, oss2.exceptions.NotModified)


def test_a_missing_object_is_no_such_key_and_does_not_exist(device, key):
    for read in (device.get, device.head, device.meta):
        with refused(device, 404, "NoSuchKey"):
            read(key)
    assert not device.exists(key)
    device.put(key, b"x")
    assert device.exists(key)


@pytest.mark.covers("GetObjectMeta")
def test_the_meta_of_an_object_is_its_length_etag_and_date(device, key):
    device.put(key, BODY)
    meta = device.meta(key)
    assert (meta.header("content-length"), meta.header("etag")) == (str(len(BODY)), etag_of(BODY))
    assert meta.header("last-modified")


OVERRIDES = {
    "response-content-type": "text/html; charset=utf-8",
    "response-content-disposition": 'attachment; filename="a b+c.txt"',
    "response-cache-control": "no-store",
    "response-content-language": "de",
    "response-content-encoding": "identity",
    "response-expires": LONG_AHEAD,
}


@every_signature
def test_the_answers_headers_are_those_that_were_signed(device, key):
    device.put(key, BODY, {"Content-Type": "text/plain"})
    read = device.get(key, params=OVERRIDES)
    assert read.data == BODY
    for name, value in OVERRIDES.items():
        assert read.header(name.removeprefix("response-")) == value


@every_signature
def test_a_presigned_url_reads_an_object(device, key):
    device.put(key, BODY)
    for params in (None, OVERRIDES):
        answer = requests.get(device.presigned_get(key, 60, params), timeout=60)
        assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["Content-Disposition"] == OVERRIDES["response-content-disposition"]
    part = requests.get(device.presigned_get(key, 60), headers={"Range": "bytes=1-2"}, timeout=60)
    assert (part.status_code, part.content) == (206, BODY[1:3])


@every_signature
def test_E02_a_presigned_url_shows_nothing_but_what_was_signed(device, key, origin_untouched):
    url = device.presigned_get(key, 60)
    for more in (
        "response-content-type=text/html",
        "response-content-disposition=inline",
        "versionId=null",
        "acl",
        "tagging",
        "uploadId=U",
        "x-oss-process=image/info",
    ):
        assert requests.get(f"{url}&{more}", timeout=60).status_code == 403, more


@every_signature
def test_E03_a_presigned_url_for_get_allows_get_alone(device, key, origin_untouched):
    url = device.presigned_get(key, 60)
    for method in ("HEAD", "PUT", "DELETE", "POST"):
        assert requests.request(method, url, timeout=60).status_code == 403, method


@every_signature
def test_E08_an_answers_header_cannot_be_split(device, key, origin_untouched):
    try:
        url = device.presigned_get(key, 60, {"response-content-disposition": "a\r\nx-injected: b"})
    except (ValueError, *device.errors):
        return
    answer = requests.get(url, timeout=60)
    assert answer.status_code == 400
    assert "x-injected" not in answer.headers


def test_E08_nobody_reads_without_a_signature(gateway, device, key, origin_untouched):
    url = urlsplit(device.presigned_get(key, 60))
    for query in ("", "?response-content-type=text/html", "?versionId=null"):
        answer = requests.get(f"{url.scheme}://{url.netloc}{url.path}{query}", timeout=60)
        assert (answer.status_code, "<Code>AccessDenied</Code>" in answer.text) == (403, True)


def test_a_process_is_refused_before_anything_is_fetched(device, key, origin_untouched):
    for headers, params in (({"x-oss-process": "image/info"}, None), (None, {"x-oss-process": "image/resize,w_1"})):
        with refused(device, 501, "NotImplemented"):
            device.get(key, headers, params)


def test_only_what_a_read_needs_reaches_the_origin(device, platform, proxy, key):
    device.put(key, BODY)
    # What PHP's and Go's SDKs say of no body at all, and what browsers say to caches.
    sent = {
        "Range": "bytes=0-1",
        "Content-Type": "application/octet-stream",
        "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==",
        "Cache-Control": "no-cache",
        "x-oss-traffic-limit": "819200",
        "If-Range": etag_of(BODY),
    }
    with proxy.watching() as seen:
        assert device.get(key, sent, {"response-expires": LONG_AHEAD}).data == BODY[:2]
    own = {"host", "authorization", "x-amz-date", "x-amz-content-sha256", "range"} | platform.stream_headers
    if platform.past_caches:
        own |= {"cache-control"}
    assert set(seen[0].header_names) - {"pragma"} <= own, seen[0].header_names
    assert seen[0].query == "response-expires=Fri%2C%2001%20Jan%202100%2000%3A00%3A00%20GMT"


def test_a_mount_is_read_and_nothing_beside_it(device_with, gateway, keys, key):
    def mounted(mount: str):
        grant = {"bucket": gateway.bucket, "operations": ["upload-only", "read-only"], "mount": mount}
        return device_with(keys.add(grants=[grant]))

    one, other = mounted("tests/mounts/one/"), mounted("tests/mounts/other/")
    one.put(key, b"mine")
    assert one.get(key).data == b"mine"
    with refused(other, 404, "NoSuchKey"):
        other.get(key)


@pytest.mark.parametrize("operations", [["upload-only"], ["HeadObject"], ["GetObject"], ["read-only"]])
def test_H01_a_key_does_what_its_grant_names_and_nothing_else(device_with, gateway, keys, device, key, operations):
    device.put(key, BODY)
    limited = device_with(keys.add(grants=[{"bucket": gateway.bucket, "operations": operations}]))
    allowed = {"upload-only": "put", "HeadObject": "head", "GetObject": "get", "read-only": "get head"}[operations[0]]
    calls = {
        "get": lambda: limited.get(key),
        "head": lambda: limited.head(key),
        "put": lambda: limited.put(key, BODY),
    }
    for name, call in calls.items():
        if name in allowed.split():
            call()
        else:
            with refused(limited, 403, "AccessDenied"):
                call()


def test_a_large_object_is_read_whole_and_no_process_holds_it(fresh, platform, key, tmp_path):
    path, block = tmp_path / "recording.bin", hashlib.sha256(b"block").digest() * 32768
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)
            digest.update(block)
    grant = {"bucket": fresh.gateway.bucket, "operations": ["upload-only", "read-only"]}
    device = Oss2Device(fresh.gateway.endpoint("virtual-host"), fresh.keys.add(grants=[grant]))
    with path.open("rb") as file:
        device.put(key, file)
    os.unlink(path)

    program, read, size = platform.stream_program, hashlib.sha256(), 0
    with fresh.process.watching_memory(program) as memory:
        result = device.bucket.get_object(key)
        while piece := result.read(1 << 20):
            read.update(piece)
            size += len(piece)
    assert (result.content_length, size, read.hexdigest()) == (SIZE, SIZE, digest.hexdigest())
    assert len(memory) > 3
    assert max(memory) < platform.stream_memory, f"{program} grew to {max(memory) >> 20} MiB"
