"""simulate: the works that speed is measured on, made from a seed.

``w1`` has the shape of a COCO validation set: 5,000 images, exactly 36,000 gold and 36,035
candidate boxes, 80 categories, few objects on most images and many on some. ``w1x10`` gives the
same images to ten annotators. ``million`` has 1,000,000 candidate boxes by a hundred annotators.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.simulate.habits import Habit
from annqc.simulate.simulation import Simulation, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.tables import Floats, Ints

__all__ = ["WORKS", "coco_like", "make_work", "million", "w1", "w1x10"]

W1_IMAGES: Final = 5_000
W1_GOLD: Final = 36_000
W1_CANDIDATES: Final = 36_035
COUNT_SPREAD: Final = 0.91
"""Log-normal spread of the objects per image: the pairs within images grow with it."""
CATEGORY_LEVEL: Final = 0.45
"""Category k is drawn in proportion to 1 / (k + this): sets how many pairs share a category."""


def w1(annotators: int = 1, *, rng: np.random.Generator | int | None = 0) -> Simulation:
    """Make the work that matching, reading and whole audits are timed on.

    Parameters
    ----------
    annotators : int
        How many; each draws 36,035 boxes.
    rng : Generator, int or None
        Seed or source of randomness.

    Returns
    -------
    Simulation
        36,000 gold boxes on 5,000 images of 640 x 480 pixels.
    """
    return coco_like(W1_IMAGES, W1_GOLD, annotators=annotators, each=W1_CANDIDATES, rng=rng)


def w1x10(*, rng: np.random.Generator | int | None = 0) -> Simulation:
    """Make `w1` with ten annotators: 360,350 candidate boxes."""
    return w1(10, rng=rng)


def million(*, rng: np.random.Generator | int | None = 0) -> Simulation:
    """Make 1,000,000 candidate boxes: 100 annotators, four on each of 35,000 images."""
    return coco_like(35_000, 250_000, annotators=100, overlap=4, total=1_000_000, rng=rng)


WORKS: Final[dict[str, Callable[[], Simulation]]] = {"w1": w1, "w1x10": w1x10, "million": million}
"""The works by name, each with its own seed."""


def make_work(name: str) -> Simulation:
    """Make one of `WORKS`, always the same.

    Parameters
    ----------
    name : {"w1", "w1x10", "million"}
        Which one.
    """
    if name not in WORKS:
        raise UnknownNameError.among(kind="work", name=name, choices=WORKS)
    return WORKS[name]()


def coco_like(
    n_images: int,
    n_gold: int,
    *,
    annotators: int,
    overlap: int | None = None,
    each: int | None = None,
    total: int | None = None,
    rng: np.random.Generator | int | None = 0,
) -> Simulation:
    """Make a work with skewed objects per image, 80 skewed categories and 5 % misses and extras.

    Parameters
    ----------
    n_images, n_gold : int
        Images, and gold boxes in all.
    annotators : int
        How many; every third draws its right edge loose by 4 % of the width.
    overlap : int, optional
        Annotators for each image; all if not given.
    each, total : int, optional
        Leave out invented boxes until every annotator, or the work, has exactly so many.
    rng : Generator, int or None
        Seed or source of randomness.

    Raises
    ------
    SpecError
        Where the annotators drew fewer than ``each`` or ``total``, or too few boxes are invented.
    """
    source = np.random.default_rng(rng)
    appeal = np.exp(COUNT_SPREAD * source.standard_normal(n_images))
    counts = source.multinomial(n_gold, appeal / appeal.sum())
    usual = [Habit.misses(0.045), Habit.extras(0.06), Habit.wrong_labels(0.02)]
    loose = [*usual, Habit.loose("right", rel=0.04)]
    made = simulate(
        {f"annotator-{k + 1:03d}": loose if k % 3 == 2 else usual for k in range(annotators)},
        n_images=n_images,
        boxes_per_image=counts,
        categories={f"category-{k:02d}": 1.0 / (k + CATEGORY_LEVEL) for k in range(1, 81)},
        image_size=(640, 480),
        overlap=overlap,
        noise_px=1.5,
        noise_rel=0.03,
        noise_df=4.0,
        gold_sd=0.5,
        rng=source,
    )
    surplus = _surplus(made, each, total, source)
    if surplus is None:
        return made
    kept = np.ones(len(made.work), dtype=bool)
    kept[surplus] = False
    table = made.work.table.take(kept)
    table = replace(table, id=np.arange(1, len(table) + 1), row=np.arange(len(table)))
    sources = (replace(made.work.sources[0], n_rows=len(table)),)
    work = replace(made.work, table=table, sources=sources, n_rows=len(table))
    return replace(made, work=work, origin=made.origin[kept])


def _surplus(
    made: Simulation, each: int | None, total: int | None, rng: np.random.Generator
) -> Ints | None:
    """Rows of invented boxes to leave out so that exactly the wanted number stays."""
    annotator = made.work.table.annotator
    n_annotators = len(made.work.annotator_ids)
    if each is not None:
        excess = np.bincount(annotator, minlength=n_annotators) - each
        group = annotator
    elif total is not None:
        excess = np.array([len(annotator) - total])
        group = np.zeros_like(annotator)
    else:
        return None
    invented = np.flatnonzero(made.origin < 0)
    order = np.lexsort((_shuffled(len(invented), rng), group[invented]))
    invented = invented[order]
    of = group[invented]
    spare = np.bincount(of, minlength=len(excess))
    if (excess < 0).any() or (excess > spare).any():
        what = "there is no way to leave exactly so many boxes"
        drawn = np.bincount(group, minlength=len(excess))
        raise SpecError(
            what,
            where="each" if each is not None else "total",
            expected=f"{(drawn - spare).max()} to {drawn.min()}",
            found=str(each if each is not None else total),
        )
    place = np.arange(len(of)) - np.searchsorted(of, of)
    return invented[place < excess[of]]


def _shuffled(n: int, rng: np.random.Generator) -> Floats:
    return rng.random(n)
