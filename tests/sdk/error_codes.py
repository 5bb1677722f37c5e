"""The rows of error_codes.json: each error that S3 may answer, and how clients of either dialect are told.

A row has `s3`, status and code as S3's documentation has them, `oss` for OSS clients and `s3_told` for S3 clients, where
these are told something else. A stub gives the answers, since the local S3 server gives few of them: it takes status and
code from the key, so that every SDK can ask for a row, those for Node as well.
"""

from __future__ import annotations

import json
from pathlib import Path

from recording_proxy import SeenRequest
from stub_s3 import error

ROWS: list[dict] = json.loads(Path(__file__).with_name("error_codes.json").read_text())
IDS = [row["s3"][1] for row in ROWS]


def key_of(row: dict) -> str:
    """The object key whose ListParts the stub answers with this row's error."""
    status, code = row["s3"]
    return f"codes/{status}/{code}"


def told(row: dict, dialect: str) -> tuple[int, str]:
    """What a client of the dialect, `oss` or `s3_told`, is to see."""
    status, code = row.get(dialect, row["s3"])
    return status, code


def answer_of_key(seen: SeenRequest) -> bytes:
    """The stub's answer to a request for a key of `key_of`."""
    _, status, code = seen.path.decode().rsplit("/", 2)
    return error(int(status), code)
