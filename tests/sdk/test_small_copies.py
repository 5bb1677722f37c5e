"""Parts of fewer than 5 MiB that are copied from other objects (UploadPartCopy): they become their object like small
parts that are uploaded, beside them and beside large ones, and leave nothing behind.

ali-oss' multipartUploadCopy is in ali-oss/small-copies.test.cjs.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import alibabacloud_oss_v2 as oss_v2
import pytest

from devices import Oss2Device, OssV2Device
from refusals import refused
from staged import KIB, MIB, SMALLEST, Witnessed, bytes_of, folder_of

SIZE = 13 * MIB + 1
STAGED_PART = re.compile(r"/\.causeway/[^/]+/\d{5}$")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
WRONG = f'"{"0" * 32}"'
OTHER_NAME = "d111111abcdef8"
"""The other name of the bucket, see causeway.dev.toml."""


class Oss2Copies(Oss2Device):
    """oss2's call."""

    def copy(self, source: str, range_, key: str, upload_id: str, number: int, **of):
        """Copies the bytes from the first to the last of `range_`, or all; what the SDK gives back."""
        bucket, headers = of.get("bucket", self.bucket.bucket_name), {}
        if "if_match" in of:
            headers["x-oss-copy-source-if-match"] = of["if_match"]
        if "if_none_match" in of:
            headers["x-oss-copy-source-if-none-match"] = of["if_none_match"]
        params = {"versionId": of["version"]} if "version" in of else None
        return self.bucket.upload_part_copy(bucket, source, range_, key, upload_id, number, headers, params)


class OssV2Copies(OssV2Device):
    """alibabacloud-oss-v2's."""

    def copy(self, source: str, range_, key: str, upload_id: str, number: int, **of):
        """Copies the bytes from the first to the last of `range_`, or all; what the SDK gives back."""
        names = {"source_key": source, "source_bucket": of.get("bucket"), "source_version_id": of.get("version")}
        names |= {name: of.get(name) for name in ("if_match", "if_none_match")}
        names |= {"source_range": f"bytes={range_[0]}-{range_[1]}"} if range_ else {}
        request = self._request(oss_v2.UploadPartCopyRequest, key, upload_id=upload_id, part_number=number, **names)
        return self.client.upload_part_copy(request)


COPIES = {kind.sdk: kind for kind in (Oss2Copies, OssV2Copies)}


@pytest.fixture(params=COPIES.values(), ids=COPIES)
def device_kind(request):
    return request.param


@pytest.fixture
def device(device_kind, gateway, keys):
    credentials = keys.add(grants=[{"bucket": gateway.bucket, "operations": ["read-write"]}])
    return device_kind(gateway.endpoint("virtual-host"), credentials)


@pytest.fixture
def source(origin, key):
    """An object to copy from: its key and its content."""
    name, content = f"{key}-source", bytes_of(SIZE)[0]
    origin.request("PUT", name, body=content).read()
    return name, content


def ranges(size: int, part: int) -> list[tuple[int, int]]:
    return [(first, min(first + part, size) - 1) for first in range(0, size, part)]


@pytest.mark.parametrize("part", [100 * KIB, MIB, 4 * MIB, SMALLEST - 1, SMALLEST], ids=lambda part: f"{part >> 10}-kib")
def test_an_object_is_put_together_of_ranges_of_another(device, source, witnessed, key, part):
    name, content = source
    upload_id = device.initiate(key)
    etags = [
        device.copy(name, range_, key, upload_id, number).etag
        for number, range_ in enumerate(ranges(SIZE, part), 1)
    ]
    witnessed.ended_as(key, [content], device.complete(key, upload_id, etags))


@pytest.mark.parametrize("compressed", [False, True], ids=["not-compressed", "compressed"])
@pytest.mark.parametrize("label", ["gzip", "br"])
def test_the_bytes_of_a_source_that_is_labelled_compressed_are_copied_as_they_are(
    device, origin, witnessed, key, label, compressed
):
    content = bytes_of(300 * KIB)[0]
    if compressed:
        content = gzip.compress(content)
    name = f"{key}-source"
    origin.request("PUT", name, body=content, headers={"content-encoding": label}).read()
    upload_id, half = device.initiate(key), len(content) // 2
    first = device.copy(name, (0, half), key, upload_id, 1).etag
    second = device.copy(name, (half + 1, len(content) - 1), key, upload_id, 2).etag
    whole = device.copy(name, None, key, upload_id, 3).etag
    etag = device.complete(key, upload_id, [first, second, whole])
    witnessed.ended_as(key, [content, content], etag)


def test_ranges_are_copied_in_any_order_and_at_once(device, source, witnessed, key):
    name, content = source
    upload_id, cut = device.initiate(key), ranges(SIZE, 700 * KIB)
    numbers = list(range(1, len(cut) + 1))
    random.Random(4).shuffle(numbers)
    with ThreadPoolExecutor(6) as threads:
        copied = threads.map(lambda number: (number, device.copy(name, cut[number - 1], key, upload_id, number)), numbers)
        etags = {number: one.etag for number, one in copied}
    witnessed.ended_as(key, [content], device.complete(key, upload_id, [etags[number] for number in sorted(etags)]))


@pytest.mark.parametrize("seed", range(4))
def test_parts_that_are_copied_uploaded_small_large_and_sent_again_become_their_concatenation(
    device, source, witnessed, key, seed
):
    """Every stretch of small parts has the 5 MiB that S3 needs in front of a large one."""
    name, content = source
    chance = random.Random(seed)
    sizes: list[int] = []
    for _ in range(chance.randint(2, 4)):
        if chance.random() < 0.4:
            sizes.append(chance.randint(SMALLEST, 6 * MIB))
            continue
        stretch: list[int] = []
        while sum(stretch) < SMALLEST:
            stretch.append(chance.choice([1, 100 * KIB, 700 * KIB + 1, MIB, 3 * MIB, SMALLEST - 1]))
        sizes += stretch
    sizes.append(chance.choice([1, MIB, SMALLEST]))
    upload_id, parts, etags = device.initiate(key), {}, {}

    def send(number: int, size: int) -> None:
        if chance.random() < 0.3:
            parts[number] = chance.randbytes(size)
            etags[number] = device.upload_part(key, upload_id, number, parts[number])
        else:
            first = chance.randint(0, SIZE - size)
            parts[number] = content[first : first + size]
            etags[number] = device.copy(name, (first, first + size - 1), key, upload_id, number).etag

    numbers = list(range(1, len(sizes) + 1))
    # Some in another size first; SeaweedFS would list both of two large ones.
    for number in chance.sample(numbers, len(numbers) // 3):
        send(number, chance.choice([10, MIB, SMALLEST] if sizes[number - 1] < SMALLEST else [10, MIB]))
    chance.shuffle(numbers)
    for number in numbers:
        send(number, sizes[number - 1])
    listed = device.list_parts(key, upload_id)
    assert [(number, size) for number, _, size in listed] == list(enumerate(sizes, 1))
    etag = device.complete(key, upload_id, [etags[number] for number in sorted(etags)])
    witnessed.ended_as(key, [parts[number] for number in sorted(parts)], etag)


@pytest.mark.parametrize("sizes", [(6, 1), (1, 6), (1, 2)], ids=str)
@pytest.mark.parametrize("is_copied", [(True, True), (True, False), (False, True)], ids=str)
def test_a_part_that_is_sent_again_replaces_itself_whichever_way_either_is_stored(
    device, source, witnessed, gateway, key, sizes, is_copied
):
    name, content = source
    upload_id = device.initiate(key)
    for size, is_copy in zip(sizes, is_copied, strict=True):
        part = content[size : size + size * MIB]
        if is_copy:
            device.copy(name, (size, size + len(part) - 1), key, upload_id, 1)
        else:
            device.upload_part(key, upload_id, 1, part)
    assert len(witnessed.staged(key, upload_id)) == (sizes[1] < 5)
    # What is there counts, whatever was told of it.
    etag = device.complete(key, upload_id, None, {"x-oss-complete-all": "yes"})
    witnessed.ended_as(key, [part], etag)


@pytest.mark.parametrize("sizes", [[0], [1], [MIB, 0], [MIB, SMALLEST - 1, SMALLEST, 10]], ids=str)
def test_whole_objects_are_parts_of_another(device, origin, witnessed, key, sizes):
    parts, upload_id, etags = bytes_of(*sizes), device.initiate(key), []
    for number, part in enumerate(parts, 1):
        origin.request("PUT", f"{key}-source-{number}", body=part).read()
        etags.append(device.copy(f"{key}-source-{number}", None, key, upload_id, number).etag)
    witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


def test_a_copied_part_is_told_of_as_s3_tells_of_one(device, source, key):
    name, content = source
    upload_id = device.initiate(key)
    etags = []
    for number, size in enumerate((MIB, SMALLEST), 1):
        told = device.copy(name, (3, 3 + size - 1), key, upload_id, number)
        etags.append(told.etag.strip('"').lower())
        if device.sdk == "oss2":
            assert told.resp.headers["etag"].strip('"').lower() == etags[-1]
            document = ElementTree.fromstring(told.resp.read())
            assert (document.tag, document.findtext("ETag").strip('"').lower()) == ("CopyPartResult", etags[-1])
            assert MOMENT.fullmatch(document.findtext("LastModified"))
        else:
            assert told.last_modified is not None
    assert etags[0] == hashlib.md5(content[3 : 3 + MIB]).hexdigest()
    assert [etag.strip('"').lower() for _, etag, _ in device.list_parts(key, upload_id)] == etags
    device.abort(key, upload_id)


def test_small_copies_are_read_as_they_were_when_they_were_weighed_and_large_ones_are_left_to_s3(
    device, source, proxy, origin, gateway, key
):
    name, content = source
    upload_id = device.initiate(key)
    with proxy.watching() as seen:
        device.copy(name, (7, 7 + MIB - 1), key, upload_id, 1, bucket=OTHER_NAME)
    weighed, written, read = [next(one for one in seen if one.method == method) for method in ("HEAD", "PUT", "GET")]
    place = f"/{origin.bucket}/{name}"
    assert (weighed.method, weighed.path.decode()) == ("HEAD", place)
    assert (read.method, read.path.decode(), read.header("range")) == ("GET", place, "bytes=7-1048582")
    assert read.header("if-match").strip('"') == origin.object(name).headers["etag"].strip('"')
    folder = folder_of(gateway.bucket, key, upload_id)
    assert (written.method, written.path.decode()) == ("PUT", f"/{origin.bucket}/{folder}00001")
    assert written.body_sha256 == hashlib.sha256(content[7 : 7 + MIB]).hexdigest()
    with proxy.watching() as seen:
        device.copy(name, (7, 7 + SMALLEST - 1), key, upload_id, 2)
    assert [one.method for one in seen] == ["PUT", "DELETE"]
    assert (seen[0].header("x-amz-copy-source"), seen[0].body_length) == (place, 0)
    assert STAGED_PART.search(seen[1].target)
    device.abort(key, upload_id)


def test_a_source_that_is_missing_or_another_than_expected_is_told_as_such_and_nothing_is_stored(
    device, source, witnessed, key
):
    name, content = source
    upload_id = device.initiate(key)
    for range_ in ((0, MIB - 1), None):
        with refused(device, 404, "NoSuchKey"):
            device.copy(f"{key}-missing", range_, key, upload_id, 1)
    etag = f'"{hashlib.md5(content).hexdigest()}"'
    for conditions in ({"if_match": WRONG}, {"if_none_match": etag}):
        with refused(device, 412, "PreconditionFailed"):
            device.copy(name, (0, MIB - 1), key, upload_id, 1, **conditions)
    assert witnessed.staged(key, upload_id) == {}
    assert device.list_parts(key, upload_id) == []
    copied = device.copy(name, (0, MIB - 1), key, upload_id, 1, if_match=etag, if_none_match=WRONG)
    witnessed.ended_as(key, [content[:MIB]], device.complete(key, upload_id, [copied.etag]))


def test_h11_what_the_key_may_not_read_it_may_not_copy_in_small_parts_either(
    device_kind, gateway, keys, proxy, source, key
):
    grants = [
        {"bucket": gateway.bucket, "operations": ["upload-only", "UploadPartCopy"]},
        {"bucket": gateway.bucket, "operations": ["GetObject"], "prefix": "open/"},
    ]
    device = device_kind(gateway.endpoint("virtual-host"), keys.add(grants=grants))
    upload_id = device.initiate(key)
    with proxy.watching() as seen:
        for name, range_ in ((source[0], (0, 9)), (source[0], None), (f"open/../{source[0]}", (0, 9))):
            with pytest.raises(device.errors) as raised:
                device.copy(name, range_, key, upload_id, 1)
            assert device.refusal(raised.value).status in (400, 403)
    assert not seen
    device.abort(key, upload_id)


def test_source_and_upload_each_have_the_mount_of_their_own_grant(device_kind, gateway, keys, origin, key):
    grants = [
        {"bucket": gateway.bucket, "operations": ["upload-only", "UploadPartCopy"], "prefix": f"{key}/own/", "mount": "own-of-copies/"},
        {"bucket": gateway.bucket, "operations": ["GetObject"], "prefix": f"{key}/library/", "mount": "library/"},
    ]
    device = device_kind(gateway.endpoint("virtual-host"), keys.add(grants=grants))
    witnessed, parts = Witnessed(origin, gateway.bucket), bytes_of(MIB, 10)
    name, target = f"{key}/library/a b+c&?", f"{key}/own/copy"
    origin.request("PUT", f"library/{name}", body=b"".join(parts)).read()
    upload_id = device.initiate(target)
    etags = [
        device.copy(name, range_, target, upload_id, number).etag
        for number, range_ in enumerate(((0, MIB - 1), (MIB, MIB + 9)), 1)
    ]
    device.complete(target, upload_id, etags)
    witnessed.ended_as(f"own-of-copies/{target}", parts)


def test_small_copies_keep_to_the_size_that_a_grant_allows(device_kind, gateway, keys, source, witnessed, key):
    name, content = source
    grant = {"bucket": gateway.bucket, "operations": ["read-write"], "max_object_bytes": 2 * MIB}
    device = device_kind(gateway.endpoint("virtual-host"), keys.add(grants=[grant]))
    upload_id = device.initiate(key)
    with refused(device, 400, "EntityTooLarge"):
        device.copy(name, (0, 2 * MIB), key, upload_id, 1)
    etags = [
        device.copy(name, range_, key, upload_id, number).etag for number, range_ in enumerate(ranges(3 * MIB, MIB), 1)
    ]
    with refused(device, 400, "EntityTooLarge"):
        device.complete(key, upload_id, etags)
    witnessed.ended_as(key, [content[: 2 * MIB]], device.complete(key, upload_id, etags[:2]))
