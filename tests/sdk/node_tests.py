"""Runs tests that are written for Node's own test runner, one file at a time."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from limits import limits_of
from platforms import Platform

HERE = Path(__file__).parent


def environment_of(run: dict) -> dict[str, str]:
    """The environment in which witness.cjs finds `run`, and the gateway's host names resolve."""
    return {
        **os.environ,
        "CAUSEWAY_SDK": json.dumps(run),
        "NODE_OPTIONS": f"--require {HERE / 'shims' / 'resolve.cjs'}",
    }


def node_tests(folder: Path, file: str, environment: dict[str, str], platform: Platform) -> Iterator[dict]:
    """Runs a file and gives `{"name", "passed", "reason"}` of each of its tests but those that limits.json sets aside."""
    command = ["node", "--test", "--test-reporter", str(HERE / "shims" / "report.mjs"), file]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    tests = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert tests, f"{file} ran no test; is `npm ci` done in tests/sdk?\n{done.stdout}\n{done.stderr}"
    aside = {name for limit in limits_of(platform.name) for name in limit.instead_of if name.startswith(f"{file}::")}
    assert aside <= {f"{file}::{test['name']}" for test in tests}, f"limits.json names tests that {file} lacks"
    yield from (test for test in tests if f"{file}::{test['name']}" not in aside)
    assert done.returncode == 0 or any(not test["passed"] for test in tests), done.stderr


def shown_as_subtests(folder: Path, file: str, run: dict, platform: Platform, subtests) -> list[dict]:
    """Runs a file with `run`, shows each of its tests as a subtest of pytest's, and gives them."""
    tests = list(node_tests(folder, file, environment_of(run), platform))
    for test in tests:
        with subtests.test(msg=test["name"]):
            assert test["passed"], test["reason"]
    return tests
