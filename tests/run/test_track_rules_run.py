"""What rules on tracks are judged by: other margins, shared work, and the worst stretches."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.run.audit import Run
from annqc.run.trackevidence import STRETCHES
from annqc.simulate import TrackHabit, tracks

VIDEOS = {"n_sequences": 6, "n_tracks": 3, "n_frames": 120}


@pytest.fixture(scope="module")
def run():
    habits = {
        "ann": [],
        "bob": TrackHabit.drift(-6, edge="right"),
        "eve": TrackHabit.lag(-2),
        "key": TrackHabit.interpolated(20),
        "lea": TrackHabit.late_start(9),
    }
    made = tracks(habits, rng=3, **VIDEOS)
    return Run(made.gold, made.work)


def verdict(columns, who, quantity):
    pairs = list(zip(columns["annotator"], columns["quantity"], strict=True))
    return columns["verdict"][pairs.index((who, quantity))]


def test_a_margin_moves_its_own_verdict_alone(run):
    usual, wide = run.temporal_columns(), run.temporal_columns(margins={"lag": 3.0})
    assert verdict(usual, "eve", "lag") == "biased"
    assert verdict(wide, "eve", "lag") == "clean"
    assert verdict(wide, "bob", "drift_right") == verdict(usual, "bob", "drift_right") == "biased"
    np.testing.assert_array_equal(usual["estimate"], wide["estimate"])
    assert set(wide["margin"][wide["quantity"] == "lag"]) == {3.0}
    same = run.temporal_columns(margins={"lag": 0.5, "jitter": 1.5, "start": 3.0, "sag": 1.0})
    np.testing.assert_array_equal(same["verdict"], usual["verdict"])
    np.testing.assert_allclose(same["margin"], usual["margin"])


def test_what_a_tolerance_does_not_change_is_shared(run):
    assert run.with_parameters(confidence=0.9).track_series is run.track_series
    assert run.with_parameters(confidence=0.9).track_values is run.track_values
    wider = run.with_parameters(tolerance="9 px")
    assert wider.track_series is not run.track_series
    assert wider.track_series.tolerance.min() == 9


@pytest.mark.parametrize("quantity", STRETCHES)
def test_the_worst_tracks_are_those_of_the_list(run, quantity):
    """Plain Python over `track_list`: the direction of the median, then the farthest."""
    who = {"drift_right": "bob", "lag": "eve", "start": "lea", "sag": "key"}.get(quantity, "ann")
    table = run.track_columns()
    found = run.worst({"annotator": who}, quantity=quantity, most=3)
    assert all(one["annotator"] == who for one in found)
    if quantity == "sag" or quantity.startswith("sawtooth"):
        assert all(one["unit"] == "px" for one in found)
        return
    name = "jitter_px" if quantity == "jitter" else quantity
    rows = [k for k in range(len(table["annotator"])) if table["annotator"][k] == who]
    at = {(table["sequence"][k], table["track_id"][k]): float(table[name][k]) for k in rows}
    for one in found:
        assert one["size"] == at[one["sequence"], one["track_id"]]
        assert one["first_frame"] <= one["last_frame"]
    if quantity in {"lag", "start", "end", "jitter"}:
        known = [size for size in at.values() if not np.isnan(size)]
        sign = -1 if np.median(known) < 0 else 1
        best = sorted((sign * size for size in known), reverse=True)[:3]
        assert [sign * one["size"] for one in found] == [size for size in best if size > 0]


def test_the_annotation_of_a_stretch_is_the_one_farthest_off(run):
    one = run.worst({"annotator": "bob"}, quantity="drift_right", most=1)[0]
    assert one["size"] < 0
    assert one["edge"] == "right"
    assert one["kind"] == "drift"
    s = run.track_series
    names = run.reference.tracks_of(s.track)
    mine = (run.candidate.annotator_ids[s.annotator] == "bob") & (names == one["track_id"])
    images = run.reference.image_table
    mine &= images.sequence[s.image] == one["sequence"]
    (k,) = np.flatnonzero(mine)
    edges = s.edges[s.starts[k] : s.starts[k + 1], 2]
    assert one["offset_px"] == np.nanmin(edges)
    assert "inwards in 100 frames" in one["text"]


def test_a_group_of_several_columns_has_its_own_tracks(run):
    for sequence in ("video-1", "video-4"):
        found = run.worst({"annotator": "eve", "sequence": sequence}, quantity="lag", most=99)
        assert {one["sequence"] for one in found} == {sequence}
        assert len(found) <= 3


def test_names_that_are_not_there_are_told(run):
    with pytest.raises(UnknownNameError, match="did you mean 'lag'"):
        run.worst({}, quantity="lagg")
    with pytest.raises(UnknownNameError, match="tracking score"):
        run.track_rate_columns("HOTTA", limit=0.5, at_least=True)
    with pytest.raises(UnknownNameError, match="kind of event"):
        run.track_count_columns(kinds=["jumps"])
    with pytest.raises(SpecError, match="by annotator alone"):
        run.track_rate_columns("HOTA", "sequence", limit=0.5, at_least=True)


def test_status_and_clusters_of_scores_are_whole_words():
    made = tracks(["ann"], n_sequences=1, n_tracks=3, n_frames=60, rng=1)
    table = Run(made.gold, made.work).tracking_columns()
    assert table["status"].tolist() == ["too_few_clusters"]
    assert table["clusters"].tolist() == ["tracks"]
