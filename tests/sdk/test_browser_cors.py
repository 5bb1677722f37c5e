"""ali-oss' browser build in headless Chromium, on a page that the bucket's CORS rules list and on one that they do not."""

from __future__ import annotations

import hashlib
import re

from browsers import content, run_in_chromium

SIZE = 6 << 20
PART = 5 << 20
REQUEST_ID = re.compile(r"[0-9A-F]{24}")


def test_x06_a_listed_page_stores_and_reads_and_another_page_does_neither(
    gateway, reader, origin, proxy, key, tmp_path
):
    run = {
        "sites": ["http://site.causeway.test", "http://stranger.causeway.test"],
        "options": {
            "endpoint": gateway.endpoint("path").url,
            "bucket": gateway.bucket,
            "sldEnable": True,
            "accessKeyId": reader.access_key_id,
            "accessKeySecret": reader.access_key_secret,
        },
        "key": key,
        "size": SIZE,
        "partSize": PART,
        "note": "from a page",
    }
    with proxy.watching() as requests:
        seen = run_in_chromium("cors.mjs", run, tmp_path)

    listed = seen["listed"]
    put, got, parts, missing = (listed[name] for name in ("put", "got", "parts", "missing"))
    etag = f'"{hashlib.md5(content(1000)).hexdigest()}"'
    assert (put["status"], put["etag"], got["status"], got["etag"]) == (200, etag, 200, etag)
    assert (got["size"], got["isSame"]) == (1000, True)
    assert parts["status"] == 200
    assert (missing["status"], missing["code"]) == (404, "NoSuchKey")
    for answer in (put, got, parts, missing):
        assert REQUEST_ID.fullmatch(answer["id"]), answer
    for stored, size in [(f"{key}/put", 1000), (f"{key}/parts", SIZE)]:
        assert origin.object(stored).sha256 == hashlib.sha256(content(size)).hexdigest()
    assert listed["omitted"] == {"type": "cors", "size": 1000, "note": "from a page"}
    assert listed["included"] == {"error": "TypeError"}, "an answer was shown to a request with cookies"

    # The browser asked and was refused; what asks nothing first is answered, and the page does not see it.
    other = seen["other"]
    assert other["put"]["name"] == "RequestError", other
    assert (other["put"].get("id") or "", other["read"]) == ("", {"error": "TypeError"})
    assert not [request for request in requests if b"intruder" in request.path]
    assert not [request for request in requests if request.method == "OPTIONS"]
