"""Score tests and slopes of many groups, against loops over one group at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annqc.infer.covariates import place_field, score_hotelling, score_tests, slopes


def by_hand(y, z, cluster):
    """Hotelling's test of the cluster scores, as one would write it on paper."""
    y, z = np.array(y, float), np.array(z, float).reshape(len(y), -1)
    names = sorted(set(cluster))
    scores = []
    for name in names:
        rows = [i for i, one in enumerate(cluster) if one == name]
        scores.append(sum((z[i] - z.mean(axis=0)) * (y[i] - y.mean()) for i in rows))
    g, q = len(names), z.shape[1]
    v = sum(np.outer(s, s) for s in scores)
    total = sum(scores)
    w = float(total @ np.linalg.solve(v, total))
    return float(stats.f.sf(w * (g - q) / (q * (g - w)), q, g - q)), w


def by_clusters(y, z, cluster):
    """Huber's regression of one group, and a Newton step without each cluster."""
    y, z, cluster = np.array(y), np.array(z).reshape(len(y), -1), np.array(cluster)
    own = 1 / (1 + 0.2 * (np.array([(cluster == one).sum() for one in cluster]) - 1))
    x = np.column_stack([np.ones(len(y)), z])
    weight = own
    for _ in range(5):
        beta = np.linalg.solve(x.T @ (weight[:, None] * x), x.T @ (weight * y))
        left = y - x @ beta
        scale = 1.4826 * np.median(np.abs(left))
        weight = own * np.minimum(1, 1.345 * scale / np.abs(left))
    slope = own * (np.abs(left) <= 1.345 * scale)

    def step(rows):
        bread = x[rows].T @ (slope[rows, None] * x[rows])
        return np.linalg.solve(bread, x[rows].T @ (weight * left)[rows])

    whole = step(np.ones(len(y), bool))
    names = np.unique(cluster)
    off = np.array([step(cluster != one) - whole for one in names])
    spread = (len(names) - 1) / len(names) * (off**2).sum(axis=0)
    return (beta + whole)[1:], np.sqrt(spread)[1:]


def data(seed, n_groups=3, n_clusters=12, q=1):
    rng = np.random.default_rng(seed)
    n = 40 * n_groups
    group = rng.integers(0, n_groups, n)
    cluster = rng.integers(0, n_clusters, n)
    return rng.standard_t(3, n), rng.standard_normal((n, q)), cluster, group


@pytest.mark.parametrize("q", [1, 2, 5])
def test_equals_one_group_at_a_time(q):
    y, z, cluster, group = data(1, n_clusters=20, q=q)
    found = score_tests(y, z, cluster, group, 3)
    for one in range(3):
        mine = group == one
        p, w = by_hand(y[mine], z[mine], cluster[mine].tolist())
        assert found.p_value[one] == pytest.approx(p, rel=1e-9)
        assert found.statistic[one] == pytest.approx(w, rel=1e-9)
        assert score_hotelling(y[mine], z[mine], cluster[mine]).p_value == pytest.approx(p)
    assert found.n.tolist() == np.bincount(group).tolist()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e4), shift=st.floats(-1e3, 1e3))
def test_units_and_origin_do_not_matter(seed, scale, shift):
    y, z, cluster, group = data(seed, q=2)
    first = score_tests(y, z, cluster, group, 3)
    again = score_tests(y * scale, z * [scale, 1] + shift, cluster, group, 3)
    assert again.p_value == pytest.approx(first.p_value, rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_and_names_do_not_matter(seed):
    y, z, cluster, group = data(seed, q=2)
    order = np.random.default_rng(seed).permutation(len(y))
    first = score_tests(y, z, cluster, group, 3)
    again = score_tests(y[order], z[order], 7 - 3 * cluster[order], group[order], 3)
    assert again.p_value == pytest.approx(first.p_value, rel=1e-9)
    assert slopes(y, z, cluster, group, 3).se == pytest.approx(
        slopes(y[order], z[order], 7 - 3 * cluster[order], group[order], 3).se
    )


def test_what_is_not_finite_is_left_out():
    y, z, cluster, group = data(3)
    y[5], z[9] = np.nan, np.inf
    kept = np.isfinite(y) & np.isfinite(z[:, 0])
    found = score_tests(y, z, cluster, group, 3)
    expected = score_tests(y[kept], z[kept], cluster[kept], group[kept], 3)
    assert found.p_value.tolist() == expected.p_value.tolist()
    assert found.n.sum() == len(y) - 2


def test_nothing_is_tested_without_variation_or_with_too_few_clusters():
    y, z, cluster, group = data(4, n_groups=4)
    z[group == 0] = 0.1
    y[group == 1] = 0.3
    cluster[group == 2] %= 7
    found = score_tests(y, z, cluster, group, 5)
    assert np.isnan(found.p_value[[0, 1, 4]]).all()
    assert np.isfinite(found.p_value[[2, 3]]).all()
    assert found.enough.tolist() == [False, False, False, True, False]
    assert found.n_clusters[[2, 4]].tolist() == [7, 0]


def test_five_covariates_take_fifteen_clusters():
    y, z, cluster, group = data(5, n_groups=1, n_clusters=14, q=5)
    assert not score_tests(y, z, cluster, group, 1).enough[0]
    assert score_tests(y, z, np.arange(len(y)) % 15, group, 1).enough[0]


def test_a_covariate_that_repeats_another_counts_once():
    y, z, cluster, group = data(6)
    twice = np.concatenate([z, 3 * z - 1], axis=1)
    found, once = (score_tests(y, x, cluster, group, 3) for x in (twice, z))
    assert found.rank.tolist() == [1, 1, 1]
    assert found.p_value == pytest.approx(once.p_value, rel=1e-6)


@pytest.mark.parametrize("q", [1, 5])
def test_slopes_equal_one_group_at_a_time(q):
    y, z, cluster, group = data(7, n_clusters=18, q=q)
    z = 50 + 3 * z
    found = slopes(y, z, cluster, group, 3)
    for one in range(3):
        mine = group == one
        estimate, se = by_clusters(y[mine], z[mine], cluster[mine])
        assert found.estimate[one] == pytest.approx(estimate, rel=1e-5)
        assert found.se[one] == pytest.approx(se, rel=1e-5)
        assert found.df[one] == len(np.unique(cluster[mine])) - 1


def test_a_line_is_found_exactly():
    _, z, cluster, group = data(8)
    found = slopes(2 - 0.5 * z[:, 0], z, cluster, group, 3)
    assert found.estimate[:, 0] == pytest.approx(-0.5)
    assert found.se[:, 0] == pytest.approx(0.0, abs=1e-9)
    flat = slopes(z[:, 0], np.ones(len(z)), cluster, group, 3)
    assert np.isnan(flat.estimate).all()


def test_slopes_are_not_moved_by_a_few_and_are_not_shrunk_by_a_steep_line():
    rng = np.random.default_rng(9)
    n = 600
    z, cluster, group = rng.uniform(-1, 1, n), np.arange(n) // 4, np.arange(n) % 2
    y = np.where(group == 0, 20.0, 0.0) * z + rng.standard_normal(n)
    y[::21] += 300.0
    found = slopes(y, z, cluster, group, 2)
    assert (np.abs(found.estimate[:, 0] - [20.0, 0.0]) < 2.5 * found.se[:, 0]).all()
    assert (found.se < 0.3).all()


def test_the_field_is_five_smooth_shapes():
    field = place_field([0.0, 1.0, -0.5], [0.0, -1.0, 0.5])
    assert field[0] == pytest.approx([0, 0, -1 / 3, 0, -1 / 3])
    assert field[1] == pytest.approx([1, -1, 2 / 3, -1, 2 / 3])
    assert field[2] == pytest.approx([-0.5, 0.5, -1 / 12, -0.25, -1 / 12])
