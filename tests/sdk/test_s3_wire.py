"""Attack cases B and F: requests of an S3 client that somebody changed after they were signed."""

import hashlib
import http.client
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from s3_devices import REGION, Boto3Device


@pytest.fixture
def client(s3_gateway):
    return Signer(s3_gateway)


class Signer:
    """botocore's signer, and a hand that changes what it signed."""

    def __init__(self, gateway) -> None:
        self._gateway = gateway
        self._credentials = Credentials(gateway.credentials.access_key_id, gateway.credentials.access_key_secret)

    def signed(
        self, key: str, body: bytes = b"", method: str = "PUT", query: str = "", *, framed: bool = False, **headers: str
    ) -> AWSRequest:
        """A signed request; in the names of `headers` `_` stands for `-`. `framed` is a body with a trailer, as over TLS."""
        url = f"http://localhost:{self._gateway.port}/{self._gateway.bucket}/{quote(key)}" + (query and "?" + query)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, url, headers=named, data=body)
        request.context["payload_signing_enabled"] = True
        if framed:
            request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
        S3SigV4Auth(self._credentials, "s3", REGION).add_auth(request)
        return request

    def send(self, request: AWSRequest, *, body: bytes | None = None, headers: dict[str, str] | None = None):
        """Sends it with another body or more headers than were signed; gives (status, error code)."""
        data = request.data if body is None else body
        parts = urlsplit(request.url)
        target = parts.path + (parts.query and "?" + parts.query)
        return self.raw(request.method, target, dict(request.headers.items()) | (headers or {}), data)

    def raw(self, method: str, target: str, headers: dict[str, str], body: bytes):
        connection = http.client.HTTPConnection("localhost", self._gateway.port, timeout=60)
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, text.partition("<Code>")[2].partition("</Code>")[0]

    def presigned(self, key: str) -> str:
        """The target of a URL whose only signed header is Host."""
        url = Boto3Device(self._gateway.endpoint("path"), self._gateway.credentials).presigned_put(key, 60)
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}"


UNSIGNED = {
    "x-amz-copy-source": "/secret/k",
    "x-amz-acl": "public-read",
    "x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"',
    "x-amz-tagging": "a=b",
    "x-amz-storage-class": "GLACIER",
    "x-amz-website-redirect-location": "http://a.example/",
    "x-amz-meta-owner": "somebody",
    "x-amz-object-lock-mode": "COMPLIANCE",
    "x-amz-server-side-encryption": "AES256",
    "x-amz-server-side-encryption-customer-key": "AAAA",
    "x-amz-security-token": "token",
    "x-amz-mfa": "1 2",
    "x-amz-bypass-governance-retention": "true",
    "x-amz-expected-bucket-owner": "111122223333",
    "x-amz-checksum-crc32": "AAAAAA==",
    "x-amz-unheard-of": "1",
}


@pytest.mark.parametrize(("name", "value"), UNSIGNED.items(), ids=UNSIGNED)
def test_b02_b03_a_header_that_was_added_after_signing_is_refused(client, key, name, value, origin_untouched):
    status, code = client.send(client.signed(key, b"x"), headers={name: value})
    assert status in (400, 403), (status, code)
    assert code in ("AccessDenied", "InvalidToken", "SignatureDoesNotMatch"), code


@pytest.mark.parametrize(("name", "value"), UNSIGNED.items(), ids=UNSIGNED)
def test_b01_b03_a_header_that_a_presigned_url_does_not_sign_is_refused(client, key, name, value, origin_untouched):
    target = client.presigned(key)
    status, code = client.raw("PUT", target, {name: value}, b"x")
    assert status in (400, 403), (status, code)
    assert code in ("AccessDenied", "InvalidToken", "SignatureDoesNotMatch"), code


@pytest.mark.parametrize("name", ["x-amz-cf-id", "x-amzn-trace-id"])
def test_b05_what_platforms_add_is_dropped(client, origin, proxy, key, name):
    with proxy.watching() as seen:
        status, code = client.send(client.signed(key, b"x"), headers={name: "Root=1-5759e988-bd862e3fe1be46a994272793"})
    assert (status, code) == (200, "")
    assert origin.object(key).size == 1
    assert name not in seen[0].header_names or "Root=1" not in seen[0].header(name)


# SeaweedFS does not compare a body with its digest, nor its length with the announced one. S3 does, and so does the S3
# of the local CloudFront: test_cloudfront_s3.py shows what a client is then told. Here: S3 is asked to compare.


@pytest.mark.parametrize("call", ["PutObject", "UploadPart"])
def test_f01_the_digest_that_was_signed_is_the_one_that_s3_compares_a_body_with(client, s3_gateway, proxy, key, call):
    query = ""
    if call == "UploadPart":
        upload_id = Boto3Device(s3_gateway.endpoint("path"), s3_gateway.credentials).initiate(key)
        query = f"partNumber=1&uploadId={quote(upload_id, safe='')}"
    with proxy.watching() as seen:
        status, _ = client.send(client.signed(key, b"as signed", query=query), body=b"as sent!!")
    asked = [request.header("x-amz-content-sha256") for request in seen]
    assert status == 400 or asked == [hashlib.sha256(b"as signed").hexdigest()]


@pytest.mark.parametrize("length", [8, 10])
def test_f03_the_length_that_was_signed_is_the_one_that_s3_compares_the_content_with(client, proxy, key, length):
    with proxy.watching() as seen:
        status, _ = streamed(client, key, WHOLE, length)
    assert status == 400 or [request.header("x-amz-decoded-content-length") for request in seen] == [str(length)]


def test_f01_another_list_of_parts_than_the_one_whose_digest_was_signed_is_refused(client, s3_gateway, origin, key):
    device = Boto3Device(s3_gateway.endpoint("path"), s3_gateway.credentials)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, number, b"x" * (5 << 20)) for number in (1, 2)]
    part = "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>"
    document = "<CompleteMultipartUpload>{}</CompleteMultipartUpload>"
    whole = document.format("".join(part.format(*one) for one in enumerate(etags, 1))).encode()
    fewer = document.format(part.format(1, etags[0])).encode()
    signed = client.signed(key, whole, "POST", f"uploadId={quote(upload_id, safe='')}")
    status, code = client.send(signed, body=fewer)
    assert (status, code) == (400, "XAmzContentSHA256Mismatch")
    assert origin.object(key).status == 404
    assert client.send(signed)[0] == 200
    assert origin.object(key).size == 10 << 20


WHOLE = b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n"


def streamed(client, key, body, length, *, trailer="x-amz-checksum-crc32"):
    """A request with STREAMING-UNSIGNED-PAYLOAD-TRAILER and this framed body."""
    signed = client.signed(
        key,
        framed=True,
        content_encoding="aws-chunked",
        x_amz_decoded_content_length=str(length),
        x_amz_trailer=trailer,
    )
    return client.send(signed, body=body)


def test_a_framed_body_with_its_checksum_is_stored(client, origin, key):
    assert streamed(client, key, WHOLE, 9) == (200, "")
    assert origin.object(key).sha256 == hashlib.sha256(b"123456789").hexdigest()


BROKEN = {
    "F07 another checksum": WHOLE.replace(b"y/Q5Jg==", b"AAAAAA=="),
    "F02 a size that is no number": WHOLE.replace(b"9", b"zz", 1),
    "F05 no last chunk": b"9\r\n123456789\r\n",
    "F12 no frames at all": b"123456789",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_framed_body_that_is_broken_stores_nothing(client, origin, key, body):
    status, _ = streamed(client, key, body, 9)
    assert status >= 400
    assert origin.object(key).status == 404


def test_f09_a_framed_body_for_an_operation_that_stores_none_is_refused(client, s3_gateway, proxy, key):
    upload_id = Boto3Device(s3_gateway.endpoint("path"), s3_gateway.credentials).initiate(key)
    query = f"uploadId={quote(upload_id, safe='')}"
    signed = client.signed(key, method="DELETE", query=query, framed=True, x_amz_decoded_content_length="0")
    with proxy.watching() as seen:
        assert client.send(signed)[0] in (400, 403)
    assert not seen
