"""What Cloudflare's runtime does by itself, whatever the gateway would rather do: each row of limits.json, asserted."""


def test_a_header_on_two_lines_is_also_one_that_was_signed_with_a_blank(wire, proxy):
    # The Worker is shown both lines as one, `one, two`, and cannot tell which of the two was signed.
    headers = wire.sign("PUT", wire.resource("two-lines"), [("x-oss-meta-list", "one, two")])
    lines = [header for header in headers if header[0] != "x-oss-meta-list"]
    lines += [("x-oss-meta-list", "one"), ("x-oss-meta-list", "two")]
    with proxy.watching() as seen:
        assert wire.send("PUT", wire.target("two-lines"), lines, b"x").check().status == 200
    assert seen[0].header("x-amz-meta-list") == "one, two"


def test_a_replacement_character_in_a_header_is_400(wire, origin_untouched):
    # Cloudflare writes U+FFFD for bytes that are not UTF-8, so that it may stand for anything.
    answer = wire.put("replaced", [("x-oss-meta-name", "\ufffd")]).check()
    assert (answer.status, answer.code) == (400, "InvalidArgument")
