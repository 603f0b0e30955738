"""Jumps without gold, jumps of those who stood still, and what is left of a lag."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.temporal.drift import track_drift
from annqc.infer.temporal.lag import without_lag
from annqc.infer.temporal.leaps import find_leaps
from annqc.infer.temporal.steps import find_steps
from tests.calibration.tracks import autoregressive, flat, interpolated, trailing, trajectories

SEEDS = st.integers(0, 10_000)


def noisy(rng, n, t, kind="normal", rho=0.0, sd=1.0):
    noise = autoregressive(rng, 4 * n, t, rho, kind=kind, sd=sd)
    return trajectories(rng, n, t, columns=4) + noise.reshape(n, 4, t).transpose(0, 2, 1)


@pytest.mark.parametrize(
    ("kind", "rho", "sd"), [("normal", 0, 1), ("t3", 0, 1.7), ("normal", 0.8, 1), ("t3", 0, 4)]
)
def test_noise_does_not_leap(kind, rho, sd):
    boxes = noisy(np.random.default_rng(0), 200, 200, kind, rho, sd)
    assert (find_leaps(*flat(boxes), tolerance=1.0).n_steps > 0).mean() <= 0.02


def test_a_leap_that_stays_is_seen_where_it_is():
    boxes = noisy(np.random.default_rng(1), 100, 120)
    boxes[:, 70:] += [25, 0, 25, 0]
    found = find_leaps(*flat(boxes), tolerance=2.0)
    right = np.abs(found.frame - 70) <= 1
    assert len(np.unique(found.series[right])) >= 90
    assert right.all()
    assert np.median(found.size[:, 0]) == pytest.approx(25, abs=1)
    assert not found.cut.any()


def test_setting_off_stopping_and_a_single_spike_are_no_leap():
    at = np.arange(120)
    rng = np.random.default_rng(2)
    ways = np.stack(
        [
            8.0 * np.maximum(at - 60, 0),
            8.0 * np.minimum(at, 60),
            8.0 * np.abs(at - 60),
            3.0 * at + 40 * (at == 60),
        ]
    )
    found = find_leaps(*flat(ways + 0.3 * rng.standard_normal(ways.shape)), tolerance=1.0)
    assert found.n_steps.tolist() == [0] * 4


@given(seed=SEEDS, v=st.floats(-20, 20), shift=st.floats(-500, 500))
def test_constant_motion_makes_no_difference(seed, v, shift):
    at = np.arange(80)
    x = np.random.default_rng(seed).standard_normal(80) + 30 * (at >= 33)
    one, other = find_leaps(x, at, [0, 80]), find_leaps(x + v * at + shift, at, [0, 80])
    assert one.frame.tolist() == other.frame.tolist()
    np.testing.assert_allclose(other.size, one.size, atol=1e-6)


def test_gaps_and_short_tracks_are_survived():
    frame = np.concatenate([np.arange(40), np.arange(200, 240), np.arange(6)])
    x = np.where(frame >= 200, 900.0, 0.0)
    found = find_leaps(x, frame, [0, 80, 86])
    assert found.n_steps.tolist() == [0, 0]
    assert find_leaps(np.empty((0, 4)), [], [0]).n_steps.tolist() == []


@pytest.mark.parametrize("jit", [0.0, 0.5])
def test_who_interpolates_what_stood_still_does_not_jump(jit):
    """Most differences are nought, so that any motion later on was infinitely many of them."""
    rng, t = np.random.default_rng(3), np.arange(150)
    rows = []
    for _ in range(500):
        moved = np.clip(t - int(150 * rng.uniform(0.5, 0.8)), 0, None)
        rows.append(2 * moved + 3 * np.sin(moved / 6))
    gold = np.array(rows)[..., None]
    boxes = interpolated(gold + jit * rng.standard_normal(gold.shape), 15)
    found = find_steps(*flat((boxes - gold)[..., 0]), tolerance=1.6)
    assert np.abs(boxes - gold).max() > 1.6
    assert (found.n_steps > 0).mean() <= 0.02


def test_a_still_track_that_jumps_still_does():
    y = np.zeros(100)
    y[60:] = 5.0
    assert find_steps(y, np.arange(100), [0, 100], tolerance=1.0).frame.tolist() == [60]


@pytest.mark.parametrize("lag", [1, 2.5, -2])
def test_the_offset_of_a_late_box_without_its_lag_is_its_noise(lag):
    at = np.arange(300.0)
    gold = 80 * np.stack([np.sin(at / 9), np.cos(at / 14), np.sin(at / 9), np.cos(at / 14)], axis=1)
    then = at - lag
    late = 80 * np.stack([np.sin(then / 9), np.cos(then / 14)] * 2, axis=1)
    way = np.array([-1, -1, 1, 1])
    left = without_lag(way * (late - gold), gold, at, [0, 300], lag, outward=True)
    assert np.nanmax(np.abs(left)) < (0.15 if lag % 1 else 1e-9)
    assert np.isnan(left[:, 0]).sum() == np.ceil(abs(lag))
    kept = without_lag(late - gold, gold, at, [0, 300], np.array([0.0]))
    np.testing.assert_array_equal(kept, late - gold)


def test_drift_can_be_told_of_a_late_box_once_its_lag_is_out():
    """Two frames late, the offset wanders with the velocity, and nothing else can be seen."""
    rng = np.random.default_rng(4)
    now, then = trailing(trajectories(rng, 400, 122, columns=1), 2)
    y, frame, starts = flat(then + autoregressive(rng, 400, 120, 0.8)[..., None] - now)
    left = without_lag(y, flat(now)[0], frame, starts, 2.0)
    told, again = (track_drift(x, frame, starts) for x in (y, left))
    assert told.enough.mean() < 0.1
    assert again.enough.mean() > 0.7
    assert (again.p_bias() < 0.05).mean() < 0.07
