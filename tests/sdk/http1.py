"""HTTP/1.1 messages as bytes.

The recording proxy and the stub S3 must show a test exactly what the gateway sent, so they cannot use a library that
lower-cases names, joins lines, decodes paths or buffers bodies. This is the little that they need: a head, how its body
is framed, and the body in pieces.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

PIECE = 64 * 1024
LONGEST_HEAD = 256 * 1024


class Head(NamedTuple):
    """A request or status line and the header lines as they stood on the wire."""

    start: str
    headers: list[tuple[str, str]]
    raw: bytes

    @property
    def expects_continue(self) -> bool:
        """Whether the body is sent only when it is asked for."""
        return any("100-continue" in value.lower() for value in self.values("expect"))

    def values(self, name: str) -> list[str]:
        """Every value of `name`, in the order of the lines; header bytes are read as Latin-1."""
        return [value for key, value in self.headers if key.lower() == name]


def read_head(stream: BinaryIO) -> Head | None:
    """Reads up to the empty line; None when the peer closed before it sent one."""
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        line = stream.readline(LONGEST_HEAD)
        if not line or len(raw) > LONGEST_HEAD:
            return None
        raw += line
    start, *lines = raw[:-4].decode("latin-1").split("\r\n")
    headers = [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]
    return Head(start, headers, raw)


def framing(head: Head) -> str:
    """How a request's body is framed: `chunked`, `content-length` or `none`."""
    if any("chunked" in value.lower() for value in head.values("transfer-encoding")):
        return "chunked"
    return "content-length" if head.values("content-length") else "none"


def response_framing(head: Head, method: str) -> str:
    """How an answer's body is framed: as a request's, or `until-close`."""
    status = head.start.split(" ")[1]
    if method == "HEAD" or status.startswith("1") or status in ("204", "304"):
        return "none"
    framed = framing(head)
    return "until-close" if framed == "none" else framed


def body_pieces(stream: BinaryIO, head: Head, framed: str) -> Iterator[tuple[bytes, bytes]]:
    """The body in bounded pieces, each as (bytes on the wire, bytes of content).

    Raises ConnectionError when the peer goes away before the body's end.
    """
    if framed == "content-length":
        yield from _exactly(stream, int(head.values("content-length")[0]))
    elif framed == "chunked":
        while True:
            size_line = stream.readline(LONGEST_HEAD)
            size = int(size_line.split(b";")[0], 16) if size_line.strip() else _gone()
            yield size_line, b""
            if size == 0:
                break
            yield from _exactly(stream, size)
            yield stream.readline(LONGEST_HEAD), b""
        while True:
            trailer = stream.readline(LONGEST_HEAD)
            yield trailer, b""
            if trailer in (b"\r\n", b""):
                return
    elif framed == "until-close":
        while piece := stream.read1(PIECE):
            yield piece, piece


def _exactly(stream: BinaryIO, length: int) -> Iterator[tuple[bytes, bytes]]:
    while length > 0:
        piece = stream.read1(min(PIECE, length))
        if not piece:
            _gone()
        length -= len(piece)
        yield piece, piece


def _gone() -> int:
    raise ConnectionError("the peer closed the connection inside a body")


def listen() -> socket.socket:
    """A listening socket on a free loopback port."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen(128)
    return server
