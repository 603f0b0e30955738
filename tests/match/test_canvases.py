"""Outlines on canvases of different sizes are not compared, and are listed."""

import numpy as np

from annqc.ids import ids_array
from annqc.match import match
from annqc.match.canvases import foreign_canvases
from annqc.read import read
from annqc.tables import Annotations, Dataset, Images, Shapes


def masks(canvases, *, image=None, annotator=None, sizes=None, assigned=None, n_images=None):
    """Masks that cover their canvas, (height, width) each."""
    n = len(canvases)
    image = np.arange(n) if image is None else np.asarray(image)
    annotator = np.zeros(n, dtype=int) if annotator is None else np.asarray(annotator)
    m = int(image.max(initial=-1)) + 1 if n_images is None else n_images
    table = Annotations.build(
        image=image,
        annotator=annotator,
        category=np.zeros(n, dtype=int),
        xyxy=np.array([[0, 0, w, h] for h, w in canvases], dtype=float),
        shapes=Shapes.from_runs([[0, h * w] for h, w in canvases], canvases),
    )
    size = np.full((m, 2), np.nan) if sizes is None else np.array(sizes, dtype=float)
    images = Images.build(ids_array(list(range(m))), height=size[:, 0], width=size[:, 1])
    who = ids_array([f"a{k}" for k in range(int(annotator.max(initial=0)) + 1)])
    return Dataset(table, images, who, ids_array([1]), ids_array(["cell"]), assigned=assigned)


def test_only_what_is_on_another_canvas():
    gold = masks([(20, 30), (20, 30), (20, 30)])
    work = masks(
        [(20, 30), (10, 15), (20, 30), (20, 31)], image=[0, 1, 2, 2], annotator=[0, 0, 0, 1]
    )
    keys, problems = foreign_canvases(gold, work, np.arange(3))
    assert keys.tolist() == [1, 5]  # annotator * 3 + image
    assert [(one.kind, one.image_id) for one in problems] == [
        ("other_canvas", 1),
        ("other_canvas", 2),
    ]
    assert problems[0].message == (
        "drawn on 15 x 10 pixels, the reference on 30 x 20: left out, since annqc never resizes"
    )
    assert foreign_canvases(gold, gold, np.arange(3))[0].tolist() == []


def test_boxes_and_unknown_sizes_say_nothing():
    gold, work = masks([(20, 30)]), masks([(10, 15)])
    assert len(foreign_canvases(gold, work, np.array([0]))[0]) == 1
    assert len(foreign_canvases(gold, work, np.array([-1]))[0]) == 0
    object.__setattr__(work.table, "shapes", None)
    assert len(foreign_canvases(gold, work, np.array([0]))[0]) == 0
    polygon = Shapes.from_rings([[[[0, 0], [9, 0], [9, 9]]]])
    object.__setattr__(work.table, "shapes", polygon)
    assert len(foreign_canvases(gold, work, np.array([0]))[0]) == 0
    sized = masks([(10, 15)], sizes=[(10, 15)])
    object.__setattr__(sized.table, "shapes", polygon)
    assert len(foreign_canvases(gold, sized, np.array([0]))[0]) == 1


def test_who_drew_nothing_saw_the_other_canvas_too():
    gold = masks([(20, 30), (20, 30)], sizes=[(20, 30)] * 2)
    asked = np.array([[0, 0], [0, 1]])
    work = masks([(20, 30)], sizes=[(20, 30), (8, 9)], assigned=asked, n_images=2)
    keys, problems = foreign_canvases(gold, work, np.arange(2))
    assert keys.tolist() == [1]
    assert [one.source for one in problems] == ["<match>"]


def test_an_image_on_another_canvas_is_left_out():
    gold = masks([(20, 30), (20, 30)])
    found = match(gold, masks([(20, 30), (10, 15)]))
    assert found.task_image.tolist() == [0]
    assert found.matched_iou.tolist() == [1]
    assert len(found.missed_reference) == 0
    assert [one.kind for one in found.issues] == ["other_canvas"]


def test_the_crowd_on_cells_drew_on_cuttings(shared_data):
    folder = shared_data / "bubil_masks" / "BU-BIL_Dataset4"
    gold, work = (
        read(folder / name, mask_object="dark")
        for name in ("GoldStandard", "CrowdsourcedAnnotations")
    )
    found = match(gold, work)
    assert found.n_tasks == 0
    assert len(found.missed_reference) == 0
    assert {one.kind for one in found.issues} == {"other_canvas"}
    assert len({one.image_id for one in found.issues}) == 61
