"""One request, several functions: what they log is found by the id that the device was answered with."""

import json

import pytest

from cloudfront import Deployment
from devices import Oss2Device
from wire import Wire

AUTHORIZER, ROUTER = "viewer-request-authorizer", "multipart-initiation-router"
HANDLER, ORIGIN_RESPONSE = "xmlns-response-handler", "xmlns-response-handler/origin-response"


@pytest.fixture(scope="module")
def logged(servers, platform, tmp_path_factory):
    """A deployment whose log is not made readable first."""
    with Deployment(servers.process, servers.ready, tmp_path_factory.mktemp("log")).running() as (gateway, server):
        yield gateway, Wire(gateway, platform), server


def lines_of(server, answer, count):
    found = server.log_lines(answer.header("x-oss-request-id"), count)
    return [json.loads(line) for line in found]


@pytest.mark.parametrize(
    ("method", "query", "operation", "functions"),
    [
        ("PUT", "", "PutObject", [AUTHORIZER, ROUTER, ORIGIN_RESPONSE]),
        ("PUT", "partNumber=1&uploadId={upload_id}", "UploadPart", [AUTHORIZER, ROUTER, ORIGIN_RESPONSE]),
        ("POST", "uploads", "InitiateMultipartUpload", [AUTHORIZER, ROUTER, HANDLER, ORIGIN_RESPONSE]),
        ("DELETE", "uploadId={upload_id}", "AbortMultipartUpload", [AUTHORIZER, ROUTER, HANDLER, ORIGIN_RESPONSE]),
    ],
)
def test_every_function_logs_the_id_of_the_answer(logged, method, query, operation, functions):
    _, wire, server = logged
    query = query.format(upload_id=wire.initiate("logged") if "{" in query else None)
    answer = wire.signed(method, "logged", query, body=b"x" if method == "PUT" else b"").check()
    lines = lines_of(server, answer, len(functions))
    assert sorted(line["function"] for line in lines) == sorted(functions)
    assert all(line["time"].endswith("Z") and line["milliseconds"] >= 0 for line in lines)
    assert {line["operation"] for line in lines} <= {operation, None}
    # What S3 calls the request stands where S3 was heard.
    assert [line["function"] for line in lines if line["origin_request_id"]] == [functions[2]]


def test_a_refusal_is_logged_once_with_its_reason(logged):
    _, wire, server = logged
    answer = wire.signed("GET", "logged").check()
    [line] = lines_of(server, answer, 1)
    assert (line["function"], line["status"], line["code"], line["level"]) == (AUTHORIZER, 403, "AccessDenied", "warn")
    assert line["reason"]


def test_no_function_logs_a_secret(logged, servers):
    gateway, wire, server = logged
    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    url = device.presigned_put("logged", 60)
    device.bucket.put_object_with_url(url, b"x")
    headers = wire.sign("POST", wire.resource("logged", "uploads"), [("x-oss-meta-a", "1")])
    answer = wire.send("POST", wire.target("logged", "uploads"), headers, b"").check()
    lines_of(server, answer, 4)
    secrets = [
        gateway.credentials.access_key_secret,
        url.partition("Signature=")[2].partition("&")[0],
        dict(headers)["Authorization"].rpartition(":")[2],
        servers.ready["origin"]["secret_access_key"],
        Deployment(servers.process, servers.ready, server.scratch).config["secrets"]["passport"]["secret"],
    ]
    log = server.log()
    assert not [secret for secret in secrets if secret in log]
    assert not [word for word in ("AWS4-HMAC", "x-causeway-passport", "SessionToken") if word in log]
