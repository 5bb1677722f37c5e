"""Bodies as SDKs frame them: those that announce their length need nothing else; test_unsized.py has the others."""

import pytest

from devices import Oss2Device


def pieces():
    for _ in range(3):
        yield b"piece of unknown number"


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
