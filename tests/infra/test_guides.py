"""The deploy guide names what the templates have, and its commands fit them."""

from __future__ import annotations

import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from template import CLOUDFRONT, ROOT, TEMPLATES, load

GUIDE = (CLOUDFRONT / "README.md").read_text()


def section(title: str) -> str:
    """The part of the guide under a heading, up to the next of its kind or a higher one."""
    level = title.split(" ")[0]
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", GUIDE, re.M | re.S)
    assert found, f"the guide lacks the section {title}"
    return found[1]


def cells(title: str) -> dict[str, str]:
    """The names in the first column of a table, each with its row's last cell."""
    rows = [row.strip("|").split("|") for row in section(title).splitlines() if row.startswith("| `")]
    return {name: row[-1].strip() for row in rows for name in re.findall(r"`(\w+)`", row[0])}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_guide_lists_every_parameter_with_its_default_and_no_other(name: str) -> None:
    documented = cells(f"### {name}")
    declared = load(name)["Parameters"]
    assert set(documented) == set(declared)
    for parameter, default in documented.items():
        expected = str(declared[parameter].get("Default", ""))
        if expected == "" and "Default" in declared[parameter]:
            assert default.startswith(("none", "only", "CloudFront's own")), parameter
        else:
            assert default == expected, parameter


def test_the_commands_name_parameters_that_exist() -> None:
    named = set(re.findall(r'"?ParameterKey"?: "(\w+)"', GUIDE))
    assert named >= {"CodeBucket", "CertificateArn", "ManageBucket", "PassportSecret"}
    assert named <= {parameter for name in TEMPLATES for parameter in load(name)["Parameters"]}


def test_a_value_that_the_guide_gives_a_parameter_is_allowed() -> None:
    parameters = {}
    for name in TEMPLATES:
        parameters |= load(name)["Parameters"]
    given = re.findall(r"`(\w+)` = `([\w-]+)`", GUIDE)
    given += re.findall(r'ParameterKey: "(\w+)", ParameterValue: "([\w.-]+)"', GUIDE)
    assert len(given) >= 6
    for parameter, value in given:
        declared = parameters[parameter]
        assert value in declared.get("AllowedValues", [value]), (parameter, value)
        assert re.search(declared.get("AllowedPattern", ""), value), (parameter, value)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the guide's step 2 makes of the example configuration."""
    folder = tmp_path_factory.mktemp("bundle")
    subprocess.run(["cargo", "xtask", "build", "--platform", "cloudfront"], cwd=ROOT, check=True)
    make = ["cargo", "run", "--quiet", "-p", "causeway", "--", "bundle", "cloudfront"]
    subprocess.run([*make, ROOT / "infra/cloudflare/causeway.example.toml", "--out", folder], cwd=ROOT, check=True)
    return folder


def parameters(file: Path) -> dict[str, str]:
    return {entry["ParameterKey"]: entry["ParameterValue"] for entry in json.loads(file.read_text())}


# Outputs of the other stack, and what step 3 has people write.
FROM_ELSEWHERE = {
    "storage": {"CodeBucket": "acme-causeway-code-eu-west-1"},
    "edge": {
        "CodeBucket": "acme-causeway-code-us-east-1",
        "BucketDomain": "acme-ingest.s3.eu-west-1.amazonaws.com",
        "HandlerDomain": "abc.lambda-url.eu-west-1.on.aws",
        "HandlerFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:causeway-response-handler",
    },
}


@pytest.mark.parametrize("name", ["storage", "edge"])
def test_a_bundle_has_what_the_guide_says_and_the_template_takes_it(name: str, bundle: Path) -> None:
    made = parameters(bundle / f"{name}.parameters.json")
    assert set(made) == set(re.findall(r"`(\w+)` ●", section(f"### {name}.yaml")))
    given = made | FROM_ELSEWHERE[name]
    declared: dict[str, Any] = load(f"{name}.yaml")["Parameters"]
    assert {parameter for parameter in declared if "Default" not in declared[parameter]} <= set(given)
    for parameter, value in given.items():
        assert value in declared[parameter].get("AllowedValues", [value]), parameter
        assert re.search(declared[parameter].get("AllowedPattern", ""), value), (parameter, value)
        assert len(value) <= declared[parameter].get("MaxLength", 4096), parameter


@pytest.mark.parametrize("name", ["storage", "edge"])
def test_the_code_of_a_bundle_is_uploaded_under_the_keys_of_its_parameters(name: str, bundle: Path) -> None:
    keys = {value for parameter, value in parameters(bundle / f"{name}.parameters.json").items() if parameter.endswith("CodeKey")}
    assert keys <= {zipped.name for zipped in bundle.glob("*.zip")}


def test_the_outputs_of_one_template_are_the_parameters_of_the_other() -> None:
    storage, edge = load("storage.yaml"), load("edge.yaml")
    assert set(storage["Outputs"]) & set(edge["Parameters"]) == {
        "BucketDomain",
        "HandlerDomain",
        "HandlerFunctionArn",
    }
    assert set(edge["Outputs"]) & set(storage["Parameters"]) == {"DistributionArn", "RouterRoleArn"}


def slug(heading: str) -> str:
    """What GitHub makes of a heading in links."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def test_the_guide_refers_to_files_and_headings_that_exist() -> None:
    for link in re.findall(r"\]\((?!https:)([^)]+)\)", GUIDE):
        path, _, anchor = link.partition("#")
        target = (CLOUDFRONT / path) if path else CLOUDFRONT / "README.md"
        assert target.is_file(), link
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.M)
        assert not anchor or anchor in {slug(heading) for heading in headings}, link
    for file in re.findall(r"--template-file (\S+)", GUIDE):
        assert file in TEMPLATES or file.startswith('"$'), file


def commands(guide: str) -> str:
    """All that a guide has people type."""
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / guide).read_text(), re.M | re.S)
    assert len(blocks) >= 6
    return "\n".join(re.sub(r"^\$ ", "", block, flags=re.M) for block in blocks)


GUIDES = ["infra/cloudflare/README.md", "infra/cloudfront/README.md"]


@pytest.mark.parametrize("guide", GUIDES)
def test_git_leaves_alone_what_the_commands_write(guide: str) -> None:
    ignored = (ROOT / guide).with_name(".gitignore").read_text().splitlines()
    written = re.findall(r'(?:(?<!2)> ?|--?out )"?([\w.$-]+(?:/[\w.$-]+)?)', commands(guide))
    assert len(written) >= 6
    assert {Path(name).suffix for name in written} >= {".json", ".master"}
    for name in written:
        folder, _, file = name.rpartition("/")
        pattern = f"/{folder}/" if folder else f"/{file}" if "." in file else f"/{file}/"
        assert any(fnmatch(pattern, one) for one in ignored), name


@pytest.mark.parametrize("guide", GUIDES)
def test_the_commands_are_good_shell(guide: str) -> None:
    script = commands(guide)
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
