"""`--results FILE`: what each SDK could do in each addressing style, for the README's table and for CI to keep."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


class MatrixResults:
    """Cells of SDK x style x operation, each passed or failed."""

    def __init__(self) -> None:
        self._cells: dict[tuple, bool] = {}

    def add(self, sdk: str, version: str, style: str, operation: str, passed: bool) -> None:
        """Records a cell; a cell that failed once stays failed."""
        cell = sdk, version, style, operation
        self._cells[cell] = self._cells.get(cell, True) and passed

    def write(self, path: Path) -> None:
        """Writes `{"signature": "V1", "results": [...]}`, cells in the order in which they ran."""
        names = "sdk", "version", "style", "operation"
        results = [
            dict(zip(names, cell, strict=True)) | {"result": "passed" if passed else "failed"}
            for cell, passed in self._cells.items()
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"signature": "V1", "results": results}, indent=1) + "\n")


RESULTS = pytest.StashKey[MatrixResults]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", type=Path, metavar="FILE", help="write the SDK matrix as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = MatrixResults()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call):
    report = yield
    marker = item.get_closest_marker("matrix")
    if marker and (report.when == "call" or report.failed):
        cell = item.callspec.params
        device = cell["device_kind"]
        item.config.stash[RESULTS].add(device.sdk, device.version, cell["style"], cell["operation"], report.passed)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if path := session.config.getoption("--results"):
        session.config.stash[RESULTS].write(path)
