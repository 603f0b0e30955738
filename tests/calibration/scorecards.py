"""Calibration of scorecards: honest vendors at the limits, a page each (AT150).

All rules are just kept: every right edge is as far out as the tolerance, and one object in twenty
is left out. The level is 0.2, so that few deliveries show what is done about many pages: a page by
itself would be refused for its recall in a tenth of all cases.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annqc.judge import load_spec
from annqc.measure.tolerance import Tolerance
from annqc.report.scorecard.people import people_of
from annqc.run.audit import Parameters
from annqc.run.audit import Run as Audit
from annqc.run.scorecard.checks import judge_units
from annqc.run.scorecard.ranks import accused_units
from annqc.run.scorecard.units import cut
from annqc.simulate import Habit, simulate

from .core import Run, calibrates, check_share

DELIVERIES = 200
VENDORS, PEOPLE = 10, 4
IMAGES, OVERLAP = 100, 5
CONFIDENCE = 0.8
PARAMETERS = Parameters(tolerance=Tolerance(px=3.0, rel=0.0), confidence=CONFIDENCE)
RULES = [
    {"id": "edges", "measure": "edge_offset", "by": []},
    {"id": "recall", "measure": "recall", "at_least": 0.95, "by": []},
    {"id": "named", "measure": "recall", "at_least": 0.95, "by": ["annotator"]},
]


@calibrates("AT150")
def at150(run: Run):
    n = run.n(DELIVERIES)
    rng = run.rng("AT150")
    spec = load_spec({"annqc": {"version": 1}, "rule": RULES})
    habits = [Habit.loose("right", px=3), Habit.misses(0.05)]
    fleet = {f"v{k // PEOPLE}-{k}": habits for k in range(VENDORS * PEOPLE)}
    refused = np.zeros((n, len(RULES)))
    named, biased, off = (np.zeros(n) for _ in range(3))
    for one in range(n):
        made = simulate(fleet, n_images=IMAGES, overlap=OVERLAP, rng=rng)
        names = made.work.annotator_ids[made.work.table.annotator].tolist()
        column = np.array([name.partition("-")[0] for name in names], dtype=object)
        work = replace(made.work, table=replace(made.work.table, extra={"vendor": column}))
        audit = Audit(made.gold, work, parameters=PARAMETERS)
        found = cut(audit, vendor="vendor")
        for held in judge_units(found, spec):
            checks = held.judgement.checks
            refused[one] += [check.outcome == "fail" for check in checks]
            named[one] += (checks[-1].assessment.outcome == "fail").sum()
        biased[one] = sum(who["standing"] == "biased" for who in people_of(audit).told.values())
        off[one] = accused_units(cut(audit, vendor="annotator")).any(axis=1).sum()
    pages = {"n": n * VENDORS, "full": DELIVERIES * VENDORS}
    people = {"n": n * VENDORS * PEOPLE, "full": DELIVERIES * VENDORS * PEOPLE}
    scenario = f"{VENDORS} vendors of {PEOPLE} at the limits, level {1 - CONFIDENCE:g}"
    for k, rule in enumerate(RULES):
        share = refused[:, k].sum() / pages["n"]
        words = f"pages refused, {rule['id']}"
        yield check_share("AT150", scenario, words, share, high=0.03, **pages)
    shares = {"people named": named, "people biased": biased, "people off, a page each": off}
    for words, count in shares.items():
        yield check_share("AT150", scenario, words, count.sum() / people["n"], high=0.012, **people)
