"""Rules with ``sequential = true``: the outcome, and the words for it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import annqc
from annqc.run.audit import Run
from annqc.simulate import Habit, simulate
from tests.deliveries import on_images


def check(audit, measure="edge_offset", **given):
    rule = {"id": "x", "measure": measure, "sequential": True, **given}
    return audit.judge({"annqc": {"version": 1}, "rule": [rule]}).checks[0]


@pytest.fixture(scope="module")
def made():
    return simulate({"ann": [], "bob": Habit.loose("right", px=5)}, n_images=60, rng=3)


def test_a_bias_fails_and_says_that_it_holds_at_every_look(made):
    found = check(annqc.audit(made.work, made.gold))
    assert found.outcome == "fail"
    assert found.sentence.startswith("bob draws the right edge ")
    assert "60 images, held at every look so far)" in found.sentence
    assert found.sentence.endswith(
        "asked: within max(1 px, 2 %), judged so that it holds at every look"
    )
    row = found.rows[0]
    assert row["e_value"] > 20 * 8
    assert row["p_value"] is None
    assert {one["edge"] for one in found.evidence} == {"out_right"}
    pickle.dumps(found)


def test_clean_work_passes_and_little_of_it_is_undecided(made):
    audit = annqc.audit(made.work, made.gold)
    clean = check(audit, where={"annotator": "ann"})
    assert clean.outcome == "pass"
    assert "held at every look so far" in clean.sentence
    few = check(annqc.audit(on_images(made.work, 6), made.gold), where={"annotator": "ann"})
    assert few.outcome == "undecided"
    assert "more images would settle it" in few.sentence
    assert "held at every look" not in few.explain().replace(few.sentence, "")


@pytest.mark.parametrize("measure", ["edge_offset", "out_right", "shift", "growth"])
def test_the_sequential_rule_asks_for_more_than_the_plain_one(made, measure):
    """Whatever it accuses or clears, the rule for one look does too."""
    for images in (10, 14, 20, 40):
        audit = annqc.audit(on_images(made.work, images), made.gold)
        rules = [
            {"id": "once", "measure": measure},
            {"id": "always", "measure": measure, "sequential": True},
        ]
        once, always = audit.judge({"annqc": {"version": 1}, "rule": rules}).checks
        settled = always.assessment.outcome != "undecided"
        assert (once.assessment.outcome[settled] == always.assessment.outcome[settled]).all()
        assert len(once.assessment) == len(always.assessment)


def test_cells_are_those_of_the_rule(made):
    """Where one edge of one annotator is asked for, nothing is corrected for."""
    audit = annqc.audit(on_images(made.work, 14), made.gold)
    alone = check(audit, "out_right", where={"annotator": "bob"})
    (row,) = alone.rows
    beyond = row["ci_low"] > 1
    assert (alone.outcome == "fail") == beyond
    assert (row["e_value"] > 20) == beyond


def test_what_everybody_does_is_told_once():
    made = simulate({name: Habit.loose("right", px=4) for name in "abcdef"}, n_images=40, rng=2)
    found = check(annqc.audit(made.work, made.gold))
    assert found.outcome == "fail"
    assert found.sentence.startswith("everybody draws the right edge too far out")
    assert found.sentence.count("everybody") == 1


def test_strata(made):
    found = check(annqc.audit(made.work, made.gold), by=["annotator", "size"])
    assert found.outcome == "fail"
    failed = {row["group"]["annotator"] for row in found.rows if row["outcome"] == "fail"}
    assert failed == {"bob"}


def test_looking_again_at_the_same_data_changes_nothing(made):
    one, other = (Run(made.gold, made.work).sequential_columns() for _ in range(2))
    np.testing.assert_array_equal(one["e_value"], other["e_value"])
