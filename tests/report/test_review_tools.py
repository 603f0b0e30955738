"""The files of a queue in the programs that they are for: `pip install --group peers-formats`."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

import annqc
from annqc.geometry.polygons import polygon_areas
from tests.report.review_queues import SETS, configuration, review

REAL = ["crowd", "sequences", "polygons"]

# What other programs warn of is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=[*SETS, *REAL])
def queue(request):
    if request.param not in REAL:
        return review(request.param)
    data = request.getfixturevalue("shared_data")
    if request.param == "crowd":
        folder, sizes = data / "crowd_boxes", (2000, 2000)  # nobody knows them
        sides = [annqc.read(folder / f"{k}.json", image_sizes=sizes) for k in ("workers", "gold")]
        return annqc.audit(*sides).review(top=300)
    if request.param == "sequences":
        names = data / "mot_relabelled" / "MOT15-ADL-Rundle-8.gt.txt"
        return annqc.audit(names, data / "mot_relabelled" / "MOT17-10.gt.txt").review(top=300)
    return annqc.audit(data / "labelme_4users_polygons", gold_only="ecyou").review()


def rounded(box):
    return np.round(np.asarray(box, dtype=float), 2).tolist()


def close(found, expected):
    """Compare counters of names and boxes, up to the hundredth on which roundings may differ."""
    assert sum(found.values()) == sum(expected.values())
    both = [sorted(one.elements(), key=lambda x: (x[:2], x[2:])) for one in (found, expected)]
    assert [one[:2] for one in both[0]] == [one[:2] for one in both[1]]
    boxes = [np.array([one[2:] for one in side], dtype=float) for side in both]
    np.testing.assert_allclose(*boxes, atol=0.02)


def test_pycocotools_loads_coco(queue, tmp_path):
    coco = pytest.importorskip("pycocotools.coco").COCO
    loaded = coco(str(queue.to_coco(tmp_path / "q.json")))
    data = queue.subset.queue
    rows = loaded.loadAnns(loaded.getAnnIds(imgIds=loaded.getImgIds(), catIds=loaded.getCatIds()))
    ranks = {one["review_rank"]: one for one in rows}
    assert len(rows) == len(ranks) == len(queue)
    for row, rank in enumerate(data.table.extra["review_rank"].tolist()):
        one, image = ranks[rank], data.image_table.id[data.table.image[row]]
        left, top, width, height = one["bbox"]
        box = [left, top, left + width, top + height]
        np.testing.assert_allclose(box, data.table.xyxy[row], rtol=1e-9, atol=1e-6)
        (category,) = loaded.loadCats(one["category_id"])
        assert category["name"] == data.category_names[data.table.category[row]]
        (its,) = loaded.loadImgs(one["image_id"])
        assert its.get("review_image_id", its["id"]) == image


def test_label_studio_takes_tasks_and_predictions(queue, tmp_path):
    interface = pytest.importorskip("label_studio_sdk.label_interface")
    objects = pytest.importorskip("label_studio_sdk.label_interface.objects")
    config = configuration(queue.subset.queue.category_names.tolist())
    labels = interface.LabelInterface(config)
    labels.validate()
    tasks = json.loads(queue.to_label_studio(tmp_path / "q.json").read_text("utf-8"))
    for task in tasks:
        assert labels.validate_task({"data": task["data"]})
        for one in task["annotations"]:
            assert labels._validate_object(one, return_errors=True) == []
        for one in task["predictions"]:
            assert labels.validate_prediction(one, return_errors=True) == []
            objects.PredictionValue(**one)
    sides = [one for task in tasks for one in (*task["annotations"], *task["predictions"])]
    assert sides
    assert not any(labels.validate_annotation({**one, "result": [{}]}) for one in sides)


def test_label_studio_converts_annotations_to_coco(queue, tmp_path):
    converter = pytest.importorskip("label_studio_sdk.converter")
    path = queue.to_label_studio(tmp_path / "q.json")
    config = configuration(queue.subset.queue.category_names.tolist())
    made = converter.Converter(config=config, project_dir=None, download_resources=False)
    made.convert_to_coco(str(path), str(tmp_path / "out"), is_dir=False)
    document = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    names = {one["id"]: one["name"] for one in document["categories"]}
    found = Counter()
    for one in document["annotations"]:
        left, top, width, height = one["bbox"]
        box = rounded([left, top, left + width, top + height])
        found["", names[one["category_id"]], *box] += 1
    drawn = queue.subset.drawn
    images = drawn.image_table
    size = np.stack([images.width, images.height], axis=1)[drawn.table.image]
    inside = np.clip(drawn.table.xyxy, 0, np.tile(size, 2))
    label = drawn.category_names[drawn.table.category].tolist()
    shapes = drawn.table.shapes
    expected = Counter()
    for row, name in enumerate(label):
        rings = [] if shapes is None else shapes.rings(row)
        points = np.clip(rings[0], 0, size[row]) if len(rings) == 1 else inside[row].reshape(2, 2)
        expected["", name, *rounded([*points.min(axis=0), *points.max(axis=0)])] += 1
    close(found, expected)


def items_of(path, kind):
    """Return what datumaro finds in a folder: (item, annotation)."""
    datumaro = pytest.importorskip("datumaro")
    dataset = datumaro.Dataset.import_from(str(path), kind)
    names = [one.name for one in dataset.categories()[datumaro.AnnotationType.label]]
    return [(item, one, names[one.label]) for item in dataset for one in item.annotations]


def corners(one):
    left, top, width, height = one.get_bbox()
    return rounded([left, top, left + width, top + height])


def test_datumaro_imports_cvat(queue, tmp_path):
    pytest.importorskip("datumaro")
    queue.to_cvat(tmp_path / "q.xml")
    images = queue.subset.queue.image_table
    video = images.frame is not None
    # CVAT counts frames from 0, MOTChallenge from 1.
    less = int({one.format for one in queue.run.candidate.sources} == {"mot"})
    for name in () if video else images.file_name.tolist():
        place = tmp_path / "images" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    rows = [one for one in items_of(tmp_path, "cvat") if not one[1].attributes.get("outside")]
    assert len(rows) == len(queue)
    ranks = {int(one.attributes["review_rank"]): (item, one, name) for item, one, name in rows}
    assert sorted(ranks) == list(range(1, len(queue) + 1))
    table = queue.subset.queue.table
    shapes = table.shapes
    areas = [] if shapes is None else polygon_areas(shapes)
    for row, rank in enumerate(table.extra["review_rank"].tolist()):
        item, one, name = ranks[rank]
        assert name == queue.subset.queue.category_names[table.category[row]]
        assert one.attributes["review_text"] == queue.columns["text"][rank - 1]
        kind = 0 if shapes is None else int(shapes.kind[row])
        rings = shapes.rings(row) if kind == 1 else []
        holed = len(rings) > 1
        assert type(one).__name__ == ("Bbox", "Mask" if holed else "Polygon", "Mask")[kind]
        if kind == 0:
            np.testing.assert_allclose(corners(one), table.xyxy[row], atol=0.02)
        elif kind == 1 and not holed:
            box = [*rings[0].min(axis=0), *rings[0].max(axis=0)]
            np.testing.assert_allclose(corners(one), box, atol=0.02)
        elif holed:
            assert one.image.sum() == pytest.approx(areas[row], rel=0.05, abs=40)
            np.testing.assert_allclose(corners(one), table.xyxy[row], atol=5)
        else:
            runs = shapes.runs_of(row)
            pixels = np.repeat(np.arange(len(runs)) % 2, runs).reshape(shapes.canvas[row][::-1]).T
            np.testing.assert_array_equal(one.image, pixels)
        place = table.image[row]
        if video:
            assert item.attributes["frame"] == images.frame[place] - less
            assert len(set(images.sequence)) == 1 or item.subset == images.sequence[place]
        else:
            assert item.media.path.endswith(images.file_name[place])


def test_datumaro_imports_coco(queue, tmp_path):
    pytest.importorskip("datumaro")
    for name in ("annotations", "images"):
        (tmp_path / name).mkdir()
    path = queue.to_coco(tmp_path / "annotations" / "instances_q.json")
    document = json.loads(path.read_text("utf-8"))
    rows = items_of(tmp_path, "coco_instances")
    files = {one["id"]: one["file_name"].rpartition(".")[0] for one in document["images"]}
    files |= {one["id"]: one["file_name"] for one in document["images"] if not files[one["id"]]}
    expected = {one["id"]: one for one in document["annotations"]}
    assert {one.id for _, one, _ in rows} == set(expected)
    assert len(expected) == len(queue)
    names = {one["id"]: one["name"] for one in document["categories"]}
    for item, one, name in rows:
        row = expected[one.id]
        assert name == names[row["category_id"]]
        assert item.id == files[row["image_id"]]
        if type(one).__name__ == "Bbox":
            left, top, width, height = row["bbox"]
            np.testing.assert_allclose(
                corners(one), [left, top, left + width, top + height], atol=0.02
            )


def test_fiftyone_makes_samples(queue, tmp_path):
    fiftyone = pytest.importorskip("fiftyone")
    path = queue.to_fiftyone(tmp_path / "q.json")
    samples = json.loads(path.read_text("utf-8"))["samples"]
    found = []
    for given in samples:
        sample = fiftyone.Sample.from_dict(given)
        assert sample.filepath.endswith(given["filepath"])
        width, height = sample.metadata.width, sample.metadata.height
        for field in ("review", "reference"):
            detections = sample[field].detections
            assert len(detections) == len(given[field]["detections"])
            for one, its in zip(detections, given[field]["detections"], strict=True):
                assert type(one) is fiftyone.Detection
                assert {k: one[k] for k in its if k not in ("_cls", "tags")} == {
                    k: value for k, value in its.items() if k not in ("_cls", "tags")
                }
            assert json.loads(json.dumps(sample[field].to_dict(), default=str))
        for one in sample["review"].detections:
            x, y, w, h = np.array(one.bounding_box) * [width, height, width, height]
            found.append((one["review_rank"], one.label, *rounded([x, y, x + w, y + h])))
    names = queue.subset.queue.category_names[queue.subset.queue.table.category].tolist()
    boxes = queue.subset.queue.table.xyxy.tolist()
    ranks = queue.subset.queue.table.extra["review_rank"].tolist()
    close(
        Counter(("", label, *box) for _, label, *box in found),
        Counter(("", n, *rounded(box)) for n, box in zip(names, boxes, strict=True)),
    )
    assert sorted(one[0] for one in found) == sorted(ranks)
