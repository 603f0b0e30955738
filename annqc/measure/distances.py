"""measure: how different two drawings of one thing are, from 0 (the same) to 1 (nothing alike).

A `Distance` takes two arrays of row numbers, a pair each, and gives one number a pair. It is what
`annqc.measure.alpha` asks for; anything that keeps to this will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from annqc.geometry.boxes import paired_iou
from annqc.geometry.mask_pairs import boundary_iou, mask_overlap
from annqc.geometry.polygon_pairs import polygon_overlap
from annqc.shapes import MASK, POLYGON

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.shapes import Shapes
    from annqc.tables import Array, Floats, Ints

__all__ = [
    "Distance",
    "boundary_distance",
    "box_distance",
    "label_distance",
    "oks_distance",
    "outline_distance",
]


class Distance(Protocol):
    """Distance of paired rows."""

    def __call__(self, left: Ints, right: Ints, /) -> Floats:
        """Return (m,) float64 in [0, 1] for (m,) rows each."""
        ...


def box_distance(xyxy: Array) -> Distance:
    """1 - IoU of boxes.

    Parameters
    ----------
    xyxy : (n, 4) array_like
        Boxes.

    Examples
    --------
    >>> apart = box_distance([[0, 0, 4, 4], [0, 0, 4, 2]])
    >>> apart(np.array([0]), np.array([1])).tolist()
    [0.5]
    """
    boxes = np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)

    def distance(left: Ints, right: Ints) -> Floats:
        return 1.0 - _known(paired_iou(boxes[left], boxes[right]))

    return distance


def outline_distance(shapes: Shapes, xyxy: Array, *, engine: Engine = "auto") -> Distance:
    """1 - IoU of outlines: of two polygons, or of two masks; of anything else, of their boxes.

    Parameters
    ----------
    shapes : Shapes
        n outlines.
    xyxy : (n, 4) array_like
        Their boxes.
    engine : {"auto", "numpy", "numba"}
        How to compute.

    Examples
    --------
    >>> from annqc.shapes import Shapes
    >>> shapes = Shapes.from_rings([[[[0, 0], [4, 0], [4, 4], [0, 4]]], [[[0, 0], [4, 0], [0, 4]]]])
    >>> apart = outline_distance(shapes, [[0, 0, 4, 4]] * 2)
    >>> apart(np.array([0]), np.array([1])).tolist()
    [0.5]
    """
    of_boxes = box_distance(xyxy)

    def distance(left: Ints, right: Ints) -> Floats:
        far = of_boxes(left, right)
        # boxes that share nothing hold outlines that share nothing
        near = far < 1
        polygons = near & (shapes.kind[left] == POLYGON) & (shapes.kind[right] == POLYGON)
        if polygons.any():
            one, two = left[polygons], right[polygons]
            far[polygons] = 1 - _known(polygon_overlap(shapes, shapes, one, two, engine=engine).iou)
        masks = near & (shapes.kind[left] == MASK) & (shapes.kind[right] == MASK)
        # of different images: on canvases that may differ, where pixels do not correspond
        masks &= (shapes.canvas[left] == shapes.canvas[right]).all(axis=1)
        if masks.any():
            one, two = left[masks], right[masks]
            far[masks] = 1 - _known(mask_overlap(shapes, shapes, one, two, engine=engine).iou)
        return far

    return distance


def boundary_distance(shapes: Shapes, *, ratio: float = 0.02, engine: Engine = "auto") -> Distance:
    """1 - boundary IoU of masks (Cheng et al., 2021); 1 on canvases of different sizes.

    Parameters
    ----------
    shapes : Shapes
        n masks; paint polygons first.
    ratio : float
        Depth of the band over the diagonal of the image.
    engine : {"auto", "numpy", "numba"}
        How to compute.

    Examples
    --------
    >>> from annqc.shapes import Shapes
    >>> masks = Shapes.from_runs([[0, 8, 8], [0, 8, 8]], [(4, 4)] * 2)
    >>> boundary_distance(masks)(np.array([0]), np.array([1])).tolist()
    [0.0]
    """

    def distance(left: Ints, right: Ints) -> Floats:
        found = boundary_iou(
            shapes, shapes, left, right, ratio=ratio, other_canvas="nan", engine=engine
        )
        return 1.0 - _known(found.iou)

    return distance


def oks_distance(points: Array, visible: Array, area: Array, sigmas: Array) -> Distance:
    """1 - object keypoint similarity, as COCO has it, but even-handed between the two.

    Parameters
    ----------
    points : (n, k, 2) array_like
        Keypoints in pixels.
    visible : (n, k) array_like of bool
        Which of them are marked. Those that both have marked are compared.
    area : (n,) array_like
        Area of each object in square pixels; a pair is judged by the mean of its two.
    sigmas : (k,) array_like
        COCO's constant of each keypoint.

    Notes
    -----
    ``mean over common keypoints of exp(-d² / (2 area (2 sigma)²))``. A pair that shares no keypoint
    is 1 apart.

    Examples
    --------
    >>> apart = oks_distance([[[0, 0]], [[0, 2]]], [[1], [1]], [100, 100], [0.1])
    >>> apart(np.array([0]), np.array([1])).round(4).tolist()
    [0.3935]
    """
    at, seen = np.asarray(points, dtype=np.float64), np.asarray(visible).astype(bool)
    size = np.asarray(area, dtype=np.float64)
    width = (2 * np.asarray(sigmas, dtype=np.float64)) ** 2

    def distance(left: Ints, right: Ints) -> Floats:
        both = seen[left] & seen[right]
        squared = ((at[left] - at[right]) ** 2).sum(axis=2)
        scale = (size[left] + size[right])[:, None] * width
        alike = np.exp(-np.divide(squared, scale, out=np.zeros_like(squared), where=scale > 0))
        n = both.sum(axis=1)
        return np.asarray(1.0 - (alike * both).sum(axis=1) / np.maximum(n, 1))

    return distance


def label_distance(label: Array) -> Distance:
    """0 for the same label, else 1.

    Parameters
    ----------
    label : (n,) array_like
        Labels.

    Examples
    --------
    >>> label_distance([3, 3, 4])(np.array([0, 0]), np.array([1, 2])).tolist()
    [0.0, 1.0]
    """
    labels = np.asarray(label)

    def distance(left: Ints, right: Ints) -> Floats:
        return np.asarray(labels[left] != labels[right], dtype=np.float64)

    return distance


def _known(iou: Floats) -> Floats:
    """Take an undefined IoU, of drawings without area, as 0."""
    return np.where(np.isnan(iou), 0.0, iou)
