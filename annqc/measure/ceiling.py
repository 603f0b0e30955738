"""measure: how well anybody can do against this gold, gold having been drawn by hand as well.

Gold says where its author drew the edges. Somebody who drew them exactly right would miss gold by
gold's own error. What is exactly right nobody knows, but several annotators together come close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.errors import TableError
from annqc.geometry.boxes import paired_iou

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["MEDIAN_VARIANCE", "CeilingSums", "ceiling_sums"]

MEDIAN_VARIANCE = (1.0, 0.5, 0.44867, 0.29823, 0.28683, 0.21474, 0.21045, 0.16824, 0.16610)
"""Variance of the median of 1 to 9 normal values, over that of one of them."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class CeilingSums:
    """Distances from gold of consensus and of single annotators: sums over (image, k).

    Attributes
    ----------
    image, k : (c,) int64
        One row for every image and number of annotators of an object.
    n : (c,) float64
        Objects.
    consensus, single : (c,) float64
        Sums over objects of 1 - IoU with gold: of the consensus of the k annotators, and of one of
        them on average.
    consensus_dice, single_dice : (c,) float64
        The same of 1 - Dice, the share of the area of both that only one has: it is proportional
        to how far the edges are off, outward as inward, where 1 - IoU is so for small errors only.
    """

    image: Ints
    k: Ints
    n: Floats
    consensus: Floats
    single: Floats
    consensus_dice: Floats
    single_dice: Floats


def ceiling_sums(gold: Array, boxes: Array, object: Array, image: Array) -> CeilingSums:
    """Compare gold with the consensus of annotators other than gold's author.

    Parameters
    ----------
    gold : (n, 4) array_like
        Gold boxes.
    boxes : (m, 4) array_like
        Boxes that were drawn of them, at most one an annotator and object. Gold is left out of the
        consensus: boxes of its author must not be among these.
    object : (m,) array_like of int
        Which gold box each was drawn of.
    image : (n,) array_like of int
        Image of each gold box.

    Returns
    -------
    CeilingSums
        For `annqc.infer.ceiling.ceiling`. Objects that one annotator drew, or none, do not count.

    Raises
    ------
    TableError
        Columns that do not fit together.

    Notes
    -----
    The consensus of an object has the median of every edge.

    Examples
    --------
    >>> sums = ceiling_sums([[0, 0, 4, 4]], [[0, 0, 4, 2], [0, 0, 4, 4]], [0, 0], [0])
    >>> sums.k.tolist(), sums.consensus.tolist(), sums.single.tolist()
    ([2], [0.25], [0.25])
    """
    right, drawn = (np.asarray(one, dtype=np.float64).reshape(-1, 4) for one in (gold, boxes))
    of, where = np.asarray(object, dtype=np.int64), np.asarray(image, dtype=np.int64)
    fits = len(of) == len(drawn) and len(where) == len(right)
    if not fits or of.min(initial=0) < 0 or of.max(initial=-1) >= len(right):
        what = "the boxes and the gold they were drawn of do not fit together"
        found = f"{len(drawn)} boxes of {len(of)} objects, {len(right)} gold boxes"
        raise TableError(what, expected="a gold box for each box", found=found)
    order = np.argsort(of, kind="stable")
    of, drawn = of[order], drawn[order]
    alone = _distances(right[of], drawn)
    counts = np.bincount(of, minlength=len(right))
    starts = np.cumsum(counts) - counts
    mean = [np.bincount(of, one, len(right)) / np.maximum(counts, 1) for one in alone]
    together = np.full((2, len(right)), np.nan)
    for k in np.unique(counts[counts >= 2]).tolist():
        objects = np.flatnonzero(counts == k)
        at = drawn[starts[objects][:, None] + np.arange(k)]
        together[:, objects] = _distances(right[objects], np.median(at, axis=1))
    kept = np.flatnonzero(counts >= 2)
    width = int(counts.max(initial=0)) + 1
    cells, place = np.unique(where[kept] * width + counts[kept], return_inverse=True)
    images, ks = np.divmod(cells, width)
    sums = [
        np.bincount(place, one[kept], len(cells)).astype(np.float64) for one in (*together, *mean)
    ]
    return CeilingSums(
        image=images,
        k=ks,
        n=np.bincount(place, minlength=len(cells)).astype(np.float64),
        consensus=sums[0],
        consensus_dice=sums[1],
        single=sums[2],
        single_dice=sums[3],
    )


def _distances(gold: Floats, drawn: Floats) -> Floats:
    """1 - IoU and 1 - Dice of paired boxes; boxes without area are 1 apart."""
    iou = paired_iou(gold, drawn)
    iou = np.where(np.isnan(iou), 0.0, iou)
    return np.stack([1 - iou, (1 - iou) / (1 + iou)])
