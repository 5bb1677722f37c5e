"""Parts that a device sends for an upload which it does not know to be completed: it is never told that they are in the
object."""

import pytest

from refusals import refused
from staged import MIB, SMALLEST, bytes_of


@pytest.fixture
def device(device_kind, strict):
    """Each Python SDK in turn, with a key that may list parts."""
    return device_kind(strict.endpoint("virtual-host"), strict.lister)


SIZES = {"small": [300_000] * 3, "joined": [MIB] * 7, "large": [SMALLEST], "both": [SMALLEST, 300_000]}


@pytest.fixture(params=SIZES.values(), ids=SIZES)
def completed(request, device, strict, key):
    """An upload that was completed: its id, its parts, their ETags, and that of the object."""
    parts = bytes_of(*request.param)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    etag = device.complete(key, upload_id, etags)
    strict.witnessed.ended_as(key, parts, etag)
    yield upload_id, etags, etag
    # The late part waits for whoever completes or aborts its upload.
    device.abort(key, upload_id)
    strict.witnessed.ended_as(key, parts, etag)


def test_a_part_that_comes_behind_the_completion_is_in_no_list_that_is_a_success(device, key, completed):
    upload_id, etags, etag = completed
    late = device.upload_part(key, upload_id, len(etags) + 1, b"late")
    with refused(device, 404, "NoSuchUpload"):
        device.complete(key, upload_id, [*etags, late])
    assert device.complete(key, upload_id, etags) == etag


def test_a_part_that_is_replaced_behind_the_completion_is_in_no_list_that_is_a_success(device, key, completed):
    upload_id, etags, etag = completed
    late = device.upload_part(key, upload_id, len(etags), bytes_of(300_000, seed=7)[0])
    with refused(device, 404, "NoSuchUpload"):
        device.complete(key, upload_id, [*etags[:-1], late])
    assert device.complete(key, upload_id, etags) == etag
