from __future__ import annotations

import struct

import numpy as np
import pytest

from annqc.errors import ReadError
from annqc.read import read
from annqc.read.classnames import class_names, yaml_names

LINE = "1 0.5 0.5 0.2 0.4\n"


def png(width, height):
    return (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
        + struct.pack(">II", width, height)
        + b"\x08\x02\x00\x00\x00"
    )


def test_boxes_scores_polygons_and_nothing(put, tmp_path):
    put("bob/labels/1.txt", LINE + "0 .5 .5 .2 .4 0.75\n\n2 0.1 0.1 0.3 0.1 0.2 0.5\n")
    put("bob/labels/2.txt", "")
    put("bob/data.yaml", "nc: 3\nnames: [a, b, c]\n")
    dataset = read(tmp_path / "bob", image_sizes=(100, 50))
    np.testing.assert_allclose(
        dataset.table.xyxy, [[40, 15, 60, 35], [40, 15, 60, 35], [10, 5, 30, 25]]
    )
    np.testing.assert_array_equal(dataset.table.score, [np.nan, 0.75, np.nan])
    assert dataset.category_names.tolist() == ["a", "b", "c"]
    assert dataset.table.category.tolist() == [1, 0, 2]
    assert dataset.table.row.tolist() == [1, 2, 4]
    assert dataset.annotator_ids.tolist() == ["bob"]
    assert dataset.image_table.id.tolist() == ["1", "2"]
    assert dataset.assigned.tolist() == [[0, 0], [0, 1]]


def test_sizes_come_from_the_images(put, tmp_path):
    put("set/labels/train/1.txt", LINE)
    put("set/images/train/1.png", png(200, 100))
    put("set/labels/val/1.txt", LINE)
    put("set/images/val/1.png", png(400, 100))
    dataset = read(tmp_path / "set")
    assert dataset.image_table.id.tolist() == ["train/1", "val/1"]
    assert dataset.image_table.width.tolist() == [200, 400]
    assert dataset.image_table.file_name.tolist() == ["1.png", "1.png"]
    assert dataset.table.xyxy[1].tolist() == [160, 30, 240, 70]


def test_missing_sizes_are_named(put, tmp_path):
    put("set/labels/here.txt", LINE)
    put("set/labels/there.txt", LINE)
    put("set/labels/none.txt", "")
    put("set/labels/here.png", png(10, 10))
    with pytest.raises(ReadError) as caught:
        read(tmp_path / "set")
    message = str(caught.value)
    assert "sizes of 1 of 3 images" in message
    assert "there" in message
    assert "--image-sizes (image_sizes= in Python)" in message
    sizes = put("sizes.csv", "stem,width,height\nthere,30,30\n")
    assert len(read(tmp_path / "set", image_sizes=sizes)) == 2


def test_bad_lines_are_listed(put):
    path = put(
        "a.txt",
        LINE
        + "1 0.5 0.5 0.2\nx 0.5 0.5 0.2 0.4\n1.5 0.5 0.5 0.2 0.4\n1 0 0 1 1 1 1 1\n"
        + "1 nan 0.5 0.2 0.4\n7 0.5 0.5 0.2 0.4\n"
        + LINE * 6,
    )
    dataset = read(path, image_sizes=(100, 100), categories=["a", "b"])
    found = [(i.where, i.kind) for i in dataset.issues if i.severity == "dropped"]
    assert sorted(found) == [
        ("line 2", "malformed"),
        ("line 3", "malformed"),
        ("line 4", "malformed"),
        ("line 5", "malformed"),
        ("line 6", "non_finite"),
        ("line 7", "unknown_category"),
    ]
    assert sum(i.kind == "duplicate_box" for i in dataset.issues) == 6


def test_annotators_share_images(put, tmp_path):
    for name in ("ann", "bob"):
        put(f"work/{name}/labels/1.txt", LINE)
    dataset = read(tmp_path / "work", image_sizes=(10, 10))
    assert len(dataset.image_table) == 1
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]


def test_names_that_contradict_are_refused(put, tmp_path):
    for name in ("ann", "bob"):
        put(f"work/{name}/1.txt", LINE)
        put(f"work/{name}/classes.txt", f"x\n{name}\n")
    with pytest.raises(ReadError, match="differ"):
        read(tmp_path / "work", image_sizes=(10, 10))
    assert read(
        tmp_path / "work", image_sizes=(10, 10), categories={1: "q"}
    ).category_names.tolist() == ["q"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("names: ['cat', \"big dog\", bird]", ["cat", "big dog", "bird"]),
        ("nc: 2\nnames: ['a, b', 'it''s', c,]\nval: x", ["a, b", "it's", "c"]),
        ("names:\n  - cat\n  - 'dog'  # a comment\nnc: 2", ["cat", "dog"]),
        ("names:\n- cat\n- dog", ["cat", "dog"]),
        ("names:\n  0: cat\n  1: 'the: dog'\n", ["cat", "the: dog"]),
        ("names: {0: cat, 1: 'a, b'}", ["cat", "a, b"]),
        ("names: [\n  'cat',\n  'dog#1'\n]\n", ["cat", "dog#1"]),
        ("# names: [x]\ntrain: y", []),
        ("names: *anchor", []),
        ("names: [it's, b]", ["it's", "b"]),
    ],
)
def test_names_of_a_data_file(text, expected):
    assert yaml_names(text) == dict(enumerate(expected))


def test_the_nearest_list_of_names_holds(put, tmp_path):
    put("classes.txt", "far\n")
    put("set/obj.names", "near\n\nby\n")
    folder = put("set/train/labels/1.txt", LINE).parent
    assert class_names(folder) == {0: "near", 1: "by"}


@pytest.mark.parametrize("name", ["0532.jpg", "0532", "images/0532.png", "C:\\set\\0532.JPG"])
def test_sizes_by_file_name_stem_or_path(put, tmp_path, name):
    put("set/labels/0532.txt", LINE)
    sizes = put("sizes.csv", f"file_name,width,height\n{name},100,50\n")
    for given in (sizes, {name: (100, 50)}):
        dataset = read(tmp_path / "set", image_sizes=given)
        np.testing.assert_allclose(dataset.table.xyxy, [[40, 15, 60, 35]])


def test_sizes_that_fit_no_image_are_shown(put, tmp_path):
    put("set/labels/0532.txt", LINE)
    sizes = put("sizes.csv", "file_name;width;height\nother.jpg;100;50\n")
    with pytest.raises(ReadError, match="not known") as caught:
        read(tmp_path / "set", image_sizes=sizes)
    assert "0532" in caught.value.found
    assert "the sizes given are for names such as 'other.jpg'" in caught.value.found
