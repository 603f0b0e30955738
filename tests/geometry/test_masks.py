from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from annqc.errors import TableError
from annqc.geometry.cracks import components, traced
from annqc.geometry.masks import (
    crop,
    mask_areas,
    mask_boxes,
    mask_faults,
    paint,
    runs_of_mask,
    runs_of_strips,
    strips,
)
from annqc.geometry.polygons import bounding_boxes, polygon_areas
from annqc.geometry.repair import normalise
from annqc.geometry.rle import decode_counts, encode_counts
from annqc.tables import Shapes
from annqc.testing.strategies import polygons_with_holes

PIXELS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9))


def shapes_of(masks):
    return Shapes.from_runs([runs_of_mask(one) for one in masks], [one.shape for one in masks])


def coco_of(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


def pixels_of(made):
    """Pixels of a mask of pycocotools, whose own decoder warns under numpy 2."""
    runs = decode_counts([made["counts"]])[0]
    return np.repeat(np.arange(len(runs)) % 2, runs).reshape(made["size"], order="F")


@given(masks=st.lists(PIXELS, max_size=5))
def test_runs_areas_and_boxes_are_those_of_pycocotools(masks):
    shapes = shapes_of(masks)
    given_texts = [coco_of(one)["counts"] for one in masks]
    runs, offsets, sound = decode_counts(given_texts)
    assert sound.all()
    assert runs.tolist() == shapes.runs.tolist()
    assert offsets.tolist() == shapes.run_offsets.tolist()
    assert encode_counts(runs, offsets) == given_texts
    assert mask_areas(shapes).tolist() == [int(coco.area(coco_of(one))) for one in masks]
    for mask, box in zip(masks, mask_boxes(shapes).tolist(), strict=True):
        y, x = np.nonzero(mask)
        if len(x):
            assert box == [x.min(), y.min(), x.max() + 1, y.max() + 1]
            left, top, width, height = coco.toBbox(coco_of(mask)).tolist()
            assert box[2:] == [left + width, top + height]
        else:
            assert np.isnan(box).all()


@given(
    several=st.lists(
        st.lists(st.integers(0, 2**40) | st.integers(0, 70), min_size=1, max_size=9), max_size=4
    )
)
def test_counts_of_any_size_come_back(several):
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in several])]).astype(np.int64)
    flat = np.array([run for one in several for run in one], dtype=np.int64)
    texts = encode_counts(flat, offsets)
    runs, again, sound = decode_counts([text.decode() for text in texts])
    assert (runs.tolist(), again.tolist(), sound.all()) == (flat.tolist(), offsets.tolist(), True)


@given(runs=st.lists(st.integers(0, 400_000_000), min_size=1, max_size=6))
def test_counts_are_those_of_pycocotools(runs):
    expected = coco.frPyObjects({"counts": runs, "size": [sum(runs), 1]}, sum(runs), 1)["counts"]
    assert encode_counts(np.array(runs), np.array([0, len(runs)])) == [expected]


@pytest.mark.parametrize("text", ["5`", "5 2", "5\x7f", "ooooooooooooo0", "é"])
def test_counts_that_are_none(text):
    assert decode_counts([b"52203", text, ""])[2].tolist() == [True, False, True]
    assert decode_counts([b"52203", text, "4"])[0][:5].tolist() == [5, 2, 2, 2, 5]


@pytest.mark.parametrize("order", ["C", "F"])
def test_no_layout_in_memory_is_a_trap(order):
    mask = np.array([[0, 1, 1], [0, 0, 1]], order=order)
    assert runs_of_mask(mask).tolist() == [2, 1, 1, 2]
    assert runs_of_mask(mask.T).tolist() == [1, 2, 2, 1]
    assert runs_of_mask(mask[::-1, ::2]).tolist() == [2, 2]
    assert runs_of_mask(np.zeros((0, 3))).tolist() == []


@given(mask=PIXELS, data=st.data())
def test_crops(mask, data):
    height, width = mask.shape
    x1, x2 = sorted(data.draw(st.lists(st.integers(-2, width + 2), min_size=2, max_size=2)))
    y1, y2 = sorted(data.draw(st.lists(st.integers(-2, height + 2), min_size=2, max_size=2)))
    padded = np.pad(mask, 3)[y1 + 3 : y2 + 3, x1 + 3 : x2 + 3]
    found = crop(shapes_of([~mask, mask]), 1, (x1, y1, x2, y2))
    assert found.tolist() == padded.tolist()


@given(mask=PIXELS, data=st.data())
def test_strips_and_back(mask, data):
    found = strips(shapes_of([mask]))
    order = data.draw(st.permutations(range(len(found.column))))
    some = [one[order] for one in (found.column, found.top, found.bottom)]
    assert runs_of_strips(*some, mask.shape).tolist() == runs_of_mask(mask).tolist()


@settings(max_examples=60)
@given(masks=st.lists(PIXELS, min_size=1, max_size=4))
def test_traced_outlines_are_exact(masks):
    shapes = shapes_of(masks)
    outlines = traced(shapes)
    full = mask_areas(shapes) > 0
    assert np.nan_to_num(polygon_areas(outlines)).tolist() == mask_areas(shapes).tolist()
    assert np.array_equal(bounding_boxes(outlines), mask_boxes(shapes), equal_nan=True)
    again, faults = normalise(outlines, fill="even_odd")
    assert not faults
    assert np.array_equal(again.points, outlines.points)
    assert (np.diff(outlines.points.reshape(-1, 2), axis=0) % 1 == 0).all()
    painted = paint(outlines, [one.shape for one in masks])
    assert painted.take(full).runs.tolist() == shapes.take(full).runs.tolist()


def test_traced_keeps_polygons_and_boxes():
    polygon = Shapes.from_rings([[[[0, 0], [4, 0], [0, 4]]], None, None])
    both = Shapes.mixed(polygon, Shapes.from_runs([None, None, [0, 4]], [(2, 2)] * 3))
    made = traced(both)
    assert made.kind.tolist() == [1, 0, 1]
    assert made.rings(2)[0].tolist() == [[0, 0], [2, 0], [2, 2], [0, 2]]
    assert made.rings(0)[0].tolist() == polygon.rings(0)[0].tolist()


@pytest.mark.parametrize("connectivity", [4, 8])
@given(masks=st.lists(PIXELS, max_size=4))
def test_components_are_those_of_opencv(connectivity, masks):
    shapes = shapes_of(masks)
    parts, row = components(shapes, connectivity=connectivity)
    expected = []
    for k, mask in enumerate(masks):
        n, label = cv2.connectedComponents(mask.astype(np.uint8), connectivity=connectivity)
        expected += [(k, runs_of_mask(label == one).tolist()) for one in range(1, n)]
    found = [(int(k), parts.runs_of(j).tolist()) for j, k in enumerate(row)]
    assert sorted(found) == sorted(expected)
    areas = mask_areas(parts)
    assert all(
        a >= b for a, b, same in zip(areas, areas[1:], row[1:] == row[:-1], strict=False) if same
    )


@settings(max_examples=60)
@given(rings=polygons_with_holes(image_size=(60, 40)))
def test_painting_is_that_of_pycocotools(rings):
    shapes, _ = normalise(Shapes.from_rings([rings, rings[:1]]), fill="even_odd")
    painted = paint(shapes, [(40, 60)] * 2)
    single = [pixels_of(coco.frPyObjects([one.ravel().tolist()], 40, 60)[0]) for one in rings]
    expected = single[0] * (np.sum(single[1:], axis=0) == 0) if rings[1:] else single[0]
    assert crop(painted, 0, (0, 0, 60, 40)).tolist() == expected.astype(bool).tolist()
    assert crop(painted, 1, (0, 0, 60, 40)).tolist() == single[0].astype(bool).tolist()


def test_painting_needs_a_canvas():
    polygon = Shapes.from_rings([[[[0, 0], [4, 0], [0, 4]]]])
    with pytest.raises(TableError, match="canvas with pixels"):
        paint(polygon, [(0, 0)])
    with pytest.raises(TableError, match="each polygon needs a canvas"):
        paint(polygon, [(4, 4), (4, 4)])
    assert paint(polygon, [(2, 2)]).canvas.tolist() == [[2, 2]]


def test_faults_of_masks():
    runs = [np.array(one) for one in ([5, 2], [2, -1, 3], [4], [0, 4], [])]
    shapes = Shapes.from_runs([*runs, None], [(2, 2)] * 4 + [(0, 5), (0, 0)])
    assert mask_faults(shapes) == [
        ("broken_rle", 0, "the runs cover 7 pixels of a canvas of 2 x 2"),
        ("broken_rle", 1, "a run is negative"),
        ("empty_mask", 2, "no pixel is set"),
        ("broken_rle", 4, "the runs cover 0 pixels of a canvas of 5 x 0"),
    ]


def test_a_mask_of_400_million_pixels_stays_as_runs():
    n = 20_000
    column = np.arange(n)
    half = np.sqrt(np.maximum(9000.0**2 - (column - 10_000.0) ** 2, 0)).astype(np.int64)
    some = half > 0
    runs = runs_of_strips(column[some], 10_000 - half[some], 10_000 + half[some], (n, n))
    shapes = Shapes.from_runs([runs], [(n, n)])
    assert mask_areas(shapes)[0] == 2 * half.sum()
    assert mask_boxes(shapes)[0].tolist() == [1001, 1000, 19000, 19000]
    outline = traced(shapes)
    assert polygon_areas(outline)[0] == 2 * half.sum()
    assert paint(outline, [(n, n)]).runs.tolist() == runs.tolist()
    assert len(components(shapes)[0]) == 1
    assert crop(shapes, 0, (9_990, 995, 10_010, 1_005)).sum() == (half[9_990:10_010] - 8_995).sum()
    text = encode_counts(shapes.runs, shapes.run_offsets)
    assert decode_counts(text)[0].tolist() == runs.tolist()
