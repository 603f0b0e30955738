"""So many images do settle a rate, and hardly fewer do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from annqc.infer.rates import korn_graubard
from annqc.run.scorecardneeds import images_for_mean, images_for_share


@pytest.mark.parametrize(
    ("wrong", "limit"), [([1, 0, 0, 0], 0.9), ([0, 0, 0, 0], 0.95), ([1, 0, 1, 1], 0.9)]
)
def test_the_interval_of_so_many_images_is_on_one_side(wrong, limit):
    """Images like those seen so far are added; the formula may ask for a few too many."""
    right = 5 - np.tile(wrong, 3)
    n = len(right)
    rate = korn_graubard(right, np.full(n, 5))
    found = [float(one[0]) for one in (rate.estimate, rate.low, rate.high)]
    assert found[1] < limit < found[2]
    total = images_for_share(*found, n, limit, confidence=0.95)

    def settled(images):
        again = korn_graubard(np.resize(right, images), np.full(images, 5))
        return again.low[0] >= limit or again.high[0] <= limit

    needed = next(k for k in range(n, 2000) if all(settled(k + more) for more in range(4)))
    assert needed <= total + 4
    assert total <= 1.25 * needed + 8


def test_at_the_limit_no_number_does():
    assert images_for_share(0.9, 0.8, 0.95, 20, 0.9, confidence=0.95) == math.inf
    assert images_for_mean(0.9, 0.8, 0.95, 20, 0.9) == math.inf
    assert images_for_mean(0.9, 0.8, 0.95, 20, 0.8999) == math.inf


def test_half_the_interval_takes_four_times_the_images():
    assert images_for_mean(0.75, 0.5, 1.0, 100, 0.625) == 420
    assert images_for_mean(0.5, 0.25, 0.75, 100, 0.625) == 420
