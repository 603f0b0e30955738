"""Two deliveries side by side: differences of ratios, growth of offsets, Holm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annqc.infer.cht import cluster_location
from annqc.infer.paired import adjusted_holm, bias_change, p_above, ratio_change


def plain_holm(p):
    """Adjust one after the other, the smallest first."""
    tested = sorted((one, at) for at, one in enumerate(p) if not math.isnan(one))
    out, largest = [math.nan] * len(p), 0.0
    for place, (one, at) in enumerate(tested):
        largest = max(largest, one * (len(tested) - place))
        out[at] = min(largest, 1.0)
    return out


@given(st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=10))
def test_holm_is_that_of_its_definition(p):
    np.testing.assert_allclose(adjusted_holm(p), plain_holm(p))


def test_paired_ratio_is_the_paired_t_test():
    rng = np.random.default_rng(1)
    old, new = rng.random(20), rng.random(20)
    group, cluster = np.zeros(20, int), np.arange(20)
    found = ratio_change((new, group, cluster), (old, group, cluster), 1)
    expected = stats.ttest_rel(new, old, alternative="less")
    assert found.change[0] == pytest.approx((new - old).mean())
    assert found.change[0] / found.se[0] == pytest.approx(expected.statistic)
    assert found.p_worse(0.0)[0] == pytest.approx(expected.pvalue)
    low, high = found.interval(0.95)
    wanted = stats.ttest_rel(new, old).confidence_interval(0.95)
    assert (low[0], high[0]) == pytest.approx((wanted.low, wanted.high))


def test_ratio_of_unequal_trials_is_linearised():
    """Against the formula, cluster by cluster, in plain Python."""
    new = ([1, 1, 0, 1, 1, 0, 1], [0] * 7, [0, 0, 0, 1, 2, 2, 3])
    old = ([1, 1, 1, 1, 1, 0], [0] * 6, [0, 0, 1, 1, 2, 3])
    found = ratio_change(new, old, 1)
    ratio_new, ratio_old = 5 / 7, 5 / 6
    residuals = []
    for g in range(4):
        x1 = sum(e for e, c in zip(new[0], new[2], strict=True) if c == g)
        x0 = sum(e for e, c in zip(old[0], old[2], strict=True) if c == g)
        n1, n0 = new[2].count(g), old[2].count(g)
        residuals.append((x1 - ratio_new * n1) / 7 - (x0 - ratio_old * n0) / 6)
    se = math.sqrt(4 / 3 * sum(one**2 for one in residuals))
    assert (found.new[0], found.old[0]) == pytest.approx((ratio_new, ratio_old))
    assert found.se[0] == pytest.approx(se)
    assert found.df[0] == 3
    assert (found.n_new[0], found.n_old[0]) == (7, 6)


def test_groups_do_not_touch_each_other():
    rng = np.random.default_rng(2)
    event, group, cluster = rng.random(60), rng.integers(0, 3, 60), rng.integers(0, 9, 60)
    together = ratio_change((event, group, cluster), (event**2, group, cluster), 4)
    for g in range(3):
        rows = group == g
        one = (event[rows], group[rows] * 0, cluster[rows])
        alone = ratio_change(one, (event[rows] ** 2, *one[1:]), 1)
        assert together.se[g] == pytest.approx(alone.se[0])
        assert together.n_clusters[g] == alone.n_clusters[0]
    assert together.n_clusters[3] == 0
    assert np.isnan(together.change[3])
    assert np.isnan(together.p_worse(0.0)[3])


def test_no_change_at_all_passes_and_a_change_without_spread_is_shown():
    group, cluster = np.zeros(8, int), np.arange(8)
    same = ratio_change((np.ones(8), group, cluster), (np.ones(8), group, cluster), 1)
    gone = ratio_change((np.zeros(8), group, cluster), (np.ones(8), group, cluster), 1)
    back = ratio_change((np.ones(8), group, cluster), (np.zeros(8), group, cluster), 1)
    assert same.p_worse(0.01)[0] == 1.0
    assert gone.p_worse(0.01)[0] == 0.0
    assert back.p_worse(0.01)[0] == 1.0
    assert np.isnan(p_above([0.1], [np.nan], [0.0]))[0]


def offsets(rng, bias, n=40):
    return bias + 0.5 * rng.standard_normal(n)[:, None]


def test_growth_is_tested_on_either_side_of_zero():
    rng = np.random.default_rng(3)
    images, margin = np.arange(40), np.full((40, 1), 0.25)
    cells = {(0, 2): True, (0, -2): True, (2, 0): False, (2, -2): False, (-1, 2): True}
    cells |= {(2, 2): False, (-2, 1): False, (0, 0): False}
    for (before, after), worse in cells.items():
        old, new = offsets(rng, before), offsets(rng, after)
        found = bias_change(new, old, group=images * 0, cluster=images, n_groups=1, margin=margin)
        assert (found.p_value[0, 0] < 1e-4) == worse, (before, after)
        assert found.change[0, 0] == pytest.approx(abs(after) - abs(before), abs=0.4)
        assert found.low[0, 0] <= found.change[0, 0] <= found.high[0, 0]


def test_growth_is_the_larger_of_two_one_sided_tests_twice():
    rng = np.random.default_rng(4)
    old, new = offsets(rng, 0.3), offsets(rng, -0.7)
    images, margin = np.arange(40) // 2, np.full((40, 1), 0.1)
    found = bias_change(new, old, group=images * 0, cluster=images, n_groups=1, margin=margin)
    p = []
    for values in (-new + old, -new - old):
        part = cluster_location(images * 0, images, values - 0.1)
        p.append(stats.t.sf(part.estimate[0] / part.se[0], part.df[0]))
    assert found.p_value[0, 0] == pytest.approx(2 * max(p))


def test_only_objects_measured_in_both_count():
    rng = np.random.default_rng(5)
    old, new = offsets(rng, 0.0), offsets(rng, 2.0)
    old[:10], new[35:] = np.nan, np.nan
    images = np.arange(40)
    found = bias_change(new, old, group=images * 0, cluster=images, n_groups=1)
    assert (found.n[0, 0], found.n_clusters[0, 0]) == (25, 25)
    assert np.isnan(found.p_value[0, 0])
    assert found.new[0, 0] == pytest.approx(
        cluster_location(images[:25] * 0, images[:25], new[10:35]).estimate[0, 0]
    )


def test_identical_deliveries_are_no_worse():
    values = np.full((12, 1), 3.0)
    images = np.arange(12)
    found = bias_change(
        values, values, group=images * 0, cluster=images, n_groups=1, margin=values * 0.1, grid=1.0
    )
    assert found.p_value[0, 0] == 1.0
    assert found.change[0, 0] == 0.0
