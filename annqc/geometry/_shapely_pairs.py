"""Pairs of polygons through shapely: what the kernels compute, with nothing to compile.

For little work only: shared areas go ring by ring, contours pair by pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from annqc.geometry.polygons import signed_areas
from annqc.kernels.contours import COLUMNS, SECTORS

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["chords", "distances", "offsets", "ring_products"]

AT_ONCE: Final = 1 << 16
"""Pairs of rings that are worked on in one go."""


def ring_products(reference: Shapes, candidate: Shapes, left: Ints, right: Ints) -> Floats:
    """Return the shared area of pairs as the signed sum over their pairs of rings."""
    n_left = np.diff(reference.shape_offsets)[left]
    n_right = np.diff(candidate.shape_offsets)[right]
    ends = np.cumsum(n_left * n_right)
    out = np.zeros(len(left))
    if not len(left):
        return out
    rings, signs = _ring_polygons(reference, left)
    others, other_signs = _ring_polygons(candidate, right)
    for start in range(0, int(ends[-1]), AT_ONCE):
        which = np.arange(start, min(start + AT_ONCE, int(ends[-1])))
        pair = np.searchsorted(ends, which, side="right")
        within = which - (ends - n_left * n_right)[pair]
        i = reference.shape_offsets[left[pair]] + within // n_right[pair]
        j = candidate.shape_offsets[right[pair]] + within % n_right[pair]
        area = shapely.area(shapely.intersection(rings[i], others[j]))
        out += np.bincount(pair, signs[i] * other_signs[j] * area, minlength=len(left))
    return out


def _ring_polygons(shapes: Shapes, rows: Ints) -> tuple[Array, Floats]:
    """Return each ring as a polygon of its own (None where no row asks for it), and its sign."""
    wanted = np.zeros(len(shapes), dtype=bool)
    wanted[rows] = True
    lengths = np.diff(shapes.ring_offsets)
    chosen = np.flatnonzero(np.repeat(wanted, np.diff(shapes.shape_offsets)) & (lengths > 2))
    polygons = np.full(len(lengths), None, dtype=object)
    inside = np.repeat(np.isin(np.arange(len(lengths)), chosen), lengths)
    number = np.repeat(np.arange(len(chosen)), lengths[chosen])
    closed = shapely.linearrings(shapes.points[inside], indices=number) if len(chosen) else []
    polygons[chosen] = shapely.polygons(closed)
    return polygons, np.sign(signed_areas(shapes.points, shapes.ring_offsets))


def distances(
    reference: Shapes,
    candidate: Shapes,
    left: Ints,
    right: Ints,
    steps: Floats,
    tolerances: Floats,
    share: float,
) -> tuple[Floats, Floats]:
    """Do what `annqc.kernels.contours.distances` does."""
    directed = np.empty((len(left), 2, len(COLUMNS) + len(tolerances)))
    pooled = np.empty(len(left))
    for k, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        both = reference.rings(i), candidate.rings(j)
        every = []
        for side in range(2):
            line, vertices = _lines(both[1 - side]), np.concatenate(both[side])
            at, _, weight = _samples(both[side], steps[side, k])
            far = shapely.distance(line, shapely.points(at))
            corner = shapely.distance(line, shapely.points(vertices))
            every.append((far, weight))
            directed[k, side, 0] = weight.sum()
            directed[k, side, 1] = (weight * far).sum()
            directed[k, side, 2] = max(far.max(), corner.max())
            directed[k, side, 3] = _quantile(far, weight, share)
            directed[k, side, 4:] = weight @ (far[:, None] <= tolerances)
        far, weight = (np.concatenate(one) for one in zip(*every, strict=True))
        pooled[k] = _quantile(far, weight, share)
    return directed, pooled


def offsets(
    reference: Shapes,
    candidate: Shapes,
    left: Ints,
    right: Ints,
    steps: Floats,
    centre: Floats,
    window: Floats,
) -> Floats:
    """Do what `annqc.kernels.contours.offsets` does."""
    out = np.zeros((len(left), 2, SECTORS, 2))
    for k, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        both = reference.rings(i), candidate.rings(j)
        for side in range(2):
            if steps[side, k] <= 0:
                continue
            at, along, weight = _samples(both[side], steps[side, k])
            seen = ((at > window[k, :2]) & (at < window[k, 2:])).all(axis=1)
            at, along, weight = at[seen], along[seen], weight[seen]
            value = _signed(at, both[1 - side]) * weight * (1 - 2 * side)
            (dx, dy), (right_half, lower_half) = along.T, (at >= centre[k]).T
            across = np.where(dx > 0, 2, 4)
            looks = np.where(np.abs(dx) <= np.abs(dy), np.where(dy > 0, 3, 1), across)
            for group in (np.zeros(len(at), int), looks, 5 + right_half + 2 * lower_half):
                out[k, side, :, 0] += np.bincount(group, value, minlength=SECTORS)
                out[k, side, :, 1] += np.bincount(group, weight, minlength=SECTORS)
    return out


def chords(reference: Shapes, candidate: Shapes, left: Ints, right: Ints) -> Floats:
    """Do what `annqc.kernels.contours.chords` does."""
    out = np.zeros((len(left), 3))
    for k, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        gold = reference.rings(i)
        for ring in candidate.rings(j):
            after = np.roll(ring, -1, axis=0)
            length = np.hypot(*(after - ring).T)
            at_ends, at_middles = _signed(ring, gold), _signed(0.5 * (ring + after), gold)
            bow = 0.5 * (at_ends + np.roll(at_ends, -1)) - at_middles
            out[k] += length @ bow, length @ np.abs(bow), length.sum()
    return out


def _lines(rings: list[Floats]) -> Any:
    """Return the contour of a shape as one geometry."""
    return shapely.multilinestrings(
        [shapely.linestrings(np.concatenate([ring, ring[:1]])) for ring in rings]
    )


def _samples(rings: list[Floats], step: float) -> tuple[Floats, Floats, Floats]:
    """Return the middles of the pieces, the direction of their segment, and their length."""
    start = np.concatenate(rings)
    along = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]) - start
    length = np.hypot(*along.T)
    start, along, length = (one[length > 0] for one in (start, along, length))
    pieces = np.maximum(1, np.ceil(length / step)).astype(np.int64)
    number = np.repeat(np.arange(len(start)), pieces)
    part = np.arange(len(number)) - np.repeat(np.cumsum(pieces) - pieces, pieces) + 0.5
    at = start[number] + (part / pieces[number])[:, None] * along[number]
    return at, along[number], (length / pieces)[number]


def _signed(at: Floats, rings: list[Floats]) -> Floats:
    """Return distances to a contour, positive within."""
    far = shapely.distance(_lines(rings), shapely.points(at))
    turns = np.zeros(len(at))
    for ring in rings:
        if len(ring) > 2:
            within = shapely.contains_xy(shapely.polygons(ring), *at.T)
            turns += within * np.sign(signed_areas(ring, np.array([0, len(ring)])))
    signed: Floats = np.where(turns != 0, far, -far)
    return signed


def _quantile(far: Floats, weight: Floats, share: float) -> float:
    """Return the smallest distance up to which the weights reach the share."""
    order = np.argsort(far, kind="stable")
    reached = np.cumsum(weight[order])
    where = np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))
    return float(far[order][min(int(where), len(far) - 1)])
