"""The Worker joins a stretch of small parts when its last one arrives, so that Complete has little left to do; behind the
answer to the device, so whatever becomes of it, no part is the worse for it."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from devices import Oss2Device
from fault_proxy import Fault
from staged import MIB, SMALLEST, bytes_of, repeated

# A group of 1 MiB parts is joined as it has 5 MiB: parts 1 to 5, 6 to 10, …
GROUP = 5
# A list of the folder, the sources, the joined part, its record, a list of the parts.
FEWEST_REQUESTS = GROUP + 4
MOST_REQUESTS = 30


@pytest.fixture
def device(strict):
    return Oss2Device(strict.endpoint("virtual-host"), strict.lister)


def send(device, key: str, upload_id: str, parts: list[bytes], numbers=None) -> list[str]:
    numbers = numbers or range(1, len(parts) + 1)
    etags = {number: device.upload_part(key, upload_id, number, parts[number - 1]) for number in numbers}
    return [etags[number] for number in sorted(etags)]


def records(strict, key: str, upload_id: str) -> list[str]:
    """The numbers that the finished joins say that they are of."""
    names = strict.witnessed.staged(key, upload_id)
    return sorted(name.removeprefix("joined/")[:11] for name in names if name.startswith("joined/"))


def sources(seen) -> list[str]:
    """The staged parts that were read."""
    paths = (request.path.decode() for request in seen if request.method == "GET" and not request.query)
    return sorted(path.rpartition("/")[2] for path in paths if "/.causeway/" in path)


def test_a_group_is_joined_when_its_last_part_arrives(device, strict, key):
    parts = bytes_of(*[MIB] * 12)
    upload_id = device.initiate(key)
    etags = send(device, key, upload_id, parts[:4])
    strict.settle()
    assert records(strict, key, upload_id) == []
    etags += [device.upload_part(key, upload_id, number, parts[number - 1]) for number in range(5, 13)]
    strict.settle()
    assert records(strict, key, upload_id) == ["00001-00005", "00006-00010"]
    with strict.proxy.watching() as seen:
        etag = device.complete(key, upload_id, etags)
    assert sources(seen) == ["00011", "00012"]
    strict.witnessed.ended_as(key, parts, etag)


def test_groups_are_joined_in_whatever_order_their_parts_arrive(device, strict, key):
    parts, numbers = bytes_of(*[MIB] * 15), list(range(1, 16))
    random.Random(6).shuffle(numbers)
    upload_id = device.initiate(key)
    etags = send(device, key, upload_id, parts, numbers)
    strict.settle()
    assert records(strict, key, upload_id) == ["00001-00005", "00006-00010", "00011-00015"]
    with strict.proxy.watching() as seen:
        etag = device.complete(key, upload_id, etags)
    assert sources(seen) == []
    strict.witnessed.ended_as(key, parts, etag)


def test_parts_that_arrive_together_end_in_the_same_object(device, strict, key):
    parts = bytes_of(*[MIB] * 20)
    upload_id = device.initiate(key)
    with ThreadPoolExecutor(8) as threads:
        etags = list(threads.map(lambda part: device.upload_part(key, upload_id, *part), enumerate(parts, 1)))
    etag = repeated(lambda: device.complete(key, upload_id, etags), device)
    strict.witnessed.ended_as(key, parts, etag)


def test_a_part_that_is_sent_again_after_its_group_was_joined_counts(device, strict, key):
    parts, [other] = bytes_of(*[MIB] * 7), bytes_of(MIB, seed=7)
    upload_id = device.initiate(key)
    etags = send(device, key, upload_id, parts)
    strict.settle()
    for number, content in ((4, other), (5, bytes(SMALLEST))):
        etags[number - 1], parts[number - 1] = device.upload_part(key, upload_id, number, content), content
    # Part 5 is S3's own now, and the four before it are too small to be one.
    with pytest.raises(device.errors) as raised:
        device.complete(key, upload_id, etags)
    assert device.refusal(raised.value).code == "EntityTooSmall"
    etags[4] = device.upload_part(key, upload_id, 5, other)
    parts[4] = other
    strict.settle()
    strict.witnessed.ended_as(key, parts, device.complete(key, upload_id, etags))


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_a_join_that_fails_at_any_request_harms_nothing(device, strict, key, fault):
    number, struck = 0, True
    while struck:
        number += 1
        assert number <= MOST_REQUESTS
        parts, name = bytes_of(*[MIB] * 6, seed=number), f"{key}-{number}"
        upload_id = device.initiate(name)
        etags = send(device, name, upload_id, parts[:4])
        strict.settle()
        # The first request is that of the part itself.
        with strict.proxy.failing(number + 1, fault) as event:
            etags.append(device.upload_part(name, upload_id, 5, parts[4]))
            strict.settle()
            struck = event.is_set()
        etags.append(device.upload_part(name, upload_id, 6, parts[5]))
        strict.witnessed.ended_as(name, parts, device.complete(name, upload_id, etags))
    assert number > FEWEST_REQUESTS


def test_a_gateway_that_is_killed_while_it_joins_harms_nothing(strict, key):
    number, struck = 0, True
    while struck:
        number += 1
        assert number <= MOST_REQUESTS
        parts, name = bytes_of(*[MIB] * 6, seed=number), f"{key}-{number}"
        device = Oss2Device(strict.endpoint("virtual-host"), strict.lister)
        upload_id = device.initiate(name)
        etags = send(device, name, upload_id, parts[:4])
        strict.settle()
        with strict.proxy.holding(number + 1) as event:
            etags.append(device.upload_part(name, upload_id, 5, parts[4]))
            struck = event.wait(3)
            strict.kill()
        strict.start()
        device = Oss2Device(strict.endpoint("virtual-host"), strict.lister)
        etags.append(device.upload_part(name, upload_id, 6, parts[5]))
        strict.witnessed.ended_as(name, parts, repeated(lambda: device.complete(name, upload_id, etags), device))
    assert number > FEWEST_REQUESTS


def is_join(request) -> bool:
    return request.method == "PUT" and "partNumber=" in request.query


def is_record(request) -> bool:
    return request.method == "PUT" and "/joined/" in request.target


@pytest.mark.parametrize("slow", [is_join, is_record], ids=["join", "record"])
@pytest.mark.parametrize("end", ["complete", "abort", "replace"])
def test_a_join_that_is_late_leaves_nothing_behind(device, strict, key, slow, end):
    parts = bytes_of(*[MIB] * GROUP)
    upload_id = device.initiate(key)
    etags = send(device, key, upload_id, parts[:-1])
    strict.settle()
    late = threading.Event()

    def first(request) -> bool:
        if not slow(request) or late.is_set():
            return False
        late.set()
        return True

    with strict.proxy.delaying(first, 1.5):
        etags.append(device.upload_part(key, upload_id, GROUP, parts[-1]))
        assert late.wait(10)
        if end == "replace":
            [parts[1]] = bytes_of(MIB, seed=8)
            etags[1] = device.upload_part(key, upload_id, 2, parts[1])
        if end != "abort":
            etag = repeated(lambda: device.complete(key, upload_id, etags), device)
        else:
            device.abort(key, upload_id)
        strict.settle()
    if end == "abort":
        strict.witnessed.left_nothing(key)
    else:
        strict.witnessed.ended_as(key, parts, etag)
