"""What a device is told when S3 fails, lies or is away. A stub plays S3: the real one does it once a month."""

import functools
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from devices import Oss2Device, OssV2Device
from origin import MAC, MARK, origin_id
from refusals import refused
from s3_devices import Boto3Device
from stub_s3 import XMLNS, answer, composite_etag, error, kept_alive, operation_of, result

PARTS = [hashlib.md5(b"part one").hexdigest(), hashlib.md5(b"part two").hexdigest()]
COMPOSITE = hashlib.md5(b"".join(bytes.fromhex(part) for part in PARTS)).hexdigest() + "-2"
LOST = error(404, "NoSuchUpload")
# `cargo xtask test --long` sends as many as an upload may have.
MANY_PARTS = 10_000 if os.environ.get("CAUSEWAY_TEST_LONG") else 60


@pytest.fixture
def device(device_kind, faulty):
    return device_kind(faulty.endpoint("virtual-host"), faulty.credentials)


@pytest.fixture
def reading(device_kind, faulty, faulty_keys):
    """A device that may read."""
    credentials = faulty_keys.add(grants=[{"bucket": faulty.bucket, "operations": ["read-only"]}])
    return device_kind(faulty.endpoint("virtual-host"), credentials)


@pytest.fixture
def oss2_device(faulty):
    return Oss2Device(faulty.endpoint("virtual-host"), faulty.credentials)


@pytest.fixture
def complete(device, key):
    """Completes an upload that the device has begun."""
    return completing(device, key)


@pytest.fixture
def oss2_complete(oss2_device, key):
    """The same with oss2 alone."""
    return completing(oss2_device, key)


def completing(device, key):
    upload_id = device.initiate(key)

    def complete() -> str:
        return device.complete(key, upload_id, PARTS).strip('"')

    complete.mark = upload_id[-MARK - MAC : -MAC]
    return complete


def object_with(etag: str, mark: str = "0" * MARK) -> bytes:
    """An object that the upload with this mark made."""
    made = f"x-amz-meta-causeway-upload: {mark}"
    return answer(200, b"", f'ETag: "{etag}"', made, "Last-Modified: Sat, 21 Nov 2026 12:00:00 GMT")


def operations(seen) -> list[str]:
    return [operation_of(request) for request in seen]


def test_the_stub_itself_lets_an_upload_through(device, complete, key):
    upload_id = device.initiate(key)
    assert origin_id(upload_id) == "STUB"
    assert device.upload_part(key, upload_id, 1, b"part one").strip('"') == PARTS[0]
    assert complete() == COMPOSITE
    device.abort(key, upload_id)


def test_a_complete_that_was_retried_after_it_succeeded_is_a_success(complete, stub, platform):
    with stub.script(CompleteMultipartUpload=LOST, HeadObject=object_with(COMPOSITE, complete.mark)) as seen:
        assert complete() == COMPOSITE
    # Nothing is staged, so nothing is to be deleted.
    assert operations(seen) == ["ListFolder", "CompleteMultipartUpload", "HeadObject"]
    assert seen[1].path == seen[2].path
    # A CDN's cached answer must not say that the object is there. S3 would store a writer's Cache-Control.
    assert [request.header("cache-control") for request in seen[1:3]] == [None, platform.past_caches]


def test_the_retried_complete_of_an_s3_client_compares_etags_whatever_their_case(faulty, stub, key):
    # Its parts are S3's own, so the object's ETag says what it was made of.
    complete = completing(Boto3Device(faulty.endpoint("path"), faulty.credentials), key)
    with stub.script(CompleteMultipartUpload=LOST, HeadObject=object_with(COMPOSITE.upper())):
        assert complete().lower() == COMPOSITE


def test_a_lost_upload_whose_key_holds_another_object_is_no_success(device, complete, stub):
    with stub.script(CompleteMultipartUpload=LOST, HeadObject=object_with("0" * 32 + "-2")):
        with refused(device, 404, "NoSuchUpload"):
            complete()


def test_a_lost_upload_whose_key_holds_a_simple_object_is_no_success(device, complete, stub):
    with stub.script(CompleteMultipartUpload=LOST, HeadObject=object_with(COMPOSITE[:32])):
        with refused(device, 404, "NoSuchUpload"):
            complete()


def test_a_lost_upload_whose_key_holds_nothing_is_no_success(device, complete, stub):
    with stub.script(CompleteMultipartUpload=LOST, HeadObject=answer(404)):
        with refused(device, 404, "NoSuchUpload"):
            complete()


def listed(numbers, truncated: bool) -> bytes:
    """A page of S3's ListParts."""
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>&quot;{PARTS[0]}&quot;</ETag></Part>" for n in numbers)
    marker = f"<NextPartNumberMarker>{numbers[-1]}</NextPartNumberMarker>"
    more = f"<IsTruncated>{str(truncated).lower()}</IsTruncated>"
    return answer(200, result("ListParts", marker + more + parts), "Content-Type: application/xml")


def test_complete_all_reads_every_page_of_the_origins_list(device, stub, key):
    def pages(seen):
        is_second = "part-number-marker=1000" in seen.query
        return listed(range(1001, 1011), False) if is_second else listed(range(1, 1001), True)

    upload_id = device.initiate(key)
    with stub.script(ListParts=pages) as seen:
        etag = device.complete(key, upload_id, None, {"x-oss-complete-all": "yes"})
    assert etag.strip('"').endswith("-1010")
    assert operations(seen) == ["ListFolder", "ListParts", "ListParts", "CompleteMultipartUpload"]
    assert seen[-1].body.count(b"<PartNumber>") == 1010


def test_a_complete_of_ten_thousand_parts_passes(device, stub, key):
    upload_id = device.initiate(key)
    with stub.script() as seen:
        assert device.complete(key, upload_id, [PARTS[0]] * 10_000).strip('"').endswith("-10000")
    assert seen[-1].body.count(b"<PartNumber>") == 10_000


def test_an_upload_of_many_parts_is_joined_in_their_order(faulty, stub, key):
    device = Oss2Device(faulty.endpoint("virtual-host"), faulty.credentials)
    bodies = [b"part %d" % number for number in range(1, MANY_PARTS + 1)]
    with stub.script() as seen, ThreadPoolExecutor(4) as senders:
        upload_id = device.initiate(key)
        send = functools.partial(device.upload_part, key, upload_id)
        etags = list(senders.map(send, range(1, MANY_PARTS + 1), bodies))
        etag = device.complete(key, upload_id, etags)
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)
    assert etag.strip('"').lower() == f"{hashlib.md5(digests).hexdigest()}-{MANY_PARTS}"
    assert len(seen) == MANY_PARTS + 3


def test_complete_all_of_a_lost_upload_is_no_success(device, stub, key):
    upload_id = device.initiate(key)
    with stub.script(ListParts=LOST, HeadObject=answer(404)), refused(device, 404, "NoSuchUpload"):
        device.complete(key, upload_id, None, {"x-oss-complete-all": "yes"})


@pytest.mark.parametrize("blanks", ["", " ", "\n\n  \n", " " * 4000])
def test_X04_an_error_under_a_200_becomes_its_true_status(device, complete, stub, blanks):
    document = blanks + "<?xml version='1.0'?><Error><Code>InternalError</Code><Message>We failed</Message></Error>"
    with stub.script(CompleteMultipartUpload=answer(200, document)), refused(device, 500, "InternalError"):
        complete()


@pytest.mark.parametrize(("code", "status"), [("InvalidPart", 400), ("EntityTooSmall", 400), ("SlowDown", 503)])
def test_X04_an_error_under_a_200_keeps_its_code(oss2_device, oss2_complete, stub, code, status):
    document = f"  \n<Error {XMLNS}><Code>{code}</Code><Message>m</Message></Error>"
    with stub.script(CompleteMultipartUpload=answer(200, document)):
        with pytest.raises(oss2_device.errors) as raised:
            oss2_complete()
    assert oss2_device.refusal(raised.value).status == status


JOINED = result("CompleteMultipartUpload", f"<ETag>&quot;{COMPOSITE}&quot;</ETag>")
FAILED = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We failed</Message></Error>'


def test_a_success_after_blanks_is_a_success(device, complete, stub):
    with stub.script(CompleteMultipartUpload=answer(200, f"  \n \n{JOINED}")):
        assert complete() == COMPOSITE


def test_a_success_that_s3_kept_the_device_waiting_for_is_a_success(device, complete, stub):
    with stub.script(CompleteMultipartUpload=kept_alive(JOINED, 4, 0.25)):
        assert complete() == COMPOSITE


def test_X04_an_error_that_s3_kept_the_device_waiting_for_has_its_true_status(device, complete, stub):
    with stub.script(CompleteMultipartUpload=kept_alive(FAILED, 4, 0.25)), refused(device, 500, "InternalError"):
        complete()


def test_an_answer_that_ends_before_its_document_is_no_success(oss2_device, oss2_complete, stub):
    with stub.script(CompleteMultipartUpload=[*kept_alive(JOINED, 1, 0.1)[:-1], b""]):
        with pytest.raises(oss2_device.errors) as raised:
            oss2_complete()
    assert oss2_device.refusal(raised.value).status >= 500


@pytest.mark.parametrize("operation", ["PutObject", "InitiateMultipartUpload"])
def test_an_origin_that_thinks_for_a_while_is_waited_for(device, stub, key, operation):
    slow = [1.5, stub.accepts(operation)]
    with stub.script(**{operation: slow}):
        assert device.put(key, b"x") if operation == "PutObject" else device.initiate(key)


@pytest.mark.parametrize(
    "code",
    [
        "SignatureDoesNotMatch",
        "RequestTimeTooSkewed",
        "InvalidAccessKeyId",
        "ExpiredToken",
        "InvalidToken",
        "AuthorizationHeaderMalformed",
    ],
)
def test_O20_a_fault_of_the_gateways_own_credentials_is_never_shown_as_the_devices(device, stub, key, code):
    with stub.script(PutObject=error(403, code)), refused(device, 500, "InternalError") as told:
        device.put(key, b"x")
    assert code not in told[0].message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_nor_passed_on(device, stub, key, status):
    location = f"Location: {stub.url}/elsewhere"
    redirect = error(status, "TemporaryRedirect", location, "x-amz-bucket-region: eu-central-1")
    with stub.script(PutObject=redirect) as seen, refused(device, 500, "InternalError"):
        device.put(key, b"x")
    assert len(seen) == 1


@pytest.mark.parametrize("code", ["SlowDown", "ServiceUnavailable"])
def test_throttling_is_a_503_that_an_sdk_retries(device, stub, key, code):
    with stub.script(PutObject=error(503, code)):
        with pytest.raises(device.errors) as raised:
            device.put(key, b"x")
    assert device.refusal(raised.value).status == 503


def test_an_origin_that_refuses_connections_is_a_503_and_logged(device, stub, faulty, key):
    with stub.refusing_connections(), pytest.raises(device.errors) as raised:
        device.put(key, b"x")
    refusal = device.refusal(raised.value)
    assert refusal.status == 503
    assert faulty.process.log_lines(refusal.request_id)
    device.put(key, b"it is back")


def test_an_origin_that_hangs_up_is_a_503(device, stub, key):
    with stub.script(PutObject=b""), pytest.raises(device.errors) as raised:
        device.put(key, b"x")
    assert device.refusal(raised.value).status == 503


NONSENSE = {
    "no XML": "this is no XML",
    "HTML": "<html><body>Bad gateway</body></html>",
    "cut short": "<InitiateMultipartUploadResult><UploadId>S",
    "no upload id": f"<InitiateMultipartUploadResult {XMLNS}><Key>k</Key></InitiateMultipartUploadResult>",
    "an empty upload id": "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>",
    "nothing": "",
    "entities": '<!DOCTYPE a [<!ENTITY b "b">]><InitiateMultipartUploadResult><UploadId>&b;</UploadId>'
    "</InitiateMultipartUploadResult>",
    "two megabytes": "<InitiateMultipartUploadResult>" + "<Key>k</Key>" * 180_000 + "</InitiateMultipartUploadResult>",
    "deep nesting": "<a>" * 100_000,
    "not UTF-8": b"<InitiateMultipartUploadResult><UploadId>\xff\xfe</UploadId></InitiateMultipartUploadResult>",
}


@pytest.mark.parametrize("document", NONSENSE.values(), ids=NONSENSE)
def test_X03_an_answer_that_is_no_upload_id_is_an_internal_error(oss2_device, stub, key, document):
    with stub.script(InitiateMultipartUpload=answer(200, document)):
        with pytest.raises(oss2_device.errors) as raised:
            oss2_device.initiate(key)
    assert oss2_device.refusal(raised.value).status in (500, 502, 503)
    assert origin_id(oss2_device.initiate(key)) == "STUB"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 500, 503])
def test_an_error_without_a_document_has_its_status_and_a_code(oss2_device, stub, key, status):
    with stub.script(PutObject=answer(status)), pytest.raises(oss2_device.errors) as raised:
        oss2_device.put(key, b"x")
    refusal = oss2_device.refusal(raised.value)
    assert refusal.status >= 400
    assert refusal.code


def test_X08_nothing_of_s3s_own_headers_reaches_a_device(oss2_device, stub, platform, key):
    leaky = answer(
        200,
        b"",
        f'ETag: "{PARTS[0]}"',
        "x-amz-version-id: v1",
        "x-amz-checksum-crc64nvme: AAAAAAAAAAA=",
        "x-amz-server-side-encryption: aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-west-1:1:key/2",
        "Set-Cookie: a=b",
        "X-Powered-By: S3",
    )
    with stub.script(PutObject=leaky):
        headers = oss2_device.bucket.put_object(key, b"x").headers
    names = {name.lower() for name in headers} - platform.answer_headers
    assert not {name for name in names if name.startswith("x-amz-")} | (names & {"set-cookie", "x-powered-by"})
    assert headers["x-oss-version-id"] == "v1"
    assert "x-oss-hash-crc64ecma" not in names
    assert headers.get("server", "AliyunOSS") == "AliyunOSS"


def test_O17_a_multipart_upload_is_accepted_without_a_crc(faulty, key):
    device = OssV2Device(faulty.endpoint("virtual-host"), faulty.credentials)
    upload_id = device.initiate(key)
    assert device.upload_part(key, upload_id, 1, b"part one").strip('"') == PARTS[0]
    assert device.complete(key, upload_id, [PARTS[0]]) == composite_etag(f"<ETag>{PARTS[0]}</ETag>".encode())


def test_a_version_is_asked_for_and_told_as_oss_tells_it(reading, stub, key):
    version = answer(200, b"then", 'ETag: "e"', "x-amz-version-id: v1", "x-amz-storage-class: GLACIER_IR")
    with stub.script(GetObject=version, HeadObject=version) as seen:
        for read in (reading.get, reading.head):
            told = read(key, params={"versionId": "v1"})
            assert told.header("x-oss-version-id") == "v1"
            assert told.header("x-oss-storage-class") == "Archive"
    assert [request.query for request in seen] == ["versionId=v1"] * 2
    for status, code in [(404, "NoSuchVersion"), (405, "MethodNotAllowed")]:
        gone = error(status, code, "x-amz-delete-marker: true")
        with stub.script(GetObject=gone, HeadObject=gone):
            for read in (reading.get, reading.head):
                with refused(reading, status, code):
                    read(key, params={"versionId": "v1"})


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (403, "InvalidObjectState", (403, "InvalidObjectState")),
        (403, "SignatureDoesNotMatch", (500, "InternalError")),
        (403, "RequestTimeTooSkewed", (500, "InternalError")),
        (404, "NoSuchBucket", (404, "NoSuchBucket")),
    ],
)
def test_the_reason_why_s3_refuses_a_read_is_told_by_its_code(reading, stub, key, status, code, told):
    with stub.script(GetObject=error(status, code)), refused(reading, *told):
        reading.get(key)


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (400, "InvalidArgument", (400, "InvalidArgument")),
        (403, "AccessDenied", (403, "AccessDenied")),
        (404, "NoSuchKey", (404, "NoSuchKey")),
        (412, "PreconditionFailed", (412, "PreconditionFailed")),
        (416, "InvalidRange", (416, "InvalidRange")),
        (301, "PermanentRedirect", (500, "InternalError")),
        (500, "InternalError", (500, "InternalError")),
        (503, "SlowDown", (503, "ServiceUnavailable")),
    ],
)
def test_an_error_of_a_read_has_the_code_of_its_status(reading, stub, key, status, code, told):
    with stub.script(GetObject=error(status, code), HeadObject=error(status, code)):
        for read in (reading.get, reading.head):
            with refused(reading, *told):
                read(key)


def test_an_object_that_breaks_off_is_never_taken_for_a_whole_one(reading, stub, key):
    half = answer(200, b"x" * 200_000, 'ETag: "e"').replace(b"x" * 100_000, b"", 1)
    with stub.script(GetObject=[half, b""]):
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(reading.presigned_get(key, 60), timeout=60)
    with stub.script(GetObject=answer(200, b"whole", 'ETag: "e"')):
        assert reading.get(key).data == b"whole"


def test_X08_nothing_of_s3s_own_headers_reaches_a_reader(reading, stub, platform, key):
    leaky = answer(200, b"x", 'ETag: "e"', "x-amz-checksum-crc64nvme: AAAAAAAAAAA=", "Set-Cookie: a=b", "X-Powered-By: S3")
    with stub.script(GetObject=leaky, HeadObject=leaky):
        for read in (reading.get, reading.head):
            names = set(read(key).headers) - platform.answer_headers
            assert not {name for name in names if name.startswith("x-amz-")} | (names & {"set-cookie", "x-powered-by"})
