import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annqc.infer.rates import (
    beyond_together,
    korn_graubard,
    p_of_t,
    rate_sums,
    ratio_of_clusters,
)


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


def excludes(events, trials, limit, tail, *, at_least):
    _, low, high = paper(events, trials, 1 - 2 * tail)
    return high < limit if at_least else low > limit


@given(
    trials=st.lists(st.integers(0, 9), min_size=2, max_size=15).filter(lambda n: sum(n) > 0),
    seed=st.integers(0, 10_000),
    limit=st.sampled_from([0.05, 0.3, 0.6, 0.95]),
    at_least=st.booleans(),
)
def test_the_p_value_is_the_tail_at_which_the_interval_touches_the_limit(
    trials, seed, limit, at_least
):
    events = np.random.default_rng(seed).binomial(trials, 0.4)
    sums = rate_sums(events, trials, np.zeros(len(trials)), np.arange(len(trials)), 1)
    p = float(sums.p_beyond(limit, at_least=at_least)[0])
    if p == 1:
        assert not excludes(events, trials, limit, 0.2499, at_least=at_least)
        return
    assert p <= 0.25
    if 1e-9 < p < 0.2499:
        assert excludes(events, trials, limit, p * 1.0001, at_least=at_least)
        assert not excludes(events, trials, limit, p * 0.9999, at_least=at_least)


def test_the_p_value_of_independent_trials_is_the_binomial():
    sums = rate_sums([7], [10], [0], [0], 1)
    one = rate_sums([1] * 7 + [0] * 3, [1] * 10, np.zeros(10), np.arange(10), 1)
    # with one row a cluster the effective size is below ten by t alone, so never smaller
    exact = stats.binom.cdf(7, 10, 0.95)
    assert one.p_beyond(0.95, at_least=True)[0] >= exact
    nothing_wrong = rate_sums([3, 3], [3, 3], [0, 0], [0, 1], 1)
    assert nothing_wrong.p_beyond(0.5, at_least=False)[0] == pytest.approx(0.5**6)
    assert sums.p_beyond(0.5, at_least=True)[0] == 1  # one cluster says nothing


def test_limits_at_the_ends():
    sums = rate_sums([0, 1, 0], [5, 5, 5], [0, 0, 0], [0, 1, 2], 1)
    assert sums.p_beyond(0.0, at_least=False).tolist() == [0.0]
    assert sums.p_beyond(1.0, at_least=True).tolist() == [0.0]
    assert sums.p_beyond(0.0, at_least=True).tolist() == [1.0]
    empty = rate_sums([], [], [], [], 2)
    assert empty.p_beyond(0.5, at_least=True).tolist() == [1.0, 1.0]


def test_p_of_t_is_that_of_the_tables():
    p = p_of_t([0.8, 0.8, 0.8], [0.05, 0.05, np.nan], [7, 7, 7], 0.9, at_least=True)
    assert p[0] == pytest.approx(stats.t.cdf(-2, 7))
    assert np.isnan(p[2])
    other = p_of_t([0.8], [0.05], [7], 0.9, at_least=False)
    assert other[0] == pytest.approx(1 - p[0])
    assert p_of_t([0.9], [0.0], [7], 0.9, at_least=True)[0] == pytest.approx(0.5)
    assert p_of_t([0.8], [0.0], [7], 0.9, at_least=True)[0] == 0


@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    level=st.sampled_from([0.8, 0.95, 0.99]),
)
def test_many_groups_fail_only_if_benjamini_and_hochberg_say_so(p, level):
    tail = (1 - level) / 2
    alone = [one <= tail for one in p]
    got, adjusted = beyond_together(p, alone, confidence=level)
    order = sorted(p)
    ranks = [k for k, one in enumerate(order, 1) if one <= tail * k / len(p)]
    largest = order[ranks[-1] - 1] if ranks else -1.0
    clear = [abs(one - largest) > 1e-9 or one == largest for one in p]
    assert all(got[k] == (one <= largest) for k, one in enumerate(p) if clear[k])
    assert (np.asarray(adjusted) >= np.minimum(p, 1) - 1e-15).all()


@pytest.mark.parametrize("p", [1e-6, 0.02, 0.0249, 0.3])
def test_one_group_alone_is_judged_by_its_interval(p):
    got, _ = beyond_together([p, np.nan], [p < 0.025, False], confidence=0.95)
    assert got.tolist() == [p < 0.025, False]


def clustered(rng, rate, n_groups, n_images=30, boxes=6, icc=0.1):
    """Events of binomials whose rate varies from image to image."""
    strength = 1 / icc - 1
    p = rng.beta(rate * strength, (1 - rate) * strength, (n_groups, n_images))
    return rng.binomial(boxes, p).ravel(), np.full(n_groups * n_images, boxes)


def failures(rng, rates, limit, reps, n_images=30):
    """Share of runs in which any group fails, and in which the first does."""
    n = len(rates)
    any_failed = first_failed = 0
    for _ in range(reps):
        parts = [clustered(rng, rate, 1, n_images) for rate in rates]
        events = np.concatenate([part[0] for part in parts])
        trials = np.concatenate([part[1] for part in parts])
        group = np.repeat(np.arange(n), n_images)
        sums = rate_sums(events, trials, group, np.arange(len(events)), n)
        alone = sums.finish().high < limit
        p = sums.p_beyond(limit, at_least=True, largest=0.025)
        bad, _ = beyond_together(p, alone, confidence=0.95)
        any_failed += bool(bad.any())
        first_failed += bool(bad[0])
    return any_failed / reps, first_failed / reps


def test_of_many_groups_at_the_limit_hardly_any_run_fails():
    reps = 150
    any_failed, _ = failures(np.random.default_rng(5), [0.9] * 200, 0.9, reps)
    assert any_failed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)


def test_one_group_far_beyond_is_found_among_many():
    rates = [0.6] + [0.95] * 199
    _, found = failures(np.random.default_rng(6), rates, 0.9, 20)
    assert found == 1.0


def ratio_on_paper(above, below, cluster):
    sums = {}
    for s, d, g in zip(above, below, cluster, strict=True):
        old = sums.get(g, (0.0, 0.0))
        sums[g] = (old[0] + s, old[1] + d)
    used = [pair for pair in sums.values() if pair[1] > 0]
    total = sum(d for _, d in used)
    r = sum(s for s, _ in used) / total
    n = len(used)
    variance = n / (n - 1) * sum((s - r * d) ** 2 for s, d in used) / total**2
    return r, variance**0.5, n - 1


@given(seed=st.integers(0, 10_000), n=st.integers(6, 40))
def test_a_ratio_is_that_on_paper(seed, n):
    rng = np.random.default_rng(seed)
    below = rng.uniform(0.5, 4, n)
    above = below * rng.uniform(0.2, 1, n)
    cluster = np.concatenate([np.arange(3), rng.integers(0, 8, n - 3)])
    got = ratio_of_clusters(above, below, np.zeros(n), cluster, 1)
    np.testing.assert_allclose(
        (got.estimate[0], got.se[0], got.df[0]), ratio_on_paper(above, below, cluster), rtol=1e-6
    )
    low, high = got.interval(0.9)
    half = stats.t.ppf(0.95, got.df[0]) * got.se[0]
    np.testing.assert_allclose([low[0], high[0]], [got.estimate[0] - half, got.estimate[0] + half])


def test_a_ratio_of_one_cluster_has_no_interval():
    got = ratio_of_clusters([1.0, 2.0], [2.0, 2.0], [0, 0], [3, 3], 2)
    assert got.estimate[0] == 0.75
    assert np.isnan(got.estimate[1])
    assert np.isnan([*got.interval()]).all()
