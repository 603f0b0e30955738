"""run: errors of one kind as columns, before they are put together and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["block", "rightly_matched"]


def block(
    *,
    kind: Array,
    reference: Ints,
    candidate: Ints,
    annotator: Ints,
    severity: Floats,
    **measured: Array,
) -> dict[str, Array]:
    """Lay out one kind of error as columns; what does not apply to it is NaN or None."""
    n = len(kind)
    columns: dict[str, Any] = {
        "kind": kind,
        "reference": reference,
        "candidate": candidate,
        "annotator": annotator,
        "severity": severity,
        "style": np.full(n, None, dtype=object),
    }
    columns |= {name: np.full(n, np.nan) for name in ("iou", "boundary_iou", "others_found")}
    return columns | measured


def rightly_matched(matches: Matches, reference: Ints, candidate: Ints) -> tuple[Bools, Floats]:
    """Say which of some pairs were matched with the right label, and the IoU of their boxes.

    Parameters
    ----------
    matches : Matches
        What was matched.
    reference, candidate : (n,) int64
        Rows of the two tables.

    Returns
    -------
    same : (n,) bool
    iou : (n,) float64
        NaN where it is not.
    """
    width = len(matches.candidate.table)
    code = reference * width + candidate
    right = ~matches.mislabelled
    matched = (matches.matched_reference * width + matches.matched_candidate)[right]
    if not len(matched):
        return np.zeros(len(code), dtype=bool), np.full(len(code), np.nan)
    order = np.argsort(matched)
    at = order[np.minimum(np.searchsorted(matched, code, sorter=order), len(order) - 1)]
    same: Bools = matched[at] == code
    return same, np.where(same, matches.matched_iou[right][at], np.nan)
