"""A review queue catches more errors than an order by IoU, and says how likely they are."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.run.review import queue_rows
from tests.calibration.review import caught, curves, iou_order, reliability, stage


@pytest.mark.parametrize("overlap", [1, 3])
def test_it_catches_more_than_by_iou_and_at_random(overlap):
    found = curves(range(5), overlap=overlap, n_images=120)
    ours, by_iou, random, errors = found.mean(axis=0)
    assert (ours >= by_iou).all()
    assert (ours[1:] > by_iou[1:] + 0.05).all()
    assert (ours > 2 * random).all()
    # Nobody can catch more than as many errors as annotations were looked at.
    assert (ours <= np.array([0.05, 0.1, 0.2]) / errors + 1e-9).all()


def test_without_gold_it_finds_what_others_do_not_have():
    staged = stage(1, n_images=120, overlap=4, without_gold=True)
    drawn = queue_rows(staged.audit)["candidate"]
    found = staged.wrong_drawn[drawn[drawn >= 0]]
    share = staged.wrong_drawn.mean()
    assert found[: staged.n_units // 20].mean() > max(0.7, 2 * share)


def test_of_what_is_said_to_be_likely_as_much_holds():
    _, said, held = reliability(range(6))
    sure, unlikely = said >= 0.9, said < 0.1
    assert abs(said[sure].mean() - held[sure].mean()) < 0.03
    assert abs(said[unlikely].mean() - held[unlikely].mean()) < 0.04
    assert abs(said.sum() - held.sum()) < 0.1 * held.sum()


def test_the_orders_are_about_the_same_annotations():
    staged = stage(3)
    by_iou, _ = iou_order(staged, 3)
    assert len(by_iou) >= staged.n_units - 0.02 * staged.n_units
    assert caught(np.sort(by_iou)[::-1], staged)[2] > caught(by_iou, staged)[2]
