"""How likely the annotator is wrong and not the gold: the fit of both rates, and the votes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

import annqc
from annqc import Habit
from annqc.run.review.rates import annotator_wrong, log_odds_of


def test_votes_multiply_the_odds_by_less_each_and_by_64_at_most():
    factor = 1.0
    for votes in range(1, 12):
        factor *= 8.0 ** (0.5 ** (votes - 1))
        assert math.exp(log_odds_of(np.array([votes]))[0]) == pytest.approx(factor)
        assert math.exp(log_odds_of(np.array([-votes]))[0]) == pytest.approx(1 / factor)
    assert math.exp(log_odds_of(np.array([10**6]))[0]) == pytest.approx(64)
    assert log_odds_of(np.array([0]))[0] == 0


def by_hand(annotator, votes, asked, gold_rate, steps=200):
    """The mixture of both rates, in plain Python."""
    p = [0.5] * len(annotator)
    for _ in range(steps):
        usual = (0.005 * 500 + sum(p)) / (500 + sum(asked))
        gold = digamma(4 + sum(1 - one for one in p)) - math.log(4 / gold_rate + sum(asked))
        after = []
        for who, vote in zip(annotator, votes, strict=True):
            own = sum(one for one, a in zip(p, annotator, strict=True) if a == who)
            rate = digamma(0.3 + own) - math.log(0.3 / usual + asked[who])
            odds = rate - gold + float(log_odds_of(np.array([vote]))[0])
            after.append(1 / (1 + math.exp(-odds)))
        close = max(abs(a - b) for a, b in zip(p, after, strict=True)) < 1e-6
        p = after
        if close:
            break
    return [0.98 * one for one in p]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_it_is_the_mixture_of_both_rates(data):
    people = data.draw(st.integers(1, 4))
    n = data.draw(st.integers(1, 12))
    annotator = data.draw(st.lists(st.integers(0, people - 1), min_size=n, max_size=n))
    votes = data.draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    asked = data.draw(st.lists(st.integers(12, 500), min_size=people, max_size=people))
    rate = data.draw(st.sampled_from([0.005, 0.0005]))
    found = annotator_wrong(np.array(annotator), np.array(votes), np.array(asked), gold_rate=rate)
    np.testing.assert_allclose(found, by_hand(annotator, votes, asked, rate), atol=1e-6)
    assert (found <= 0.98).all()


def test_nobody_who_differs_is_no_difference():
    none = np.empty(0, dtype=np.int64)
    assert len(annotator_wrong(none, none, np.array([9]), gold_rate=0.005)) == 0


def test_what_everybody_has_is_the_gold_and_what_one_has_is_theirs():
    who = np.array([*range(8), *[3] * 30])
    found = annotator_wrong(who, np.zeros(38), np.full(8, 300), gold_rate=0.005)
    assert found[who == 3].min() > 0.85
    assert found[who != 3].max() < 0.1


def planted(fleet, seed, *, overlap, wrong):
    """Work against a gold some of whose objects were never there."""
    made = annqc.simulate(fleet, n_images=80 if overlap > 1 else 240, overlap=overlap, rng=seed)
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(len(made.gold)) < wrong)
    keep = made.gold.table.take(np.concatenate([np.arange(len(made.gold)), rows]))
    box = keep.xyxy.copy()
    box[len(made.gold) :, [0, 2]] += 3000.0  # where nothing is
    ids = np.arange(1, len(keep) + 1)
    table = replace(keep, xyxy=box, id=ids)
    return made, replace(made.gold, table=table, n_rows=len(table))


@pytest.mark.parametrize("overlap", [1, 3])
def test_on_a_clean_fleet_the_gold_is_suspected_and_not_the_annotators(overlap):
    names = ("ann", "bob", "cat", "dan", "eve", "fay")
    made, gold = planted({name: [] for name in names}, 5, overlap=overlap, wrong=0.01)
    found = annqc.audit(made.work, gold).review().to_frame()
    missed = found[found["kind"] == "missed"]
    assert len(missed) > 5
    assert missed["probability"].mean() < 0.35


@pytest.mark.parametrize("overlap", [1, 3])
def test_who_misses_much_is_suspected_all_the_same(overlap):
    fleet = {"ann": [], "bob": [], "cat": Habit.misses(0.1), "dan": [], "eve": []}
    made, gold = planted(fleet, 6, overlap=overlap, wrong=0.005)
    found = annqc.audit(made.work, gold).review().to_frame()
    missed = found[found["kind"] == "missed"]
    by = missed.groupby("annotator")["probability"].mean()
    assert by["cat"] > 0.85
    assert missed[missed["annotator"] != "cat"]["probability"].sum() < 1.5
