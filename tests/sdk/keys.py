"""Key records beside the one that `cargo xtask dev` seeds.

The local key store is a folder with one file per key id, read by workerd at each look-up, so a test run adds the
records it needs before the gateway first hears of them.
"""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path

from devices import Credentials


class KeyStore:
    """The folder that the gateway's key namespace is served from."""

    def __init__(self, project: Path, seeded_key_id: str) -> None:
        found = [path for path in (project / ".causeway").rglob(f"{seeded_key_id}*") if path.is_file()]
        assert found, f"no key record for {seeded_key_id} below {project / '.causeway'}: start `cargo xtask dev` first"
        self._seeded = found[0]
        self._written: list[Path] = []
        self._seeded_id = seeded_key_id

    def add(self, **changes) -> Credentials:
        """Stores a copy of the seeded record under a new id, with `changes` to its fields."""
        key_id, secret = "LTAItest" + secrets.token_hex(6), secrets.token_urlsafe(24)
        record = json.loads(self._seeded.read_text())
        record |= {"id": key_id, "secrets": [{"secret": secret}]} | changes
        self.write(key_id, json.dumps(record))
        return Credentials(key_id, secret, record.get("security_token"))

    def write(self, key_id: str, text: str) -> None:
        """Stores `text` as the record of `key_id`, whatever it is."""
        path = self._seeded.with_name(self._seeded.name.replace(self._seeded_id, key_id))
        path.write_text(text)
        self._written.append(path)

    def clean(self) -> None:
        """Removes what was added."""
        for path in self._written:
            path.unlink(missing_ok=True)


def rotated(old: str, new: str) -> list[dict]:
    """Two secrets, the older of which ended an hour ago."""
    now = int(time.time())
    return [{"secret": old, "not_after": now - 3600}, {"secret": new, "not_before": now - 7200}]
