"""The JSON schema of specs: the exported file is current, and it says what the reader does."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import annqc
from annqc.errors import SpecError
from annqc.judge import load_spec, measures, schema
from annqc.judge.model import DatasetSpec, Example, Header, Rule
from annqc.judge.schema import schema_text, spec_schema
from tests.judge.schema_checker import errors

SPECS = Path(annqc.__file__).parents[1] / "specs"
PROFILES = sorted(SPECS.glob("*.annqc.toml"))
RULE = {"id": "r", "measure": "recall", "at_least": 0.5}


def spec_of(rule: dict | None = None, **header) -> dict:
    return {"annqc": {"version": 1, **header}, "rule": [RULE if rule is None else rule]}


def test_the_exported_file_is_current():
    exported = (SPECS / "annqc.schema.json").read_text(encoding="utf-8")
    assert exported == schema_text(), (
        "specs/annqc.schema.json is behind; run: annqc spec schema > specs/annqc.schema.json"
    )
    assert json.loads(exported) == spec_schema()


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_every_profile_is_valid(path):
    assert errors(tomllib.loads(path.read_text(encoding="utf-8")), spec_schema()) == []


@pytest.mark.parametrize(
    ("struct", "fields"),
    [
        (Header, schema._HEADER),
        (DatasetSpec, schema._DATASET),
        (Example, schema._EXAMPLE),
        (Rule, schema._RULE | {"measure": None}),
    ],
)
def test_every_field_is_there_with_its_description(struct, fields):
    assert set(fields) == set(struct.__struct_fields__)
    _, said = schema._told(struct)
    assert set(said) == set(struct.__struct_fields__)
    assert all(text.endswith(".") for text in said.values())


def test_every_measure_is_offered_with_its_summary():
    measure = spec_schema()["$defs"]["rule"]["properties"]["measure"]
    assert measure["enum"] == list(measures())
    assert measure["enumDescriptions"] == [one.summary for one in measures().values()]
    assert measure["x-taplo"]["docs"]["enumValues"] == measure["enumDescriptions"]


def test_descriptions_and_defaults_reach_the_editor():
    properties = spec_schema()["$defs"]["rule"]["properties"]
    assert properties["why"]["description"] == "The reason for the rule, shown where it fails."
    example = spec_schema()["properties"]["example"]["items"]["properties"]
    assert (example["images"]["default"], example["seed"]["default"]) == (60, 1)
    match = spec_schema()["properties"]["match"]["properties"]
    assert match["method"]["enum"] == ["optimal", "coco", "cvat-classic", "cvat-2026"]
    assert match["pair_iou"] == {
        "description": "Pairing threshold for offsets in (0, 1].",
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "default": 0.1,
    }
    text = schema_text()
    assert "``" not in text
    assert "None" not in text


GOOD = [
    spec_of(),
    spec_of(RULE | {"at_least": "95 %", "confidence": "99 %", "by": "annotator,category"}),
    spec_of(RULE | {"at_least": "${LIMIT:-95 %}", "where": {"size": ["small", "large"]}}),
    spec_of({"id": "r", "measure": "edge_offset", "tolerance": "max(1 px, 2 %)"}),
    spec_of({"id": "r", "at_least": 0.5, "measure": "recall"}, extends="boxes"),
    spec_of({"id": "recall", "why": "x"}, extends="boxes", without="mean-iou"),
    {"annqc": {"version": 1, "extends": "boxes"}},
    spec_of(gold="g", candidate=["a", "b"], undecided="skip", baseline="run"),
    spec_of(folders="*", gold="g", candidate="c"),
    spec_of(gold="g") | {"dataset": [{"name": "a", "candidate": "c"}]},
    spec_of() | {"match": {"method": "coco", "iou": 1}},
    spec_of() | {"example": [{"name": "e", "annotators": {"a": []}, "expect": {"r": "pass"}}]},
]


@pytest.mark.parametrize("table", GOOD)
def test_what_the_reader_takes_is_valid(table):
    load_spec(table, environ={})
    assert errors(table, spec_schema()) == []


BAD = [
    {},
    {"annqc": {"version": 1}},
    {"annqc": {"version": 1}, "rule": []},
    {"annqc": {}, "rule": [RULE]},
    spec_of() | {"rules": []},
    spec_of(verson=1),
    spec_of(undecided="maybe"),
    spec_of(without="recall"),
    spec_of(gold=3),
    spec_of(gold=""),
    spec_of() | {"match": {"iou": 0}},
    spec_of() | {"match": {"gate": 1.5}},
    spec_of() | {"match": {"method": "best"}},
    spec_of({"measure": "recall", "at_least": 0.5}),
    spec_of({"id": "r", "at_least": 0.5}),
    spec_of({"id": "r", "measure": "recal", "at_least": 0.5}),
    spec_of({"id": "r", "measure": "recall"}),
    spec_of(RULE | {"at_most": 1}),
    spec_of(RULE | {"at_least": 95}),
    spec_of(RULE | {"at_least": "lots"}),
    spec_of(RULE | {"at_least": True}),
    spec_of(RULE | {"tolerance": "2 px"}),
    spec_of(RULE | {"id": "No bias"}),
    spec_of(RULE | {"by": ["a", "a"]}),
    spec_of(RULE | {"confidence": 95}),
    spec_of(RULE | {"wher": {}}),
    spec_of(RULE | {"where": {"x": {}}}),
    spec_of({"id": "r", "measure": "edge_offset", "tolerance": 2}),
    spec_of({"id": "r", "measure": "edge_offset", "tolerance": "2"}),
    spec_of({"id": "r", "measure": "unusable_rows", "at_most": -1}),
    spec_of(folders="*", gold="g", candidate="c") | {"dataset": [{"name": "a"}]},
    spec_of(gold="g", candidate="c") | {"dataset": [{"candidate": "c"}]},
    spec_of() | {"example": [{"name": "e", "annotators": {}, "expect": {"r": "pass"}}]},
    spec_of() | {"example": [{"name": "e", "annotators": {"a": []}, "expect": {"r": "no"}}]},
    spec_of()
    | {"example": [{"name": "e", "annotators": {"a": []}, "expect": {"r": "pass"}, "images": 0}]},
]


@pytest.mark.parametrize("table", BAD)
def test_what_the_reader_refuses_is_invalid(table):
    with pytest.raises(SpecError):
        load_spec(table, environ={})
    assert errors(table, spec_schema())


@pytest.mark.parametrize("name", list(measures()))
def test_no_measure_takes_a_field_that_means_nothing_to_it(name):
    measure = measures()[name]
    values = {"tolerance": "1 px", "at_least": 0, "at_most": 0, "by": [], "kind": "x"}
    for field, value in values.items():
        if field not in measure.takes:
            found = errors(spec_of({"id": "r", "measure": name, field: value}), spec_schema())
            assert f"$.rule[0].{field}: false" in found


def test_the_validator_of_these_tests_finds_faults():
    assert errors(3, {"type": ["string", "boolean"]}) == ["$: type"]
    assert errors(True, {"type": "number"}) == ["$: type"]
    assert errors({"a": 1}, {"additionalProperties": False}) == ["$.a: false"]
    with pytest.raises(AssertionError, match="does not know oneOf"):
        errors(1, {"oneOf": []})
