"""consensus: which boxes of several annotators mean one object, and who was asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import MatchError
from annqc.kernels.clusters import clusters

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.tables import Dataset, Floats, Ints

__all__ = ["PAIR_IOU", "Asked", "Objects", "cluster_objects", "who_was_asked"]

PAIR_IOU: Final = 0.3
"""IoU from which on two boxes are rather one object than two."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Asked:
    """Who was asked on which image.

    Attributes
    ----------
    offsets : (n_images + 1,) int64
        Image i was given to ``annotator[offsets[i] : offsets[i + 1]]``.
    annotator : (k,) int64
        Rows of the annotator table, ascending within an image.
    """

    offsets: Ints
    annotator: Ints

    @property
    def image(self) -> Ints:
        """Image of each entry, (k,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Objects:
    """Objects that at least one annotator drew: m of them, ordered by image.

    Attributes
    ----------
    object : (n,) int64
        Object of each annotation, -1 for crowds and what is ignored.
    image : (m,) int64
        Row of the image table.
    n_drawn, n_asked : (m,) int64
        How many annotators drew the object, and how many were asked on its image. Who was asked and
        drew nothing there has said that there is no such object; who was not asked has said
        nothing.
    category : (m,) int64
        The category that most of its annotations have; of several the first of the table.
    category_share : (m,) float64
        Share of its annotations that have it.
    asked : Asked
        Who was asked on which image.
    """

    object: Ints
    image: Ints
    n_drawn: Ints
    n_asked: Ints
    category: Ints
    category_share: Floats
    asked: Asked

    def __len__(self) -> int:
        return len(self.image)


def who_was_asked(data: Dataset) -> Asked:
    """List who was asked on each image.

    Parameters
    ----------
    data : Dataset
        Annotations of several annotators. Who drew on an image was asked there, whatever the
        assignments say; where there are none, nobody else was.
    """
    n_images, n_people = len(data.image_table), max(len(data.annotator_ids), 1)
    key = data.table.image * n_people + data.table.annotator
    if data.assigned is not None:
        key = np.concatenate([key, data.assigned[:, 1] * n_people + data.assigned[:, 0]])
    key = np.unique(key)
    counts = np.bincount(key // n_people, minlength=n_images)
    return Asked(offsets=np.concatenate([[0], np.cumsum(counts)]), annotator=key % n_people)


def cluster_objects(
    data: Dataset,
    *,
    pair_iou: float = PAIR_IOU,
    by_category: bool = False,
    engine: Engine = "auto",
) -> Objects:
    """Cluster the boxes of several annotators into objects, at most one box of each in an object.

    Parameters
    ----------
    data : Dataset
        Annotations of several annotators.
    pair_iou : float
        IoU from which on two boxes are rather one object than two, between 0 and 1.
    by_category : bool
        Whether boxes of different categories are different objects. By default the category is not
        looked at: two annotators may well mean one object and disagree about what it is.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    Objects

    Raises
    ------
    MatchError
        Where ``pair_iou`` is not between 0 and 1.

    Notes
    -----
    Sought is the partition with the largest sum of ``IoU - pair_iou`` over the pairs of boxes that
    share an object; `annqc.kernels.clusters` says how. It depends neither on the order of the rows
    nor on that of the annotators.

    Examples
    --------
    >>> from annqc.tables import Annotations, Dataset, Images
    >>> boxes = [[0, 0, 10, 10], [1, 0, 11, 10], [40, 40, 50, 50]]
    >>> drawn = Annotations.build(image=[0, 0, 0], annotator=[0, 1, 1], category=[0, 0, 0],
    ...                           xyxy=boxes)
    >>> data = Dataset(table=drawn, image_table=Images.build(np.array(["a.jpg"])),
    ...                annotator_ids=np.array(["ann", "bob"]), category_ids=np.array([1]),
    ...                category_names=np.array(["cell"]))
    >>> found = cluster_objects(data)
    >>> found.object.tolist(), found.n_drawn.tolist(), found.n_asked.tolist()
    ([0, 0, 1], [2, 1], [2, 2])
    """
    if not 0 < pair_iou < 1:
        what = "the least IoU of two boxes of one object cannot be used"
        expected = "a number above 0 and below 1"
        raise MatchError(what, where="pair_iou", expected=expected, found=repr(pair_iou))
    table = data.table
    asked = who_was_asked(data)
    rows = np.flatnonzero(~(table.crowd | table.ignored))
    n_people, n_categories = max(len(data.annotator_ids), 1), max(len(data.category_ids), 1)
    group = table.image[rows]
    if by_category:
        group = group * n_categories + table.category[rows]
    rows = rows[np.argsort(group * n_people + table.annotator[rows], kind="stable")]
    group = table.image[rows]
    if by_category:
        group = group * n_categories + table.category[rows]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    boxes = np.ascontiguousarray(table.xyxy[rows].T)
    offsets = np.append(starts, len(rows))
    code = clusters(boxes, offsets, table.annotator[rows], least=pair_iou, engine=engine)
    m = int(code.max()) + 1 if len(code) else 0
    object_of = np.full(len(table), -1, dtype=np.int64)
    object_of[rows] = code
    image = np.empty(m, dtype=np.int64)
    image[code] = table.image[rows]
    votes = np.unique(code * n_categories + table.category[rows], return_counts=True)
    # the stable sort leaves categories of equal votes in the order of the table
    order = np.lexsort((-votes[1], votes[0] // n_categories))
    winner = order[np.flatnonzero(np.diff(votes[0][order] // n_categories, prepend=-1))]
    n_drawn = np.bincount(code, minlength=m)
    return Objects(
        object=object_of,
        image=image,
        n_drawn=n_drawn,
        n_asked=np.diff(asked.offsets)[image],
        category=votes[0][winner] % n_categories,
        category_share=votes[1][winner] / np.maximum(n_drawn, 1),
        asked=asked,
    )
