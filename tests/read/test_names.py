from __future__ import annotations

import json

import pytest

from annqc.errors import ReadError
from annqc.read import read

PATTERN = r"(?P<annotator>labeller\d+?)(?P<session>2?)_(?P<image>.+)"
SQUARE = [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 9, "y": 9}, {"x": 1, "y": 9}]


def darwin(name):
    about = {"width": 40, "height": 30, "original_filename": f"{name}.jpg"}
    row = {"name": "mole", "polygon": {"path": SQUARE}}
    return json.dumps({"dataset": "d", "image": about, "annotations": [row]})


def test_a_name_is_taken_apart(put):
    for name in ("labeller1_007HB", "labeller12_007HB", "labeller2_007HB", "labeller2_9"):
        path = put(f"in/{name}.json", darwin(name))
    dataset = read(path.parent, annotator=PATTERN)
    rows = dataset.annotations[["annotator", "image_id", "session"]].fillna("-").values.tolist()
    assert rows == [
        ["labeller1", "007HB", "2"],
        ["labeller1", "007HB", "-"],
        ["labeller2", "007HB", "-"],
        ["labeller2", "9", "-"],
    ]
    assert dataset.image_table.file_name.tolist() == ["007HB.jpg", "9.jpg"]
    assert len(dataset.assigned) == 3


def test_other_formats_have_it_too(put):
    put("in/ann_1.txt", "0 0.5 0.5 0.2 0.2\n")
    folder = put("in/bob_1.txt", "").parent
    pattern = "(?P<annotator>[a-z]+)_(?P<image>.+)"
    dataset = read(folder, annotator=pattern, image_sizes=(10, 10))
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]
    assert dataset.image_table.id.tolist() == ["1"]
    files = put("coco/ann-week1.json", json.dumps({"images": [], "annotations": []})).parent
    assert read(files, annotator=r"(?P<annotator>\w+)-week\d").annotator_ids.tolist() == ["ann"]


def test_without_an_image_group_the_whole_name_is_the_image(put):
    path = put("in/ann_1.json", darwin("ann_1"))
    dataset = read(path, annotator="(?P<annotator>[a-z]+)_.*")
    assert (dataset.annotator_ids.tolist(), dataset.image_table.id.tolist()) == (["ann"], ["ann_1"])


def test_a_name_that_does_not_fit_is_an_error(put):
    put("in/labeller1_007HB.json", darwin("a"))
    path = put("in/stray.json", darwin("b"))
    with pytest.raises(ReadError, match="does not fit the pattern") as caught:
        read(path.parent, annotator=PATTERN)
    assert caught.value.where.endswith("stray.json")
    assert caught.value.expected == PATTERN


def test_a_broken_pattern_is_an_error(put):
    path = put("in/a.json", darwin("a"))
    with pytest.raises(ReadError, match="no regular expression") as caught:
        read(path, annotator="(?P<annotator>[a-z)_")
    assert "unterminated" in caught.value.found
