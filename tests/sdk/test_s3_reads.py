"""GetObject and HeadObject of S3 clients with their default settings: the twin of test_reads.py."""

import hashlib
import io

import pytest
import requests

from refusals import refused
from s3_devices import every_s3_device
from test_s3_content import KEYS

pytestmark = every_s3_device
BODY = bytes(range(256)) * 100
PART = 5 << 20


@pytest.fixture
def reading(s3_device_with, reader):
    """Each S3 client in turn, with a key that may upload and read."""
    return s3_device_with(reader)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


@pytest.mark.parametrize("name", KEYS.values(), ids=KEYS)
def test_an_object_with_this_name_is_read_back(reading, name):
    key = f"tests/s3-read-keys/{reading.signature}/{name}"
    reading.put(key, name.encode())
    assert reading.get(key).data == name.encode()
    assert reading.head(key).header("etag") == etag_of(name.encode())


def test_an_object_is_described_in_s3s_words_and_by_nothing_of_osss(reading, platform, key):
    reading.put(key, BODY, ContentType="text/plain", CacheControl="max-age=60", Metadata={"serial": "A-0017"})
    for read in (reading.get(key), reading.head(key)):
        assert read.header("content-length") == str(len(BODY))
        assert (read.header("content-type"), read.header("cache-control")) == ("text/plain", "max-age=60")
        assert read.header("x-amz-meta-serial") == "A-0017"
        assert read.header("x-amz-request-id")
        foreign = [name for name in read.headers if name.startswith(("x-oss-", "seaweed"))]
        assert not foreign


def test_the_checksum_that_was_stored_is_asked_for_and_compared(reading, proxy, key):
    reading.put(key, BODY)
    with proxy.watching() as seen:
        assert reading.get(key).data == BODY
    assert seen[0].header("x-amz-checksum-mode") == "ENABLED"


def test_a_range_and_conditions_are_kept(reading, key):
    etag = reading.put(key, BODY)
    read = reading.get(key, Range="bytes=2-4", IfMatch=etag)
    assert (read.data, read.header("content-range")) == (BODY[2:5], f"bytes 2-4/{len(BODY)}")
    with refused(reading, 412, "PreconditionFailed"):
        reading.get(key, IfMatch='"another"')
    with refused(reading, 416, "InvalidRange"):
        reading.get(key, Range="bytes=99999-")
    for read in (reading.get, reading.head):
        with pytest.raises(reading.errors) as raised:
            read(key, IfNoneMatch=etag)
        assert reading.refusal(raised.value).status == 304


def test_a_missing_object_is_no_such_key(reading, key):
    with refused(reading, 404, "NoSuchKey"):
        reading.get(key)
    # HEAD has no document to name the code in.
    with refused(reading, 404, "404"):
        reading.head(key)


def test_the_answers_headers_are_those_that_were_signed(reading, key):
    reading.put(key, BODY)
    read = reading.get(key, ResponseContentType="text/html", ResponseContentDisposition='attachment; filename="a b"')
    assert read.header("content-type") == "text/html"
    assert read.header("content-disposition") == 'attachment; filename="a b"'


def test_a_part_is_read_by_its_number(reading, key):
    upload_id = reading.initiate(key)
    parts = [b"a" * PART, b"the last part"]
    etags = [reading.upload_part(key, upload_id, number, part) for number, part in enumerate(parts, 1)]
    reading.complete(key, upload_id, etags)
    assert reading.get(key, PartNumber=2).data == parts[1]
    assert reading.head(key, PartNumber=1).header("x-amz-mp-parts-count") == "2"


def test_download_file_reads_a_large_object_in_parallel_ranges(reading, key):
    data = hashlib.sha256(b"block").digest() * (20 << 15)
    reading.client.upload_fileobj(io.BytesIO(data), reading.bucket, key)
    read = io.BytesIO()
    reading.client.download_fileobj(reading.bucket, key, read)
    assert hashlib.sha256(read.getvalue()).digest() == hashlib.sha256(data).digest()


def test_a_presigned_url_reads_the_object_and_nothing_else(reading, key):
    reading.put(key, BODY)
    url = reading.presigned("get_object", key, 60, ResponseContentType="text/plain")
    answer = requests.get(url, timeout=60)
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, BODY, "text/plain")
    part = requests.get(url, headers={"Range": "bytes=1-2"}, timeout=60)
    assert (part.status_code, part.content) == (206, BODY[1:3])
    for more in ("response-content-disposition=inline", "versionId=null", "partNumber=1", "acl"):
        assert requests.get(f"{url}&{more}", timeout=60).status_code == 403, more
    for method in ("HEAD", "PUT", "DELETE"):
        assert requests.request(method, url, timeout=60).status_code == 403, method


def test_h01_a_key_that_may_only_read_writes_nothing(s3_device_with, s3_gateway, keys, reading, key):
    reading.put(key, BODY)
    reader = s3_device_with(keys.add(grants=[{"bucket": s3_gateway.bucket, "operations": ["read-only"]}]))
    assert reader.get(key).data == BODY
    with refused(reader, 403, "AccessDenied"):
        reader.put(key, b"x")
