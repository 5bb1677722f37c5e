"""A device that loses its power in the middle of an upload with small parts, and goes on when it is on again: what it has
sent is not sent again, and the object is whole."""

import re

import pytest

from processes import Uploader
from staged import KIB, MIB, bytes_of

SIZE = 12 * MIB + 1
# None: the SDK's own, which is 1 MiB.
CASES = {
    "oss2-100-kib": ("oss2", 100 * KIB),
    "oss2-1-mib": ("oss2", MIB),
    "ali-oss-100-kib": ("ali-oss", 100 * KIB),
    "ali-oss-default": ("ali-oss", None),
}
STAGED_PART = re.compile(r"/\.causeway/[^/]+/\d{5}$")


@pytest.fixture
def uploader(gateway, keys, key, tmp_path):
    """Makes the device of an SDK, and gives it and the file's content."""
    path, content = tmp_path / "recording.bin", bytes_of(SIZE)[0]
    path.write_bytes(content)
    grant = {"bucket": gateway.bucket, "operations": ["upload-only", "ListParts"]}
    credentials = keys.add(grants=[grant])

    def make(sdk: str, part_size: int | None, threads: int) -> Uploader:
        return Uploader(sdk, gateway.endpoint("virtual-host"), credentials, key, path, tmp_path, part_size, threads)

    return make, content


def staged_parts(seen) -> int:
    return len([request for request in seen if request.method == "PUT" and STAGED_PART.search(request.target)])


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize(("sdk", "part_size"), CASES.values(), ids=CASES)
def test_an_upload_goes_on_in_another_process(uploader, witnessed, proxy, key, sdk, part_size, threads):
    make, content = uploader
    device = make(sdk, part_size, threads)
    count = -(-SIZE // (part_size or MIB))
    device.uploads_until(0.3)
    device.uploads_until(0.7)
    with proxy.watching() as seen:
        etag = device.uploads()
    # What was on its way when the power was lost may be sent twice.
    assert staged_parts(seen) <= 0.3 * count + threads + 1
    witnessed.ended_as(key, [content], etag)
