"""Counts of errors and of boxes drawn again, and the units of error rates, beside loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import UnknownNameError
from annqc.ids import ids_array
from annqc.run.audit import Run
from annqc.run.counts import drawn_again, error_units
from annqc.simulate import Habit, simulate
from annqc.tables import ERROR_KINDS, Annotations, Dataset, Images


@pytest.fixture(scope="module")
def run():
    habits = {
        "ann": [],
        "bob": [Habit.misses(0.2), Habit.extras(0.2), Habit.wrong_labels(0.1)],
        "cid": [Habit.shift(dx=25), Habit.splits(0.3)],
        "dot": [Habit.duplicates(0.2)],
    }
    made = simulate(habits, n_images=40, rng=7)
    return Run(made.gold, made.work, engine="numpy")


KINDS = [(), ("missed",), ("spurious", "duplicate"), ("near_miss", "far", "split"), ("loose_box",)]


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("by", [("annotator",), (), ("category",), ("annotator", "category")])
def test_errors_are_counted_as_in_the_table(run, by, kinds):
    columns = run.count_columns("error_count", by, kinds=kinds)
    table = run.errors()
    table = table[table.kind.isin(kinds or ERROR_KINDS)]
    # what has no gold is of its own category
    table["category"] = table.category.fillna(table.candidate_category)
    expected = table.groupby(list(by)).size().to_dict() if by else {(): len(table)}
    keys = zip(*(columns[name].tolist() for name in by), strict=True) if by else [()]
    found = {
        (key if len(by) != 1 else key[0]): count
        for key, count in zip(keys, columns["count"].tolist(), strict=True)
    }
    assert {key: count for key, count in found.items() if count} == expected
    assert len(found) == {0: 1, 1: 4 if by == ("annotator",) else 5, 2: 20}[len(by)]


@pytest.mark.parametrize("kinds", KINDS)
def test_units_of_an_error_rate_are_counted_once_each(run, kinds):
    table = run.errors()
    pairs = run.pairs
    wanted = table[table.kind.isin(kinds or ERROR_KINDS)]
    units = error_units(run, ("annotator",), kinds)
    for code, who in enumerate(["ann", "bob", "cid", "dot"]):
        own = pairs[pairs.annotator == who]
        drawn = set(own.annotation_id[own.status.isin(["matched", "mislabelled", "spurious"])])
        all_errors = table[table.annotator == who]
        stood_for = set(all_errors.reference_id[all_errors.annotation_id.isin(drawn)].dropna())
        missed = set(own.reference_id[own.status == "missed"])
        alone = {
            one
            for one in missed
            if not ((own.reference_id == one) & own.partner_annotation_id.isin(drawn)).any()
        }
        assert alone >= missed - stood_for
        mine = wanted[wanted.annotator == who]
        wrong = len(drawn & set(mine.annotation_id)) + len(
            alone & set(mine.reference_id[mine.annotation_id.isna()])
        )
        rows = units.group == code
        assert rows.sum() == len(drawn) + len(alone)
        assert units.wrong[rows].sum() == wrong


def test_an_error_rate_is_that_of_its_units(run):
    units = error_units(run, ("annotator",))
    columns = run.rate_columns("error_rate", limit=0.1, at_least=False)
    for code in range(4):
        rows = units.group == code
        assert columns["estimate"][code] == pytest.approx(units.wrong[rows].mean())
        assert columns["n"][code] == rows.sum()
    assert columns["p_value"][columns["ci_low"] > 0.1].max() < 0.025


def one_image(boxes, who="ann"):
    names = ids_array(["car", "dog"])
    return Dataset(
        Annotations.build(
            image=[0] * len(boxes),
            annotator=[0] * len(boxes),
            category=[one[4] for one in boxes],
            xyxy=np.array([one[:4] for one in boxes], dtype=float).reshape(-1, 4),
        ),
        Images.build(ids_array(["a.jpg"])),
        ids_array([who]),
        names,
        names,
        assigned=np.array([[0, 0]]),
    )


A, B = (0, 0, 10, 10, 0), (0, 0, 10, 10.5, 0)


@pytest.mark.parametrize(
    ("boxes", "again"),
    [
        ([A], 0),
        ([A, A], 1),
        ([A, A, A], 2),
        ([A, B], 1),  # one object, nearly the same box
        ([A, A, B], 2),
        ([A, A, B, B], 3),
        ([A, (0, 0, 10, 10, 1)], 1),  # of another category: a duplicate to the match alone
        ([(50, 50, 60, 60, 0)] * 3, 2),  # around nothing, three times
        ([(50, 50, 60, 60, 0), (50, 50, 60, 61, 0)], 0),  # around nothing, and not the same
    ],
)
def test_what_is_drawn_again(boxes, again):
    run = Run(one_image([A], "gold"), one_image(boxes), engine="numpy")
    assert len(drawn_again(run)) == again
    assert run.count_columns("duplicates")["count"].tolist() == [again]


@given(st.lists(st.sampled_from([(k, k, k + 9, k + 9, c) for k in (0, 50) for c in (0, 1)])))
def test_of_equal_boxes_all_but_one_are_drawn_again(boxes):
    run = Run(one_image([], "gold"), one_image(boxes), engine="numpy")
    assert len(drawn_again(run)) == len(boxes) - len(set(boxes))


def test_what_cannot_be_counted_is_refused(run):
    with pytest.raises(UnknownNameError, match="did you mean 'duplicates'"):
        run.count_columns("duplicate")
    with pytest.raises(UnknownNameError, match="did you mean 'recall'"):
        run.rate_columns("recal", limit=0.5, at_least=True)
    with pytest.raises(UnknownNameError, match="did you mean 'clusters'"):
        run.coverage_columns("cluster")
    with pytest.raises(UnknownNameError, match="did you mean 'category'"):
        run.count_columns("error_count", "categry")
