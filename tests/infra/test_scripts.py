"""Every shell script of the clone, by shellcheck."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from template import ROOT


def scripts() -> list[str]:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shebangs = (b"#!/usr/bin/env bash", b"#!/bin/bash", b"#!/bin/sh", b"#!/usr/bin/env sh")

    def is_script(name: str) -> bool:
        path = ROOT / name
        return path.is_file() and path.open("rb").read(32).startswith(shebangs)

    return [name for name in tracked.split("\0") if name and is_script(name)]


@pytest.mark.parametrize("name", scripts())
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    more = "require-variable-braces,quote-safe-variables,avoid-nullary-conditions,check-unassigned-uppercase,deprecate-which"
    check = [Path(sys.executable).with_name("shellcheck"), "--severity=style", f"--enable={more}"]
    done = subprocess.run([*check, ROOT / name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
