"""What is there and what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annqc.errors import SpecError
from annqc.ids import ids_array
from annqc.judge import judge
from annqc.run.audit import Run
from annqc.simulate import simulate
from tests.judge.staged import one_rule


@pytest.fixture(scope="module")
def made():
    return simulate(["ann", "bob"], n_images=20, categories=("car", "dog"), rng=2)


def only(data, keep, assigned=None):
    """Leave the work on some images, and say who was asked for what."""
    return replace(data, table=data.table.take(keep), assigned=assigned)


def check(gold, work, **rule):
    return judge(Run(gold, work, engine="numpy"), one_rule(**rule)).checks[0]


def test_images_in_nobodys_work_are_missing(made):
    work = only(made.work, np.isin(made.work.table.image, [2, 5, 6, 9], invert=True))
    found = check(made.gold, work, measure="missing_images", at_most=3)
    assert found.outcome == "fail"
    assert found.sentence == (
        "4 of 20 images of the gold in nobody's work (image_03.jpg, image_06.jpg, image_07.jpg and "
        "1 more); asked: at most 3 missing images"
    )
    assert found.rule.by == ()
    assert check(made.gold, work, measure="missing_images", at_most=4).outcome == "pass"


def test_an_image_without_objects_is_missing_only_where_the_work_could_list_it(made):
    gold = only(made.gold, made.gold.table.image != 2)
    keep = made.work.table.image != 2
    listed = only(made.work, keep)
    tables = listed.image_table
    rows = np.flatnonzero(np.arange(len(tables)) != 2)
    codes = np.cumsum(np.arange(len(tables)) != 2) - 1
    table = replace(listed.table, image=codes[listed.table.image])
    # As from a table of boxes: an image that has none is nowhere in it.
    unlisted = replace(listed, table=table, image_table=tables.take(rows))
    found = check(gold, unlisted, measure="missing_images", at_most=0)
    assert found.sentence == (
        "all 20 images of the gold are in the work; asked: at most 0 missing images"
    )
    fewer = only(unlisted, unlisted.table.image != 5)
    found = check(gold, fewer, measure="missing_images", at_most=0)
    assert found.sentence.startswith("2 of 20 images of the gold in nobody's work")


def test_who_was_asked_and_drew_nothing_delivered_the_image(made):
    keep = np.isin(made.work.table.image, [2, 5], invert=True)
    asked = np.array([[0, image] for image in range(20)])
    work = only(made.work, keep, asked)
    assert check(made.gold, work, measure="missing_images", at_most=0).outcome == "pass"


def test_of_an_annotator_images_asked_for_and_left_empty_are_missing(made):
    keep = ~((made.work.table.image == 2) & (made.work.table.annotator == 1))
    asked = np.array([[who, image] for who in range(2) for image in range(10)])
    keep &= made.work.table.image < 10
    work = only(made.work, keep, asked)
    found = check(made.gold, work, measure="missing_images", by="annotator", at_most=0)
    assert found.sentence == (
        "bob: nothing drawn on 1 of 10 images asked for (image_03.jpg); asked: at most 0 missing "
        "images"
    )
    assert found.counts == {"pass": 1, "fail": 1, "undecided": 0}
    # where the gold is empty too there is nothing to draw
    gold = replace(made.gold, table=made.gold.table.take(made.gold.table.image != 2))
    found = check(gold, work, measure="missing_images", by="annotator", at_most=0)
    assert found.outcome == "pass"


def test_without_assignments_nobody_is_known_to_have_been_asked(made):
    work = replace(made.work, assigned=None)
    found = check(made.gold, work, measure="missing_images", by="annotator", at_most=0)
    assert found.outcome == "not_applicable"
    assert found.sentence == "the work does not say who was asked for which images"


@pytest.mark.parametrize("measure", ["missing_images", "category_coverage"])
def test_columns_that_mean_nothing_here_are_a_fault_of_the_spec(measure):
    limit = {"at_most": 0} if measure == "missing_images" else {"at_least": 1}
    with pytest.raises(SpecError, match=f"{measure} is told by annotator or, with by = "):
        one_rule(measure, by="category", **limit)


def test_every_category_must_be_there_often_enough(made):
    counts = made.work.categories.set_index("category").n_annotations.to_dict()
    least = min(counts.values())
    rule = {"measure": "category_coverage", "at_least": least}
    assert check(made.gold, made.work, **rule).outcome == "pass"
    found = check(made.gold, made.work, **rule | {"at_least": least + 1})
    rarest = min(counts, key=counts.get)
    assert found.sentence == (
        f"category {rarest}: {least} annotations; asked: at least {least + 1} annotations of every "
        "category"
    )


def test_a_category_that_is_nowhere_has_none(made):
    found = check(
        made.gold,
        made.work,
        measure="category_coverage",
        categories=["car", "unicorn"],
        at_least=1,
    )
    assert found.sentence == (
        "category unicorn: 0 annotations; asked: at least 1 annotation of every category"
    )
    assert found.counts == {"pass": 1, "fail": 1, "undecided": 0}


def test_only_categories_that_the_gold_has_objects_of_are_asked(made):
    gold = replace(
        made.gold,
        category_ids=ids_array([*made.gold.category_ids.tolist(), 99]),
        category_names=np.array([*made.gold.category_names.tolist(), "bus"], dtype=object),
    )
    found = check(gold, made.work, measure="category_coverage", at_least=1)
    assert {row["group"]["category"] for row in found.rows} == {"car", "dog"}
    everyone = check(
        gold, made.work, measure="category_coverage", categories="CAR", by="annotator", at_least=1
    )
    per_annotator = made.work.annotations.query("category == 'car'").groupby("annotator").size()
    assert {row["group"]["annotator"]: row["count"] for row in everyone.rows} == (
        per_annotator.to_dict()
    )


def test_too_little_evidence_fails_and_says_how_much_more(made):
    keep = (made.work.table.annotator == 0) | (made.work.table.image < 3)
    work = only(made.work, keep)
    found = check(made.gold, work, measure="clusters", at_least=10)
    assert found.sentence == (
        "bob: 3 images with measured boxes, 7 more are needed; asked: at least 10 images"
    )
    assert [(row["group"]["annotator"], row["count"]) for row in found.rows] == [
        ("bob", 3),
        ("ann", 20),
    ]
    parts = check(made.gold, work, measure="clusters", by=["annotator", "category"], at_least=1)
    measured = Run(made.gold, work).measurements
    gold = made.gold
    distinct = {
        (
            work.annotator_ids[who],
            str(gold.category_names[gold.table.category[row]]),
            gold.table.image[row],
        )
        for row, who, used in zip(
            measured.reference, measured.annotator, measured.usable.any(axis=1), strict=True
        )
        if used
    }
    for row in parts.rows:
        group = row["group"]
        own = [one for one in distinct if one[:2] == (group["annotator"], group["category"])]
        assert row["count"] == len(own)


def test_who_has_nothing_measured_has_no_evidence(made):
    work = only(made.work, made.work.table.annotator == 0)
    found = check(made.gold, work, measure="clusters", at_least=1)
    assert found.sentence.startswith("bob: 0 images with measured boxes, 1 more is needed")
