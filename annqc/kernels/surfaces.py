"""Distances between the borders of paired masks, and signed contour offsets, always compiled.

Takes the border pixels that `annqc.kernels.masks.borders` lists. Exact Euclidean distances, with no
distance transform: `annqc.kernels._surfaces` says how. The sums can be merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.kernels import _facing, _surfaces
from annqc.kernels.masks import Borders, areas, borders

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.uint8]

__all__ = [
    "DIRECTION",
    "SECTORS",
    "SIGMA",
    "Outlines",
    "distance_sums",
    "facing",
    "offset_sums",
    "window",
]

DIRECTION: Final = ("weight", "sum", "largest", "quantile", "near")
"""What `distance_sums` says of each direction."""

SECTORS: Final = (
    *("all", "left", "top", "right", "bottom"),
    *("top_left", "top_right", "bottom_right", "bottom_left"),
)
"""The parts of an outline that `offset_sums` tells apart."""

SIGMA: Final = 1.5
"""How far, in pixels, the signed distance is smoothed before its gradient says where it faces."""


class Outlines(NamedTuple):
    """What `offset_sums` has to know of some masks.

    Attributes
    ----------
    inner : Borders
        Border pixels by the rule "four within".
    outer : Borders
        Those of what the masks leave free, by the rule "free within".
    closed : Borders
        Border pixels by the rule "four": those at the edge of the canvas are among them.
    canvas : (n, 2) int64
        Height and width of the canvas of each.
    full : (n,) bool
        Whether the mask covers the whole canvas.
    """

    inner: Borders
    outer: Borders
    closed: Borders
    canvas: Ints
    full: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, runs: Ints, offsets: Ints, canvas: Ints, rows: Ints) -> Outlines:
        """Draw the lines of some masks.

        Parameters
        ----------
        runs, offsets : int64 arrays
            The masks.
        canvas : (n, 2) int64
            Height and width of the canvas of each.
        rows : (m,) int64
            Which masks.
        """
        inner, outer, closed = (
            borders(runs, offsets, canvas, rows, rule=rule)
            for rule in ("four within", "free within", "four")
        )
        sizes = canvas[rows]
        ones, pixels = areas(runs, offsets, rows, engine="numba")
        full = ones == pixels
        return cls(inner, outer, closed, sizes, full)


def distance_sums(
    a: Borders,
    b: Borders,
    rows_a: Ints,
    rows_b: Ints,
    *,
    spacing: tuple[float, float] = (1.0, 1.0),
    tolerance: float = 2.0,
    share: float = 0.95,
    pooled: bool = False,
    lengths: Floats | None = None,
) -> Floats:
    """Sum up the distances from each border to the other, for every pair.

    Parameters
    ----------
    a, b : Borders
        Border pixels of both sides.
    rows_a, rows_b : (m,) int64
        Pair i is mask ``rows_a[i]`` of ``a`` and mask ``rows_b[i]`` of ``b``.
    spacing : (float, float), optional
        Size of a pixel, vertically and horizontally.
    tolerance : float, optional
        Distances up to this are near, in units of the spacing.
    share : float, optional
        Which quantile.
    pooled : bool, optional
        Take the quantile over both directions together.
    lengths : (16,) float64, optional
        Weight of a border element by its code. Without it each counts one, and quantiles lie
        between two values as `numpy.percentile` has it; with it a quantile is the least distance
        that so much of the length reaches.

    Returns
    -------
    (m, 11) float64
        `DIRECTION` from ``a`` to ``b``, the same from ``b`` to ``a``, and the pooled quantile.
        Distances are infinite where the other side is empty.

    Examples
    --------
    >>> from annqc.kernels.masks import borders
    >>> runs, offsets = np.array([0, 2, 6, 4, 2, 2]), np.array([0, 3, 6])
    >>> canvas = np.array([[2, 4], [2, 4]])
    >>> pixels = borders(runs, offsets, canvas, np.arange(2), rule="eight")
    >>> distance_sums(pixels, pixels, np.array([0]), np.array([1]))[0, :5].tolist()
    [2.0, 4.0, 2.0, 2.0, 2.0]
    """
    out = np.empty((len(rows_a), 11))
    weights = np.ones(16) if lengths is None else lengths
    vertical, horizontal = spacing
    _surfaces.distances(
        *(a.starts, a.x, a.y, a.code),
        *(b.starts, b.x, b.y, b.code),
        *(rows_a, rows_b),
        *(float(horizontal), float(vertical), float(tolerance), float(share)),
        bool(pooled),
        weights,
        lengths is not None,
        out,
    )
    return out


def window() -> tuple[Floats, Floats]:
    """Return the weights that smooth along a line, and those that smooth and take the slope.

    Returns
    -------
    smooth, slope : (13,) float64
        A Gaussian of `SIGMA`, cut off at four of them, and its derivative.

    Examples
    --------
    >>> smooth, slope = window()
    >>> round(float(smooth.sum()), 12), abs(round(float(slope @ np.arange(13)), 2))
    (1.0, 1.0)
    """
    reach = int(4 * SIGMA + 0.5)
    steps = np.arange(-reach, reach + 1)
    smooth = np.exp(-0.5 * (steps / SIGMA) ** 2)
    smooth /= smooth.sum()
    return smooth, smooth * steps / SIGMA**2


def facing(inner: Borders, outer: Borders, canvas: Ints) -> Bytes:
    """Say which way each border pixel of some masks faces.

    Parameters
    ----------
    inner, outer : Borders
        Border pixels of the masks by the rule "four within", and by "free within".
    canvas : (n, 2) int64
        Height and width of the canvas of each mask.

    Returns
    -------
    (m,) uint8
        For each pixel of ``inner``: 1 left, 2 top, 3 right, 4 bottom, 0 where it faces nowhere (a
        line one pixel wide). A diagonal one faces left or right.

    Examples
    --------
    >>> from annqc.kernels.masks import borders
    >>> upper_half = np.array([0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]), np.array([0, 13])
    >>> canvas, row = np.array([[6, 6]]), np.array([0])
    >>> inner, outer = (borders(*upper_half, canvas, row, rule=rule)
    ...                 for rule in ("four within", "free within"))
    >>> inner.y.tolist(), facing(inner, outer, canvas).tolist()
    ([2, 2, 2, 2, 2, 2], [4, 4, 4, 4, 4, 4])
    """
    out = np.zeros(len(inner.x), dtype=np.uint8)
    smooth, slope = window()
    _facing.sectors(
        *(inner.starts, inner.x, inner.y, outer.starts, outer.x, outer.y),
        *(canvas, smooth, slope, out),
    )
    return out


def offset_sums(
    reference: Outlines,
    candidate: Outlines,
    faces: Bytes,
    centres: Floats,
    rows_a: Ints,
    rows_b: Ints,
) -> tuple[Floats, Ints]:
    """Sum up signed offsets of the candidate at the border pixels of the reference.

    Parameters
    ----------
    reference, candidate : Outlines
        Border pixels of both sides.
    faces : (m,) uint8
        What `facing` says of the inner border pixels of the references.
    centres : (n, 2) float64
        Centre of gravity of each reference, x and y.
    rows_a, rows_b : (p,) int64
        Pair i is reference ``rows_a[i]`` and candidate ``rows_b[i]``.

    Returns
    -------
    sums : (p, 9) float64
        Sum of the offsets in each of `SECTORS`, positive where the candidate is loose.
    counts : (p, 10) int64
        Pixels in each of them, and last the pixels left out because the candidate has no outline
        that they could be compared with.

    Examples
    --------
    >>> runs = np.array([0, 3, 3, 3, 3, 3, 3, 0, 4, 2, 4, 2, 4, 2])
    >>> masks = runs, np.array([0, 7, 14]), np.array([[6, 3], [6, 3]])
    >>> both = Outlines.of(*masks, np.arange(2))
    >>> faces = facing(both.inner, both.outer, both.canvas)
    >>> centres = np.array([[1.5, 1.5], [1.5, 2.0]])
    >>> sums, counts = offset_sums(both, both, faces, centres, np.array([0]), np.array([1]))
    >>> sums[0, :5].tolist(), counts[0].tolist()
    ([3.0, 0.0, 0.0, 0.0, 3.0], [3, 0, 0, 0, 3, 0, 0, 2, 1, 0])
    """
    sums = np.empty((len(rows_a), 9))
    counts = np.empty((len(rows_a), 10), dtype=np.int64)
    border, closed, inner, outer = (
        *(reference.inner, reference.closed),
        *(candidate.inner, candidate.outer),
    )
    _surfaces.offset_sums(
        *(border.starts, border.x, border.y, faces, centres),
        *(closed.starts, closed.x, closed.y),
        *(inner.starts, inner.x, inner.y, outer.starts, outer.x, outer.y),
        candidate.canvas,
        candidate.full,
        *(rows_a, rows_b),
        sums,
        counts,
    )
    return sums, counts
