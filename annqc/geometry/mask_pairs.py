"""Pairs of masks: overlap, boundary IoU, distances between borders, signed contour offsets.

Stands beside the way read -> match -> measure -> infer -> judge -> report; the measures of masks
come from here. Everything takes run lengths as they are (`annqc.tables.Shapes`), reference first,
and pairs as row numbers. Nothing is resized: masks on canvases of different sizes are refused, or
marked. Undefined is NaN, and `MaskStatus` says why.

A polygon is compared with a mask as a mask: `annqc.geometry.masks.paint` paints it by pycocotools'
rule, whose area is unbiased. The other way, the outline of a mask along its pixel edges is an exact
polygon, but a staircase: right for areas, too long for lengths and too near for distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.geometry import mask_plain
from annqc.geometry.mask_checks import MaskPairs, OtherCanvas
from annqc.geometry.mask_offsets import contour_offsets
from annqc.geometry.mask_values import (
    BoundaryIou,
    ContourOffsets,
    Direction,
    MaskOverlap,
    MaskStatus,
    SurfaceDistances,
    ratio_of,
)
from annqc.kernels import masks as kernel
from annqc.kernels import surfaces

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine
    from annqc.tables import Shapes

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Rows = npt.NDArray[Any] | list[int]

__all__ = [
    "BORDERS",
    "Border",
    "BoundaryIou",
    "ContourOffsets",
    "Direction",
    "MaskOverlap",
    "MaskStatus",
    "OtherCanvas",
    "SurfaceDistances",
    "boundary_iou",
    "contour_offsets",
    "mask_overlap",
    "surface_distances",
]

Border = Literal["eight", "four", "corners"]

BORDERS: Final[tuple[str, ...]] = get_args(Border)
"""What counts as the border of a mask; `surface_distances` says which program means which."""


def mask_overlap(
    reference: Shapes,
    candidate: Shapes,
    reference_rows: Rows,
    candidate_rows: Rows,
    *,
    crowd: Rows | None = None,
    other_canvas: OtherCanvas = "error",
    engine: Engine = "auto",
) -> MaskOverlap:
    """Compare paired masks by the pixels they share, on the run lengths as they are.

    Parameters
    ----------
    reference, candidate : Shapes
        Masks of both sides.
    reference_rows, candidate_rows : (m,) array_like of int
        Pair i is reference ``reference_rows[i]`` and candidate ``candidate_rows[i]``.
    crowd : (m,) array_like of bool, optional
        Where the reference stands for a crowd: IoU is then over the candidate's area, as COCO has
        it.
    other_canvas : {"error", "nan"}, optional
        What to do with a pair on canvases of different sizes: refuse, or say NaN.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    MaskOverlap
        One row a pair. Equal to pycocotools to the last bit, but for two empty masks: their IoU is
        0 there and NaN here.

    Raises
    ------
    MatchError
        A row is no mask, or canvases differ and that is an error.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> masks = Shapes.from_runs([[0, 8, 8], [4, 8, 4]], [[4, 4], [4, 4]])
    >>> shared = mask_overlap(masks, masks, [0], [1])
    >>> shared.iou.tolist(), shared.coverage.tolist()
    ([0.3333333333333333], [0.5])
    """
    pairs = MaskPairs.of(reference, candidate, reference_rows, candidate_rows, other_canvas, engine)
    inter = np.zeros(len(pairs.rows), dtype=np.int64)
    inter[pairs.usable] = kernel.intersections(
        *(reference.runs, reference.run_offsets, candidate.runs, candidate.run_offsets),
        *(pairs.rows[pairs.usable], pairs.others[pairs.usable]),
        engine=engine,
    )
    one, two = pairs.areas
    union = one + two - inter
    if crowd is not None:
        union = np.where(np.asarray(crowd, dtype=np.bool_), two, union)
    foreign = pairs.status == MaskStatus.OTHER_CANVAS
    iou, dice, coverage, purity = (
        np.where(foreign, np.nan, ratio_of(inter * k, whole))
        for k, whole in ((1, union), (2, one + two), (1, one), (1, two))
    )
    return MaskOverlap(inter, one, two, iou, dice, coverage, purity, pairs.status)


def boundary_iou(
    reference: Shapes,
    candidate: Shapes,
    reference_rows: Rows,
    candidate_rows: Rows,
    *,
    ratio: float = 0.02,
    lesser: bool = False,
    other_canvas: OtherCanvas = "error",
    engine: Engine = "auto",
) -> BoundaryIou:
    """Compare paired masks within a band along their outlines (Cheng et al., 2021).

    Parameters
    ----------
    reference, candidate : Shapes
        Masks of both sides.
    reference_rows, candidate_rows : (m,) array_like of int
        Pair i is reference ``reference_rows[i]`` and candidate ``candidate_rows[i]``.
    ratio : float, optional
        Depth of the band over the diagonal of the *image*; rounded to pixels, at least one.
    lesser : bool, optional
        Give the lesser of mask IoU and boundary IoU, as the authors' evaluation does.
    other_canvas : {"error", "nan"}, optional
        What to do with a pair on canvases of different sizes: refuse, or say NaN.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    BoundaryIou
        One row a pair: what the authors' code gives, where it is 0 for two empty masks NaN.

    Raises
    ------
    MatchError
        A row is no mask, or canvases differ and that is an error.
    SpecError
        ``ratio`` is no number above zero.

    Notes
    -----
    The band is the mask less its erosion by a square, as many times as it is deep; beyond the
    canvas nothing is set. So the band follows corners on the inside, and an object cut off by the
    image has a band along the cut.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> masks = Shapes.from_runs([[0, 64], [0, 56, 8]], [[8, 8], [8, 8]])
    >>> boundary_iou(masks, masks, [0], [1]).iou.round(3).tolist()
    [0.588]
    """
    if not (np.isfinite(ratio) and ratio > 0):
        what = "the depth of the boundary must be a part of the image's diagonal"
        raise SpecError(what, expected="a number above 0, such as 0.02", found=repr(ratio))
    pairs = MaskPairs.of(reference, candidate, reference_rows, candidate_rows, other_canvas, engine)
    canvas = reference.canvas[pairs.rows]
    depths = np.maximum(np.rint(ratio * np.sqrt((canvas**2).sum(axis=1))), 1).astype(np.int64)
    counts = np.zeros((len(pairs.rows), 3), dtype=np.int64)
    rows, others = pairs.rows[pairs.usable], pairs.others[pairs.usable]
    if pairs.compiled("band", engine):
        counts[pairs.usable] = kernel.band_counts(
            *(reference.runs, reference.run_offsets, candidate.runs, candidate.run_offsets),
            *(rows, others),
            heights=canvas[pairs.usable, 0],
            depths=depths[pairs.usable],
        )
    else:
        for i in pairs.usable.tolist():
            part = mask_plain.cut(reference, candidate, pairs.rows[i], pairs.others[i])
            counts[i] = mask_plain.band_counts(part, int(depths[i]))
    inter, one, two = (np.ascontiguousarray(column) for column in counts.T)
    iou = ratio_of(inter, one + two - inter)
    if lesser:
        whole = mask_overlap(
            reference, candidate, pairs.rows, pairs.others, other_canvas="nan", engine=engine
        )
        iou = np.minimum(iou, whole.iou)
    return BoundaryIou(iou, inter, one, two, pairs.status)


def surface_distances(
    reference: Shapes,
    candidate: Shapes,
    reference_rows: Rows,
    candidate_rows: Rows,
    *,
    tolerance: float = 2.0,
    percent: float = 95.0,
    border: Border = "eight",
    pooled: bool = False,
    spacing: tuple[float, float] = (1.0, 1.0),
    other_canvas: OtherCanvas = "error",
    engine: Engine = "auto",
) -> SurfaceDistances:
    """Measure exact Euclidean distances between the borders of paired masks, both ways.

    Parameters
    ----------
    reference, candidate : Shapes
        Masks of both sides.
    reference_rows, candidate_rows : (m,) array_like of int
        Pair i is reference ``reference_rows[i]`` and candidate ``candidate_rows[i]``.
    tolerance : float, optional
        Up to this far, borders agree for `SurfaceDistances.nsd`. In units of the spacing.
    percent : float, optional
        Which percentile ``quantile`` and `SurfaceDistances.robust_hd` are.
    border : {"eight", "four", "corners"}, optional
        What a border consists of: pixels of the mask with one of their eight neighbours outside;
        with one of four neighbours outside (MedPy, MONAI); or corners of pixels between inside and
        outside, weighted by the length of outline through them (the package surface-distance).
    pooled : bool, optional
        Take the percentile over both directions together, as MedPy does, instead of the larger of
        both directions' percentiles.
    spacing : (float, float), optional
        Size of a pixel, vertically and horizontally.
    other_canvas : {"error", "nan"}, optional
        What to do with a pair on canvases of different sizes: refuse, or say NaN.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results, but for the last digits of sums.

    Returns
    -------
    SurfaceDistances
        One row a pair.

    Raises
    ------
    MatchError
        A row is no mask, or canvases differ and that is an error.
    SpecError
        ``tolerance``, ``percent`` or ``spacing`` makes no sense.
    UnknownNameError
        There is no such border.

    Notes
    -----
    Beyond the canvas nothing is set, so an object cut off by the image has a border along the cut.
    Percentiles of pixels lie between two distances as `numpy.percentile` has it; those of corners
    are the least distance that so much of the length reaches. Borders made of pixels are biased on
    curves: two circles 2 px apart are 1.75 to 1.95 px apart for them. Distances between polygons
    have no such bias.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> masks = Shapes.from_runs([[0, 8, 8], [0, 12, 4]], [[4, 4], [4, 4]])
    >>> found = surface_distances(masks, masks, [0], [1], tolerance=0.5)
    >>> found.assd.round(3).tolist(), found.hd.tolist(), found.nsd.round(3).tolist()
    ([0.333], [1.0], [0.667])
    """
    _check_surface(tolerance, percent, border, spacing)
    pairs = MaskPairs.of(reference, candidate, reference_rows, candidate_rows, other_canvas, engine)
    table = np.full((len(pairs.rows), 11), np.nan)
    rest: dict[str, Any] = {
        "spacing": spacing,
        "tolerance": tolerance,
        "share": percent / 100,
        "pooled": pooled,
        "lengths": _lengths(spacing) if border == "corners" else None,
    }
    if pairs.compiled("distance", engine):
        for some in pairs.slices():
            rows, one = np.unique(pairs.rows[some], return_inverse=True)
            others, two = np.unique(pairs.others[some], return_inverse=True)
            table[some] = surfaces.distance_sums(
                _borders(reference, rows, border),
                _borders(candidate, others, border),
                *(one, two),
                **rest,
            )
    else:
        for i in pairs.usable.tolist():
            part = mask_plain.cut(reference, candidate, pairs.rows[i], pairs.others[i])
            table[i] = mask_plain.distance_sums(part, rule=border, **rest)
    for length in (0, 5):  # an empty border has no largest distance
        table[table[:, length] == 0, length + 2] = np.nan
    columns = [np.ascontiguousarray(column) for column in table.T]
    return SurfaceDistances(
        from_reference=Direction(*columns[:5]),
        from_candidate=Direction(*columns[5:10]),
        pooled=columns[10],
        status=pairs.status,
    )


def _check_surface(
    tolerance: float, percent: float, border: str, spacing: tuple[float, float]
) -> None:
    if border not in BORDERS:
        kind = "border"
        raise UnknownNameError.among(kind, border, BORDERS)
    if not tolerance >= 0:
        what = "the tolerance of a distance must not be negative"
        raise SpecError(what, expected="a number from 0 on", found=repr(tolerance))
    if not 0 <= percent <= 100:
        what = "there is no such percentile"
        raise SpecError(what, expected="a number from 0 to 100", found=repr(percent))
    if not all(np.isfinite(step) and step > 0 for step in spacing):
        what = "the spacing is the height and the width of a pixel"
        raise SpecError(what, expected="two numbers above 0", found=repr(spacing))


def _lengths(spacing: tuple[float, float]) -> Floats:
    """Return the length of outline through a pixel corner, by its code."""
    vertical, horizontal = spacing
    diagonal = 0.5 * np.hypot(vertical, horizontal)
    lengths = np.full(16, diagonal)
    lengths[[0, 15]] = 0.0
    lengths[[3, 12]] = horizontal
    lengths[[5, 10]] = vertical
    lengths[[6, 9]] = 2 * diagonal
    return lengths


def _borders(shapes: Shapes, rows: Ints, rule: str) -> kernel.Borders:
    return kernel.borders(shapes.runs, shapes.run_offsets, shapes.canvas, rows, rule=rule)
