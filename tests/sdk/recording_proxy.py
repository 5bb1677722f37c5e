"""The recording proxy between the gateway and its origin.

It answers the question "what did S3 see?" where asking S3 afterwards is not enough: SeaweedFS folds `//`, loses objects
whose key ends in `/`, has no encryption, and a refused request must not have reached it at all. It forwards every byte
of head and body as it came (Host, raw target, header bytes and their order) and keeps only a digest of each body.
"""

from __future__ import annotations

import hashlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

from http1 import Head, body_pieces, framing, listen, read_head, response_framing


@dataclass
class SeenRequest:
    """One request as it arrived at the origin's side."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    framing: str
    body_length: int = 0
    body_sha256: str = ""
    body: bytes = field(default=b"", repr=False)
    status: int = 0

    @property
    def path(self) -> bytes:
        """The decoded path."""
        return unquote_to_bytes(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        """The raw query, without its `?`."""
        return self.target.partition("?")[2]

    @property
    def header_names(self) -> list[str]:
        """The lower-cased names of the header lines, sorted."""
        return sorted(name.lower() for name, _ in self.headers)

    def header(self, name: str) -> str | None:
        """The value of the one line called `name`; None when there is none."""
        values = [value for key, value in self.headers if key.lower() == name]
        assert len(values) <= 1, f"{name} was sent to the origin {len(values)} times"
        return values[0] if values else None

    def as_json(self) -> dict:
        """What the control port tells the Node tests."""
        fields = asdict(self)
        fields["body"] = self.body.decode("latin-1")
        return fields


class RecordingProxy:
    """Forwards to `origin` and records; `url` is where the gateway's origin is said to be."""

    # Documents such as a Complete's part list are kept whole, object bytes only as a digest.
    KEPT_BODY = 64 * 1024

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self._origin = (parts.hostname, parts.port)
        self._listener = listen()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[SeenRequest] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def watching(self) -> Iterator[list[SeenRequest]]:
        """A list that holds, after the block, what was seen during it."""
        before = len(self.requests)
        seen: list[SeenRequest] = []
        yield seen
        seen.extend(self.requests[before:])

    def close(self) -> None:
        """Stops listening."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._origin) as origin:
            for end in (client, origin):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            from_client, from_origin = client.makefile("rb"), origin.makefile("rb")
            try:
                while head := read_head(from_client):
                    if not self._exchange(head, client, from_client, origin, from_origin):
                        return
            except OSError:
                return

    def _exchange(self, head: Head, client, from_client, origin, from_origin) -> bool:
        """One request and its answer; False when the connection must not be used again."""
        method, target, _ = head.start.split(" ", 2)
        seen = SeenRequest(method, target, head.headers, framing(head))
        with self._lock:
            self.requests.append(seen)
        return self._forward(seen, head, client, from_client, origin, from_origin)

    def _forward(self, seen: SeenRequest, head: Head, client, from_client, origin, from_origin) -> bool:
        origin.sendall(head.raw)
        digest, whole = hashlib.sha256(), True
        refusal = refused_unread(head, client, from_origin)
        if refusal is not None:
            seen.status = int(refusal.start.split(" ")[1])
            client.sendall(refusal.raw)
            for wire, _ in body_pieces(from_origin, refusal, response_framing(refusal, seen.method)):
                client.sendall(wire)
            return False
        for wire, content in body_pieces(from_client, head, seen.framing):
            digest.update(content)
            seen.body_length += len(content)
            if seen.body_length <= self.KEPT_BODY:
                seen.body += content
            # An origin that has answered before the body's end may not read the rest: do not block on it.
            if whole and select.select([origin], [], [], 0)[0]:
                whole = False
            if whole:
                try:
                    origin.sendall(wire)
                except OSError:
                    whole = False
        seen.body_sha256 = digest.hexdigest()
        while answer := read_head(from_origin):
            seen.status = int(answer.start.split(" ")[1])
            client.sendall(answer.raw)
            framed = response_framing(answer, seen.method)
            for wire, _ in body_pieces(from_origin, answer, framed):
                client.sendall(wire)
            if seen.status >= 200:
                closes = "close" in ",".join(answer.values("connection")).lower()
                return whole and not closes and framed != "until-close"
        return False


def refused_unread(head: Head, client, from_origin) -> Head | None:
    """The head of a final answer to a request that waits to be asked for its body; None once it is asked, or need not be."""
    if not head.expects_continue or head.values("content-length") == ["0"]:
        return None
    answer = read_head(from_origin)
    if answer is None:
        raise ConnectionError("the origin closed the connection before it asked for the body")
    if not answer.start.split(" ")[1].startswith("1"):
        return answer
    client.sendall(answer.raw)
    return None
