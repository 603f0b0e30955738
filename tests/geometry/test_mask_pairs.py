"""Pairs of masks: both paths agree, properties hold, planted faults are found, and refusals."""

from __future__ import annotations

import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import MatchError, SpecError, UnknownNameError
from annqc.geometry import mask_pairs
from annqc.geometry.mask_pairs import (
    BORDERS,
    MaskStatus,
    boundary_iou,
    mask_overlap,
    surface_distances,
)
from annqc.geometry.masks import paint
from annqc.tables import Shapes
from tests.geometry.drawn_masks import blob, paired_masks, random_mask, shapes_of

ALL, LEFT, TOP, RIGHT, BOTTOM = range(5)
contour_offsets = partial(mask_pairs.contour_offsets, method="pixels")
"""Those between smooth outlines are in test_smoothed."""
SUMMARIES = ("assd", "mean_of_means", "hd", "robust_hd", "nsd")


def of_pair(function, one, two, **options):
    return function(shapes_of([one]), shapes_of([two]), [0], [0], **options)


def rectangle(top, left, bottom, right, canvas=(120, 140)):
    mask = np.zeros(canvas, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def disc(radius, canvas=(160, 160)):
    y, x = np.mgrid[: canvas[0], : canvas[1]] + 0.5
    return np.hypot(y - canvas[0] / 2, x - canvas[1] / 2) <= radius


def random_pairs(seed, n):
    """Masks on several canvases, paired at random among those of one canvas."""
    rng = np.random.default_rng(seed)
    left, right = [], []
    for _ in range(n):
        height, width = rng.integers(1, 40, 2)
        left.append(random_mask(rng, height, width))
        right.append(random_mask(rng, height, width))
    return shapes_of(left), shapes_of(right), np.arange(n)


def test_counts_of_both_paths_are_equal():
    one, two, rows = random_pairs(1, 300)
    for function, options in (
        (mask_overlap, {}),
        (mask_overlap, {"crowd": rows % 2 == 0}),
        (boundary_iou, {"ratio": 0.05}),
        (boundary_iou, {"lesser": True}),
    ):
        found = [
            function(one, two, rows, rows, engine=engine, **options)
            for engine in ("numpy", "numba")
        ]
        for plain, jitted in zip(*found, strict=True):
            np.testing.assert_array_equal(plain, jitted)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("pooled", [False, True])
def test_distances_of_both_paths_are_equal(border, pooled):
    one, two, rows = random_pairs(2, 120)
    for percent, spacing in ((95, (1, 1)), (50, (0.7, 1.3)), (100, (2, 1))):
        plain, jitted = (
            surface_distances(
                *(one, two, rows, rows),
                border=border,
                pooled=pooled,
                percent=percent,
                spacing=spacing,
                engine=engine,
            )
            for engine in ("numpy", "numba")
        )
        for name in SUMMARIES:
            np.testing.assert_allclose(
                getattr(plain, name), getattr(jitted, name), rtol=1e-11, err_msg=name
            )


def test_offsets_of_both_paths_are_equal():
    one, two, rows = random_pairs(3, 120)
    plain, jitted = (
        contour_offsets(one, two, rows, rows, engine=engine) for engine in ("numpy", "numba")
    )
    np.testing.assert_array_equal(plain.pixels, jitted.pixels)
    np.testing.assert_array_equal(plain.left_out, jitted.left_out)
    np.testing.assert_allclose(plain.offset, jitted.offset, rtol=1e-10, atol=1e-12)
    assert np.isfinite(jitted.offset).mean() > 0.3


def test_many_slices_are_as_good_as_one(monkeypatch):
    one, two, rows = random_pairs(4, 30)
    whole = surface_distances(one, two, rows, rows, engine="numba")
    offsets = contour_offsets(one, two, rows, rows, engine="numba")
    monkeypatch.setattr("annqc.geometry.mask_checks.SLICE", 7)
    pieces = surface_distances(one, two, rows, rows, engine="numba")
    for name in SUMMARIES:
        np.testing.assert_array_equal(getattr(whole, name), getattr(pieces, name))
    again = contour_offsets(one, two, rows, rows, engine="numba")
    np.testing.assert_array_equal(offsets.offset, again.offset)


@settings(max_examples=40)
@given(drawn=paired_masks())
def test_turning_the_image_over_changes_no_distance(drawn):
    (one, *_), (two, *_) = drawn
    for function, names in (
        (mask_overlap, ("iou", "dice")),
        (boundary_iou, ("iou",)),
        (surface_distances, SUMMARIES),
    ):
        here = of_pair(function, one, two, engine="numba")
        turned = of_pair(function, one.T, two.T, engine="numba")
        swapped = of_pair(function, two, one, engine="numba")
        for name in names:
            for other in (turned, swapped):
                np.testing.assert_allclose(
                    getattr(here, name), getattr(other, name), rtol=1e-12, err_msg=name
                )


@settings(max_examples=40)
@given(drawn=paired_masks(), down=st.integers(0, 5), right=st.integers(0, 5))
def test_moving_both_masks_changes_nothing(drawn, down, right):
    (one, *_), (two, *_) = drawn
    height, width = one.shape

    def moved(mask, y, x):
        canvas = np.zeros((height + 22, width + 22), dtype=bool)
        canvas[y : y + height, x : x + width] = mask
        return canvas

    # eight pixels from the edge of the image no window reaches it
    pairs = [[moved(mask, *at) for mask in (one, two)] for at in ((8, 8), (8 + down, 8 + right))]
    for function in (mask_overlap, boundary_iou, contour_offsets):
        here, there = (of_pair(function, *pair, engine="numba") for pair in pairs)
        for before, after in zip(here, there, strict=True):
            np.testing.assert_allclose(before, after, atol=1e-9)


@given(drawn=paired_masks())
def test_a_mask_agrees_with_itself(drawn):
    for mask in drawn[0]:
        if not mask.any():
            continue
        shared = of_pair(mask_overlap, mask, mask)
        values = [shared.iou, shared.dice, shared.coverage, shared.purity]
        assert [float(one[0]) for one in values] == [1.0] * 4
        assert of_pair(boundary_iou, mask, mask, lesser=True).iou.tolist() == [1.0]
        same = of_pair(surface_distances, mask, mask, tolerance=0)
        assert (same.assd[0], same.hd[0], same.nsd[0]) == (0, 0, 1)
        offset = of_pair(contour_offsets, mask, mask).offset
        assert np.nan_to_num(offset).any() == np.False_


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_a_rectangle_that_grows_by_two_pixels(engine):
    found = of_pair(
        contour_offsets, rectangle(30, 40, 90, 110), rectangle(28, 38, 92, 112), engine=engine
    )
    np.testing.assert_allclose(found.offset[0], 2, atol=1e-9)
    assert found.pixels[0].tolist()[0] == 2 * 60 + 2 * 70 - 4


@pytest.mark.parametrize(
    ("side", "moved", "short"),
    [
        (LEFT, (30, 38, 90, 110), 2 * 3),
        (TOP, (28, 40, 90, 110), 2 * 1),
        (RIGHT, (30, 40, 90, 112), 2 * 3),
        (BOTTOM, (30, 40, 92, 110), 2 * 1),
    ],
)
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_one_side_that_moves_out_by_two_pixels(side, moved, short, engine):
    found = of_pair(contour_offsets, rectangle(30, 40, 90, 110), rectangle(*moved), engine=engine)
    n = found.pixels[0, side]
    # at both ends the nearest background is beside the side; the corners are of left and right
    np.testing.assert_allclose(found.offset[0, side], 2 - short / n, atol=1e-9)
    others = [k for k in (LEFT, TOP, RIGHT, BOTTOM) if k != side]
    np.testing.assert_allclose(found.offset[0, others], 0, atol=0.05)


def test_one_side_that_moves_in_is_tight():
    found = of_pair(contour_offsets, rectangle(30, 40, 90, 110), rectangle(30, 40, 90, 107))
    np.testing.assert_allclose(found.offset[0, RIGHT], -3, atol=1e-9)


def test_a_disc_that_grows_is_loose_all_around_and_measured_a_little_short():
    found = of_pair(contour_offsets, disc(40), disc(41.5))
    assert 1.1 < found.offset[0, ALL] < 1.6
    np.testing.assert_allclose(found.offset[0, 1:], found.offset[0, ALL], atol=0.15)
    shrunk = of_pair(contour_offsets, disc(40), disc(38.5))
    np.testing.assert_allclose(shrunk.offset[0, ALL], -1.5, atol=0.25)


def test_a_quarter_that_is_loose_is_told_from_the_others():
    gold, work = rectangle(30, 40, 90, 110), rectangle(30, 40, 90, 110)
    work[27:60, 75:113] = True
    quarters = of_pair(contour_offsets, gold, work).offset[0, 5:]
    assert quarters[1] > 2
    np.testing.assert_allclose(quarters[[0, 2, 3]], 0, atol=0.1)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_where_the_image_cuts_off_the_reference_nothing_is_measured(engine):
    cut = rectangle(0, 0, 60, 70)
    found = of_pair(contour_offsets, cut, rectangle(0, 0, 62, 70), engine=engine)
    assert np.isnan(found.offset[0, [LEFT, TOP]]).all()
    # along the edge of the image the distance goes on, so that one end alone is short
    np.testing.assert_allclose(found.offset[0, BOTTOM], 2 - 1 / 69, atol=1e-9)
    assert found.left_out[0] == 0


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_a_candidate_ends_at_the_edge_of_the_image_where_the_reference_does_not(engine):
    gold = rectangle(0, 0, 120, 137)
    for work in (rectangle(0, 0, 120, 140), np.ones_like(gold)):
        found = of_pair(contour_offsets, gold, work, engine=engine)
        assert found.offset[0, RIGHT] == 3
        assert found.pixels[0, ALL] == 120
    gold = rectangle(30, 40, 90, 110)
    empty = of_pair(contour_offsets, gold, np.zeros_like(gold), engine=engine)
    assert np.isnan(empty.offset).all()
    assert empty.left_out[0] == 256
    assert empty.status[0] == MaskStatus.CANDIDATE_EMPTY


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_empty_masks_have_a_status(engine):
    nothing, something = np.zeros((8, 9), dtype=bool), np.eye(8, 9, dtype=bool)
    one, two = shapes_of([nothing, something, nothing]), shapes_of([something, nothing, nothing])
    rows = np.arange(3)
    shared = mask_overlap(one, two, rows, rows, engine=engine)
    assert shared.status.tolist() == [
        MaskStatus.REFERENCE_EMPTY,
        MaskStatus.CANDIDATE_EMPTY,
        MaskStatus.BOTH_EMPTY,
    ]
    np.testing.assert_array_equal(shared.iou, [0, 0, np.nan])
    np.testing.assert_array_equal(shared.coverage, [np.nan, 0, np.nan])
    np.testing.assert_array_equal(shared.purity, [0, np.nan, np.nan])
    bands = boundary_iou(one, two, rows, rows, lesser=True, engine=engine)
    np.testing.assert_array_equal(bands.iou, [0, 0, np.nan])
    far = surface_distances(one, two, rows, rows, engine=engine)
    np.testing.assert_array_equal(far.hd, [np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(far.robust_hd, [np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(far.assd, [np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(far.mean_of_means, [np.nan] * 3)
    np.testing.assert_array_equal(far.nsd, [0, 0, np.nan])
    np.testing.assert_array_equal(far.from_reference.largest, [np.nan, np.inf, np.nan])


@pytest.mark.parametrize(
    "function", [mask_overlap, boundary_iou, surface_distances, contour_offsets]
)
def test_other_canvases_are_refused_and_never_resized(function):
    one = shapes_of([np.ones((8, 9), dtype=bool)] * 2)
    two = shapes_of([np.ones((8, 9), dtype=bool), np.ones((9, 8), dtype=bool)])
    with pytest.raises(MatchError) as refused:
        function(one, two, [0, 1], [0, 1])
    text = str(refused.value)
    assert "masks on canvases of different sizes cannot be compared" in text
    assert "reference row 1, candidate row 1 (1 of 2 pairs)" in text
    assert "9 x 8 pixels on both sides; annqc never resizes a mask" in text
    assert "8 x 9 in the candidate" in text
    marked = function(one, two, [0, 1], [0, 1], other_canvas="nan")
    assert marked.status.tolist() == [MaskStatus.OK, MaskStatus.OTHER_CANVAS]
    value = {surface_distances: "assd", contour_offsets: "offset"}.get(function, "iou")
    assert np.isnan(getattr(marked, value)[1]).all()


def test_what_is_no_mask_is_refused():
    polygon = Shapes.from_rings([[[[0, 0], [4, 0], [4, 4]]]])
    mask = shapes_of([np.ones((4, 4), dtype=bool)])
    with pytest.raises(MatchError, match="row 0 of the candidate is no mask"):
        mask_overlap(mask, polygon, [0], [0])
    with pytest.raises(MatchError, match="a row that the reference does not have"):
        mask_overlap(mask, mask, [1], [0])
    with pytest.raises(MatchError, match="a reference row and a candidate row each"):
        mask_overlap(mask, mask, [0, 0], [0])
    short = Shapes.from_runs([[3, 2]], [[4, 4]])
    with pytest.raises(MatchError, match="16 pixels of 4 x 4"):
        boundary_iou(mask, short, [0], [0])
    negative = Shapes.from_runs([[3, -2, 15]], [[4, 4]])
    with pytest.raises(MatchError, match="none negative"):
        boundary_iou(mask, negative, [0], [0])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"border": "fuor"}, UnknownNameError, "did you mean 'four'"),
        ({"tolerance": -1}, SpecError, "must not be negative"),
        ({"tolerance": float("nan")}, SpecError, "must not be negative"),
        ({"percent": 101}, SpecError, "no such percentile"),
        ({"spacing": (1, 0)}, SpecError, "the height and the width of a pixel"),
        ({"other_canvas": "resize"}, UnknownNameError, "one of error, nan"),
        ({"engine": "fast"}, UnknownNameError, "there is no engine"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, error, text):
    mask = shapes_of([np.ones((4, 4), dtype=bool)])
    with pytest.raises(error, match=text):
        surface_distances(mask, mask, [0], [0], **options)


@pytest.mark.parametrize("ratio", [0, -0.1, float("nan"), float("inf")])
def test_a_band_needs_a_depth(ratio):
    mask = shapes_of([np.ones((4, 4), dtype=bool)])
    with pytest.raises(SpecError, match="part of the image's diagonal"):
        boundary_iou(mask, mask, [0], [0], ratio=ratio)


def test_no_pairs():
    mask = shapes_of([np.ones((4, 4), dtype=bool)])
    for function in (mask_overlap, boundary_iou, surface_distances, contour_offsets):
        assert len(function(mask, mask, [], []).status) == 0


def on_a_large_canvas(size, masks):
    """Masks put in the middle of a square canvas, without ever making it."""
    runs = []
    for mask in masks:
        height, width = mask.shape
        top = left = (size - height) // 2
        columns = shapes_of([np.pad(mask, ((top, size - height - top), (0, 0)))]).runs
        before, after = left * size, (size - left - width) * size
        runs.append(np.concatenate([[columns[0] + before], columns[1:-1], [columns[-1] + after]]))
    return Shapes.from_runs(runs, [[size, size]] * len(masks))


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_a_small_object_on_a_large_canvas_stays_small(engine):
    rng = np.random.default_rng(6)
    pair = blob(rng, 120, (400, 400))
    far = on_a_large_canvas(20_000, pair)
    near = on_a_large_canvas(1_000, pair)
    calls = [
        lambda masks: mask_overlap(masks, masks, [0], [1], engine=engine).iou,
        lambda masks: surface_distances(masks, masks, [0], [1], engine=engine).assd,
        lambda masks: contour_offsets(masks, masks, [0], [1], engine=engine).offset,
        lambda masks: boundary_iou(masks, masks, [0], [1], ratio=1e-9, engine=engine).iou,
    ]
    for call in calls:
        call(near)
        tracemalloc.start()
        there = call(far)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        np.testing.assert_allclose(there, call(near), rtol=1e-12)
        assert peak < 60e6  # the canvas has 400 million pixels


def test_ten_thousand_pairs_in_one_image():
    rng = np.random.default_rng(7)
    masks, places = [], rng.integers(0, 1000, (10_000, 2))
    for y, x in places.tolist():
        height, width = 5 + y % 9, 5 + x % 9
        column = np.tile([height, 1024 - height], width)
        runs = np.concatenate([[x * 1024 + y], column])
        runs[-1] += 1024 * 1024 - runs.sum()
        masks.append(runs)
    shapes = Shapes.from_runs(masks, [[1024, 1024]] * len(masks))
    rows = np.arange(len(masks))
    others = np.roll(rows, 1)
    shared = mask_overlap(shapes, shapes, rows, others)
    x, y = places[:, 1], places[:, 0]
    right, bottom = x + 5 + x % 9, y + 5 + y % 9
    across = np.minimum(right, right[others]) - np.maximum(x, x[others])
    down = np.minimum(bottom, bottom[others]) - np.maximum(y, y[others])
    np.testing.assert_array_equal(shared.inter, np.maximum(across, 0) * np.maximum(down, 0))
    far = surface_distances(shapes, shapes, rows, rows, engine="numba")
    assert far.hd.max() == 0
    assert (boundary_iou(shapes, shapes, rows, rows, engine="numba").iou == 1).all()


def test_a_polygon_is_compared_with_a_mask_as_painted():
    ring = [[10, 20], [60, 20], [60, 50], [10, 50]]
    polygon = Shapes.from_rings([[ring]])
    drawn = paint(polygon, np.array([[100, 120]]))
    mask = shapes_of([rectangle(20, 10, 50, 62, (100, 120))])
    assert mask_overlap(drawn, mask, [0], [0]).iou.tolist() == [50 / 52]
    assert contour_offsets(drawn, mask, [0], [0]).offset[0, RIGHT] == pytest.approx(1.8, abs=0.02)
