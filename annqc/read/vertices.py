"""Vertices as files give them -> arrays, and curves -> vertices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["VertexError", "box_around", "ellipse", "vertices"]

_SAGITTA: Final = 0.01
"""How far a polygon may be off the curve that it stands for, in pixels."""
_MOST_VERTICES: Final = 2048
_LARGE: Final = 1e6
"""A half axis in pixels from which on the vertices are the most there are."""


class VertexError(Exception):
    """Vertices that are none: the kind of problem, and what was expected and found."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def vertices(pairs: Sequence[Sequence[Any]]) -> Floats:
    """Return pairs of numbers as an array.

    Parameters
    ----------
    pairs : sequence of (x, y)
        Whatever the file has.

    Raises
    ------
    VertexError
        A pair is no pair, or something in it is no number (``malformed``) or not finite.

    Examples
    --------
    >>> vertices([(1, 2), (3.5, 4)]).tolist()
    [[1.0, 2.0], [3.5, 4.0]]
    """
    kind = "malformed"
    for number, pair in enumerate(pairs, start=1):
        if not (isinstance(pair, (list, tuple)) and len(pair) == 2):
            raise VertexError(kind, f"vertex {number}: expected x and y, found {pair!r:.60}")
        for value in pair:
            if type(value) not in (int, float):
                raise VertexError(kind, f"vertex {number}: expected a number, found {value!r:.60}")
    try:
        points = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    except OverflowError:
        points = np.full((1, 2), np.inf)
    if not np.isfinite(points).all():
        raise VertexError(kind="non_finite", message="a vertex has a coordinate that is not finite")
    return points


def box_around(points: Floats) -> tuple[float, float, float, float]:
    """Return the box around vertices as x1, y1, x2, y2; there is at least one."""
    (x1, y1), (x2, y2) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x1, y1, x2, y2


def ellipse(centre: Sequence[float], radii: Sequence[float], angle: float = 0.0) -> Floats:
    """Return an ellipse as a polygon of the same area, nowhere farther off than 0.01 pixel.

    Parameters
    ----------
    centre : (x, y)
        Centre.
    radii : (rx, ry)
        Half axes, finite and not negative.
    angle : float
        By how much the first axis is turned from x towards y, in radians.

    Examples
    --------
    >>> circle = ellipse((10, 10), (5, 5))
    >>> len(circle), circle[0].round(2).tolist()
    (50, [15.01, 10.0])
    """
    largest = min(max(*radii, _SAGITTA), _LARGE)
    n = math.ceil(math.pi / math.acos(1 - min(_SAGITTA / largest, 0.5)))
    step = 2 * math.pi / min(max(n, 8), _MOST_VERTICES)
    # Vertices on the curve would make every polygon smaller than what was drawn.
    wider = math.sqrt(step / math.sin(step))
    turn = np.arange(min(max(n, 8), _MOST_VERTICES)) * step
    cos, sin = math.cos(angle), math.sin(angle)
    with np.errstate(invalid="ignore", over="ignore"):  # the checks find what is not finite
        x, y = wider * radii[0] * np.cos(turn), wider * radii[1] * np.sin(turn)
        return np.stack([centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos], axis=1)
