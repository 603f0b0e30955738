"""Padding or scaling, against a plain fit of one group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annqc.infer.padding import LABELS, padding


def by_hand(offset, side, tolerance, cluster, floor=0.0):
    """Fit one group: reweighting, then cluster sums of scores between two slices of bread."""
    rows = list(zip(offset, side, tolerance, cluster, strict=True))
    z = np.array([[1 / t, s / t] for _, s, t, _ in rows])
    u = np.array([o / t for o, _, t, _ in rows])
    w = np.ones(len(u))
    for _ in range(15):
        beta = np.linalg.solve(z.T @ (w[:, None] * z), z.T @ (w * u))
        r = u - z @ beta
        scale = max(1.4826 * float(np.median(np.abs(r))), 0.75 * floor)
        w = np.array([1.0 if abs(one) <= 2 * scale else 2 * scale / abs(one) for one in r])
    inside = np.abs(r) <= 2 * scale
    bread = np.linalg.inv(z[inside].T @ z[inside])
    names = sorted(set(cluster))
    meat = np.zeros((2, 2))
    for name in names:
        mine = np.array([g == name for g in cluster])
        score = (z[mine] * (w * r)[mine, None]).sum(axis=0)
        meat += np.outer(score, score)
    g = len(names)
    v = g / (g - 2) * bread @ meat @ bread
    half = stats.t.ppf(0.975, g - 2) * np.sqrt(np.diag(v))
    t2 = beta @ np.linalg.solve(v, beta)
    p = stats.f.sf(t2 * (g - 3) / (2 * (g - 2)), 2, g - 3)
    return beta, half, p


def drawn(seed, a, p, *, n_clusters=20, each=4, sd=1.0, spread=0.5):
    rng = np.random.default_rng(seed)
    n = n_clusters * each
    side = np.exp(rng.normal(4.5, spread, n))
    tolerance = np.maximum(1, 0.02 * side)
    return a + p * side + sd * tolerance * rng.standard_t(3, n), side, tolerance, np.arange(n) // 4


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), a=st.floats(-5, 5), p=st.floats(-0.05, 0.05))
def test_equals_a_plain_fit(seed, a, p):
    sets = [drawn(seed + k, a, p, n_clusters=18 + k) for k in range(3)]
    group = np.repeat([0, 1, 2], [len(one[0]) for one in sets])
    order = np.random.default_rng(seed).permutation(len(group))
    stacked = [np.concatenate(x)[order] for x in zip(*sets, strict=True)]
    found = padding(*stacked, group[order], 3)
    for k, one in enumerate(sets):
        beta, half, joint = by_hand(*one)
        assert [found.additive[k], found.share[k]] == pytest.approx(beta, rel=1e-6, abs=1e-9)
        assert found.additive_high[k] - found.additive[k] == pytest.approx(half[0], rel=1e-6)
        assert found.share[k] - found.share_low[k] == pytest.approx(half[1], rel=1e-6)
        assert found.p_value[k] == pytest.approx(joint, rel=1e-5, abs=1e-300)
        sure = abs(beta) > half
        names = {(0, 0): "UNRESOLVED", (1, 0): "ADDITIVE", (0, 1): "PROPORTIONAL", (1, 1): "BOTH"}
        assert found.label[k] == names[int(sure[0]), int(sure[1])]
        assert found.n_clusters[k] == 18 + k


@pytest.mark.parametrize(
    ("a", "p", "label"),
    [(4.0, 0.0, "ADDITIVE"), (0.0, 0.05, "PROPORTIONAL"), (4.0, -0.04, "BOTH")],
)
def test_tells_what_was_planted(a, p, label):
    found = padding(*drawn(3, a, p, n_clusters=60, sd=0.3), np.zeros(240, dtype=int), 1)
    assert found.label[0] == label
    assert found.additive_low[0] <= a <= found.additive_high[0]
    assert found.share_low[0] <= p <= found.share_high[0]
    assert found.p_value[0] < 1e-6


@pytest.mark.parametrize("changed", [{"n_clusters": 14}, {"spread": 0.1}])
def test_is_not_separable_without_clusters_or_sizes(changed):
    rows = drawn(4, 3.0, 0.0, **changed)
    found = padding(*rows, np.zeros(len(rows[0]), dtype=int), 2)
    assert found.label.tolist() == ["NOT_SEPARABLE"] * 2
    assert np.isnan([found.additive[0], found.share_high[0], found.p_value[0]]).all()
    assert found.n.tolist() == [len(rows[0]), 0]


def test_rows_that_are_not_usable_are_left_out_and_order_is_not_asked():
    offset, side, tolerance, cluster = drawn(5, 2.0, 0.02)
    group = np.zeros(len(offset), dtype=int)
    with_gap = offset.copy()
    with_gap[7] = np.nan
    kept = np.arange(len(offset)) != 7
    found = padding(with_gap, side, tolerance, cluster, group, 1)
    rows = (offset[kept], side[kept], tolerance[kept], cluster[kept], group[kept])
    assert found.additive[0] == padding(*rows, 1).additive[0]


def test_whole_pixels_do_not_make_it_sure():
    side = np.exp(np.random.default_rng(6).normal(4.5, 0.5, 80))
    offset = np.zeros(80)
    offset[::16] = 1.0
    rows = (offset, side, np.ones(80), np.arange(80) // 4, np.zeros(80, dtype=int))
    found = padding(*rows, 1, grid=1.0)
    assert found.label[0] == "UNRESOLVED"
    beta, _, _ = by_hand(*rows[:4], floor=1.0)
    assert found.additive[0] == pytest.approx(beta[0])


def test_every_label_is_explained():
    assert set(LABELS) == {"ADDITIVE", "PROPORTIONAL", "BOTH", "UNRESOLVED", "NOT_SEPARABLE"}
