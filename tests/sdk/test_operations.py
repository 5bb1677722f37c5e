"""Every operation of the object API as each SDK calls it, with a key that has the preset `data-layer`.

One row an operation: the SDK's real call, and what has come of it at the origin or in what the SDK gives back. What the
families have to say beyond that stands in their own rooms. ali-oss/operations.test.cjs and aws-sdk/s3-operations.test.cjs
are the twins.
"""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from conftest import HERE, RUN
from node_tests import shown_as_subtests
from object_clients import CLIENTS
from operations import ROWS
from origin import Origin, origin_id
from refusals import refused
from results import RESULTS
from servers import DevServer, Gateway
from stub_s3 import answer, error
from witness import Witness

BODY = b"the bytes of an object" * 1000
TAGS = {"site": "Berlin Nord", "kind": "log+1"}


def etag_of(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def is_stored(origin, key: str, data: bytes) -> bool:
    return origin.object(key).sha256 == hashlib.sha256(data).hexdigest()


def put_object(client, origin, key):
    assert client.put(key, BODY).strip('"') == etag_of(BODY)
    assert is_stored(origin, key, BODY)


def get_object(client, origin, key):
    client.put(key, BODY)
    assert client.get(key).data == BODY


def head_object(client, origin, key):
    client.put(key, BODY)
    assert client.head(key).header("content-length") == str(len(BODY))


def get_object_meta(client, origin, key):
    client.put(key, BODY)
    assert client.meta(key).header("etag").strip('"') == etag_of(BODY)


def delete_object(client, origin, key):
    client.put(key, BODY)
    client.delete(key)
    assert origin.object(key).status == 404


def delete_multiple_objects(client, origin, key):
    keys = [f"{key}/{name}" for name in ("a", "b c", "<d>&")]
    for one in [*keys, f"{key}/kept"]:
        client.put(one, BODY)
    assert sorted(client.delete_many(keys)) == sorted(keys)
    assert [origin.object(one).status for one in keys] == [404] * len(keys)
    assert origin.object(f"{key}/kept").status == 200


def copy_object(client, origin, key):
    client.put(f"{key}/source one+1", BODY)
    assert client.copy(f"{key}/source one+1", f"{key}/copy").strip('"') == etag_of(BODY)
    assert is_stored(origin, f"{key}/copy", BODY)


def initiate_multipart_upload(client, origin, key):
    assert origin.parts(key, client.initiate(key)) == 200


def upload_part(client, origin, key):
    assert client.upload_part(key, client.initiate(key), 1, BODY).strip('"') == etag_of(BODY)


def upload_part_copy(client, origin, key):
    # The local S3 server gives such a part the ETag of its source, S3 the part's own.
    client.put(f"{key}-source", BODY)
    upload_id = client.initiate(key)
    etag = client.copy_part(f"{key}-source", 5, 1004, key, upload_id, 1)
    client.complete(key, upload_id, [etag])
    assert is_stored(origin, key, BODY[5:1005])


def complete_multipart_upload(client, origin, key):
    upload_id = client.initiate(key)
    client.complete(key, upload_id, [client.upload_part(key, upload_id, 1, BODY)])
    assert is_stored(origin, key, BODY)


def abort_multipart_upload(client, origin, key):
    upload_id = client.initiate(key)
    client.abort(key, upload_id)
    assert origin.parts(key, upload_id) == 404


def list_parts(client, origin, key):
    upload_id = client.initiate(key)
    client.upload_part(key, upload_id, 1, BODY)
    listed = [(number, etag.strip('"'), size) for number, etag, size in client.list_parts(key, upload_id)]
    assert listed == [(1, etag_of(BODY), len(BODY))]


def list_multipart_uploads(client, origin, key):
    upload_id = client.initiate(f"{key}/one")
    listed = [(name, origin_id(one)) for name, one in client.list_uploads(f"{key}/")]
    assert listed == [(f"{key}/one", origin_id(upload_id))]


def list_objects(client, origin, key):
    assert_listed(client, client.list_objects, key)


def list_objects_v2(client, origin, key):
    assert_listed(client, client.list_objects_v2, key)


def assert_listed(client, listing, key):
    keys = [f"{key}/{name}" for name in ("a", "b c", "d+e")]
    for one in keys:
        client.put(one, BODY)
    assert listing(f"{key}/") == keys


def list_buckets(client, origin, key):
    assert client.list_buckets() == [client.bucket_name]


def head_bucket(client, origin, key):
    assert client.head_bucket() == 200


def get_bucket_location(client, origin, key):
    assert client.location()


def get_bucket_info(client, origin, key):
    name, location = client.info()
    assert name == client.bucket_name
    assert location


def get_object_tagging(client, origin, key):
    client.put(key, BODY)
    document = "".join(f"<Tag><Key>{name}</Key><Value>{value}</Value></Tag>" for name, value in TAGS.items())
    set_at_origin = origin.request("PUT", key, "tagging=", f"<Tagging><TagSet>{document}</TagSet></Tagging>".encode())
    assert set_at_origin.status == 200
    assert client.tags(key) == TAGS


def put_object_tagging(client, origin, key):
    client.put(key, BODY)
    client.set_tags(key, TAGS)
    assert origin.tags(key) == TAGS


def delete_object_tagging(client, origin, key):
    client.put(key, BODY)
    client.set_tags(key, TAGS)
    client.delete_tags(key)
    assert origin.tags(key) == {}


def get_object_acl(client, origin, key):
    client.put(key, BODY)
    assert client.acl(key) == "private"


def put_object_acl(client, origin, key):
    client.put(key, BODY)
    client.set_acl(key, "private")
    assert client.acl(key) == "private"
    with pytest.raises(client.errors) as raised:
        client.set_acl(key, "public-read")
    assert client.refusal(raised.value).status in (400, 403)


PERFORM = {
    "PutObject": put_object,
    "GetObject": get_object,
    "HeadObject": head_object,
    "GetObjectMeta": get_object_meta,
    "DeleteObject": delete_object,
    "DeleteMultipleObjects": delete_multiple_objects,
    "CopyObject": copy_object,
    "InitiateMultipartUpload": initiate_multipart_upload,
    "UploadPart": upload_part,
    "UploadPartCopy": upload_part_copy,
    "CompleteMultipartUpload": complete_multipart_upload,
    "AbortMultipartUpload": abort_multipart_upload,
    "ListParts": list_parts,
    "ListMultipartUploads": list_multipart_uploads,
    "ListObjects": list_objects,
    "ListObjectsV2": list_objects_v2,
    "ListBuckets": list_buckets,
    "HeadBucket": head_bucket,
    "GetBucketLocation": get_bucket_location,
    "GetBucketInfo": get_bucket_info,
    "GetObjectTagging": get_object_tagging,
    "PutObjectTagging": put_object_tagging,
    "DeleteObjectTagging": delete_object_tagging,
    "GetObjectAcl": get_object_acl,
    "PutObjectAcl": put_object_acl,
}


def every_client_of(operations) -> list:
    """A case for each operation and each SDK that has a call for it."""
    calls = {row["operation"]: row["calls"] for row in ROWS}
    return [
        pytest.param(kind, operation, id=f"{operation}-{sdk}", marks=pytest.mark.covers(operation, sdk=sdk))
        for operation in operations
        for sdk, kind in CLIENTS.items()
        if sdk in calls[operation]
    ]


@pytest.fixture
def client_of(gateway, s3_gateway, data_layer):
    """Makes a client with the key for everything."""

    def make(kind, of=None, credentials=data_layer):
        is_s3 = kind.sdk == "boto3"
        endpoint = (of or (s3_gateway if is_s3 else gateway)).endpoint("path" if is_s3 else "virtual-host")
        client = kind(endpoint, credentials)
        client.bucket_name = endpoint.bucket
        return client

    return make


@pytest.mark.parametrize(("kind", "operation"), every_client_of(PERFORM))
def test_the_sdk_performs_the_operation(client_of, origin, key, kind, operation):
    PERFORM[operation](client_of(kind), origin, key)


@pytest.fixture(scope="module")
def unmade(servers, platform):
    """A gateway whose S3 bucket is not there yet, with a key for everything; `origin` asks for it."""
    ready = servers.ready["origin"] | {"url": servers.origin.url, "bucket": f"made-{RUN}"}
    options = ["--origin", servers.proxy.url, "--origin-bucket", ready["bucket"], "--preset", "data-layer"]
    process = DevServer(platform, "unmade", *options)
    try:
        gateway = Gateway(process.ready())
        gateway.origin = Origin(ready)
        yield gateway
    finally:
        process.stop()


OF_BUCKETS = ("PutBucket", "DeleteBucket", "GetBucketTags", "PutBucketTags", "DeleteBucketTags")
every_client = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, id=sdk, marks=pytest.mark.covers(*OF_BUCKETS, sdk=sdk)) for sdk, kind in CLIENTS.items()],
)


@every_client
def test_a_bucket_is_made_tagged_and_deleted(client_of, unmade, kind):
    client, origin = client_of(kind, unmade, unmade.credentials), unmade.origin

    def status() -> int:
        answer = origin.request("HEAD", "")
        answer.read()
        return answer.status

    assert status() == 404
    client.create_bucket()
    assert status() == 200
    client.set_bucket_tags(TAGS)
    assert client.bucket_tags() == TAGS
    assert origin.tags("") == TAGS
    client.delete_bucket_tags()
    assert origin.tags("") == {}
    client.delete_bucket()
    assert status() == 404


@pytest.mark.parametrize(("sdk", "file"), [("ali-oss", "oss.test.cjs"), ("@aws-sdk/client-s3", "s3.test.cjs")])
def test_the_sdks_for_node_make_tag_and_delete_a_bucket(servers, platform, unmade, request, subtests, sdk, file):
    styles = {style: dataclasses.asdict(unmade.endpoint(style)) for style in ("virtual-host", "path")}
    witness = Witness(servers.proxy, unmade.origin)
    secret = unmade.credentials.access_key_secret
    run = {
        "endpoints": {**styles, "http": styles},
        "bucket": unmade.bucket,
        "credentials": {**dataclasses.asdict(unmade.credentials), "secret_access_key": secret},
        "witness": witness.url,
        "region": unmade.origin.region,
    }
    for test in shown_as_subtests(HERE / "buckets", file, run, platform, subtests):
        request.config.stash[RESULTS].add_node(sdk, test)
    witness.close()


@pytest.mark.parametrize(("kind", "operation"), every_client_of(["RestoreObject"]))
def test_an_archived_object_is_restored(client_of, faulty, faulty_keys, stub, key, kind, operation):
    """A stub answers: the local S3 server restores nothing."""
    credentials = faulty_keys.add(grants=[{"bucket": faulty.bucket, "operations": [operation]}])
    client = client_of(kind, faulty, credentials)
    for status in (202, 200):
        with stub.script(RestoreObject=answer(status)) as seen:
            assert client.restore(key) == status
        assert [(request.method, request.query) for request in seen] == [("POST", "restore=")]
        assert b"<Days>1</Days>" in seen[0].body
    with stub.script(RestoreObject=error(409, "RestoreAlreadyInProgress")):
        with refused(client, 409, "RestoreAlreadyInProgress"):
            client.restore(key)


@pytest.mark.parametrize(("sdk", "file"), [("ali-oss", "oss.test.cjs"), ("@aws-sdk/client-s3", "s3.test.cjs")])
def test_the_sdks_for_node_restore_an_archived_object(
    faulty, faulty_keys, stub, platform, request, subtests, sdk, file
):
    credentials = faulty_keys.add(grants=[{"bucket": faulty.bucket, "operations": ["RestoreObject"]}])
    styles = {style: dataclasses.asdict(faulty.endpoint(style)) for style in ("virtual-host", "path")}
    run = {
        "endpoints": {**styles, "http": styles},
        "bucket": faulty.bucket,
        "credentials": {**dataclasses.asdict(credentials), "secret_access_key": credentials.access_key_secret},
    }
    with stub.script(RestoreObject=answer(202)) as seen:
        for test in shown_as_subtests(HERE / "restore", file, run, platform, subtests):
            request.config.stash[RESULTS].add_node(sdk, test)
    assert [(request.method, request.query) for request in seen] == [("POST", "restore=")]
