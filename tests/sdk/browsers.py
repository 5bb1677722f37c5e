"""Headless Chromium, driven by a script of `browser/`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).parent / "browser"


def content(size: int) -> bytes:
    """What the scripts upload."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def run_in_chromium(script: str, run: dict, home: Path) -> dict:
    """Runs a script with what it is to do, and gives what it saw."""
    environment = os.environ | {"CAUSEWAY_BROWSER": json.dumps(run | {"chromium": _chromium()}), "HOME": str(home)}
    done = subprocess.run(
        ["node", SCRIPTS / script], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _chromium() -> str:
    """The browser that `cargo xtask test sdk` makes sure of."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert found, "Chromium is missing: run `apt-get install chromium`, or set CHROMIUM to where it is"
    return found
