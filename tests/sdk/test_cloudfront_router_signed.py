"""`direct_path = "router-signed"`: the router signs object bytes for S3 with its own role, and CloudFront does not."""

import pytest

from cloudfront import Deployment
from devices import OPERATIONS, STYLES
from refusals import refused
from test_matrix import PERFORM


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("style", STYLES)
def test_the_sdk_performs_the_operation_in_the_addressing_style(
    device_kind, router_signed, reader, origin, key, style, operation
):
    PERFORM[operation](device_kind(router_signed.endpoint(style), reader), origin, key)


def test_what_the_router_signs_is_as_strange_as_a_device_writes_it(device_kind, router_signed, origin, proxy, key):
    device = device_kind(router_signed.endpoint("virtual-host"), router_signed.credentials)
    name = f"{key}/a b+c%20//~!*'()?x=1&y#z 设备 🚀.txt"
    headers = {"x-oss-meta-a": "two  blanks", "Content-Type": "text/plain; a=b", "Cache-Control": "max-age=1"}
    with proxy.watching() as seen:
        device.put(name, b"x", headers | {"x-oss-forbid-overwrite": "true"})
    assert [request.path for request in seen] == [f"/{origin.bucket}/{name}".encode()]
    assert seen[0].header("x-amz-meta-a") == "two  blanks"
    assert seen[0].header("if-none-match") == "*"
    with refused(device, 409, "FileAlreadyExists"):
        device.put(name, b"y", {"x-oss-forbid-overwrite": "true"})


def test_a_read_with_a_range_a_condition_and_a_header_of_its_own_is_signed_as_well(
    device_kind, router_signed, reader, key
):
    device = device_kind(router_signed.endpoint("virtual-host"), reader)
    etag = device.put(key, b"0123456789")
    read = device.get(
        key, {"Range": "bytes=2-4", "If-Match": etag}, {"response-content-disposition": 'a; filename="b c+d"'}
    )
    assert read.data == b"234"
    assert read.header("content-disposition") == 'a; filename="b c+d"'
    with refused(device, 404, "NoSuchKey"):
        device.get(f"{key}/missing")


def test_a_bucket_policy_without_the_routers_role_is_never_the_devices_fault(
    servers, device_kind, tmp_path, origin_untouched
):
    deployment = Deployment(servers.process, servers.ready, tmp_path)
    deployment.configure(cloudfront={"direct_path": "router-signed"}).set_parameters(DirectPath="router-signed")
    writes = "Sid: TheRouterWritesObjects\n              Effect: Allow\n              Principal:\n                AWS: "
    another = "!Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/another"
    deployment.change_template("storage", writes + "!Ref RouterRoleArn", writes + another)
    with deployment.running() as (gateway, _):
        device = device_kind(gateway.endpoint("virtual-host"), gateway.credentials)
        with refused(device, 500, "InternalError"):
            device.put("k", b"x")
