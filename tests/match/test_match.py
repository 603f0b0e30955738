"""The whole of matching: tasks, engines, tables, and that nobody is lost."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from annqc.errors import MatchError, UnknownNameError
from annqc.match import match
from tests.match.datasets import build, from_coco, large_work

SQUARE = (0, 0, 10, 10)
METHODS = ["optimal", "coco", "cvat-classic", "cvat-2026"]


def tasks_of(matches):
    return list(zip(matches.task_annotator.tolist(), matches.task_image.tolist(), strict=True))


@pytest.fixture(scope="module")
def crowd_boxes(shared_data):
    folder = shared_data / "crowd_boxes"
    return from_coco(folder / "gold.json"), from_coco(folder / "workers.json")


def with_flags(gold, work):
    rng = np.random.default_rng(1)
    gold.table.crowd[:] = rng.random(len(gold.table)) < 0.05
    gold.table.ignored[:] = rng.random(len(gold.table)) < 0.05
    work.table.score[:] = np.round(rng.random(len(work.table)), 1)
    return gold, work


def assert_same(one, other):
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype, field.name
            np.testing.assert_array_equal(mine, theirs, err_msg=field.name)


@pytest.mark.parametrize("method", METHODS)
def test_both_engines_give_identical_matches(method):
    gold, work = with_flags(*large_work(300, 3, seed=7, n_categories=4))
    assert_same(
        match(gold, work, method=method, engine="numpy"),
        match(gold, work, method=method, engine="numba"),
    )


@pytest.mark.parametrize("method", METHODS)
def test_both_engines_agree_on_real_workers(method, crowd_boxes):
    assert_same(
        match(*crowd_boxes, method=method, engine="numpy"),
        match(*crowd_boxes, method=method, engine="numba"),
    )


@pytest.mark.parametrize("method", METHODS)
def test_nobody_is_lost_and_nobody_counts_twice(method):
    gold, work = with_flags(*large_work(150, 3, seed=9, n_categories=4))
    matches = match(gold, work, method=method)
    everyone = np.concatenate(
        [matches.matched_candidate, matches.spurious_candidate, matches.absorbed_candidate]
    )
    np.testing.assert_array_equal(np.sort(everyone), np.arange(len(work.table)))
    found = matches.matched_reference * 3 + work.table.annotator[matches.matched_candidate]
    missed = matches.missed_reference * 3 + matches.missed_annotator
    slots = np.concatenate([found, missed])
    assert len(np.unique(slots)) == len(slots) == matches.task_n_reference.sum()


@pytest.mark.parametrize("method", METHODS)
def test_a_dataset_against_itself_has_no_error(method, shared_data):
    coco = from_coco(shared_data / "coco_val2017_subset" / "instances_val2017.tiny.json")
    matches = match(coco, coco, method=method)
    np.testing.assert_array_equal(matches.matched_reference, matches.matched_candidate)
    np.testing.assert_array_equal(matches.pair_reference, matches.pair_candidate)
    assert (matches.matched_iou == 1).all()
    assert not matches.mislabelled.any()
    assert len(matches.missed_reference) == len(matches.spurious_candidate) == 0
    assert len(matches.absorbed_candidate) == coco.table.crowd.sum() == 11


def test_who_was_asked_and_drew_nothing_misses_everything():
    gold = build([SQUARE, SQUARE], image=[0, 1], n_images=3)
    work = build([SQUARE], image=[0], n_images=3, assigned=[(0, 0), (0, 1), (0, 2)])
    matches = match(gold, work)
    assert tasks_of(matches) == [(0, 0), (0, 1), (0, 2)]
    assert matches.task_n_reference.tolist() == [1, 1, 0]
    assert matches.missed_reference.tolist() == [1]
    assert tasks_of(match(gold, build([SQUARE], n_images=3))) == [(0, 0)]


def test_who_drew_without_being_asked_is_compared_too():
    gold = build([SQUARE, SQUARE], image=[0, 1])
    matches = match(gold, build([SQUARE, SQUARE], image=[0, 1], assigned=[(0, 1)]))
    assert tasks_of(matches) == [(0, 0), (0, 1)]


def test_real_assignments(crowd_boxes):
    assert match(*crowd_boxes).n_tasks == 849


def test_images_the_reference_does_not_have_are_counted_apart():
    gold = build([SQUARE], file_names=["a.jpg"])
    work = build(
        [SQUARE, SQUARE, SQUARE],
        image=[1, 0, 1],
        file_names=["a.jpg", "b.jpg"],
        assigned=[(0, 0), (0, 1)],
    )
    matches = match(gold, work)
    assert matches.not_covered.tolist() == [0, 2]
    assert matches.n_not_covered == 2
    assert tasks_of(matches) == [(0, 0)]
    assert matches.matched_candidate.tolist() == [1]
    assert matches.image_of_candidate.tolist() == [-1, 0, -1]


def test_rows_in_any_order_and_images_numbered_otherwise():
    gold = build([SQUARE, (20, 0, 30, 10)], image=[1, 0], file_names=["b.jpg", "a.jpg"])
    work = build(
        [(20, 0, 30, 9), (0, 0, 10, 9), SQUARE],
        image=[1, 0, 0],
        annotator=[1, 1, 0],
        file_names=["a.jpg", "b.jpg"],
    )
    matches = match(gold, work)
    assert tasks_of(matches) == [(0, 1), (1, 0), (1, 1)]
    assert matches.matched_reference.tolist() == [0, 1, 0]
    assert matches.matched_candidate.tolist() == [2, 0, 1]
    assert [issue.kind for issue in matches.issues] == ["image_id_conflict"]


def test_empty_sides():
    nothing, one = build([], n_images=1), build([SQUARE])
    assert match(nothing, one).spurious_candidate.tolist() == [0]
    assert match(one, nothing).n_tasks == 0
    asked = build([], n_images=1, assigned=[(0, 0)])
    assert match(one, asked).missed_reference.tolist() == [0]
    assert len(match(one, asked).frame()) == 1
    assert len(match(nothing, nothing).frame()) == 0


def test_nothing_in_common():
    with pytest.raises(MatchError, match="no image in common"):
        match(build([SQUARE], file_names=["a.jpg"]), build([], n_images=0))


def test_an_unknown_engine():
    with pytest.raises(UnknownNameError, match="engine"):
        match(build([SQUARE]), build([SQUARE]), engine="fortran")


def test_the_table_has_a_row_for_everything():
    gold = build(
        [SQUARE, (50, 0, 60, 10), (100, 0, 110, 10), (200, 0, 300, 100)],
        crowd=[False, False, False, True],
    )
    work = build(
        [SQUARE, (50, 0, 60, 10), (104, 0, 114, 10), (200, 0, 220, 20), (0, 0, 10, 9)],
        category=[0, 1, 0, 0, 0],
        id=np.array([11, 12, 13, 14, 15]),
    )
    frame = match(gold, work).frame()
    rows = {(row.status, row.reference_id, row.annotation_id): row for row in frame.itertuples()}
    assert set(rows) == {
        ("matched", 1, 11),
        ("mislabelled", 2, 12),
        ("missed", 3, None),
        ("spurious", None, 13),
        ("spurious", None, 15),
        ("absorbed", None, 14),
        ("paired", 3, 13),
    }
    assert rows["mislabelled", 2, 12].category == "thing"
    assert rows["mislabelled", 2, 12].candidate_category == "other"
    assert rows["missed", 3, None].kind == "near_miss"
    assert rows["missed", 3, None].partner_annotation_id == 13
    assert rows["spurious", None, 13].partner_reference_id == 3
    assert rows["spurious", None, 15].kind == "duplicate"
    assert rows["spurious", None, 15].partner_annotation_id == 11
    assert rows["absorbed", None, 14].partner_reference_id == 4
    assert rows["matched", 1, 11].ambiguous is True
    assert rows["mislabelled", 2, 12].ambiguous is False
    assert rows["paired", 3, 13].iou == pytest.approx(6 / 14)
    assert set(frame.annotator) == {"annotator 0"}
    assert set(frame.image_id) == {1}


def test_it_says_in_one_line_what_it_found():
    gold = build([SQUARE, (50, 0, 60, 10)])
    assert repr(match(gold, build([SQUARE], category=[1]))) == (
        "<annqc.Matches: 1 annotator x image, 1 matched (1 mislabelled), 1 missed, 0 spurious>"
    )
