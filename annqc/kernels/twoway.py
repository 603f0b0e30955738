"""One round of the two-way fit of an edge: weights, edges of objects, sums by annotator.

The numpy path makes some twenty passes over the rows, the compiled one two. Sums are added in
another order, so the two agree to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._jit import Engine, compiled, njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["squares", "sweep", "use_kernel"]

DF: Final = 4.0
SAVED_PER_ROW: Final = 1e-6
"""Seconds that the compiled rounds of a fit save on a row, measured."""


def use_kernel(engine: Engine, n: int) -> bool:
    """Whether a fit of so many rows goes to the compiled rounds."""
    return compiled(engine, saved_seconds=n * SAVED_PER_ROW)


def sweep(
    x: Floats,
    who: Ints,
    ends: Ints,
    h2: Floats,
    b: Floats,
    s2: Floats,
    centre: Floats,
    prior: Floats,
    pull: Floats,
    *,
    kernel: bool,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Weigh the rows, place the objects, and sum by annotator.

    Parameters
    ----------
    x : (n,) float64
        Coordinates, object by object.
    who : (n,) int64
        Annotator of each row.
    ends : (p + 1,) int64
        Object o has the rows ``ends[o] : ends[o + 1]``, one at least.
    h2 : (p,) float64
        Squared tolerance of each object.
    b, s2 : (A,) float64
        Offset and squared scale of each annotator.
    centre : (p,) float64
        Where each object was; changed to where it is.
    prior, pull : (p,) float64
        Precision of the gold, and the same times the gold.
    kernel : bool
        Whether to take the compiled path.

    Returns
    -------
    om : (n,) float64
        Weights ``5 / (4 + r²)``.
    w : (n,) float64
        The same over the variances ``s² h²``.
    variance : (p,) float64
        One over the sum of the weights of each object.
    mass, score : (A,) float64
        Sums of ``w`` and of ``w (x - centre)`` by annotator.
    """
    n, a = len(x), len(b)
    if kernel:
        om, w = np.empty(n), np.empty(n)
        variance = np.empty(len(h2))
        mass, score = np.zeros(a), np.zeros(a)
        _sweep(x, who, ends, h2, b, s2, centre, prior, pull, om, w, variance, mass, score)
        return om, w, variance, mass, score
    place = np.repeat(np.arange(len(h2)), np.diff(ends))
    free = x - b[who]
    residual = free - centre[place]
    scale = s2[who] * h2[place]
    om = (DF + 1) / (DF + residual * residual / scale)
    w = om / scale
    variance = 1 / (np.add.reduceat(w, ends[:-1]) + prior)
    centre[:] = (np.add.reduceat(w * free, ends[:-1]) + pull) * variance
    by_annotator = np.bincount(who, w, a).astype(np.float64)
    moment = np.bincount(who, w * (x - centre[place]), a).astype(np.float64)
    return om, w, variance, by_annotator, moment


@njit
def _sweep(
    x: Floats,
    who: Ints,
    ends: Ints,
    h2: Floats,
    b: Floats,
    s2: Floats,
    centre: Floats,
    prior: Floats,
    pull: Floats,
    om: Floats,
    w: Floats,
    variance: Floats,
    mass: Floats,
    score: Floats,
) -> None:
    for o in range(len(h2)):
        total, moment = prior[o], pull[o]
        for i in range(ends[o], ends[o + 1]):
            a = who[i]
            free = x[i] - b[a]
            residual = free - centre[o]
            scale = s2[a] * h2[o]
            om[i] = 5.0 / (4.0 + residual * residual / scale)
            w[i] = om[i] / scale
            total += w[i]
            moment += w[i] * free
        variance[o] = 1 / total
        centre[o] = moment / total
        for i in range(ends[o], ends[o + 1]):
            mass[who[i]] += w[i]
            score[who[i]] += w[i] * (x[i] - centre[o])


def squares(
    x: Floats,
    who: Ints,
    ends: Ints,
    h2: Floats,
    b: Floats,
    centre: Floats,
    om: Floats,
    variance: Floats,
    *,
    kernel: bool,
) -> Floats:
    """Sum ``(om (x - b - centre)² + variance) / h²`` by annotator.

    Parameters
    ----------
    x, who, ends, h2, b, centre
        As in `sweep`.
    om, variance
        From `sweep`.
    kernel : bool
        Whether to take the compiled path.

    Returns
    -------
    (A,) float64
    """
    if kernel:
        total = np.zeros(len(b))
        _squares(x, who, ends, h2, b, centre, om, variance, total)
        return total
    place = np.repeat(np.arange(len(h2)), np.diff(ends))
    residual = x - b[who] - centre[place]
    part = (om * residual * residual + variance[place]) / h2[place]
    return np.bincount(who, part, len(b)).astype(np.float64)


@njit
def _squares(
    x: Floats,
    who: Ints,
    ends: Ints,
    h2: Floats,
    b: Floats,
    centre: Floats,
    om: Floats,
    variance: Floats,
    total: Floats,
) -> None:
    for o in range(len(h2)):
        for i in range(ends[o], ends[o + 1]):
            residual = x[i] - b[who[i]] - centre[o]
            total[who[i]] += (om[i] * residual * residual + variance[o]) / h2[o]
