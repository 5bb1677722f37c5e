"""POST forms from headless Chromium: FormData from a script of the same origin and of another, and an HTML form."""

from __future__ import annotations

import hashlib
import os
from urllib.parse import parse_qs, urlsplit

import forms
import pytest
from browsers import content, run_in_chromium
from forms import Signer

MANY = 6 << 20


@pytest.mark.parametrize("scheme", forms.SCHEMES)
def test_a_browser_posts_forms(keys, gateway, origin, key, tmp_path, scheme):
    grant = {"bucket": gateway.bucket, "operations": ["PostObject"]}
    credentials = keys.add(schemes=[scheme], grants=[grant])
    signer = Signer(scheme, credentials, gateway.bucket)
    landing = "http://site.causeway.test/done"
    screenshot = os.environ.get("CAUSEWAY_SCREENSHOTS")
    run = {
        "url": f"{gateway.endpoint('path').url}/{gateway.bucket}/",
        "screenshot": f"{screenshot}/{scheme}.png" if screenshot else None,
        "same": [
            {"fields": signer.fields({"key": f"{key}/small-${{filename}}", "success_action_status": "201"}), "size": 1000},
            {"fields": signer.fields({"key": f"{key}/large", "Content-Type": "image/x-raw"}), "size": MANY},
            {"fields": signer.fields({"key": f"{key}/refused"}) | {"key": f"{key}\\refused"}, "size": 1},
        ],
        "other": {"fields": signer.fields({"key": f"{key}/other"}), "size": 2000},
        "navigation": signer.fields(
            # The button that was pressed is a field as well, behind the file.
            {"key": f"{key}/${{filename}}", "success_action_redirect": landing}
        ),
    }
    seen = run_in_chromium("post.mjs", run, tmp_path)

    small, large, refused = seen["same"]
    assert (small["status"], large["status"], refused["status"]) == (201, 204, 403)
    name = "photo \u4e2d.bin"
    assert f"<Key>{key}/small-{name}</Key>" in small["body"]
    for stored, answer, size in [(f"{key}/small-{name}", small, 1000), (f"{key}/large", large, MANY)]:
        found = origin.object(stored)
        assert (found.size, found.sha256) == (size, hashlib.sha256(content(size)).hexdigest())
        assert answer["etag"] == f'"{hashlib.md5(content(size)).hexdigest()}"'
    assert origin.object(f"{key}/large").headers["content-type"] == "image/x-raw"

    # The script of another origin sees nothing of the answer, which is as it should be.
    assert (seen["other"]["type"], seen["other"]["status"]) == ("opaque", 0)
    assert origin.object(f"{key}/other").sha256 == hashlib.sha256(content(2000)).hexdigest()

    assert origin.object(f"{key}/letter.txt").size == len("Dear gateway")
    landed = urlsplit(seen["landed"])
    assert f"{landed.scheme}://{landed.netloc}{landed.path}" == landing
    assert parse_qs(landed.query) == {
        "bucket": [gateway.bucket],
        "key": [f"{key}/letter.txt"],
        "etag": [f'"{hashlib.md5(b"Dear gateway").hexdigest()}"'],
    }
