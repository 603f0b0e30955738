"""Boxes of two sides frame by frame, the pairs of them that share area, and what to keep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from annqc.kernels._alignment import best_pairs
from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Frames", "Pairs", "Side", "box_pairs", "kept", "match_frames"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Frames:
    """Boxes of both sides, frame by frame, of a batch of tasks (annotator x sequence).

    Attributes
    ----------
    frame_offsets : (n_tasks + 1,) int64
        Where the frames of each task begin.
    ref_offsets, cand_offsets : (n_frames + 1,) int64
        Where the boxes of each frame begin.
    ref_boxes, cand_boxes : (4, n) float64
        x1, y1, x2, y2 in pixels.
    ref_track, cand_track : (n,) int64
        Track of each box, numbered from 0 within the task and the side. No track twice in a frame.
    """

    frame_offsets: Ints
    ref_offsets: Ints
    cand_offsets: Ints
    ref_boxes: Floats
    cand_boxes: Floats
    ref_track: Ints
    cand_track: Ints

    @property
    def n_tasks(self) -> int:
        """Tasks of the batch."""
        return len(self.frame_offsets) - 1

    def part(self, begin: int, end: int) -> Frames:
        """Return the tasks ``begin`` to ``end``, the latter left out."""
        first, last = self.frame_offsets[begin], self.frame_offsets[end]
        ref, cand = (
            (slice(*offsets[[first, last]]), offsets[first : last + 1] - offsets[first])
            for offsets in (self.ref_offsets, self.cand_offsets)
        )
        return Frames(
            frame_offsets=self.frame_offsets[begin : end + 1] - first,
            ref_offsets=ref[1],
            cand_offsets=cand[1],
            ref_boxes=np.ascontiguousarray(self.ref_boxes[:, ref[0]]),
            cand_boxes=np.ascontiguousarray(self.cand_boxes[:, cand[0]]),
            ref_track=self.ref_track[ref[0]],
            cand_track=self.cand_track[cand[0]],
        )

    @cached_property
    def ref(self) -> Side:
        """The reference, its tracks numbered over all tasks."""
        return _side(self.ref_offsets, self.frame_offsets, self.ref_track)

    @cached_property
    def cand(self) -> Side:
        """The candidate, its tracks numbered over all tasks."""
        return _side(self.cand_offsets, self.frame_offsets, self.cand_track)


class Side(NamedTuple):
    """One side of `Frames`, its tracks numbered over all tasks.

    Attributes
    ----------
    frame, track : (n,) int64
        Of each box.
    order : (n,) int64
        The boxes by track, and within a track by frame.
    task_of_track, boxes_of_track : (n_tracks,) int64
        Task and number of boxes of each track; a number that is not used has none.
    first_of_task : (n_tasks + 1,) int64
        Where the tracks of each task begin.
    """

    frame: Ints
    track: Ints
    order: Ints
    task_of_track: Ints
    boxes_of_track: Ints
    first_of_task: Ints

    @property
    def twice(self) -> Ints:
        """Boxes whose track stands in their frame already."""
        one, two = self.order[:-1], self.order[1:]
        same = (self.track[one] == self.track[two]) & (self.frame[one] == self.frame[two])
        return cast("Ints", two[same])


def _side(offsets: Ints, frame_offsets: Ints, code: Ints) -> Side:
    frame = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    box_offsets = offsets[frame_offsets]
    task = np.repeat(np.arange(len(box_offsets) - 1), np.diff(box_offsets))
    n_tracks = np.zeros(len(box_offsets) - 1, dtype=np.int64)
    some = np.flatnonzero(np.diff(box_offsets))
    if len(some):
        n_tracks[some] = np.maximum.reduceat(code, box_offsets[some]) + 1
    first = np.concatenate([[0], np.cumsum(n_tracks)])
    track = code + first[task]
    return Side(
        frame,
        track,
        _by_track(track, int(first[-1])),
        np.repeat(np.arange(len(n_tracks)), n_tracks),
        np.bincount(track, minlength=int(first[-1])),
        first,
    )


class Pairs(NamedTuple):
    """Boxes of one frame that share area, ordered by reference box.

    Attributes
    ----------
    ref, cand : (m,) int64
        Positions of the boxes.
    iou : (m,) float64
        Intersection over union.
    """

    ref: Ints
    cand: Ints
    iou: Floats


def box_pairs(frames: Frames, *, engine: Engine = "auto") -> Pairs:
    """Find the boxes of each frame that share area.

    Parameters
    ----------
    frames : Frames
        The boxes.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.
    """
    frame = frames.ref.frame
    first, count = frames.cand_offsets[:-1], np.diff(frames.cand_offsets)
    found = overlaps(frames.ref_boxes, frames.cand_boxes, first[frame], count[frame], engine=engine)
    return Pairs(found.left, found.right, found.iou)


def match_frames(frames: Frames, pairs: Pairs, weight: Floats, *, engine: Engine = "auto") -> Ints:
    """Match each frame one to one with the largest total weight; pairs without weight are out.

    Returns
    -------
    (k,) int64
        Positions of the chosen pairs, ascending.
    """
    return best_pairs(
        pairs.ref,
        pairs.cand,
        weight,
        n_rows=frames.ref_boxes.shape[1],
        n_columns=frames.cand_boxes.shape[1],
        engine=engine,
    )


def kept(frames: Frames, pairs: Pairs, ref: Bools, cand: Bools) -> tuple[Frames, Pairs]:
    """Return only some of the boxes of either side, and the pairs among them.

    Parameters
    ----------
    frames, pairs
        All boxes, and their pairs.
    ref, cand : bool
        Which boxes to keep. Tracks keep their numbers.
    """
    ref_sum, cand_sum = (np.concatenate([[0], np.cumsum(one)]) for one in (ref, cand))
    some = Frames(
        frame_offsets=frames.frame_offsets,
        ref_offsets=ref_sum[frames.ref_offsets],
        cand_offsets=cand_sum[frames.cand_offsets],
        ref_boxes=frames.ref_boxes[:, ref],
        cand_boxes=frames.cand_boxes[:, cand],
        ref_track=frames.ref_track[ref],
        cand_track=frames.cand_track[cand],
    )
    both = ref[pairs.ref] & cand[pairs.cand]
    left = Pairs(ref_sum[pairs.ref[both]], cand_sum[pairs.cand[both]], pairs.iou[both])
    return some, left


def _by_track(track: Ints, n_tracks: int) -> Ints:
    """Boxes by track, in the order of frames within each."""
    small = n_tracks <= np.iinfo(np.uint16).max
    # numpy sorts keys of two bytes by counting
    return np.argsort(track.astype(np.uint16) if small else track, kind="stable")
