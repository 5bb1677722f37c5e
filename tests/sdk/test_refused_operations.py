"""A key with the upload-only preset can upload and nothing else, and the origin never hears of the attempt."""

import dataclasses

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest

from devices import Oss2Device, OssV2Device
from refusals import refused

KEY = "tests/refused/object.txt"

OSS2_CALLS = {
    "GetObject": lambda bucket: bucket.get_object(KEY),
    "GetObject of a range": lambda bucket: bucket.get_object(KEY, byte_range=(0, 1)),
    "HeadObject": lambda bucket: bucket.head_object(KEY),
    "GetObjectMeta": lambda bucket: bucket.get_object_meta(KEY),
    "DeleteObject": lambda bucket: bucket.delete_object(KEY),
    "DeleteMultipleObjects": lambda bucket: bucket.batch_delete_objects([KEY]),
    "ListObjects": lambda bucket: bucket.list_objects(),
    "ListObjectsV2": lambda bucket: bucket.list_objects_v2(),
    "ListMultipartUploads": lambda bucket: bucket.list_multipart_uploads(),
    "ListParts": lambda bucket: bucket.list_parts(KEY, "an-upload-id"),
    "CopyObject": lambda bucket: bucket.copy_object(bucket.bucket_name, KEY, KEY + ".copy"),
    "CopyObject of another bucket": lambda bucket: bucket.copy_object("secrets", KEY, KEY + ".copy"),
    "UploadPartCopy": lambda bucket: bucket.upload_part_copy(
        bucket.bucket_name, KEY, (0, 1), KEY + ".copy", "an-upload-id", 1
    ),
    "AppendObject": lambda bucket: bucket.append_object(KEY, 0, b"x"),
    "PutObjectACL": lambda bucket: bucket.put_object_acl(KEY, oss2.OBJECT_ACL_PUBLIC_READ),
    "GetObjectACL": lambda bucket: bucket.get_object_acl(KEY),
    "PutObjectTagging": lambda bucket: bucket.put_object_tagging(KEY, oss2.models.Tagging()),
    "GetObjectTagging": lambda bucket: bucket.get_object_tagging(KEY),
    "DeleteObjectTagging": lambda bucket: bucket.delete_object_tagging(KEY),
    "PutSymlink": lambda bucket: bucket.put_symlink("target", KEY),
    "GetSymlink": lambda bucket: bucket.get_symlink(KEY),
    "RestoreObject": lambda bucket: bucket.restore_object(KEY),
    "PutBucketACL": lambda bucket: bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ),
    "GetBucketACL": lambda bucket: bucket.get_bucket_acl(),
    "GetBucketInfo": lambda bucket: bucket.get_bucket_info(),
    "GetBucketLocation": lambda bucket: bucket.get_bucket_location(),
    "GetBucketStat": lambda bucket: bucket.get_bucket_stat(),
    "PutBucket": lambda bucket: bucket.create_bucket(),
    "DeleteBucket": lambda bucket: bucket.delete_bucket(),
    "PutBucketCORS": lambda bucket: bucket.delete_bucket_cors(),
    "PutBucketPolicy": lambda bucket: bucket.put_bucket_policy("{}"),
}


@pytest.mark.parametrize("call", OSS2_CALLS.values(), ids=OSS2_CALLS)
def test_oss2_is_denied_everything_but_uploads(gateway, call, origin_untouched):
    device = Oss2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    with refused(device, 403, "AccessDenied"):
        call(device.bucket)


OSS_V2_CALLS = {
    "GetObject": lambda client, bucket: client.get_object(oss_v2.GetObjectRequest(bucket=bucket, key=KEY)),
    "HeadObject": lambda client, bucket: client.head_object(oss_v2.HeadObjectRequest(bucket=bucket, key=KEY)),
    "DeleteObject": lambda client, bucket: client.delete_object(oss_v2.DeleteObjectRequest(bucket=bucket, key=KEY)),
    "DeleteMultipleObjects": lambda client, bucket: client.delete_multiple_objects(
        oss_v2.DeleteMultipleObjectsRequest(bucket=bucket, objects=[oss_v2.DeleteObject(key=KEY)])
    ),
    "ListObjectsV2": lambda client, bucket: client.list_objects_v2(oss_v2.ListObjectsV2Request(bucket=bucket)),
    "ListParts": lambda client, bucket: client.list_parts(
        oss_v2.ListPartsRequest(bucket=bucket, key=KEY, upload_id="an-upload-id")
    ),
    "CopyObject": lambda client, bucket: client.copy_object(
        oss_v2.CopyObjectRequest(bucket=bucket, key=KEY, source_key=KEY + ".source")
    ),
    "UploadPartCopy": lambda client, bucket: client.upload_part_copy(
        oss_v2.UploadPartCopyRequest(bucket=bucket, key=KEY, source_key="a", upload_id="u", part_number=1)
    ),
    "AppendObject": lambda client, bucket: client.append_object(
        oss_v2.AppendObjectRequest(bucket=bucket, key=KEY, position=0, body=b"x")
    ),
    "PutObjectAcl": lambda client, bucket: client.put_object_acl(
        oss_v2.PutObjectAclRequest(bucket=bucket, key=KEY, acl="public-read")
    ),
    "GetObjectTagging": lambda client, bucket: client.get_object_tagging(
        oss_v2.GetObjectTaggingRequest(bucket=bucket, key=KEY)
    ),
    "ListBuckets": lambda client, _bucket: client.list_buckets(oss_v2.ListBucketsRequest()),
}


@pytest.mark.parametrize("call", OSS_V2_CALLS.values(), ids=OSS_V2_CALLS)
def test_alibabacloud_oss_v2_is_denied_everything_but_uploads(gateway, call, origin_untouched):
    device = OssV2Device(gateway.endpoint("path"), gateway.credentials)
    with refused(device, 403, "AccessDenied"):
        call(device.client, gateway.bucket)


def test_no_key_reaches_a_bucket_that_is_not_configured(device_kind, gateway, key, origin_untouched):
    endpoint = dataclasses.replace(gateway.endpoint("path"), bucket="another-bucket")
    device = device_kind(endpoint, gateway.credentials)
    with pytest.raises(device.errors) as raised:
        device.put(key, b"x")
    refusal = device.refusal(raised.value)
    assert (refusal.status, refusal.code) in [(403, "AccessDenied"), (403, "SignatureDoesNotMatch")]
