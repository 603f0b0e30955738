"""A review queue catches more errors than an order by IoU, and says how likely they are."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.run.review import queue_rows
from annqc.run.review.rows import KINDS
from tests.calibration.review import (
    caught,
    curves,
    iou_order,
    main,
    reliability,
    stage,
    units_of,
)


@pytest.mark.parametrize("overlap", [1, 3])
def test_it_catches_more_than_by_iou_and_at_random(overlap):
    found = curves(range(5), overlap=overlap, n_images=120)
    ours, by_iou, random, best = found["all"].mean(axis=0)
    assert (ours >= by_iou).all()
    assert (ours[1:] > by_iou[1:] + 0.05).all()
    assert (ours > 2 * random).all()
    # Nobody can catch more than as many errors as annotations were looked at.
    assert (ours <= best + 1e-9).all()


@pytest.mark.parametrize("overlap", [1, 3])
@pytest.mark.parametrize("fleet", ["many", "few"])
@pytest.mark.parametrize("sort", ["slips", "bias"])
def test_neither_slips_nor_habits_are_found_later_than_by_iou(sort, fleet, overlap):
    n_images = 240 if overlap == 1 else 80
    found = curves(range(300, 308), fleet=fleet, overlap=overlap, n_images=n_images)[sort]
    more = found[:, 0] - found[:, 1]
    noise = more.std(axis=0, ddof=1) / np.sqrt(len(more))
    assert (more.mean(axis=0) >= -2 * noise).all()


def test_without_gold_it_finds_what_others_do_not_have():
    staged = stage(1, n_images=120, overlap=4, without_gold=True)
    drawn = queue_rows(staged.audit)["candidate"]
    found = staged.wrong_drawn[drawn[drawn >= 0]]
    share = staged.wrong_drawn.mean()
    assert found[: staged.n_units // 20].mean() > max(0.7, 2 * share)


@pytest.mark.parametrize("overlap", [1, 3])
@pytest.mark.parametrize("fleet", ["many", "few", "none"])
def test_of_what_is_said_to_be_likely_as_much_holds(fleet, overlap):
    n_images = 240 if overlap == 1 else 80
    seeds = range(300, 310)
    _, said, held, rank = reliability(seeds, fleet=fleet, overlap=overlap, n_images=n_images)
    unlikely = said < 0.1
    assert abs(said[unlikely].mean() - held[unlikely].mean()) < 0.01
    if fleet != "none":
        sure = said >= 0.9
        assert abs(said[sure].mean() - held[sure].mean()) < 0.05
    first = rank < 100
    n = len(seeds)
    assert abs(said[first].sum() - held[first].sum()) / n < 7


def test_on_a_clean_fleet_no_difference_with_the_gold_is_held_against_anybody():
    for overlap, most in ((1, 0.4), (3, 0.02)):
        n_images = 240 if overlap == 1 else 80
        kinds, said, _, _ = reliability(
            range(300, 306), fleet="none", overlap=overlap, n_images=n_images
        )
        some = np.isin(kinds, [KINDS.index(k) for k in ("missed", "spurious", "mislabelled")])
        assert some.sum() > 50
        assert said[some].mean() < most


def test_the_orders_are_about_the_same_annotations():
    staged = stage(3)
    by_iou = units_of(staged, *iou_order(staged, 3))
    assert len(by_iou) >= staged.n_units - 0.02 * staged.n_units
    assert caught(np.sort(by_iou)[::-1], staged)[2] > caught(by_iou, staged)[2]


def test_the_command_prints_three_sorts_for_each_number_of_annotators(capsys):
    main(["--seeds", "2", "--n-images", "20"])
    lines = capsys.readouterr().out.splitlines()
    for n in (3, 1):
        head = f"many errors, {n} annotators an image, 20 images"
        begin = lines.index(head)
        for sort in ("all", "slips", "bias"):
            assert any(line.startswith(f"  {sort}: caught") for line in lines[begin : begin + 20])
