"""Rules on counts: they pass or they fail, and say what and where."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

import annqc
from annqc.errors import SpecError
from annqc.judge import judge, measures
from annqc.judge.rules.counts import OUTSIDE, UNUSABLE
from annqc.read import KINDS
from annqc.run.audit import Run
from annqc.simulate import Habit, simulate
from annqc.tables import ERROR_KINDS
from tests.judge.staged import Staged, one_rule


def check(measured, measure, **given):
    return judge(measured, one_rule(measure, **given)).checks[0]


def issue(kind="zero_size", severity="dropped", source="a.json", where="annotations[3]"):
    return SimpleNamespace(kind=kind, severity=severity, source=source, where=where)


ISSUES = (
    issue(),
    issue(where="annotations[9]"),
    issue("non_finite"),
    issue("duplicate_box", "kept", where="annotations[4]"),
)


def test_problems_are_counted_usable_or_not():
    found = check(Staged(issues=ISSUES), "problems", at_most=3)
    assert found.sentence == (
        "4 problems: 2 zero_size in a.json (first: annotations[3]); 1 non_finite in a.json (first: "
        "annotations[3]); 1 duplicate_box in a.json (first: annotations[4]); asked: at most 3 "
        "problems"
    )
    assert check(Staged(issues=ISSUES), "problems", at_most=4).sentence == "4 problems"
    assert check(Staged(), "problems", at_most=0).sentence == "no problem"


def test_kinds_narrow_what_is_counted():
    measured = Staged(issues=ISSUES)
    found = check(measured, "problems", kind="duplicate_box", at_most=0)
    assert found.sentence.startswith("1 problem: 1 duplicate_box in a.json")
    assert check(measured, "problems", kind="malformed", at_most=0).outcome == "pass"
    found = check(measured, "unusable_rows", kind=["zero_size", "malformed"], at_most=1)
    assert found.sentence.startswith("2 unusable rows: 2 zero_size")
    assert found.rule.by == ()


@pytest.mark.parametrize(
    ("measure", "kinds"),
    [
        ("problems", tuple(KINDS)),
        ("error_count", ERROR_KINDS),
        ("error_rate", ERROR_KINDS),
        ("unusable_rows", UNUSABLE),
    ],
)
def test_the_kinds_that_can_be_named_are_those_there_are(measure, kinds):
    assert measures()[measure].kinds == kinds
    with pytest.raises(SpecError, match=kinds[0]):
        one_rule(measure, kind=kinds[0] + "x", at_most=0)
    assert {"zero_size", "malformed"} < set(UNUSABLE)
    assert "duplicate_box" not in UNUSABLE
    assert set(OUTSIDE) < set(KINDS)


def boxes(rows, who="ann"):
    return pd.DataFrame(
        [
            {"image_id": 1, "annotator": who, "category": "car", "width": 100, "height": 100}
            | dict(zip(("x1", "y1", "x2", "y2"), row, strict=True))
            for row in rows
        ]
    )


def test_boxes_off_their_image_are_counted_in_the_work_alone():
    inside, out, over = (10, 10, 20, 20), (150, 10, 160, 20), (80, 10, 110, 20)
    gold, work = boxes([inside, over], "gold"), boxes([inside, out, over])
    audit = annqc.audit(work, gold)
    found = check(audit, "outside_image", at_most=1)
    assert found.outcome == "fail"
    assert found.sentence.startswith("2 boxes outside their images: 1 outside_image in <table> ")
    assert check(audit, "outside_image", at_most=2).outcome == "pass"
    assert check(annqc.audit(boxes([inside]), gold), "outside_image", at_most=0).sentence == (
        "no box outside its image"
    )


@pytest.fixture(scope="module")
def run():
    made = simulate({"ann": [], "bob": Habit.duplicates(0.1)}, n_images=60, rng=2)
    return Run(made.gold, made.work, engine="numpy")


def test_boxes_drawn_again_are_counted_by_annotator(run):
    n = int((run.errors(annotator="bob").kind == "duplicate").sum())
    found = check(run, "duplicates", at_most=0)
    assert n > 5
    assert found.sentence == f"bob: {n} boxes drawn again; asked: at most 0 boxes drawn again"
    assert found.counts == {"pass": 1, "fail": 1, "undecided": 0}
    assert {one["kind"] for one in found.evidence} == {"duplicate"}
    assert check(run, "duplicates", at_most=n).outcome == "pass"
    assert check(run, "duplicates", by=[], at_most=n).sentence.startswith("everything together")


def test_errors_are_counted_by_kind_and_group(run):
    found = check(run, "error_count", kind="missed", at_most=0)
    assert found.outcome == "pass"
    assert "0 missed errors" in found.sentence
    found = check(run, "error_count", kind=["duplicate", "missed"], at_most=1)
    assert found.sentence.endswith("; asked: at most 1 error (duplicate, missed)")
    where = check(run, "error_count", at_most=0, where={"annotator": "ann"})
    assert {row["group"]["annotator"] for row in where.rows} == {"ann"}
