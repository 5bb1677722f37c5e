"""What storage.yaml and edge.yaml allow is enough for small parts, also where nothing but uploads is allowed."""

import pytest

from cloudfront import Deployment
from devices import Oss2Device
from staged import MIB, Witnessed, bytes_of


@pytest.fixture(params=["oac", "router-signed"])
def upload_only(request, servers, tmp_path):
    """The templates with their smallest rights, for either signer of object bytes."""
    deployment = Deployment(servers.process, servers.ready, tmp_path)
    deployment.configure(cloudfront={"direct_path": request.param})
    deployment.set_parameters(Access="upload-only", DirectPath=request.param)
    with deployment.running() as (gateway, _):
        yield gateway


def test_h01_small_parts_need_no_more_than_the_right_to_upload(upload_only, origin, keys, key):
    grant = {"bucket": upload_only.bucket, "operations": ["upload-only", "ListParts"]}
    device = Oss2Device(upload_only.endpoint("virtual-host"), keys.add(grants=[grant]))
    witnessed = Witnessed(origin, upload_only.bucket)
    for name, sizes in {
        "one": [MIB],
        "joined": [MIB, MIB, 100],
        "copied": [MIB] * 5 + [100],
        "beside": [6 * MIB, MIB, MIB],
    }.items():
        parts = bytes_of(*sizes)
        upload_id = device.initiate(f"{key}/{name}")
        etags = [
            device.upload_part(f"{key}/{name}", upload_id, number, data) for number, data in enumerate(parts, 1)
        ]
        listed = device.list_parts(f"{key}/{name}", upload_id)
        assert [size for _, _, size in listed] == sizes
        etag = device.complete(f"{key}/{name}", upload_id, etags)
        witnessed.ended_as(f"{key}/{name}", parts, etag)
    # The one of another size takes the place of the one that waits.
    small, whole = bytes_of(MIB, 5 * MIB)
    upload_id = device.initiate(f"{key}/replaced")
    device.upload_part(f"{key}/replaced", upload_id, 1, small)
    etag = device.upload_part(f"{key}/replaced", upload_id, 1, whole)
    assert witnessed.staged(f"{key}/replaced", upload_id) == {}
    device.complete(f"{key}/replaced", upload_id, [etag])
    upload_id = device.initiate(f"{key}/aborted")
    device.upload_part(f"{key}/aborted", upload_id, 1, small)
    device.abort(f"{key}/aborted", upload_id)
    assert witnessed.staged(f"{key}/aborted", upload_id) == {}
