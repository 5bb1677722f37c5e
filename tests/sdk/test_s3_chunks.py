"""Attack cases F02 to F07: bodies of S3 clients whose chunks are signed. They are verified as they stream."""

import hashlib

import pytest

from s3_chunks import CHECKSUM, ChunkSigner


@pytest.fixture
def client(gateway):
    return ChunkSigner(gateway)


CONTENT = bytes(range(256)) * 1000


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("trailer", [False, True], ids=["plain", "trailer"])
@pytest.mark.parametrize("content", [b"", b"x", CONTENT, CONTENT * 40], ids=len)
def test_signed_chunks_are_stored_as_their_content(client, origin, proxy, key, content, trailer, chunked):
    with proxy.watching() as seen:
        answer = client.put(key, content, trailer=trailer, chunked=chunked, x_amz_meta_a="b  c")
    assert answer == (200, "")
    stored = origin.object(key)
    assert (stored.size, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert stored.metadata == {"a": "b  c"}
    assert "content-encoding" not in stored.headers
    assert seen[0].header("content-length") == str(len(content))


def test_signed_chunks_make_a_part(client, gateway, wire, origin, key):
    upload_id = wire.initiate(key)
    query = f"partNumber=1&uploadId={upload_id}"
    assert client.put(key, CONTENT, query=query) == (200, "")
    assert origin.parts(key, upload_id) == 200


def last_signature_wrong(pieces):
    return [*pieces[:-1], pieces[-1].replace(b"chunk-signature=", b"chunk-signature=0", 1)[:-5] + b"\r\n\r\n"]


WRONG = {
    "an altered chunk": (lambda p: [p[0].replace(b"\x01\x02", b"\x02\x01", 1), *p[1:]], 403, "SignatureDoesNotMatch"),
    "chunks in another order": (lambda p: [p[1], p[0], *p[2:]], 403, "SignatureDoesNotMatch"),
    "a chunk twice": (lambda p: [p[0], *p], 403, "SignatureDoesNotMatch"),
    "a chunk dropped": (lambda p: [p[0], *p[2:]], 403, "SignatureDoesNotMatch"),
    "no last chunk": (lambda p: p[:-1], 400, "IncompleteBody"),
    "a last chunk of another body": (last_signature_wrong, 403, "SignatureDoesNotMatch"),
    "half a chunk": (lambda p: [p[0][:1000]], 400, "IncompleteBody"),
    "nothing": (lambda p: [], 400, "IncompleteBody"),
    "something behind the end": (lambda p: [*p, b"x"], 400, "InvalidRequest"),
    "a size that lies": (lambda p: [b"F" * 16 + p[0][p[0].index(b";") :], *p[1:]], 400, "IncompleteBody"),
    "a negative size": (lambda p: [b"-1" + p[0][p[0].index(b";") :], *p[1:]], 400, "InvalidRequest"),
    "a size in C": (lambda p: [b"0x" + p[0], *p[1:]], 400, "InvalidRequest"),
    "a megabyte of extensions": (lambda p: [p[0].replace(b";", b";" + b"x" * 1_000_000, 1), *p[1:]], 400, "InvalidRequest"),
    "content without a frame": (lambda p: [CONTENT], 400, "InvalidRequest"),
}


def stores_nothing(origin, key) -> bool:
    """Whether nothing was stored. Where a stated body breaks off before its first byte, S3 stores nothing, and SeaweedFS 4.48
    an empty object."""
    stored = origin.object(key)
    return stored.status == 404 or stored.size == 0


@pytest.mark.parametrize("name", WRONG)
def test_f02_f05_chunks_that_are_not_those_that_were_signed_store_nothing(client, origin, key, name):
    change, status, code = WRONG[name]
    assert client.put(key, CONTENT, change=change) == (status, code)
    assert stores_nothing(origin, key)


@pytest.mark.parametrize("announced", [0, len(CONTENT) - 1, len(CONTENT) + 1])
def test_f03_chunks_of_another_length_than_was_signed_store_nothing(client, origin, key, announced):
    assert client.put(key, CONTENT, announced=announced) == (400, "IncompleteBody")
    assert stores_nothing(origin, key)


def test_f05_an_empty_object_is_stored_only_if_its_end_was_signed(client, origin, key):
    assert client.put(key, b"", change=last_signature_wrong)[0] == 403
    assert origin.object(key).status == 404


TRAILERS = {
    "another checksum": (lambda line: line.replace(b":", b":A", 1), 403),
    "a header smuggled in": (lambda line: b"x-amz-copy-source:/b/k\r\n" + line, 400),
    "another name": (lambda line: line.replace(CHECKSUM.encode(), b"x-amz-copy-source"), 400),
    "twice": (lambda line: line.partition(b"\r\n")[0] + b"\r\n" + line, 400),
    "without its signature": (lambda line: line.partition(b"\r\n")[0] + b"\r\n\r\n", 400),
    "none": (lambda line: b"\r\n", 400),
}


@pytest.mark.parametrize("name", TRAILERS)
def test_f07_a_trailer_that_is_not_the_signed_one_stores_nothing(client, origin, key, name):
    change, status = TRAILERS[name]
    answer = client.put(key, CONTENT, trailer=True, change=lambda pieces: [*pieces[:-1], change(pieces[-1])])
    assert answer[0] == status, answer
    assert origin.object(key).status == 404
