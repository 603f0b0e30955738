"""Masks -> polygons along the edges of their pixels, and masks -> their connected parts.

The outline follows the cracks between pixels, so that the polygon covers exactly the pixels that
are set: areas are equal, and painting it gives the mask again. Works on strips of foreground, never
on a canvas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from annqc.geometry.masks import runs_of_strips, strips
from annqc.shapes import MASK
from annqc.tables import Shapes

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.geometry.masks import Strips

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["components", "traced"]


def traced(shapes: Shapes) -> Shapes:
    """Return masks as polygons along pixel edges; polygons stay as they are.

    Parameters
    ----------
    shapes : Shapes
        n annotations, their masks without faults.

    Returns
    -------
    Shapes
        n annotations in normal form. Vertices stand at the corners alone. Pixels that touch at a
        corner belong to different rings, or the ring is cut there: no ring touches itself. An
        empty mask becomes box only.

    Examples
    --------
    >>> square = traced(Shapes.from_runs([np.array([5, 2, 2, 2, 5])], [(4, 4)]))
    >>> square.rings(0)[0].tolist()
    [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]]
    """
    found = strips(shapes)
    bounds = np.searchsorted(found.mask, np.arange(len(shapes) + 1)).tolist()
    rings: list[list[Floats]] = [[] for _ in range(len(shapes))]
    for row in np.flatnonzero(shapes.kind == MASK).tolist():
        some = slice(bounds[row], bounds[row + 1])
        rings[row] = _rings(found.column[some], found.top[some], found.bottom[some])
    made = Shapes.from_rings(rings)
    n = len(shapes)
    polygons = Shapes.mixed(
        Shapes.from_ragged(shapes.points, shapes.ring_offsets, shapes.shape_offsets),
        Shapes.empty(n),
    )
    both = Shapes.concat([polygons, made])
    return both.take(np.arange(n) + np.where(shapes.kind == MASK, n, 0))


def components(shapes: Shapes, *, connectivity: Literal[4, 8] = 8) -> tuple[Shapes, Ints]:
    """Return the connected parts of masks, each as a mask of its own.

    Parameters
    ----------
    shapes : Shapes
        n annotations, their masks without faults.
    connectivity : {4, 8}
        Whether pixels that touch at a corner alone are connected (8) or not (4).

    Returns
    -------
    parts : Shapes
        m masks, by annotation; the largest of each first.
    row : (m,) int64
        Which annotation each is a part of.

    Examples
    --------
    >>> two = Shapes.from_runs([np.array([0, 1, 4, 1])], [(3, 2)])
    >>> parts, row = components(two)
    >>> parts.runs.tolist(), row.tolist()
    ([0, 1, 5, 5, 1], [0, 0])
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    found = strips(shapes)
    n = len(found.mask)
    left, right = _neighbours(found, shapes, 1 if connectivity == 8 else 0)
    links = coo_array((np.ones(len(left), dtype=bool), (left, right)), shape=(n, n))
    m, label = connected_components(links, directed=False)
    size = np.bincount(label, found.bottom - found.top, minlength=m)
    owner = np.zeros(m, dtype=np.int64)
    owner[label] = found.mask
    order = np.lexsort((np.arange(m), -size, owner))
    by_part = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[by_part], np.arange(m + 1))
    runs = []
    for part in order.tolist():
        some = by_part[bounds[part] : bounds[part + 1]]
        height, width = shapes.canvas[owner[part]].tolist()
        runs.append(
            runs_of_strips(found.column[some], found.top[some], found.bottom[some], (height, width))
        )
    return Shapes.from_runs(runs, shapes.canvas[owner[order]]), owner[order]


def _neighbours(found: Strips, shapes: Shapes, reach: int) -> tuple[Ints, Ints]:
    """Return pairs of strips in adjacent columns that meet: one after the other in this order."""
    tallest = int(shapes.canvas[:, 0].max(initial=0)) + 2
    width = int(found.column.max(initial=0)) + 2
    base = (found.mask * width + found.column) * tallest
    tops, bottoms = base + found.top, base + found.bottom
    # In the next column: the strips that end below this one's top and begin above its bottom.
    low = np.searchsorted(bottoms, tops + tallest - reach, side="right")
    high = np.searchsorted(tops, bottoms + tallest + reach, side="left")
    n = np.maximum(high - low, 0)
    step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    return np.repeat(np.arange(len(n)), n), np.repeat(low, n) + step


def _rings(column: Ints, top: Ints, bottom: Ints) -> list[Floats]:
    """Return the outlines of one mask; outer rings run clockwise on screen, holes the other way."""
    joined = np.flatnonzero((column[1:] == column[:-1]) & (top[1:] == bottom[:-1]))
    column, top = np.delete(column, joined + 1), np.delete(top, joined + 1)
    bottom = np.delete(bottom, joined)
    x, y, following, saddle = _corners(column, top, bottom)
    corners = np.stack([x, y], axis=1).astype(np.float64)
    return [corners[ring] for ring in _cycles(following.tolist(), saddle.tolist())]


def _corners(column: Ints, top: Ints, bottom: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the corners of an outline, which comes after which, and where two meet.

    A strip has four corners. Where the strip beside it begins or ends at the same height, the
    outline goes straight on, and there is none. Where one ends and the other begins, two pixels
    touch at their corners, and each keeps its own.

    Returns
    -------
    x, y, following : (k,) int64
        Corners, and the row of the next one, the inside being on the right hand.
    saddle : (k,) int64
        Number of the place for corners that share it with another, -1 for all others.
    """
    x = np.concatenate([column, column, column + 1, column + 1])
    y = np.concatenate([top, bottom, top, bottom])
    n = len(column)
    right, upper = np.repeat([True, True, False, False], n), np.repeat([True, False] * 2, n)
    place = np.unique(np.stack([x, y], axis=1), axis=0, return_inverse=True)[1].ravel()
    shared = np.bincount(place)[place] == 2
    straight = shared & (np.bincount(place, upper)[place] != 1)
    x, y, right, upper, place, shared = (
        one[~straight] for one in (x, y, right, upper, place, shared)
    )
    across = _partners(np.lexsort((right, x, y)))
    # Of two corners at one place, the one that belongs to the pixel above has its edge above.
    along = _partners(np.lexsort((upper, y, x)))
    following = np.where(right == upper, across, along)
    return x, y, following, np.where(shared, place, -1)


def _partners(order: Ints) -> Ints:
    """Return who stands beside whom: the first with the second, the third with the fourth."""
    partner = np.empty_like(order)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    return partner


def _cycles(following: list[int], saddle: list[int]) -> list[list[int]]:
    """Follow the corners round; a ring that comes back to a place is cut there into two."""
    seen = bytearray(len(following))
    rings = []
    for first in range(len(following)):
        path: list[int] = []
        met: dict[int, int] = {}
        at = first
        while not seen[at]:
            seen[at] = 1
            place = saddle[at]
            if place >= 0:
                if place in met:
                    ring = path[met[place] :]
                    del path[met[place] :]
                    rings.append(ring)
                    for one in ring:
                        met.pop(saddle[one], None)
                met[place] = len(path)
            path.append(at)
            at = following[at]
        if path:
            rings.append(path)
    return rings
