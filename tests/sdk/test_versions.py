"""Versions, where the origin's bucket keeps them: read, copied and deleted by their ids, by OSS clients and S3 clients."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import alibabacloud_oss_v2 as oss_v2
import pytest

from conftest import HERE, RUN, resolve
from devices import Oss2Device, OssV2Device
from node_tests import shown_as_subtests
from origin import Origin
from refusals import refused
from s3_devices import Boto3Device
from servers import DevServer, Gateway
from witness import Witness

ENABLED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


@pytest.fixture(scope="module")
def versioned(servers, platform) -> Iterator[Gateway]:
    """A gateway before a bucket that keeps versions, with a key for everything."""
    proxy, origin = servers.proxy, servers.origin
    bucket = Origin(
        {
            "url": origin.url,
            "region": origin.region,
            "bucket": f"versioned-{RUN}",
            "access_key_id": servers.ready["origin"]["access_key_id"],
            "secret_access_key": servers.ready["origin"]["secret_access_key"],
        }
    )
    for query, body in (("", b""), ("versioning=", ENABLED)):
        answer = bucket.request("PUT", "", query, body)
        assert answer.status == 200, answer.read()
    options = ["--origin", proxy.url, "--origin-bucket", bucket.bucket, "--preset", "data-layer"]
    process = DevServer(platform, "versioned", *options)
    try:
        gateway = Gateway(process.ready())
        resolve(gateway)
        gateway.origin = bucket
        yield gateway
    finally:
        process.stop()


class Oss2Versions(Oss2Device):
    """oss2's calls about versions."""

    def put_version(self, key: str, data: bytes) -> str:
        return self.bucket.put_object(key, data).versionid

    def read_version(self, key: str, version: str | None) -> bytes:
        return self.get(key, params=asked(version)).data

    def head_version(self, key: str, version: str) -> tuple[str, int]:
        head = self.bucket.head_object(key, params=asked(version))
        return head.versionid, head.content_length

    def copy_version(self, source: str, version: str, key: str) -> None:
        self.bucket.copy_object(self.bucket.bucket_name, source, key, params=asked(version))

    def delete_version(self, key: str, version: str | None) -> tuple[str | None, bool]:
        deleted = self.bucket.delete_object(key, params=asked(version))
        return deleted.versionid, bool(deleted.delete_marker)


class OssV2Versions(OssV2Device):
    """alibabacloud-oss-v2's."""

    def put_version(self, key: str, data: bytes) -> str:
        return self.client.put_object(self._request(oss_v2.PutObjectRequest, key, body=data)).version_id

    def read_version(self, key: str, version: str | None) -> bytes:
        return self.client.get_object(self._request(oss_v2.GetObjectRequest, key, version_id=version)).body.content

    def head_version(self, key: str, version: str) -> tuple[str, int]:
        head = self.client.head_object(self._request(oss_v2.HeadObjectRequest, key, version_id=version))
        return head.version_id, head.content_length

    def copy_version(self, source: str, version: str, key: str) -> None:
        names = {"source_bucket": self.bucket, "source_key": source, "source_version_id": version}
        self.client.copy_object(self._request(oss_v2.CopyObjectRequest, key, **names))

    def delete_version(self, key: str, version: str | None) -> tuple[str | None, bool]:
        deleted = self.client.delete_object(self._request(oss_v2.DeleteObjectRequest, key, version_id=version))
        return deleted.version_id, bool(deleted.delete_marker)


class Boto3Versions(Boto3Device):
    """boto3's."""

    def put_version(self, key: str, data: bytes) -> str:
        return self._call("put_object", key, Body=data)["VersionId"]

    def read_version(self, key: str, version: str | None) -> bytes:
        return self._call("get_object", key, **named(version))["Body"].read()

    def head_version(self, key: str, version: str) -> tuple[str, int]:
        head = self._call("head_object", key, **named(version))
        return head["VersionId"], head["ContentLength"]

    def copy_version(self, source: str, version: str, key: str) -> None:
        self._call("copy_object", key, CopySource={"Bucket": self.bucket, "Key": source, **named(version)})

    def delete_version(self, key: str, version: str | None) -> tuple[str | None, bool]:
        deleted = self._call("delete_object", key, **named(version))
        return deleted.get("VersionId"), deleted.get("DeleteMarker", False)


def asked(version: str | None) -> dict:
    return {"versionId": version} if version else {}


def named(version: str | None) -> dict:
    return {"VersionId": version} if version else {}


KINDS = {kind.sdk: kind for kind in (Oss2Versions, OssV2Versions, Boto3Versions)}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def client(request, versioned):
    kind = request.param
    style = "path" if kind is Boto3Versions else "virtual-host"
    return kind(versioned.endpoint(style), versioned.credentials)


def test_every_version_is_read_by_its_id(client, key):
    first, second = client.put_version(key, b"first"), client.put_version(key, b"the second")
    assert first and second and first != second
    assert client.read_version(key, first) == b"first"
    assert client.read_version(key, second) == client.read_version(key, None) == b"the second"
    assert client.head_version(key, first) == (first, len(b"first"))
    with refused(client, 404, "NoSuchVersion") as told:
        client.read_version(key, "0123456789abcdef0123456789abcdef")
    assert told


def test_an_older_version_is_copied(client, key):
    first = client.put_version(key, b"first")
    client.put_version(key, b"the second")
    client.copy_version(key, first, f"{key}-copy")
    assert client.read_version(f"{key}-copy", None) == b"first"


def test_a_deletion_is_a_marker_that_can_itself_be_deleted(client, versioned, key):
    first = client.put_version(key, b"first")
    marker, is_marker = client.delete_version(key, None)
    assert marker not in (None, first)
    assert is_marker
    with refused(client, 404, "NoSuchKey"):
        client.read_version(key, None)
    assert client.read_version(key, first) == b"first"
    assert client.delete_version(key, marker) == (marker, True)
    assert client.read_version(key, None) == b"first"


def test_a_version_that_is_deleted_is_gone_and_no_other(client, versioned, key):
    first, second = client.put_version(key, b"first"), client.put_version(key, b"the second")
    assert client.delete_version(key, first) == (first, False)
    assert client.read_version(key, second) == b"the second"
    assert versioned.origin.request("GET", key, f"versionId={first}").status == 404


@pytest.mark.parametrize(("file", "style"), [("oss.test.cjs", "virtual-host"), ("s3.test.cjs", "path")])
def test_the_sdks_for_node_say_the_same(versioned, servers, platform, file, style, subtests):
    endpoint = dataclasses.asdict(versioned.endpoint(style))
    key, secret = versioned.credentials.access_key_id, versioned.credentials.access_key_secret
    witness = Witness(servers.proxy, versioned.origin)
    run = {
        "endpoints": {style: endpoint, "http": {style: endpoint}},
        "bucket": versioned.bucket,
        "credentials": {"access_key_id": key, "access_key_secret": secret, "secret_access_key": secret},
        "witness": witness.url,
        "folder": f"tests/{RUN}/versions-{style}",
    }
    shown_as_subtests(HERE / "versions", file, run, platform, subtests)
    witness.close()
