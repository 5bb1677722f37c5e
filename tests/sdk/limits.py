"""The rows of limits.json: what a platform cannot do, which tests that sets aside, and which shows what happens instead.

A row has `platform`; `instead_of`, tests of the common suite that cannot hold there; `shown_by`, the test that asserts
what happens there; and for the README `case`, `answer`, `reason` and `source`. Where it means operations of some SDKs, it
has `operations`, `{"SDK": ["operation", …]}`, whose cells of the README's table then name it. Nothing else may be left out
of a run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("limits.json")


@dataclass(frozen=True)
class Limit:
    """One row. Tests are named as pytest does, `file.py::test` or `file.py::test[case]`, those for Node `file.cjs::name`."""

    platform: str
    case: str
    answer: str
    reason: str
    source: str
    shown_by: str
    instead_of: tuple[str, ...] = ()
    operations: dict[str, list[str]] = field(default_factory=dict, hash=False)


def limits_of(platform: str) -> list[Limit]:
    """The rows of one platform, in the order of the file."""
    rows = [Limit(**row | {"instead_of": tuple(row.get("instead_of", ()))}) for row in json.loads(TABLE.read_text())]
    return [row for row in rows if row.platform == platform]


def name_of(item: pytest.Item) -> str:
    """A test's name as the rows write it."""
    return item.nodeid.rpartition("/")[2]


def names_it(row_name: str, item: pytest.Item) -> bool:
    """Whether a row means this test; a name without a case means every case."""
    return row_name in (name_of(item), name_of(item).partition("[")[0])


def set_aside(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests that the platform's rows set aside. A row that names a test which its file lacks is an error."""
    limits = limits_of(config.getoption("--platform"))
    aside = [item for item in items for limit in limits if any(names_it(name, item) for name in limit.instead_of)]
    # Asked for by name, a file is not collected whole.
    if not any("::" in argument for argument in config.args):
        files = {name_of(item).partition("::")[0] for item in items}
        for name in (name for limit in limits for name in (limit.shown_by, *limit.instead_of)):
            if name.partition("::")[0] in files and not any(names_it(name, item) for item in items):
                raise pytest.UsageError(f"{TABLE.name} names {name}, which is no test")
    return aside
