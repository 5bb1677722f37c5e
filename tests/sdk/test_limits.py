"""What a grant and a bucket allow of sizes, times, addresses, tags and metadata, as each SDK's own exception tells it."""

import time

import pytest

from refusals import refused
from s3_devices import S3_DEVICES, every_s3_device

MIB = 1 << 20
PART = 5 * MIB
EXPIRED = {"not_after": int(time.time()) - 3600}
TO_COME = {"not_before": int(time.time()) + 3600}
ELSEWHERE = {"source_ips": ["198.51.100.0/24", "2001:db8::/32"]}


@pytest.fixture
def granted(keys, gateway):
    """Credentials whose grants are the upload operations with these conditions each, in this order."""

    def make(*conditions: dict):
        own = {"bucket": gateway.bucket, "operations": ["upload-only"]}
        return keys.add(grants=[own | more for more in conditions])

    return make


@pytest.fixture
def make(request, device_kind):
    """Makes the SDK's client with other credentials."""
    return request.getfixturevalue("s3_device_with" if device_kind in S3_DEVICES.values() else "device_with")


def upload(device, key, *sizes: int):
    upload_id = device.initiate(key)
    return upload_id, [device.upload_part(key, upload_id, number, b"x" * size) for number, size in enumerate(sizes, 1)]


class Conditions:
    """What holds for OSS's SDKs and for S3's."""

    looks_first: list[str]
    """The requests by which the gateway finds out before a completion whether something is staged."""

    def test_an_object_or_part_has_as_many_bytes_as_granted_and_not_one_more(self, make, granted, origin, proxy, key):
        device = make(granted({"max_object_bytes": 1000}))
        device.put(key, b"x" * 1000)
        assert origin.object(key).size == 1000
        upload_id, _ = upload(device, f"{key}-parts", 1000)
        with proxy.watching() as seen:
            with refused(device, 400, "EntityTooLarge"):
                device.put(f"{key}-more", b"x" * 1001)
            with refused(device, 400, "EntityTooLarge"):
                device.upload_part(f"{key}-parts", upload_id, 2, b"x" * 1001)
        assert not seen

    def test_the_parts_of_an_object_have_as_many_bytes_together_as_granted(self, make, granted, origin, proxy, key):
        device = make(granted({"max_object_bytes": PART + MIB}))
        upload_id, etags = upload(device, key, PART, MIB, 1)
        with proxy.watching() as seen, refused(device, 400, "EntityTooLarge"):
            device.complete(key, upload_id, etags)
        listed = [*self.looks_first, "GET"]
        assert [request.method for request in seen] == listed, "the parts are listed and nothing is completed"
        assert origin.object(key).status == 404
        device.complete(key, upload_id, etags[:2])
        assert origin.object(key).size == PART + MIB

    def test_a_part_that_is_not_there_is_none_whose_size_could_be_known(self, make, granted, origin, proxy, key):
        device = make(granted({"max_object_bytes": MIB}))
        upload_id, etags = upload(device, key, 1)
        other = "0" * 32
        with proxy.watching() as seen:
            for listed in ([other], [*etags, other]):
                with refused(device, 400, "InvalidPart"):
                    device.complete(key, upload_id, listed)
        assert {request.method for request in seen} == {"GET"}
        device.complete(key, upload_id, etags)
        assert origin.object(key).size == 1

    def test_without_a_size_nothing_is_asked_of_the_origin_before_a_completion(self, make, granted, proxy, key):
        device = make(granted({}))
        upload_id, etags = upload(device, key, PART)
        with proxy.watching() as seen:
            device.complete(key, upload_id, etags)
        assert [request.method for request in seen] == [*self.looks_first, "POST"]

    @pytest.mark.parametrize("when", [EXPIRED, TO_COME], ids=["over", "to come"])
    def test_a_grant_counts_in_its_time_only(self, make, granted, origin, proxy, key, when):
        device = make(granted(when))
        with proxy.watching() as seen, refused(device, 403, "AccessDenied"):
            device.put(key, b"x")
        assert not seen
        now = int(time.time())
        make(granted({"not_before": now - 3600, "not_after": now + 3600})).put(key, b"x")
        assert origin.object(key).size == 1

    def test_a_grant_counts_for_its_addresses_only(self, make, granted, key, origin_untouched):
        device = make(granted(ELSEWHERE))
        with refused(device, 403, "AccessDenied"):
            device.put(key, b"x")

    def test_the_first_grant_whose_conditions_hold_decides(self, make, granted, origin, key):
        small = {"max_object_bytes": 3, "mount": "small/"}
        device = make(granted(EXPIRED, ELSEWHERE, small, {"max_object_bytes": 9}))
        device.put(key, b"123")
        assert origin.object(f"small/{key}").size == 3
        with refused(device, 400, "EntityTooLarge"):
            device.put(key, b"1234")

    @pytest.mark.parametrize("name", ["k" * 200 + "/" + "l" * 200, "\N{CJK UNIFIED IDEOGRAPH-4E2D}/"])
    def test_a07_a_key_has_at_most_1023_bytes(self, make, granted, proxy, origin, name):
        device = make(granted({}))
        key = (name * 300).encode()[:1023].decode().rstrip("/")
        key += "k" * (1023 - len(key.encode()))
        with proxy.watching() as seen:
            try:
                device.put(key, b"x")
            except device.errors:
                pass  # SeaweedFS does not take every long name.
        assert [len(request.path) - len(f"/{origin.bucket}/") for request in seen] == [1023]
        with proxy.watching() as seen, pytest.raises(device.errors) as raised:
            device.put(f"{key}k", b"x")
        assert not seen
        refusal = device.refusal(raised.value)
        assert (refusal.status, refusal.code) in [(400, "InvalidObjectName"), (400, "KeyTooLongError")]

    def test_h04_a_part_has_a_number_from_1_to_10000(self, make, granted, proxy, key):
        device = make(granted({}))
        upload_id = device.initiate(key)
        device.upload_part(key, upload_id, 10_000, b"x")
        with proxy.watching() as seen:
            for number in (0, 10_001, -1):
                with refused(device, 400, "InvalidArgument"):
                    device.upload_part(key, upload_id, number, b"x")
        assert not seen


class TestOss(Conditions):
    looks_first = ["GET"]

    def test_all_uploaded_parts_have_as_many_bytes_together_as_granted(self, make, granted, origin, proxy, key):
        device = make(granted({"max_object_bytes": PART}))
        upload_id, _ = upload(device, key, PART, 1)
        with proxy.watching() as seen, refused(device, 400, "EntityTooLarge"):
            device.complete(key, upload_id, None, {"x-oss-complete-all": "yes"})
        assert [request.method for request in seen] == [*self.looks_first, "GET"]
        assert origin.object(key).status == 404

    @pytest.mark.parametrize(
        "tags", ["k=1&k=2", "=v", "k" * 129, "k=" + "v" * 257, "k=%zz"], ids=["twice", "nameless", "key", "value", "escape"]
    )
    def test_tags_that_are_none_are_refused(self, device, key, tags, origin_untouched):
        with refused(device, 400, "InvalidArgument"):
            device.put(key, b"x", {"x-oss-tagging": tags})


@every_s3_device
class TestS3(Conditions):
    looks_first = []

    def test_ten_tags_are_stored_and_eleven_are_refused(self, s3_device, origin, proxy, key):
        tags = [f"tag-{number}=" + "v" * 200 for number in range(11)]
        s3_device.put(key, b"x", Tagging="&".join(tags[:10]))
        assert len(origin.tags(key)) == 10
        with proxy.watching() as seen:
            for start in (lambda **more: s3_device.put(key, b"x", **more), lambda **more: s3_device.initiate(key, **more)):
                with refused(s3_device, 400, "BadRequest") as told:
                    start(Tagging="&".join(tags))
                assert "10" in told[0].message
        assert not seen

    @pytest.mark.parametrize(
        "tags", ["k=1&k=2", "=v", "k" * 129, "k=" + "v" * 257, "k=%zz"], ids=["twice", "nameless", "key", "value", "escape"]
    )
    def test_tags_that_are_none_are_refused(self, s3_device, key, tags, origin_untouched):
        with refused(s3_device, 400, "InvalidTag"):
            s3_device.put(key, b"x", Tagging=tags)

    def test_2_kb_of_metadata_are_stored_and_more_are_refused(self, s3_device, origin, proxy, key):
        metadata = {f"{number:04}": "v" * 508 for number in range(4)}
        s3_device.put(key, b"x", Metadata=metadata)
        assert origin.object(key).metadata == metadata
        with proxy.watching() as seen:
            for start in (lambda **more: s3_device.put(key, b"x", **more), lambda **more: s3_device.initiate(key, **more)):
                with refused(s3_device, 400, "MetadataTooLarge"):
                    start(Metadata=metadata | {"a": ""})
        assert not seen
