"""How outlines were drawn: densities, shares, turns, and vertices that say nothing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from annqc.geometry.outlines import outline_style
from annqc.tables import Shapes
from tests.geometry.figures import box, shapes_of


def test_a_box_and_a_polygon_of_many_corners():
    turn = np.arange(72) / 72 * 2 * np.pi
    round_one = 50 * np.column_stack([np.cos(turn), np.sin(turn)])
    found = outline_style(Shapes.from_rings([[box(0, 0, 60, 20)], [round_one], []]))
    np.testing.assert_allclose(found.vertices, [4, 72, np.nan])
    np.testing.assert_allclose(found.density[:2], [4 / 1.6, 72 / (found.length[1] / 100)])
    np.testing.assert_allclose(found.longest_share, [60 / 160, 1 / 72, np.nan])
    np.testing.assert_allclose(found.mean_turn, [90, 5, np.nan])
    np.testing.assert_allclose(found.collinear, [0, 0, np.nan])
    np.testing.assert_allclose(found.duplicates, [0, 0, np.nan])


def test_rings_are_taken_together_and_do_not_run_into_each_other():
    found = outline_style(Shapes.from_rings([[box(0, 0, 40, 40), box(10, 10, 20, 20)[::-1]]]))
    assert found.vertices[0] == 8
    assert found.length[0] == 200
    assert found.longest_share[0] == 0.2
    assert found.mean_turn[0] == 90


def test_vertices_that_repeat_or_go_straight_on_are_counted():
    points = [[0, 0], [0, 0], [10, 0], [20, 0.05], [40, 0], [40, 40], [40, 40], [0, 40], [0, 0]]
    shapes = Shapes.from_rings([[np.array(points, dtype=float)]])
    found = outline_style(shapes)
    assert found.duplicates[0] == 3
    assert found.vertices[0] == 6
    assert found.collinear[0] == 3 - 1 + 0  # at x = 10 and 20 it turns by 0.3 and 0.4 degrees
    assert outline_style(shapes, least_turn=0.35).collinear[0] == 1
    assert outline_style(shapes, least_distance=15).vertices[0] == 4


def test_an_outline_that_follows_pixels_and_the_same_simplified():
    steps = shapely.union_all([shapely.box(k, k, k + 2, k + 2) for k in range(30)])
    thin = steps.simplify(2)
    found = outline_style(shapes_of([steps, thin]))
    assert found.mean_turn[0] == pytest.approx(90)
    assert found.density[0] > 50 > 10 > found.density[1]
    assert found.longest_share[1] > 10 * found.longest_share[0]


def test_a_point_and_nothing_at_all_are_undefined():
    found = outline_style(Shapes.from_rings([[np.zeros((4, 2))], []]))
    for column in found:
        assert np.isnan(column).all()
    assert outline_style(Shapes.empty(0)).density.shape == (0,)
