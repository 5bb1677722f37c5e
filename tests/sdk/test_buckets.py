"""What clients are told of buckets, by every signature and in every addressing style, and what is done to no bucket.

That every SDK makes, tags, lists and deletes buckets is shown by test_operations.py. What SeaweedFS does otherwise than S3
is played by stub_s3.py.
"""

from __future__ import annotations

import dataclasses
import datetime

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest
import requests
from botocore.exceptions import ClientError

from devices import Oss2V2Device, Oss2V4Device, OssV2V1Device
from object_clients import CLIENTS, Boto3Client, Oss2Client, OssV2Client
from refusals import refused
from stub_s3 import XMLNS, answer, error


class Oss2V2Client(Oss2Client, Oss2V2Device):
    """oss2, signature V2."""


class Oss2V4Client(Oss2Client, Oss2V4Device):
    """oss2, signature V4."""


class OssV2V1Client(OssV2Client, OssV2V1Device):
    """alibabacloud-oss-v2, signature V1."""


SIGNERS = {
    f"{kind.sdk}-{kind.signature}": kind
    for kind in (Oss2Client, Oss2V2Client, Oss2V4Client, OssV2V1Client, OssV2Client, Boto3Client)
}
every_client = pytest.mark.parametrize("kind", CLIENTS.values(), ids=CLIENTS)
every_signer = pytest.mark.parametrize("kind", SIGNERS.values(), ids=SIGNERS)
STYLES = ("path", "virtual-host", "cname")


def changes(client) -> list:
    """Whatever changes a bucket, or asks for what only its owner may know."""
    return [
        client.create_bucket,
        client.delete_bucket,
        client.bucket_tags,
        client.delete_bucket_tags,
        lambda: client.set_bucket_tags({"a": "b"}),
    ]


@every_signer
def test_the_buckets_of_a_key_are_listed_whatever_signs_for_them(kind, gateway, data_layer):
    assert kind(gateway.endpoint("path"), data_layer).list_buckets() == [gateway.bucket]


def test_a13_oss2_is_told_what_the_configuration_says_of_buckets(gateway, data_layer):
    endpoint = gateway.endpoint("path")
    service = oss2.Service(Oss2Client(endpoint, data_layer).auth, endpoint.url)
    [bucket] = service.list_buckets(prefix="dev", max_keys=1).buckets
    host = endpoint.url.removeprefix("http://")
    assert (bucket.name, bucket.location, bucket.region) == (gateway.bucket, "oss-eu-west-1", "eu-west-1")
    assert (bucket.extranet_endpoint, bucket.intranet_endpoint, bucket.storage_class) == (host, host, "Standard")
    assert bucket.creation_date == 0
    assert [one.name for one in oss2.BucketIterator(service)] == [gateway.bucket]
    assert service.list_buckets(prefix="other").buckets == []
    with pytest.raises(oss2.exceptions.ServerError) as raised:
        service.list_buckets(max_keys=1001)
    assert (raised.value.status, raised.value.code) == (400, "InvalidArgument")


def test_a13_the_new_sdk_is_told_what_the_configuration_says_of_buckets(gateway, data_layer):
    client = OssV2Client(gateway.endpoint("path"), data_layer).client
    pages = client.list_buckets_paginator().iter_page(oss_v2.ListBucketsRequest(prefix="dev", max_keys=1))
    [bucket] = [bucket for page in pages for bucket in page.buckets]
    assert (bucket.name, bucket.location, bucket.storage_class) == (gateway.bucket, "oss-eu-west-1", "Standard")


def test_a13_boto3_is_told_what_the_configuration_says_of_buckets(gateway, data_layer):
    client = Boto3Client(gateway.endpoint("path"), data_layer).client
    pages = client.get_paginator("list_buckets").paginate(Prefix="dev", PaginationConfig={"PageSize": 1})
    [bucket] = [bucket for page in pages for bucket in page["Buckets"]]
    assert bucket["CreationDate"] == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert bucket["BucketRegion"] == client.head_bucket(Bucket=gateway.bucket)["BucketRegion"] == "eu-west-1"
    presigned = client.generate_presigned_url("list_buckets", ExpiresIn=60)
    listed = requests.get(presigned, timeout=30)
    assert listed.status_code == 200 and f"<Name>{gateway.bucket}</Name>" in listed.text, listed.text


@every_signer
@pytest.mark.parametrize("style", STYLES)
def test_a_bucket_says_where_it_lies_in_every_addressing_style(kind, style, gateway, data_layer):
    if kind.sdk == "boto3":
        style = {"cname": "distribution-label"}.get(style, style)
    place = "eu-west-1" if kind.sdk == "boto3" else "oss-eu-west-1"
    assert kind(gateway.endpoint(style), data_layer).location() == place


@pytest.mark.parametrize("style", STYLES)
def test_oss2_is_told_all_that_it_wants_to_know_of_a_bucket(style, gateway, data_layer):
    info = Oss2Client(gateway.endpoint(style), data_layer).bucket.get_bucket_info()
    assert (info.name, info.location, info.storage_class) == (gateway.bucket, "oss-eu-west-1", "Standard")
    assert (info.acl.grant, info.owner.id, info.owner.display_name) == ("private", "causeway", "causeway")
    assert info.creation_date == "1970-01-01T00:00:00.000Z"


@every_client
def test_l05_a_key_is_told_of_no_bucket_that_it_has_no_grant_for(kind, gateway, keys):
    for credentials in (gateway.credentials, keys.add(grants=[])):
        client = kind(gateway.endpoint("path"), credentials)
        with refused(client, 403, "AccessDenied"):
            client.list_buckets()


@every_client
def test_l05_a_bucket_that_is_not_configured_is_answered_like_one_without_a_grant(kind, gateway, keys):
    told = set()
    for bucket in (gateway.bucket, "nobodys-bucket"):
        endpoint = dataclasses.replace(gateway.endpoint("path"), bucket=bucket)
        client = kind(endpoint, keys.add(grants=[]))
        for call in [client.location, *changes(client)]:
            with refused(client, 403, "AccessDenied") as refusal:
                call()
            told.add((refusal[0].message, refusal[0].ec))
    assert len(told) == 1


@every_client
def test_h01_a_key_that_uploads_neither_makes_nor_deletes_nor_tags_a_bucket(kind, gateway, origin_untouched):
    client = kind(gateway.endpoint("virtual-host"), gateway.credentials)
    for call in changes(client):
        with refused(client, 403, "AccessDenied"):
            call()


@every_client
@pytest.mark.parametrize("part", ["prefix", "mount"])
def test_h01_a_grant_of_a_part_of_a_bucket_changes_no_bucket(kind, part, gateway, keys, origin_untouched):
    grant = {"bucket": gateway.bucket, "operations": ["data-layer"], part: "a/"}
    client = kind(gateway.endpoint("path"), keys.add(grants=[grant]))
    for call in changes(client):
        with refused(client, 403, "AccessDenied"):
            call()


def test_a_bucket_of_another_kind_than_the_configured_one_is_refused(gateway, data_layer, origin_untouched):
    oss, new, s3 = (kind(gateway.endpoint("path"), data_layer) for kind in (Oss2Client, OssV2Client, Boto3Client))
    with refused(oss, 400, "InvalidArgument"):
        oss.bucket.create_bucket(input=oss2.models.BucketCreateConfig(oss2.BUCKET_STORAGE_CLASS_IA))
    with refused(oss, 403, "AccessDenied"):
        oss.bucket.create_bucket(oss2.BUCKET_ACL_PUBLIC_READ)
    archive = oss_v2.CreateBucketConfiguration(storage_class="Archive")
    with refused(new, 400, "InvalidArgument"):
        new.client.put_bucket(oss_v2.PutBucketRequest(gateway.bucket, create_bucket_configuration=archive))
    elsewhere = {"LocationConstraint": "us-west-2"}
    with refused(s3, 400, "InvalidLocationConstraint"):
        s3.client.create_bucket(Bucket=gateway.bucket, CreateBucketConfiguration=elsewhere)
    with refused(s3, 403, "AccessDenied"):
        s3.client.create_bucket(Bucket=gateway.bucket, ACL="public-read")


@pytest.mark.parametrize("call", ["get_bucket_stat", "get_bucket_acl", "get_bucket_policy"])
def test_h01_what_no_bucket_is_asked_is_refused(call, gateway, data_layer, origin_untouched):
    client = Oss2Client(gateway.endpoint("path"), data_layer)
    with pytest.raises(oss2.exceptions.ServerError) as raised:
        getattr(client.bucket, call)()
    assert raised.value.status in (403, 501)


@pytest.fixture
def played(kind, faulty, faulty_keys):
    """A client of a gateway whose origin plays what it is told to."""
    grants = [{"bucket": faulty.bucket, "operations": ["data-layer"]}]
    return kind(faulty.endpoint("path"), faulty_keys.add(grants=grants))


TAGS = {"Project": "Edge & core", "empty": ""}
DOCUMENT = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<Tagging {XMLNS}><TagSet><Tag><Key>Project</Key>'
    "<Value>Edge &amp; core</Value></Tag><Tag><Key>empty</Key><Value></Value></Tag></TagSet></Tagging>"
)


@every_client
def test_tags_of_a_bucket_are_written_anew_both_ways(played, stub):
    with stub.script(PutObject=answer(204)) as seen:
        played.set_bucket_tags(TAGS)
    [request] = seen
    assert (request.method, request.query, request.body.decode()) == ("PUT", "tagging=", DOCUMENT)
    assert request.header("content-md5")
    with stub.script(GetObject=answer(200, DOCUMENT, "Content-Type: application/xml")):
        # An empty element is nothing to alibabacloud-oss-v2.
        assert {key: value or "" for key, value in played.bucket_tags().items()} == TAGS
    with stub.script(PutObject=error(400, "InvalidTag")):
        with refused(played, 400, "InvalidTag" if played.sdk == "boto3" else "InvalidArgument"):
            played.set_bucket_tags(TAGS)


@every_client
def test_a_bucket_without_tags_is_an_error_in_s3_alone(played, stub):
    with stub.script(GetObject=error(404, "NoSuchTagSet")):
        if played.sdk == "boto3":
            with refused(played, 404, "NoSuchTagSet"):
                played.bucket_tags()
        else:
            assert played.bucket_tags() == {}


@every_client
def test_a_bucket_has_no_more_tags_than_its_dialect_allows(played, stub):
    most, code = (50, "BadRequest") if played.sdk == "boto3" else (20, "InvalidArgument")
    with stub.script(PutObject=answer(204)) as seen:
        played.set_bucket_tags({str(number): "v" for number in range(most)})
        with refused(played, 400, code):
            played.set_bucket_tags({str(number): "v" for number in range(most + 1)})
    assert len(seen) == 1


@every_client
def test_what_s3_says_of_buckets_is_told(played, stub):
    owned = "BucketAlreadyOwnedByYou" if played.sdk == "boto3" else "BucketAlreadyExists"
    for status, code, told in [
        (409, "BucketAlreadyExists", "BucketAlreadyExists"),
        (409, "BucketAlreadyOwnedByYou", owned),
        (400, "TooManyBuckets", "TooManyBuckets"),
    ]:
        with stub.script(PutObject=error(status, code)), refused(played, status, told):
            played.create_bucket()
    for status, code in [(409, "BucketNotEmpty"), (404, "NoSuchBucket")]:
        with stub.script(AbortMultipartUpload=error(status, code)), refused(played, status, code):
            played.delete_bucket()


def test_a_bucket_that_is_not_there_is_told_as_one(faulty, faulty_keys, stub):
    credentials = faulty_keys.add(grants=[{"bucket": faulty.bucket, "operations": ["read-only"]}])
    with stub.script(HeadObject=answer(404)):
        oss = Oss2Client(faulty.endpoint("path"), credentials)
        with refused(oss, 404, "NoSuchBucket"):
            oss.info()
        with pytest.raises(ClientError) as raised:
            Boto3Client(faulty.endpoint("path"), credentials).head_bucket()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
