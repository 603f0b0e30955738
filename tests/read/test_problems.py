from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc.read import read
from annqc.read.problems import KINDS, duplicate_boxes, repeated_ids

SIZE = [{"id": 7, "width": 100, "height": 100}]


@pytest.mark.parametrize(
    ("bbox", "kind"),
    [
        ([10, 10, 0, 5], "zero_size"),
        ([10, 10, 5, 0.0], "zero_size"),
        ([1e8, 1, 1e-9, 5], "zero_size"),
        ([10, 10, -5, 5], "negative_size"),
        ([100, 10, 5, 5], "outside_image"),
        ([-10, 10, 10, 5], "outside_image"),
        ([1e12, 0, 5, 5], "out_of_range"),
        ([98, 10, 5, 5], "beyond_border"),
        ([-2, 10, 50, 5], "beyond_border"),
    ],
)
def test_kinds_of_bad_boxes(coco, bbox, kind):
    good = {"image_id": 7, "bbox": [10, 10, 20, 20]}
    dataset = read(coco([good, {"image_id": 7, "bbox": bbox}], images=SIZE))
    (issue,) = dataset.issues
    assert (issue.kind, issue.where, issue.annotation_id, issue.image_id) == (
        kind,
        "annotations[1]",
        2,
        7,
    )
    assert issue.annotator == "work"
    assert issue.severity == KINDS[kind].severity
    assert len(dataset) == 1 + (issue.severity == "kept")
    assert dataset.n_rows == 2


def test_a_sound_box_at_the_border_is_no_problem(coco):
    rows = [{"image_id": 7, "bbox": [0, 0, 100, 100]}, {"image_id": 7, "bbox": [-1, -1, 102, 102]}]
    assert not read(coco(rows, images=SIZE)).issues


def test_nothing_is_outside_an_image_of_unknown_size(coco):
    assert not read(coco([{"image_id": 7, "bbox": [-500, 900, 5, 5]}], images=[{"id": 7}])).issues


def test_repeats(coco):
    row = {"id": 1, "image_id": 7, "bbox": [10, 10, 20, 20], "annotator": "ann"}
    rows = [
        row,
        row,
        {**row, "bbox": [1, 1, 5, 5]},
        {**row, "id": 2},
        {**row, "id": 3, "annotator": "bob"},
        {**row, "annotator": "bob", "bbox": [2, 2, 5, 5]},
    ]
    dataset = read(coco(rows))
    assert [(i.kind, i.where) for i in dataset.issues] == [
        ("duplicate_row", "annotations[1]"),
        ("duplicate_id", "annotations[2]"),
        ("duplicate_id", "annotations[5]"),
        ("duplicate_box", "annotations[3]"),
    ]
    assert all("annotations[0]" in i.message for i in dataset.issues)
    assert dataset.table.row.tolist() == [0, 2, 3, 4, 5]


def test_ids_may_repeat_between_files(coco):
    row = {"id": 1, "image_id": 7, "bbox": [10, 10, 20, 20]}
    assert not read([coco([row], name="a.json"), coco([row], name="b.json")]).issues


def test_one_file_of_one_annotator_given_as_two_has_duplicate_boxes(coco):
    row = {"id": 1, "image_id": 7, "bbox": [10, 10, 20, 20], "annotator": "ann"}
    (issue,) = read([coco([row], name="a.json"), coco([row], name="b.json")]).issues
    assert issue.kind == "duplicate_box"
    assert issue.source.endswith("b.json")


def test_text_ids_and_missing_ids(coco):
    row = {"image_id": 7, "bbox": [10, 10, 20, 20]}
    rows = [
        {**row, "id": id, "bbox": [k, 0, 5, 5]} for k, id in enumerate(["a", "b", "a", None, None])
    ]
    dataset = read(coco(rows))
    assert [(i.kind, i.where) for i in dataset.issues] == [("duplicate_id", "annotations[2]")]


def test_shares_instead_of_pixels_are_noticed(coco):
    rows = [{"image_id": 7, "bbox": [0.1, 0.1, 0.5, 0.5]}, {"image_id": 7, "bbox": [0, 0, 1, 1]}]
    assert [i.kind for i in read(coco(rows)).issues] == ["looks_normalised"]


def test_a_row_has_one_reason_to_be_dropped(coco):
    row = {"image_id": 5, "category_id": 9, "bbox": [float("inf"), 1, -1, 0]}
    dataset = read(coco([row], images=SIZE))
    assert [i.kind for i in dataset.issues] == ["non_finite"]
    row["bbox"] = [500, 1, -1, 0]
    dataset = read(coco([row], images=SIZE))
    assert [i.kind for i in dataset.issues] == ["unknown_image"]


CELL = st.integers(0, 1)


@given(
    st.lists(
        st.tuples(CELL, CELL, CELL, st.sampled_from([0.0, -0.0, 1.0]), CELL, CELL, CELL),
        max_size=30,
    )
)
def test_duplicate_boxes_are_those_that_were_seen(rows):
    columns = np.array(rows, dtype=np.float64).reshape(-1, 7)
    ids = columns[:, :3].astype(np.int64).T.copy()
    again, first = duplicate_boxes(*ids, columns[:, 3:])
    keys = [tuple(row) for row in rows]
    expected = [(k, keys.index(key)) for k, key in enumerate(keys) if keys.index(key) != k]
    assert list(zip(again.tolist(), first.tolist(), strict=True)) == expected


@given(st.lists(st.tuples(st.integers(0, 4), CELL), max_size=20), st.booleans())
def test_repeated_ids_are_those_that_were_seen(rows, as_objects):
    ids = np.array([id for id, _ in rows], dtype=object if as_objects else np.int64)
    source = np.array([one for _, one in rows], dtype=np.int64)
    again, first = repeated_ids(ids, source)
    expected = [(k, rows.index(row)) for k, row in enumerate(rows) if rows.index(row) != k]
    assert list(zip(again.tolist(), first.tolist(), strict=True)) == expected


NUMBER = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**20), 10**20)
    | st.sampled_from([0, 1, 50, 1e300, -1e300])
)
CELLS = st.none() | st.booleans() | st.text(max_size=3) | NUMBER | st.lists(NUMBER, max_size=5)
ROW = (
    st.dictionaries(
        st.sampled_from(
            ["id", "image_id", "category_id", "bbox", "score", "iscrowd", "annotator", "x"]
        ),
        CELLS,
    )
    | CELLS
)


@given(rows=st.lists(ROW, max_size=6))
def test_whatever_the_rows_each_is_read_or_listed(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "a.json"
    sound = {"id": "sound", "image_id": 1, "category_id": 1, "bbox": [3, 3, 60, 60]}
    path.write_text(json.dumps({"annotations": [*rows, sound]}))
    dataset = read(path)
    assert dataset.n_rows == len(rows) + 1
    assert len(dataset) + dataset.n_dropped == dataset.n_rows
    assert np.isfinite(dataset.table.xyxy).all()
    assert np.all(dataset.table.xyxy[:, 2:] > dataset.table.xyxy[:, :2])


def test_every_kind_is_explained():
    assert all(
        kind.explanation.endswith(".") and kind.severity in ("dropped", "kept")
        for kind in KINDS.values()
    )


def test_kinds_of_every_room_are_explained():
    rooms = Path(annqc.__file__).parent
    code = {path: path.read_text(encoding="utf-8") for path in rooms.rglob("*.py")}
    raised = set(re.findall(r'kind="(\w+)",\s*severity=', "".join(code.values())))
    raised |= set(re.findall(r'_SEVERAL: Final = "(\w+)"', "".join(code.values())))
    match = "".join(text for path, text in code.items() if path.parent.name == "match")
    raised |= set(re.findall(r'_problem\(\s*"(\w+)"', match))
    assert {"image_id_conflict", "own_reference", "gold_by_several"} <= raised
    assert raised <= set(KINDS)
