"""report: what else is near a single annotation: gold, and what the same person drew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Array, Floats, Ints

__all__ = ["Neighbours", "edges_within"]

MOST: Final = 16
"""More boxes of one side hide what they are around."""


class Neighbours:
    """Finds boxes on the image of an annotation.

    Parameters
    ----------
    matches : Matches
        What was matched.
    """

    def __init__(self, matches: Matches) -> None:
        self._matches = matches
        self._sides = tuple(
            _by_image(image)
            for image in (matches.reference.table.image, matches.image_of_candidate)
        )

    def of(
        self, image: int, annotator: int | None, window: Floats, rows: tuple[int, int]
    ) -> tuple[Floats, Floats]:
        """Return the boxes that a window shows besides an annotation, those of gold and of work.

        Parameters
        ----------
        image : int
            Row of the image.
        annotator : int or None
            Who drew; None for anybody.
        window : (4,) float64
            xyxy in pixels.
        rows : (int, int)
            Rows of the annotation in gold and work, which are left out.

        Returns
        -------
        (k, 4) float64, (l, 4) float64
            No more than 16 each, the largest.
        """
        matches = self._matches
        found = []
        for (order, images), table, own in zip(
            self._sides, (matches.reference.table, matches.candidate.table), rows, strict=True
        ):
            begin, end = np.searchsorted(images, [image, image + 1])
            here = order[begin:end]
            here = here[here != own]
            if table is matches.candidate.table and annotator is not None:
                here = here[table.annotator[here] == annotator]
            box = table.xyxy[here]
            inside = (box[:, :2] < window[2:]).all(axis=1) & (box[:, 2:] > window[:2]).all(axis=1)
            box = box[inside]
            size = np.prod(box[:, 2:] - box[:, :2], axis=1)
            found.append(box[np.argsort(-size, kind="stable")[:MOST]])
        return found[0], found[1]


def edges_within(boxes: Floats, window: Floats) -> Floats:
    """Cut the edges of boxes to a window.

    Parameters
    ----------
    boxes : (n, 4) float64
        xyxy.
    window : (4,) float64
        xyxy.

    Returns
    -------
    (k, 2, 2) float64
        Both ends of what is to be seen of each edge.

    Examples
    --------
    >>> edges_within(np.array([[0.0, 0, 4, 4]]), np.array([2.0, 1, 9, 9])).tolist()
    [[[4.0, 1.0], [4.0, 4.0]], [[2.0, 4.0], [4.0, 4.0]]]
    """
    x1, y1, x2, y2 = boxes.T
    ends: Array = np.stack(
        [
            np.stack([x1, y1, x1, y2], axis=1),
            np.stack([x2, y1, x2, y2], axis=1),
            np.stack([x1, y1, x2, y1], axis=1),
            np.stack([x1, y2, x2, y2], axis=1),
        ],
        axis=1,
    ).reshape(-1, 2, 2)
    low, high = window[:2], window[2:]
    seen = ((ends[:, 1] >= low) & (ends[:, 0] <= high)).all(axis=1)
    cut: Floats = np.clip(ends[seen], low, high)
    return cut


def _by_image(image: Ints) -> tuple[Ints, Ints]:
    order = np.argsort(image, kind="stable")
    return order, image[order]
