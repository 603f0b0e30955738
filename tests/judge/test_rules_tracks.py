"""Rules on tracks say what `audit.tracks()` says, and why they do not apply where they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annqc.errors import SpecError
from annqc.judge import judge, load_spec
from annqc.judge.registry import find_measure
from annqc.judge.rules import tracks as rules
from annqc.judge.rules.tracks import DRIFTS, OVER_TIME, SAWTEETH, UNTOLD, WITHIN
from annqc.report.checks.record import failure_text, make_record
from annqc.run.audit import Run
from annqc.run.temporal import FLEET, MARGINS, TEMPORAL
from annqc.simulate import Habit, TrackHabit, simulate, tracks

from .staged import one_rule

VIDEOS = {"n_sequences": 6, "n_tracks": 3, "n_frames": 120}
OUTCOME = {"biased": "fail", "collective": "fail", "clean": "pass", "undecided": "undecided"}


@pytest.fixture(scope="module")
def run():
    habits = {
        "ann": [],
        "bob": TrackHabit.drift(6, edge="bottom"),
        "eve": TrackHabit.lag(2),
        "jim": TrackHabit.jitter(2),
        "lea": [TrackHabit.late_start(9), TrackHabit.early_end(8)],
    }
    made = tracks(habits, rng=3, **VIDEOS)
    return Run(made.gold, made.work)


def check(run, measure, **given):
    return judge(run, one_rule(measure, **given)).checks[0]


def failing(found):
    return {row["group"]["annotator"] for row in found.rows if row["outcome"] == "fail"}


def test_the_margins_are_those_of_the_audit():
    usual = dict(zip(TEMPORAL, MARGINS.tolist(), strict=True))
    usual["jitter"] = float(np.exp(usual["jitter"]))
    assert {name: of.usual for name, of in OVER_TIME.items()} == pytest.approx(
        {name: usual[name] for name in OVER_TIME}
    )
    assert TEMPORAL[:4] == DRIFTS
    assert TEMPORAL[9:13] == SAWTEETH
    assert {usual[one] for quantities, *_ in WITHIN.values() for one in quantities} == {1.0}
    assert rules.FLEET == FLEET


@pytest.mark.parametrize(
    ("measure", "who"),
    [("drift", "bob"), ("drift_bottom", "bob"), ("lag", "eve"), ("jitter", "jim")],
)
def test_who_was_planted_fails_alone(run, measure, who):
    assert failing(check(run, measure)) == {who}


@pytest.mark.parametrize("measure", [*WITHIN, *DRIFTS, *OVER_TIME])
def test_outcomes_are_the_verdicts_of_the_table(run, measure):
    columns = run.temporal_columns()
    wanted = WITHIN[measure][0] if measure in WITHIN else (measure,)
    told = {
        (who, quantity): OUTCOME[verdict]
        for who, quantity, verdict, status in zip(
            *(columns[name] for name in ("annotator", "quantity", "verdict", "status")), strict=True
        )
        if quantity in wanted and status not in UNTOLD
    }
    found = check(run, measure)
    rows = {(row["group"]["annotator"], row["quantity"]): row["outcome"] for row in found.rows}
    assert rows == told


def test_a_wider_limit_lets_a_lag_pass(run):
    assert check(run, "lag", at_most=0.5).outcome == "fail"
    assert check(run, "lag", at_most=3).outcome == "pass"
    assert check(run, "drift", tolerance="20 px").outcome == "pass"
    assert "asked: the lag within 0.5 frames" in check(run, "lag").sentence
    assert "asked: within max(1 px, 2 %) in 100 frames" in check(run, "drift").sentence


def test_late_and_early_ends_are_said_in_words(run):
    assert check(run, "start").sentence.startswith("lea: tracks begin 9.0 frames late (")
    assert check(run, "end").sentence.startswith("lea: tracks end 8.0 frames early (")
    assert "6 sequences" in check(run, "start").sentence


def test_the_failure_names_file_track_annotator_and_edge(run):
    source = replace(run.candidate.sources[0], path="work/video.txt")
    work = replace(run.candidate, sources=(source, *run.candidate.sources[1:]))
    found = judge(Run(run.reference, work), one_rule("drift"))
    text = " ".join(failure_text(make_record(found.checks[0], spec=found.spec)).split())
    assert "by bob, frames" in text
    assert "(video.txt, row" in text
    assert "the bottom edge drifts" in text
    worst = found.checks[0].evidence[0]
    slopes = run.track_columns()
    bottom = slopes["drift_bottom"][slopes["annotator"] == "bob"]
    assert worst["edge"] == "bottom"
    assert worst["annotator"] == "bob"
    assert worst["sequence"].startswith("video-")
    assert worst["size"] in bottom.tolist()
    assert worst["last_frame"] > worst["first_frame"]


def test_strata_are_tested_on_drift_alone(run):
    found = check(run, "drift", by=["annotator", "category"])
    assert failing(found) == {"bob"}
    with pytest.raises(SpecError, match="lag is tested by annotator, or by other columns"):
        one_rule("lag", by=["annotator", "category"])


def test_what_everybody_does_is_said_once():
    habits = {f"w{k}": TrackHabit.lag(2) for k in range(6)}
    made = tracks(habits, rng=2, **VIDEOS)
    found = check(Run(made.gold, made.work), "lag")
    assert found.outcome == "fail"
    assert found.sentence.startswith("everybody: boxes trail the object by 2.0 frames (6 annot")
    assert "the annotators, the gold or the guideline may be off" in found.sentence


def test_few_tracks_settle_nothing():
    made = tracks({"bob": TrackHabit.drift(9, edge="top")}, n_sequences=1, n_tracks=3, rng=1)
    found = check(Run(made.gold, made.work), "drift")
    assert found.outcome == "undecided"
    assert "3 tracks are too few to judge; 5 are needed" in found.sentence


def test_without_tracks_it_does_not_apply_and_says_what_to_do():
    made = simulate({"ann": [], "bob": Habit.loose("right", px=4)}, n_images=20, rng=1)
    run = Run(made.gold, made.work)
    for measure in ("drift", "lag", "sag"):
        found = check(run, measure)
        assert found.outcome == "not_applicable"
        assert found.sentence.startswith("there are no tracks in the gold: every box needs the id")


def test_reasons_for_saying_nothing():
    made = tracks(["ann", "bob"], rng=1, **VIDEOS)
    run = Run(made.gold, made.work)
    assert check(run, "jitter").outcome == "not_applicable"
    assert "takes three of them" in check(run, "jitter").sentence
    assert check(run, "sag").sentence.startswith("nobody leaves frames to interpolation")
    still = tracks(["ann"], rng=1, speed=0.05, **VIDEOS)
    found = check(Run(still.gold, still.work), "lag")
    assert found.outcome == "not_applicable"
    assert found.sentence == "no object varies its speed enough to tell a lag"


def test_who_draws_every_frame_is_left_out_of_sag_by_name():
    habits = {"ann": [], "key": TrackHabit.interpolated(25)}
    made = tracks(habits, rng=1, speed=6, **VIDEOS)
    found = check(Run(made.gold, made.work), "sag")
    assert failing(found) == {"key"}
    assert found.sentence.endswith("no sag can be told of ann")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"measure": "lag", "at_most": 0}, "at_most of lag must be above 0; found 0"),
        ({"measure": "jitter", "at_most": 1}, "at_most of jitter must be above 1; found 1"),
        ({"measure": "sag", "at_most": 2}, "sag has no at_most"),
        ({"measure": "lag", "at_least": 1}, "lag has no at_least"),
        ({"measure": "drift", "at_most": 1}, "drift has no at_most"),
        ({"measure": "lag", "tolerance": "1 px"}, "lag has no tolerance"),
    ],
)
def test_what_a_rule_may_not_say(given, said):
    with pytest.raises(SpecError, match=said):
        load_spec({"annqc": {"version": 1}, "rule": [{"id": "x", **given}]})


def test_a_limit_may_be_left_out():
    assert find_measure("lag").usual == 0.5
    assert one_rule("lag").rules[0].at_most is None
