"""What is said of each missed reference and each spurious candidate."""

from __future__ import annotations

import pytest

from annqc.match import Matches, match
from tests.match.datasets import build

SQUARE = (0, 0, 10, 10)


def missed(matches):
    return {
        int(row): (Matches.MISSED_KINDS[kind], int(partner))
        for row, kind, partner in zip(
            matches.missed_reference, matches.missed_kind, matches.missed_partner, strict=True
        )
    }


def spurious(matches):
    return {
        int(row): (Matches.SPURIOUS_KINDS[kind], int(reference), int(partner))
        for row, kind, reference, partner in zip(
            matches.spurious_candidate,
            matches.spurious_kind,
            matches.spurious_reference,
            matches.spurious_partner,
            strict=True,
        )
    }


def test_plain():
    matches = match(build([SQUARE]), build([(500, 500, 510, 510)]))
    assert missed(matches) == {0: ("plain", -1)}
    assert spurious(matches) == {0: ("plain", -1, -1)}


def test_near_miss_goes_to_the_largest_overlap():
    gold = build([SQUARE])
    work = build([(7, 0, 17, 10), (6, 0, 16, 10), (8, 0, 18, 10)])
    matches = match(gold, work)
    assert missed(matches) == {0: ("near_miss", 1)}
    assert spurious(matches) == dict.fromkeys(range(3), ("near_miss", 0, -1))


def test_an_overlap_with_a_matched_candidate_is_no_near_miss():
    gold = build([SQUARE, (8, 0, 18, 10)])
    matches = match(gold, build([SQUARE]))
    assert missed(matches) == {1: ("plain", -1)}


def test_duplicate_names_its_twin():
    matches = match(build([SQUARE]), build([(0, 0, 10, 9), SQUARE, (0, 1, 10, 10)]))
    assert spurious(matches) == {0: ("duplicate", 0, 1), 2: ("duplicate", 0, 1)}


def test_a_duplicate_needs_the_same_annotator():
    gold = build([SQUARE])
    matches = match(gold, build([SQUARE, SQUARE], annotator=[0, 1]))
    assert len(matches.matched_candidate) == 2
    assert spurious(matches) == {}


def test_a_duplicate_of_another_category_is_one_too():
    matches = match(build([SQUARE]), build([SQUARE, SQUARE], category=[0, 1]))
    assert spurious(matches) == {1: ("duplicate", 0, 0)}


def test_merged_without_a_match():
    gold = build([(0, 0, 10, 10), (11, 0, 21, 10)])
    matches = match(gold, build([(0, 0, 21, 10)]))
    assert missed(matches) == {0: ("merged", 0), 1: ("merged", 0)}
    kind, reference, partner = spurious(matches)[0]
    assert (kind, partner) == ("merged", -1)
    assert reference in {0, 1}


def test_merged_into_a_match():
    gold = build([(0, 0, 14, 10), (14, 0, 21, 10)])
    matches = match(gold, build([(0, 0, 21, 10)]))
    assert matches.matched_reference.tolist() == [0]
    assert missed(matches) == {1: ("merged", 0)}


def test_split_without_a_match():
    gold = build([(0, 0, 21, 10)])
    matches = match(gold, build([(0, 0, 10, 10), (11, 0, 21, 10)]))
    assert missed(matches)[0][0] == "split"
    assert spurious(matches) == dict.fromkeys(range(2), ("split", 0, -1))


def test_split_beside_a_match():
    gold = build([(0, 0, 21, 10)])
    matches = match(gold, build([(0, 0, 14, 10), (14, 0, 21, 10)]))
    assert matches.matched_candidate.tolist() == [0]
    assert spurious(matches) == {1: ("split", 0, -1)}


def test_a_merge_is_of_one_category():
    gold = build([(0, 0, 14, 10), (14, 0, 21, 10)], category=[0, 1])
    matches = match(gold, build([(0, 0, 21, 10)]))
    assert missed(matches) == {1: ("plain", -1)}


def test_a_small_neighbour_is_not_merged():
    # together they fit the candidate better than the first alone, but by less than 0.1
    gold = build([(0, 0, 20, 10), (20, 0, 21, 10)])
    matches = match(gold, build([(0, 0, 21, 10)]))
    assert missed(matches) == {1: ("plain", -1)}


def test_far():
    gold = build([SQUARE])
    matches = match(gold, build([(8, 8, 12, 12)]), pair_iou=0.1)
    # a corner overlaps: near comes before far
    assert missed(matches) == {0: ("near_miss", 0)}
    matches = match(gold, build([(10, 3, 13, 6)]))
    assert missed(matches) == {0: ("far", 0)}
    assert spurious(matches) == {0: ("plain", -1, -1)}


@pytest.mark.parametrize("kind", ["crowd", "ignored"])
def test_crowds_and_ignored_references_are_no_partners(kind):
    gold = build([SQUARE, (100, 0, 110, 10)], **{kind: [True, False]})
    matches = match(gold, build([(9, 0, 29, 10)]))
    assert spurious(matches) == {0: ("plain", -1, -1)}
    assert missed(matches) == {1: ("plain", -1)}
