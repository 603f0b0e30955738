"""suspicions: sizes that one annotator draws again and again, on image after image.

Whoever pastes a box, or clicks where the tool drops one of a fixed size, leaves boxes of one width
and height. On whole pixels small objects share sizes by chance, and some objects really are of one
size, so a size is compared with how many boxes have nearly the same one, and with how often others
draw it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.suspicions.identity import FEWEST_EDGES, SAME, pitch_of, telling_edges

if TYPE_CHECKING:
    from annqc.infer.suspicions.identity import Drawn
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Stamps", "find_stamps"]

LEVEL: Final = 0.01
FEWEST_BOXES: Final = 4
FEWEST_CLUSTERS: Final = 3
AROUND: Final = 3.0
"""Sizes within so many pixels, or steps of the grid, are nearly the same."""
COARSE: Final = 0.1
"""Grids of this pitch, in pixels, are coarse enough for a size to have neighbours."""
NEIGHBOURS: Final = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]
LARGE_P: Final = 0.05
"""What is likelier than this is not listed."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stamps:
    """Sizes that come again and again, one row a size of an annotator, most boxes first.

    Attributes
    ----------
    author : (s,) int64
    width, height : (s,) float64
        Pixels.
    count, n : (s,) int64
        Boxes of that size, and all boxes of the annotator that were looked at.
    clusters : (s,) int64
        Images (or videos) with one.
    expected : (s,) float64
        Images with one by chance.
    p_value, p_adjusted : (s,) float64
        Times the number of sizes looked at; Benjamini-Hochberg over annotators and sizes.
    named : (s,) bool
    """

    author: Ints
    width: Floats
    height: Floats
    count: Ints
    n: Ints
    clusters: Ints
    expected: Floats
    p_value: Floats
    p_adjusted: Floats
    named: Bools


def find_stamps(drawn: Drawn, *, level: float = LEVEL) -> Stamps:
    """Find sizes that an annotator repeats more often than their neighbours in size, and others do.

    Parameters
    ----------
    drawn : Drawn
        The boxes of all authors; the gold may be one of them.
    level : float
        False discovery rate.

    Returns
    -------
    Stamps
        Sizes of four boxes or more on three images or more that are unlikely to be chance. Boxes
        at two or more borders of the image are left out.

    Examples
    --------
    >>> from annqc.infer.suspicions.identity import Drawn
    >>> rng = np.random.default_rng(0)
    >>> corner, size = rng.uniform(5, 500, (40, 2)), rng.uniform(10, 90, (40, 2))
    >>> size[:6] = 31.5, 20.25
    >>> drawn = Drawn(
    ...     xyxy=np.hstack([corner, corner + size]),
    ...     image=np.arange(40),
    ...     author=np.zeros(40, dtype=int),
    ...     cluster=np.arange(40),
    ...     size=np.full((40, 2), 1000.0),
    ... )
    >>> found = find_stamps(drawn)
    >>> found.count.tolist(), found.width.round(6).tolist(), found.named.tolist()
    ([6], [31.5], [True])
    """
    use = telling_edges(drawn).sum(axis=1) >= FEWEST_EDGES
    size = (drawn.xyxy[:, 2:] - drawn.xyxy[:, :2])[use]
    author, cluster = drawn.author[use], drawn.cluster[use]
    code, shown = _codes(size)
    n_authors = int(author.max(initial=-1)) + 1
    rows: list[tuple[float, ...]] = []
    everyone = np.bincount(code, minlength=len(shown))
    n_looked_at = 0
    for who in range(n_authors):
        mine = np.flatnonzero(author == who)
        count = np.bincount(code[mine], minlength=len(shown))
        on = np.unique(np.stack([code[mine], cluster[mine]]), axis=1)[0]
        clusters = np.bincount(on, minlength=len(shown))
        often = np.flatnonzero((count >= FEWEST_BOXES) & (clusters >= FEWEST_CLUSTERS))
        if not len(often):
            continue
        n_looked_at += len(often)
        n_sizes = int((count > 0).sum())
        step = _step(size[mine])
        theirs = (everyone - count)[often]
        chance = len(mine) * (theirs + 2 * np.sqrt(theirs)) / max(len(code) - len(mine), 1)
        chance = np.maximum(chance, _beside(size[mine], shown[often], step))
        for one, near in zip(often.tolist(), chance.tolist(), strict=True):
            if _p_value(clusters[one], near, n_sizes) > LARGE_P:
                continue
            expected = max(near, _around(size[mine], shown[one], step))
            p = _p_value(clusters[one], expected, n_sizes)
            rows.append((who, one, count[one], len(mine), clusters[one], expected, p))
    table = np.array(sorted(rows, key=lambda row: -row[2])).reshape(-1, 7)
    sizes = table[:, 1].astype(np.int64)
    rest = np.ones(n_looked_at - len(table))
    adjusted = adjusted_bh(np.concatenate([table[:, 6], rest]))[: len(table)]
    return Stamps(
        author=table[:, 0].astype(np.int64),
        width=shown[sizes, 0],
        height=shown[sizes, 1],
        count=table[:, 2].astype(np.int64),
        n=table[:, 3].astype(np.int64),
        clusters=table[:, 4].astype(np.int64),
        expected=table[:, 5],
        p_value=table[:, 6],
        p_adjusted=adjusted,
        named=adjusted <= level,
    )


def _codes(size: Floats) -> tuple[Ints, Floats]:
    """Give sizes numbers; what differs by rounding alone is one size."""
    if not len(size):
        return np.empty(0, dtype=np.int64), np.empty((0, 2))
    of, first, code = np.unique(
        np.round(size / (10 * SAME)), axis=0, return_index=True, return_inverse=True
    )
    assert len(of) == len(first)
    return code.reshape(-1), size[first]


def _step(size: Floats) -> float:
    """Return the grid of sizes: whole pixels, or what they were resized to; small where none is."""
    finest = pitch_of(size)
    gaps = np.concatenate([np.diff(np.unique(np.round(side, 5))) for side in size.T])
    return max(finest, float(np.quantile(gaps, 0.05))) if len(gaps) else finest


def _p_value(clusters: int, expected: float, n_sizes: int) -> float:
    return min(float(special.gammainc(clusters, max(expected, 1e-12))) * n_sizes, 1.0)


def _around(size: Floats, at: Floats, step: float) -> float:
    """Boxes of a size that the mean over all steps around it leads one to expect."""
    away = np.abs(size - at)
    reach = max(AROUND, AROUND * step)
    around = (away <= reach + SAME).all(axis=1) & (away > 10 * SAME).any(axis=1)
    cells = (2 * np.floor(reach / step + SAME) + 1) ** 2 - 1
    return float((around.sum() + 1) / cells)


def _beside(size: Floats, at: Floats, step: float) -> Floats:
    """Boxes of the commonest neighbour of each size on a coarse grid; none on a fine one.

    Of objects that really are of one size, the neighbouring sizes are common as well.
    """
    most = np.zeros(len(at))
    if step < COARSE:
        return most
    steps = np.round(size / step).astype(np.int64)
    wide = int(steps.max(initial=0)) + 3
    of, counts = np.unique(steps[:, 0] * wide + steps[:, 1], return_counts=True)
    here = np.round(at / step).astype(np.int64)
    for across, down in NEIGHBOURS:
        key = (here[:, 0] + across) * wide + here[:, 1] + down
        place = np.minimum(np.searchsorted(of, key), len(of) - 1)
        most = np.maximum(most, np.where(of[place] == key, counts[place], 0))
    return most
