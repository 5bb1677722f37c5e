"""2,500 objects at the origin, keys that see them through grants, and each Python SDK's own way to list them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest

from devices import Credentials, Oss2Device, OssV2Device
from keys import KeyStore
from origin import Origin
from s3_devices import Boto3Device

FOLDERS = 5
PER_FOLDER = 500


@dataclass(frozen=True)
class Listed:
    """What is there to be listed, and the keys of its folder `2/` alone."""

    folder: str
    """What all keys begin with, `/` at the end; `names` are without it."""
    names: list[str]
    whole: Credentials
    """Everything in the bucket."""
    mounted: Credentials
    """`folder` as if it were the bucket."""
    confined: Credentials
    """What begins with `folder` and `2/`."""
    bound: Credentials
    """`2/` in `folder` as if that were the bucket."""


def stored(origin: Origin, keys: KeyStore, bucket: str, folder: str) -> Listed:
    """Stores the objects, past the gateway."""
    names = [f"{n // PER_FOLDER}/{n:04}" for n in range(FOLDERS * PER_FOLDER)]

    def put(name: str) -> int:
        return origin.request("PUT", folder + name, body=b"x").status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, names)) == {200}

    def key(**grant: str) -> Credentials:
        return keys.add(grants=[{"bucket": bucket, "operations": ["read-write"], **grant}])

    return Listed(
        folder,
        names,
        whole=key(),
        mounted=key(mount=folder),
        confined=key(prefix=f"{folder}2/"),
        bound=key(prefix="2/", mount=folder),
    )


Entries = tuple[list[str], list[str]]
"""The keys and the common prefixes of a list, in the order in which they came."""


def _split(infos) -> Entries:
    infos = list(infos)
    return [info.key for info in infos if not info.is_prefix()], [info.key for info in infos if info.is_prefix()]


def _oss2(device: Oss2Device, **query: str) -> Entries:
    return _split(oss2.ObjectIterator(device.bucket, **query))


def _oss2_v2(device: Oss2Device, **query: str) -> Entries:
    return _split(oss2.ObjectIteratorV2(device.bucket, **query))


def _pages(pages) -> Entries:
    keys, prefixes = [], []
    for page in pages:
        keys += [entry.key for entry in page.contents or []]
        prefixes += [entry.prefix for entry in page.common_prefixes or []]
    return keys, prefixes


def _oss_v2(device: OssV2Device, **query: str) -> Entries:
    request = oss_v2.ListObjectsRequest(bucket=device.bucket, **query)
    return _pages(device.client.list_objects_paginator().iter_page(request))


def _oss_v2_v2(device: OssV2Device, **query: str) -> Entries:
    request = oss_v2.ListObjectsV2Request(bucket=device.bucket, **query)
    return _pages(device.client.list_objects_v2_paginator().iter_page(request))


def _boto3(operation: str) -> Callable[..., Entries]:
    def pages(device: Boto3Device, prefix: str = "", delimiter: str = "") -> Entries:
        found = device.client.get_paginator(operation).paginate(
            Bucket=device.bucket, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": 900}
        )
        keys, prefixes = [], []
        for page in found:
            keys += [entry["Key"] for entry in page.get("Contents", [])]
            prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        return keys, prefixes

    return pages


def _param(kind, list_of: Callable[..., Entries], operation: str):
    return pytest.param(kind, list_of, marks=pytest.mark.covers(operation, sdk=kind.sdk), id=f"{kind.sdk}-{operation}")


every_iterator = pytest.mark.parametrize(
    ("device_kind", "list_of"),
    [
        _param(Oss2Device, _oss2, "ListObjects"),
        _param(Oss2Device, _oss2_v2, "ListObjectsV2"),
        _param(OssV2Device, _oss_v2, "ListObjects"),
        _param(OssV2Device, _oss_v2_v2, "ListObjectsV2"),
        _param(Boto3Device, _boto3("list_objects"), "ListObjects"),
        _param(Boto3Device, _boto3("list_objects_v2"), "ListObjectsV2"),
    ],
)
"""Each Python SDK's own iterators: `device_kind`, and `list_of(device, prefix=, delimiter=)`."""


Uploads = list[tuple[str, str]]
"""The keys and ids of uploads that are under way."""


def _oss2_uploads(device: Oss2Device, most: int, **query: str) -> Uploads:
    found = oss2.MultipartUploadIterator(device.bucket, max_uploads=most, **query)
    return [(upload.key, upload.upload_id) for upload in found if not upload.is_prefix()]


def _oss_v2_uploads(device: OssV2Device, most: int, **query: str) -> Uploads:
    request = oss_v2.ListMultipartUploadsRequest(bucket=device.bucket, max_uploads=most, **query)
    pages = device.client.list_multipart_uploads_paginator().iter_page(request)
    return [(upload.key, upload.upload_id) for page in pages for upload in page.uploads or []]


def _boto3_uploads(device: Boto3Device, most: int, prefix: str = "") -> Uploads:
    found = device.client.get_paginator("list_multipart_uploads").paginate(
        Bucket=device.bucket, Prefix=prefix, PaginationConfig={"PageSize": most}
    )
    return [(upload["Key"], upload["UploadId"]) for page in found for upload in page.get("Uploads", [])]


every_upload_iterator = pytest.mark.parametrize(
    ("device_kind", "list_of"),
    [
        _param(Oss2Device, _oss2_uploads, "ListMultipartUploads"),
        _param(OssV2Device, _oss_v2_uploads, "ListMultipartUploads"),
        _param(Boto3Device, _boto3_uploads, "ListMultipartUploads"),
    ],
)
"""The same for uploads: `list_of(device, most in a page, prefix=)`."""
