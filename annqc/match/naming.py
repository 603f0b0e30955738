"""What went wrong with each reference that was missed and each candidate that is spurious.

For a missed reference, the first that applies:

- **merged**: one candidate of its category stands for several references. It covers at least half
  of each of two or more references that are missed or matched to it, and their common bounding box
  has an IoU with it of at least 0.5, at least 0.1 more than any of them alone.
- **split**: the mirror image. Several candidates, spurious or matched to it, lie at least half
  inside it, and their common bounding box fits it as above.
- **near miss**: a spurious candidate overlaps it, below the counting threshold.
- **far**: nobody was paired with it for the offsets, and an unpaired candidate has its centre
  within half a diagonal of its centre.
- **plain**: none of these.

For a spurious candidate: **merged**, then **duplicate** (IoU at the counting threshold or above
with a reference that another candidate of the annotator has), **split**, **near miss**, **plain**.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.match.counting import Counted
    from annqc.match.offsets import Paired
    from annqc.match.tasks import Edges, Tasks

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["MISSED_KINDS", "SPURIOUS_KINDS", "Named", "name_errors"]

MISSED_KINDS: Final = ("plain", "near_miss", "merged", "split", "far")
"""What can be said of a missed reference; `Matches.missed_kind` holds positions in here."""

SPURIOUS_KINDS: Final = ("plain", "near_miss", "merged", "split", "duplicate")
"""What can be said of a spurious candidate; `Matches.spurious_kind` holds positions in here."""

PART_COVERED: Final = 0.5
"""Share of a part's area that must lie in the whole."""

WHOLE_IOU: Final = 0.5
"""IoU that the parts together must reach with the whole."""

WHOLE_GAIN: Final = 0.1
"""How much better than the best single part the parts together must fit."""


class Named(NamedTuple):
    """Missed slots and spurious candidates with what can be said of them.

    Attributes
    ----------
    missed : (u,) int64
        Slots of ordinary references without a candidate.
    missed_kind : (u,) int8
        Position in `MISSED_KINDS`.
    missed_partner : (u,) int64
        The candidate it was nearly, or merged into; -1 for none.
    spurious : (v,) int64
        Candidates without a reference.
    spurious_kind : (v,) int8
        Position in `SPURIOUS_KINDS`.
    spurious_reference : (v,) int64
        The sorted reference it was nearly, or is a copy or a part of; -1 for none.
    spurious_partner : (v,) int64
        For a duplicate the candidate that has the reference; -1 otherwise.
    """

    missed: Ints
    missed_kind: npt.NDArray[np.int8]
    missed_partner: Ints
    spurious: Ints
    spurious_kind: npt.NDArray[np.int8]
    spurious_reference: Ints
    spurious_partner: Ints


def name_errors(
    tasks: Tasks, edges: Edges, counted: Counted, paired: Paired, *, threshold: float
) -> Named:
    """Name every missed reference and every spurious candidate.

    Parameters
    ----------
    tasks : Tasks
        The work.
    edges : Edges
        Every overlap.
    counted : Counted
        Who was found.
    paired : Paired
        Pairs for offsets, and far ones.
    threshold : float
        The counting threshold.
    """
    book = _Book(tasks, edges, counted)
    missed, spurious = book.missed(), book.spurious()
    if not len(missed) and not len(spurious):
        none, kind = np.empty(0, np.int64), np.empty(0, np.int8)
        return Named(none, kind, none, none, kind, none, none)
    book.far(paired)
    book.near_misses()
    book.splits()
    book.duplicates(threshold)
    book.merges()
    return Named(
        missed,
        book.slot_kind[missed],
        book.slot_partner[missed],
        spurious,
        book.candidate_kind[spurious],
        book.candidate_reference[spurious],
        book.candidate_partner[spurious],
    )


class _Book:
    """Names are written in turn; a later and more telling one replaces an earlier."""

    def __init__(self, tasks: Tasks, edges: Edges, counted: Counted) -> None:
        self.tasks = tasks
        matched, absorbed = counted.matched, counted.absorbed
        self.candidate_of_slot = np.full(tasks.n_slots, -1)
        self.slot_of_candidate = np.full(tasks.n_candidates, -1)
        self.candidate_of_slot[edges.slot[matched]] = edges.candidate[matched]
        self.slot_of_candidate[edges.candidate[matched]] = edges.slot[matched]
        self.inactive = tasks.ref_crowd | tasks.ref_ignored
        self.slot_open = self.candidate_of_slot < 0
        self.candidate_open = self.slot_of_candidate < 0
        self.candidate_open[edges.candidate[absorbed]] = False
        touches = self.slot_open[edges.slot] | self.candidate_open[edges.candidate]
        if self.inactive.any():
            touches &= ~self.inactive[edges.reference]
        near = np.flatnonzero(touches)
        # a merge or a split may be matched to one of its parts, so these pairs are needed as well
        slot_near = np.zeros(tasks.n_slots, dtype=bool)
        candidate_near = np.zeros(tasks.n_candidates, dtype=bool)
        slot_near[edges.slot[near]] = True
        candidate_near[edges.candidate[near]] = True
        own = matched[slot_near[edges.slot[matched]] | candidate_near[edges.candidate[matched]]]
        self.edges = edges.take(np.concatenate([near, own]))
        self.missing = self.slot_open[self.edges.slot]
        self.extra = self.candidate_open[self.edges.candidate]
        self.slot_kind = np.zeros(tasks.n_slots, dtype=np.int8)
        self.slot_partner = np.full(tasks.n_slots, -1)
        self.candidate_kind = np.zeros(tasks.n_candidates, dtype=np.int8)
        self.candidate_reference = np.full(tasks.n_candidates, -1)
        self.candidate_partner = np.full(tasks.n_candidates, -1)

    def missed(self) -> Ints:
        """Slots of ordinary references without a candidate."""
        slots = np.flatnonzero(self.slot_open)
        if not self.inactive.any():
            return slots
        _, reference = self.tasks.locate(slots)
        return slots[~self.inactive[reference]]

    def spurious(self) -> Ints:
        """Candidates without a reference."""
        return np.flatnonzero(self.candidate_open)

    def _rising(self, rows: Ints) -> Ints:
        """By rising IoU, so that of several claims on one end the largest is written last."""
        return rows[np.argsort(self.edges.iou[rows], kind="stable")]

    def _mark_slots(self, rows: Ints, kind: str) -> None:
        rows = self._rising(rows)
        slots = self.edges.slot[rows]
        self.slot_kind[slots] = MISSED_KINDS.index(kind)
        self.slot_partner[slots] = self.edges.candidate[rows]

    def _mark_candidates(self, rows: Ints, kind: str) -> None:
        rows = self._rising(rows)
        candidates = self.edges.candidate[rows]
        self.candidate_kind[candidates] = SPURIOUS_KINDS.index(kind)
        self.candidate_reference[candidates] = self.edges.reference[rows]
        self.candidate_partner[candidates] = -1

    def far(self, paired: Paired) -> None:
        """Name references that nobody overlaps enough, with somebody unpaired close by."""
        self.slot_kind[paired.far_slot] = MISSED_KINDS.index("far")
        self.slot_partner[paired.far_slot] = paired.far_candidate

    def near_misses(self) -> None:
        """Name what overlaps across: a missed reference and a spurious candidate."""
        rows = np.flatnonzero(self.missing & self.extra)
        self._mark_slots(rows, "near_miss")
        self._mark_candidates(rows, "near_miss")

    def duplicates(self, threshold: float) -> None:
        """Name candidates for references that another candidate has already."""
        rows = np.flatnonzero(~self.missing & self.extra & (self.edges.iou >= threshold))
        self._mark_candidates(rows, "duplicate")
        rows = self._rising(rows)
        partner = self.candidate_of_slot[self.edges.slot[rows]]
        self.candidate_partner[self.edges.candidate[rows]] = partner

    def merges(self) -> None:
        """Name what one candidate for several references leaves over."""
        edges = self.edges
        its_own = self.candidate_of_slot[edges.slot] == edges.candidate
        not_absorbed = self.extra | (self.slot_of_candidate[edges.candidate] >= 0)
        rows = np.flatnonzero(edges.same & not_absorbed & (self.missing | its_own))
        rows = self._wholes(rows, part="reference")
        self._mark_slots(rows[self.missing[rows]], "merged")
        self._mark_candidates(rows[self.extra[rows]], "merged")

    def splits(self) -> None:
        """Name what several candidates for one reference leave over."""
        edges = self.edges
        its_own = self.slot_of_candidate[edges.candidate] == edges.slot
        rows = np.flatnonzero(edges.same & (self.extra | its_own))
        rows = self._wholes(rows, part="candidate")
        self._mark_slots(rows[self.missing[rows]], "split")
        self._mark_candidates(rows[self.extra[rows]], "split")

    def _wholes(self, rows: Ints, *, part: str) -> Ints:
        """Keep the overlaps of wholes whose parts together fit far better than any alone."""
        edges = self.edges
        refs, cands = self.tasks.ref_boxes, self.tasks.cand_boxes
        part_box, part_of, whole_box, whole_of, group = (
            (refs, edges.reference, cands, edges.candidate, edges.candidate)
            if part == "reference"
            else (cands, edges.candidate, refs, edges.reference, edges.slot)
        )
        rows = rows[np.bincount(group[rows])[group[rows]] > 1]
        area = _area(part_box[:, part_of[rows]])
        rows = rows[edges.inter[rows] >= PART_COVERED * area]
        rows = rows[np.argsort(group[rows], kind="stable")]
        change = np.concatenate([[True], group[rows][1:] != group[rows][:-1]])[: len(rows)]
        starts = np.flatnonzero(change)
        sizes = np.diff(np.concatenate([starts, [len(rows)]]))
        rows = rows[np.repeat(sizes > 1, sizes)]
        sizes = sizes[sizes > 1]
        if not len(rows):
            return rows
        starts = np.cumsum(sizes) - sizes
        boxes = part_box[:, part_of[rows]]
        bounds = np.concatenate(
            [
                np.minimum.reduceat(boxes[:2], starts, axis=1),
                np.maximum.reduceat(boxes[2:], starts, axis=1),
            ]
        )
        fit = _paired_iou(bounds, whole_box[:, whole_of[rows[starts]]])
        alone = np.maximum.reduceat(edges.iou[rows], starts)
        good = (fit >= WHOLE_IOU) & (fit >= alone + WHOLE_GAIN)
        return rows[np.repeat(good, sizes)]


def _area(boxes: Floats) -> Floats:
    areas: Floats = (boxes[2] - boxes[0]) * (boxes[3] - boxes[1])
    return areas


def _paired_iou(a: Floats, b: Floats) -> Floats:
    inside = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    inter = np.prod(np.maximum(inside, 0), axis=0)
    ious: Floats = inter / (_area(a) + _area(b) - inter)
    return ious
