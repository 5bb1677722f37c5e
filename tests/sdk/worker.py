"""A Worker of a test's own: that of `cargo xtask dev`, with something changed, to be killed and started again. The same
for CloudFront is in cloudfront.py, and `platform.deployment` says which.

    with deployment.before(proxy.url).running() as (gateway, server):
        server.kill()

The keys are those of the session, and so are the secrets that upload ids are sealed with: what one run of a deployment
told a device holds in the next.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudfront import merge
from servers import DevServer, Gateway, Server

STARTS_WITHIN = 60


class LocalWorkerd(Server):
    """A running workerd."""

    def __init__(self, program: Path, config: Path) -> None:
        super().__init__("workerd", [str(program), "serve", "--control-fd=1", str(config)])

    def ready(self) -> dict:
        """Waits until it listens; the URLs as a ready file has them."""
        return self.wait_for(self._ready, STARTS_WITHIN)

    def _ready(self) -> dict | None:
        lines = [line for line in self.log().splitlines() if line.startswith('{"event":"listen"')]
        ports = {event["socket"]: event["port"] for event in map(json.loads, lines)}
        if not {"http", "https"} <= ports.keys():
            return None
        return {"url": f"http://127.0.0.1:{ports['http']}", "tls_url": f"https://127.0.0.1:{ports['https']}"}


class WorkerDeployment:
    """What workerd is told, to be changed before it starts."""

    def __init__(self, dev: DevServer, ready: dict, folder: Path) -> None:
        self._program, self._ready = dev.program("workerd"), ready
        self._folder = folder / "worker"
        shutil.copytree(dev.folder / "worker", self._folder)

    def before(self, origin: str) -> WorkerDeployment:
        """Says where the origin is."""
        return self.configure_bucket(origin={"endpoint": origin})

    def configure_bucket(self, **changes) -> WorkerDeployment:
        """Changes entries of the first bucket's configuration; tables are merged."""
        path = self._folder / "CAUSEWAY_CONFIG"
        config = json.loads(path.read_text())
        merge(config["buckets"][0], changes)
        path.write_text(json.dumps(config))
        return self

    def bind(self, name: str, text: str) -> WorkerDeployment:
        """Adds a binding."""
        path = self._folder / "config.capnp"
        config, start = path.read_text(), "  bindings = [\n"
        assert config.count(start) == 1
        path.write_text(config.replace(start, f"{start}    (name = {json.dumps(name)}, text = {json.dumps(text)}),\n"))
        return self

    @contextmanager
    def running(self) -> Iterator[tuple[Gateway, LocalWorkerd]]:
        """The gateway of this deployment while the block runs, and the workerd that runs it."""
        server = LocalWorkerd(self._program, self._folder / "config.capnp")
        try:
            ready = copy.deepcopy(self._ready)
            ready["edge"] |= server.ready()
            yield Gateway(ready), server
        finally:
            server.stop()
