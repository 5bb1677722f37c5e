"""Bodies whose length nobody announced, on the Worker: what breaks off on either side leaves nothing at the origin."""

import hashlib
import socket
import time

import pytest

from devices import Oss2Device
from refusals import refused
from stub_s3 import answer, error, operation_of
from test_unsized import BLOCK, bytes_of, nothing_left, pieces


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.fixture
def head(wire, key):
    """Makes the head of an upload of no stated length, with these lines more."""

    def make(*lines):
        headers = [*wire.sign("PUT", wire.resource(key)), ("Transfer-Encoding", "chunked"), *lines]
        lines = [f"PUT {wire.target(key)} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode()

    return make


def eventually(holds, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


@pytest.mark.parametrize("size", [1000, BLOCK + 1000, 3 * BLOCK], ids=["the first block", "the second", "the fourth"])
def test_a_device_that_breaks_off_in_a_block_leaves_nothing(gateway, origin, proxy, key, head, size):
    with proxy.watching() as seen, socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as device:
        device.sendall(head() + b"".join(map(chunk, pieces(bytes_of(size)))))
        # Until its blocks are stored, but for the one that is not whole.
        assert eventually(lambda: proxy.requests[-1].status == 200 or size < BLOCK)
        time.sleep(0.5)
        device.close()
        assert size < BLOCK or eventually(lambda: proxy.requests[-1].method == "DELETE")
        time.sleep(0.5)
    assert nothing_left(origin, key)
    assert [operation_of(request) for request in seen][:1] == (["InitiateMultipartUpload"] if size > BLOCK else [])


def test_a_device_that_breaks_off_while_a_block_is_being_sent_leaves_nothing(faulty, stub, key):
    device = Oss2Device(faulty.endpoint("path"), faulty.credentials)

    def hangs_up():
        yield from pieces(bytes_of(BLOCK + 100_000))
        assert eventually(lambda: stub.seen and operation_of(stub.seen[-1]) == "UploadPart")
        raise KeyboardInterrupt

    slow = [2.0, answer(200, b"", 'ETag: "e"')]
    with stub.script(UploadPart=slow) as seen:
        with pytest.raises(KeyboardInterrupt):
            device.put(key, hangs_up())
        device.bucket.session.session.close()
        assert eventually(lambda: operation_of(stub.seen[-1]) == "AbortMultipartUpload")
    assert [operation_of(request) for request in seen] == [
        "InitiateMultipartUpload",
        "UploadPart",
        "AbortMultipartUpload",
    ]


def test_a_device_may_send_slowly(gateway, origin, key):
    def slowly():
        for at, piece in enumerate(pieces(bytes_of(BLOCK + 1000), 1 << 20)):
            time.sleep(0.3 if at % 3 else 0)
            yield piece

    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    device.put(key, slowly())
    assert origin.object(key).sha256 == hashlib.sha256(bytes_of(BLOCK + 1000)).hexdigest()


@pytest.mark.parametrize("size", [10, BLOCK + 10], ids=["in a block", "in two blocks"])
def test_a_device_may_wait_for_100_continue(gateway, origin, key, head, size):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as device:
        device.sendall(head(("Expect", "100-continue")))
        assert device.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        device.sendall(b"".join(map(chunk, pieces(bytes_of(size)))) + b"0\r\n\r\n")
        assert device.recv(12) == b"HTTP/1.1 200"
    assert origin.object(key).sha256 == hashlib.sha256(bytes_of(size)).hexdigest()


FAULTS = {
    "refuses a block": ("UploadPart", error(403, "AccessDenied"), 500, "InternalError"),
    "fails at a block": ("UploadPart", error(500, "InternalError"), 500, "InternalError"),
    "slows down at a block": ("UploadPart", error(503, "SlowDown"), 503, "ServiceUnavailable"),
    "hangs up at a block": ("UploadPart", [b""], 503, "ServiceUnavailable"),
    "forgets the upload": ("UploadPart", error(404, "NoSuchUpload"), 500, "InternalError"),
    "fails at the end": ("CompleteMultipartUpload", error(500, "InternalError"), 500, "InternalError"),
    "fails in a success at the end": (
        "CompleteMultipartUpload",
        answer(200, " \n<?xml version='1.0'?><Error><Code>InternalError</Code><Message>m</Message></Error>"),
        500,
        "InternalError",
    ),
    "hangs up at the end": ("CompleteMultipartUpload", [b""], 503, "ServiceUnavailable"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_origin_that_fails_is_told_to_drop_what_it_has(device_kind, faulty, stub, key, fault):
    operation, says, status, code = fault
    device = device_kind(faulty.endpoint("virtual-host"), faulty.credentials)

    def at_the_third(seen):
        is_due = operation != "UploadPart" or "partNumber=3&" in seen.query
        return says if is_due else stub.accepts(operation, seen.body)

    with stub.script(**{operation: at_the_third}) as seen, refused(device, status, code):
        device.put(key, pieces(bytes_of(3 * BLOCK)))
    sent = [operation_of(request) for request in seen]
    assert sent[:3] == ["InitiateMultipartUpload", "UploadPart", "UploadPart"]
    assert (sent[-1], sent.count("AbortMultipartUpload")) == ("AbortMultipartUpload", 1)


def test_what_the_origin_does_not_drop_is_logged_loudly(faulty, stub, key):
    device = Oss2Device(faulty.endpoint("virtual-host"), faulty.credentials)
    faults = {"UploadPart": error(503, "SlowDown"), "AbortMultipartUpload": error(500, "InternalError")}
    with stub.script(**faults), refused(device, 503, "ServiceUnavailable") as told:
        device.put(key, pieces(bytes_of(BLOCK + 1)))
    line = faulty.process.log_lines(told[0].request_id)[-1]
    assert "could not all be removed" in line and "SlowDown" in line


def test_a_long_body_streams_through_without_being_held(fresh, platform, origin, proxy, key):
    size, block = 300 << 20, bytes_of(1 << 20)
    digest = hashlib.sha256()
    for _ in range(size >> 20):
        digest.update(block)
    device = Oss2Device(fresh.gateway.endpoint("virtual-host"), fresh.gateway.credentials)
    with fresh.process.watching_memory(platform.stream_program) as memory, proxy.watching() as seen:
        device.put(key, (block for _ in range(size >> 20)))
    stored = origin.object(key)
    assert (stored.size, stored.sha256) == (size, digest.hexdigest())
    assert {request.body_length for request in seen[1:-1]} == {BLOCK, size % BLOCK}
    assert max(memory) < platform.stream_memory, f"{platform.stream_program} grew to {max(memory) >> 20} MiB"
