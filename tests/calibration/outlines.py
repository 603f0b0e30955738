"""Calibration of contour offsets: what was planted is in the interval as often as it says.

Annotators draw outlines 1.5 px too large all around, or 2 px too far out on one side, as polygons
and as masks. Each has 40 images with three objects, and gold of their own, so that they are
independent.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import stats

from annqc.geometry import contour_pairs, mask_pairs
from annqc.infer.cht import cluster_location
from annqc.simulate import OutlineHabit, outlines

from .core import Run, calibrates, check_share, check_value

FULL = 400
AT_ONCE = 10
IMAGES = 40
SIDES = ((30, 60), (60, 120), (120, 300))
HABITS = {
    "dilated 1.5": (OutlineHabit.dilated(1.5), 0),
    "right out 2": (OutlineHabit.moved("right", 2.0), 3),
}


def measured(drawn_as, gold, work, method):
    """Return the offsets of all pairs: whole, left, top, right, bottom."""
    rows = np.arange(len(gold))
    if drawn_as == "mask":
        found = mask_pairs.contour_offsets(gold, work, rows, rows, method=method, engine="numba")
        return found.offset[:, :5]
    symmetric = method == "outlines"
    found = contour_pairs.contour_offsets(
        gold, work, rows, rows, symmetric=symmetric, engine="numba"
    )
    return np.column_stack([found.whole, found.sides])


@cache
def located(run: Run, drawn_as: str, habit: str, side: tuple[int, int], method: str):
    """Estimate every annotator's offset: estimate less truth, and half width of the interval."""
    planted, column = HABITS[habit]
    rng = run.rng("outlines", drawn_as, habit, side)
    parts = []
    for first in range(0, run.n(FULL), AT_ONCE):
        n = min(AT_ONCE, run.n(FULL) - first)
        made = outlines(
            {"ann": planted},
            n_images=n * IMAGES,
            objects_per_image=[3] * (n * IMAGES),
            image_size=(600, 560),
            side=side,
            drawn_as=drawn_as,
            rng=rng,
        )
        image = made.gold.table.image
        y = measured(drawn_as, made.gold.table.shapes, made.work.table.shapes, method)[:, column]
        found = cluster_location(image // IMAGES, image, y, n_groups=n)
        half = stats.t.ppf(0.975, found.df) * found.se
        parts.append(np.stack([found.estimate - np.nanmean(made.offsets[:, column]), half]))
    return np.concatenate([one.reshape(2, -1) for one in parts], axis=1)


def lines(run: Run, id: str, drawn_as: str):
    size = {"n": run.n(FULL), "full": FULL}
    # Large masks take long: a small run leaves them out.
    sides = SIDES if run.scale > 0.1 else SIDES[:2]
    for habit in HABITS:
        for side in sides:
            error, half = located(run, drawn_as, habit, side, "outlines")
            scenario = f"{drawn_as}s {side[0]}-{side[1]} px, {habit} px, G={IMAGES}"
            covered = (np.abs(error) <= half).mean()
            yield check_share(id, scenario, "coverage of 95 %", covered, low=0.90, **size)
            extra = error.std() * np.sqrt(max(1 / size["n"] - 1 / FULL, 0.0))
            yield check_value(
                id, scenario, "bias in px", error.mean(), low=-0.06, high=0.03, extra_se=extra
            )


@calibrates("AT41")
def at41(run: Run):
    yield from lines(run, "AT41", "polygon")


@calibrates("AT42")
def at42(run: Run):
    yield from lines(run, "AT42", "mask")


@calibrates("AT43")
def at43(run: Run):
    """What the border pixels of masks give falls short, as the documentation says."""
    for habit in HABITS:
        error, half = located(run, "mask", habit, (30, 60), "pixels")
        scenario = f"masks 30-60 px by pixels, {habit} px"
        extra = error.std() * np.sqrt(max(1 / run.n(FULL) - 1 / FULL, 0.0))
        yield check_value("AT43", scenario, "bias in px", error.mean(), high=-0.15, extra_se=extra)
        covered = (np.abs(error) <= half).mean()
        yield check_share(
            "AT43", scenario, "coverage of 95 %", covered, n=len(error), full=FULL, high=0.5
        )
