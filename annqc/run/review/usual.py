"""run: how often noise alone makes two boxes of an object overlap too little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry.boxes import paired_iou
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.offsets import Measurements
    from annqc.tables import Floats, Ints

__all__ = ["slip_share"]

DRAWS: Final = 200
SAMPLE: Final = 1_000
BINS: Final = 10
LEAST: Final = 30
"""Pairs from which on the noise of objects of a size is known."""
PRIOR: Final = (0.5, 100.0)
"""Slips that were seen before, in so many boxes: few, until the data say otherwise."""


def slip_share(matches: Matches, measured: Measurements, gold: Ints, n_asked: int) -> Floats:
    """Return how likely a near miss is a slip, and not the noise that everybody draws with.

    A pixel of noise on each edge takes much of the overlap of an object of ten pixels, and nothing
    of a large one. What is left of near misses after those that noise explains are slips.

    Parameters
    ----------
    matches : Matches
        The matching.
    measured : Measurements
        Offsets of matched pairs, of which noise is known.
    gold : (n,) int64
        Reference of each near miss.
    n_asked : int
        Objects that annotators were asked to draw, all together.

    Returns
    -------
    (n,) float64
        Between 0 and 1.

    Notes
    -----
    Noise is normal on each edge, with the robust deviation (1.4826 MAD) of the matched pairs whose
    objects are of about that size. With s slips a box and q the chance that such noise takes the
    overlap below the counting threshold, ``s / (s + q)``.
    """
    if not len(gold) or len(measured) < LEAST:
        return np.ones(len(gold))
    table = matches.reference.table
    rng = np.random.default_rng(0)  # a queue is always the same
    noise = rng.standard_normal((DRAWS, len(EDGES)))
    sizes, spread = _spread(measured)
    threshold = matches.policy.counting_iou
    every = np.flatnonzero(~(table.ignored | table.crowd))
    some = rng.choice(every, SAMPLE, replace=False) if len(every) > SAMPLE else every

    def chance(rows: Ints) -> Floats:
        sides = (table.xyxy[rows, 2:] - table.xyxy[rows, :2])[:, [0, 1]]
        at = np.searchsorted(sizes, np.sqrt(sides.prod(axis=1)))
        return _too_little(sides, spread[at], noise, threshold)

    explained = float(chance(some).mean()) * n_asked if len(some) else 0.0
    slips = (max(len(gold) - explained, 0.0) + PRIOR[0]) / (n_asked + PRIOR[1])
    return slips / (slips + chance(gold))


def _spread(measured: Measurements) -> tuple[Floats, Floats]:
    """Return the limits between sizes of objects, and the noise of an edge in pixels of each."""
    px = measured.values("px")[: len(EDGES)]
    size = np.sqrt(measured.sides.prod(axis=1))
    limits = np.quantile(size, np.linspace(0, 1, BINS + 1)[1:-1])
    bin_ = np.searchsorted(limits, size)
    whole = _robust(px)
    spread = np.full(BINS, whole)
    for k in range(BINS):
        mine = px[:, bin_ == k]
        if np.isfinite(mine).any(axis=0).sum() >= LEAST:
            spread[k] = _robust(mine)
    return limits, spread


def _robust(px: Floats) -> float:
    known = [one[np.isfinite(one)] for one in px]
    left = [np.abs(one - np.median(one)) for one in known if len(one)]
    return 1.4826 * float(np.median(np.concatenate(left))) if left else 0.0


def _too_little(sides: Floats, spread: Floats, noise: Floats, threshold: float) -> Floats:
    """Return how often a box with noise on its edges overlaps the box without by too little."""
    n, draws = len(sides), len(noise)
    box = np.concatenate([np.zeros((n, 2)), sides], axis=1)
    drawn = box[:, None] + spread[:, None, None] * noise
    drawn[..., 2:] = np.maximum(drawn[..., 2:], drawn[..., :2])
    given = np.repeat(box, draws, axis=0)
    iou = paired_iou(given, drawn.reshape(-1, 4)).reshape(n, draws)
    return np.asarray((iou < threshold).mean(axis=1), dtype=np.float64)
