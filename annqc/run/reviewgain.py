"""run: how likely an annotation is wrong, and how much mending it would change.

The gain of a look at an annotation is the probability that it is wrong times what mending it
changes. Probabilities of matched boxes come from their offsets: how far they are in tolerances, how
unlike the annotator's others, and whether the annotator has a habit that shows in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtr

from annqc.run.errors import GROSS

if TYPE_CHECKING:
    from annqc.measure.offsets import Measurements
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["PRIOR", "OffsetSuspicion", "agreed", "suspect_offsets"]

PRIOR: Final = {
    "missed": 0.6,
    "far": 0.9,
    "spurious": 0.65,
    "near_miss": 0.98,
    "duplicate": 0.95,
    "merged": 0.9,
    "split": 0.9,
    "mislabelled": 0.8,
    "loose_outline": 0.7,
    "odd_outline": 0.4,
    "offset": 0.95,
}
"""Probability that the annotation is wrong, and not the gold, before others are asked.

Measured on simulated work, compared with gold that misses 0.5 % of the objects, invents 0.5 %, and
gives 0.5 % another label; those that hardly occur there (far, merged, split, outlines) are set.
"""
ODDS: Final = 8.0
"""Each other annotator who sees it as the gold does multiplies the odds by this, else divides."""
UNKNOWN: Final = 0.05
"""Probability of a matched box whose offsets cannot be told, such as one among many alike."""

FAR: Final = 3.25
FAR_SLOPE: Final = 0.25
"""An edge is as likely wrong as not at so many tolerances: the gold has errors too."""
UNLIKE: Final = 7.0
UNLIKE_SLOPE: Final = 0.5
"""An edge is as likely a slip as not at 7 robust deviations from the annotator's own median."""
LEAST_SCALE: Final = 0.25
"""The deviation of an annotator in tolerances is at least this."""
ENOUGH: Final = 20
"""With fewer boxes of a category the annotator's are taken together, or else everybody's."""
NORMAL: Final = 1.4826
ROUNDING: Final = 1e-9
MEDIAN_SE: Final = 1.2533


class OffsetSuspicion(NamedTuple):
    """What the offsets of n pairs make one suspect.

    Attributes
    ----------
    probability : (n,) float64
        That the box is wrong.
    edge : (n,) int64
        The accused edge, as in ``xyxy``; -1 where no edge can be told.
    offset : (n,) float64
        Of that edge, outward, in tolerances.
    why : (n,) int64
        Position in `WHY`.
    """

    probability: Floats
    edge: Ints
    offset: Floats
    why: Ints


WHY: Final = ("loose_box", "unlike", "habit", "offset")
"""Reasons: three tolerances out or more, unlike the annotator's others, a habit, or none."""


def agreed(kind: str, for_gold: Array, others: Array) -> Floats:
    """Say how likely the annotation is wrong, once the others were asked.

    Parameters
    ----------
    kind : str
        One of `PRIOR`.
    for_gold, others : (n,) array of int
        How many others see it as the gold does, of how many.

    Returns
    -------
    (n,) float64
        Odds of the prior, times 8 for each who does and divided by 8 for each who does not.

    Examples
    --------
    >>> agreed("missed", np.array([0, 3, 0]), np.array([0, 3, 3])).round(2).tolist()
    [0.6, 1.0, 0.0]
    """
    votes = 2 * np.asarray(for_gold, dtype=np.float64) - others
    found: Floats = expit(logit(PRIOR[kind]) + np.log(ODDS) * votes)
    return found


def suspect_offsets(measured: Measurements, category: Ints, n_categories: int) -> OffsetSuspicion:
    """Say of measured pairs how likely the box is wrong, and which edge makes it so.

    Parameters
    ----------
    measured : Measurements
        What was measured.
    category : (n,) int64
        Category of each pair.
    n_categories : int
        How many there are.

    Notes
    -----
    Of each edge that is not at the image border, with its offset u in tolerances and the median m
    and robust deviation s of the annotator's others of the category, the largest of

    - far: ``expit((|u| - 3.25) / 0.25)``;
    - unlike: ``expit((|u - m| / s - 7) / 0.5)``, where u is a tolerance or more;
    - habit: ``Phi((|m| - 1) / se(m))``, where u is a tolerance or more in the direction of m,

    times `agreed`: others agree with the gold on the edge where theirs is nearer to the gold's than
    to this one. The edge with the largest product is accused.
    """
    n = len(measured)
    if not n:
        empty = np.empty(0)
        none = np.empty(0, dtype=np.int64)
        return OffsetSuspicion(empty, none, empty, none)
    units = measured.edges / np.tile(measured.tolerance, 2)
    usable = ~measured.at_border
    middle, scale, se = _usual(units, usable, measured.annotator, category, n_categories)
    size = np.abs(units)
    beyond = size >= 1.0
    ways = np.zeros((3, n, 4))
    ways[0] = expit((size - FAR) / FAR_SLOPE)
    ways[1] = np.where(beyond, expit((np.abs(units - middle) / scale - UNLIKE) / UNLIKE_SLOPE), 0)
    shown = beyond & (np.sign(units) == np.sign(middle))
    ways[2] = np.where(shown, ndtr((np.abs(middle) - 1.0) / se), 0.0)
    ways *= usable
    same, others = _others(units, usable, measured.reference)
    p = ways.max(axis=0) * agreed("offset", others - same, others)
    # Of edges that are equally likely wrong, the one that is farther out.
    edge = (p + 1e-9 * np.minimum(size * usable, 1e3)).argmax(axis=1)
    at = np.arange(n)
    own = ways[1:, at, edge]
    why = np.where(own.max(axis=0) >= 0.5, 1 + own.argmax(axis=0), WHY.index("offset"))
    why[size[at, edge] * usable[at, edge] >= GROSS - ROUNDING] = WHY.index("loose_box")
    hidden = ~np.asarray(usable.any(axis=1))
    return OffsetSuspicion(
        np.where(hidden, UNKNOWN, p[at, edge]),
        np.where(hidden, -1, edge),
        np.where(hidden, np.nan, units[at, edge]),
        np.where(hidden, WHY.index("offset"), why),
    )


def _usual(
    units: Floats, usable: Bools, annotator: Ints, category: Ints, n_categories: int
) -> tuple[Floats, Floats, Floats]:
    """Say what each is to be like: median, robust deviation, and standard error of the median.

    That is the annotator's boxes of the category where there are enough, else all of the
    annotator's, else everybody's; one edge at a time.
    """
    middle = np.zeros_like(units)
    scale, se = np.ones_like(units), np.ones_like(units)
    values = np.where(usable, units, np.nan)
    levels = (np.zeros_like(annotator), annotator, annotator * n_categories + category)
    for group in levels:
        code = np.unique(group, return_inverse=True)[1]
        for k in range(units.shape[1]):
            column = values[:, k]
            count = np.bincount(code[usable[:, k]], minlength=int(code.max()) + 1)[code]
            enough = count >= ENOUGH
            if not enough.any():
                continue
            centre = _median_of(column, code)
            spread = NORMAL * _median_of(np.abs(column - centre), code)
            spread = np.maximum(spread, LEAST_SCALE)
            middle[enough, k] = centre[enough]
            scale[enough, k] = spread[enough]
            se[enough, k] = (MEDIAN_SE * spread / np.sqrt(np.maximum(count, 1)))[enough]
    return middle, scale, se


def _median_of(column: Floats, code: Ints) -> Floats:
    """Return the median of the group of each row, NaN left out."""
    some = np.flatnonzero(np.isfinite(column))
    order = some[np.lexsort((column[some], code[some]))]
    count = np.bincount(code[some], minlength=int(code.max()) + 1)
    first = np.cumsum(count) - count
    there = count > 0
    low, high = (first + (count - 1) // 2)[there], (first + count // 2)[there]
    table = np.full(len(count), np.nan)
    table[there] = 0.5 * (column[order[low]] + column[order[high]])
    return table[code]


def _others(units: Floats, usable: Bools, reference: Ints) -> tuple[Ints, Ints]:
    """Count, for each edge, others on the same object who are nearer to it than to the gold.

    Returns
    -------
    same, others : (n, 4) int64
        How many, of how many whose edge can be told.
    """
    same = np.zeros(units.shape, dtype=np.int64)
    others = np.zeros(units.shape, dtype=np.int64)
    code = np.unique(reference, return_inverse=True)[1]
    wide = 1e4
    for k in range(units.shape[1]):
        here = np.flatnonzero(usable[:, k])
        mine, value = code[here], np.clip(units[here, k], -1e3, 1e3)
        count = np.bincount(mine, minlength=int(code.max()) + 1 if len(code) else 0)
        others[here, k] = count[mine] - 1
        for sign in (1.0, -1.0):
            rows = np.flatnonzero(sign * value > 0)
            key = np.sort(mine * wide + sign * value)
            last = np.searchsorted(key, mine[rows] * wide + 2e3)
            first = np.searchsorted(key, mine[rows] * wide + sign * value[rows] / 2, side="right")
            same[here[rows], k] = last - first - 1
    return np.maximum(same, 0), others
