"""Axis-aligned boxes: conversion, validity, area and the overlap of paired rows. Plain numpy.

Stands beside the way read -> match -> measure -> infer -> judge -> report: readers convert and
check boxes with it, and the measures take paired overlaps from it. Boxes are ``xyxy`` in continuous
pixels, x right and y down, with area ``(x2 - x1) * (y2 - y1)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from annqc.errors import TableError, UnknownNameError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = [
    "BOX_FORMATS",
    "FARTHEST",
    "BoxFormat",
    "area",
    "beyond_border",
    "far_out",
    "outside_image",
    "paired_giou",
    "paired_iou",
    "to_xyxy",
]

BoxFormat = Literal["xyxy", "xywh", "cxcywh"]

BOX_FORMATS: Final[tuple[str, ...]] = get_args(BoxFormat)
"""How four numbers can say a box: two corners; corner and size; centre and size."""

FARTHEST: Final = 1e9
"""No image is this many pixels wide. Beyond it, areas lose every digit and then overflow."""


def to_xyxy(boxes: Any, *, box_format: BoxFormat = "xyxy") -> Floats:
    """Convert boxes to corners.

    Parameters
    ----------
    boxes : (n, 4) array_like
        Boxes in pixels.
    box_format : {"xyxy", "xywh", "cxcywh"}
        What the four numbers mean.

    Returns
    -------
    (n, 4) float64
        ``x1, y1, x2, y2``; a new array. A size that is negative stays so (``x2 < x1``).

    Raises
    ------
    UnknownNameError
        ``box_format`` is none of the three.
    TableError
        ``boxes`` has not four columns.

    Examples
    --------
    >>> to_xyxy([[10, 20, 30, 40]], box_format="xywh").tolist()
    [[10.0, 20.0, 40.0, 60.0]]
    >>> to_xyxy([[10, 20, 4, 6]], box_format="cxcywh").tolist()
    [[8.0, 17.0, 12.0, 23.0]]
    """
    if box_format not in BOX_FORMATS:
        kind = "box format"
        raise UnknownNameError.among(kind, box_format, BOX_FORMATS)
    out = np.array(boxes, dtype=np.float64)
    if out.size == 0:
        out = out.reshape(0, 4)
    if out.ndim != 2 or out.shape[1] != 4:
        what = "boxes need four numbers each"
        raise TableError(what, expected="an array of shape (n, 4)", found=f"shape {out.shape}")
    with np.errstate(over="ignore", invalid="ignore"):  # inf is found by the checks, with its row
        if box_format == "xywh":
            out[:, 2:] += out[:, :2]
        elif box_format == "cxcywh":
            half = out[:, 2:] / 2
            out[:, 2:] = out[:, :2] + half
            out[:, :2] -= half
    return out


def area(xyxy: Floats) -> Floats:
    """Return the area of each box in square pixels.

    Parameters
    ----------
    xyxy : (n, 4) float64
        Boxes.

    Returns
    -------
    (n,) float64
        ``(x2 - x1) * (y2 - y1)``, no pixel added; 0 where a side is negative.

    Examples
    --------
    >>> area(np.array([[0.0, 0.0, 2.0, 3.0], [5.0, 5.0, 4.0, 4.0]])).tolist()
    [6.0, 0.0]
    """
    width = np.maximum(xyxy[:, 2] - xyxy[:, 0], 0.0)
    height = np.maximum(xyxy[:, 3] - xyxy[:, 1], 0.0)
    product: Floats = width * height
    return product


def paired_iou(a: Floats, b: Floats) -> Floats:
    """Return intersection over union of row i of ``a`` with row i of ``b``.

    Parameters
    ----------
    a, b : (n, 4) float64
        Boxes, ``xyxy``.

    Returns
    -------
    (n,) float64
        Between 0 and 1; NaN where both boxes have no area.

    Examples
    --------
    >>> a, b = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0]])
    >>> paired_iou(a, b).round(4).tolist()
    [0.3333]
    """
    inter, union = _shared(a, b)
    return _ratio(inter, union)


def paired_giou(a: Floats, b: Floats) -> Floats:
    """Return the generalised IoU of row i of ``a`` with row i of ``b``.

    Parameters
    ----------
    a, b : (n, 4) float64
        Boxes, ``xyxy``.

    Returns
    -------
    (n,) float64
        ``IoU - (hull - union) / hull``, where the hull is the smallest box around both: above -1
        and at most 1; NaN where both boxes have no area.

    Notes
    -----
    Rezatofighi et al., Generalized Intersection over Union, CVPR 2019.

    Examples
    --------
    >>> a, b = np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[2.0, 0.0, 3.0, 1.0]])
    >>> paired_giou(a, b).round(4).tolist()
    [-0.3333]
    """
    inter, union = _shared(a, b)
    hull = area(np.hstack([np.minimum(a[:, :2], b[:, :2]), np.maximum(a[:, 2:], b[:, 2:])]))
    giou: Floats = _ratio(inter, union) - _ratio(hull - union, hull)
    return giou


def far_out(xyxy: Floats) -> Bools:
    """Return which boxes have a finite coordinate beyond `FARTHEST`, which no image has.

    Parameters
    ----------
    xyxy : (n, 4) float64
        Boxes.
    """
    with np.errstate(invalid="ignore"):
        largest = np.abs(xyxy).max(axis=1, initial=0.0)
    far: Bools = (largest > FARTHEST) & np.isfinite(largest)
    return far


def outside_image(xyxy: Floats, width: Floats, height: Floats) -> Bools:
    """Return which boxes share no area with their image.

    Parameters
    ----------
    xyxy : (n, 4) float64
        Boxes.
    width, height : (n,) float64
        Size of the image of each box in pixels, NaN where unknown: then nothing lies outside.
    """
    known = ~(np.isnan(width) & np.isnan(height))
    with np.errstate(invalid="ignore"):
        right_below = (xyxy[:, 0] >= width) | (xyxy[:, 1] >= height)
        left_above = (xyxy[:, 2] <= 0) | (xyxy[:, 3] <= 0)
    outside: Bools = known & (right_below | left_above)
    return outside


def beyond_border(xyxy: Floats, width: Floats, height: Floats, *, slack: float = 1.0) -> Bools:
    """Return which boxes stick out of their image by more than ``slack`` pixels.

    Parameters
    ----------
    xyxy : (n, 4) float64
        Boxes.
    width, height : (n,) float64
        Size of the image of each box in pixels, NaN where unknown. The left and top borders count
        where the size is known.
    slack : float
        Pixels that are let pass.
    """
    known = ~(np.isnan(width) & np.isnan(height))
    with np.errstate(invalid="ignore"):
        right_below = (xyxy[:, 2] > width + slack) | (xyxy[:, 3] > height + slack)
        left_above = (xyxy[:, 0] < -slack) | (xyxy[:, 1] < -slack)
    beyond: Bools = known & (right_below | left_above)
    return beyond


def _shared(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return intersection and union of paired rows."""
    inter = area(np.hstack([np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])]))
    union: Floats = area(a) + area(b) - inter
    return inter, union


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
