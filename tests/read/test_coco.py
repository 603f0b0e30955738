from __future__ import annotations

import gc
import json
import sys

import numpy as np
import pytest

from annqc.errors import ReadError
from annqc.read import read

BOX = {"image_id": 7, "bbox": [10, 20, 30, 40]}


def kinds(dataset):
    return [issue.kind for issue in dataset.issues]


def test_boxes_are_corners_and_columns_follow(coco):
    path = coco(
        [
            {**BOX, "score": 0.5, "iscrowd": 1, "shift": "night", "batch": 3, "pre_label": True},
            {**BOX, "bbox": [0.5, 1.5, 2, 3], "ignore": 1, "shift": "day", "batch": 4},
        ],
        images=[{"id": 7, "file_name": "a.jpg", "width": 640, "height": 480, "scene": "road"}],
    )
    dataset = read(path)
    table = dataset.table
    assert table.xyxy.tolist() == [[10, 20, 40, 60], [0.5, 1.5, 2.5, 4.5]]
    assert table.crowd.tolist() == [True, False]
    assert table.ignored.tolist() == [False, True]
    np.testing.assert_array_equal(table.score, [0.5, np.nan])
    assert table.extra["shift"].tolist() == ["night", "day"]
    assert table.extra["batch"].tolist() == [3, 4]
    assert table.extra["batch"].dtype == np.int64
    assert table.extra["pre_label"].tolist() == [True, None]
    assert dataset.image_table.extra["scene"].tolist() == ["road"]
    assert dataset.image_table.width.tolist() == [640]
    assert dataset.annotator_ids.tolist() == ["work"]
    assert dataset.assigned.tolist() == [[0, 0]]
    assert (dataset.n_rows, dataset.sources[0].n_rows, dataset.sources[0].format) == (2, 2, "coco")
    assert dataset.sources[0].sha256 is not None


def test_fields_with_awkward_names_and_nested_attributes_are_kept(coco):
    path = coco(
        [
            {
                **BOX,
                "review score": 4,
                "class": "x",
                "attributes": {"occluded": True, "deep": {"a": 1}},
            },
            {**BOX, "bbox": [1, 1, 5, 5], "nested": {"a": [1]}, "attributes": {"occluded": False}},
        ]
    )
    extra = read(path).table.extra
    assert extra["review score"].tolist() == [4, None]
    assert extra["class"].tolist() == ["x", None]
    assert extra["occluded"].tolist() == [True, False]
    assert set(extra) == {"review score", "class", "occluded"}


def test_a_field_that_only_some_far_rows_have_is_found(coco):
    rows = [{"image_id": 1, "bbox": [k, 0, 5, 5]} for k in range(6000)]
    for row in rows[2000:]:
        row["shift"] = "late"
    column = read(coco(rows)).table.extra["shift"]
    assert column[0] is None
    assert column[-1] == "late"


@pytest.mark.parametrize("id", [569716681169025, "img-7", 10**25, -3])
def test_image_ids_come_back_as_they_went_in(coco, id):
    dataset = read(coco([{"image_id": id, "bbox": [0, 0, 5, 5]}]))
    assert dataset.image_table.id.tolist() == [id]
    assert type(dataset.image_table.id.tolist()[0]) is type(id)
    assert len(dataset) == 1


def test_ids_of_both_kinds_stay_apart(coco):
    rows = [{"image_id": 7, "bbox": [0, 0, 5, 5]}, {"image_id": "7", "bbox": [0, 0, 6, 6]}]
    dataset = read(coco(rows, images=[{"id": 7}, {"id": "7"}]))
    assert dataset.image_table.id.tolist() == [7, "7"]
    assert dataset.table.image.tolist() == [0, 1]
    alone = read(coco(rows, images=[{"id": 7}]))
    assert kinds(alone) == ["unknown_image"]
    assert "7, of another type" in alone.issues[0].message


def test_results_list(coco, put):
    rows = [{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.25}]
    dataset = read(put("model.json", json.dumps(rows)))
    assert dataset.table.score.tolist() == [0.25]
    assert dataset.category_names.tolist() == ["3"]
    assert dataset.assigned is None
    named = read(put("model.json", json.dumps(rows)), categories={3: "dog"})
    assert named.category_names.tolist() == ["dog"]
    merged = read(
        [
            coco([BOX], categories=[{"id": 3, "name": "dog"}, {"id": 1, "name": "cat"}]),
            put("model.json", json.dumps(rows)),
        ]
    )
    assert merged.category_names.tolist() == ["dog", "cat"]
    assert merged.table.category.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("row", "where", "words"),
    [
        ({"image_id": 7, "bbox": [1, 2, 3]}, "annotations[1].bbox", "length 4: [1, 2, 3]"),
        (
            {"image_id": 7, "bbox": [1, 2, 3, 4, 5]},
            "annotations[1].bbox",
            "length 4: [1, 2, 3, 4, 5]",
        ),
        ({"image_id": 7, "bbox": ["12.5", 2, 3, 4]}, "annotations[1].bbox[0]", "quotes"),
        ({"image_id": 7, "bbox": [True, 2, 3, 4]}, "annotations[1].bbox[0]", "got bool"),
        ({"image_id": 7, "bbox": [None, 2, 3, 4]}, "annotations[1].bbox[0]", "got null"),
        ({"image_id": 7, "bbox": {"x": 1}}, "annotations[1].bbox", "expected array"),
        ({"image_id": 7}, "annotations[1]", "no bbox"),
        ({"bbox": [1, 2, 3, 4]}, "annotations[1]", "no image_id"),
        ({"image_id": 7.5, "bbox": [1, 2, 3, 4]}, "annotations[1].image_id", "7.5"),
        ({"image_id": [7], "bbox": [1, 2, 3, 4]}, "annotations[1].image_id", "[7]"),
        ("not an object", "annotations[1]", "expected object"),
        (None, "annotations[1]", "expected object"),
    ],
)
def test_one_bad_row_is_listed_and_the_rest_is_read(coco, row, where, words):
    dataset = read(coco([BOX, row, {**BOX, "bbox": [1, 1, 5, 5], "shift": "day"}]))
    assert len(dataset) == 2
    assert dataset.n_rows == 3
    assert dataset.table.row.tolist() == [0, 2]
    assert dataset.table.extra["shift"].tolist() == [None, "day"]
    (issue,) = dataset.issues
    assert (issue.kind, issue.severity, issue.where) == ("malformed", "dropped", where)
    assert words in issue.message
    if isinstance(row, dict) and "bbox" in row:
        assert issue.annotation_id == 2


def test_nan_and_infinity_literals(coco):
    path = coco(
        [
            BOX,
            {**BOX, "bbox": [float("nan"), 1, 2, 3]},
            {**BOX, "bbox": [1, float("-inf"), 2, 3], "note": "NaN, Infinity"},
        ]
    )
    dataset = read(path)
    assert [(i.kind, i.where) for i in dataset.issues] == [
        ("non_finite", "annotations[1].bbox[0]"),
        ("non_finite", "annotations[2].bbox[1]"),
    ]
    assert len(dataset) == 1


def test_numbers_out_of_range(put):
    text = '{"annotations": [%s]}'
    row = '{"id": %d, "image_id": 1, "category_id": 1, "bbox": [%s, 0, 5, 5]}'
    rows = ",".join(row % (k, x) for k, x in enumerate(["1", "1e999", "1e308", "1e300", "-1e12"]))
    dataset = read(put("a.json", text % rows))
    assert [(i.kind, i.annotation_id) for i in dataset.issues] == [
        ("non_finite", 1),
        ("out_of_range", 2),
        ("out_of_range", 3),
        ("out_of_range", 4),
    ]


def test_extra_field_of_changing_type_costs_no_row(coco):
    rows = [
        {**BOX, "bbox": [k, 0, 5, 5], "mark": mark}
        for k, mark in enumerate([1, "a", None, [1], {"a": 2}])
    ]
    dataset = read(coco(rows))
    assert kinds(dataset) == []
    assert dataset.table.extra["mark"].tolist() == [1, "a", None, None, None]


def test_images_without_a_sound_size_are_kept(coco):
    path = coco(
        [BOX, {**BOX, "image_id": 8}, {**BOX, "image_id": 9}],
        images=[
            {"id": 7, "width": 0, "height": 5},
            {"id": 8, "width": "640", "height": 480},
            {"id": 9},
            {"file_name": "x"},
        ],
    )
    dataset = read(path)
    found = [(i.kind, i.where) for i in dataset.issues]
    assert ("bad_image_size", "images[0]") in found
    assert ("bad_image_size", "images[1]") in found
    assert ("malformed", "images[3]") in found
    assert len(dataset) == 3
    assert np.isnan(dataset.image_table.width).all()


def test_assignments(coco):
    path = coco(
        [{**BOX, "annotator": "ann"}, {**BOX, "annotator": "bob", "image_id": 8}],
        images=[{"id": 7}, {"id": 8}, {"id": 9}],
        assignments=[
            {"image_id": 7, "annotator": "ann"},
            {"image_id": 9, "annotator": "cy"},
            {"image_id": 99, "annotator": "ann"},
            {"image_id": 9},
            {"image_id": "?", "annotator": [1]},
        ],
    )
    dataset = read(path)
    pairs = {(dataset.annotator_ids[a], dataset.image_table.id[i]) for a, i in dataset.assigned}
    assert pairs == {("ann", 7), ("cy", 9), ("bob", 8)}
    assert sorted(kinds(dataset)) == ["bad_assignment"] * 3 + ["unassigned"]
    assert {i.where for i in dataset.issues if i.kind == "bad_assignment"} == {
        "assignments[2]",
        "assignments[3]",
        "assignments[4].annotator",
    }


def test_without_assignments_an_annotator_a_row_is_unknown(coco):
    assert read(coco([{**BOX, "annotator": "ann"}])).assigned is None


def test_missing_tables_are_implied(coco):
    dataset = read(coco([BOX], images=None, categories=None))
    assert dataset.image_table.id.tolist() == [7]
    assert dataset.category_names.tolist() == ["1"]
    assert kinds(dataset) == []


def test_unknown_image_and_category_and_repeats_in_tables(coco):
    path = coco(
        [BOX, {**BOX, "image_id": 5}, {**BOX, "category_id": 2}],
        images=[{"id": 7, "file_name": "a"}, {"id": 7, "file_name": "b"}],
        categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 4, "name": "cat"}],
    )
    dataset = read(path)
    assert sorted(kinds(dataset)) == sorted(
        [
            "duplicate_image",
            "duplicate_category",
            "duplicate_category",
            "unknown_image",
            "unknown_category",
        ]
    )
    assert dataset.image_table.file_name.tolist() == ["a"]
    assert len(dataset) == 1


def test_tracks_are_encoded(coco):
    rows = [
        {**BOX, "bbox": [k, 0, 5, 5], "instance_id": id}
        for k, id in enumerate(["A_1", "B_2", "A_1", None])
    ]
    assert read(coco(rows)).table.track.tolist() == [0, 1, 0, -1]


@pytest.mark.parametrize(
    "document",
    [
        {"images": [{"id": 1}], "annotations": [{"id": 1, "image_id": 1, "caption": "a cat"}]},
        {
            "images": [{"id": 1}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2]}],
        },
        {
            "images": [{"id": 1}],
            "annotations": [{"image_id": 1, "segments_info": []}],
            "categories": [],
        },
    ],
)
def test_annotations_without_any_box_are_refused(put, document):
    with pytest.raises(ReadError, match="no boxes"):
        read(put("captions.json", json.dumps(document)))


def test_a_file_without_annotations_is_refused_and_an_empty_list_is_not(coco):
    with pytest.raises(ReadError, match="no annotations"):
        read(coco([], annotations=None, images=[{"id": 1}]))
    dataset = read(coco([], images=[{"id": 1}]))
    assert (len(dataset), len(dataset.image_table), dataset.assigned.tolist()) == (0, 1, [[0, 0]])
    assert dataset.annotations.empty


def test_sections_of_the_wrong_type_are_refused(coco):
    with pytest.raises(ReadError, match="images"):
        read(coco([BOX], images={"id": 7}), format="coco")


def test_large_files_are_mapped_and_the_collector_comes_back(coco):
    rows = [
        {"image_id": k % 50, "bbox": [k % 97, 0, 5 + k % 7, 5], "segmentation": [[0.5] * 40]}
        for k in range(6000)
    ]
    path = coco(rows)
    assert path.stat().st_size > 1 << 20
    assert gc.isenabled()
    dataset = read(path)
    assert gc.isenabled()
    assert len(dataset) == 6000
    path.unlink()
    assert dataset.sources[0].sha256 is None


def test_deep_nesting_cannot_crash(put):
    deep = '{"images": [], "annotations": [], "x": ' + "[" * 300_000
    limit = sys.getrecursionlimit()
    for depth in (limit, 500_000):
        sys.setrecursionlimit(depth)
        try:
            with pytest.raises(ReadError, match="nested too deeply"):
                read(put("deep.json", deep))
            with pytest.raises(ReadError, match="nested too deeply"):
                read(put("deep.json", "[" * 300_000), format="coco")
            with pytest.raises(ReadError, match="format of this file is not known"):
                read(put("deep.json", "[" * 300_000))
        finally:
            sys.setrecursionlimit(limit)


def test_one_row_with_a_box_among_many_without_is_read(coco):
    rows = [{"image_id": 7}] * 50 + [BOX]
    dataset = read(coco(rows))
    assert len(dataset) == 1
    assert kinds(dataset) == ["malformed"] * 50


def test_something_like_nan_that_is_none(put):
    text = '{"annotations": [{"image_id": 1, "category_id": 1, "bbox": [NaN7, 0, 1, 1]}]}'
    with pytest.raises(ReadError, match="no valid JSON"):
        read(put("a.json", text))


@pytest.mark.parametrize("late", [{"id": 2**70}, {"id": None}, {"iscrowd": 1}, {"score": 0}])
def test_what_only_the_last_of_many_rows_has_is_read(coco, late):
    box = {"image_id": 7, "bbox": [10, 20, 30, 40]}
    rows = [{**box, "bbox": [k, 20, 30, 40.5]} for k in range(5000)]
    table = read(coco([*rows, {**box, **late}])).table
    assert table.xyxy[[0, 4999, 5000]].tolist() == [
        [0, 20, 30, 60.5],
        [4999, 20, 5029, 60.5],
        [10, 20, 40, 60],
    ]
    assert table.id[:5000].tolist() == list(range(1, 5001))
    assert table.id[-1] == late.get("id", 5001)
    assert np.flatnonzero(table.crowd).tolist() == ([5000] if "iscrowd" in late else [])
    assert np.flatnonzero(~np.isnan(table.score)).tolist() == ([5000] if "score" in late else [])


def test_tracks_of_videos_are_told_apart(coco):
    rows = [{"image_id": k, "bbox": [1, 1, 5, 5], "track_id": 1} for k in (1, 2, 3)]
    images = [{"id": k, "file_name": f"{k}.jpg", "video_id": k // 2} for k in (1, 2, 3)]
    assert read(coco(rows, images=images)).table.track.tolist() == [0, 1, 1]
