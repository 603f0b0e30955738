"""Rings between numpy and shapely: which lie in which, and shapely's polygons as oriented rings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["nesting", "oriented", "rings_of", "shoelace"]

_DUST: Final = 1e-9
"""Square pixels: what is left of rounding after an overlay is less, and no part of anything."""


def shoelace(ring: Floats) -> float:
    """Return the signed area of one open ring, positive where it runs clockwise on screen.

    Parameters
    ----------
    ring : (k, 2) float64
        Vertices.

    Examples
    --------
    >>> shoelace(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]))
    2.0
    """
    x, y = (ring - ring[0]).T  # seen from its first vertex, the last edge adds nothing
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1]) / 2


def oriented(ring: Floats, *, outer: bool) -> Floats:
    """Return a ring in the direction of an outer ring, or of a hole; its first vertex stays first.

    Parameters
    ----------
    ring : (k, 2) float64
        Vertices of an open ring.
    outer : bool
        Whether it is to have a positive area.
    """
    if (shoelace(ring) > 0) == outer:
        return ring
    return np.concatenate([ring[:1], ring[:0:-1]])


def rings_of(geometry: Any) -> list[Floats]:
    """Return the rings of all polygons in a geometry, open, outer ones clockwise on screen.

    Parameters
    ----------
    geometry : shapely geometry
        Of any kind; points and lines in it count for nothing.

    Examples
    --------
    >>> import shapely
    >>> [shoelace(ring) for ring in rings_of(shapely.box(0, 0, 2, 1))]
    [2.0]
    """
    import shapely

    parts = shapely.get_parts(shapely.get_parts(geometry))
    parts = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON)]
    parts = parts[shapely.area(parts) > _DUST]
    lines, part = shapely.get_rings(parts, return_index=True)
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    bounds = np.searchsorted(line, np.arange(len(lines) + 1))
    first = np.r_[True, part[1:] != part[:-1]] if len(part) else np.empty(0, dtype=bool)
    found = []
    for k, outer in enumerate(first.tolist()):
        ring = coordinates[bounds[k] : bounds[k + 1] - 1]
        if abs(shoelace(ring)) > _DUST:
            found.append(oriented(ring, outer=outer))
    return found


def nesting(polygons: Array, rings: Sequence[Floats]) -> Ints | None:
    """Return how deep each ring lies in others, None where they do not lie cleanly in each other.

    Parameters
    ----------
    polygons : (k,) array of shapely polygons
        Each ring as a polygon of its own, valid.
    rings : sequence of (m, 2) float64
        The same rings.

    Returns
    -------
    (k,) int64 or None
        0 for outer rings, 1 for holes, 2 for islands in holes and so on.
    """
    import shapely

    area = shapely.area(polygons)
    inside = shapely.covers(polygons[:, None], polygons[None, :])
    inside &= area[:, None] > area[None, :]
    depth: Ints = inside.sum(axis=0).astype(np.int64)
    parents = np.where(inside, area[:, None], np.inf).argmin(axis=0)
    whole = []
    for k in np.flatnonzero(depth % 2 == 0).tolist():
        holes = np.flatnonzero((parents == k) & (depth == depth[k] + 1)).tolist()
        whole.append(shapely.Polygon(rings[k], [rings[one] for one in holes]))
    return depth if shapely.is_valid(shapely.multipolygons(whole)) else None
