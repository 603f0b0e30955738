"""Shared areas of polygons: exact fractions, and what must hold of any two shapes."""

from __future__ import annotations

import itertools
import time
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from annqc.kernels.polygons import bounds_and_area, shared_area
from annqc.tables import Shapes
from tests.geometry.figures import box, rings_of, shapes_of, star


def arrays(shapes):
    return shapes.points, shapes.ring_offsets, shapes.shape_offsets


def areas(shapes):
    return bounds_and_area(*arrays(shapes))[:, 4]


def shared(a, b):
    """The shared area of row i of one side and row i of the other."""
    rows = np.arange(len(a))
    of_a, of_b = bounds_and_area(*arrays(a)), bounds_and_area(*arrays(b))
    return shared_area(*arrays(a), of_a, *arrays(b), of_b, rows, rows)


def exact_shared(one, two):
    """Cut the plane into strips at vertices and crossings, and add up trapezoids in fractions."""
    sides = [[edge for ring in rings for edge in exact_edges(ring)] for rings in (one, two)]
    every = sides[0] + sides[1]
    cuts = {x for (x, _), _ in every}
    cuts |= {x for a in every for b in every for x in crossing(a, b)}
    cuts = sorted(cuts)
    total = Fraction(0)
    for lo, hi in itertools.pairwise(cuts):
        middle = (lo + hi) / 2
        total += (hi - lo) * common(*[levels(edges, middle) for edges in sides])
    return total


def exact_edges(ring):
    ends = [tuple(map(Fraction, map(float, point))) for point in ring]
    return list(zip(ends, ends[1:] + ends[:1], strict=True))


def crossing(a, b):
    """The x where two segments cross, if they do."""
    ((x1, y1), (x2, y2)), ((x3, y3), (x4, y4)) = a, b
    bottom = (x2 - x1) * (y4 - y3) - (y2 - y1) * (x4 - x3)
    if bottom == 0:
        return []
    t = ((x3 - x1) * (y4 - y3) - (y3 - y1) * (x4 - x3)) / bottom
    return [x1 + t * (x2 - x1)] if 0 <= t <= 1 else []


def levels(edges, x):
    """The y at which edges are met at x, sorted: the shape lies between the first two, and on."""
    met = [
        y1 + (x - x1) / (x2 - x1) * (y2 - y1)
        for (x1, y1), (x2, y2) in edges
        if min(x1, x2) < x < max(x1, x2)
    ]
    return sorted(met)


def common(a, b):
    """The length that two sets of intervals share."""
    return sum(
        max(Fraction(0), min(a[i + 1], b[j + 1]) - max(a[i], b[j]))
        for i in range(0, len(a), 2)
        for j in range(0, len(b), 2)
    )


seeds = st.integers(0, 2**32 - 1)


def two_stars(seed, most=40):
    rng = np.random.default_rng(seed)
    a = star(rng, int(rng.integers(3, most)), jitter=0.3)
    b = star(rng, int(rng.integers(3, most)), jitter=0.3, at=rng.uniform(150, 250, 2))
    return Shapes.from_rings([[a]]), Shapes.from_rings([[b]])


@given(seed=seeds)
def test_shared_area_of_stars_in_exact_fractions(seed):
    a, b = two_stars(seed, most=9)
    exact = exact_shared(a.rings(0), b.rings(0))
    assert shared(a, b)[0] == pytest.approx(float(exact), abs=1e-9)


@given(
    corners=st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=2, max_size=6),
    split=st.integers(1, 5),
)
def test_shared_area_on_a_grid_with_shared_edges_and_touching_corners(corners, split):
    boxes = [
        shapely.box(min(x, u), min(y, v), max(x, u) + 1, max(y, v) + 1) for x, y, u, v in corners
    ]
    n = min(split, len(boxes) - 1)
    one, two = (shapely.union_all(part) for part in (boxes[:n], boxes[n:]))
    exact = exact_shared(rings_of(one), rings_of(two))
    assert shared(shapes_of([one]), shapes_of([two]))[0] == pytest.approx(float(exact), abs=1e-12)


@given(seed=seeds, shift=st.floats(-50, 50), scale=st.floats(0.1, 8))
def test_shared_area_follows_moves_turns_and_scales(seed, shift, scale):
    a, b = two_stars(seed)
    plain = shared(a, b)[0]

    def after(move):
        both = [Shapes.from_rings([[move(one.rings(0)[0])]]) for one in (a, b)]
        return shared(*both)[0]

    assert after(lambda p: p + np.array([shift, -2 * shift])) == pytest.approx(plain, abs=1e-8)
    assert after(lambda p: p[:, ::-1] * [-1, 1]) == pytest.approx(plain, abs=1e-8)
    assert after(lambda p: p * scale) == pytest.approx(plain * scale**2, abs=1e-8 * scale**2)
    assert after(lambda p: np.roll(p, 1, axis=0)) == pytest.approx(plain, abs=1e-8)


@given(seed=seeds)
def test_shared_area_is_symmetric_and_bounded_and_a_shape_is_its_own(seed):
    a, b = two_stars(seed)
    inter = shared(a, b)[0]
    assert inter == pytest.approx(shared(b, a)[0], abs=1e-9)
    assert 0 <= inter <= min(areas(a)[0], areas(b)[0])
    assert shared(a, a)[0] == pytest.approx(areas(a)[0], rel=1e-13)


@given(seed=seeds, cut=st.floats(120, 280))
def test_what_lies_on_either_side_of_a_line_adds_up(seed, cut):
    a, _ = two_stars(seed)
    parts = Shapes.from_rings([[box(0, 0, cut, 400)], [box(cut, 0, 500, 400)]])
    assert shared(a.take([0, 0]), parts).sum() == pytest.approx(areas(a)[0], rel=1e-12)


def test_holes_and_parts_count_as_they_lie():
    ring = Shapes.from_rings([[box(0, 0, 10, 10), box(3, 3, 7, 7)[::-1]]])
    parts = Shapes.from_rings([[box(2, 2, 4, 8), box(6, 0, 12, 4)]])
    assert areas(ring).tolist() == [84.0]
    assert shared(ring, parts).tolist() == [12 - 4 + 16 - 1]


def test_far_from_the_origin_no_digits_are_lost():
    rng = np.random.default_rng(5)
    a, b = star(rng), star(rng)
    near = shared(Shapes.from_rings([[a]]), Shapes.from_rings([[b]]))[0]
    away = np.array([2.0**20, -(2.0**21)])
    a, b = (np.round(one * 2**16) / 2**16 for one in (a, b))
    far = shared(Shapes.from_rings([[a + away]]), Shapes.from_rings([[b + away]]))[0]
    rounded = shared(Shapes.from_rings([[a]]), Shapes.from_rings([[b]]))[0]
    assert far == pytest.approx(rounded, rel=1e-14)
    assert far == pytest.approx(near, rel=1e-6)


@pytest.mark.parametrize("n", [100, 1500, 20_000])
@pytest.mark.parametrize("jitter", [0.002, 0.3])
def test_many_vertices_go_through_slabs_and_bands(n, jitter):
    rng = np.random.default_rng(n)
    a = star(rng, n, radius=400, jitter=jitter)
    halves = Shapes.from_rings([[box(-1e4, -1e4, 210, 1e4)], [box(210, -1e4, 1e4, 1e4)]])
    one = Shapes.from_rings([[a]])
    assert shared(one, one)[0] == pytest.approx(areas(one)[0], rel=1e-12)
    assert shared(one.take([0, 0]), halves).sum() == pytest.approx(areas(one)[0], rel=1e-12)


def test_two_outlines_of_100_000_vertices_end():
    rng = np.random.default_rng(0)
    rings = [star(rng, 100_000, radius=1000, jitter=0.1, at=(0.0, one)) for one in (0.0, 1.5)]
    a, b = (Shapes.from_rings([[one]]) for one in rings)
    start = time.process_time()
    inter = shared(a, b)[0]
    assert time.process_time() - start < 5  # 0.4 s where nothing else runs
    assert 0.8 < inter / areas(a)[0] < 1


def test_vertices_that_are_no_numbers_give_no_number():
    bad = box(0, 0, 4, 4)
    bad[2, 1] = np.nan
    a, b = Shapes.from_rings([[bad]]), Shapes.from_rings([[box(0, 0, 4, 4)]])
    assert np.isnan(shared(a, b)).all()


def test_upright_edges_and_slivers_cost_nothing():
    thin = Shapes.from_rings([[box(2, 0, 2 + 1e-12, 5)], [box(0, 0, 0, 5)]])
    whole = Shapes.from_rings([[box(0, 0, 4, 4)]] * 2)
    np.testing.assert_allclose(shared(thin, whole), [4e-12, 0.0], rtol=1e-3)
