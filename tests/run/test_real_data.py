"""Whole audits of real data: themselves give no error, a planted edge is found and no other."""

import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from annqc.read import read
from annqc.run.audit import Run
from annqc.tables import QUANTITIES


@pytest.fixture(scope="module")
def coco(shared_data):
    return read(shared_data / "coco_val2017_subset" / "instances_val2017.tiny.json")


@pytest.fixture(scope="module")
def voc(shared_data):
    return read(shared_data / "bccd_voc_boxes" / "Annotations")


@pytest.fixture(scope="module")
def yolo(shared_data, tmp_path_factory):
    """A YOLO copy of the VOC boxes, written by hand."""
    folder = tmp_path_factory.mktemp("yolo")
    names, sizes = [], {}
    for path in sorted((shared_data / "bccd_voc_boxes" / "Annotations").glob("*.xml")):
        root = ET.parse(path).getroot()
        width, height = (int(root.findtext(f"size/{side}")) for side in ("width", "height"))
        sizes[path.stem] = (width, height)
        lines = []
        for item in root.iter("object"):
            name = item.findtext("name")
            if name not in names:
                names.append(name)
            at = [
                float(item.findtext(f"bndbox/{edge}")) for edge in ("xmin", "ymin", "xmax", "ymax")
            ]
            if at[0] == at[2] or at[1] == at[3]:
                continue  # two boxes without an area, which the VOC reader lists and leaves out
            x1, y1, x2, y2 = at[0] - 1, at[1] - 1, at[2], at[3]
            box = (
                (x1 + x2) / 2 / width,
                (y1 + y2) / 2 / height,
                (x2 - x1) / width,
                (y2 - y1) / height,
            )
            lines.append(" ".join([str(names.index(name)), *(f"{value:.17g}" for value in box)]))
        (folder / f"{path.stem}.txt").write_text("\n".join(lines) + "\n")
    data = read(folder, categories=names, image_sizes=sizes)
    shutil.rmtree(folder)
    return data


@pytest.fixture(params=["coco", "voc", "yolo"])
def data(request):
    return request.getfixturevalue(request.param)


def test_against_itself_there_is_no_error(data):
    run = Run(data, data)
    counted = run.matches
    assert len(counted.missed_reference) == len(counted.spurious_candidate) == 0
    assert not counted.mislabelled.any()
    assert (counted.matched_reference == counted.matched_candidate).all()
    assert np.nanmax(np.abs(run.measurements.values("px"))) == 0
    scores = run.score_columns()
    for name in ("recall", "precision", "label_accuracy", "mean_iou"):
        assert scores[name].tolist() == [1.0]
    assert set(run.bias_columns()["verdict"]) == {"clean"}
    assert len(run.error_columns()["kind"]) == 0


def test_the_yolo_copy_is_the_voc_original(voc, yolo):
    run = Run(voc, yolo)
    assert run.matches.issues == ()
    assert len(run.matches.missed_reference) == len(run.matches.spurious_candidate) == 0
    assert np.nanmax(np.abs(run.measurements.values("px"))) < 1e-9


@pytest.mark.parametrize("edge", range(4))
def test_three_pixels_on_one_edge_of_one_annotator(data, edge):
    # Three annotators deliver the same boxes; one of them is loose by 3 px on one edge.
    table = data.table
    n = len(table)
    boxes = np.tile(table.xyxy, (3, 1))
    boxes[n : 2 * n, edge] += -3 if edge < 2 else 3
    work = replace(
        data,
        table=replace(
            table.take(np.tile(np.arange(n), 3)), xyxy=boxes, annotator=np.repeat([0, 1, 2], n)
        ),
        annotator_ids=np.array(["ann", "bob", "cid"], dtype=object),
        assigned=None,
    )
    columns = Run(data, work).bias_columns()
    edges = np.isin(columns["quantity"], QUANTITIES[:4])
    biased = edges & (columns["verdict"] == "biased")
    assert columns["annotator"][biased].tolist() == ["bob"]
    assert columns["quantity"][biased].tolist() == [QUANTITIES[edge]]
    assert columns["estimate_px"][biased][0] == pytest.approx(3.0, abs=1e-6)
    others = edges & (columns["annotator"] != "bob")
    assert set(columns["verdict"][others]) == {"clean"}


def test_the_real_crowd(shared_data):
    folder = shared_data / "crowd_boxes"
    gold, work = read(folder / "gold.json"), read(folder / "workers.json")
    run = Run(gold, work)
    columns = run.bias_columns()
    assert len(columns["annotator"]) == 158 * 8
    loose = (columns["annotator"] == "worker-126") & (columns["quantity"] == "out_right")
    assert columns["verdict"][loose].tolist() == ["biased"]
    assert 0.06 < columns["estimate_rel"][loose][0] < 0.12
    # Nobody is accused, or cleared, on fewer than five images.
    few = columns["n_clusters"] < 5
    assert few.any()
    assert set(columns["verdict"][few]) == {"undecided"}
    # Who was asked is known: an annotator who drew nothing on an image has missed what is there.
    scores = run.score_columns()
    assert scores["n_images"].sum() == 849
    assert scores["n_reference"].sum() == len(run.detected.asked_reference)
    assert (run.error_columns()["rank"] == np.arange(1, len(run.error_columns()["kind"]) + 1)).all()
