"""What CloudFront cannot do for a body that an S3 client's signature binds."""

import hashlib

import pytest

from s3_chunks import ChunkSigner


@pytest.mark.parametrize("trailer", [False, True], ids=["plain", "trailer"])
def test_signed_chunks_are_501(gateway, origin_untouched, key, trailer):
    assert ChunkSigner(gateway).put(key, b"x" * 100, trailer=trailer) == (501, "NotImplemented")


@pytest.mark.parametrize("payload", [hashlib.sha256(b"x").hexdigest(), "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_a_body_that_is_bound_is_501_where_origin_access_control_signs(gateway, origin_untouched, key, payload):
    assert ChunkSigner(gateway).put_bound(key, b"x", payload) == (501, "NotImplemented")


def test_a_body_that_is_not_bound_passes_where_origin_access_control_signs(gateway, origin, key):
    assert ChunkSigner(gateway).put_bound(key, b"x", "UNSIGNED-PAYLOAD") == (200, "")
    assert origin.object(key).size == 1
