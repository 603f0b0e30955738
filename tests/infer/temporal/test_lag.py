import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.covariates import score_hotelling
from annqc.infer.temporal.estimate import STATUSES, ratio_of_tracks
from annqc.infer.temporal.lag import MARGIN, annotator_lag, track_lag
from annqc.infer.temporal.relative import co_series
from annqc.infer.temporal.sawtooth import frames_since_keyframe, sawtooth
from tests.infer.temporal import oracle

SEEDS = st.integers(0, 10_000)


@given(seed=SEEDS, window=st.integers(1, 4))
def test_sums_equal_the_formula(seed, window):
    values, frame, starts = oracle.ragged(seed, k=4)
    gold, offset = values[:, :2] * 20, values[:, 2:]
    found = track_lag(offset, gold, frame, starts, window=window)
    parts = {}
    golds = dict(oracle.series_of(gold, frame, starts))
    for (i, j), points in oracle.series_of(offset, frame, starts):
        parts.setdefault(i, []).append(oracle.lag_sums(points, golds[i, j], window))
    for i, axes in parts.items():
        against, motion, n = zip(*axes, strict=True)
        np.testing.assert_allclose(found.against[i], sum(against), rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(found.motion[i], sum(motion), rtol=1e-8, atol=1e-9)
        assert found.n[i] == max(n)


@given(seed=SEEDS, s=st.integers(2, 12))
def test_the_ratio_equals_the_formula(seed, s):
    rng = np.random.default_rng(seed)
    above, below = rng.normal(size=s), rng.uniform(0.1, 5, s)
    found = ratio_of_tracks(above, below, np.zeros(s, int), 1)
    got = found.estimate[0], found.se[0], found.df[0]
    np.testing.assert_allclose(got, oracle.ratio(above, below), rtol=1e-8)


def paths(rng, s, t):
    phase = rng.uniform(0, 6, (s, 1, 2))
    return 300 * np.sin(np.arange(-10, t + 10)[None, :, None] / 15 + phase)


def lagging(lag, s=6, t=120, sd=1.0, seed=0):
    rng = np.random.default_rng(seed)
    path = paths(rng, s, t)
    gold = path[:, 10 : 10 + t].reshape(-1, 2)
    late = path[:, 10 - lag : 10 - lag + t].reshape(-1, 2)
    offset = late - gold + sd * rng.standard_normal(gold.shape)
    return offset, gold, np.tile(np.arange(t), s), np.arange(s + 1) * t


@pytest.mark.parametrize("lag", [-2, 0, 3])
def test_a_lag_is_recovered_with_its_sign(lag):
    found = annotator_lag(track_lag(*lagging(lag)), np.zeros(6, int), 1)
    assert found.estimate[0] == pytest.approx(lag, abs=0.1)
    assert found.verdict(MARGIN)[0] == (1 if lag == 0 else 2)


def test_noise_in_gold_is_no_lag():
    offset, gold, frame, starts = lagging(0, sd=0.1)
    noise = 3 * np.random.default_rng(1).standard_normal(gold.shape)
    found = annotator_lag(track_lag(offset - noise, gold + noise, frame, starts), [0] * 6, 1)
    assert abs(found.estimate[0]) < 0.15


def test_velocity_is_taken_over_three_frames_either_way():
    given = lagging(1)
    assert track_lag(*given).motion.tolist() == track_lag(*given, window=3).motion.tolist()
    assert track_lag(*given).n.tolist() == [114] * 6


def test_without_motion_there_is_no_telling():
    offset, gold, frame, starts = lagging(0)
    found = annotator_lag(track_lag(offset, gold / 100, frame, starts), [0] * 6, 1)
    assert STATUSES[found.status[0]] == "no_motion"
    assert found.verdict(MARGIN)[0] == 0
    assert found.p_bias()[0] == 1
    empty = annotator_lag(track_lag(offset, gold, frame, starts), [0] * 6, 2)
    assert STATUSES[empty.status[1]] == "no_data"


def test_four_tracks_are_not_enough():
    found = annotator_lag(track_lag(*lagging(2, s=4)), np.zeros(4, int), 1)
    assert found.estimate[0] == pytest.approx(2, abs=0.1)
    assert found.verdict(MARGIN)[0] == 0


def test_of_two_annotators_the_difference_of_their_lags_shows():
    offset, gold, frame, starts = lagging(2)
    pair = co_series((gold + offset, frame, starts), (gold, frame, starts))
    found = annotator_lag(
        track_lag(pair.difference, pair.mean, pair.frame, pair.starts), np.zeros(6, int), 1
    )
    assert found.estimate[0] == pytest.approx(2, abs=0.15)


def test_common_frames_alone_are_compared():
    one = np.array([[1.0], [2], [3], [9]]), [0, 2, 4, 5], [0, 3, 4]
    other = np.array([[5.0], [6], [7]]), [2, 3, 5], [0, 2, 3]
    pair = co_series(one, other)
    assert pair.frame.tolist() == [2, 5]
    assert pair.starts.tolist() == [0, 1, 2]
    assert pair.difference.tolist() == [[-3], [2]]


@given(seed=SEEDS)
def test_the_sawtooth_is_the_score_test(seed):
    rng = np.random.default_rng(seed)
    track = rng.integers(0, 30, 200)
    group = track // 15
    y, since = rng.normal(size=200), rng.integers(0, 10, 200).astype(float)
    y[:5], since[5:9] = np.nan, np.nan
    found = sawtooth(y, since, track, group, 3)
    for g in range(2):
        mine = (group == g) & np.isfinite(y) & np.isfinite(since)
        expected = score_hotelling(y[mine], since[mine], track[mine])
        assert found.n_clusters[g] == expected.n_clusters
        assert found.p_value[g] == pytest.approx(expected.p_value, rel=1e-6)
        assert found.statistic[g] == pytest.approx(expected.statistic, rel=1e-6)
        assert found.slope[g] == pytest.approx(np.polyfit(since[mine], y[mine], 1)[0], rel=1e-6)
    assert found.p_value[2] == 1


def test_a_sawtooth_shows_from_eight_tracks_on():
    rng = np.random.default_rng(2)
    frame, keyframe = np.tile(np.arange(100), 12), np.tile(np.arange(100) % 10 == 0, 12)
    since = frames_since_keyframe(keyframe, frame, np.arange(13) * 100)
    late = frames_since_keyframe([1, 0, 0, 0], [0, 1, 0, 1], [0, 2, 4])
    np.testing.assert_array_equal(late, [0, 1, np.nan, np.nan])
    assert since[:12].tolist() == [*range(10), 0, 1]
    y, track = 0.3 * since + rng.standard_normal(1200), np.repeat(np.arange(12), 100)
    assert sawtooth(y, since, track, np.zeros(1200, int), 1).p_value[0] < 1e-3
    assert sawtooth(y[:700], since[:700], track[:700], np.zeros(700, int), 1).p_value[0] == 1
