"""Which boxes are compared edge by edge."""

from __future__ import annotations

import math

import pytest

from annqc.match import match, offsets
from tests.match.datasets import build, from_coco, large_work
from tests.match.oracles import assigned, groups_of, iou_of

SQUARE = (0, 0, 10, 10)


def pairs_of(matches):
    return list(zip(matches.pair_reference.tolist(), matches.pair_candidate.tolist(), strict=True))


def far_of(matches):
    return set(zip(matches.far_reference.tolist(), matches.far_candidate.tolist(), strict=True))


def by_hand(matches):
    """Pairs, ambiguous pairs and far references of every group, one box at a time."""
    policy = matches.policy
    reference, candidate = matches.reference.table.xyxy, matches.candidate.table.xyxy
    pairs, ambiguous, far = set(), set(), set()
    for refs, cands in groups_of(matches):
        chosen = assigned(matches, refs, cands, policy.pair_iou, same_first=False)
        pairs |= set(chosen)
        for r, c in chosen:
            mine = iou_of(reference[r], candidate[c])
            rivals = [iou_of(reference[r], candidate[k]) for k in cands if k != c]
            rivals += [iou_of(reference[k], candidate[c]) for k in refs if k != r]
            rivals = [one for one in rivals if one >= policy.pair_iou]
            if rivals and max(rivals) >= mine - policy.ambiguity:
                ambiguous.add((r, c))
        free_refs = set(refs) - {r for r, _ in chosen}
        free_cands = sorted(set(cands) - {c for _, c in chosen})
        for r in free_refs:
            x1, y1, x2, y2 = reference[r]

            def distance(c, x=(x1 + x2) / 2, y=(y1 + y2) / 2):
                u1, v1, u2, v2 = candidate[c]
                return math.hypot((u1 + u2) / 2 - x, (v1 + v2) / 2 - y)

            if free_cands:
                nearest = min(free_cands, key=distance)
                if distance(nearest) <= 0.5 * math.hypot(x2 - x1, y2 - y1):
                    far.add((r, nearest))
    return pairs, ambiguous, far


def assert_by_hand(matches):
    pairs, ambiguous, far = by_hand(matches)
    assert set(pairs_of(matches)) == pairs
    flagged = {
        pair for pair, flag in zip(pairs_of(matches), matches.pair_ambiguous, strict=True) if flag
    }
    assert flagged == ambiguous
    assert far_of(matches) == far
    return len(ambiguous), len(far)


def test_dense_work_by_hand():
    gold, work = large_work(60, 2, seed=4, n_categories=3)
    n_ambiguous, _ = assert_by_hand(match(gold, work))
    assert n_ambiguous > 0


def test_real_workers_by_hand(shared_data):
    folder = shared_data / "crowd_boxes"
    matches = match(from_coco(folder / "gold.json"), from_coco(folder / "workers.json"))
    n_ambiguous, n_far = assert_by_hand(matches)
    assert n_ambiguous > 10
    assert n_far > 10


def test_far_pairs_in_pieces(monkeypatch):
    gold, work = large_work(60, 2, seed=4, n_categories=3)
    work.table.xyxy[:, ::2] += 60  # so far off that little pairs
    whole = far_of(match(gold, work))
    assert len(whole) > 50
    monkeypatch.setattr(offsets, "CHUNK", 3)
    assert far_of(match(gold, work)) == whole


def test_the_counting_policy_does_not_matter():
    gold, work = large_work(40, 1, seed=2)
    want = pairs_of(match(gold, work))
    for method in ("coco", "cvat-classic", "cvat-2026"):
        assert pairs_of(match(gold, work, method=method, iou=0.9)) == want


def test_loose_boxes_and_other_categories_are_compared_too():
    gold = build([SQUARE])
    matches = match(gold, build([(0, 0, 10, 40)], category=[1]))
    assert pairs_of(matches) == [(0, 0)]
    assert matches.pair_iou.tolist() == [0.25]
    assert len(matches.matched_reference) == 0


def test_a_rival_makes_a_pair_ambiguous():
    gold = build([SQUARE])
    near = match(gold, build([SQUARE, (0, 0, 10, 9.5)]))
    assert near.pair_ambiguous.tolist() == [True]
    clear = match(gold, build([SQUARE, (0, 0, 10, 8)]))
    assert clear.pair_ambiguous.tolist() == [False]
    assert match(gold, build([SQUARE, (0, 0, 10, 8)]), ambiguity=0.3).pair_ambiguous.all()


def test_far_takes_the_nearest_within_half_a_diagonal():
    gold = build([(0, 0, 30, 40)])  # diagonal 50, centre (15, 20)
    inside = (13, 18, 15, 20)
    at_the_rim = (39, 19, 41, 21)
    beyond = (40, 19, 42, 21)
    assert far_of(match(gold, build([at_the_rim, inside]))) == {(0, 1)}
    assert far_of(match(gold, build([at_the_rim]))) == {(0, 0)}
    assert far_of(match(gold, build([beyond]))) == set()


def test_far_is_not_for_boxes_that_are_paired():
    gold = build([SQUARE, (3, 3, 7, 7)])
    matches = match(gold, build([SQUARE]))
    assert far_of(matches) == set()


@pytest.mark.parametrize("kind", ["crowd", "ignored"])
def test_crowds_and_ignored_references_take_no_part(kind):
    gold = build([SQUARE], **{kind: [True]})
    matches = match(gold, build([(0, 0, 10, 9), (3, 3, 4, 4)]))
    assert pairs_of(matches) == []
    assert far_of(matches) == set()


def test_a_crowd_that_was_drawn_takes_no_part():
    matches = match(build([SQUARE]), build([SQUARE], crowd=[True]))
    assert pairs_of(matches) == []
    assert far_of(matches) == set()
    assert len(matches.matched_reference) == 1
