"""CloudFront listens on two ports, and the one without TLS may be closed to viewers."""

import pytest

from cloudfront import Deployment
from devices import Oss2Device


def test_where_viewers_must_speak_tls_the_other_port_is_403(servers, tmp_path, origin, proxy, key):
    deployment = Deployment(servers.process, servers.ready, tmp_path)
    deployment.config["listen"]["scheme"] = "http"
    with deployment.running() as (gateway, server):
        device = Oss2Device(gateway.endpoint("virtual-host", tls=True), gateway.credentials)
        device.put(key, b"over TLS")
        assert origin.object(key).size == len(b"over TLS")
        with proxy.watching() as seen, pytest.raises(device.errors) as raised:
            Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials).put(key, b"in the clear")
        assert raised.value.status == 403
        assert server.log_lines("https-only")
    assert seen == []
