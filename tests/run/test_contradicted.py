"""Who else drew what an annotator drew, where the gold is different."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc import Habit
from annqc.run.contradicted import Contradicted, Votes


def area(box):
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def iou(one, other):
    both = [max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2])]
    inner = area([*both, min(one[3], other[3])])
    return inner / (area(one) + area(other) - inner)


def oracle(audit, pair):
    """Go through every box of the image."""
    matches, measured = audit.matches, audit.measurements
    table, mine = matches.candidate.table, int(measured.candidate[pair])
    me, image = table.annotator[mine], matches.image_of_candidate[mine]
    my_box = table.xyxy[mine].tolist()
    gold = matches.reference.table.xyxy[measured.reference[pair]].tolist()
    like_this = set()
    for row in range(len(table)):
        if matches.image_of_candidate[row] == image and table.annotator[row] != me:
            box = table.xyxy[row].tolist()
            near = iou(box, my_box)
            if near >= 0.5 and near > iou(my_box, gold) and near > iou(box, gold):
                like_this.add(int(table.annotator[row]))
    tasks = zip(matches.task_annotator.tolist(), matches.task_image.tolist(), strict=True)
    asked = {who for who, where in tasks if where == image and who != me}
    return Votes(len(like_this), len(asked | like_this))


@pytest.fixture(scope="module")
def audit():
    made = annqc.simulate(
        {
            "ann": Habit.misses(0.2),
            "bob": Habit.loose("right", px=6),
            "eve": Habit.loose("right", px=6),
            "tom": Habit.parse("gross 10 %"),
            "zoe": Habit.parse("extras 20 %"),
        },
        n_images=12,
        boxes_per_image=8,
        image_size=(320, 240),
        rng=2,
    )
    return annqc.audit(made.work, made.gold)


def test_votes_are_those_of_every_box_of_the_image(audit):
    asked = Contradicted(audit)
    found = [asked.votes(pair) for pair in range(len(audit.measurements))]
    assert found == [oracle(audit, pair) for pair in range(len(audit.measurements))]
    assert {one.contradict for one in found} == {True, False}


def test_order_stays_but_for_what_is_contradicted(audit):
    asked = Contradicted(audit)
    rows = np.random.default_rng(0).permutation(len(audit.measurements))[:150]
    doubted = [asked.votes(row).contradict for row in rows.tolist()]
    expected = [row for row, one in zip(rows, doubted, strict=True) if not one]
    expected += [row for row, one in zip(rows, doubted, strict=True) if one]
    assert asked.last(rows).tolist() == expected


def test_half_of_three_others_are_enough_and_two_others_are_not():
    votes = {(2, 3): True, (1, 3): False, (2, 4): True, (2, 2): False, (0, 9): False, (4, 9): False}
    assert {key: Votes(*key).contradict for key in votes} == votes


def table_of(boxes, who):
    found = pd.DataFrame(boxes, columns=["x1", "y1", "x2", "y2"])
    return found.assign(image_id=range(len(boxes)), category="a", annotator=who)


@pytest.mark.parametrize("people", [3, 4])
def test_two_others_contradict_nothing(people):
    box = np.tile([100.0, 100, 200, 200], (20, 1))
    work = pd.concat([table_of(box, f"p{k}") for k in range(people)], ignore_index=True)
    gold = table_of(box - [0, 0, 25, 0], "g").drop(columns="annotator")
    asked = Contradicted(annqc.audit(work, gold))
    assert asked.votes(0).contradict == (people > 3)
    said = "3 of 3 others drew it like this: the gold may be what is off"
    assert asked.said(0) == (said if people > 3 else "")


def test_noise_is_no_contradiction():
    """Boxes of one biased annotator, far beyond the noise of the others, are never excused."""
    people = {"bob": Habit.loose("right", px=12)} | {who: [] for who in "abcdefg"}
    made = annqc.simulate(people, n_images=30, rng=5)
    audit = annqc.audit(made.work, made.gold)
    asked, measured = Contradicted(audit), audit.measurements
    bob = audit.candidate.annotator_ids.tolist().index("bob")
    his = np.flatnonzero((measured.annotator == bob) & (measured.edges[:, 2] > 8))
    assert len(his) > 100
    assert not any(asked.votes(pair).contradict for pair in his.tolist())


def test_where_there_is_no_gold_none_is_doubted():
    made = annqc.simulate(dict.fromkeys("abcde", Habit.misses(0.1)), n_images=8, rng=1)
    asked = Contradicted(annqc.audit(made.work))
    assert asked.votes(0) == (0, 0)
