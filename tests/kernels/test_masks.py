"""Run lengths: areas, shared pixels, boundary bands and borders, against plain Python."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.kernels import masks as kernel
from annqc.kernels._masks import borders as listed
from annqc.kernels._masks import boundary_sums
from tests.geometry.drawn_masks import paired_masks, random_mask, shapes_of

ENGINES = ["numpy", "numba"]


def of(shapes):
    return shapes.runs, shapes.run_offsets


def neighbours(y, x, *, diagonal):
    for dy, dx in product((-1, 0, 1), repeat=2):
        if (dy, dx) != (0, 0) and (diagonal or dy == 0 or dx == 0):
            yield y + dy, x + dx


def plain_border(mask, rule):
    """Pixels as (x, y), column by column, looked at one by one."""
    height, width = mask.shape

    def at(y, x, outside):
        return mask[y, x] if 0 <= y < height and 0 <= x < width else outside

    if rule == "corners":
        found = []
        for x, y in product(range(width + 1), range(height + 1)):
            four = [at(y + dy, x + dx, False) for dy, dx in product((-1, 0), repeat=2)]
            if 0 < sum(map(int, four)) < 4:
                found.append((x, y))
        return found
    if rule == "free within":
        return plain_border(~mask, "four within")
    return [
        (x, y)
        for x, y in product(range(width), range(height))
        if mask[y, x]
        and not all(
            at(*place, rule == "four within")
            for place in neighbours(y, x, diagonal=rule == "eight")
        )
    ]


def plain_band(mask, depth):
    """Pixels at a chessboard distance up to ``depth`` from something outside."""
    height, width = mask.shape
    reach = range(-depth, depth + 1)
    return {
        (y, x)
        for y, x in product(range(height), range(width))
        if mask[y, x]
        and not all(
            0 <= y + dy < height and 0 <= x + dx < width and mask[y + dy, x + dx]
            for dy, dx in product(reach, repeat=2)
        )
    }


@pytest.mark.parametrize("engine", ENGINES)
@given(drawn=paired_masks())
def test_pixels_are_counted_as_in_plain_python(engine, drawn):
    left, right = drawn
    a, b = shapes_of(left), shapes_of(right)
    ones, pixels = kernel.areas(*of(a), np.arange(len(left)), engine=engine)
    assert ones.tolist() == [int(one.sum()) for one in left]
    assert pixels.tolist() == [one.size for one in left]
    rows = np.arange(len(left)).repeat(len(right))
    others = np.tile(np.arange(len(right)), len(left))
    shared = kernel.intersections(*of(a), *of(b), rows, others, engine=engine)
    assert shared.tolist() == [int((one & two).sum()) for one in left for two in right]


@given(drawn=paired_masks(), depth=st.integers(1, 4))
def test_bands_are_those_of_plain_python(drawn, depth):
    left, right = drawn
    rows = np.arange(len(left))
    found = kernel.band_counts(
        *(*of(shapes_of(left)), *of(shapes_of(right)), rows, rows),
        heights=np.full(len(rows), left[0].shape[0]),
        depths=np.full(len(rows), depth),
    )
    bands = [(plain_band(a, depth), plain_band(b, depth)) for a, b in zip(left, right, strict=True)]
    assert found.tolist() == [[len(one & two), len(one), len(two)] for one, two in bands]


@pytest.mark.parametrize("rule", kernel.BORDER_RULES)
@given(drawn=paired_masks())
def test_borders_are_those_of_plain_python(rule, drawn):
    masks, _ = drawn
    shapes = shapes_of(masks)
    found = kernel.borders(*of(shapes), shapes.canvas, np.arange(len(masks)), rule=rule)
    for k, mask in enumerate(masks):
        part = slice(found.starts[k], found.starts[k + 1])
        places = list(zip(found.x[part].tolist(), found.y[part].tolist(), strict=True))
        # what an empty mask leaves free has no border either
        assert places == plain_border(mask, rule)


def test_the_code_of_a_corner_says_which_pixels_are_set():
    mask = np.array([[1, 0], [0, 1]], dtype=bool)
    shapes = shapes_of([mask])
    found = kernel.borders(*of(shapes), shapes.canvas, np.array([0]), rule="corners")
    codes = dict(zip(zip(found.x.tolist(), found.y.tolist(), strict=True), found.code, strict=True))
    assert len(codes) == 7
    assert codes[1, 1] == 9
    assert (codes[0, 0], codes[1, 0], codes[0, 1], codes[2, 2]) == (1, 2, 4, 8)


def test_the_compiled_code_is_plain_python_too():
    rng = np.random.default_rng(3)
    a, b = (shapes_of([random_mask(rng, 9, 7) for _ in range(6)]) for _ in range(2))
    rows, heights, depths = np.arange(6), np.full(6, 9), np.full(6, 2)
    compiled, plain = np.empty((6, 3), np.int64), np.empty((6, 3), np.int64)
    boundary_sums(*of(a), *of(b), rows, rows, heights, depths, compiled)
    boundary_sums.py_func(*of(a), *of(b), rows, rows, heights, depths, plain)
    assert compiled.tolist() == plain.tolist()
    starts = np.zeros((2, 7), np.int64)
    nothing = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8)
    listed(*of(a), a.canvas, rows, 0, False, starts[0], *nothing)
    listed.py_func(*of(a), a.canvas, rows, 0, False, starts[1], *nothing)
    assert starts[0].tolist() == starts[1].tolist()
    assert starts[0, -1] > 20


@pytest.mark.parametrize("engine", ENGINES)
def test_runs_of_no_length_change_nothing(engine):
    tidy = np.array([3, 5, 2, 2, 0]), np.array([0, 5])
    split = np.array([3, 2, 0, 3, 1, 0, 1, 2]), np.array([0, 8])
    one = np.array([0])
    assert [found.tolist() for found in kernel.areas(*split, one, engine=engine)] == [[7], [12]]
    assert kernel.intersections(*tidy, *split, one, one, engine=engine).tolist() == [7]
    canvas = np.array([[4, 3]])
    for rule in kernel.BORDER_RULES:
        found = [kernel.borders(*runs, canvas, one, rule=rule) for runs in (tidy, split)]
        for left, right in zip(*found, strict=True):
            np.testing.assert_array_equal(left, right)
    bands = [
        kernel.band_counts(*runs, *tidy, one, one, heights=np.array([4]), depths=np.array([1]))
        for runs in (tidy, split)
    ]
    assert bands[0].tolist() == bands[1].tolist()


def test_the_size_of_the_pieces_does_not_matter(monkeypatch):
    rng = np.random.default_rng(4)
    a, b = (shapes_of([random_mask(rng, 20, 15) for _ in range(40)]) for _ in range(2))
    rows, others = rng.integers(0, 40, (2, 100))
    whole = kernel.intersections(*of(a), *of(b), rows, others, engine="numpy")
    for chunk in (1, 50, 333):
        monkeypatch.setattr(kernel, "CHUNK", chunk)
        pieces = kernel.intersections(*of(a), *of(b), rows, others, engine="numpy")
        assert pieces.tolist() == whole.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_no_masks_and_no_pairs(engine):
    nothing = np.empty(0, np.int64), np.zeros(3, np.int64)
    assert kernel.areas(*nothing, np.arange(2), engine=engine)[0].tolist() == [0, 0]
    none = np.empty(0, np.int64)
    assert kernel.intersections(*nothing, *nothing, none, none, engine=engine).tolist() == []
    first = np.array([0])
    assert kernel.intersections(*nothing, *nothing, first, first, engine=engine).tolist() == [0]


@given(drawn=paired_masks())
def test_the_centre_of_gravity_is_the_mean_of_the_pixels(drawn):
    masks, _ = drawn
    shapes = shapes_of(masks)
    found = kernel.centroids(*of(shapes), shapes.canvas)
    for mask, centre in zip(masks, found, strict=True):
        y, x = np.nonzero(mask)
        expected = [x.mean() + 0.5, y.mean() + 0.5] if len(x) else [np.nan, np.nan]
        np.testing.assert_allclose(centre, expected, rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_negative_run_is_told(engine):
    runs, offsets = np.array([3, -1, 4, 1, 5]), np.array([0, 3, 5])
    _, pixels = kernel.areas(runs, offsets, np.array([1, 0]), engine=engine)
    assert pixels.tolist() == [6, -1]
