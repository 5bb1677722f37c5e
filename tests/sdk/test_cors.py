"""Pages of other origins, byte by byte: what a preflight is told, and which answers a page may read.

causeway.dev.toml has the rules. Attack cases L05, X05 and X06.
"""

from __future__ import annotations

import pytest

SITE = "http://site.causeway.test"
STRANGER = "http://stranger.causeway.test"
CORS = "access-control-"


def told(answer) -> dict[str, str]:
    """The headers of CORS of an answer, and Vary; none of them twice."""
    own = [(name.lower(), value) for name, value in answer.headers if name.lower().startswith((CORS, "vary"))]
    assert len(dict(own)) == len(own), own
    return dict(own)


def assert_shared(answer, origin: str = SITE, request_id: str = "x-oss-request-id") -> None:
    """A page of `origin` may read the answer, its ETag and its request id."""
    headers = told(answer)
    assert set(headers) == {CORS + "allow-origin", CORS + "expose-headers", "vary"}, headers
    assert (headers[CORS + "allow-origin"], headers["vary"]) == (origin, "Origin")
    exposed = headers[CORS + "expose-headers"].split(", ")
    assert {"ETag", request_id, "x-oss-meta-note"} <= set(exposed), exposed


@pytest.fixture
def preflight(wire):
    """Asks whether a page of `origin` may send a request; nothing is signed."""

    def ask(origin: str, target: str, method: str = "PUT", headers: str | None = None, host: str | None = None):
        lines = [("Host", host or wire.host), ("Origin", origin), ("Access-Control-Request-Method", method)]
        if headers is not None:
            lines.append(("Access-Control-Request-Headers", headers))
        return wire.send("OPTIONS", target, lines)

    return ask


@pytest.fixture
def resigned(gateway, reader, wire):
    """Sends a request with the signature of a key that may upload and read, from a page of `origin`."""

    def send(method: str, key: str, origin: str | None, query: str = "", body: bytes = b"", **options):
        lines = [] if origin is None else [("Origin", origin)]
        headers = wire.sign(method, wire.resource(key, query), lines)
        signature = wire.signature(method, wire.resource(key, query), lines, dict(headers)["Date"], reader)
        headers = [(n, f"OSS {reader.access_key_id}:{signature}" if n == "Authorization" else v) for n, v in headers]
        return wire.send(method, wire.target(key, query), headers, body, **options)

    return send


@pytest.mark.usefixtures("origin_untouched")
def test_a_preflight_is_answered_without_a_signature(preflight, wire):
    answer = preflight(SITE, wire.target("a b"), headers="Authorization,content-type, x-oss-meta-note")
    assert (answer.status, answer.body) == (200, b"")
    assert told(answer) == {
        CORS + "allow-origin": SITE,
        CORS + "allow-methods": "GET, HEAD, PUT, POST, DELETE",
        CORS + "allow-headers": "Authorization,content-type, x-oss-meta-note",
        CORS + "max-age": "60",
        "vary": "Origin",
    }
    answer.check()
    app = preflight("https://a-1.apps.causeway.test", wire.target("k"), "DELETE")
    assert told(app)[CORS + "allow-origin"] == "https://a-1.apps.causeway.test"
    anybody = preflight(STRANGER, wire.target("k"), "HEAD")
    assert (anybody.status, told(anybody)[CORS + "allow-origin"]) == (200, "*")


@pytest.mark.usefixtures("origin_untouched")
def test_a_preflight_is_answered_on_every_host_of_the_bucket(preflight, gateway):
    for host in (gateway.virtual_host, gateway.cname_host, gateway.unsigned_host):
        answer = preflight(SITE, "/k", host=f"{host}:{gateway.port}")
        assert (answer.status, told(answer)[CORS + "allow-origin"]) == (200, SITE), host


@pytest.mark.usefixtures("origin_untouched")
@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        (STRANGER, "PUT", None),
        (STRANGER, "HEAD", "x-oss-meta-note"),
        ("null", "GET", None),
        (SITE, "PATCH", None),
        (SITE, "get", None),
        (SITE, "PUT", "a/b"),
        (SITE + ".evil.example", "PUT", None),
        ("https://a.b.apps.causeway.test", "PUT", None),
        ("https://apps.causeway.test", "PUT", None),
        (f"{SITE}, {STRANGER}", "PUT", None),
    ],
)
def test_a_preflight_that_no_rule_matches_is_refused(preflight, wire, origin, method, headers):
    answer = preflight(origin, wire.target("k"), method, headers).check()
    assert (answer.status, answer.code, told(answer)) == (403, "AccessForbidden", {})
    assert answer.element("Message").startswith("CORSResponse: "), answer.body


@pytest.mark.usefixtures("origin_untouched")
def test_l05_a_preflight_does_not_tell_which_buckets_there_are(preflight, wire, gateway):
    def words(answer) -> tuple:
        own = [(name.lower(), value) for name, value in answer.headers]
        changing = {"date", "x-oss-request-id"} | answer.platform.answer_headers
        document = {element.tag: element.text for element in answer.error if element.tag != "RequestId"}
        return answer.status, sorted(pair for pair in own if pair[0] not in changing), document

    refused = words(preflight(STRANGER, wire.target("k")))
    assert refused[0] == 403
    for target in ("/nobody-s-bucket/k", "/", "/ab/"):
        assert words(preflight(SITE, target)) == refused, target


@pytest.mark.usefixtures("origin_untouched")
def test_options_that_is_no_preflight_is_refused_as_nobody_s(wire):
    for lines in ([], [("Origin", SITE)], [("Access-Control-Request-Method", "PUT")]):
        answer = wire.send("OPTIONS", wire.target("k"), [("Host", wire.host), *lines]).check()
        assert (answer.status, answer.code, told(answer)) == (403, "AccessDenied", {})


def test_a_page_may_read_answers_of_every_kind(resigned, key):
    """Object bytes, documents, and errors: of the gateway's own and of S3's."""
    put = resigned("PUT", key, SITE, body=b"x" * 1000).check()
    got = resigned("GET", key, SITE).check()
    headed = resigned("HEAD", key, SITE).check()
    assert [answer.status for answer in (put, got, headed)] == [200, 200, 200]
    assert got.body == b"x" * 1000
    initiated = resigned("POST", key, SITE, "uploads").check()
    assert initiated.status == 200
    upload_id = initiated.element("UploadId")
    part = resigned("PUT", key, SITE, f"partNumber=1&uploadId={upload_id}", b"x")
    aborted = resigned("DELETE", key, SITE, f"uploadId={upload_id}")
    assert (part.status, aborted.status) == (200, 204)
    missing = resigned("GET", key + "/missing", SITE).check()
    late = resigned("DELETE", key, SITE, "uploadId=AAAA").check()
    assert (missing.status, late.status) == (404, 404)
    for answer in (put, got, headed, initiated, part, aborted, missing, late):
        assert_shared(answer)


def test_a_page_may_read_refusals_before_and_behind_the_signature(wire, resigned, key):
    unsigned = wire.send("PUT", wire.target(key), [("Host", wire.host), ("Origin", SITE)], b"x").check()
    wrong = wire.sign("PUT", wire.resource("another"), [("Origin", SITE)])
    mismatch = wire.send("PUT", wire.target(key), wrong, b"x").check()
    forbidden = resigned("DELETE", key, SITE).check()
    assert [answer.status for answer in (unsigned, mismatch, forbidden)] == [403, 403, 403]
    for answer in (unsigned, mismatch, forbidden):
        assert_shared(answer)
    nowhere = wire.send("PUT", "/nobody-s-bucket/k", [("Host", wire.host), ("Origin", SITE)], b"x").check()
    assert (nowhere.status, told(nowhere)) == (403, {})


def test_x06_a_page_that_is_not_listed_reads_nothing_though_its_signature_counts(resigned, key):
    for origin in (STRANGER, "null", SITE + ".evil.example", SITE.upper(), f"{SITE} {STRANGER}", "*", None):
        put = resigned("PUT", key, origin, body=b"x").check()
        got = resigned("GET", key, origin).check()
        missing = resigned("GET", key + "/missing", origin).check()
        initiated = resigned("POST", key, origin, "uploads").check()
        # Origin is no part of what is permitted.
        assert [answer.status for answer in (put, got, missing, initiated)] == [200, 200, 404, 200], origin
        assert [told(answer) for answer in (put, got, missing, initiated)] == [{}] * 4, origin
        anybody = resigned("HEAD", key, origin)
        assert told(anybody).get(CORS + "allow-origin") == (None if origin is None else "*"), origin


def test_x06_credentials_are_never_allowed_nor_an_origin_repeated_that_is_not_listed(preflight, wire, resigned, key):
    answers = [preflight(origin, wire.target(key), method) for origin in (SITE, STRANGER) for method in ("PUT", "HEAD")]
    answers += [resigned("PUT", key, origin, body=b"x") for origin in (SITE, STRANGER)]
    answers += [resigned("HEAD", key, origin) for origin in (SITE, STRANGER)]
    for answer in answers:
        headers = told(answer)
        assert CORS + "allow-credentials" not in headers
        assert headers.get(CORS + "allow-origin") in (None, SITE, "*")


@pytest.mark.usefixtures("origin_untouched")
def test_x05_nothing_of_a_preflight_makes_a_header_of_its_own(preflight, wire):
    for text in ("x-a\tx-b", "x-a: x-b", 'x-a"', "x-\u00e9", "x-a%0d%0aset-cookie: a=b", "(x)", "x/a", "x" * 4097):
        assert preflight(SITE, wire.target("k"), headers=text).status == 403, text
    for origin in (SITE + "\t", f"{SITE}%0d%0aset-cookie:a=b", SITE + "\u00e9"):
        answer = preflight(origin, wire.target("k"))
        # A blank at the end is none of a header's value.
        assert told(answer).get(CORS + "allow-origin") in (None, SITE), origin
        assert "set-cookie" not in answer.header_names


def test_the_origin_of_a_page_goes_no_further_than_cors_needs_it(resigned, proxy, platform, key):
    """The Worker sends S3 none; on CloudFront it goes along where a rule allows it, for the last function to see."""
    with proxy.watching() as seen:
        resigned("PUT", key, SITE, body=b"x").check()
        resigned("PUT", key, STRANGER, body=b"x").check()
    along = [request.header("origin") for request in seen]
    assert along == [SITE if platform.passes_origin else None, None]
    assert not [name for request in seen for name in request.header_names if name.startswith("x-causeway")]
