"""temporal: whether tracks begin and end when the object does, and how often ids are swapped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.rates import korn_graubard, ratio_of_clusters
from annqc.infer.temporal.estimate import Estimate, of_tracks

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats

__all__ = ["ENDS", "FRAMES", "Switches", "TrackEnds", "annotator_ends", "switch_rate", "track_ends"]

ENDS: Final = ("dstart", "dend")
"""Columns of what is said of ends."""
FRAMES: Final = 1000
"""Switches are given per this many frames."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackEnds:
    """Ends of matched tracks, arrays (s, 2): `ENDS`.

    Attributes
    ----------
    difference : float64
        Annotation minus gold, in frames: a positive ``dstart`` begins late, a positive ``dend``
        ends late. NaN where the end is the clip's.
    touching : bool
        Whether gold or annotation touch the clip's end, so that nothing can be told.
    """

    difference: Floats
    touching: Bools


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Switches:
    """Switches of identity per 1000 frames, arrays (n_groups,).

    Attributes
    ----------
    rate, se, df : float64
        Ratio of sums, linearised over tracks.
    low, high : float64
        Interval of Korn and Graubard, which is not empty where there is no switch at all.
    switches, frames, n_clusters : float64
        What was counted, and tracks.
    """

    rate: Floats
    se: Floats
    df: Floats
    low: Floats
    high: Floats
    switches: Floats
    frames: Floats
    n_clusters: Floats


def track_ends(annotated: Array, gold: Array, clip: Array) -> TrackEnds:
    """Difference between first and last frames of matched tracks.

    Parameters
    ----------
    annotated, gold, clip : (s, 2) array_like of int
        First and last frame of the annotation, of the gold track and of the clip.

    Examples
    --------
    >>> found = track_ends([[12, 90], [0, 40]], [[10, 95], [0, 38]], [[0, 99], [0, 99]])
    >>> found.difference.tolist()
    [[2.0, -5.0], [nan, 2.0]]
    """
    ours, theirs, whole = (np.asarray(x, dtype=np.int64) for x in (annotated, gold, clip))
    way = np.array([1, -1])
    touching = (way * ours <= way * whole) | (way * theirs <= way * whole)
    difference = np.where(touching, np.nan, (ours - theirs).astype(np.float64))
    return TrackEnds(difference=difference, touching=touching)


def annotator_ends(ends: TrackEnds, group: Array, clip: Array, n_groups: int) -> Estimate:
    """Typical differences of each annotator, with the clip as the unit of evidence.

    Parameters
    ----------
    ends : TrackEnds
        From `track_ends`.
    group, clip : (s,) array_like of int
        Annotator and clip of each track.
    n_groups : int
        Number of annotators.

    Returns
    -------
    Estimate
        In frames, (n_groups, 2): `ENDS`.
    """
    return of_tracks(ends.difference, np.asarray(group), np.asarray(clip), n_groups, grid=1.0)


def switch_rate(
    switches: Array,
    frames: Array,
    group: Array,
    track: Array,
    n_groups: int,
    *,
    confidence: float = 0.95,
) -> Switches:
    """Switches of identity per 1000 frames.

    Parameters
    ----------
    switches, frames : (N,) array_like
        Counts of each row.
    group, track : (N,) array_like of int
        Annotator, and gold track: the unit of evidence.
    n_groups : int
        Number of annotators.
    confidence : float
        Level of the interval.

    Examples
    --------
    >>> found = switch_rate([1, 0, 2, 0], [500] * 4, [0] * 4, range(4), 1)
    >>> float(found.rate[0]), round(float(found.se[0]), 2)
    (1.5, 0.96)
    """
    codes, tracks = np.asarray(group, dtype=np.int64), np.asarray(track, dtype=np.int64)
    ratio = ratio_of_clusters(switches, frames, codes, tracks, n_groups)
    _, row = np.unique(np.stack([codes, tracks]), axis=1, return_inverse=True)
    row = row.ravel()
    owner = np.zeros(int(row.max(initial=-1)) + 1, np.int64)
    owner[row] = codes
    events, trials = (np.bincount(row, np.asarray(x, float)) for x in (switches, frames))
    interval = korn_graubard(events, trials, owner, n_groups, confidence=confidence)
    return Switches(
        rate=FRAMES * ratio.estimate,
        se=FRAMES * ratio.se,
        df=ratio.df,
        low=FRAMES * interval.low,
        high=FRAMES * interval.high,
        switches=interval.events,
        frames=interval.trials,
        n_clusters=interval.n_clusters,
    )
