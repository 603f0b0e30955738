"""measure: what was found, missed, invented and mislabelled, as counts a (annotator, image)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Detections", "detections"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Detections:
    """Rows to count from: every asked reference object, and every drawn object, once.

    Attributes
    ----------
    asked_reference, asked_annotator : (m,) int64
        Reference object x annotator who was asked to draw it.
    found : (m,) bool
        Whether the annotator drew it (in whatever category).
    drawn_candidate : (k,) int64
        Candidate objects, those that ignored regions swallowed left out.
    real : (k,) bool
        Whether there is a reference object for it.
    pair_reference, pair_candidate : (p,) int64
        The matched pairs.
    right_label : (p,) bool
    iou : (p,) float64
    """

    asked_reference: Ints
    asked_annotator: Ints
    found: Bools
    drawn_candidate: Ints
    real: Bools
    pair_reference: Ints
    pair_candidate: Ints
    right_label: Bools
    iou: Floats


def detections(matches: Matches) -> Detections:
    """Lay out a match for counting.

    Parameters
    ----------
    matches : Matches
        From `annqc.match.match`.

    Returns
    -------
    Detections
    """
    who = matches.candidate.table.annotator
    n_pairs, n_missed = len(matches.matched_reference), len(matches.missed_reference)
    n_spurious = len(matches.spurious_candidate)
    return Detections(
        asked_reference=np.concatenate([matches.matched_reference, matches.missed_reference]),
        asked_annotator=np.concatenate([who[matches.matched_candidate], matches.missed_annotator]),
        found=np.repeat([True, False], [n_pairs, n_missed]),
        drawn_candidate=np.concatenate([matches.matched_candidate, matches.spurious_candidate]),
        real=np.repeat([True, False], [n_pairs, n_spurious]),
        pair_reference=matches.matched_reference,
        pair_candidate=matches.matched_candidate,
        right_label=~matches.mislabelled,
        iou=matches.matched_iou,
    )
