"""Who counts as found, against scipy per annotator and image, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.match import match
from tests.match.datasets import build, from_coco, large_work
from tests.match.oracles import assigned, groups_of, iou_of, share_in

METHODS = {"optimal": True, "cvat-2026": True, "cvat-classic": False}


def total(matches, pairs):
    reference, candidate = matches.reference.table.xyxy, matches.candidate.table.xyxy
    return sum(iou_of(reference[r], candidate[c]) for r, c in pairs)


def pairs_of(matches):
    return set(
        zip(matches.matched_reference.tolist(), matches.matched_candidate.tolist(), strict=True)
    )


def assert_equals_scipy(matches, *, same_first):
    """Both passes have scipy's total; where there are no ties the pairs are the same as well."""
    mine = pairs_of(matches)
    theirs = [
        pair
        for refs, cands in groups_of(matches)
        for pair in assigned(
            matches, refs, cands, matches.policy.counting_iou, same_first=same_first
        )
    ]
    assert len(mine) == len(theirs)
    assert total(matches, mine) == pytest.approx(total(matches, theirs), abs=1e-9)

    def labelled(pairs):
        return {
            (r, c)
            for r, c in pairs
            if matches.reference_category[r] == matches.candidate_category[c]
        }

    assert len(labelled(mine)) == len(labelled(theirs))
    assert total(matches, labelled(mine)) == pytest.approx(
        total(matches, labelled(theirs)), abs=1e-9
    )
    return mine, set(theirs)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1])
def test_crowded_work_equals_scipy(method, seed):
    gold, work = large_work(60, 3, seed=seed, n_categories=3)
    mine, theirs = assert_equals_scipy(match(gold, work, method=method), same_first=METHODS[method])
    assert mine == theirs


@pytest.mark.parametrize("method", METHODS)
def test_real_workers_equal_scipy(method, shared_data):
    folder = shared_data / "crowd_boxes"
    matches = match(
        from_coco(folder / "gold.json"), from_coco(folder / "workers.json"), method=method
    )
    assert len(matches.matched_iou) > 2000
    assert_equals_scipy(matches, same_first=METHODS[method])


corner = st.integers(0, 6)
box = st.tuples(corner, corner, st.integers(1, 6), st.integers(1, 6)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
drawn = st.lists(st.tuples(box, st.integers(0, 2), st.integers(0, 1)), max_size=9)


def on_grid(rows):
    boxes, category, image = zip(*rows, strict=True) if rows else ((), (), ())
    return build(boxes, category=category, image=image, n_images=2)


@settings(max_examples=150)
@given(gold=drawn, work=drawn, method=st.sampled_from(sorted(METHODS)))
def test_tied_boxes_equal_scipys_total(gold, work, method):
    gold, work = on_grid(gold), on_grid(work)
    assert_equals_scipy_count_and_total(match(gold, work, method=method), METHODS[method])


def assert_equals_scipy_count_and_total(matches, same_first):
    """With ties, the second pass depends on which of several best first passes was taken."""
    reference, candidate = matches.reference_category, matches.candidate_category
    for refs, cands in groups_of(matches):
        theirs = assigned(matches, refs, cands, matches.policy.counting_iou, same_first=same_first)
        mine = [(r, c) for r, c in pairs_of(matches) if r in refs and c in cands]
        if same_first:
            mine = [(r, c) for r, c in mine if reference[r] == candidate[c]]
            theirs = [(r, c) for r, c in theirs if reference[r] == candidate[c]]
        assert total(matches, mine) == pytest.approx(total(matches, theirs), abs=1e-9)


@settings(max_examples=100)
@given(gold=drawn, work=drawn, seed=st.integers(0, 9), method=st.sampled_from(sorted(METHODS)))
def test_the_order_of_rows_does_not_matter(gold, work, seed, method):
    rng = np.random.default_rng(seed)
    gold, work = on_grid(gold), on_grid(work)
    # away from the grid, so that no two overlaps are equal
    for side in (gold, work):
        side.table.xyxy[:] += 0.01 * rng.random(side.table.xyxy.shape)
    straight = match(gold, work, method=method)
    rows = [rng.permutation(len(side.table)) for side in (gold, work)]
    mixed = match(
        *(
            build(
                side.table.xyxy[order],
                category=side.table.category[order],
                image=side.table.image[order],
                n_images=2,
            )
            for side, order in zip((gold, work), rows, strict=True)
        ),
        method=method,
    )
    back = {(int(rows[0][r]), int(rows[1][c])) for r, c in pairs_of(mixed)}
    assert back == pairs_of(straight)
    assert set(rows[0][mixed.missed_reference].tolist()) == set(straight.missed_reference.tolist())


SQUARE = (0, 0, 10, 10)


def test_another_category_is_mislabelled_and_not_missed():
    matches = match(build([SQUARE], category=[0]), build([SQUARE], category=[1]))
    assert matches.mislabelled.tolist() == [True]
    assert len(matches.missed_reference) == len(matches.spurious_candidate) == 0


def test_the_same_category_goes_before_a_better_overlap():
    gold = build([SQUARE], category=[0])
    work = build([SQUARE, (0, 0, 10, 6)], category=[1, 0])
    assert match(gold, work).matched_candidate.tolist() == [1]
    assert match(gold, work, method="cvat-2026").matched_candidate.tolist() == [1]
    classic = match(gold, work, method="cvat-classic")
    assert classic.matched_candidate.tolist() == [0]
    assert classic.mislabelled.tolist() == [True]


@pytest.mark.parametrize("method", ["optimal", "coco", "cvat-classic", "cvat-2026"])
def test_the_threshold_itself_counts(method):
    gold = build([SQUARE])
    assert len(match(gold, build([(0, 0, 10, 5)]), method=method, iou=0.5).matched_iou) == 1
    assert len(match(gold, build([(0, 0, 10, 4.99)]), method=method, iou=0.5).matched_iou) == 0
    assert len(match(gold, gold, method=method, iou=1.0).matched_iou) == 1


def test_cvat_counts_from_0_4():
    gold, work = build([SQUARE]), build([(0, 0, 10, 4)])
    assert len(match(gold, work, method="cvat-2026").matched_iou) == 1
    assert len(match(gold, work).matched_iou) == 0


def test_the_best_total_beats_the_best_pair():
    gold = build([(0, 0, 10, 10), (0, 2, 10, 12)])
    work = build([(0, 1, 10, 11), (0, -2.5, 10, 7.5)], score=[0.9, 0.8])
    # the first candidate fits both references alike; only one choice leaves room for the other
    assert pairs_of(match(gold, work)) == {(1, 0), (0, 1)}


def test_a_crowd_swallows_any_number_and_is_never_missed():
    gold = build([(0, 0, 100, 100), (200, 0, 210, 10)], crowd=[True, False])
    work = build(
        [(0, 0, 10, 10), (20, 20, 40, 40), (95, 0, 115, 10), (5, 5, 9, 9)], category=[0, 0, 0, 1]
    )
    matches = match(gold, work)
    assert matches.absorbed_candidate.tolist() == [0, 1]
    assert matches.absorbed_reference.tolist() == [0, 0]
    assert matches.spurious_candidate.tolist() == [2, 3]  # a quarter inside; another category
    assert matches.missed_reference.tolist() == [1]


def test_an_ignored_reference_swallows_one():
    gold = build([SQUARE], ignored=[True])
    work = build([SQUARE, (0, 0, 10, 9)])
    for method in ("optimal", "coco"):
        matches = match(gold, work, method=method)
        assert matches.absorbed_candidate.tolist() == [0]
        assert matches.spurious_candidate.tolist() == [1]
        assert len(matches.missed_reference) == 0


def test_an_ordinary_reference_goes_before_a_crowd():
    gold = build([(0, 0, 100, 100), (10, 10, 30, 30)], crowd=[True, False])
    matches = match(gold, build([(10, 10, 30, 28)]))
    assert matches.matched_reference.tolist() == [1]
    assert len(matches.absorbed_candidate) == 0


def test_crowds_by_hand_in_dense_work():
    rng = np.random.default_rng(8)
    gold, work = large_work(80, 2, seed=8, n_categories=2)
    gold.table.crowd[:] = rng.random(len(gold.table)) < 0.15
    gold.table.ignored[:] = rng.random(len(gold.table)) < 0.15
    matches = match(gold, work)
    inactive = gold.table.crowd | gold.table.ignored
    assert not inactive[matches.matched_reference].any()
    assert not inactive[matches.missed_reference].any()
    assert inactive[matches.absorbed_reference].all()
    swallowed_once = matches.absorbed_reference[~gold.table.crowd[matches.absorbed_reference]]
    key = (
        swallowed_once * 2
        + work.table.annotator[
            matches.absorbed_candidate[~gold.table.crowd[matches.absorbed_reference]]
        ]
    )
    assert len(np.unique(key)) == len(key) > 10
    absorbed = set(matches.absorbed_candidate.tolist())
    for candidate in np.concatenate([matches.spurious_candidate, matches.absorbed_candidate]):
        crowds = np.flatnonzero(
            gold.table.crowd
            & (gold.table.image == work.table.image[candidate])
            & (gold.table.category == work.table.category[candidate])
        )
        box = work.table.xyxy[candidate]
        inside = any(share_in(box, gold.table.xyxy[r]) >= 0.5 for r in crowds)
        if candidate not in absorbed:
            assert not inside


def test_coco_takes_the_highest_score_first():
    gold = build([SQUARE])
    work = build([(0, 0, 10, 9), (0, 0, 10, 8)], score=[0.3, 0.9])
    assert match(gold, work, method="coco").matched_candidate.tolist() == [1]
    assert match(gold, work, method="optimal").matched_candidate.tolist() == [0]


def test_coco_without_scores_takes_the_first_in_the_file():
    gold = build([SQUARE])
    work = build([(0, 0, 10, 8), (0, 0, 10, 9)])
    assert match(gold, work, method="coco").matched_candidate.tolist() == [0]


def test_coco_also_mislabels():
    gold = build([SQUARE], category=[0])
    work = build([(0, 0, 10, 9), SQUARE], category=[1, 2], score=[0.9, 0.1])
    matches = match(gold, work, method="coco")
    assert matches.matched_candidate.tolist() == [0]
    assert matches.mislabelled.tolist() == [True]
    assert matches.spurious_candidate.tolist() == [1]


def test_low_overlap_is_a_warning():
    matches = match(build([SQUARE, (50, 0, 60, 10)]), build([(0, 0, 10, 7), (50, 0, 60, 9)]))
    assert matches.low_overlap.tolist() == [True, False]
