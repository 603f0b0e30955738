"""The benchmark of tracks, on a work so small that nobody would time it."""

from __future__ import annotations

import pytest

from annqc.kernels.tracking import Frames
from tests.bench import timing, tracking
from tests.bench.works import SIZES, Works


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr(timing, "TURN", 0.0)


def test_every_row_has_the_time_of_annqc_on_equal_values(tmp_path):
    rows = list(tracking.tracks(Works(SIZES["tiny"], tmp_path)))
    assert len(rows) == 6
    assert all(row.cpu > 0 for row in rows)
    assert all((row.ratio is None) == (row.peer_cpu is None) for row in rows)


def test_unequal_scores_are_not_timed(tmp_path, monkeypatch):
    if tracking.load("trackeval") is None:
        pytest.skip("trackeval is not installed")
    whole = tracking.batch

    def shifted(sequences):
        frames = whole(sequences)
        frames.cand_boxes[:] += 1
        return frames

    monkeypatch.setattr(tracking, "batch", shifted)
    with pytest.raises(timing.UnequalWorkError):
        list(tracking.tracks(Works(SIZES["tiny"], tmp_path)))


def test_the_work_is_of_the_size_that_is_said():
    frames = tracking.batch(tracking.made())
    assert isinstance(frames, Frames)
    assert len(frames.ref_offsets) - 1 == 5316
    assert 118_000 < frames.ref_boxes.shape[1] < 127_000
    assert 115_000 < frames.cand_boxes.shape[1] < 125_000
