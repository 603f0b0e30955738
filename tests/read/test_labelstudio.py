from __future__ import annotations

import json
import math

import numpy as np
import pytest

from annqc.errors import ReadError
from annqc.read import read
from annqc.read.heads import read_head
from annqc.read.labelstudio import sniff
from annqc.read.registry import NO, SURE
from annqc.write.labelstudio import write_label_studio
from tests.read.test_labelme import areas

BOX = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}
SIZE = {"original_width": 200, "original_height": 100, "image_rotation": 0}


def region(kind="rectanglelabels", value=None, *, label="cat", id="r1", **more):
    value = dict(BOX if value is None else value)
    if label is not None and kind.endswith("labels"):
        value[kind] = [label]
    about = {"id": id, "type": kind, "from_name": "label", "to_name": "image"}
    return {**about, **SIZE, "value": value, **more}


def annotation(*regions, who=7, **more):
    return {"id": 1, "completed_by": who, "was_cancelled": False, "result": list(regions), **more}


def task(*annotations, id=1, image="/data/upload/3/0123abcd-a.jpg", **more):
    data = {"image": image, **more.pop("data", {})}
    return {"id": id, "data": data, "annotations": list(annotations), **more}


def file(put, *tasks, name="a.json"):
    return put(name, json.dumps(list(tasks)))


def kinds(dataset):
    return [(one.kind, one.where) for one in dataset.issues]


def test_percent_of_the_image_become_pixels(put):
    dataset = read(file(put, task(annotation(region(score=0.5)))))
    assert dataset.table.xyxy.tolist() == [[20, 20, 80, 60]]
    assert dataset.category_names.tolist() == ["cat"]
    assert dataset.table.id.tolist() == ["r1"]
    assert dataset.table.score.tolist() == [0.5]
    assert dataset.annotator_ids.tolist() == [7]
    images = dataset.image_table
    assert (images.id.tolist(), images.file_name.tolist()) == ([1], ["a.jpg"])
    assert (images.width[0], images.height[0]) == (200, 100)
    assert dataset.sources[0].format == "labelstudio"
    assert not dataset.issues


def test_polygons_ellipses_and_turned_rectangles_are_outlines(put):
    triangle = {"points": [[0, 0], [50, 0], [0, 50]], "closed": True}
    oval = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 10, "rotation": 0}
    dataset = read(
        file(
            put,
            task(
                annotation(
                    region("polygonlabels", triangle, id="a"),
                    region("ellipselabels", oval, id="b"),
                    region(value=BOX | {"rotation": 90}, id="c"),
                    region(id="d"),
                )
            ),
        )
    )
    assert dataset.table.shapes.kind.tolist() == [1, 1, 1, 0]
    assert areas(dataset) == pytest.approx([0.5 * 100 * 50, math.pi * 20 * 10, 60 * 40, 0])
    # Turned clockwise around its top-left corner: what was to the right is now below.
    np.testing.assert_allclose(dataset.table.xyxy[2], [20 - 40, 20, 20, 20 + 60], atol=1e-9)
    assert dataset.table.xyxy[0].tolist() == [0, 0, 100, 50]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("https://x.org/images/a%20b.jpg?sig=1", "a b.jpg"),
        ("/data/local-files/?d=some/folder/a.jpg", "a.jpg"),
        ("/data/upload/1/89abcdef-a-b.jpg", "a-b.jpg"),
        ("s3://bucket/folder/a.jpg", "a.jpg"),
        ("folder/a.jpg", "folder/a.jpg"),
        ("a.jpg", "a.jpg"),
        ("http://[broken/a.jpg", "http://[broken/a.jpg"),
    ],
)
def test_the_name_of_the_image_is_that_without_what_the_tool_adds(put, image, name):
    dataset = read(file(put, task(annotation(region()), image=image)))
    assert dataset.image_table.file_name.tolist() == [name]


def test_image_ids_are_those_of_the_data_and_else_of_the_task(put):
    tasks = [task(annotation(region()), id=4, data={"image_id": 31}), task(id=5)]
    assert read(file(put, *tasks)).image_table.id.tolist() == [31, 5]


def test_who_drew_and_who_was_asked(put):
    people = [{"id": 3, "email": "eve@x.org"}, {"id": 4}, "bob"]
    dataset = read(
        file(
            put,
            task(*(annotation(region(), who=one) for one in people)),
            task(annotation(who=people[0]), annotation(region(), who=9, was_cancelled=True), id=2),
        )
    )
    assert dataset.annotator_ids.tolist() == ["eve@x.org", 4, "bob"]
    assert sorted(dataset.assigned.tolist()) == [[0, 0], [0, 1], [1, 0], [2, 0]]
    assert len(dataset) == 3


def test_the_users_own_rule_goes_first(put):
    meta = {"checked_by": "lee"}
    path = file(put, task(annotation(region(meta=meta), reviewer="zoe")))
    assert read(path, annotator="reviewer").annotator_ids.tolist() == ["zoe"]
    assert read(path, annotator="checked_by").annotator_ids.tolist() == ["lee"]
    assert read(path, annotator="=kim").annotator_ids.tolist() == ["kim"]


def test_labels_may_stand_beside_the_region(put):
    rectangle = region("rectangle", id="x", label=None)
    label = {"id": "x", "type": "labels", "value": {**BOX, "labels": ["dog", "pet"]}}
    dataset = read(file(put, task(annotation(rectangle, label, {"type": "relation"}))))
    assert dataset.category_names.tolist() == ["dog"]
    assert dataset.table.extra["labels"].tolist() == ["dog, pet"]
    assert not dataset.issues


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (region("brushlabels", {"format": "rle", "rle": [1]}), "unsupported_shape"),
        (region("keypointlabels", {"x": 1, "y": 1}), "unsupported_shape"),
        (region("videorectangle", {"sequence": []}), "unsupported_shape"),
        (region(image_rotation=90), "unsupported_shape"),
        (region("choices", {"choices": ["good"]}), "no_geometry"),
        (region(label=None), "malformed"),
        (region(original_width=None), "malformed"),
        (region(original_height=-5), "malformed"),
        (region(value=BOX | {"x": "1"}), "malformed"),
        (region(value=BOX | {"x": 1e400}), "non_finite"),
        (region(value=BOX | {"width": -1}), "negative_size"),
        (region(value=BOX | {"width": 0}), "zero_size"),
        (region("polygonlabels", {"points": [[1, 1], [2, 2]]}), "few_points"),
        (region("polygonlabels", {"points": 3}), "malformed"),
        (region(value=BOX | {"x": 500}), "outside_image"),
        ("text", "malformed"),
        ({"type": "rectanglelabels"}, "malformed"),
    ],
)
def test_what_cannot_be_read_is_listed_and_the_rest_is(put, one, kind):
    text = json.dumps([task(annotation(one, region(id="good")))]).replace("Infinity", "1e400")
    dataset = read(put("a.json", text))
    assert dataset.table.id.tolist() == ["good"]
    assert [issue.kind for issue in dataset.issues if issue.severity == "dropped"] == [kind]
    assert dataset.n_rows == 2


def test_places_of_problems_are_told(put):
    bad = annotation(region(), region("brushlabels", {}))
    assert kinds(read(file(put, task(), task(bad, id=2)))) == [
        ("unsupported_shape", "tasks[1].annotations[0].result[1]")
    ]


def test_predictions_are_read_where_nobody_drew(put):
    guess = {"model_version": "m1", "result": [region(score=0.9)]}
    alone = read(file(put, task(predictions=[guess])))
    assert (len(alone), alone.annotator_ids.tolist()) == (1, ["m1"])
    both = read(file(put, task(annotation(region()), predictions=[guess])))
    assert (len(both), both.annotator_ids.tolist()) == (1, [7])


def test_old_exports_have_completions(put):
    old = {"id": 1, "data": {"image": "a.jpg"}, "completions": [annotation(region())]}
    assert len(read(file(put, old))) == 1


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        ([task(annotation(region()))], SURE),
        ([task()], SURE),
        ([{"image": "a.jpg", "label": [BOX]}], NO),
        ([], NO),
        ({"images": []}, NO),
        ([{"name": "a.jpg", "labels": []}], NO),
    ],
)
def test_it_is_told_by_its_content(put, document, answer):
    assert sniff(read_head(put("a.json", json.dumps(document)))) == answer


def test_a_long_first_task_is_told_too(put):
    many = [region(id=f"r{k}") for k in range(3000)]
    dataset = read(file(put, task(annotation(*many))))
    assert dataset.sources[0].format == "labelstudio"
    assert len(dataset) == 3000 - sum(one.severity == "dropped" for one in dataset.issues)


@pytest.mark.parametrize("content", ["{}", "[1", '"x"', '{"data": 3}', "[3]", "[[]]"])
def test_other_json_is_refused_or_listed(put, content):
    path = put("a.json", content)
    if content in {"[3]", "[[]]", '{"data": 3}'}:
        assert kinds(read(path, format="labelstudio"))[0] == ("malformed", "tasks[0]")
    else:
        with pytest.raises(ReadError, match=r"a\.json"):
            read(path, format="labelstudio")


def test_writing_and_reading_gives_the_same(put, tmp_path):
    triangle = {"points": [[0, 0], [50, 0], [0, 50]]}
    rows = [region(id="a", meta={"text": ["why"]}), region("polygonlabels", triangle, id="b")]
    first = read(file(put, task(annotation(*rows), data={"image_id": "x"})))
    again = read(write_label_studio(first, tmp_path / "b.json"))
    np.testing.assert_allclose(again.table.xyxy, first.table.xyxy, atol=1e-9)
    assert again.table.id.tolist() == first.table.id.tolist()
    assert again.table.shapes.kind.tolist() == [0, 1]
    assert again.table.extra["text"].tolist() == ["why", None]
    assert again.image_table.id.tolist() == ["x"]
