"""Fleets of derived keys: one record for all devices of a fleet, and the key of any device from the fleet's master.

The derivation is written here from its description, on the standard library: the suite must not check the gateway's
with the gateway's own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets

from devices import Credentials
from keys import KeyStore

SCHEMES = ["oss-v1", "oss-v2", "oss-v4"]


def derived_secret(master: str, key_id: str) -> str:
    """The secret of the key `d1.{fleet}.{device}`."""
    version, fleet, _device = key_id.split(".")
    context = b"".join(bytes([len(part)]) + part.encode() for part in (version, fleet, "access-key-secret"))
    mac = hmac.new(master.encode(), context + key_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


class Fleet:
    """A fleet with its record in the key store."""

    def __init__(
        self, keys: KeyStore, bucket: str, *, masters: list[dict] | None = None, revoked: tuple[str, ...] = ()
    ):
        self.id = "d1.cams-" + secrets.token_hex(4)
        self.masters = masters or [{"secret": secrets.token_urlsafe(48)}]
        grant = {"bucket": bucket, "operations": ["upload-only"], "mount": "{fleet}/{device}/"}
        record = {"id": self.id, "masters": self.masters, "revoked": revoked, "schemes": SCHEMES, "grants": [grant]}
        keys.write(self.id, json.dumps(record))

    def device(self, name: str, master: int = 0) -> Credentials:
        """The key of a device, derived from one of the masters."""
        key_id = f"{self.id}.{name}"
        return Credentials(key_id, derived_secret(self.masters[master]["secret"], key_id))

    def stored(self, name: str, key: str) -> str:
        """Where the origin has what a device stored under `key`."""
        return f"{self.id.removeprefix('d1.')}/{name}/{key}"
