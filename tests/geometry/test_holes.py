"""Holes of outlines: filled and opened areas as shapely and pixels count them."""

import numpy as np
import pytest
import shapely

from annqc.geometry.holes import filled, hole_areas
from annqc.geometry.masks import paint
from annqc.geometry.polygons import polygon_areas
from annqc.tables import Shapes
from tests.geometry.figures import random_geometries, shapes_of

CANVAS = (260, 260)


def without_holes(geometry):
    parts = [shapely.Polygon(one.exterior) for one in shapely.get_parts(geometry).tolist()]
    return shapely.union_all(parts)


def pixels(shapes, row):
    """One mask as an array, by its runs."""
    runs = shapes.runs_of(row)
    values = np.repeat(np.arange(len(runs)) % 2, runs)
    return values.reshape(CANVAS[::-1]).T.astype(bool)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(5)
    gold, work = random_geometries(rng, 40), random_geometries(rng, 40)
    ring = shapely.Point(120, 120).buffer(80) - shapely.Point(120, 120).buffer(50)
    target = ring.union(shapely.Point(120, 120).buffer(20))  # an island in a hole
    gold += [ring, target, ring, target]
    work += [target, ring, without_holes(ring), without_holes(target)]
    return gold, work


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_areas_are_those_of_shapely(pairs, engine):
    gold, work = pairs
    rows = np.arange(len(gold))
    found = hole_areas(shapes_of(gold), shapes_of(work), rows, rows, engine=engine)
    for k, (one, two) in enumerate(zip(gold, work, strict=True)):
        holes = without_holes(one) - one, without_holes(two) - two
        expected = (
            *(each.area for each in holes),
            holes[0].intersection(two).area,
            holes[1].intersection(one).area,
        )
        assert [column[k] for column in found] == pytest.approx(expected, abs=1e-6)


def test_areas_of_masks_are_their_pixels(pairs):
    ndimage = pytest.importorskip("scipy.ndimage")
    gold, work = (paint(shapes_of(one), [CANVAS] * len(one)) for one in pairs)
    rows = np.arange(len(gold))
    found = hole_areas(gold, work, rows, rows)
    corners = np.ones((3, 3), dtype=bool)  # pixels of a hole touch at corners where the object does
    for k in range(len(gold)):
        one, two = pixels(gold, k), pixels(work, k)
        at_least, at_most = [], []
        for structure, into in ((None, at_most), (corners, at_least)):
            # background that is not joined to the surroundings, by sides or also by corners
            holes = []
            for mask in (one, two):
                label, _ = ndimage.label(np.pad(~mask, 1, constant_values=True), structure)
                holes.append((label != label[0, 0])[1:-1, 1:-1] & ~mask)
            into += [holes[0].sum(), holes[1].sum(), (holes[0] & two).sum(), (holes[1] & one).sum()]
        measured = np.array([column[k] for column in found])
        assert (measured >= np.array(at_least) - 1e-6).all()
        assert (measured <= np.array(at_most) + 1e-6).all()


def test_outlines_without_holes_are_filled(pairs):
    gold, _ = pairs
    found = filled(shapes_of(gold))
    assert polygon_areas(found) == pytest.approx([without_holes(one).area for one in gold])
    plain = shapes_of([shapely.box(0, 0, 9, 9)])
    assert filled(plain) is plain
    assert len(filled(Shapes.empty(2))) == 2
