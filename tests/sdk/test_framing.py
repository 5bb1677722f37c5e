"""Bodies whose length nobody announced: S3 has no place for them, and the gateway says so before reading them."""

import pytest

from devices import Oss2Device
from refusals import refused


def pieces():
    for _ in range(3):
        yield b"piece of unknown number"


def test_a_body_without_a_length_is_refused(device, key, origin_untouched):
    with refused(device, 411, "MissingContentLength"):
        device.put(key, pieces())


def test_a_part_without_a_length_is_refused(device, proxy, key):
    upload_id = device.initiate(key)
    with proxy.watching() as seen, refused(device, 411, "MissingContentLength"):
        device.upload_part(key, upload_id, 1, pieces())
    assert seen == []


def test_an_iterable_that_knows_its_length_is_stored(gateway, origin, key):
    class Sized:
        """An iterator with a length, as SDK users write to send a generator."""

        def __len__(self):
            return 3 * len(b"piece of unknown number")

        def __iter__(self):
            return pieces()

    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    device.bucket.enable_crc = False
    device.put(key, Sized(), {"Content-Length": str(len(Sized()))})
    assert origin.object(key).size == len(Sized())


@pytest.mark.parametrize("length", [0, 1])
def test_a_body_that_announces_its_length_needs_no_more(device, origin, key, length):
    device.put(key, b"x" * length)
    assert origin.object(key).size == length
