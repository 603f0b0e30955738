from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import AnnqcError, ReadError
from annqc.read import read
from tests.read.test_labelme import areas

OUTER = [(2, 2), (22, 2), (22, 12), (2, 12)]
HOLE = [(5, 5), (9, 5), (9, 9), (5, 9)]
FAR = [(30, 2), (34, 2), (34, 6), (30, 6)]


def path(points):
    return [{"x": x, "y": y} for x, y in points]


def row(name="mole", **more):
    return {"name": name, **(more or {"polygon": {"path": path(OUTER)}})}


def one(*rows, **about):
    image = {"width": 60, "height": 40, "original_filename": "a.jpg", **about}
    return json.dumps({"dataset": "d", "image": image, "annotations": rows})


def two(*rows, slots=("0",)):
    listed = [{"slot_name": s, "type": "image", "width": 60, "height": 40} for s in slots]
    item = {"name": "a.jpg", "path": "/", "slots": listed}
    return json.dumps({"version": "2.0", "schema_ref": "x", "item": item, "annotations": rows})


def kinds(dataset):
    return Counter(issue.kind for issue in dataset.issues)


def test_polygons_of_version_1(put):
    complex_polygon = {"path": [path(OUTER), path(HOLE), path(FAR)]}
    box = {"x": 2, "y": 2, "w": 32.5, "h": 10}
    dataset = read(
        put(
            "ann/a.json",
            one(
                row(),
                row(
                    "scar", complex_polygon=complex_polygon, bounding_box=box, attributes=["b", "a"]
                ),
                row(bounding_box=box, instance_id={"value": 7}, inference={"confidence": 0.5}),
            ),
        )
    )
    assert areas(dataset) == [200, 200 - 16 + 16, 0]
    assert dataset.table.shapes.kind.tolist() == [1, 1, 0]
    assert dataset.table.xyxy.tolist() == [[2, 2, 22, 12], [2, 2, 34.5, 12], [2, 2, 34.5, 12]]
    assert dataset.table.extra["attributes"].tolist() == [None, "a, b", None]
    assert dataset.table.extra["instance_id"].tolist() == [None, None, 7]
    assert dataset.table.score.tolist()[2] == 0.5
    assert dataset.image_table.file_name.tolist() == ["a.jpg"]
    assert (dataset.image_table.width[0], dataset.image_table.height[0]) == (60, 40)
    assert dataset.annotator_ids.tolist() == ["ann"]
    assert dataset.table.row.tolist() == [0, 1, 2]


def test_version_2(put):
    people = [{"email": "eve@x.org", "full_name": "Eve"}, {"email": "bob@x.org"}]
    rows = [
        row(polygon={"paths": [path(OUTER), path(HOLE)]}, annotators=people, slot_names=["0"]),
        row(polygon={"paths": [path(OUTER)]}, slot_names=["1"]),
    ]
    dataset = read(put("a.json", two(*rows, slots=("0", "1"))))
    assert areas(dataset) == [184]
    assert dataset.annotator_ids.tolist() == ["eve@x.org"]
    assert [(i.kind, i.where) for i in dataset.issues] == [("unsupported_shape", "annotations[1]")]


def test_an_ellipse_is_a_polygon(put):
    shape = {"center": {"x": 30, "y": 20}, "radius": {"x": 10, "y": 5}, "angle": np.pi / 2}
    dataset = read(put("a.json", one(row(ellipse=shape))))
    np.testing.assert_allclose(dataset.table.xyxy[0], [25, 10, 35, 30], atol=0.011)
    assert areas(dataset)[0] == pytest.approx(np.pi * 50, rel=1e-9)


def test_what_has_no_area_is_listed(put):
    dataset = read(
        put(
            "a.json",
            one(
                row("acne", tag={}),
                row("edge", line={"path": path(FAR)}),
                row("eye", keypoint={"x": 1, "y": 2}),
                row("run", frames={"0": {}}),
                row("odd", text="x"),
                {"polygon": {"path": path(OUTER)}},
                3,
                row(polygon={"path": [{"x": 1}]}),
                row(polygon={"path": "no"}),
                row(polygon={"path": []}),
                row(polygon=[1]),
                row(polygon={"path": path([(1, 1), (2, 10**400), (3, 3)])}),
                row(bounding_box={"x": 1, "y": 2, "w": "3", "h": 4}),
                row(bounding_box={"x": 1, "y": 2, "w": -3, "h": 4}),
                row(ellipse={"center": {"x": 1, "y": 2}, "radius": {"x": -1, "y": 1}}),
                row(),
            ),
        )
    )
    found = {int(i.where[12:-1]): i.kind for i in dataset.issues}
    assert [found.get(k) for k in range(16)] == [
        "no_geometry",
        *["unsupported_shape"] * 3,
        "no_geometry",
        *["malformed"] * 6,
        "non_finite",
        "malformed",
        "negative_size",
        "negative_size",
        None,
    ]
    assert dataset.issues[0].message == "'acne' is a tag of the whole image"
    assert (len(dataset), dataset.n_rows) == (1, 16)


def test_a_nan_is_listed(put):
    text = one(row(), row()).replace('"x": 22', '"x": NaN', 1)
    dataset = read(put("a.json", text))
    assert (kinds(dataset), len(dataset)) == ({"malformed": 1}, 1)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "empty"),
        (one(row())[:-4], "JSON"),
        ("[1]", "not V7 Darwin"),
        ('{"image": 1, "annotations": []}', "not V7 Darwin"),
        ('{"image": {}, "annotations": {}}', "not V7 Darwin"),
    ],
)
def test_files_that_cannot_be_read(put, content, match):
    with pytest.raises(ReadError, match=match):
        read(put("a.json", content), format="darwin")


def test_a_bad_file_among_good_ones_is_named(put):
    put("in/a.json", one(row()))
    put("in/b.json", one(row())[:-4])
    with pytest.raises(ReadError, match="2 of 3 files cannot be read") as caught:
        read(put("in/c.json", one(row())[:-9]).parent)
    assert "b.json" in caught.value.where


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gets_further_than_an_error(tmp_path_factory, data):
    tangled = {"path": [path(OUTER), path(HOLE)]}
    text = data.draw(st.sampled_from([one(row(), row(complex_polygon=tangled)), two(row())]))
    body = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    file = tmp_path_factory.mktemp("fuzz") / "a.json"
    file.write_bytes(bytes(body))
    try:
        dataset = read(file, format="darwin")
    except AnnqcError:
        return
    assert len(dataset) + dataset.n_dropped == dataset.n_rows


def test_dermx(shared_data):
    folder = shared_data / "dermx_polygons"
    pattern = r"(?P<annotator>labeller\d+?)(?P<session>2?)_(?P<image>.+)"
    dataset = read(folder, annotator=pattern)
    assert dataset.annotator_ids.tolist() == [f"labeller{k}" for k in range(1, 9)]
    assert (len(dataset.image_table), len(dataset), dataset.n_rows) == (12, 340, 803)
    assert (kinds(dataset)["no_geometry"], kinds(dataset)["beyond_border"]) == (463, 69)
    assert set(dataset.table.extra["session"].tolist()) == {None, "2"}
    assert len(dataset.assigned) == 8 * 12
    assert set(dataset.table.shapes.kind) == {1}
