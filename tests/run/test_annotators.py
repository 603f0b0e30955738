from dataclasses import replace

import numpy as np
import pytest

from annqc.run.audit import Run
from annqc.simulate import Habit, simulate


@pytest.fixture(scope="module")
def scores():
    made = simulate(
        {"ann": [], "bob": Habit.loose("top", px=6), "cid": Habit.gross(0.3), "dot": []},
        n_images=60,
        rng=2,
    )
    return Run(made.gold, made.work).score_columns()


def test_the_verdict_on_an_annotator(scores):
    verdicts = dict(zip(scores["annotator"], scores["verdict"], strict=True))
    assert verdicts["bob"] == "biased"
    assert verdicts["ann"] == verdicts["dot"] == "clean"
    worst = np.argmax(scores["worst_edge"])
    assert scores["annotator"][worst] == "bob"
    assert scores["p_worst"][worst] > 0.99
    assert scores["p_adjusted"][worst] < 1e-6


def test_far_off_boxes_are_counted():
    # Bob marks objects with a dot in the middle: nothing to pair, and yet plain what was meant.
    made = simulate(["ann", "bob"], n_images=20, boxes_per_image=1.0, border=0.0, rng=0)
    table = made.work.table
    bob = (table.annotator == 1)[:, None]
    centre = np.tile((table.xyxy[:, :2] + table.xyxy[:, 2:]) / 2, 2)
    boxes = np.where(bob, centre + (table.xyxy - centre) / 5, table.xyxy)
    work = replace(made.work, table=replace(table, xyxy=boxes))
    scores = Run(made.gold, work).score_columns()
    rates = dict(zip(scores["annotator"], scores["far_rate"], strict=True))
    assert rates == {"ann": 0.0, "bob": 1.0}
    assert scores["far_rate_low"][1] > 0.8


def test_everybody_on_the_same_images_needs_no_adjustment(scores):
    assert set(scores["component"]) == {0}
    assert not scores["weakly_linked"].any()
    drawn = scores["n_matched"] == scores["n_reference"]
    raw, adjusted = scores["mean_iou"][drawn], scores["iou_adjusted"][drawn]
    np.testing.assert_allclose(np.diff(adjusted), np.diff(raw), atol=0.02)


def test_a_lone_annotator_is_not_adjusted():
    made = simulate(["ann"], n_images=10, rng=0)
    scores = Run(made.gold, made.work).score_columns()
    assert np.isnan(scores["iou_adjusted"]).all()
    assert scores["component"].tolist() == [-1]
    assert scores["rank_low"].tolist() == scores["rank_high"].tolist() == [1]
