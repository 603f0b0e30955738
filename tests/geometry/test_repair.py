from __future__ import annotations

import json
import time
from functools import reduce

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.geometry import repair
from annqc.geometry.evenodd import crossings, even_odd
from annqc.geometry.polygons import polygon_areas, signed_areas
from annqc.geometry.repair import normalise
from annqc.geometry.rings import oriented, rings_of, shoelace
from annqc.tables import Shapes
from annqc.testing.strategies import polygons, polygons_with_holes

FEW = "expected three or more, found"
SHARED = "square pixels are in several"
BEYOND = "square pixels of ring"
OUT = "lie outside the outline"
NONE_LEFT = "nothing is left of it but lines and points"
VERTEX = "expected a vertex in pixels, found"
CROSS = "its rings cross or touch each other"
EVEN_ODD = {"fill": "even_odd"}


def square(x, y, side):
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], dtype=float)


BOWTIE = np.array([[0.0, 0], [4, 4], [4, 0], [0, 4]])
PINCHED = np.array([[0.0, 0], [4, 0], [2, 2], [4, 4], [0, 4], [2, 2]])
SPIKED = np.array([[0.0, 0], [4, 0], [4, 4], [4, 9], [4, 4], [0, 4]])


def only(rings, **options):
    """Normal form of one annotation: its rings, and the kinds of fault."""
    if "hole" in options:
        options["hole"] = np.array(options["hole"], dtype=bool)
    shapes, faults = normalise(Shapes.from_rings([rings]), **options)
    return shapes, [(one.kind, one.found) for one in faults]


def odd(pieces):
    """What lies in an odd number of pieces."""
    return reduce(shapely.symmetric_difference, pieces, shapely.MultiPolygon())


def inside(at, ring):
    """Which points a ray to the right leaves over an odd number of edges."""
    crossed = np.zeros(len(at), dtype=int)
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        for k, (x, y) in enumerate(at):
            if (y0 > y) != (y1 > y):
                crossed[k] += x0 + (y - y0) / (y1 - y0) * (x1 - x0) > x
    return crossed % 2 == 1


def whole(shapes, row=0):
    """The polygon of an annotation, as shapely has it."""
    return odd([shapely.Polygon(ring) for ring in shapes.rings(row)])


@given(ring=polygons(), closed=st.booleans())
def test_a_sound_ring_keeps_its_vertices(ring, closed):
    given_ring = np.concatenate([ring, ring[:1]]) if closed else ring
    shapes, faults = only([given_ring])
    assert not faults
    (made,) = shapes.rings(0)
    assert made[0].tolist() == ring[0].tolist()
    same = made.tolist() == ring.tolist()
    assert same or made.tolist() == [ring[0].tolist(), *ring[:0:-1].tolist()]
    assert shoelace(made) == pytest.approx(abs(shoelace(ring)))


@given(rings=polygons_with_holes(min_holes=1), turned=st.lists(st.booleans(), min_size=3))
def test_holes_by_even_odd_and_by_flags(rings, turned):
    rings = [ring[::-1] if turn else ring for ring, turn in zip(rings, turned, strict=False)]
    flags = [False] + [True] * (len(rings) - 1)
    by_rule, faults = only(rings, fill="even_odd")
    by_flag, others = only(rings, hole=flags)
    assert not faults + others
    expected = shapely.Polygon(rings[0], rings[1:])
    for shapes in (by_rule, by_flag):
        assert polygon_areas(shapes)[0] == pytest.approx(expected.area, rel=1e-9)
        signs = signed_areas(shapes.points, shapes.ring_offsets) > 0
        assert signs.tolist() == [True] + [False] * (len(rings) - 1)
        vertices = [{tuple(p) for p in ring.tolist()} for ring in shapes.rings(0)]
        assert vertices == [{tuple(p) for p in ring.tolist()} for ring in rings]


RING = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda p: [float(p[0]), float(p[1])]),
    min_size=0,
    max_size=9,
)


@settings(max_examples=60)
@given(rings=st.lists(RING, max_size=3), fill=st.sampled_from(["union", "even_odd"]))
def test_whatever_the_rings_the_result_is_normal(rings, fill):
    shapes, faults = normalise(Shapes.from_rings([rings]), fill=fill)
    again, none = normalise(shapes, fill="even_odd")
    assert not none
    assert [ring.tolist() for ring in again.rings(0)] == [r.tolist() for r in shapes.rings(0)]
    made = shapes.rings(0)
    assert all(len(ring) > 2 for ring in made)
    assert not any((ring == np.roll(ring, -1, axis=0)).all(axis=1).any() for ring in made)
    at = np.random.default_rng(0).random((60, 2)) * 7 - 0.5
    several = [inside(at, np.array(ring).reshape(-1, 2)) for ring in rings]
    expected = np.any(several, axis=0) if fill == "union" else np.sum(several, axis=0) % 2 == 1
    assert (
        shapely.contains_xy(whole(shapes), at).tolist() == (expected * np.ones(60, bool)).tolist()
    )
    assert polygon_areas(shapes)[0] == pytest.approx(whole(shapes).area) or not made
    if not made and rings:
        assert len([one for one in faults if one.kind in repair._LOST]) == 1


@settings(max_examples=25)
@given(n=st.integers(4, 40), seed=st.integers(0, 99))
def test_even_odd_is_what_make_valid_does(n, seed):
    ring = np.random.default_rng([n, seed]).random((n, 2)) * 100
    made = even_odd([ring])
    assert made.is_valid
    assert made.area == pytest.approx(shapely.make_valid(shapely.Polygon(ring)).area, rel=1e-9)


@pytest.mark.parametrize(
    ("rings", "options", "area", "faults"),
    [
        (
            [BOWTIE],
            {},
            8,
            [("self_crossing", "it crosses itself near x 2, y 2; it encloses 8 square pixels")],
        ),
        ([PINCHED], {}, 8, [("self_touching", "it touches itself near x 2, y 2")]),
        ([SPIKED], {}, 16, [("self_touching", "it touches itself near x 4, y 9")]),
        (
            [square(0, 0, 4), [[1, 1], [2, 2]]],
            {},
            16,
            [("stray_ring", "ring 2 of 2 has 2 different points")],
        ),
        (
            [square(0, 0, 4), [[1, 1]]],
            {},
            16,
            [("stray_ring", "ring 2 of 2 has 1 different point")],
        ),
        (
            [square(0, 0, 4), [[1, 1], [2, 2], [3, 3]]],
            {},
            16,
            [("stray_ring", "ring 2 encloses no area")],
        ),
        (
            [square(0, 0, 4), square(2, 2, 4)],
            {},
            28,
            [("overlapping_parts", f"4 {SHARED}")],
        ),
        (
            [square(0, 0, 4), square(4, 0, 4)],
            {},
            32,
            [("overlapping_parts", f"0 {SHARED}")],
        ),
        (
            [square(0, 0, 8), square(2, 2, 2)],
            {},
            64,
            [("overlapping_parts", f"4 {SHARED}")],
        ),
        ([square(0, 0, 4), square(6, 6, 2)], {}, 20, []),
        (
            [square(0, 0, 4), square(2, 2, 4)],
            {"fill": "even_odd"},
            24,
            [("overlapping_parts", CROSS)],
        ),
        ([square(0, 0, 8), square(1, 1, 6), square(2, 2, 2)], EVEN_ODD, 32, []),
        ([square(0, 0, 8), square(2, 2, 2)], {"hole": [0, 1]}, 60, []),
        (
            [square(0, 0, 8), square(6, 2, 4)],
            {"hole": [0, 1]},
            56,
            [("hole_outside", f"8 of 16 {BEYOND} 2 {OUT}")],
        ),
        (
            [square(0, 0, 8), square(20, 2, 2)],
            {"hole": [0, 1]},
            64,
            [("hole_outside", f"4 of 4 {BEYOND} 2 {OUT}")],
        ),
    ],
)
def test_what_is_repaired(rings, options, area, faults):
    shapes, found = only(rings, **options)
    assert found == faults
    assert polygon_areas(shapes).tolist() == [area]
    assert whole(shapes).area == area


@pytest.mark.parametrize(
    ("rings", "options", "fault"),
    [
        ([[]], {}, ("few_points", f"{FEW} 0 different points")),
        (
            [[[1, 1], [2, 2], [1, 1]]],
            {},
            ("few_points", f"{FEW} 2 different points"),
        ),
        (
            [[[1, 1], [2, 2], [3, 3]]],
            {},
            ("zero_area", NONE_LEFT),
        ),
        (
            [[[1, 1], [np.nan, 2], [3, 3]]],
            {},
            ("non_finite", f"{VERTEX} nan, 2"),
        ),
        (
            [square(0, 0, 4), [[1, 1], [np.inf, 2], [3, 3]]],
            {},
            ("non_finite", f"{VERTEX} inf, 2"),
        ),
        ([square(0, 0, 4e9)], {}, ("out_of_range", f"{VERTEX} 4e+09, 0")),
        (
            [square(0, 0, 4)],
            {"hole": [1]},
            ("hole_outside", f"16 of 16 {BEYOND} 1 {OUT}"),
        ),
    ],
)
def test_what_nothing_is_left_of(rings, options, fault):
    shapes, found = only(rings, **options)
    assert fault in found or ("zero_area", NONE_LEFT) in found
    assert shapes.kind.tolist() == [0]
    assert [one for one in found if one[0] in repair._LOST] == found


def test_faults_are_told_by_row_and_masks_stay():
    polygons_given = Shapes.from_rings([[square(0, 0, 4)], [BOWTIE], [], None, [[[1, 1]]]])
    masks = Shapes.from_runs([None, None, None, np.array([0, 4]), None], [(2, 2)] * 5)
    shapes, faults = normalise(Shapes.mixed(polygons_given, masks))
    assert [(one.row, one.kind) for one in faults] == [(1, "self_crossing"), (4, "few_points")]
    assert shapes.kind.tolist() == [1, 1, 0, 2, 0]
    assert shapes.runs.tolist() == [0, 4]


def test_many_at_a_time_or_few_is_the_same(monkeypatch):
    rng = np.random.default_rng(5)
    given_rings = [[rng.integers(0, 30, (k % 7, 2)).astype(float)] * (k % 3) for k in range(60)]
    hole = rng.random(sum(map(len, given_rings))) < 0.3
    shapes, faults = normalise(Shapes.from_rings(given_rings), hole=hole)
    monkeypatch.setattr(repair, "_AT_ONCE", 5)
    again, others = normalise(Shapes.from_rings(given_rings), hole=hole)
    assert faults == others
    assert np.array_equal(shapes.points, again.points)
    assert shapes.ring_offsets.tolist() == again.ring_offsets.tolist()
    assert len(normalise(Shapes.empty(0))[0]) == 0


def test_a_hundred_thousand_vertices():
    rng = np.random.default_rng(1)
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    radius = 5000 + rng.random(len(angle))
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]
    start = time.process_time()
    shapes, faults = only([ring])
    assert time.process_time() - start < 1
    assert not faults
    assert np.array_equal(shapes.rings(0)[0], ring)
    start = time.process_time()
    shapes, faults = only([ring + rng.normal(0, 0.12, ring.shape)])
    assert time.process_time() - start < 5
    assert [kind for kind, _ in faults] == ["self_crossing"]
    assert polygon_areas(shapes)[0] == pytest.approx(np.pi * 5000.5**2, rel=1e-3)
    start = time.process_time()
    shapes, faults = only([rng.random((100_000, 2)) * 1000])
    assert time.process_time() - start < 2
    assert [kind for kind, _ in faults] == ["tangled"]


def test_crossings_are_counted():
    assert crossings([square(0, 0, 4), square(2, 2, 4)]) == 2
    ring = np.random.default_rng(3).random((2000, 2))
    edges = np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)[:200]
    lines = shapely.linestrings(edges)
    met = shapely.crosses(lines[:, None], lines[None, :]).mean() * 2000**2 / 2
    assert crossings([ring]) == pytest.approx(met, rel=0.15)


def test_rings_and_their_direction():
    ring = square(1, 1, 2)
    assert oriented(ring, outer=True) is ring
    assert oriented(ring, outer=False).tolist() == [[1, 1], [1, 3], [3, 3], [3, 1]]
    mixture = shapely.GeometryCollection(
        [shapely.LineString([(0, 0), (9, 9)]), shapely.MultiPolygon([shapely.Polygon(ring)])]
    )
    assert [len(one) for one in rings_of(mixture)] == [4]


def test_real_contours(shared_data):
    path = shared_data / "lidc_contours" / "contours_first150scans.jsonl"
    rows = [json.loads(line)["points_xy"] for line in path.read_text().splitlines()]
    shapes, faults = normalise(Shapes.from_rings([[row] for row in rows]))
    assert len(rows) == 6873
    long = [k for k, row in enumerate(rows) if len(row) > 3]
    whole_rings = [shapely.Polygon(rows[k]) for k in long]
    valid = shapely.is_valid(whole_rings)
    assert {one.row for one in faults} == set(np.array(long)[~valid]) | set(range(6873)) - set(long)
    made = [
        one if sound else shapely.make_valid(one)
        for one, sound in zip(whole_rings, valid, strict=True)
    ]
    areas = np.nan_to_num(polygon_areas(shapes))[long]
    assert areas == pytest.approx(shapely.area(made), abs=1e-6)
