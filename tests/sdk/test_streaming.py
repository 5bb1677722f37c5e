"""Large objects pass through without being held: neither the length nor the memory of the gateway changes."""

import hashlib
import os

from devices import Oss2Device

# `cargo xtask test --long` streams more.
SIZE = (2 << 30) if os.environ.get("CAUSEWAY_TEST_LONG") else (256 << 20)


def test_a_large_stream_keeps_its_length_and_no_process_holds_it(fresh, platform, origin, proxy, key, tmp_path):
    path, block = tmp_path / "recording.bin", hashlib.sha256(b"block").digest() * 32768
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)
            digest.update(block)

    program = platform.stream_program
    device = Oss2Device(fresh.gateway.endpoint("virtual-host"), fresh.gateway.credentials)
    with fresh.process.watching_memory(program) as memory, path.open("rb") as file, proxy.watching() as seen:
        device.put(key, file)
    path.unlink()

    assert (seen[0].header("content-length"), seen[0].framing) == (str(SIZE), "content-length")
    assert (seen[0].body_length, seen[0].body_sha256) == (SIZE, digest.hexdigest())
    stored = origin.object(key)
    assert (stored.size, stored.sha256) == (SIZE, digest.hexdigest())
    assert len(memory) > 3
    assert max(memory) < platform.stream_memory, f"{program} grew to {max(memory) >> 20} MiB"
