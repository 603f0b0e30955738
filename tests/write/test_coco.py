from __future__ import annotations

import json

import numpy as np
import pytest

import annqc
from annqc.errors import TableError
from annqc.ids import ids_array
from annqc.simulate import Habit, simulate
from annqc.tables import Annotations, Dataset, Images
from annqc.write import coco, write_coco


def small(**columns):
    return Dataset(
        table=Annotations.build(
            image=[0, 2],
            annotator=[1, 0],
            category=[0, 0],
            xyxy=[[1, 2, 4, 8], [0, 0, 0.5, 1]],
            **columns,
        ),
        image_table=Images.build(
            ids_array(["a", 7, "c"]), width=[640, np.nan, 10.5], height=[480, np.nan, 9]
        ),
        annotator_ids=ids_array(["x", "y"]),
        category_ids=np.array([3]),
        category_names=ids_array(["cat"]),
    )


def test_what_is_written(tmp_path):
    path = write_coco(small(), tmp_path / "work.json")
    found = json.loads(path.read_text())
    assert found == {
        "images": [
            {"id": "a", "width": 640, "height": 480},
            {"id": 7, "width": None, "height": None},
            {"id": "c", "width": 10.5, "height": 9},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": "a",
                "category_id": 3,
                "annotator": "y",
                "bbox": [1, 2, 3, 6],
                "area": 18,
                "iscrowd": 0,
            },
            {
                "id": 2,
                "image_id": "c",
                "category_id": 3,
                "annotator": "x",
                "bbox": [0, 0, 0.5, 1],
                "area": 0.5,
                "iscrowd": 0,
            },
        ],
        "categories": [{"id": 3, "name": "cat"}],
    }
    assert [one.name for one in tmp_path.iterdir()] == ["work.json"]


def test_optional_columns(tmp_path):
    dataset = small(
        score=np.array([0.5, np.nan]),
        ignored=np.array([True, False]),
        track=np.array([4, -1]),
        extra={"batch": np.array(["b", None], dtype=object), "k": np.array([np.int64(3), 4])},
    )
    rows = json.loads(write_coco(dataset, tmp_path / "w.json", segmentation=True).read_text())
    first, second = rows["annotations"]
    assert (first["score"], first["ignore"], first["track_id"], first["batch"]) == (0.5, 1, 4, "b")
    assert (second["score"], second["track_id"], second["batch"], second["k"]) == (
        None,
        None,
        None,
        4,
    )
    assert first["segmentation"] == [[1, 2, 4, 2, 4, 8, 1, 8]]


def test_many_rows_are_written_some_at_a_time(tmp_path, monkeypatch):
    work = simulate(3, n_images=20, rng=1).work
    whole = write_coco(work, tmp_path / "whole.json").read_bytes()
    monkeypatch.setattr(coco, "ROWS_AT_ONCE", 7)
    assert write_coco(work, tmp_path / "parts.json").read_bytes() == whole


def test_reads_back_as_it_was(tmp_path):
    made = simulate(
        {"ann": [], "bob": [Habit.misses(0.9), Habit.extras(0.2)]}, n_images=30, overlap=1, rng=6
    )
    back = annqc.read(write_coco(made.work, tmp_path / "work.json"))
    ours, theirs = made.work, back
    assert not len(back.problems)
    np.testing.assert_allclose(theirs.table.xyxy, ours.table.xyxy, atol=1e-9)
    for of in (
        lambda d: d.annotator_ids[d.table.annotator],
        lambda d: d.image_table.id[d.table.image],
        lambda d: d.category_names[d.table.category],
        lambda d: d.table.id,
    ):
        assert of(theirs).tolist() == of(ours).tolist()
    pairs = [
        sorted(
            zip(
                d.annotator_ids[d.assigned[:, 0]].tolist(),
                d.image_table.id[d.assigned[:, 1]].tolist(),
                strict=True,
            )
        )
        for d in (ours, theirs)
    ]
    assert pairs[0] == pairs[1]
    assert np.array_equal(theirs.image_table.width, ours.image_table.width)


def test_nothing_is_left_behind_when_a_value_cannot_be_written(tmp_path):
    target = tmp_path / "work.json"
    target.write_text("as it was")
    odd = small(extra={"odd": np.array([object(), 1], dtype=object)})
    with pytest.raises(TableError, match="cannot be written as JSON"):
        write_coco(odd, target)
    assert target.read_text() == "as it was"
    assert [one.name for one in tmp_path.iterdir()] == ["work.json"]


def test_a_column_with_one_of_the_names_of_coco_is_refused(tmp_path):
    with pytest.raises(TableError, match="'bbox'"):
        write_coco(small(extra={"bbox": np.arange(2)}), tmp_path / "work.json")
    assert not list(tmp_path.iterdir())


def test_an_empty_dataset(tmp_path):
    empty = small()
    empty = Dataset(
        table=empty.table.take(np.array([], dtype=int)),
        image_table=empty.image_table,
        annotator_ids=empty.annotator_ids,
        category_ids=empty.category_ids,
        category_names=empty.category_names,
    )
    found = json.loads(write_coco(empty, tmp_path / "w.json").read_text())
    assert found["annotations"] == []
    assert len(found["images"]) == 3
