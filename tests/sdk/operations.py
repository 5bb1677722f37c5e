"""The rows of operations.json: the operations of the object API, and the call that each SDK has for them.

A test says which operations it exercises with an SDK, and `--results` keeps how that went: the README's table of
operations is made of it. An operation has the `answer` "501" where S3 has nothing like it; the test of such a one sees
the SDK's own exception with NotImplemented, and the origin hears nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("operations.json")
ROWS: list[dict] = json.loads(TABLE.read_text())

NAMES = {name: row["operation"] for row in ROWS for name in (row["operation"], row.get("s3_name")) if name}
"""Each name, OSS's or S3's, with the one that the table has."""

MARK = (
    "covers(*operations, sdk=None): what the test exercises and checks, by names of operations.json, "
    "with the SDK of `device_kind` or with `sdk`"
)


def covered(item: pytest.Item) -> set[tuple[str, str]]:
    """The (SDK, operation) pairs that a test exercises. A pair that operations.json has no call for is an error."""
    pairs = set()
    for mark in item.iter_markers("covers"):
        sdk = mark.kwargs.get("sdk") or _sdk_of(item)
        pairs |= {(sdk, operation) for operation in mark.args}
    if item.get_closest_marker("matrix"):
        pairs.add((_sdk_of(item), item.callspec.params["operation"]))
    return {pair_of(*pair, item.nodeid) for pair in pairs}


def covered_by_name(sdk: str, test: str) -> set[tuple[str, str]]:
    """The same of a test for Node, which has them at the end of its name: `a key is listed [ListObjects, ListObjectsV2]`."""
    names = re.search(r"\[([\w -]+(?:, [\w -]+)*)\]$", test)
    return {pair_of(sdk, name, test) for name in names[1].split(", ")} if names else set()


def pair_of(sdk: str, name: str, test: str) -> tuple[str, str]:
    """`sdk` with the operation of that name."""
    operation = NAMES.get(name)
    if not any(row["operation"] == operation and sdk in row["calls"] for row in ROWS):
        raise pytest.UsageError(f"{test} covers {name} with {sdk}, which {TABLE.name} has no call for")
    return sdk, operation


def _sdk_of(item: pytest.Item) -> str:
    return item.callspec.params["device_kind"].sdk
