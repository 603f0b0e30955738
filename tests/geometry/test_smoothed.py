"""Smooth outlines of masks: against plain sums along each ring, and against what was painted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from annqc.errors import UnknownNameError
from annqc.geometry.cracks import traced
from annqc.geometry.mask_offsets import contour_offsets
from annqc.geometry.masks import paint
from annqc.geometry.polygons import polygon_areas
from annqc.geometry.smoothed import LEAST_STEPS, SIGMA, smoothed
from annqc.shapes import BOX_ONLY, POLYGON
from annqc.tables import Shapes
from tests.geometry.drawn_masks import paired_masks, random_mask, shapes_of

ALL, LEFT, TOP, RIGHT, BOTTOM = range(5)


def disc(radius, centre=(80, 80), canvas=(160, 160)):
    y, x = np.mgrid[: canvas[0], : canvas[1]] + 0.5
    return np.hypot(y - centre[0], x - centre[1]) <= radius


def plain_ring(corners):
    """Smooth one ring pixel edge by pixel edge."""
    middles = []
    for k in range(len(corners)):
        here, there = corners[k], corners[(k + 1) % len(corners)]
        n = round(abs(there - here).sum())
        middles += [here + (there - here) * (j + 0.5) / n for j in range(n)]
    n = len(middles)
    sigma = min(SIGMA, n / LEAST_STEPS)
    reach = math.ceil(3 * sigma)
    weights = {k: math.exp(-0.5 * (k / sigma) ** 2) for k in range(-reach, reach + 1)}
    total = sum(weights.values())

    def blurred(points):
        return [sum(w * points[(i + k) % n] for k, w in weights.items()) / total for i in range(n)]

    once = blurred(middles)
    rest = blurred([a - b for a, b in zip(middles, once, strict=True)])
    return np.array([a + b for a, b in zip(once, rest, strict=True)])


def test_rings_are_smoothed_as_plainly_summed_up():
    rng = np.random.default_rng(5)
    masks = [random_mask(rng, 24, 31) for _ in range(5)]
    masks += [disc(9.0, (20, 20), (40, 40)), np.eye(3, dtype=bool), np.ones((1, 1), dtype=bool)]
    shapes = shapes_of(masks)
    corners, found = traced(shapes), smoothed(shapes)
    np.testing.assert_array_equal(found.shape_offsets, corners.shape_offsets)
    for row in range(len(masks)):
        for ring, smooth in zip(corners.rings(row), found.rings(row), strict=True):
            np.testing.assert_allclose(smooth, plain_ring(ring), atol=1e-9)


def test_what_is_no_mask_is_box_only_and_an_empty_mask_too():
    polygon = Shapes.from_rings([[[[0, 0], [9, 0], [9, 9]]]])
    masks = shapes_of([disc(5.0, (8, 8), (16, 16)), np.zeros((16, 16), dtype=bool)])
    assert smoothed(Shapes.concat([masks, polygon])).kind.tolist() == [POLYGON, BOX_ONLY, BOX_ONLY]


@pytest.mark.parametrize("radius", [3.0, 6.3, 20.0, 60.7])
def test_a_disc_keeps_its_area(radius):
    mask = disc(radius)
    (area,) = polygon_areas(smoothed(shapes_of([mask])))
    assert math.sqrt(area / math.pi) == pytest.approx(math.sqrt(mask.sum() / math.pi), abs=0.04)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("by", [1.5, -1.5, 0.4])
def test_discs_are_as_far_apart_as_their_radii(by, engine):
    rng = np.random.default_rng(8)
    centres = rng.uniform(75, 85, (20, 2))
    radii = rng.uniform(15, 50, 20)
    gold = shapes_of([disc(r, at) for r, at in zip(radii, centres, strict=True)])
    work = shapes_of([disc(r + by, at) for r, at in zip(radii, centres, strict=True)])
    rows = np.arange(20)
    found = contour_offsets(gold, work, rows, rows, engine=engine)
    assert found.offset.mean(axis=0) == pytest.approx(np.full(9, by), abs=0.03)
    if by == 1.5:
        pixels = contour_offsets(gold, work, rows, rows, engine=engine, method="pixels")
        assert pixels.offset[:, ALL].mean() < 1.4


@pytest.mark.parametrize("angle", [0.0, 11.0, 33.0, 45.0, 70.0])
def test_a_turned_square_that_moves_one_side(angle):
    turn = np.radians(angle)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    square = np.array([[-60.0, -60], [60, -60], [60, 60], [-60, 60]])
    wider = square + np.array([[0.0, 0], [2, 0], [2, 0], [0, 0]])
    places = np.random.default_rng(9).uniform(119, 121, (20, 2))
    rings = [[(one @ axes) + at] for one in (square, wider) for at in places]
    masks = paint(Shapes.from_rings(rings), [(240, 240)] * 40)
    found = contour_offsets(masks, masks, np.arange(20), np.arange(20, 40)).offset.mean(axis=0)
    if angle != 45:
        side = RIGHT if angle < 45 else BOTTOM
        assert found[side] == pytest.approx(2.0, abs=0.06)
    assert found[ALL] == pytest.approx(0.5, abs=0.03)


def test_where_the_image_cuts_off_both_nothing_is_measured():
    gold, work = np.zeros((2, 120, 140), dtype=bool)
    gold[:60, :70], work[:62, :70] = True, True
    found = contour_offsets(shapes_of([gold]), shapes_of([work]), [0], [0])
    assert np.isnan(found.offset[0, [LEFT, TOP]]).all()
    assert found.offset[0, BOTTOM] == pytest.approx(2.0, abs=0.04)
    assert found.offset[0, RIGHT] == pytest.approx(0.0, abs=0.04)
    assert found.pixels[0, ALL] == pytest.approx(60 + 70 - 2 * 4, abs=4)
    assert found.total[0, BOTTOM] == pytest.approx(2 * found.pixels[0, BOTTOM], rel=0.03)


def test_an_empty_candidate_leaves_out_the_outline():
    gold = disc(20.0)
    found = contour_offsets(shapes_of([gold]), shapes_of([np.zeros_like(gold)]), [0], [0])
    assert np.isnan(found.offset).all()
    assert found.left_out[0] == pytest.approx(2 * np.pi * 20, abs=3)
    assert found.total.tolist() == [[0.0] * 9]


def test_quarters_are_those_of_pixels():
    gold, work = np.zeros((2, 120, 140), dtype=bool)
    gold[30:90, 40:110], work[30:90, 40:110] = True, True
    work[60:95, 40:75] = True  # bottom left
    pair = shapes_of([gold]), shapes_of([work]), [0], [0]
    for method in ("outlines", "pixels"):
        quarters = contour_offsets(*pair, method=method).offset[0, 5:]
        assert np.argmax(quarters) == 3
        assert np.abs(quarters[:3]).max() < 0.3 < 1.5 < quarters[3]


def test_an_unknown_method_is_refused():
    pair = shapes_of([disc(5.0)]), shapes_of([disc(5.0)]), [0], [0]
    with pytest.raises(UnknownNameError, match="way to measure offsets of masks"):
        contour_offsets(*pair, method="pixel")


def padded(mask):
    return shapes_of([np.pad(mask, 10)])


@settings(max_examples=40)
@given(drawn=paired_masks())
def test_a_mask_has_no_offset_to_itself_and_swapping_two_turns_the_sign(drawn):
    one, two = (padded(masks[0]) for masks in drawn)
    same = contour_offsets(one, one, [0], [0], engine="numba").offset
    np.testing.assert_allclose(np.nan_to_num(same), 0, atol=1e-9)
    here, there = (
        contour_offsets(*pair, [0], [0], engine="numba").offset[0, ALL]
        for pair in ((one, two), (two, one))
    )
    if np.isfinite([here, there]).all():
        assert here == pytest.approx(-there, abs=1e-9)


@settings(max_examples=40)
@given(drawn=paired_masks())
def test_turning_the_image_over_changes_no_offset(drawn):
    one, two = (masks[0] for masks in drawn)
    here = contour_offsets(padded(one), padded(two), [0], [0], engine="numba").offset[0]
    turned = contour_offsets(padded(one.T), padded(two.T), [0], [0], engine="numba").offset[0]
    np.testing.assert_allclose(here[ALL], turned[ALL], atol=1e-6)
