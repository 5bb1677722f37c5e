"""Key records beside the one that `cargo xtask dev` seeds.

The local key store is a folder with one file per key id, read by workerd at each look-up, so a test adds the records
it needs before the gateway first hears of them.
"""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path

from devices import Credentials


class KeyStore:
    """The folder that the gateway's key namespace is served from."""

    def __init__(self, folder: Path, seeded_key_id: str) -> None:
        self._folder = folder
        self._seeded = json.loads((folder / seeded_key_id).read_text())

    def add(self, **changes) -> Credentials:
        """Stores a copy of the seeded record under a new id, with `changes` to its fields."""
        key_id, secret = "LTAItest" + secrets.token_hex(6), secrets.token_urlsafe(24)
        record = self._seeded | {"id": key_id, "secrets": [{"secret": secret}]} | changes
        self.write(key_id, json.dumps(record))
        return Credentials(key_id, secret, record.get("security_token"))

    def change(self, credentials: Credentials, **changes) -> Credentials:
        """Changes fields of a record that is there; gives the credentials with the last of its secrets."""
        record = json.loads((self._folder / credentials.access_key_id).read_text()) | changes
        self.write(credentials.access_key_id, json.dumps(record))
        return Credentials(credentials.access_key_id, record["secrets"][-1]["secret"], record.get("security_token"))

    def disable(self, key_id: str) -> None:
        """Marks a record as disabled."""
        record = json.loads((self._folder / key_id).read_text())
        self.write(key_id, json.dumps(record | {"status": "disabled"}))

    def remove(self, key_id: str) -> None:
        """Takes a record away."""
        (self._folder / key_id).unlink()

    def write(self, key_id: str, text: str) -> None:
        """Stores `text` as the record of `key_id`, whatever it is."""
        # Whoever reads meanwhile finds the record before or after, never half of it.
        written = self._folder / f".{key_id}.tmp"
        written.write_text(text)
        written.rename(self._folder / key_id)


def rotated(old: str, new: str) -> list[dict]:
    """Two secrets, the older of which ended an hour ago."""
    now = int(time.time())
    return [{"secret": old, "not_after": now - 3600}, {"secret": new, "not_before": now - 7200}]
