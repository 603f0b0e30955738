"""Calibration of whole specs: clean annotators, and how many runs fail (AT34, AT39)."""

from __future__ import annotations

import numpy as np

from annqc.judge import judge, load_spec
from annqc.judge.inherit import profiles
from annqc.judge.model import Header, Rule, Spec
from annqc.measure.tolerance import Tolerance
from annqc.run.audit import Parameters
from annqc.run.audit import Run as Audit
from annqc.simulate import Habit, simulate

from .core import Run, calibrates, check_share

ANNOTATORS = 200
RUNS = 300
IMAGES = 20
OVERLAP = 50
LIMIT = 0.95
EDGES = ("left", "top", "right", "bottom")
RULES = (
    Rule(id="edges", measure="edge_offset"),
    Rule(id="recall", measure="recall", at_least=LIMIT),
)
PARAMETERS = Parameters(tolerance=Tolerance(px=1.0, rel=0.0))


def fleet(px, missed, *, alike):
    """Return annotators with one edge ``px`` too far out: the same one, or each their own."""
    usual = [Habit.misses(missed)] if missed else []
    habits = {}
    for k in range(ANNOTATORS):
        loose = [Habit.loose("right" if alike else EDGES[k % 4], px=px)] if px else []
        habits[f"ann-{k:03d}"] = [*usual, *loose]
    return habits


def failing(rng, n, habits, rules):
    """Judge n runs; return the share of them in which each rule fails."""
    spec = Spec(annqc=Header(), match=None, rules=rules)
    failed = np.zeros((n, len(rules)))
    for one in range(n):
        made = simulate(
            habits,
            n_images=IMAGES * ANNOTATORS // OVERLAP,
            overlap=OVERLAP,
            boxes_per_image=3.0,
            border=0.0,
            noise_px=1.5,
            noise_rel=0.0,
            rng=rng,
        )
        found = judge(Audit(made.gold, made.work, parameters=PARAMETERS), spec).checks
        failed[one] = [check.outcome == "fail" for check in found]
    return failed.mean(axis=0)


@calibrates("AT34")
def at34(run: Run):
    n = run.n(RUNS)
    edges, recall = RULES
    cells = (
        ("unbiased", fleet(0.0, 0.0, alike=False), edges, 0.05),
        ("each one edge at tolerance", fleet(1.0, 0.0, alike=False), edges, 0.05),
        # Whether everybody is off alike is one test at 5 %, and here it stands on its margin.
        ("all the same edge at tolerance", fleet(1.0, 0.0, alike=True), edges, 0.07),
        ("recall at the limit", fleet(0.0, 1 - LIMIT, alike=False), recall, 0.05),
    )
    for words, habits, rule, high in cells:
        (share,) = failing(run.rng("spec", words), n, habits, (rule,))
        yield check_share(
            "AT34",
            f"200 annotators, {words}",
            f"{rule.measure}: runs fail",
            share,
            n=n,
            full=RUNS,
            high=high,
        )


TEAMS = ((12, 200), (200, 50))
"""Annotators, and replications."""


@calibrates("AT39")
def at39(run: Run):
    """Judge clean annotators by a profile as it is: every rule has a chance of its own."""
    spec = load_spec(str(profiles()["boxes"]))
    for annotators, full in TEAMS:
        n = run.n(full)
        rng = run.rng("profile", annotators)
        team = {f"ann-{k:03d}": [Habit.misses(0.02), Habit.extras(0.02)] for k in range(annotators)}
        failed = np.zeros(n, dtype=bool)
        for one in range(n):
            made = simulate(
                team,
                n_images=40 * annotators // min(annotators, OVERLAP),
                overlap=min(annotators, OVERLAP),
                boxes_per_image=3.0,
                rng=rng,
            )
            failed[one] = judge(Audit(made.gold, made.work), spec).outcome == "fail"
        words = f"{annotators} clean annotators, profile boxes"
        yield check_share("AT39", words, "any rule fails", failed.mean(), n=n, full=full, high=0.05)
