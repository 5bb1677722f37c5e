"""A gateway of a file's own before an origin that can be made to fail (fault_proxy.py), to be killed and started again."""

from __future__ import annotations

import http.client
import time
from contextlib import ExitStack, closing

from fault_proxy import FaultProxy
from keys import KeyStore
from origin import Origin
from servers import Gateway, Server
from staged import Witnessed

# So many questions the gateway answers, at this distance in seconds, without asking anything of the origin itself.
QUIET_ANSWERS = 8
DISTANCE = 0.015
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
        """Waits until the gateway asks nothing more of the origin: parts may be joined after the device was answered.

        A gateway that has more to ask does so between its answers to our questions, however slow the machine is.
        """
        deadline, heard, quiet = time.monotonic() + SETTLES_WITHIN, -1, 0
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=SETTLES_WITHIN)) as device:
            while quiet < QUIET_ANSWERS:
                assert time.monotonic() < deadline, "the gateway does not come to rest"
                device.request("GET", "/")
                device.getresponse().read()
                quiet += 1
                if self.proxy.under_way or heard != len(self.proxy.requests):
                    heard, quiet = len(self.proxy.requests), 0
                time.sleep(DISTANCE)
