"""CloudFormation templates as data: `!Sub x` is read as `{"Fn::Sub": "x"}`, as CloudFormation does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CLOUDFRONT = ROOT / "infra" / "cloudfront"
TEMPLATES = ["storage.yaml", "edge.yaml", "edge-logs.yaml"]

ABSENT = {"Ref": "AWS::NoValue"}


class _Loader(yaml.SafeLoader):
    pass


def _short_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt":
        value = value.split(".")
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(name: str) -> dict[str, Any]:
    """A template of infra/cloudfront."""
    return yaml.load((CLOUDFRONT / name).read_text(), Loader=_Loader)  # noqa: S506 (a SafeLoader)


def alternatives(value: Any) -> list[Any]:
    """What a value may be when each of its outermost conditions is chosen: nothing, where that is left out."""
    if value == ABSENT:
        return []
    if isinstance(value, dict) and set(value) == {"Fn::If"}:
        _, yes, no = value["Fn::If"]
        return alternatives(yes) + alternatives(no)
    return [value]


def listed(value: Any) -> list[Any]:
    """The members that a value, alone or a list, may have."""
    members = value if isinstance(value, list) else [value]
    return [choice for member in members for choice in alternatives(member)]


def text(value: Any) -> str:
    """A value as the template has it: what `!Sub` and `!Ref` say, else the text itself."""
    if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
        return value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
    if isinstance(value, dict) and set(value) == {"Ref"}:
        return f"${{{value['Ref']}}}"
    if isinstance(value, dict) and set(value) == {"Fn::GetAtt"}:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    return str(value)


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every statement that a policy document may have."""
    yield from (found for statement in document["Statement"] for found in alternatives(statement))
