"""Attack cases A and H on limits, byte by byte: lengths that are stated and never sent, numbers of parts, addresses."""

import pytest

from wire import Wire

GIB_5 = 5 << 30
MARKS = {
    "PutObject": lambda wire: "",
    "UploadPart": lambda wire: f"partNumber=1&uploadId={wire.initiate('too-large')}",
}


@pytest.fixture
def wire_with(servers, gateway, platform, monkeypatch):
    """A wire client with a key whose grant has these fields."""

    def make(**grant) -> Wire:
        grant = {"bucket": gateway.bucket, "operations": ["upload-only"]} | grant
        monkeypatch.setattr(gateway, "credentials", servers.keys.add(grants=[grant]))
        return Wire(gateway, platform)

    return make


@pytest.mark.parametrize("query_of", MARKS.values(), ids=MARKS)
def test_h01_more_than_5_gib_are_refused_before_a_byte_of_them_is_read(wire, proxy, query_of):
    query = query_of(wire)
    with proxy.watching() as seen:
        headers = wire.sign("PUT", wire.resource("too-large", query))
        stated = [*headers, ("Content-Length", str(GIB_5 + 1))]
        answer = wire.send("PUT", wire.target("too-large", query), stated, length=False).check()
    assert (answer.status, answer.code) == (400, "EntityTooLarge"), answer
    assert answer.element("MaxSizeAllowed") == str(GIB_5)
    assert not seen


@pytest.mark.parametrize("query_of", MARKS.values(), ids=MARKS)
def test_h01_more_than_the_grant_allows_are_refused_before_a_byte_of_them_is_read(wire_with, proxy, query_of):
    wire = wire_with(max_object_bytes=1000)
    query = query_of(wire)
    with proxy.watching() as seen:
        headers = wire.sign("PUT", wire.resource("too-large", query))
        stated = [*headers, ("Content-Length", "1001")]
        answer = wire.send("PUT", wire.target("too-large", query), stated, length=False).check()
    assert (answer.status, answer.code) == (400, "EntityTooLarge"), answer
    assert answer.element("MaxSizeAllowed") == "1000"
    assert not seen


NUMBERS = ["0", "00", "01", "10001", "99999999999999999999", "%2B1", "-1", "1.0", "1e2", "0x1", "%201", "%D9%A3", ""]


@pytest.mark.parametrize("number", NUMBERS)
def test_h04_a_number_of_a_part_is_a_plain_decimal_from_1_to_10000(wire, proxy, number):
    decoded = {"%2B1": "+1", "%201": " 1", "%D9%A3": "\u0663"}.get(number, number)
    resource = wire.resource("part") + f"?partNumber={decoded}&uploadId=U"
    if not number:
        resource = wire.resource("part") + "?partNumber&uploadId=U"
    with proxy.watching() as seen:
        target = wire.target("part", f"partNumber={number}&uploadId=U")
        answer = wire.send("PUT", target, wire.sign("PUT", resource), b"x").check()
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert not seen


SAYS_AN_ADDRESS = ["X-Forwarded-For", "X-Real-IP", "True-Client-IP", "Forwarded", "CF-Connecting-IPv6", "X-Client-IP"]


@pytest.mark.parametrize("name", SAYS_AN_ADDRESS)
def test_h07_cf10_an_address_in_a_header_of_the_client_s_opens_no_grant(wire_with, proxy, name):
    wire = wire_with(source_ips=["198.51.100.0/24"])
    with proxy.watching() as seen:
        answer = wire.put("address", [(name, "198.51.100.7")]).check()
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer
    assert "address" not in answer.element("Message"), "what is wrong is for the operator to know"
    assert not seen


@pytest.mark.parametrize("ranges", [["127.0.0.1"], ["10.0.0.0/8", "127.0.0.0/8"], ["0.0.0.0/0"], ["::ffff:127.0.0.0/104"]])
def test_h07_the_address_that_the_platform_gives_opens_a_grant(wire_with, platform, origin, key, ranges):
    answer = wire_with(source_ips=ranges).put(key, platform.says_loopback).check()
    assert answer.status == 200, answer
    assert origin.object(key).size == 1


@pytest.mark.parametrize("ranges", [["127.0.0.2"], ["::1"], ["::/0"]])
def test_h07_another_address_or_another_family_does_not(wire_with, platform, proxy, ranges):
    with proxy.watching() as seen:
        answer = wire_with(source_ips=ranges).put("address", platform.says_loopback).check()
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer
    assert not seen


def test_l05_a_bucket_whose_grants_do_not_count_is_answered_like_one_that_is_not_there(wire_with):
    wire = wire_with(source_ips=["198.51.100.7"])
    told = []
    for bucket in (wire.bucket, "nobodys-bucket"):
        for query in ("", "?partNumber=0&uploadId=U", "?acl"):
            target = f"/{bucket}/k{query}"
            answer = wire.send("PUT", target, wire.sign("PUT", target), b"x").check()
            told.append((answer.status, answer.code, answer.element("Message")))
    assert set(told) == {(403, "AccessDenied", told[0][2])}
