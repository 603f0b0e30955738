"""Signed offsets between the outlines of paired masks: how far out, and on which side.

Beside `annqc.geometry.mask_pairs`, which gives it out. Either along the smooth outlines that
`annqc.geometry.smoothed` makes of masks, or at the border pixels of the reference, with no
distance transform of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from annqc.errors import UnknownNameError
from annqc.geometry import contour_pairs, mask_plain
from annqc.geometry.holes import filled
from annqc.geometry.mask_checks import MaskPairs, OtherCanvas
from annqc.geometry.mask_values import ContourOffsets, ratio_of
from annqc.geometry.polygons import perimeters
from annqc.geometry.smoothed import smoothed
from annqc.kernels import masks as kernel
from annqc.kernels import surfaces

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine
    from annqc.tables import Shapes

    Rows = npt.NDArray[Any] | list[int]

__all__ = ["OffsetMethod", "contour_offsets"]

OffsetMethod = Literal["outlines", "pixels"]

LEAST: Final = 5
"""A side with fewer border pixels, or less outline in pixels, than this has no offset."""
STRIP: Final = 4.0
"""Smooth outlines this near to the edge of the image, in pixels, are left out: it bends them."""
IN_ORDER: Final = [0, 1, 2, 3, 4, 5, 6, 8, 7]
"""Where the columns of polygons stand, whose lower left quarter comes before the lower right."""


def contour_offsets(
    reference: Shapes,
    candidate: Shapes,
    reference_rows: Rows,
    candidate_rows: Rows,
    *,
    method: OffsetMethod = "outlines",
    other_canvas: OtherCanvas = "error",
    holes: bool = True,
    engine: Engine = "auto",
) -> ContourOffsets:
    """Measure how far out the candidate's outline lies, along the outline of the reference.

    Parameters
    ----------
    reference, candidate : Shapes
        Masks of both sides.
    reference_rows, candidate_rows : (m,) array_like of int
        Pair i is reference ``reference_rows[i]`` and candidate ``candidate_rows[i]``.
    method : {"outlines", "pixels"}, optional
        Measure between smooth outlines of both masks, or at the border pixels of the reference.
    other_canvas : {"error", "nan"}, optional
        What to do with a pair on canvases of different sizes: refuse, or say NaN.
    holes : bool, optional
        Whether contours of holes count, by the method ``outlines``.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results, but for the last digits of sums.

    Returns
    -------
    ContourOffsets
        One row a pair.

    Raises
    ------
    MatchError
        A row is no mask, or canvases differ and that is an error.

    Notes
    -----
    ``outlines``: `annqc.geometry.smoothed.smoothed` makes polygons of the masks, and
    `annqc.geometry.contour_pairs.contour_offsets` walks along both, ``symmetric``. On painted
    masks of 30 to 300 px it is off by 0.02 px where contours were dilated by 1.5 px or moved out by
    2 px on one side, and intervals over annotators' work hold as often as they say. ``pixels`` of
    the result is the length of the reference's outline, rounded. Outlines within 4 px of the edge
    of the image are left out: the image ends the object there, not the annotator.

    ``pixels``: the signed distance of a pixel is that of its centre to the nearest centre on the
    other side of the outline, less half a pixel, positive inside. The offset at a border pixel of
    the reference (one of its four neighbours is not in it) is the candidate's signed distance less
    the reference's own. A pixel faces where the signed distance of the reference falls fastest,
    after a Gaussian of 1.5 px; a diagonal one faces left or right. Where the image cuts off the
    reference there is no outline and nothing is measured. Where it cuts off the candidate alone,
    the candidate ends at the edge of the image.

    Pixels see straight edges exactly and curves too near: a disc that grows by 2 px is measured at
    about 1.6 px, outlines dilated by 1.5 px at 1.3 px. Where one side moves out alone by d, the
    nearest background near its ends is beside it and not beyond it: over its n pixels it is
    measured d (d + 1) / n short at the left and the right, which have the corners, and
    d (d - 1) / n at the top and the bottom. Intervals miss the truth more often than not.

    Examples
    --------
    >>> square = np.zeros((60, 60), dtype=bool)
    >>> square[10:50, 10:50] = True
    >>> wider = square.copy()
    >>> wider[10:50, 50:52] = True
    >>> from annqc.geometry.masks import runs_of_mask
    >>> from annqc.tables import Shapes
    >>> masks = Shapes.from_runs([runs_of_mask(square), runs_of_mask(wider)], [[60, 60]] * 2)
    >>> for method in ("outlines", "pixels"):
    ...     found = contour_offsets(masks, masks, [0], [1], method=method)
    ...     found.offset[0, [1, 3]].round(2).tolist()
    [0.0, 1.96]
    [0.0, 1.85]
    """
    if method not in get_args(OffsetMethod):
        kind = "way to measure offsets of masks"
        raise UnknownNameError.among(kind, method, get_args(OffsetMethod))
    pairs = MaskPairs.of(reference, candidate, reference_rows, candidate_rows, other_canvas, engine)
    if method == "outlines":
        return _along_outlines(reference, candidate, pairs, engine, holes=holes)
    sums = np.zeros((len(pairs.rows), 9))
    counts = np.zeros((len(pairs.rows), 10), dtype=np.int64)
    if pairs.compiled("offset", engine):
        centres = kernel.centroids(reference.runs, reference.run_offsets, reference.canvas)
        for some in pairs.slices():
            rows, one = np.unique(pairs.rows[some], return_inverse=True)
            others, two = np.unique(pairs.others[some], return_inverse=True)
            gold = surfaces.Outlines.of(
                reference.runs, reference.run_offsets, reference.canvas, rows
            )
            work = surfaces.Outlines.of(
                candidate.runs, candidate.run_offsets, candidate.canvas, others
            )
            faces = surfaces.facing(gold.inner, gold.outer, gold.canvas)
            sums[some], counts[some] = surfaces.offset_sums(
                gold, work, faces, centres[rows], one, two
            )
    else:
        reach = len(surfaces.window()[0]) // 2 + 1
        for i in pairs.usable.tolist():
            part = mask_plain.cut(
                reference, candidate, pairs.rows[i], pairs.others[i], margin=reach
            )
            sums[i], counts[i] = mask_plain.offset_sums(part)
    enough = counts[:, :9] >= np.where(np.arange(9) == 0, 1, LEAST)
    offset = np.where(enough, ratio_of(sums, counts[:, :9]), np.nan)
    return ContourOffsets(offset, sums, counts[:, :9], counts[:, 9], pairs.status)


def _along_outlines(
    reference: Shapes, candidate: Shapes, pairs: MaskPairs, engine: Engine, *, holes: bool
) -> ContourOffsets:
    """Measure offsets between the smooth outlines of masks."""
    n = len(pairs.rows)
    offset, length = np.full((n, 9), np.nan), np.zeros((n, 9))
    left_out = np.zeros(n, dtype=np.int64)
    # decided once for all slices, each of which alone might be too small for the kernel
    way: Engine = "numba" if pairs.compiled("offset", engine) else "numpy"
    for some in pairs.slices():
        rows, one = np.unique(pairs.rows[some], return_inverse=True)
        others, two = np.unique(pairs.others[some], return_inverse=True)
        gold, work = smoothed(reference.take(rows)), smoothed(candidate.take(others))
        if not holes:
            gold, work = filled(gold), filled(work)
        found = contour_pairs.contour_offsets(
            *(gold, work, one, two),
            symmetric=True,
            least_length=LEAST,
            image_size=reference.canvas[pairs.rows[some], ::-1].astype(np.float64),
            border=STRIP,
            engine=way,
        )
        values = np.column_stack([found.whole, found.sides, found.quadrants])
        offset[some] = values[:, IN_ORDER]
        length[some] = np.nan_to_num(found.length[:, IN_ORDER])
        lonely = pairs.areas[1][some] == 0
        left_out[some[lonely]] = np.rint(perimeters(gold)[one[lonely]])
    pixels = np.rint(length).astype(np.int64)
    return ContourOffsets(offset, np.nan_to_num(offset) * pixels, pixels, left_out, pairs.status)
