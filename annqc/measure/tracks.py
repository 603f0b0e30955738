"""measure: what an annotator drew of every reference track, frame by frame, as ragged series.

In each frame the drawing that was paired with the object by overlap stands for it, unless that of
the track that had the object before still overlaps it by half (`annqc.measure.track_owners`): of
two objects that pass close by each other, either keeps its own. Where none was paired,
the annotator's own track tells: if the track that had the object in the last paired frame (or will
have it in the next) has a box in the frame that is paired with nothing, that box is taken, however
far off it is. So a jump or a lag is measured rather than lost; no overlap gates these offsets, as
the track says which object is meant. Where another track has the object for a moment and then the
first one again, as where two objects cross, the first one keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.measure.offsets import BORDER_PX, offsets
from annqc.measure.tolerance import Tolerance
from annqc.measure.track_owners import kept_owners

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Bools, Floats, Ints

__all__ = ["TrackSeries", "measure_tracks"]

FLICKER: Final = 25
"""A track that has an object for no more than this many frames between another's is passing by."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackSeries:
    """s series, one for each annotator and reference track they were asked on; n rows, one a frame.

    Rows are sorted by annotator, track and frame. A series has a row for every frame in which the
    reference has the object, drawn or not.

    Attributes
    ----------
    annotator, track, image : (s,) int64
        Who drew, which track of the reference (``Annotations.track``), and an image of its
        sequence.
    starts : (s + 1,) int64
        Rows of series i are ``starts[i]`` up to ``starts[i + 1]``.
    reference, candidate : (n,) int64
        Rows of the two annotation tables; candidate -1 where nothing was drawn.
    drawn_track : (n,) int64
        Track of the candidate, -1 where it has none or nothing was drawn.
    filled : (n,) bool
        The drawing was told by its track, not by overlap.
    frame : (n,) int64
        Frame number, as the reference counts.
    keyframe : (n,) bool or None
        Drawn by hand rather than interpolated; None where the candidate does not say.
    edges : (n, 4) float64
        Outward offsets in pixels; NaN where nothing was drawn, or the edge is at the image border.
    tolerance : (n, 2) float64
        Tolerance in pixels along x and y.
    gold, drawn : (n, 4) float64
        Boxes, ``xyxy``; NaN where nothing was drawn.
    rule : Tolerance
        What ``tolerance`` was worked out from.
    """

    annotator: Ints
    track: Ints
    image: Ints
    starts: Ints
    reference: Ints
    candidate: Ints
    drawn_track: Ints
    filled: Bools
    frame: Ints
    keyframe: Bools | None
    edges: Floats
    tolerance: Floats
    gold: Floats
    drawn: Floats
    rule: Tolerance

    def __len__(self) -> int:
        return len(self.track)

    @property
    def series(self) -> Ints:
        """Series of every row, (n,) int64."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def measure_tracks(
    matches: Matches, *, tolerance: Tolerance | None = None, border_px: float = BORDER_PX
) -> TrackSeries:
    """Follow every reference track through what each annotator drew.

    Parameters
    ----------
    matches : Matches
        From `annqc.match.match`, of two sides that have tracks; its pairs at the low threshold are
        used, ambiguous ones too.
    tolerance : Tolerance, optional
        ``max(1 px, 2 %)`` if not given.
    border_px : float
        Edges this close to the image border, in the reference or in the candidate, have no offset.

    Returns
    -------
    TrackSeries
        Without series where the reference has no tracks. Crowds and ignored rows have none.
    """
    tolerance = tolerance or Tolerance()
    gold, work = matches.reference, matches.candidate
    annotator, reference = _asked_rows(matches)
    track = _track(gold.table.track, len(gold.table))[reference]
    frame = _frames(gold.image_table.frame, gold.table.image)[reference]
    order = np.lexsort((reference, frame, track, annotator))
    annotator, reference, track, frame = (x[order] for x in (annotator, reference, track, frame))
    new = np.ones(len(track), dtype=bool)
    new[1:] = (track[1:] != track[:-1]) | (annotator[1:] != annotator[:-1])
    first = np.flatnonzero(new)
    starts = np.append(first, len(track))
    candidate = _paired(matches, annotator, reference)
    paired = candidate >= 0
    candidate = kept_owners(matches, candidate, reference, starts)
    paired &= candidate >= 0
    candidate = _told_by_track(matches, candidate, reference, starts)
    candidate, kept = _without_flicker(matches, candidate, reference, starts)
    drawn_track = np.full(len(candidate), -1, dtype=np.int64)
    there = candidate >= 0
    drawn_track[there] = _track(work.table.track, len(work.table))[candidate[there]]
    boxes = gold.table.xyxy[reference]
    drawn = np.full((len(candidate), 4), np.nan)
    drawn[there] = work.table.xyxy[candidate[there]]
    edges = offsets(boxes, drawn)
    edges[_at_border(matches, reference, boxes, drawn, border_px)] = np.nan
    keyframe = None
    if work.table.keyframe is not None:
        keyframe = np.zeros(len(candidate), dtype=bool)
        keyframe[there] = work.table.keyframe[candidate[there]]
    return TrackSeries(
        annotator=annotator[first],
        track=track[first],
        image=gold.table.image[reference[first]],
        starts=starts,
        reference=reference,
        candidate=candidate,
        drawn_track=drawn_track,
        filled=there & (kept | ~paired),
        frame=frame,
        keyframe=keyframe,
        edges=edges,
        tolerance=np.asarray(tolerance.of(boxes[:, 2:] - boxes[:, :2])).reshape(-1, 2),
        gold=boxes,
        drawn=drawn,
        rule=tolerance,
    )


def _track(codes: Ints | None, n: int) -> Ints:
    return np.full(n, -1, dtype=np.int64) if codes is None else codes


def _frames(frame: Ints | None, image: Ints) -> Ints:
    """Return the frame of each row: that of its image, or the image's own number."""
    return image if frame is None else frame[image]


def _asked_rows(matches: Matches) -> tuple[Ints, Ints]:
    """Return annotator and reference row for every tracked object that somebody was asked on."""
    table = matches.reference.table
    track = _track(table.track, len(table))
    rows = np.flatnonzero((track >= 0) & ~table.crowd & ~table.ignored)
    rows = rows[np.lexsort((rows, track[rows], table.image[rows]))]
    # of a track that stands twice in a frame the first box is the object; the reader lists the rest
    again = (np.diff(table.image[rows]) == 0) & (np.diff(track[rows]) == 0)
    rows = rows[np.append(True, ~again)[: len(rows)]]
    n_images = len(matches.reference.image_table)
    bounds = np.searchsorted(table.image[rows], np.arange(n_images + 1))
    tasks = matches.task_image
    sizes = bounds[tasks + 1] - bounds[tasks]
    ends = np.cumsum(sizes)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)
    return (
        np.repeat(matches.task_annotator, sizes),
        rows[np.repeat(bounds[tasks], sizes) + within],
    )


def _paired(matches: Matches, annotator: Ints, reference: Ints) -> Ints:
    """Return the candidate row that was paired with each object by each annotator, -1 for none."""
    n = max(len(matches.reference.table), 1)
    work = matches.candidate.table
    counts = ~(work.ignored | work.crowd)[matches.pair_candidate]
    drawn, gold = matches.pair_candidate[counts], matches.pair_reference[counts]
    keys = work.annotator[drawn] * n + gold
    order = np.argsort(keys)
    return _looked_up(keys[order], drawn[order], annotator * n + reference)


def _looked_up(keys: Ints, values: Ints, wanted: Ints) -> Ints:
    """Look values up by sorted keys, the first of equal ones; -1 for what is not there."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], -1)


def _told_by_track(matches: Matches, candidate: Ints, reference: Ints, starts: Ints) -> Ints:
    """Fill frames without a pair from the track that has the object before, or else after."""
    work = matches.candidate.table
    if work.track is None:
        return candidate
    tracks = work.track
    free = (tracks >= 0) & ~work.ignored & ~work.crowd
    free[matches.pair_candidate] = False
    rows = np.flatnonzero(free & (matches.image_of_candidate >= 0))
    n_images = len(matches.reference.image_table)
    keys = tracks[rows] * n_images + matches.image_of_candidate[rows]
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    image = matches.reference.table.image[reference]
    filled = candidate.copy()
    for nearest in (_before(candidate, starts), _after(candidate, starts)):
        open_ = np.flatnonzero((filled < 0) & (nearest >= 0))
        owner = tracks[candidate[nearest[open_]]]
        found = _looked_up(keys, rows, np.where(owner >= 0, owner * n_images + image[open_], -1))
        # a box that two objects ask for is neither's
        told = np.flatnonzero(found >= 0)
        distinct, counts = np.unique(found[told], return_counts=True)
        clear = told[np.isin(found[told], distinct[counts == 1])]
        clear = clear[~np.isin(found[clear], filled)]
        filled[open_[clear]] = found[clear]
    return filled


def _without_flicker(
    matches: Matches, candidate: Ints, reference: Ints, starts: Ints
) -> tuple[Ints, Bools]:
    """Give frames in which another track passes by back to the track before and after them."""
    work = matches.candidate.table
    kept = np.zeros(len(candidate), dtype=bool)
    drawn = np.flatnonzero(candidate >= 0)
    if work.track is None or not len(drawn):
        return candidate, kept
    series = np.repeat(np.arange(len(starts) - 1), np.diff(starts))[drawn]
    owner = work.track[candidate[drawn]]
    new = np.ones(len(drawn), dtype=bool)
    new[1:] = (owner[1:] != owner[:-1]) | (series[1:] != series[:-1])
    first = np.flatnonzero(new)
    length = np.diff(np.append(first, len(drawn)))
    middle = np.arange(1, len(first) - 1)
    same = series[first[middle - 1]] == series[first[middle + 1]]
    same &= owner[first[middle - 1]] == owner[first[middle + 1]]
    same &= (length[middle] <= FLICKER) & (owner[first[middle - 1]] >= 0)
    passing = np.zeros(len(first), dtype=bool)
    passing[middle[same]] = True
    run = np.cumsum(new) - 1
    rows = np.flatnonzero(passing[run])
    tracks, image = work.track, matches.reference.table.image[reference]
    n_images = len(matches.reference.image_table)
    drawn_on = (matches.image_of_candidate >= 0) & ~work.ignored & ~work.crowd
    some = np.flatnonzero((tracks >= 0) & drawn_on)
    keys = tracks[some] * n_images + matches.image_of_candidate[some]
    order = np.argsort(keys, kind="stable")
    wanted = owner[first[run[rows] - 1]] * n_images + image[drawn[rows]]
    found = _looked_up(keys[order], some[order], wanted)
    back = drawn[rows][found >= 0]
    given = candidate.copy()
    given[back] = found[found >= 0]
    kept[back] = True
    return given, kept


def _before(candidate: Ints, starts: Ints) -> Ints:
    """Return the nearest earlier row of the same series that has a candidate, -1 for none."""
    at = np.where(candidate >= 0, np.arange(len(candidate)), -1)
    at = np.maximum.accumulate(at) if len(at) else at
    return np.where(at >= np.repeat(starts[:-1], np.diff(starts)), at, -1)


def _after(candidate: Ints, starts: Ints) -> Ints:
    """Return the nearest later row of the same series that has a candidate, -1 for none."""
    n = len(candidate)
    back = _before(candidate[::-1], n - starts[::-1])[::-1]
    return np.where(back >= 0, n - 1 - back, -1)


def _at_border(
    matches: Matches, reference: Ints, gold: Floats, drawn: Floats, border_px: float
) -> Bools:
    """Whether each edge is near the image border, in the reference or in the candidate."""
    images = matches.reference.image_table
    image = matches.reference.table.image[reference]
    size = np.stack([images.width[image], images.height[image]], axis=1)
    near = np.empty((len(reference), 4), dtype=bool)
    with np.errstate(invalid="ignore"):
        near[:, :2] = (gold[:, :2] <= border_px) | (drawn[:, :2] <= border_px)
        near[:, 2:] = (gold[:, 2:] >= size - border_px) | (drawn[:, 2:] >= size - border_px)
    return near
