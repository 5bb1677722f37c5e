"""Key pairs, and signed URLs and cookies that AWS's own signer makes with them."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from keys import KeyStore

FOLDER = Path(__file__).with_name("cloudfront-signer")
PAIR = Path(__file__).parents[1] / "vectors" / "keys"


class KeyPair:
    """A key pair whose record may do `operations` on a bucket, and a signer that holds its private half."""

    def __init__(self, keys: KeyStore, bucket: str, algorithm: str = "SHA1", **grant) -> None:
        self.id = "K" + secrets.token_hex(6).upper()
        self._algorithm = algorithm
        self.record = {
            "id": self.id,
            "public_key": (PAIR / "rsa-2048.pub.pem").read_text(),
            "grants": [{"bucket": bucket} | grant],
        }
        keys.write(self.id, json.dumps(self.record))

    def url(self, url: str, *, seconds: int = 60, **options) -> str:
        """A signed URL for so many seconds."""
        return self._sign(url=url, dateLessThan=_date(seconds), **options)

    def url_with_policy(self, url: str, resource: str, **conditions) -> str:
        """A signed URL under a custom policy."""
        return self._sign(url=url, policy=_policy(resource, conditions))

    def cookies(self, resource: str, **conditions) -> dict[str, str]:
        """Signed cookies under a custom policy."""
        return self._sign(cookies=True, policy=_policy(resource, conditions))

    def _sign(self, **options):
        options |= {"keyPairId": self.id, "privateKey": (PAIR / "rsa-2048.pem").read_text()}
        if self._algorithm == "SHA256":
            options["algorithm"] = "SHA256"
        command = ["node", "sign.mjs"]
        done = subprocess.run(
            command, cwd=FOLDER, input=json.dumps(options), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"is `npm ci` done in tests/sdk?\n{done.stderr}"
        return json.loads(done.stdout)


def _policy(resource: str, conditions: dict) -> str:
    ends = {"DateLessThan": {"AWS:EpochTime": int(time.time()) + 60}}
    return json.dumps({"Statement": [{"Resource": resource, "Condition": ends | conditions}]})


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(int(time.time()) + seconds, UTC).isoformat()
