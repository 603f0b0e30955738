"""run: tracking scores of a comparison as columns, one row an annotator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import UnknownNameError
from annqc.infer.tracking import track_scores
from annqc.measure.track_events import STRUCTURAL, events_within
from annqc.measure.track_frames import tracking
from annqc.measure.tracking import SCORES

if TYPE_CHECKING:
    from annqc.infer.tracking import TrackScores
    from annqc.match import Matches
    from annqc.measure.track_frames import Preprocess
    from annqc.tables import Array

__all__ = ["PREPROCESSING", "scored", "tracking_columns"]

PREPROCESSING: Final[dict[str, Preprocess | None]] = {"none": None, "mot": "mot", "mot20": "mot20"}


def scored(matches: Matches, *, preprocess: str = "none", confidence: float = 0.95) -> TrackScores:
    """Work HOTA, CLEAR and identity scores out, with their intervals.

    Parameters
    ----------
    matches : Matches
        What was matched: which frames are the same, and who was asked on them.
    preprocess : {"none", "mot", "mot20"}
        As MOTChallenge does, or not.
    confidence : float
        Level of the intervals.

    Raises
    ------
    UnknownNameError
        There is no such preprocessing.
    MatchError
        A side has no tracks, or categories are not those of MOTChallenge.
    """
    if preprocess not in PREPROCESSING:
        kind = "preprocessing"
        raise UnknownNameError.among(kind, preprocess, PREPROCESSING)
    sums = tracking(matches, preprocess=PREPROCESSING[preprocess], by="track", twice="apart")
    return track_scores(sums, confidence=confidence)


def tracking_columns(matches: Matches, found: TrackScores) -> dict[str, Array]:
    """Lay out HOTA, CLEAR and identity scores with their intervals.

    Parameters
    ----------
    matches : Matches
        What was matched.
    found : TrackScores
        From `scored`.

    Returns
    -------
    dict of str to (n_annotators,) array
        As `annqc.run.tracked.Tracked.tracking_scores` says. Who was asked on nothing has NaN.
    """
    work = matches.candidate
    n, rows = len(work.annotator_ids), found.annotator

    def spread(values: Array, blank: Any) -> Array:
        out = np.full(n, blank, dtype=object if isinstance(blank, str) else None)
        out[rows] = values
        return out

    columns: dict[str, Any] = {"annotator": work.annotator_ids}
    for name in SCORES:
        columns[name] = spread(found.estimate[name], np.nan)
        columns[f"{name}_low"] = spread(found.low[name], np.nan)
        columns[f"{name}_high"] = spread(found.high[name], np.nan)
    for name, count in found.counts.items():
        columns[name] = spread(count, np.nan)
    columns["n_clusters"] = spread(found.n_clusters, 0)
    columns["clusters"] = spread(np.where(found.by_track, "tracks", "sequences"), "")
    columns["status"] = spread(np.where(found.decidable, "ok", "too_few_clusters"), "no_data")
    events = events_within(work, matches.image_of_candidate, matches)
    twice = events.kind == STRUCTURAL.index("duplicate_id")
    columns["n_doubled"] = np.bincount(
        events.annotator[twice], events.size[twice], minlength=n
    ).astype(np.int64)
    return columns
