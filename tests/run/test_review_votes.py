"""Others who drew the same box, whatever theirs is matched with, speak against the gold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annqc
from annqc import Habit
from annqc.run.review.rows import KINDS, reasons
from annqc.run.review.votes import drew_alike, same_sources, votes_of
from tests.run.test_review import BOX, FAR, dataset, moved

NAMES = tuple("abcdefghi")
NEIGHBOUR = (140.0, 100.0, 240.0, 200.0)
"""Overlaps BOX by 0.43: a box between them is matched with either."""
BETWEEN = (125.0, 100.0, 225.0, 200.0)


def iou(a, b):
    shared = [max(0.0, min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in (0, 1)]
    area = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return shared[0] * shared[1] / (sum(area) - shared[0] * shared[1])


def crowd(with_it, *, people=9, more=()):
    """Everybody drew BOX on five images; ``with_it`` of them FAR on the first, which gold lacks."""
    names = NAMES[:people]
    gold = dataset([(i, 0, 0, BOX) for i in range(5)], n_images=5)
    rows = [(i, who, 0, BOX) for i in range(5) for who in range(people)]
    rows += [(0, who, who % 2, moved(right=2 * who, box=FAR)) for who in range(with_it)]
    return annqc.audit(dataset([*rows, *more], annotators=names, n_images=5), gold)


def test_boxes_count_whatever_they_are_matched_with():
    """All drew the person between two of the gold's, who lacks her; matching is by chance."""
    gold = dataset([(0, 0, 0, BOX), *[(i, 0, 0, BOX) for i in range(1, 5)]], n_images=5)
    names = NAMES[:6]
    rows = [(i, who, 0, BOX) for i in range(1, 5) for who in range(6)]
    rows += [(0, who, 0, BETWEEN) for who in range(6)]
    rows += [(0, 0, 0, BOX)]  # one has the neighbour too, so that the box is around nothing
    audit = annqc.audit(dataset(rows, annotators=names, n_images=5), gold)
    assert len(audit.matches.spurious_candidate) == 1
    found = audit.review().to_frame()
    assert found["kind"].iloc[0] == "gold"
    assert found["annotator"].isna().iloc[0]
    assert "6 of 6 annotators who were asked" in found["text"].iloc[0]
    blamed = found[found["annotator"].notna()]
    assert (blamed["probability"] <= 0.4).all()


@pytest.mark.parametrize(("with_it", "is_gold"), [(1, False), (3, False), (5, True), (9, True)])
def test_enough_others_make_it_a_look_at_the_gold(with_it, is_gold):
    found = crowd(with_it).review().to_frame()
    gold = found[found["kind"] == "gold"]
    assert len(gold) == is_gold
    blamed = found[found["kind"] == "spurious"]
    assert len(blamed) == with_it - is_gold
    assert (blamed["others_same"] == with_it - 1).all()
    assert (blamed["others_asked"] == 8).all()
    assert blamed["text"].str.endswith(f"; {with_it - 1} of 8 others drew it too").all()
    if is_gold:
        right = (with_it + 1) / 11
        assert gold["probability"].iloc[0] == pytest.approx(right, abs=0.005)
        assert (blamed["probability"] <= 1 - right + 0.005).all()


def test_who_is_alone_on_an_image_is_not_told_of_others():
    gold = dataset([(0, 0, 0, BOX)])
    found = annqc.audit(dataset([(0, 0, 0, BOX), (0, 0, 0, FAR)]), gold).review().to_frame()
    assert found["text"].str.endswith("around none of the gold's objects").all()


def test_copies_are_one_opinion_and_copies_of_the_gold_are_none():
    audit = crowd(9)
    suspected = {
        "kind": np.array(["same_source", "circular_gold", "stamps"], dtype=object),
        "annotators": np.array([None, None, None], dtype=object),
    }
    suspected["annotators"][:] = [("b", "c", "d"), ("e", "f"), ("a",)]
    source = same_sources(audit.matches, suspected)
    assert source.tolist() == [0, 1, 1, 1, -1, -1, 6, 7, 8]
    drawn = audit.matches.spurious_candidate
    gold = np.full(len(drawn), -1)
    votes = votes_of(audit.matches, "spurious", gold, drawn, source)
    who = audit.matches.candidate.table.annotator[drawn]
    # a, the three of one source, g, h and i are five opinions; two have the gold's.
    assert votes.same[who == 0].tolist() == votes.others[who == 0].tolist() == [4]
    assert votes.same[who == 4].tolist() == [5]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_votes_are_those_of_a_loop_over_all_boxes(seed):
    rng = np.random.default_rng(seed)
    people, images = 5, 3
    gold = [(i, 0, 0, at) for i in range(images) for at in (BOX, FAR)]
    places = (BOX, NEIGHBOUR, BETWEEN, FAR)
    work = []
    for i in range(images):
        for who in range(people):
            for k in rng.choice(4, rng.integers(0, 4), replace=False).tolist():
                box = tuple(float(x) for x in np.add(places[k], rng.integers(-15, 16, 4)))
                work.append((i, who, int(rng.integers(2)), box))
    names = NAMES[:people]
    audit = annqc.audit(dataset([*work, (0, 0, 0, BOX)], annotators=names), dataset(gold))
    matches, table = audit.matches, audit.work.table
    boxes, who = table.xyxy.tolist(), table.annotator.tolist()
    image = matches.image_of_candidate.tolist()
    overlap = dict(
        zip(matches.matched_candidate.tolist(), matches.matched_iou.tolist(), strict=True)
    )
    drawn = matches.spurious_candidate
    votes = votes_of(matches, "spurious", np.full(len(drawn), -1), drawn, np.arange(people))
    for row, same, others in zip(drawn.tolist(), votes.same, votes.others, strict=True):
        near = {
            who[k]
            for k in range(len(boxes))
            if image[k] == image[row] and who[k] != who[row]
            if iou(boxes[k], boxes[row]) >= max(0.5, overlap.get(k, 0.0) + 1e-12)
        }
        assert (same, others) == (len(near), people - 1)
    assert votes.net.tolist() == (votes.others - 2 * votes.same).tolist()
    measured = audit.measurements
    pair, voter = drew_alike(matches, measured, np.arange(len(measured)))
    told = set(zip(measured.reference.tolist(), measured.candidate.tolist(), strict=True))
    by_hand = set()
    for k, (g, c) in enumerate(
        zip(measured.reference.tolist(), measured.candidate.tolist(), strict=True)
    ):
        for j in range(len(boxes)):
            if image[j] == image[c] and who[j] != who[c] and (g, j) not in told:
                mine, theirs = (iou(boxes[j], one) for one in (boxes[c], gold[g][3]))
                if mine >= 0.5 and mine > theirs:
                    by_hand.add((k, who[j]))
    assert set(zip(pair.tolist(), voter.tolist(), strict=True)) == by_hand


def test_others_who_drew_the_same_box_acquit_a_far_edge():
    """One took the neighbour for the gold's object; six others drew the neighbour as well."""
    names = NAMES[:7]
    wide = moved(right=60, left=-20)
    gold = dataset([(i, 0, 0, BOX) for i in range(30)], n_images=30)
    rows = [(i, who, 0, BOX) for i in range(30) for who in range(7) if (i, who) != (0, 0)]
    alone = [*rows, (0, 0, 0, wide)]
    shared = [*alone, *[(0, who, 0, moved(right=1, box=wide)) for who in range(1, 7)]]

    def told(some):
        audit = annqc.audit(dataset(some, annotators=names, n_images=30), gold)
        assert len(audit.matches.matched_candidate) == 30 * 7
        rows = reasons(audit)
        mine = (rows["candidate"] == len(alone) - 1) & (rows["kind"] == KINDS.index("loose_box"))
        return float(rows["probability"][mine][0])

    assert told(alone) > 0.9
    assert told(shared) < 0.6


def test_an_object_drawn_twice_is_not_excused_by_who_drew_it_once():
    made = annqc.simulate(
        {"a": Habit.parse("duplicates 10 %"), **{name: [] for name in "bcdef"}},
        n_images=40,
        overlap=6,
        rng=3,
    )
    found = annqc.audit(made.work, made.gold).review().to_frame()
    twice = found[found["kind"] == "duplicate"]
    assert len(twice) > 5
    assert (twice["others_same"] == 0).mean() > 0.9
    assert (twice["probability"] > 0.9).all()
    assert not (found["kind"] == "gold").any()


def test_real_gold_that_lacks_what_nine_drew(shared_data):
    folder = shared_data / "crowd_boxes"
    audit = annqc.audit(folder / "workers.json", folder / "gold.json")
    found = audit.review().to_frame()
    blamed = found[found["kind"] != "gold"].set_index("annotation_id")["probability"]
    for id in (1428, 1412, 1404, 2634, 2647):
        assert blamed.get(id, 0.0) < 0.5
    lacks = found[(found["kind"] == "gold") & found["text"].str.contains("gold does not have")]
    assert {"137.jpg", "168.jpg"} <= set(lacks["file_name"])
    assert (found["kind"] == "gold").sum() > 50


def test_a_box_of_which_it_is_known_is_told_once():
    made = annqc.simulate(5, n_images=60, rng=3)
    kept = np.arange(len(made.gold)) != 10
    gold = replace(made.gold, table=made.gold.table.take(kept))
    found = annqc.audit(made.work, gold).review().to_frame()
    assert found["kind"].tolist().count("gold") == 1
