"""What S3 says of a Complete's requests that is no success: an error behind a 200, and of a source that is another one now."""

import pytest

from devices import Oss2Device
from recording_proxy import SeenRequest
from staged import KIB, MIB, SMALLEST, bytes_of, repeated

# A stretch that is joined, one that is S3's, and one small part that is copied.
SIZES = [4 * MIB + 924 * KIB, 100 * KIB, SMALLEST, 70 * KIB]


def is_copy(request: SeenRequest) -> bool:
    return request.method == "PUT" and request.header("x-amz-copy-source") is not None


def is_complete(request: SeenRequest) -> bool:
    return request.method == "POST" and "uploadId=" in request.query


def is_source(request: SeenRequest) -> bool:
    return request.method == "GET" and request.header("if-match") is not None


SAID = {
    "an error in the success of the Complete": (is_complete, 200, "InternalError", (500, "InternalError")),
    "a Complete that may be repeated": (is_complete, 200, "SlowDown", (503, "ServiceUnavailable")),
    "an error in the success of a copy": (is_copy, 200, "InternalError", (500, "InternalError")),
}
# Somebody else may have completed the upload, or sent the part again: what is there is looked at anew.
GONE = {
    "a copy of what is gone": (is_copy, 404, "NoSuchKey"),
    "a copy of what was replaced": (is_copy, 412, "PreconditionFailed"),
    "a source that is gone": (is_source, 404, "NoSuchKey"),
    "a source that was replaced": (is_source, 412, "PreconditionFailed"),
}


def uploaded(strict, key):
    device, parts = Oss2Device(strict.endpoint("virtual-host"), strict.lister), bytes_of(*SIZES)
    upload_id = device.initiate(key)
    etags = [device.upload_part(key, upload_id, *part) for part in enumerate(parts, 1)]
    strict.settle()
    return device, parts, upload_id, etags


@pytest.mark.parametrize(("chosen", "status", "code", "expected"), SAID.values(), ids=SAID)
def test_a_complete_that_s3_refuses_a_request_of_is_no_success_and_its_repetition_is(
    strict, key, chosen, status, code, expected
):
    device, parts, upload_id, etags = uploaded(strict, key)
    with strict.proxy.answering(chosen, status, code) as answered:
        with pytest.raises(device.errors) as raised:
            device.complete(key, upload_id, etags)
        strict.settle()
    assert answered.is_set()
    told = device.refusal(raised.value)
    assert (told.status, told.code) == expected, told
    assert strict.witnessed.origin.object(key).status == 404
    strict.witnessed.ended_as(key, parts, repeated(lambda: device.complete(key, upload_id, etags), device))


@pytest.mark.parametrize(("chosen", "status", "code"), GONE.values(), ids=GONE)
def test_a_complete_that_meets_another_part_than_was_listed_looks_anew(strict, key, chosen, status, code):
    device, parts, upload_id, etags = uploaded(strict, key)
    with strict.proxy.answering(chosen, status, code) as answered:
        etag = device.complete(key, upload_id, etags)
    assert answered.is_set()
    strict.witnessed.ended_as(key, parts, etag)
