"""Runs the tests of ali-oss, written for Node's own test runner, and reports each of them as a subtest."""

import dataclasses
import json
import re

import pytest

from conftest import HERE, RUN
from devices import STYLES
from fleets import Fleet
from keys import rotated
from node_tests import environment_of, node_tests
from results import RESULTS
from witness import Witness

FOLDER = HERE / "ali-oss"
FILES = sorted(path.name for path in FOLDER.glob("*.test.cjs"))
VERSION = json.loads((HERE / "package.json").read_text())["dependencies"]["ali-oss"]


def fleet_of(keys, gateway) -> dict:
    """Devices of fleets: their keys, and where the origin has what they store."""
    fleet = Fleet(keys, gateway.bucket, revoked=("cam-9",))
    later = Fleet(keys, gateway.bucket, masters=rotated("the-old-master-" + "o" * 32, "the-new-master-" + "n" * 32))

    def device(of: Fleet, name: str, master: int = 0) -> dict:
        return {"credentials": dataclasses.asdict(of.device(name, master)), "mount": of.stored(name, "")}

    return {
        "first": device(fleet, "cam-1"),
        "second": device(fleet, "cam-2"),
        "revoked": device(fleet, "cam-9"),
        "rotated": device(later, "cam-1", 1),
        "ended": device(later, "cam-1", 0),
    }


@pytest.fixture(scope="module")
def environment(gateway, proxy, origin, keys, reader, data_layer, listed):
    """What device.cjs needs to know of the session."""
    witness = Witness(proxy, origin)
    endpoints = [*map(gateway.endpoint, STYLES), gateway.unsigned_endpoint]
    tls_endpoints = [gateway.endpoint(style, tls=True) for style in STYLES]
    run = {
        "endpoints": {endpoint.style: dataclasses.asdict(endpoint) for endpoint in endpoints},
        "tls_endpoints": {endpoint.style: dataclasses.asdict(endpoint) for endpoint in tls_endpoints},
        "bucket": gateway.bucket,
        "credentials": dataclasses.asdict(gateway.credentials),
        "keys": {
            "reader": dataclasses.asdict(reader),
            "data_layer": dataclasses.asdict(data_layer),
            "forms": dataclasses.asdict(
                keys.add(
                    schemes=["oss-post-v1", "oss-post-v4"],
                    grants=[{"bucket": gateway.bucket, "operations": ["PostObject"]}],
                )
            ),
            "disabled": dataclasses.asdict(keys.add(status="disabled")),
            "sts": dataclasses.asdict(keys.add(security_token="CAISdevice-token/1+2=")),
            "v1_only": dataclasses.asdict(keys.add(schemes=["oss-v1"])),
            "v4_only": dataclasses.asdict(keys.add(schemes=["oss-v4"])),
        },
        "listed": dataclasses.asdict(listed),
        "fleet": fleet_of(keys, gateway),
        "witness": witness.url,
        "folder": f"tests/{RUN}/ali-oss",
    }
    yield environment_of(run)
    witness.close()


@pytest.mark.parametrize("file", FILES)
def test_ali_oss(file, platform, environment, subtests, request):
    results = request.config.stash[RESULTS]
    for test in node_tests(FOLDER, file, environment, platform):
        if file == "matrix.test.cjs":
            operation, style, signature = re.fullmatch(r"(\w+) in (\S+) style, signed by (V\d)", test["name"]).groups()
            results.add("ali-oss", VERSION, signature, style, operation, test["passed"])
            results.add_covered({("ali-oss", operation)}, test["passed"])
        results.add_node("ali-oss", test)
        with subtests.test(msg=test["name"]):
            assert test["passed"], test["reason"]
