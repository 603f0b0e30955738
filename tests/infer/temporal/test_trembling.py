"""Jitter, steps, camera cuts and spikes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.temporal.estimate import CONSTANT, OK, TOO_SHORT
from annqc.infer.temporal.jitter import MARGIN, fleet_jitter, track_jitter
from annqc.infer.temporal.spikes import find_spikes, innovations, spike_rate
from annqc.infer.temporal.steps import Steps, find_steps, mark_cuts
from tests.infer.temporal import oracle

SEEDS = st.integers(0, 10_000)


@given(seed=SEEDS, order=st.sampled_from([2, 3]), integer=st.booleans())
def test_jitter_equals_the_formula(seed, order, integer):
    values, frame, starts = oracle.ragged(seed, integer=integer)
    found = track_jitter(values, frame, starts, order=order)
    for at, points in oracle.series_of(values, frame, starts):
        sd, n = oracle.jitter(points, order)
        assert found.n[at] == n
        np.testing.assert_allclose(found.sd[at], sd, rtol=1e-9, atol=1e-12)
        expected = TOO_SHORT if n < 20 else OK if sd > 0 else CONSTANT
        assert found.status[at] == expected


def test_third_differences_do_not_see_constant_acceleration():
    frame = np.arange(50)
    assert track_jitter(3.0 * frame**2 + frame, frame, [0, 50], order=3).sd[0] == 0
    assert track_jitter(3.0 * frame**2 + frame, frame, [0, 50], order=2).sd[0] > 3


def fleet(rng, sds, tracks=8, t=100):
    y = np.repeat(sds, tracks)[:, None, None] * rng.standard_normal((len(sds) * tracks, t, 4))
    starts = np.arange(len(y) + 1) * t
    found = track_jitter(y.reshape(-1, 4), np.tile(np.arange(t), len(y)), starts)
    return fleet_jitter(found, np.repeat(np.arange(len(sds)), tracks), len(sds))


def test_who_trembles_twice_as_much_is_named_and_nobody_else():
    found = fleet(np.random.default_rng(0), [1, 1, 1, 2, 1, 1])
    assert found.estimate[3] == pytest.approx(np.log(2), abs=0.1)
    assert found.verdict(MARGIN).tolist() == [1, 1, 1, 2, 1, 1]
    assert found.n_clusters.tolist() == [8] * 6


def test_who_drew_most_does_not_say_what_is_usual():
    rng = np.random.default_rng(8)
    owner = np.repeat([0, 1, 2], [40, 6, 6])
    y = np.where(owner == 0, 2.0, 1.0)[:, None] * rng.standard_normal((52, 800))
    track = track_jitter(y.ravel(), np.tile(np.arange(800), 52), np.arange(53) * 800)
    found = fleet_jitter(track, owner, 3)
    np.testing.assert_allclose(found.estimate, [np.log(2), 0, 0], atol=0.15)


def test_no_jitter_at_all_says_nothing():
    found = fleet(np.random.default_rng(1), [1, 0, 1])
    assert found.n_clusters[1] == 0
    assert found.verdict(MARGIN)[1] == 0


@given(seed=SEEDS)
def test_steps_are_the_sharpest_of_neighbouring_alarms(seed):
    values, frame, starts = oracle.ragged(seed, k=1)
    found = find_steps(values[:, 0], frame, starts, tolerance=0.5, z_step=2.0)
    n = 0
    for (i, _), points in oracle.series_of(values, frame, starts):
        size = oracle.step_differences(points)
        z = oracle.normalised(size, tolerance=0.5)
        sudden = oracle.abrupt(points, size)
        alarms = {f for f in sudden if z[f] > 2 and abs(size[f]) > 0.5}
        mine = found.series == i
        assert found.n_frames[i] == len(size)
        assert found.n_steps[i] == mine.sum()
        assert bool(alarms) == mine.any()
        for f, d, height in zip(found.frame[mine], found.size[mine], found.z[mine], strict=True):
            assert f in alarms
            assert d == pytest.approx(size[f])
            assert height == pytest.approx(z[f])
        if alarms:
            sharp = oracle.mean_differences(points)
            sharpest = max(alarms, key=lambda f: abs(sharp[f]))
            assert sharpest in found.frame[mine]
        n += mine.sum()
    assert n == len(found.frame)


def test_a_box_that_jumps_is_one_event_with_all_its_edges():
    rng = np.random.default_rng(2)
    y = rng.standard_normal((200, 4))
    y[120:] += [15, 0, -15, 0]
    found = find_steps(y, np.arange(200), [0, 200])
    assert found.frame.tolist() == [120]
    np.testing.assert_allclose(found.size[0], [15, 0, -15, 0], atol=2)


def test_there_and_back_are_two_events():
    y = np.random.default_rng(3).standard_normal(200)
    y[100:107] += 30
    found = find_steps(y, np.arange(200), [0, 200])
    assert np.sign(found.size).tolist() == [1, -1]
    assert np.abs(found.frame - [100, 107]).max() <= 1


def test_two_jumps_the_same_way_are_two_events():
    y = np.random.default_rng(9).standard_normal(300)
    y[100:] += 30
    y[125:] += 30
    assert find_steps(y, np.arange(300), [0, 300]).frame.tolist() == [100, 125]


def test_a_step_needs_the_tolerance_and_more_than_a_grid_step():
    y = np.zeros(100)
    y[50:] = 1.0
    at = np.arange(100), [0, 100]
    assert find_steps(y, *at, tolerance=0.3).n_steps.tolist() == [1]
    assert find_steps(y, *at, tolerance=0.4).n_steps.tolist() == [0]
    assert find_steps(y, *at, tolerance=0.3, grid=1.0).n_steps.tolist() == [0]
    assert find_steps(5 * y, *at, grid=0.5).frame.tolist() == [50]


def jumping(n_tracks, jumpers, size=20.0):
    y = np.random.default_rng(4).standard_normal((n_tracks, 100))
    for one in range(jumpers):
        y[one, 50 + one % 2 :] += size
    frame, starts = np.tile(np.arange(100), n_tracks), np.arange(n_tracks + 1) * 100
    return find_steps(y.ravel(), frame, starts), frame, starts


@pytest.mark.parametrize(
    ("n_tracks", "jumpers", "cut"), [(6, 3, True), (6, 2, False), (2, 2, False), (3, 3, True)]
)
def test_half_of_the_tracks_jump_alike_where_the_camera_was_cut(n_tracks, jumpers, cut):
    found, frame, starts = jumping(n_tracks, jumpers)
    assert found.n_steps.sum() == jumpers
    marked = mark_cuts(found, frame, starts, np.zeros(n_tracks, int))
    assert marked.cut.tolist() == [cut] * jumpers
    assert marked.n_steps.sum() == (0 if cut else jumpers)
    apart = mark_cuts(found, frame, starts, np.arange(n_tracks))
    assert not apart.cut.any()


@pytest.mark.parametrize(
    ("way", "when", "cut"),
    [
        ([1, 1, -1, -1, 0], [50] * 5, False),
        ([1, 1, 1, -1, 0], [50] * 5, True),
        ([1, 1, 1, 1, 0], [20, 35, 50, 65, 50], False),
    ],
)
def test_tracks_that_jump_apart_or_against_each_other_are_no_cut(way, when, cut):
    frame, starts = np.tile(np.arange(100), 5), np.arange(6) * 100
    y = np.random.default_rng(5).standard_normal((5, 100))
    y += 20 * np.array(way)[:, None] * (np.arange(100) >= np.array(when)[:, None])
    found = find_steps(y.ravel(), frame, starts)
    assert len(found.frame) == 4
    marked = mark_cuts(found, frame, starts, np.zeros(5, int))
    assert marked.cut.tolist() == [cut and one > 0 for one in way[:4]]


@given(seed=SEEDS)
def test_cuts_equal_plain_counting(seed):
    rng = np.random.default_rng(seed)
    s, n = 12, 30
    length = rng.integers(0, 40, s)
    starts = np.append(0, np.cumsum(length))
    frame = np.concatenate([rng.integers(10) + np.arange(m) for m in length]).astype(int)
    video = rng.integers(0, 2, s)
    row = rng.integers(0, max(starts[-1], 1), n if starts[-1] else 0)
    series = np.repeat(np.arange(s), length)[row]
    size = rng.choice([-9.0, 0.0, 9.0, np.nan], (len(row), 2))
    none = np.zeros(len(row))
    events = Steps(series=series, frame=frame[row], size=size, z=none, cut=none > 0,
                   n_steps=np.bincount(series, minlength=s), n_frames=length)  # fmt: skip
    marked = mark_cuts(events, frame, starts, video)
    for e in range(len(row)):
        here, f = video[series[e]], frame[row[e]]
        view = [
            i
            for i in np.flatnonzero((video == here) & (length > 0))
            if frame[starts[i]] <= f <= frame[starts[i + 1] - 1]
        ]
        expected = False
        for column in range(2):
            tracks = {
                series[o]
                for o in range(len(row))
                if video[series[o]] == here
                and abs(frame[row[o]] - f) <= 2
                and size[o, column] == size[e, column] != 0
            }
            expected |= len(view) >= 3 and len(tracks) >= 0.5 * len(view)
        assert marked.cut[e] == expected
    assert marked.n_steps.sum() == (~marked.cut).sum()


@given(seed=SEEDS)
def test_spikes_equal_the_formula(seed):
    values, frame, starts = oracle.ragged(seed, k=1, lost=0.03)
    found = find_spikes(values[:, 0], frame, starts, tolerance=0.1, z_spike=3.0)
    for (i, _), points in oracle.series_of(values, frame, starts):
        size = oracle.spike_differences(points)
        z = oracle.normalised(size)
        mine = found.series == i
        expected = sorted(f for f in size if z[f] > 3 and abs(size[f]) > 0.3)
        assert found.frame[mine].tolist() == expected
        assert found.n_frames[i] == len(size)
        assert found.n_spikes[i] == len(expected)
        np.testing.assert_allclose(found.size[mine], [size[f] for f in expected])


def test_spikes_are_judged_as_a_rate_over_tracks():
    y = np.random.default_rng(6).standard_normal((10, 104))
    y[::2, 50] += 40
    found = find_spikes(y.ravel(), np.tile(np.arange(104), 10), np.arange(11) * 104)
    rate = spike_rate(found, np.zeros(10, int), 1)
    assert rate.estimate[0] == pytest.approx(5 / 1000)
    assert rate.low[0] < 0.005 < rate.high[0]
    assert rate.n_clusters[0] == 10


def test_innovations_show_a_jump_without_gold():
    frame = np.arange(60)
    rng = np.random.default_rng(7)
    x = 4.0 * frame + 0.1 * rng.standard_normal(60)
    x[30] += 12
    found = find_spikes(innovations(x, frame, [0, 60]), frame, [0, 60])
    assert found.frame.tolist() == [30, 31, 32]
    gap = innovations(x, np.where(frame > 20, frame + 3, frame), [0, 60])
    assert np.isnan(gap[[0, 1, 21, 22]]).all()
    assert np.isfinite(gap[23:]).all()
