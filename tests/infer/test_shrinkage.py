import numpy as np
import pytest
from scipy import optimize

from annqc.infer.shrinkage import rank_intervals, reml_tau2, shrink, smooth_variances


def restricted_likelihood(tau2, y, v):
    w = 1 / (v + tau2)
    mu = (w * y).sum() / w.sum()
    return 0.5 * (np.log(v + tau2).sum() + np.log(w.sum()) + (w * (y - mu) ** 2).sum())


@pytest.mark.parametrize("seed", range(5))
def test_tau2_maximises_the_restricted_likelihood(seed):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.05, 0.5, 25)
    y = rng.normal(0.3, np.sqrt(v + 0.8))
    tau2, _ = reml_tau2(y, v)
    best = optimize.minimize_scalar(
        restricted_likelihood,
        bounds=(0, 10),
        args=(y, v),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert tau2 == pytest.approx(best.x, abs=1e-5)


def test_no_spread_between_annotators_shrinks_all_the_way():
    found = shrink([0.1, -0.1, 0.05, 0.0], [1.0, 1.0, 1.0, 1.0])
    assert found.tau2 == 0
    np.testing.assert_allclose(found.mean, found.mu)


def test_known_centre_pulls_towards_it():
    y, v = np.array([2.0, 2.2, 1.9, 2.1]), np.full(4, 0.5)
    assert shrink(y, v).mean.mean() == pytest.approx(y.mean())
    towards_zero = shrink(y, v, centre=0.0)
    assert towards_zero.mu == 0
    assert (np.abs(towards_zero.mean) < y).all()


def test_two_annotators_are_not_shrunken():
    found = shrink([1.0, np.nan, -1.0], [0.1, 0.1, 0.1])
    np.testing.assert_array_equal(found.mean, [1.0, np.nan, -1.0])


def test_noisy_annotators_move_further():
    found = shrink([3.0, 3.0, 0.0, -1.0, 1.0], [0.01, 4.0, 0.1, 0.1, 0.1])
    assert found.mean[0] > 2.9 > found.mean[1]


def test_variances_of_few_clusters_are_pooled():
    se = np.array([0.1, 1.0, 0.5])
    smooth = smooth_variances(se, np.full(3, 10.0), np.full(3, 9.0), np.array([10, 10, 40]))
    pooled = (10 * se**2).mean()
    expected = (4 * pooled + 9 * 10 * se[0] ** 2) / 13 / 10
    assert smooth[0] == pytest.approx(expected)
    assert smooth[2] == se[2] ** 2


def test_rank_intervals_are_as_wide_as_the_doubt():
    mean = np.array([[0.0, 0.1], [1.0, 0.0], [0.0, -5.0]])
    sure = rank_intervals(mean, np.full((3, 2), 1e-6), rng=0)
    assert sure.low.tolist() == sure.high.tolist() == [1, 2, 3]
    doubtful = rank_intervals(mean, np.full((3, 2), 100.0), rng=0)
    assert doubtful.low.tolist() == [1, 1, 1]
    assert doubtful.high.tolist() == [3, 3, 3]


def test_rank_intervals_cover():
    # True biases drawn from the prior, so that the posterior is right: 90 % intervals cover 90 % of
    # ranks.
    rng = np.random.default_rng(4)
    hits = total = 0
    for _ in range(60):
        truth = rng.normal(0, 0.7, (20, 4))
        noise = rng.normal(0, 0.5, (20, 4))
        shrunken = [shrink((truth + noise)[:, e], np.full(20, 0.25), centre=0.0) for e in range(4)]
        mean = np.stack([one.mean for one in shrunken], axis=1)
        variance = np.stack([one.variance for one in shrunken], axis=1)
        ranks = rank_intervals(mean, variance, rng=rng, n_draws=500)
        true_rank = np.abs(truth).max(axis=1).argsort().argsort() + 1
        hits += ((ranks.low <= true_rank) & (true_rank <= ranks.high)).sum()
        total += 20
    assert 0.85 < hits / total < 0.97


def test_annotators_without_an_estimate_are_not_ranked():
    ranks = rank_intervals(np.array([[0.1], [np.nan], [0.3]]), np.full((3, 1), 0.01), rng=0)
    assert np.isnan(ranks.rank[1])
    assert (ranks.low[1], ranks.high[1]) == (1, 3)


def test_annotators_without_any_error_are_no_trouble():
    # Copies of the gold: no spread inside, none between. Warnings are errors in this suite.
    found = shrink(np.zeros(4), np.zeros(4))
    np.testing.assert_array_equal(found.mean, np.zeros(4))
    ranks = rank_intervals(np.zeros((4, 4)), np.zeros((4, 4)), rng=0)
    assert (ranks.low == 1).all()
    assert (ranks.high == 4).all()
