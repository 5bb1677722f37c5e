"""A refused device learns why from its own SDK: the status, the code and a request id to tell support."""

import dataclasses
import datetime
import re
import time
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import oss2
import pytest
import requests

from clock import clock_shifted_by
from devices import Credentials, Oss2Device, every_signature
from keys import rotated
from recording_proxy import RecordingProxy
from refusals import REQUEST_ID, refused


def test_a_wrong_secret_is_a_signature_mismatch(device_with, gateway, key, origin_untouched):
    device = device_with(Credentials(gateway.credentials.access_key_id, "not-the-secret"))
    with refused(device, 403, "SignatureDoesNotMatch") as told:
        device.put(key, b"x")
    assert told[0].ec == "0002-00000040"


def test_an_unknown_key_id_is_an_invalid_one(device_with, key, origin_untouched):
    device = device_with(Credentials("LTAI5tUnknownKeyIdentifier", "whatever"))
    with refused(device, 403, "InvalidAccessKeyId"):
        device.put(key, b"x")


def test_a_disabled_key_is_an_invalid_one(device_with, keys, key, origin_untouched):
    device = device_with(keys.add(status="disabled"))
    with refused(device, 403, "InvalidAccessKeyId"):
        device.put(key, b"x")


@pytest.mark.parametrize("minutes", [-16, 16, 24 * 60])
def test_a_clock_that_is_too_far_off_is_skewed(device, key, origin_untouched, minutes):
    with clock_shifted_by(minutes * 60), refused(device, 403, "RequestTimeTooSkewed") as told:
        device.put(key, b"x")
    assert told[0].ec == "0002-00000504"


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_that_is_a_little_off_is_accepted(device, origin, key, minutes):
    with clock_shifted_by(minutes * 60):
        device.put(key, b"x")
    assert origin.object(key).size == 1


def test_the_skew_error_tells_the_device_what_time_it_is(gateway, key):
    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    with clock_shifted_by(-3600), pytest.raises(oss2.exceptions.ServerError) as raised:
        device.put(key, b"x")
    details = raised.value.details
    told = datetime.datetime.strptime(details["ServerTime"], "%Y-%m-%dT%H:%M:%S.000Z")
    assert abs((datetime.datetime.utcnow() - told).total_seconds()) < 60
    asked = datetime.datetime.strptime(details["RequestTime"], "%Y-%m-%dT%H:%M:%S.000Z")
    assert 3500 < (told - asked).total_seconds() < 3700
    assert details["MaxAllowedSkewMilliseconds"] == "900000"


@every_signature
def test_a_presigned_url_stores_an_object(device, origin, key):
    url = device.presigned_put(key, 60, {"x-oss-meta-serial": "A-1"})
    answer = requests.put(url, b"presigned", headers={"x-oss-meta-serial": "A-1"}, timeout=60)
    assert answer.status_code == 200
    assert origin.object(key).size == len(b"presigned")
    assert origin.object(key).metadata == {"serial": "A-1"}


@every_signature
def test_an_expired_presigned_url_is_denied(device, key, origin_untouched):
    # Not with another clock: oss2 reads the time of V4 where clock.py cannot reach. And not for a second:
    # alibabacloud-oss-v2 rounds its rest down.
    url = device.presigned_put(key, 2)
    time.sleep(3.5)
    answer = requests.put(url, b"late", timeout=60)
    error = ElementTree.fromstring(answer.content)
    assert (answer.status_code, error.findtext("Code")) == (403, "AccessDenied")
    assert error.findtext("EC") == "0002-00000069"
    assert "expired" in error.findtext("Message")
    assert REQUEST_ID.fullmatch(error.findtext("RequestId"))
    assert answer.headers["x-oss-request-id"] == error.findtext("RequestId")


def test_oss2_raises_access_denied_for_an_expired_presigned_url(gateway, key, origin_untouched):
    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    url = device.presigned_put(key, -5)
    with refused(device, 403, "AccessDenied"):
        device.bucket.put_object_with_url(url, b"late")


@every_signature
def test_a_presigned_url_allows_one_method_only(device, key, origin_untouched):
    url = device.presigned_put(key, 60)
    for method in ("GET", "DELETE", "POST"):
        answer = requests.request(method, url, timeout=60)
        assert answer.status_code == 403, method


@every_signature
def test_a_key_may_be_used_with_its_own_signatures_only(device_with, keys, key, origin_untouched):
    """Attack case D10: the refusal names the one that is switched off."""
    device = device_with()
    other = "oss-v4" if device.signature == "V1" else "oss-v1"
    with pytest.raises(device.errors) as raised:
        device_with(keys.add(schemes=[other])).put(key, b"x")
    refusal = device.refusal(raised.value)
    assert (refusal.status, refusal.code) == (403, "AccessDenied")
    assert refusal.message.startswith(f"oss-{device.signature.lower()}: ")


@every_signature
def test_an_sts_token_is_accepted_with_its_key(device_with, keys, origin, key, proxy):
    device = device_with(keys.add(security_token="CAISdevice-token/1+2="))
    with proxy.watching() as seen:
        device.put(key, b"x")
    assert origin.object(key).size == 1
    assert not [name for name in seen[0].header_names if "security-token" in name]


@every_signature
def test_the_token_counts_in_the_header_that_the_sdk_puts_it_in(device_kind, gateway, keys, origin, key):
    viewers = RecordingProxy(f"http://127.0.0.1:{gateway.port}")
    endpoint = dataclasses.replace(gateway.endpoint("path"), url=viewers.url.replace("127.0.0.1", "localhost"))
    device = device_kind(endpoint, keys.add(security_token="CAISdevice-token/1+2="))
    device.put(key, b"x")
    viewers.close()
    # alibabacloud-oss-v2 leaves V1's token unsigned.
    unsigned = (device.sdk, device.signature) == ("alibabacloud-oss-v2", "V1")
    name = "security-token" if unsigned else "x-oss-security-token"
    assert [seen.header(name) for seen in viewers.requests] == ["CAISdevice-token/1+2="]
    assert origin.object(key).size == 1


@every_signature
def test_a_presigned_url_carries_the_sts_token(device_with, keys, origin, key):
    device = device_with(keys.add(security_token="CAISdevice-token/1+2="))
    url = device.presigned_put(key, 60)
    name = "x-oss-security-token" if device.signature == "V4" else "security-token"
    assert parse_qs(urlsplit(url).query)[name] == ["CAISdevice-token/1+2="]
    assert requests.put(url, b"x", timeout=60).status_code == 200
    assert origin.object(key).size == 1


@every_signature
@pytest.mark.parametrize("token", [None, "CAISanother-token"], ids=["no-token", "another-token"])
def test_a_key_with_a_token_is_refused_without_that_token(device_with, keys, key, token, origin_untouched):
    credentials = keys.add(security_token="CAISdevice-token/1+2=")
    device = device_with(dataclasses.replace(credentials, security_token=token))
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x")
    refusal = device.refusal(raised.value)
    assert refusal.status == 403
    assert refusal.code in ("InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenNotSupported")


def test_a_key_without_a_token_is_refused_with_one(device_with, gateway, key, origin_untouched):
    device = device_with(dataclasses.replace(gateway.credentials, security_token="CAISforeign-token"))
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x")
    assert device.refusal(raised.value).status == 403


def test_a_rotated_key_is_accepted_with_its_new_secret_only(device_with, keys, origin, key):
    credentials = keys.add(secrets=rotated("old-secret-of-the-device", "new-secret-of-the-device"))
    device_with(Credentials(credentials.access_key_id, "new-secret-of-the-device")).put(key, b"x")
    assert origin.object(key).size == 1
    device = device_with(Credentials(credentials.access_key_id, "old-secret-of-the-device"))
    with refused(device, 403, "SignatureDoesNotMatch"):
        device.put(key, b"x")


def test_an_object_outside_the_granted_prefix_is_denied(device_with, gateway, keys, origin):
    grant = {"bucket": gateway.bucket, "operations": ["upload-only"], "prefix": "logs/"}
    device = device_with(keys.add(grants=[grant]))
    device.put("logs/today.txt", b"x")
    assert origin.object("logs/today.txt").size == 1
    with refused(device, 403, "AccessDenied"):
        device.put("logs-of-others/today.txt", b"x")


def test_a_large_body_that_is_refused_still_lets_the_sdk_read_why_and_go_on(device_with, gateway, keys, origin):
    grant = {"bucket": gateway.bucket, "operations": ["upload-only"], "prefix": "logs/"}
    device = device_with(keys.add(grants=[grant]))
    for _ in range(3):
        with refused(device, 403, "AccessDenied"):
            device.put("elsewhere/large.bin", bytes(20 << 20))
        device.put("logs/after.txt", b"the session is usable")
    assert origin.object("logs/after.txt").size == len(b"the session is usable")


def test_a_malformed_key_record_is_the_operators_fault(device_with, keys, key, origin_untouched):
    keys.write("LTAImalformedrecord1", "{this is no JSON")
    device = device_with(Credentials("LTAImalformedrecord1", "whatever"))
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x")
    assert device.refusal(raised.value).status == 503


def test_a_key_record_without_a_secret_never_verifies(device_with, keys, key, origin_untouched):
    credentials = keys.add(secrets=[])
    device = device_with(Credentials(credentials.access_key_id, "any"))
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x")
    assert device.refusal(raised.value).status in (403, 503)


def test_no_secret_is_in_what_the_gateway_logs(servers, gateway, key):
    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    url = device.presigned_put(key, 60)
    device.bucket.put_object_with_url(url, b"x")
    signature = re.search("Signature=([^&]+)", url)[1]
    assert servers.process.log_lines(key)
    # What stands before is the snippet that a developer is to copy, with the device's secret.
    log = servers.process.log().partition("Requests appear below")[2]
    for secret in (gateway.credentials.access_key_secret, signature, requests.utils.unquote(signature)):
        assert secret not in log
