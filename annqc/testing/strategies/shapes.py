"""testing: strategies for boxes and polygons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from hypothesis import strategies as st

from annqc.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from annqc.tables import Floats

    Box = tuple[float, float, float, float]

__all__ = ["IMAGE_SIZE", "STEP", "boxes", "polygons", "polygons_with_holes"]

IMAGE_SIZE: Final = (640, 480)
STEP: Final = 0.125
"""Sums and differences of multiples of an eighth are exact: nothing is lost to rounding."""
SPREAD: Final = 0.4
"""Share of its sector in which a corner may lie; below a half no angle between two corners, seen
from the centre, reaches 180 degrees, even in a triangle."""
NEAREST: Final = 0.3
"""Smallest distance of a corner from the centre, as a share of the largest."""
SMALLEST_RADIUS: Final = 4.0
HOLE: Final = 0.5
"""Size of a hole, as a share of the triangle that it lies in."""


def boxes(
    *,
    image_size: Sequence[float] = IMAGE_SIZE,
    min_side: float = 1.0,
    max_side: float | None = None,
    step: float | None = STEP,
    degenerate: bool = False,
) -> SearchStrategy[Box]:
    """Draw boxes ``(x1, y1, x2, y2)`` that lie inside an image.

    Parameters
    ----------
    image_size : (2,) sequence of float
        Width and height in pixels.
    min_side, max_side : float
        Smallest and largest width and height; the image sets the largest if not given.
    step : float or None
        Coordinates are multiples of this: 1 for whole pixels, None for any numbers.
    degenerate : bool
        Whether boxes without an area may come up: lines and points.

    Returns
    -------
    strategy of (float, float, float, float)

    Raises
    ------
    SpecError
        Where no such box fits into the image.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(boxes(min_side=8), lambda box: box[0] >= 100)
    (100.0, 0.0, 108.0, 8.0)
    """
    width, height = _size(image_size)
    if step is not None and not 0 < step < math.inf:
        what = "the step of the coordinates must be above 0, or None"
        raise SpecError(what, where="step", found=repr(step))
    spans = [
        _spans(length, 0.0 if degenerate else min_side, max_side, step)
        for length in (width, height)
    ]
    return st.builds(lambda x, y: (x[0], y[0], x[1], y[1]), *spans)


def _size(image_size: Sequence[float]) -> tuple[float, float]:
    sides = tuple(float(side) for side in image_size)
    if len(sides) != 2 or not all(0 < side < math.inf for side in sides):
        what = "an image size is a width and a height in pixels"
        raise SpecError(what, where="image_size", expected="(640, 480)", found=repr(image_size))
    return sides[0], sides[1]


def _spans(
    length: float, least: float, most: float | None, step: float | None
) -> SearchStrategy[tuple[float, float]]:
    """Two ends on a line from 0 to ``length``, so far apart."""
    most = length if most is None else min(most, length)
    if not 0 <= least <= most:
        what = "no such box fits into the image"
        found = f"sides from {least:g} to {most:g} px in an image of {length:g} px"
        raise SpecError(what, where="min_side, max_side", found=found)
    if step is None:
        return _any_spans(length, least, most)
    shortest, longest = math.ceil(least / step), math.floor(most / step)
    if shortest > longest:
        what = "no side is a multiple of the step"
        found = f"sides from {least:g} to {most:g} px, step {step:g} px"
        raise SpecError(what, where="step", found=found)
    return _stepped_spans(length, shortest, longest, step)


@st.composite
def _stepped_spans(
    draw: DrawFn, length: float, shortest: int, longest: int, step: float
) -> tuple[float, float]:
    side = draw(st.integers(shortest, longest))
    start = draw(st.integers(0, math.floor(length / step) - side))
    return start * step, min((start + side) * step, length)


@st.composite
def _any_spans(draw: DrawFn, length: float, least: float, most: float) -> tuple[float, float]:
    start = draw(st.floats(0.0, length - least))
    end = draw(st.floats(min(start + least, length), min(start + most, length)))
    # Rounding may have taken a last bit from the side.
    return (start, end) if least <= end - start <= most else (0.0, least)


def polygons(
    *,
    image_size: Sequence[float] = IMAGE_SIZE,
    min_points: int = 3,
    max_points: int = 12,
    convex: bool = False,
) -> SearchStrategy[Floats]:
    """Draw polygons inside an image that do not cross or touch themselves.

    Parameters
    ----------
    image_size : (2,) sequence of float
        Width and height in pixels.
    min_points, max_points : int
        How many corners; the first is not repeated at the end.
    convex : bool
        Whether all are convex. If not, they are star-shaped: all of the outline can be seen from
        one point inside.

    Returns
    -------
    strategy of (n, 2) float64
        Corners in order around the polygon, in one direction or the other.

    Raises
    ------
    SpecError
        Where no such polygon fits into the image.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(polygons(), lambda ring: len(ring) >= 5).shape
    (5, 2)
    """
    shapes = _stars(_size(image_size), _counts(min_points, max_points), convex=convex)
    return shapes.map(lambda shape: shape[1])


def polygons_with_holes(
    *,
    image_size: Sequence[float] = IMAGE_SIZE,
    min_points: int = 3,
    max_points: int = 12,
    min_holes: int = 0,
    max_holes: int = 2,
) -> SearchStrategy[list[Floats]]:
    """Draw star-shaped polygons with holes: a list of rings, the outline first.

    Parameters
    ----------
    image_size, min_points, max_points
        As in `polygons`; of the outline.
    min_holes, max_holes : int
        How many holes; no more come than the outline has corners. They do not touch each other or
        the outline.

    Returns
    -------
    strategy of list of (n, 2) float64

    Raises
    ------
    SpecError
        Where no such polygon fits into the image.

    Examples
    --------
    >>> from hypothesis import find
    >>> [ring.shape for ring in find(polygons_with_holes(), lambda rings: len(rings) == 2)]
    [(3, 2), (3, 2)]
    """
    counts = _counts(max(min_points, min_holes), max_points)
    if not 0 <= min_holes <= max_holes:
        what = "min_holes must be at least 0 and at most max_holes"
        raise SpecError(what, where="min_holes", found=f"{min_holes} and {max_holes}")
    return _pierced(_stars(_size(image_size), counts, convex=False), min_holes, max_holes)


def _counts(least: int, most: int) -> tuple[int, int]:
    if not 3 <= least <= most:
        what = "a polygon has at least three corners, and min_points is at most max_points"
        raise SpecError(what, where="min_points, max_points", found=f"{least} and {most}")
    return least, most


def _stars(
    size: tuple[float, float], counts: tuple[int, int], *, convex: bool
) -> SearchStrategy[tuple[Floats, Floats]]:
    """Centres and rings around them."""
    if min(size) < 2 * SMALLEST_RADIUS:
        what = "the image is too small for a polygon"
        expected = f"at least {2 * SMALLEST_RADIUS:g} px on either side"
        raise SpecError(what, where="image_size", expected=expected, found=repr(size))
    return _star(size, counts, convex=convex)


@st.composite
def _star(
    draw: DrawFn, size: tuple[float, float], counts: tuple[int, int], *, convex: bool
) -> tuple[Floats, Floats]:
    eighths = st.integers(0, 8).map(lambda k: k / 8)
    corner = st.tuples(eighths, st.just(1.0) if convex else eighths)
    corners = draw(st.lists(corner, min_size=counts[0], max_size=counts[1]))
    n = len(corners)
    spread, reach = np.array(corners).T
    half = np.array([_radius(draw, side) for side in size])
    centre = np.array(
        [
            draw(st.integers(0, math.floor(side - 2 * part))) + part
            for side, part in zip(size, half, strict=True)
        ]
    )
    angle = 2 * np.pi * (np.arange(n) + SPREAD * spread) / n
    far = NEAREST + (1 - NEAREST) * reach
    ring = np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1) * half + centre
    ring = np.clip(ring, 0.0, size)
    return centre, ring[::-1].copy() if draw(st.booleans()) else ring


def _radius(draw: DrawFn, side: float) -> float:
    return draw(st.integers(int(4 * SMALLEST_RADIUS), math.floor(2 * side))) / 4


@st.composite
def _pierced(
    draw: DrawFn, stars: SearchStrategy[tuple[Floats, Floats]], least: int, most: int
) -> list[Floats]:
    """Cut holes into the triangles between the centre and two neighbouring corners."""
    centre, ring = draw(stars)
    corners = st.integers(0, len(ring) - 1)
    chosen = draw(st.lists(corners, min_size=least, max_size=min(most, len(ring)), unique=True))
    rings = [ring]
    for k in chosen:
        triangle = np.stack([centre, ring[k], ring[(k + 1) % len(ring)]])
        middle = triangle.mean(axis=0)
        rings.append(middle + HOLE * (triangle - middle))
    return rings
