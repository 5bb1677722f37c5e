"""What devices do with an upload between its first part and its end, when some of its parts are staged: list, replace,
complete in every way, abort. The origin forgets an upload as soon as it ended (fault_proxy.py), as S3 does."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest

from devices import Oss2Device, OssV2Device
from origin import origin_id
from refusals import refused
from staged import MIB, SMALLEST, bytes_of, repeated
from wire import Wire

COMPLETE_ALL = {"x-oss-complete-all": "yes"}
WRONG = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def device(device_kind, strict):
    """Each Python SDK in turn, with a key that may list parts."""
    return device_kind(strict.endpoint("virtual-host"), strict.lister)


@pytest.fixture
def wire(strict, platform):
    return Wire(strict, platform)


def sent(device, key: str, parts: list[bytes]) -> tuple[str, list[str]]:
    """An upload with these parts, not yet completed: its id and the parts' ETags."""
    upload_id = device.initiate(key)
    return upload_id, [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]


def bare(listed) -> list[tuple[int, str, int]]:
    return [(number, etag.strip('"').lower(), size) for number, etag, size in listed]


def expected(parts: list[bytes], etags: list[str]) -> list[tuple[int, str, int]]:
    return bare((number, etag, len(part)) for number, (etag, part) in enumerate(zip(etags, parts, strict=True), 1))


# Numbers 2, 5 and 7 are S3's own.
MIXED = [100, SMALLEST, 200, 300, SMALLEST + 1, 400, SMALLEST, 500, 600]


@pytest.mark.covers("ListParts")
def test_staged_and_direct_parts_are_listed_alike_in_their_order(device, key):
    parts = bytes_of(*MIXED)
    upload_id, etags = sent(device, key, parts)
    assert bare(device.list_parts(key, upload_id)) == expected(parts, etags)
    device.abort(key, upload_id)


def oss2_pages(device: Oss2Device, key: str, upload_id: str, size: int):
    marker = "0"
    while True:
        page = device.bucket.list_parts(key, upload_id, marker=marker, max_parts=size)
        yield [(part.part_number, part.etag, part.size) for part in page.parts]
        if not page.is_truncated:
            return
        marker = page.next_marker


def oss_v2_pages(device: OssV2Device, key: str, upload_id: str, size: int):
    request = oss_v2.ListPartsRequest(bucket=device.bucket, key=key, upload_id=upload_id, max_parts=size)
    for page in device.client.list_parts_paginator().iter_page(request):
        yield [(part.part_number, part.etag, part.size) for part in page.parts or []]


PAGES = {Oss2Device: oss2_pages, OssV2Device: oss_v2_pages}


@pytest.mark.parametrize("size", [1, 2, 4, 9, 1000])
def test_pages_of_parts_go_on_across_both_kinds(device, key, size):
    parts = bytes_of(*MIXED)
    upload_id, etags = sent(device, key, parts)
    pages = list(PAGES[type(device)](device, key, upload_id, size))
    assert bare(itertools.chain(*pages)) == expected(parts, etags)
    assert all(len(page) == size for page in pages[:-1])
    device.abort(key, upload_id)


@pytest.mark.parametrize("after", range(len(MIXED) + 1))
def test_a_marker_is_a_part_number_of_either_kind(strict, key, after):
    device, parts = Oss2Device(strict.endpoint("virtual-host"), strict.lister), bytes_of(*MIXED)
    upload_id, etags = sent(device, key, parts)
    page = device.bucket.list_parts(key, upload_id, marker=str(after), max_parts=3)
    listed = [(part.part_number, part.etag, part.size) for part in page.parts]
    assert bare(listed) == expected(parts, etags)[after : after + 3]
    assert page.is_truncated == (after + 3 < len(MIXED))
    device.abort(key, upload_id)


def test_more_parts_than_a_page_has_are_listed(strict, key):
    device, parts = Oss2Device(strict.endpoint("virtual-host"), strict.lister), bytes_of(*[7] * 1100)
    upload_id = device.initiate(key)
    with ThreadPoolExecutor(4) as threads:
        etags = list(threads.map(lambda part: device.upload_part(key, upload_id, *part), enumerate(parts, 1)))
    assert bare(itertools.chain(*oss2_pages(device, key, upload_id, 1000))) == expected(parts, etags)
    device.complete(key, upload_id, etags)
    strict.witnessed.ended_as(key, parts)


REPLACED = {
    "small by large": (MIB, SMALLEST),
    "large by small": (SMALLEST, MIB),
    "small by other bytes": (MIB, MIB),
    "small by smaller": (MIB, 10),
    "large by other bytes": (SMALLEST, SMALLEST),
}


def replaced(device, key: str, old: int, new: int) -> tuple[str, list[bytes], list[str]]:
    """An upload whose first part was sent twice: its id, its parts and their ETags."""
    first, second, last = bytes_of(old, new, 10)
    upload_id, _ = sent(device, key, [first])
    etags = [device.upload_part(key, upload_id, 1, second), device.upload_part(key, upload_id, 2, last)]
    return upload_id, [second, last], etags


@pytest.mark.parametrize(("old", "new"), REPLACED.values(), ids=REPLACED)
def test_a_part_that_is_sent_again_replaces_itself(device, strict, key, old, new):
    upload_id, parts, etags = replaced(device, key, old, new)
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


# SeaweedFS itself lists both when a part of its own is sent again.
@pytest.mark.parametrize(("old", "new"), list(REPLACED.values())[:-1], ids=list(REPLACED)[:-1])
def test_a_part_that_was_sent_again_is_listed_and_completed_as_its_last_version(device, strict, key, old, new):
    upload_id, parts, etags = replaced(device, key, old, new)
    assert bare(device.list_parts(key, upload_id)) == expected(parts, etags)
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, None, COMPLETE_ALL))


def test_the_etag_of_a_part_that_was_replaced_is_invalid(device, strict, key):
    first, second, last = bytes_of(MIB, MIB, 10)
    upload_id, [old] = sent(device, key, [first])
    new = device.upload_part(key, upload_id, 1, second)
    etag = device.upload_part(key, upload_id, 2, last)
    with refused(device, 400, "InvalidPart"):
        device.complete(key, upload_id, [old, etag])
    device.complete(key, upload_id, [new, etag])
    strict.witnessed.ended_as(key, [second, last])


def test_a_part_is_replaced_when_its_stretch_was_joined_already(device, strict, key):
    parts = bytes_of(*[MIB] * 12)
    upload_id, etags = sent(device, key, parts)
    with refused(device, 400, "InvalidPart"):
        device.complete(key, upload_id, [*etags[:-1], WRONG])
    strict.settle()
    [parts[2]] = bytes_of(MIB, seed=7)
    etags[2] = device.upload_part(key, upload_id, 3, parts[2])
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


@pytest.mark.parametrize("sizes", [[MIB] * 7, [100], [SMALLEST, 100], MIXED[1:5:3]], ids=["small", "one", "both", "large"])
def test_a_complete_that_is_repeated_after_its_success_succeeds_with_the_same_etag(device, strict, key, sizes):
    parts = bytes_of(*sizes)
    upload_id, etags = sent(device, key, parts)
    etag = device.complete(key, upload_id, etags)
    assert device.complete(key, upload_id, etags) == etag
    strict.witnessed.ended_as(key, parts, etag)


def test_complete_all_that_is_repeated_after_its_success_succeeds(device, strict, key):
    parts = bytes_of(*[MIB] * 7)
    upload_id, _ = sent(device, key, parts)
    etag = device.complete(key, upload_id, None, COMPLETE_ALL)
    assert device.complete(key, upload_id, None, COMPLETE_ALL) == etag
    strict.witnessed.ended_as(key, parts, etag)


def test_a_repeated_complete_does_not_take_anothers_object_for_its_own(device, strict, key):
    first, second = bytes_of(MIB, MIB)
    upload_id, etags = sent(device, key, [first])
    device.complete(key, upload_id, etags)
    later, later_etags = sent(device, key, [second])
    device.complete(key, later, later_etags)
    with refused(device, 404, "NoSuchUpload"):
        device.complete(key, upload_id, etags)
    strict.witnessed.ended_as(key, [second])


def test_a_wrong_etag_of_a_small_part_is_refused_and_changes_nothing(device, strict, key):
    parts = bytes_of(*[MIB] * 6, SMALLEST, 10)
    upload_id, etags = sent(device, key, parts)
    strict.settle()
    before = strict.witnessed.staged(key, upload_id)
    for number in range(len(etags)):
        with refused(device, 400, "InvalidPart"):
            device.complete(key, upload_id, [*etags[:number], WRONG, *etags[number + 1 :]])
    with refused(device, 400, "InvalidPart"):
        device.complete(key, upload_id, [*etags, WRONG])
    assert strict.witnessed.staged(key, upload_id) == before
    assert strict.witnessed.origin.object(key).status == 404
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


def part_list(*parts: tuple[int, str]) -> bytes:
    listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts)
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


@pytest.mark.parametrize("order", [[2, 1], [1, 1], [2, 2, 1]])
def test_a_list_that_is_not_in_order_is_refused_and_changes_nothing(strict, wire, key, order):
    device = Oss2Device(strict.endpoint("virtual-host"), strict.credentials)
    parts = bytes_of(MIB, MIB)
    upload_id, etags = sent(device, key, parts)
    document = part_list(*((number, etags[number - 1]) for number in order))
    answer = wire.signed("POST", key, f"uploadId={upload_id}", body=document).check()
    assert (answer.status, answer.code) == (400, "InvalidPartOrder")
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


def test_a_list_may_leave_parts_out(strict, key):
    device, parts = Oss2Device(strict.endpoint("virtual-host"), strict.lister), bytes_of(*[MIB] * 9, SMALLEST, 10, 20)
    upload_id, etags = sent(device, key, parts)
    wanted = [1, 2, 4, 5, 6, 7, 9, 10, 12]
    listed = [oss2.models.PartInfo(number, etags[number - 1]) for number in wanted]
    etag = device.bucket.complete_multipart_upload(key, upload_id, listed).etag
    strict.witnessed.ended_as(key, [parts[number - 1] for number in wanted], etag)


def test_numbers_may_have_gaps(strict, key):
    device, parts = Oss2Device(strict.endpoint("virtual-host"), strict.lister), bytes_of(*[2 * MIB] * 4, 10)
    upload_id, numbers = device.initiate(key), [3, 17, 900, 9_000, 10_000]
    listed = [
        oss2.models.PartInfo(number, device.upload_part(key, upload_id, number, part))
        for number, part in zip(numbers, parts, strict=True)
    ]
    etag = device.bucket.complete_multipart_upload(key, upload_id, listed).etag
    strict.witnessed.ended_as(key, parts, etag)


TOO_SMALL = {
    "a small part before a large one": [100, SMALLEST],
    "a short stretch between large parts": [SMALLEST, MIB, MIB, SMALLEST],
    "a short stretch behind a long one and a large part": [*[MIB] * 5, SMALLEST, 100, SMALLEST, 100],
}


@pytest.mark.parametrize("sizes", TOO_SMALL.values(), ids=TOO_SMALL)
def test_what_s3_cannot_express_is_refused_before_anything_is_changed(device, strict, key, sizes):
    parts = bytes_of(*sizes)
    upload_id, etags = sent(device, key, parts)
    strict.settle()
    before = strict.witnessed.staged(key, upload_id)
    with strict.proxy.watching() as seen, refused(device, 400, "EntityTooSmall"):
        device.complete(key, upload_id, etags)
    assert {request.method for request in seen} <= {"GET"}
    assert strict.witnessed.staged(key, upload_id) == before
    # The upload goes on: a device can send the part again, cut as S3 takes it.
    for number, size in enumerate(sizes[:-1], 1):
        if size < SMALLEST:
            [parts[number - 1]] = bytes_of(SMALLEST, seed=number)
            etags[number - 1] = device.upload_part(key, upload_id, number, parts[number - 1])
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


def test_complete_all_takes_staged_and_direct_parts(device, strict, key):
    parts = bytes_of(*[MIB] * 6, SMALLEST, SMALLEST, 10, 20)
    upload_id, _ = sent(device, key, parts)
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, None, COMPLETE_ALL))


def test_forbid_overwrite_on_complete_keeps_the_older_object_and_the_upload(device, strict, key):
    device.put(key, b"older")
    parts = bytes_of(*[MIB] * 6)
    upload_id, etags = sent(device, key, parts)
    with refused(device, 409, "FileAlreadyExists"):
        device.complete(key, upload_id, etags, {"x-oss-forbid-overwrite": "true"})
    assert strict.witnessed.origin.object(key).size == len(b"older")
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


def test_abort_removes_what_was_staged(device, strict, key):
    upload_id, _ = sent(device, key, bytes_of(*[MIB] * 6, SMALLEST, 10))
    assert strict.witnessed.staged(key, upload_id)
    device.abort(key, upload_id)
    strict.witnessed.left_nothing(key)
    with refused(device, 404, "NoSuchUpload"):
        device.list_parts(key, upload_id)
    with refused(device, 404, "NoSuchUpload"):
        device.abort(key, upload_id)
    assert strict.witnessed.origin.object(key).status == 404


def test_abort_of_an_upload_that_s3_has_forgotten_removes_what_was_staged(device, strict, key):
    upload_id, _ = sent(device, key, bytes_of(*[MIB] * 2))
    assert strict.witnessed.origin.request("DELETE", key, f"uploadId={origin_id(upload_id)}").status == 204
    device.abort(key, upload_id)
    strict.witnessed.left_nothing(key)


def test_a_complete_after_an_abort_is_refused(device, strict, key):
    upload_id, etags = sent(device, key, bytes_of(*[MIB] * 6))
    device.abort(key, upload_id)
    with refused(device, 404, "NoSuchUpload"):
        device.complete(key, upload_id, etags)
    strict.witnessed.left_nothing(key)


@pytest.mark.parametrize("round", range(3))
def test_two_completes_at_once_end_in_the_same_object(device_kind, strict, key, round):
    devices = [device_kind(strict.endpoint("virtual-host"), strict.lister) for _ in range(2)]
    # On purpose no group that is joined early: both have all the work to do.
    parts = bytes_of(*[3 * MIB, MIB] * 4, 10, seed=round)
    upload_id, etags = sent(devices[0], key, parts)
    start = threading.Barrier(2)

    def complete(device) -> str:
        start.wait()
        return repeated(lambda: device.complete(key, upload_id, etags), device)

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(complete, devices))
    assert told[0] == told[1]
    strict.witnessed.ended_as(key, parts, told[0])


def test_uploads_of_the_same_key_do_not_meet(device, strict, key):
    ours, theirs = bytes_of(*[MIB] * 6), bytes_of(*[MIB] * 6, seed=7)
    uploads = [sent(device, key, parts) for parts in (ours, theirs)]
    for (upload_id, etags), parts in zip(uploads, (ours, theirs), strict=True):
        etag = device.complete(key, upload_id, etags)
        assert strict.witnessed.origin.object(key).headers["etag"].strip('"') == etag.strip('"')
    strict.witnessed.ended_as(key, theirs)
