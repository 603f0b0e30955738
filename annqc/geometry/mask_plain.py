"""Pairs of masks, one at a time, with OpenCV and scipy: what small inputs take.

The compiled kernels of `annqc.kernels` give the same numbers and cost a process more than a second
before the first; a handful of pairs is done here by then. A mask is cut out of its canvas before it
is unpacked, so a small object on a large canvas stays small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from annqc.kernels.surfaces import window

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Cut", "band_counts", "cut", "distance_sums", "offset_sums"]

LEVEL: Final = 1e-9
"""Numbers less than this apart are equal, so that rounding decides nothing."""


class Cut(NamedTuple):
    """A part of a canvas with two masks on it.

    Attributes
    ----------
    one, two : (rows, columns) bool
        The masks.
    left, top : int
        Where the part lies on the canvas.
    canvas : (int, int)
        Height and width of the canvas.
    """

    one: Bools
    two: Bools
    left: int
    top: int
    canvas: tuple[int, int]


def cut(reference: Shapes, candidate: Shapes, row: int, other: int, *, margin: int = 0) -> Cut:
    """Unpack two masks where at least one of them has a pixel, and some pixels around.

    Parameters
    ----------
    reference, candidate : Shapes
        Masks of the same canvas.
    row, other : int
        Which of each.
    margin : int, optional
        How many pixels around them, where the canvas has as many.

    Returns
    -------
    Cut
        Nothing, of no size, where both are empty.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> dots = Shapes.from_runs([[7, 1, 17], [13, 1, 11]], [[5, 5], [5, 5]])
    >>> part = cut(dots, dots, 0, 1)
    >>> part.left, part.top, part.one.tolist()
    (1, 2, [[True, False], [False, False]])
    """
    height, width = (int(size) for size in reference.canvas[row])
    both = [np.asarray(shapes.runs_of(k)) for shapes, k in ((reference, row), (candidate, other))]
    ends = [np.cumsum(runs) for runs in both]
    starts = [end - runs for runs, end in zip(both, ends, strict=True)]
    filled = [runs > 0 for runs in both]
    for one in filled:
        one[::2] = False
    if not any(one.any() for one in filled):
        nothing = np.zeros((0, 0), dtype=np.bool_)
        return Cut(nothing, nothing, 0, 0, (height, width))
    first = min(int(start[one][0]) for start, one in zip(starts, filled, strict=True) if one.any())
    last = max(int(end[one][-1]) for end, one in zip(ends, filled, strict=True) if one.any()) - 1
    left = max(first // height - margin, 0)
    right = min(last // height + 1 + margin, width)
    columns = [_columns(end, left, right, height) for end in ends]
    rows = np.flatnonzero((columns[0] | columns[1]).any(axis=0))
    top, bottom = max(int(rows[0]) - margin, 0), min(int(rows[-1]) + 1 + margin, height)
    one, two = (np.ascontiguousarray(each.T[top:bottom]) for each in columns)
    return Cut(one, two, left, top, (height, width))


def _columns(ends: Ints, left: int, right: int, height: int) -> Bools:
    """Unpack some columns of a mask whose runs end there; one row a column."""
    bounds = np.concatenate([[left * height], np.clip(ends, left * height, right * height)])
    pixels = np.repeat(np.arange(len(ends)) % 2 == 1, bounds[1:] - bounds[:-1])
    return pixels.reshape(right - left, height)


def band_counts(part: Cut, depth: int) -> tuple[int, int, int]:
    """Count the pixels in the boundary bands of a pair: shared, of the one, of the other.

    Parameters
    ----------
    part : Cut
        The pair.
    depth : int
        How deep a band is.

    Examples
    --------
    >>> whole = np.ones((5, 5), dtype=bool)
    >>> band_counts(Cut(whole, whole, 0, 0, (5, 5)), 1)
    (16, 16, 16)
    """
    if not part.one.size:
        return 0, 0, 0
    one, two = (mask & ~_eroded(mask, depth) for mask in (part.one, part.two))
    return int((one & two).sum()), int(one.sum()), int(two.sum())


def _eroded(mask: Bools, depth: int) -> Bools:
    import cv2

    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(padded, np.ones((3, 3), dtype=np.uint8), iterations=depth)
    kept: Bools = eroded[1:-1, 1:-1] > 0
    return kept


def _border(mask: Bools, rule: str) -> tuple[Bools, Ints]:
    """Return where the border is, and the codes of pixel corners."""
    from scipy import ndimage

    if rule == "corners":
        padded = np.pad(mask, 1).astype(np.int64)
        code = 8 * padded[:-1, :-1] + 4 * padded[:-1, 1:] + 2 * padded[1:, :-1] + padded[1:, 1:]
        return (code > 0) & (code < 15), code
    around = ndimage.generate_binary_structure(2, 2 if rule == "eight" else 1)
    border: Bools = mask & ~ndimage.binary_erosion(mask, around)
    return border, np.zeros(mask.shape, dtype=np.int64)


def distance_sums(
    part: Cut,
    *,
    rule: str,
    spacing: tuple[float, float],
    tolerance: float,
    share: float,
    pooled: bool,
    lengths: Floats | None,
) -> Floats:
    """Sum up the distances between the borders of a pair, as `annqc.kernels.surfaces` does.

    Parameters
    ----------
    part : Cut
        The pair.
    rule : str
        Which pixels are the border: "eight", "four" or "corners".
    spacing, tolerance, share, pooled, lengths
        As in `annqc.kernels.surfaces.distance_sums`.

    Returns
    -------
    (11,) float64
        A row of the kernel's table.

    Examples
    --------
    >>> dots = np.eye(2, dtype=bool)
    >>> part = Cut(dots, dots[:, ::-1], 0, 0, (2, 2))
    >>> rest = dict(spacing=(1, 1), tolerance=1, share=1, pooled=False, lengths=None)
    >>> distance_sums(part, rule="four", **rest)[:5].tolist()
    [2.0, 2.0, 1.0, 1.0, 2.0]
    """
    out = np.full(11, np.nan)
    borders = [_border(mask, rule) for mask in (part.one, part.two)]
    found = []
    for side, (border, code) in enumerate(borders):
        distance = _to_pixels(borders[1 - side][0], spacing)[border]
        weight = np.ones(len(distance)) if lengths is None else lengths[code[border]]
        found.append((distance, weight))
        out[5 * side : 5 * side + 5] = (
            weight.sum(),
            (weight * distance).sum(),
            distance.max(initial=0.0),
            np.nan if pooled else _quantile(distance, weight, share, weighted=lengths is not None),
            weight[distance <= tolerance].sum(),
        )
    if pooled:
        together = [np.concatenate(columns) for columns in zip(*found, strict=True)]
        out[10] = _quantile(together[0], together[1], share, weighted=lengths is not None)
    return out


def _to_pixels(border: Bools, spacing: tuple[float, float]) -> Floats:
    """Return the distance of every pixel to the nearest of some, infinite where there is none."""
    from scipy import ndimage

    if not border.any():
        return np.full(border.shape, np.inf)
    distance: Floats = ndimage.distance_transform_edt(~border, sampling=spacing)
    return distance


def _quantile(values: Floats, weights: Floats, share: float, *, weighted: bool) -> float:
    if not len(values):
        return np.nan
    if not np.isfinite(values).any():
        return np.inf
    if not weighted:
        return float(np.quantile(values, share))
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    place = min(int(np.searchsorted(reached, share * (1 - LEVEL))), len(values) - 1)
    return float(values[order][place])


def offset_sums(part: Cut) -> tuple[Floats, Ints]:
    """Sum up signed offsets at the border pixels of a reference, as `annqc.kernels.surfaces` does.

    Parameters
    ----------
    part : Cut
        The pair, with a margin of seven pixels at least.

    Returns
    -------
    sums : (9,) float64
        A row of the kernel's table.
    counts : (10,) int64
        The same of its other one.

    Examples
    --------
    >>> half = np.arange(12)[:, None] < np.array([5, 5])
    >>> more = np.arange(12)[:, None] < np.array([7, 7])
    >>> sums, counts = offset_sums(Cut(half, more, 0, 0, (12, 2)))
    >>> sums[:5].tolist(), counts[:5].tolist()
    ([4.0, 0.0, 0.0, 0.0, 4.0], [2, 0, 0, 0, 2])
    """
    from scipy import ndimage

    sums, counts = np.zeros(9), np.zeros(10, dtype=np.int64)
    edge = part.one & ~ndimage.binary_erosion(part.one, border_value=1)
    y, x = np.nonzero(edge)
    if not len(y):
        return sums, counts
    signed = _limited(part, y, x, _signed(part.two)[edge])
    known = np.isfinite(signed)
    offset = np.where(known, signed - 0.5, 0.0)
    rows, columns = np.nonzero(part.one)
    below, beyond = y >= rows.mean(), x >= columns.mean()
    for parts in (
        np.zeros(len(y), dtype=np.int64),
        _facing(part.one)[edge],
        np.where(below, np.where(beyond, 7, 8), np.where(beyond, 6, 5)),
    ):
        kept = known & (parts >= 0)
        sums += np.bincount(parts[kept], weights=offset[kept], minlength=9)
        counts[:9] += np.bincount(parts[kept], minlength=9)
    counts[9] = np.count_nonzero(~known)
    return sums, counts


def _signed(mask: Bools) -> Floats:
    """Return the signed distance of every pixel to the outline, positive inside."""
    inside, outside = _to_pixels(~mask, (1.0, 1.0)), _to_pixels(mask, (1.0, 1.0))
    signed: Floats = np.where(mask, inside - 0.5, 0.5 - outside)
    return signed


def _limited(part: Cut, y: Ints, x: Ints, signed: Floats) -> Floats:
    """End the candidate at the edge of the canvas where the reference does not reach that edge."""
    height, width = part.canvas
    rows, columns = part.one.shape
    nobody = np.zeros(len(y), dtype=np.bool_)
    sides: tuple[tuple[Any, Any], ...] = (
        (width - part.left - x, part.one[y, -1] if part.left + columns == width else nobody),
        (part.left + x + 1, part.one[y, 0] if part.left == 0 else nobody),
        (height - part.top - y, part.one[-1, x] if part.top + rows == height else nobody),
        (part.top + y + 1, part.one[0, x] if part.top == 0 else nobody),
    )
    for gap, reached in sides:
        signed = np.where(~reached, np.minimum(signed, gap - 0.5), signed)
    return signed


def _facing(mask: Bools) -> npt.NDArray[np.int64]:
    """Say which way every pixel faces: 1 left, 2 top, 3 right, 4 bottom, -1 nowhere."""
    from scipy import ndimage

    smooth, slope = window()
    signed = _signed(mask)
    across, down = (
        -ndimage.correlate1d(ndimage.correlate1d(signed, slope, axis=axis), smooth, axis=1 - axis)
        for axis in (1, 0)
    )
    level = np.maximum(abs(across), abs(down)) < LEVEL
    sideways = abs(across) >= abs(down) * (1 - LEVEL)
    faces: npt.NDArray[np.int64] = np.where(
        sideways, np.where(across < 0, 1, 3), np.where(down < 0, 2, 4)
    )
    return np.where(level, -1, faces)
