from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from annqc.errors import ReadError
from annqc.read import read

BOX = {"x1": 10, "y1": 20.5, "x2": 29, "y2": 39.5}
RLE = {"size": [4, 5], "counts": [5, 2, 2, 2, 9]}


def label(id="3", category="car", **more):
    return {"id": id, "category": category, **(more or {"box2d": BOX})}


def frame(*labels, name="a.jpg", **more):
    return {"name": name, "labels": list(labels), **more}


def in_video(k, *labels, video="walk", **more):
    return frame(*labels, name=f"{video}-{k:07d}.jpg", videoName=video, frameIndex=k, **more)


def polygon(*vertices, types=None, closed=True):
    return {"vertices": vertices, "types": types or "L" * len(vertices), "closed": closed}


def kinds(dataset):
    return Counter(issue.kind for issue in dataset.issues)


def test_a_box_ends_with_its_last_pixel(put):
    path = put("bob.json", json.dumps([frame(label())]))
    dataset = read(path)
    assert dataset.sources[0].format == "scalabel"
    assert dataset.table.xyxy.tolist() == [[10, 20.5, 30, 40.5]]
    assert dataset.image_table.id.tolist() == ["a.jpg"]
    assert dataset.image_table.sequence is None
    assert dataset.table.track is None
    assert dataset.table.extra["label_id"].tolist() == ["3"]
    assert dataset.annotator_ids.tolist() == ["bob"]


@pytest.mark.parametrize("names", [("videoName", "frameIndex"), ("video_name", "frame_index")])
def test_frames_of_videos(put, names):
    marks = {"occluded": True, "crowd": False}
    frames = [
        {"name": f"{k}.jpg", names[0]: "walk", names[1]: k + 4, "labels": labels}
        for k, labels in enumerate(
            ([label(attributes=marks, box2d=BOX)], None, [label(), label("4", "bus")])
        )
    ]
    dataset = read(put("a.json", json.dumps(frames)))
    assert dataset.image_table.id.tolist() == ["walk/4", "walk/5", "walk/6"]
    assert dataset.image_table.sequence.tolist() == ["walk"] * 3
    assert dataset.image_table.frame.tolist() == [4, 5, 6]
    assert dataset.tracks_of(dataset.table.track).tolist() == ["3", "3", "4"]
    assert dataset.table.extra["occluded"].tolist() == [True, None, None]
    assert "crowd" not in dataset.table.extra
    assert len(dataset.assigned) == 3
    assert kinds(dataset) == {"track_gap": 1}


def test_an_object_with_frames_and_a_config(put):
    tree = [
        {"name": "vehicle", "subcategories": [{"name": "car"}, {"name": "bus"}]},
        {"name": "person"},
    ]
    config = {"imageSize": {"width": 64, "height": 48}, "categories": tree}
    rows = [
        frame(label(), label(category="tree"), size={"width": 32, "height": 48}),
        frame(name="b.jpg"),
    ]
    dataset = read(put("a.json", json.dumps({"frames": rows, "groups": None, "config": config})))
    assert dataset.category_names.tolist() == ["vehicle", "car", "bus", "person"]
    assert dataset.image_table.width.tolist() == [32, 64]
    assert kinds(dataset) == {"unknown_category": 1}
    none = json.dumps({"frames": rows, "groups": None, "config": None})
    assert len(read(put("b.json", none))) == 2


def test_a_file_that_is_called_after_its_video(put):
    text = json.dumps([in_video(0, label())])
    assert read(put("gold/walk.json", text)).annotator_ids.tolist() == ["gold"]
    assert read(put("gold/work.json", text)).annotator_ids.tolist() == ["work"]


def test_marks_and_scores(put):
    rows = [
        in_video(0, label(box2d=BOX, attributes={"crowd": True}, score=0.5, manualShape=True)),
        in_video(1, label(box2d=BOX, attributes={"ignored": True}, manualShape=False)),
    ]
    table = read(put("a.json", json.dumps(rows))).table
    assert table.crowd.tolist() == [True, False]
    assert table.ignored.tolist() == [False, True]
    assert table.score.tolist()[0] == 0.5
    assert table.keyframe.tolist() == [True, False]


def test_outlines(put):
    ring = polygon([1, 1], [3, 1], [3, 2])
    both = label(box2d=BOX, poly2d=[ring])
    path = put("a.json", json.dumps([frame(both)]))
    assert read(path).table.shapes is None
    assert read(path, shapes=True).table.shapes.kind.tolist() == [1]
    dataset = read(put("b.json", json.dumps([frame(label(poly2d=[ring]), label(rle=RLE))])))
    assert dataset.table.shapes.kind.tolist() == [1, 2]
    assert dataset.table.xyxy.tolist() == [[1, 1, 3, 2], [1, 1, 3, 3]]


def test_curves_are_flattened(put):
    # a quarter of a circle, to a quarter of a thousandth of its radius
    k = 100 * 0.5522847498
    quarter = polygon([0, 0], [100, 0], [100, k], [k, 100], [0, 100], types="LLCCC")
    dataset = read(put("a.json", json.dumps([frame(label(poly2d=[quarter]))])))
    points = dataset.table.shapes.rings(0)[0]
    radii = np.hypot(*points.T)
    assert len(points) > 20
    assert np.abs(radii[radii > 1] - 100).max() < 0.05
    x, y = points.T
    area = (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert abs(abs(area) - np.pi * 2500) < 3
    ends = polygon(
        [0, 0], [8, 0], [8, 8], [4, 12], [0, 4], types="LLLCC"
    )  # back to the first vertex
    assert len(read(put("b.json", json.dumps([frame(label(poly2d=[ends]))])))) == 1


def test_several_cameras_of_one_drive(put):
    rows = [
        frame(label(), name=f"drive_{side}_{k:06d}.jpg", videoName="drive", frameIndex=k)
        for k in range(2)
        for side in ("left", "right")
    ]
    dataset = read(put("a.json", json.dumps(rows)))
    assert dataset.image_table.sequence.tolist() == ["drive_left", "drive_right"] * 2
    assert dataset.image_table.frame.tolist() == [0, 0, 1, 1]
    assert len(dataset.track_ids) == 2
    assert not dataset.issues


BAD = [
    (7, "malformed"),
    (label(category=None), "malformed"),
    (label(category=" "), "malformed"),
    (label(box2d=[1, 2, 3, 4]), "malformed"),
    (label(box2d={**BOX, "x1": "10"}), "malformed"),
    (label(box2d={**BOX, "x1": None}), "malformed"),
    (label(box2d={**BOX, "x1": float("nan")}), "non_finite"),
    (label(box2d={**BOX, "x1": 10**400}), "out_of_range"),
    (label(box2d={**BOX, "x1": 30}), "zero_size"),
    (label(box2d={**BOX, "x1": 31}), "negative_size"),
    (label(box2d=None, poly2d=None, rle=None), "no_geometry"),
    (label(box3d={"alpha": 1}), "unsupported_shape"),
    (label(graph={"nodes": []}), "unsupported_shape"),
    (label(poly2d=[polygon([1, 1], [2, 2], closed=False)]), "unsupported_shape"),
    (label(poly2d=[polygon([1, 1], [2, 2])]), "few_points"),
    (label(poly2d=[polygon([1, 1], [2, "2"])]), "malformed"),
    (label(poly2d=[3]), "malformed"),
    (label(poly2d=[polygon()]), "malformed"),
    (label(rle={"size": [4, 5], "counts": [9]}), "broken_rle"),
    (label(rle={"size": [4, 5]}), "malformed"),
]


@pytest.mark.parametrize(("bad", "kind"), BAD)
def test_bad_labels_are_listed(put, bad, kind):
    dataset = read(put("a.json", json.dumps([frame(label(), bad)])))
    assert len(dataset) == 1
    dropped = [one for one in dataset.issues if one.severity == "dropped"]
    assert [(one.kind, one.image_id) for one in dropped] == [(kind, "a.jpg")]
    assert "label 2" in dropped[0].where
    assert dataset.n_rows == 2


@pytest.mark.parametrize("place", ['"x1": 10', '"id": "3"', '"name": "a.jpg"', '"frameIndex": 0'])
def test_numbers_that_no_float_can_hold(put, place):
    key = place.split(":")[0]
    text = json.dumps([in_video(0, label(), label("4", "bus")), frame(label(), name="a.jpg")])
    assert place in text
    dataset = read(put("a.json", text.replace(place, f"{key}: 1e400", 1)))
    assert len(dataset) + dataset.n_dropped == 3
    assert {one.kind for one in dataset.issues} <= {"non_finite", "malformed"}
    with pytest.raises(ReadError, match=r"digits|range|cannot be read"):
        read(put("b.json", text.replace(place, f'{key}: 1e400, "y": {"9" * 9000}', 1)))


def test_bad_frames_are_listed(put):
    for bad in (3, {"labels": []}, {"name": "b.jpg", "labels": 3}):
        dataset = read(put("a.json", json.dumps([frame(label()), bad])))
        assert len(dataset) == 1
        assert [(i.kind, i.where) for i in dataset.issues] == [("malformed", "frames[1]")]


def test_broken_files(put):
    good = json.dumps([frame(label())])
    with pytest.raises(ReadError, match="not complete"):
        read(put("a.json", good[:-9]))
    with pytest.raises(ReadError, match="not Scalabel"):
        read(put("b.json", '{"frames": 3}'), format="scalabel")
    with pytest.raises(ReadError, match="not known"):
        read(put("c.json", json.dumps([{"name": "a", "price": 3}])))
    assert len(read(put("d.json", good.encode("utf-16")))) == 1


def test_a_first_frame_longer_than_what_is_looked_at(put):
    rows = [frame(*(label(str(k)) for k in range(2000)))]
    for document in (rows, {"frames": rows}):
        dataset = read(put("a.json", json.dumps(document)))
        assert dataset.sources[0].format == "scalabel"


FIXTURES = {
    "eval/testcases/box_track/track_sample_anns.json": (3241, 202, 1),
    "eval/testcases/box_track/track_predictions.json": (2301, 202, 1),
    "eval/testcases/det/bbox_predictions.json": (5372, 202, 0),
    "eval/testcases/seg_track/seg_track_sample.json": (1768, 100, 1),
    "eval/testcases/seg_track/seg_track_preds.json": (1567, 100, 1),
    "eval/testcases/ins_seg/ins_seg_rle_sample.json": (8, 1, 0),
    "label/testcases/kitti_tracking.json": (28, 4, 2),
    "label/testcases/waymo_cam_anns.json": (21, 10, 5),
    "label/testcases/scalabel_box_track.json": (8, 2, 1),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_scalabel_fixtures(shared_data, name):
    dataset = read(shared_data / "format_fixtures" / "scalabel" / "tests" / name)
    n = 0 if dataset.sequence_table is None else len(dataset.sequence_table)
    assert (len(dataset), len(dataset.image_table), n) == FIXTURES[name]
    assert not dataset.n_dropped


def test_boxes_of_bdd100k_are_as_json_has_them(shared_data):
    path = (
        shared_data
        / "format_fixtures/scalabel/tests/eval/testcases/box_track/track_sample_anns.json"
    )
    expected = [
        (
            f"{one['videoName']}/{one['frameIndex']}",
            row["id"],
            *(row["box2d"][side] for side in ("x1", "y1")),
        )
        for one in json.loads(path.read_text())
        for row in one["labels"]
    ]
    dataset = read(path)
    table = dataset.table
    ids, tracks = (
        dataset.image_table.id[table.image].tolist(),
        dataset.tracks_of(table.track).tolist(),
    )
    found = [
        (i, t, x1, y1)
        for i, t, (x1, y1, _, _) in zip(ids, tracks, table.xyxy.tolist(), strict=True)
    ]
    assert found == expected
