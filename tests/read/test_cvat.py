from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from annqc.errors import ReadError
from annqc.read import read

BOX = '<box label="cat" occluded="0" xtl="1.5" ytl="2" xbr="8" ybr="9.25"/>'


def document(*inside, meta="", head='<?xml version="1.0" encoding="utf-8"?>'):
    version = "<version>1.1</version>"
    return f"{head}\n<annotations>{version}<meta>{meta}</meta>{''.join(inside)}</annotations>"


def image(*shapes, id=0, name="a.jpg", size='width="20" height="10"', more=""):
    return f'<image id="{id}" name="{name}" {size} {more}>{"".join(shapes)}</image>'


def kinds(dataset):
    return Counter(issue.kind for issue in dataset.issues)


def test_boxes_of_images(put):
    labels = (
        "<labels><label><name>cat</name><attributes>"
        "<attribute><name>wet</name><input_type>checkbox</input_type></attribute>"
        "<attribute><name>age</name><input_type>number</input_type></attribute>"
        "<attribute>~select=pose:sits,lies</attribute>"
        "</attributes></label><label><name>dog</name></label></labels>"
    )
    told = (
        '<attribute name="wet">true</attribute><attribute name="age">3</attribute>'
        '<attribute name="pose">sits</attribute><attribute name="id">7</attribute>'
    )
    boxes = BOX, BOX.replace("/>", f' z_order="2" source="auto">{told}</box>').replace("1.5", "0")
    path = put(
        "bob.xml", document(image(*boxes), image(id=1, name="b.jpg"), meta=f"<task>{labels}</task>")
    )
    dataset = read(path)
    assert dataset.table.xyxy.tolist() == [[1.5, 2, 8, 9.25], [0, 2, 8, 9.25]]
    assert dataset.image_table.file_name.tolist() == ["a.jpg", "b.jpg"]
    assert dataset.image_table.width.tolist() == [20, 20]
    assert dataset.image_table.sequence is None
    assert dataset.annotator_ids.tolist() == ["bob"]
    assert len(dataset.assigned) == 2
    assert dataset.category_names.tolist() == ["cat", "dog"]
    assert dataset.table.track is None
    extra = {name: column.tolist() for name, column in dataset.table.extra.items()}
    assert extra == {
        "occluded": [0, 0],
        "z_order": [None, 2],
        "source": [None, "auto"],
        "wet": [None, True],
        "age": [None, 3],
        "pose": [None, "sits"],
        "attribute_id": [None, "7"],
    }
    assert not dataset.issues


def test_outlines_of_images(put):
    shapes = [
        '<polygon label="a" points="0,0;4,0;4,3"/>',
        '<ellipse label="a" cx="10" cy="5" rx="4" ry="2" rotation="90"/>',
        '<box label="a" xtl="4" ytl="4" xbr="8" ybr="6" rotation="90"/>',
        '<mask label="a" rle="1, 2, 2, 1" left="3" top="4" width="3" height="2"/>',
    ]
    dataset = read(put("a.xml", document(image(*shapes))))
    assert dataset.table.shapes.kind.tolist() == [1, 1, 1, 2]
    expected = [[0, 0, 4, 3], [8, 1, 12, 9], [5, 3, 7, 7], [4, 4, 6, 6]]
    np.testing.assert_allclose(dataset.table.xyxy, expected, atol=0.02)
    pixels = np.zeros((10, 20), dtype=int)
    pixels[4, 4:6] = pixels[5, 5] = 1  # row by row from the left: 0 1 1 / 0 0 1
    canvas = np.repeat(
        np.arange(len(dataset.table.shapes.runs_of(3))) % 2, dataset.table.shapes.runs_of(3)
    )
    assert canvas.reshape(20, 10).T.tolist() == pixels.tolist()
    assert dataset.table.extra["rotation"].tolist()[1:3] == [90, 90]


@pytest.mark.parametrize("angle", [30, 90, 215.5])
def test_a_turned_box_has_the_corners_that_turning_gives(put, angle):
    box = f'<box label="a" xtl="4" ytl="4" xbr="12" ybr="8" rotation="{angle}"/>'
    ring = read(put("a.xml", document(image(box, size="")))).table.shapes.rings(0)[0]
    turn = np.exp(1j * np.radians(angle))  # with y down, from x towards y is clockwise
    corners = [
        (x - 8 + 1j * (y - 6)) * turn + 8 + 6j for x, y in ((4, 4), (12, 4), (12, 8), (4, 8))
    ]
    found = [complex(x, y) for x, y in ring.tolist()]
    assert max(min(abs(one - other) for other in found) for one in corners) < 1e-9


def test_whatever_has_no_area_is_listed(put):
    shapes = [
        BOX,
        '<points label="a" points="1,1"/>',
        '<polyline label="a" points="1,1;2,2"/>',
        '<cuboid label="a"/>',
        '<skeleton label="a"><points label="b" points="1,1"/></skeleton>',
        '<tag label="a"/>',
    ]
    dataset = read(put("a.xml", document(image(*shapes))))
    assert len(dataset) == 1
    assert kinds(dataset) == {"unsupported_shape": 4, "no_geometry": 1}
    assert dataset.issues[0].where == "shape 2"
    assert dataset.issues[0].image_id == "a.jpg"
    assert dataset.n_rows == 6


BAD = {
    '<box label="" xtl="1" ytl="1" xbr="2" ybr="2"/>': "malformed",
    '<box label="a" xtl="1" ytl="1" xbr="2"/>': "malformed",
    '<box label="a" xtl="one" ytl="1" xbr="2" ybr="2"/>': "malformed",
    '<box label="a" xtl="nan" ytl="1" xbr="2" ybr="2"/>': "non_finite",
    '<box label="a" xtl="5" ytl="1" xbr="2" ybr="2"/>': "negative_size",
    '<box label="a" xtl="5" ytl="1" xbr="5" ybr="2"/>': "zero_size",
    '<polygon label="a" points=""/>': "malformed",
    '<polygon label="a" points="1,2;3"/>': "malformed",
    '<polygon label="a" points="1,2;3,inf;2,2"/>': "non_finite",
    '<polygon label="a" points="1,2;3,4"/>': "few_points",
    '<ellipse label="a" cx="1" cy="1" rx="-1" ry="2"/>': "negative_size",
    '<ellipse label="a" cx="1" cy="inf" rx="1" ry="2"/>': "non_finite",
    '<mask label="a" left="0" top="0" width="2" height="1"/>': "malformed",
    '<mask label="a" rle="x" left="0" top="0" width="2" height="1"/>': "broken_rle",
    '<mask label="a" rle="1" left="0" top="0" width="2" height="1"/>': "broken_rle",
    '<mask label="a" rle="-1,3" left="0" top="0" width="2" height="1"/>': "broken_rle",
    '<mask label="a" rle="2" left="0" top="0" width="2" height="1"/>': "empty_mask",
    '<mask label="a" rle="0,2" left="0.5" top="0" width="2" height="1"/>': "malformed",
    '<mask label="a" rle="0,2" left="19" top="0" width="2" height="1"/>': "canvas_mismatch",
}


@pytest.mark.parametrize("shape", BAD)
def test_a_bad_shape_is_listed_and_others_stay(put, shape):
    dataset = read(put("a.xml", document(image(shape, BOX.replace("cat", "a")))))
    assert len(dataset) == 1
    dropped = [one for one in dataset.issues if one.severity == "dropped"]
    assert [(one.kind, one.where) for one in dropped] == [(BAD[shape], "shape 1")]


def test_a_mask_needs_the_size_of_its_image(put):
    mask = '<mask label="a" rle="0,2" left="0" top="0" width="2" height="1"/>'
    path = put("a.xml", document(image(mask, size="")))
    assert kinds(read(path))["unreadable_mask"] == 1
    assert len(read(path, image_sizes={"a.jpg": (20, 10)})) == 1


def test_a_label_that_the_file_does_not_have(put):
    meta = "<task><labels><label><name>dog</name></label></labels></task>"
    path = put("a.xml", document(image(BOX), meta=meta))
    assert kinds(read(path)) == {"unknown_category": 1}
    assert len(read(path, categories=["cat"])) == 1


def test_images_of_one_name_in_a_project_are_several(put):
    both = (
        image(BOX, more=f'subset="{subset}" task_id="{k}"')
        for k, subset in enumerate(("Train", "Test"))
    )
    dataset = read(put("a.xml", document(*both)))
    assert dataset.image_table.id.tolist() == ["Train/a.jpg", "Test/a.jpg"]
    assert not dataset.issues


def test_the_assignee_is_the_annotator(put):
    who = "<assignee><username>eve</username></assignee><owner><username>max</username></owner>"
    meta = f"<job><id>4</id>{who}</job>"
    path = put("x.xml", document(image(BOX), image(id=1, name="b.jpg"), meta=meta))
    dataset = read(path)
    assert dataset.annotator_ids.tolist() == ["eve"]
    assert len(dataset.assigned) == 2
    assert read(path, annotator="stem").annotator_ids.tolist() == ["x"]
    assert read(path, annotator="=ann").annotator_ids.tolist() == ["ann"]
    named = BOX.replace("/>", '><attribute name="worker">ann</attribute></box>')
    dataset = read(put("y.xml", document(image(named), meta=meta)))
    assert dataset.annotator_ids.tolist() == ["ann"]


def test_frames_as_images_are_frames(put):
    meta = "<task><name>walk</name><mode>interpolation</mode></task>"
    dataset = read(put("a.xml", document(image(BOX, id=12, name="frame_000012"), meta=meta)))
    assert dataset.image_table.id.tolist() == ["walk/12"]
    assert dataset.image_table.sequence.tolist() == ["walk"]
    assert dataset.image_table.frame.tolist() == [12]


def test_broken_files(put):
    for text, what in (
        ("", "empty"),
        (document(image(BOX))[:-20], "no valid XML"),
        (document(image(BOX), head="<!DOCTYPE a [<!ENTITY x 'y'>]>"), "document type"),
        ("<annotation/>", "not CVAT"),
    ):
        with pytest.raises(ReadError, match=what):
            read(put("a.xml", text), format="cvat")
    dataset = read(put("b.xml", "<annotations><version>1.1</version></annotations>"))
    assert kinds(dataset) == {"no_rows": 1}


def test_another_encoding(put):
    text = document(
        image(BOX.replace("cat", "chat noir é")), head='<?xml version="1.0" encoding="utf-16"?>'
    )
    assert read(put("a.xml", text.encode("utf-16"))).category_names.tolist() == ["chat noir é"]
    latin = document(
        image(BOX.replace("cat", "é")), head='<?xml version="1.0" encoding="iso-8859-1"?>'
    )
    dataset = read(put("b.xml", latin.encode("latin-1")), format="cvat")
    assert dataset.category_names.tolist() == ["é"]


def test_what_is_cvat_and_what_is_not(put):
    comment = document(image(BOX), head="<?xml version='1.0'?>\n<!-- made by hand -->")
    assert read(put("a.xml", comment)).sources[0].format == "cvat"
    with pytest.raises(ReadError, match="not known"):
        read(put("b.xml", "<root><annotations><image/></annotations></root>"))


def test_datumaro_fixtures(shared_data):
    folder = shared_data / "format_fixtures" / "datumaro" / "cvat_dataset" / "for_images"
    project = read(folder / "export_project" / "annotations.xml")
    assert (len(project), len(project.image_table), project.n_rows) == (6, 6, 12)
    assert project.table.extra["a4"].tolist() == [2.4, None] * 3
    assert project.table.extra["a1"].tolist() == [True, None] * 3
    assert kinds(project) == {"unsupported_shape": 6, "no_outline": 3}
    task = read(folder / "export_task" / "train.xml")
    assert kinds(task) == {"malformed": 2, "unsupported_shape": 1}
    assert task.table.xyxy.tolist() == [[0, 2, 4, 4]]
