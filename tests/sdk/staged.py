"""What Causeway keeps at the origin of an upload with small parts, and how a test says that an upload ended well.

The names are those that the README gives to operators, worked out here once more: a test that asked the gateway where it
keeps things would find whatever it does.
"""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Callable

import pytest

from origin import Origin, StoredObject, origin_id

KIB = 1 << 10
MIB = 1 << 20
SMALLEST = 5 * MIB
"""S3's smallest part but the last; a part below it is staged."""
PREFIX = ".causeway/"
CLEAN_WITHIN = 10


def folder_of(bucket: str, key: str, upload_id: str) -> str:
    """Where the parts of an upload are staged."""
    name = b"\0".join([bucket.encode(), key.encode(), origin_id(upload_id).encode()])
    return f"{PREFIX}{base64.urlsafe_b64encode(hashlib.sha256(name).digest()).decode().rstrip('=')}/"


def bytes_of(*sizes: int, seed: int = 6) -> list[bytes]:
    """Parts of these sizes; any two bytes that change places change the digest."""
    source = random.Random(seed)
    return [source.randbytes(size) for size in sizes]


class Witnessed:
    """What the origin holds of the uploads of one gateway, from now on."""

    def __init__(self, origin: Origin, bucket: str) -> None:
        self.origin, self.bucket = origin, bucket
        self._before = set(origin.keys(PREFIX))

    def staged(self, key: str, upload_id: str) -> dict[str, int]:
        """The names inside the folder of an upload, and their sizes."""
        folder = folder_of(self.bucket, key, upload_id)
        return {name.removeprefix(folder): size for name, size in self.origin.keys(folder).items()}

    def ended_as(self, key: str, parts: list[bytes], etag: str | None = None) -> StoredObject:
        """The object is these parts one behind the other, and nothing else is left of its upload."""
        stored, whole = self.origin.object(key), hashlib.sha256()
        for part in parts:
            whole.update(part)
        assert (stored.status, stored.size) == (200, sum(map(len, parts)))
        assert stored.sha256 == whole.hexdigest()
        if etag is not None:
            assert stored.headers["etag"].strip('"') == etag.strip('"')
        self.left_nothing(key)
        return stored

    def left_nothing(self, key: str) -> None:
        """No staged object is left that was not there before, and no upload of this key."""
        # What joins parts early may still be at work when the object is there.
        deadline = time.monotonic() + CLEAN_WITHIN
        while left := set(self.origin.keys(PREFIX)) - self._before:
            assert time.monotonic() < deadline, f"left at the origin: {sorted(left)}"
            time.sleep(0.1)
        assert self.origin.uploads(key) == []


def repeated(complete: Callable[[], str], device, times: int = 5) -> str:
    """The ETag that `complete` gives in the end: a device repeats what was answered 5xx, or not at all."""
    told: object = None
    for _ in range(times):
        try:
            return complete()
        except device.errors as error:
            told = device.refusal(error)
            assert told.status >= 500 or told.status < 100, told
            time.sleep(0.2)
    pytest.fail(f"still {told} after {times} times")
