"""run: usable offsets beneath one another, and their means in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Floats, Ints

__all__ = ["Sequences", "Stack", "sequences"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stack:
    """Usable offsets of the four edges beneath one another, one row a pair and edge.

    Attributes
    ----------
    group : (n,) int64
        Four times the person, and the edge.
    cluster, pair : (n,) int64
        Image (or track), and row of the measurements.
    y, px : (n,) float64
        Pseudo-values in tolerances, and offsets as measured in pixels.
    side, tolerance : (n,) float64
        Side of the gold box along the axis of the edge, and its tolerance, pixels.
    grid, grid_px : (n_groups,) float64
        Coordinate steps of the groups in tolerances, and in pixels.
    """

    group: Ints
    cluster: Ints
    pair: Ints
    y: Floats
    px: Floats
    side: Floats
    tolerance: Floats
    grid: Floats
    grid_px: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Sequences:
    """Means of units in the order of time, (n_groups, t); and of each row its place in there."""

    x: Floats
    time: Floats
    length: Ints
    position: Ints


def sequences(group: Ints, unit: Ints, seconds: Floats, y: Floats, n_groups: int) -> Sequences:
    """Put the means of units into the order of the median time of what was drawn on them.

    Parameters
    ----------
    group, unit : (n,) int64
        Group, and image (track, sitting) of each row.
    seconds, y : (n,) float64
        When each was drawn, and what is averaged.
    n_groups : int
        Four times the number of people.

    Returns
    -------
    Sequences
        Of length 0 where all was drawn at one time.
    """
    width = int(unit.max(initial=0)) + 1
    cells, cell = np.unique(group * width + unit, return_inverse=True)
    owner = cells // width
    mean = np.bincount(cell, y, len(cells)) / np.bincount(cell, minlength=len(cells))
    works, work = np.unique((group // 4) * width + unit, return_inverse=True)
    order = np.lexsort((seconds, work))
    count = np.bincount(work, minlength=len(works))
    middle = seconds[order][np.cumsum(count) - count + (count - 1) // 2] if len(works) else seconds
    time = middle[np.searchsorted(works, (owner // 4) * width + cells % width)]
    order = np.lexsort((cells % width, time, owner))
    length = np.bincount(owner, minlength=n_groups)
    place = np.empty(len(cells), dtype=np.int64)
    place[order] = np.arange(len(cells)) - (np.cumsum(length) - length)[owner[order]]
    x = np.full((n_groups, max(int(length.max(initial=0)), 1)), np.nan)
    when = np.full(x.shape, np.nan)
    x[owner, place], when[owner, place] = mean, time
    # Nothing says in which order things were drawn that were all drawn at one time.
    spread = np.nanmax(when, axis=1, initial=-np.inf) > np.nanmin(when, axis=1, initial=np.inf)
    return Sequences(x, when, np.where(spread, length, 0), place[cell])
