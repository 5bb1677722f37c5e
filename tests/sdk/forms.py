"""POST forms as a back end would sign them, in the few lines that the vendors' documents need, and as a client posts them.

Policies are signed with the standard library on purpose, as in origin.py.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from devices import Credentials

SCHEMES = ("oss-post-v1", "oss-post-v2", "oss-post-v4", "s3-post-v4")
Fields = dict[str, str]


@dataclass
class Signer:
    """A back end that signs forms of one scheme."""

    scheme: str
    credentials: Credentials
    bucket: str
    conditions: list = field(default_factory=list)
    """Beside the bucket's and those of the signature's own fields."""
    expires: timedelta = timedelta(hours=1)

    @property
    def speaks_s3(self) -> bool:
        return self.scheme == "s3-post-v4"

    @property
    def metadata(self) -> str:
        """What the names of user metadata begin with."""
        return "x-amz-meta-" if self.speaks_s3 else "x-oss-meta-"

    def fields(self, extra: Fields, *, policy: dict | str | bytes | None = None) -> Fields:
        """The form's fields: `extra`, and the signature of a policy that covers them all, or of `policy`."""
        now = datetime.now(UTC)
        own = self._own(now)
        if policy is None:
            covering = [["starts-with", f"${name}", value.partition("${")[0]] for name, value in extra.items()]
            named = {condition[1] for condition in self.conditions if isinstance(condition, list)}
            policy = {
                "expiration": (now + self.expires).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "conditions": [
                    {"bucket": self.bucket},
                    *({name: value} for name, value in own.items()),
                    *self.conditions,
                    *(condition for condition in covering if condition[1] not in named),
                ],
            }
        text = policy if isinstance(policy, (str, bytes)) else json.dumps(policy)
        encoded = base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()
        return extra | own | {"policy": encoded} | self.signature(encoded, now)

    def _own(self, now: datetime) -> Fields:
        key_id = self.credentials.access_key_id
        if self.scheme == "oss-post-v1":
            return {"OSSAccessKeyId": key_id}
        if self.scheme == "oss-post-v2":
            return {"x-oss-signature-version": "OSS2", "x-oss-access-key-id": key_id}
        vendor, name, version = ("amz", "x-amz-algorithm", "AWS4-HMAC-SHA256") if self.speaks_s3 else (
            "oss", "x-oss-signature-version", "OSS4-HMAC-SHA256")  # fmt: skip
        return {
            name: version,
            f"x-{vendor}-credential": "/".join([key_id, *self._scope(now)]),
            f"x-{vendor}-date": now.strftime("%Y%m%dT%H%M%SZ"),
        }

    def _scope(self, now: datetime) -> list[str]:
        day = now.strftime("%Y%m%d")
        return [day, "eu-west-1", "s3", "aws4_request"] if self.speaks_s3 else [day, "cn-hangzhou", "oss", "aliyun_v4_request"]

    def signature(self, policy: str, now: datetime) -> Fields:
        """The signature's field for a policy in base64."""
        secret = self.credentials.access_key_secret
        if self.scheme in ("oss-post-v1", "oss-post-v2"):
            name, hash_name = ("Signature", "sha1") if self.scheme == "oss-post-v1" else ("x-oss-signature", "sha256")
            return {name: base64.b64encode(hmac.digest(secret.encode(), policy.encode(), hash_name)).decode()}
        key = (("AWS4" if self.speaks_s3 else "aliyun_v4") + secret).encode()
        for part in self._scope(now):
            key = hmac.digest(key, part.encode(), "sha256")
        return {
            "x-amz-signature" if self.speaks_s3 else "x-oss-signature": hmac.digest(key, policy.encode(), "sha256").hex()
        }


BOUNDARY = "causeway7MA4YWxkTrZu0gW"


def part(name: str, value: str | bytes, file_name: str | None = None) -> bytes:
    """A part with its boundary before it and its line end behind it."""
    file = "" if file_name is None else f'; filename="{file_name}"\r\nContent-Type: application/octet-stream'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"


def body(parts: Iterable[tuple[str, str]], file: bytes, file_name: str = "a.txt", *, end: bytes | None = None) -> bytes:
    """A form's bytes: the fields, then the file; `end` stands in the place of the closing boundary."""
    closing = f"--{BOUNDARY}--\r\n".encode() if end is None else end
    return b"".join(part(name, value) for name, value in parts) + part("file", file, file_name) + closing


CONTENT_TYPE = ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
