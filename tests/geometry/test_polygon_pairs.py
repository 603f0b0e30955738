"""Overlap of paired polygons: both engines, shapely on real outlines, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely

from annqc.errors import TableError, UnknownNameError
from annqc.geometry import polygon_pairs
from annqc.geometry.polygon_pairs import polygon_overlap
from annqc.tables import Shapes
from tests.geometry.figures import (
    box,
    coco_geometries,
    lidc_geometries,
    random_geometries,
    shapes_of,
)

ENGINES = ["numpy", "numba"]


def assert_equals_shapely(one, two, **options):
    """Every ratio of row i with row i is that of shapely's shared area."""
    rows = np.arange(len(one))
    found = polygon_overlap(shapes_of(one), shapes_of(two), rows, rows, **options)
    inter = shapely.area(shapely.intersection(one, two))
    a, b = shapely.area(one), shapely.area(two)
    least = np.minimum(a, b)
    np.testing.assert_allclose(found.intersection / least, inter / least, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.iou, inter / (a + b - inter), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.dice, 2 * inter / (a + b), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.coverage, inter / a, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.purity, inter / b, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.area_ratio, b / a, rtol=1e-9)
    np.testing.assert_allclose(found.union, a + b - inter, rtol=1e-9)
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_overlap_of_polygons_of_all_sorts_equals_shapely(engine):
    rng = np.random.default_rng(11)
    one, two = (np.array(random_geometries(rng, 400), dtype=object) for _ in range(2))
    found = assert_equals_shapely(one, two, engine=engine)
    assert (found.iou > 0.05).sum() > 100


@pytest.mark.parametrize("engine", ENGINES)
def test_overlap_of_outlines_of_coco_equals_shapely(shared_data, engine):
    rng = np.random.default_rng(0)
    one = [g for g in coco_geometries(shared_data) if g.area > 0]
    moved = [shapely.affinity.translate(g, *rng.normal(0, 3, 2)) for g in one]
    found = assert_equals_shapely(np.array(one), np.array(moved), engine=engine)
    assert len(found.iou) > 600
    smooth = [g.buffer(1.0).simplify(0.5) for g in one]  # holes close, parts merge
    assert_equals_shapely(np.array(one), np.array(smooth), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_overlap_of_readers_contours_with_many_shared_edges_equals_shapely(shared_data, engine):
    """Contours on whole pixels: readers of one nodule share vertices and edges all along."""
    found = [one for one in lidc_geometries(shared_data, 1500) if one[2].area > 0]
    pairs = [(a[2], b[2]) for a, b in itertools.pairwise(found) if a[0] == b[0]] + [
        (one[2], one[2]) for one in found
    ]
    one, two = (np.array(side, dtype=object) for side in zip(*pairs, strict=True))
    assert len(one) > 1500
    assert_equals_shapely(one, two, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_pairs_without_a_polygon_have_no_overlap_to_speak_of(engine):
    shapes = Shapes.from_rings([[box(0, 0, 4, 4)], [], [box(9, 9, 12, 12)]])
    found = polygon_overlap(
        shapes, shapes, np.array([0, 0, 1, 0]), np.array([0, 1, 2, 2]), engine=engine
    )
    np.testing.assert_array_equal(found.iou, [1.0, np.nan, np.nan, 0.0])
    np.testing.assert_array_equal(found.intersection, [16.0, np.nan, np.nan, 0.0])
    np.testing.assert_array_equal(found.area_ratio, [1.0, np.nan, np.nan, 9 / 16])
    none = np.empty(0, dtype=np.int64)
    assert polygon_overlap(shapes, shapes, none, none, engine=engine).iou.shape == (0,)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_shape_may_stand_in_many_pairs(engine):
    rng = np.random.default_rng(2)
    geometries = random_geometries(rng, 12)
    shapes = shapes_of(geometries)
    left, right = (rows.ravel() for rows in np.indices((12, 12)))
    found = polygon_overlap(shapes, shapes, left, right, engine=engine).iou.reshape(12, 12)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(found), 1.0, rtol=1e-12)


def test_few_pairs_do_not_start_the_compiler(monkeypatch):
    asked = []

    def compiled(engine, *, saved_seconds):
        asked.append(saved_seconds)
        return False

    monkeypatch.setattr(polygon_pairs, "compiled", compiled)
    shapes = Shapes.from_rings([[box(0, 0, 4, 4)]] * 500)
    rows = np.arange(500)
    assert polygon_overlap(shapes, shapes, rows, rows).iou.tolist() == [1.0] * 500
    each = polygon_pairs.SAVED_PER_VERTEX
    assert asked == [pytest.approx(500 * 8 * each, rel=1e-3)]
    angle = np.linspace(0, 6, 10_000)
    long = Shapes.from_rings([[np.column_stack([np.cos(angle), np.sin(angle)])]])
    polygon_overlap(long, long, rows[:1], rows[:1])
    assert asked[1] > 2 * 20_000 * each  # shapely takes longer for each vertex of a long outline


def test_a_ring_that_crosses_itself_does_not_end_the_work():
    """Shapely refuses it; the kernel counts how often it winds around, which needs no repair."""
    bow = np.array([[0, 0], [10, 10], [10, 0], [0, 10]]) + 0.5
    shapes = Shapes.from_rings([[bow], [box(0, 0, 4, 4)], [box(0, 0, 5, 8)]])
    found = polygon_overlap(shapes, shapes, np.array([0, 1]), np.array([1, 2]), engine="numpy")
    assert found.intersection[1] == 16.0
    assert np.isfinite(found.intersection[0])


def test_rows_that_do_not_exist_are_refused():
    shapes = Shapes.from_rings([[box(0, 0, 4, 4)]])
    with pytest.raises(TableError, match="a pair names a row that does not exist") as error:
        polygon_overlap(shapes, shapes, np.array([0]), np.array([1]))
    assert "0 to 0" in str(error.value)
    with pytest.raises(TableError, match="a row that does not exist"):
        polygon_overlap(shapes, shapes, np.array([-1]), np.array([0]))
    with pytest.raises(TableError, match="one row number on either side"):
        polygon_overlap(shapes, shapes, np.array([0]), np.array([0, 0]))
    with pytest.raises(UnknownNameError):
        polygon_overlap(shapes, shapes, np.array([0]), np.array([0]), engine="rust")
