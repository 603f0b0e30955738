"""What straight chords cut off, against plain Python, and which outlines are copies."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from annqc.geometry.masks import paint
from annqc.geometry.outline_pairs import chord_offsets, same_outlines
from annqc.geometry.outlines import outline_style
from annqc.tables import Shapes
from tests.geometry.figures import box, coco_geometries, random_geometries, rings_of, shapes_of

ENGINES = ["numpy", "numba"]


def chords(one, two, **options):
    rows = np.arange(len(one))
    return chord_offsets(one, two, rows, rows, **options)


def circle(radius, n, turned=0.0):
    turn = (np.arange(n) + turned) / n * 2 * np.pi
    return np.column_stack([100 + radius * np.cos(turn), 100 + radius * np.sin(turn)])


def plainly(gold, work):
    """The definition, one segment after the other."""

    def outward(x, y):
        point = shapely.Point(x, y)
        far = shapely.distance(gold.boundary, point)
        return -far if gold.contains(point) else far

    total = depth = length = 0.0
    for ring in rings_of(work):
        for k, (x, y) in enumerate(ring):
            u, v = ring[(k + 1) % len(ring)]
            long = np.hypot(u - x, v - y)
            bow = outward((x + u) / 2, (y + v) / 2) - (outward(x, y) + outward(u, v)) / 2
            total += long * 2 / 3 * bow
            depth += long * 2 / 3 * abs(bow)
            length += long
    return total / length, depth / length


@pytest.mark.parametrize("engine", ENGINES)
def test_against_plain_python(engine):
    rng = np.random.default_rng(7)
    gold, work = (random_geometries(rng, 25) for _ in range(2))
    found = chords(shapes_of(gold), shapes_of(work), engine=engine)
    for k, pair in enumerate(zip(gold, work, strict=True)):
        assert (found.mean[k], found.depth[k]) == pytest.approx(plainly(*pair), abs=1e-9)


def test_both_engines_on_real_outlines(shared_data):
    gold = coco_geometries(shared_data)[:150]
    shapes = shapes_of(gold)
    some = [shapely.simplify(shapely.affinity.translate(one, 1, 2), 2) for one in gold]
    two = shapes_of([a if a.area else b for a, b in zip(some, gold, strict=True)])
    one, other = (chords(shapes, two, engine=engine) for engine in ENGINES)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-9)
    np.testing.assert_allclose(one.depth, other.depth, atol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("grown", [-3.0, 0.0, 3.0])
@pytest.mark.parametrize("n", [8, 12, 24])
def test_a_circle_with_few_points_loses_its_segments(engine, grown, n):
    """However far out it is drawn: that is for the contour offset to say."""
    gold = Shapes.from_rings([[circle(80, 720)]])
    found = chords(gold, Shapes.from_rings([[circle(80 + grown, n, 0.3)]]), engine=engine)
    half = np.pi / n
    # exactly: the circular segments of the polygon's own circle, over the chords
    exact = (80 + grown) * (half - np.sin(half) * np.cos(half)) / (2 * np.sin(half))
    assert found.mean[0] == pytest.approx(-exact, rel=0.03, abs=0.01)
    assert found.depth[0] == pytest.approx(-found.mean[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_hole_loses_the_other_way(engine):
    """Chords inside a hole make the hole smaller, and so the shape larger."""
    outer, hole = box(0, 0, 200, 200), circle(60, 720)[::-1]
    gold = Shapes.from_rings([[outer, hole]])
    found = chords(gold, Shapes.from_rings([[outer, circle(60, 10)[::-1]]]), engine=engine)
    assert found.mean[0] > 0.3
    same = chords(gold, gold, engine=engine)
    assert (same.mean[0], same.depth[0]) == pytest.approx((0, 0), abs=1e-12)


def test_what_has_no_polygon_is_undefined():
    none = Shapes.from_rings([[], [np.zeros((4, 2))], [box(0, 0, 9, 9)]])
    square = Shapes.from_rings([[box(0, 0, 9, 9)]] * 3)
    assert np.isnan(chords(none, square).mean).tolist() == [True, True, False]
    assert np.isnan(chords(square, none).depth).tolist() == [True, True, False]
    assert chords(Shapes.empty(0), Shapes.empty(0)).mean.shape == (0,)


corners = st.lists(st.tuples(*[st.integers(0, 3)] * 2), min_size=3, max_size=6)


@given(st.lists(st.tuples(corners, corners), min_size=1, max_size=8))
def test_copies_are_what_has_the_same_vertices(pairs):
    one, two = (
        Shapes.from_rings([[np.array(pair[k], dtype=float)] for pair in pairs]) for k in (0, 1)
    )
    rows = np.arange(len(pairs))
    expected = [sorted(a) == sorted(b) for a, b in pairs]
    assert same_outlines(one, two, rows, rows).tolist() == expected


def test_copies_of_masks_and_of_different_kinds():
    geometries = [shapely.box(2, 3, 20, 14), shapely.box(2, 3, 20, 15)]
    vectors = shapes_of(geometries)
    masks, wider = (paint(vectors, [size] * 2) for size in ((30, 40), (30, 41)))
    rows = np.array([0, 0, 1])
    others = np.array([0, 1, 1])
    assert same_outlines(masks, masks, rows, others).tolist() == [True, False, True]
    assert not same_outlines(masks, wider, rows, others).any()
    assert not same_outlines(masks, vectors, rows, others).any()
    boxes = Shapes.empty(3)
    assert not same_outlines(boxes, boxes, rows, rows).any()
    moved = vectors.points.copy()
    moved[0, 0] = np.nextafter(moved[0, 0], 99)
    near = Shapes.from_ragged(moved, vectors.ring_offsets, vectors.shape_offsets)
    assert same_outlines(vectors, near, rows, others).tolist() == [False, False, True]


def test_the_share_of_a_contour_along_the_axes():
    steps = shapely.union_all([shapely.box(k, k, k + 2, k + 2) for k in range(30)])
    slanted = shapely.affinity.rotate(steps, 1)
    mixed = np.array([[0, 0], [30, 0], [30, 40]], dtype=float)
    found = outline_style(Shapes.from_rings([rings_of(steps), rings_of(slanted), [mixed], []]))
    np.testing.assert_allclose(found.level, [1, 0, 70 / 120, np.nan])
