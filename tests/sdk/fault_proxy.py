"""A proxy before the origin that has one request of many fail, or holds it while a test kills the gateway.

    with proxy.failing(3, Fault.LOST) as struck:       # the third request from here on
        …
    assert struck.is_set()

Where SeaweedFS is kinder than S3, it is as strict: a multipart upload that was completed or aborted is forgotten at once.
"""

from __future__ import annotations

import enum
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from http1 import Head, body_pieces, read_head, response_framing
from recording_proxy import RecordingProxy, SeenRequest, refused_unread
from stub_s3 import error, operation_of


class Fault(enum.Enum):
    """What becomes of a request."""

    INTERNAL_ERROR = "500 InternalError"
    """Nothing is done."""
    SLOW_DOWN = "503 SlowDown"
    """Nothing is done."""
    RESET = "the connection is reset"
    """Nothing is done."""
    LOST = "done, but the answer is lost"
    CUT = "the connection breaks off half way"
    """Inside the body of the request, if it has one, or else of the answer, when all is done."""


# Without a fault: what is asked of an upload that ended.
ANSWERS = {
    None: (404, "NoSuchUpload"),
    Fault.INTERNAL_ERROR: (500, "InternalError"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
}


@dataclass
class _Plan:
    """Which request is struck, counted from 1."""

    number: int
    fault: Fault | None
    """None: it is held until `release`."""
    seen: int = 0
    struck: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


class FaultProxy(RecordingProxy):
    """Forwards to `origin`, records, and fails what it is told to."""

    def __init__(self, origin: str) -> None:
        self._plan: _Plan | None = None
        self._delay: tuple[Callable[[SeenRequest], bool], float] | None = None
        self._answering: tuple[Callable[[SeenRequest], bool], tuple[int, str], threading.Event] | None = None
        self._ended: set[str] = set()
        self.under_way = 0
        """How many requests the gateway has no answer to yet."""
        super().__init__(origin)

    @contextmanager
    def failing(self, number: int, fault: Fault) -> Iterator[threading.Event]:
        """Has the `number`-th request of the block, from 1, end in `fault`; the event is set once it has."""
        self._plan = plan = _Plan(number, fault)
        try:
            yield plan.struck
        finally:
            self._plan = None

    @contextmanager
    def holding(self, number: int) -> Iterator[threading.Event]:
        """Keeps the `number`-th request of the block and all behind it from the origin; the event is set once it is here."""
        self._plan = plan = _Plan(number, None)
        try:
            yield plan.struck
        finally:
            self._plan = None
            plan.release.set()

    @contextmanager
    def answering(self, chosen: Callable[[SeenRequest], bool], status: int, code: str) -> Iterator[threading.Event]:
        """Answers the first of the `chosen` requests of the block with this error, and does nothing; the event is set once it
        has. S3 says 200 before it knows what becomes of a Complete or a copy."""
        self._answering = chosen, (status, code), (answered := threading.Event())
        try:
            yield answered
        finally:
            self._answering = None

    @contextmanager
    def delaying(self, chosen: Callable[[SeenRequest], bool], seconds: float) -> Iterator[None]:
        """Has the origin's answers to the `chosen` requests of the block come so much later."""
        self._delay = chosen, seconds
        try:
            yield
        finally:
            self._delay = None

    def _forward(self, *arguments) -> bool:
        with self._lock:
            self.under_way += 1
        try:
            return self._played(*arguments)
        finally:
            with self._lock:
                self.under_way -= 1

    def _played(self, seen: SeenRequest, head: Head, client, from_client, origin, from_origin) -> bool:
        if (delay := self._delay) and delay[0](seen):
            time.sleep(delay[1])
        words = self._answer_to(seen)
        fault = None if words else self._fault_of_next()
        if not words and fault is None and self._upload(seen) not in self._ended:
            again = super()._forward(seen, head, client, from_client, origin, from_origin)
            self._note_end(seen)
            return again
        if words or fault in (None, Fault.INTERNAL_ERROR, Fault.SLOW_DOWN):
            for _ in () if head.expects_continue else body_pieces(from_client, head, seen.framing):
                pass
            seen.status, code = words or ANSWERS[fault]
            client.sendall(error(seen.status, code, "Connection: close"))
        elif fault is Fault.CUT and int(seen.header("content-length") or 0):
            _send_half(seen, head, from_client, origin)
            _reset(origin)
            _reset(client)
        else:
            if fault is not Fault.RESET:
                answer = self._answer(seen, head, client, from_client, origin, from_origin)
                client.sendall(answer[: len(answer) // 2] if fault is Fault.CUT else b"")
            _reset(client)
        return False

    def _answer_to(self, seen: SeenRequest) -> tuple[int, str] | None:
        with self._lock:
            if (plan := self._answering) is None or not plan[0](seen):
                return None
            self._answering = None
        plan[2].set()
        return plan[1]

    def _fault_of_next(self) -> Fault | None:
        with self._lock:
            if (plan := self._plan) is None:
                return None
            plan.seen += 1
            number = plan.seen
        if plan.fault is None and number >= plan.number:
            plan.struck.set()
            plan.release.wait()
            return Fault.RESET
        if number != plan.number:
            return None
        plan.struck.set()
        return plan.fault

    def _answer(self, seen: SeenRequest, head: Head, client, from_client, origin, from_origin) -> bytes:
        """Has the origin do it, and gives its answer."""
        origin.sendall(head.raw)
        answer = refused_unread(head, client, from_origin)
        if answer is None:
            for wire, _ in body_pieces(from_client, head, seen.framing):
                origin.sendall(wire)
            answer = read_head(from_origin)
        seen.status = int(answer.start.split(" ")[1])
        self._note_end(seen)
        pieces = body_pieces(from_origin, answer, response_framing(answer, seen.method))
        return answer.raw + b"".join(wire for wire, _ in pieces)

    def _note_end(self, seen: SeenRequest) -> None:
        ends = operation_of(seen) in ("CompleteMultipartUpload", "AbortMultipartUpload")
        if ends and seen.status < 300 and (upload := self._upload(seen)):
            self._ended.add(upload)

    @staticmethod
    def _upload(seen: SeenRequest) -> str | None:
        return next((value for name, value in parse_qsl(seen.query) if name == "uploadId"), None)


def _send_half(seen: SeenRequest, head: Head, from_client, origin) -> None:
    """Sends the head and half of the body."""
    origin.sendall(head.raw)
    left = int(seen.header("content-length") or 0) // 2
    for wire, _ in body_pieces(from_client, head, seen.framing):
        origin.sendall(wire[:left])
        left -= len(wire)
        if left <= 0:
            return


def _reset(connection: socket.socket) -> None:
    """Closes with a TCP reset, once nobody reads from it any more."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
