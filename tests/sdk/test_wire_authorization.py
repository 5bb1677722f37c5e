"""Attack cases C, D, E and O on time, scheme and signature, byte by byte."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate
from urllib.parse import quote

import pytest


def dated(wire, key, date, header="Date", **options):
    return wire.put(key, [(header, date)], **options).check()


@pytest.mark.parametrize("seconds", [-890, -60, 60, 890])
def test_C01_a_date_inside_the_window_is_accepted(wire, seconds):
    assert dated(wire, "c01", formatdate(time.time() + seconds, usegmt=True)).status == 200


@pytest.mark.parametrize("seconds", [-910, -3600, -86400, 910, 960, 86400, 315_360_000])
def test_C02_a_date_outside_the_window_is_skewed_both_ways(wire, seconds, origin_untouched):
    answer = dated(wire, "c02", formatdate(time.time() + seconds, usegmt=True))
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed")


def test_C03_no_date_is_denied(wire, origin_untouched):
    headers = [header for header in wire.sign("PUT", wire.resource("c03"), slot="") if header[0] != "Date"]
    answer = wire.send("PUT", wire.target("c03"), headers, b"x").check()
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_C04_a_fresh_date_does_not_help_a_stale_signed_one(wire, origin_untouched):
    stale = formatdate(time.time() - 3600, usegmt=True)
    fresh = formatdate(usegmt=True)
    answer = wire.put("c04", [("x-oss-date", stale), ("Date", fresh)], slot=stale).check()
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed")


def test_O21_the_date_slot_may_hold_either_date(wire):
    now, other = formatdate(usegmt=True), formatdate(time.time() - 5, usegmt=True)
    for slot in (now, other):
        assert wire.put("o21", [("x-oss-date", now), ("Date", other)], slot=slot).check().status == 200


IMPOSSIBLE_DATES = [
    "",
    "now",
    "0",
    "1700000000",
    "Wed, 31 Feb 2024 12:34:56 GMT",
    "Wed, 01 Mai 2024 12:34:56 GMT",
    "Wed, 01 May 2024 24:00:00 GMT",
    "Wed, 01 May 2024 12:34:61 GMT",
    "Wed, 01 May 24 12:34:56 GMT",
    "Wed, 01 May 9999 12:34:56 GMT",
    "Thu, 01 Jan 1969 00:00:00 GMT",
    "Wed, 01 May -2024 12:34:56 GMT",
    "Wed, 01 May 99999999999999999999 12:34:56 GMT",
    "٠١",
    "2024-05-01T12:34:56Z",
]


@pytest.mark.parametrize("date", IMPOSSIBLE_DATES)
def test_C05_an_impossible_date_never_means_no_expiry(wire, date, origin_untouched):
    assert dated(wire, "c05", date).status in (400, 403)


SCHEMES = [
    "",
    " ",
    "OSS",
    "OSS ",
    "OSS :",
    "OSS id",
    "OSS id:",
    "OSS :AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "OSS id:not-base64!",
    "OSS id:AAAA",
    "OSS id:AAAAAAAAAAAAAAAAAAAAAAAAAAA=AAAA",
    "OSS id:AAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "oss {id}:{signature}",
    "Oss {id}:{signature}",
    "OSS\t{id}:{signature}",
    "OSS  {id}:{signature}",
    "OSS {id}:{signature} ",
    "OSS {id}:{signature},",
    "AWS {id}:{signature}",
    "OSS2 {id}:{signature}",
    "OSS2 AccessKeyId:{id},Signature:{signature}",
    "OSS4-HMAC-SHA256 {id}:{signature}",
    "OSS4-HMAC-SHA256 Credential={id}/20240501/cn-hangzhou/oss/aliyun_v4_request,Signature=00",
    "AWS4-HMAC-SHA256 Credential={id}/20240501/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
    "AWS4-ECDSA-P256-SHA256 Credential={id}",
    "Bearer {signature}",
    "Basic YTpi",
    "Digest username=a",
    "OSS a=b:c,d:{signature}",
    "OSS " + "k" * 10_000 + ":{signature}",
    "OSS ../../etc:{signature}",
    "OSS a/b:{signature}",
    "OSS %00:{signature}",
    "OSS ключ:{signature}",
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=[scheme[:40] for scheme in SCHEMES])
def test_D09_an_authorization_that_is_not_v1_is_cleanly_refused(wire, scheme, proxy):
    key_id, signature = dict(wire.sign("PUT", wire.resource("d09")))["Authorization"][4:].split(":")
    headers = [
        (name, scheme.replace("{id}", key_id).replace("{signature}", signature) if name == "Authorization" else value)
        for name, value in wire.sign("PUT", wire.resource("d09"))
    ]
    with proxy.watching() as seen:
        answer = wire.send("PUT", wire.target("d09"), headers, b"x").check(s3=scheme.startswith("AWS"))
    # A blank at the line's end is the line's, not the value's: that one is the honest request.
    honest = scheme == "OSS {id}:{signature} "
    assert answer.status == 200 if honest else 400 <= answer.status < 500, answer
    assert len(seen) == honest


def test_D15_no_authorization_at_all_is_denied(wire, origin_untouched):
    answer = wire.send("PUT", wire.target("d15"), [("Host", wire.host)], b"x").check()
    assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("PUT", "", b"x"),
        ("POST", "uploads", b""),
        ("PUT", "partNumber=1&uploadId=U", b"x"),
        ("POST", "uploadId=U", b"<CompleteMultipartUpload/>"),
        ("DELETE", "uploadId=U", b""),
        ("GET", "", b""),
        ("HEAD", "", b""),
    ],
)
def test_D03_a_bad_signature_is_403_for_every_operation(wire, method, query, body, origin_untouched):
    headers = wire.sign(method, wire.resource("another-key", query))
    answer = wire.send(method, wire.target("d03", query), headers, body).check()
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


TAMPERED = {
    "method": lambda method, target, headers: ("POST", target, headers),
    "key": lambda method, target, headers: (method, target + "x", headers),
    "sub-resource": lambda method, target, headers: (method, target + "?uploads", headers),
    "added metadata": lambda method, target, headers: (method, target, [*headers, ("x-oss-meta-z", "1")]),
    "changed metadata": lambda method, target, headers: (
        method,
        target,
        [(name, "2" if name == "x-oss-meta-a" else value) for name, value in headers],
    ),
    "dropped metadata": lambda method, target, headers: (
        method,
        target,
        [h for h in headers if h[0] != "x-oss-meta-a"],
    ),
    "added type": lambda method, target, headers: (method, target, [*headers, ("Content-Type", "text/html")]),
    "added digest": lambda method, target, headers: (
        method,
        target,
        [*headers, ("Content-MD5", "nxm2r6YyaTCUhXEqAyVXWg==")],
    ),
    "added token": lambda method, target, headers: (method, target, [*headers, ("x-oss-security-token", "t")]),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_D_what_is_changed_after_signing_is_refused(wire, tamper, origin_untouched):
    headers = wire.sign("PUT", wire.resource("tampered"), [("x-oss-meta-a", "1")])
    method, target, headers = tamper("PUT", wire.target("tampered"), headers)
    answer = wire.send(method, target, headers, b"x").check()
    assert answer.status == 403, answer


def presigned(wire, method, key, expires, query=""):
    """The query of a V1 presigned URL."""
    signature = wire.signature(method, wire.resource(key, query), [], str(expires))
    key_id = dict(wire.sign(method, wire.resource(key)))["Authorization"][4:].split(":")[0]
    own = f"OSSAccessKeyId={key_id}&Expires={quote(str(expires))}&Signature={quote(signature, safe='')}"
    return f"{query}&{own}" if query else own


def put_presigned(wire, query, headers=(), method="PUT", key="presigned", *, s3=False):
    # CloudFront answers a GET with a body by itself.
    body = b"x" if method in ("PUT", "POST") else b""
    return wire.send(method, wire.target(key, query), [("Host", wire.host), *headers], body).check(s3=s3)


def test_E_a_presigned_put_is_accepted_without_any_header(wire):
    assert put_presigned(wire, presigned(wire, "PUT", "presigned", int(time.time()) + 60)).status == 200


@pytest.mark.parametrize(
    "added", ["acl", "uploads", "versionId=1", "partNumber=1&uploadId=U", "response-content-type=a"]
)
def test_E02_a_sub_resource_added_to_a_presigned_url_is_refused(wire, added, origin_untouched):
    query = presigned(wire, "PUT", "presigned", int(time.time()) + 60)
    assert put_presigned(wire, f"{query}&{added}").status in (400, 403)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_E03_a_presigned_put_allows_no_other_method(wire, method, origin_untouched):
    query = presigned(wire, "PUT", "presigned", int(time.time()) + 60)
    assert put_presigned(wire, query, method=method).status == 403


EXPIRY = [
    "",
    "0",
    "-1",
    "1",
    "0x7fffffff",
    "1.7e12",
    "4102444800.5",
    "+4102444800",
    " 4102444800",
    "٤١٠٢٤٤٤٨٠٠",
    "9" * 40,
]


@pytest.mark.parametrize("expires", EXPIRY)
def test_C09_an_expiry_that_is_past_or_not_a_number_is_refused(wire, expires, origin_untouched):
    assert put_presigned(wire, presigned(wire, "PUT", "presigned", expires)).status in (400, 403)


@pytest.mark.parametrize("missing", ["OSSAccessKeyId", "Expires", "Signature"])
def test_E05_a_presigned_url_with_a_parameter_missing_is_refused(wire, missing, origin_untouched):
    query = presigned(wire, "PUT", "presigned", int(time.time()) + 60)
    kept = "&".join(pair for pair in query.split("&") if not pair.startswith(missing + "="))
    assert put_presigned(wire, kept).status in (400, 403)


@pytest.mark.parametrize("repeated", ["OSSAccessKeyId", "Expires", "Signature"])
def test_E05_a_presigned_url_with_a_parameter_twice_is_400(wire, repeated, origin_untouched):
    query = presigned(wire, "PUT", "presigned", int(time.time()) + 60)
    again = next(pair for pair in query.split("&") if pair.startswith(repeated + "="))
    assert put_presigned(wire, f"{query}&{again}").status == 400


def test_D05_header_and_query_authorization_together_are_400(wire, origin_untouched):
    query = presigned(wire, "PUT", "presigned", int(time.time()) + 60)
    headers = wire.sign("PUT", wire.resource("presigned"))
    assert wire.send("PUT", wire.target("presigned", query), headers, b"x").check().status == 400


@pytest.mark.parametrize(
    "foreign", ["Basic YTpi", "Bearer token", "AWS4-HMAC-SHA256 Credential=a", "OSS4-HMAC-SHA256 a"]
)
def test_D05_a_presigned_url_with_a_foreign_authorization_is_refused(wire, foreign, origin_untouched):
    query = presigned(wire, "PUT", "presigned", int(time.time()) + 60)
    answer = put_presigned(wire, query, [("Authorization", foreign)], s3=foreign.startswith("AWS"))
    assert answer.status in (400, 403)


@pytest.mark.parametrize(
    "scheme", ["x-oss-signature-version=OSS2", "x-oss-signature-version=OSS4-HMAC-SHA256", "X-Amz-Signature=0"]
)
def test_D05_two_schemes_in_one_query_are_refused(wire, scheme, origin_untouched):
    query = presigned(wire, "PUT", "presigned", int(time.time()) + 60)
    assert put_presigned(wire, f"{query}&{scheme}", s3=scheme.startswith("X-Amz-")).status in (400, 403)


def test_C13_the_skew_error_carries_both_times(wire):
    answer = dated(wire, "c13", formatdate(time.time() - 3600, usegmt=True))
    now = datetime.now(UTC).replace(tzinfo=None)
    server, asked = (
        datetime.strptime(answer.error.findtext(name), "%Y-%m-%dT%H:%M:%S.000Z")
        for name in ("ServerTime", "RequestTime")
    )
    assert abs((server - now).total_seconds()) < 30
    assert 3590 <= (server - asked).total_seconds() <= 3610
    assert answer.error.findtext("MaxAllowedSkewMilliseconds") == "900000"


def test_O18_a_retry_by_the_server_s_time_stores_the_whole_body(wire, origin):
    body = b"all of it" * 1000
    refused = wire.put("o18", [("Date", formatdate(time.time() - 3600, usegmt=True))], body).check()
    assert (refused.status, refused.code) == (403, "RequestTimeTooSkewed")
    server = datetime.strptime(refused.error.findtext("ServerTime"), "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=UTC)
    again = wire.put("o18", [("Date", format_datetime(server, usegmt=True))], body).check()
    assert again.status == 200
    assert origin.object("o18").size == len(body)
