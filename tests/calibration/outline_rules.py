"""Calibration of rules on outlines.

Clean teams that fail, and one who dilates (AT46, AT47); and whoever passes though one outline in
thirty is all wrong, for want of having met one (AT48).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.judge import judge
from annqc.judge.model import Header, Rule, Spec
from annqc.measure.tolerance import Tolerance
from annqc.run.audit import Parameters
from annqc.run.audit import Run as Audit
from annqc.run.outline_scores import share_interval
from annqc.simulate import OutlineHabit, outlines

from .core import Run, calibrates, check_share

ANNOTATORS = 30
RUNS = 200
IMAGES = 20
OBJECTS = 3
SIDES = ("left", "top", "right", "bottom")
PARAMETERS = Parameters(tolerance=Tolerance(px=1.0, rel=0.0))
CONTOURS = Rule(id="contours", measure="contour_offset")


def team(habits):
    """Name the annotators, each with what they do wrong."""
    return {f"ann-{k:02d}": one for k, one in enumerate(habits)}


def judged(rng, habits, rule, *, images=IMAGES):
    """Draw outlines, all annotators on all images, and judge them by one rule."""
    made = outlines(
        habits,
        n_images=images,
        objects_per_image=[OBJECTS] * images,
        image_size=(400, 400),
        side=(30, 90),
        rng=rng,
    )
    # Boundary IoU takes longest and plays no part: without the sizes of the images there is none.
    nowhere = np.full(images, np.nan)
    table = replace(made.gold.image_table, width=nowhere, height=nowhere)
    sides = (replace(one, image_table=table) for one in (made.gold, made.work))
    spec = Spec(annqc=Header(), match=None, rules=(rule,))
    return judge(Audit(*sides, parameters=PARAMETERS), spec).checks[0]


def mean_iou(rng):
    """Return the mean IoU of a clean annotator, ten times as precise as that of one in a team."""
    one = judged(rng, team([()]), Rule(id="x", measure="mask_iou", at_least=0.5), images=4_000)
    return one.rows[0]["estimate"]


@calibrates("AT46")
def at46(run: Run):
    n = run.n(RUNS)
    one_side = [OutlineHabit.moved(SIDES[k % 4], 1.0) for k in range(ANNOTATORS)]
    cells = [
        ("clean", [()] * ANNOTATORS, CONTOURS, 0.05),
        ("each one side at tolerance", one_side, CONTOURS, 0.05),
        # Whether everybody is off alike is a test of its own. The bound is that of boxes with one
        # edge at the tolerance; here all five quantities stand on their margins at once.
        ("all dilated to tolerance", [OutlineHabit.dilated(1.0)] * ANNOTATORS, CONTOURS, 0.07),
    ]
    limit = mean_iou(run.rng("outline rules", "mean IoU"))
    agreed = Rule(id="agree", measure="mask_iou", at_least=limit)
    cells.append(("mask IoU at the limit", [()] * ANNOTATORS, agreed, 0.05))
    for words, habits, rule, high in cells:
        rng = run.rng("outline rules", words)
        failed = sum(judged(rng, team(habits), rule).outcome == "fail" for _ in range(n))
        yield check_share(
            "AT46",
            f"{ANNOTATORS} who draw outlines, {words}",
            f"{rule.measure}: runs fail",
            failed / n,
            n=n,
            full=RUNS,
            high=high,
        )


POWER = {20: 0.92, 40: 0.97}
"""Images, and how often at least somebody is found who dilates by half a tolerance too much."""


@calibrates("AT47")
def at47(run: Run):
    n = run.n(RUNS)
    habits = team([(), OutlineHabit.dilated(1.5), *[()] * (ANNOTATORS - 2)])
    for images, least in POWER.items():
        rng = run.rng("outline rules", "power", images)
        named = 0
        for _ in range(n):
            found = judged(rng, habits, CONTOURS, images=images)
            failed = {r["group"]["annotator"] for r in found.rows if r["outcome"] == "fail"}
            named += failed == {"ann-01"}
        words = f"1 of {ANNOTATORS} dilates 1.5 px, tolerance 1 px, G={images}"
        yield check_share("AT47", words, "named, alone", named / n, n=n, full=RUNS, low=least)


RARE = 0.03
GOOD, BAD = 0.98, 0.2
TEAMS = 4_000


@calibrates("AT48")
def at48(run: Run):
    """The limit is the true mean, so whoever passes does so wrongly: nominal 0.025."""
    truth = (1 - RARE) * GOOD + RARE * BAD
    for images, each in ((5, 4), (10, 4), (20, 4), (5, 20), (50, 4)):
        rng = run.rng("rare bad outlines", images, each)
        n = run.n(TEAMS)
        group = np.repeat(np.arange(n), images * each)
        cluster = np.tile(np.repeat(np.arange(images), each), n)
        hand = np.minimum(GOOD + 0.005 * rng.standard_normal(len(group)), 1.0)
        value = np.where(rng.random(len(group)) < RARE, BAD, hand)
        found = cluster_location(
            group, cluster, value, n_groups=n, rho0=0.0, robust=False, engine="numpy"
        )
        low, _, _ = share_interval(found)
        yield check_share(
            "AT48",
            f"3 % of outlines at IoU {BAD:g}, the rest at {GOOD:g}, {images} x {each}",
            "mask IoU: wrong passes",
            float((low > truth).mean()),
            n=n,
            full=TEAMS,
            high=0.025,
        )
