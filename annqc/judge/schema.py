"""judge: the JSON schema of the spec language, by which editors complete and check spec files.

It is made from the structs of `model`, whose docstrings say what each field means, and from the
registered measures. Editors see less than `load_spec`, which alone knows what is inherited.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from typing import Any, Final, get_args

import msgspec

from annqc.geometry.boxes import BOX_FORMATS
from annqc.judge.fields import ID
from annqc.judge.model import (
    VERSION,
    DatasetSpec,
    DrawnAs,
    Example,
    Header,
    PreprocessedAs,
    ReadSpec,
    Rule,
    UndecidedIs,
)
from annqc.judge.registry import OUTCOMES, Measure, measures
from annqc.judge.ruling import ALWAYS
from annqc.match.policy import MatchPolicy, Method
from annqc.read.maskoptions import VALUES
from annqc.read.roles import ROLES

__all__ = ["schema_text", "spec_schema"]

_Schema = dict[str, Any]

_VARIABLE: Final = r"\$\{"
"""A text with a variable may come to anything."""
_SPAN: Final = r"(\d+(\.\d*)?|\.\d+)\s*(px|%)"
_TOLERANCE: Final = rf"^\s*({_SPAN}|max\s*\(\s*{_SPAN}\s*,\s*{_SPAN}\s*\))\s*$|{_VARIABLE}"
_NUMBER: Final = rf"^\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*%?\s*$|{_VARIABLE}"

_TEXT: Final[_Schema] = {"type": "string", "pattern": r"\S"}
_NAME: Final[_Schema] = {"type": "string", "pattern": f"^{ID}$|{_VARIABLE}"}
_SCALAR: Final[_Schema] = {"type": ["string", "number", "boolean"]}
_PERCENT: Final[_Schema] = {"type": "string", "pattern": _NUMBER}


def _one_or_more(one: _Schema, *, once: bool = False) -> _Schema:
    """Return the schema of a value or a list of values."""
    several: _Schema = {"type": "array", "items": one}
    return {"anyOf": [one, several | {"uniqueItems": True} if once else several]}


_PATHS: Final = _one_or_more(_TEXT)
_NAMES: Final = _one_or_more(_TEXT, once=True)
_LIMIT: Final[_Schema] = {"anyOf": [{"type": "number"}, _PERCENT]}

_NAMED: Final = _one_or_more({"anyOf": [_TEXT, {"type": "integer"}]}, once=True)

_SIDES: Final[dict[str, _Schema]] = {
    "gold": _PATHS | {"examples": ["gold.json"]},
    "candidate": _PATHS | {"examples": [["vendor/*.json"]]},
    "annotator": _TEXT | {"examples": ["stem", "parent", "=vendor-a"]},
    "baseline": _TEXT | {"examples": ["baseline"]},
}
_HEADER: Final[dict[str, _Schema]] = {
    "version": {"const": VERSION},
    **_SIDES,
    "folders": _TEXT | {"examples": ["deliveries/*"]},
    "extends": _TEXT | {"examples": ["boxes", "../team.annqc.toml"]},
    "without": _NAMES | {"examples": [["mean-iou"]]},
    "undecided": {"enum": list(get_args(UndecidedIs))},
}
_SIZE: Final[_Schema] = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1},
    "minItems": 2,
    "maxItems": 2,
}
_READ: Final[dict[str, _Schema]] = {
    "format": _TEXT | {"examples": ["coco", "table"]},
    "gold_format": _TEXT | {"examples": ["coco"]},
    "box_format": {"enum": list(BOX_FORMATS)},
    "columns": {
        "type": "object",
        "properties": dict.fromkeys(ROLES, _TEXT),
        "additionalProperties": False,
        "examples": [{"image_id": "asset"}],
    },
    "categories": {
        "anyOf": [_TEXT, {"type": "array", "items": _TEXT}],
        "examples": ["classes.txt", ["car", "person"]],
    },
    "image_sizes": {"anyOf": [_TEXT, _SIZE], "examples": ["640x480", "sizes.csv"]},
    "mask_object": {"anyOf": [_TEXT, {"type": "integer"}], "examples": ["light", "255"]},
    "mask_values": {"enum": list(VALUES)},
    "shapes": {"type": "boolean"},
    "only": _NAMED | {"examples": ["vendor-a"]},
    "gold_only": _NAMED | {"examples": [["reviewer"]]},
}
_DATASET: Final[dict[str, _Schema]] = {
    "name": _NAME | {"examples": ["vendor-a"]},
    **_SIDES,
    **_READ,
}
_HABITS: Final[_Schema] = _one_or_more(_TEXT)
_EXAMPLE: Final[dict[str, _Schema]] = {
    "name": _NAME | {"examples": ["one-loose-edge"]},
    "annotators": {
        "type": "object",
        "additionalProperties": _HABITS,
        "minProperties": 1,
        "examples": [{"ann": [], "bob": "loose right 5 px"}],
    },
    "images": {"type": "integer", "minimum": 1},
    "seed": {"type": "integer", "minimum": 0},
    "scene": {"type": "object"},
    "expect": {
        "type": "object",
        "additionalProperties": {"enum": list(OUTCOMES)},
        "minProperties": 1,
        "examples": [{"recall": "pass", "no-edge-bias": "fail"}],
    },
    "drawn_as": {"enum": list(get_args(DrawnAs))},
}
_RULE: Final[dict[str, _Schema]] = {
    "id": _NAME | {"examples": ["no-edge-bias"]},
    "by": _NAMES | {"examples": [["annotator"], ["annotator", "category"]]},
    "where": {
        "type": "object",
        "additionalProperties": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]},
        "examples": [{"category": "person"}, {"size": ["medium", "large"]}],
    },
    "tolerance": {
        "type": "string",
        "pattern": _TOLERANCE,
        "examples": ["2 px", "3 %", "max(1 px, 2 %)"],
    },
    "confidence": {
        "anyOf": [{"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1}, _PERCENT],
        "examples": [0.95],
    },
    "at_least": _LIMIT | {"examples": [0.95, "95 %"]},
    "at_most": _LIMIT | {"examples": [0, "2 %"]},
    "no_worse_than": {"enum": ["baseline"]},
    "margin": {
        "anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": f"{_NUMBER}|{_TOLERANCE}"},
        ],
        "examples": [0.02, "0.5 px"],
    },
    "sequential": {"type": "boolean"},
    "kind": _NAMES,
    "categories": _NAMES,
    "preprocess": {"enum": list(get_args(PreprocessedAs))},
    "why": _TEXT,
}
_LIMITS: Final = ("at_least", "at_most", "no_worse_than")


def spec_schema() -> _Schema:
    """Return the JSON schema of the spec language, draft 2020-12.

    Examples
    --------
    >>> sorted(spec_schema()["properties"])
    ['annqc', 'dataset', 'example', 'match', 'read', 'rule']
    """
    known = measures()
    rule = _table(Rule, _RULE | {"measure": _measure(known)}, required=["id"])
    rule["allOf"] = [_of_measure(one) for one in known.values()]
    whole: _Schema = {"required": ["id", "measure"]}
    whole["allOf"] = [_if_measure(one, _limit_needed(one)) for one in _limited(known)]
    header = _table(Header, _HEADER, required=["version"])
    header["dependentRequired"] = {"without": ["extends"]}
    alone = {"properties": {"annqc": {"not": {"required": ["extends"]}}}}
    foldered = {"properties": {"annqc": {"required": ["folders"]}}, "required": ["annqc"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:annqc:spec:{VERSION}",
        "title": "annqc spec",
        "description": "What is asked of annotations, as *.annqc.toml files say it.",
        "type": "object",
        "additionalProperties": False,
        "required": ["annqc"],
        "properties": {
            "annqc": header,
            "read": _table(ReadSpec, _READ, required=[]),
            "match": _match(),
            "rule": {
                "description": "What is asked; one table [[rule]] for each thing.",
                "type": "array",
                "items": {"$ref": "#/$defs/rule"},
            },
            "dataset": {
                "description": "Deliveries that the rules apply to, each on its own.",
                "type": "array",
                "items": _table(DatasetSpec, _DATASET, required=["name"]),
            },
            "example": {
                "description": "Simulated annotators, and what the rules must say of them.",
                "type": "array",
                "items": _table(Example, _EXAMPLE, required=["name", "annotators", "expect"]),
            },
        },
        "allOf": [
            {
                "if": alone,
                "then": {
                    "required": ["rule"],
                    "properties": {"rule": {"items": {"$ref": "#/$defs/whole"}, "minItems": 1}},
                },
            },
            {"if": foldered, "then": {"properties": {"dataset": {"maxItems": 0}}}},
        ],
        "$defs": {"rule": rule, "whole": whole},
    }


def _limited(known: dict[str, Measure]) -> list[Measure]:
    """Return the measures of which a rule must give a limit."""
    return [one for one in known.values() if one.limits and one.usual is None]


def schema_text() -> str:
    """Return the schema as the text of a JSON file."""
    return json.dumps(spec_schema(), indent=2, ensure_ascii=False) + "\n"


def _table(
    struct: type[msgspec.Struct], fields: dict[str, _Schema], required: list[str]
) -> _Schema:
    """Return the schema of a table, its fields in the order of the struct."""
    summary, said = _told(struct)
    properties: dict[str, _Schema] = {}
    for one in msgspec.structs.fields(struct):
        shown: _Schema = (
            {"default": one.default} if isinstance(one.default, bool | int | str) else {}
        )
        told: _Schema = {"description": said[one.name]} if one.name in said else {}
        properties[one.name] = told | fields[one.name] | shown
    return {
        "description": summary,
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def _match() -> _Schema:
    """Return the schema of ``[match]``."""
    _, said = _told(MatchPolicy)
    properties: dict[str, _Schema] = {}
    for one in dataclasses.fields(MatchPolicy):
        least = "exclusiveMinimum" if one.name in {"iou", "pair_iou"} else "minimum"
        number: _Schema = {"type": "number", least: 0, "maximum": 1}
        kind: _Schema = {"enum": list(get_args(Method))} if one.name == "method" else number
        shown = {} if one.default is None else {"default": one.default}
        properties[one.name] = {"description": said.get(one.name, "")} | kind | shown
    return {
        "description": "How gold and candidate are paired.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _measure(known: dict[str, Measure]) -> _Schema:
    """Return the schema of ``measure``, each name with what it asks, as editors show it."""
    summaries = [one.summary for one in known.values()]
    return {
        "enum": list(known),
        "enumDescriptions": summaries,
        "x-taplo": {"docs": {"enumValues": summaries}},
    }


def _if_measure(measure: Measure, then: _Schema) -> _Schema:
    named = {"properties": {"measure": {"const": measure.name}}, "required": ["measure"]}
    return {"if": named, "then": then}


def _of_measure(measure: Measure) -> _Schema:
    """Return what a rule of this measure may have; its fields, ranges and kinds."""
    properties: _Schema = {}
    for name in Rule.__struct_fields__:
        if name in ALWAYS:
            continue
        if name not in measure.takes:
            properties[name] = False
    low, high = measure.limit_range
    bounds = {"minimum": low} | ({} if high == float("inf") else {"maximum": high})
    properties |= dict.fromkeys(measure.limits, bounds)
    if measure.kinds:
        kinds = {"enum": list(measure.kinds)}
        properties["kind"] = {"anyOf": [kinds, {"type": "array", "items": kinds}]}
    then: _Schema = {"properties": properties}
    either = [name for name in (*_LIMITS, "tolerance") if name in measure.takes]
    pairs = [[one, other] for at, one in enumerate(either) for other in either[at + 1 :]]
    if pairs:
        then["not"] = {"anyOf": [{"required": pair} for pair in pairs]}
    return _if_measure(measure, then)


def _limit_needed(measure: Measure) -> _Schema:
    """Return that one of its limits is there."""
    limits = [name for name in _LIMITS if name in measure.takes]
    return {"anyOf": [{"required": [name]} for name in limits]}


_ENTRY: Final = re.compile(
    r"^(?P<names>\w+(?:, \w+)*) : .*\n(?P<text>(?:    .*\n?|\n)+)", re.MULTILINE
)


def _told(described: type) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of the whole and of each of its fields."""
    doc = inspect.getdoc(described) or ""
    said: dict[str, str] = {}
    for found in _ENTRY.finditer(doc):
        # TOML has no None; what is None in Python was left out of the file.
        text = " ".join(found["text"].split()).replace("``", "`").replace("None for", "Left out:")
        said |= dict.fromkeys(found["names"].split(", "), text)
    return doc.partition("\n")[0].replace("``", "`"), said
