"""measure: signed offsets and overlaps of paired outlines, polygons and masks alike.

An offset is that of the candidate's outer contour from the reference's, walking along both:
positive is dilated, negative is eroded. Holes are told apart from it, by their areas. Two polygons
are compared as vectors; two masks pixel by pixel; of a polygon and a mask, the polygon is painted
on the canvas of the mask first. Nothing is resized.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry.masks import mask_areas
from annqc.geometry.outlines import outline_style
from annqc.geometry.polygons import polygon_areas
from annqc.measure.offsets import BORDER_PX, clusters
from annqc.measure.outline_pairs import Compared, compare_masks, compare_polygons
from annqc.measure.outline_values import (
    CONTOURS,
    NSD_PX,
    OVERLAPS,
    QUARTERS,
    OutlineMeasurements,
    OutlineStatus,
)
from annqc.measure.tolerance import Tolerance
from annqc.shapes import MASK

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.tables import Dataset, Floats, Ints

__all__ = [
    "CONTOURS",
    "NSD_PX",
    "OVERLAPS",
    "QUARTERS",
    "OutlineMeasurements",
    "OutlineStatus",
    "measure_outlines",
    "whole_canvas",
]

_K: Final = len(CONTOURS)
_LARGEST_SIDE: Final = 2**31


def measure_outlines(
    matches: Matches,
    *,
    tolerance: Tolerance | None = None,
    nsd_px: float = NSD_PX,
    border_px: float = BORDER_PX,
    engine: Engine = "auto",
) -> OutlineMeasurements:
    """Measure the outlines of the pairs of a match.

    Parameters
    ----------
    matches : Matches
        From `annqc.match.match`; its unambiguous pairs at the low pairing threshold are used, those
        with an outline on both sides.
    tolerance : Tolerance, optional
        ``max(1 px, 2 %)`` if not given; the share is that of the square root of the reference's
        area.
    nsd_px : float, optional
        Contours up to this far apart agree, for ``nsd``.
    border_px : float, optional
        Contour of a polygon this close to the image border is left out of the offsets.
    engine : {"auto", "numpy", "numba"}, optional
        How to compute; the results are the same.

    Returns
    -------
    OutlineMeasurements
        Without rows where either side has boxes alone.
    """
    tolerance = tolerance or Tolerance()
    gold, work = matches.reference.table.shapes, matches.candidate.table.shapes
    clear = ~matches.pair_ambiguous
    rows, drawn = matches.pair_reference[clear], matches.pair_candidate[clear]
    if gold is None or work is None:
        rows, drawn = rows[:0], drawn[:0]
    else:
        both = (gold.kind[rows] > 0) & (work.kind[drawn] > 0)
        rows, drawn = rows[both], drawn[both]
    found = Compared(len(rows))
    area = np.full(len(rows), np.nan)
    if gold is not None and work is not None and len(rows):
        sizes = _sizes(matches, rows, drawn)
        is_mask = gold.kind[rows] == MASK, work.kind[drawn] == MASK
        found.pixels = np.asarray(is_mask[0] | is_mask[1])
        areas = (np.fmax(polygon_areas(one), mask_areas(one)) for one in (gold, work))
        area, other = (each[at] for each, at in zip(areas, (rows, drawn), strict=True))
        found.status[~(area > 0) | ~(other > 0)] = OutlineStatus.EMPTY
        differ = np.isfinite(sizes).all(axis=(1, 2)) & (sizes[:, 0] != sizes[:, 1]).any(axis=1)
        found.status[differ] = OutlineStatus.OTHER_CANVAS
        usable = found.status == OutlineStatus.OK
        vectors, raster = (np.flatnonzero(usable & one) for one in (~found.pixels, found.pixels))
        # the canvas of a pair: that of either side, since they agree where both are known
        size = np.where(np.isfinite(sizes[:, 0]), sizes[:, 0], sizes[:, 1])
        found.no_canvas = np.asarray(~np.isfinite(size).all(axis=1))
        compare_polygons(
            found, (gold, work), (rows, drawn), vectors, size, nsd_px, border_px, engine
        )
        compare_masks(found, (gold, work), (rows, drawn), raster, size, nsd_px, engine)
        density = (outline_style(one).density for one in (gold, work))
        found.density = np.column_stack(
            [each[at] for each, at in zip(density, (rows, drawn), strict=True)]
        )
    apart = (found.status == OutlineStatus.OK) & (found.overlaps["mask_iou"] == 0)
    found.status[apart] = OutlineStatus.APART
    found.offsets[apart] = np.nan
    ok = found.status == OutlineStatus.OK
    return OutlineMeasurements(
        reference=rows,
        candidate=drawn,
        annotator=matches.candidate.table.annotator[drawn],
        cluster=clusters(matches)[rows],
        offsets=found.offsets[:, :_K],
        short=ok[:, None] & np.isnan(found.offsets[:, :_K]),
        step=found.step[:, :_K],
        quarters=found.offsets[:, _K:],
        quarter_step=found.step[:, _K:],
        tolerance=np.asarray(tolerance.of(np.sqrt(area))),
        overlaps=found.overlaps,
        holes=found.holes,
        density=found.density,
        pixels=found.pixels,
        no_canvas=found.no_canvas,
        status=found.status,
        rule=tolerance,
    )


def whole_canvas(data: Dataset) -> Floats:
    """Return height and width of what every annotation was drawn on.

    Parameters
    ----------
    data : Dataset
        One side.

    Returns
    -------
    (n, 2) float64
        The canvas of a mask, else the size of the image; NaN where unknown.
    """
    images, table = data.image_table, data.table
    size = np.column_stack([images.height, images.width])[table.image]
    if table.shapes is None:
        return size
    return np.where((table.shapes.kind == MASK)[:, None], table.shapes.canvas, size)


def _sizes(matches: Matches, rows: Ints, drawn: Ints) -> Floats:
    """Height and width of both sides of every pair, (n, 2, 2); what is no size is unknown."""
    gold = whole_canvas(matches.reference)[rows]
    work = whole_canvas(matches.candidate)[drawn]
    sizes = np.stack([gold, work], axis=1)
    with np.errstate(invalid="ignore"):
        sound = (sizes >= 1) & (sizes < _LARGEST_SIDE) & (sizes == np.rint(sizes))
    return np.where(sound, sizes, np.nan)
