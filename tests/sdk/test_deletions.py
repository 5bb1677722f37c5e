"""DeleteObject and DeleteMultipleObjects: what is deleted, what is said of it, and what a key may not delete."""

from __future__ import annotations

import json

import alibabacloud_oss_v2 as oss_v2
import pytest

from conftest import HERE
from refusals import refused
from s3_devices import every_s3_device

KEYS: dict[str, str] = json.loads((HERE / "awkward_keys.json").read_text())


@pytest.fixture
def client(client_with):
    return client_with({"operations": ["read-write"]})


def test_what_is_not_there_is_deleted_like_what_is(client, origin, key):
    client.put(key, b"x")
    for _ in range(2):
        client.delete(key)
        assert origin.object(key).status == 404
        assert client.delete_many([key]) == [key]


@pytest.mark.usefixtures("origin_untouched")
def test_h06_the_right_to_abort_uploads_is_no_right_to_delete(client_with, key):
    client = client_with({"operations": ["upload-only", "read-only"]})
    with refused(client, 403, "AccessDenied"):
        client.delete(key)
    with refused(client, 403, "AccessDenied"):
        client.delete_many([key])


def test_a_batch_of_awkward_keys_is_deleted_and_told_by_their_names(client, origin, key):
    names = [f"{key}/{name}" for name in KEYS.values()]
    for name in names:
        client.put(name, b"x")
    assert sorted(client.delete_many(names)) == sorted(names)
    assert {origin.object(name).status for name in names} == {404}


def test_h10_a_thousand_keys_are_deleted_at_once_and_one_more_is_refused(client, origin, proxy, key):
    names = [f"{key}/{number}" for number in range(1000)]
    for name in (names[0], names[499], names[999]):
        client.put(name, b"x")
    with proxy.watching() as seen:
        assert sorted(client.delete_many(names)) == sorted(names)
    assert len(seen) == 1
    assert {origin.object(name).status for name in (names[0], names[499], names[999])} == {404}
    with proxy.watching() as seen, refused(client, 400, "MalformedXML"):
        client.delete_many([*names, f"{key}/1000"])
    assert not seen


def test_h10_one_key_outside_the_grants_keeps_all_of_a_batch(client_with, origin, proxy, key):
    client = client_with(
        {"operations": ["DeleteObjects"], "prefix": f"{key}/own/", "mount": "deletions/"},
        {"operations": ["DeleteObject"], "prefix": f"{key}/single/"},
    )
    mine = [f"{key}/own/{name}" for name in ("a", "b c")]
    for name in mine:
        origin.request("PUT", f"deletions/{name}", body=b"x").read()
    for other in (f"{key}/single/k", f"{key}/k", f"deletions/{mine[0]}"):
        with proxy.watching() as seen, refused(client, 403, "AccessDenied"):
            client.delete_many([*mine, other])
        assert not seen
    assert sorted(client.delete_many(mine)) == mine
    assert {origin.object(f"deletions/{name}").status for name in mine} == {404}


def test_a_quiet_batch_is_told_nothing_and_still_done(client, origin, key):
    for name in ("a", "b"):
        client.put(f"{key}/{name}", b"x")
    names = [f"{key}/a", f"{key}/b"]
    if client.sdk == "boto3":
        objects = [{"Key": name} for name in names]
        told = client.client.delete_objects(Bucket=client.bucket, Delete={"Objects": objects, "Quiet": True})
        assert "Deleted" not in told and "Errors" not in told
    elif client.sdk == "alibabacloud-oss-v2":
        objects = [oss_v2.DeleteObject(key=name) for name in names]
        request = oss_v2.DeleteMultipleObjectsRequest(bucket=client.bucket, objects=objects, quiet=True)
        assert not client.client.delete_multiple_objects(request).deleted_objects
    else:
        # oss2 has no quiet call; what it asks for is told.
        assert client.delete_many(names) == names
    assert {origin.object(name).status for name in names} == {404}


@pytest.mark.usefixtures("origin_untouched")
def test_h10_a_key_twice_in_a_batch_is_refused(client, key):
    with refused(client, 400, "MalformedXML"):
        client.delete_many([key, key])


@every_s3_device
def test_an_s3_client_s_documents_pass_whether_a_digest_or_over_tls_a_checksum_binds_them(
    s3_device_with, data_layer, origin, key
):
    device = s3_device_with(data_layer)
    device.put(key, b"x")
    tags = {"TagSet": [{"Key": "site", "Value": "7 north"}]}
    device.client.put_object_tagging(Bucket=device.bucket, Key=key, Tagging=tags)
    assert device.client.get_object_tagging(Bucket=device.bucket, Key=key)["TagSet"] == tags["TagSet"]
    told = device.client.delete_objects(Bucket=device.bucket, Delete={"Objects": [{"Key": key}]})
    assert [one["Key"] for one in told["Deleted"]] == [key]
    assert origin.object(key).status == 404
