"""Strategies draw what annqc takes as valid, and put annqc itself to the test."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st

import annqc
from annqc.errors import SpecError, UnknownNameError
from annqc.report.arrays import check_dataset
from annqc.simulate.habits import Habit
from annqc.tables import EDGES
from annqc.testing import strategies as annotated
from annqc.write import write_coco

FEW = settings(max_examples=25, deadline=None)
"""For properties that write files or audit."""
QUICKLY = settings(max_examples=500, database=None, phases=[Phase.generate, Phase.shrink])
"""For finding: what to explain is asserted here."""


def columns(dataset):
    """What a dataset says, row by row, whatever the row numbers of its tables."""
    table, images = dataset.table, dataset.image_table
    return {
        "id": table.id.tolist(),
        "image": images.id[table.image].tolist(),
        "annotator": dataset.annotator_ids[table.annotator].tolist(),
        "category": dataset.category_names[table.category].tolist(),
        "xyxy": table.xyxy.tolist(),
        "score": [None if np.isnan(one) else one for one in table.score.tolist()],
        "crowd": table.crowd.tolist(),
        "ignored": table.ignored.tolist(),
        "extra": {name: column.tolist() for name, column in table.extra.items()},
    }


def asked(dataset):
    """Annotator and image of each assignment."""
    if dataset.assigned is None:
        return None
    who, what = dataset.assigned.T
    images = dataset.image_table.id[what].tolist()
    return set(zip(dataset.annotator_ids[who].tolist(), images, strict=True))


@given(st.data())
def test_boxes_lie_in_the_image_and_keep_to_their_sides_and_step(data):
    size = data.draw(st.tuples(st.integers(20, 300), st.integers(20, 300)))
    step = data.draw(st.sampled_from([None, 0.125, 1]))
    most = data.draw(st.sampled_from([None, 9.5]))
    x1, y1, x2, y2 = data.draw(
        annotated.boxes(image_size=size, min_side=3, max_side=most, step=step)
    )
    assert 0 <= x1 < x2 <= size[0]
    assert 0 <= y1 < y2 <= size[1]
    assert all(3 <= side <= (most or 300) for side in (x2 - x1, y2 - y1))
    if step is not None:
        assert all((one / step).is_integer() for one in (x1, y1, x2, y2))


def test_boxes_without_an_area_come_up_only_where_they_are_asked_for():
    flat = annotated.boxes(degenerate=True)
    assert find(flat, lambda box: box[0] == box[2] and box[1] < box[3]) == (0.0, 0.0, 0.0, 0.125)
    assert find(annotated.boxes(), lambda box: True) == (0.0, 0.0, 1.0, 1.0)


@given(annotated.polygons(image_size=(60, 40)))
def test_polygons_are_simple_and_inside(ring):
    shape = shapely.Polygon(ring)
    assert shape.is_valid
    assert shape.area > 1
    assert ring.min() >= 0
    assert (ring.max(axis=0) <= (60, 40)).all()


@given(annotated.polygons(convex=True, min_points=5))
def test_convex_polygons_are_convex(ring):
    assert len(ring) >= 5
    shape = shapely.Polygon(ring)
    assert shape.convex_hull.area == pytest.approx(shape.area)


def test_polygons_go_around_either_way_and_may_be_concave():
    ccw = find(annotated.polygons(), lambda ring: shapely.LinearRing(ring).is_ccw)
    other = find(annotated.polygons(), lambda ring: not shapely.LinearRing(ring).is_ccw)
    assert ccw.shape == other.shape == (3, 2)
    dented = find(
        annotated.polygons(),
        lambda ring: shapely.Polygon(ring).area < 0.9 * shapely.Polygon(ring).convex_hull.area,
    )
    assert len(dented) >= 4


@given(annotated.polygons_with_holes(image_size=(100, 80), min_holes=1, max_holes=4))
def test_holes_touch_neither_each_other_nor_the_outline(rings):
    outline, *holes = rings
    assert 1 <= len(holes) <= 4
    shape = shapely.Polygon(outline, holes)
    assert shape.is_valid
    parts = [shapely.Polygon(one) for one in holes]
    assert shape.area == pytest.approx(shapely.Polygon(outline).area - sum(p.area for p in parts))
    assert all(shapely.LinearRing(outline).distance(one) > 0 for one in parts)


@settings(max_examples=50)
@given(annotated.datasets(scores=True, crowds=True))
def test_datasets_are_valid(dataset):
    check_dataset(dataset)
    for ids in (dataset.table.id, dataset.image_table.id, dataset.category_names):
        assert len(set(ids.tolist())) == len(ids)
    if dataset.assigned is not None:
        drawn = zip(dataset.table.annotator.tolist(), dataset.table.image.tolist(), strict=True)
        assert set(drawn) <= set(map(tuple, dataset.assigned.tolist()))
    assert annqc.lint(dataset).empty


@pytest.mark.parametrize(
    "odd",
    [
        lambda d: len(d) == 0,
        lambda d: d.image_table.id.dtype == object,
        lambda d: d.table.id.dtype == object,
        lambda d: d.image_table.id.max() > 1000 if d.image_table.id.dtype != object else False,
        lambda d: d.assigned is None,
        lambda d: d.assigned is not None and len(d.assigned) > len(d),
        lambda d: d.image_table.file_name is not None,
        lambda d: "batch" in d.table.extra,
        lambda d: len(np.unique(d.table.annotator)) < len(d.annotator_ids),
        lambda d: not all(name.isascii() for name in d.category_names),
    ],
)
def test_odd_but_legal_datasets_come_up(odd):
    found = find(annotated.datasets(), odd, settings=QUICKLY)
    check_dataset(found)
    assert len(found) <= 1


@given(annotated.datasets(min_annotations=3, max_annotations=3, min_images=3, max_per_image=1))
def test_there_can_be_a_limit_on_each_image(dataset):
    assert np.bincount(dataset.table.image).max() == 1
    assert dataset.n_rows == len(dataset)


@given(annotated.datasets(annotators=[7, 8], categories=["car"], extra={"who": st.just(1)}))
def test_what_is_given_is_not_drawn(dataset):
    assert dataset.annotator_ids.tolist() == [7, 8]
    assert dataset.category_names.tolist() == ["car"]
    assert dataset.table.extra["who"].tolist() == [1] * len(dataset)


@FEW
@given(annotated.deliveries())
def test_deliveries_are_valid_and_can_be_audited(delivery):
    gold, work = delivery
    check_dataset(gold)
    check_dataset(work)
    assert set(work.assigned[:, 1].tolist()) == set(range(len(gold.image_table)))
    pairs = annqc.audit(work, gold).pairs
    matched = pairs[pairs["in_offsets"]]
    assert (matched[["out_left", "out_top", "out_right", "out_bottom"]].abs() <= 16).all(axis=None)


@given(annotated.habits(categories=["car"]))
def test_habits_can_be_planted(habit):
    assert habit.category in {None, "car"}
    assert len(habit.planted("ann")) == len(habit.amounts)


def test_habits_of_some_kinds():
    kinds = {"missed": "misses", "spurious": "extras", "split": "splits"}
    for kind, name in kinds.items():
        assert find(annotated.habits([name]), lambda habit: True).kind == kind
    clean = find(annotated.annotators(min_size=2), lambda who: True)
    assert list(clean.values()) == [[], []]
    misses = annotated.annotators(kinds=["misses"], max_size=1)
    two = find(misses, lambda who: [len(one) for one in who.values()] == [2])
    assert list(two.values()) == [[Habit.misses(0.01), Habit.misses(0.01)]]


@FEW
@given(annotated.simulations(max_images=4, boxes_per_image=2))
def test_simulations_are_valid_and_say_what_was_planted(made):
    check_dataset(made.gold)
    check_dataset(made.work)
    assert len(made.gold.image_table) <= 4
    assert {one.annotator for one in made.planted} <= set(made.work.annotator_ids.tolist())


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: annotated.boxes(min_side=700), SpecError, "no such box fits"),
        (lambda: annotated.boxes(min_side=9, max_side=8), SpecError, "no such box fits"),
        (lambda: annotated.boxes(step=0), SpecError, "step"),
        (lambda: annotated.boxes(min_side=2.5, max_side=2.9, step=1), SpecError, "multiple"),
        (lambda: annotated.boxes(image_size=(0, 5)), SpecError, "image size"),
        (lambda: annotated.polygons(min_points=2), SpecError, "three corners"),
        (lambda: annotated.polygons(image_size=(3, 3)), SpecError, "too small"),
        (lambda: annotated.polygons_with_holes(min_holes=3), SpecError, "min_holes"),
        (lambda: annotated.images(min_images=2, max_images=1), SpecError, "min_images"),
        (lambda: annotated.datasets(min_annotations=11), SpecError, "min_annotations"),
        (lambda: annotated.datasets(min_annotations=1, max_images=0), SpecError, "images"),
        (lambda: annotated.deliveries(max_offset=-1), SpecError, "offset"),
        (lambda: annotated.habits(["missed"]), UnknownNameError, "did you mean 'misses'"),
        (lambda: annotated.annotators(min_size=0), SpecError, "at least one annotator"),
        (lambda: annotated.simulations(min_images=0), SpecError, "at least one image"),
        (lambda: annotated.simulations(rng=1), SpecError, "seed"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_drawn(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_without_hypothesis_one_clear_error_says_so():
    code = "import sys; sys.modules['hypothesis'] = None; import annqc.testing.strategies"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        "ModuleNotFoundError: annqc.testing.strategies needs hypothesis, "
        "which is not there: pip install hypothesis"
    )


# Properties of annqc itself.


@FEW
@given(annotated.deliveries(perfect=True))
def test_a_copy_of_the_gold_is_nowhere_off_and_no_rule_fails_it(delivery):
    gold, work = delivery
    audit = annqc.audit(work, gold)
    pairs = audit.pairs
    assert (pairs["status"] == "matched").all()
    assert len(pairs) == len(work)
    assert (pairs.loc[pairs["in_offsets"], list(EDGES)] == 0).all(axis=None)
    limits = ("recall", "precision", "label_accuracy", "mean_iou")
    rules = [{"id": name, "measure": name, "at_least": 1.0} for name in limits]
    rules += [{"id": name, "measure": name} for name in ("edge_offset", "shift", "growth")]
    judged = audit.judge({"annqc": {"version": 1}, "rule": rules})
    assert judged.counts["fail"] == judged.counts["error"] == 0


@FEW
@given(annotated.datasets(min_annotations=1, scores=True, crowds=True))
def test_writing_and_reading_coco_gives_the_dataset_back(dataset):
    with tempfile.TemporaryDirectory() as folder:
        back = annqc.read(write_coco(dataset, Path(folder) / "work.json"))
    assert columns(back) == columns(dataset)
    assert asked(back) == asked(dataset)
    assert back.image_table.id.tolist() == dataset.image_table.id.tolist()
    assert back.category_names.tolist() == dataset.category_names.tolist()
    assert {one.kind for one in back.issues} <= {"duplicate_box"}


SINGLE = annotated.datasets(min_annotations=1, max_per_image=1, min_side=40, annotators=["gold"])


@FEW
@given(annotated.deliveries(SINGLE), st.integers(-32, 32), st.integers(-32, 32))
def test_moving_every_box_moves_every_edge_by_as_much(delivery, right, down):
    gold, work = delivery
    dx, dy = right / 8, down / 8
    boxes = work.table.xyxy + np.array([dx, dy, dx, dy])
    moved = replace(work, table=replace(work.table, xyxy=boxes))
    before, after = (annqc.audit(one, gold).pairs for one in (work, moved))
    assert (before["status"] == after["status"]).all()
    drawn = before["status"] != "missed"
    assert (after[list(EDGES)] - before[list(EDGES)])[drawn].to_numpy().tolist() == [
        [-dx, -dy, dx, dy]
    ] * len(work)


@FEW
@given(annotated.deliveries(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(delivery, random):
    gold, work = delivery
    order = list(range(len(work)))
    random.shuffle(order)
    shuffled = replace(work, table=work.table.take(np.array(order, dtype=np.int64)))
    first = annqc.audit(work, gold).scores()
    second = annqc.audit(shuffled, gold).scores()
    names = ["annotator", "recall", "precision", "mean_iou", "n_images"]
    assert first[names].round(12).equals(second[names].round(12))


@FEW
@given(annotated.deliveries())
def test_one_file_an_annotator_is_read_as_one_file_of_all(delivery):
    _, work = delivery
    drew = np.unique(work.table.annotator)
    assume(len(drew))
    work = replace(work, assigned=work.assigned[np.isin(work.assigned[:, 0], drew)])
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for code in drew.tolist():
            part = replace(
                work,
                table=work.table.take(work.table.annotator == code),
                assigned=work.assigned[work.assigned[:, 0] == code],
            )
            paths.append(write_coco(part, Path(folder) / f"{code}.json"))
        parts = annqc.read(paths)
        whole = annqc.read(write_coco(work, Path(folder) / "all.json"))
    assert asked(parts) == asked(whole) == asked(work)
    by_id = [
        sorted(
            zip(
                one.table.id.tolist(),
                one.image_table.id[one.table.image].tolist(),
                one.annotator_ids[one.table.annotator].tolist(),
                one.category_names[one.table.category].tolist(),
                one.table.xyxy.tolist(),
                strict=True,
            )
        )
        for one in (parts, whole, work)
    ]
    assert by_id[0] == by_id[1] == by_id[2]
