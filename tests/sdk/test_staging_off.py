"""`[buckets.staging] enabled = false`: parts go to S3 as they are, and a device that cuts too small is told so at once."""

import pytest

from devices import Oss2Device
from fault_proxy import FaultProxy
from refusals import refused
from staged import MIB, PREFIX, SMALLEST, Witnessed, bytes_of


@pytest.fixture(scope="module")
def proxy(origin):
    proxy = FaultProxy(origin.url)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def gateway(own_deployment, proxy):
    deployment = own_deployment().before(proxy.url).configure_bucket(staging={"enabled": False})
    with deployment.running() as (gateway, _):
        yield gateway


@pytest.fixture
def witnessed(origin, gateway):
    return Witnessed(origin, gateway.bucket)


def test_a_first_part_that_s3_would_not_take_is_refused_when_it_is_sent(device, proxy, witnessed, key):
    upload_id = device.initiate(key)
    with proxy.watching() as seen:
        for size in (1, 100 * 1024, MIB, SMALLEST - 1):
            with refused(device, 400, "EntityTooSmall") as told:
                device.upload_part(key, upload_id, 1, bytes(size))
            assert "5 MiB" in told[0].message
    assert not seen
    device.abort(key, upload_id)
    witnessed.left_nothing(key)


def test_parts_that_s3_takes_go_to_it_as_they_are(device, proxy, witnessed, key):
    parts = bytes_of(SMALLEST, SMALLEST, 10)
    with proxy.watching() as seen:
        upload_id = device.initiate(key)
        etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
        etag = device.complete(key, upload_id, etags)
    assert not [request for request in seen if PREFIX in request.target]
    witnessed.ended_as(key, parts, etag)


def test_a_later_part_that_is_too_small_is_refused_by_s3(device, witnessed, key):
    parts = bytes_of(SMALLEST, MIB, 10)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    with refused(device, 400, "EntityTooSmall"):
        device.complete(key, upload_id, etags)
    device.abort(key, upload_id)
    witnessed.left_nothing(key)


def test_a_small_object_is_put(device, witnessed, key):
    device.put(key, b"small")
    witnessed.ended_as(key, [b"small"])


def test_a_complete_that_is_repeated_after_its_success_succeeds(gateway, witnessed, key):
    device, parts = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials), bytes_of(SMALLEST, 10)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    etag = device.complete(key, upload_id, etags)
    assert device.complete(key, upload_id, etags) == etag
    witnessed.ended_as(key, parts, etag)
