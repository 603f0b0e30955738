"""Distances and signed offsets of paired contours: known truths, both engines, and shapely."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import AnnqcError
from annqc.geometry import contour_pairs
from annqc.geometry.contour_pairs import QUADRANTS, SIDES, contour_distances, contour_offsets
from annqc.tables import Shapes
from tests.geometry.figures import (
    box,
    coco_geometries,
    lidc_geometries,
    random_geometries,
    shapes_of,
    star,
)

ENGINES = ["numpy", "numba"]


def distances(one, two, **options):
    rows = np.arange(len(one))
    return contour_distances(one, two, rows, rows, **options)


def offsets(one, two, **options):
    rows = np.arange(len(one))
    return contour_offsets(one, two, rows, rows, **options)


def circle(radius, n=360):
    turn = np.arange(n) / n * 2 * np.pi
    return np.column_stack([100 + radius * np.cos(turn), 100 + radius * np.sin(turn)])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("apart", [1.0, 2.0, 2.5, -2.0])
def test_concentric_circles_are_as_far_apart_as_they_are(engine, apart):
    """Pixel methods give 1.75 to 2.24 for 2.0; vectors do not depend on a grid."""
    one, two = (Shapes.from_rings([[circle(40 + r)]]) for r in (0, apart))
    found = distances(one, two, engine=engine)
    for value in (found.assd, found.hd, found.hd_percentile, found.mean_of_means):
        assert value[0] == pytest.approx(abs(apart), abs=0.01)
    assert distances(one, two, tolerances=(abs(apart) + 0.01,)).nsd[0, 0] == 1.0
    assert distances(one, two, tolerances=(abs(apart) - 0.02,)).nsd[0, 0] == 0.0
    for symmetric in (False, True):
        signed = offsets(one, two, engine=engine, symmetric=symmetric)
        assert signed.whole[0] == pytest.approx(apart, abs=0.01)
        np.testing.assert_allclose(signed.sides[0], apart, atol=0.01)
        np.testing.assert_allclose(signed.quadrants[0], apart, atol=0.01)


def test_both_engines_give_the_same_numbers():
    rng = np.random.default_rng(4)
    one, two = (shapes_of(random_geometries(rng, 60)) for _ in range(2))
    size = np.tile([190.0, np.nan], (60, 1))
    size[::2] = 160.0
    for options in ({}, {"step": 0.3, "tolerances": (1.0, 5.0, 20.0), "percentile": 50.0}):
        some, others = (distances(one, two, engine=engine, **options) for engine in ENGINES)
        for name in some._fields:
            a, b = getattr(some, name), getattr(others, name)
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=name)
    for options in ({}, {"symmetric": True, "step": 0.4, "image_size": size}):
        some, others = (offsets(one, two, engine=engine, **options) for engine in ENGINES)
        for name in some._fields:
            a, b = getattr(some, name), getattr(others, name)
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=name)


def test_distances_on_real_outlines_equal_those_of_shapely_at_the_same_samples(shared_data):
    """The engine that compiles nothing asks shapely for every distance and every side."""
    geometries = [g for g in coco_geometries(shared_data)[:150] if g.area > 100]
    geometries += [one[2] for one in lidc_geometries(shared_data, 150) if one[2].area > 30]
    rng = np.random.default_rng(0)
    moved = [shapely.affinity.translate(g, *rng.normal(0, 2, 2)) for g in geometries]
    sides = shapes_of(geometries), shapes_of(moved)
    ours, theirs = (distances(*sides, engine=engine) for engine in ENGINES[::-1])
    for name in ours._fields:
        a, b = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=name)
    ours, theirs = (offsets(*sides, engine=engine) for engine in ENGINES[::-1])
    for name in ours._fields:
        a, b = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=name)


def test_the_hausdorff_distance_is_that_of_shapely_on_densified_outlines():
    rng = np.random.default_rng(1)
    rings = [[star(rng, 30) for _ in range(10)] for _ in range(2)]
    found = distances(*(Shapes.from_rings([[ring] for ring in side]) for side in rings), step=0.5)
    for k, (a, b) in enumerate(zip(*rings, strict=True)):
        dense = (shapely.segmentize(shapely.LinearRing(ring), 0.5) for ring in (a, b))
        assert found.hd[k] == pytest.approx(shapely.hausdorff_distance(*dense), abs=0.26)


def test_the_error_of_means_falls_with_the_square_of_the_step():
    rng = np.random.default_rng(8)
    one, two = (Shapes.from_rings([[star(rng, 25)] for _ in range(60)]) for _ in range(2))
    finest = distances(one, two, step=1 / 64, engine="numba").assd
    error = [
        np.abs(distances(one, two, step=step, engine="numba").assd - finest).mean()
        for step in (4.0, 2.0, 1.0, 0.5)
    ]
    assert error[2] < 0.002
    for coarse, fine in itertools.pairwise(error):
        assert 2.5 < coarse / fine < 6


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.2, 5))
def test_distances_are_symmetric_and_follow_turns_and_scales(seed, scale):
    rng = np.random.default_rng(seed)
    rings = star(rng, 12), star(rng, 15)
    one, two = (Shapes.from_rings([[ring]]) for ring in rings)
    plain, back = distances(one, two), distances(two, one)
    assert plain.to_candidate == pytest.approx(back.to_reference, rel=1e-12)
    assert plain.assd == pytest.approx(back.assd, rel=1e-12)
    assert plain.hd == pytest.approx(back.hd, rel=1e-12)
    assert plain.hd_percentile_pooled <= plain.hd
    assert plain.assd <= plain.hd
    turned = [Shapes.from_rings([[ring[:, ::-1] * [-1, 1]]]) for ring in rings]
    assert distances(*turned).assd == pytest.approx(plain.assd, rel=1e-9)
    larger = [Shapes.from_rings([[ring * scale]]) for ring in rings]
    # the same number of pieces, but for rounding where a length is a multiple of the step
    assert distances(*larger, step=scale * (1 + 1e-12)).assd == pytest.approx(
        plain.assd * scale, rel=1e-6
    )
    same = distances(one, one)
    assert same.hd[0] == pytest.approx(0, abs=1e-9)
    assert same.nsd[0, 0] == 1


def test_percentiles_pooled_and_of_each_contour():
    """A square, and the same with a flap of 30 px: none of the one is far, some of the other."""
    flap = np.array([[0, 0], [100, 0], [100, 50], [130, 50], [130, 51], [100, 51], [100, 100]])
    flap = np.vstack([flap, [0, 100]])
    one, two = Shapes.from_rings([[box(0, 0, 100, 100)]]), Shapes.from_rings([[flap]])
    found = distances(one, two, step=0.1, percentile=95.0)
    # of 460 px, 61 lie on the flap: 23 px, or 11.5 on either edge less half its end, lie beyond
    assert found.hd_percentile[0] == pytest.approx(30 - (23 - 1) / 2, abs=0.06)
    assert found.hd_percentile_pooled[0] == pytest.approx(30 - (43 - 1) / 2, abs=0.06)
    assert found.hd[0] == 30.0
    assert found.nsd[0, 0] == pytest.approx((400 - 1 + 400 + 4 + 0) / 860, abs=0.002)


@pytest.mark.parametrize("join", ["mitre", "round"])
@pytest.mark.parametrize("by", [1.5, -1.5])
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_uniform_dilation_is_found_on_every_side(join, by, symmetric):
    rng = np.random.default_rng(3)
    drawn = [shapely.Polygon(star(rng, 30, radius=80, jitter=0.03)) for _ in range(20)]
    ell = shapely.Polygon([(0, 0), (100, 0), (100, 50), (50, 50), (50, 100), (0, 100)])
    holed = shapely.box(0, 0, 200, 160).difference(shapely.box(50, 50, 110, 100))
    gold = [*drawn, shapely.box(50, 50, 150, 130), ell, holed]
    work = [one.buffer(by, join_style=join) for one in gold]
    found = offsets(shapes_of(gold), shapes_of(work), symmetric=symmetric)
    np.testing.assert_allclose(found.whole, by, atol=0.02)
    np.testing.assert_allclose(found.sides, by, atol=0.05)
    np.testing.assert_allclose(found.quadrants, by, atol=0.05)


def test_the_symmetric_offset_of_rugged_outlines_is_nearer_to_the_truth():
    rng = np.random.default_rng(5)
    gold = [shapely.Polygon(star(rng, 40, radius=80, jitter=0.1)) for _ in range(50)]
    work = [one.buffer(1.5) for one in gold]
    sides = shapes_of(gold), shapes_of(work)
    error = [np.mean(offsets(*sides, symmetric=one).whole) - 1.5 for one in (False, True)]
    assert 0 < error[1] < 0.6 * error[0] < 0.02


@pytest.mark.parametrize("side", range(4))
def test_one_side_that_moved_is_named(side):
    """The side reads 2 px but for the ends, where the next side is nearer: 4 px2 of 200 px."""
    edges = np.array([50.0, 60.0, 250.0, 260.0])
    moved = edges.copy()
    moved[side] += 2 if side > 1 else -2
    one, two = (Shapes.from_rings([[box(*edge)]]) for edge in (edges, moved))
    for symmetric, expected, others in ((False, 1.98, 0.0), (True, 1.99, 0.005)):
        found = offsets(one, two, symmetric=symmetric).sides[0]
        assert found[side] == pytest.approx(expected, abs=0.002)
        np.testing.assert_allclose(np.delete(found, side), 0.0, atol=others + 1e-3)
    assert SIDES[side] == ["left", "top", "right", "bottom"][side]


def test_a_right_half_that_moved_shows_on_the_right_of_round_shapes():
    one = circle(60, 200)
    two = np.where(one > [100, np.inf], one + np.array([2.0, 0]), one)
    found = offsets(Shapes.from_rings([[one]]), Shapes.from_rings([[two]]))
    assert found.sides[0, 2] == pytest.approx(2 * 2**0.5 / np.pi * 2, abs=0.05)  # mean of cosine
    assert abs(found.sides[0, 0]) < 1e-9
    quadrants = dict(zip(QUADRANTS, found.quadrants[0], strict=True))
    assert quadrants["top_right"] == pytest.approx(quadrants["bottom_right"], abs=0.02)
    assert quadrants["top_right"] > 1.2
    assert abs(quadrants["bottom_left"]) < 0.02


def test_quadrants_lie_around_the_centre_of_area():
    one, two = box(0, 0, 100, 100), box(-3, -3, 100, 100)
    found = offsets(Shapes.from_rings([[one]]), Shapes.from_rings([[two]]))
    quadrants = dict(zip(QUADRANTS, found.quadrants[0], strict=True))
    assert quadrants["top_left"] == pytest.approx(3.0, abs=0.05)
    assert quadrants["top_right"] == pytest.approx(1.5, abs=0.1)
    assert quadrants["bottom_right"] == pytest.approx(0.0, abs=1e-12)
    assert found.length[0].tolist() == pytest.approx([400, *[100] * 4, *[100] * 4])


def test_a_hole_that_shrank_is_a_dilation():
    gold = Shapes.from_rings([[box(0, 0, 100, 100), box(30, 30, 70, 70)[::-1]]])
    work = Shapes.from_rings([[box(0, 0, 100, 100), box(30, 30, 66, 70)[::-1]]])
    found = offsets(gold, work, symmetric=False)
    # the rim on the right of the hole looks to the left, as the left side of the square does
    assert found.sides[0, 0] == pytest.approx(4 * 40 / 140)
    assert found.sides[0, 2] == pytest.approx(0.0, abs=1e-12)


def test_a_side_shorter_than_five_pixels_says_nothing():
    gold = Shapes.from_rings([[box(0, 0, 60, 4)]])
    work = Shapes.from_rings([[box(0, 0, 60, 5)]])
    found = offsets(gold, work)
    assert np.isnan(found.sides[0]).tolist() == [True, False, True, False]
    assert not np.isnan(offsets(gold, work, least_length=3).sides).any()
    assert np.isnan(offsets(gold, work, symmetric=True).sides[0]).tolist()[0]


def test_samples_at_the_border_of_the_image_are_left_out():
    gold = Shapes.from_rings([[box(0, 20, 80, 60)]] * 2)
    work = Shapes.from_rings([[box(0, 20, 84, 60)]] * 2)
    size = np.array([[84.0, 90.0], [81.0, np.nan]])
    found = offsets(gold, work, image_size=size)
    assert np.isnan(found.sides[:, 0]).tolist() == [True, False]
    assert found.sides[0, 2] == pytest.approx(4 - 16 / 40, abs=0.02)
    size[1, 1] = 90.0
    assert np.isnan(offsets(gold, work, image_size=size).sides[1, 2])


@pytest.mark.parametrize("engine", ENGINES)
def test_pairs_without_a_contour_have_no_distance(engine):
    point = np.full((3, 2), 7.0)
    shapes = Shapes.from_rings([[box(0, 0, 40, 40)], [], [point], [box(0, 0, 40, 41)]])
    left, right = np.array([0, 1, 0, 2, 0]), np.array([0, 0, 1, 0, 3])
    found = contour_distances(shapes, shapes, left, right, engine=engine)
    assert np.isnan(found.assd).tolist() == [False, True, True, True, False]
    assert np.isnan(found.nsd[:, 0]).tolist() == [False, True, True, True, False]
    signed = contour_offsets(shapes, shapes, left, right, engine=engine)
    assert np.isnan(signed.whole).tolist() == [False, True, True, True, False]
    assert signed.whole[0] == pytest.approx(0, abs=1e-12)
    assert signed.sides.shape == (5, 4)
    none = np.empty(0, dtype=np.int64)
    assert contour_distances(shapes, shapes, none, none, engine=engine).nsd.shape == (0, 1)
    assert contour_offsets(shapes, shapes, none, none, engine=engine).sides.shape == (0, 4)


def test_the_step_grows_on_a_contour_too_long_for_it(monkeypatch):
    monkeypatch.setattr(contour_pairs, "MOST_SAMPLES", 1000)
    one, two = (Shapes.from_rings([[box(0, 0, 1e6 + k, 1e6)]]) for k in (0, 20))
    for engine in ENGINES:
        found = distances(one, two, engine=engine)
        assert found.hd[0] == 20
        assert found.to_candidate[0] == pytest.approx(5, rel=0.01)


def test_settings_that_make_no_sense_are_refused():
    shapes = Shapes.from_rings([[box(0, 0, 4, 4)]])
    for step in (0, -1, float("nan")):
        with pytest.raises(AnnqcError, match="step along a contour is above 0"):
            distances(shapes, shapes, step=step)
    with pytest.raises(AnnqcError, match="percentile lies between 0 and 100"):
        distances(shapes, shapes, percentile=101)
