"""The work laid out for matching: annotator x image tasks, both sides sorted, offsets for groups.

A **task** is an annotator and an image that was compared. A **slot** is a reference object within a
task: ten annotators on one image give ten slots for each of its objects. Slots are what is matched
or missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.kernels._jit import Engine
    from annqc.tables import Dataset

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Edges", "Tasks", "lay_out"]


@dataclass(frozen=True, eq=False, slots=True)
class Edges:
    """Overlaps of candidates and slots, ordered by candidate and then by slot.

    Attributes
    ----------
    slot, reference, candidate : (m,) int64
        The slot, its reference object and the candidate, as positions in the sorted sides.
    inter, iou : (m,) float64
        Shared area and intersection over union.
    same : (m,) bool
        Whether both have the same category.
    """

    slot: Ints
    reference: Ints
    candidate: Ints
    inter: Floats
    iou: Floats
    same: Bools

    def __len__(self) -> int:
        return len(self.slot)

    def take(self, rows: Ints | Bools) -> Edges:
        """Return some of the overlaps (positions or a boolean mask)."""
        return Edges(
            self.slot[rows],
            self.reference[rows],
            self.candidate[rows],
            self.inter[rows],
            self.iou[rows],
            self.same[rows],
        )


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Tasks:
    """Both sides sorted by task.

    Attributes
    ----------
    annotator, image : (t,) int64
        The tasks, ordered by candidate annotator and then by row of the reference's image table.
    slot_offsets : (t + 1,) int64
        Where the slots of each task begin.
    ref_row, cand_row : int64
        Rows of the two tables in sorted order.
    ref_offsets : (n_images + 1,) int64
        Where the sorted references of each image begin.
    cand_offsets : (t + 1,) int64
        Where the sorted candidates of each task begin.
    cand_task : int64
        Task of each sorted candidate.
    ref_boxes, cand_boxes : (4, n) float64
        x1, y1, x2, y2 in sorted order.
    ref_category, cand_category : int64
        Common category numbers in sorted order.
    ref_crowd, ref_ignored, cand_crowd : bool
        Flags in sorted order.
    """

    annotator: Ints
    image: Ints
    slot_offsets: Ints
    ref_row: Ints
    cand_row: Ints
    ref_offsets: Ints
    cand_offsets: Ints
    cand_task: Ints
    ref_boxes: Floats
    cand_boxes: Floats
    ref_category: Ints
    cand_category: Ints
    ref_crowd: Bools
    ref_ignored: Bools
    cand_crowd: Bools

    @property
    def n_slots(self) -> int:
        """Reference objects, each as often as it was compared."""
        return int(self.slot_offsets[-1])

    @property
    def n_candidates(self) -> int:
        """Candidates that take part."""
        return len(self.cand_row)

    def edges(self, *, engine: Engine) -> Edges:
        """Return every overlap of a candidate with a reference of its task."""
        first_of_task = self.ref_offsets[self.image]
        count_of_task = self.ref_offsets[self.image + 1] - first_of_task
        found = overlaps(
            self.cand_boxes,
            self.ref_boxes,
            first_of_task[self.cand_task],
            count_of_task[self.cand_task],
            engine=engine,
        )
        shift = (self.slot_offsets[:-1] - first_of_task)[self.cand_task]
        return Edges(
            found.right + shift[found.left],
            found.right,
            found.left,
            found.inter,
            found.iou,
            self.ref_category[found.right] == self.cand_category[found.left],
        )

    def locate(self, slot: Ints) -> tuple[Ints, Ints]:
        """Return the task and the sorted reference of slots."""
        task = np.searchsorted(self.slot_offsets, slot, side="right") - 1
        return task, slot - self.slot_offsets[task] + self.ref_offsets[self.image[task]]


def lay_out(
    reference: Dataset,
    candidate: Dataset,
    *,
    image_of_candidate: Ints,
    image_rows: Ints,
    ref_category: Ints,
    cand_category: Ints,
    barred: Ints,
) -> Tasks:
    """Sort both sides and list the tasks.

    Parameters
    ----------
    reference, candidate : Dataset
        The two sides.
    image_of_candidate : (n,) int64
        Reference image of each candidate, -1 where there is none.
    image_rows : (m,) int64
        Reference image of each image of the candidate's image table, -1 where there is none.
    ref_category, cand_category : int64
        Common category number of each row of the two tables.
    barred : (k,) int64
        Annotator x image that is not to be compared, as ``annotator * n_images + image``.

    Returns
    -------
    Tasks
        Every annotator x image that was assigned or drawn on, that the reference covers, and that
        is not barred.
    """
    n_images = len(reference.image_table)
    ref, cand = reference.table, candidate.table
    ref_row = _stable_order(ref.image, n_images)
    ref_offsets = np.concatenate([[0], np.cumsum(np.bincount(ref.image, minlength=n_images))])
    key = cand.annotator * n_images + image_of_candidate
    if len(barred) or (image_of_candidate < 0).any():
        covered = np.flatnonzero((image_of_candidate >= 0) & ~np.isin(key, barred))
        cand_row = covered[_stable_order(key[covered], len(candidate.annotator_ids) * n_images)]
    else:
        cand_row = _stable_order(key, len(candidate.annotator_ids) * n_images)
    key = key[cand_row]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else key
    task_key = key[starts]
    if candidate.assigned is not None:
        image = image_rows[candidate.assigned[:, 1]]
        asked = candidate.assigned[:, 0] * n_images + image
        asked = asked[(image >= 0) & ~np.isin(asked, barred)]
        task_key = np.unique(np.concatenate([task_key, asked]))
        starts = np.searchsorted(key, task_key)
    cand_offsets = np.concatenate([starts, [len(key)]]).astype(np.int64)
    annotator, image = np.divmod(task_key, max(n_images, 1))
    n_slots = ref_offsets[image + 1] - ref_offsets[image]
    return Tasks(
        annotator=annotator,
        image=image,
        slot_offsets=np.concatenate([[0], np.cumsum(n_slots)]),
        ref_row=ref_row,
        cand_row=cand_row,
        ref_offsets=ref_offsets,
        cand_offsets=cand_offsets,
        cand_task=np.repeat(np.arange(len(task_key)), np.diff(cand_offsets)),
        ref_boxes=np.ascontiguousarray(ref.xyxy[ref_row].T),
        cand_boxes=np.ascontiguousarray(cand.xyxy[cand_row].T),
        ref_category=ref_category[ref_row],
        cand_category=cand_category[cand_row],
        ref_crowd=ref.crowd[ref_row],
        ref_ignored=ref.ignored[ref_row],
        cand_crowd=cand.crowd[cand_row],
    )


def _stable_order(key: Ints, n_keys: int) -> Ints:
    """Rows by key, file order among equals; free where they are sorted already."""
    if not (key[1:] < key[:-1]).any():
        return np.arange(len(key))
    bits = len(key).bit_length()
    if n_keys.bit_length() + bits > 62:
        return np.argsort(key, kind="stable")
    # row numbers in the low bits make an unstable, vectorised sort a stable one
    packed = (key << bits) | np.arange(len(key))
    packed.sort()
    return packed & ((1 << bits) - 1)
