"""Rules on tracking scores, switches of identity and events, beside the tables they come from."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from annqc.errors import SpecError
from annqc.infer.temporal.ends import switch_rate
from annqc.judge import judge
from annqc.judge.rules.tracking import SCORES, TRACK_EVENTS
from annqc.measure.track_events import STRUCTURAL
from annqc.run.audit import Run
from annqc.run.tracklists import EVENTS
from annqc.simulate import Habit, TrackHabit, simulate, tracks

from .staged import one_rule

VIDEOS = {"n_sequences": 6, "n_tracks": 4, "n_frames": 120}


@pytest.fixture(scope="module")
def run():
    habits = {"ann": [], "eve": TrackHabit.lag(3), "sid": TrackHabit.switch(0.6)}
    made = tracks(habits, rng=5, **VIDEOS)
    return Run(made.gold, made.work)


def check(run, measure, **given):
    return judge(run, one_rule(measure, **given)).checks[0]


def test_events_are_those_of_the_table():
    assert TRACK_EVENTS == EVENTS


@pytest.mark.parametrize("measure", SCORES)
def test_numbers_are_those_of_the_table(run, measure):
    table, name = run.tracking_columns(), SCORES[measure][0]
    found = check(run, measure, at_least=0.9)
    rows = {row["group"]["annotator"]: row for row in found.rows}
    for k, who in enumerate(table["annotator"].tolist()):
        row = rows[who]
        assert row["estimate"] == table[name][k]
        ends = (table[f"{name}_low"][k], table[f"{name}_high"][k])
        assert (row["ci_low"], row["ci_high"]) == ends
        if row["outcome"] == "pass":
            assert row["ci_low"] >= 0.9
        if row["outcome"] == "fail":
            assert row["ci_high"] < 0.9


def test_the_score_that_is_off_fails_and_shows_why(run):
    found = check(run, "assa", at_least=0.9)
    assert found.outcome == "fail"
    failing = [row["group"]["annotator"] for row in found.rows if row["outcome"] == "fail"]
    assert failing == ["sid"]
    kinds = {one["kind"] for one in found.evidence if one["annotator"] == "sid"}
    assert "id_switch" in kinds
    spans = [(one["first_frame"], one["last_frame"]) for one in found.evidence]
    assert all(0 <= first <= last < 120 for first, last in spans)


def test_with_four_sequences_intervals_rest_on_tracks_and_say_so():
    made = tracks(["ann"], n_sequences=4, n_tracks=3, n_frames=80, rng=1)
    found = check(Run(made.gold, made.work), "hota", at_least=0.5)
    assert found.outcome == "pass"
    assert "12 tracks" in found.sentence
    assert "speak of these sequences alone" in found.sentence


def test_four_tracks_are_too_few_for_a_score():
    made = tracks(["ann"], n_sequences=1, n_tracks=4, n_frames=80, rng=1)
    found = check(Run(made.gold, made.work), "hota", at_least=0.5)
    assert found.outcome == "undecided"
    assert "4 tracks are too few; 5 are needed" in found.sentence


def test_switches_are_those_that_were_planted(run):
    found = check(run, "id_switches", at_most=1)
    rows = {row["group"]["annotator"]: row for row in found.rows}
    assert {who: row["outcome"] for who, row in rows.items()}["sid"] == "fail"
    s, events = run.track_series, run.track_event_columns()
    n_switches = int(
        (np.isin(events["kind"], ["id_switch", "id_swap"]) & (events["annotator"] == "sid")).sum()
    )
    drawn = int(((s.candidate >= 0) & (s.annotator[s.series] == 2)).sum())
    assert n_switches > 0
    assert rows["sid"]["estimate"] == pytest.approx(1000 * n_switches / drawn)


def test_switches_have_the_interval_of_switch_rate(run):
    """The same sums by another way: one row a track, counted in plain Python."""
    s, e = run.track_series, run.structural_events
    assert (STRUCTURAL[6], STRUCTURAL[7]) == ("id_switch", "id_swap")
    columns = run.track_rate_columns("id_switches", limit=1, at_least=False)
    switches = [
        sum(
            e.kind[k] in (6, 7) and e.annotator[k] == s.annotator[j] and e.track[k] == s.track[j]
            for k in range(len(e))
        )
        for j in range(len(s))
    ]
    bounds = s.starts.tolist()
    frames = [int((s.candidate[a:b] >= 0).sum()) for a, b in pairwise(bounds)]
    rate = switch_rate(switches, frames, s.annotator, s.track, 3)
    np.testing.assert_allclose(columns["estimate"], rate.rate)
    np.testing.assert_allclose(columns["ci_low"], rate.low)
    np.testing.assert_allclose(columns["ci_high"], rate.high)


@pytest.mark.parametrize("by", [["annotator"], ["sequence"], ["annotator", "category"], []])
@pytest.mark.parametrize("kind", [[], ["id_switch"], ["id_switch", "jump"]])
def test_events_are_counted_as_in_the_table(run, by, kind):
    found = check(run, "track_events", at_most=0, by=by, kind=kind)
    events = run.track_event_columns()
    some = np.isin(events["kind"], kind or EVENTS[:-1])
    assert sum(row["count"] for row in found.rows) == int(some.sum())
    for row in found.rows:
        mine = some.copy()
        for name in set(by) & {"annotator", "sequence"}:
            mine &= events[name] == row["group"][name]
        if "category" not in by:
            assert row["count"] == int(mine.sum())


def test_evidence_of_events_names_the_stretch(run):
    found = check(run, "track_events", at_most=0, kind="id_switch")
    assert found.sentence.startswith("sid: ")
    one = found.evidence[0]
    assert one["annotator"] == "sid"
    assert one["kind"] == "id_switch"
    assert f"frames {one['first_frame']} to {one['last_frame']}" in one["text"]
    rows = [row for row in run.track_event_rows if row["kind"] == "id_switch"]
    longest = max(row["last"] - row["first"] for row in rows)
    assert one["last_frame"] - one["first_frame"] == longest


def test_without_tracks_on_both_sides_it_does_not_apply(run):
    made = simulate({"ann": [], "bob": Habit.loose("right", px=4)}, n_images=20, rng=1)
    table = replace(run.candidate.table, track=None)
    untracked = Run(run.reference, replace(run.candidate, table=table, track_ids=None))
    for measure, limit in (("hota", "at_least"), ("id_switches", "at_most")):
        both = check(Run(made.gold, made.work), measure, **{limit: 0.5})
        assert both.outcome == "not_applicable"
        assert "no tracks in the gold and in the work" in both.sentence
        one = check(untracked, measure, **{limit: 0.5})
        assert one.outcome == "not_applicable"
        assert one.sentence.startswith("there are no tracks in the work")


def test_preprocessing_is_that_of_the_table_and_of_its_own_rule(run):
    found = check(run, "hota", at_least=0.5, preprocess="mot")
    assert found.outcome == "error"
    assert "MOTChallenge's rules do not know what to do with" in found.sentence
    gold = np.array(["pedestrian", "distractor"], dtype=object)
    work = np.array(["pedestrian", "walker"], dtype=object)
    renamed = Run(
        replace(run.reference, category_names=gold), replace(run.candidate, category_names=work)
    )
    table = renamed.tracking_columns(preprocess="mot")
    rows = check(renamed, "hota", at_least=0.5, preprocess="mot").rows
    told = {row["group"]["annotator"]: row["estimate"] for row in rows}
    assert told == dict(zip(table["annotator"], table["HOTA"], strict=True))
    plain = renamed.tracking_columns()
    assert told != dict(zip(plain["annotator"], plain["HOTA"], strict=True))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"measure": "hota", "at_most": 0.5}, "hota has no at_most"),
        ({"measure": "hota"}, "hota needs a limit"),
        ({"measure": "hota", "at_least": 0.5, "by": "category"}, "told by annotator alone"),
        ({"measure": "hota", "at_least": 0.5, "preprocess": "mott"}, "did you mean 'mot'"),
        ({"measure": "lag", "preprocess": "mot"}, "lag has no preprocess"),
        ({"measure": "track_events", "at_most": 0, "kind": "jmp"}, "knows no kind 'jmp'"),
    ],
)
def test_what_a_rule_may_not_say(given, said):
    with pytest.raises(SpecError, match=said):
        one_rule(**given)
