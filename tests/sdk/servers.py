"""The servers of a test run, started the way a contributor starts them: with `cargo xtask dev`.

    SDK  ->  gateway on its platform  ->  recording proxy  ->  SeaweedFS

`cargo xtask dev` brings SeaweedFS with a gateway of its own, which is not used; a second one, `--origin` the recording
proxy, is the gateway under test. Both sign with the same generated origin key.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from devices import Credentials, Endpoint
from platforms import Platform

ROOT = Path(__file__).resolve().parents[2]

# Each platform's infra/PLATFORM/causeway.dev.toml has both; the ready file names neither.
DISTRIBUTION_LABEL = "d111111abcdef8"
UNSIGNED_BUCKET_HOST = "plain.causeway.test"

# A cold `cargo xtask dev` compiles the gateway first.
READY_WITHIN = 15 * 60
STOPPED_WITHIN = 20
# Functions write their log line when the answer has gone out already.
LOGGED_WITHIN = 10


class NotReady(Exception):
    """`cargo xtask dev` ended or did not become ready."""


class Server:
    """A program that runs during tests, and all that it printed."""

    running: ClassVar[list[Server]] = []

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        Server.running.append(self)
        self.scratch = Path(tempfile.mkdtemp(prefix=f"causeway-sdk-{name}-"))
        self._log_file = self.scratch / "log.txt"
        self._command = " ".join(command)
        with self._log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait_for(self, ready: Callable[[], dict | None], seconds: float) -> dict:
        """What `ready` gives once it gives something; NotReady says what the program printed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (found := ready()) is not None:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise NotReady(f"`{self._command}` did not become ready; it printed:\n{self.log()[-4000:]}")

    def log(self) -> str:
        """All that the program printed so far."""
        return self._log_file.read_text(errors="replace")

    def log_lines(self, text: str, count: int = 1) -> list[str]:
        """The lines of the log that contain `text`; waits until there are `count`."""
        deadline = time.monotonic() + LOGGED_WITHIN
        while time.monotonic() < deadline:
            if len(lines := [line for line in self.log().splitlines() if text in line]) >= count:
                return lines
            time.sleep(0.05)
        raise AssertionError(f"no {count} lines with {text!r} in the log; it ends with:\n{self.log()[-2000:]}")

    def resident_bytes(self, program: str) -> int:
        """The resident memory of the largest `program` among this one's descendants."""
        sizes = [_resident(pid) for pid in _descendants(self.process.pid) if _name(pid) == program]
        assert sizes, f"there is no {program} below `{self._command}`"
        return max(sizes)

    def program(self, name: str) -> Path:
        """The file of the program that runs as `name` among this one's descendants."""
        found = [pid for pid in _descendants(self.process.pid) if _name(pid) == name]
        assert found, f"there is no {name} below `{self._command}`"
        return Path(f"/proc/{found[0]}/exe").resolve()

    @contextmanager
    def watching_memory(self, program: str) -> Iterator[list[int]]:
        """Notes `resident_bytes` ten times a second during the block."""
        seen, done = [self.resident_bytes(program)], threading.Event()

        def watch() -> None:
            while not done.wait(0.1):
                seen.append(self.resident_bytes(program))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            done.set()
            watcher.join()

    def stop(self) -> None:
        """Asks as Ctrl-C does, then makes sure of the whole process group."""
        Server.running.remove(self)
        self._signal(signal.SIGINT)
        try:
            self.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            pass
        self._signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.scratch)

    def kill(self) -> None:
        """Ends the whole process group at once, as a machine that loses power does. `stop` is still to be called."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


class DevServer(Server):
    """One running `cargo xtask dev`."""

    def __init__(self, platform: Platform, name: str, *options: str) -> None:
        self._ready_file = Path(tempfile.mkdtemp(prefix="causeway-sdk-ready-")) / "ready.json"
        command = ["cargo", "xtask", "dev", "--platform", platform.name, *options]
        super().__init__(name, [*command, "--ready-file", str(self._ready_file)])

    def ready(self) -> dict:
        """Waits for the ready file and reads it."""
        written = self._ready_file
        return self.wait_for(lambda: json.loads(written.read_text()) if written.exists() else None, READY_WITHIN)

    @property
    def folder(self) -> Path:
        """Where the command keeps what it runs with, key records among it."""
        runs = ROOT / ".causeway" / "run"
        found = [runs / str(pid) for pid in [self.process.pid, *_descendants(self.process.pid)]]
        return next(folder for folder in found if folder.is_dir())

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self._ready_file.parent)


class Gateway:
    """A gateway as its ready file describes it."""

    def __init__(self, ready: dict) -> None:
        device = ready["device"]
        self.port = urlsplit(ready["edge"]["url"]).port
        self.tls_port = urlsplit(ready["edge"]["tls_url"]).port
        self.ca_file = ready["edge"]["ca_file"]
        self.bucket = device["bucket"]
        self.virtual_host = device["virtual_host"].partition(":")[0]
        self.cname_host = device["cname_host"].partition(":")[0]
        self.parent_host = self.virtual_host.partition(".")[2]
        self.unsigned_host = UNSIGNED_BUCKET_HOST
        self.credentials = Credentials(device["access_key_id"], device["access_key_secret"])

    @property
    def hosts(self) -> list[str]:
        """The names that must resolve to this machine."""
        label = f"{DISTRIBUTION_LABEL}.{self.parent_host}"
        return ["localhost", self.virtual_host, self.parent_host, self.cname_host, self.unsigned_host, label]

    def endpoint(self, style: str, *, tls: bool = False) -> Endpoint:
        """What an SDK is told in an addressing style of `devices.STYLES`."""
        host, bucket = {
            "path": ("localhost", self.bucket),
            "virtual-host": (self.parent_host, self.bucket),
            "cname": (self.cname_host, self.bucket),
            "distribution-label": (self.parent_host, DISTRIBUTION_LABEL),
        }[style]
        return Endpoint(style, f"https://{host}:{self.tls_port}" if tls else f"http://{host}:{self.port}", bucket)

    @property
    def unsigned_endpoint(self) -> Endpoint:
        """ali-oss with `cname` and without a bucket, which then signs no bucket name at all."""
        return Endpoint("cname-without-bucket", f"http://{self.unsigned_host}:{self.port}", "")


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(") ")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = list(children.get(pid, []))
    for child in found:
        found += children.get(child, [])
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)
