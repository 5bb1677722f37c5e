"""Devices speak TLS: an SDK that trusts the gateway's certificate stores over TLS what it stores without."""

import http.client
import ssl

import pytest
import requests

from devices import STYLES, every_signature
from test_matrix import PERFORM


@every_signature
@pytest.mark.parametrize("style", STYLES)
def test_an_sdk_stores_an_object_over_tls(device_with, origin, key, style):
    PERFORM["PutObject"](device_with(style=style, tls=True), origin, key)


def test_an_sdk_uploads_parts_over_tls(device_with, origin, key):
    PERFORM["CompleteMultipartUpload"](device_with(tls=True), origin, key)


@every_signature
def test_a_url_that_was_presigned_for_tls_stores_an_object(device_with, origin, key):
    url = device_with(tls=True).presigned_put(key, 60)
    assert url.startswith("https://")
    assert requests.put(url, b"presigned", timeout=60).status_code == 200
    assert origin.object(key).size == len(b"presigned")


def test_a_client_that_does_not_know_the_certificate_sends_nothing(gateway, origin_untouched):
    stranger = http.client.HTTPSConnection("localhost", gateway.tls_port, timeout=60)
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("PUT", f"/{gateway.bucket}/stranger", b"x")
