"""consensus: the consensus of other tools by name, to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.consensus._rows import lay_out, medians
from annqc.errors import UnknownNameError
from annqc.geometry.boxes import paired_iou

if TYPE_CHECKING:
    from annqc.tables import Bools, Floats, Ints

__all__ = ["PLAIN", "majority", "plain_consensus", "weighted_boxes_fusion"]

PLAIN: Final = ("median", "mean", "cvat")
"""Ways of making one box of several. The mean is what weighted boxes fusion gives a cluster of
equal scores; `weighted_boxes_fusion` makes the clusters its way too."""


def plain_consensus(method: str, boxes: Floats, object: Ints, n_objects: int) -> Floats:
    """Make one box of the boxes of each object.

    Parameters
    ----------
    method : {"median", "mean", "cvat"}
        The median or the mean of each edge; or CVAT's: of the drawn boxes the one with the highest
        IoU with the mean box, the first of several.
    boxes : (n, 4) float64
        Boxes.
    object : (n,) int64
        What each shows; rows with a negative object take no part.
    n_objects : int
        How many objects there are.

    Returns
    -------
    (m, 4) float64
        NaN for objects without a box.

    Raises
    ------
    UnknownNameError
        Where there is no such method.

    Examples
    --------
    >>> drawn = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [5, 0, 15, 10]])
    >>> plain_consensus("median", drawn, np.zeros(3, dtype=int), 1).tolist()
    [[1.0, 0.0, 11.0, 10.0]]
    >>> plain_consensus("mean", drawn, np.zeros(3, dtype=int), 1).tolist()
    [[2.0, 0.0, 12.0, 10.0]]
    """
    if method not in PLAIN:
        kind = "plain consensus"
        raise UnknownNameError.among(kind, method, PLAIN)
    found = np.full((n_objects, 4), np.nan)
    rows = lay_out(np.flatnonzero(object >= 0), object, np.zeros_like(object), 1)
    drawn = boxes[rows.row]
    if method == "median":
        found[rows.object] = medians(drawn.T, rows).T
        return found
    mean = np.stack([rows.by_object(drawn[:, e]) for e in range(4)], axis=1)
    mean /= np.maximum(rows.count, 1)[:, None]
    if method == "mean":
        found[rows.object] = mean
        return found
    overlap = paired_iou(drawn, mean[rows.place])
    best = np.lexsort((-overlap, rows.place))[rows.start]
    found[rows.object] = drawn[best]
    return found


def majority(n_drawn: Ints, n_asked: Ints, *, quorum: float = 0.5) -> Bools:
    """Whether enough of those who were asked drew an object.

    Parameters
    ----------
    n_drawn, n_asked : (m,) int64
        How many drew it, and how many were asked.
    quorum : float
        Share that must be reached; a half of two is one.

    Examples
    --------
    >>> majority(np.array([1, 1, 2]), np.array([2, 3, 3])).tolist()
    [True, False, True]
    """
    enough: Bools = n_drawn >= np.ceil(quorum * n_asked - 1e-9)
    return enough


def weighted_boxes_fusion(
    boxes: Floats, offsets: Ints, *, least: float = 0.55
) -> tuple[Ints, Floats]:
    """Cluster and average boxes of equal score as weighted boxes fusion does.

    Parameters
    ----------
    boxes : (n, 4) float64
        Boxes, those of a group together.
    offsets : (n_groups + 1,) int64
        Group g has the boxes ``offsets[g] : offsets[g + 1]``.
    least : float
        A box joins the average that it overlaps most, if by more than this.

    Returns
    -------
    object : (n,) int64
        Object of each box. One annotator may have several boxes in an object.
    edges : (m, 4) float64
        Averages.

    Notes
    -----
    Solovyev, Wang and Gabruseva, Weighted boxes fusion, Image and Vision Computing 2021, with equal
    scores and weights. What it gives depends on the order of the boxes: here that of the rows.

    Examples
    --------
    >>> drawn = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10]])
    >>> weighted_boxes_fusion(drawn, np.array([0, 3]))[0].tolist()
    [0, 0, 1]
    """
    object_of = np.empty(len(boxes), dtype=np.int64)
    fused: list[Floats] = []
    for first, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        base, sums, counts = len(fused), np.empty((stop - first, 4)), np.empty(stop - first)
        means, n = np.empty((stop - first, 4)), 0
        for row in range(first, stop):
            overlap = paired_iou(np.broadcast_to(boxes[row], (n, 4)), means[:n])
            best = int(np.argmax(overlap)) if n else -1
            if best < 0 or not overlap[best] > least:
                best, n = n, n + 1
                sums[best], counts[best] = 0.0, 0
            sums[best] += boxes[row]
            counts[best] += 1
            means[best] = sums[best] / counts[best]
            object_of[row] = base + best
        fused.extend(means[:n])
    return object_of, np.array(fused).reshape(-1, 4)
