"""write: COCO detection JSON, with annotators and assignments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from annqc.errors import TableError
from annqc.write.cocoshapes import segmentations
from annqc.write.whole import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from annqc.tables import Annotations, Array, Dataset, Images

__all__ = ["write_coco"]

ROWS_AT_ONCE: Final = 50_000
"""Rows that are held as Python objects at a time."""

Columns = dict[str, "Array | list[Any]"]


def write_coco(
    dataset: Dataset,
    path: str | os.PathLike[str],
    *,
    segmentation: bool = False,
    compressed: bool = True,
) -> Path:
    """Write a dataset as one COCO detection file that `annqc.read` reads back.

    Parameters
    ----------
    dataset : Dataset
        What to write.
    path : str or path
        The file; its folder must exist. It appears whole or not at all.
    segmentation : bool
        Write a polygon for each box that has no outline. Outlines that the dataset has are written
        in any case.
    compressed : bool
        Write the runs of masks as text, as COCO itself does, and not as lists of numbers.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TableError
        Where a value cannot be written as JSON, or a column has the name of one of COCO's; or a
        polygon has holes and its image no size.

    Notes
    -----
    Each annotation has its ``annotator``; ``assignments``, where the dataset has them, is a list of
    ``{"annotator": ..., "image_id": ...}``. Scores, tracks and sizes that are unknown are left out
    or null. COCO cannot say that a ring is a hole: a polygon with holes is written as a mask on the
    canvas of its image, rounded to pixels. A box is written as x, y, width, height, so that its
    right and bottom edge come back up to rounding.

    Examples
    --------
    >>> import annqc, tempfile
    >>> work = annqc.simulate(["ann", "bob"], n_images=3, rng=1).work
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_coco(work, f"{folder}/work.json")
    ...     print(path.name, path.read_bytes()[:11])
    work.json b'{"images":['
    """
    target = Path(path)
    sections: dict[str, Columns] = {
        "images": _images(dataset.image_table),
        "annotations": _annotations(dataset, segmentation=segmentation, compressed=compressed),
        "categories": {"id": dataset.category_ids, "name": dataset.category_names},
    }
    if dataset.assigned is not None:
        sections["assignments"] = {
            "annotator": dataset.annotator_ids[dataset.assigned[:, 0]],
            "image_id": dataset.image_table.id[dataset.assigned[:, 1]],
        }
    encoder = msgspec.json.Encoder(enc_hook=_plain)
    with whole(target) as file:
        for k, (name, columns) in enumerate(sections.items()):
            file.write(b"{" if k == 0 else b",")
            file.write(encoder.encode(name) + b":[")
            for chunk in _chunks(columns, encoder, name):
                file.write(chunk)
            file.write(b"]")
        file.write(b"}")
    return target


def _chunks(columns: Columns, encoder: msgspec.json.Encoder, section: str) -> Iterator[bytes]:
    """Encode rows some at a time, commas between them and no brackets around them."""
    names = list(columns)
    n = len(columns[names[0]])
    for first in range(0, n, ROWS_AT_ONCE):
        some = [columns[name][first : first + ROWS_AT_ONCE] for name in names]
        listed = [one.tolist() if isinstance(one, np.ndarray) else one for one in some]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*listed, strict=True)]
        try:
            encoded = encoder.encode(rows)
        except (TypeError, msgspec.MsgspecError) as error:
            what = "a value cannot be written as JSON"
            raise TableError(what, where=section, found=str(error)) from None
        yield (b"," if first else b"") + encoded[1:-1]


def _images(images: Images) -> Columns:
    columns: Columns = {"id": images.id}
    columns |= {"width": _sizes(images.width), "height": _sizes(images.height)}
    optional = {
        "file_name": images.file_name,
        "sequence": images.sequence,
        "frame": images.frame,
    }
    columns |= {name: column for name, column in optional.items() if column is not None}
    return _with_extra(columns, images.extra, "images")


def _annotations(dataset: Dataset, *, segmentation: bool, compressed: bool) -> Columns:
    table = dataset.table
    wh = table.xyxy[:, 2:] - table.xyxy[:, :2]
    columns: Columns = {
        "id": table.id,
        "image_id": dataset.image_table.id[table.image],
        "category_id": dataset.category_ids[table.category],
        "annotator": dataset.annotator_ids[table.annotator],
        "bbox": np.concatenate([table.xyxy[:, :2], wh], axis=1),
        "area": wh[:, 0] * wh[:, 1],
        "iscrowd": table.crowd.astype(np.int64),
    }
    if table.shapes is not None:
        drawn, areas = segmentations(table.shapes, dataset, compressed=compressed)
        columns["area"] = np.where(np.isnan(areas), columns["area"], areas)
        columns["segmentation"] = drawn
    if segmentation:
        x1, y1, x2, y2 = table.xyxy.T
        corners = np.stack([x1, y1, x2, y1, x2, y2, x1, y2], axis=1)
        boxes = corners[:, None, :].tolist()
        given = columns.get("segmentation", [None] * len(boxes))
        columns["segmentation"] = [
            box if one is None else one for box, one in zip(boxes, given, strict=True)
        ]
    if "segmentation" in columns:  # a list of no polygons: COCO knows no null here
        columns["segmentation"] = [[] if one is None else one for one in columns["segmentation"]]
    if np.isfinite(table.score).any():
        columns["score"] = table.score
    if table.ignored.any():
        columns["ignore"] = table.ignored.astype(np.int64)
    if table.track is not None:
        columns["track_id"] = _tracks(table)
    return _with_extra(columns, table.extra, "annotations")


def _tracks(table: Annotations) -> list[int | None]:
    """Tracks, None for rows that are on none."""
    return [
        None if one < 0 else one for one in (() if table.track is None else table.track.tolist())
    ]


def _with_extra(columns: Columns, extra: dict[str, Array], section: str) -> Columns:
    for name in extra:
        if name in columns:
            what = f"a column of the dataset has a name that COCO uses: {name!r}"
            raise TableError(what, where=section, hint="rename the column")
    return {**columns, **extra}


def _sizes(values: Array) -> list[float | int | None]:
    """Sizes as whole numbers where they are, None where unknown."""
    return [
        None if not np.isfinite(one) else int(one) if one.is_integer() else one
        for one in values.tolist()
    ]


def _plain(value: object) -> object:
    """Turn numpy scalars and arrays inside object columns into what JSON has."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    message = f"{type(value).__name__} {value!r}"
    raise TypeError(message)
