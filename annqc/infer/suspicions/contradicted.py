"""suspicions: objects of the gold that several annotators, each on their own, see otherwise.

Each annotator's own habits are the measure: someone who is often beyond the tolerance on the left
is little evidence that the gold's left edge is wrong. The probability that so many of those asked
are beyond it on one side, miss the object, or give another label, if each does so as often as on
other objects and independently, says how surprising that is. What is hard for everybody in one
object makes them err alike too, so a small probability says: look at it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.suspicions.tails import at_least
from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["FEWEST", "KINDS", "Contradicted", "Opinions", "contradicted", "not_in_gold"]

FEWEST: Final = 3
"""So many independent annotators must have been asked, and so many must disagree with the gold."""
MOST: Final = 0.75
"""Of those asked, so large a share must."""
APART: Final = 0.5
"""Annotators agree where their offsets differ by no more than this share of the median."""
LEVEL: Final = 0.01
WAYS: Final = 16
"""Four edges, two sides, and two distances of which the larger is taken."""
PRIOR: Final = 4.0
LABEL_IOU: Final = 0.5
KINDS: Final = ("edge", "label", "existence")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Opinions:
    """What independent annotators say of the gold's objects, one row an object and annotator.

    Attributes
    ----------
    object, annotator : (k,) int64
        Codes; everyone who was asked has a row.
    drew : (k,) bool
        Whether they drew the object.
    label : (k,) int64
        The category they gave it, -1 where they drew nothing.
    offsets : (k, 4) float64
        Outward offsets of the four edges in pixels, NaN where there are none.
    """

    object: Ints
    annotator: Ints
    drew: Bools
    label: Ints
    offsets: Floats


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Contradicted:
    """Objects that most of three or more contradict, most surprising first.

    Attributes
    ----------
    object : (c,) int64
        Code of the object; of `not_in_gold` the row of the box that most others are near.
    kind : (c,) int64
        Position in `KINDS`.
    edge : (c,) int64
        Which edge (as in ``xyxy``), -1 where the kind is another.
    label : (c,) int64
        The category that the annotators give, -1 where the kind is another.
    against, asked : (c,) int64
        Annotators who see it otherwise, and who were asked (of labels and edges: who drew it).
    far : (c,) float64
        Median outward offset in pixels, NaN where the kind is another.
    p_value, p_adjusted : (c,) float64
        How surprising; Benjamini-Hochberg over all that was looked at.
    named : (c,) bool
    """

    object: Ints
    kind: Ints
    edge: Ints
    label: Ints
    against: Ints
    asked: Ints
    far: Floats
    p_value: Floats
    p_adjusted: Floats
    named: Bools


def contradicted(
    opinions: Opinions, tolerance: Floats, gold_label: Ints, *, level: float = LEVEL
) -> Contradicted:
    """Rank the gold's objects by how surprisingly the annotators contradict them.

    Parameters
    ----------
    opinions : Opinions
        Of annotators who copied neither each other nor the gold.
    tolerance : (n, 4) float64
        Tolerance of each edge of each object, in pixels.
    gold_label : (n,) int64
        Category of each object.
    level : float
        False discovery rate over objects and kinds.

    Returns
    -------
    Contradicted

    Notes
    -----
    An object is looked at where three or more were asked. An annotator is against an edge where
    theirs is beyond the tolerance, and beyond half of the median offset, on the side of the median;
    the chance of that is how often they are. The tail is multiplied by sixteen, for four edges, two
    sides and two distances. Categories are confused more often for some objects than for others, so
    habits of labels are by the gold's category.
    """
    n = len(gold_label)
    rows: list[tuple[float, ...]] = []
    order = np.argsort(opinions.object, kind="stable")
    o = Opinions(**{f.name: getattr(opinions, f.name)[order] for f in fields(Opinions)})
    starts = np.searchsorted(o.object, np.arange(n + 1))
    missing, mislabels = _habits(o, gold_label)
    habit = {
        (who, edge): np.sort(y[np.isfinite(y)])
        for who in np.unique(o.annotator).tolist()
        for edge, y in enumerate(o.offsets[o.annotator == who].T)
    }
    n_tests = 0
    for one in np.flatnonzero(np.diff(starts) >= FEWEST).tolist():
        part = slice(int(starts[one]), int(starts[one + 1]))
        drew = o.drew[part]
        asked, missed = len(drew), int((~drew).sum())
        n_tests += 1
        if _most(missed, asked):
            p = at_least(missing[part], missed)
            rows.append((one, 2, -1, -1, missed, asked, np.nan, p))
        if drew.sum() < FEWEST:
            continue
        n_tests += 2
        labels = o.label[part][drew]
        others = labels[labels != gold_label[one]]
        if len(others):
            kinds, counts = np.unique(others, return_counts=True)
            label, votes = int(kinds[counts.argmax()]), int(counts.max())
            if _most(votes, len(labels)):
                p = at_least(mislabels[part][drew], votes)
                rows.append((one, 1, -1, label, votes, len(labels), np.nan, p))
        rows.extend(_edges(one, o.offsets[part], o.annotator[part], tolerance[one], habit))
    return _ranked(rows, n_tests, level)


def not_in_gold(
    image: Ints, annotator: Ints, boxes: Floats, task_image: Ints, task_annotator: Ints
) -> Contradicted:
    """Rank places where three or more drew an object that the gold does not have.

    Parameters
    ----------
    image, annotator : (k,) int64
        Of each box without counterpart in the gold.
    boxes : (k, 4) float64
        The boxes.
    task_image, task_annotator : (t,) int64
        Who was asked for which image.

    Returns
    -------
    Contradicted
        ``object`` is the row of the box that most others are near (IoU 0.5 or more).

    Notes
    -----
    How often an annotator has such a box *anywhere* in an image stands for how often they have one
    at this place, which is more than it is; so the p-values are too large.
    """
    order = np.argsort(image, kind="stable")
    image, annotator = image[order], annotator[order]
    side = np.ascontiguousarray(boxes[order].T)
    first = np.searchsorted(image, image, side="left")
    near = overlaps(side, side, first, np.searchsorted(image, image, side="right") - first)
    close = near.iou >= LABEL_IOU
    left, right = near.left[close], near.right[close]
    n_annotators = int(task_annotator.max(initial=-1)) + 1
    with_one = np.unique(np.stack([annotator, image]), axis=1)[0]
    tasks = np.bincount(task_annotator, minlength=n_annotators)
    habit = (np.bincount(with_one, minlength=n_annotators) + 0.5) / (tasks + 1)
    ends = np.searchsorted(left, np.arange(len(image) + 1))
    votes = np.array(
        [len(np.unique(annotator[right[ends[k] : ends[k + 1]]])) for k in range(len(image))],
        dtype=np.int64,
    )
    taken = np.zeros(len(image), dtype=bool)
    rows: list[tuple[float, ...]] = []
    for one in np.argsort(-votes, kind="stable").tolist():
        if votes[one] < FEWEST:
            break
        members = right[ends[one] : ends[one + 1]]
        members = members[~taken[members]]
        against = len(np.unique(annotator[members]))
        asked = np.unique(task_annotator[task_image == image[one]])
        if taken[one] or not _most(against, len(asked)):
            continue
        taken[members] = True
        p = at_least(habit[asked], against)
        rows.append((int(order[one]), 2, -1, -1, against, len(asked), np.nan, p))
    return _ranked(rows, max(len(np.unique(task_image)), len(rows)), LEVEL)


def _most(count: int, asked: int) -> bool:
    return count >= FEWEST and count >= MOST * asked


def _habits(o: Opinions, gold_label: Ints) -> tuple[Floats, Floats]:
    """How often the annotator of each row misses other objects, and mislabels those like it."""
    n = int(o.annotator.max(initial=-1)) + 1
    asked = np.bincount(o.annotator, minlength=n)
    missed = np.bincount(o.annotator, ~o.drew, n)[o.annotator] - ~o.drew
    missing = (missed + 0.5) / asked[o.annotator]
    wrong = o.drew & (o.label != gold_label[o.object])
    drew = np.bincount(o.annotator, o.drew, n)
    usual = (np.bincount(o.annotator, wrong, n)[o.annotator] - wrong + 0.5) / (
        drew[o.annotator] - o.drew + 1
    )
    width = int(gold_label.max(initial=0)) + 1
    cell = o.annotator * width + gold_label[o.object]
    those = np.bincount(cell, wrong, n * width), np.bincount(cell, o.drew, n * width)
    mislabels = (those[0][cell] - wrong + PRIOR * usual) / (those[1][cell] - o.drew + PRIOR)
    return missing, mislabels


def _tail(sorted_offsets: Floats, sign: int, beyond: float) -> float:
    """How often somebody is this far out (or in) at that edge."""
    n = len(sorted_offsets)
    inner = np.searchsorted(sorted_offsets, sign * beyond, side="right" if sign > 0 else "left")
    return (float(n - inner if sign > 0 else inner) + 0.5) / (n + 1)


def _edges(
    one: int,
    offsets: Floats,
    annotators: Ints,
    limit: Floats,
    habit: dict[tuple[int, int], Floats],
) -> list[tuple[float, ...]]:
    """Return the most surprising edge of an object, if there is one."""
    found: list[tuple[float, ...]] = []
    for edge in range(4):
        there = np.isfinite(offsets[:, edge])
        y, who = offsets[there, edge], annotators[there]
        if len(y) < FEWEST:
            continue
        middle = float(np.median(y))
        sign = 1 if middle > 0 else -1
        beyond = max(float(limit[edge]), abs(middle) / 2)
        count = int((sign * y > beyond).sum())
        if not _most(count, len(y)) or np.abs(y - middle).mean() > APART * abs(middle):
            continue
        chances = [_tail(habit[int(person), edge], sign, beyond) for person in who]
        p = min(WAYS * at_least(chances, count), 1.0)
        found.append((one, 0, edge, -1, count, len(y), middle, p))
    return sorted(found, key=lambda row: (row[-1], -abs(row[6])))[:1]


def _ranked(rows: list[tuple[float, ...]], n_tests: int, level: float) -> Contradicted:
    rows = sorted(rows, key=lambda row: (row[-1], -row[4], -abs(np.nan_to_num(row[6]))))
    table: Array = np.array(rows, dtype=np.float64).reshape(-1, 8)
    p = table[:, 7]
    adjusted = adjusted_bh(np.concatenate([p, np.ones(max(n_tests - len(p), 0))]))[: len(p)]
    whole = table[:, :6].astype(np.int64)
    return Contradicted(
        object=whole[:, 0],
        kind=whole[:, 1],
        edge=whole[:, 2],
        label=whole[:, 3],
        against=whole[:, 4],
        asked=whole[:, 5],
        far=table[:, 6],
        p_value=p,
        p_adjusted=adjusted,
        named=adjusted <= level,
    )
