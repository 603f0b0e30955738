"""Polygons beside the programs that paint them on pixels: equal where pixels can be exact."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.geometry.contour_pairs import contour_distances
from annqc.geometry.polygon_pairs import polygon_overlap
from annqc.tables import Shapes
from tests.geometry.figures import box, star

mask = pytest.importorskip("pycocotools.mask")


def painted(rings, side=400):
    """The area and the run lengths of polygons, painted by pycocotools."""
    return mask.merge(mask.frPyObjects([ring.ravel().tolist() for ring in rings], side, side))


def theirs(one, two):
    return mask.iou([painted(one)], [painted(two)], [0])[0, 0]


def ours(one, two):
    zero = np.zeros(1, dtype=np.int64)
    sides = Shapes.from_rings([one]), Shapes.from_rings([two])
    return polygon_overlap(*sides, zero, zero).iou[0]


def test_on_whole_pixels_pycocotools_gives_the_same_iou():
    rng = np.random.default_rng(0)
    for _ in range(200):
        x, y = np.sort(rng.integers(0, 200, (2, 2, 4)), axis=2)
        sides = [
            [box(*a[:, 0], *(a[:, 1] + 1)), box(*(a[:, 2] + 2), *(a[:, 3] + 4))]
            for a in np.stack([x, y], axis=1)
        ]
        assert ours(*sides) == pytest.approx(theirs(*sides), abs=1e-12)


def test_on_curves_pycocotools_is_off_by_what_its_pixels_lose():
    rng = np.random.default_rng(1)
    error = []
    for _ in range(100):
        one = star(rng, 40, radius=80, jitter=0.1)
        two = one + rng.normal(0, 2, one.shape)
        error.append(ours([one], [two]) - theirs([one], [two]))
    assert abs(np.mean(error)) < 5e-4
    assert np.max(np.abs(error)) < 0.01


def test_circles_are_as_far_apart_as_they_are_drawn():
    """A distance transform on pixels reads 1.75 to 2.24 px for this; vectors read 2.0."""
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    rings = [r * np.column_stack([np.cos(turn), np.sin(turn)]) + 100 for r in (40, 42)]
    zero = np.zeros(1, dtype=np.int64)
    found = contour_distances(*(Shapes.from_rings([[ring]]) for ring in rings), zero, zero)
    assert found.assd[0] == pytest.approx(2.0, abs=0.01)
    assert found.hd_percentile[0] == pytest.approx(2.0, abs=0.01)
