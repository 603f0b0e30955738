"""Scalabel's ``poly2d`` and ``rle`` -> rings and runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.read.jsonrows import as_text
from annqc.read.vertices import VertexError, vertices
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.geometry.repair import Fault

    Floats = npt.NDArray[np.float64]

__all__ = ["outline_of", "outlines_of"]

_OFF: Final = 0.01
"""How far a polygon may be off the curve that it stands for, in pixels."""
_MOST: Final = 256


def outline_of(category: str, polygons: list[Any], *, boxed: bool) -> Any:
    """Return the closed ones of some polygons, as the file has them; None where there is none.

    Parameters
    ----------
    category : str
        For messages.
    polygons : list
        What stands under ``poly2d``.
    boxed : bool
        Whether the label has a box, and needs no outline.

    Raises
    ------
    VertexError
        Nothing but lines, and no box.
    """
    closed = [one for one in polygons if not (isinstance(one, dict) and one.get("closed") is False)]
    if not closed and not boxed:
        kind = "unsupported_shape"
        raise VertexError(kind, f"{category!r} is a line, which is not read")
    return closed or None


def outlines_of(given: Sequence[Any]) -> tuple[Shapes, list[Fault]]:
    """Return the outlines of labels, and what is wrong with them by row.

    Parameters
    ----------
    given : sequence
        Of each label a list of polygons, an object with ``size`` and ``counts``, or None.
    """
    from annqc.geometry.repair import Fault
    from annqc.read.cocoshapes import outlines

    faults: list[Fault] = []
    rings: list[list[Floats]] = []
    for row, one in enumerate(given):
        rings.append([])
        if isinstance(one, list):
            try:
                rings[row] = [_ring(polygon) for polygon in one]
            except VertexError as error:
                faults.append(Fault(error.kind, row, error.message))
    texts = [b"" if one is None or isinstance(one, list) else as_text(one) for one in given]
    masks, wrong = outlines(texts)
    return Shapes.mixed(Shapes.from_rings(rings), masks), faults + wrong


def _ring(polygon: Any) -> Floats:
    """Return the vertices of a polygon, curves flattened."""
    if not isinstance(polygon, dict) or not isinstance(polygon.get("vertices"), list):
        message = f"expected a polygon with vertices, found {polygon!r:.60}"
        raise VertexError(kind="malformed", message=message)
    points = vertices(polygon["vertices"])
    if not len(points):
        raise VertexError(kind="malformed", message="the polygon has no vertex")
    types = polygon.get("types")
    if not isinstance(types, str) or "C" not in types or len(types) != len(points):
        return points
    return _flattened(points, types)


def _flattened(points: Floats, types: str) -> Floats:
    """Return a path as a polygon: ``C`` stands for two control points and the end of a curve."""
    pieces, k = [points[:1]], 1
    while k < len(points):
        if types[k] != "C" or k + 1 == len(points):
            pieces.append(points[k : k + 1])
            k += 1
            continue
        end = points[k + 2] if k + 2 < len(points) else points[0]
        pieces.append(_curve(np.stack([pieces[-1][-1], points[k], points[k + 1], end])))
        k += 3
    return np.concatenate(pieces)


def _curve(four: Floats) -> Floats:
    """Return a cubic Bezier curve without its start as vertices, nowhere 0.01 pixel off."""
    bend = float(np.hypot(*(four[:-2] - 2 * four[1:-1] + four[2:]).T).max())
    n = min(max(math.ceil(math.sqrt(0.75 * bend / _OFF)), 1), _MOST)
    t = (np.arange(1, n + 1) / n)[:, None]
    s = 1 - t
    return np.asarray(
        s**3 * four[0] + 3 * s * s * t * four[1] + 3 * s * t * t * four[2] + t**3 * four[3]
    )
