"""Overlaps of boxes within groups, against a plain-Python oracle and pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.kernels import boxes as kernel
from annqc.kernels.boxes import overlaps

ENGINES = ["numpy", "numba"]

edge = st.integers(0, 12)
side = st.integers(1, 8)


@st.composite
def grouped_boxes(draw):
    """Boxes of two sides in up to four groups, on a grid, so that many touch and many are equal."""
    box = st.tuples(edge, edge, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
    groups = draw(
        st.lists(st.tuples(st.lists(box, max_size=5), st.lists(box, max_size=5)), max_size=4)
    )
    left, right, first, count = [], [], [], []
    for these, those in groups:
        first += [len(right)] * len(these)
        count += [len(those)] * len(these)
        left += these
        right += those
    return (
        np.array(left, dtype=float).reshape(-1, 4).T.copy(),
        np.array(right, dtype=float).reshape(-1, 4).T.copy(),
        np.array(first, dtype=np.int64),
        np.array(count, dtype=np.int64),
    )


def plain(left, right, first, count):
    """One pair at a time."""
    found = []
    for i in range(left.shape[1]):
        for j in range(first[i], first[i] + count[i]):
            width = min(left[2, i], right[2, j]) - max(left[0, i], right[0, j])
            height = min(left[3, i], right[3, j]) - max(left[1, i], right[1, j])
            if width > 0 and height > 0:
                inter = width * height
                one = (left[2, i] - left[0, i]) * (left[3, i] - left[1, i])
                other = (right[2, j] - right[0, j]) * (right[3, j] - right[1, j])
                found.append((i, j, inter, inter / (one + other - inter)))
    return found


@pytest.mark.parametrize("engine", ENGINES)
@given(groups=grouped_boxes())
def test_equals_plain_python(engine, groups):
    found = overlaps(*groups, engine=engine)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == plain(*groups)


@given(groups=grouped_boxes(), chunk=st.integers(1, 9))
def test_the_size_of_the_pieces_does_not_matter(groups, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "CHUNK", chunk)
        found = overlaps(*groups, engine="numpy")
    assert list(zip(*(column.tolist() for column in found), strict=True)) == plain(*groups)


def random_groups(rng, n_groups):
    sizes = rng.integers(0, 30, (2, n_groups))
    n, m = sizes.sum(axis=1)

    def some(k):
        corner = rng.random((2, k)) * 500
        return np.concatenate([corner, corner + np.exp(rng.normal(4, 1, (2, k)))])

    ends = np.cumsum(sizes[1])
    return (
        some(n),
        some(m),
        np.repeat(ends - sizes[1], sizes[0]),
        np.repeat(sizes[1], sizes[0]),
    )


def test_both_engines_agree_bit_for_bit():
    groups = random_groups(np.random.default_rng(5), 400)
    batched, jitted = (overlaps(*groups, engine=engine) for engine in ENGINES)
    assert len(batched.left) > 5_000
    for one, other in zip(batched, jitted, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_iou_equals_pycocotools():
    mask = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(6)
    left, right, first, count = random_groups(rng, 1)
    found = overlaps(left, right, first, count)
    xywh = [np.ascontiguousarray(np.vstack([b[:2], b[2:] - b[:2]]).T) for b in (left, right)]
    theirs = mask.iou(*xywh, [0] * right.shape[1])
    np.testing.assert_allclose(found.iou, theirs[found.left, found.right], rtol=1e-12)
    assert len(found.iou) == np.count_nonzero(theirs)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_area_too_small_for_a_float_is_no_overlap(engine):
    tiny = 1e-200
    left = np.array([[0.0], [0.0], [1.0], [1.0]])
    right = np.array([[1 - 2**-53], [-1.0], [2.0], [tiny]])
    one = np.array([0]), np.array([1])
    assert overlaps(left, right, *one, engine=engine).inter.tolist() == [2**-53 * tiny]
    both_thin = np.array([[0.0], [0.0], [tiny], [tiny]])
    assert len(overlaps(both_thin, both_thin, *one, engine=engine).left) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_no_boxes(engine):
    none, nowhere = np.empty((4, 0)), np.empty(0, dtype=np.int64)
    assert [len(column) for column in overlaps(none, none, nowhere, nowhere, engine=engine)] == [
        0
    ] * 4


@settings(max_examples=30)
@given(groups=grouped_boxes(), shift=st.integers(-50, 50))
def test_moving_everything_changes_nothing(groups, shift):
    left, right, first, count = groups
    here = overlaps(left, right, first, count)
    there = overlaps(left + shift, right + shift, first, count)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one, other)
