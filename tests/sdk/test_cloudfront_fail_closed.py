"""A deployment on CloudFront with a piece missing, or with somebody between its functions, lets nothing through.

Whoever can change a function or a template can do anything: these tests do so only to stand where a mistake would be,
between one function and the next.
"""

import itertools

import pytest

from cloudfront import ROOT, Deployment
from devices import Oss2Device
from refusals import refused
from wire import Wire

AUTHORIZER = """            - EventType: viewer-request
              LambdaFunctionARN: !Ref AuthorizerVersion
              IncludeBody: false
"""

# The device says in a header of its own what is to happen to its request on the way.
TAMPERING_AUTHORIZER = """
const shipped = require("./shipped.js");
const PASSPORT = "x-causeway-passport";
let earlier;
const ways = {
  "no passport": ({ headers }) => delete headers[PASSPORT],
  "an empty passport": ({ headers }) => (headers[PASSPORT][0].value = ""),
  "a passport cut short": ({ headers }) => (headers[PASSPORT][0].value = headers[PASSPORT][0].value.slice(0, -4)),
  "a passport and another": ({ headers }) => headers[PASSPORT].push(earlier),
  "the passport of an earlier request": ({ headers }) => (headers[PASSPORT] = [earlier]),
  "another key": (request) => (request.uri += "x"),
  "another query": (request) => (request.querystring += "&acl"),
  "a changed header": ({ headers }) => {
    for (const name of ["x-amz-meta-a", "x-causeway-errand"]) {
      if (headers[name]) headers[name][0].value = `${headers[name][0].value}2`;
    }
  },
  "a dropped header": ({ headers }) => ["x-amz-meta-a", "x-causeway-errand"].forEach((name) => delete headers[name]),
  "a condition": ({ headers }) => (headers["if-none-match"] = [{ value: "*" }]),
  "an ACL": ({ headers }) => (headers["x-amz-acl"] = [{ value: "public-read" }]),
};
exports.handler = async (event) => {
  const [tamper] = event.Records[0].cf.request.headers["x-tamper"] ?? [];
  const result = await shipped.handler(event);
  if (result.status !== undefined) return result;
  const passport = { ...result.headers[PASSPORT][0] };
  if (tamper?.value === "authorizer crashes") throw new Error("crashed");
  if (tamper) ways[tamper.value]?.(result);
  result.headers["x-tamper"] = [tamper ?? { value: "" }];
  earlier = passport;
  return result;
};
"""
TAMPERING_ROUTER = """
const shipped = require("./shipped.js");
const PASSPORT = "x-causeway-passport";
let earlier;
const ways = {
  "no passport": ({ headers }) => delete headers[PASSPORT],
  "the passport of the hop before": ({ headers }, event) => (headers[PASSPORT] = event.headers[PASSPORT]),
  "the passport of an earlier request": ({ headers }) => (headers[PASSPORT] = earlier[PASSPORT]),
  "the errand of an earlier request": ({ headers }) => (headers["x-causeway-errand"] = earlier["x-causeway-errand"]),
  "another digest of the body": ({ headers }) => (headers["x-causeway-body-sha256"][0].value = "0".repeat(64)),
  "no signature": ({ headers }) => delete headers.authorization,
};
exports.handler = async (event) => {
  const { request } = event.Records[0].cf;
  const tamper = request.headers["x-tamper"]?.[0].value ?? "";
  const before = structuredClone(request);
  const result = await shipped.handler(event);
  const headers = structuredClone(result.headers);
  if (tamper === "router crashes") throw new Error("crashed");
  if (tamper.startsWith("handler ")) result.headers["x-tamper"] = [{ value: tamper }];
  if (tamper.startsWith("router: ")) ways[tamper.slice(8)](result, before);
  earlier = headers;
  return result;
};
"""
BROKEN_HANDLER = """
const shipped = require("./shipped.js");
const ways = {
  "handler crashes": () => { throw new Error("crashed"); },
  "handler exits": () => process.exit(1),
  "handler answers nothing": () => ({}),
  "handler answers as Lambda would": () => ({ statusCode: 200, headers: { "content-type": "text/plain" }, body: "ok" }),
};
exports.handler = async (event) => (ways[event.headers["x-tamper"]] ?? shipped.handler)(event);
"""


@pytest.fixture
def deployment(servers, tmp_path):
    """That of `cargo xtask dev`, before it starts."""
    return Deployment(servers.process, servers.ready, tmp_path)


@pytest.fixture(scope="module")
def tampered(servers, platform, tmp_path_factory):
    """A deployment with somebody after the authorizer and somebody after the router, and the log."""
    deployment = Deployment(servers.process, servers.ready, tmp_path_factory.mktemp("tampered"))
    deployment.wrap("Authorizer", TAMPERING_AUTHORIZER).wrap("Router", TAMPERING_ROUTER)
    deployment.wrap("Handler", BROKEN_HANDLER)
    with deployment.running() as (gateway, server):
        yield Wire(gateway, platform), server


def test_without_the_authorizer_the_router_refuses_everything(deployment, platform, origin_untouched):
    with deployment.change_template("edge", AUTHORIZER, "").running() as (gateway, _):
        wire = Wire(gateway, platform)
        for method, query, body in [("PUT", "", b"x"), ("POST", "uploads", b""), ("DELETE", "uploadId=U", b"")]:
            answer = wire.signed(method, "unguarded", query, body=body).check()
            assert (answer.status, answer.code) == (403, "AccessDenied")
        # What an honest client would not send: no signature at all, and headers that the functions write.
        forged = [("x-causeway-passport", "v1.p1.authorizer.0.0.0"), ("x-causeway-origin", "acme-ingest")]
        for headers in ([], forged):
            answer = wire.send("PUT", "/unguarded", [("Host", wire.host), *headers], b"x").check()
            assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("headers", "forwarded"),
    [("[Host]", "[Host, x-causeway-passport]"), ("[Host]", "[Host, x-causeway-errand, x-causeway-origin]")],
    ids=["no passport", "no errand and no origin"],
)
def test_a_policy_that_drops_the_functions_headers_fails_closed(
    deployment, platform, origin_untouched, headers, forwarded
):
    deployment.change_template("edge", f"Headers: {headers}", f"Headers: {forwarded}")
    with deployment.running() as (gateway, _):
        wire = Wire(gateway, platform)
        for method, query, body in [("PUT", "", b"x"), ("POST", "uploads", b"")]:
            answer = wire.signed(method, "dropped", query, body=body).check()
            assert (answer.status, answer.code) == (403, "AccessDenied")


def test_a_policy_that_forwards_no_query_fails_closed(deployment, platform, proxy):
    deployment.change_template("edge", "QueryStringBehavior: all", "QueryStringBehavior: none")
    with deployment.running() as (gateway, _):
        # An errand has its arguments in a header; a part has them in the query.
        wire = Wire(gateway, platform)
        query = f"partNumber=1&uploadId={wire.initiate('dropped')}"
        with proxy.watching() as seen:
            answer = wire.signed("PUT", "dropped", query, body=bytes(5 << 20)).check()
        assert (answer.status, answer.code) == (403, "AccessDenied")
        assert not seen


NUMBERS = itertools.count()

AFTER_THE_AUTHORIZER = [
    "no passport",
    "an empty passport",
    "a passport cut short",
    "a passport and another",
    "the passport of an earlier request",
    "another key",
    "another query",
    "a changed header",
    "a dropped header",
]
AFTER_THE_ROUTER = [
    "no passport",
    "the passport of the hop before",
    "the passport of an earlier request",
    "the errand of an earlier request",
    "another digest of the body",
]


def tamper(wire, way, method="PUT", query=""):
    """A request for a key of its own: one that is like another may have its passport as well."""
    headers = [("x-oss-meta-a", "1"), ("x-tamper", way)]
    body = b"x" if method == "PUT" else b""
    return wire.signed(method, f"tampered/{next(NUMBERS)}", query, headers, body).check()


def test_nothing_is_wrong_when_nobody_tampers(tampered, proxy):
    wire, _ = tampered
    with proxy.watching() as seen:
        assert tamper(wire, "nothing").status == 200
        assert tamper(wire, "nothing", "POST", "uploads").status == 200
    assert len(seen) == 2


@pytest.mark.parametrize("call", [("PUT", ""), ("POST", "uploads")], ids=["PutObject", "Initiate"])
@pytest.mark.parametrize("way", AFTER_THE_AUTHORIZER)
def test_what_is_changed_after_the_authorizer_is_refused_by_the_router(tampered, origin_untouched, way, call):
    wire, server = tampered
    answer = tamper(wire, way, *call)
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert any("multipart-initiation-router" in line for line in server.log_lines(answer.header("x-oss-request-id"), 2))


def test_a_condition_that_is_added_after_the_authorizer_is_refused(tampered, origin_untouched):
    answer = tamper(tampered[0], "a condition")
    assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize("call", [("PUT", ""), ("POST", "uploads")], ids=["PutObject", "Initiate"])
def test_a_header_that_is_added_after_the_authorizer_does_not_reach_the_origin(tampered, proxy, call):
    with proxy.watching() as seen:
        assert tamper(tampered[0], "an ACL", *call).status == 200
    assert seen[0].header("x-amz-acl") is None


@pytest.mark.parametrize("way", AFTER_THE_ROUTER)
def test_what_is_changed_after_the_router_is_refused_by_the_handler(tampered, origin_untouched, way):
    wire, server = tampered
    answer = tamper(wire, f"router: {way}", "POST", "uploads")
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert server.log_lines("xmlns-response-handler")


def test_the_function_url_takes_no_request_without_a_signature(tampered, origin_untouched):
    wire, server = tampered
    handled = server.log().count('"function":"xmlns-response-handler"')
    answer = tamper(wire, "router: no signature", "POST", "uploads")
    # To the device it is a fault of the gateway's, which its operator is told.
    assert (answer.status, answer.code) == (500, "InternalError")
    assert '"level":"error"' in server.log_lines(answer.header("x-oss-request-id"))[-1]
    assert server.log().count('"function":"xmlns-response-handler"') == handled


@pytest.mark.parametrize("way", ["authorizer crashes", "router crashes"])
def test_a_function_that_crashes_lets_nothing_through(tampered, origin_untouched, way):
    wire, _ = tampered
    answer = wire.signed("PUT", "crashed", headers=[("x-tamper", way)], body=b"x")
    assert answer.status == 503, answer
    assert answer.header("x-cache") == "LambdaExecutionError from cloudfront"
    assert tamper(wire, "nothing", "GET").status == 403


@pytest.mark.parametrize(
    "way", ["handler crashes", "handler exits", "handler answers nothing", "handler answers as Lambda would"]
)
def test_a_handler_that_gives_no_answer_of_its_own_is_an_internal_error(tampered, origin_untouched, way):
    wire, server = tampered
    answer = tamper(wire, way, "POST", "uploads")
    assert (answer.status, answer.code) == (500, "InternalError")
    assert any('"level":"error"' in line for line in server.log_lines(answer.header("x-oss-request-id"), 3))


OWN_HEADERS = ["passport", "errand", "origin", "body-sha256", "handler", "region", "anything"]


@pytest.mark.parametrize("call", [("PUT", ""), ("POST", "uploads")], ids=["PutObject", "Initiate"])
@pytest.mark.parametrize("name", OWN_HEADERS)
def test_a_devices_x_causeway_header_means_nothing(wire, proxy, call, name):
    method, query = call
    with proxy.watching() as seen:
        answer = wire.signed(
            method, "own-headers", query, [(f"x-causeway-{name}", "evil.example.com")], b"x" if method == "PUT" else b""
        ).check()
    assert answer.status == 200
    assert len(seen) == 1
    assert not [line for line in seen[0].headers if "evil" in line[1] or line[0].lower().startswith("x-causeway-")]


def test_a_bucket_policy_without_the_grant_is_never_the_devices_fault(deployment, origin_untouched):
    for sid in ("TheDistributionWritesObjects", "Writes", "Changes"):
        text = (ROOT / deployment.config["templates"]["storage"]).read_text()
        statement = next(part for part in text.split("Sid: ")[1:] if part.startswith(f"{sid}\n"))
        old = f"Sid: {statement[: statement.index('Resource:')]}"
        deployment.change_template("storage", old, old.replace("s3:PutObject\n", "s3:GetObject\n"))
    with deployment.running() as (gateway, server):
        device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
        for call in (lambda: device.put("k", b"x"), lambda: device.initiate("k")):
            with refused(device, 500, "InternalError") as told:
                call()
            assert any('"level":"error"' in line for line in server.log_lines(told[0].request_id))


def test_a_router_that_may_not_call_the_function_url_is_never_the_devices_fault(deployment, origin_untouched):
    deployment.change_template("edge", "Action: lambda:InvokeFunctionUrl", "Action: lambda:GetFunctionUrlConfig")
    with deployment.running() as (gateway, server):
        device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
        with refused(device, 500, "InternalError") as told:
            device.initiate("k")
        assert any('"level":"error"' in line for line in server.log_lines(told[0].request_id))


def test_a_router_that_is_shown_no_body_completes_nothing(deployment, proxy):
    deployment.change_template("edge", "IncludeBody: true", "IncludeBody: false")
    with deployment.running() as (gateway, _):
        device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
        upload_id = device.initiate("k")
        with proxy.watching() as seen, refused(device, 500, "InternalError"):
            device.complete("k", upload_id, ['"0123456789abcdef0123456789abcdef"'])
        assert not seen
