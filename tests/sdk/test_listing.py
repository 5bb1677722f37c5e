"""ListObjects, ListObjectsV2 and ListMultipartUploads: every SDK's own iterators over 2,500 keys, and what a grant shows.

SeaweedFS lists uploads in no order and cannot go on behind a key, so pages of uploads are a stub's: S3's documented ones.
"""

from urllib.parse import parse_qs

import pytest

from devices import Oss2Device
from listings import PER_FOLDER, every_iterator, every_upload_iterator
from origin import origin_id
from refusals import refused
from stub_s3 import answer, result
from test_s3_content import KEYS

AWKWARD = KEYS | {"like markup": 'xmlns="x" ]]> <Key>.txt', "like an escape": "%20%2B+ %.txt"}


@pytest.fixture
def client(device_kind, gateway, s3_gateway):
    """Makes a client of `device_kind` with a key."""

    def make(credentials):
        if device_kind.sdk == "boto3":
            return device_kind(s3_gateway.endpoint("path"), credentials)
        return device_kind(gateway.endpoint("virtual-host"), credentials)

    return make


@every_iterator
def test_2500_keys_are_listed_page_by_page(client, list_of, listed):
    keys, prefixes = list_of(client(listed.whole), prefix=listed.folder)
    assert (keys, prefixes) == ([listed.folder + name for name in listed.names], [])


@every_iterator
def test_a_delimiter_makes_folders(client, list_of, listed):
    device = client(listed.whole)
    folders = [f"{listed.folder}{number}/" for number in range(5)]
    assert list_of(device, prefix=listed.folder, delimiter="/") == ([], folders)
    inside = [listed.folder + name for name in listed.names if name.startswith("3/")]
    assert list_of(device, prefix=f"{listed.folder}3/", delimiter="/") == (inside, [])


@every_iterator
def test_under_a_mount_2500_keys_are_listed_without_it(client, list_of, listed):
    device = client(listed.mounted)
    assert list_of(device) == (listed.names, [])
    assert list_of(device, delimiter="/") == ([], ["0/", "1/", "2/", "3/", "4/"])


@every_iterator
def test_b05_a_list_is_confined_to_the_granted_prefix(client, list_of, listed, proxy):
    inside = [name for name in listed.names if name.startswith("2/")]
    assert len(inside) == PER_FOLDER
    device = client(listed.confined)
    for prefix in ("", listed.folder, f"{listed.folder}2/"):
        assert list_of(device, prefix=prefix) == ([listed.folder + name for name in inside], [])
    assert list_of(device, delimiter="/") == ([], ["tests/"])
    assert list_of(device, prefix=listed.folder, delimiter="/") == ([], [f"{listed.folder}2/"])
    device = client(listed.bound)
    assert list_of(device) == list_of(device, prefix="2/") == (inside, [])
    assert list_of(device, delimiter="/") == ([], ["2/"])
    for prefix in ("3/", listed.folder, "20", "../"):
        with proxy.watching() as seen, refused(device, 403, "AccessDenied"):
            list_of(device, prefix=prefix)
        assert not seen


@pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD)
@every_iterator
def test_a_key_is_listed_as_it_is_and_read_back(client, list_of, data_layer, key, name):
    device = client(data_layer)
    device.put(f"{key}/{name}", name.encode())
    [listed], _ = list_of(device, prefix=f"{key}/")
    assert listed == f"{key}/{name}"
    assert device.get(listed).data == name.encode()


def unsealed(uploads: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keys and the origin's ids: what a client is told of an upload by a list names the request that listed it."""
    return sorted((name, origin_id(upload)) for name, upload in uploads)


@every_upload_iterator
def test_uploads_under_way_are_listed(client, list_of, data_layer, key):
    device = client(data_layer)
    started = [(name, device.initiate(name)) for name in (f"{key}/a", f"{key}/a", f"{key}/b c/设备")]
    try:
        assert unsealed(list_of(device, 1000, prefix=f"{key}/")) == unsealed(started)
        assert list_of(device, 1000, prefix=f"{key}/nothing") == []
    finally:
        for name, upload in started:
            device.abort(name, upload)


@every_upload_iterator
def test_b05_uploads_are_listed_under_a_mount_and_a_prefix(client, list_of, keys, gateway, data_layer, key):
    grant = {"bucket": gateway.bucket, "operations": ["read-write"], "mount": f"{key}/", "prefix": "in/"}
    device, outside = client(keys.add(grants=[grant])), client(data_layer)
    started = [(name, device.initiate(name)) for name in ("in/a", "in/b")]
    elsewhere = outside.initiate(f"{key}/out")
    try:
        listed = [list_of(device, 1000), list_of(device, 1000, prefix="in/")]
        assert list(map(unsealed, listed)) == [unsealed(started)] * 2
        with refused(device, 403, "AccessDenied"):
            list_of(device, 1000, prefix="out")
    finally:
        outside.abort(f"{key}/out", elsewhere)
        for name, upload in started:
            device.abort(name, upload)


@pytest.fixture
def before_the_stub(device_kind, faulty, faulty_keys):
    """A client of the gateway whose origin is the stub."""
    grant = {"bucket": faulty.bucket, "operations": ["read-write"], "mount": "m/"}
    return device_kind(faulty.endpoint("path"), faulty_keys.add(grants=[grant]))


UPLOADS = [(f"m/{number // 3}+ %.bin", f"ID-{number}") for number in range(7)]


def page_of_uploads(seen) -> bytes:
    """S3's documented answer to a ListMultipartUploads with `encoding-type=url`: two at a time, in order."""
    query = {name: values[0] for name, values in parse_qs(seen.query).items()}
    assert (query["encoding-type"], query["prefix"], query["max-uploads"]) == ("url", "m/", "2")
    marker = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
    left = [upload for upload in UPLOADS if upload > marker]

    def encoded(key: str) -> str:
        return key.replace("%", "%25").replace("+", "%2B").replace(" ", "+")

    entries = "".join(
        f"<Upload><Key>{encoded(name)}</Key><UploadId>{upload}</UploadId><StorageClass>STANDARD</StorageClass>"
        "<Initiated>2026-11-21T12:34:56.000Z</Initiated></Upload>"
        for name, upload in left[:2]
    )
    last, upload = left[:2][-1]
    head = (
        f"<Bucket>b</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker><NextKeyMarker>{encoded(last)}"
        f"</NextKeyMarker><NextUploadIdMarker>{upload}</NextUploadIdMarker><EncodingType>url</EncodingType>"
        f"<MaxUploads>2</MaxUploads><IsTruncated>{str(len(left) > 2).lower()}</IsTruncated>"
    )
    return answer(200, result("ListMultipartUploads", head + entries), "Content-Type: application/xml")


@every_upload_iterator
def test_uploads_are_listed_page_by_page(list_of, stub, before_the_stub):
    with stub.script(GetObject=page_of_uploads) as seen:
        listed = [(name, origin_id(upload)) for name, upload in list_of(before_the_stub, 2)]
        assert listed == [(name.removeprefix("m/"), upload) for name, upload in UPLOADS]
    assert len(seen) == 4


def test_h09_a_page_of_uploads_ends_at_an_id_that_its_client_was_told(stub, faulty, faulty_keys):
    grant = {"bucket": faulty.bucket, "operations": ["read-write"], "mount": "m/"}
    device = Oss2Device(faulty.endpoint("path"), faulty_keys.add(grants=[grant]))
    with stub.script(GetObject=page_of_uploads) as seen:
        page = device.bucket.list_multipart_uploads(max_uploads=2)
        last = page.upload_list[-1]
        assert page.next_upload_id_marker == last.upload_id
        assert origin_id(last.upload_id) == "ID-1" != last.upload_id
        with refused(device, 400, "InvalidArgument") as told:
            device.bucket.list_multipart_uploads(key_marker=page.next_key_marker, upload_id_marker="ID-1", max_uploads=2)
        assert "upload-id-marker" in told[0].message
    assert len(seen) == 1


@every_iterator
def test_x03_a_list_that_is_too_long_is_503_and_says_what_helps(list_of, stub, before_the_stub):
    document = result("ListBucket", "<IsTruncated>false</IsTruncated>" + " " * (4 << 20))
    with stub.script(GetObject=answer(200, document)), refused(before_the_stub, 503, "ServiceUnavailable") as told:
        list_of(before_the_stub)
    assert "ask for fewer entries" in told[0].message
