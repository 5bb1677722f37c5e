"""Devices of a fleet, whose keys no store lists: each has its own mount, until it is revoked or the master rotated."""

import hashlib

import pytest

from devices import Credentials, every_signature
from fleets import Fleet
from keys import rotated
from refusals import refused


@pytest.fixture(scope="module")
def fleet(keys, gateway) -> Fleet:
    return Fleet(keys, gateway.bucket, revoked=("cam-0006", "cam-0009"))


@every_signature
@pytest.mark.parametrize("style", ["virtual-host", "path"])
def test_each_device_stores_into_its_own_mount(device_with, fleet, origin, style):
    for name in ("cam-0001", "cam-0002"):
        device = device_with(fleet.device(name), style)
        content = f"{name} by {device.sdk} {device.signature}".encode()
        device.put("log.txt", content)
        upload_id = device.initiate("parts.bin")
        device.complete("parts.bin", upload_id, [device.upload_part("parts.bin", upload_id, 1, content)])
        for key in ("log.txt", "parts.bin"):
            assert origin.object(fleet.stored(name, key)).sha256 == hashlib.sha256(content).hexdigest()


@every_signature
def test_a_device_cannot_pass_for_another_of_its_fleet(device_with, fleet, origin_untouched):
    own = fleet.device("cam-0001")
    other = Credentials(fleet.device("cam-0002").access_key_id, own.access_key_secret)
    with refused(device_with(other), 403, "SignatureDoesNotMatch"):
        device_with(other).put("log.txt", b"x")


@every_signature
def test_a_revoked_device_is_answered_as_one_that_never_was(device_with, fleet, keys, gateway, origin_untouched):
    revoked = device_with(fleet.device("cam-0009"))
    with refused(revoked, 403, "InvalidAccessKeyId") as of_revoked:
        revoked.put("log.txt", b"x")
    missing = Fleet(keys, gateway.bucket)
    keys.remove(missing.id)
    stranger = device_with(missing.device("cam-0009"))
    with refused(stranger, 403, "InvalidAccessKeyId") as of_unknown:
        stranger.put("log.txt", b"x")
    assert (of_revoked[0].message, of_revoked[0].ec) == (of_unknown[0].message, of_unknown[0].ec)


def test_both_masters_count_while_they_are_rotated_and_one_that_ended_does_not(device_with, keys, gateway, origin):
    old, new = "the-old-master-" + "o" * 32, "the-new-master-" + "n" * 32
    overlap = Fleet(keys, gateway.bucket, masters=[{"secret": old}, {"secret": new}])
    for master in (0, 1):
        device_with(overlap.device("cam-0001", master)).put(f"{master}.txt", b"x")
        assert origin.object(overlap.stored("cam-0001", f"{master}.txt")).size == 1
    ended = Fleet(keys, gateway.bucket, masters=rotated(old, new))
    device_with(ended.device("cam-0001", 1)).put("new.txt", b"x")
    device = device_with(ended.device("cam-0001", 0))
    with refused(device, 403, "SignatureDoesNotMatch"):
        device.put("old.txt", b"x")


@pytest.mark.parametrize("key_id", ["d1.cams", "d1.cams.", "d1..cam-1", "d1.cams.cam-1.x", "d1.cams." + "c" * 65])
def test_d14_what_only_resembles_a_derived_key_id_is_malformed(device_with, key_id, origin_untouched):
    device = device_with(Credentials(key_id, "whatever-secret-it-may-be"))
    with refused(device, 400, "InvalidArgument"):
        device.put("log.txt", b"x")


def test_a_record_that_revokes_too_many_devices_is_no_record(device_with, keys, gateway, origin_untouched):
    full = Fleet(keys, gateway.bucket, revoked=tuple(f"cam-{number}" for number in range(1025)))
    device = device_with(full.device("cam-x"))
    with refused(device, 503, "ServiceUnavailable"):
        device.put("log.txt", b"x")
