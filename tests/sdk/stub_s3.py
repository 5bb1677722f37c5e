"""A stub S3 for the answers that SeaweedFS never gives: lost Completes, errors under a 200, redirects, throttling.

Without a script it accepts uploads and keeps nothing but ETags. `script` replaces the answer to one kind of request.
It checks no signature: that the gateway signs rightly is what SeaweedFS proves.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from http1 import body_pieces, framing, read_head
from recording_proxy import SeenRequest

XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

# What the stub sends: bytes, or pieces of them with pauses in seconds between. An empty piece hangs up.
Reply = bytes | list[bytes | float]


def answer(status: int, body: str | bytes = b"", *headers: str) -> bytes:
    """An HTTP answer of S3, with the headers that S3 puts on every one."""
    content = body if isinstance(body, bytes) else body.encode()
    own = ["x-amz-request-id: 4442587FB7D0A2F9", "x-amz-id-2: vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLW"]
    lines = [f"HTTP/1.1 {status} Stub", *own, "Server: AmazonS3", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def result(operation: str, content: str) -> str:
    """The document of a successful operation, in S3's namespace."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation}Result {XMLNS}>{content}</{operation}Result>'


def error(status: int, code: str, *headers: str) -> bytes:
    """An S3 error answer."""
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>S3 says {code}</Message>'
        "<RequestId>4442587FB7D0A2F9</RequestId><HostId>vlR7PnpV2Ce81l0PRw6j</HostId></Error>"
    )
    return answer(status, document, "Content-Type: application/xml", *headers)


def kept_alive(document: str, blanks: int, pause: float) -> Reply:
    """S3's answer to a long Complete: a 200 at once, a blank now and then while it joins the parts, the document last."""

    def chunk(content: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(content), content)

    head = answer(200).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    declaration, _, rest = document.partition("?>")
    waiting = [piece for _ in range(blanks) for piece in (pause, chunk(b" "))]
    return [head + chunk(f"{declaration}?>".encode()), *waiting, chunk(rest.encode()) + chunk(b"")]


def operation_of(seen: SeenRequest) -> str:
    """Which S3 operation a request is; `ListFolder` lists what is staged of an upload."""
    if seen.method == "POST" and seen.query.startswith("restore"):
        return "RestoreObject"
    if seen.method == "POST" and seen.query.startswith("delete"):
        return "DeleteObjects"
    if seen.method == "POST":
        return "InitiateMultipartUpload" if seen.query.startswith("uploads") else "CompleteMultipartUpload"
    if seen.method == "PUT":
        return "UploadPart" if "partNumber=" in seen.query else "PutObject"
    if seen.method == "DELETE":
        return "AbortMultipartUpload"
    if seen.method == "GET" and "uploadId=" in seen.query:
        return "ListParts"
    if seen.method == "GET" and "prefix=.causeway%2F" in seen.query:
        return "ListFolder"
    return "HeadObject" if seen.method == "HEAD" else "GetObject"


class StubS3:
    """Listens on a free port; `url` is the origin to give to a gateway."""

    def __init__(self) -> None:
        self._port = 0
        self._connections: set[socket.socket] = set()
        self._scripts: dict[str, Reply | Callable[[SeenRequest], Reply]] = {}
        self.seen: list[SeenRequest] = []
        self._open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @contextmanager
    def script(self, **answers: Reply | Callable[[SeenRequest], Reply]) -> Iterator[list[SeenRequest]]:
        """Plays `answers` (by operation) during the block; yields the list of the requests seen in it."""
        self._scripts, before = answers, len(self.seen)
        seen: list[SeenRequest] = []
        try:
            yield seen
        finally:
            self._scripts = {}
            seen.extend(self.seen[before:])

    @contextmanager
    def refusing_connections(self) -> Iterator[None]:
        """Nothing listens on the port during the block."""
        self._close()
        try:
            yield
        finally:
            self._open()

    def close(self) -> None:
        """Stops for good."""
        self._close()

    def _open(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self._port))
        self._listener.listen(64)
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _close(self) -> None:
        for connection in [self._listener, *self._connections]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        self._connections.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        try:
            while head := read_head(stream):
                method, target, _ = head.start.split(" ", 2)
                seen = SeenRequest(method, target, head.headers, framing(head))
                seen.body = b"".join(content for _, content in body_pieces(stream, head, seen.framing))
                self.seen.append(seen)
                played = self._scripts.get(operation_of(seen), self._accepted)
                reply = played(seen) if callable(played) else played
                for piece in reply if isinstance(reply, list) else [reply]:
                    if isinstance(piece, float):
                        time.sleep(piece)
                    elif not piece:
                        return
                    else:
                        connection.sendall(piece.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else piece)
        except (OSError, ValueError):
            pass
        finally:
            connection.close()
            self._connections.discard(connection)

    def _accepted(self, seen: SeenRequest) -> bytes:
        return self.accepts(operation_of(seen), seen.body)

    @staticmethod
    def accepts(operation: str, body: bytes = b"x") -> bytes:
        """The answer to an operation that succeeds."""
        if operation == "InitiateMultipartUpload":
            return answer(200, result("InitiateMultipartUpload", "<Bucket>b</Bucket><UploadId>STUB</UploadId>"))
        if operation == "CompleteMultipartUpload":
            return answer(200, result("CompleteMultipartUpload", f"<ETag>{composite_etag(body)}</ETag>"))
        if operation == "ListFolder":
            listed = "<IsTruncated>false</IsTruncated>"
            return answer(200, f"<ListBucketResult {XMLNS}>{listed}</ListBucketResult>", "Content-Type: application/xml")
        if operation == "AbortMultipartUpload":
            return answer(204).replace(b"Content-Length: 0\r\n", b"")
        return answer(200, b"", f'ETag: "{hashlib.md5(body).hexdigest()}"')


def composite_etag(document: bytes) -> str:
    """The ETag that S3 gives to the object of a Complete document: MD5 of the parts' MD5s, and their number."""
    parts = re.findall(rb"<ETag>[^<]*?([0-9a-fA-F]{32})[^<]*?</ETag>", document)
    return f'"{hashlib.md5(b"".join(bytes.fromhex(part.decode()) for part in parts)).hexdigest()}-{len(parts)}"'
