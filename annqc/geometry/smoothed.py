"""Masks -> smooth outlines: where the contour of what was painted most likely ran.

Stands beside the way read -> match -> measure -> infer -> judge -> report. The outline of a mask is
a staircase. The middles of its steps lie about the contour that was painted, as often inside as
outside, by up to half a pixel; a weighted mean along the outline takes most of that away. What
is measured between two such outlines, on vectors, has no bias of pixels to speak of.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry.cracks import traced
from annqc.geometry.polygons import cyclic_next
from annqc.shapes import MASK
from annqc.tables import Shapes

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["SIGMA", "smoothed"]

SIGMA: Final = 2.5
"""Steps of outline over which it is smoothed: the standard deviation of a Gaussian."""
LEAST_STEPS: Final = 16.0
"""Shorter rings than this many times `SIGMA` are smoothed less: else they would vanish."""


def smoothed(masks: Shapes) -> Shapes:
    """Return masks as smooth polygons with one vertex a pixel edge of their outline.

    Parameters
    ----------
    masks : Shapes
        n annotations, their masks without faults. What is no mask becomes box only.

    Returns
    -------
    Shapes
        n polygons. An empty mask is box only.

    Notes
    -----
    The middles of the pixel edges along a ring are smoothed by a Gaussian of `SIGMA` steps, and
    what that took off is smoothed and added again (Tukey's twicing): so curves do not shrink.
    Corners get round.

    Examples
    --------
    >>> y, x = np.mgrid[:60, :60] + 0.5
    >>> disc = np.hypot(y - 30, x - 30) < 20.3
    >>> from annqc.geometry.masks import runs_of_mask
    >>> ring = smoothed(Shapes.from_runs([runs_of_mask(disc)], [(60, 60)])).rings(0)[0]
    >>> radius = np.hypot(*(ring - 30).T)
    >>> float(radius.mean().round(1)), bool(np.ptp(radius) < 0.4)
    (20.3, True)
    """
    outlines = traced(masks)
    points, offsets = _middles(outlines.points, outlines.ring_offsets)
    made = Shapes.from_ragged(_twiced(points, offsets), offsets, outlines.shape_offsets)
    keep = masks.kind == MASK
    if keep.all():
        return made
    n = len(masks)
    return Shapes.concat([made, Shapes.empty(1)]).take(np.where(keep, np.arange(n), n))


def _middles(points: Floats, offsets: Ints) -> tuple[Floats, Ints]:
    """Return the middle of every pixel edge along rings of corners."""
    step = points[cyclic_next(offsets)] - points
    n = np.abs(step).sum(axis=1).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(n)]).astype(np.int64)
    edge = np.repeat(np.arange(len(points)), n)
    number = np.arange(ends[-1]) - ends[edge]
    unit = step / np.maximum(n, 1)[:, None]
    return points[edge] + unit[edge] * (number + 0.5)[:, None], ends[offsets]


def _twiced(points: Floats, offsets: Ints) -> Floats:
    """Smooth points along their rings."""
    from scipy import ndimage

    steps = np.diff(offsets)
    ring = np.repeat(np.arange(len(steps)), steps)
    out = np.empty_like(points)
    # Rings that are long enough lie one behind the other, each with its own ends repeated, so that
    # one pass goes along all of them. Of the others there is a pass for each length.
    long = np.flatnonzero(steps >= LEAST_STEPS * SIGMA)
    weights = _weights(SIGMA)
    reach = len(weights) // 2
    padded = np.repeat(long, steps[long] + 2 * reach)
    ends = np.concatenate([[0], np.cumsum(steps[long] + 2 * reach)]).astype(np.int64)
    at = np.arange(len(padded)) - np.repeat(ends[:-1], steps[long] + 2 * reach) - reach
    smooth = ndimage.correlate1d(points[offsets[padded] + at % steps[padded]], weights, axis=0)
    inside = (at >= 0) & (at < steps[padded])
    out[np.isin(ring, long)] = smooth[inside]
    for n in np.unique(steps[steps < LEAST_STEPS * SIGMA]).tolist():
        some = np.flatnonzero(steps == n)
        rows = offsets[some][:, None] + np.arange(n)
        weights = _weights(n / LEAST_STEPS)
        out[rows] = ndimage.correlate1d(points[rows], weights, axis=1, mode="wrap")
    return out


def _weights(sigma: float) -> Floats:
    """Return the weights of a Gaussian, and of itself on what it takes off."""
    steps = np.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1)
    once = np.exp(-0.5 * (steps / sigma) ** 2)
    once /= once.sum()
    twice = -np.convolve(once, once)
    twice[len(steps) // 2 : -(len(steps) // 2)] += 2 * once
    return np.asarray(twice)
