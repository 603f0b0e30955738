"""Which boxes are compared edge by edge: any category, at a low threshold, ambiguous pairs marked.

The counting threshold is the wrong gate for offsets: it keeps loose boxes and drops tight ones, and
so bends the very thing that is estimated. References that found nobody, though somebody unpaired
sits close by, are *far*: an annotator who is off by half a box would otherwise vanish from the
offsets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.kernels.assign import best_assignment

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine
    from annqc.match.policy import MatchPolicy
    from annqc.match.tasks import Edges, Tasks

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Paired", "pair_for_offsets"]

CHUNK: Final = 1 << 16
"""Pairs of unpaired boxes looked at in one go."""

FAR_REACH: Final = 0.5
"""Share of the reference's diagonal within which an unpaired centre counts as meant for it."""


class Paired(NamedTuple):
    """The outcome for the offsets.

    Attributes
    ----------
    pairs : (p,) int64
        Chosen overlaps, as positions into the overlaps.
    ambiguous : (p,) bool
        Pairs where either box has another partner that is nearly as good.
    far_slot, far_candidate : (f,) int64
        References without a pair, and the nearest unpaired candidate that is close by.
    """

    pairs: Ints
    ambiguous: Bools
    far_slot: Ints
    far_candidate: Ints


def pair_for_offsets(tasks: Tasks, edges: Edges, policy: MatchPolicy, *, engine: Engine) -> Paired:
    """Pair references and candidates whose edges can be compared.

    Crowds on either side and ignored references take no part.

    Parameters
    ----------
    tasks : Tasks
        The work.
    edges : Edges
        Every overlap.
    policy : MatchPolicy
        Pairing threshold and ambiguity margin.
    engine : {"auto", "numpy", "numba"}
        Which path to take; both give equal results.
    """
    admissible = edges.iou >= min(policy.pair_iou, 1 - 1e-10)
    inactive = tasks.ref_crowd | tasks.ref_ignored
    if inactive.any():
        admissible &= ~inactive[edges.reference]
    if tasks.cand_crowd.any():
        admissible &= ~tasks.cand_crowd[edges.candidate]
    rows = np.flatnonzero(admissible)
    slot, candidate, iou = edges.slot[rows], edges.candidate[rows], edges.iou[rows]
    chosen = best_assignment(
        slot, candidate, iou, n_rows=tasks.n_slots, n_columns=tasks.n_candidates, engine=engine
    )
    others = np.ones(len(rows), dtype=bool)
    others[chosen] = False
    rival_of_slot, rival_of_candidate = np.zeros(tasks.n_slots), np.zeros(tasks.n_candidates)
    np.maximum.at(rival_of_slot, slot[others], iou[others])
    np.maximum.at(rival_of_candidate, candidate[others], iou[others])
    rival = np.maximum(rival_of_slot[slot[chosen]], rival_of_candidate[candidate[chosen]])
    ambiguous = (rival > 0) & (rival >= iou[chosen] - policy.ambiguity)
    slot_free = np.ones(tasks.n_slots, dtype=bool)
    slot_free[slot[chosen]] = False
    candidate_free = ~tasks.cand_crowd
    candidate_free[candidate[chosen]] = False
    slots = np.flatnonzero(slot_free)
    _, reference = tasks.locate(slots)
    slots = slots[~inactive[reference]]
    return Paired(rows[chosen], ambiguous, *_far(tasks, slots, np.flatnonzero(candidate_free)))


def _far(tasks: Tasks, slots: Ints, candidates: Ints) -> tuple[Ints, Ints]:
    """Find for each unpaired slot the nearest unpaired candidate, where one is close enough."""
    n_tasks = len(tasks.annotator)
    counts = np.bincount(tasks.cand_task[candidates], minlength=n_tasks)
    starts = np.cumsum(counts) - counts
    task, reference = tasks.locate(slots)
    some = counts[task] > 0
    slots, task, reference = slots[some], task[some], reference[some]
    runs = counts[task]
    ends = np.cumsum(runs)
    found_slots, found_candidates = [slots[:0]], [candidates[:0]]
    begin = 0
    while begin < len(slots):
        done = ends[begin] - runs[begin]
        end = max(begin + 1, int(np.searchsorted(ends, done + CHUNK, side="right")))
        part = slice(begin, end)
        first = ends[part] - runs[part] - done
        which = np.repeat(starts[task[part]] - first, runs[part])
        which += np.arange(len(which))
        other = candidates[which]
        x1, y1, x2, y2 = tasks.ref_boxes[:, reference[part]]
        u1, v1, u2, v2 = tasks.cand_boxes[:, other]
        distance = np.hypot(
            (u1 + u2) / 2 - np.repeat((x1 + x2) / 2, runs[part]),
            (v1 + v2) / 2 - np.repeat((y1 + y2) / 2, runs[part]),
        )
        nearest = np.minimum.reduceat(distance, first)
        hits = np.flatnonzero(distance == np.repeat(nearest, runs[part]))
        hits = hits[np.searchsorted(hits, first)]
        close = nearest <= FAR_REACH * np.hypot(x2 - x1, y2 - y1)
        found_slots.append(slots[part][close])
        found_candidates.append(other[hits[close]])
        begin = end
    return np.concatenate(found_slots), np.concatenate(found_candidates)
