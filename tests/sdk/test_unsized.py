"""Bodies whose length nobody announced: they are read in blocks of 8 MiB, and stored whole or not at all."""

import base64
import hashlib
import random

import pytest

from refusals import refused
from staged import folder_of

BLOCK = 8 << 20
SIZES = {
    "nothing": 0,
    "a byte": 1,
    "a byte less than a block": BLOCK - 1,
    "a block": BLOCK,
    "a byte more than a block": BLOCK + 1,
    "20 MiB": 20 << 20,
}
ATTRIBUTES = {
    "Content-Type": "video/mp4",
    "Cache-Control": "max-age=60",
    "x-oss-meta-serial": "A-0017",
    "x-oss-tagging": "site=north",
}
each_length = pytest.mark.parametrize("size", [1000, BLOCK + 1000], ids=["in a block", "in two blocks"])


def bytes_of(size):
    return random.Random(size).randbytes(size)


def pieces(data, size=100_000):
    """An iterator of no length."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


def md5_of(data):
    return {"Content-MD5": base64.b64encode(hashlib.md5(data).digest()).decode()}


def nothing_left(origin, key):
    """Whether the origin has neither an object under a key nor an upload that would become one."""
    return origin.object(key).status == 404 and not origin.uploads(key)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_an_object_is_stored_whole_with_its_attributes(device, origin, key, size):
    data = bytes_of(size)
    etag = device.put(key, pieces(data), ATTRIBUTES)
    stored = origin.object(key)
    assert (stored.status, stored.size, stored.sha256) == (200, size, hashlib.sha256(data).hexdigest())
    assert stored.headers["etag"].strip('"') == etag.strip('"')
    assert (stored.headers["content-type"], stored.headers["cache-control"]) == ("video/mp4", "max-age=60")
    assert (stored.metadata, origin.tags(key)) == ({"serial": "A-0017"}, {"site": "north"})


@each_length
def test_an_object_is_replaced_unless_that_is_forbidden(device, origin, key, size):
    device.put(key, b"the first")
    with refused(device, 409, "FileAlreadyExists"):
        device.put(key, pieces(bytes_of(size)), {"x-oss-forbid-overwrite": "true"})
    assert origin.object(key).size == len(b"the first")
    device.put(key, pieces(bytes_of(size)))
    assert origin.object(key).size == size
    device.put(key + "-new", pieces(bytes_of(size)), {"x-oss-forbid-overwrite": "true"})
    assert origin.object(key + "-new").size == size


@each_length
def test_an_object_that_is_not_the_one_of_its_content_md5_is_not_stored(device, origin, key, size):
    data = bytes_of(size)
    with refused(device, 400, "InvalidDigest"):
        device.put(key, pieces(data), md5_of(data + b"x"))
    assert nothing_left(origin, key)
    device.put(key, pieces(data), md5_of(data))
    assert origin.object(key).sha256 == hashlib.sha256(data).hexdigest()


@each_length
def test_an_object_beyond_what_the_grant_allows_is_not_stored(device_with, gateway, keys, origin, key, size):
    grant = {"bucket": gateway.bucket, "max_object_bytes": size}
    device = device_with(keys.add(grants=[grant]))
    with refused(device, 400, "EntityTooLarge"):
        device.put(key, pieces(bytes_of(size + 1)))
    assert nothing_left(origin, key)
    device.put(key, pieces(bytes_of(size)))
    assert origin.object(key).size == size


@pytest.fixture
def uploader(device_with, data_layer):
    """Each SDK in turn, with a key that may also list parts."""
    return device_with(data_layer)


@pytest.fixture
def staged(origin, gateway, key):
    """Says what lies aside of an upload: objects, and uploads that would become such."""

    def of(upload_id):
        folder = folder_of(gateway.bucket, key, upload_id)
        return [*origin.keys(folder), *origin.uploads(folder)]

    return of


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_part_is_stored_whole(uploader, origin, staged, key, size):
    data = bytes_of(size)
    upload_id = uploader.initiate(key, {"x-oss-meta-serial": "A-0017"})
    first = uploader.upload_part(key, upload_id, 1, pieces(data), md5_of(data))
    last = uploader.upload_part(key, upload_id, 2, pieces(b"the last part"))
    # A part without a byte may be one that broke off: it is not listed, and completes an upload that names it.
    listed = [(1, size), (2, 13)] if size else [(2, 13)]
    assert [part[0::2] for part in uploader.list_parts(key, upload_id)] == listed
    assert not [name for name in staged(upload_id) if ".unsized" in name]
    uploader.complete(key, upload_id, [first, last])
    stored = origin.object(key)
    assert (stored.size, stored.sha256) == (size + 13, hashlib.sha256(data + b"the last part").hexdigest())
    assert stored.metadata["serial"] == "A-0017"
    assert staged(upload_id) == []


def test_a_part_that_is_not_the_one_of_its_content_md5_is_not_stored(uploader, staged, key):
    upload_id = uploader.initiate(key)
    data = bytes_of(BLOCK + 1000)
    with refused(uploader, 400, "InvalidDigest"):
        uploader.upload_part(key, upload_id, 1, pieces(data), md5_of(data + b"x"))
    assert (uploader.list_parts(key, upload_id), staged(upload_id)) == ([], [])


@pytest.mark.parametrize("sizes", [(BLOCK + 1000, 1000), (1000, BLOCK + 1000)], ids=["smaller", "larger"])
def test_a_part_is_replaced_whichever_way_it_was_stored(uploader, origin, staged, key, sizes):
    upload_id = uploader.initiate(key)
    for size in sizes:
        etag = uploader.upload_part(key, upload_id, 1, pieces(bytes_of(size)))
    assert [part[0::2] for part in uploader.list_parts(key, upload_id)] == [(1, sizes[-1])]
    uploader.complete(key, upload_id, [etag])
    assert origin.object(key).sha256 == hashlib.sha256(bytes_of(sizes[-1])).hexdigest()
    assert staged(upload_id) == []
