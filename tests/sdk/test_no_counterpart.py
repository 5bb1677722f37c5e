"""What S3 has nothing like is told as such by the SDK's own exception, and the origin hears nothing of it."""

from __future__ import annotations

import base64
import json

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest

from devices import Oss2Device, OssV2Device
from object_clients import Boto3Client
from refusals import refused

CALLBACK = base64.b64encode(json.dumps({"callbackUrl": "http://example.com", "callbackBody": "a=b"}).encode()).decode()
SAVED = "image/resize,w_100|sys/saveas,o_dGFyZ2V0"
SQL = "select * from ossobject"


def select_request() -> oss_v2.SelectRequest:
    return oss_v2.SelectRequest(expression=base64.b64encode(SQL.encode()).decode())


OSS2 = {
    "AppendObject": lambda device, key: device.bucket.append_object(key, 0, b"x"),
    "PutSymlink": lambda device, key: device.bucket.put_symlink("target", key),
    "GetSymlink": lambda device, key: device.bucket.get_symlink(key),
    "x-oss-process": lambda device, key: device.bucket.process_object(key, SAVED),
    "callback": lambda device, key: device.bucket.put_object(key, b"x", headers={"x-oss-callback": CALLBACK}),
    "SelectObject": lambda device, key: device.bucket.select_object(key, SQL),
    "live channels": lambda device, key: device.bucket.create_live_channel(
        "channel", oss2.models.LiveChannelInfo(target=oss2.models.LiveChannelInfoTarget(playlist_name="a.m3u8"))
    ),
}
OSS_V2 = {
    "AppendObject": lambda device, key: device.client.append_object(
        device._request(oss_v2.AppendObjectRequest, key, position=0, body=b"x")
    ),
    "PutSymlink": lambda device, key: device.client.put_symlink(
        device._request(oss_v2.PutSymlinkRequest, key, symlink_target="target")
    ),
    "GetSymlink": lambda device, key: device.client.get_symlink(device._request(oss_v2.GetSymlinkRequest, key)),
    "x-oss-process": lambda device, key: device.client.process_object(
        device._request(oss_v2.ProcessObjectRequest, key, process=SAVED)
    ),
    "callback": lambda device, key: device.client.put_object(
        device._request(oss_v2.PutObjectRequest, key, body=b"x", callback=CALLBACK)
    ),
    "SelectObject": lambda device, key: device.client.select_object(
        device._request(
            oss_v2.SelectObjectRequest, key, process="csv/select", select_request=select_request()
        )
    ),
}
BOTO3 = {
    "SelectObject": lambda device, key: device.client.select_object_content(
        Bucket=device.bucket,
        Key=key,
        Expression=SQL,
        ExpressionType="SQL",
        InputSerialization={"CSV": {}},
        OutputSerialization={"CSV": {}},
    )
}
CALLS = [
    pytest.param(kind, call, id=f"{name}-{kind.sdk}", marks=pytest.mark.covers(name, sdk=kind.sdk))
    for kind, calls in ((Oss2Device, OSS2), (OssV2Device, OSS_V2), (Boto3Client, BOTO3))
    for name, call in calls.items()
]


@pytest.mark.parametrize(("kind", "call"), CALLS)
def test_a_feature_without_a_counterpart_is_not_implemented(gateway, s3_gateway, data_layer, key, origin_untouched, kind, call):
    where = s3_gateway.endpoint("path") if kind is Boto3Client else gateway.endpoint("virtual-host")
    device = kind(where, data_layer)
    with refused(device, 501, "NotImplemented"):
        call(device, key)


def test_a_processed_read_is_not_implemented(device_with, data_layer, key, origin_untouched):
    device = device_with(data_layer)
    with refused(device, 501, "NotImplemented"):
        device.get(key, params={"x-oss-process": "image/resize,w_100"})
