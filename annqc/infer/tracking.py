"""infer: intervals of tracking scores by leaving out one cluster at a time.

HOTA, MOTA and IDF1 are smooth functions of sums over clusters, so the delete-one jackknife applies:
the scores are computed again without each cluster in turn, and how far they move says how sure they
are. Clusters are sequences. Where there are fewer than five, they are **tracks**: a reference track
with the candidate tracks that are matched with it most often, or a candidate track that is matched
with none. Matches stay as they are when a track is left out; they are not sought again.

What that means: an interval over sequences speaks of other sequences of the same kind, one over
tracks of other tracks *in these sequences*. What a sequence does to all of its tracks, such as a
blurred camera, an interval over tracks cannot see, so it is too short for a new video.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from scipy import special

from annqc.measure.tracking import COUNTS, SCORES, TrackSums, track_metrics

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["FEWEST", "TrackScores", "track_scores"]

FEWEST: Final = 5
"""With fewer clusters an interval is given, and nothing is decided by it."""

UNBOUNDED_BELOW: Final = ("MOTA", "MODA", "sMOTA")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackScores:
    """Scores of annotators with their intervals, one row an annotator.

    Attributes
    ----------
    annotator : (a,) int64
        As in the sums, ascending.
    estimate, low, high, se : dict of str to (a,) float64
        Each of `annqc.measure.tracking.SCORES`, with the interval and the standard error; NaN where
        there is nothing to divide by, or a single cluster.
    counts : dict of str to (a,) float64
        Each of `annqc.measure.tracking.COUNTS`.
    n_clusters : (a,) int64
        Clusters that the interval rests on.
    by_track : (a,) bool
        Whether the clusters are tracks rather than sequences.
    """

    annotator: Ints
    estimate: dict[str, Floats]
    low: dict[str, Floats]
    high: dict[str, Floats]
    se: dict[str, Floats]
    counts: dict[str, Floats]
    n_clusters: Ints
    by_track: Bools

    @property
    def decidable(self) -> Bools:
        """Whether there are clusters enough to decide by the interval."""
        enough: Bools = self.n_clusters >= FEWEST
        return enough


def track_scores(
    sums: TrackSums,
    *,
    confidence: float = 0.95,
    cluster: Literal["auto", "sequence", "track"] = "auto",
) -> TrackScores:
    """Compute scores by annotator, with delete-one jackknife intervals.

    Parameters
    ----------
    sums : TrackSums
        By track, as `annqc.measure.tracking.track_sums` gives them with ``by="track"``; rows by
        sequence will do where there are sequences enough.
    confidence : float
        Level of the intervals.
    cluster : {"auto", "sequence", "track"}
        What is left out; ``auto`` takes sequences for annotators who have five or more.

    Returns
    -------
    TrackScores

    Notes
    -----
    With the score s of everything and s_g without cluster g of G, the variance is
    ``(G - 1)/G Σ (s_g - mean)²`` (Tukey 1958; Efron and Stein 1981), and the interval is
    ``s ± t se`` on G - 1 degrees of freedom, cut off where the score cannot go.

    Simulated coverage at 95 %, of HOTA, MOTA and IDF1: .945, .898 and .927 over 8 tracks of one
    video, .952, .908 and .947 over 20, .951, .942 and .947 over 60 tracks of three videos; .941,
    .930 and .938 over five videos that differ, .963, .940 and .965 over ten. Where three videos
    differ, an interval over their tracks has the score of such videos in .694, .678 and .749 of
    cases. (4,000 annotators with one video, 1,333 with three, 800 with five and 400 with ten.)

    Examples
    --------
    >>> rows = TrackSums(annotator=np.zeros(6, dtype=np.int64), sequence=np.arange(6),
    ...                  values=np.arange(1.0, 1 + 6 * 146).reshape(6, 146))
    >>> found = track_scores(rows)
    >>> found.by_track.tolist(), found.n_clusters.tolist(), found.decidable.tolist()
    ([False], [6], [True])
    """
    annotators, group = np.unique(sums.annotator, return_inverse=True)
    sequences = sums.combined(by="sequence")
    n_sequences = np.bincount(np.searchsorted(annotators, sequences.annotator))
    by_track = (
        n_sequences < FEWEST if cluster == "auto" else np.full(len(annotators), cluster == "track")
    )
    shape = (len(annotators), len(SCORES))
    estimate, se = np.empty(shape), np.empty(shape)
    n_clusters = np.where(by_track, np.bincount(group), n_sequences)
    order = np.argsort(group, kind="stable")
    parts = np.split(sums.values[order], np.cumsum(np.bincount(group))[:-1])
    wholes = np.split(sequences.values, np.cumsum(n_sequences)[:-1])
    for k, by_unit in enumerate(by_track.tolist()):
        estimate[k], se[k] = _jackknife(parts[k] if by_unit else wholes[k])
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        reach = -special.stdtrit(np.maximum(n_clusters - 1, 1), tail)[:, None] * se
    low, high = estimate - reach, np.minimum(estimate + reach, 1.0)
    bounded = np.array([name not in UNBOUNDED_BELOW for name in SCORES])
    low[:, bounded] = np.maximum(low[:, bounded], 0.0)
    whole = track_metrics(sums.combined(by="annotator"))
    columns = [dict(zip(SCORES, table.T, strict=True)) for table in (estimate, low, high, se)]
    return TrackScores(
        annotator=annotators,
        estimate=columns[0],
        low=columns[1],
        high=columns[2],
        se=columns[3],
        counts={name: whole[name] for name in COUNTS},
        n_clusters=n_clusters,
        by_track=by_track,
    )


def _jackknife(values: Floats) -> tuple[Array, Array]:
    """Scores of all clusters together, and their standard errors; NaN for a single cluster."""
    total = values.sum(axis=0)
    n = len(values)
    # leaving out must not leave -1e-13 of a count behind: what is above thresholds is counted
    less = np.maximum(total - values, 0.0)
    less[less < 1e-9] = 0.0
    scores = _table(np.concatenate([total[None], less]))
    if n < 2:
        return scores[0], np.full(len(SCORES), np.nan)
    spread = scores[1:] - scores[1:].mean(axis=0)
    return scores[0], np.sqrt((n - 1) / n * (spread**2).sum(axis=0))


def _table(values: Floats) -> Floats:
    none = np.zeros(len(values), dtype=np.int64)
    found = track_metrics(TrackSums(annotator=none, sequence=none, values=values))
    return np.column_stack([found[name] for name in SCORES])
