"""Long tables with a column of vertices, and tables in JSON Lines."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import ReadError, UnknownNameError
from annqc.read import read
from annqc.read.tableoutlines import rings_of_cells

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]
HOLE = [[2, 2], [4, 2], [4, 4], [2, 4]]
FAR = [[20, 0], [30, 0], [30, 10], [20, 10]]


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def row(polygon=SQUARE, **more):
    return {"image_id": "a", "annotation_id": 1, "annotator": "ann", "polygon": polygon, **more}


def area(dataset, k=0):
    """Shoelace, written out: outer rings count, holes are taken off."""
    total = 0.0
    for ring in dataset.table.shapes.rings(k):
        points = ring.tolist()
        for (x, y), (v, w) in zip(points, points[1:] + points[:1], strict=True):
            total += (x * w - v * y) / 2
    return total


def kinds(dataset):
    return Counter(one.kind for one in dataset.issues)


FORMS = {
    "pairs": SQUARE,
    "closed": [*SQUARE, SQUARE[0]],
    "flat": [0, 0, 10, 0, 10, 10, 0, 10],
    "rings": [SQUARE],
    "flat rings": [[0, 0, 10, 0, 10, 10, 0, 10]],
    "objects": [{"x": x, "y": y} for x, y in SQUARE],
    "text": json.dumps(SQUARE),
    "tuples": str([tuple(pair) for pair in SQUARE]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_to_write_vertices(put, form):
    dataset = read(put("w.jsonl", lines(row(FORMS[form]))))
    assert dataset.table.xyxy.tolist() == [[0, 0, 10, 10]]
    assert area(dataset) == 100
    assert not dataset.issues
    assert dataset.annotator_ids.tolist() == ["ann"]
    frame = pd.DataFrame([row(FORMS[form])])
    assert area(read(frame)) == 100
    csv = frame.assign(polygon=[json.dumps(FORMS[form])]).to_csv(index=False)
    if form not in ("text", "tuples"):
        assert area(read(put("w.csv", csv))) == 100


def test_arrays_in_a_frame():
    frame = pd.DataFrame({"image": ["a"], "points": [np.array(SQUARE, dtype=np.float32)]})
    assert area(read(frame)) == 100


@pytest.mark.parametrize("name", ["polygon", "points", "points_xy", "segmentation"])
def test_names_of_the_column(put, name):
    dataset = read(put("w.ndjson", lines({"image_id": 7, name: SQUARE})))
    assert (area(dataset), dataset.image_table.id.tolist()) == (100, [7])


def test_rows_of_one_annotation_are_its_rings(put):
    rows = [row(), row(FAR), row(HOLE, is_hole=True), row(FAR, image_id="b"), row(annotation_id=2)]
    dataset = read(put("w.jsonl", lines(*rows)))
    assert area(dataset) == 100 + 100 - 4
    assert dataset.table.xyxy.tolist() == [[0, 0, 30, 10], [20, 0, 30, 10], [0, 0, 10, 10]]
    assert dataset.table.id.tolist() == [1, 1, 2]
    # One object on two images has one id: in the slices of a scan, say.
    assert not dataset.issues
    assert (dataset.n_rows, dataset.sources[0].n_rows) == (3, 5)


def test_one_number_of_two_people_is_two_annotations(put):
    rows = [row(), row(FAR, annotator="bob"), row(HOLE, category="mole")]
    dataset = read(put("w.jsonl", lines(*(one | {"category": "cell"} | one for one in rows))))
    assert len(dataset) == 3
    assert [len(dataset.table.shapes.rings(k)) for k in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("column", "hole"), [("is_hole", [False, True]), ("inclusion", [True, False])]
)
def test_which_rings_are_holes(put, column, hole):
    rows = [row(SQUARE, **{column: hole[0]}), row(HOLE, **{column: hole[1]})]
    assert area(read(put("w.jsonl", lines(*rows)))) == 96
    text = pd.DataFrame(rows).assign(polygon=lambda f: f.polygon.map(json.dumps))
    assert area(read(put("w.csv", text.to_csv(index=False)))) == 96
    without = [{k: v for k, v in one.items() if k != column} for one in rows]
    assert area(read(put("w.jsonl", lines(*without)))) == 100


def test_a_broken_ring_takes_its_annotation_along(put):
    rows = [row(), row([[1, 2], [3]]), row([1, 2, 3], annotation_id=2), row(annotation_id=3)]
    dataset = read(put("w.jsonl", lines(*rows, row("[[", annotation_id=4))))
    assert dataset.table.id.tolist() == [3]
    told = {one.where: one.message for one in dataset.issues}
    assert set(told) == {"line 1", "line 2", "line 3", "line 5"}
    assert told["line 1"].startswith("another ring of this annotation cannot be used")
    assert "found [3]" in told["line 2"]
    assert "3 numbers, which is odd" in told["line 3"]
    assert len(dataset) + dataset.n_dropped == dataset.n_rows == 5


def test_nothing_to_read_in_a_cell(put):
    for empty in (None, "", []):
        dataset = read(put("w.jsonl", lines(row(), row(empty, annotation_id=2))))
        assert [(one.kind, one.where) for one in dataset.issues] == [("malformed", "line 2")]


def test_beside_boxes_outlines_are_read_where_asked_for(put):
    text = lines({**row(), "x1": 0, "y1": 0, "x2": 10, "y2": 10})
    plain = read(put("w.jsonl", text))
    assert plain.table.shapes is None
    assert json.loads(plain.table.extra["polygon"][0]) == SQUARE
    assert area(read(put("w.jsonl", text), shapes=True)) == 100
    assert area(read(put("w.jsonl", text), columns={"polygon": "polygon"})) == 100


def test_an_image_named_by_two_columns(put):
    rows = [
        {"patient": "p1", "z": z, "points": SQUARE, "annotator": "ann"} for z in (2.5, 5.0, 5.0)
    ]
    path = put("w.jsonl", lines(*rows))
    for said in (["patient", "z"], ("patient", "z"), "patient+z"):
        dataset = read(path, columns={"image_id": said})
        assert dataset.image_table.id.tolist() == ["p1/2.5", "p1/5"]
        assert set(dataset.table.extra) == {"patient", "z"}
    frame = read(pd.DataFrame(rows), columns={"image_id": ["patient", "z"]})
    assert frame.image_table.id.tolist() == ["p1/2.5", "p1/5"]
    csv = put("w.csv", "a,b,x1,y1,x2,y2\nk,1,0,0,5,5\nk,,0,0,5,5\n")
    found = read(csv, columns={"image_id": ["a", "b"]})
    assert (found.image_table.id.tolist(), kinds(found)) == (["k/1"], {"malformed": 1})
    with pytest.raises(UnknownNameError, match="patiend"):
        read(path, columns={"image_id": ["patiend", "z"]})
    with pytest.raises(ReadError, match="category is one column, and 2 are named"):
        read(path, columns={"category": ["patient", "z"]})
    with pytest.raises(ReadError, match="columns= cannot be understood"):
        read(path, columns={"image_id": ["patient", 3]})


def test_json_lines_are_told_by_name_or_content(put):
    box = {"image_id": 1, "bbox": [1, 2, 3, 4]}
    for name in ("w.jsonl", "w.ndjson", "w.json"):
        dataset = read(put(name, "\n" + lines(box, box | {"image_id": 2})), box_format="xywh")
        assert dataset.table.xyxy.tolist() == [[1, 2, 4, 6]] * 2
        assert [one.where for one in dataset.issues] == []


def test_lines_that_are_no_objects(put):
    box = {"image_id": 1, "xyxy": [1, 2, 3, 4]}
    text = lines(box, [1], box | {"image_id": 2}) + "{oops}\n" + '{"image_id": 3, "xyxy": [NaN'
    with pytest.raises(ReadError, match="ends in the middle of a line") as caught:
        read(put("w.jsonl", text))
    assert caught.value.where.endswith("line 5")
    dataset = read(put("w.jsonl", text + ",2,3,4]}\n"))
    assert [(one.kind, one.where) for one in dataset.issues] == [
        ("malformed", "line 2"),
        ("malformed", "line 4"),
        ("non_finite", "line 5"),
    ]
    assert len(dataset) + dataset.n_dropped == dataset.n_rows == 5
    with pytest.raises(ReadError, match="no line of the file is a JSON object"):
        read(put("w.jsonl", "[1]\n[2]\n"), format="table")


@given(
    st.recursive(
        st.none() | st.integers(-99, 99) | st.floats() | st.text(max_size=3) | st.booleans(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("xy"), inner),
        max_leaves=12,
    )
)
def test_no_cell_ends_in_a_traceback(cell):
    rings, bad = rings_of_cells([cell])
    assert len(rings) == 1
    assert all(ring.shape[1] == 2 and np.isfinite(ring).all() for ring in rings[0])
    assert not (rings[0] and bad)


def test_lidc(shared_data):
    path = shared_data / "lidc_contours" / "contours_first150scans.jsonl"
    dataset = read(path, annotator="anonymous", columns={"image_id": ["patient", "z"]})
    raw = [json.loads(line) for line in path.read_text().splitlines()]
    assert sum(not one["inclusion"] for one in raw) == 126
    drawn = {(one["patient"], one["z"], one["annotation_id"]) for one in raw}
    assert len(dataset) == len(drawn) == 6719
    assert len(dataset.image_table) == len({one[:2] for one in drawn})
    told = kinds(dataset)
    assert told["self_touching"] + told["self_crossing"] + told["stray_ring"] == 206
    assert set(told) == {"self_touching", "self_crossing", "stray_ring", "hole_outside"}
    assert not dataset.n_dropped
    # Sound rings keep their vertices, and the closing one goes.
    assert raw[0]["points_xy"][0] == raw[0]["points_xy"][-1]
    assert dataset.table.shapes.vertex_counts[0] == len(raw[0]["points_xy"]) - 1
    assert (dataset.anonymous, dataset.annotator_ids.tolist()) == (True, ["anonymous"])
