"""operations.json names real calls: the README's table must not rest on a call that an SDK does not have."""

import json
import subprocess
from functools import partial

import alibabacloud_oss_v2 as oss_v2
import boto3
import oss2
import pytest

from conftest import HERE
from operations import ROWS, pair_of

NODE = """
const OSS = require('ali-oss');
const client = new OSS({ accessKeyId: 'a', accessKeySecret: 'b', bucket: 'bucket', region: 'oss-cn-hangzhou' });
const names = (object, found = []) =>
  object ? names(Object.getPrototypeOf(object), [...found, ...Object.getOwnPropertyNames(object)]) : found;
console.log(JSON.stringify({ 'ali-oss': names(client), '@aws-sdk/client-s3': Object.keys(require('@aws-sdk/client-s3')) }));
"""


@pytest.fixture(scope="module")
def names():
    """The names of the calls of each SDK."""
    node = subprocess.run(["node", "--eval", NODE], cwd=HERE, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(node.stdout) | {
        "oss2": dir(oss2.Bucket) + dir(oss2.Service),
        "alibabacloud-oss-v2": dir(oss_v2.Client),
        "boto3": dir(boto3.client("s3", region_name="eu-central-1")),
    }


@pytest.mark.parametrize("row", ROWS, ids=[row["operation"] for row in ROWS])
def test_every_call_of_the_table_is_one_of_the_sdks(names, row):
    assert {sdk: call for sdk, call in row["calls"].items() if call not in names[sdk]} == {}


def test_an_sdk_without_a_call_of_that_name_is_said_to_have_none(names):
    """A cell with a dash hides nothing: S3's name or OSS's, as each SDK spells its calls, is no call of that SDK."""

    def spelt(sdk, name):
        snake = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
        camel = name[0].lower() + name[1:]
        return {"ali-oss": camel, "@aws-sdk/client-s3": f"{name}Command"}.get(sdk, snake)

    hidden = [
        (sdk, name)
        for row in ROWS
        for sdk in names
        for name in (row["operation"], row.get("s3_name"))
        if name and sdk not in row["calls"] and spelt(sdk, name) in names[sdk]
    ]
    assert hidden == []


def test_a_test_cannot_cover_what_an_sdk_has_no_call_for():
    refused = partial(pytest.raises, pytest.UsageError)
    with refused(match="HeadBucket with oss2"):
        pair_of("oss2", "HeadBucket", "a test")
    with refused(match="ListObject with oss2"):
        pair_of("oss2", "ListObject", "a test")
    assert pair_of("boto3", "CreateMultipartUpload", "a test") == ("boto3", "InitiateMultipartUpload")
