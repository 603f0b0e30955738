from __future__ import annotations

import base64
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import AnnqcError, ReadError
from annqc.read import read
from tests.read.test_masks import bitmap, png

SIZE = "<imagesize><nrows>50</nrows><ncols>60</ncols></imagesize>"
SQUARE = ((2, 3), (12, 3), (12, 8), (2, 8))


def polygon(points=SQUARE, user="ann"):
    body = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in points)
    return f"<polygon><username>{user}</username>{body}</polygon>"


def thing(shape=None, *, name="car", deleted=0, more=""):
    shape = polygon() if shape is None else shape
    return f"<object><name>{name}</name><deleted>{deleted}</deleted>{more}{shape}</object>"


def xml(*objects, more=SIZE, name="a.jpg"):
    return f"<annotation><filename>{name}</filename>{''.join(objects)}{more}</annotation>"


def shape(points=SQUARE, kind="polygon", label="car", **more):
    return {"label": label, "points": [list(p) for p in points], "shape_type": kind, **more}


def document(*shapes, **more):
    about = {"imagePath": "..\\img\\a.jpg", "imageHeight": 50, "imageWidth": 60, "imageData": None}
    return json.dumps({"version": "5.4.1", "flags": {}, "shapes": shapes, **about, **more})


def kinds(dataset):
    return Counter(issue.kind for issue in dataset.issues)


def areas(dataset):
    """Return the area of each outline, by the shoelace formula, ring by ring."""
    out = []
    for row in range(len(dataset)):
        total = 0.0
        for ring in dataset.table.shapes.rings(row):
            x, y = ring[:, 0], ring[:, 1]
            total += float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)
        out.append(total)
    return out


def test_polygons_of_xml(put):
    more = (
        "<occluded>yes</occluded><attributes>red</attributes><parts><ispartof>4</ispartof></parts>"
        "<date>07-Jun-2018 18:02:05</date>"
    )
    dataset = read(put("x/a.xml", xml(thing(more=more), thing(polygon(user="bob"), name="cat"))))
    assert dataset.table.xyxy.tolist() == [[2, 3, 12, 8]] * 2
    assert areas(dataset) == [50, 50]
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]
    assert dataset.category_names.tolist() == ["car", "cat"]
    assert dataset.image_table.id.tolist() == ["a"]
    assert dataset.image_table.file_name.tolist() == ["a.jpg"]
    assert (dataset.image_table.width[0], dataset.image_table.height[0]) == (60, 50)
    extra = {name: column.tolist() for name, column in dataset.table.extra.items()}
    assert extra["occluded"] == [1, None]
    assert extra["attributes"] == ["red", None]
    assert extra["part_of"] == ["4", None]
    assert extra["created_at"] == ["2018-06-07T18:02:05", None]
    assert not dataset.issues


def test_deleted_objects_and_bad_ones_are_listed(put):
    path = put(
        "a.xml",
        xml(
            thing(deleted=1),
            thing("<polygon></polygon>"),
            thing(polygon([(1, 1), ("b", 2), (3, 3)])),
            thing(polygon([(1, 1), ("1e999", 2), (3, 3)])),
            thing(polygon([(1, 1), (2, 2)])),
            thing("", name="tag"),
            thing(name=""),
            thing("<segm><mask>none.png</mask></segm>"),
            thing("<segm><mask>../../secret.png</mask></segm>"),
            thing(),
        ),
    )
    dataset = read(path)
    found = sorted((int(i.where.split()[1]), i.kind) for i in dataset.issues)
    assert found == [
        (1, "deleted_object"),
        (2, "malformed"),
        (3, "malformed"),
        (4, "non_finite"),
        (5, "few_points"),
        (6, "no_geometry"),
        (7, "malformed"),
        (8, "unreadable_mask"),
        (9, "unreadable_mask"),
    ]
    assert (len(dataset), dataset.n_rows, dataset.n_dropped) == (1, 10, 9)


def test_boxes_and_masks_of_xml(put):
    canvas = np.zeros((50, 60), dtype=int)
    canvas[10:20, 30:33] = 1
    put("d/Masks/s/m.png", png(canvas, depth=1))
    box = polygon([(2, 3), (12, 8), (2, 8), (12, 3)])
    objects = [
        f"<object><name>b</name><type>bounding_box</type>{box}</object>",
        thing("<segm><username>eve</username><mask>m.png</mask></segm>"),
    ]
    dataset = read(put("d/Annotations/s/a.xml", xml(*objects)))
    assert dataset.table.shapes.kind.tolist() == [0, 2]
    assert dataset.table.xyxy.tolist() == [[2, 3, 12, 8], [30, 10, 33, 20]]
    np.testing.assert_array_equal(bitmap(dataset, 1), canvas > 0)
    assert dataset.annotator_ids.tolist() == ["ann", "eve"]


def test_files_of_one_name_are_about_one_image(put):
    put("t-1/7.xml", xml(thing(polygon(user="ann"))))
    folder = put("t-2/7.xml", xml(thing(polygon(user="bob")))).parent.parent
    dataset = read(folder)
    assert dataset.image_table.id.tolist() == ["7"]
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]


def test_shapes_of_json(put):
    circle = shape([(30, 20), (33, 24)], "circle")
    path = put(
        "work/a.json",
        document(
            shape(group_id=None, flags={"hard": True}),
            shape([(9, 8), (1, 2)], "rectangle", label="dog"),
            circle,
            shape([(1, 1), (5, 5)], "line"),
            shape([(1, 1)], "point"),
            shape([(1, 1), (2, 3), (5, 5)], "linestrip"),
            shape([(1, 1), (2, 3)], "circle")["points"],
            shape(label=""),
            shape([(1, "2"), (2, 3), (4, 4)]),
            shape([(1, 1)], "rectangle"),
        ),
    )
    dataset = read(path)
    assert dataset.table.shapes.kind.tolist() == [1, 0, 1]
    assert dataset.table.xyxy[:2].tolist() == [[2, 3, 12, 8], [1, 2, 9, 8]]
    assert areas(dataset)[2] == pytest.approx(np.pi * 25, rel=1e-9)
    np.testing.assert_allclose(dataset.table.xyxy[2], [25, 15, 35, 25], atol=0.011)
    assert dataset.table.extra["hard"].tolist() == [True, None, None]
    assert dataset.annotator_ids.tolist() == ["work"]
    assert dataset.image_table.file_name.tolist() == ["a.jpg"]
    assert kinds(dataset) == {"unsupported_shape": 3, "malformed": 4, "no_outline": 1}
    message = next(i.message for i in dataset.issues if i.where == "object 4")
    assert message == "'car' is of the type 'line', which is not read"


def test_parts_of_one_group_are_one_object(put):
    far = [(x + 20, y) for x, y in SQUARE]
    dataset = read(
        put(
            "a.json",
            document(
                shape(group_id=1),
                shape(far, group_id=1),
                shape(far, group_id=1, label="wheel"),
                shape(far),
                shape(far, group_id=2),
            ),
        )
    )
    assert dataset.table.xyxy[:2].tolist() == [[2, 3, 32, 8], [22, 3, 32, 8]]
    assert areas(dataset) == [100, 50, 50, 50]
    assert dataset.table.row.tolist() == [1, 3, 4, 5]
    assert dataset.table.extra["group_id"].tolist() == [1, 1, None, 2]


def test_a_mask_in_json_is_placed_on_the_image(put):
    small = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [0, 1, 1]])
    text = base64.b64encode(png(small, depth=1)).decode()
    corners = [(10, 20), (12, 23)]
    good = shape(corners, "mask", mask=text)
    out = shape([(58, 20), (60, 23)], "mask", mask=text)
    dataset = read(
        put("a.json", document(good, out, shape(corners, "mask", mask="%"), shape(corners, "mask")))
    )
    canvas = np.zeros((50, 60), dtype=bool)
    canvas[20:24, 10:13] = small
    np.testing.assert_array_equal(bitmap(dataset, 0), canvas)
    assert dataset.table.xyxy.tolist() == [[10, 20, 13, 24]]
    assert kinds(dataset) == {"canvas_mismatch": 1, "unreadable_mask": 2}


def test_a_field_says_who_drew(put):
    path = put("a.json", document(shape(labeler="zoe"), shape(), annotator="ann"))
    assert read(path).annotator_ids.tolist() == ["ann"]
    assert read(path, annotator="labeler").annotator_ids.tolist() == ["zoe", "(unknown)"]


def test_other_sizes_in_two_files_are_listed(put):
    put("a/1.json", document(shape()))
    folder = put("b/1.json", document(shape(), imageWidth=61)).parent.parent
    dataset = read(folder)
    assert kinds(dataset) == {"size_mismatch": 1}
    assert dataset.issues[0].message == "61 x 50 pixels here, 60 x 50 in another file"


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.xml", "", "empty"),
        ("a.xml", xml(thing())[:-30], "no valid XML"),
        ("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]>' + xml(thing()), "document type"),
        ("a.json", document(shape())[:-3], "JSON"),
        ("a.json", "[]", "not LabelMe"),
        ("a.json", '{"shapes": 3}', "not LabelMe"),
    ],
)
def test_files_that_cannot_be_read(put, name, content, match):
    with pytest.raises(ReadError, match=match):
        read(put(name, content), format="labelme")


def test_other_encodings(put):
    assert len(read(put("a.json", document(shape(label="Straße")).encode("utf-16")))) == 1
    path = put(
        "a.xml",
        b'<?xml version="1.0" encoding="latin-1"?>' + xml(thing(name="é")).encode("latin-1"),
    )
    assert read(path, format="labelme").category_names.tolist() == ["é"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gets_further_than_an_error(tmp_path_factory, data):
    name, text = data.draw(
        st.sampled_from(
            [
                ("a.xml", xml(thing(), thing(deleted=1))),
                ("a.json", document(shape(), shape([(1, 1), (5, 5)], "circle", group_id=1))),
            ]
        )
    )
    body = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.mktemp("fuzz") / name
    path.write_bytes(bytes(body))
    try:
        dataset = read(path, format="labelme")
    except AnnqcError:
        return
    assert len(dataset) + dataset.n_dropped <= dataset.n_rows


def test_four_users(shared_data):
    dataset = read(shared_data / "labelme_4users_polygons")
    assert dataset.annotator_ids.tolist() == ["ecyou", "mhsieh2", "sngandhi", "ylp"]
    assert (dataset.n_rows, len(dataset), len(dataset.image_table)) == (89, 80, 20)
    assert kinds(dataset)["deleted_object"] == 9
    assert set(dataset.table.shapes.kind) == {1}
    assert min(areas(dataset)) > 0
    assert set(dataset.image_table.width) == {64}
    pairs = {*zip(dataset.table.annotator.tolist(), dataset.table.image.tolist(), strict=True)}
    assert len(pairs) == 80


def test_datumaro_fixture(shared_data):
    dataset = read(shared_data / "format_fixtures" / "datumaro" / "labelme_dataset")
    assert (len(dataset), dataset.annotator_ids.tolist()) == (7, ["admin", "brussell", "anonymous"])
    assert Counter(dataset.table.shapes.kind.tolist()) == {1: 4, 2: 2, 0: 1}
