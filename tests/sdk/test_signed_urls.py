"""CloudFront's signed URLs and cookies, as AWS's own signer makes them, read objects; nothing near them does."""

from xml.etree import ElementTree

import pytest
import requests

from devices import STYLES
from signed_urls import KeyPair

BODY = bytes(range(256)) * 40
NAMES = ("Signature", "Key-Pair-Id", "Policy", "Expires", "Hash-Algorithm")


@pytest.fixture(params=["SHA1", "SHA256"])
def pair(request, keys, gateway) -> KeyPair:
    """A key pair that may read, with either hash."""
    return KeyPair(keys, gateway.bucket, request.param)


@pytest.fixture
def url(gateway, origin, key) -> str:
    """The plain URL of an object that is there."""
    origin.request("PUT", key, body=BODY).read()
    return url_of(gateway, key)


def url_of(gateway, key: str, style: str = "path", *, tls: bool = False) -> str:
    endpoint = gateway.endpoint(style, tls=tls)
    scheme, _, host = endpoint.url.partition("://")
    return {
        "path": f"{scheme}://{host}/{endpoint.bucket}/{key}",
        "cname": f"{scheme}://{host}/{key}",
    }.get(style, f"{scheme}://{endpoint.bucket}.{host}/{key}")


def get(url: str, **options) -> requests.Response:
    return requests.get(url, timeout=60, **options)


def refused(answer: requests.Response, status: int, code: str) -> None:
    assert (answer.status_code, ElementTree.fromstring(answer.content).findtext("Code")) == (status, code)
    assert not [name for name in answer.headers if name.lower().startswith("x-oss-")], "the dialect is S3's"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_signed_url_reads_an_object(pair, gateway, url, key, style, tls):
    signed = pair.url(url_of(gateway, key, style, tls=tls))
    answer = get(signed)
    assert (answer.status_code, answer.content) == (200, BODY)
    assert not [name for name in answer.headers if name.lower().startswith("x-oss-")]
    head = requests.head(signed, timeout=60)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(BODY)))
    part = get(signed, headers={"Range": "bytes=256-259"})
    assert (part.status_code, part.content) == (206, bytes(range(4)))
    assert get(signed, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_cookies_for_a_folder_read_what_is_in_it_and_nothing_else(pair, gateway, url, key, origin):
    cookies = pair.cookies(url.rpartition("/")[0] + "/*")
    answer = get(url, cookies=cookies | {"theme": "dark"})
    assert (answer.status_code, answer.content) == (200, BODY)
    origin.request("PUT", "outside.txt", body=b"x").read()
    refused(get(url_of(gateway, "outside.txt"), cookies=cookies), 403, "AccessDenied")
    refused(get(url, cookies=cookies | {"CloudFront-Signature": "AAAA"}), 403, "SignatureDoesNotMatch")


def test_CF12_the_origin_sees_nothing_of_the_signature(pair, url, proxy):
    for ask in (
        lambda: get(pair.url(url)),
        lambda: get(pair.url_with_policy(url, url)),
        lambda: get(url, cookies=pair.cookies(url)),
    ):
        with proxy.watching() as seen:
            assert ask().status_code == 200
        (request,) = seen
        assert not [name for name in NAMES if name in request.target], request.target
        headers = repr(request.headers)
        assert not [text for text in (pair.id, "CloudFront-", "ookie") if text in headers], headers


def test_a_custom_policy_signs_the_parameters_that_it_names(pair, url):
    wanted = url + "?response-content-type=text%2Fx-test"
    assert get(pair.url_with_policy(wanted, wanted)).headers["content-type"] == "text/x-test"
    refused(get(pair.url_with_policy(wanted, url + "*")), 403, "AccessDenied")


def test_CF01_CF03_a_url_near_the_signed_one_is_refused(pair, url, origin_untouched):
    signed = pair.url(url)
    for near in (
        signed.replace("/tests/", "/tests//"),
        signed.replace("/tests/", "/tests%2F"),
        signed + "&acl",
        signed.replace("Expires=1", "Expires=2"),
    ):
        session = requests.Session()
        request = requests.Request("GET", signed).prepare()
        # As it is: `requests` would make escapes and the host's name its own.
        request.url = near
        refused(session.send(request, timeout=60), 403, "SignatureDoesNotMatch")
    pattern = pair.url_with_policy(url, url.rpartition("/")[0] + "/*")
    for near in (pattern.replace("/tests/", "/Tests/"), pattern.replace("?Policy", "/%2e%2e/k?Policy")):
        request = requests.Request("GET", signed).prepare()
        request.url = near
        refused(requests.Session().send(request, timeout=60), 403, "AccessDenied")


def test_CF07_a_url_before_its_time_or_after_it_is_refused(pair, url, origin_untouched):
    refused(get(pair.url(url, seconds=-1)), 403, "AccessDenied")
    later = pair.url_with_policy(url, url, DateGreaterThan={"AWS:EpochTime": 4102444800})
    refused(get(later), 403, "AccessDenied")


def test_CF10_an_address_in_a_header_is_nobodys_address(pair, url, origin_untouched):
    signed = pair.url_with_policy(url, url, IpAddress={"AWS:SourceIp": "198.51.100.0/24"})
    for name in ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "Forwarded"):
        refused(get(signed, headers={name: "198.51.100.7"}), 403, "AccessDenied")


def test_CF02_D05_two_policies_or_two_credentials_are_400(pair, url, origin_untouched):
    signed, cookies = pair.url(url), pair.cookies(url)
    refused(get(signed + "&Policy=e30_"), 400, "AuthorizationHeaderMalformed")
    refused(get(signed, cookies=cookies), 400, "InvalidArgument")
    refused(get(signed, headers={"Authorization": "AWS AK:c2ln"}), 400, "InvalidArgument")


def test_a_signed_url_writes_only_where_the_grant_says_so(pair, keys, gateway, origin, key):
    signed = pair.url(url_of(gateway, key))
    refused(requests.put(signed, b"x", timeout=60), 403, "AccessDenied")
    writer = KeyPair(keys, gateway.bucket, operations=["PutObject"])
    assert requests.put(writer.url(url_of(gateway, key)), b"written", timeout=60).status_code == 200
    assert origin.object(key).size == len(b"written")
    refused(get(writer.url(url_of(gateway, key))), 403, "AccessDenied")


def test_K01_a_rotation_is_a_second_id_until_the_first_is_disabled(keys, gateway, url):
    old, new = KeyPair(keys, gateway.bucket), KeyPair(keys, gateway.bucket, "SHA256")
    assert [get(pair.url(url)).status_code for pair in (old, new)] == [200, 200]
    ended = KeyPair(keys, gateway.bucket)
    keys.disable(ended.id)
    refused(get(ended.url(url)), 403, "InvalidAccessKeyId")


@pytest.mark.parametrize("path", [".causeway/folder/00001", "%2Ecauseway/folder/00001", "%2ecauseway%2Ffolder%2F00001"])
@pytest.mark.usefixtures("origin_untouched")
def test_A11_neither_url_nor_cookie_opens_the_gateways_own_prefix(pair, gateway, path):
    plain = url_of(gateway, path)
    everything = url_of(gateway, "*")
    session = requests.Session()
    for url, cookies in [
        (pair.url(plain), {}),
        (pair.url_with_policy(plain, everything), {}),
        (plain, pair.cookies(everything)),
    ]:
        request = requests.Request("GET", url, cookies=cookies).prepare()
        # As it is: `requests` would decode the dot.
        request.url = url
        refused(session.send(request, timeout=60), 400, "InvalidArgument")
