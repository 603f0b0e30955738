"""Simulated videos: what was planted is there, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.simulate import TrackHabit, tracks


def rows_of(data, who):
    return data.table.take(data.table.annotator == who)


def test_frames_sequences_and_tracks_fit_together():
    made = tracks(2, n_sequences=3, n_tracks=4, n_frames=50, rng=1)
    assert len(made.gold.image_table) == 150
    assert len(made.gold.track_ids) == 12
    assert len(made.work.track_ids) == 24
    assert made.gold.sequence_table.n_frames.tolist() == [50] * 3
    frame = made.gold.image_table.frame[made.gold.table.image]
    key = made.gold.table.track * 50 + frame
    assert len(np.unique(key)) == len(key)


def test_objects_stay_inside_and_have_a_size():
    box = tracks(1, n_sequences=5, rng=3).gold.table.xyxy
    assert (box[:, :2] > 0).all()
    assert (box[:, 2] < 1920).all()
    assert (box[:, 3] < 1080).all()
    assert ((box[:, 2:] - box[:, :2]) > 20).all()


def test_the_typical_speed_is_the_one_asked_for():
    made = tracks(1, n_sequences=20, speed=3.0, side=(40, 60), rng=5)
    table, frame = made.gold.table, made.gold.image_table.frame
    order = np.lexsort((frame[table.image], table.track))
    centre = 0.5 * (table.xyxy[:, :2] + table.xyxy[:, 2:])[order]
    same = np.diff(table.track[order]) == 0
    speed = np.abs(np.diff(centre, axis=0))[same]
    assert np.sqrt((speed**2).mean(axis=0)).tolist() == pytest.approx([3.0, 3.0], rel=0.25)


def test_clean_work_differs_from_the_truth_by_noise_of_the_scale_asked_for():
    made = tracks(1, n_sequences=10, noise_px=2.0, rng=2)
    error = made.work.table.xyxy - made.gold.table.xyxy
    assert error.std() == pytest.approx(2.0, rel=0.05)
    assert np.abs(error.mean(axis=0)).max() < 0.3


def test_a_lag_is_where_the_object_was():
    made = tracks({"bob": TrackHabit.lag(3)}, noise_px=0.0, n_sequences=1, n_tracks=1, rng=1)
    gold, work = made.gold.table.xyxy, made.work.table.xyxy
    assert work[3:] == pytest.approx(gold[:-3], abs=1e-9)


def test_interpolation_is_linear_between_keyframes():
    made = tracks(
        {"bob": TrackHabit.interpolated(10)}, n_sequences=1, n_tracks=1, n_frames=100, rng=1
    )
    table = made.work.table
    keys = np.flatnonzero(table.keyframe)
    assert set(np.diff(keys)[:-1].tolist()) == {10}
    for edge in range(4):
        line = np.interp(np.arange(len(table)), keys, table.xyxy[keys, edge])
        assert table.xyxy[:, edge] == pytest.approx(line, abs=1e-9)


def test_a_drift_grows_from_the_start_of_a_track():
    made = tracks({"bob": TrackHabit.drift(5, edge="top")}, noise_px=0.0, n_tracks=1, rng=1)
    first = made.work.table.track == 0
    error = (made.gold.table.xyxy - made.work.table.xyxy)[first]
    assert error[:, 1] == pytest.approx(0.05 * np.arange(first.sum()), abs=1e-9)
    assert np.abs(error[:, [0, 2, 3]]).max() < 1e-9


def test_the_same_seed_makes_the_same_videos():
    one, two = (tracks({"a": TrackHabit.jitter(1)}, rng=7).work.table.xyxy for _ in range(2))
    assert np.array_equal(one, two)


def test_whole_pixels():
    box = tracks(1, integer=True, rng=1).work.table.xyxy
    assert np.array_equal(box, np.rint(box))


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_frames": 5},
        {"n_sequences": 0},
        {"side": (50, 20)},
        {"image_size": (100, 100)},
        {"annotators": []},
        {"annotators": {"a": "lag 2"}},
    ],
)
def test_what_makes_no_video_is_refused(wrong):
    with pytest.raises(SpecError):
        tracks(**wrong)


def test_habits_out_of_range_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean"):
        TrackHabit.drift(5, edge="botom")
    with pytest.raises(SpecError):
        TrackHabit.lag(float("nan"))
    with pytest.raises(SpecError):
        TrackHabit.jump(5, share=1.5)
    with pytest.raises(SpecError):
        TrackHabit.interpolated(0)
