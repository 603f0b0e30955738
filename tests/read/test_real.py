from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from annqc.errors import ReadError
from annqc.read import read


def kinds(dataset):
    return Counter(issue.kind for issue in dataset.issues)


def test_crowd_boxes(shared_data):
    workers = read(shared_data / "crowd_boxes" / "workers.json")
    assert (len(workers), len(workers.annotator_ids), len(workers.image_table)) == (3747, 158, 98)
    assert len(workers.assigned) == 849
    assert np.isnan(workers.image_table.width).all()
    assert not workers.issues
    gold = read(shared_data / "crowd_boxes" / "gold.json")
    assert (len(gold), gold.annotator_ids.tolist(), len(gold.assigned)) == (627, ["gold"], 98)
    raw = json.loads((shared_data / "crowd_boxes" / "workers.json").read_text())
    row = raw["annotations"][1234]
    x, y, w, h = row["bbox"]
    assert workers.table.xyxy[1234].tolist() == [x, y, x + w, y + h]
    assert workers.annotator_ids[workers.table.annotator[1234]] == row["annotator"]
    assert workers.image_table.id[workers.table.image[1234]] == row["image_id"]


def test_coco_subset_is_as_json_has_it(shared_data):
    folder = shared_data / "coco_val2017_subset"
    path = folder / "instances_val2017.tiny.json"
    raw = json.loads(path.read_text())
    dataset = read(path)
    assert len(dataset) == len(raw["annotations"]) == 815
    expected = np.array([row["bbox"] for row in raw["annotations"]])
    expected[:, 2:] += expected[:, :2]
    np.testing.assert_array_equal(dataset.table.xyxy, expected)
    assert dataset.table.crowd.tolist() == [bool(row["iscrowd"]) for row in raw["annotations"]]
    assert dataset.table.id.tolist() == [row["id"] for row in raw["annotations"]]
    assert set(kinds(dataset)) <= {"beyond_border"}
    both = read(folder)
    assert len(both) == 815 + 705
    assert len(both.annotator_ids) == 2


def test_bccd(shared_data):
    dataset = read(shared_data / "bccd_voc_boxes" / "Annotations")
    assert (dataset.n_rows, len(dataset), len(dataset.image_table)) == (4888, 4886, 364)
    assert {(i.kind, i.image_id) for i in dataset.issues} == {
        ("zero_size", "BloodImage_00338"),
        ("zero_size", "BloodImage_00343"),
    }
    assert set(dataset.category_names) == {"RBC", "WBC", "Platelets"}
    assert len(dataset.assigned) == 364
    assert dataset.table.xyxy[:, :2].min() >= -1


DATUMARO = {
    "yolo_dataset/annotations": (2, 1),
    "yolo_dataset/labels": (4, 2),
    "yolo_dataset/strict": (2, 1),
    "roboflow_dataset/yolo": (4, 3),
    "roboflow_dataset/voc": (4, 3),
    "voc_dataset/voc_dataset1": (2, 1),
    "voc_dataset/voc_dataset2": (4, 5),
    "voc_dataset/voc_dataset3": (1, 1),
    "coco_dataset/coco_instances": (3, 2),
    "coco_dataset/coco_roboflow": (3, 2),
    "coco_dataset/coco_person_keypoints": (3, 2),
}


@pytest.mark.parametrize("name", DATUMARO)
def test_datumaro_fixtures(shared_data, name):
    dataset = read(shared_data / "format_fixtures" / "datumaro" / name)
    assert (len(dataset), len(dataset.image_table)) == DATUMARO[name]
    assert not dataset.n_dropped


@pytest.mark.parametrize(
    "name",
    ["coco_dataset/coco_captions", "coco_dataset/coco_panoptic"],
)
def test_datumaro_fixtures_of_other_kinds(shared_data, name):
    with pytest.raises(ReadError):
        read(shared_data / "format_fixtures" / "datumaro" / name)


def test_tricky_rows(shared_data, coco):
    known = json.loads((shared_data / "tricky_rows" / "known_bad_annotations.json").read_text())
    rows = [*known["coco_train2017_zero_height"], known["clvision2022_zero_height"]]
    good = {
        "id": 1,
        "image_id": 200365,
        "category_id": 58,
        "bbox": [10, 10, 50, 50],
        "iscrowd": 0,
        "area": 2500.0,
    }
    categories = [{"id": id, "name": str(id)} for id in (1, 58, 351)]
    for bad in rows:
        dataset = read(coco([bad, good], categories=categories))
        (issue,) = dataset.issues
        assert (issue.kind, issue.where, issue.annotation_id, issue.image_id) == (
            "zero_size",
            "annotations[0]",
            bad["id"],
            bad["image_id"],
        )
        assert dataset.table.id.tolist() == [1]
    dataset = read(coco([*rows, good], categories=categories))
    assert kinds(dataset) == {"zero_size": 3}
    assert (
        dataset.image_table.id.tolist()[-1] == 569716681169025
        or 569716681169025 in dataset.image_table.id.tolist()
    )
