"""run: how likely a matched box is wrong, from its offsets.

How far it is off in tolerances, how far that is what its annotator usually does, what the gold has
of it, and whether the annotator has a habit that shows in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtr

from annqc.run.errors import GROSS
from annqc.run.review.noise import noise_of
from annqc.run.review.rates import SUREST, log_odds_of

if TYPE_CHECKING:
    from annqc.measure.offsets import Measurements
    from annqc.tables import Bools, Floats, Ints

__all__ = ["UNKNOWN", "WHY", "OffsetSuspicion", "suspect_offsets"]

UNKNOWN: Final = 0.05
"""Probability of a matched box whose offsets cannot be told, such as one among many alike."""
LEAST: Final = 0.001
"""No matched box is less likely wrong: of two that are as usual, less overlap goes first."""
RIGHT_GOLD: Final = 0.97
"""Probability that the gold's edge is no slip, where one is far off, before others are asked."""
ROUNDING: Final = 1e-9


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
    usual : (n,) bool
        The edge is off by what is a habit of the annotator, and no slip.
    """

    probability: Floats
    edge: Ints
    offset: Floats
    why: Ints
    usual: Bools


WHY: Final = ("loose_box", "unlike", "habit", "offset")
"""Reasons: three tolerances out or more, unlike the annotator's others, a habit, or none."""


def suspect_offsets(
    measured: Measurements,
    category: Ints,
    n_categories: int,
    *,
    alike: tuple[Ints, Ints] | None = None,
) -> OffsetSuspicion:
    """Say of measured pairs how likely the box is wrong, and which edge makes it so.

    Parameters
    ----------
    measured : Measurements
        What was measured.
    category : (n,) int64
        Category of each pair.
    n_categories : int
        How many there are.
    alike : ((k,) int64, (k,) int64), optional
        Pairs, and others who drew the same box as theirs, whatever that is matched with: see
        `annqc.run.review.votes.drew_alike`. They are against the gold at each edge.

    Notes
    -----
    An edge that is not at the image border is ``u = e + g`` tolerances off, by the annotator's
    error and the gold's noise. With `annqc.run.review.noise.noise_of`, usual errors are
    ``e ~ N(m, own_sd^2)``, slips are anything, and ``g ~ N(gold, gold_sd^2)``. Given u, the
    probability is the larger of

    - far: that ``|e| >= 3``;
    - habit: ``Phi((|m| - 1) / se)`` times that e is a tolerance or more in the direction of m,

    times that the gold's edge is no slip: 0.97 before the others are asked, who say that it is none
    where theirs is nearer to it than to this one; and times 0.98, for the data do not know all. The
    edge with the largest product is accused.
    """
    n = len(measured)
    if not n:
        empty = np.empty(0)
        none = np.empty(0, dtype=np.int64)
        return OffsetSuspicion(empty, none, empty, none, np.empty(0, dtype=bool))
    units = measured.edges / np.tile(measured.tolerance, 2)
    usable = ~measured.at_border
    noise = noise_of(measured, units, usable, category, n_categories)
    size = np.abs(units)
    own, gold = noise.own_sd**2, noise.gold_sd**2
    likely = noise.middle + own / (own + gold) * (units - noise.middle - noise.gold)
    spread = np.sqrt(own * gold / (own + gold))

    def wrong(limit: float, way: float | Floats) -> Floats:
        """Probability that e is so far in a direction."""
        slipped = ndtr((way * (units - noise.gold) - limit) / noise.gold_sd)
        found: Floats = (1.0 - noise.slip) * ndtr((way * likely - limit) / spread)
        return found + noise.slip * slipped

    ways = np.zeros((2, n, 4))
    ways[0] = wrong(GROSS, 1.0) + wrong(GROSS, -1.0)
    habit = ndtr((np.abs(noise.middle) - 1.0) / noise.se)
    ways[1] = habit * wrong(1.0, np.sign(noise.middle))
    same, others = _others(units, usable, measured.reference)
    if alike is not None and len(alike[0]):
        _count_alike(same, others, units, usable, measured, alike)
    right = expit(logit(RIGHT_GOLD) + log_odds_of(others - 2 * same))
    ways *= usable * right * SUREST
    p = ways.max(axis=0)
    # Of edges that are equally likely wrong, the one that is farther out.
    edge = (p + 1e-9 * np.minimum(size * usable, 1e3)).argmax(axis=1)
    at = np.arange(n)
    why = np.full(n, WHY.index("offset"))
    why[noise.slip[at, edge] >= 0.5] = WHY.index("unlike")
    shown = ways[1, at, edge]
    why[(shown >= 0.5) & (shown >= ways[0, at, edge])] = WHY.index("habit")
    usual = (habit * (units * noise.middle > 0) * (1.0 - noise.slip))[at, edge] >= 0.5
    why[size[at, edge] * usable[at, edge] >= GROSS - ROUNDING] = WHY.index("loose_box")
    hidden = ~np.asarray(usable.any(axis=1))
    return OffsetSuspicion(
        np.where(hidden, UNKNOWN, np.maximum(p[at, edge], LEAST)),
        np.where(hidden, -1, edge),
        np.where(hidden, np.nan, units[at, edge]),
        np.where(hidden, WHY.index("offset"), why),
        usual & ~hidden,
    )


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


def _count_alike(
    same: Ints,
    others: Ints,
    units: Floats,
    usable: Bools,
    measured: Measurements,
    alike: tuple[Ints, Ints],
) -> None:
    """Add those who drew the same box to `_others`, each once: who is there for the gold changes.

    What they drew of the gold's object is another box, or the same one again.
    """
    row, who = alike
    people = int(max(measured.annotator.max(), who.max())) + 1
    code = measured.reference * people + measured.annotator
    order = np.argsort(code)
    wanted = measured.reference[row] * people + who
    theirs = order[np.minimum(np.searchsorted(code, wanted, sorter=order), len(code) - 1)]
    there = (code[theirs] == wanted)[:, None] & usable[theirs] & usable[row]
    counted = there & (np.abs(units[theirs] - units[row]) < np.abs(units[theirs]))
    np.add.at(same, row, (usable[row] & ~counted).astype(np.int64))
    np.add.at(others, row, (usable[row] & ~there).astype(np.int64))
