"""consensus: where zero is without gold, and teams too weakly linked to share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Bools, Floats, Ints

__all__ = ["FEWEST", "gauge_weights", "teams", "weighted_median"]

FEWEST: Final = 5
"""Images from which on an annotator has a say in where zero is, and which link two teams."""
SAMPLE: Final = 2000
"""Objects that most cuts are turned down by."""


def weighted_median(values: Floats, weight: Floats) -> Floats:
    """Return the weighted median over the first axis, the middle of two where they tie.

    Parameters
    ----------
    values : (n, ...) float64
        Values.
    weight : (n,) float64
        Weights, none below zero and some above.

    Examples
    --------
    >>> float(weighted_median(np.array([0.0, 8.0, 8.0]), np.array([1.0, 0.5, 0.5])))
    4.0
    """
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    reached = np.cumsum(weight[order], axis=0)
    half = reached[-1:] / 2
    low = (reached >= half * (1 - 1e-9)).argmax(axis=0)
    high = (reached > half * (1 + 1e-9)).argmax(axis=0)
    ends = (np.take_along_axis(ordered, one[None], axis=0)[0] for one in (low, high))
    answer: Floats = np.asarray(sum(ends) / 2)
    return answer


def gauge_weights(n_images: Ints, component: Ints, source: Ints) -> Floats:
    """Say how much each annotator counts for where zero is in the component.

    Who drew on fewer than five images does not count where others did, who drew half as much as
    is usual counts in full, and annotators of one source count as one.

    Parameters
    ----------
    n_images : (A,) int64
        Images of each.
    component : (A,) int64
        What is compared with what, -1 for nothing.
    source : (A,) int64
        Annotators whose boxes have one source have one number.

    Returns
    -------
    (A,) float64
        Sums to 1 over a component.

    Examples
    --------
    >>> same = np.zeros(4, dtype=int)
    >>> gauge_weights(np.array([60, 60, 1, 1]), same, np.arange(4)).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    weight = np.zeros(len(component))
    order = np.argsort(component, kind="stable")
    order = order[component[order] >= 0]
    for people in np.split(order, np.flatnonzero(np.diff(component[order])) + 1):
        if len(people) == 0:
            continue
        n = n_images[people].astype(np.float64)
        counted = (n >= FEWEST) if (n >= FEWEST).any() else np.ones(len(n), dtype=bool)
        usual = max(float(np.median(n[counted])) / 2, 1.0)
        group = np.unique(source[people], return_inverse=True)[1]
        alike = np.bincount(group, counted)[group]
        mine = np.where(counted, np.minimum(n / usual, 1.0) / np.maximum(alike, 1), 0.0)
        weight[people] = mine / mine.sum()
    return weight


def teams(object: Ints, annotator: Ints, image: Ints, n_annotators: int) -> Ints:
    """Tell teams of annotators apart that fewer than five images link to the others.

    Numbers say who belongs together. Each team has two annotators or more, with five images or more
    on which two of them drew the same object; where there is no such team everybody has the number
    0.

    Parameters
    ----------
    object, annotator : (n,) int64
        What was drawn by whom, sorted by object.
    image : (m,) int64
        Image of each object.
    n_annotators : int
        Number of annotators.

    Notes
    -----
    Cuts are looked for along the spanning tree of the most objects drawn together.

    Examples
    --------
    >>> object = np.repeat(np.arange(13), 2)
    >>> who = np.array([[0, 1]] * 6 + [[1, 2]] + [[2, 3]] * 6).ravel()
    >>> teams(object, who, np.arange(13), 4).tolist()
    [0, 0, 1, 1]
    """
    label = np.zeros(n_annotators, dtype=np.int64)
    if n_annotators < 4 or len(object) == 0:
        return label
    for inside in _subtrees(object, annotator, n_annotators):
        here = label == label[np.flatnonzero(inside)[0]]
        one, other = inside & here, ~inside & here
        if min(one.sum(), other.sum()) < 2:
            continue
        few = object < SAMPLE
        if _linking(object[few], annotator[few], image, one, other) >= FEWEST:
            continue
        if _linking(object, annotator, image, one, other) < FEWEST and all(
            _linking(object, annotator, image, part, part) >= FEWEST for part in (one, other)
        ):
            label[one] = label.max() + 1
    return label


def _subtrees(object: Ints, annotator: Ints, n_annotators: int) -> list[Bools]:
    """List the two-sided cuts along the spanning tree, the weakest first."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    shape = (int(object.max()) + 1, n_annotators)
    drawn = csr_array((np.ones(len(object)), (object, annotator)), shape=shape)
    together = (drawn.T @ drawn).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    together.data = 1 / together.data
    tree = minimum_spanning_tree(together).tocsr()
    seen = np.zeros(n_annotators, dtype=bool)
    cuts: list[tuple[float, Bools]] = []
    for root in range(n_annotators):
        if seen[root]:
            continue
        order, parent = breadth_first_order(tree, root, directed=False)
        seen[order] = True
        below = {one: [one] for one in order.tolist()}
        for child in order[:0:-1].tolist():
            above = int(parent[child])
            if 2 <= len(below[child]) <= len(order) - 2:
                inside = np.zeros(n_annotators, dtype=bool)
                inside[below[child]] = True
                cuts.append((-float(max(tree[above, child], tree[child, above])), inside))
            below[above] += below.pop(child)
    return [inside for _, inside in sorted(cuts, key=lambda cut: cut[0])]


def _linking(object: Ints, annotator: Ints, image: Ints, one: Bools, other: Bools) -> int:
    """Count images on which somebody of one team and somebody else of another drew an object."""
    n = len(image)
    first = np.bincount(object, one[annotator], n)
    second = np.bincount(object, other[annotator], n)
    both = (first > 1) if one is other else (first > 0) & (second > 0)
    return len(np.unique(image[both]))
