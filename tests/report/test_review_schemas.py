"""The files of a queue against what their formats are described to have, and what CVAT shows."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc.errors import TableError
from annqc.ids import ids_array
from annqc.simulate import TrackHabit, tracks
from annqc.tables import Annotations, Dataset, Images
from annqc.write import write_coco, write_cvat_images, write_cvat_video, write_mot
from annqc.write.fiftyone import write_fiftyone
from tests.report.review_formats import (
    DETECTION,
    VALUES,
    coco_faults,
    cvat_faults,
    fiftyone_faults,
    label_studio_faults,
    shown_by_cvat,
)
from tests.report.review_queues import SETS, configuration, review


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # pycocotools on numpy 2
@pytest.mark.parametrize("name", SETS)
def test_coco(name, tmp_path):
    pycocotools = pytest.importorskip("pycocotools.coco")
    queue = review(name)
    path = queue.to_coco(tmp_path / "q.json")
    document = json.loads(path.read_text("utf-8"))
    assert coco_faults(document) == []
    loaded = pycocotools.COCO(str(path))
    assert len(loaded.getAnnIds()) == len(queue)
    outlines = [one for one in loaded.anns.values() if one.get("segmentation")]
    assert bool(outlines) == (name == "outlines")
    for one in outlines:
        mask = loaded.annToMask(one)
        assert mask.shape == (1080, 1920)
        assert mask.sum() == pytest.approx(one["area"], rel=0.05, abs=60)


def test_coco_faults_are_found(tmp_path):
    path = review("outlines").to_coco(tmp_path / "q.json")
    for section, name, value in [
        ("images", "id", "a"),
        ("images", "file_name", None),
        ("categories", "id", 1.0),
        ("annotations", "image_id", 99),
        ("annotations", "bbox", [1, 2, -3, 4]),
        ("annotations", "segmentation", None),
        ("annotations", "iscrowd", False),
    ]:
        document = json.loads(path.read_text("utf-8"))
        document[section][0][name] = value
        assert coco_faults(document), name


def test_images_whose_ids_are_no_numbers_keep_them_beside(tmp_path):
    queue = review("videos")
    document = json.loads(queue.to_coco(tmp_path / "q.json").read_text("utf-8"))
    ids = {one["id"]: one["review_image_id"] for one in document["images"]}
    assert sorted(ids) == list(range(1, len(ids) + 1))
    assert all(one["file_name"] == one["review_image_id"] for one in document["images"])
    ranked = sorted(document["annotations"], key=lambda one: one["review_rank"])
    assert [ids[one["image_id"]] for one in ranked] == queue.columns["image_id"].tolist()


@pytest.mark.parametrize("name", SETS)
def test_cvat(name, tmp_path):
    root = ET.parse(review(name).to_cvat(tmp_path / "q.xml")).getroot()
    assert cvat_faults(root) == []
    assert {one.tag for one in root[2:]} == {"track" if "video" in name else "image"}
    tags = {shape.tag for holder in root[2:] for shape in holder}
    assert tags == ({"box", "polygon", "mask"} if name == "outlines" else {"box"})


@pytest.mark.parametrize(
    ("name", "path", "key", "value"),
    [
        ("boxes", "image", "id", "a.jpg"),
        ("boxes", "image", "name", None),
        ("boxes", "image/box", "xtl", "nan"),
        ("boxes", "image/box", "z_order", "3.0"),
        ("boxes", "image/box", "group_id", "7.0"),
        ("boxes", "image/box", "label", "unheard of"),
        ("boxes", "image/box", "colour", "red"),
        ("outlines", "image/polygon", "points", "1,2;3,4"),
        ("outlines", "image/mask", "rle", "1, 2, x"),
        ("outlines", "image/mask", "height", None),
        ("video", "track", "id", "t1"),
        ("video", "track/box", "keyframe", None),
        ("video", "track/box", "outside", "true"),
        ("video", "track/box/attribute", "name", "unheard of"),
    ],
)
def test_cvat_faults_are_found(name, path, key, value, tmp_path):
    root = ET.parse(review(name).to_cvat(tmp_path / "q.xml")).getroot()
    element = root.find(path)
    element.attrib.pop(key, None)
    if value is not None:
        element.set(key, value)
    assert cvat_faults(root)


@pytest.mark.parametrize("name", ["video", "videos"])
def test_cvat_shows_the_queue_and_nothing_else(name, tmp_path):
    queue = review(name)
    root = ET.parse(queue.to_cvat(tmp_path / "q.xml")).getroot()
    columns = [queue.columns[k].tolist() for k in ("sequence", "frame", "x1", "y1", "x2", "y2")]
    rows = zip(*columns, strict=True)
    assert shown_by_cvat(root) == Counter((n, f, *np.round(box, 6).tolist()) for n, f, *box in rows)
    assert all(one.findtext("stop_frame") == "39" for one in root.iter("task"))


def walk(lefts, keyframes, n_frames, extra=None):
    """Boxes of one track, frame -> left edge."""
    table = Annotations.build(
        image=list(lefts),
        annotator=[0] * len(lefts),
        category=[0] * len(lefts),
        xyxy=[[x, 1, x + 4, 7] for x in lefts.values()],
        track=np.zeros(len(lefts), dtype=int),
        keyframe=np.array(keyframes, dtype=bool),
        extra=extra or {},
    )
    frame = np.arange(n_frames)
    ids = ids_array([f"v/{k}" for k in frame])
    images = Images.build(ids, sequence=ids_array(["v"] * n_frames), frame=frame)
    return Dataset(table, images, ids_array(["ann"]), ids_array([1]), ids_array(["cat"]))


def test_cvat_shows_what_is_no_keyframe(tmp_path):
    lefts = {1: 0, 2: 5, 3: 6, 4: 7, 5: 30, 7: 2, 8: 3}
    data = walk(lefts, [0, 0, 0, 0, 0, 0, 0], 10)
    data = replace(data, table=replace(data.table, keyframe=np.array([0, 1, 0, 1, 0, 0, 0], bool)))
    root = ET.parse(write_cvat_video(data, tmp_path / "v.xml")).getroot()
    shown = {(frame, left) for _, frame, left, *_ in shown_by_cvat(root)}
    assert shown == set(lefts.items())
    keys = [one.get("frame") for one in root.iter("box") if one.get("keyframe") == "0"]
    assert keys == ["3"]


@pytest.mark.parametrize("bad", ["a\x01b", "a\x0bb", "\ufffe"])
def test_characters_that_xml_has_not_are_refused(bad, tmp_path):
    data = walk({0: 1}, [1], 1, {"note": np.array([bad], dtype=object)})
    for write in (write_cvat_video, write_cvat_images):
        with pytest.raises(TableError, match="character that XML cannot have"):
            write(data, tmp_path / "v.xml")
    assert not list(tmp_path.iterdir())


def test_groups_that_are_no_numbers_are_attributes(tmp_path):
    extra = {"group_id": np.array(["a", None], dtype=object), "z_order": np.array([2.0, np.nan])}
    data = walk({0: 1, 1: 2}, [1, 1], 2, extra)
    root = ET.parse(write_cvat_images(data, tmp_path / "v.xml")).getroot()
    assert cvat_faults(root) == ["image: width=None", "image: height=None"] * 2
    assert [one.get("z_order") for one in root.iter("box")] == ["2", "0"]
    assert [one.text for one in root.findall("image/box/attribute")] == ["a"]


def label_studio(name, folder):
    queue = review(name)
    path = queue.to_label_studio(folder / "q.json")
    return json.loads(path.read_text("utf-8")), queue.subset.queue.category_names.tolist()


@pytest.mark.parametrize("name", SETS)
def test_label_studio(name, tmp_path):
    tasks, labels = label_studio(name, tmp_path)
    assert label_studio_faults(tasks, configuration(labels)) == []
    kinds = {
        one["type"] for task in tasks for side in task["annotations"] for one in side["result"]
    }
    assert kinds == ({*VALUES} if name == "outlines" else {"rectanglelabels"})


@pytest.mark.parametrize(
    ("key", "value"),
    [("from_name", "image"), ("to_name", "label"), ("id", 7), ("type", "brush"), ("value", None)],
)
def test_label_studio_faults_are_found(key, value, tmp_path):
    tasks, labels = label_studio("boxes", tmp_path)
    assert label_studio_faults(tasks, configuration(labels[:1]))
    assert label_studio_faults(tasks, configuration(labels).replace('"outline"', '"label"'))
    region = tasks[0]["annotations"][0]["result"][0]
    good = region["value"]
    region["value"] = good | {"x": 100.1}
    assert label_studio_faults(tasks, configuration(labels)) == ["x"]
    region["value"] = {k: one for k, one in good.items() if k != "width"}
    assert label_studio_faults(tasks, configuration(labels)) == ["width"]
    region["value"] = good
    region[key] = value if value is not None else good | {"rectanglelabels": ["unheard of"]}
    assert label_studio_faults(tasks, configuration(labels))


def test_what_is_beyond_the_image_is_cut_off_in_label_studio_alone(tmp_path):
    queue = review("beyond")
    drawn = queue.subset.drawn.table.xyxy
    again = annqc.read(queue.to_label_studio(tmp_path / "q.json")).table.xyxy
    inside = np.clip(drawn, 0, [1920, 1080, 1920, 1080])
    assert (inside != drawn).any()
    assert sorted(again.round(6).tolist()) == sorted(inside.round(6).tolist())
    for way in ("to_coco", "to_cvat"):
        again = annqc.read(getattr(queue, way)(tmp_path / "q")).table.xyxy
        whole_boxes = queue.subset.queue.table.xyxy
        assert sorted(again.round(6).tolist()) == sorted(whole_boxes.round(6).tolist())


@pytest.mark.parametrize("name", SETS)
def test_fiftyone(name, tmp_path):
    path = review(name).to_fiftyone(tmp_path / "q.json")
    document = json.loads(path.read_text("utf-8"))
    assert fiftyone_faults(document) == []
    first = document["samples"][0]["review"]["detections"][0]
    for key, value in [("label", 3), ("mask", "x"), ("a.b", 1), ("bounding_box", [1, 2, 3])]:
        first[key], kept = value, first.get(key)
        assert fiftyone_faults(document) == [key]
        del first[key]
        first |= {} if kept is None else {key: kept}


def test_columns_that_fiftyone_has_otherwise_keep_their_values(tmp_path):
    values = {"attributes": 1, "label": 2, "a.b": 3, "a_b": 4, "_x": 5, "data_label": 6, "": 7}
    extra = {name: np.array([f"<{k}>"], dtype=object) for name, k in values.items()}
    data = walk({0: 1}, [1], 1, extra)
    data = replace(data, image_table=replace(data.image_table, width=np.full(1, 9.0)))
    data = replace(data, image_table=replace(data.image_table, height=np.full(1, 9.0)))
    document = json.loads(write_fiftyone({"work": data}, tmp_path / "w").read_text("utf-8"))
    (one,) = document["samples"][0]["work"]["detections"]
    assert one["label"] == "cat"
    found = [one[k] for k in one if k not in (*DETECTION, "annotator", "confidence")]
    assert sorted(found) == [f"<{k}>" for k in values.values()]


def test_rows_without_an_outline_have_a_list_of_none_in_coco(tmp_path):
    table = review("outlines").subset.queue
    document = json.loads(write_coco(table, tmp_path / "q.json").read_text("utf-8"))
    kinds = table.table.shapes.kind.tolist()
    empty = [one["segmentation"] == [] for one in document["annotations"]]
    assert empty == [kind == 0 for kind in kinds]
    again = annqc.read(tmp_path / "q.json", shapes=True)
    assert ((again.table.shapes.kind == 0) == (np.array(kinds) == 0)).all()


def test_frames_that_count_from_one_count_from_nought_in_cvat(tmp_path):
    made = tracks(
        {"ann": TrackHabit.drift(8, edge="bottom")},
        n_sequences=1,
        n_tracks=2,
        n_frames=60,
        rng=1,
    )
    write_mot(made.gold, tmp_path)
    write_mot(made.work, tmp_path / "work")
    read = annqc.audit(annqc.read(tmp_path / "work"), annqc.read(tmp_path / "gold"))
    for audit, less in ((read, 1), (annqc.audit(made.work, made.gold), 0)):
        queue = audit.review(top=3)
        root = ET.parse(queue.to_cvat(tmp_path / "queue.xml")).getroot()
        shown = [int(one.get("frame")) for one in root.iter("box") if one.get("outside") == "0"]
        assert sorted(shown) == sorted(frame - less for frame in queue.to_frame()["frame"])
        assert int(root.findtext("meta/task/stop_frame")) == 59
