"""The gateway's own prefix is nobody's: whatever names an object there, by any client and in any spelling, is refused
before the origin hears of it, and what lies there is in no list (attack case A11)."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import pytest
import requests

from refusals import refused
from s3_devices import every_s3_device
from wire import Wire

KEY = ".causeway/folder/00001"
SPELLINGS = [
    ".causeway/k",
    ".causeway/",
    "%2Ecauseway/k",
    "%2ecauseway%2Fk",
    ".causeway%2fk",
    ".%63auseway/k",
    "/.causeway/k",
    "%2F.causeway/k",
]
OPERATIONS = {
    "PutObject": ("PUT", ""),
    "GetObject": ("GET", ""),
    "HeadObject": ("HEAD", ""),
    "DeleteObject": ("DELETE", ""),
    "InitiateMultipartUpload": ("POST", "uploads"),
    "UploadPart": ("PUT", "partNumber=1&uploadId=U"),
    "CompleteMultipartUpload": ("POST", "uploadId=U"),
    "AbortMultipartUpload": ("DELETE", "uploadId=U"),
    "ListParts": ("GET", "uploadId=U"),
    "GetObjectTagging": ("GET", "tagging"),
    "PutObjectTagging": ("PUT", "tagging"),
    "DeleteObjectTagging": ("DELETE", "tagging"),
    "GetObjectAcl": ("GET", "acl"),
    "PutObjectAcl": ("PUT", "acl"),
    "RestoreObject": ("POST", "restore"),
}


@pytest.fixture(scope="module")
def allowed(gateway, platform, data_layer) -> Wire:
    """A device that may do everything with the bucket."""
    return Wire(SimpleNamespace(port=gateway.port, bucket=gateway.bucket, credentials=data_layer), platform)


@pytest.fixture
def client(client_with):
    return client_with({"operations": ["data-layer"]})


def code_for(client) -> str:
    """What a client of either dialect is told of a key that is none."""
    return "InvalidArgument" if client.sdk == "boto3" else "InvalidObjectName"


@pytest.mark.parametrize("written", SPELLINGS)
@pytest.mark.parametrize(("method", "query"), OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.usefixtures("origin_untouched")
def test_A11_no_operation_reaches_it_however_it_is_spelled(allowed, method, query, written):
    resource = allowed.resource(unquote(written), query)
    target = f"/{allowed.bucket}/{written}" + (f"?{query}" if query else "")
    answer = allowed.send(method, target, allowed.sign(method, resource), b"x" if method == "PUT" else b"").check()
    assert (answer.status, answer.code) == (400, "InvalidObjectName"), answer


@pytest.mark.parametrize("written", SPELLINGS)
@pytest.mark.parametrize("query", ["", "partNumber=1&uploadId=U"], ids=["CopyObject", "UploadPartCopy"])
@pytest.mark.usefixtures("origin_untouched")
def test_A11_no_copy_is_made_from_it_or_to_it(allowed, key, query, written):
    for bucket in (f"/{allowed.bucket}/", f"{allowed.bucket}/"):
        for source in (bucket + written, quote(bucket + written, safe="/%"), bucket + written + "?versionId=v"):
            answer = allowed.signed("PUT", key, query, [("x-oss-copy-source", source)]).check()
            assert (answer.status, answer.code) == (400, "InvalidObjectName"), (source, answer)
    headers = [("x-oss-copy-source", f"/{allowed.bucket}/{key}")]
    signed = allowed.sign("PUT", allowed.resource(unquote(written), query), headers)
    answer = allowed.send("PUT", f"/{allowed.bucket}/{written}" + (f"?{query}" if query else ""), signed).check()
    assert (answer.status, answer.code) == (400, "InvalidObjectName"), answer


CALLS = {
    "put": lambda client: client.put(KEY, b"x"),
    "get": lambda client: client.get(KEY),
    "delete": lambda client: client.delete(KEY),
    "delete_many": lambda client: client.delete_many(["other", KEY]),
    "copy from": lambda client: client.copy(KEY, "copy"),
    "copy to": lambda client: client.copy("source", KEY),
    "copy_part": lambda client: client.copy_part(KEY, 0, 1, "copy", "U", 1),
    "initiate": lambda client: client.initiate(KEY),
    "upload_part": lambda client: client.upload_part(KEY, "U", 1, b"x"),
    "abort": lambda client: client.abort(KEY, "U"),
    "tags": lambda client: client.tags(KEY),
    "set_tags": lambda client: client.set_tags(KEY, {"a": "b"}),
    "delete_tags": lambda client: client.delete_tags(KEY),
    "acl": lambda client: client.acl(KEY),
    "set_acl": lambda client: client.set_acl(KEY, "private"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.usefixtures("origin_untouched")
def test_A11_every_sdk_is_told_that_it_is_no_key(client, call):
    with refused(client, 400, code_for(client)):
        call(client)


@pytest.mark.usefixtures("origin_untouched")
def test_A11_a_presigned_url_opens_it_to_nobody(device_with, data_layer):
    device = device_with(data_layer)
    for method, url in [
        ("GET", device.presigned_get(KEY, 60)),
        ("PUT", device.presigned_put(KEY, 60)),
        ("PUT", device.presigned_put(KEY, 60).replace("/.causeway", "/%2Ecauseway")),
    ]:
        answer = requests.request(method, url, data=b"x" if method == "PUT" else None, timeout=60)
        code = ElementTree.fromstring(answer.content).findtext("Code")
        assert (answer.status_code, code) == (400, "InvalidObjectName"), url


@every_s3_device
@pytest.mark.usefixtures("origin_untouched")
def test_A11_a_url_that_an_s3_client_presigned_opens_it_to_nobody(s3_device_with, data_layer):
    device = s3_device_with(data_layer)
    for method, operation in [("GET", "get_object"), ("PUT", "put_object"), ("DELETE", "delete_object")]:
        answer = requests.request(method, device.presigned(operation, KEY, 60), timeout=60)
        code = ElementTree.fromstring(answer.content).findtext("Code")
        assert (answer.status_code, code) == (400, "InvalidArgument"), method


@pytest.fixture
def staged(origin):
    """An object and an upload there, as the gateway's own are."""
    origin.request("PUT", KEY, body=b"a part").read()
    origin.request("PUT", ".causeway/folder/joined/00001-00005", body=b"").read()
    begun = origin.request("POST", ".causeway/folder/00002.unsized", "uploads=").read()
    upload = next(one.text for one in ElementTree.fromstring(begun).iter() if one.tag.endswith("UploadId"))
    yield
    origin.request("DELETE", ".causeway/folder/00002.unsized", f"uploadId={quote(upload, safe='')}").read()
    for key in (KEY, ".causeway/folder/joined/00001-00005"):
        origin.request("DELETE", key).read()


@pytest.mark.parametrize("prefix", [".causeway/", ".causeway/folder/", ".cause", "."])
@pytest.mark.usefixtures("staged")
def test_A11_what_lies_there_is_in_no_list(client, prefix):
    assert client.list_objects(prefix) == []
    assert client.list_objects_v2(prefix) == []
    assert client.list_uploads(prefix) == []


@pytest.mark.usefixtures("staged")
def test_A11_no_common_prefix_and_no_marker_tells_what_lies_there(allowed):
    for query in ("delimiter=/&prefix=.", "delimiter=/&prefix=.causeway/", "marker=.causeway/&max-keys=1&prefix=.", "uploads"):
        answer = allowed.signed("GET", "", query).check()
        assert answer.status == 200, answer
        told = answer.body.decode()
        # A page that ends there is followed by the one behind it.
        assert "folder" not in told and "<CommonPrefixes><Prefix>.causeway" not in told, (query, told)


# Each would tell of a guess whether it is right, by whether there is more than a page.
GUESSES = (".causeway/", ".causeway/f", ".causeway/x", ".causeway/folder/", ".causeway/folder/0000")


@pytest.mark.parametrize("what", ["", "list-type=2&", "uploads&"], ids=["V1", "V2", "uploads"])
@pytest.mark.usefixtures("staged")
def test_A11_no_list_spells_out_what_lies_there(allowed, proxy, what):
    def told(query: str) -> str:
        answer = allowed.signed("GET", "", what + query).check()
        assert answer.status == 200, answer
        return answer.body.decode()

    most = "max-uploads=1" if what == "uploads&" else "max-keys=1"
    with proxy.watching() as seen:
        for prefix in (*GUESSES, "/.causeway/f"):
            document = told(f"{most}&prefix={quote(prefix)}")
            assert "<IsTruncated>false</IsTruncated>" in document, document
    assert not seen
    for delimiter in "scauewy./":
        # Nothing but the gateway's own begins so.
        for prefix in (".causeway", ".cause", ".ca"):
            document = told(f"delimiter={delimiter}&prefix={prefix}")
            assert "<CommonPrefixes>" not in document and "folder" not in document, (delimiter, prefix, document)
    # A page that would begin among them begins behind them.
    marker = {"": "marker", "list-type=2&": "start-after", "uploads&": "key-marker"}[what]
    for place in (".causeway/a", ".causeway/folder/00001", ".causeway/z"):
        document = told(f"{most}&prefix=.causeway&{marker}={place}")
        assert "<IsTruncated>false</IsTruncated>" in document, document


@every_s3_device
@pytest.mark.usefixtures("staged")
def test_A11_no_list_of_s3_s_spells_it_out(s3_device_with, data_layer, proxy):
    device = s3_device_with(data_layer)
    client = device.client
    lists = [
        (client.list_objects, "MaxKeys", "Marker"),
        (client.list_objects_v2, "MaxKeys", "StartAfter"),
        (client.list_multipart_uploads, "MaxUploads", "KeyMarker"),
    ]
    for told, most, marker in lists:
        with proxy.watching() as seen:
            for prefix in GUESSES:
                assert not told(Bucket=device.bucket, Prefix=prefix, **{most: 1})["IsTruncated"], (told, prefix)
        assert not seen
        for delimiter in "scu":
            assert "CommonPrefixes" not in told(Bucket=device.bucket, Prefix=".c", Delimiter=delimiter), (told, delimiter)
        page = told(Bucket=device.bucket, Prefix=".causeway", **{most: 1, marker: ".causeway/a"})
        assert not page["IsTruncated"], told


def test_a_grant_for_it_is_no_grant(keys, gateway, platform, proxy):
    for place in ({"prefix": ".causeway/"}, {"mount": ".causeway/"}, {"mount": ".causeway/{key_id}/"}):
        credentials = keys.add(grants=[{"bucket": gateway.bucket, "operations": ["data-layer"]} | place])
        wire = Wire(SimpleNamespace(port=gateway.port, bucket=gateway.bucket, credentials=credentials), platform)
        with proxy.watching() as seen:
            answer = wire.put("folder/00001").check()
        # A record that cannot be read is the operator's fault.
        assert answer.status == 503, answer
        assert not seen
