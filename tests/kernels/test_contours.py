"""Distances between contours: against a plain loop over all segments, and on circles."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from annqc.kernels._contours import _quantile
from annqc.kernels.contours import distances, offsets
from annqc.tables import Shapes
from tests.geometry.figures import box, star

EVERYWHERE = np.array([[-np.inf, -np.inf, np.inf, np.inf]])


def run(a, b, *, step=1.0, tolerances=(), share=0.95):
    """Distances of one shape to another; and the signed offsets."""
    zero = np.zeros(1, dtype=np.int64)
    room = np.full(1, 1_000_000)
    sides = [(one.points, one.ring_offsets, one.shape_offsets, room) for one in (a, b)]
    steps = np.full((2, 1), step)
    directed, pooled = distances(
        *sides[0], *sides[1], zero, zero, steps, np.array(tolerances, dtype=float), share
    )
    signed = offsets(*sides[0], *sides[1], zero, zero, steps, np.zeros((1, 2)), EVERYWHERE)
    return directed[0], pooled[0], signed[0]


def plain(rings, others, step, tolerances, share):
    """What one direction must be, by plain loops."""
    segments = [(p, q) for ring in others for p, q in loop(ring) if p != q]
    sums, most, signed, seen = 0.0, 0.0, 0.0, []
    for ring in rings:
        for p, q in loop(ring):
            if p == q:
                continue
            length = math.dist(p, q)
            pieces = max(1, math.ceil(length / step))
            most = max(most, nearest(p, segments))
            for k in range(pieces):
                part = (k + 0.5) / pieces
                at = (p[0] + part * (q[0] - p[0]), p[1] + part * (q[1] - p[1]))
                far = nearest(at, segments)
                seen.append((far, length / pieces))
                sums += far * length / pieces
                signed += (far if winds(at, segments) else -far) * length / pieces
                most = max(most, far)
    length = sum(weight for _, weight in seen)
    within = [sum(w for far, w in seen if far <= one) for one in tolerances]
    reached, quantile = 0.0, 0.0
    for far, weight in sorted(seen):
        reached += weight
        quantile = far
        if reached >= share * length * (1 - 1e-12):
            break
    return [length, sums, most, quantile, *within], signed


def loop(ring):
    points = [tuple(one) for one in np.asarray(ring).tolist()]
    return list(zip(points, points[1:] + points[:1], strict=True))


def nearest(at, segments):
    return min(to_segment(at, *one) for one in segments)


def to_segment(at, p, q):
    dx, dy = q[0] - p[0], q[1] - p[1]
    along = ((at[0] - p[0]) * dx + (at[1] - p[1]) * dy) / (dx * dx + dy * dy)
    along = min(1.0, max(0.0, along))
    return math.hypot(at[0] - p[0] - along * dx, at[1] - p[1] - along * dy)


def winds(at, segments):
    turns = 0
    for (x1, y1), (x2, y2) in segments:
        if (y1 <= at[1]) != (y2 <= at[1]):
            x = x1 + (at[1] - y1) * (x2 - x1) / (y2 - y1)
            turns += (1 if y2 > y1 else -1) * (x > at[0])
    return turns != 0


@given(
    seed=st.integers(0, 2**32 - 1),
    step=st.sampled_from([0.7, 3.0, 20.0]),
    apart=st.sampled_from([0.0, 3.0, 60.0, 400.0]),
)
def test_distances_and_offsets_equal_a_plain_loop(seed, step, apart):
    rng = np.random.default_rng(seed)
    one = star(rng, int(rng.integers(3, 25)), radius=20, jitter=0.2)
    two = star(rng, int(rng.integers(3, 25)), radius=20, jitter=0.2, at=(200.0 + apart, 150.0))
    hole = star(rng, 5, radius=4, jitter=0.1)[::-1]
    rings = [[one, hole], [two]]
    a, b = Shapes.from_rings([rings[0]]), Shapes.from_rings([rings[1]])
    directed, _, signed = run(a, b, step=step, tolerances=(1.0, 4.0))
    for side in range(2):
        expected, offset = plain(rings[side], rings[1 - side], step, (1.0, 4.0), 0.95)
        np.testing.assert_allclose(directed[side], expected, rtol=1e-9, atol=1e-9)
        turned = -offset if side else offset
        assert signed[side, 0, 0] == pytest.approx(turned, abs=1e-8 * (1 + expected[1]))


@pytest.mark.parametrize("n", [300, 5000])
@pytest.mark.parametrize("shift", [0.3, 30.0, 3000.0])
def test_dense_outlines_bring_more_than_one_search_can_hold(n, shift):
    rng = np.random.default_rng(n)
    one = star(rng, n, radius=50, jitter=0.02)
    two = star(rng, n, radius=50, jitter=0.02, at=(200.0 + shift, 150.0))
    directed, _, _ = run(Shapes.from_rings([[one]]), Shapes.from_rings([[two]]), step=1e9)
    middle = (one + np.roll(one, -1, axis=0)) / 2
    line = shapely.LinearRing(two)
    far = shapely.distance(line, shapely.points(middle))
    length = np.hypot(*(np.roll(one, -1, axis=0) - one).T)
    assert directed[0, 1] == pytest.approx(float(far @ length), rel=1e-12)
    corners = shapely.distance(line, shapely.points(one))
    assert directed[0, 2] == pytest.approx(max(far.max(), corners.max()), rel=1e-12)


def test_the_side_is_right_next_to_vertices_at_the_same_height():
    # every sample of the one lies level with vertices of the other, where a ray meets two edges
    comb = [[0, 0], [10, 0], [10, 10], [8, 10], [8, 5], [5, 5], [5, 10], [2, 10], [2, 5], [0, 5]]
    inner = [[1, 1], [9, 1], [9, 5], [1, 5]]
    a, b = Shapes.from_rings([[np.array(inner)]]), Shapes.from_rings([[np.array(comb)]])
    for step in (1.0, 0.25):
        _, _, signed = run(a, b, step=step)
        expected = plain([inner], [comb], step, (), 0.95)[1]
        assert signed[0, 0, 0] == pytest.approx(expected, abs=1e-9)


@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60), share=st.floats(0, 1), ties=st.booleans()
)
def test_the_weighted_quantile_is_that_of_the_sorted_values(seed, n, share, ties):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, n).astype(float) if ties else rng.random(n)
    weight = rng.integers(0, 4, n).astype(float)
    weight[rng.integers(n)] = 1.0
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    wanted = share * reached[-1]
    expected = values[order][np.searchsorted(reached, wanted * (1 - 1e-12))]
    assert _quantile(values.copy(), weight.copy(), 0, n, wanted) == expected


def test_a_spike_between_samples_is_seen():
    spiked = np.array([[0, 0], [40, 0], [40, 20], [90, 20.5], [40, 21], [40, 40], [0, 40]])
    a, b = Shapes.from_rings([[spiked]]), Shapes.from_rings([[box(0, 0, 40, 40)]])
    directed, _, _ = run(a, b, step=10.0)
    assert directed[0, 2] == 50.0
    assert directed[1, 2] < 1


@pytest.mark.parametrize(("n", "jitter"), [(400, 0.3), (3000, 0.12)])
def test_segments_that_lie_side_by_side_are_told_apart(n, jitter):
    rng = np.random.default_rng(n)
    one, two = (star(rng, n, radius=60, jitter=jitter) for _ in range(2))
    a, b = Shapes.from_rings([[one]]), Shapes.from_rings([[two]])
    directed, _, signed = run(a, b, step=1e9)
    middle = shapely.points((one + np.roll(one, -1, axis=0)) / 2)
    far = shapely.distance(shapely.LinearRing(two), middle)
    area = shapely.Polygon(two)
    shapely.prepare(area)
    within = shapely.contains(area, middle)
    length = np.hypot(*(np.roll(one, -1, axis=0) - one).T)
    assert directed[0, 1] == pytest.approx(float(far @ length), rel=1e-9)
    expected = float(np.where(within, far, -far) @ length)
    assert signed[0, 0, 0] == pytest.approx(expected, abs=1e-9 * directed[0, 1])


def test_segments_that_all_meet_in_one_point_cannot_be_divided():
    angle = np.arange(200) * np.pi / 100
    tips = 50 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    spokes = np.zeros((400, 2))
    spokes[::2] = tips
    other = np.array([[-3, -3], [40, -3], [40, 30], [-3, 30]], dtype=float)
    a, b = Shapes.from_rings([[other]]), Shapes.from_rings([[spokes]])
    directed, _, _ = run(a, b, step=2.0, tolerances=(1.0,))
    expected, _ = plain([other], [spokes], 2.0, (1.0,), 0.95)
    np.testing.assert_allclose(directed[0], expected, rtol=1e-9)
