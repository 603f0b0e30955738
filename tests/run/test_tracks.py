"""Temporal findings of a comparison: who is named, on what, with which evidence."""

from __future__ import annotations

import numpy as np
import pytest

import annqc
from annqc.run.temporal import TEMPORAL
from annqc.simulate import TrackHabit, tracks

FLEET = {
    "ann": [],
    "cal": [],
    "lag": TrackHabit.lag(2),
    "drift": TrackHabit.drift(5, edge="bottom"),
    "jump": TrackHabit.jump(15),
    "shaky": TrackHabit.jitter(2),
    "ice": TrackHabit.frozen(0.5),
    "key": TrackHabit.interpolated(10),
    "late": TrackHabit.late_start(12),
    "early": TrackHabit.early_end(9),
    "saw": TrackHabit.sawtooth(6, edge="top"),
}


@pytest.fixture(scope="module")
def fleet():
    made = tracks(FLEET, n_sequences=6, rng=1)
    return annqc.audit(made.work, made.gold)


def accused(found):
    named = found[found["verdict"] == "biased"]
    return set(zip(named["annotator"], named["quantity"], strict=True))


def test_each_planted_habit_is_named_and_nothing_else(fleet):
    assert accused(fleet.tracks()) == {
        ("lag", "lag"),
        ("drift", "drift_bottom"),
        ("shaky", "jitter"),
        ("late", "start"),
        ("early", "end"),
        ("saw", "sawtooth_top"),
    }


@pytest.mark.parametrize(
    ("who", "quantity", "column", "truth"),
    [
        ("lag", "lag", "", 2.0),
        ("drift", "drift_bottom", "_px", 5.0),
        ("key", "sag_share", "", 1.0),
        ("late", "start", "", 12.0),
        ("early", "end", "", -9.0),
    ],
)
def test_sizes_lie_in_their_intervals(fleet, who, quantity, column, truth):
    found = fleet.tracks().set_index(["annotator", "quantity"]).loc[(who, quantity)]
    assert found[f"ci_low{column}"] <= truth <= found[f"ci_high{column}"]
    assert found["n_clusters"] in (6, 36)


def test_the_shaky_one_has_the_jitter_that_was_planted(fleet):
    found = fleet.tracks().set_index(["annotator", "quantity"]).loc[("shaky", "jitter")]
    ordinary = fleet.tracks().set_index(["annotator", "quantity"]).loc[("ann", "jitter")]
    expected = np.hypot(2.0, ordinary["estimate_px"])
    assert found["estimate_px"] == pytest.approx(expected, rel=0.1)


def test_who_is_steadier_than_the_others_is_not_accused_of_it(fleet):
    found = fleet.tracks().set_index(["annotator", "quantity"]).loc[("key", "jitter")]
    assert found["ci_high"] < 1
    assert found["verdict"] == "clean"


def jumps_of(audit):
    """Jumps of who jumps; those that happen to fall together may pass for a cut."""
    events = audit.track_events()
    return events[(events["annotator"] == "jump") & events["kind"].isin(["jump", "cut"])]


def test_a_jump_is_an_event_and_no_drift(fleet):
    events, jumps = fleet.track_events(), jumps_of(fleet)
    assert len(jumps) == 36
    assert (jumps["kind"] == "jump").sum() >= 30
    inside = (jumps["size_low"] <= 15 * np.sign(jumps["size"])) & (
        15 * np.sign(jumps["size"]) <= jumps["size_high"]
    )
    assert inside.mean() > 0.9
    assert not (events["annotator"].eq("jump") & events["kind"].eq("drift")).any()


def test_frames_of_a_jump_are_those_that_were_planted(fleet):
    made = tracks(FLEET, n_sequences=6, rng=1)
    jumps = jumps_of(fleet)
    at = {(row.sequence, row.track_id): row.first_frame for row in jumps.itertuples()}
    planted = [one for one in made.planted if one.kind == "jump"]
    near = [abs(at[one.sequence, one.track] - one.first_frame) <= 1 for one in planted]
    assert np.mean(near) > 0.9


def test_frozen_drawings_are_told_with_their_frames(fleet):
    events = fleet.track_events()
    frozen = events[events["kind"] == "frozen"]
    assert set(frozen["annotator"]) == {"ice"}
    assert (frozen["size"] >= 25).all()
    assert frozen["text"].str.contains("one drawing is held").all()
    listed = fleet.track_list()
    held = listed[(listed["annotator"] == "ice") & (listed["n_drawings"] == 1)]
    assert len(held) >= 10


def test_single_tracks_are_listed_with_slopes_of_their_own(fleet):
    listed = fleet.track_list()
    drift = listed[listed["annotator"] == "drift"]
    assert drift["drift_bottom"].median() == pytest.approx(5, abs=0.3)
    inside = (drift["drift_bottom_low"] <= 5) & (drift["drift_bottom_high"] >= 5)
    assert inside.mean() > 0.8
    clean = listed[listed["annotator"].isin(["ann", "cal"])]
    assert not clean.filter(like="verdict").eq("biased").any(axis=None)


def test_a_single_track_that_drifts_by_a_lot_is_told():
    made = tracks({"a": TrackHabit.drift(15, edge="bottom")}, n_sequences=6, rng=1)
    listed = annqc.audit(made.work, made.gold).track_list()
    assert (listed["drift_bottom_verdict"] == "biased").mean() > 0.7
    assert not listed["drift_top_verdict"].eq("biased").any()


def test_the_acceleration_of_objects_is_no_drift_of_who_lags():
    made = tracks({"a": TrackHabit.lag(2)}, n_sequences=8, rng=3)
    audit = annqc.audit(made.work, made.gold)
    assert not audit.track_events()["kind"].eq("drift").any()
    assert accused(audit.tracks()) == {("a", "lag")}


def test_clean_tracks_have_no_events(fleet):
    events = fleet.track_events()
    assert not events["annotator"].isin(["ann", "cal"]).any()


@pytest.mark.parametrize("n_annotators", [3, 4, 6])
def test_everybody_off_alike_is_nobodys_fault(n_annotators):
    habits = {f"a{k}": TrackHabit.lag(2) for k in range(n_annotators)}
    made = tracks(habits, n_sequences=3, rng=3)
    found = annqc.audit(made.work, made.gold).tracks()
    lag = found[found["quantity"] == "lag"]
    assert set(lag["verdict"]) == {"collective"}
    assert lag["collective"].iloc[0] == pytest.approx(2.0, abs=0.1)


def test_two_annotators_do_not_make_everybody():
    made = tracks({f"a{k}": TrackHabit.lag(2) for k in range(2)}, n_sequences=3, rng=3)
    lag = annqc.audit(made.work, made.gold).tracks().query("quantity == 'lag'")
    assert set(lag["verdict"]) == {"biased"}


def test_one_video_of_one_object_decides_nothing():
    made = tracks({"a": TrackHabit.lag(2)}, n_sequences=1, n_tracks=1, n_frames=2000, rng=2)
    found = annqc.audit(made.work, made.gold).tracks()
    assert set(found["verdict"]) == {"undecided"}
    assert set(found["n_clusters"]) <= {0, 1}


def test_strata_are_named_on_drift_alone():
    made = tracks({"a": TrackHabit.drift(8, edge="left"), "b": []}, n_sequences=10, rng=5)
    audit = annqc.audit(made.work, made.gold)
    found = audit.tracks(by=("annotator", "category"))
    named = found[found["verdict"] == "biased"]
    assert set(named["quantity"]) == {"drift_left"}
    assert set(named["annotator"]) == {"a"}
    assert set(named["category"]) == {"car", "person"}


def test_without_tracks_there_is_nothing_to_say():
    made = annqc.simulate(["ann"], n_images=5, rng=1)
    audit = annqc.audit(made.work, made.gold)
    assert not audit.has_tracks
    assert len(audit.tracks()) == len(audit.track_list()) == len(audit.track_events()) == 0
    assert set(audit.tracks()) >= {"annotator", "quantity", "verdict", "n_clusters"}


def test_the_table_has_every_quantity_of_every_annotator(fleet):
    found = fleet.tracks()
    assert len(found) == len(FLEET) * len(TEMPORAL)
    assert found["quantity"].tolist() == list(TEMPORAL) * len(FLEET)
    undecided = found[found["verdict"] == "undecided"]
    assert (undecided["status"] != "").all()
