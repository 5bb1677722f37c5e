"""Attack cases B, F, L, N, O and X on headers and framing, byte by byte."""

import base64
import hashlib
from email.utils import formatdate

import pytest

# What a PutObject without extras is made of at the origin, beside what the platform itself adds. The type is OSS's
# default, which is not S3's.
SIGV4 = {"authorization", "host", "x-amz-content-sha256", "x-amz-date"}
PLAIN_PUT = {*SIGV4, "content-length", "content-type"}

FULL_PUT = {
    "Content-Type": ("content-type", "text/plain"),
    "Content-MD5": ("content-md5", base64.b64encode(hashlib.md5(b"x").digest()).decode()),
    "Cache-Control": ("cache-control", "max-age=1"),
    "Content-Disposition": ("content-disposition", "inline"),
    "Content-Encoding": ("content-encoding", "gzip"),
    "Content-Language": ("content-language", "en"),
    "Expires": ("expires", "Wed, 01 May 2030 12:00:00 GMT"),
    "x-oss-meta-a": ("x-amz-meta-a", "1"),
    "x-oss-meta-b-c": ("x-amz-meta-b-c", "2"),
    "x-oss-storage-class": ("x-amz-storage-class", "STANDARD"),
    "x-oss-tagging": ("x-amz-tagging", "k=v"),
    "x-oss-forbid-overwrite": ("if-none-match", "*"),
}
OSS_VALUES = {"x-oss-storage-class": "Standard", "x-oss-forbid-overwrite": "true"}


@pytest.fixture
def names(platform):
    """The names of the header lines of a request with object bytes, without the platform's own."""

    def names_of(request) -> list[str]:
        return [name for name in request.header_names if name not in platform.stream_headers]

    return names_of


def test_the_outbound_header_set_of_a_plain_put_is_exactly_the_tables(wire, proxy, names):
    with proxy.watching() as seen:
        assert wire.put("headers/plain").check().status == 200
    assert names(seen[0]) == sorted(PLAIN_PUT)
    assert seen[0].header("accept-encoding") in (None, "identity")
    assert seen[0].header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"


def test_the_outbound_header_set_of_a_full_put_is_exactly_the_tables(wire, proxy, names, key):
    headers = [(oss, OSS_VALUES.get(oss, value)) for oss, (_, value) in FULL_PUT.items()]
    with proxy.watching() as seen:
        assert wire.put(key, headers).check().status == 200
    assert names(seen[0]) == sorted({*PLAIN_PUT, *(s3 for s3, _ in FULL_PUT.values())})
    for s3, value in FULL_PUT.values():
        assert seen[0].header(s3) == value


@pytest.mark.parametrize("operation", ["initiate", "part", "complete", "abort"])
def test_the_outbound_header_set_of_a_multipart_call_holds_nothing_of_the_clients(wire, proxy, platform, operation):
    own = {"content-length", "content-type", "content-md5", *SIGV4}
    added = platform.stream_headers if operation == "part" else platform.document_headers
    if operation == "initiate":
        added = added | {"x-amz-meta-causeway-upload"}
    strange = [("User-Agent", "device/1"), ("X-Custom", "custom"), ("Cookie", "a=b"), ("Referer", "http://a/")]
    upload_id = wire.initiate("headers/multipart")
    etag = wire.signed("PUT", "headers/multipart", f"partNumber=1&uploadId={upload_id}", body=b"x").header("etag")
    document = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    method, query, body = {
        "initiate": ("POST", "uploads", b""),
        "part": ("PUT", f"partNumber=1&uploadId={upload_id}", b"x"),
        "complete": ("POST", f"uploadId={upload_id}", document.encode()),
        "abort": ("DELETE", f"uploadId={upload_id}", b""),
    }[operation]
    with proxy.watching() as seen:
        assert wire.signed(method, "headers/multipart", query, strange, body).check().status in (200, 204)
    assert seen
    for request in seen:
        # What is staged is listed past every cache.
        past_caches = {"cache-control", "pragma"} if platform.past_caches and request.method == "GET" else set()
        # A part that is staged alone is copied into its upload.
        copies = operation == "complete" and request.method == "PUT"
        copied = {"x-amz-copy-source", "x-amz-copy-source-if-match"} if copies else set()
        assert SIGV4 <= set(request.header_names) - added - past_caches - copied <= own
        assert not [value for _, value in request.headers if value in dict(strange).values()]


INJECTED = [
    "x-amz-copy-source",
    "x-amz-acl",
    "x-amz-tagging",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-meta-injected",
    "x-amz-object-lock-mode",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-security-token",
    "x-amz-mfa",
    "x-amz-bypass-governance-retention",
    "x-amz-expected-bucket-owner",
    "x-amz-decoded-content-length",
    "x-amz-trailer",
    "x-amz-grant-read",
    "x-amz-date",
    "x-causeway-passport",
    "x-causeway-anything",
    "x-forwarded-host",
    "x-http-method-override",
    "cf-connecting-ip",
    "if-match",
    "if-modified-since",
    "range",
    "cookie",
    "referer",
    "user-agent",
    "origin",
    "te",
    "upgrade-insecure-requests",
]


@pytest.mark.parametrize("name", INJECTED)
def test_O04_a_header_of_no_table_never_reaches_the_origin(wire, proxy, names, name):
    with proxy.watching() as seen:
        answer = wire.put("o04", [(name, "/devices/injected")]).check()
    assert answer.status in (200, 400, 403), answer
    for request in seen:
        assert names(request) == sorted(PLAIN_PUT)
        assert not [value for _, value in request.headers if "injected" in value]


def test_O04_a_streaming_marker_of_s3_is_not_believed(wire, proxy):
    marker = [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("x-amz-decoded-content-length", "1")]
    with proxy.watching() as seen:
        answer = wire.put("o04", marker).check()
    assert answer.status in (200, 400), answer
    for request in seen:
        assert request.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"


@pytest.mark.parametrize("header", ["x-oss-symlink-target", "x-oss-process", "x-oss-server-side-data-encryption"])
def test_O05_a_header_that_changes_what_a_put_means_is_never_ignored(wire, proxy, header):
    with proxy.watching() as seen:
        answer = wire.put("o05", [(header, "SM4")]).check()
    assert answer.status in (400, 403, 501), answer
    assert not seen


REPEATED = {
    "Authorization": lambda wire, headers: [*headers, ("Authorization", "OSS other:AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
    "Authorization, same": lambda wire, headers: [*headers, next(h for h in headers if h[0] == "Authorization")],
    "Authorization, Basic": lambda wire, headers: [*headers, ("Authorization", "Basic YTpi")],
    "Date": lambda wire, headers: [*headers, ("Date", "Wed, 01 May 2024 12:34:56 GMT")],
    "Content-Type": lambda wire, headers: [*headers, ("Content-Type", "text/html")],
    "Content-MD5": lambda wire, headers: [*headers, ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")],
    "x-oss-date": lambda wire, headers: [*headers, ("x-oss-date", "Wed, 01 May 2024 12:34:56 GMT")],
    "Host": lambda wire, headers: [*headers, ("Host", "upload.example.com")],
}


@pytest.mark.parametrize("repeat", REPEATED.values(), ids=REPEATED)
def test_B09_a_single_valued_header_given_twice_is_400(wire, proxy, repeat):
    own = [("Content-Type", "text/plain"), ("Content-MD5", FULL_PUT["Content-MD5"][1])]
    own.append(("x-oss-date", formatdate(usegmt=True)))
    headers = wire.sign("PUT", wire.resource("b09"), own)
    with proxy.watching() as seen:
        answer = wire.send("PUT", wire.target("b09"), repeat(wire, headers), b"x")
    assert answer.status == 400, answer
    assert not seen


def test_B10_a_metadata_header_on_two_lines_is_signed_joined_and_forwarded_as_one(wire, proxy):
    headers = wire.sign("PUT", wire.resource("b10"), [("x-oss-meta-list", "one,two")])
    lines = [header for header in headers if header[0] != "x-oss-meta-list"]
    lines += [("x-oss-meta-list", "one"), ("x-oss-meta-list", "two")]
    with proxy.watching() as seen:
        assert wire.send("PUT", wire.target("b10"), lines, b"x").check().status == 200
    assert seen[0].header("x-amz-meta-list") == "one,two"


def test_B11_inner_blanks_of_a_signed_value_are_kept(wire, proxy):
    with proxy.watching() as seen:
        assert wire.put("b11", [("x-oss-meta-blanks", "a   b  c")]).check().status == 200
    assert seen[0].header("x-amz-meta-blanks") == "a   b  c"


@pytest.mark.parametrize("value", [b"\xff\xfe", b"caf\xe9", b"\xc0\xaf"])
def test_B_metadata_that_is_not_utf_8_is_refused_with_a_reason(wire, proxy, value):
    with proxy.watching() as seen:
        answer = wire.put("b-bytes", [("x-oss-meta-name", value)]).check()
    assert answer.status in (400, 403), answer
    assert not seen


def test_B_metadata_in_utf_8_is_an_encoded_word_at_the_origin(wire, proxy):
    with proxy.watching() as seen:
        assert wire.put("b-utf8", [("x-oss-meta-name", "设备")]).check().status == 200
    assert seen[0].header("x-amz-meta-name") == "=?UTF-8?B?" + base64.b64encode("设备".encode()).decode() + "?="


@pytest.mark.parametrize("line", [b" folded", b"\tfolded", b"x-oss-meta-a: b\0c", b"no colon", b": no name", b"a b: c"])
def test_B12_a_broken_header_line_is_400(wire, proxy, line):
    headers = wire.sign("PUT", wire.resource("b12"))
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers)
    request = f"PUT {wire.target('b12')} HTTP/1.1\r\n".encode() + head + line + b"\r\nContent-Length: 1\r\n\r\nx"
    with proxy.watching() as seen:
        answer = wire.raw(request)
    assert 400 <= answer.status < 500, answer
    assert not seen


def test_F11_a_chunked_body_arrives_with_its_length(wire, proxy):
    headers = [*wire.sign("PUT", wire.resource("f11")), ("Transfer-Encoding", "chunked")]
    with proxy.watching() as seen:
        answer = wire.send("PUT", wire.target("f11"), headers, b"1\r\nx\r\n0\r\n\r\n", length=False).check()
    assert answer.status == 200, answer
    assert (seen[0].framing, seen[0].header("content-length"), len(seen)) == ("content-length", "1", 1)


def test_F11_a_put_that_announces_no_body_at_all_is_411_or_empty(wire, proxy):
    headers = wire.sign("PUT", wire.resource("f11-none"))
    with proxy.watching() as seen:
        answer = wire.send("PUT", wire.target("f11-none"), headers, length=False).check()
    assert answer.status in (200, 411), answer
    assert [request.header("content-length") for request in seen] == (["0"] if answer.status == 200 else [])


def test_F11_an_empty_chunked_put_is_an_empty_object(wire, proxy):
    headers = [*wire.sign("PUT", wire.resource("f11-empty")), ("Transfer-Encoding", "chunked")]
    with proxy.watching() as seen:
        answer = wire.send("PUT", wire.target("f11-empty"), headers, b"0\r\n\r\n", length=False).check()
    assert answer.status == 200, answer
    assert (seen[0].framing, seen[0].header("content-length")) == ("content-length", "0")


def test_F11_an_empty_chunked_initiate_is_accepted(wire, proxy):
    headers = [*wire.sign("POST", wire.resource("f11", "uploads")), ("Transfer-Encoding", "chunked")]
    with proxy.watching() as seen:
        answer = wire.send("POST", wire.target("f11", "uploads"), headers, b"0\r\n\r\n", length=False).check()
    assert answer.status == 200, answer
    assert seen[0].body_length == 0


def test_F12_a_body_declared_aws_chunked_is_refused(wire, proxy):
    with proxy.watching() as seen:
        answer = wire.put("f12", [("Content-Encoding", "aws-chunked")]).check()
    assert answer.status == 400, answer
    assert not seen


def test_F10_a_content_md5_of_other_bytes_stores_nothing(wire, origin):
    answer = wire.put("f10", [("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")]).check()
    assert (answer.status, answer.code) == (400, "InvalidDigest")
    assert origin.object("f10").status == 404


def test_O19_expect_is_not_forwarded(wire, proxy, names):
    with proxy.watching() as seen:
        assert wire.put("o19", [("Expect", "100-continue")]).check().status == 200
    assert names(seen[0]) == sorted(PLAIN_PUT)


def test_O12_a_content_type_keeps_its_case_and_parameters(wire, proxy):
    with proxy.watching() as seen:
        assert wire.put("o12", [("Content-Type", "Text/Plain;Charset=UTF-8")]).check().status == 200
    assert seen[0].header("content-type") == "Text/Plain;Charset=UTF-8"


def test_O12_no_content_type_is_osss_default_at_the_origin(wire, proxy):
    with proxy.watching() as seen:
        assert wire.put("o12-none.txt").check().status == 200
    assert seen[0].header("content-type") == "application/octet-stream"


@pytest.mark.parametrize("value", ["/devices/key", "http://a/\tb"])
def test_L05_every_answer_has_its_ids_and_nothing_of_the_origin(wire, platform, value):
    aborts = [f"uploadId={upload_id}" for upload_id in ("U", wire.initiate("l05"))]
    asked = [("PUT", ""), ("POST", "uploads"), ("GET", ""), ("GET", "acl"), *(("DELETE", query) for query in aborts)]
    for method, query in asked:
        answer = wire.signed(method, "l05", query, [("x-oss-meta-a", value)], b"x" if method == "PUT" else b"").check()
        assert not answer.header_names & {"x-powered-by", "via"}
        assert answer.header("server") in (None, "AliyunOSS", platform.server)


def test_L03_an_error_never_shows_the_right_signature(wire, proxy):
    headers = wire.sign("PUT", wire.resource("l03"))
    right = dict(headers)["Authorization"].rpartition(":")[2]
    wrong = [(name, "OSS LTAIwrong:" + right if name == "Authorization" else value) for name, value in headers]
    tampered = [*headers, ("x-oss-meta-a", "added after signing")]
    for sent in (wrong, tampered):
        answer = wire.send("PUT", wire.target("l03"), sent, b"x").check()
        assert answer.status == 403
    expected = wire.signature(
        "PUT", wire.resource("l03"), [("x-oss-meta-a", "added after signing")], dict(headers)["Date"]
    )
    assert expected.encode() not in answer.body


def test_X_an_answer_to_head_carries_its_error_in_a_header(wire, proxy):
    with proxy.watching() as seen:
        answer = wire.signed("HEAD", "head").check()
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert answer.body == b""
    assert not seen


FRAMING = {
    "N02 two lengths": b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "N02 a list of lengths": b"Content-Length: 1, 1\r\n\r\nx",
    "N02 a negative length": b"Content-Length: -1\r\n\r\nx",
    "N02 a length with a sign": b"Content-Length: +1\r\n\r\nx",
    "N03 xchunked": b"Transfer-Encoding: xchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "N03 chunked twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "N03 identity, chunked": b"Transfer-Encoding: identity, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "N03 gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("framing", FRAMING.values(), ids=FRAMING)
def test_N_ambiguous_framing_is_refused_and_the_gateway_goes_on(wire, proxy, framing):
    headers = wire.sign("PUT", wire.resource("n"))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    with proxy.watching() as seen:
        answer = wire.raw(f"PUT {wire.target('n')} HTTP/1.1\r\n{head}".encode() + framing)
    assert 400 <= answer.status < 500, answer
    assert not seen
    assert wire.put("n").check().status == 200


def test_N01_both_framings_are_refused_or_chunks_and_the_end_of_the_connection(wire, proxy):
    headers = wire.sign("PUT", wire.resource("n01"))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers).encode()
    framed = b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n"
    with proxy.watching() as seen:
        answer = wire.raw(f"PUT {wire.target('n01')} HTTP/1.1\r\n".encode() + head + framed)
    if answer.status == 200:
        assert (answer.header("connection"), [request.body_length for request in seen]) == ("close", [3])
    else:
        assert (400 <= answer.status < 500, seen) == (True, [])


@pytest.mark.parametrize("extra", [("X-Big", "x" * 20_000), ("x-oss-meta-big", "y" * 20_000)])
def test_N05_a_large_header_is_answered_quickly_and_cleanly(wire, extra):
    assert wire.put("n05", [extra]).status in (200, 400, 403, 413, 431)


def test_N05_a_thousand_headers_are_answered_cleanly(wire):
    assert wire.put("n05", [(f"x-oss-meta-{number}", "v") for number in range(1000)]).status in (200, 400, 413, 431)


def test_N05_a_long_target_is_answered_cleanly(wire):
    assert wire.put("n05/" + "k" * 16_384).status in (400, 413, 414, 431)
