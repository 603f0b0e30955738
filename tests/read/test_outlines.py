from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from pycocotools import mask as coco_mask

import annqc
from annqc.errors import ReadError
from annqc.geometry.masks import mask_areas
from annqc.geometry.polygons import bounding_boxes, polygon_areas
from annqc.read import lint, read
from annqc.read.part import Part
from annqc.tables import Source

BOX = [0, 0, 4, 4]
SQUARE = [0, 0, 4, 0, 4, 4, 0, 4]
CROSSES = "it crosses itself near x 2, y 2; it encloses 8 square pixels"
ODD = "expected an even number of coordinates in a ring, found 5"
OTHER = "the runs cover 7 pixels of a canvas of 4 x 4"
RLE = {"size": [4, 4], "counts": [5, 2, 2, 2, 5]}


def row(segmentation, *, image_id=1, bbox=BOX, **more):
    bare = {"image_id": image_id, "segmentation": segmentation, **more}
    return bare if bbox is None else {**bare, "bbox": bbox}


def found(dataset):
    return [
        (one.kind, one.severity, one.where, one.annotation_id, one.message)
        for one in dataset.issues
    ]


IMAGES = [{"id": 1, "file_name": "1.jpg", "width": 100, "height": 80}]


def test_polygons_masks_and_boxes(coco):
    compressed = {"size": [4, 4], "counts": "52203"}
    rows = [
        row([SQUARE]),
        row(RLE),
        row(compressed, iscrowd=1),
        row([SQUARE, [9, 9, 12, 9, 9, 12]]),
    ]
    dataset = read(coco([*rows, row([], bbox=[1, 1, 3, 3])]), shapes=True)
    shapes = dataset.table.shapes
    assert shapes.kind.tolist() == [1, 2, 2, 1, 0]
    assert polygon_areas(shapes)[[0, 3]].tolist() == [16, 20.5]
    assert mask_areas(shapes)[[1, 2]].tolist() == [4, 4]
    assert dataset.table.crowd.tolist() == [False, False, True, False, False]
    told = [one[:4] for one in found(dataset) if one[0] != "duplicate_box"]
    assert told == [("no_outline", "kept", "annotations[4]", 5)]
    frame = dataset.annotations
    assert frame["shape"].tolist() == ["polygon", "mask", "mask", "polygon", "box"]
    assert frame["n_vertices"].tolist() == [4, 0, 0, 7, 0]
    assert "shape" not in read(coco(rows)).annotations


def test_without_being_asked_for_outlines_are_not_read(coco):
    path = coco([row([[1, 2, 3]]), row("nonsense", bbox=[1, 1, 3, 3])])
    dataset = read(path)
    assert dataset.table.shapes is None
    assert not dataset.issues
    assert read(path, shapes=False).table.shapes is None


def test_the_box_around_the_outline_stands_in_for_one_that_is_missing(coco):
    rows = [
        row([[3, 4, 9, 4, 9, 8]], bbox=None),
        row(RLE, bbox=None),
        row([SQUARE], bbox=[1, 1, 9, 9]),
    ]
    dataset = read(coco(rows), shapes=True)
    assert dataset.table.xyxy.tolist() == [[3, 4, 9, 8], [1, 1, 3, 3], [1, 1, 10, 10]]
    with pytest.raises(ReadError, match="have no boxes"):
        read(coco(rows[:2]))


@pytest.mark.parametrize(
    ("segmentation", "kind", "message"),
    [
        ([[1, 1, 2, 2]], "few_points", "expected three or more, found 2 different points"),
        ([[1, 1, 2, 2, 3, 3]], "zero_area", "nothing is left of it but lines and points"),
        ([SQUARE, [1, 1]], "stray_ring", "ring 2 of 2 has 1 different point"),
        (
            [[0, 0, 4, 0, 2, 2, 4, 4, 0, 4, 2, 2]],
            "self_touching",
            "it touches itself near x 2, y 2",
        ),
        (
            [[0, 0, 4, 4, 4, 0, 0, 4]],
            "self_crossing",
            CROSSES,
        ),
        ([SQUARE, [2, 2, 6, 2, 6, 6, 2, 6]], "overlapping_parts", "4 square pixels are in several"),
        ([[0, 0, 4e9, 0, 4, 4]], "out_of_range", "expected a vertex in pixels, found 4e+09, 0"),
        (
            [[0, 0, 4, 0, 4]],
            "malformed",
            ODD,
        ),
        ([0, 0, 4, 0, 4, 4], "malformed", "segmentation[0]: expected array, got int"),
        ([[0, "1", 4, 0, 4, 4]], "malformed", "segmentation[0][1]: expected float, got str"),
        ({"size": [4, 4]}, "malformed", "segmentation: object missing required field counts"),
        (
            {"size": [4, 4], "counts": [5, 2]},
            "broken_rle",
            OTHER,
        ),
        ({"size": [4, 4], "counts": "5 2"}, "broken_rle", "the counts are no run lengths"),
        ({"size": [4, 4], "counts": [2**70]}, "broken_rle", "a number is too large"),
        ({"size": [4, 4], "counts": [16]}, "empty_mask", "no pixel is set"),
    ],
)
def test_every_kind_of_fault(coco, segmentation, kind, message):
    dataset = read(coco([row([SQUARE]), row(segmentation, bbox=[0, 0, 5, 5])]), shapes=True)
    severity = "dropped" if len(dataset) == 1 else "kept"
    assert found(dataset) == [(kind, severity, "annotations[1]", 2, message)]
    assert dataset.n_dropped == (severity == "dropped")
    assert lint(dataset)["kind"].tolist() == [kind]


def test_masks_on_another_canvas_than_their_image_are_refused(coco):
    big = {"size": [80, 100], "counts": [5, 2, 7993]}
    turned = {"size": [100, 80], "counts": [5, 2, 7993]}
    rows = [row(big), row(turned, bbox=[0, 0, 2, 2]), row([SQUARE], bbox=[0, 0, 3, 3])]
    dataset = read(coco(rows, images=IMAGES), shapes=True)
    assert len(dataset) == 2
    message = "expected the image's 100 x 80 pixels, found 80 x 100"
    assert found(dataset) == [("canvas_mismatch", "dropped", "annotations[1]", 2, message)]
    sizes = {"1.jpg": (80, 100)}
    unsized = [{"id": 1, "file_name": "1.jpg"}]
    other = read(coco(rows, images=unsized), shapes=True, image_sizes=sizes)
    assert [one[2] for one in found(other)] == ["annotations[0]"]
    assert not read(coco(rows, images=unsized), shapes=True).issues


def test_a_row_that_is_dropped_anyway_has_one_reason(coco):
    crossing = [[0, 0, 4, 4, 4, 0, 0, 4]]
    rows = [
        row(crossing, image_id=9),
        row([[1, 1]], image_id=9),
        row([[1, 1]], bbox=None),
        row(None, bbox=None),
    ]
    dataset = read(coco([*rows, row([SQUARE])], images=IMAGES), shapes=True)
    assert [(one[0], one[2]) for one in found(dataset)] == [
        ("unknown_image", "annotations[0]"),
        ("unknown_image", "annotations[1]"),
        ("few_points", "annotations[2]"),
        ("malformed", "annotations[3]"),
    ] or Counter(one[0] for one in found(dataset)) == {
        "unknown_image": 2,
        "few_points": 1,
        "malformed": 1,
    }
    assert len(dataset) == 1


def test_a_row_with_another_outline_repeats_nothing_but_the_id(coco):
    rows = [row([SQUARE], id=1), row([SQUARE], id=1), row([SQUARE[:6]], id=1)]
    dataset = read(coco(rows), shapes=True)
    kinds = [(one.kind, one.where) for one in dataset.issues if one.kind != "duplicate_box"]
    assert kinds == [("duplicate_row", "annotations[1]"), ("duplicate_id", "annotations[2]")]
    assert len(dataset) == 2
    assert [one.kind for one in read(coco(rows)).issues] == ["duplicate_row"] * 2


def test_numbers_that_are_none_are_found(tmp_path):
    text = json.dumps({"annotations": [{"id": 1, "category_id": 1, **row([SQUARE])}]})
    path = tmp_path / "a.json"
    path.write_text(text.replace("[[0, 0", "[[NaN, 0"))
    dataset = read(path, shapes=True)
    assert [one.kind for one in dataset.issues] == ["non_finite"]
    assert len(dataset) == 0


def test_rows_with_other_faults_do_not_shift_the_outlines(coco):
    rows = [
        row([SQUARE]),
        row([SQUARE], bbox="none"),
        row([[9, 9, 12, 9, 9, 12]], bbox=[9, 9, 3, 3]),
    ]
    dataset = read(coco(rows), shapes=True)
    assert [one.where for one in dataset.issues] == ["annotations[1].bbox"]
    assert bounding_boxes(dataset.table.shapes).tolist() == dataset.table.xyxy.tolist()


def test_several_files_with_and_without_outlines(coco):
    one = coco([row([SQUARE])], "ann.json", images=IMAGES)
    two = coco([{"image_id": 1, "bbox": [1, 1, 3, 3]}], "bob.json", images=IMAGES)
    both = read([one, two, one.parent / "ann.json"][:2], shapes=True)
    assert both.table.shapes.kind.tolist() == [1, 0]
    assert not both.issues


def test_a_list_of_results_has_outlines_too(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"category_id": 1, "score": 0.5, **row(RLE)}]))
    assert read(path, shapes=True).table.shapes.kind.tolist() == [2]


def test_what_a_part_without_problems_needs():
    part = Part(
        sources=[Source("a", "x", 0)], where="{}", image_id=np.empty(0), category=np.empty(0),
        xyxy=np.empty((0, 4)), row=np.empty(0, dtype=np.int64), n_rows=0,
    )  # fmt: skip
    assert (part.shapes, part.fill, part.hole, part.faults) == (None, "union", None, [])


def test_lint_tells_of_polygons(coco):
    path = coco([row([[0, 0, 4, 4, 4, 0, 0, 4]])])
    assert annqc.lint(path, shapes=True)["kind"].tolist() == ["self_crossing"]
    assert annqc.lint(path)["kind"].tolist() == []


def test_areas_and_boxes_of_real_annotations(shared_data):
    for name, n, kinds in (
        ("val", 815, {"overlapping_parts": 7, "self_touching": 3, "self_crossing": 1}),
        ("train", 705, {"overlapping_parts": 3, "self_touching": 2}),
    ):
        path = shared_data / "coco_val2017_subset" / f"instances_{name}2017.tiny.json"
        dataset = read(path, shapes=True)
        raw = {one["id"]: one for one in json.loads(path.read_text())["annotations"]}
        shapes = dataset.table.shapes
        assert len(dataset) == n
        assert Counter(one.kind for one in dataset.issues) == kinds
        rows = [raw[id] for id in dataset.table.id.tolist()]
        masks = np.array([isinstance(one["segmentation"], dict) for one in rows])
        assert ((shapes.kind == 2) == masks).all()
        areas = np.where(masks, mask_areas(shapes), polygon_areas(shapes))
        repaired = {one.annotation_id for one in dataset.issues}
        sound = [k for k, one in enumerate(rows) if one["id"] not in repaired and not masks[k]]
        assert areas[sound] == pytest.approx([rows[k]["area"] for k in sound], rel=1e-6, abs=1e-3)
        boxes = np.array([one["bbox"] for one in rows])
        boxes[:, 2:] += boxes[:, :2]
        around = bounding_boxes(shapes)[~masks]
        around[np.isin(np.flatnonzero(~masks), sound, invert=True)] = np.nan  # a spike moves a box
        assert np.nanmax(np.abs(around - boxes[~masks])) < 1e-9
        for k in np.flatnonzero(masks).tolist():
            made = rows[k]["segmentation"]
            packed = coco_mask.frPyObjects(made, *made["size"])
            assert areas[k] == coco_mask.area(packed)
