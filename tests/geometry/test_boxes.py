from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from annqc.errors import TableError, UnknownNameError
from annqc.geometry import boxes

SIDES = st.integers(-50, 50)
PAIRS = hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.just(4)), elements=SIDES)


def slow_iou(a, b):
    """Count the unit pixels of boxes with whole coordinates."""
    one = {(x, y) for x in range(int(a[0]), int(a[2])) for y in range(int(a[1]), int(a[3]))}
    two = {(x, y) for x in range(int(b[0]), int(b[2])) for y in range(int(b[1]), int(b[3]))}
    return len(one & two) / len(one | two) if one | two else np.nan


def proper(array):
    return np.hstack(
        [np.minimum(array[:, :2], array[:, 2:]), np.maximum(array[:, :2], array[:, 2:])]
    )


@given(PAIRS, st.integers(-20, 20), st.integers(-20, 20))
def test_iou_counts_pixels(array, dx, dy):
    a = proper(array)
    b = a + np.array([dx, dy, dx, dy])
    expected = [slow_iou(one, two) for one, two in zip(a, b, strict=True)]
    np.testing.assert_allclose(boxes.paired_iou(a, b), expected, equal_nan=True)


@given(PAIRS, PAIRS)
def test_giou_is_at_most_iou_and_symmetric(one, two):
    n = min(len(one), len(two))
    a, b = proper(one[:n]), proper(two[:n])
    giou = boxes.paired_giou(a, b)
    np.testing.assert_allclose(giou, boxes.paired_giou(b, a), equal_nan=True)
    known = ~np.isnan(giou)
    assert np.all(giou[known] <= boxes.paired_iou(a, b)[known] + 1e-12)
    assert np.all(giou[known] >= -1)


def test_giou_of_boxes_apart_is_the_empty_share_of_the_hull():
    a, b = np.array([[0.0, 0, 2, 2]]), np.array([[6.0, 0, 8, 2]])
    np.testing.assert_allclose(boxes.paired_giou(a, b), [-(16 - 8) / 16])


@given(PAIRS)
def test_formats_say_the_same_box(array):
    x1, y1, x2, y2 = proper(array).T
    xywh = np.stack([x1, y1, x2 - x1, y2 - y1], axis=1)
    cxcywh = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], axis=1)
    expected = np.stack([x1, y1, x2, y2], axis=1)
    np.testing.assert_array_equal(boxes.to_xyxy(expected), expected)
    np.testing.assert_array_equal(boxes.to_xyxy(xywh, box_format="xywh"), expected)
    np.testing.assert_array_equal(boxes.to_xyxy(cxcywh, box_format="cxcywh"), expected)


def test_conversion_copies_and_lets_infinity_through():
    given_boxes = np.array([[1e308, 0.0, 1e308, 1.0]])
    assert np.isinf(boxes.to_xyxy(given_boxes, box_format="xywh")[0, 2])
    assert given_boxes[0, 2] == 1e308
    assert boxes.to_xyxy([]).shape == (0, 4)


def test_conversion_refuses_other_shapes_and_names():
    with pytest.raises(TableError, match="shape"):
        boxes.to_xyxy([[1, 2, 3]])
    with pytest.raises(UnknownNameError, match="xywh"):
        boxes.to_xyxy([[1, 2, 3, 4]], box_format="xwyh")


def test_area_of_an_inverted_box_is_nothing():
    np.testing.assert_array_equal(boxes.area(np.array([[3.0, 3, 1, 9], [0, 0, 2, 3]])), [0, 6])


def test_borders():
    size = np.array([100.0]), np.array([50.0])

    def of(check, *box):
        return bool(check(np.array([box], dtype=float), *size)[0])

    assert not of(boxes.beyond_border, 0, 0, 101, 51)
    assert of(boxes.beyond_border, 0, 0, 101.5, 50)
    assert of(boxes.beyond_border, -1.5, 0, 10, 10)
    assert not of(boxes.outside_image, 99, 49, 200, 200)
    assert of(boxes.outside_image, 100, 0, 200, 10)
    assert of(boxes.outside_image, -20, 0, 0, 10)
    unknown = np.array([np.nan]), np.array([np.nan])
    far = np.array([[-500.0, 0, -400, 10]])
    assert not boxes.outside_image(far, *unknown)[0]
    assert not boxes.beyond_border(far, *unknown)[0]
    assert boxes.far_out(
        np.array([[0, 0, 1e300, 1], [0, 0, np.inf, 1], [0, 0, 5, 5]])
    ).tolist() == [True, False, False]
