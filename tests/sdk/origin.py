"""The origin as a test's own witness: reads objects from S3 directly, past proxy and gateway.

Signs SigV4 with the standard library on purpose: the suite must not check the gateway with the gateway's own signer.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

MARK, MAC = 24, 22
"""How many characters of an upload id are Causeway's own, behind the dot: a request id and what seals them."""
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def origin_id(upload_id: str) -> str:
    """The origin's id in what a client is told."""
    found, _, own = upload_id.rpartition(".")
    assert found and len(own) == MARK + MAC, upload_id
    return found


@dataclass
class StoredObject:
    """What the origin holds under a key."""

    status: int
    headers: dict[str, str]
    size: int
    sha256: str

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata, names without `x-amz-meta-`."""
        prefix = "x-amz-meta-"
        return {name[len(prefix) :]: value for name, value in self.headers.items() if name.startswith(prefix)}


class Origin:
    """The S3 server of a ready file."""

    def __init__(self, ready: dict) -> None:
        self.url, self.region, self.bucket = ready["url"], ready["region"], ready["bucket"]
        self._id, self._secret = ready["access_key_id"], ready["secret_access_key"]

    def object(self, key: str | bytes) -> StoredObject:
        """Reads a whole object and digests it in pieces; a missing one has status 404."""
        answer = self.request("GET", key)
        digest, size = hashlib.sha256(), 0
        while piece := answer.read(1 << 20):
            digest.update(piece)
            size += len(piece)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return StoredObject(answer.status, headers, size, digest.hexdigest())

    def tags(self, key: str) -> dict[str, str]:
        """The object's tag set."""
        document = ElementTree.fromstring(self.request("GET", key, "tagging=").read())
        tags = [element for element in document.iter() if element.tag.endswith("Tag")]
        return {tag[0].text: tag[1].text for tag in tags}

    def checksum(self, key: str | bytes, algorithm: str) -> str | None:
        """The object's checksum of this name (`crc32`, `sha256`, …) in Base64, if the origin keeps one."""
        answer = self.request("HEAD", key, headers={"x-amz-checksum-mode": "ENABLED"})
        answer.read()
        return answer.getheader(f"x-amz-checksum-{algorithm}")

    def parts(self, key: str, upload_id: str) -> int:
        """The HTTP status of ListParts for an upload that a client was told: 200 while it is open, 404 after it ended."""
        answer = self.request("GET", key, "uploadId=" + quote(origin_id(upload_id), safe="~"))
        answer.read()
        return answer.status

    def keys(self, prefix: str) -> dict[str, int]:
        """Every key that begins with `prefix`, with its object's size."""
        found: dict[str, int] = {}
        while True:
            query = urlencode({"marker": max(found, default=""), "prefix": prefix}, quote_via=quote, safe="~")
            page = ElementTree.fromstring(self.request("GET", "", query).read())
            objects = [one for one in page if one.tag.endswith("}Contents")]
            found |= {one.findtext("{*}Key"): int(one.findtext("{*}Size")) for one in objects}
            if page.findtext("{*}IsTruncated") != "true":
                return found

    def uploads(self, prefix: str) -> list[str]:
        """The ids of the multipart uploads that are open for keys that begin with `prefix`."""
        page = ElementTree.fromstring(self.request("GET", "", f"prefix={quote(prefix, safe='~')}&uploads=").read())
        return [one.findtext("{*}UploadId") for one in page if one.tag.endswith("}Upload")]

    def request(
        self, method: str, key: str | bytes, query: str = "", body: bytes = b"", headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Sends one signed path-style request; `query` is already percent-encoded, the names of `headers` lower-case."""
        host = urlsplit(self.url).netloc
        path = "/" + self.bucket + "/" + quote(key, safe="/~")
        headers = self._signed(method, host, path, query, hashlib.sha256(body).hexdigest(), headers or {})
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request(method, path + ("?" + query if query else ""), body or None, headers)
        return connection.getresponse()

    def _signed(
        self, method: str, host: str, path: str, query: str, payload: str, headers: dict[str, str]
    ) -> dict[str, str]:
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        headers = dict(sorted({**headers, "host": host, "x-amz-content-sha256": payload, "x-amz-date": now}.items()))
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in parse_qsl(query, keep_blank_values=True))
        canonical_query = "&".join("=".join(pair) for pair in pairs)
        canonical = "\n".join([method, path, canonical_query, lines, names, payload])
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self._secret).encode()
        for step in scope.split("/"):
            key = hmac.digest(key, step.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        credential = f"AWS4-HMAC-SHA256 Credential={self._id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "authorization": credential}
