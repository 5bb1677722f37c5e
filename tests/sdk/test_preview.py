"""Preview links of an application: made as Dify makes them, by the lines of Python that it has, and read by a plain client."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
import uuid
import xml.etree.ElementTree as ElementTree

import pytest
import requests

from devices import Oss2Device

# infra/PLATFORM/causeway.dev.toml names the record and the template.
RECORD = "app-links"
SECRETS = ["a-secret-key-of-the-app-that-is-going", "a-secret-key-of-the-app-that-has-come"]
CONTENT = b"0123456789 of a file that a link shows"


def query(file_id: str, *, purpose="file-preview", secret=SECRETS[0], age=0) -> dict[str, str]:
    timestamp = str(int(time.time()) - age)
    nonce = os.urandom(16).hex()
    text = f"{purpose}|{file_id}|{timestamp}|{nonce}"
    sign = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return {"timestamp": timestamp, "nonce": nonce, "sign": base64.urlsafe_b64encode(sign).decode()}


@pytest.fixture(scope="module")
def base(gateway, keys) -> str:
    """Where the application's links lead, once the gateway knows its key."""
    grant = {"bucket": gateway.bucket, "operations": ["read-only"], "prefix": "upload_files/"}
    record = {"id": RECORD, "schemes": ["preview"], "secrets": [{"secret": secret} for secret in SECRETS]}
    keys.write(RECORD, json.dumps(record | {"grants": [grant]}))
    return gateway.endpoint("cname").url


@pytest.fixture(scope="module")
def file_id(gateway) -> str:
    """A file that the application has stored."""
    stored = str(uuid.uuid4())
    device = Oss2Device(gateway.endpoint("path"), gateway.credentials)
    device.put(f"upload_files/{stored}", CONTENT, {"content-type": "text/plain"})
    return stored


def url(base: str, file_id: str, purpose="file-preview") -> str:
    return f"{base}/files/{file_id}/{purpose}"


def code(answer: requests.Response) -> str:
    """The code of an error in S3's words."""
    root = ElementTree.fromstring(answer.content)
    assert root.tag == "Error"
    assert root.findtext("RequestId") == answer.headers["x-amz-request-id"]
    assert not [name for name in answer.headers if name.lower().startswith("x-oss-")]
    return root.findtext("Code")


@pytest.mark.parametrize("purpose", ["file-preview", "image-preview"])
@pytest.mark.parametrize("secret", SECRETS, ids=["old", "new"])
def test_a_link_shows_its_file_under_each_secret(base, file_id, purpose, secret):
    parts = query(file_id, purpose=purpose, secret=secret)
    answer = requests.get(url(base, file_id, purpose), params=parts)
    assert (answer.status_code, answer.content) == (200, CONTENT), answer.text
    assert answer.headers["content-type"] == "text/plain"
    assert "content-disposition" not in answer.headers
    assert not [name for name in answer.headers if name.lower().startswith("x-oss-")]
    # As older releases write it, with the padding as it is.
    plain = "&".join(f"{name}={value}" for name, value in parts.items())
    assert requests.get(f"{url(base, file_id, purpose)}?{plain}").content == CONTENT


def test_a_range_and_a_head_are_answered(base, file_id):
    link, parts = url(base, file_id), query(file_id)
    answer = requests.get(link, params=parts, headers={"range": "bytes=3-5"})
    assert (answer.status_code, answer.content) == (206, b"345")
    assert answer.headers["content-range"] == f"bytes 3-5/{len(CONTENT)}"
    answer = requests.head(link, params=parts)
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(CONTENT)))
    etag = answer.headers["etag"]
    assert requests.get(link, params=parts, headers={"if-none-match": etag}).status_code == 304


def test_the_origin_is_sent_nothing_of_the_link(base, file_id, proxy):
    with proxy.watching() as seen:
        requests.get(url(base, file_id), params=query(file_id), headers={"x-amz-copy-source": "/b/k", "cookie": "c=1"})
    (request,) = [request for request in seen if request.method == "GET"]
    assert request.path.decode().endswith(f"/upload_files/{file_id}")
    for part in ("sign=", "nonce=", "timestamp="):
        assert part not in request.target
    assert not {"x-amz-copy-source", "cookie"} & {name.lower() for name, _ in request.headers}


def test_df07_as_attachment_changes_the_disposition_alone(base, file_id):
    parts = query(file_id) | {"as_attachment": "true"}
    answer = requests.get(url(base, file_id), params=parts)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-type"] == "text/plain"


def test_a_file_that_is_not_there_is_no_such_key(base):
    missing = str(uuid.uuid4())
    answer = requests.get(url(base, missing), params=query(missing))
    assert (answer.status_code, code(answer)) == (404, "NoSuchKey")


@pytest.mark.parametrize(("age", "status"), [(3590, 200), (3601, 403), (-890, 200), (-960, 403)])
def test_df03_df10_a_link_has_a_time(base, file_id, age, status):
    answer = requests.get(url(base, file_id), params=query(file_id, age=age))
    assert answer.status_code == status, answer.text
    assert status == 200 or code(answer) == "AccessDenied"


def change(name: str, value: str):
    return lambda parts: parts | {name: value}


@pytest.mark.parametrize(
    ("tampering", "refusal"),
    [
        (change("sign", "A" * 43 + "="), (403, "SignatureDoesNotMatch")),
        (lambda parts: parts | {"timestamp": str(int(parts["timestamp"]) + 1)}, (403, "SignatureDoesNotMatch")),
        (change("nonce", "0" * 32), (403, "SignatureDoesNotMatch")),
        (change("nonce", ""), (400, "InvalidArgument")),
        (change("timestamp", "1e9"), (400, "InvalidArgument")),
        (change("as_attachment", "yes"), (400, "InvalidArgument")),
        (change("response-content-type", "text/html"), (403, "AccessDenied")),
        (change("versionId", "null"), (403, "AccessDenied")),
        (change("OSSAccessKeyId", "AK"), (400, "InvalidArgument")),
        (lambda parts: [*parts.items(), ("sign", parts["sign"])], (400, "InvalidURI")),
        (lambda parts: {"sign": parts["sign"]}, (403, "AuthorizationQueryParametersError")),
    ],
)
def test_a_link_that_was_changed_is_refused(base, file_id, origin_untouched, tampering, refusal):
    answer = requests.get(url(base, file_id), params=tampering(query(file_id)))
    assert (answer.status_code, code(answer)) == refusal


def test_a_link_is_for_one_file_one_purpose_and_reading(base, file_id, gateway, origin_untouched):
    parts = query(file_id)
    other = requests.get(url(base, str(uuid.uuid4())), params=parts)
    assert (other.status_code, code(other)) == (403, "SignatureDoesNotMatch")
    image = requests.get(url(base, file_id, "image-preview"), params=parts)
    assert (image.status_code, code(image)) == (403, "SignatureDoesNotMatch")
    for method in ("PUT", "POST", "DELETE"):
        answer = requests.request(method, url(base, file_id), params=parts, data=b"x")
        assert (answer.status_code, code(answer)) == (403, "AccessDenied"), method
    elsewhere = requests.get(url(gateway.endpoint("virtual-host").url, file_id), params=parts)
    assert elsewhere.status_code == 403


@pytest.mark.parametrize("file_id", ["a%7C1", "tenant%7Cx", "x", "6F1C2D3E-4B5A-4697-8897-A6B5C4D3E2F1"])
def test_df01_a_file_id_is_a_uuid(base, origin_untouched, file_id):
    answer = requests.get(url(base, file_id), params=query(file_id))
    assert (answer.status_code, code(answer)) == (400, "InvalidArgument")


def test_a_link_beside_a_signature_is_refused(base, file_id, origin_untouched):
    answer = requests.get(url(base, file_id), params=query(file_id), headers={"authorization": "OSS AK:c2ln"})
    assert answer.status_code == 400
