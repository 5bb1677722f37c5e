"""The Worker's count of requests to the origin: what the platform allows is never exceeded, and a Complete that needs more
goes on when it is repeated. `MAX_SUBREQUESTS` makes the platform's number small enough to be met. The read of the device's
key counts as one of them, and is none that the origin sees."""

import re

import pytest

from devices import Oss2Device
from refusals import refused
from staged import KIB, MIB, bytes_of, repeated
from strict import StrictGateway

LIMIT = 50
# Pairs that make a stretch each, none of which is joined before Complete: each costs two sources, a part and a record.
PAIR = [4 * MIB + 924 * KIB, 100 * KIB]
PAIRS = 12
ATTEMPTS = 12


@pytest.fixture(scope="module")
def strict_gateway(own_deployment, servers):
    gateway = StrictGateway(own_deployment().bind("MAX_SUBREQUESTS", str(LIMIT)), servers.origin, servers.keys)
    yield gateway
    gateway.close()


@pytest.fixture
def device(strict):
    return Oss2Device(strict.endpoint("virtual-host"), strict.lister)


def counted(strict, request) -> tuple[int, object]:
    """How many requests the origin saw for one of a device, and what the device was told."""
    with strict.proxy.watching() as seen:
        try:
            told = request()
        except Oss2Device.errors as error:
            told = error
        strict.settle()
    return len(seen), told


def test_a_complete_asks_for_no_more_than_is_allowed_and_goes_on_when_it_is_repeated(strict, device, key):
    parts = bytes_of(*PAIR * PAIRS)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    attempts = []
    for _ in range(ATTEMPTS):
        count, told = counted(strict, lambda: device.complete(key, upload_id, etags))
        assert count < LIMIT
        attempts.append(told)
        if isinstance(told, str):
            break
        assert told.status == 503, told
        assert re.fullmatch(r"\d+", told.headers["retry-after"])
    assert len(attempts) > 1, "the limit was not met"
    assert isinstance(told, str), f"no end after {ATTEMPTS} times: {told}"
    strict.witnessed.ended_as(key, parts, told)


def test_equal_parts_of_256_kib_are_joined_by_what_workers_free_allows(strict, device, key):
    parts = bytes_of(*[256 * KIB] * 99, 70 * KIB)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    # At once: what is joined before Complete may not be yet.
    strict.witnessed.ended_as(key, parts, repeated(lambda: device.complete(key, upload_id, etags), device))


def test_parts_of_100_kib_are_too_many_for_what_workers_free_allows(strict, device, key):
    parts = bytes_of(*[100 * KIB] * 60)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    with refused(device, 500, "InternalError"):
        device.complete(key, upload_id, etags)
    device.abort(key, upload_id)
    strict.settle()
    strict.witnessed.left_nothing(key)


def test_a_part_that_completes_a_group_asks_for_no_more_than_is_allowed(strict, device, key):
    parts = bytes_of(*[MIB] * 12)
    upload_id, etags = device.initiate(key), []
    for number, part in enumerate(parts, 1):
        count, told = counted(strict, lambda: device.upload_part(key, upload_id, number, part))
        etags.append(told)
        assert count < LIMIT
    count, told = counted(strict, lambda: device.complete(key, upload_id, etags))
    assert count < LIMIT
    strict.witnessed.ended_as(key, parts, told)


def test_an_abort_of_many_parts_asks_for_no_more_than_is_allowed(strict, device, key):
    upload_id = device.initiate(key)
    for number in range(1, 40):
        device.upload_part(key, upload_id, number, b"x")
    strict.settle()
    count, _ = counted(strict, lambda: device.abort(key, upload_id))
    assert count < LIMIT
    strict.witnessed.left_nothing(key)
