"""A check whose groups are thought over: its outcome, counts and sentence go with them."""

from __future__ import annotations

import annqc
from annqc import Habit

RULE = {"id": "recall", "measure": "recall", "at_least": 0.95, "by": ["annotator"]}


def test_outcome_counts_and_sentence_follow():
    who = {"ann": Habit.misses(0.3), "bob": [], "cem": Habit.misses(0.4)}
    made = annqc.simulate(who, n_images=60, rng=1)
    audit = annqc.audit(made.work, made.gold)
    check = audit.judge({"annqc": {"version": 1}, "rule": [RULE]}).checks[0]
    assert check.counts == {"pass": 1, "fail": 2, "undecided": 0}
    outcome = check.assessment.outcome.copy()
    outcome[[name == "cem" for name in check.assessment.keys["annotator"]]] = "undecided"
    again = check.reconsidered(outcome, "for a reason")
    assert (again.outcome, again.counts["fail"], again.counts["undecided"]) == ("fail", 1, 1)
    assert "ann: recall" in again.sentence
    assert "cem" not in again.sentence
    assert again.sentence.endswith("for a reason")
    assert check.counts["fail"] == 2  # the first is as it was
    outcome[outcome == "fail"] = "undecided"
    none = check.reconsidered(outcome)
    assert (none.outcome, none.evidence) == ("undecided", ())
