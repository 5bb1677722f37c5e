"""An S3 client that signs every chunk of its body, as those for Java do without TLS. Written from S3's documentation.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from devices import Credentials
from servers import Gateway

REGION = "us-east-1"
MARKER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
CHECKSUM = "x-amz-checksum-crc32"
EMPTY = hashlib.sha256(b"").hexdigest()
Pieces = list[bytes]


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class ChunkSigner:
    """One client of one gateway, path style."""

    def __init__(self, gateway: Gateway, credentials: Credentials | None = None) -> None:
        self._gateway = gateway
        self._credentials = credentials or gateway.credentials

    def put(
        self,
        key: str,
        content: bytes,
        *,
        query: str = "",
        size: int = 1 << 16,
        trailer: bool = False,
        chunked: bool = False,
        announced: int | None = None,
        change: Callable[[Pieces], Pieces] = lambda pieces: pieces,
        **headers: str,
    ) -> tuple[int, str]:
        """Uploads in chunks of `size`; `change` alters what was signed. Gives (status, error code)."""
        described = {
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": str(len(content) if announced is None else announced),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        if trailer:
            described["x-amz-trailer"] = CHECKSUM
        marker = MARKER + ("-TRAILER" if trailer else "")
        head, *chain = self._signed(key, query, marker, described)
        pieces = change(self._framed(content, size, trailer, *chain))
        return self._send(key, query, head, iter(pieces) if chunked else b"".join(pieces), chunked)

    def put_bound(self, key: str, content: bytes, payload: str) -> tuple[int, str]:
        """Uploads with this x-amz-content-sha256. Gives (status, error code)."""
        described = {}
        if payload.startswith("STREAMING-"):
            described = {"x-amz-decoded-content-length": str(len(content)), "x-amz-trailer": CHECKSUM}
        head, *_ = self._signed(key, "", payload, described)
        return self._send(key, "", head, content, False)

    def _send(self, key: str, query: str, head: dict[str, str], body, chunked: bool) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", self._gateway.port, timeout=60)
        target = f"/{self._gateway.bucket}/{quote(key)}" + (query and "?" + query)
        connection.request("PUT", target, body, head, encode_chunked=chunked)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, text.partition("<Code>")[2].partition("</Code>")[0]

    def _signed(self, key: str, query: str, marker: str, headers: dict[str, str]) -> tuple:
        """The headers to send, and what the first chunk is signed with."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        path = f"/{self._gateway.bucket}/{quote(key)}"
        signed = headers | {
            "host": f"localhost:{self._gateway.port}",
            "x-amz-content-sha256": marker,
            "x-amz-date": now,
        }
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
        canonical = f"PUT\n{path}\n{query}\n{lines}\n{names}\n{marker}"
        signing_key = b"AWS4" + self._credentials.access_key_secret.encode()
        for part in scope.split("/"):
            signing_key = mac(signing_key, part)
        place = f"{now}\n{scope}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signature = mac(signing_key, f"AWS4-HMAC-SHA256\n{place}\n{digest}").hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._credentials.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return signed, signing_key, place, signature

    @staticmethod
    def _framed(content: bytes, size: int, trailer: bool, key: bytes, place: str, signature: str) -> Pieces:
        pieces = []
        chunks = [content[at : at + size] for at in range(0, len(content), size)]
        for chunk in [*chunks, b""]:
            digest = hashlib.sha256(chunk).hexdigest()
            signature = mac(key, f"AWS4-HMAC-SHA256-PAYLOAD\n{place}\n{signature}\n{EMPTY}\n{digest}").hex()
            end = b"" if trailer and not chunk else b"\r\n"
            pieces.append(f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + end)
        if trailer:
            line = f"{CHECKSUM}:{base64.b64encode(zlib.crc32(content).to_bytes(4)).decode()}"
            digest = hashlib.sha256(f"{line}\n".encode()).hexdigest()
            signature = mac(key, f"AWS4-HMAC-SHA256-TRAILER\n{place}\n{signature}\n{digest}").hex()
            pieces.append(f"{line}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode())
        return pieces
