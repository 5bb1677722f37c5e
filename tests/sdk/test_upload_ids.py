"""H09: an upload id holds for the key that began the upload, its bucket and its object, and for nobody else. A wrong one
is refused before the origin hears of it."""

import pytest

from devices import Credentials
from object_clients import CLIENTS, Boto3Client
from origin import MARK, origin_id
from refusals import refused
from staged import MIB

OPERATIONS = {
    "UploadPart": lambda client, key, upload_id: client.upload_part(key, upload_id, 1, b"x"),
    "UploadPart-large": lambda client, key, upload_id: client.upload_part(key, upload_id, 1, bytes(5 * MIB)),
    "UploadPartCopy": lambda client, key, upload_id: client.copy_part(f"{key}-source", 0, 0, key, upload_id, 1),
    "CompleteMultipartUpload": lambda client, key, upload_id: client.complete(key, upload_id, ['"' + "0" * 32 + '"']),
    "ListParts": lambda client, key, upload_id: client.list_parts(key, upload_id),
    "AbortMultipartUpload": lambda client, key, upload_id: client.abort(key, upload_id),
}


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client_of(request, gateway, s3_gateway):
    """Makes each SDK's client with these credentials."""

    def make(credentials: Credentials):
        if request.param is Boto3Client:
            return request.param(s3_gateway.endpoint("path"), credentials)
        return request.param(gateway.endpoint("virtual-host"), credentials)

    return make


@pytest.fixture
def client(client_of, data_layer):
    return client_of(data_layer)


@pytest.fixture
def upload(client, key, proxy):
    """An upload that was begun, which must be unchanged when the test is over."""
    client.put(f"{key}-source", b"source")
    upload_id = client.initiate(key)
    with proxy.watching() as seen:
        yield upload_id
    assert not seen, f"the origin saw {[(request.method, request.target) for request in seen]}"
    assert client.upload_part(key, upload_id, 1, b"the device's own part")
    client.abort(key, upload_id)


@pytest.fixture(params=OPERATIONS.values(), ids=OPERATIONS)
def operation(request):
    return request.param


def changed(text: str, at: int) -> str:
    """`text` with another letter there."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def forgeries(upload_id: str) -> dict[str, str]:
    origin = origin_id(upload_id)
    own = upload_id[len(origin) + 1 :]
    mark, mac = own[:MARK], own[MARK:]
    return {
        "the origin's own id": origin,
        "no mac": f"{origin}.{mark}",
        "no mark": f"{origin}.{mac}",
        "another first letter of the mac": f"{origin}.{mark}{changed(mac, 0)}",
        "another letter in the mac": f"{origin}.{mark}{changed(mac, 11)}",
        "a mac that is too short": upload_id[:-1],
        "a mac that is too long": f"{upload_id}A",
        "a mac of zeros": f"{origin}.{mark}{'A' * len(mac)}",
        "another mark": f"{origin}.{changed(mark, 3)}{mac}",
        "another origin id": f"{changed(origin, 2)}.{mark}{mac}",
        "a longer origin id": f"{origin}0.{mark}{mac}",
        "another dot": f"{origin[:-1]}.{origin[-1]}{mark}{mac}",
        "a letter that is not Base64url's": f"{origin}.{mark}{mac[:5]}+{mac[6:]}",
        "an id that was never given": "0004B9895DBBB6EC98E36",
    }


def test_H09_an_upload_id_that_was_changed_is_refused_unasked(client, upload, operation, key):
    for forged in forgeries(upload).values():
        with refused(client, 404, "NoSuchUpload"):
            operation(client, key, forged)


def test_H09_the_last_letter_of_a_mac_stands_for_one_value_only(client, upload, operation, key):
    # 22 letters are 132 bits, four of which mean nothing: they have to be zero.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters.index(upload[-1])
    for near in range(last, last + 16):
        if (forged := upload[:-1] + letters[near % 64]) != upload:
            with refused(client, 404, "NoSuchUpload"):
                operation(client, key, forged)


def test_H09_an_upload_id_holds_for_no_other_key_of_the_same_bucket(client_of, client, upload, operation, gateway, keys, key):
    other = client_of(keys.add(grants=[{"bucket": gateway.bucket, "operations": ["data-layer"]}]))
    with refused(other, 404, "NoSuchUpload"):
        operation(other, key, upload)


def test_H09_an_upload_id_holds_for_no_other_object(client, upload, operation, key):
    for other in (f"{key}-other", f"{key}/", key[:-1]):
        with refused(client, 404, "NoSuchUpload"):
            operation(client, other, upload)


def test_H09_an_upload_id_holds_for_no_other_mount(client_of, gateway, keys, operation, proxy, key):
    # Two keys with mounts of their own upload what both call by the same name.
    grant = {"bucket": gateway.bucket, "operations": ["data-layer"], "mount": "fleet/{key_id}/"}
    first, second = (client_of(keys.add(grants=[grant])) for _ in range(2))
    upload_id = first.initiate(key)
    with proxy.watching() as seen, refused(second, 404, "NoSuchUpload"):
        operation(second, key, upload_id)
    assert not seen
    first.abort(key, upload_id)


def test_an_upload_id_says_nothing_but_the_origins_own(client, origin, key):
    upload_id = client.initiate(key)
    assert origin.uploads(key) == [origin_id(upload_id)]
    client.abort(key, upload_id)
    assert origin.uploads(key) == []


def test_an_upload_that_is_listed_can_be_aborted(client, origin, key):
    client.initiate(key)
    for listed_key, upload_id in client.list_uploads(key):
        client.abort(listed_key, upload_id)
    assert origin.uploads(key) == []


def test_an_upload_goes_on_in_another_addressing_style(device_kind, gateway, witnessed, key):
    first, second, third = (
        device_kind(gateway.endpoint(style), gateway.credentials) for style in ("virtual-host", "distribution-label", "cname")
    )
    upload_id = first.initiate(key)
    etag = second.upload_part(key, upload_id, 1, b"one part")
    witnessed.ended_as(key, [b"one part"], third.complete(key, upload_id, [etag]))
