from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annqc.match.pairs import match
from annqc.read import read
from annqc.run.suspicions import COLUMNS, SUSPICIONS, suspicion_columns
from tests.calibration.suspicious import copy_of, fleet, truth
from tests.match.datasets import build

IMAGES = 30


@pytest.fixture(scope="module")
def works():
    rng = np.random.default_rng(1)
    boxes, image = truth(rng, IMAGES, 5, 40, 80)
    return rng, boxes, image, fleet(rng, boxes, 8, 1.0)


def dataset(drawn, image, **how):
    n = drawn.shape[0]
    there = ~np.isnan(drawn[..., 0].ravel())
    return build(
        drawn.reshape(-1, 4)[there],
        image=np.tile(image, n)[there],
        annotator=np.repeat(np.arange(n), len(image))[there],
        n_images=IMAGES,
        **how,
    )


def rows(*given, **how):
    columns = suspicion_columns(*given, **how)
    assert tuple(columns) == COLUMNS
    listed = [dict(zip(columns, one, strict=True)) for one in zip(*columns.values(), strict=True)]
    order = [SUSPICIONS.index(row["kind"]) for row in listed]
    assert order == sorted(order)
    assert not any("cheat" in row["text"].lower() for row in listed)
    return listed


def test_honest_work_raises_no_suspicion(works):
    _, boxes, image, drawn = works
    work, gold = dataset(drawn, image), build(boxes, image=image, n_images=IMAGES)
    assert rows(work) == rows(work, match(gold, work)) == []


@pytest.mark.parametrize(
    ("share", "said"), [(1.0, "The gold (30 of 30"), (0.3, "Part of the gold (9")]
)
def test_circular_gold(works, share, said):
    _, boxes, image, drawn = works
    mine = image < share * IMAGES
    gold = fleet(np.random.default_rng(2), boxes, 1, 1.0)[0]
    gold[mine] = drawn[3, mine]
    work = dataset(drawn, image)
    row, *rest = rows(work, match(build(gold, image=image, n_images=IMAGES), work))
    assert {one["kind"] for one in rest} <= {"contradicted_gold"}  # whoever's the gold is, errs
    assert (row["kind"], row["annotators"]) == ("circular_gold", ("annotator 3",))
    assert row["text"].startswith(said)
    assert "mean nothing" in row["text"]
    assert row["of"] == 150
    assert abs(row["share"] - share) < 0.05
    assert row["share_low"] < share < row["share_high"] + 1e-9
    assert row["p_adjusted"] < 1e-6


def test_a_group_is_named_once(works):
    rng, boxes, image, drawn = works
    drawn, model = drawn.copy(), fleet(np.random.default_rng(4), boxes, 1, 1.0)[0]
    for who in (1, 2, 5):
        drawn[who] = copy_of(rng, model, drawn[who], 0.1)
    work = dataset(drawn, image)
    (row,) = rows(work)
    assert row["kind"] == "same_source"
    assert row["annotators"] == ("annotator 1", "annotator 2", "annotator 5")
    assert "the same source" in row["text"]
    gold = build(model, image=image, n_images=IMAGES)
    row = rows(work, match(gold, work))[0]
    assert (row["kind"], len(row["annotators"])) == ("circular_gold", 3)


def test_copies_are_one_opinion_on_the_gold(works):
    """Four draw an edge elsewhere than the gold; if three are copies, that is two opinions."""
    _, boxes, image, drawn = works
    gold = boxes.copy()
    gold[42, 2] += 20
    reference = build(gold, image=image, n_images=IMAGES)
    work = dataset(drawn[:4], image)
    (row,) = rows(work, match(reference, work))
    assert (row["kind"], row["n"], row["of"], row["annotation_id"]) == (
        "contradicted_gold",
        4,
        4,
        43,
    )
    assert row["image_id"] == 9
    assert "right edge" in row["text"]
    assert "further in" in row["text"]
    many_digits = fleet(np.random.default_rng(3), boxes, 4, 1.0, pitch=0.0)
    many_digits[1:] = many_digits[1]
    work = dataset(many_digits, image)
    assert [one["kind"] for one in rows(work, match(reference, work))] == ["same_source"]


def test_objects_missed_by_all_and_missed_by_the_gold(works):
    _, boxes, image, drawn = works
    drawn = drawn.copy()
    drawn[:, 10] = np.nan
    kept = np.arange(len(boxes)) != 20
    work = dataset(drawn, image)
    gold = build(boxes[kept], image=image[kept], n_images=IMAGES)
    texts = [row["text"] for row in rows(work, match(gold, work))]
    assert sorted("the gold does not have" in text for text in texts) == [False, True]
    assert sum("did not draw the gold's annotation 11 " in text for text in texts) == 1


def test_who_drew_nothing(works):
    _, _, image, drawn = works
    drawn = drawn.copy()
    drawn[6, image % 3 == 0] = np.nan
    work = dataset(drawn, image, assigned=[(a, i) for a in range(8) for i in range(IMAGES)])
    (row,) = rows(work)
    assert (row["kind"], row["annotators"], row["n"], row["of"]) == (
        "drew_nothing",
        ("annotator 6",),
        10,
        30,
    )
    assert row["share_low"] > 0.1
    assert rows(replace(work, assigned=None)) == []


def test_nobody_in_particular_is_suspected_of_nothing(works):
    _, _, image, drawn = works
    drawn = drawn.copy()
    drawn[1] = drawn[0]
    work = dataset(drawn, image)
    assert [row["kind"] for row in rows(work)] == ["same_source"]
    names = work.annotator_ids.copy()
    names[0] = "unknown"
    assert rows(replace(work, annotator_ids=names)) == []


def test_crowd_boxes(shared_data):
    """Whole pixels and small teams: nobody is suspected; the gold is contradicted in places."""
    work = read(shared_data / "crowd_boxes" / "workers.json")
    gold = read(shared_data / "crowd_boxes" / "gold.json")
    assert rows(work) == []
    listed = rows(work, match(gold, work))
    assert {row["kind"] for row in listed} == {"contradicted_gold"}
    assert (listed[0]["annotation_id"], listed[0]["n"], listed[0]["of"]) == (488, 9, 9)
    assert "268.4 px" in listed[0]["text"]


def test_crowd_boxes_with_a_worker_as_gold(shared_data):
    work = read(shared_data / "crowd_boxes" / "workers.json")
    busiest = int(np.bincount(work.table.annotator).argmax())
    gold = replace(
        work,
        table=work.table.take(work.table.annotator == busiest),
        authors_known=False,
        assigned=None,
    )
    first = rows(work, match(gold, work))[0]
    assert first["kind"] == "circular_gold"
    assert first["annotators"] == (work.annotator_ids[busiest],)
