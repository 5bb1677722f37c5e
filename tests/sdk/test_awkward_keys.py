"""Keys with every awkward character are written, listed and read back by each SDK.

ali-oss/awkward-keys.test.cjs and aws-sdk/s3-awkward-keys.test.cjs are the twins.
"""

import json

import pytest

from conftest import HERE
from object_clients import CLIENTS

KEYS: dict[str, str] = json.loads((HERE / "awkward_keys.json").read_text())


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client(request, gateway, s3_gateway, data_layer):
    if request.param.sdk == "boto3":
        return request.param(s3_gateway.endpoint("path"), data_layer)
    return request.param(gateway.endpoint("virtual-host"), data_layer)


def test_keys_with_every_awkward_character_are_listed_and_read_back(client, origin, key):
    # In the order of their bytes, as S3 lists.
    names = sorted((f"{key}/{name}" for name in KEYS.values()), key=str.encode)
    for name in names:
        client.put(name, name.encode())
    assert client.list_objects(f"{key}/") == names
    assert client.list_objects_v2(f"{key}/") == names
    for name in names:
        assert client.get(name).data == name.encode()
        assert origin.object(name).size == len(name.encode())


@pytest.mark.parametrize("name", KEYS.values(), ids=KEYS)
def test_a_key_is_listed_by_a_prefix_as_awkward_as_itself(client, key, name):
    client.put(f"{key}/{name}", b"x")
    assert client.list_objects_v2(f"{key}/{name}") == [f"{key}/{name}"]


def test_keys_with_every_awkward_character_are_deleted_at_once(client, key):
    names = [f"{key}/{name}" for name in KEYS.values()]
    for name in names:
        client.put(name, b"x")
    assert sorted(client.delete_many(names)) == sorted(names)
    assert client.list_objects(f"{key}/") == []


@pytest.mark.parametrize("name", KEYS.values(), ids=KEYS)
def test_a_key_is_copied_from_and_to(client, key, name):
    client.put(f"{key}/from {name}", name.encode())
    client.copy(f"{key}/from {name}", f"{key}/to {name}")
    assert client.get(f"{key}/to {name}").data == name.encode()
