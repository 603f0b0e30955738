"""The JSON: it is what its schema says, nothing is lost, and undefined is null."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

import annqc
from annqc.ids import ids_array
from annqc.report.json import audit_document, encode, lint_document, rows_of
from annqc.report.schema import AuditDocument, Finding, LintDocument, Score, schema_text
from annqc.tables import QUANTITIES
from annqc.write import write_coco

SCHEMA = Path(__file__).parents[2] / "docs" / "audit.schema.json"


def strictly(document, kind=AuditDocument):
    return msgspec.json.decode(encode(document), type=kind, strict=True)


def test_the_published_schema_is_current():
    hint = "write annqc.report.schema.schema_text() to docs/audit.schema.json"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), hint


def test_real_output_validates(mixed, few):
    for audit in (mixed, few):
        for by in (("annotator",), ("annotator", "category"), ("category",), ("image_id",)):
            strictly(audit_document(audit, by=by))


def test_a_wrong_document_does_not_validate(mixed):
    document = audit_document(mixed)
    document["findings"][3]["n"] = "many"
    with pytest.raises(msgspec.ValidationError, match=r"findings\[3\].n"):
        strictly(document)


def test_the_schema_names_every_column_of_the_tables(mixed):
    assert set(Finding.__struct_fields__) == set(mixed.bias_columns())
    assert set(Score.__struct_fields__) == set(mixed.score_columns())


def test_every_annotator_and_quantity_is_there(mixed):
    document = json.loads(mixed.to_json())
    found = {(one["annotator"], one["quantity"]) for one in document["findings"]}
    assert found == {(who, name) for who in mixed.work.annotator_ids for name in QUANTITIES}
    needed = {
        "estimate",
        "ci_low",
        "ci_high",
        "n",
        "n_clusters",
        "p_value",
        "p_adjusted",
        "verdict",
    }
    assert all(needed <= set(one) for one in document["findings"])


def test_numbers_are_those_of_the_tables(mixed):
    document = json.loads(mixed.to_json())
    bias = mixed.bias()
    for name in ("estimate", "ci_low_px", "p_adjusted", "n_clusters", "verdict"):
        column = [np.nan if one[name] is None else one[name] for one in document["findings"]]
        assert [str(one) for one in column] == [str(one) for one in bias[name].tolist()]


def test_undefined_is_null(few):
    text = few.to_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    findings = json.loads(text)["findings"]
    n_more = few.bias_columns()["n_more"]
    assert [one["n_more"] is None for one in findings] == np.isnan(n_more).tolist()
    assert rows_of({"x": np.array([np.inf, 1.0])}) == [{"x": None}, {"x": 1.0}]


def test_grouping_columns_stand_beside_the_others(mixed):
    findings = audit_document(mixed, by=("annotator", "category"))["findings"]
    assert {one["category"] for one in findings} == set(mixed.gold.category_names)
    assert list(findings[0])[:3] == ["annotator", "category", "quantity"]


def test_parameters_and_counts_are_told(mixed):
    document = strictly(audit_document(mixed, by=("annotator", "size")))
    assert document.parameters.tolerance == "max(1 px, 2 %)"
    assert (document.parameters.tolerance_px, document.parameters.tolerance_rel) == (1.0, 0.02)
    assert document.parameters.match.iou == 0.5
    assert document.parameters.by == ["annotator", "size"]
    assert document.annqc_version == annqc.__version__
    assert document.compared.n_images == 60
    assert document.compared.n_candidate == len(mixed.work)
    kinds = mixed.errors()["kind"].value_counts()
    assert document.errors.counts == kinds.to_dict()
    assert len(document.errors.first) == min(100, len(mixed.errors()))


def test_standings_are_in_words(mixed):
    document = strictly(audit_document(mixed))
    told = {one.annotator: one for one in document.annotators}
    assert told["ben"].standing == "biased"
    assert told["ben"].text[0].startswith("ben draws the right edge ")
    assert told["ann"].standing == "clean"
    assert told["ann"].text == []


def test_the_collective_test_is_told():
    habits = {name: annqc.Habit.loose("right", px=6) for name in "abcd"}
    made = annqc.simulate(habits, n_images=40, rng=1)
    document = strictly(audit_document(annqc.audit(made.work, made.gold)))
    assert [one.quantity for one in document.collective] == list(QUANTITIES)
    assert {"out_right", "dw"} <= {one.quantity for one in document.collective if one.biased}
    assert document.collective[0].method == "objects"


def test_inputs_have_their_digests(tmp_path):
    made = annqc.simulate(["ann"], n_images=5, rng=1)
    gold = write_coco(made.gold, tmp_path / "gold.json")
    work = write_coco(made.work, tmp_path / "work.json")
    document = strictly(audit_document(annqc.audit(work, gold)))
    assert [(one.role, one.path, one.format) for one in document.inputs] == [
        ("reference", str(gold), "coco"),
        ("candidate", str(work), "coco"),
    ]
    assert document.inputs[1].sha256 == hashlib.sha256(work.read_bytes()).hexdigest()
    assert document.inputs[1].rows == len(made.work)


def test_ids_come_back_as_they_went_in():
    made = annqc.simulate(["a", "b"], n_images=8, rng=1)
    big = 2**62 + 1
    work = replace(made.work, annotator_ids=ids_array([big, "7"]))
    document = json.loads(annqc.audit(work, made.gold).to_json())
    assert [one["annotator"] for one in document["scores"]] == [big, "7"]


def test_checks_of_a_spec_are_in_it(mixed, tmp_path):
    judgement = mixed.judge(
        {"annqc": {"version": 1}, "rule": [{"id": "edges", "measure": "edge_offset"}]}
    )
    mixed.to_json(tmp_path / "out.json", judgement=judgement)
    document = msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=AuditDocument)
    assert document.judgement.outcome == "fail"
    (check,) = document.judgement.checks
    assert (check.id, check.outcome) == ("edges", "fail")
    assert check.rows
    assert audit_document(mixed)["judgement"] is None


def test_lint_has_its_own_document(mixed):
    found = strictly(lint_document(mixed.work), LintDocument)
    assert found.n_annotations == len(mixed.work)
    assert found.problems.rows == []
