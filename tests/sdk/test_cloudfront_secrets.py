"""Keys of devices and of passports in Secrets Manager: added, revoked, rotated, and through an outage.

The deployment of these tests keeps what it read for a second, and for eight through an outage, so that nobody waits for
the sixty seconds and the hour of the default. A whole second counts as the one before it: waits are a second longer.
"""

import dataclasses
import hashlib
import json
import os
import threading
import time

import pytest

from cloudfront import Deployment
from devices import Oss2Device
from keys import KeyStore, rotated
from refusals import refused

SHARDS = 4
FRESH, STALE = 1, 8
# How long a function does not ask again after it was given no answer.
PAUSE = 5
PASSPORT = {"id": "p1", "secret": "the-first-secret-of-the-passports-1"}
NEXT_PASSPORT = {"id": "p2", "secret": "the-second-secret-of-the-passports-2"}


def shard_of(key_id: str) -> int:
    return hashlib.sha256(key_id.encode()).digest()[0] % SHARDS


class SecretsManager:
    """The secrets of the deployment: key records in a folder, and what is played instead of them."""

    def __init__(self, folder, play_file, seeded):
        self.keys = KeyStore(folder, seeded)
        self._play_file = play_file
        self.has_played = False

    def play(self, **plays) -> None:
        """Plays this from now on, by the names of secrets; `all` is every one that is not named."""
        named = {("*" if name == "all" else f"causeway/{name.removeprefix('shard')}"): play for name, play in plays.items()}
        self.has_played = True
        written = self._play_file.with_suffix(".new")
        written.write_text(json.dumps(named))
        written.rename(self._play_file)

    def key_in(self, shard: int, **changes):
        """A new key whose record is in this shard."""
        while True:
            credentials = self.keys.add(**changes)
            if shard_of(credentials.access_key_id) == shard:
                return credentials
            self.keys.remove(credentials.access_key_id)


@pytest.fixture(scope="module")
def running(servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    keys, play_file = folder / "keys", folder / "play.json"
    keys.mkdir()
    seeded = servers.gateway.credentials.access_key_id
    deployment = Deployment(servers.process, servers.ready, tmp_path_factory.mktemp("deployment"))
    (keys / seeded).write_text((deployment.keys_folder / seeded).read_text())
    times = {"fresh_seconds": FRESH, "stale_seconds": STALE, "negative_seconds": 0}
    deployment.configure(cloudfront={"key_shards": SHARDS}, key_cache=times)
    deployment.config["secrets"] |= {
        "shards": SHARDS, "keys_folder": str(keys), "play_file": str(play_file), "passport": PASSPORT
    }  # fmt: skip
    with deployment.running() as (gateway, server):
        yield gateway, server, SecretsManager(keys, play_file, seeded)


@pytest.fixture
def gateway(running):
    return running[0]


@pytest.fixture
def server(running):
    return running[1]


@pytest.fixture
def secrets_manager(running):
    yield running[2]
    if running[2].has_played:
        running[2].play()
        running[2].has_played = False
        time.sleep(FRESH + 1)


@pytest.fixture
def device(gateway):
    """The device of the deployment, with any key."""

    def of(credentials=None):
        return Oss2Device(gateway.endpoint("virtual-host"), credentials or gateway.credentials)

    return of


def becomes(device, key, status, code, *, within):
    """Waits until a put is refused so; before that it succeeds."""
    deadline = time.monotonic() + within
    while True:
        try:
            device.put(key, b"x")
        except device.errors as error:
            refusal = device.refusal(error)
            assert (refusal.status, refusal.code) == (status, code), refusal
            return refusal
        assert time.monotonic() < deadline, f"still accepted after {within} s"
        time.sleep(0.1)


def test_a_key_is_found_in_every_shard(secrets_manager, device, origin, key):
    for shard in range(SHARDS):
        device(secrets_manager.key_in(shard)).put(f"{key}/{shard}", b"x")
        assert origin.object(f"{key}/{shard}").size == 1


def test_a_key_that_is_added_counts_at_once(gateway, secrets_manager, device, key):
    unknown = dataclasses.replace(gateway.credentials, access_key_id="LTAItestNotYetAdded")
    with refused(device(unknown), 403, "InvalidAccessKeyId"):
        device(unknown).put(key, b"x")
    added = secrets_manager.key_in(shard_of(unknown.access_key_id))
    device(added).put(key, b"x")


@pytest.mark.parametrize("revoke", ["remove", "disable"])
def test_a_key_that_is_revoked_stops_counting(secrets_manager, device, key, revoke):
    credentials = secrets_manager.keys.add()
    device(credentials).put(key, b"x")
    getattr(secrets_manager.keys, revoke)(credentials.access_key_id)
    becomes(device(credentials), key, 403, "InvalidAccessKeyId", within=FRESH + 2)


def test_a_rotated_key_has_two_secrets_for_a_while(secrets_manager, device, key):
    old = secrets_manager.keys.add()
    new = secrets_manager.keys.change(
        old, secrets=[{"secret": old.access_key_secret}, {"secret": "new-secret-of-the-device"}]
    )
    time.sleep(FRESH + 1)
    device(old).put(key, b"x")
    device(new).put(key, b"x")
    secrets_manager.keys.change(old, secrets=rotated(old.access_key_secret, new.access_key_secret))
    becomes(device(old), key, 403, "SignatureDoesNotMatch", within=FRESH + 2)
    device(new).put(key, b"x")


def test_a_record_that_cannot_be_read_is_a_fault_of_that_key_alone(secrets_manager, device, server, key):
    broken, good = secrets_manager.key_in(1), secrets_manager.key_in(1)
    secrets_manager.keys.write(broken.access_key_id, '{"id": "another", "secrets": 7}')
    with refused(device(broken), 503, "ServiceUnavailable") as told:
        device(broken).put(key, b"x")
    assert '"level":"error"' in server.log_lines(told[0].request_id)[0]
    device(good).put(key, b"x")


BAD_DAYS = {
    "an internal error": {"error": "InternalServiceError"},
    "throttling": {"error": "ThrottlingException"},
    "no permission": {"error": "AccessDeniedException"},
    "no JSON": {"value": "this is no JSON"},
    "no answer": {"hang": True},
}
# The functions' own tests have every kind; each takes a quarter of a minute here.
PLAYED = dict(BAD_DAYS if os.environ.get("CAUSEWAY_TEST_LONG") else list(BAD_DAYS.items())[:1])


@pytest.mark.parametrize("bad", PLAYED.values(), ids=PLAYED)
def test_an_outage_is_bridged_by_the_last_good_copy_then_503_until_secrets_manager_is_back(
    secrets_manager, device, server, key, bad
):
    device().put(key, b"x")
    assert device().initiate(key)
    secrets_manager.play(all=bad)
    time.sleep(FRESH + 1)
    device().put(key, b"x")
    assert device().initiate(key)
    assert all('"level":"error"' in line for line in server.log_lines("last good copy", 2))
    told = becomes(device(), key, 503, "ServiceUnavailable", within=STALE + 2)
    assert '"level":"error"' in server.log_lines(told.request_id)[0]
    secrets_manager.play(all={"hang": True})
    with refused(device(), 503, "ServiceUnavailable"):
        device().put(key, b"x")
    secrets_manager.play()
    deadline = time.monotonic() + PAUSE + 2
    while True:
        try:
            device().put(key, b"x")
            break
        except device().errors:
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.mark.parametrize("secret", ["shard2", "passport"])
def test_a_secret_that_was_never_made_is_the_operators_fault(secrets_manager, device, server, key, secret):
    credentials = secrets_manager.key_in(2)
    secrets_manager.play(**{secret: {"absent": True}})
    told = becomes(device(credentials), key, 503, "ServiceUnavailable", within=FRESH + 2)
    line = json.loads(server.log_lines(told.request_id)[0])
    assert line["level"] == "error"
    assert "no such secret" in line["reason"]
    if secret == "shard2":
        device(secrets_manager.key_in(1)).put(key, b"x")


def test_the_passports_secret_is_rotated_without_a_device_noticing(secrets_manager, device, key):
    failures, done = [], threading.Event()

    def put_and_initiate():
        mine = device()
        while not done.is_set():
            for call in (lambda: mine.put(key, b"x"), lambda: mine.initiate(key)):
                try:
                    call()
                except mine.errors as error:
                    failures.append(mine.refusal(error))

    worker = threading.Thread(target=put_and_initiate)
    worker.start()
    try:
        for value in (
            PASSPORT | {"also": [NEXT_PASSPORT]},
            NEXT_PASSPORT | {"also": [PASSPORT]},
            NEXT_PASSPORT,
        ):
            secrets_manager.play(passport={"value": json.dumps(value)})
            time.sleep(FRESH + 1.5)
    finally:
        done.set()
        worker.join()
    assert not failures
    device().put(key, b"x")
