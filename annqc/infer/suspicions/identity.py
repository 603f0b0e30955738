"""suspicions: which boxes of two authors are one box, edge by edge, and how many edges can tell.

Two authors' boxes of one image are compared where each is the other's best partner. An edge that
lies on the border of the image is there for everybody, and a box that stands at the same place in
many images is a template; neither says anything of where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["SAME", "BoxPairs", "Drawn", "pitch_of", "same_boxes"]

SAME: Final = 1e-6
"""Edges this close, in pixels, are one edge."""
PARTNER_IOU: Final = 0.1
"""As in the pairing for offsets: a gate that leaves out bad pairs makes all look careful."""
FEWEST_EDGES: Final = 3
"""Boxes with fewer edges inside the image are not compared."""
TEMPLATE_CLUSTERS: Final = 3
"""A box that stands at the same place in so many images (or videos) is a template."""
PITCHES: Final = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 1e-3, 1e-4, 1e-5)
ON_GRID: Final = 0.99


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Drawn:
    """Boxes of several authors.

    Attributes
    ----------
    xyxy : (n, 4) float64
        Boxes in pixels.
    image, author, cluster : (n,) int64
        Codes; a cluster is an image, or the video that it is a frame of.
    size : (n, 2) float64
        Width and height of the image of each box, NaN where unknown.
    """

    xyxy: Floats
    image: Ints
    author: Ints
    cluster: Ints
    size: Floats

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class BoxPairs:
    """Boxes of two authors that mean one object, those alone that can tell.

    Attributes
    ----------
    left, right : (m,) int64
        Rows of `Drawn`; the author of ``left`` has the lower number.
    equal, told : (m,) int64
        How many edges are equal, of how many that are inside the image.
    same : (m,) bool
        Whether all four edges are equal.
    """

    left: Ints
    right: Ints
    equal: Ints
    told: Ints
    same: Bools


def same_boxes(drawn: Drawn) -> BoxPairs:
    """Pair the boxes of every two authors of an image, and compare their edges.

    Parameters
    ----------
    drawn : Drawn
        The boxes.

    Returns
    -------
    BoxPairs
        Mutually best partners with an IoU of 0.1 or more, templates and boxes at two or more
        borders left out; two boxes that stay where they are in a video count once.

    Examples
    --------
    >>> drawn = Drawn(
    ...     xyxy=np.array([[3.0, 4, 20, 30], [3, 4, 20, 31], [50, 50, 70, 70]]),
    ...     image=np.zeros(3, dtype=int),
    ...     author=np.array([0, 1, 1]),
    ...     cluster=np.zeros(3, dtype=int),
    ...     size=np.full((3, 2), 100.0),
    ... )
    >>> found = same_boxes(drawn)
    >>> found.left.tolist(), found.right.tolist(), found.equal.tolist(), found.same.tolist()
    ([0], [1], [3], [False])
    """
    order = np.argsort(drawn.image, kind="stable")
    image = drawn.image[order]
    boxes = np.ascontiguousarray(drawn.xyxy[order].T)
    first = np.searchsorted(image, image, side="left")
    found = overlaps(boxes, boxes, first, np.searchsorted(image, image, side="right") - first)
    author = drawn.author[order]
    near = (author[found.left] < author[found.right]) & (found.iou >= PARTNER_IOU)
    left, right, iou = found.left[near], found.right[near], found.iou[near]
    best = _best(left, author[right], iou) & _best(right, author[left], iou)
    left, right = order[left[best]], order[right[best]]
    equal = np.abs(drawn.xyxy[left] - drawn.xyxy[right]) <= SAME
    inside = telling_edges(drawn)
    told = inside[left] & inside[right]
    place = _places(drawn)
    template = _templates(drawn, place)
    use = (told.sum(axis=1) >= FEWEST_EDGES) & ~template[left] & ~template[right]
    if not np.array_equal(drawn.cluster, drawn.image):
        authors = drawn.author[left], drawn.author[right]
        use &= _first(np.stack([*authors, drawn.cluster[left], place[left], place[right]]))
    return BoxPairs(
        left=left[use],
        right=right[use],
        equal=(equal & told).sum(axis=1)[use],
        told=told.sum(axis=1)[use],
        same=np.asarray(equal.all(axis=1))[use],
    )


def telling_edges(drawn: Drawn) -> Bools:
    """Return which edges (n, 4) lie inside the image.

    Where the size of an image is unknown, its right and bottom border are taken to be where the
    outermost boxes of two or more authors end alike.
    """
    x, size = drawn.xyxy, drawn.size.copy()
    for axis in (0, 1):
        unknown = np.isnan(size[:, axis])
        if unknown.any():
            size[unknown, axis] = _outermost(drawn, axis)[unknown]
    near = np.concatenate([x[:, :2] > SAME, x[:, 2:] < size - SAME], axis=1)
    return np.asarray(near)


def _outermost(drawn: Drawn, axis: int) -> Floats:
    """Where the image of each box seems to end; infinity where a single author goes that far."""
    edge = drawn.xyxy[:, 2 + axis]
    n = int(drawn.image.max(initial=-1)) + 1
    far = np.full(n, -np.inf)
    np.maximum.at(far, drawn.image, edge)
    at = edge >= far[drawn.image] - SAME
    who = np.unique(np.stack([drawn.image[at], drawn.author[at]]), axis=1)[0]
    several = np.bincount(who, minlength=n) > 1
    return np.where(several, far, np.inf)[drawn.image]


def _best(row: Ints, other_author: Ints, iou: Floats) -> Bools:
    """Which of the pairs are the best of their box with that author; the first of equals."""
    order = np.lexsort((-iou, other_author, row))
    r, a = row[order], other_author[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (r[1:] != r[:-1]) | (a[1:] != a[:-1])
    best = np.zeros(len(order), dtype=bool)
    best[order[first]] = True
    return best


def _places(drawn: Drawn) -> Ints:
    """Give boxes a number by where they stand, whatever the image."""
    if not len(drawn):
        return np.empty(0, dtype=np.int64)
    places = np.round(drawn.xyxy / (10 * SAME))
    return np.asarray(np.unique(places, axis=0, return_inverse=True)[1].reshape(-1))


def _templates(drawn: Drawn, place: Ints) -> Bools:
    """Boxes that stand at the same place in several clusters."""
    width = int(drawn.cluster.max(initial=-1)) + 1
    where = np.unique(place * width + drawn.cluster) // max(width, 1)
    return np.asarray(np.bincount(where)[place] >= TEMPLATE_CLUSTERS)


def _first(columns: Ints) -> Bools:
    """Which columns are the first of their kind: what stands still in a video counts once."""
    first = np.zeros(columns.shape[1], dtype=bool)
    first[np.unique(columns, axis=1, return_index=True)[1]] = True
    return first


def pitch_of(values: Array) -> float:
    """Return the coarsest grid that holds nearly all of the coordinates; 1e-6 for none.

    Examples
    --------
    >>> pitch_of(np.array([3.0, 17.0, 2.0])), pitch_of(np.array([3.25, 17.5, 2.0]))
    (1.0, 0.25)
    """
    values = np.asarray(values, dtype=np.float64).reshape(-1)
    for pitch in PITCHES:
        steps = values / pitch
        if len(values) and (np.abs(steps - np.round(steps)) <= 1e-3).mean() >= ON_GRID:
            return pitch
    return SAME
