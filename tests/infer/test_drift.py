"""The self-starting CUSUM, against a loop over one sequence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.infer.drift import change_point, cusum, cusum_arl0, cusum_limit, false_alarm, lag_one


def by_hand(x, limit, *, widen=1.0, floor=0.0, k=0.5, n_reference=20):
    """Return alarm, start and peak of one sequence; moments are taken anew at every step."""
    taken, hi, lo = [], 0.0, 0.0
    path, last = [], {"hi": 0, "lo": 0}
    alarm = (-1, -1, "")
    for t, value in enumerate(x):
        kept = value
        if t >= n_reference:
            mean = sum(taken) / t
            sd = math.sqrt(sum((one - mean) ** 2 for one in taken) / (t - 1))
            sd = max(sd, floor, 1e-9)
            u = (value - mean) / (widen * sd * math.sqrt(1 + 1 / t))
            u = min(max(u, -3.0), 3.0)
            last["hi"] = t if hi <= 0 else last["hi"]
            last["lo"] = t if lo <= 0 else last["lo"]
            hi, lo = max(0.0, hi + u - k), max(0.0, lo - u - k)
            path.append({"hi": hi, "lo": lo})
            if alarm[0] < 0 and max(hi, lo) > limit:
                side = "hi" if hi >= lo else "lo"
                alarm = (t, last[side], side)
            kept = min(max(value, mean - 3 * sd), mean + 3 * sd)
        taken.append(kept)
    sides = [alarm[2]] if alarm[2] else ["hi", "lo"]
    return alarm[0], alarm[1], max(one[s] for one in path for s in sides)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shift=st.sampled_from([0.0, 1.0, -2.0, 30.0]),
    widen=st.sampled_from([1.0, 1.3]),
)
def test_equals_a_loop(seed, shift, widen):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(21, 90, 5)
    x = np.full((5, 90), np.nan)
    for row, n in enumerate(lengths):
        x[row, :n] = rng.standard_t(3, n) + shift * (np.arange(n) >= 35)
    found = cusum(x, limit=6.0, widen=widen)
    for row, n in enumerate(lengths):
        alarm, start, peak = by_hand(x[row, :n].tolist(), 6.0, widen=widen)
        assert (found.alarm[row], found.start[row]) == (alarm, start)
        assert found.peak[row] == pytest.approx(peak, rel=1e-9, abs=1e-9)


def test_a_step_is_dated():
    x = np.random.default_rng(1).standard_normal((200, 80))
    x[:, 40:] += 4.0
    found = cusum(x, limit=8.0)
    assert (found.alarm >= 40).mean() > 0.98
    assert (found.start <= 40).mean() > 0.98
    rows = zip(x, found.start, found.alarm, strict=True)
    dated = np.array([change_point(*one) for one in rows])
    assert (dated == 40).mean() > 0.9
    assert (np.abs(dated - 40) <= 1).mean() > 0.98


@settings(max_examples=50, deadline=None)
@given(
    x=st.lists(st.floats(-10, 10), min_size=12, max_size=40),
    start=st.integers(1, 8),
    extra=st.integers(0, 3),
)
def test_a_change_is_dated_by_least_squares(x, start, extra):
    alarm = start + extra

    def left_over(at):
        parts = (x[:at], x[at : alarm + 10])
        return sum(sum((one - sum(part) / len(part)) ** 2 for one in part) for part in parts)

    best = min(left_over(at) for at in range(max(start, 1), alarm + 1))
    assert left_over(change_point(x, start, alarm)) == pytest.approx(best, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_units_origin_and_direction_do_not_matter(seed, scale, shift):
    x = np.random.default_rng(seed).standard_normal((3, 60))
    first, again = cusum(x, limit=4.0), cusum(shift - scale * x, limit=4.0)
    assert first.alarm.tolist() == again.alarm.tolist()
    assert first.start.tolist() == again.start.tolist()
    assert again.peak == pytest.approx(first.peak, rel=1e-5, abs=1e-6)


def test_nothing_is_watched_before_the_reference_is_full():
    x = np.zeros((2, 25))
    x[:, 10:] = 50.0
    x[1, 20:] = np.nan
    found = cusum(x, limit=5.0)
    assert found.alarm.tolist() == [-1, -1]
    assert np.isnan(found.peak[1])


def test_rounding_is_no_change():
    x = np.zeros((1, 60))
    x[0, 30:40] = 0.25
    assert cusum(x, limit=5.0).alarm[0] > 0
    assert cusum(x, limit=5.0, floor=0.29).alarm[0] == -1


@pytest.mark.parametrize("n", [40, 500, 25_000])
def test_the_limit_is_the_smallest_that_holds(n):
    limit = cusum_limit(n)
    assert 1 - math.exp(-n / cusum_arl0(0.5, limit)) == pytest.approx(0.05, abs=1e-9)
    assert float(false_alarm(limit, n)) == pytest.approx(0.05, abs=1e-9)
    assert cusum_limit(n, chance=0.01) > limit
    assert cusum_limit(2 * n) > limit


def test_neighbours_are_measured():
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((1_000, 100))
    assert lag_one(noise).mean() == pytest.approx(0.0, abs=0.01)
    kept = np.empty_like(noise)
    kept[:, 0] = noise[:, 0]
    for t in range(1, 100):
        kept[:, t] = 0.4 * kept[:, t - 1] + math.sqrt(1 - 0.4**2) * noise[:, t]
    assert lag_one(kept).mean() == pytest.approx(0.4, abs=0.03)
    step = noise + 3.0 * (np.arange(100) >= 50)
    assert lag_one(step).mean() < 0.2
    assert np.isnan(lag_one(np.ones((1, 9)))[0])


def test_likeness_is_one_less_a_ratio_of_differences():
    x = [1.0, 2.0, 4.0, 3.0, 5.0, 2.0, 3.5, 1.0]

    def mean_square(lag):
        size = [abs(b - a) for a, b in zip(x, x[lag:], strict=False)]
        far = 3 * 1.4826 * float(np.median(size))
        return sum(min(one, far) ** 2 for one in size) / len(size)

    found = lag_one([[*x, np.nan]])[0]
    assert found == pytest.approx(1 - mean_square(1) / mean_square(5) + 1.5 / 8, rel=1e-4)
