"""Uploads in parts that S3 refuses: what OSS takes from a device, S3 ends up holding, and nothing else.

What becomes of the upload between is in test_staged_uploads.py; ali-oss' side is in ali-oss/small-parts.test.cjs.
"""

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest

from devices import Oss2Device, OssV2Device
from refusals import refused
from s3_devices import Boto3Device
from staged import KIB, MIB, PREFIX, SMALLEST, bytes_of, folder_of

# oss2 and ali-oss refuse smaller ones themselves, but for the last.
OSS_SMALLEST = 100 * KIB

# A stretch is what S3 could not take: its parts are joined.
MIXES = {
    "a single small part": [100],
    "a single part of one byte": [1],
    "small parts of less than 5 MiB in all": [OSS_SMALLEST] * 7,
    "small parts of 5 MiB in all": [MIB] * 5,
    "small parts of two stretches and a rest": [MIB] * 12,
    "large parts and a small last one": [SMALLEST, SMALLEST, 123_456],
    "a stretch of small parts before large ones": [MIB] * 6 + [SMALLEST, SMALLEST + 1],
    "a stretch of small parts between large ones": [SMALLEST, *[OSS_SMALLEST] * 60, SMALLEST],
    "large parts before a stretch of small ones": [SMALLEST + 1, *[OSS_SMALLEST] * 60],
    "sizes of every kind": [3 * MIB, 4 * MIB, SMALLEST, 2 * MIB, 3 * MIB + 17, 6 * MIB, OSS_SMALLEST, 1],
    "parts of one byte less than 5 MiB": [SMALLEST - 1] * 3,
    "parts of 5 MiB": [SMALLEST] * 2,
}


def upload(device, key: str, parts: list[bytes], *headers: dict) -> str:
    """The ETag of the object."""
    upload_id = device.initiate(key, *headers)
    return device.complete(key, upload_id, [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)])


@pytest.mark.parametrize("sizes", MIXES.values(), ids=MIXES)
def test_parts_of_any_size_become_their_object(device, witnessed, key, sizes):
    parts = bytes_of(*sizes)
    witnessed.ended_as(key, parts, upload(device, key, parts))


def test_an_empty_last_part_adds_nothing(device, witnessed, key):
    parts = [*bytes_of(MIB, MIB), b""]
    witnessed.ended_as(key, parts, upload(device, key, parts))


def test_an_empty_part_behind_large_ones_adds_nothing(device, witnessed, key):
    parts = [*bytes_of(SMALLEST), b""]
    witnessed.ended_as(key, parts, upload(device, key, parts))


def test_an_upload_of_one_empty_part_is_an_empty_object(device, witnessed, key):
    witnessed.ended_as(key, [b""], upload(device, key, [b""]))


def test_what_an_upload_was_started_with_is_kept(device_with, reader, witnessed, platform, key):
    device, parts = device_with(reader), bytes_of(MIB, MIB, 10)
    headers = {
        "Content-Type": "video/mp2t",
        "Cache-Control": "max-age=60",
        "Content-Disposition": 'attachment; filename="a.ts"',
        "x-oss-meta-serial": "A-0017",
        "x-oss-storage-class": "Standard",
        "x-oss-tagging": "site=north&kind=raw",
    }
    etag = upload(device, key, parts, headers)
    stored = witnessed.ended_as(key, parts, etag)
    assert stored.headers["content-type"] == "video/mp2t"
    assert stored.headers["cache-control"] == "max-age=60"
    assert stored.headers["content-disposition"] == 'attachment; filename="a.ts"'
    assert stored.metadata["serial"] == "A-0017"
    assert witnessed.origin.tags(key) == {"site": "north", "kind": "raw"}
    told = device.head(key)
    assert told.header("etag").strip('"') == etag.strip('"')
    assert told.header("content-length") == str(sum(map(len, parts)))
    # What Causeway notes at the object for itself is nobody's metadata.
    assert {name for name in told.headers if name.startswith("x-oss-meta-")} == {"x-oss-meta-serial"}


def test_a_content_md5_of_a_small_part_is_compared(device, witnessed, key):
    part = bytes_of(MIB)[0]
    upload_id = device.initiate(key)
    digest = oss2.utils.content_md5(part)
    etag = device.upload_part(key, upload_id, 1, part, {"Content-MD5": digest})
    assert etag.strip('"').lower() == hashlib.md5(part).hexdigest()
    with pytest.raises(device.errors) as raised:
        device.upload_part(key, upload_id, 1, b"other bytes", {"Content-MD5": digest})
    assert device.refusal(raised.value).status == 400
    witnessed.ended_as(key, [part], device.complete(key, upload_id, [etag]))


def test_small_parts_go_where_the_guide_says_and_large_ones_to_their_upload(device, gateway, proxy, witnessed, key):
    parts = bytes_of(SMALLEST, SMALLEST - 1, 10)
    upload_id = device.initiate(key)
    with proxy.watching() as seen:
        etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    folder = f"/{witnessed.origin.bucket}/{folder_of(gateway.bucket, key, upload_id)}"
    puts = [request for request in seen if request.method == "PUT" and request.body_length >= 10]
    places = [request.path.decode() for request in puts]
    assert places == [f"/{witnessed.origin.bucket}/{key}", f"{folder}00002", f"{folder}00003"]
    assert [request.body_sha256 for request in puts] == [hashlib.sha256(part).hexdigest() for part in parts]
    witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


def test_oss2_sends_parts_of_100_kib_in_any_order(gateway, witnessed, key):
    device, parts = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials), bytes_of(*[OSS_SMALLEST] * 130, 77)
    upload_id, order = device.initiate(key), list(range(1, len(parts) + 1))
    random.Random(5).shuffle(order)
    etags = {number: device.upload_part(key, upload_id, number, parts[number - 1]) for number in order}
    listed = [oss2.models.PartInfo(number, etags[number]) for number in order]
    # oss2 sorts them itself.
    etag = device.bucket.complete_multipart_upload(key, upload_id, listed).etag
    witnessed.ended_as(key, parts, etag)


def test_oss2_sends_parts_of_100_kib_from_several_threads(gateway, witnessed, key):
    device, parts = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials), bytes_of(*[OSS_SMALLEST] * 130, 77)
    upload_id = device.initiate(key)
    with ThreadPoolExecutor(8) as threads:
        etags = list(threads.map(lambda part: device.upload_part(key, upload_id, *part), enumerate(parts, 1)))
    witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


@pytest.fixture
def file_of(tmp_path):
    """Makes a file of this many bytes, and gives its path and its content."""

    def make(size: int):
        path, content = tmp_path / "recording.bin", bytes_of(size)[0]
        path.write_bytes(content)
        return path, content

    return make


@pytest.mark.parametrize("threads", [1, 4])
def test_oss2_resumable_upload_takes_its_smallest_part_size(gateway, keys, witnessed, key, file_of, tmp_path, threads):
    path, content = file_of(13 * MIB + 1)
    grant = {"bucket": gateway.bucket, "operations": ["upload-only", "ListParts"]}
    device = Oss2Device(gateway.endpoint("virtual-host"), keys.add(grants=[grant]))
    options = {"multipart_threshold": OSS_SMALLEST, "part_size": OSS_SMALLEST, "num_threads": threads}
    store = oss2.ResumableStore(root=str(tmp_path))
    etag = oss2.resumable_upload(device.bucket, key, str(path), store=store, **options).etag
    witnessed.ended_as(key, [content], etag)


@pytest.mark.parametrize("threads", [1, 5])
def test_alibabacloud_oss_v2_uploader_takes_small_parts(gateway, witnessed, key, file_of, threads):
    path, content = file_of(13 * MIB + 1)
    device = OssV2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    uploader = device.client.uploader(part_size=OSS_SMALLEST, parallel_num=threads)
    request = oss_v2.PutObjectRequest(bucket=gateway.bucket, key=key)
    witnessed.ended_as(key, [content], uploader.upload_file(request, str(path)).etag)


def test_small_parts_of_a_mounted_device_are_joined_under_its_mount(device_kind, gateway, keys, witnessed, key):
    credentials = keys.add(grants=[{"bucket": gateway.bucket, "operations": ["upload-only"], "mount": "fleet/{key_id}/"}])
    device, parts = device_kind(gateway.endpoint("virtual-host"), credentials), bytes_of(MIB, MIB)
    upload(device, key, parts)
    witnessed.ended_as(f"fleet/{credentials.access_key_id}/{key}", parts)


@pytest.mark.parametrize("name", ["a b+c%20 .txt", "设备/照片 一.jpg", "<Key>&amp;\"'.txt", "a?b=c&d#e"])
def test_the_key_of_an_upload_with_small_parts_may_have_any_characters(device, witnessed, key, name):
    parts = bytes_of(MIB, 10)
    witnessed.ended_as(f"{key}/{name}", parts, upload(device, f"{key}/{name}", parts))


def test_the_parts_of_s3_clients_are_not_staged(s3_gateway, proxy, witnessed, key):
    device, parts = Boto3Device(s3_gateway.endpoint("path"), s3_gateway.credentials), bytes_of(SMALLEST, 10)
    with proxy.watching() as seen:
        etag = upload(device, key, parts)
    assert not [request for request in seen if PREFIX.encode() in request.path]
    stored = witnessed.ended_as(key, parts, etag)
    assert stored.metadata == {}


def test_an_s3_client_is_told_of_s3s_rule_by_s3(s3_gateway, witnessed, key):
    device, parts = Boto3Device(s3_gateway.endpoint("path"), s3_gateway.credentials), bytes_of(MIB, MIB)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    with refused(device, 400, "EntityTooSmall"):
        device.complete(key, upload_id, etags)
    device.abort(key, upload_id)
    witnessed.left_nothing(key)
