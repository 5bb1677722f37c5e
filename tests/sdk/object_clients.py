"""The whole object API as each Python SDK calls it, behind one surface, so that an operation is tried once for all.

Every method is one call of the SDK, of the same name in operations.json, and gives back what a caller would look at, as
plain values. What an SDK has no call for, its class has no method for.
"""

from __future__ import annotations

import alibabacloud_oss_v2 as oss_v2
import oss2

from devices import REGION, Oss2Device, OssV2Device
from s3_devices import Boto3Device


class Oss2Client(Oss2Device):
    """oss2."""

    def delete(self, key: str) -> None:
        self.bucket.delete_object(key)

    def delete_many(self, keys: list[str]) -> list[str]:
        """The keys that are said to be deleted."""
        return self.bucket.batch_delete_objects(keys).deleted_keys

    def copy(self, source: str, key: str) -> str:
        """The copy's ETag."""
        return self.bucket.copy_object(self.bucket.bucket_name, source, key).etag

    def copy_part(self, source: str, first: int, last: int, key: str, upload_id: str, number: int) -> str:
        """Makes a part of the bytes `first` to `last` of an object, and gives the part's ETag."""
        name = self.bucket.bucket_name
        return self.bucket.upload_part_copy(name, source, (first, last), key, upload_id, number).etag

    def list_objects(self, prefix: str) -> list[str]:
        return [one.key for one in self.bucket.list_objects(prefix).object_list]

    def list_objects_v2(self, prefix: str) -> list[str]:
        return [one.key for one in self.bucket.list_objects_v2(prefix).object_list]

    def list_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Keys and upload ids."""
        return [(one.key, one.upload_id) for one in self.bucket.list_multipart_uploads(prefix).upload_list]

    def list_buckets(self) -> list[str]:
        service = oss2.Service(self.bucket.auth, self.bucket.endpoint, region=REGION)
        return [one.name for one in service.list_buckets().buckets]

    def location(self) -> str | None:
        return self.bucket.get_bucket_location().location

    def info(self) -> tuple[str, str]:
        """The bucket's name and location."""
        info = self.bucket.get_bucket_info()
        return info.name, info.location

    def create_bucket(self) -> None:
        self.bucket.create_bucket()

    def delete_bucket(self) -> None:
        self.bucket.delete_bucket()

    def tags(self, key: str) -> dict[str, str]:
        return dict(self.bucket.get_object_tagging(key).tag_set.tagging_rule)

    def set_tags(self, key: str, tags: dict[str, str]) -> None:
        self.bucket.put_object_tagging(key, self._tagging(tags))

    def delete_tags(self, key: str) -> None:
        self.bucket.delete_object_tagging(key)

    def bucket_tags(self) -> dict[str, str]:
        return dict(self.bucket.get_bucket_tagging().tag_set.tagging_rule)

    def set_bucket_tags(self, tags: dict[str, str]) -> None:
        self.bucket.put_bucket_tagging(self._tagging(tags))

    def delete_bucket_tags(self) -> None:
        self.bucket.delete_bucket_tagging()

    def acl(self, key: str) -> str:
        return self.bucket.get_object_acl(key).acl

    def set_acl(self, key: str, acl: str) -> None:
        self.bucket.put_object_acl(key, acl)

    def restore(self, key: str) -> int:
        """The answer's status."""
        return self.bucket.restore_object(key).status

    @staticmethod
    def _tagging(tags: dict[str, str]) -> oss2.models.Tagging:
        rule = oss2.models.TaggingRule()
        for name, value in tags.items():
            rule.add(name, value)
        return oss2.models.Tagging(rule)


class OssV2Client(OssV2Device):
    """alibabacloud-oss-v2."""

    def delete(self, key: str) -> None:
        self.client.delete_object(self._request(oss_v2.DeleteObjectRequest, key))

    def delete_many(self, keys: list[str]) -> list[str]:
        """The keys that are said to be deleted."""
        objects = [oss_v2.DeleteObject(key=key) for key in keys]
        request = oss_v2.DeleteMultipleObjectsRequest(bucket=self.bucket, objects=objects, encoding_type="url")
        return [one.key for one in self.client.delete_multiple_objects(request).deleted_objects or []]

    def copy(self, source: str, key: str) -> str:
        """The copy's ETag."""
        return self.client.copy_object(self._request(oss_v2.CopyObjectRequest, key, source_key=source)).etag

    def copy_part(self, source: str, first: int, last: int, key: str, upload_id: str, number: int) -> str:
        """Makes a part of the bytes `first` to `last` of an object, and gives the part's ETag."""
        names = {"source_key": source, "source_range": f"bytes={first}-{last}"}
        request = self._request(
            oss_v2.UploadPartCopyRequest, key, upload_id=upload_id, part_number=number, **names
        )
        return self.client.upload_part_copy(request).etag

    def list_objects(self, prefix: str) -> list[str]:
        request = oss_v2.ListObjectsRequest(bucket=self.bucket, prefix=prefix, encoding_type="url")
        return [one.key for one in self.client.list_objects(request).contents or []]

    def list_objects_v2(self, prefix: str) -> list[str]:
        request = oss_v2.ListObjectsV2Request(bucket=self.bucket, prefix=prefix, encoding_type="url")
        return [one.key for one in self.client.list_objects_v2(request).contents or []]

    def list_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Keys and upload ids."""
        request = oss_v2.ListMultipartUploadsRequest(bucket=self.bucket, prefix=prefix, encoding_type="url")
        return [(one.key, one.upload_id) for one in self.client.list_multipart_uploads(request).uploads or []]

    def list_buckets(self) -> list[str]:
        return [one.name for one in self.client.list_buckets(oss_v2.ListBucketsRequest()).buckets or []]

    def location(self) -> str | None:
        return self.client.get_bucket_location(oss_v2.GetBucketLocationRequest(bucket=self.bucket)).location

    def info(self) -> tuple[str, str]:
        """The bucket's name and location."""
        info = self.client.get_bucket_info(oss_v2.GetBucketInfoRequest(bucket=self.bucket)).bucket_info
        return info.name, info.location

    def create_bucket(self) -> None:
        self.client.put_bucket(oss_v2.PutBucketRequest(bucket=self.bucket))

    def delete_bucket(self) -> None:
        self.client.delete_bucket(oss_v2.DeleteBucketRequest(bucket=self.bucket))

    def tags(self, key: str) -> dict[str, str]:
        told = self.client.get_object_tagging(self._request(oss_v2.GetObjectTaggingRequest, key))
        return {tag.key: tag.value for tag in told.tag_set.tags or []}

    def set_tags(self, key: str, tags: dict[str, str]) -> None:
        request = self._request(oss_v2.PutObjectTaggingRequest, key, tagging=self._tagging(tags))
        self.client.put_object_tagging(request)

    def delete_tags(self, key: str) -> None:
        self.client.delete_object_tagging(self._request(oss_v2.DeleteObjectTaggingRequest, key))

    def bucket_tags(self) -> dict[str, str]:
        told = self.client.get_bucket_tags(oss_v2.GetBucketTagsRequest(bucket=self.bucket))
        return {tag.key: tag.value for tag in told.tagging.tag_set.tags or []}

    def set_bucket_tags(self, tags: dict[str, str]) -> None:
        self.client.put_bucket_tags(oss_v2.PutBucketTagsRequest(bucket=self.bucket, tagging=self._tagging(tags)))

    def delete_bucket_tags(self) -> None:
        self.client.delete_bucket_tags(oss_v2.DeleteBucketTagsRequest(bucket=self.bucket))

    def acl(self, key: str) -> str:
        return self.client.get_object_acl(self._request(oss_v2.GetObjectAclRequest, key)).acl

    def set_acl(self, key: str, acl: str) -> None:
        self.client.put_object_acl(self._request(oss_v2.PutObjectAclRequest, key, acl=acl))

    def restore(self, key: str) -> int:
        """The answer's status."""
        return self.client.restore_object(self._request(oss_v2.RestoreObjectRequest, key)).status_code

    @staticmethod
    def _tagging(tags: dict[str, str]) -> oss_v2.Tagging:
        return oss_v2.Tagging(oss_v2.TagSet([oss_v2.Tag(name, value) for name, value in tags.items()]))


class Boto3Client(Boto3Device):
    """boto3."""

    def delete(self, key: str) -> None:
        self._call("delete_object", key)

    def delete_many(self, keys: list[str]) -> list[str]:
        """The keys that are said to be deleted."""
        told = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        return [one["Key"] for one in told["Deleted"]]

    def copy(self, source: str, key: str) -> str:
        """The copy's ETag."""
        return self._call("copy_object", key, CopySource=self._source(source))["CopyObjectResult"]["ETag"]

    def copy_part(self, source: str, first: int, last: int, key: str, upload_id: str, number: int) -> str:
        """Makes a part of the bytes `first` to `last` of an object, and gives the part's ETag."""
        what = {"CopySource": self._source(source), "CopySourceRange": f"bytes={first}-{last}"}
        told = self._call("upload_part_copy", key, UploadId=upload_id, PartNumber=number, **what)
        return told["CopyPartResult"]["ETag"]

    def list_parts(self, key: str, upload_id: str) -> list[tuple[int, str, int]]:
        """The numbers, ETags and sizes of the parts that were stored."""
        told = self._call("list_parts", key, UploadId=upload_id)
        return [(part["PartNumber"], part["ETag"], part["Size"]) for part in told["Parts"]]

    def list_objects(self, prefix: str) -> list[str]:
        told = self.client.list_objects(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in told.get("Contents", [])]

    def list_objects_v2(self, prefix: str) -> list[str]:
        told = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in told.get("Contents", [])]

    def list_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Keys and upload ids."""
        told = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=prefix)
        return [(one["Key"], one["UploadId"]) for one in told.get("Uploads", [])]

    def list_buckets(self) -> list[str]:
        return [one["Name"] for one in self.client.list_buckets()["Buckets"]]

    def head_bucket(self) -> int:
        """The answer's status."""
        return self.client.head_bucket(Bucket=self.bucket)["ResponseMetadata"]["HTTPStatusCode"]

    def location(self) -> str | None:
        return self.client.get_bucket_location(Bucket=self.bucket)["LocationConstraint"]

    def create_bucket(self) -> None:
        self.client.create_bucket(Bucket=self.bucket)

    def delete_bucket(self) -> None:
        self.client.delete_bucket(Bucket=self.bucket)

    def tags(self, key: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self._call("get_object_tagging", key)["TagSet"]}

    def set_tags(self, key: str, tags: dict[str, str]) -> None:
        self._call("put_object_tagging", key, Tagging=self._tagging(tags))

    def delete_tags(self, key: str) -> None:
        self._call("delete_object_tagging", key)

    def bucket_tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.client.get_bucket_tagging(Bucket=self.bucket)["TagSet"]}

    def set_bucket_tags(self, tags: dict[str, str]) -> None:
        self.client.put_bucket_tagging(Bucket=self.bucket, Tagging=self._tagging(tags))

    def delete_bucket_tags(self) -> None:
        self.client.delete_bucket_tagging(Bucket=self.bucket)

    def acl(self, key: str) -> str:
        """OSS's word for what S3 tells as a list."""
        grants = [(one["Grantee"].get("URI"), one["Permission"]) for one in self._call("get_object_acl", key)["Grants"]]
        return "private" if grants == [(None, "FULL_CONTROL")] else str(grants)

    def set_acl(self, key: str, acl: str) -> None:
        self._call("put_object_acl", key, ACL=acl)

    def restore(self, key: str) -> int:
        """The answer's status."""
        return self._call("restore_object", key, RestoreRequest={"Days": 1})["ResponseMetadata"]["HTTPStatusCode"]

    def _source(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": key}

    @staticmethod
    def _tagging(tags: dict[str, str]) -> dict:
        return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}


CLIENTS = {kind.sdk: kind for kind in (Oss2Client, OssV2Client, Boto3Client)}
