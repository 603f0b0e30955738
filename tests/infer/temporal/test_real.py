"""Two people drew the same street, one video, independently; the frames of the two are the same."""

import numpy as np
import pytest

from annqc.infer.temporal.drift import annotator_drift, track_drift
from annqc.infer.temporal.estimate import INTEGER
from annqc.infer.temporal.keyframes import integer_gap, interpolation
from annqc.infer.temporal.lag import MARGIN, annotator_lag, track_lag
from annqc.infer.temporal.relative import co_series, track_faults


def load(path, *, pedestrians):
    rows = np.loadtxt(path, delimiter=",")
    kept = rows[:, 6] == 1
    if pedestrians:
        kept &= rows[:, 7] == 1
    rows = rows[kept]
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    starts = np.append(np.unique(rows[:, 1], return_index=True)[1], len(rows))
    return np.hstack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]]), rows[:, 0].astype(int), starts


def mostly_on(one, other):
    """Pair each track with the one whose centre lies nearest on 30 or more common frames."""
    pairs = []
    for i, begin in enumerate(one[2][:-1]):
        mine = slice(begin, one[2][i + 1])
        best = (0.0, -1)
        for j, start in enumerate(other[2][:-1]):
            theirs = slice(start, other[2][j + 1])
            _, a, b = np.intersect1d(one[1][mine], other[1][theirs], return_indices=True)
            away = np.abs(one[0][mine][a] - other[0][theirs][b]).max(axis=1, initial=0)
            width = one[0][mine][a, 2] - one[0][mine][a, 0]
            best = max(best, (float((away < 0.5 * width).sum()), j))
        if best[0] >= 30:
            pairs.append((i, best[1]))
    return pairs


def only(tracks, chosen):
    box, frame, starts = tracks
    rows = [np.arange(starts[i], starts[i + 1]) for i in chosen]
    at = np.concatenate(rows)
    return box[at], frame[at], np.append(0, np.cumsum([len(one) for one in rows]))


@pytest.fixture(scope="module")
def both(shared_data):
    folder = shared_data / "mot_relabelled"
    one = load(folder / "MOT15-ADL-Rundle-8.gt.txt", pedestrians=False)
    return one, load(folder / "MOT17-10.gt.txt", pedestrians=True)


def test_they_neither_lag_nor_drift_against_each_other(both):
    pairs = mostly_on(*both)
    assert len(pairs) >= 15
    pair = co_series(*(only(x, [p[i] for p in pairs]) for i, x in enumerate(both)))
    centre = [(x[:, :2] + x[:, 2:]) / 2 for x in (pair.difference, pair.mean)]
    everybody = np.zeros(len(pairs), int)
    lag = annotator_lag(track_lag(*centre, pair.frame, pair.starts), everybody, 1)
    assert lag.verdict(MARGIN).tolist() == [1]
    assert abs(lag.estimate[0]) < 0.2
    track = track_drift(pair.difference, pair.frame, pair.starts)
    drift = annotator_drift(track, everybody, 1)
    assert (drift.p_bias() > 0.05).all()
    assert (track.p_bias() < 0.05).mean() < 0.2


def test_a_shift_of_three_frames_between_them_is_found(both):
    pairs = mostly_on(*both)
    one, other = (only(x, [p[i] for p in pairs]) for i, x in enumerate(both))
    pair = co_series((one[0], one[1] + 3, one[2]), other)
    centre = [(x[:, :2] + x[:, 2:]) / 2 for x in (pair.difference, pair.mean)]
    found = annotator_lag(track_lag(*centre, pair.frame, pair.starts), [0] * len(pairs), 1)
    low, high = found.interval()
    assert low[0] < 3 < high[0]
    assert found.verdict(MARGIN).tolist() == [2]


def test_whole_pixels_accuse_nobody(both):
    for box, frame, starts in both:
        found = interpolation(box, frame, starts)
        assert (found.status == INTEGER).all()
        assert not found.interpolated.any()
        everybody = np.zeros(len(starts) - 1, int)
        assert integer_gap(box, frame, starts, everybody, 1).mode.tolist() == [0]
        track = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        faults = track_faults(track, frame, np.zeros(len(frame), int), len(starts) - 1)
        assert (faults.duplicates == 0).all()
        assert (faults.flips == 0).all()
        assert (faults.n_frames + faults.missing == faults.last - faults.first + 1).all()
