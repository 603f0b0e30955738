"""Near misses that noise explains are no slips."""

from __future__ import annotations

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.run.review.usual import _too_little


def iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = sum((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b))
    both = width * height
    return both / (area - both) if area > both else float("nan")


def test_the_share_that_overlaps_too_little_is_that_of_a_loop():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((40, 4))
    sides, spread = np.array([[8.0, 6.0], [30.0, 20.0], [5.0, 90.0]]), np.array([1.0, 2.0, 1.5])
    for k, share in enumerate(_too_little(sides, spread, noise, 0.5)):
        box = (0.0, 0.0, *sides[k])
        low = 0
        for row in noise:
            x1, y1, x2, y2 = (a + spread[k] * b for a, b in zip(box, row, strict=True))
            low += iou(box, (x1, y1, max(x1, x2), max(y1, y2))) < 0.5
        assert share == pytest.approx(low / len(noise))


def near_misses(habits, side, seed):
    made = annqc.simulate(
        {f"a{k}": habits for k in range(5)},
        n_images=60,
        overlap=2,
        box_side=side,
        noise_px=1.0,
        rng=seed,
    )
    queue = annqc.audit(made.work, made.gold).review().to_frame()
    return queue[queue["kind"] == "near_miss"]["probability"]


def test_small_objects_are_missed_by_noise():
    found = [near_misses([], 12, seed) for seed in range(3)]
    assert sum(map(len, found)) > 10
    assert max(one.mean() for one in found) < 0.3


def test_large_objects_are_missed_by_slips():
    found = [near_misses(Habit.parse("gross 4 %"), 60, seed) for seed in range(3)]
    assert sum(map(len, found)) > 10
    assert min(one.mean() for one in found) > 0.8
