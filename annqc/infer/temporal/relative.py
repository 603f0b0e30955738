"""temporal: what can be told without gold: faults of tracks, and two annotators of one object.

Of two annotators only the difference is known: which of them drifts, or lags, or whether both do,
is not. Their difference goes as ``y`` into the functions that compare with gold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.infer.temporal.series import Series

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["CoSeries", "TrackFaults", "co_series", "track_faults"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class CoSeries:
    """Two annotators' tracks of the same objects, on the frames that both drew.

    Attributes
    ----------
    difference, mean : (n,) or (n, k) float64
        First annotator minus second: the ``values`` of drift, steps and jitter, the ``offset`` of
        a lag; and the middle between them, the ``reference`` of a lag.
    frame : (n,) int64
        Frames of both.
    starts : (s + 1,) int64
        Offsets of the pairs.
    """

    difference: Floats
    mean: Floats
    frame: Ints
    starts: Ints


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackFaults:
    """What is wrong with tracks on their own, arrays (n_tracks,).

    Attributes
    ----------
    first, last : int64
        First and last frame; -1 without a row.
    n_frames : int64
        Different frames with a box.
    missing, longest_gap : int64
        Frames without a box between the first and the last, and the longest run of them.
    duplicates : int64
        Boxes beyond the first of the same track and frame.
    flips : int64
        Frames in which the category differs from that of the frame before.
    n_categories : int64
        Categories that the track has been given.
    """

    first: Ints
    last: Ints
    n_frames: Ints
    missing: Ints
    longest_gap: Ints
    duplicates: Ints
    flips: Ints
    n_categories: Ints


def co_series(one: tuple[Array, Array, Array], other: tuple[Array, Array, Array]) -> CoSeries:
    """Bring two annotators' tracks of the same objects to their common frames.

    Parameters
    ----------
    one, other : tuple of arrays
        ``values, frame, starts`` of either, series i of one with series i of the other.

    Returns
    -------
    CoSeries

    Notes
    -----
    Not identifiable: absolute drift, lag and offset, and whatever both do alike.

    Examples
    --------
    >>> found = co_series(([1.0, 2, 3], [0, 1, 2], [0, 3]), ([5.0, 6], [1, 2], [0, 2]))
    >>> found.frame.tolist(), found.difference.tolist(), found.mean.tolist()
    ([1, 2], [-3.0, -3.0], [3.5, 4.5])
    """
    a, b = Series.of(*one), Series.of(*other)
    low = min(a.frame.min(initial=0), b.frame.min(initial=0))
    width = max(a.frame.max(initial=0), b.frame.max(initial=0)) - low + 1
    mine, theirs = (x.series * width + (x.frame - low) for x in (a, b))
    common, in_a, in_b = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
    difference = a.values[in_a] - b.values[in_b]
    mean = (a.values[in_a] + b.values[in_b]) / 2
    starts = np.searchsorted(common, np.arange(a.n_series + 1) * width)
    return CoSeries(
        difference=difference[:, 0] if a.flat else difference,
        mean=mean[:, 0] if a.flat else mean,
        frame=a.frame[in_a],
        starts=starts.astype(np.int64),
    )


def track_faults(track: Array, frame: Array, category: Array, n_tracks: int) -> TrackFaults:
    """Gaps, doubled ids and changes of category of each track.

    Parameters
    ----------
    track, frame, category : (n,) array_like of int
        Codes of each box, in any order; frames and tracks of one video and one annotator belong
        together, so a track's code is its own in each of them.
    n_tracks : int
        Number of tracks.

    Returns
    -------
    TrackFaults
        A gap may be right, where the object was hidden; a doubled id never is.

    Examples
    --------
    >>> found = track_faults([0, 0, 0, 0], [1, 2, 2, 6], [3, 3, 3, 5], 1)
    >>> [int(x[0]) for x in (found.missing, found.longest_gap, found.duplicates, found.flips)]
    [3, 3, 1, 1]
    """
    code, at, label = (np.asarray(x, dtype=np.int64) for x in (track, frame, category))
    order = np.lexsort((label, at, code))
    code, at, label = code[order], at[order], label[order]

    def count(owner: Ints, weight: Array | None = None) -> Ints:
        return np.bincount(owner, weight, n_tracks).astype(np.int64)

    same = code[1:] == code[:-1]
    again = np.zeros(len(code), dtype=bool)
    again[1:] = same & (at[1:] == at[:-1])
    duplicates = count(code[again])
    # Of a doubled frame only the first box speaks on gaps and flips.
    owner, at_once, once = code[~again], at[~again], label[~again]
    inside = owner[1:] == owner[:-1]
    holes = np.diff(at_once)[inside] - 1
    longest = np.zeros(n_tracks, np.int64)
    np.maximum.at(longest, owner[1:][inside], holes)
    first, last = np.full(n_tracks, -1, np.int64), np.full(n_tracks, -1, np.int64)
    last[owner] = at_once
    first[owner[::-1]] = at_once[::-1]
    flipped = inside & (once[1:] != once[:-1])
    given = np.unique(np.stack([code, label]), axis=1)
    return TrackFaults(
        first=first,
        last=last,
        n_frames=count(owner),
        missing=count(owner[1:][inside], holes),
        longest_gap=longest,
        duplicates=duplicates,
        flips=count(owner[1:][flipped]),
        n_categories=count(given[0]),
    )
