from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.simulate.works import coco_like, make_work


def test_w1_has_the_shape_it_is_known_by():
    made = make_work("w1")
    gold, work = made.gold.table, made.work.table
    assert (len(made.gold.image_table), len(gold), len(work)) == (5_000, 36_000, 36_035)
    assert len(made.gold.category_ids) == 80
    assert len(np.unique(gold.category)) == 80
    counts = [np.bincount(one.image, minlength=5_000) for one in (gold, work)]
    assert (counts[0] * counts[1]).sum() == pytest.approx(591_389, rel=0.02)
    keys = [np.bincount(one.image * 80 + one.category, minlength=400_000) for one in (gold, work)]
    assert (keys[0] * keys[1]).sum() == pytest.approx(59_870, rel=0.02)
    assert ((keys[0] > 0) & (keys[1] > 0)).sum() == pytest.approx(26_512, rel=0.03)
    assert np.array_equal(work.id, np.arange(1, 36_036))
    assert len(made.origin) == len(work)
    again = make_work("w1")
    assert np.array_equal(again.work.table.xyxy, work.xyxy)


def test_every_annotator_has_the_number_that_was_asked_for():
    made = coco_like(60, 500, annotators=4, each=495, rng=2)
    assert np.bincount(made.work.table.annotator).tolist() == [495] * 4
    total = coco_like(60, 500, annotators=6, overlap=4, total=1_993, rng=3)
    assert len(total.work) == 1_993
    assert len(total.work.assigned) == 240
    assert len(coco_like(20, 100, annotators=1, rng=1).gold) == 100


def test_unknown_work():
    with pytest.raises(UnknownNameError, match="did you mean 'million'"):
        make_work("milion")


@pytest.mark.parametrize("size", [{"each": 520}, {"each": 100}, {"total": 9_999}])
def test_a_number_that_cannot_be_met_is_refused(size):
    with pytest.raises(SpecError, match="expected: "):
        coco_like(60, 500, annotators=4, rng=2, **size)
