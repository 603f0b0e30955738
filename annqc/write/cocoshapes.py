"""write: `Shapes` -> what COCO has under ``segmentation``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.errors import TableError
from annqc.geometry.masks import mask_areas, paint
from annqc.geometry.polygons import polygon_areas, segment_sums, signed_areas
from annqc.geometry.rle import encode_counts
from annqc.shapes import MASK

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Dataset, Shapes

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

__all__ = ["segmentations"]


def segmentations(
    shapes: Shapes, dataset: Dataset, *, compressed: bool
) -> tuple[list[Any], Floats]:
    """Return the segmentation and the area of each annotation; None and NaN where there is none.

    Parameters
    ----------
    shapes : Shapes
        n annotations in normal form.
    dataset : Dataset
        Whose they are: polygons with holes become masks on the canvas of their image.
    compressed : bool
        Whether the runs of masks are text.

    Raises
    ------
    TableError
        A polygon has a hole, and the size of its image is not known.
    """
    areas = np.fmax(polygon_areas(shapes), mask_areas(shapes))
    holes = signed_areas(shapes.points, shapes.ring_offsets) < 0
    pierced = segment_sums(holes.astype(np.int64), shapes.shape_offsets) > 0
    out: list[Any] = [None] * len(shapes)
    flat, bounds = shapes.points.ravel(), (2 * shapes.ring_offsets).tolist()
    rings = shapes.shape_offsets.tolist()
    for row in np.flatnonzero(np.diff(shapes.shape_offsets) * ~pierced).tolist():
        some = range(rings[row], rings[row + 1])
        out[row] = [flat[bounds[k] : bounds[k + 1]].tolist() for k in some]
    for part, rows in (
        (shapes, np.flatnonzero(shapes.kind == MASK)),
        (_painted(shapes, pierced, dataset), np.flatnonzero(pierced)),
    ):
        chosen = part.take(rows) if part is shapes else part
        texts = encode_counts(chosen.runs, chosen.run_offsets) if compressed else []
        for k, row in enumerate(rows.tolist()):
            counts = texts[k].decode() if compressed else chosen.runs_of(k).tolist()
            out[row] = {"size": chosen.canvas[k].tolist(), "counts": counts}
    return out, areas


def _painted(shapes: Shapes, pierced: Bools, dataset: Dataset) -> Shapes:
    """Return the polygons with holes as masks."""
    images = dataset.image_table
    rows = np.flatnonzero(pierced)
    image = dataset.table.image[rows]
    canvas = np.stack([images.height[image], images.width[image]], axis=1)
    unknown = np.flatnonzero(np.isnan(canvas).any(axis=1))
    if len(unknown):
        what = "COCO cannot say that a ring is a hole; a mask can, and needs the size of the image"
        where = f"annotation {dataset.table.id[rows[unknown[0]]]}"
        raise TableError(what, where=where, hint="give image_sizes= to annqc.read")
    return paint(shapes.take(rows), canvas.astype(np.int64))
