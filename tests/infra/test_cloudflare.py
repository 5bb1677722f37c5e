"""infra/cloudflare, by wrangler's own schema and by a deployment that stops before the upload."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli
from template import ROOT, listed, load

CLOUDFLARE = ROOT / "infra" / "cloudflare"


@pytest.fixture(scope="session")
def wrangler() -> Path:
    """The folder of the npm package; `cargo xtask test infra` installs it and says where."""
    return Path(os.environ["WRANGLER"])


def mistakes(wrangler: Path, configuration: dict[str, Any]) -> list[str]:
    schema = json.loads((wrangler / "config-schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(configuration)]


def test_wrangler_knows_every_key_of_its_configuration(wrangler: Path) -> None:
    configuration = tomli.loads((CLOUDFLARE / "wrangler.toml").read_text())
    assert mistakes(wrangler, configuration) == []
    # The dry run only warns of this one.
    assert mistakes(wrangler, configuration | {"workers_devs": True})


def shown(first: str, last: str) -> dict[str, Any]:
    """What stands between two lines of wrangler.toml as a comment to be taken in."""
    lines = (CLOUDFLARE / "wrangler.toml").read_text().splitlines()
    start = lines.index(first)
    return tomli.loads("\n".join(line.removeprefix("# ") for line in lines[start : lines.index(last, start) + 1]))


def test_the_routes_of_the_examples_would_do_too(wrangler: Path) -> None:
    routes = shown("# routes = [", "# ]")
    assert len(routes["routes"]) >= 2
    assert mistakes(wrangler, tomli.loads((CLOUDFLARE / "wrangler.toml").read_text()) | routes) == []


def test_the_variable_of_workers_free_would_do_too(wrangler: Path) -> None:
    variables = shown("# [vars]", '# MAX_SUBREQUESTS = "50"')
    assert variables == {"vars": {"MAX_SUBREQUESTS": "50"}}
    assert mistakes(wrangler, tomli.loads((CLOUDFLARE / "wrangler.toml").read_text()) | variables) == []


def test_the_guides_policy_for_uploads_lets_nobody_copy_but_staged_parts_nor_list_or_delete_anything_else() -> None:
    guide = (CLOUDFLARE / "README.md").read_text()
    [shown] = [block for block in re.findall(r"```json\n(.*?)```", guide, re.DOTALL) if '"s3:PutObject"' in block]
    granted: dict[str, list[tuple[str, Any]]] = {}
    for one in json.loads(shown)["Statement"]:
        for action in listed(one["Action"]):
            granted.setdefault(action, []).append((one["Resource"], one.get("Condition")))
    bucket = "arn:aws:s3:::acme-ingest"
    staged = ["acme-ingest/.causeway/*", "/acme-ingest/.causeway/*"]
    assert granted.pop("s3:PutObject") == [
        (f"{bucket}/*", {"Null": {"s3:x-amz-copy-source": "true"}}),
        (f"{bucket}/*", {"StringLike": {"s3:x-amz-copy-source": staged}}),
    ]
    assert granted.pop("s3:DeleteObject") == [(f"{bucket}/.causeway/*", None)]
    assert granted.pop("s3:ListBucket") == [(bucket, {"StringLike": {"s3:prefix": ".causeway/*"}})]
    others = {"s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:GetObject"}
    assert granted == {action: [(f"{bucket}/*", None)] for action in others}


def test_the_guides_lifecycle_rules_are_those_of_the_template() -> None:
    guide = (CLOUDFLARE / "README.md").read_text()
    [shown] = re.findall(r"^\$ cat > lifecycle.json <<END\n(.*?)^END$", guide, re.DOTALL | re.MULTILINE)
    template = load("storage.yaml")
    days = template["Parameters"]["AbortUploadsAfterDays"]["Default"]
    made = {}
    for rule in template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]:
        if "Id" not in rule:
            continue  # Not of uploads: under a condition.
        expiration = {}
        if "ExpirationInDays" in rule:
            expiration["Days"] = days
        if "ExpiredObjectDeleteMarker" in rule:
            expiration["ExpiredObjectDeleteMarker"] = rule["ExpiredObjectDeleteMarker"]
        written = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
        if expiration:
            written["Expiration"] = expiration
        if "NoncurrentVersionExpiration" in rule:
            written["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
        if "AbortIncompleteMultipartUpload" in rule:
            written["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
        made[rule["Id"]] = written
    assert {rule["ID"]: rule for rule in json.loads(shown)["Rules"]} == made
    assert len(made) == 3


def test_a_deployment_gets_as_far_as_the_upload(wrangler: Path, tmp_path: Path) -> None:
    command = ["node", wrangler / "bin" / "wrangler.js", "deploy", "--dry-run", "--outdir", tmp_path]
    done = subprocess.run(
        [*command, "--var", "CAUSEWAY_CONFIG:{}"],
        cwd=CLOUDFLARE,
        env=os.environ | {"CI": "true", "WRANGLER_SEND_METRICS": "false", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "--dry-run: exiting now." in done.stdout, said
    assert "WARNING" not in said, said
    assert "env.KEYS" in done.stdout, said
    assert (tmp_path / "index.js").is_file() and (tmp_path / "index_bg.wasm").is_file()
