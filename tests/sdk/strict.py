"""A gateway of a file's own before an origin that can be made to fail (fault_proxy.py), to be killed and started again."""

from __future__ import annotations

import time
from contextlib import ExitStack

from fault_proxy import FaultProxy
from keys import KeyStore
from origin import Origin
from servers import Gateway, Server
from staged import Witnessed

QUIET = 0.4
SETTLES_WITHIN = 30


class StrictGateway(Gateway):
    """A running deployment. Its port is another one after each start."""

    def __init__(self, deployment, origin: Origin, keys: KeyStore) -> None:
        self.proxy = FaultProxy(origin.url)
        self.server: Server
        self.witnessed: Witnessed
        self._deployment = deployment.before(self.proxy.url)
        self._running = ExitStack()
        self.start()
        self.lister = keys.add(grants=[{"bucket": self.bucket, "operations": ["upload-only", "ListParts"]}])
        """A key that may upload and list parts."""

    def start(self) -> None:
        """Starts it; it must not run."""
        gateway, self.server = self._running.enter_context(self._deployment.running())
        self.__dict__.update(gateway.__dict__)

    def kill(self) -> None:
        """Ends it at once, whatever it does."""
        self.server.kill()
        self._running.close()

    def close(self) -> None:
        """Stops it and the proxy."""
        self._running.close()
        self.proxy.close()

    def settle(self) -> None:
        """Waits until the gateway asks nothing more of the origin: parts may be joined after the device was answered."""
        deadline, seen = time.monotonic() + SETTLES_WITHIN, -1
        while self.proxy.under_way or seen != len(self.proxy.requests):
            assert time.monotonic() < deadline, "the gateway does not come to rest"
            seen = len(self.proxy.requests)
            time.sleep(QUIET)
