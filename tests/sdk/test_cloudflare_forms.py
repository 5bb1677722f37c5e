"""POST forms: signed by a back end, posted by requests, and byte by byte where no client would. CloudFront takes none."""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import boto3
import forms
import pytest
import requests
from botocore.config import Config
from forms import CONTENT_TYPE, Signer

MANY = 6 << 20
"""A file of a form that streams: above the 5 MiB that are read first."""


@pytest.fixture(scope="module")
def credentials(keys, gateway):
    """A key that may post forms in every scheme, into a folder of its own at the origin."""
    grant = {"bucket": gateway.bucket, "operations": ["PostObject"], "mount": "forms/{key_id}/"}
    return keys.add(schemes=list(forms.SCHEMES), grants=[grant])


@pytest.fixture(params=forms.SCHEMES)
def signer(request, credentials, gateway) -> Signer:
    """A back end of each scheme in turn."""
    return Signer(request.param, credentials, gateway.bucket)


@pytest.fixture
def stored(origin, credentials):
    """What the origin holds under a form's key."""
    return lambda key: origin.object(f"forms/{credentials.access_key_id}/{key}")


def url_of(gateway, style: str = "path") -> str:
    """Where a form is posted to."""
    endpoint = gateway.endpoint(style)
    host = endpoint.url.removeprefix("http://")
    return {
        "path": f"{endpoint.url}/{gateway.bucket}/",
        "path without slash": f"{endpoint.url}/{gateway.bucket}",
        "virtual-host": f"http://{gateway.bucket}.{host}/",
        "cname": f"{endpoint.url}/",
    }[style]


def code_of(answer: requests.Response) -> str:
    return ElementTree.fromstring(answer.content).findtext("Code")


def post(gateway, fields, file=b"content", file_name="a.txt", url=None, **options) -> requests.Response:
    files = {"file": (file_name, file, "text/plain")}
    return requests.post(url or url_of(gateway), data=fields, files=files, timeout=60, **options)


@pytest.mark.parametrize("style", ["path", "virtual-host", "cname"])
def test_G05_a_form_is_stored_in_every_addressing_style(signer, gateway, stored, key, style):
    fields = signer.fields({"key": key, "Content-Type": "text/x-form", f"{signer.metadata}a": "1"})
    answer = post(gateway, fields, url=url_of(gateway, style))
    assert (answer.status_code, answer.content) == (204, b""), answer.content
    assert answer.headers["etag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    found = stored(key)
    assert (found.size, found.headers["content-type"]) == (7, "text/x-form")
    assert found.metadata == {"a": "1"}


def test_G05_the_slash_behind_the_bucket_is_no_difference(signer, gateway, stored, key):
    path = url_of(gateway).rstrip("/")
    answer = post(gateway, signer.fields({"key": key}), url=path)
    assert (answer.status_code, stored(key).size) == (204, 7)
    answer = post(gateway, signer.fields({"key": key}), url=f"{path}/{key}")
    assert (answer.status_code, code_of(answer)) == (403, "AccessDenied")


@pytest.mark.parametrize("size", [0, 1, MANY, MANY + 4097])
def test_a_file_is_stored_whole_and_its_length_announced(signer, gateway, stored, proxy, key, size):
    file = (hashlib.sha256(key.encode()).digest() * (size // 32 + 1))[:size]
    with proxy.watching() as seen:
        answer = post(gateway, signer.fields({"key": key}), file)
    assert answer.status_code == 204, answer.content
    (request,) = seen
    assert (request.method, request.header("content-length"), request.framing) == ("PUT", str(size), "content-length")
    assert not [name for name, _ in request.headers if "oss" in name.lower() or "policy" in name.lower()]
    found = stored(key)
    assert (found.size, found.sha256) == (size, hashlib.sha256(file).hexdigest())


@pytest.mark.parametrize("size", [7, MANY])
def test_a_file_may_hold_what_looks_like_a_boundary(signer, gateway, stored, wire, key, size):
    mark = f"\r\n--{forms.BOUNDARY[:-1]}".encode()
    file = (mark * (size // len(mark) + 1))[: max(size, len(mark))]
    answer = wire.send("POST", f"/{gateway.bucket}/", [("Host", wire.host), CONTENT_TYPE],
                       forms.body(signer.fields({"key": key}).items(), file))  # fmt: skip
    assert answer.status == 204, answer
    assert stored(key).sha256 == hashlib.sha256(file).hexdigest()


def test_a_form_may_come_chunked_up_to_5_mib(signer, gateway, stored, key, origin_untouched_after):
    def chunks(size):
        sent = forms.body(signer.fields({"key": key}).items(), b"x" * size)
        return (sent[at : at + 50_000] for at in range(0, len(sent), 50_000))

    headers = dict([CONTENT_TYPE])
    answer = requests.post(url_of(gateway), data=chunks(1 << 20), headers=headers, timeout=60)
    assert (answer.status_code, stored(key).size) == (204, 1 << 20)
    with origin_untouched_after():
        answer = requests.post(url_of(gateway), data=chunks(MANY), headers=headers, timeout=60)
    assert (answer.status_code, code_of(answer)) == (400, "EntityTooLarge")


@pytest.fixture
def origin_untouched_after(proxy):
    """Fails when any request reaches the origin in its block."""
    from contextlib import contextmanager

    @contextmanager
    def block():
        with proxy.watching() as seen:
            yield
        assert not seen, f"the origin saw {[(request.method, request.target) for request in seen]}"

    return block


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_form_says_with_which_status_it_is_answered(signer, gateway, key, status):
    answer = post(gateway, signer.fields({"key": f"{key}/${{filename}}", "success_action_status": str(status)}))
    assert answer.status_code == status
    if status == 201:
        document = ElementTree.fromstring(answer.content)
        found = {child.tag: child.text for child in document}
        assert (document.tag, found["Bucket"], found["Key"]) == ("PostResponse", gateway.bucket, f"{key}/a.txt")
        assert found["Location"] == url_of(gateway) + f"{key}/a.txt"
        assert found["ETag"] == answer.headers["etag"]
    else:
        assert answer.content == b""


def test_G11_a_redirect_names_what_was_stored(signer, gateway, key):
    fields = signer.fields({"key": key, "success_action_redirect": "https://example.com/done?a=b#top"})
    answer = post(gateway, fields, allow_redirects=False)
    location = urlsplit(answer.headers["location"])
    assert (answer.status_code, location.netloc, location.path, location.fragment) == (303, "example.com", "/done", "top")
    assert parse_qs(location.query) == {
        "a": ["b"], "bucket": [gateway.bucket], "key": [key], "etag": [answer.headers["etag"]]
    }  # fmt: skip


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//example.com", "https://example.com/\r\nset-cookie: a=b"])
def test_G11_a_redirect_goes_to_the_web_alone(signer, gateway, key, url, origin_untouched):
    answer = post(gateway, signer.fields({"key": key, "success_action_redirect": url}), allow_redirects=False)
    assert (answer.status_code, code_of(answer)) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("b c.txt", "b c.txt"), ("..\\..\\b.txt", "b.txt"), ("C:/dir/b.txt", "b.txt"), ("\u4e2d.txt", "\u4e2d.txt")],
)
def test_G08_the_file_s_name_becomes_part_of_the_key(signer, gateway, stored, key, name, expected):
    answer = post(gateway, signer.fields({"key": f"{key}/${{filename}}"}), file_name=name)
    assert (answer.status_code, stored(f"{key}/{expected}").size) == (204, 7), answer.content


@pytest.mark.parametrize("name", ["..", ".", "a\x01b"])
def test_G08_a_name_that_would_lead_elsewhere_is_refused(signer, gateway, wire, key, name, origin_untouched):
    sent = forms.body(signer.fields({"key": f"{key}/${{filename}}"}).items(), b"x", name)
    answer = wire.send("POST", f"/{gateway.bucket}/", [("Host", wire.host), CONTENT_TYPE], sent)
    expected = "KeyTooLongError" if signer.speaks_s3 else "InvalidObjectName"
    assert answer.status == 400 and answer.code in (expected, "InvalidArgument", "InvalidURI"), answer


def refusals(signer: Signer, key: str):
    """Each way in which a form is not what was signed: name, fields, status, code."""
    good = {"key": key}
    yield "G01 a field that no condition covers", {**signer.fields(good), "x-amz-meta-a": "1"} if signer.speaks_s3 else {
        **signer.fields(good), "success_action_redirect": "https://example.com"}, 403, "AccessDenied"  # fmt: skip
    narrow = Signer(signer.scheme, signer.credentials, signer.bucket, [["starts-with", "$key", "elsewhere/"]])
    yield "G02 a key that the policy does not permit", narrow.fields(good), 403, "AccessDenied"
    other = Signer(signer.scheme, signer.credentials, "firmware")
    yield "G04 a policy for another bucket", other.fields(good), 403, "AccessDenied"
    yield "G04 a field that names another bucket", signer.fields(good | {"bucket": "firmware"}), 403, "AccessDenied"
    unsigned = {name: value for name, value in signer.fields(good).items() if name != "policy"}
    yield "G03 no policy", unsigned, 403, "AccessDenied"
    yield "G03 an empty policy", unsigned | {"policy": ""}, 403, "AccessDenied"
    for name, policy in [("expiration", {"conditions": []}), ("conditions", {"expiration": "2099-01-01T00:00:00Z"})]:
        yield f"G03 no {name}", signer.fields(good, policy=policy), 403, "AccessDenied"
    late = Signer(signer.scheme, signer.credentials, signer.bucket, expires=timedelta(seconds=-1))
    yield "C09 an expired policy", late.fields(good), 403, "AccessDenied"
    for name, policy in [
        ("duplicate names", '{"expiration": "2099-01-01T00:00:00Z", "conditions": [], "conditions": []}'),
        ("deep nesting", "[" * 5000 + "]" * 5000),
        ("NaN", '{"expiration": NaN, "conditions": []}'),
        ("a BOM", "\ufeff{}"),
        ("no UTF-8", b"\xff"),
        ("1 MB", json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": [{"a": "b" * (1 << 20)}]})),
    ]:
        status = (400, "MalformedPOSTRequest" if name == "1 MB" else "InvalidPolicyDocument")
        yield f"G12 a policy with {name}", signer.fields(good, policy=policy), *status
    wrong = Signer(signer.scheme, type(signer.credentials)(signer.credentials.access_key_id, "x" * 24, None), signer.bucket)
    yield "a wrong secret", wrong.fields(good), 403, "SignatureDoesNotMatch"
    unknown = Signer(signer.scheme, type(signer.credentials)("LTAIunknown", "x" * 24, None), signer.bucket)
    yield "an unknown key", unknown.fields(good), 403, "InvalidAccessKeyId"
    yield "no key", signer.fields({}), 400, "InvalidArgument"
    yield "no signature at all", good, 403, "AccessDenied"
    yield "D05 two signatures", signer.fields(good) | {"AWSAccessKeyId": "AK"}, 400, "InvalidArgument"
    if not signer.speaks_s3:
        yield "O05 a callback", signer.fields(good | {"callback": "e30="}), 501, "NotImplemented"
        yield "O05 a copy", signer.fields(good | {"x-oss-copy-source": "/b/k"}), 400, "InvalidArgument"


def test_G_a_form_that_is_not_what_was_signed_is_refused(signer, gateway, key, subtests, origin_untouched):
    for name, fields, status, code in refusals(signer, key):
        with subtests.test(name):
            answer = post(gateway, fields)
            assert answer.status_code == status, answer.content
            assert code_of(answer) in (code, "InvalidRequest", "AuthorizationQueryParametersError"), answer.content


def test_G02_the_length_of_the_file_is_in_the_policy_s_range(signer, gateway, key, subtests, origin_untouched):
    ranged = Signer(signer.scheme, signer.credentials, signer.bucket, [["content-length-range", 2, MANY]])
    for size, code in [(1, "EntityTooSmall"), (MANY + 1, "EntityTooLarge")]:
        with subtests.test(size=size):
            answer = post(gateway, ranged.fields({"key": key}), b"x" * size)
            assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.parametrize("size", [7, MANY])
def test_G07_fields_behind_the_file_are_dropped_or_the_form_refused(signer, gateway, stored, wire, key, size):
    sent = forms.body(signer.fields({"key": key}).items(), b"x" * size, end=b"")
    sent += forms.part("key", f"{key}-other") + forms.part("submit", "Upload") + f"--{forms.BOUNDARY}--\r\n".encode()
    answer = wire.send("POST", f"/{gateway.bucket}/", [("Host", wire.host), CONTENT_TYPE], sent)
    if size == MANY:
        assert (answer.status, answer.code) == (400, "EntityTooLarge")
        time.sleep(0.5)
        assert stored(key).status == 404
    else:
        assert (answer.status, stored(key).size) == (204, size)
    assert stored(f"{key}-other").status == 404


@pytest.mark.parametrize("end", [b"", b"--", b"--causeway7MA4YWxkTrZu0gX--\r\n"])
def test_a_form_that_ends_otherwise_stores_nothing(signer, gateway, stored, wire, key, subtests, end):
    for size in (7, MANY):
        with subtests.test(size=size):
            sent = forms.body(signer.fields({"key": key}).items(), b"x" * size, end=end)
            answer = wire.send("POST", f"/{gateway.bucket}/", [("Host", wire.host), CONTENT_TYPE], sent)
            assert answer.status == 400, answer
            time.sleep(0.5)
            assert stored(key).status == 404


def test_G07_a_field_that_stands_twice_is_refused(signer, gateway, wire, key, subtests, origin_untouched):
    fields = list(signer.fields({"key": key}).items())
    for name, value in fields:
        with subtests.test(name):
            sent = forms.body([*fields, (name.upper(), value)], b"x")
            answer = wire.send("POST", f"/{gateway.bucket}/", [("Host", wire.host), CONTENT_TYPE], sent)
            assert answer.status == 400, answer


def test_G06_a_form_s_type_on_a_put_changes_nothing(wire, key, gateway, origin_untouched, signer):
    sent = forms.body(signer.fields({"key": key}).items(), b"x")
    answer = wire.send("PUT", f"/{gateway.bucket}/{key}", [("Host", wire.host), CONTENT_TYPE], sent)
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_H01_uploading_does_not_include_forms(keys, gateway, key, origin_untouched):
    credentials = keys.add(schemes=list(forms.SCHEMES), grants=[{"bucket": gateway.bucket}])
    for scheme in forms.SCHEMES:
        answer = post(gateway, Signer(scheme, credentials, gateway.bucket).fields({"key": key}))
        assert (answer.status_code, code_of(answer)) == (403, "AccessDenied")


def test_D10_a_scheme_that_the_key_does_not_list_is_named(keys, gateway, key, origin_untouched):
    grant = {"bucket": gateway.bucket, "operations": ["PostObject"]}
    for scheme in forms.SCHEMES:
        others = [other for other in forms.SCHEMES if other != scheme]
        credentials = keys.add(schemes=others, grants=[grant])
        answer = post(gateway, Signer(scheme, credentials, gateway.bucket).fields({"key": key}))
        assert (answer.status_code, code_of(answer)) == (403, "AccessDenied")
        assert scheme in answer.text


def test_a_form_does_not_replace_an_object_where_it_says_so(credentials, gateway, key):
    signer = Signer("oss-post-v4", credentials, gateway.bucket)
    fields = signer.fields({"key": key, "x-oss-forbid-overwrite": "true", "x-oss-object-acl": "private"})
    assert post(gateway, fields).status_code == 204
    answer = post(gateway, fields)
    assert (answer.status_code, code_of(answer)) == (409, "FileAlreadyExists")


def test_a_form_is_answered_in_the_dialect_of_its_signature(signer, gateway, key):
    fields = signer.fields({"key": key})
    good, bad = post(gateway, fields), post(gateway, fields | {"key": "\u0001"})
    for answer in (good, bad):
        assert ("x-amz-request-id" in answer.headers, "x-oss-request-id" in answer.headers) == (
            signer.speaks_s3, not signer.speaks_s3
        )  # fmt: skip


def test_boto3_presigned_posts_are_stored(keys, gateway, origin, key):
    grant = {"bucket": gateway.bucket, "operations": ["PostObject"]}
    credentials = keys.add(schemes=["s3-post-v4"], grants=[grant])
    client = boto3.client(
        "s3",
        endpoint_url=gateway.endpoint("path").url,
        region_name="eu-west-1",
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.access_key_secret,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    fields = {"acl": "private", "Content-Type": "text/plain", "x-amz-meta-a": "1", "success_action_status": "201"}
    made = client.generate_presigned_post(
        gateway.bucket,
        f"{key}/${{filename}}",
        Fields=fields,
        Conditions=[*({name: value} for name, value in fields.items()), ["content-length-range", 1, 100]],
    )
    answer = post(gateway, made["fields"], b"from boto3", url=made["url"])
    assert answer.status_code == 201, answer.content
    assert ElementTree.fromstring(answer.content).findtext("Key") == f"{key}/a.txt"
    found = origin.object(f"{key}/a.txt")
    assert (found.size, found.headers["content-type"], found.metadata) == (10, "text/plain", {"a": "1"})
    answer = post(gateway, made["fields"] | {"x-amz-meta-a": "2"}, b"from boto3", url=made["url"])
    assert (answer.status_code, code_of(answer)) == (403, "AccessDenied")
    answer = post(gateway, made["fields"], b"x" * 101, url=made["url"])
    assert (answer.status_code, code_of(answer)) == (400, "EntityTooLarge")


def test_a_large_form_passes_without_being_held(fresh, platform, origin, key):
    # `cargo xtask test --long` posts more. Chunks of a form pass through V8, whose garbage levels off at some 260 MiB.
    if os.environ.get("CAUSEWAY_TEST_LONG"):
        size, most = 1 << 30, 320 << 20
    else:
        size, most = 192 << 20, platform.stream_memory
    grant = {"bucket": fresh.gateway.bucket, "operations": ["PostObject"]}
    credentials = fresh.keys.add(schemes=["s3-post-v4"], grants=[grant])
    signer = Signer("s3-post-v4", credentials, fresh.gateway.bucket)
    block = hashlib.sha256(b"block").digest() * 32768
    sent = forms.body(signer.fields({"key": key}).items(), b"", end=b"")
    before, end = sent[:-2], b"\r\n" + f"--{forms.BOUNDARY}--\r\n".encode()

    def pieces():
        yield before
        for _ in range(size // len(block)):
            yield block
        yield end

    program = platform.stream_program
    length = str(len(before) + size + len(end))
    headers = dict([CONTENT_TYPE]) | {"Content-Length": length}
    request = requests.Request("POST", url_of(fresh.gateway), headers=headers, data=pieces()).prepare()
    request.headers.pop("Transfer-Encoding", None)
    request.headers["Content-Length"] = length
    with fresh.process.watching_memory(program) as memory, requests.Session() as session:
        answer = session.send(request, timeout=300)
    assert answer.status_code == 204, answer.content
    digest = hashlib.sha256()
    for _ in range(size // len(block)):
        digest.update(block)
    found = origin.object(key)
    assert (found.size, found.sha256) == (size, digest.hexdigest())
    assert max(memory) < most, f"{program} grew to {max(memory) >> 20} MiB"


@pytest.mark.parametrize("name", [".causeway/folder/00001", ".causeway/${filename}", "/.causeway/k"])
@pytest.mark.usefixtures("origin_untouched")
def test_A11_no_form_is_stored_at_the_gateways_own_prefix(signer, gateway, keys, name):
    grant = {"bucket": gateway.bucket, "operations": ["PostObject"]}
    mine = keys.add(schemes=list(forms.SCHEMES), grants=[grant])
    answer = post(gateway, Signer(signer.scheme, mine, gateway.bucket).fields({"key": name}), file_name=".causeway/a.txt")
    code = "InvalidArgument" if signer.speaks_s3 else "InvalidObjectName"
    assert (answer.status_code, code_of(answer)) == (400, code)
