"""The session's servers and the fixtures that every test is written with; README.md says how to run one test."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
runpy.run_path(str(HERE / "shims" / "sitecustomize.py"))
# The SDKs use `requests`, which would send loopback names through a proxy of the environment's.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"

from cloudfront import Deployment  # noqa: E402
from devices import DEVICES, Credentials  # noqa: E402
from keys import KeyStore  # noqa: E402
from limits import set_aside  # noqa: E402
from listings import Listed, stored  # noqa: E402
from object_clients import CLIENTS  # noqa: E402
from origin import Origin  # noqa: E402
from platforms import PLATFORMS, Platform  # noqa: E402
from recording_proxy import RecordingProxy  # noqa: E402
from servers import DevServer, Gateway, NotReady, Server  # noqa: E402
from staged import Witnessed  # noqa: E402
from strict import StrictGateway  # noqa: E402
from stub_s3 import StubS3  # noqa: E402
from wire import Wire  # noqa: E402

pytest_plugins = ["results"]
RUN = secrets.token_hex(4)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--platform",
        choices=PLATFORMS,
        default="cloudflare",
        help="the platform whose gateway is under test; what only one has is in test_PLATFORM_*.py",
    )
    parser.addoption(
        "--dev",
        type=Path,
        metavar="READY_FILE",
        help="use the SeaweedFS of a `cargo xtask dev` that is already running",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "matrix: a cell of SDK x addressing style x operation, kept by --results")


def pytest_report_header(config: pytest.Config) -> str:
    """Says at the top which platform's gateway is under test: `cargo xtask test` shows one run after the other."""
    return f"gateway: {PLATFORMS[config.getoption('--platform')].topology}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out the files of the other platforms."""
    others = set(PLATFORMS) - {config.getoption("--platform")}
    return any(collection_path.name.startswith(f"test_{other}_") for other in others) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sets aside what limits.json says this platform cannot do; other tests show what it does instead."""
    aside = set_aside(config, items)
    if aside:
        config.hook.pytest_deselected(items=aside)
        items[:] = [item for item in items if item not in aside]


@dataclass
class Servers:
    """Everything that runs during the session."""

    gateway: Gateway
    origin: Origin
    proxy: RecordingProxy
    keys: KeyStore
    process: DevServer
    ready: dict


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Platform:
    """The platform under test."""
    return PLATFORMS[request.config.getoption("--platform")]


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest, platform: Platform) -> Iterator[Servers]:
    """SeaweedFS, the recording proxy before it, and the gateway under test before that."""
    started = []
    try:
        if running := request.config.getoption("--dev"):
            first = json.loads(running.read_text())
        else:
            started.append(DevServer(platform, "origin"))
            first = started[-1].ready()
        proxy = RecordingProxy(first["origin"]["url"])
        started.append(DevServer(platform, "gateway", "--origin", proxy.url))
        ready = started[-1].ready()
        gateway = Gateway(ready)
        resolve(gateway)
        trust(gateway)
        keys = KeyStore(started[-1].folder / "keys", gateway.credentials.access_key_id)
        yield Servers(gateway, Origin(first["origin"]), proxy, keys, started[-1], ready)
        proxy.close()
    except NotReady as reason:
        # Once, instead of as the error of every test.
        pytest.exit(str(reason), returncode=1)
    finally:
        for server in reversed(started):
            server.stop()


@pytest.fixture
def fresh(platform: Platform, servers: Servers) -> Iterator[Servers]:
    """A gateway that has served nobody yet, before the same origin: what others left behind is not in its memory."""
    process = DevServer(platform, "fresh", "--origin", servers.proxy.url)
    try:
        ready = process.ready()
        gateway = Gateway(ready)
        keys = KeyStore(process.folder / "keys", gateway.credentials.access_key_id)
        yield Servers(gateway, servers.origin, servers.proxy, keys, process, ready)
    finally:
        process.stop()


@pytest.fixture(scope="session")
def stub() -> Iterator[StubS3]:
    """An S3 that answers as it is told."""
    stub = StubS3()
    yield stub
    stub.close()


@pytest.fixture(scope="session")
def faulty(stub: StubS3, servers: Servers, platform: Platform) -> Iterator[Gateway]:
    """A gateway whose origin is the stub."""
    process = DevServer(platform, "stub", "--origin", stub.url)
    try:
        gateway = Gateway(process.ready())
        resolve(gateway)
        gateway.process = process
        yield gateway
    finally:
        process.stop()


@pytest.fixture(scope="session")
def faulty_keys(faulty: Gateway) -> KeyStore:
    """The keys of that gateway."""
    return KeyStore(faulty.process.folder / "keys", faulty.credentials.access_key_id)


def resolve(gateway: Gateway) -> None:
    """Makes the gateway's host names resolve in this process and in those that it starts."""
    known = [entry for entry in os.environ.get("CAUSEWAY_RESOLVE", "").split(",") if entry]
    os.environ["CAUSEWAY_RESOLVE"] = ",".join({*known, *(f"{host}=127.0.0.1" for host in gateway.hosts)})


def trust(gateway: Gateway) -> None:
    """Makes the SDKs of this process, and of those that it starts, take the gateway's certificate."""
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        os.environ[name] = gateway.ca_file


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call):
    """Shows beside a failure what the gateways logged last."""
    report = yield
    if report.failed:
        report.sections += [(f"log of {server.name}", server.log()[-3000:]) for server in Server.running]
    return report


@pytest.fixture(scope="session")
def gateway(servers: Servers) -> Gateway:
    return servers.gateway


@pytest.fixture(scope="session")
def origin(servers: Servers) -> Origin:
    return servers.origin


@pytest.fixture(scope="session")
def proxy(servers: Servers) -> RecordingProxy:
    return servers.proxy


@pytest.fixture(scope="session")
def keys(servers: Servers) -> KeyStore:
    return servers.keys


@pytest.fixture(params=DEVICES.values(), ids=DEVICES)
def device_kind(request: pytest.FixtureRequest):
    """Each Python SDK in turn."""
    return request.param


@pytest.fixture
def device(device_kind, gateway: Gateway):
    """Each Python SDK in turn, virtual-host style (every SDK's default) with the seeded key."""
    return device_kind(gateway.endpoint("virtual-host"), gateway.credentials)


@pytest.fixture
def device_with(device_kind, gateway: Gateway):
    """Makes the device with other credentials or another style."""

    def make(credentials: Credentials | None = None, style: str = "virtual-host", *, tls: bool = False):
        return device_kind(gateway.endpoint(style, tls=tls), credentials or gateway.credentials)

    return make


@pytest.fixture(scope="session")
def reader(gateway: Gateway, keys: KeyStore) -> Credentials:
    """A key that may upload and read."""
    return keys.add(grants=[{"bucket": gateway.bucket, "operations": ["upload-only", "read-only"]}])


@pytest.fixture(scope="session")
def data_layer(gateway: Gateway, keys: KeyStore) -> Credentials:
    """A key that may do everything with the bucket."""
    return keys.add(grants=[{"bucket": gateway.bucket, "operations": ["data-layer"]}])


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client_with(request: pytest.FixtureRequest, gateway: Gateway, s3_gateway: Gateway, keys: KeyStore):
    """Makes each Python SDK's client with these grants."""

    def make(*grants: dict):
        credentials = keys.add(grants=[{"bucket": gateway.bucket} | grant for grant in grants])
        if request.param.sdk == "boto3":
            return request.param(s3_gateway.endpoint("path"), credentials)
        return request.param(gateway.endpoint("virtual-host"), credentials)

    return make


@pytest.fixture(scope="session")
def listed(gateway: Gateway, origin: Origin, keys: KeyStore) -> Listed:
    """2,500 objects, and keys that see them through grants."""
    return stored(origin, keys, gateway.bucket, f"tests/{RUN}/listed/")


@pytest.fixture(scope="session")
def router_signed(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """CloudFront with `direct_path = "router-signed"`."""
    deployment = Deployment(servers.process, servers.ready, tmp_path_factory.mktemp("router-signed"))
    deployment.configure(cloudfront={"direct_path": "router-signed"}).set_parameters(DirectPath="router-signed")
    with deployment.running() as (gateway, _):
        yield gateway


@pytest.fixture(scope="module")
def own_deployment(platform: Platform, servers: Servers, tmp_path_factory: pytest.TempPathFactory):
    """Makes a deployment of a file's own on the platform under test, not yet started."""

    def make():
        module, name = platform.deployment.split(".")
        kind = getattr(importlib.import_module(module), name)
        return kind(servers.process, servers.ready, tmp_path_factory.mktemp("deployment"))

    return make


@pytest.fixture(scope="module")
def strict_gateway(own_deployment, servers: Servers) -> Iterator[StrictGateway]:
    """A gateway of the file's own, whose origin can be made to fail."""
    gateway = StrictGateway(own_deployment(), servers.origin, servers.keys)
    yield gateway
    gateway.close()


@pytest.fixture
def strict(strict_gateway: StrictGateway, witnessed: Witnessed) -> StrictGateway:
    """The same, for one test."""
    strict_gateway.witnessed = witnessed
    return strict_gateway


@pytest.fixture(scope="session")
def s3_gateway(request: pytest.FixtureRequest, platform: Platform) -> Gateway:
    """The gateway that S3 clients talk to: it has to pass on bodies that a signature binds."""
    return request.getfixturevalue(platform.gateway_for_s3)


@pytest.fixture
def s3_device(device_kind, s3_gateway: Gateway):
    """Each S3 client in turn, path style (their default for an endpoint of one's own) with the seeded key."""
    return device_kind(s3_gateway.endpoint("path", tls=device_kind.tls), s3_gateway.credentials)


@pytest.fixture
def s3_device_with(device_kind, s3_gateway: Gateway):
    """Makes the S3 client with other credentials or another style."""

    def make(credentials: Credentials | None = None, style: str = "path", **options):
        endpoint = s3_gateway.endpoint(style, tls=device_kind.tls)
        return device_kind(endpoint, credentials or s3_gateway.credentials, **options)

    return make


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """An object key that no other test uses, nor an earlier run against the same SeaweedFS."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return f"tests/{RUN}/{request.node.module.__name__}/{name}"


@pytest.fixture
def witnessed(origin: Origin, gateway: Gateway) -> Witnessed:
    """What the origin holds of uploads."""
    return Witnessed(origin, gateway.bucket)


@pytest.fixture
def origin_untouched(proxy: RecordingProxy) -> Iterator[None]:
    """Fails the test when any request reached the origin's side."""
    with proxy.watching() as seen:
        yield
    assert not seen, f"the origin saw {[(request.method, request.target) for request in seen]}"


@pytest.fixture(scope="session")
def wire(gateway: Gateway, platform: Platform) -> Wire:
    return Wire(gateway, platform)


@pytest.fixture
def show(capsys):
    """Prints a line that is not kept back when the test passes."""

    def show(line: str) -> None:
        with capsys.disabled():
            print(line)

    return show
