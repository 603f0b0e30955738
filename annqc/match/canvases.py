"""Outlines on canvases of different sizes: such images are left out and listed, never resized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.shapes import MASK
from annqc.tables import Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Dataset

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["foreign_canvases"]


def foreign_canvases(
    reference: Dataset, candidate: Dataset, image_rows: Ints
) -> tuple[Ints, list[Problem]]:
    """List the annotator x image pairs whose outlines are on another canvas than the reference's.

    Parameters
    ----------
    reference, candidate : Dataset
        The two sides.
    image_rows : (m,) int64
        Reference image of each image of the candidate, -1 where there is none.

    Returns
    -------
    keys : (k,) int64
        Sorted codes ``annotator * n_images + image``, with the candidate's annotators and the
        reference's images. Empty unless both sides have outlines.
    problems : list of Problem
        One ``other_canvas`` an image and pair of sizes.

    Notes
    -----
    The canvas of a mask is what it was drawn on; that of anything else is the image of its side.
    Where a size is unknown, nothing is said.

    Examples
    --------
    >>> from annqc.ids import ids_array
    >>> from annqc.tables import Annotations, Dataset, Images, Shapes
    >>> def one_mask(height, width):
    ...     shapes = Shapes.from_runs([[0, height * width]], [(height, width)])
    ...     table = Annotations.build(
    ...         image=[0], annotator=[0], category=[0], xyxy=[[0, 0, width, height]], shapes=shapes
    ...     )
    ...     ids = ids_array(["x"])
    ...     return Dataset(table, Images.build(ids), ids, ids, ids)
    >>> keys, problems = foreign_canvases(one_mask(8, 8), one_mask(4, 6), np.array([0]))
    >>> keys.tolist(), problems[0].kind
    ([0], 'other_canvas')
    >>> problems[0].message
    'drawn on 6 x 4 pixels, the reference on 8 x 8: left out, since annqc never resizes'
    """
    none = np.empty(0, dtype=np.int64)
    if not (_has_outlines(reference) and _has_outlines(candidate)):
        return none, []
    gold = _image_canvases(reference)
    table = candidate.table
    rows, image, annotator, size = _drawn(candidate)
    if candidate.assigned is not None:  # whoever drew nothing was shown the image all the same
        drew = np.unique(annotator * len(candidate.image_table) + image)
        asked = candidate.assigned
        asked = asked[~np.isin(asked[:, 0] * len(candidate.image_table) + asked[:, 1], drew)]
        rows = np.concatenate([rows, np.full(len(asked), -1)])
        image = np.concatenate([image, asked[:, 1]])
        annotator = np.concatenate([annotator, asked[:, 0]])
        size = np.concatenate([size, _image_canvases(candidate)[asked[:, 1]]])
    target = image_rows[image]
    there = target >= 0
    wanted = np.where(there[:, None], gold[np.maximum(target, 0)], np.nan)
    known = np.isfinite(wanted).all(axis=1) & np.isfinite(size).all(axis=1)
    differ = np.flatnonzero(known & (wanted != size).any(axis=1))
    keys = annotator[differ] * len(reference.image_table) + target[differ]
    _, first = np.unique(np.column_stack([target[differ], size[differ]]), axis=0, return_index=True)
    problems = []
    for row in differ[np.sort(first)].tolist():
        (height, width), (other_height, other_width) = size[row].tolist(), wanted[row].tolist()
        at = int(table.source[rows[row]]) if rows[row] >= 0 else -1
        known_source = 0 <= at < len(candidate.sources)
        problems.append(
            Problem(
                kind="other_canvas",
                severity="kept",
                source=candidate.sources[at].path if known_source else "<match>",
                where="image",
                image_id=candidate.image_table.id[image[row]],
                message=f"drawn on {width:.0f} x {height:.0f} pixels, the reference on "
                f"{other_width:.0f} x {other_height:.0f}: left out, since annqc never resizes",
            )
        )
    return np.unique(keys), problems


def _has_outlines(data: Dataset) -> bool:
    return data.table.shapes is not None and bool((data.table.shapes.kind > 0).any())


def _image_canvases(data: Dataset) -> Floats:
    """Height and width of every image: of its first mask where the image does not say it."""
    images, shapes = data.image_table, data.table.shapes
    size = np.column_stack([images.height, images.width]).astype(np.float64)
    if shapes is not None:
        masks = np.flatnonzero(shapes.kind == MASK)[::-1]
        unknown = masks[~np.isfinite(size[data.table.image[masks]]).all(axis=1)]
        size[data.table.image[unknown]] = shapes.canvas[unknown]
    return size


def _drawn(data: Dataset) -> tuple[Ints, Ints, Ints, Floats]:
    """Row, image, annotator and canvas of every annotation."""
    table, shapes = data.table, data.table.shapes
    size: Any = _image_canvases(data)[table.image]
    if shapes is not None:
        size = np.where((shapes.kind == MASK)[:, None], shapes.canvas, size)
    return np.arange(len(table)), table.image, table.annotator, size
