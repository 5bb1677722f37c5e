"""Devices that are processes of their own, as firmware is: they upload a file, and may be ended at any time.

Each keeps its checkpoint in a folder, as its SDK does, and the next one goes on from it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devices import Credentials, Endpoint

HERE = Path(__file__).parent
NODE = {"NODE_OPTIONS": f"--require {HERE / 'shims' / 'resolve.cjs'}", "NODE_PATH": str(HERE / "node_modules")}
UPLOADERS = {
    "oss2": ([sys.executable, str(HERE / "resumable" / "upload.py")], {"PYTHONPATH": str(HERE / "shims")}),
    "ali-oss": (["node", str(HERE / "resumable" / "upload.cjs")], NODE),
}


@dataclass
class Uploader:
    """What a device is told to upload, and with which SDK."""

    sdk: str
    endpoint: Endpoint
    credentials: Credentials
    key: str
    file: Path
    store: Path
    part_size: int | None = None
    """None: the SDK's own."""
    threads: int | None = None

    def uploads(self) -> str:
        """Uploads the file to its end; the ETag that the SDK tells."""
        for line in self._lines():
            word, value = line.split(" ")
            if word == "etag":
                return value.strip('"')
        raise AssertionError("it ended without an ETag")

    def uploads_until(self, share: float) -> None:
        """Loses its power when it has uploaded this share of the file."""
        for line in self._lines():
            if line.startswith("progress") and float(line.split(" ")[1]) >= share:
                return
        raise AssertionError(f"it ended before {share} of the file")

    def _lines(self) -> Iterator[str]:
        """What it prints; whoever stops asking ends it at once."""
        run = {
            "url": self.endpoint.url,
            "bucket": self.endpoint.bucket,
            "key_id": self.credentials.access_key_id,
            "secret": self.credentials.access_key_secret,
            "key": self.key,
            "file": str(self.file),
            "store": str(self.store),
        }
        run |= {name: value for name in ("part_size", "threads") if (value := getattr(self, name)) is not None}
        command, environment = UPLOADERS[self.sdk]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([*command, json.dumps(run)], env=os.environ | environment, **pipes) as process:
            try:
                yield from (line.strip() for line in process.stdout)
                error = process.stderr.read()
                assert process.wait() == 0, error
            finally:
                process.kill()
