"""measure: signed offsets and overlaps of paired outlines, polygons and masks alike.

An offset is that of the candidate's contour from the reference's, walking along both: positive is
dilated, negative is eroded. Two polygons are compared as vectors; two masks pixel by pixel; of a
polygon and a mask, the polygon is painted on the canvas of the mask first. Nothing is resized.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry import contour_pairs, mask_pairs
from annqc.geometry.masks import mask_areas, paint
from annqc.geometry.outlines import outline_style
from annqc.geometry.polygon_pairs import polygon_overlap
from annqc.geometry.polygons import polygon_areas
from annqc.measure.offsets import BORDER_PX, clusters
from annqc.measure.tolerance import Tolerance
from annqc.shapes import MASK, POLYGON

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.tables import Array, Bools, Dataset, Floats, Ints, Shapes

__all__ = [
    "CONTOURS",
    "NSD_PX",
    "OVERLAPS",
    "OutlineMeasurements",
    "OutlineStatus",
    "measure_outlines",
    "whole_canvas",
]

CONTOURS: Final = (
    "contour_left",
    "contour_top",
    "contour_right",
    "contour_bottom",
    "contour",
)
"""Signed offsets of the contour: of what faces each side, and of all of it."""

OVERLAPS: Final = (
    "mask_iou",
    "boundary_iou",
    "dice",
    "coverage",
    "purity",
    "area_ratio",
    "assd",
    "hd95",
    "nsd",
)
"""How well two outlines agree, without a sign; ``assd`` and ``hd95`` in pixels."""

NSD_PX: Final = 2.0
"""Contours up to this far apart agree, for ``nsd``."""

_SIDES_FIRST: Final = [1, 2, 3, 4, 0]
_LARGEST_SIDE: Final = 2**31


class OutlineStatus(IntEnum):
    """Why a pair of outlines has no values."""

    OK = 0
    EMPTY = 1
    OTHER_CANVAS = 2
    APART = 3


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class OutlineMeasurements:
    """One row a pair with an outline on both sides.

    Attributes
    ----------
    reference, candidate : (n,) int64
        Rows of the reference's and the candidate's annotations.
    annotator, cluster : (n,) int64
        Who drew it, and the image (or track) it belongs to.
    offsets : (n, 5) float64
        Mean signed offset of each of `CONTOURS` in pixels; NaN where there is none.
    short : (n, 5) bool
        Where the reference has too little contour on a side for an offset (under 5 px), or all of
        it lies at the border of the image.
    step : (n, 5) float64
        Smallest step that an offset of masks can make: one pixel at one place of the contour, over
        its length. 0 for polygons.
    tolerance : (n,) float64
        Tolerance in pixels: that of a side as long as the square root of the reference's area.
    overlaps : dict of str to (n,) float64
        Each of `OVERLAPS`.
    density : (n, 2) float64
        Vertices for each 100 px of contour, of the reference and of the candidate; NaN for masks.
    pixels : (n,) bool
        Whether the pair was compared as masks, on a grid of pixels.
    no_canvas : (n,) bool
        Polygons on an image of unknown size, which have no boundary IoU.
    status : (n,) int8
        An `OutlineStatus` each. All values of a pair are NaN where a side is empty or the canvases
        differ. Outlines that share nothing have overlaps and distances, but no offsets.
    rule : Tolerance
        What ``tolerance`` was worked out from.
    """

    reference: Ints
    candidate: Ints
    annotator: Ints
    cluster: Ints
    offsets: Floats
    short: Bools
    step: Floats
    tolerance: Floats
    overlaps: dict[str, Floats]
    density: Floats
    pixels: Bools
    no_canvas: Bools
    status: Array
    rule: Tolerance

    def __len__(self) -> int:
        return len(self.reference)

    def values(self, unit: str) -> Floats:
        """Offsets of `CONTOURS`, NaN where there is none.

        Parameters
        ----------
        unit : {"tolerance", "px"}
            Tolerance units, or pixels.

        Returns
        -------
        (5, n) float64
        """
        scale = self.tolerance if unit == "tolerance" else np.ones(len(self))
        return np.ascontiguousarray((self.offsets / scale[:, None]).T)


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
    found = _Found(len(rows))
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
        _polygons(found, (gold, work), (rows, drawn), vectors, size, nsd_px, border_px, engine)
        _masks(found, (gold, work), (rows, drawn), raster, size, nsd_px, engine)
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
        offsets=found.offsets,
        short=ok[:, None] & np.isnan(found.offsets),
        step=found.step,
        tolerance=np.asarray(tolerance.of(np.sqrt(area))),
        overlaps=found.overlaps,
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


class _Found:
    """What is filled in for the pairs, polygons first and masks then."""

    def __init__(self, n: int) -> None:
        self.offsets = np.full((n, len(CONTOURS)), np.nan)
        self.step = np.zeros((n, len(CONTOURS)))
        self.overlaps = {name: np.full(n, np.nan) for name in OVERLAPS}
        self.density = np.full((n, 2), np.nan)
        self.pixels = np.zeros(n, dtype=bool)
        self.no_canvas = np.zeros(n, dtype=bool)
        self.status = np.zeros(n, dtype=np.int8)

    def put(self, rows: Ints, values: dict[str, Floats]) -> None:
        for name, column in values.items():
            self.overlaps[name][rows] = column


def _sizes(matches: Matches, rows: Ints, drawn: Ints) -> Floats:
    """Height and width of both sides of every pair, (n, 2, 2); what is no size is unknown."""
    gold = whole_canvas(matches.reference)[rows]
    work = whole_canvas(matches.candidate)[drawn]
    sizes = np.stack([gold, work], axis=1)
    with np.errstate(invalid="ignore"):
        sound = (sizes >= 1) & (sizes < _LARGEST_SIDE) & (sizes == np.rint(sizes))
    return np.where(sound, sizes, np.nan)


def _polygons(
    found: _Found,
    sides: tuple[Shapes, Shapes],
    pairs: tuple[Ints, Ints],
    some: Ints,
    size: Floats,
    nsd_px: float,
    border_px: float,
    engine: Engine,
) -> None:
    """Compare polygons as vectors; only the boundary IoU is one of pixels."""
    if not len(some):
        return
    rows = pairs[0][some], pairs[1][some]
    area = polygon_overlap(*sides, *rows, engine=engine)
    apart = contour_pairs.contour_distances(*sides, *rows, tolerances=(nsd_px,), engine=engine)
    moved = contour_pairs.contour_offsets(
        *(*sides, *rows),
        symmetric=True,
        image_size=size[some, ::-1],
        border=border_px,
        engine=engine,
    )
    found.offsets[some] = np.column_stack([moved.sides, moved.whole])
    found.put(
        some,
        {
            "mask_iou": area.iou,
            "dice": area.dice,
            "coverage": area.coverage,
            "purity": area.purity,
            "area_ratio": area.area_ratio,
            "assd": apart.assd,
            "hd95": apart.hd_percentile,
            "nsd": apart.nsd[:, 0],
        },
    )
    known = some[~found.no_canvas[some]]
    if len(known):
        drawn = _painted(sides, (pairs[0][known], pairs[1][known]), size[known])
        numbers = np.arange(len(known))
        band = mask_pairs.boundary_iou(*drawn, numbers, numbers, engine=engine)
        found.put(known, {"boundary_iou": band.iou})


def _masks(
    found: _Found,
    sides: tuple[Shapes, Shapes],
    pairs: tuple[Ints, Ints],
    some: Ints,
    size: Floats,
    nsd_px: float,
    engine: Engine,
) -> None:
    """Compare masks pixel by pixel, and polygons with masks as masks."""
    if not len(some):
        return
    drawn = _painted(sides, (pairs[0][some], pairs[1][some]), size[some])
    numbers = np.arange(len(some))
    shared = mask_pairs.mask_overlap(*drawn, numbers, numbers, engine=engine)
    empty = shared.status != mask_pairs.MaskStatus.OK  # a polygon that covers no pixel
    found.status[some[empty]] = OutlineStatus.EMPTY
    some, numbers = some[~empty], numbers[~empty]
    if not len(some):
        return
    apart = mask_pairs.surface_distances(*drawn, numbers, numbers, tolerance=nsd_px, engine=engine)
    band = mask_pairs.boundary_iou(*drawn, numbers, numbers, engine=engine)
    moved = mask_pairs.contour_offsets(*drawn, numbers, numbers, engine=engine)
    found.offsets[some] = moved.offset[:, _SIDES_FIRST]
    found.step[some] = 1 / np.maximum(moved.pixels[:, _SIDES_FIRST], 1)
    found.put(
        some,
        {
            "mask_iou": shared.iou[numbers],
            "boundary_iou": band.iou,
            "dice": shared.dice[numbers],
            "coverage": shared.coverage[numbers],
            "purity": shared.purity[numbers],
            "area_ratio": (shared.candidate_area / shared.reference_area)[numbers],
            "assd": apart.assd,
            "hd95": apart.robust_hd,
            "nsd": apart.nsd,
        },
    )


def _painted(
    sides: tuple[Shapes, Shapes], pairs: tuple[Ints, Ints], size: Floats
) -> tuple[Shapes, Shapes]:
    """Both sides of some pairs as masks; an annotation is painted once on each of its canvases."""
    made = []
    for shapes, rows in zip(sides, pairs, strict=True):
        asked = np.column_stack([rows, size.astype(np.int64)])
        once, again = np.unique(asked, axis=0, return_inverse=True)
        part = shapes.take(once[:, 0])
        if (part.kind == POLYGON).any():
            part = paint(part, once[:, 1:])
        made.append(part.take(again))
    return made[0], made[1]
