"""Counts behind HOTA, CLEAR and Identity, for many sequences in one call.

Everything that frames do not hand on is done for all frames of all tasks at once: overlaps of
boxes, sums over pairs of tracks, assignments. `annqc.kernels._tracking` does the rest. What is
counted is kept apart by **unit**, so that it can be resampled: a unit is a track of the reference
with the candidate tracks that follow it most, or a candidate track that follows none. The sums over
the units of a task are those of the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from annqc.kernels._track_counts import (
    ALPHAS,
    EPS,
    Clear,
    Hota,
    Identity,
    clear_counts,
    hota_counts,
    identity_counts,
    meetings,
)
from annqc.kernels._track_frames import Frames, Pairs, Side, box_pairs, kept, match_frames

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = [
    "ALPHAS",
    "EPS",
    "Clear",
    "Counts",
    "Frames",
    "Hota",
    "Identity",
    "Pairs",
    "Side",
    "box_pairs",
    "count_tracks",
    "kept",
    "match_frames",
]


class Counts(NamedTuple):
    """What `count_tracks` gives, by unit.

    Attributes
    ----------
    task : (n_units,) int64
        Task of each unit.
    is_reference : (n_units,) bool
        Whether the unit is a track of the reference. Those come first, task by task in the order of
        their numbers; then all candidate tracks, those that follow a reference track with zeros.
    hota, clear, identity
        The counts.
    """

    task: Ints
    is_reference: Bools
    hota: Hota
    clear: Clear
    identity: Identity


def count_tracks(
    frames: Frames, pairs: Pairs, *, threshold: float = 0.5, engine: Engine = "auto"
) -> Counts:
    """Count what HOTA, CLEAR and Identity are made of.

    Parameters
    ----------
    frames : Frames
        The boxes.
    pairs : Pairs
        From `box_pairs`.
    threshold : float
        Least IoU of a match of CLEAR and Identity.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Examples
    --------
    >>> box, one = np.array([[0.0], [0.0], [4.0], [4.0]]), np.array([0, 1])
    >>> code = np.array([0])
    >>> frames = Frames(frame_offsets=one, ref_offsets=one, cand_offsets=one, ref_boxes=box,
    ...                 cand_boxes=box, ref_track=code, cand_track=code)
    >>> found = count_tracks(frames, box_pairs(frames))
    >>> found.clear.tp.tolist(), found.identity.tp.tolist()
    ([1.0, 0.0], [1.0, 0.0])
    """
    meeting = meetings(frames, pairs)
    hota, owner = hota_counts(frames, pairs, meeting, engine)
    ref, cand = frames.ref, frames.cand
    n_ref, n_cand = len(ref.task_of_track), len(cand.task_of_track)
    return Counts(
        np.concatenate([ref.task_of_track, cand.task_of_track]),
        np.repeat([True, False], [n_ref, n_cand]),
        hota,
        clear_counts(frames, pairs, owner, threshold, engine),
        identity_counts(frames, pairs, meeting, owner, threshold, engine),
    )
