"""What CloudFront or Lambda does by itself, whatever the gateway would rather do: each row of limits.json, asserted.

Where a common test cannot hold on CloudFront, the row names it, and the test here says what happens instead.
"""

import base64
import hashlib
import os
import time

import forms
import pytest

from cloudfront import Deployment
from devices import Oss2Device
from refusals import refused
from signed_urls import KeyPair
from stub_s3 import StubS3
from wire import Wire


def of_cloudfront(answer, status):
    """CloudFront's own page: no OSS document and no request id of the gateway's."""
    assert answer.status == status, answer
    assert answer.header("server") == "CloudFront"
    assert answer.header("x-oss-request-id") is None
    assert b"The request could not be satisfied" in answer.body


@pytest.mark.parametrize("body", [b"0\r\n\r\n", b"1\r\nx\r\n0\r\n\r\n"], ids=["empty", "a byte"])
def test_a_body_of_no_stated_length_is_411(wire, proxy, body):
    upload_id = wire.initiate("unsized")
    with proxy.watching() as seen:
        for query in ("", f"partNumber=1&uploadId={upload_id}"):
            headers = [*wire.sign("PUT", wire.resource("unsized", query)), ("Transfer-Encoding", "chunked")]
            answer = wire.send("PUT", wire.target("unsized", query), headers, body, length=False).check()
            assert (answer.status, answer.code) == (411, "MissingContentLength")
    assert not seen


def test_an_iterator_is_411(device, key, origin_untouched):
    with refused(device, 411, "MissingContentLength"):
        device.put(key, iter([b"a piece ", b"and another"]))


def test_oss2_stores_an_empty_object_without_its_crc(gateway, origin, key):
    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    with refused(device, 411, "MissingContentLength"):
        device.put(key, b"")
    device.bucket.enable_crc = False
    device.put(key, b"")
    assert origin.object(key).size == 0


def test_a_wrong_content_md5_is_400_with_another_code(device, origin, key):
    wrong = {"Content-MD5": base64.b64encode(hashlib.md5(b"as sent").digest()).decode()}
    upload_id = device.initiate(key)
    for call in (
        lambda: device.put(key, b"as received", wrong),
        lambda: device.upload_part(key, upload_id, 1, b"as received", wrong),
    ):
        with refused(device, 400, "InvalidArgument") as told:
            call()
        assert "Content-MD5" in told[0].message
    assert origin.object(key).status == 404


@pytest.mark.parametrize("scheme", forms.SCHEMES)
def test_a_form_is_501_and_says_where_it_is_taken(keys, gateway, wire, origin_untouched, scheme):
    grant = {"bucket": gateway.bucket, "operations": ["PostObject"]}
    credentials = keys.add(schemes=[scheme], grants=[grant])
    fields = forms.Signer(scheme, credentials, gateway.bucket).fields({"key": "a-form"})
    sent = forms.body(fields.items(), b"content")
    answer = wire.send("POST", f"/{gateway.bucket}/", [("Host", wire.host), forms.CONTENT_TYPE], sent).check()
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert "PutObject" in answer.error.findtext("Message")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_reading_request_with_a_body_is_403(wire, origin_untouched, method):
    headers = wire.sign(method, wire.resource("with-a-body"))
    answer = wire.send(method, wire.target("with-a-body"), [*headers, ("Content-Length", "1")], b"x", length=False)
    assert answer.status == 403
    assert answer.header("x-oss-request-id") is None


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "PURGE", "FOO"])
def test_a_method_that_cloudfront_lacks_is_403(wire, origin_untouched, method):
    of_cloudfront(wire.signed(method, "method"), 403)


def test_a_head_above_20_kb_is_413(wire, origin, origin_untouched):
    of_cloudfront(wire.put("large-head", [("X-Large", "x" * 20_480)]), 413)


def test_a_url_above_8_kb_is_413(wire, origin_untouched):
    of_cloudfront(wire.put("long-url/" + "k" * 8192), 413)


def test_a_host_that_the_distribution_does_not_have_is_403(wire, origin_untouched):
    headers = [("Host", "unknown.example.com"), *wire.sign("PUT", wire.resource("host"))[1:]]
    of_cloudfront(wire.send("PUT", wire.target("host"), headers, b"x"), 403)


def part_list(length):
    """A correct list of 10,000 parts that is this long, as some SDKs indent them."""
    part = "<Part><PartNumber>{}</PartNumber><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag></Part>\n"
    parts = "".join(part.format(number) for number in range(1, 10_001))
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
    return document.replace("<Part>", " " * ((length - len(document)) // 10_000) + "<Part>").encode()


def test_a_part_list_above_1_mb_is_400_and_says_so(wire, proxy):
    body = part_list(1_100_000)
    assert 1_000_000 < len(body) < 1_200_000
    upload_id = wire.initiate("many-parts")
    with proxy.watching() as seen:
        answer = wire.signed("POST", "many-parts", f"uploadId={upload_id}", body=body).check()
    assert not seen
    assert (answer.status, answer.code) == (400, "EntityTooLarge")
    assert "1 MB" in answer.error.findtext("Message")


@pytest.fixture(scope="module")
def impatient(servers, platform, tmp_path_factory):
    """A deployment that waits a second for S3, which a stub plays."""
    stub = StubS3()
    deployment = Deployment(servers.process, servers.ready, tmp_path_factory.mktemp("impatient"))
    deployment.change_template("edge", "OriginReadTimeout: 60", "OriginReadTimeout: 1")
    deployment.change_template("storage", "Timeout: 60", "Timeout: 2")
    deployment.config["origin"]["url"] = stub.url
    with deployment.running() as (gateway, server):
        yield Wire(gateway, platform), stub, server
    stub.close()


def test_an_s3_that_does_not_answer_in_time_is_504_for_object_bytes(impatient):
    wire, stub, server = impatient
    with stub.script(PutObject=[3.0, b""]):
        of_cloudfront(wire.put("slow"), 504)
    assert server.log_lines('"status":504')


def test_an_s3_that_joins_the_parts_for_longer_than_the_handler_may_wait_is_an_oss_error(impatient):
    wire, stub, _ = impatient
    upload_id = wire.initiate("slow")
    with stub.script(CompleteMultipartUpload=[4.0, b""]):
        answer = wire.signed("POST", "slow", f"uploadId={upload_id}", body=part_list(0)).check()
    assert (answer.status, answer.code) == (500, "InternalError")


@pytest.mark.parametrize("bad", ["hangs up", "cannot be reached"])
def test_an_s3_that_gives_no_answer_is_502_for_object_bytes_and_503_for_documents(impatient, bad):
    wire, stub, server = impatient
    with stub.script(PutObject=b"", InitiateMultipartUpload=b"") if bad == "hangs up" else stub.refusing_connections():
        of_cloudfront(wire.put("no-answer"), 502)
        assert server.log_lines('"status":502')
        answer = wire.signed("POST", "no-answer", "uploads").check()
        assert (answer.status, answer.code) == (503, "ServiceUnavailable")
        assert server.log_lines(answer.header("x-oss-request-id"), 4)
    assert wire.put("is-back").check().status == 200


if os.environ.get("CAUSEWAY_TEST_LONG"):

    def test_a_complete_that_takes_a_minute_is_503_before_lambda_ends_the_handler(
        servers, platform, tmp_path_factory
    ):
        stub = StubS3()
        deployment = Deployment(servers.process, servers.ready, tmp_path_factory.mktemp("patient"))
        deployment.config["origin"]["url"] = stub.url
        with deployment.running() as (gateway, _):
            wire = Wire(gateway, platform, patience=90)
            upload_id = wire.initiate("slow")
            with stub.script(CompleteMultipartUpload=[70.0, b""]):
                started = time.monotonic()
                answer = wire.signed("POST", "slow", f"uploadId={upload_id}", body=part_list(0)).check()
        assert (answer.status, answer.code) == (503, "ServiceUnavailable")
        assert 50 < time.monotonic() - started < 60
        stub.close()


def test_a_signed_url_or_cookie_is_400_that_names_it(wire, keys, gateway, origin_untouched, key):
    pair = KeyPair(keys, gateway.bucket)
    url = f"http://{wire.host}{wire.target(key)}"
    signed = pair.url(url).removeprefix(f"http://{wire.host}")
    cookies = "; ".join(f"{name}={value}" for name, value in pair.cookies(url).items())
    for target, headers, named in (
        (signed, [], "CloudFront signed URL"),
        (wire.target(key), [("Cookie", cookies)], "CloudFront signed cookies"),
    ):
        answer = wire.send("GET", target, [("Host", wire.host), *headers])
        assert (answer.status, named.encode() in answer.body) == (400, True), answer
