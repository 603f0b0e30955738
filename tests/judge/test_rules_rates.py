"""Rules on rates: limits, many groups at once, and what is said."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from annqc.errors import SpecError
from annqc.judge import judge, load_spec, measures
from annqc.run.audit import Run
from annqc.simulate import Habit, simulate
from annqc.tables import Problem
from tests.judge.staged import Staged, one_rule, rate


def check(measured, measure, **given):
    return judge(measured, one_rule(measure, **given)).checks[0]


def bad(who, p):
    return rate(who, 0.85, 0.78, 0.91) | {"recall_p": p}


def test_one_group_beyond_its_limit_fails_whatever_its_p_value_is_near():
    found = check(Staged(scores=[bad("bob", 0.0249)]), "recall", at_least=0.95)
    assert found.outcome == "fail"
    assert found.rows[0]["p_value"] == pytest.approx(0.0249)
    assert found.rows[0]["p_adjusted"] == pytest.approx(0.0249)


def test_among_many_groups_a_little_beyond_is_undecided_and_says_why():
    clean = [rate(f"w{k}", 0.97, 0.955, 0.98) for k in range(9)]
    found = check(Staged(scores=[bad("bob", 0.02), *clean]), "recall", at_least=0.95)
    assert found.outcome == "undecided"
    assert found.counts == {"pass": 9, "fail": 0, "undecided": 1}
    assert found.sentence == (
        "1 of 10 undecided: bob: recall 0.850 (0.780 to 0.910, 40 images): among 10 groups this "
        "can be chance; asked: recall at least 0.95"
    )
    assert found.rows[0]["p_adjusted"] == pytest.approx(0.2)
    found = check(Staged(scores=[bad("bob", 0.002), *clean]), "recall", at_least=0.95)
    assert found.outcome == "fail"
    assert "chance" not in found.sentence


def test_only_the_groups_that_a_rule_asks_about_count():
    clean = [rate(f"w{k}", 0.97, 0.955, 0.98) for k in range(9)]
    measured = Staged(scores=[bad("bob", 0.02), *clean])
    found = check(measured, "recall", at_least=0.95, where={"annotator": "bob"})
    assert found.outcome == "fail"


def test_many_who_are_beyond_together_fail_together():
    found = check(Staged(scores=[bad(f"w{k}", 0.02) for k in range(10)]), "recall", at_least=0.95)
    assert found.counts == {"pass": 0, "fail": 10, "undecided": 0}


def test_fewer_than_five_images_neither_pass_nor_fail():
    """One image with an object missed is no proof, and neither is one with sixty drawn."""
    scores = [
        bad("bob", 1e-9) | {"recall_n_clusters": 4},
        rate("ann", 1.0, 0.96, 1.0) | {"recall_n_clusters": 1},
        bad("cid", 0.02),
    ]
    found = check(Staged(scores=scores), "recall", at_least=0.95)
    assert found.counts == {"pass": 0, "fail": 1, "undecided": 2}
    assert found.sentence.startswith("cid: recall 0.850")
    texts = {row["group"]["annotator"]: row["text"] for row in found.rows}
    assert texts["bob"].endswith("4 images): 4 images are too few; 5 are needed")
    assert texts["ann"].endswith("1 image): 1 image is too few; 5 are needed")
    assert [row["p_adjusted"] for row in found.rows].count(None) == 2


def test_the_level_of_the_rule_is_that_of_its_correction():
    scores = [bad("bob", 0.04), rate("ann", 0.97, 0.96, 0.98)]
    assert check(Staged(scores=scores), "recall", at_least=0.95).outcome == "undecided"
    assert check(Staged(scores=scores), "recall", at_least=0.95, confidence=0.8).outcome == "fail"


def test_evidence_is_looked_up_for_the_first_groups_that_fail():
    scores = [bad(f"w{k}", 1e-9) for k in range(5)]
    measured = Staged(
        scores=scores, evidence={f"w{k}": [f"box {k}", "shared box"] for k in range(5)}
    )
    found = check(measured, "recall", at_least=0.95)
    assert [one["text"] for one in found.evidence] == ["box 0", "shared box", "box 1", "box 2"]
    assert [one["group"] for one in measured.looked] == [
        {"annotator": "w0"},
        {"annotator": "w1"},
        {"annotator": "w2"},
    ]
    assert measured.looked[0]["kinds"] == ("missed", "near_miss", "merged", "split", "far")
    assert found.explain().endswith(
        "  worst annotations:\n    box 0\n    shared box\n    box 1\n    box 2"
    )


@pytest.fixture(scope="module")
def run():
    habits = {"ann": [], "bob": [Habit.misses(0.15), Habit.wrong_labels(0.1)]}
    made = simulate(habits, n_images=80, rng=4)
    return Run(made.gold, made.work, engine="numpy")


def test_an_error_rate_names_its_kinds(run):
    found = check(run, "error_rate", kind=["missed", "mislabelled"], at_most=0.05)
    assert found.outcome == "fail"
    assert [row["outcome"] for row in found.rows] == ["fail", "pass"]
    assert found.sentence.startswith("bob: error rate 0.2")
    assert found.sentence.endswith("; asked: error rate (missed, mislabelled) at most 0.05")
    kinds = {one["kind"] for one in found.evidence}
    assert kinds <= {"missed", "mislabelled"}
    assert check(run, "error_rate", kind="spurious", at_most=0.05).outcome == "pass"


@pytest.mark.parametrize("measure", ["error_rate", "error_count"])
def test_an_unknown_kind_is_a_fault_of_the_spec(measure):
    with pytest.raises(SpecError, match="did you mean 'spurious'"):
        one_rule(measure, kind="spurius", at_most=0)


@pytest.mark.parametrize("name", ["recall", "precision", "label_accuracy", "mean_iou"])
def test_intervals_and_p_values_agree(run, name):
    for limit in (0.5, 0.8, 0.9, 0.95, 0.99):
        columns = run.rate_columns(name, limit=limit, at_least=True)
        scores = run.score_columns()
        np.testing.assert_allclose(columns["ci_high"], scores[f"{name}_high"])
        np.testing.assert_allclose(columns["estimate"], scores[name])
        below = columns["ci_high"] < limit
        assert ((columns["p_value"] < 0.025) == below).all()


def test_every_check_can_be_sent_to_another_process(run):
    rules = []
    for name, measure in measures().items():
        limits = {measure.limits[0]: measure.usual or 0.9} if measure.limits else {}
        rules.append({"id": name, "measure": name, **limits})
    found = judge(run, load_spec({"annqc": {"version": 1}, "rule": rules}))
    again = pickle.loads(pickle.dumps(found))
    assert again.to_dict() == found.to_dict()
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
    assert {"pass", "fail"} <= {check.outcome for check in again.checks}


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("recall", "3 rows of the work cannot be used and count as not drawn"),
        ("precision", "3 rows of the work cannot be used and are left out of this"),
        ("mean_iou", None),
    ],
)
def test_rows_that_cannot_be_used_are_told_beside_the_rate_that_they_weigh_on(measure, said):
    made = simulate(["ann", "bob"], n_images=20, rng=1)
    issue = Problem(kind="malformed", severity="dropped", source="w", where="row 1", message="x")
    work = replace(made.work, issues=(issue,) * 3)
    found = check(Run(made.gold, work, engine="numpy"), measure, at_least=0.5)
    assert ("cannot be used" in found.sentence) is (said is not None)
    assert found.sentence.endswith("" if said is None else f"; {said}")
