"""Even-odd fill: from rings that cross and touch themselves and each other to sound polygons.

A point is inside where a ray from it crosses the rings an odd number of times. It is the rule of
`shapely.make_valid` and of COCO's rasteriser: both lobes of a figure of eight stay, a spike goes,
and what is wound round twice is a hole. The rings are noded, cut into faces, and each face is in or
out; unlike in ``make_valid``, the time that takes grows with the number of crossings, not its
square.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["MOST_CROSSINGS", "crossings", "even_odd"]

MOST_CROSSINGS: Final = 200_000
"""A ring that crosses itself more often is no outline of anything."""

_SAMPLED: Final = 64
_PAIRS_AT_ONCE: Final = 1 << 22


def crossings(rings: Sequence[Floats]) -> int:
    """Return about how often rings cross themselves and each other, from a sample of their edges.

    Parameters
    ----------
    rings : sequence of (k, 2) float64
        Open rings.

    Examples
    --------
    >>> crossings([np.array([[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]])])
    1
    """
    starts = np.concatenate(rings)
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    n = len(starts)
    some = np.unique(np.linspace(0, n - 1, min(n, _SAMPLED)).astype(np.int64))
    met = sum(_crossed(starts[k], ends[k], starts, ends) for k in some.tolist())
    return round(met / len(some) * n / 2)


def even_odd(rings: Sequence[Floats]) -> Any:
    """Return the inside of rings under the even-odd rule.

    Parameters
    ----------
    rings : sequence of (k, 2) float64
        Open rings of three vertices or more, finite.

    Returns
    -------
    shapely geometry
        A valid polygon or several; empty where the rings enclose nothing.

    Examples
    --------
    >>> even_odd([np.array([[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]])]).area
    8.0
    """
    import shapely

    closed = [np.concatenate([ring, ring[:1]]) for ring in rings]
    noded = shapely.union_all([shapely.linestrings(ring) for ring in closed])
    faces = shapely.get_parts(shapely.polygonize([noded]))
    if not len(faces):
        return shapely.MultiPolygon()
    at = shapely.get_coordinates(shapely.point_on_surface(faces))
    starts = np.concatenate([ring[:-1] for ring in closed])
    ends = np.concatenate([ring[1:] for ring in closed])
    inside = _odd(at, starts, ends)
    # Two faces that are both inside share an edge only where the rings run over it twice.
    try:
        return shapely.coverage_union_all(faces[inside])
    except shapely.errors.GEOSException:  # faces so thin that rounding makes them overlap
        return shapely.union_all(faces[inside])


def _crossed(a: Floats, b: Floats, starts: Floats, ends: Floats) -> int:
    """Count the edges that properly cross the edge from a to b."""

    def side(p: Floats, q: Floats, r: Floats) -> Floats:
        u, v = q - p, r - p
        turn: Floats = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
        return turn

    apart = side(a, b, starts) * side(a, b, ends) < 0
    apart &= side(starts, ends, a) * side(starts, ends, b) < 0
    return int(apart.sum())


def _odd(at: Floats, starts: Floats, ends: Floats) -> npt.NDArray[np.bool_]:
    """Return which points a ray to the right leaves over an odd number of edges."""
    import shapely

    edges = np.stack([starts, ends], axis=1)
    tree = shapely.STRtree(shapely.linestrings(edges))
    far = float(edges[..., 0].max()) + 1
    counts = np.zeros(len(at), dtype=np.int64)
    some = max(1, _PAIRS_AT_ONCE // len(edges))
    for first in range(0, len(at), some):
        x, y = at[first : first + some].T
        rays = shapely.box(x, y, np.full(len(x), far), y)
        ray, edge = tree.query(rays)
        (x0, y0), (x1, y1) = starts[edge].T, ends[edge].T
        height = y[ray]
        over = (y0 > height) != (y1 > height)
        with np.errstate(divide="ignore", invalid="ignore"):
            right = x0 + (height - y0) / (y1 - y0) * (x1 - x0) > x[ray]
        counts[first : first + some] += np.bincount(ray[over & right], minlength=len(x))
    odd: npt.NDArray[np.bool_] = counts % 2 == 1
    return odd
