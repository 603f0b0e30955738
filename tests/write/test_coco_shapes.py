from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annqc
from annqc.errors import TableError
from annqc.geometry.masks import crop, mask_areas, paint, runs_of_mask
from annqc.geometry.polygons import polygon_areas
from annqc.geometry.repair import normalise
from annqc.ids import ids_array
from annqc.tables import Annotations, Dataset, Images, Shapes
from annqc.testing.strategies import polygons, polygons_with_holes
from annqc.write import write_coco

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4]]
HOLE = [[1, 1], [1, 2], [2, 2], [2, 1]]


def dataset_of(shapes, size=(60, 40)):
    n = len(shapes)
    return Dataset(
        table=Annotations.build(
            image=np.zeros(n),
            annotator=np.zeros(n),
            category=np.zeros(n),
            xyxy=[[0, 0, k + 1, 50] for k in range(n)],
            shapes=shapes,
        ),
        image_table=Images.build(ids_array(["a"]), width=[size[0]], height=[size[1]]),
        annotator_ids=ids_array(["x"]),
        category_ids=np.array([3]),
        category_names=ids_array(["cat"]),
    )


def written(dataset, tmp_path, **options):
    path = write_coco(dataset, tmp_path / "work.json", **options)
    return [one.get("segmentation") for one in json.loads(path.read_text())["annotations"]], path


def mixed():
    polygons_there = Shapes.from_rings([[SQUARE, np.add(SQUARE, 9)], None, None, [SQUARE, HOLE]])
    masks = [None, None, runs_of_mask(np.eye(40, 60)), None]
    return Shapes.mixed(polygons_there, Shapes.from_runs(masks, [(40, 60)] * 4))


@pytest.mark.parametrize("compressed", [True, False])
def test_what_is_written(tmp_path, compressed):
    found, path = written(dataset_of(mixed()), tmp_path, compressed=compressed)
    assert found[0] == [[0, 0, 4, 0, 4, 4, 0, 4], [9, 9, 13, 9, 13, 13, 9, 13]]
    assert found[1] == []
    assert found[2]["size"] == found[3]["size"] == [40, 60]
    assert all(isinstance(one["counts"], str if compressed else list) for one in found[2:])
    again = annqc.read(path, shapes=True)
    assert again.table.shapes.kind.tolist() == [1, 0, 2, 2]
    assert again.table.shapes.runs_of(2).tolist() == mixed().runs_of(2).tolist()
    assert crop(again.table.shapes, 3, (0, 0, 5, 5)).sum() == 15
    areas = [one["area"] for one in json.loads(path.read_text())["annotations"]]
    assert areas == [32, 100, 40, 15]


def test_boxes_without_an_outline_get_one_where_it_is_wanted(tmp_path):
    found, _ = written(dataset_of(mixed()), tmp_path, segmentation=True)
    assert found[1] == [[0, 0, 2, 0, 2, 50, 0, 50]]
    assert found[0][0] == [0, 0, 4, 0, 4, 4, 0, 4]


def test_a_hole_needs_the_size_of_the_image(tmp_path):
    dataset = dataset_of(mixed(), size=(np.nan, np.nan))
    with pytest.raises(TableError, match="COCO cannot say that a ring is a hole") as caught:
        write_coco(dataset, tmp_path / "work.json")
    assert caught.value.where == "annotation 4"
    assert not list(tmp_path.iterdir())


@settings(max_examples=40)
@given(drawn=st.lists(polygons(image_size=(60, 40)), min_size=1, max_size=4))
def test_polygons_come_back_as_they_were(tmp_path_factory, drawn):
    shapes, _ = normalise(Shapes.from_rings([[ring] for ring in drawn]))
    path = write_coco(dataset_of(shapes), tmp_path_factory.mktemp("w") / "work.json")
    again = annqc.read(path, shapes=True)
    assert not again.issues or {one.kind for one in again.issues} <= {"beyond_border"}
    for field in fields(shapes):
        assert np.array_equal(getattr(again.table.shapes, field.name), getattr(shapes, field.name))


@settings(max_examples=40)
@given(rings=polygons_with_holes(image_size=(60, 40), min_holes=1), compressed=st.booleans())
def test_polygons_with_holes_come_back_as_their_pixels(tmp_path_factory, rings, compressed):
    shapes, _ = normalise(Shapes.from_rings([rings]), fill="even_odd")
    folder = tmp_path_factory.mktemp("w")
    path = write_coco(dataset_of(shapes), folder / "work.json", compressed=compressed)
    again = annqc.read(path, shapes=True).table.shapes
    expected = paint(shapes, [(40, 60)])
    if mask_areas(expected)[0]:
        assert again.runs.tolist() == expected.runs.tolist()
    assert polygon_areas(shapes)[0] > 0
