"""A consensus of several annotators: what is found, and what is not claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc.run.consensus import METHODS

HABITS = {
    "ann": [],
    "bob": annqc.Habit.loose("right", px=6),
    "cal": [],
    "dan": annqc.Habit.tight("top", px=5),
    "eve": annqc.Habit.misses(0.3),
    "fay": annqc.Habit.extras(0.3),
}


@pytest.fixture(scope="module")
def made():
    return annqc.simulate(HABITS, n_images=60, rng=1)


@pytest.fixture(scope="module")
def found(made):
    return annqc.consensus(made.work)


def accused(bias):
    named = bias[(bias["verdict"] == "biased") & bias["quantity"].str.startswith("out_")]
    return set(zip(named["annotator"], named["quantity"], strict=True))


def test_who_differs_is_named_without_gold(found):
    assert accused(found.bias()) == {("bob", "out_right"), ("dan", "out_top")}


def test_offsets_are_those_that_were_planted(found):
    bias = found.bias().set_index(["annotator", "quantity"])
    bob, dan = bias.loc[("bob", "out_right")], bias.loc[("dan", "out_top")]
    assert bob["ci_low_px"] - 0.3 <= 6 <= bob["ci_high_px"] + 0.3
    assert dan["ci_low_px"] - 0.3 <= -5 <= dan["ci_high_px"] + 0.3
    assert set(found.bias()["from"]) == {"median annotator"}


def test_who_misses_and_who_invents_is_seen(found):
    people = found.annotators().set_index("annotator")
    assert people.loc["eve", "recall"] == pytest.approx(0.7, abs=0.06)
    assert people["recall"].drop("eve").min() > 0.95
    assert people["spurious_per_image"].idxmax() == "fay"


def test_the_consensus_is_nearer_to_the_gold_than_plain_rules(made, found):
    table = found.comparison(made.gold).set_index("method")
    assert table["edge_rmse_px"].idxmin() == "model"
    assert table.loc["model", "recall"] >= table["recall"].max() - 0.005
    assert table.loc["model", "precision"] >= 0.99


def test_an_offset_that_everybody_has_is_not_seen_without_gold():
    habits = {name: annqc.Habit.loose("bottom", px=8) for name in ("a", "b", "c", "d")}
    made = annqc.simulate(habits, n_images=60, rng=2)
    assert accused(annqc.consensus(made.work).bias()) == set()


def test_a_little_gold_says_where_zero_is():
    habits = {name: annqc.Habit.loose("bottom", px=8) for name in ("a", "b", "c", "d")}
    made = annqc.simulate(habits, n_images=60, rng=2)
    few = made.gold.table.take(made.gold.table.image < 15)
    found = annqc.consensus(made.work, gold=replace(made.gold, table=few))
    assert {("a", "out_bottom"), ("d", "out_bottom")} <= accused(found.bias())
    assert set(found.bias()["from"]) == {"gold"}


def test_of_two_annotators_neither_is_the_culprit():
    made = annqc.simulate({"a": [], "b": annqc.Habit.loose("left", px=8)}, n_images=60, rng=3)
    bias = annqc.consensus(made.work).bias()
    assert accused(bias) == set()
    apart = bias[bias["verdict"] == "disagree"]
    assert set(apart["annotator"]) == {"a", "b"}
    assert "out_left" in set(apart["quantity"])
    assert set(bias["status"]) == {"two_annotators"}


def test_two_honest_annotators_do_not_disagree():
    made = annqc.simulate({"a": [], "b": []}, n_images=60, rng=4)
    assert "disagree" not in set(annqc.consensus(made.work).bias()["verdict"])


def test_few_images_decide_nothing():
    made = annqc.simulate(HABITS, n_images=4, rng=1)
    bias = annqc.consensus(made.work).bias()
    assert set(bias["verdict"]) == {"undecided"}
    assert set(bias["status"]) == {"too_few_clusters"}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_dataset_that_can_be_a_reference(made, method):
    data = annqc.consensus(made.work, method=method).dataset
    assert data.annotator_ids.tolist() == ["consensus"]
    audit = annqc.audit(made.work, data)
    assert audit.scores()["recall"].max() > 0.95


def test_labels_are_weighed():
    habits = {"a": [], "b": [], "c": [], "d": annqc.Habit.wrong_labels(0.5)}
    made = annqc.simulate(habits, n_images=60, rng=5)
    found = annqc.consensus(made.work)
    people = found.annotators().set_index("annotator")
    assert people["label_accuracy"].idxmin() == "d"
    assert found.comparison(made.gold).set_index("method").loc["model", "label_accuracy"] > 0.99


def test_offsets_beside_those_from_gold(made, found):
    both = found.against(made.gold)
    edges = both[both["quantity"].str.startswith("out_")]
    apart = np.abs(edges["estimate"] - edges["estimate_gold"])
    assert apart.max() < 0.5


def test_one_annotator_is_no_consensus():
    made = annqc.simulate(["a"], n_images=5, rng=1)
    with pytest.raises(annqc.AnnqcError, match="two annotators or more"):
        annqc.consensus(made.work)


def test_a_method_that_is_none_is_refused(made):
    with pytest.raises(annqc.UnknownNameError, match="did you mean 'median'"):
        annqc.consensus(made.work, method="medain")


def test_an_audit_without_gold_compares_everybody_with_the_others(made):
    audit = annqc.audit(made.work)
    assert accused(audit.bias()) == {("bob", "out_right"), ("dan", "out_top")}
    scores = audit.scores().set_index("annotator")
    assert scores.loc["eve", "recall_high"] < scores["recall_low"].drop("eve").min()
    assert scores.loc["fay", "precision_high"] < scores["precision_low"].drop("fay").min()
    assert "consensus_reference" in {one.kind for one in audit.issues}
    assert "no gold" in audit.summary()


def test_scores_without_gold_are_near_those_with_it(made):
    ours, theirs = (
        annqc.audit(made.work, gold).scores().set_index("annotator") for gold in (None, made.gold)
    )
    assert np.abs(ours["recall"] - theirs["recall"]).max() < 0.03
    assert np.abs(ours["precision"] - theirs["precision"]).max() < 0.03


@pytest.mark.parametrize("seed", range(6))
def test_the_offset_of_one_of_three_is_not_handed_on_to_the_others(seed):
    made = annqc.simulate(
        {"a": [], "b": [], "c": annqc.Habit.loose("right", px=6)}, n_images=40, rng=seed
    )
    named = {who for who, _ in accused(annqc.audit(made.work).bias())}
    assert named == {"c"}


def test_an_audit_of_one_annotator_needs_gold():
    with pytest.raises(annqc.AnnqcError, match="two annotators or more"):
        annqc.audit(annqc.simulate(["a"], n_images=3, rng=1).work)
