"""Multipart uploads as devices use them: resumed, aborted, completed wrongly, completed without a list."""

import hashlib
from urllib.parse import unquote

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest

from devices import DEVICES, Oss2Device, OssV2Device
from refusals import refused
from staged import PREFIX

PART = 5 << 20
FILE_SIZE = 2 * PART + 1000


@pytest.fixture
def recording(tmp_path):
    """A file of three parts."""
    path = tmp_path / "recording.bin"
    path.write_bytes(bytes(range(250)) * (FILE_SIZE // 250) + bytes(FILE_SIZE % 250))
    return path


def sha256_of(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def part_uploads(seen) -> list[str]:
    return [request.query for request in seen if "partNumber" in request.query]


def start(device, key, *parts: bytes, headers=None):
    upload_id = device.initiate(key, headers)
    return upload_id, [device.upload_part(key, upload_id, number, part) for number, part in enumerate(parts, 1)]


class Interrupted(Exception):
    """The device lost power."""


def interrupt_after(parts: int):
    def progress(done: int, total: int) -> None:
        if done >= parts * PART:
            raise Interrupted

    return progress


def resumable(gateway, keys):
    """oss2 asks for the uploaded parts before it uploads: such a key needs ListParts beside the preset."""
    grant = {"bucket": gateway.bucket, "operations": ["upload-only", "ListParts"]}
    return Oss2Device(gateway.endpoint("virtual-host"), keys.add(grants=[grant]))


def resumable_upload(device, key, recording, store, **options):
    return oss2.resumable_upload(
        device.bucket, key, str(recording), store=store, multipart_threshold=PART, part_size=PART, **options
    )


def test_oss2_resumable_upload_stores_the_file(gateway, keys, origin, key, recording, tmp_path):
    store = oss2.ResumableStore(root=str(tmp_path))
    resumable_upload(resumable(gateway, keys), key, recording, store, num_threads=2)
    assert origin.object(key).sha256 == sha256_of(recording)


def test_oss2_resumable_upload_goes_on_where_it_was_interrupted(gateway, keys, origin, proxy, key, recording, tmp_path):
    store, device = oss2.ResumableStore(root=str(tmp_path)), resumable(gateway, keys)
    with pytest.raises(Interrupted):
        resumable_upload(device, key, recording, store, num_threads=1, progress_callback=interrupt_after(2))
    with proxy.watching() as seen:
        resumable_upload(device, key, recording, store, num_threads=1)
    assert len(part_uploads(seen)) == 1
    assert origin.object(key).sha256 == sha256_of(recording)


def test_alibabacloud_oss_v2_uploader_stores_the_file_in_parallel_parts(gateway, origin, proxy, key, recording):
    device = OssV2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    request = oss_v2.PutObjectRequest(bucket=gateway.bucket, key=key)
    with proxy.watching() as seen:
        device.client.uploader(part_size=PART, parallel_num=3).upload_file(request, str(recording))
    assert len(part_uploads(seen)) == 3
    assert origin.object(key).sha256 == sha256_of(recording)


def test_alibabacloud_oss_v2_uploader_starts_again_from_its_checkpoint(gateway, origin, key, recording, tmp_path):
    device = OssV2Device(gateway.endpoint("virtual-host"), gateway.credentials)
    uploader = device.client.uploader(
        part_size=PART, parallel_num=1, enable_checkpoint=True, checkpoint_dir=str(tmp_path)
    )

    def progress(_increment: int, done: int, _total: int) -> None:
        if done >= PART:
            raise Interrupted

    with pytest.raises(Interrupted):
        request = oss_v2.PutObjectRequest(bucket=gateway.bucket, key=key, progress_fn=progress)
        uploader.upload_file(request, str(recording))
    # ListParts is outside the preset: the SDK then begins a new upload instead of failing.
    uploader.upload_file(oss_v2.PutObjectRequest(bucket=gateway.bucket, key=key), str(recording))
    assert origin.object(key).sha256 == sha256_of(recording)


def test_completing_with_a_wrong_etag_is_refused_and_stores_nothing(device, origin, key):
    upload_id, _ = start(device, key, b"x")
    with refused(device, 400, "InvalidPart"):
        device.complete(key, upload_id, ['"0123456789abcdef0123456789abcdef"'])
    assert origin.object(key).status == 404


def test_completing_with_a_part_that_was_not_uploaded_is_refused(device, origin, key):
    upload_id, etags = start(device, key, b"x" * PART)
    with refused(device, 400, "InvalidPart"):
        device.complete(key, upload_id, [*etags, etags[0]])
    assert origin.object(key).status == 404


def test_an_upload_id_that_was_never_given_is_refused(device, key):
    with refused(device, 404, "NoSuchUpload"):
        device.upload_part(key, "0004B9895DBBB6EC98E36", 1, b"x")
    with refused(device, 404, "NoSuchUpload"):
        device.abort(key, "0004B9895DBBB6EC98E36")


def test_completing_twice_succeeds_twice_with_the_same_etag(device, origin, key):
    upload_id, etags = start(device, key, b"only part")
    first = device.complete(key, upload_id, etags)
    assert device.complete(key, upload_id, etags) == first
    assert origin.object(key).size == len(b"only part")


def test_complete_all_takes_every_part_that_was_uploaded(device, origin, key):
    parts = [b"a" * PART, b"b" * PART, b"end"]
    upload_id, _ = start(device, key, *parts)
    etag = device.complete(key, upload_id, None, {"x-oss-complete-all": "yes"})
    assert etag.strip('"').endswith("-3")
    assert origin.object(key).sha256 == hashlib.sha256(b"".join(parts)).hexdigest()


def test_complete_all_with_a_list_of_parts_is_refused(device, key):
    upload_id, etags = start(device, key, b"x")
    with refused(device, 400, "InvalidArgument"):
        device.complete(key, upload_id, etags, {"x-oss-complete-all": "yes"})


def test_a_part_uploaded_twice_counts_as_its_last_version(device, origin, key):
    upload_id, _ = start(device, key, b"first version")
    etag = device.upload_part(key, upload_id, 1, b"second version")
    device.complete(key, upload_id, [etag])
    assert origin.object(key).sha256 == hashlib.sha256(b"second version").hexdigest()


def test_forbid_overwrite_on_complete_keeps_the_older_object(device, origin, key):
    device.put(key, b"older")
    upload_id, etags = start(device, key, b"newer")
    with refused(device, 409, "FileAlreadyExists"):
        device.complete(key, upload_id, etags, {"x-oss-forbid-overwrite": "true"})
    assert origin.object(key).sha256 == hashlib.sha256(b"older").hexdigest()


@pytest.mark.parametrize("sdk", DEVICES.values(), ids=DEVICES)
def test_a_mount_isolates_a_device_without_its_noticing(gateway, keys, origin, proxy, sdk):
    grant = {"bucket": gateway.bucket, "operations": ["upload-only"], "mount": "fleet/{key_id}/"}
    credentials = keys.add(grants=[grant])
    device = sdk(gateway.endpoint("virtual-host"), credentials)
    part = b"m" * PART
    with proxy.watching() as seen:
        upload_id, etags = start(device, "log.txt", part)
        device.complete("log.txt", upload_id, etags)
    stored = f"fleet/{credentials.access_key_id}/log.txt"
    # Besides, what is staged is listed and deleted, of which there is nothing.
    own = [request.path.decode() for request in seen if PREFIX not in unquote(request.target)]
    assert set(own) == {f"/{origin.bucket}/{stored}"}
    assert origin.object(stored).sha256 == hashlib.sha256(part).hexdigest()


def test_the_answer_to_initiate_names_the_devices_own_bucket_and_key(gateway, keys):
    grant = {"bucket": gateway.bucket, "operations": ["upload-only"], "mount": "fleet/{key_id}/"}
    device = OssV2Device(gateway.endpoint("virtual-host"), keys.add(grants=[grant]))
    request = oss_v2.InitiateMultipartUploadRequest(bucket=gateway.bucket, key="a+b 设备<1>.txt")
    answer = device.client.initiate_multipart_upload(request)
    assert (answer.bucket, answer.key) == (gateway.bucket, "a+b 设备<1>.txt")


@pytest.mark.covers("ListParts")
def test_the_parts_that_were_stored_are_listed(device_with, gateway, keys, key):
    grant = {"bucket": gateway.bucket, "operations": ["upload-only", "ListParts"]}
    device = device_with(keys.add(grants=[grant]))
    upload_id = device.initiate(key)
    bodies = [b"a" * (5 << 20), b"the last part may be small"]
    etags = [device.upload_part(key, upload_id, number, body) for number, body in enumerate(bodies, 1)]
    listed = [(number, etag.strip('"'), size) for number, etag, size in device.list_parts(key, upload_id)]
    assert listed == [(number, etags[number - 1].strip('"'), len(body)) for number, body in enumerate(bodies, 1)]
