from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from annqc.geometry.polygons import (
    bounding_boxes,
    centroids,
    cyclic_next,
    perimeters,
    polygon_areas,
    segment_sums,
    signed_areas,
    vertex_counts,
)
from annqc.geometry.repair import normalise
from annqc.tables import Shapes
from annqc.testing.strategies import polygons_with_holes


@given(drawn=st.lists(polygons_with_holes(), max_size=4), shift=st.sampled_from([0.0, 1e6]))
def test_measures_are_those_of_shapely(drawn, shift):
    moved = [[ring + shift for ring in rings] for rings in drawn]
    shapes, faults = normalise(Shapes.from_rings([*moved, None]), fill="even_odd")
    assert not faults
    whole = [shapely.Polygon(rings[0], rings[1:]) for rings in moved]
    local = [shapely.Polygon(rings[0], rings[1:]) for rings in drawn]
    assert polygon_areas(shapes)[:-1] == pytest.approx([one.area for one in local], rel=1e-7)
    assert perimeters(shapes)[:-1] == pytest.approx([one.length for one in local], rel=1e-7)
    assert bounding_boxes(shapes)[:-1].tolist() == [list(one.bounds) for one in whole]
    expected = np.array([[one.centroid.x, one.centroid.y] for one in local]).reshape(-1, 2)
    assert centroids(shapes)[:-1] - shift == pytest.approx(expected, abs=1e-6)
    assert vertex_counts(shapes).tolist() == [*(sum(map(len, rings)) for rings in drawn), 0]
    for measure in (polygon_areas, perimeters, bounding_boxes, centroids):
        assert np.isnan(measure(shapes)[-1]).all()


def test_nothing_at_all():
    none = Shapes.empty(0)
    for measure in (polygon_areas, perimeters, bounding_boxes, centroids, vertex_counts):
        assert len(measure(none)) == 0
    assert np.isnan(centroids(Shapes.empty(2))).all()


def test_a_small_polygon_far_away_keeps_its_area():
    ring = np.array([[0.0, 0], [0.5, 0], [0.5, 0.25], [0, 0.25]]) + 2.0**26
    assert signed_areas(ring, np.array([0, 4])).tolist() == [0.125]


@given(lengths=st.lists(st.integers(0, 4), max_size=6))
def test_ragged_helpers(lengths):
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.arange(offsets[-1], dtype=np.float64) + 1
    rows = [values[a:b] for a, b in pairwise(offsets)]
    assert segment_sums(values, offsets).tolist() == [row.sum() for row in rows]
    following = [np.roll(row, -1) for row in rows]
    expected = np.concatenate([*following, np.empty(0)])
    assert values[cyclic_next(offsets)].tolist() == expected.tolist()
