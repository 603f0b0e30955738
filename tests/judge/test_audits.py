"""The judge over real audits of made-up work: what was planted is what fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.ids import ids_array
from annqc.judge import judge, load_spec, measures, register_measure
from annqc.judge.registry import find_measure
from annqc.match import MatchPolicy
from annqc.run.audit import Parameters, Run
from annqc.simulate import Habit, OutlineHabit, TrackHabit, outlines, simulate, tracks
from tests.judge.staged import one_rule
from tests.judge.test_spec import PROFILE


@pytest.fixture(scope="module")
def made():
    habits = {
        "ann": [],
        "bob": Habit.loose("right", px=4),
        "cy": Habit.misses(0.3),
        "dora": [],
    }
    return simulate(habits, n_images=60, rng=1)


@pytest.fixture(scope="module")
def run(made):
    return Run(made.gold, made.work, engine="numpy")


@pytest.fixture(scope="module")
def outlined():
    habits = {"ann": [], "bob": OutlineHabit.dilated(4)}
    made = outlines(habits, n_images=20, categories=["person", "car"], rng=1)
    return Run(made.gold, made.work, engine="numpy")


def test_the_profile_finds_what_was_planted_and_nothing_else(run):
    found = {check.id: check for check in judge(run, load_spec(PROFILE)).checks}
    assert found["no-edge-bias"].outcome == "fail"
    assert found["no-edge-bias"].sentence.startswith("bob draws the right edge 3.9 px too far out")
    assert found["no-edge-bias"].counts == {"pass": 15, "fail": 1, "undecided": 0}
    assert found["recall"].outcome == "fail"
    assert found["recall"].sentence.startswith("cy: recall 0.7")
    assert found["recall"].counts["fail"] == 1
    others = {id: one.outcome for id, one in found.items() if id not in {"no-edge-bias", "recall"}}
    assert set(others.values()) == {"pass"}


def test_gold_against_itself_passes_everything(made):
    itself = Run(made.gold, made.gold, engine="numpy")
    assert judge(itself, load_spec(PROFILE)).outcome == "pass"


def test_a_few_images_settle_nothing():
    made = simulate(["ann"], n_images=4, rng=3)
    found = judge(Run(made.gold, made.work, engine="numpy"), load_spec(PROFILE))
    assert found.outcome == "undecided"
    assert "4 images are too few" in found.checks[0].sentence


def test_an_offset_that_everybody_has_is_said_once():
    loose = {f"w{k}": Habit.loose("right", px=5) for k in range(6)}
    made = simulate(loose, n_images=40, rng=2)
    found = judge(Run(made.gold, made.work, engine="numpy"), one_rule("out_right")).checks[0]
    assert found.outcome == "fail"
    assert found.sentence.startswith("everybody draws the right edge too far out, by ")
    assert "(6 annotators; the annotators, the gold or the guideline may be off)" in found.sentence


@pytest.fixture(scope="module")
def filmed():
    habits = {"ann": [], "bob": TrackHabit.drift(6, edge="top"), "key": TrackHabit.interpolated(20)}
    made = tracks(habits, n_sequences=5, n_tracks=3, n_frames=120, speed=5, rng=1)
    return Run(made.gold, made.work, engine="numpy")


BY_ANNOTATOR = ("hota", "mota", "idf1", "deta", "assa", "loca")
"""Scores, which have no other groups."""
OF_IMAGES = ("agreement", "missing_images", "category_coverage")
"""Measures that know annotators and images, and no columns of objects."""


@pytest.mark.parametrize(
    "columns",
    [{"by": ["category"]}, {"by": []}, {"where": {"category": ["person", "car"]}}, {"by": "size"}],
)
@pytest.mark.parametrize("name", sorted(measures()))
def test_every_measure_takes_any_grouping(run, outlined, filmed, name, columns):
    measure = find_measure(name)
    if name in BY_ANNOTATOR or (name in OF_IMAGES and columns != {"by": []}):
        with pytest.raises(SpecError, match=f"{name} (is|cannot be) told by|has no where"):
            one_rule(name, **columns, **{measure.limits[-1]: 1})
        return
    given = columns if "by" in measure.takes else {}
    if measure.check is not None and "where" in given:
        given = given | {"by": []}
    limit = {} if not measure.limits else {measure.limits[-1]: measure.usual or 1}
    work = outlined if measure.outlines else filmed if measure.tracks else run
    found = judge(work, one_rule(name, **given, **limit)).checks[0]
    if name == "jitter":
        assert found.outcome == "not_applicable"
        assert "which takes three of them" in found.sentence
        return
    assert found.outcome in {"pass", "fail", "undecided"}
    assert [set(row["group"]) for row in found.rows] == [
        set(found.assessment.keys) for _ in found.rows
    ]


def test_strata_name_the_kind_of_object(run):
    rule = one_rule("out_right", by=["annotator", "category"], where={"category": "person"})
    found = judge(run, rule).checks[0]
    assert found.sentence.startswith("bob (category person) draws the right edge")
    assert {row["group"]["category"] for row in found.rows} == {"person"}
    plain = judge(run, one_rule("out_right", by=["category"], tolerance="0.2 px")).checks[0]
    assert "the right edge is drawn" in plain.sentence
    moved = judge(run, one_rule("shift", by=["category"], tolerance="0.1 px")).checks[0]
    assert "boxes are drawn" in moved.sentence


def test_an_unknown_column_is_an_error_with_a_suggestion(run):
    found = judge(run, one_rule("recall", by="categry", at_least=0.5)).checks[0]
    assert found.outcome == "error"
    assert "did you mean 'category'?" in found.sentence


def test_other_parameters_are_worked_out_once_and_share_what_they_can(made):
    run = Run(made.gold, made.work, engine="numpy")
    assert run.with_parameters() is run
    assert run.with_parameters(tolerance="max(1 px, 2 %)", confidence=0.95) is run
    wider = run.with_parameters(tolerance="3 px")
    assert run.with_parameters(tolerance="3 px") is wider
    assert wider.matches is run.matches
    assert wider.detected is run.detected
    assert wider.measurements is not run.measurements
    surer = run.with_parameters(confidence=0.99)
    assert surer.measurements is run.measurements
    other = run.with_parameters(policy=MatchPolicy(iou=0.7))
    assert other.matches is not run.matches


def test_other_parameters_give_what_a_new_audit_gives(made, run):
    changes = {"tolerance": "3 px", "confidence": 0.9, "policy": MatchPolicy(iou=0.7)}
    again = run.with_parameters(**changes)
    fresh = Run(made.gold, made.work, parameters=again.parameters, engine="numpy")
    assert again.parameters == Parameters(
        policy=MatchPolicy(iou=0.7), tolerance=again.parameters.tolerance, confidence=0.9
    )
    assert str(again.parameters.tolerance) == "3 px"
    assert again.bias().equals(fresh.bias())
    assert again.scores().equals(fresh.scores())


def test_a_measure_is_registered_once():
    with pytest.raises(ValueError, match="registered already"):
        register_measure("recall", "again", takes=())


def test_a_category_without_objects_does_not_apply_and_an_unknown_one_is_an_error(made):
    gold = replace(
        made.gold,
        category_ids=ids_array([*made.gold.category_ids.tolist(), 99]),
        category_names=np.array([*made.gold.category_names.tolist(), "bus"], dtype=object),
    )
    run = Run(gold, made.work, engine="numpy")
    for measure, limit in (("recall", {"at_least": 0.5}), ("edge_offset", {})):
        found = judge(run, one_rule(measure, where={"category": "bus"}, **limit))
        assert found.outcome == "not_applicable"
        assert found.checks[0].sentence == "there is nothing to judge of category 'bus'"
        assert found.exit_code() == 3
        slip = judge(run, one_rule(measure, where={"category": "buss"}, **limit))
        assert (slip.outcome, slip.exit_code()) == ("error", 2)
        assert "did you mean 'bus'?" in slip.checks[0].sentence


@pytest.mark.parametrize(("name", "value"), [("image_id", "zzz"), ("size", "smal")])
def test_values_of_any_column_are_checked(run, name, value):
    found = judge(run, one_rule("recall", at_least=0.5, where={name: value}))
    assert found.outcome == "error"
    assert f"there is no {name} {value!r} in the data" in found.checks[0].sentence


def test_every_value_of_a_column_is_known(run):
    assert run.known_values("size") == {"small", "medium", "large"}
    assert run.known_values("annotator") == {"ann", "bob", "cy", "dora"}
    assert "60" in run.known_values("image_id")
    with pytest.raises(UnknownNameError, match="did you mean 'category'"):
        run.known_values("categry")
