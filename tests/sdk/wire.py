"""Requests byte by byte, for what no SDK would send; signed as OSS V1 in the few lines that facts need."""

from __future__ import annotations

import base64
import hmac
import http.client
import re
import socket
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote
from xml.etree import ElementTree

from devices import Credentials
from platforms import Platform
from servers import Gateway

Headers = list[tuple[str, str | bytes]]
REQUEST_ID = re.compile(r"[0-9A-F]{24}")
SIGNED_PARAMETERS = ("acl", "append", "delete", "partNumber", "position", "restore", "tagging", "uploadId", "uploads")


@dataclass
class Answer:
    """An HTTP answer as a client reads it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    platform: Platform = field(repr=False)

    @property
    def header_names(self) -> set[str]:
        """The lower-cased names of the headers but the platform's own."""
        return {name.lower() for name, _ in self.headers} - self.platform.answer_headers

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def element(self, name: str) -> str | None:
        """The text of a child of the answer's document."""
        return ElementTree.fromstring(self.body).findtext(name)

    @property
    def code(self) -> str | None:
        """The OSS error code of the body, or of the `x-oss-err` header of an answer to HEAD."""
        return self.error.findtext("Code")

    @property
    def error(self) -> ElementTree.Element:
        """The OSS error document."""
        document = self.body or base64.b64decode(self.header("x-oss-err") or "")
        assert document, f"{self.status} without an error document: {self.headers}"
        root = ElementTree.fromstring(document)
        assert root.tag == "Error", root.tag
        return root

    def check(self, *, s3: bool = False) -> Answer:
        """What holds for every answer of the gateway, whatever was asked; `s3`: by what looks like an S3 client."""
        request_id, foreign = ("x-amz-request-id", "x-oss-") if s3 else ("x-oss-request-id", "x-amz-")
        assert REQUEST_ID.fullmatch(self.header(request_id) or ""), self
        assert parsedate_to_datetime(self.header("date")), self
        assert b"xmlns" not in self.body, self
        assert not [name for name in self.header_names if name.startswith((foreign, "seaweed"))], self
        if self.status >= 400:
            assert self.error.findtext("RequestId") == self.header(request_id), self
            assert all(len(element) or element.text for element in self.error.iter()), "an empty element crashes an SDK"
        return self


class Wire:
    """A path-style OSS client that does nothing unless told to."""

    def __init__(self, gateway: Gateway, platform: Platform, patience: float = 30) -> None:
        self._patience = patience
        self._port, self._credentials, self._platform = gateway.port, gateway.credentials, platform
        self.bucket = gateway.bucket
        self.host = f"localhost:{gateway.port}"

    def target(self, key: str, query: str = "") -> str:
        """The request target of a key."""
        return f"/{self.bucket}/{quote(key, safe='/~')}" + (f"?{query}" if query else "")

    def resource(self, key: str, query: str = "") -> str:
        """The resource that V1 signs for a key and a query without escapes."""
        pairs = [pair.removesuffix("=") for pair in query.split("&") if pair.partition("=")[0] in SIGNED_PARAMETERS]
        return f"/{self.bucket}/{key}" + ("?" + "&".join(sorted(pairs)) if pairs else "")

    def sign(self, method: str, resource: str | bytes, headers: Headers = (), *, slot: str | None = None) -> Headers:
        """Host, Date and Authorization before `headers`; `slot` is what the Date slot signs if not the date sent."""
        named = {name.lower(): value for name, value in headers}
        date = named.get("date") or formatdate(usegmt=True)
        own = [("Host", self.host)] + ([] if "date" in named else [("Date", date)])
        signature = self.signature(method, resource, headers, slot or named.get("x-oss-date") or date)
        authorization = f"OSS {self._credentials.access_key_id}:{signature}"
        return [*own, ("Authorization", authorization), *headers]

    def signature(
        self, method: str, resource: str | bytes, headers: Headers, slot: str, credentials: Credentials | None = None
    ) -> str:
        """The V1 signature of a request."""
        named = {name.lower(): _bytes(value) for name, value in headers}
        lines = [_bytes(method), named.get("content-md5", b""), named.get("content-type", b""), _bytes(slot)]
        lines += [name.encode() + b":" + value for name, value in sorted(named.items()) if name.startswith("x-oss-")]
        text = b"\n".join([*lines, _bytes(resource)])
        secret = (credentials or self._credentials).access_key_secret.encode()
        return base64.b64encode(hmac.digest(secret, text, "sha1")).decode()

    def put(self, key: str, headers: Headers = (), body: bytes = b"x", query: str = "", **options) -> Answer:
        """A correctly signed PutObject."""
        return self.signed("PUT", key, query, headers, body, **options)

    def initiate(self, key: str) -> str:
        """The upload id of a new multipart upload."""
        answer = self.signed("POST", key, "uploads").check()
        assert answer.status == 200, answer
        return answer.element("UploadId")

    def signed(
        self, method: str, key: str, query: str = "", headers: Headers = (), body: bytes = b"", **options
    ) -> Answer:
        """A correctly signed request for `key`."""
        return self.send(
            method, self.target(key, query), self.sign(method, self.resource(key, query), headers, **options), body
        )

    def send(
        self, method: str, target: str | bytes, headers: Headers, body: bytes = b"", *, length: bool = True
    ) -> Answer:
        """Sends exactly this; `length` adds Content-Length."""
        lines = [_bytes(method) + b" " + _bytes(target) + b" HTTP/1.1"]
        lines += [_bytes(name) + b": " + _bytes(value) for name, value in headers]
        if length and (body or method in ("PUT", "POST")):
            lines.append(b"Content-Length: %d" % len(body))
        return self.raw(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body, method)

    def raw(self, request: bytes, method: str = "PUT") -> Answer:
        """Sends `request` byte for byte and reads one final answer."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=self._patience) as connection:
            try:
                connection.sendall(request)
            except OSError:
                pass  # Refused while it was being sent: the answer says why.
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            return Answer(response.status, response.getheaders(), response.read(), self._platform)

    def status_of(self, request: bytes) -> int | None:
        """Sends `request` and nothing more; the status of the answer, if there is one."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                line = connection.makefile("rb").readline()
            except ConnectionError:
                return None
        return int(line.split()[1]) if line.startswith(b"HTTP/") else None


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
