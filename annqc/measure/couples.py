"""measure: every two people (or sessions) that were asked for one image, and their best pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.kernels.assign import best_assignment
from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from annqc.kernels._jit import Engine
    from annqc.tables import Bools, Dataset, Floats, Ints

__all__ = ["Couples", "Paired", "couples", "paired"]

CHUNK: Final = 1 << 18
"""Boxes of the first annotators that are compared in one go."""
MORE: Final = 1e-9
"""What a pair is worth beside its IoU: of assignments with one total, that with more pairs."""


class Couples(NamedTuple):
    """One row for every two sides and image that both were asked for.

    Attributes
    ----------
    first, second : (m,) int64
        The annotators; of two sessions of one annotator the same.
    first_session, second_session : (m,) int64
        Their sessions, 0 where there are none. ``(annotator, session)`` of first is the lesser.
    image : (m,) int64
        Row of the image table.
    n_first, n_second : (m,) int64
        How many boxes each drew; crowds and ignored boxes do not count.
    start_first, start_second : (m,) int64
        Where those begin in ``rows``.
    rows : (k,) int64
        Rows of the annotations, those of one side and image together.
    """

    first: Ints
    second: Ints
    first_session: Ints
    second_session: Ints
    image: Ints
    n_first: Ints
    n_second: Ints
    start_first: Ints
    start_second: Ints
    rows: Ints

    def take(self, kept: Bools) -> Couples:
        """Return some of the couples."""
        chosen = (one[kept] for one in self[:-1])
        return Couples._make([*chosen, self.rows])


class Paired(NamedTuple):
    """Boxes of two sides that are paired one to one.

    Attributes
    ----------
    couple : (p,) int64
        Row of `Couples`.
    first, second : (p,) int64
        Rows of the annotations.
    iou : (p,) float64
        Their overlap.
    """

    couple: Ints
    first: Ints
    second: Ints
    iou: Floats


def couples(data: Dataset, *, session: Ints | None = None, within: bool = False) -> Couples:
    """Name every two sides on every image that both were asked for.

    Parameters
    ----------
    data : Dataset
        The work. Whoever is assigned to an image or drew on it was asked for it.
    session : (n,) int64, optional
        Session of each annotation, from 0: sides are then annotators in a session. Sessions without
        a box on an image are not seen.
    within : bool, optional
        Two sessions of one annotator, rather than two annotators.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob", "cid"], n_images=4, rng=1)
    >>> len(couples(made.work).image)
    12
    """
    table = data.table
    n_sessions = 1 if session is None else int(session.max(initial=0)) + 1
    side = table.annotator if session is None else table.annotator * n_sessions + session
    n_sides = max(len(data.annotator_ids), 1) * n_sessions
    # by image, then by side: those who share an image stand side by side
    task_of = table.image * n_sides + side
    given = np.empty(0, dtype=np.int64)
    if data.assigned is not None and session is None:
        given = data.assigned[:, 1] * n_sides + data.assigned[:, 0]
    tasks = np.unique(np.concatenate([task_of, given]))
    image, who = np.divmod(tasks, n_sides)
    kept = np.flatnonzero(~(table.crowd | table.ignored))
    rows = kept[np.argsort(task_of[kept], kind="stable")]
    counts = np.bincount(np.searchsorted(tasks, task_of[rows]), minlength=len(tasks))
    starts = np.cumsum(counts) - counts
    one, two = _together(image)
    annotator, in_session = np.divmod(who, n_sessions)
    chosen = (annotator[one] == annotator[two]) == within
    one, two = one[chosen], two[chosen]
    return Couples(
        *(annotator[one], annotator[two], in_session[one], in_session[two]),
        image[one],
        *(counts[one], counts[two], starts[one], starts[two]),
        rows,
    )


def paired(
    who: Couples, xyxy: Floats, *, at_least: tuple[float, ...], engine: Engine = "auto"
) -> list[Paired]:
    """Pair the boxes of every couple so that their total overlap is largest.

    Parameters
    ----------
    who : Couples
        The couples.
    xyxy : (n, 4) float64
        Boxes of the annotations.
    at_least : tuple of float
        Boxes that overlap less are no pair; one answer for each of these.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob"], n_images=4, rng=1)
    >>> (found,) = paired(couples(made.work), made.work.table.xyxy, at_least=(0.5,))
    >>> bool((found.iou >= 0.5).all())
    True
    """
    boxes = np.ascontiguousarray(xyxy[who.rows].T)
    parts: list[list[Paired]] = [[] for _ in at_least]
    for part in _chunks(who.n_first):
        for k, found in enumerate(_compare(boxes, who, part, at_least, engine)):
            parts[k].append(found)
    nothing = np.empty(0, dtype=np.int64)
    empty = Paired(nothing, nothing, nothing, np.empty(0))
    return [
        Paired(*(np.concatenate(one) for one in zip(empty, *several, strict=True)))
        for several in parts
    ]


def _together(image: Ints) -> tuple[Ints, Ints]:
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
    boxes: Floats, who: Couples, part: slice, at_least: tuple[float, ...], engine: Engine
) -> Iterator[Paired]:
    """Pair the boxes of some couples, once for each threshold."""
    n_left, n_right = who.n_first[part], who.n_second[part]
    start_left, start_right = who.start_first[part], who.start_second[part]
    couple = np.repeat(np.arange(len(n_left)), n_left)
    begin = np.cumsum(n_left) - n_left
    left = np.arange(len(couple)) - begin[couple] + start_left[couple]
    found = overlaps(
        np.ascontiguousarray(boxes[:, left]),
        boxes,
        start_right[couple],
        n_right[couple],
        engine=engine,
    )
    shift = np.cumsum(n_right) - n_right - start_right
    for least in at_least:
        near = found.iou >= min(least, 1 - 1e-10)
        row, iou, right = found.left[near], found.iou[near], found.right[near]
        which = couple[row]
        chosen = best_assignment(
            *(row, right + shift[which], iou + MORE),
            n_rows=len(couple),
            n_columns=int(n_right.sum()),
            engine=engine,
        )
        yield Paired(
            which[chosen] + part.start,
            who.rows[left[row[chosen]]],
            who.rows[right[chosen]],
            iou[chosen],
        )
