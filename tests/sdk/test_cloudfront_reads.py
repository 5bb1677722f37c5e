"""Reads on CloudFront: the parameter Access of storage.yaml, and what S3 tells whoever may not list a bucket."""

import pytest

from cloudfront import Deployment
from refusals import refused
from stub_s3 import StubS3, error


@pytest.fixture
def deployment(servers, tmp_path):
    return Deployment(servers.process, servers.ready, tmp_path)


def test_no_object_is_read_unless_the_operator_allows_it(deployment, device_kind, reader, key):
    deployment.set_parameters(Access="upload-only")
    with deployment.running() as (gateway, server):
        device = device_kind(gateway.endpoint("virtual-host"), reader)
        device.put(key, b"written")
        for read in (device.get, device.head):
            with refused(device, 403, "AccessDenied") as told:
                read(key)
        assert server.log_lines(told[0].request_id)


def test_where_the_distribution_may_not_list_a_missing_object_is_denied(deployment, device_kind, reader, key):
    lists = "Action: s3:ListBucket\n              Resource: !Sub arn:${AWS::Partition}:s3:::${BucketName}\n"
    conditional = lists + "              Condition:"
    deployment.change_template("storage", conditional, conditional.replace("ListBucket", "GetBucketLocation"))
    with deployment.running() as (gateway, _):
        device = device_kind(gateway.endpoint("virtual-host"), reader)
        device.put(key, b"x")
        assert device.get(key).data == b"x"
        for read in (device.get, device.head):
            with refused(device, 403, "AccessDenied") as told:
                read(f"{key}/missing")
            assert "does not exist, or the gateway may not read it" in told[0].message


def test_a_read_that_s3_refuses_is_told_by_its_status_alone(deployment, device_kind, reader, key):
    stub = StubS3()
    deployment.config["origin"]["url"] = stub.url
    with deployment.running() as (gateway, _):
        device = device_kind(gateway.endpoint("virtual-host"), reader)
        for status, code, told in [
            (403, "InvalidObjectState", "AccessDenied"),
            (403, "SignatureDoesNotMatch", "AccessDenied"),
            (404, "NoSuchBucket", "NoSuchKey"),
        ]:
            with stub.script(GetObject=error(status, code)), refused(device, status, told):
                device.get(key)
    stub.close()
