"""Calibration of "no worse than the baseline": noise and planted regressions (AT32, AT33)."""

from __future__ import annotations

import numpy as np

from annqc.judge import judge
from annqc.judge.model import Header, Rule, Spec
from annqc.run.audit import Run as Audit
from annqc.simulate import Habit
from tests.deliveries import deliveries

from .core import Run, calibrates, check_share

ANNOTATORS = 12
RUNS = 400
REGRESSIONS = 100
MEASURES = ("recall", "precision", "label_accuracy", "mean_iou", "edge_offset")
RULES = tuple(Rule(id=name, measure=name, no_worse_than="baseline") for name in MEASURES)
SPEC = Spec(annqc=Header(), match=None, rules=RULES)
SCENES = {
    "60 images": {"n_images": 60, "boxes_per_image": 5.0},
    "10 images": {"n_images": 10, "boxes_per_image": 5.0},
    "60 images, 1 object": {"n_images": 60, "boxes_per_image": 1.0},
}


def usual(*, misses=0.05, extras=0.05, wrong=0.05):
    """Return the habits of somebody who makes mistakes, as everybody does."""
    return [Habit.misses(misses), Habit.extras(extras), Habit.wrong_labels(wrong)]


def names():
    return [f"ann-{k:02d}" for k in range(ANNOTATORS)]


def failures(rng, n, scene, before, after):
    """Judge n pairs of deliveries; return which rules fail, and by whom: (n, rules, annotators)."""
    failed = np.zeros((n, len(MEASURES), ANNOTATORS), dtype=bool)
    order = {name: at for at, name in enumerate(names())}
    for one in range(n):
        gold, (old, new) = deliveries(before, after, rng=rng, noise_df=4.0, grid=1.0, **scene)
        earlier = Audit(gold, old)
        made = judge(Audit(gold, new), SPEC, baseline=lambda earlier=earlier: earlier)
        for at, check in enumerate(made.checks):
            found = check.assessment
            for row in np.flatnonzero(found.outcome == "fail"):
                failed[one, at, order[found.keys["annotator"][row]]] = True
    return failed


@calibrates("AT32")
def at32(run: Run):
    n = run.n(RUNS)
    fleet = {name: usual() for name in names()}
    for words, scene in SCENES.items():
        failed = failures(run.rng("ratchet", words), n, scene, fleet, fleet).any(axis=2)
        for at, name in enumerate(MEASURES):
            yield check_share(
                "AT32",
                f"12 unchanged annotators, {words}",
                f"{name}: fails",
                failed[:, at].mean(),
                n=n,
                full=RUNS,
                high=0.05,
            )


REGRESSED = {
    "recall": ("recall -.08", usual(misses=0.13), 0.42),
    "precision": ("precision -.07", usual(extras=0.13), 0.37),
    "label_accuracy": ("wrong labels +8 %", usual(wrong=0.13), 0.38),
    "mean_iou": ("jitter, IoU -.05", [*usual(), Habit.jitter(px=2.0)], 0.98),
    "edge_offset": ("one edge +2.5 px", [*usual(), Habit.loose("right", px=2.5)], 0.98),
}
"""What one annotator starts to do, and with what power that must be found."""


@calibrates("AT33")
def at33(run: Run):
    n = run.n(REGRESSIONS)
    before = {name: usual() for name in names()}
    for name, (words, habits, low) in REGRESSED.items():
        after = before | {"ann-00": habits}
        failed = failures(run.rng("regressed", name), n, SCENES["60 images"], before, after)
        at = MEASURES.index(name)
        yield check_share(
            "AT33",
            f"1 of 12: {words}, 60 images",
            f"{name}: power",
            failed[:, at, 0].mean(),
            n=n,
            full=REGRESSIONS,
            low=low,
        )
        yield check_share(
            "AT33",
            f"1 of 12: {words}, 60 images",
            "another one accused",
            failed[:, :, 1:].any(axis=2)[:, at].mean(),
            n=n,
            full=REGRESSIONS,
            high=0.05,
        )
