"""Polygons -> masks, by COCO's rasteriser, holes taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.errors import TableError
from annqc.geometry.polygons import signed_areas
from annqc.geometry.rle import decode_counts
from annqc.shapes import MASK, POLYGON
from annqc.tables import Shapes

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

__all__ = ["painted"]


def painted(shapes: Shapes, canvas: Ints) -> Shapes:
    """Return polygons as masks; `annqc.geometry.masks.paint` says more.

    Parameters
    ----------
    shapes : Shapes
        n annotations, polygons in normal form.
    canvas : (n, 2) int64
        Height and width of the canvas of each polygon.
    """
    is_polygon = shapes.kind == POLYGON
    if (canvas[is_polygon] <= 0).any():
        what = "a polygon needs a canvas with pixels"
        raise TableError(what, expected="a height and a width above 0")
    polygons = np.flatnonzero(is_polygon)
    runs = [shapes.runs_of(row) for row in range(len(shapes))]
    rows = np.repeat(np.arange(len(shapes)), np.diff(shapes.shape_offsets))
    outer = signed_areas(shapes.points, shapes.ring_offsets) > 0
    ring_runs, ring_bounds = _rings(shapes, rows, canvas)
    for row in polygons.tolist():
        first, last = shapes.shape_offsets[row : row + 2].tolist()
        several = [ring_runs[ring_bounds[k] : ring_bounds[k + 1]] for k in range(first, last)]
        runs[row] = several[0] if last - first == 1 else _overlaid(several, outer[first:last])
    sizes = np.where(is_polygon[:, None], canvas, shapes.canvas)
    kind = np.where(is_polygon, MASK, shapes.kind)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in runs])]).astype(np.int64)
    flat = np.concatenate([*runs, np.empty(0, dtype=np.int64)])
    return Shapes.from_ragged_runs(flat, offsets, sizes, kind=kind)


def _rings(shapes: Shapes, rows: Ints, canvas: Ints) -> tuple[Ints, Ints]:
    """Return the run lengths of every ring as a polygon of its own, many at a time."""
    from pycocotools import mask as coco

    texts: list[bytes] = [b""] * len(rows)
    flat = shapes.points.ravel()
    bounds = (2 * shapes.ring_offsets).tolist()
    sizes, which = np.unique(canvas[rows], axis=0, return_inverse=True)
    for k, (height, width) in enumerate(sizes.tolist()):
        some = np.flatnonzero(which.ravel() == k).tolist()
        rings = [flat[bounds[ring] : bounds[ring + 1]].tolist() for ring in some]
        for ring, made in zip(some, coco.frPyObjects(rings, height, width), strict=True):
            texts[ring] = made["counts"]
    runs, offsets, _ = decode_counts(texts)
    return runs, offsets


def _overlaid(several: list[Ints], outer: npt.NDArray[np.bool_]) -> Ints:
    """Return the runs of where outer rings outnumber holes: islands in holes count."""
    places, steps = [], []
    for runs, is_outer in zip(several, outer.tolist(), strict=True):
        ends = np.cumsum(runs)
        into = 1 if is_outer else -1
        places.append(ends)
        steps.append(np.where(np.arange(len(ends)) % 2 == 0, into, -into))
    place = np.concatenate(places)
    total = int(place.max())
    at, where = np.unique(np.concatenate([[0, total], place]), return_inverse=True)
    depth = np.cumsum(np.bincount(where[2:], np.concatenate(steps), len(at)))
    inside = depth > 0
    inside[-1] = False
    changes = at[1:][inside[1:] != inside[:-1]]
    ends = np.concatenate([[0], [0] if inside[0] else [], changes, [total]])
    made: Ints = np.diff(ends).astype(np.int64)
    return made if made[-1] or len(made) == 1 else made[:-1]
