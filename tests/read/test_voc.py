from __future__ import annotations

import pytest

from annqc.errors import ReadError
from annqc.read import read

OBJECT = (
    "<object><name>{name}</name>{more}<bndbox><xmin>{0}</xmin><ymin>{1}</ymin>"
    "<xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"
)


def xml(
    *objects,
    size="<size><width>640</width><height>480</height></size>",
    more="<filename>a.jpg</filename>",
):
    return f"<annotation>{more}{size}{''.join(objects)}</annotation>"


def box(*sides, name="cat", more=""):
    return OBJECT.format(*sides, name=name, more=more)


def test_one_based_inclusive_boxes(put):
    dataset = read(put("in/img.xml", xml(box(1, 1, 640, 480), box(10, 20, 30, 40))))
    assert dataset.table.xyxy.tolist() == [[0, 0, 640, 480], [9, 19, 30, 40]]
    assert dataset.image_table.id.tolist() == ["img"]
    assert dataset.image_table.file_name.tolist() == ["a.jpg"]
    assert dataset.image_table.width.tolist() == [640]
    assert dataset.table.row.tolist() == [1, 2]
    assert not dataset.issues


def test_flags(put):
    more = "<difficult>1</difficult><truncated>0</truncated><occluded>1</occluded><pose>Left</pose>"
    table = read(put("img.xml", xml(box(1, 1, 9, 9, more=more), box(1, 1, 8, 8)))).table
    assert table.ignored.tolist() == [True, False]
    assert table.extra["truncated"].tolist() == [0, None]
    assert table.extra["occluded"].tolist() == [1, None]
    assert table.extra["pose"].tolist() == ["Left", None]


def test_bad_objects_are_listed(put):
    path = put(
        "img.xml",
        xml(
            "<object><name>cat</name></object>",
            "<object><name>cat</name><bndbox><xmin>1</xmin></bndbox></object>",
            box("a", 1, 2, 3),
            box(1, 1, 9, 9, name=""),
            box("nan", 1, 9, 9),
            box(5, 5, 5, 5),
            box(700, 1, 800, 9),
            box(9, 9, 3, 3),
            box(1, 1, 643, 9),
            box(1, 1, 9, 9),
        ),
    )
    dataset = read(path)
    assert [
        (i.where, i.kind) for i in sorted(dataset.issues, key=lambda i: int(i.where.split()[1]))
    ] == [
        ("object 1", "malformed"),
        ("object 2", "malformed"),
        ("object 3", "malformed"),
        ("object 4", "malformed"),
        ("object 5", "non_finite"),
        ("object 6", "zero_size"),
        ("object 7", "outside_image"),
        ("object 8", "negative_size"),
        ("object 9", "beyond_border"),
    ]
    assert (dataset.n_rows, len(dataset)) == (10, 2)
    assert {i.image_id for i in dataset.issues} == {"img"}


def test_an_image_without_objects_was_asked(put, tmp_path):
    put("ann/a.xml", xml(box(1, 1, 9, 9)))
    put("ann/b.xml", xml(size="<segmented>0</segmented>"))
    dataset = read(tmp_path / "ann")
    assert dataset.image_table.id.tolist() == ["a", "b"]
    assert dataset.assigned.tolist() == [[0, 0], [0, 1]]
    assert [source.n_rows for source in dataset.sources] == [1, 0]


def test_folders_are_annotators(put, tmp_path):
    put("work/ann/Annotations/1.xml", xml(box(1, 1, 9, 9)))
    put("work/bob/Annotations/1.xml", xml(box(2, 2, 9, 9), more=""))
    put("work/bob/Annotations/2.xml", xml(box(2, 2, 9, 9)))
    dataset = read(tmp_path / "work")
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]
    assert dataset.image_table.id.tolist() == ["1", "2"]
    assert dataset.table.annotator.tolist() == [0, 1, 1]
    assert dataset.assigned.tolist() == [[0, 0], [1, 0], [1, 1]]
    assert read(tmp_path / "work", annotator="=cy").annotator_ids.tolist() == ["cy"]
    with pytest.raises(ReadError, match="one file an image"):
        read(tmp_path / "work", annotator="stem")


def test_equal_names_of_one_annotator_are_two_images(put, tmp_path):
    put("set/train/1.xml", xml(box(1, 1, 9, 9), more=""))
    put("set/val/1.xml", xml(box(1, 1, 9, 9), more=""))
    assert read(tmp_path / "set").image_table.id.tolist() == ["train/1", "val/1"]


def test_a_field_can_say_the_annotator(put):
    path = put("a.xml", xml(box(1, 1, 9, 9), more="<annotator>ann</annotator><owner>zoe</owner>"))
    assert read(path).annotator_ids.tolist() == ["ann"]
    assert read(path, annotator="owner").annotator_ids.tolist() == ["zoe"]


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<annotation><segmented>&b;</segmented></annotation>"
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "document type"),
        (BOMB.encode("utf-16"), "document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><annotation/>', "document type"),
        (xml(box(1, 1, 9, 9))[:-30], "cut off"),
        ("", "empty"),
        ("<annotations></annotations>", "<annotations>"),
        ("<a>" * 200_000, "nested too deeply"),
        (xml(box(1, 1, 9, 9)).encode() + b"\xff", "valid XML"),
        ('<?xml version="1.0" encoding="nonsense"?><annotation/>', "valid XML"),
    ],
)
def test_hostile_and_broken_xml(put, content, words):
    with pytest.raises(ReadError, match=words):
        read(put("a.xml", content), format="voc")


def test_every_broken_file_of_a_folder_is_named(put, tmp_path):
    put("in/a.xml", xml(box(1, 1, 9, 9)))
    put("in/b.xml", xml(box(1, 1, 9, 9))[:-20])
    put("in/c.xml", xml(box(1, 1, 9, 9))[:-40])
    with pytest.raises(ReadError) as caught:
        read(tmp_path / "in")
    assert "2 of 3 files" in str(caught.value)
    assert "b.xml" in str(caught.value)
    assert "c.xml" in str(caught.value)


def test_unknown_size_is_unknown(put):
    dataset = read(
        put(
            "a.xml", xml(box(1, 1, 9999, 9), size="<size><width>0</width><height>0</height></size>")
        )
    )
    assert not dataset.issues
    assert (
        read(put("a.xml", xml(box(1, 1, 9999, 9), size="<segmented/>")), image_sizes=(20, 20))
        .issues[0]
        .kind
        == "beyond_border"
    )
