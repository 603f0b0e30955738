"""Who counts as found: one-to-one pairs at the counting threshold, by each policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from annqc.kernels.assign import best_assignment, greedy_assignment

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine
    from annqc.match.policy import MatchPolicy
    from annqc.match.tasks import Edges, Tasks

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Counted", "count_matches", "threshold_of"]


class Counted(NamedTuple):
    """The outcome for the counts, as positions into the overlaps.

    Attributes
    ----------
    matched : (m,) int64
        Chosen overlaps.
    mislabelled : (m,) bool
        Which of them join two categories.
    absorbed : (k,) int64
        Overlaps by which crowds and ignored references swallow a candidate.
    """

    matched: Ints
    mislabelled: Bools
    absorbed: Ints


def threshold_of(policy: MatchPolicy) -> float:
    """Return the least IoU that counts; a hair below 1 for 1, as COCOeval has it."""
    return min(policy.counting_iou, 1 - 1e-10)


def count_matches(
    tasks: Tasks, edges: Edges, policy: MatchPolicy, *, score: Floats, engine: Engine
) -> Counted:
    """Pair references and candidates for the counts.

    Parameters
    ----------
    tasks : Tasks
        The work.
    edges : Edges
        Every overlap.
    policy : MatchPolicy
        Method and threshold.
    score : (n,) float64
        Confidence of the sorted candidates, NaN where there is none. Only ``"coco"`` looks at it.
    engine : {"auto", "numpy", "numba"}
        Which path to take; both give equal results.
    """
    work = _Counting(tasks, edges, policy, engine)
    if policy.method == "coco":
        return work.greedily(score)
    first = work.best(work.open_edges(same=policy.method != "cvat-classic"))
    work.take(first)
    absorbed = work.absorb()
    if policy.method == "cvat-classic":
        return work.outcome(first, first[:0], absorbed)
    return work.outcome(first, work.best(work.open_edges(same=False)), absorbed)


class _Counting:
    """What the policies share: which overlaps are admissible, and who is taken already."""

    def __init__(self, tasks: Tasks, edges: Edges, policy: MatchPolicy, engine: Engine) -> None:
        self.tasks = tasks
        self.engine = engine
        self.threshold = threshold_of(policy)
        self.inactive = tasks.ref_crowd | tasks.ref_ignored
        self.has_inactive = bool(self.inactive.any())
        reach = edges.iou >= self.threshold
        if self.has_inactive:
            # a crowd region is not one object: what counts is how much of the candidate lies in it
            in_crowd = np.flatnonzero(tasks.ref_crowd[edges.reference])
            reach[in_crowd] = self.share(edges, in_crowd) >= self.threshold
        self.rows = np.flatnonzero(reach)
        self.edges = edges.take(self.rows)
        self.slot_taken = np.zeros(tasks.n_slots, dtype=bool)
        self.candidate_taken = np.zeros(tasks.n_candidates, dtype=bool)

    def share(self, edges: Edges, rows: Ints) -> Floats:
        """Share of the candidate's area that lies in the reference."""
        x1, y1, x2, y2 = self.tasks.cand_boxes[:, edges.candidate[rows]]
        shares: Floats = edges.inter[rows] / ((x2 - x1) * (y2 - y1))
        return shares

    def open_edges(self, *, same: bool) -> Ints:
        """Admissible overlaps of ordinary references, nobody taken."""
        open_ = ~(self.slot_taken[self.edges.slot] | self.candidate_taken[self.edges.candidate])
        if same:
            open_ &= self.edges.same
        if self.has_inactive:
            open_ &= ~self.inactive[self.edges.reference]
        return np.flatnonzero(open_)

    def best(self, rows: Ints) -> Ints:
        """Best assignment among some overlaps."""
        chosen = best_assignment(
            self.edges.slot[rows],
            self.edges.candidate[rows],
            self.edges.iou[rows],
            n_rows=self.tasks.n_slots,
            n_columns=self.tasks.n_candidates,
            engine=self.engine,
        )
        return rows[chosen]

    def take(self, rows: Ints) -> None:
        """Mark both ends as taken."""
        self.slot_taken[self.edges.slot[rows]] = True
        self.candidate_taken[self.edges.candidate[rows]] = True

    def absorb(self) -> Ints:
        """Let ignored references swallow one leftover candidate each, and crowds any number."""
        if not self.has_inactive:
            return np.empty(0, np.int64)
        crowd = self.tasks.ref_crowd[self.edges.reference]
        possible = self.edges.same & self.inactive[self.edges.reference]
        free = possible & ~self.candidate_taken[self.edges.candidate]
        ignored = self.best(np.flatnonzero(free & ~crowd))
        self.candidate_taken[self.edges.candidate[ignored]] = True
        free &= crowd & ~self.candidate_taken[self.edges.candidate]
        swallowed = np.flatnonzero(free)
        owner = self.edges.candidate[swallowed]
        swallowed = swallowed[np.concatenate([[True], owner[1:] != owner[:-1]])[: len(owner)]]
        self.candidate_taken[self.edges.candidate[swallowed]] = True
        return np.concatenate([ignored, swallowed])

    def greedily(self, score: Floats) -> Counted:
        """COCOeval's order of choice, then the same among leftovers of other categories."""
        tasks, edges = self.tasks, self.edges
        order = np.argsort(-score, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        last, many = (np.zeros(tasks.n_slots, dtype=bool) for _ in range(2))
        last[edges.slot] = self.inactive[edges.reference]
        many[edges.slot] = tasks.ref_crowd[edges.reference]
        weight = edges.iou.copy()
        crowd = np.flatnonzero(many[edges.slot])
        weight[crowd] = self.share(edges, crowd)

        def choose(rows: Ints) -> Ints:
            chosen = greedy_assignment(
                edges.slot[rows],
                edges.candidate[rows],
                weight[rows],
                rank=rank,
                last=last,
                many=many,
                engine=self.engine,
            )
            return rows[chosen]

        first = choose(np.flatnonzero(edges.same))
        self.take(first)
        swallowed = self.inactive[edges.reference[first]]
        second = choose(self.open_edges(same=False))
        return self.outcome(first[~swallowed], second, first[swallowed])

    def outcome(self, first: Ints, second: Ints, absorbed: Ints) -> Counted:
        """Put the passes together, in the order of the overlaps."""
        matched = np.sort(np.concatenate([first, second])) if len(second) else first
        return Counted(self.rows[matched], ~self.edges.same[matched], np.sort(self.rows[absorbed]))
