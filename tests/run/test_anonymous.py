"""Work of nobody in particular: it is measured, and nobody is accused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.run.anonymous import WHY
from tests.run.test_outlines import drawings

SPEC = {
    "annqc": {"version": 1},
    "rule": [
        {"id": "edges", "measure": "edge_offset"},
        {"id": "recall", "measure": "recall", "at_least": 0.5},
        {"id": "whole", "measure": "edge_offset", "by": []},
        {"id": "kinds", "measure": "edge_offset", "by": ["annotator", "category"]},
    ],
}


@pytest.fixture(scope="module")
def made():
    return annqc.simulate({"ann": Habit.loose("right", px=8), "bob": []}, n_images=60, rng=3)


def called(data, *names):
    return replace(data, annotator_ids=np.array(names, dtype=object), authors_known=True)


@pytest.fixture(scope="module")
def pooled(made):
    table = made.work.table
    one = replace(table, annotator=np.zeros_like(table.annotator))
    work = replace(made.work, table=one.take(table.annotator == 0), assigned=None)
    return annqc.audit(called(work, "anonymous"), made.gold)


def test_estimates_stay_and_verdicts_go(made, pooled):
    named = annqc.audit(called(pooled.work, "ann"), made.gold)
    ours, theirs = pooled.bias("annotator"), named.bias("annotator")
    assert (theirs["verdict"] == "biased").any()
    assert set(ours["verdict"]) == {"undecided"}
    assert set(ours["status"]) == {"anonymous"}
    assert ours[["p_value", "p_adjusted", "p_clean", "n_more"]].isna().all(axis=None)
    same = ["quantity", "estimate", "ci_low", "ci_high", "estimate_px", "n", "n_clusters"]
    assert ours[same].equals(theirs[same])
    strata = pooled.bias(("annotator", "category"))
    assert set(strata["verdict"]) == {"undecided"}
    assert "biased" in set(named.bias(("annotator", "category"))["verdict"])


def test_all_of_the_work_may_be_off(pooled):
    whole = pooled.bias(()).set_index("quantity")
    assert whole.loc["out_right", "verdict"] == "biased"


def test_scores_have_no_ranks(pooled):
    scores = pooled.scores()
    assert scores[["rank", "rank_low", "rank_high", "p_adjusted"]].isna().all(axis=None)
    assert (scores.loc[0, "verdict"], scores.loc[0, "status"]) == ("undecided", "anonymous")
    assert 0 < scores.loc[0, "recall"] <= 1


def test_among_people_with_names(made):
    """Those who are known are judged as ever; the rows that nobody signed are not."""
    audit = annqc.audit(called(made.work, "(unknown)", "bob"), made.gold)
    bias = audit.bias().groupby("annotator")["status"].agg(set)
    assert bias["(unknown)"] == {"anonymous"}
    assert "anonymous" not in bias["bob"]
    assert audit.scores().set_index("annotator")["rank"].notna().to_dict() == {
        "(unknown)": False,
        "bob": True,
    }
    text = " ".join(audit.summary().split())
    assert "Biased nobody, of 2 annotators" in text
    assert "(unknown): nobody in particular" in text
    assert audit.by == ("annotator",)


def test_a_rule_by_annotator_does_not_apply(pooled):
    checks = {one.id: one for one in pooled.judge(SPEC).checks}
    outcomes = {id: one.outcome for id, one in checks.items()}
    assert outcomes == {
        "edges": "not_applicable",
        "recall": "not_applicable",
        "whole": "fail",
        "kinds": "not_applicable",
    }
    assert checks["edges"].sentence == (
        "the annotators are anonymous, so that nobody can be judged by name; by = [] judges all of "
        "the work"
    )
    assert 'by = ["category"]' in checks["kinds"].sentence
    assert pooled.judge(SPEC, only=["edges"]).exit_code() == 3


def test_the_screen_speaks_of_the_work(pooled):
    assert pooled.by == ()
    text = " ".join(pooled.summary().split())
    assert "anonymous annotators" in text
    assert f"Mind {WHY}" in text
    assert "Biased all of the work together the right edge is " in text


def test_json_says_it_too(pooled):
    document = json.loads(pooled.to_json())
    assert document["compared"]["anonymous"] is True
    assert any(note.startswith(WHY) for note in document["notes"])
    assert document["parameters"]["by"] == []
    assert all("annotator" not in row for row in document["findings"])
    assert document["scores"][0]["rank"] is None


def test_outlines_of_nobody():
    matches, _ = drawings({"ann": 3.0, "bob": 0.0})
    work = called(matches.candidate, "unknown", "bob")
    audit = annqc.audit(work, matches.reference, tolerance="1 px")
    found = audit.outlines().groupby("annotator")[["verdict", "status"]].agg(set)
    assert set(audit.outlines(())["verdict"]) & {"clean", "biased"}
    assert found.loc["unknown", "verdict"] == {"undecided"}
    assert found.loc["unknown", "status"] == {"anonymous"}
    assert "anonymous" not in found.loc["bob", "status"]
    assert "unknown: the contour" not in audit.summary()


def test_a_saved_audit_stays_anonymous(pooled, tmp_path):
    again = annqc.load(pooled.save(tmp_path / "run"))
    assert again.bias("annotator").equals(pooled.bias("annotator"))
    assert again.summary() == pooled.summary()
