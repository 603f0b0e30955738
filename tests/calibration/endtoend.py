"""Calibration of the whole audit: boxes drawn by sixty annotators, verdicts read off its table."""

from __future__ import annotations

import numpy as np

import annqc
from annqc.simulate import Habit, simulate
from annqc.tables import QUANTITIES

from .core import Run, calibrates, check_share

ANNOTATORS = 60
GUILTY = 9
FLEETS = 60
SIDE = 150.0
ICC = 0.05
EDGES = ("left", "top", "right", "bottom")


def verdicts_of(rng, n_images, bias):
    """Audit one fleet; return the verdicts as annotators x quantities.

    Student's t noise (2.5 degrees of freedom) of 1 px and 2 % of the side, 3 % gross mismatches,
    whole pixels, gold off by half a pixel, five objects on an image. The first nine annotators draw
    one edge ``bias`` of the side too far out. The bounds leave the size of the objects and the
    correlation inside an image open; both were chosen by trying: sides around 150 px and a
    correlation of .05 give the share of boxes above IoU 0.7 that goes with the bounds, 96 %. With
    the simulator's own scene (smaller objects, .1) power and clearance are lower.
    """
    sloppy = [Habit.gross(0.03)]
    fleet = {
        f"annotator-{k:02d}": [*sloppy, Habit.loose(EDGES[k % 4], rel=bias)]
        if bias and k < GUILTY
        else sloppy
        for k in range(ANNOTATORS)
    }
    made = simulate(
        fleet,
        n_images=n_images,
        boxes_per_image=np.full(n_images, 5),
        noise_px=1.0,
        noise_rel=0.02,
        noise_df=2.5,
        icc=ICC,
        gold_sd=0.5,
        grid=1.0,
        box_side=SIDE,
        rng=rng,
    )
    found = annqc.audit(made.work, made.gold).bias()
    table = found.pivot(index="annotator", columns="quantity", values="verdict")
    return table.loc[sorted(fleet), list(QUANTITIES)].to_numpy()


@calibrates("AT30")
def at30(run: Run):
    for n_images, low, high in ((10, 0.55, 0.85), (20, 0.96, np.inf), (40, 0.99, np.inf)):
        n = run.n(FLEETS)
        rng = run.rng("end to end", n_images)
        found, accused = [], []
        for _ in range(n):
            biased = verdicts_of(rng, n_images, 0.05) == "biased"
            edge = np.arange(GUILTY) % 4
            found.append(biased[np.arange(GUILTY), edge])
            accused.append(biased[GUILTY:].any(axis=1))
        scenario = f"A=60, 9 with +5 % on one edge, G={n_images}"
        yield check_share(
            "AT30",
            scenario,
            "power, that edge named",
            np.mean(found),
            n=n * GUILTY,
            full=FLEETS * GUILTY,
            low=low,
            high=high,
        )
        yield check_share(
            "AT30",
            scenario,
            "clean ones accused",
            np.mean(accused),
            n=n * (ANNOTATORS - GUILTY),
            full=FLEETS * (ANNOTATORS - GUILTY),
            high=0.005,
        )


@calibrates("AT31")
def at31(run: Run):
    for n_images, low in ((10, 0.90), (20, 0.985)):
        n = run.n(FLEETS)
        rng = run.rng("end to end, nobody biased", n_images)
        clean = [verdicts_of(rng, n_images, 0.0)[:, :4] == "clean" for _ in range(n)]
        yield check_share(
            "AT31",
            f"A=60, nobody biased, G={n_images}",
            "edges shown to be clean",
            np.mean(clean),
            n=n * ANNOTATORS,
            full=FLEETS * ANNOTATORS,
            low=low,
        )
