"""Agreement of annotators with each other, with themselves, and the ceiling."""

from __future__ import annotations

import pytest

import annqc


@pytest.fixture(scope="module")
def made():
    habits = {"ann": [], "bob": [], "eve": annqc.Habit.misses(0.4)}
    return annqc.simulate(habits, n_images=40, rng=1)


def test_alpha_of_careful_annotators_is_high_and_misses_lower_it(made):
    careful = annqc.simulate(["ann", "bob", "cal"], n_images=40, rng=1)
    high, low = (
        annqc.agreement(one.work).alpha().set_index(["kind", "category"]).loc[("box", "all")]
        for one in (careful, made)
    )
    assert high["low"] > low["high"]
    assert high["n_images"] == 40


def test_alpha_does_not_see_what_everybody_does():
    """The page says so, and it is so."""
    clean = annqc.simulate(["a", "b", "c"], n_images=40, rng=3)
    loose = annqc.Habit.loose("right", px=6)
    all_off = annqc.simulate({"a": loose, "b": loose, "c": loose}, n_images=40, rng=3)
    one, other = (
        annqc.agreement(made.work).alpha()["estimate"].iloc[0] for made in (clean, all_off)
    )
    assert other == pytest.approx(one, abs=0.03)


def test_every_two_annotators_with_intervals(made):
    pairs = annqc.agreement(made.work).pairs()
    assert len(pairs) == 3
    with_eve = pairs[(pairs["first"] == "eve") | (pairs["second"] == "eve")]
    without = pairs.drop(with_eve.index).iloc[0]
    assert with_eve["f1_high"].max() < without["f1_low"]
    assert (pairs["n_images"] > 30).all()


def test_the_offset_between_two_is_shown():
    made = annqc.simulate({"a": [], "b": annqc.Habit.loose("left", px=7)}, n_images=40, rng=2)
    pair = annqc.agreement(made.work).pairs().iloc[0]
    assert pair["out_left_px"] == pytest.approx(7, abs=1)
    assert pair["out_right_px"] == pytest.approx(0, abs=1)


def test_a_person_at_two_times():
    made = annqc.simulate(["ann", "ann-2", "bob", "bob-2"], n_images=30, rng=1)
    found = annqc.agreement(made.work).repeatability([("ann", "ann-2"), ("bob", "bob-2")])
    assert found[["first", "second"]].values.tolist() == [["ann", "ann-2"], ["bob", "bob-2"]]
    assert (found["mean_iou_low"] > 0.8).all()


def test_the_ceiling_lies_above_what_was_reached():
    made = annqc.simulate(["a", "b", "c", "d"], n_images=60, gold_sd=1.5, rng=1)
    found = annqc.agreement(made.work).ceiling(made.gold).set_index("of")["mean_iou"]
    assert found["single"] < found["consensus"] < found["perfect"] < 1


def test_one_annotator_agrees_with_nobody():
    with pytest.raises(annqc.AnnqcError, match="two annotators or more"):
        annqc.agreement(annqc.simulate(["a"], n_images=3, rng=1).work)
