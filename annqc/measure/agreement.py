"""measure: how far annotators agree with each other, without gold.

Where two annotators were both asked for an image, their boxes are paired one to one so that the
total overlap is largest. What they agree on is the overlap of the pairs; what they said is the
pairs, and every box that is left over on either side. The category is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels.assign import best_assignment
from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from annqc.kernels._jit import Engine
    from annqc.tables import Dataset, Floats, Ints

__all__ = ["Agreements", "agreements"]

CHUNK: Final = 1 << 18
"""Boxes of the first annotators that are compared in one go."""
MORE: Final = 1e-9
"""What a pair is worth beside its IoU: of assignments with one total, that with more pairs."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Agreements:
    """One row for every two annotators and image that both were asked for.

    Attributes
    ----------
    first, second : (m,) int64
        The annotators, ``first < second``.
    image : (m,) int64
        Row of the image table.
    overlap : (m,) float64
        Sum of the IoU of the paired boxes.
    said : (m,) float64
        Paired boxes, each pair once, and boxes left over. 0 where neither drew anything.
    """

    first: Ints
    second: Ints
    image: Ints
    overlap: Floats
    said: Floats


def agreements(data: Dataset, *, pair_iou: float = 0.1, engine: Engine = "auto") -> Agreements:
    """Compare every two annotators on every image that both were asked for.

    Parameters
    ----------
    data : Dataset
        The work. Whoever is assigned to an image or drew on it was asked for it. Crowds and ignored
        boxes are left out.
    pair_iou : float
        Boxes that overlap less are no pair.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob"], n_images=10, rng=1)
    >>> found = agreements(made.work)
    >>> len(found.image), bool((found.overlap <= found.said).all())
    (10, True)
    """
    n_annotators = max(len(data.annotator_ids), 1)
    table = data.table
    # by image, then by annotator: those who share an image stand side by side
    task_of = table.image * n_annotators + table.annotator
    given = np.empty(0, dtype=np.int64)
    if data.assigned is not None:
        given = data.assigned[:, 1] * n_annotators + data.assigned[:, 0]
    tasks = np.unique(np.concatenate([task_of, given]))
    image, who = np.divmod(tasks, n_annotators)
    kept = np.flatnonzero(~(table.crowd | table.ignored))
    box_order = kept[np.argsort(task_of[kept], kind="stable")]
    own = np.searchsorted(tasks, task_of[box_order])
    counts = np.bincount(own, minlength=len(tasks))
    starts = np.cumsum(counts) - counts
    first, second = _couples(image)
    boxes = np.ascontiguousarray(table.xyxy[box_order].T)
    overlap, matched = np.zeros(len(first)), np.zeros(len(first))
    for part in _chunks(counts[first]):
        a, b = first[part], second[part]
        overlap[part], matched[part] = _compare(boxes, starts, counts, a, b, pair_iou, engine)
    return Agreements(
        first=who[first],
        second=who[second],
        image=image[first],
        overlap=overlap,
        said=counts[first] + counts[second] - matched,
    )


def _couples(image: Ints) -> tuple[Ints, Ints]:
    """Every two positions of the same image, the earlier one first; images stand together."""
    starts = np.searchsorted(image, image)
    before = np.arange(len(image)) - starts
    second = np.repeat(np.arange(len(image)), before)
    ends = np.cumsum(before)
    within = np.arange(len(second)) - np.repeat(ends - before, before)
    return np.repeat(starts, before) + within, second


def _chunks(counts: Ints) -> Iterator[slice]:
    """Cut couples into runs of about `CHUNK` boxes."""
    total = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        done = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, done + CHUNK, side="right")))
        yield slice(begin, end)
        begin = end


def _compare(
    boxes: Floats,
    starts: Ints,
    counts: Ints,
    first: Ints,
    second: Ints,
    pair_iou: float,
    engine: Engine,
) -> tuple[Floats, Floats]:
    """Total overlap and number of the pairs of each couple."""
    n_left, n_right = counts[first], counts[second]
    couple = np.repeat(np.arange(len(first)), n_left)
    begin = np.cumsum(n_left) - n_left
    left = np.arange(len(couple)) - begin[couple] + starts[first][couple]
    found = overlaps(
        np.ascontiguousarray(boxes[:, left]),
        boxes,
        starts[second][couple],
        n_right[couple],
        engine=engine,
    )
    near = found.iou >= min(pair_iou, 1 - 1e-10)
    row, iou = found.left[near], found.iou[near]
    which = couple[row]
    shift = np.cumsum(n_right) - n_right - starts[second]
    column = found.right[near] + shift[which]
    chosen = best_assignment(
        row, column, iou + MORE, n_rows=len(couple), n_columns=int(n_right.sum()), engine=engine
    )
    n = len(first)
    return (
        np.bincount(which[chosen], iou[chosen], minlength=n).astype(np.float64),
        np.bincount(which[chosen], minlength=n).astype(np.float64),
    )
