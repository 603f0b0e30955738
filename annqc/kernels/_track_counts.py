"""Counts by unit behind HOTA, CLEAR and Identity, each for all frames of all tasks at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np

from annqc.kernels._alignment import EPS, alignment
from annqc.kernels._track_frames import Frames, Pairs, match_frames
from annqc.kernels._tracking import follow
from annqc.kernels.assign import best_assignment

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = [
    "ALPHAS",
    "EPS",
    "Clear",
    "Hota",
    "Identity",
    "Meetings",
    "clear_counts",
    "hota_counts",
    "identity_counts",
    "meetings",
]

ALPHAS: Final = np.arange(0.05, 0.99, 0.05)
"""Thresholds of HOTA, in the floats that TrackEval has."""

DENSE: Final = 1 << 22
"""Pairs of tracks that get a place each; beyond, only those that meet."""


class Hota(NamedTuple):
    """Counts by unit and threshold, each (n_units, 19) float64.

    ``tp, fn, fp`` are boxes, ``loc`` is the IoU of the true positives. ``ass_a, ass_re, ass_pr``
    add up TPA/(TPA+FNA+FPA), TPA/(TPA+FNA) and TPA/(TPA+FPA) over the true positives.
    """

    tp: Floats
    fn: Floats
    fp: Floats
    loc: Floats
    ass_a: Floats
    ass_re: Floats
    ass_pr: Floats


class Clear(NamedTuple):
    """Counts by unit, each (n_units,) float64.

    ``tp, fn, fp`` are boxes, ``similarity`` is the IoU of the true positives; ``idsw`` identity
    switches, ``frag`` fragmentations, ``mt, pt, ml`` tracks mostly and partly tracked, mostly lost.
    """

    tp: Floats
    fn: Floats
    fp: Floats
    similarity: Floats
    idsw: Floats
    frag: Floats
    mt: Floats
    pt: Floats
    ml: Floats


class Identity(NamedTuple):
    """Boxes by unit under the best one-to-one assignment of whole tracks, (n_units,) float64."""

    tp: Floats
    fn: Floats
    fp: Floats


class Meetings(NamedTuple):
    """Pairs of tracks that may share a frame.

    Attributes
    ----------
    number : (m,) int64
        The pair of tracks of each pair of boxes.
    ref, cand : (n_meetings,) int64
        The two tracks of each, numbered over all tasks.
    """

    number: Ints
    ref: Ints
    cand: Ints


def meetings(frames: Frames, pairs: Pairs) -> Meetings:
    """Give pairs of tracks a number: all of a task, or where those are many, those that meet."""
    ref, cand = frames.ref, frames.cand
    n_cand = np.diff(cand.first_of_task)
    task = ref.task_of_track
    width = n_cand[task]
    ends = np.cumsum(width)
    # so that the candidate's number over all tasks can be added
    row = ends - width - cand.first_of_task[task]
    number = row[ref.track[pairs.ref]] + cand.track[pairs.cand]
    if len(ends) and ends[-1] > DENSE:
        used, number = np.unique(number, return_inverse=True)
        met_ref = cast("Ints", np.searchsorted(cast("Ints", ends), used, side="right"))
        return Meetings(number, met_ref, used - row[met_ref])
    of_ref: Ints = np.repeat(np.arange(len(task)), width)
    return Meetings(number, of_ref, np.arange(len(of_ref)) - row[of_ref])


def hota_counts(
    frames: Frames, pairs: Pairs, meeting: Meetings, engine: Engine
) -> tuple[Hota, Ints]:
    """Count for HOTA, and name the unit of each candidate track."""
    ref, cand = frames.ref, frames.cand
    n_ref, n_cand = len(ref.task_of_track), len(cand.task_of_track)
    iou = pairs.iou
    weight = alignment(
        pairs.ref,
        pairs.cand,
        iou,
        meeting.number,
        ref.boxes_of_track[meeting.ref] + cand.boxes_of_track[meeting.cand],
        n_rows=len(ref.track),
        n_columns=len(cand.track),
        engine=engine,
    )
    chosen = match_frames(frames, pairs, weight, engine=engine)
    iou, number = iou[chosen], meeting.number[chosen]
    passed = np.searchsorted(ALPHAS - EPS, iou, side="right")
    of_ref, of_cand = meeting.ref[number], meeting.cand[number]
    met = np.zeros(len(meeting.ref), dtype=bool)
    met[number] = True
    n_met = int(np.count_nonzero(met))
    ref_of_met, cand_of_met = meeting.ref[met], meeting.cand[met]
    tpa = _by_alpha((np.cumsum(met) - 1)[number], passed, n_met)
    ref_boxes = ref.boxes_of_track[ref_of_met, None]
    cand_boxes = cand.boxes_of_track[cand_of_met, None]
    owner = _owners(ref_of_met, cand_of_met, tpa[:, 0], n_ref, n_cand)
    n_units = n_ref + n_cand
    tp = _by_alpha(of_ref, passed, n_units)
    fn = -tp
    fn[:n_ref] += ref.boxes_of_track[:, None]
    extra = cand.boxes_of_track[:, None] - _by_alpha(of_cand, passed, n_cand)
    squared = tpa * tpa
    return Hota(
        tp=tp,
        fn=fn,
        fp=_add_rows(owner, extra, n_units),
        loc=_by_alpha(of_ref, passed, n_units, iou),
        ass_a=_add_rows(ref_of_met, squared / (ref_boxes + cand_boxes - tpa), n_units),
        ass_re=_add_rows(ref_of_met, squared / ref_boxes, n_units),
        ass_pr=_add_rows(ref_of_met, squared / cand_boxes, n_units),
    ), owner


def _by_alpha(group: Ints, passed: Ints, n: int, weight: Floats | None = None) -> Floats:
    """Add up what passes each threshold, by group."""
    width = len(ALPHAS) + 1
    table = _total(group * width + passed, weight, n * width).reshape(n, width)
    return np.cumsum(table[:, :0:-1], axis=1)[:, ::-1]


def _add_rows(group: Ints, rows: Floats, n: int) -> Floats:
    """Add up rows by group."""
    width = rows.shape[1]
    places = group[:, None] * width + np.arange(width)
    return _total(places.ravel(), rows.ravel(), n * width).reshape(n, width)


def _owners(ref: Ints, cand: Ints, together: Floats, n_ref: int, n_cand: int) -> Ints:
    """Find the unit of each candidate track: whom it is matched with most often, or itself."""
    owner = n_ref + np.arange(n_cand)
    some = np.flatnonzero(together > 0)
    order = some[np.lexsort((-ref[some], together[some]))]
    owner[cand[order]] = ref[order]  # the last write wins: most often, the first track of equals
    return owner


def clear_counts(
    frames: Frames, pairs: Pairs, owner: Ints, threshold: float, engine: Engine
) -> Clear:
    ref, cand = frames.ref, frames.cand
    n_ref, n_units = len(ref.task_of_track), len(ref.task_of_track) + len(cand.task_of_track)
    close = pairs.iou >= threshold - EPS
    row, column, iou = pairs.ref[close], pairs.cand[close], pairs.iou[close]
    # A frame where either side is empty is passed over: it breaks no track.
    n_boxes = np.diff(frames.ref_offsets), np.diff(frames.cand_offsets)
    seen = (n_boxes[0] > 0) & (n_boxes[1] > 0)
    turn = (np.cumsum(seen) - 1)[ref.frame]
    order = ref.order[seen[ref.frame[ref.order]]]
    follows = ref.track[order[1:]] == ref.track[order[:-1]]
    at_once = follows & (turn[order[1:]] - turn[order[:-1]] == 1)
    previous = np.full(len(ref.track), -1)
    previous[order[1:][at_once]] = order[:-1][at_once]
    alone = np.bincount(row, minlength=len(ref.track))[row] == 1
    alone &= np.bincount(column, minlength=len(cand.track))[column] == 1
    chosen = np.full(len(ref.track), -1)
    chosen[row[alone]] = column[alone]
    open_ = np.flatnonzero(~alone)
    chosen = follow(
        row[open_],
        column[open_],
        iou[open_],
        ref.frame[row[open_]],
        track_of_column=cand.track,
        previous=previous,
        chosen=chosen,
        engine=engine,
    )
    taken = chosen[row] == column
    similarity = _total(ref.track[row[taken]], iou[taken], n_units)
    boxes = ref.boxes_of_track
    tp = _total(ref.track[row[taken]], None, n_units)
    fn = -tp
    fn[:n_ref] += boxes
    n_cand = len(cand.task_of_track)
    extra = cand.boxes_of_track - _total(cand.track[column[taken]], None, n_cand)
    hit = order[chosen[order] >= 0]
    track, partner = ref.track[hit], cand.track[chosen[hit]]
    switch = (track[1:] == track[:-1]) & (partner[1:] != partner[:-1])
    before = previous[hit]
    begins = (before < 0) | (chosen[before] < 0)
    pieces = _total(track[begins], None, n_units)
    with np.errstate(invalid="ignore"):
        ratio = tp[:n_ref] / boxes
    there = np.zeros((3, n_units))
    there[0, :n_ref] = ratio > 0.8
    there[1, :n_ref] = (ratio >= 0.2) & (ratio <= 0.8)
    there[2, :n_ref] = ratio < 0.2
    return Clear(
        tp=tp,
        fn=fn,
        fp=_total(owner, extra, n_units),
        similarity=similarity,
        idsw=_total(track[1:][switch], None, n_units),
        frag=np.maximum(pieces - 1.0, 0),
        mt=there[0],
        pt=there[1],
        ml=there[2],
    )


def identity_counts(
    frames: Frames,
    pairs: Pairs,
    meeting: Meetings,
    owner: Ints,
    threshold: float,
    engine: Engine,
) -> Identity:
    ref, cand = frames.ref, frames.cand
    n_ref, n_cand = len(ref.task_of_track), len(cand.task_of_track)
    close = pairs.iou >= threshold  # here TrackEval grants no rounding error
    together = np.bincount(meeting.number[close], minlength=len(meeting.ref))
    met = np.flatnonzero(together)
    row, column = meeting.ref[met], meeting.cand[met]
    weight = together[met].astype(np.float64)
    best = best_assignment(row, column, weight, n_rows=n_ref, n_columns=n_cand, engine=engine)
    n_units = n_ref + n_cand
    tp = _total(row[best], weight[best], n_units)
    fn = -tp
    fn[:n_ref] += ref.boxes_of_track
    extra = cand.boxes_of_track - _total(column[best], weight[best], n_cand)
    return Identity(tp=tp, fn=fn, fp=_total(owner, extra, n_units))


def _total(group: Ints, weight: Floats | None, n: int) -> Floats:
    """Add up, by group."""
    return cast("Floats", np.bincount(group, weight, n).astype(np.float64, copy=False))
