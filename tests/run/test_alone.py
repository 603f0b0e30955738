"""Tracks without gold: what can be told, and what is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

import annqc
from annqc.run.alone import Alone
from annqc.simulate import TrackHabit, tracks

FLEET = {
    "ann": [],
    "cal": [],
    "lag": TrackHabit.lag(2),
    "wide": TrackHabit.loose("right", 9),
    "jump": TrackHabit.jump(40),
    "shaky": TrackHabit.jitter(2),
    "ice": TrackHabit.frozen(0.5),
    "key": TrackHabit.interpolated(10),
    "gap": TrackHabit.gap(9),
    "flip": TrackHabit.flip(),
}


@pytest.fixture(scope="module")
def alone():
    return annqc.tracks(tracks(FLEET, n_sequences=4, rng=1).work)


def of(frame, who, quantity):
    return frame.set_index(["annotator", "quantity"]).loc[(who, quantity)]


def test_only_the_shaky_one_is_accused(alone):
    found = alone.tracks()
    named = found[found["verdict"] == "biased"]
    assert named[["annotator", "quantity"]].values.tolist() == [["shaky", "jitter"]]


def test_the_median_annotator_is_ordinary(alone):
    found = alone.tracks()
    jitter = found.loc[found["quantity"] == "jitter", "estimate"]
    assert np.median(jitter) == pytest.approx(1.0, abs=0.05)


def test_with_two_annotators_nobody_is_the_ordinary_one():
    made = tracks({"a": [], "b": TrackHabit.jitter(3)}, n_sequences=3, rng=2)
    found = annqc.tracks(made.work).tracks()
    jitter = found[found["quantity"] == "jitter"]
    assert set(jitter["status"]) == {"alone"}
    assert set(jitter["verdict"]) == {"undecided"}


def test_interpolation_is_described_with_its_gap(alone):
    found = alone.tracks()
    assert of(found, "key", "interpolated")["estimate"] == 1.0
    assert of(found, "key", "keyframe_gap")["estimate"] == 10.0
    assert of(found, "ann", "interpolated")["estimate"] == 0.0
    assert set(found.loc[found["quantity"] == "interpolated", "verdict"]) == {"undecided"}


def test_events_are_those_that_were_planted(alone):
    events = alone.track_events()
    kinds = events.groupby("annotator")["kind"].agg(set).to_dict()
    assert kinds["gap"] == {"gap"}
    assert kinds["flip"] == {"category_flip"}
    assert kinds["ice"] == {"frozen"}
    assert kinds["jump"] == {"jump"}
    assert not {"ann", "cal", "lag", "wide", "shaky"} & set(kinds)
    assert (events[events["kind"] == "gap"]["size"] == 9).all()


def test_two_annotators_differ_and_neither_is_named(alone):
    relative = alone.relative()
    between = relative[(relative["annotator"] == "ann") & (relative["other"] == "lag")]
    lag = between[between["quantity"] == "lag"].iloc[0]
    assert lag["verdict"] == "disagree"
    assert lag["ci_low"] <= 2.0 <= lag["ci_high"]
    wide = relative[(relative["annotator"] == "ann") & (relative["other"] == "wide")]
    edge = wide[wide["quantity"] == "out_right"].iloc[0]
    assert edge["verdict"] == "disagree"
    assert edge["estimate"] == pytest.approx(9.0, abs=0.5)
    assert edge["unit"] == "px"
    clean = relative[(relative["annotator"] == "ann") & (relative["other"] == "cal")]
    assert "disagree" not in set(clean["verdict"])
    assert "biased" not in set(relative["verdict"])


def test_ignored_boxes_are_no_tracks():
    made = tracks({"a": []}, n_sequences=1, n_tracks=2, rng=3).work
    from dataclasses import replace

    ignored = made.table.track == 0
    found = annqc.tracks(replace(made, table=replace(made.table, ignored=ignored)))
    assert len(found.track_list()) == 1
    assert len(found.track_events()) == 0


def test_work_without_tracks_is_refused():
    with pytest.raises(annqc.AnnqcError, match="no tracks"):
        annqc.tracks(annqc.simulate(["ann"], n_images=3, rng=1).work)


def test_tables_of_nothing_have_their_columns():
    made = tracks({"a": []}, n_sequences=1, n_tracks=1, n_frames=10, rng=3).work
    alone = Alone(made)
    assert set(alone.relative()) >= {"annotator", "other", "quantity", "verdict"}
    assert set(alone.track_events()) >= {"kind", "first_frame", "text"}
