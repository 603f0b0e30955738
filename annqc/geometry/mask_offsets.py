"""Signed offsets between the outlines of paired masks: how far out, and on which side.

Beside `annqc.geometry.mask_pairs`, which gives it out. Worked out at the
border pixels of the reference, with no distance transform of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.geometry import mask_plain
from annqc.geometry.mask_checks import MaskPairs, OtherCanvas
from annqc.geometry.mask_values import ContourOffsets, ratio_of
from annqc.kernels import masks as kernel
from annqc.kernels import surfaces

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine
    from annqc.tables import Shapes

    Rows = npt.NDArray[Any] | list[int]

__all__ = ["contour_offsets"]

LEAST: Final = 5
"""A side with fewer border pixels than this has no offset."""


def contour_offsets(
    reference: Shapes,
    candidate: Shapes,
    reference_rows: Rows,
    candidate_rows: Rows,
    *,
    other_canvas: OtherCanvas = "error",
    engine: Engine = "auto",
) -> ContourOffsets:
    """Measure how far out the candidate's outline lies, along the outline of the reference.

    Parameters
    ----------
    reference, candidate : Shapes
        Masks of both sides.
    reference_rows, candidate_rows : (m,) array_like of int
        Pair i is reference ``reference_rows[i]`` and candidate ``candidate_rows[i]``.
    other_canvas : {"error", "nan"}, optional
        What to do with a pair on canvases of different sizes: refuse, or say NaN.
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
    The signed distance of a pixel is that of its centre to the nearest centre on the other side of
    the outline, less half a pixel, positive inside. The offset at a border pixel of the reference
    (one of its four neighbours is not in it) is the candidate's signed distance less the
    reference's own. A pixel faces where the signed distance of the reference falls fastest, after a
    Gaussian of 1.5 px; a diagonal one faces left or right.

    Where the image cuts off the reference there is no outline and nothing is measured. Where it
    cuts off the candidate alone, the candidate ends at the edge of the image.

    Pixels see straight edges exactly and curves too near: a disc that grows by 2 px is measured at
    about 1.6 px. Where one side moves out alone by d, the nearest background near its ends is
    beside it and not beyond it: over its n pixels it is measured d (d + 1) / n short at the left
    and the right, which have the corners, and d (d - 1) / n at the top and the bottom (the example
    has 10 pixels and 2 px; at 100 pixels it would be 1.94). Offsets of polygons have neither bias.

    Examples
    --------
    >>> square = np.zeros((20, 20), dtype=bool)
    >>> square[5:15, 5:15] = True
    >>> wider = square.copy()
    >>> wider[5:15, 15:17] = True
    >>> from annqc.geometry.masks import runs_of_mask
    >>> from annqc.tables import Shapes
    >>> masks = Shapes.from_runs([runs_of_mask(square), runs_of_mask(wider)], [[20, 20]] * 2)
    >>> found = contour_offsets(masks, masks, [0], [1])
    >>> found.offset[0, 1:5].round(2).tolist()
    [0.0, 0.0, 1.4, 0.0]
    """
    pairs = MaskPairs.of(reference, candidate, reference_rows, candidate_rows, other_canvas, engine)
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
