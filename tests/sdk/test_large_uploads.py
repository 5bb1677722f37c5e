"""Whole recordings with the part sizes that devices have: 200 MiB with every SDK's default and smallest."""

import hashlib
import os
import time

import pytest

from processes import Uploader
from staged import KIB, MIB

SIZE = 200 * MIB
# What may be on its way at once; the processes have served other tests before.
GROWTH = 128 * MIB
CASES = {
    "oss2-default": ("oss2", None, None),
    "oss2-smallest": ("oss2", 100 * KIB, 4),
    "ali-oss-default": ("ali-oss", None, None),
    "ali-oss-smallest": ("ali-oss", 100 * KIB, None),
}


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A file, and its digest."""
    path, digest = tmp_path_factory.mktemp("recording") / "recording.bin", hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(SIZE // MIB):
            file.write(block := os.urandom(MIB))
            digest.update(block)
    yield path, digest.hexdigest()
    path.unlink()


@pytest.mark.parametrize(("sdk", "part_size", "threads"), CASES.values(), ids=CASES)
def test_a_recording_of_200_mib_is_stored_whole(
    gateway, platform, servers, keys, witnessed, key, recording, tmp_path, show, sdk, part_size, threads
):
    path, digest = recording
    grant = {"bucket": gateway.bucket, "operations": ["upload-only", "ListParts"]}
    endpoint, credentials = gateway.endpoint("virtual-host"), keys.add(grants=[grant])
    device = Uploader(sdk, endpoint, credentials, key, path, tmp_path, part_size, threads)
    began = time.monotonic()
    with servers.process.watching_memory(platform.stream_program) as memory:
        etag = device.uploads()
    show(f"\n{platform.topology}, {sdk}, {SIZE >> 20} MiB: {time.monotonic() - began:.1f} s, {max(memory) >> 20} MiB resident")
    stored = witnessed.origin.object(key)
    assert (stored.status, stored.size, stored.sha256) == (200, SIZE, digest)
    assert stored.headers["etag"].strip('"') == etag
    witnessed.left_nothing(key)
    assert max(memory) - memory[0] < GROWTH
    assert witnessed.origin.request("DELETE", key).status == 204
