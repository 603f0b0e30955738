"""Signed offsets of the boxes of shapes: what the file gives, else the box around the shape."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

import annqc
from annqc.geometry.polygons import bounding_boxes
from annqc.read import read

N = 8
GROWN = 3.0
"""The right edge of the work is so far out."""


def ring(k, right=0.0):
    """A hexagon in the box 40, 30, 100 + right, 80 of image k, moved a little."""
    x, y = 40 + k, 30 + k
    return [
        (x, y + 20),
        (x + 15, y),
        (x + 45, y),
        (x + 60 + right, y + 30),
        (x + 40, y + 50),
        (x + 10, y + 50),
    ]


def coco(tmp_path, name, segmentation, box=None):
    rows = [
        {
            "id": k + 1,
            "image_id": k,
            "category_id": 1,
            "segmentation": segmentation(k),
            "area": 2000,
            "iscrowd": 0,
        }
        | ({} if box is None else {"bbox": box(k)})
        for k in range(N)
    ]
    document = {
        "images": [
            {"id": k, "file_name": f"{k}.png", "width": 200, "height": 150} for k in range(N)
        ],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": rows,
    }
    path = tmp_path / name
    path.write_text(json.dumps(document))
    return path


def flat(k, right=0.0):
    return [[value for point in ring(k, right) for value in point]]


def pixels(k, right=0.0):
    """Whether the middle of each pixel is in the hexagon."""
    return shapely.contains_xy(
        shapely.Polygon(ring(k, right)), *np.meshgrid(np.arange(200) + 0.5, np.arange(150) + 0.5)
    )


def runs(k, right=0.0):
    """COCO's run lengths of them."""
    flips = np.flatnonzero(np.diff(np.concatenate([[False], pixels(k, right).T.ravel()])))
    counts = np.diff(np.concatenate([[0], flips, [200 * 150]]))
    return {"size": [150, 200], "counts": counts.tolist()}


def darwin(folder, right=0.0, box=None):
    folder.mkdir()
    for k in range(N):
        points = [{"x": x, "y": y} for x, y in ring(k, right)]
        row = {"name": "cell", "polygon": {"paths": [points]}}
        if box is not None:
            row["bounding_box"] = dict(zip("xywh", box(k), strict=True))
        slot = {"slot_name": "0", "type": "image", "width": 200, "height": 150}
        document = {"version": "2.0", "item": {"name": f"{k}.png", "path": "/", "slots": [slot]}}
        (folder / f"{k}.json").write_text(json.dumps(document | {"annotations": [row]}))
    return folder


def edges(audit):
    columns = audit.bias_columns()
    return dict(zip(columns["quantity"].tolist(), columns["estimate_px"].tolist(), strict=True))


def right_alone(found):
    assert found["out_right"] == pytest.approx(GROWN)
    others = [found[name] for name in ("out_left", "out_top", "out_bottom")]
    assert others == pytest.approx([0, 0, 0], abs=1e-9)


def test_coco_polygons_without_boxes(tmp_path):
    gold = coco(tmp_path, "gold.json", flat)
    work = coco(tmp_path, "work.json", lambda k: flat(k, GROWN))
    audit = annqc.audit(work, gold, shapes=True)
    assert audit.gold.table.xyxy[0].tolist() == [40, 30, 100, 80]
    right_alone(edges(audit))


def test_the_box_that_a_file_gives_counts_and_not_the_one_around_the_shape(tmp_path):
    """And the outlines are compared as they are, whatever the boxes say."""
    gold = coco(tmp_path, "gold.json", flat, lambda k: [40 + k, 30 + k, 60, 50])
    work = coco(tmp_path, "work.json", flat, lambda k: [40 + k, 30 + k, 60 + GROWN, 50])
    for shapes in (False, True):
        right_alone(edges(annqc.audit(work, gold, shapes=shapes)))
    audit = annqc.audit(work, gold, shapes=True)
    assert audit.outlines()["estimate_px"].abs().max() == pytest.approx(0, abs=1e-9)
    assert audit.outline_scores()["copied"].tolist() == [0.0]  # of six corners, by chance


def test_the_box_of_a_mask_is_that_of_its_pixels(tmp_path):
    gold = coco(tmp_path, "gold.json", runs)
    work = coco(tmp_path, "work.json", lambda k: runs(k, GROWN))
    found = read(gold, shapes=True)
    for k in range(N):
        rows, columns = np.nonzero(pixels(k))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert found.table.xyxy[k].tolist() == box
    ends = [np.nonzero(pixels(0, right))[1].max() for right in (0.0, GROWN)]
    bias = edges(annqc.audit(work, gold, shapes=True))
    assert bias["out_right"] == pytest.approx(float(ends[1] - ends[0]))
    assert [bias[name] for name in ("out_left", "out_top", "out_bottom")] == [0, 0, 0]


def test_darwin_polygons_with_and_without_boxes(tmp_path):
    gold = darwin(tmp_path / "gold")
    right_alone(edges(annqc.audit(darwin(tmp_path / "work", GROWN), gold)))
    boxed = darwin(tmp_path / "boxed", 0.0, lambda k: (40 + k, 30 + k, 60 + GROWN, 50))
    right_alone(edges(annqc.audit(boxed, gold)))


def test_real_polygons_and_their_boxes(shared_data):
    """COCO's boxes are those around its polygons, to a rounding of a hundredth or so."""
    path = shared_data / "coco_val2017_subset" / "instances_val2017.tiny.json"
    table = read(path, shapes=True).table
    lonely = ~table.crowd & (table.shapes.kind == 1)
    off = np.abs(bounding_boxes(table.shapes)[lonely] - table.xyxy[lonely]).max(axis=1)
    assert np.median(off) < 0.02
    assert (off < 1.5).mean() > 0.99
