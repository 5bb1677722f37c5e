"""Deployments of a test's own on the local CloudFront: that of `cargo xtask dev`, with something changed.

`cargo xtask dev --platform cloudfront` leaves the configuration of the harness (tests/cloudfront-harness) in its run
folder. A test takes a copy, changes a template, a parameter, a function's code or its configuration, and starts it.
Whatever is changed has to be there once: a change that no longer applies fails instead of testing nothing.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import ROOT, DevServer, Gateway, Server

HARNESS = ROOT / "tests" / "cloudfront-harness" / "main.mjs"
STARTS_WITHIN = 60

# Which stack has the code of a function, by the prefix of its parameters.
STACKS = {"Authorizer": "edge", "Router": "edge", "Response": "edge", "Handler": "storage"}


class LocalCloudFront(Server):
    """A running harness."""

    def __init__(self, config: Path) -> None:
        super().__init__("cloudfront", ["node", str(HARNESS), str(config)])

    def ready(self) -> dict:
        """Waits until it listens."""
        return self.wait_for(self._ready, STARTS_WITHIN)

    def _ready(self) -> dict | None:
        lines = [line for line in self.log().splitlines(keepends=True) if line.startswith('{"ready"')]
        return json.loads(lines[0])["ready"] if lines and lines[0].endswith("\n") else None


class Deployment:
    """What a harness is told, to be changed before it starts. Files are written into `folder`."""

    def __init__(self, dev: DevServer, ready: dict, folder: Path) -> None:
        self.config = json.loads((dev.folder / "harness.json").read_text())
        self.config["listen"]["port"] = 0
        self._ready, self._folder = ready, folder
        self.keys_folder = Path(self.config["secrets"]["keys_folder"])

    def change_template(self, name: str, old: str, new: str) -> Deployment:
        """Replaces the one place where template `name` (`storage` or `edge`) says `old`."""
        text = (ROOT / self.config["templates"][name]).read_text()
        assert text.count(old) == 1, f"{name}.yaml says {text.count(old)} times:\n{old}"
        path = self._folder / f"{name}-{self._next()}.yaml"
        path.write_text(text.replace(old, new))
        self.config["templates"][name] = str(path)
        return self

    def set_parameters(self, **values: str) -> Deployment:
        """Sets parameters in each stack that was given them."""
        for name, value in values.items():
            stacks = [stack for stack in self.config["parameters"].values() if name in stack]
            assert stacks, f"no stack was given {name}"
            for stack in stacks:
                stack[name] = value
        return self

    def wrap(self, function: str, javascript: str) -> Deployment:
        """Puts code around a function as it is shipped, which it finds as `./shipped.js`."""

        def wrapped(files: dict[str, bytes]) -> None:
            files["shipped.js"] = files["index.js"]
            files["index.js"] = javascript.encode()

        self._change_code(function, wrapped)
        return self

    def before(self, origin: str) -> Deployment:
        """Says where S3 is."""
        self.config["origin"]["url"] = origin
        return self

    def configure(self, **changes) -> Deployment:
        """Changes entries of the configuration that is baked into every function; tables are merged."""
        return self._configure(lambda baked: merge(baked, changes))

    def configure_bucket(self, **changes) -> Deployment:
        """The same for the first bucket."""
        return self._configure(lambda baked: merge(baked["buckets"][0], changes))

    @contextmanager
    def running(self) -> Iterator[tuple[Gateway, LocalCloudFront]]:
        """The gateway of this deployment while the block runs, and the harness that runs it."""
        path = self._folder / f"harness-{self._next()}.json"
        path.write_text(json.dumps(self.config))
        server = LocalCloudFront(path)
        try:
            ready = copy.deepcopy(self._ready)
            listening = server.ready()
            ready["edge"] |= {name: listening[name] for name in ("url", "tls_url")}
            yield Gateway(ready), server
        finally:
            server.stop()

    def _configure(self, change: Callable[[dict], object]) -> Deployment:
        def configured(files: dict[str, bytes]) -> None:
            baked = json.loads(files["causeway.json"])
            change(baked)
            files["causeway.json"] = json.dumps(baked).encode()

        for function in STACKS:
            self._change_code(function, configured)
        return self

    def _change_code(self, function: str, change: Callable[[dict[str, bytes]], None]) -> None:
        parameters = self.config["parameters"][STACKS[function]]
        with zipfile.ZipFile(self.config["code"][parameters[f"{function}CodeKey"]]) as shipped:
            files = {name: shipped.read(name) for name in shipped.namelist()}
        change(files)
        path = self._folder / f"{function}-{self._next()}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as changed:
            for name, content in files.items():
                changed.writestr(name, content)
        digest = base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
        parameters[f"{function}CodeKey"] = path.name
        parameters[f"{function}CodeSha256"] = digest
        self.config["code"][path.name] = str(path)

    def _next(self) -> int:
        return len(list(self._folder.iterdir()))


def merge(entries: dict, changes: dict) -> dict:
    """`entries` with `changes` put into them, tables into tables."""
    for name, value in changes.items():
        entries[name] = merge(entries.get(name) or {}, value) if isinstance(value, dict) else value
    return entries
