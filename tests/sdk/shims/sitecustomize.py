"""Resolves the host names of CAUSEWAY_RESOLVE ("host=address,host=address") inside a Python process.

The addressing styles under test differ only in the Host they send, and those names are in no DNS. Put this folder on
PYTHONPATH and an unmodified SDK finds them; every other name goes to the system's resolver.
"""

import os
import socket

_system_getaddrinfo = socket.getaddrinfo


def _getaddrinfo(host, *args, **kwargs):
    name = host.decode("ascii") if isinstance(host, bytes) else host
    entries = os.environ.get("CAUSEWAY_RESOLVE", "").split(",")
    addresses = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    return _system_getaddrinfo(addresses.get(name, host), *args, **kwargs)


socket.getaddrinfo = _getaddrinfo
