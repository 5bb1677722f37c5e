"""`--results FILE`: what each SDK could do, in each addressing style and at all, and the platform's limits, for the
README's tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from limits import Limit, limits_of, names_it
from operations import MARK, covered, covered_by_name
from platforms import PLATFORMS, Platform

NAMES = {True: "passed", False: "failed", None: "not run"}


class Results:
    """Cells of SDK x signature x style x operation, those of SDK x operation, and the rows of limits.json, each passed or
    failed."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._cells: dict[tuple, bool] = {}
        self._operations: dict[tuple[str, str], bool] = {}
        self._limits: dict[Limit, bool | None] = dict.fromkeys(limits_of(platform.name))

    def add(self, sdk: str, version: str, signature: str, style: str, operation: str, passed: bool) -> None:
        """Records a cell; a cell that failed once stays failed."""
        cell = sdk, version, signature, style, operation
        self._cells[cell] = self._cells.get(cell, True) and passed

    def add_covered(self, pairs: set[tuple[str, str]], passed: bool) -> None:
        """Records what a test exercised; what failed in one test stays failed."""
        for pair in pairs:
            self._operations[pair] = self._operations.get(pair, True) and passed

    def add_node(self, sdk: str, test: dict) -> None:
        """Records what a test for Node exercised."""
        self.add_covered(covered_by_name(sdk, test["name"]), test["passed"])

    def add_shown(self, item: pytest.Item, passed: bool) -> None:
        """Records the rows that a test shows."""
        for limit, before in self._limits.items():
            if names_it(limit.shown_by, item):
                self._limits[limit] = before is not False and passed

    def write(self, path: Path) -> None:
        """Writes `{"platform", "topology", "results": […], "operations": […], "limits": […]}`."""
        names = "sdk", "version", "signature", "style", "operation"
        results = [
            dict(zip(names, cell, strict=True)) | {"result": NAMES[passed]} for cell, passed in self._cells.items()
        ]
        operations = [
            {"sdk": sdk, "operation": operation, "result": NAMES[passed]}
            for (sdk, operation), passed in sorted(self._operations.items())
        ]
        limits = [
            {
                "case": limit.case,
                "answer": limit.answer,
                "reason": limit.reason,
                "operations": limit.operations,
                "result": NAMES[passed],
            }
            for limit, passed in self._limits.items()
        ]
        written = {
            "platform": self._platform.name,
            "topology": self._platform.topology,
            "results": results,
            "operations": operations,
            "limits": limits,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n")


RESULTS = pytest.StashKey[Results]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", type=Path, metavar="FILE", help="write the SDK matrix and the limits as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    config.stash[RESULTS] = Results(PLATFORMS[config.getoption("--platform")])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call):
    report = yield
    if report.when != "call" and not report.failed:
        return report
    results = item.config.stash[RESULTS]
    results.add_shown(item, report.passed)
    results.add_covered(covered(item), report.passed)
    if item.get_closest_marker("matrix"):
        cell = item.callspec.params
        device = cell["device_kind"]
        signer = device.sdk, device.version, device.signature
        results.add(*signer, cell["style"], cell["operation"], report.passed)
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses names that are no operation's before anything runs."""
    for item in items:
        covered(item)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if path := session.config.getoption("--results"):
        session.config.stash[RESULTS].write(path)
