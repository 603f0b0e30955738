"""Whom a consensus does not name: no majority, little gold, copies, weak links, nobody."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc.report.consensus import consensus_screen
from annqc.report.terminal import make_console

LOOSE = annqc.Habit.loose("top", px=8)


def of(bias, **where):
    for name, value in where.items():
        bias = bias[bias[name] == value]
    return bias


def test_half_of_the_annotators_are_no_majority():
    made = annqc.simulate({"a": [], "b": LOOSE, "c": [], "d": LOOSE}, n_images=40, rng=1)
    bias = annqc.consensus(made.work).bias()
    assert "biased" not in set(bias["verdict"])
    top = of(bias, quantity="out_top")
    assert set(top["verdict"]) == {"disagree"}
    assert set(top["status"]) == {"no_majority"}
    assert top[["p_value", "p_adjusted", "n_more"]].isna().all(axis=None)
    assert set(of(bias, quantity="out_left")["verdict"]) == {"clean"}
    assert "a, b, c and d: out_top" in _screen(made.work)


def _screen(work):
    out = io.StringIO()
    consensus_screen(make_console(out, width=200), annqc.consensus(work))
    return out.getvalue()


@pytest.mark.parametrize(("n", "named"), [(4, False), (12, True)])
def test_little_gold_names_nobody(n, named):
    made = annqc.simulate(dict.fromkeys("abcd", LOOSE), n_images=60, rng=2)
    few = made.gold.table.take(made.gold.table.image < n)
    bias = annqc.consensus(made.work, gold=replace(made.gold, table=few)).bias()
    assert ("biased" in set(bias["verdict"])) == named
    assert ("too_few_gold" in set(bias["status"])) != named
    if not named:
        assert set(bias["verdict"]) == {"undecided"}
        assert bias["n_more"].isna().all()


def test_of_an_annotator_and_the_copies_of_another_nobody_is_named():
    made = annqc.simulate({"a": LOOSE, "b": []}, n_images=40, rng=3)
    frame = made.work.annotations
    copies = frame[frame["annotator"] == "a"].assign(annotator="c")
    work = annqc.read(type(frame)(np.concatenate([frame, copies]), columns=frame.columns))
    found = annqc.consensus(work)
    assert found.same_source.tolist() == [0, 1, 0]
    bias = found.bias()
    assert set(bias["status"]) == {"two_annotators"}
    top = of(bias, quantity="out_top")
    assert set(top["verdict"]) == {"disagree"}
    assert set(top["from"]) == {"other annotator"}
    assert np.abs(top["estimate_px"].astype(float) - [8, -8, 8]).max() < 1


def test_who_drew_for_themselves_has_a_source_of_their_own():
    made = annqc.simulate(["a", "b", "c"], n_images=40, rng=3)
    frame = made.work.annotations
    corners = ["x1", "y1", "x2", "y2"]
    whole = frame.assign(**{name: np.rint(frame[name]) for name in corners})
    for work in (made.work, annqc.read(whole)):
        assert annqc.consensus(work).same_source.tolist() == [0, 1, 2]


def test_of_two_the_whole_difference_is_given_and_nothing_to_wait_for():
    made = annqc.simulate({"a": LOOSE, "b": []}, n_images=40, rng=3)
    found = annqc.consensus(made.work)
    top = of(found.bias(), quantity="out_top").set_index("annotator")
    assert abs(top.loc["a", "estimate_px"] - 8) < 1
    assert top.loc["b", "estimate_px"] == -top.loc["a", "estimate_px"]
    assert top.loc["a", "ci_low_px"] < 8 < top.loc["a", "ci_high_px"] + 0.5
    assert found.bias()["n_more"].isna().all()
    assert f"a and b: out_top {top.loc['a', 'estimate_px']:.1f} px apart" in _screen(made.work)


def test_what_two_annotators_see_is_not_told():
    people = annqc.consensus(annqc.simulate(["a", "b"], n_images=20, rng=4).work).annotators()
    assert not people["existence_known"].any()
    assert people[["recall", "spurious_per_image"]].isna().all(axis=None)


def test_nobody_in_particular_has_no_verdict():
    made = annqc.simulate({"a": [], "b": [], "c": LOOSE}, n_images=40, rng=5)
    assert set(of(annqc.consensus(made.work).bias(), verdict="biased")["annotator"]) == {"c"}
    frame = made.work.annotations
    work = annqc.read(frame.assign(annotator=frame["annotator"].replace("c", "(unknown)")))
    bias = of(annqc.consensus(work).bias(), annotator="(unknown)")
    assert set(bias["verdict"]) == {"undecided"}
    assert set(bias["status"]) == {"anonymous"}
    assert bias[["p_value", "p_adjusted", "n_more"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence": 1.5}, {"confidence": 0.5}, {"confidence": "high"}, {"gold_sd": 0},
        {"gold_sd": float("nan")}, {"pair_iou": -1}, {"pair_iou": 2}, {"pair_iou": None},
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(wrong):
    made = annqc.simulate(["a", "b"], n_images=3, rng=1)
    with pytest.raises(annqc.AnnqcError, match=next(iter(wrong))):
        annqc.consensus(made.work, **wrong)
