"""Runs the tests of the S3 clients for Node, and reports each of them as a subtest."""

import dataclasses
import json
import re

import pytest

from conftest import HERE, RUN
from devices import STYLES, Credentials
from node_tests import environment_of, node_tests
from results import RESULTS
from witness import Witness

FOLDER = HERE / "aws-sdk"
FILES = sorted(path.name for path in FOLDER.glob("*.test.cjs"))
VERSIONS = json.loads((HERE / "package.json").read_text())["dependencies"]
SDK = "@aws-sdk/client-s3"
SIGNATURES = {"http": "SigV4", "https": "SigV4 over TLS"}


@pytest.fixture(scope="module")
def environment(s3_gateway, proxy, origin, keys, reader, data_layer, listed):
    """What client.cjs needs to know of the session."""
    witness = Witness(proxy, origin)

    def endpoints(tls: bool) -> dict:
        return {style: dataclasses.asdict(s3_gateway.endpoint(style, tls=tls)) for style in STYLES}

    def credentials(key) -> dict:
        names = {"access_key_secret": "secret_access_key"}
        return {names.get(name, name): value for name, value in dataclasses.asdict(key).items()}

    yield environment_of(
        {
            "endpoints": {"http": endpoints(False), "https": endpoints(True)},
            "bucket": s3_gateway.bucket,
            "credentials": credentials(s3_gateway.credentials),
            "keys": {
                "disabled": credentials(keys.add(status="disabled")),
                "oss_only": credentials(keys.add(schemes=["oss-v1"])),
                "reader": credentials(reader),
                "data_layer": credentials(data_layer),
                "sts": credentials(keys.add(security_token="FwoGZXIvYXdzEA/client-token+1=")),
            },
            "listed": {
                name: credentials(value) if isinstance(value, Credentials) else value
                for name, value in vars(listed).items()
            },
            "witness": witness.url,
            "folder": f"tests/{RUN}/aws-sdk",
        }
    )
    witness.close()


@pytest.mark.parametrize("file", FILES)
def test_aws_sdk(file, platform, environment, subtests, request):
    results = request.config.stash[RESULTS]
    for test in node_tests(FOLDER, file, environment, platform):
        if file == "s3-matrix.test.cjs":
            name = re.fullmatch(r"(\S+): (\w+) in (\S+) style over (https?)", test["name"])
            sdk, operation, style, scheme = name.groups()
            cell = sdk, VERSIONS[sdk], SIGNATURES[scheme], style, operation
            results.add(*cell, test["passed"])
            if sdk == SDK:
                results.add_covered({(SDK, operation)}, test["passed"])
        results.add_node(SDK, test)
        with subtests.test(msg=test["name"]):
            assert test["passed"], test["reason"]
