"""run: single outlines to look at, which are far off or drawn unlike the annotator's others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.measure.outline_styles import STYLES
from annqc.measure.outlines import CONTOURS, OutlineStatus
from annqc.run.error_blocks import block, rightly_matched

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.outline_styles import OutlineStyles
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "GROSS",
    "OUTLINE_KINDS",
    "ROUNDING",
    "loose_outlines",
    "odd_outlines",
    "worst_contours",
]

OUTLINE_KINDS: Final = ("loose_outline", "odd_outline")

ROUNDING: Final = 1e-9
GROSS: Final = 3.0
"""A matched outline is an error where its contour is out by this many tolerances or more."""
FAR_BELOW: Final = 5.0
"""So is one whose boundary IoU is this many scales below the annotator's own median."""
LEAST_SCALE: Final = 0.02
ENOUGH: Final = 20
"""With fewer outlines an annotator has no usual boundary IoU."""
RARE: Final = 0.1
"""How an outline was drawn is odd where at most this share of the annotator's are drawn so."""


def loose_outlines(matches: Matches, measured: OutlineMeasurements) -> dict[str, Array]:
    """List matched outlines of the right label that are far off.

    Parameters
    ----------
    matches, measured
        What was matched and measured.

    Returns
    -------
    dict of str to array
        Columns of `annqc.run.error_blocks.block`.

    Notes
    -----
    Far off are outlines that share nothing; those with a side, or the whole, three tolerances or
    more out; and those whose boundary IoU is five scales (1.4826 MAD, at least 0.02) below the
    annotator's own median over 20 outlines or more, where the contours are a tolerance or more
    apart as well.
    """
    same, _ = rightly_matched(matches, measured.reference, measured.candidate)
    off = np.nan_to_num(np.abs(measured.values("tolerance"))).max(axis=0, initial=0.0)
    apart = measured.status == OutlineStatus.APART
    with np.errstate(invalid="ignore"):
        distant = measured.overlaps["assd"] >= measured.tolerance
        poor = measured.overlaps["boundary_iou"] < _usual_least(measured)
    loose = (off >= GROSS - ROUNDING) | apart | (poor & distant)
    return _rows(measured, np.flatnonzero(same & loose), "loose_outline")


def odd_outlines(
    matches: Matches, measured: OutlineMeasurements, styles: OutlineStyles
) -> dict[str, Array]:
    """List matched outlines that were drawn in a way the annotator's others were not.

    Parameters
    ----------
    matches, measured, styles
        What was matched and measured, and how it was drawn.

    Returns
    -------
    dict of str to array
        Columns of `annqc.run.error_blocks.block`; ``style`` is the first of
        `annqc.measure.outline_styles.STYLES` that holds.

    Notes
    -----
    Odd is what holds of at most a tenth of the annotator's outlines, 20 or more. What holds of more
    is a habit, which is for `annqc.Audit.outline_scores` to tell.
    """
    same, _ = rightly_matched(matches, measured.reference, measured.candidate)
    who, n = measured.annotator, len(matches.candidate.annotator_ids)
    style = np.full(len(measured), None, dtype=object)
    for name in reversed(STYLES):
        known, odd = styles.known[name], styles.odd[name]
        count = np.bincount(who[known], minlength=n)
        share = np.bincount(who[odd], minlength=n) / np.maximum(count, 1)
        style[odd & ((count >= ENOUGH) & (share <= RARE))[who]] = name
    some = np.flatnonzero(same & (style != None))  # noqa: E711 - an array of objects
    return _rows(measured, some, "odd_outline") | {"style": style[some]}


def worst_contours(
    rows: dict[str, Array], measured: OutlineMeasurements, width: int
) -> tuple[Ints, dict[str, Array]]:
    """Say of errors of outlines what part of the contour is farthest off, and by how much.

    Parameters
    ----------
    rows : dict of str to array
        Errors of all kinds.
    measured : OutlineMeasurements
        What was measured.
    width : int
        Rows of the work.

    Returns
    -------
    at : (k,) int64
        Which errors these are.
    found : dict of str to (k,) array
        ``edge``, one of `annqc.measure.outlines.CONTOURS` or None, ``offset`` in tolerances,
        ``offset_px`` and ``offset_rel``, which outlines have none of.
    """
    at = np.flatnonzero(np.isin(rows["kind"], OUTLINE_KINDS))
    code = measured.reference * width + measured.candidate
    order = np.argsort(code)
    wanted = (rows["reference"] * width + rows["candidate"])[at]
    pair = order[np.searchsorted(code, wanted, sorter=order)] if len(at) else at
    units = measured.values("tolerance").T[pair]
    worst = np.nan_to_num(np.abs(units), nan=-1.0).argmax(axis=1) if len(at) else at
    line = np.arange(len(at))
    edge = np.array(CONTOURS, dtype=object)[worst]
    edge[~np.isfinite(units[line, worst])] = None
    return at, {
        "edge": edge,
        "offset": units[line, worst],
        "offset_px": measured.offsets[pair, worst],
        "offset_rel": np.full(len(at), np.nan),
    }


def _rows(measured: OutlineMeasurements, some: Ints, kind: str) -> dict[str, Array]:
    iou = measured.overlaps["mask_iou"][some]
    return block(
        kind=np.full(len(some), kind, dtype=object),
        reference=measured.reference[some],
        candidate=measured.candidate[some],
        annotator=measured.annotator[some],
        severity=1 - iou,
        iou=iou,
        boundary_iou=measured.overlaps["boundary_iou"][some],
    )


def _usual_least(measured: OutlineMeasurements) -> Floats:
    """Boundary IoU below which an outline is unlike its annotator's; NaN where none is usual."""
    values = measured.overlaps["boundary_iou"]
    usable: Bools = np.isfinite(values)
    least = np.full(len(values), np.nan)
    for one in np.unique(measured.annotator[usable]).tolist():
        mine = measured.annotator == one
        own = values[mine & usable]
        if len(own) >= ENOUGH:
            middle = np.median(own)
            scale = max(1.4826 * float(np.median(np.abs(own - middle))), LEAST_SCALE)
            least[mine] = middle - FAR_BELOW * scale
    return least
