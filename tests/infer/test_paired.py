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
    residuals, shares = [], []
    for g in range(4):
        x1 = sum(e for e, c in zip(new[0], new[2], strict=True) if c == g)
        x0 = sum(e for e, c in zip(old[0], old[2], strict=True) if c == g)
        n1, n0 = new[2].count(g), old[2].count(g)
        residuals.append((x1 - ratio_new * n1) / 7 - (x0 - ratio_old * n0) / 6)
        shares.append(abs(n1 / 7 - n0 / 6))
    variance = 4 / 3 * sum(one**2 for one in residuals)
    n_eff = [n / (1 + (n / 4 - 1) * 0.3) for n in (7, 6)]
    p = 10 / 13
    se = math.sqrt(max(variance, sum(shares) / 2 * p * (1 - p) * sum(1 / n for n in n_eff)))
    assert se == math.sqrt(variance)
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
    assert gone.p_worse(0.01)[0] == 0.5**8
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


def trials(draws):
    """Lay (group, cluster, trial) out as events, groups and clusters."""
    a, g, n = draws.shape
    group = np.repeat(np.arange(a), g * n)
    return draws.ravel().astype(float), group, np.tile(np.repeat(np.arange(g), n), a)


def test_clusters_are_those_of_each_delivery():
    """A baseline with two clusters is two clusters of evidence, however many the new one has."""
    new = [1, 1, 0, 1, 1, 1], [0] * 6, [0, 1, 2, 3, 4, 5]
    old = [1, 1, 0, 1], [0] * 4, [0, 0, 1, 1]
    found = ratio_change(new, old, 1)
    assert (found.n_clusters[0], found.df[0]) == (2, 1)
    z_new = [math.sqrt(6 / 5) * (x - 5 / 6) / 6 for x in new[0]]
    z_old = [math.sqrt(2) * (x - 2 * 0.75) / 4 for x in (2, 1)] + [0] * 4
    variance = sum((a - b) ** 2 for a, b in zip(z_new, z_old, strict=True))
    unlike = (2 * (1 / 2 - 1 / 6) + 4 / 6) / 2
    least = unlike * 0.8 * 0.2 * (1 / 6 + 1 / (4 / 1.3))
    assert found.se[0] == pytest.approx(math.sqrt(max(variance, least)))


@pytest.mark.parametrize("k", [5, 10, 20])
def test_a_baseline_on_few_of_the_images_does_not_accuse(k):
    rng = np.random.default_rng(6)
    old, new = (rng.random((2000, g, 3)) < 0.9 for g in (k, 30))
    found = ratio_change(trials(new), trials(old), 2000)
    assert (found.n_clusters == k).all()
    assert (found.p_worse(0.01) <= 0.05).mean() <= 0.05


@pytest.mark.parametrize(("recall", "objects"), [(0.5, 2), (0.8, 3), (0.9, 5)])
def test_of_many_unchanged_groups_on_few_clusters_none_is_accused(recall, objects):
    rng = np.random.default_rng(7)
    anyone = []
    for _ in range(100):
        old, new = rng.random((2, 200, 5, objects)) < recall
        p = ratio_change(trials(new), trials(old), 200).p_worse(0.01)
        anyone.append((adjusted_holm(p) <= 0.05).any())
    assert np.mean(anyone) <= 0.05


def test_no_p_value_is_smaller_than_that_of_as_many_coins():
    """Clusters that rose, or stayed, are no coins that fell."""
    old = np.ones((1, 9, 2))
    new = old.copy()
    new[0, :4, 0] = 0
    found = ratio_change(trials(new), trials(old), 1)
    assert (found.fell[0], found.rose[0], found.still[0]) == (4, 0, pytest.approx(5 / 9))
    assert found.p_worse(0.0)[0] >= 0.5**4
    back = ratio_change(trials(old), trials(new), 1)
    assert (back.fell[0], back.rose[0]) == (0, 4)
    assert back.p_worse(0.0)[0] == 1.0


def test_what_is_in_one_delivery_alone_moves_against_the_ratio_of_both():
    new = [1, 1, 0], [0] * 3, [0, 1, 2]
    old = [1, 1, 0], [0] * 3, [0, 1, 3]
    found = ratio_change(new, old, 1)
    assert (found.fell[0], found.rose[0]) == (1, 1)
    empty = ratio_change(new, ([1, 1], [0, 0], [0, 1]), 1)
    assert (empty.fell[0], empty.rose[0]) == (1, 0)


CELLS = [
    (5, 5, 0.99, 0.96, 0.0),
    (20, 1, 0.99, 0.97, 0.0),
    (20, 3, 0.99, 0.97, 0.0),
    (60, 5, 0.995, 0.99, 0.0),
    (10, 5, 0.95, 0.90, 0.5),
    (20, 5, 0.98, 0.95, 0.5),
    (60, 5, 0.95, 0.90, 0.5),
    (8, 3, 0.98, 0.93, 0.3),
]


@pytest.mark.parametrize("cell", CELLS)
def test_the_loss_that_cannot_be_excluded_covers_the_true_one(cell):
    g, n, before, after, icc = cell
    rng = np.random.default_rng(8)

    def draw(p):
        s = 1 / icc - 1 if icc else 0
        q = rng.beta(p * s, (1 - p) * s, (4000, g, 1)) if icc else p
        return rng.random((4000, g, n)) < q

    found = ratio_change(trials(draw(after)), trials(draw(before)), 4000)
    assert (-found.interval(0.95)[0] >= before - after - 1e-12).mean() >= 0.965


def test_where_nothing_changed_the_loss_is_that_of_the_trials_that_missed_it():
    same = trials(np.ones((1, 20, 1)))
    low, high = ratio_change(same, same, 1).interval(0.95)
    assert -low[0] == pytest.approx(1 - 0.025 ** (1 / 20))
    assert high[0] == 0.0


@pytest.mark.parametrize("before", [0.0, 0.1, 0.5])
def test_the_growth_that_cannot_be_excluded_covers_the_true_one(before):
    """Near zero the sign of the estimate says little about that of the truth."""
    rng = np.random.default_rng(9)
    a, g, after = 4000, 10, before + 0.1
    images = np.arange(a * g)
    old, new = (b + rng.standard_normal((a * g, 1)) for b in (before, after))
    found = bias_change(new, old, group=images // g, cluster=images, n_groups=a)
    assert (found.high[:, 0] >= after - before).mean() >= 0.972
    assert (found.low <= found.change).all()
    assert (found.change <= found.high).all()
