"""A Complete that has more to do than its platform lets a request do answers 503 in time, and goes on when it is repeated."""

import re
import time

import pytest

from devices import Oss2Device
from staged import KIB, MIB, bytes_of, repeated

# Nothing on the way waits longer: CloudFront for its function, and a device's own time-out.
PATIENCE = 60
# Pairs that make a stretch each, and whose sizes say different groups, so that none is joined before Complete.
PAIR = [4 * MIB + 924 * KIB, 100 * KIB]
PAIRS = 10


def is_join(request) -> bool:
    return request.method == "PUT" and "partNumber=" in request.query


def test_a_complete_that_takes_longer_than_a_request_may_is_503_in_time_and_goes_on(strict, key):
    device, parts = Oss2Device(strict.endpoint("virtual-host"), strict.lister), bytes_of(*PAIR * PAIRS)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    strict.settle()
    began = time.monotonic()
    with strict.proxy.delaying(is_join, 30), pytest.raises(device.errors) as raised:
        device.complete(key, upload_id, etags)
    told = device.refusal(raised.value)
    assert told.status == 503 and told.request_id, told
    assert re.fullmatch(r"\d+", raised.value.headers["retry-after"])
    assert 25 < time.monotonic() - began < PATIENCE
    strict.settle()
    # What was joined before the time was up is not joined again.
    with strict.proxy.watching() as seen:
        etag = repeated(lambda: device.complete(key, upload_id, etags), device)
    assert 0 < len([request for request in seen if is_join(request)]) < PAIRS
    strict.witnessed.ended_as(key, parts, etag)
