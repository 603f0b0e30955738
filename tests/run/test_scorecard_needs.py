"""So many images do settle a rate, and hardly fewer do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from annqc.infer.rates import korn_graubard
from annqc.run.scorecard.needs import images_for_mean, images_for_share


def settled(right, total, limit):
    found = korn_graubard(right, total)
    return bool(found.low[0] >= limit or found.high[0] <= limit)


@pytest.mark.parametrize(
    ("share", "limit", "images"), [(0.931, 0.95, 33), (0.97, 0.95, 60), (0.82, 0.9, 10)]
)
def test_so_many_images_settle_four_samples_of_five(share, limit, images):
    """The first images are as good as the truth; then so many are drawn as are asked for."""
    rng = np.random.default_rng(5)
    per_image = 5
    now = binomial_interval(share, images * per_image)
    assert now[0] < limit < now[1]
    total = int(images_for_share(share, *now, images, limit, confidence=0.95))
    objects = np.full(total, per_image)
    done = [settled(rng.binomial(per_image, share, total), objects, limit) for _ in range(300)]
    assert 0.74 <= np.mean(done) <= 0.93
    half = int(total / 2)
    objects = np.full(half, per_image)
    done = [settled(rng.binomial(per_image, share, half), objects, limit) for _ in range(300)]
    assert np.mean(done) < 0.7


def binomial_interval(share, n):
    k = share * n
    return (
        float(special.betaincinv(k, n - k + 1, 0.025)),
        float(special.betaincinv(k + 1, n - k, 0.975)),
    )


def test_without_a_miss_it_is_the_interval_that_counts():
    low, high = binomial_interval(1.0, 20)[0], 1.0
    # 0.95 is shown from 72 objects on, 4 an image; 5 % are added.
    assert images_for_share(1.0, low, high, 5, 0.95, confidence=0.95) == math.ceil(1.05 * 72 / 4)


def test_among_many_it_takes_more():
    alone = images_for_share(0.9, 0.85, 0.96, 50, 0.95, confidence=0.95)
    assert images_for_share(0.9, 0.85, 0.96, 50, 0.95, confidence=0.95, n_tests=20) > alone
    alone = images_for_mean(0.9, 0.85, 0.95, 50, 0.92, confidence=0.95)
    assert images_for_mean(0.9, 0.85, 0.95, 50, 0.92, confidence=0.95, n_tests=20) > alone


def test_at_the_limit_no_number_does():
    assert images_for_share(0.9, 0.8, 0.95, 20, 0.9, confidence=0.95) == math.inf
    assert images_for_mean(0.9, 0.8, 0.95, 20, 0.9, confidence=0.95) == math.inf
    assert images_for_mean(0.9, 0.8, 0.95, 20, 0.8999, confidence=0.95) == math.inf


def test_a_mean_is_settled_in_four_samples_of_five():
    rng = np.random.default_rng(6)
    sd, n = 0.2, 40
    half = 1.96 * sd / math.sqrt(n)
    total = int(images_for_mean(0.8, 0.8 - half, 0.8 + half, n, 0.75, confidence=0.95))
    means = rng.normal(0.8, sd / math.sqrt(total), 4000)
    assert 0.78 <= np.mean(means - 1.96 * sd / math.sqrt(total) >= 0.75) <= 0.86
