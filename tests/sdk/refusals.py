"""How a test says that a device was refused, and that the SDK could read why."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devices import Refusal

REQUEST_ID = re.compile(r"[0-9A-F]{24}")


@contextmanager
def refused(device, status: int, code: str) -> Iterator[list[Refusal]]:
    """Expects the SDK to raise `status` and `code` with a request id; the yielded list then holds the refusal."""
    told: list[Refusal] = []
    with pytest.raises(device.errors) as raised:
        yield told
    refusal = device.refusal(raised.value)
    assert (refusal.status, refusal.code) == (status, code), refusal
    assert REQUEST_ID.fullmatch(refusal.request_id), refusal
    assert refusal.message, refusal
    told.append(refusal)
