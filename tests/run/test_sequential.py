"""Findings that hold at every look: intervals, accusations by e-BH, and what they are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annqc.infer.sequential import cs_factor
from annqc.run.audit import Parameters, Run
from annqc.simulate import Habit, simulate
from tests.deliveries import on_images

FLEET = {"ann": [], "bob": Habit.loose("right", px=5), "cid": [], "dan": []}


@pytest.fixture(scope="module")
def made():
    return simulate(FLEET, n_images=40, rng=3)


def test_intervals_are_wider_and_verdicts_come_from_them(made):
    run = Run(made.gold, made.work)
    fixed, found = run.bias_columns(), run.sequential_columns()
    main = run.findings().estimates.located["tolerance"]
    half = (cs_factor(main.df, main.n_eff) * main.se).reshape(-1)
    np.testing.assert_allclose(found["ci_high"] - found["estimate"], half)
    assert (found["ci_high"] >= fixed["ci_high"]).all()
    assert (found["ci_low_px"] <= fixed["ci_low_px"]).all()
    clean = (found["ci_low"] > -found["margin"]) & (found["ci_high"] < found["margin"])
    assert ((found["verdict"] == "clean") == clean).all()
    accused = {
        (who, quantity)
        for who, quantity, verdict in zip(
            found["annotator"], found["quantity"], found["verdict"], strict=True
        )
        if verdict == "biased"
    }
    assert accused >= {("bob", "out_right"), ("bob", "dx"), ("bob", "dw")}
    assert {who for who, _ in accused} == {"bob"}
    assert np.isnan(found["p_value"]).all()


def test_few_images_say_how_many_more_it_takes(made):
    run = Run(made.gold, on_images(made.work, 7))
    found = run.sequential_columns()
    assert set(found["verdict"]) == {"undecided"}
    assert np.isinf(found["ci_high"]).all()
    more = found["n_more"][found["status"] == "ok"]
    assert len(more)
    assert (more >= 2).all()
    assert set(Run(made.gold, on_images(made.work, 4)).sequential_columns()["status"]) == {
        "too_few_clusters"
    }


def test_only_the_cells_that_are_asked_for_are_judged_together(made):
    run = Run(made.gold, on_images(made.work, 14))
    cells = run.bias_columns()["quantity"] == "out_right"
    found = run.sequential_columns(cells=cells)
    assert np.isnan(found["e_value"][~cells]).all()
    assert set(found["verdict"][~cells]) == {"undecided"}
    q, m = 0.05, int(cells.sum())
    enough = np.sort(found["e_value"][cells])[::-1] * np.arange(1, m + 1) * q >= m
    assert (found["verdict"][cells] == "biased").sum() == (
        np.flatnonzero(enough).max(initial=-1) + 1
    )


def test_cells_with_too_little_data_count_as_evidence_of_nothing(made):
    """Whoever is looked at first is not judged as if nobody else came."""
    work = made.work
    table = work.table.take((work.table.annotator == 1) | (work.table.image < 3))
    run = Run(made.gold, on_images(replace(work, table=table, n_rows=len(table)), 11))
    cells = run.bias_columns()["quantity"] == "out_right"
    found = run.sequential_columns(cells=cells)
    e = found["e_value"][cells]
    assert np.isnan(e).sum() == 3
    assert 20 < np.nanmax(e) < 4 * 20
    assert set(found["verdict"][cells]) == {"undecided"}
    bob = cells & (found["annotator"] == "bob")
    assert run.sequential_columns(cells=bob)["verdict"][bob].tolist() == ["biased"]


def test_the_order_of_the_images_within_a_look_does_not_matter(made):
    rng = np.random.default_rng(1)
    shuffled = replace(made.work, table=made.work.table.take(rng.permutation(len(made.work.table))))
    one = Run(made.gold, made.work).sequential_columns()
    other = Run(made.gold, shuffled).sequential_columns()
    np.testing.assert_allclose(one["e_value"], other["e_value"], rtol=1e-9)
    assert one["verdict"].tolist() == other["verdict"].tolist()


def test_what_everybody_does_is_the_same_offence_under_another_name():
    habits = {name: Habit.loose("right", px=4) for name in "abcdef"}
    made = simulate(habits, n_images=40, rng=2)
    found = Run(made.gold, made.work).sequential_columns()
    right = found["quantity"] == "out_right"
    assert set(found["verdict"][right]) == {"collective"}
    assert (found["e_value"][right] > 20).all()


def test_confidence_is_the_level_of_the_sequence(made):
    run = Run(made.gold, made.work, parameters=Parameters(confidence=0.8))
    strict = Run(made.gold, made.work).sequential_columns()
    found = run.sequential_columns()
    assert (found["ci_high"] < strict["ci_high"]).all()
    assert set(found["confidence_level"]) == {0.8}
