"""infra/cloudfront/verify.sh: what it says it proves is what it proves, and a platform that agrees to all proves little.

Its requests are tested against the local CloudFront in tests/sdk.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from template import CLOUDFRONT

SCRIPT = CLOUDFRONT / "verify.sh"
CREDENTIALS = {
    "CAUSEWAY_KEY_ID": "LTAI5tTest",
    "CAUSEWAY_KEY_SECRET": "secret",
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [SCRIPT, *arguments], env=kept | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def facts() -> list[str]:
    table = SCRIPT.read_text().split("facts() {")[1].split("END\n}")[0]
    return re.findall(r"^([a-z0-9-]+)\|", table, re.M)


@pytest.fixture(scope="module")
def agreeable() -> Iterator[str]:
    """The address of a server that takes everything and answers 200 without a word."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = self.headers["Content-Length"]
            if length is not None:
                self.rfile.read(int(length))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            # A chunked body is left unread.
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_every_fact_is_proved_once_and_help_names_it() -> None:
    proved = re.findall(r"^ *prove ([a-z0-9-]+) [a-z0-9_]+$", SCRIPT.read_text(), re.M)
    assert proved == facts()
    shown = run("--help")
    assert shown.returncode == 0
    assert [fact for fact in facts() if f"\n  {fact} " not in shown.stdout] == []


@pytest.mark.parametrize("missing", ["--url", "--bucket", "--origin", "--region"])
def test_an_option_that_is_missing_is_named(missing: str) -> None:
    given = {"--url": "https://edge.test", "--bucket": "devices", "--origin": "s3://acme", "--region": "eu-west-1"}
    del given[missing]
    done = run(*(word for pair in given.items() for word in pair), **CREDENTIALS)
    assert (done.returncode, done.stdout) == (2, "")
    assert missing in done.stderr


@pytest.mark.parametrize("missing", CREDENTIALS)
def test_credentials_come_from_the_environment(missing: str) -> None:
    given = {name: value for name, value in CREDENTIALS.items() if name != missing}
    options = ["--url", "https://edge.test", "--bucket", "devices", "--origin", "s3://acme", "--region", "eu-west-1"]
    done = run(*options, **given)
    assert (done.returncode, done.stdout) == (2, "")
    assert missing in done.stderr


def test_no_secret_stands_on_a_command_line_where_every_user_of_the_machine_can_read_it(agreeable: str, tmp_path: Path) -> None:
    started = tmp_path / "started"
    for program in ("openssl", "curl", "od", "sed", "awk", "head", "cut", "tr"):
        shim = tmp_path / program
        shim.write_text(f'#!/bin/sh\necho "$0 $*" >>"{started}"\nexec {shutil.which(program)} "$@"\n')
        shim.chmod(0o755)
    device, role = "device-secret-0123456789", "role-secret-0123456789"
    given = CREDENTIALS | {"CAUSEWAY_KEY_SECRET": device, "AWS_SECRET_ACCESS_KEY": role}
    given["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
    where = ["--url", agreeable, "--origin-endpoint", agreeable, "--bucket", "devices", "--origin", "s3://acme"]
    assert run(*where, "--region", "eu-west-1", **given).returncode == 1
    lines = started.read_text()
    assert "openssl dgst" in lines and "curl" in lines
    for secret in (device, role):
        for shown in (secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode()):
            assert shown not in lines


def test_a_server_that_agrees_to_everything_proves_almost_nothing(agreeable: str) -> None:
    where = ["--url", agreeable, "--origin-endpoint", agreeable]
    done = run(*where, "--reads", "--changes", "--bucket", "devices", "--origin", "s3://acme", "--region", "eu-west-1", **CREDENTIALS)
    passed = re.findall(r"^pass +([a-z0-9-]+)$", done.stdout, re.M)
    # What tags are stored only S3 could tell.
    assert passed == ["tags-reach-s3"], done.stdout
    failed = re.findall(r"^FAIL +([a-z0-9-]+) ", done.stdout, re.M)
    assert sorted(passed + failed) == sorted(facts())
    assert done.stdout.endswith(f"\n1 passed, {len(facts()) - 1} failed\n")
    assert done.returncode == 1
    assert done.stderr == ""
