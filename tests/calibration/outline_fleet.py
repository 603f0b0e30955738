"""Calibration of verdicts on contours: who of forty is accused, and what is found (AT44, AT45).

From drawing to verdict: annotators who are as far off as the margin allows, half of them dilated
and half eroded by it, so that any accusation is one too many; and fleets in which some are wrong on
one class, or on large objects, alone.
"""

from __future__ import annotations

import numpy as np

from annqc.infer.verdicts import BIASED
from annqc.match import match
from annqc.measure.outlines import CONTOURS, measure_outlines
from annqc.measure.tolerance import Tolerance
from annqc.run.outlines import find_outlines
from annqc.simulate import OutlineHabit, outlines
from annqc.tables import Annotations, Shapes

from .core import Run, calibrates, check_share

ANNOTATORS = 40
GUILTY = 4
FULL = 200
FULL_PLANTED = 60
TOLERANCE = Tolerance.parse("1 px")
SCENE = {"image_size": (400, 300), "side": (30, 60), "categories": 2}


def drawn(habits, seed, n_images, **more):
    scene = SCENE | more
    return outlines(habits, n_images=n_images, objects_per_image=[2] * n_images, rng=seed, **scene)


def verdicts(made, by):
    matches = match(made.gold, made.work)
    measured = measure_outlines(matches, tolerance=TOLERANCE, engine="numba")
    return find_outlines(matches, measured, by, engine="numba")


@calibrates("AT44")
def at44(run: Run):
    """The bound at the margin is that of the global null of boxes, AT11.

    All 200 tests stand on their margins at once, and with 20 images the far tails of the Huber t
    are 1.2 to 1.4 times too heavy, for normal numbers in place of outlines just as well.
    """
    size = {"n": run.n(FULL), "full": FULL}
    for off, by, bound in (
        (0.9, ("annotator",), 0.05),
        (1.0, ("annotator",), 0.11),
        (1.0, ("annotator", "category"), 0.11),
    ):
        seeds = run.rng("fleet at the margin", by).integers(0, 2**32, size["n"])
        habits = {f"a{k:02}": OutlineHabit.dilated(off * (-1) ** k) for k in range(ANNOTATORS)}
        anyone, accused = [], []
        for seed in seeds.tolist():
            found = verdicts(drawn(habits, seed, 20), by)
            anyone.append(found.accusation.accused.any())
            accused.append(found.accusation.accused.mean())
        scenario = f"A={ANNOTATORS}, off by {off:g} margins, G=20, by {','.join(by)}"
        share = np.mean(anyone)
        yield check_share("AT44", scenario, "P(any accusation)", share, high=bound, **size)
        one = {name: ANNOTATORS * count for name, count in size.items()}
        yield check_share("AT44", scenario, "clean accused", np.mean(accused), high=0.005, **one)


def planted(seed, wrong_rows, *, n_images, **scene):
    """A fleet in which the first four dilate some of their outlines by 3 px."""
    names = [f"a{k:02}" for k in range(ANNOTATORS)]
    clean = drawn(names, seed, n_images, **scene)
    wrong = drawn(dict.fromkeys(names, OutlineHabit.dilated(3.0)), seed, n_images, **scene)
    table, other = clean.work.table, wrong.work.table
    swapped = (table.annotator < GUILTY) & wrong_rows(clean)
    rows = np.where(swapped, np.arange(len(table)) + len(table), np.arange(len(table)))
    made = Annotations.build(
        image=table.image,
        annotator=table.annotator,
        category=table.category,
        xyxy=np.where(swapped[:, None], other.xyxy, table.xyxy),
        shapes=Shapes.concat([table.shapes, other.shapes]).take(rows),
    )
    object.__setattr__(clean.work, "table", made)
    return clean


def of_class(made):
    return made.work.table.category == 1


def large(made):
    box = made.gold.table.xyxy[made.origin]
    return (box[:, 2:] - box[:, :2]).prod(axis=1) >= 96**2


@calibrates("AT45")
def at45(run: Run):
    n = run.n(FULL_PLANTED)
    size = {"n": n * GUILTY, "full": FULL_PLANTED * GUILTY}
    wide = {"side": (60, 150), "image_size": (640, 480), "categories": 1}
    parts = (
        ("category", of_class, {"categories": 5}, "category-2"),
        ("size", large, wide, "large"),
    )
    for name, wrong_rows, scene, part in parts:
        found_rows, innocent, elsewhere = [], [], []
        for seed in run.rng("planted part", name).integers(0, 2**32, n).tolist():
            found = verdicts(planted(seed, wrong_rows, n_images=40, **scene), ("annotator", name))
            accused = found.accusation.accused
            innocent.append(accused[GUILTY:].sum() / max(accused.sum(), 1))
            biased = found.decisions.verdict[:, : CONTOURS.index("contour")] == BIASED
            biased = biased.any(axis=1)
            guilty = np.isin(found.keys["annotator"], [f"a{k:02}" for k in range(GUILTY)])
            there = found.keys[name] == part
            found_rows.append(biased[guilty & there].mean())
            elsewhere.append(biased[~(guilty & there)].mean())
        scenario = f"{GUILTY} of {ANNOTATORS} dilate one {name} by 3 px, G=40"
        yield check_share("AT45", scenario, "part named", np.mean(found_rows), low=0.8, **size)
        yield check_share("AT45", scenario, "annotator FDR", np.mean(innocent), high=0.05, **size)
        of_others = {key: ANNOTATORS * count for key, count in size.items()}
        yield check_share(
            "AT45", scenario, "other parts named", np.mean(elsewhere), high=0.005, **of_others
        )
