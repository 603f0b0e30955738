import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annqc.infer.rates import korn_graubard, rate_sums


def paper(x, n, confidence=0.95):
    """Korn and Graubard's interval with scipy.stats, one group."""
    x, n = np.asarray(x, float), np.asarray(n, float)
    x, n = x[n > 0], n[n > 0]
    g, total, tail = len(n), n.sum(), (1 - confidence) / 2
    p = x.sum() / total
    if g < 2:
        effective = min(total, 1.0)
    else:
        v = g / (g - 1) * ((x - p * n) ** 2).sum() / total**2
        effective = total
        if 0 < p < 1 and v > 1e-15:
            ratio = stats.t.isf(tail, total - 1) / stats.t.isf(tail, g - 1)
            effective = min(total, p * (1 - p) / v * ratio**2)
    k = p * effective
    low = stats.beta.ppf(tail, k, effective - k + 1) if k > 0 else 0.0
    high = stats.beta.isf(tail, k + 1, effective - k) if k < effective else 1.0
    return p, low, high


@given(
    trials=st.lists(st.integers(0, 9), min_size=1, max_size=15).filter(lambda n: sum(n) > 0),
    seed=st.integers(0, 10_000),
)
def test_equals_the_paper(trials, seed):
    events = np.random.default_rng(seed).binomial(trials, 0.3)
    rate = korn_graubard(events, trials)
    got = (rate.estimate[0], rate.low[0], rate.high[0])
    np.testing.assert_allclose(got, paper(events, trials), rtol=1e-7, atol=1e-9)


def test_rows_of_a_cluster_are_added_first():
    rows = rate_sums([1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [7, 7, 3, 3], 1).finish()
    clusters = korn_graubard([1, 2], [2, 2])
    assert rows.low[0] == pytest.approx(clusters.low[0])
    assert rows.n_clusters[0] == 2


def test_shards_merge_exactly():
    rng = np.random.default_rng(0)
    n, x = rng.integers(0, 6, 40), rng.integers(0, 2, 40)
    x = np.minimum(x, n)
    group, cluster = rng.integers(0, 3, 40), np.arange(40)
    whole = rate_sums(x, n, group, cluster, 3).finish()
    half = [rate_sums(x[s], n[s], group[s], cluster[s], 3) for s in (slice(0, 20), slice(20, 40))]
    merged = half[0].merge(half[1]).finish()
    np.testing.assert_allclose(merged.low, whole.low)
    np.testing.assert_allclose(merged.high, whole.high)


def test_nothing_tried_is_unknown():
    rate = rate_sums([], [], [], [], 2).finish()
    assert np.isnan(rate.estimate).all()
    assert rate.low.tolist() == [0.0, 0.0]
    assert rate.high.tolist() == [1.0, 1.0]


def test_clustered_events_widen_the_interval():
    spread = korn_graubard([1] * 8, [4] * 8)
    lumped = korn_graubard([4, 4, 0, 0, 0, 0, 0, 0], [4] * 8)
    assert spread.estimate[0] == lumped.estimate[0]
    assert lumped.high[0] - lumped.low[0] > 1.5 * (spread.high[0] - spread.low[0])
