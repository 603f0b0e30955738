"""write: samples with detections, as FiftyOne has them."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from annqc.errors import TableError
from annqc.write.sizes import sizes_needed
from annqc.write.whole import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping

    from annqc.tables import Dataset

__all__ = ["write_fiftyone"]

_TAKEN: Final = frozenset(
    "id tags label bounding_box attributes annotator confidence index instance mask "
    "mask_path".split()
)
"""Fields that a detection has already, most of them of a type that other columns have not."""
_NOT_FIRST: Final = "_$"
"""What no name of a field may begin with."""


def write_fiftyone(fields: Mapping[str, Dataset], path: str | os.PathLike[str]) -> Path:
    """Write datasets on the same images as samples that ``fiftyone.Sample.from_dict`` takes.

    Parameters
    ----------
    fields : mapping of str to Dataset
        Name of a field of the samples -> what its detections are; all on one image table.
    path : str or path
        The file; its folder must exist. It appears whole or not at all.

    Returns
    -------
    Path
        The file: an object with ``name``, ``media_type`` and ``samples``.

    Raises
    ------
    TableError
        The size of an image is not known, or a value cannot be written as JSON.

    Notes
    -----
    The file path is the file name of the image, or its id. A bounding box is ``[left, top, width,
    height]``, each a share of the image. The annotator and other columns are fields of the
    detection; where FiftyOne cannot have their name, or has a field that is called so, it begins
    with ``data_``, and dots become underscores.

    Examples
    --------
    >>> import annqc, json, tempfile
    >>> work = annqc.simulate(["ann"], n_images=3, rng=1).work
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_fiftyone({"work": work}, f"{folder}/work.json")
    ...     samples = json.loads(path.read_text())["samples"]
    >>> len(samples), samples[0]["work"]["_cls"]
    (3, 'Detections')
    """
    sides = list(fields.values())
    sizes_needed(sides, "FiftyOne")
    table = sides[0].image_table
    detections = {name: _detections(side) for name, side in fields.items()}
    names = table.file_name if table.file_name is not None else [None] * len(table)
    samples = []
    for row, id in enumerate(table.id.tolist()):
        name = None if names[row] is None else str(names[row])
        sample: dict[str, Any] = {
            "filepath": name or str(id),
            "tags": [],
            "image_id": id,
        }
        if table.width[row] > 0 and table.height[row] > 0:
            size = {"width": int(table.width[row]), "height": int(table.height[row])}
            sample["metadata"] = {"_cls": "ImageMetadata", **size}
        for field, found in detections.items():
            sample[field] = {"_cls": "Detections", "detections": found.get(row, [])}
        samples.append(sample)
    target = Path(path)
    document = {"name": target.stem, "media_type": "image", "samples": samples}
    try:
        data = msgspec.json.format(msgspec.json.encode(document, enc_hook=_plain), indent=1)
    except (TypeError, UnicodeEncodeError, msgspec.MsgspecError) as error:
        what = "a value cannot be written as JSON"
        raise TableError(what, where=str(path), found=str(error)) from None
    with whole(target) as file:
        file.write(data + b"\n")
    return target


def _detections(dataset: Dataset) -> dict[int, list[dict[str, Any]]]:
    """Return image -> detections."""
    table, images = dataset.table, dataset.image_table
    size = np.stack([images.width, images.height], axis=1)[table.image]
    low, side = table.xyxy[:, :2] / size, (table.xyxy[:, 2:] - table.xyxy[:, :2]) / size
    boxes = np.concatenate([low, side], axis=1).tolist()
    labels = dataset.category_names[table.category].tolist()
    columns: dict[str, list[Any]] = {
        "annotator": dataset.annotator_ids[table.annotator].tolist(),
        "confidence": table.score.tolist(),
    }
    for name, column in table.extra.items():
        columns[_field(name, columns)] = column.tolist()
    found: dict[int, list[dict[str, Any]]] = {}
    for row, image in enumerate(table.image.tolist()):
        given = {name: column[row] for name, column in columns.items()}
        one = {"_cls": "Detection", "tags": [], "label": str(labels[row])}
        more = {k: v for k, v in given.items() if v is not None and not _is_nan(v)}
        found.setdefault(image, []).append({**one, "bounding_box": boxes[row], **more})
    return found


def _field(name: str, others: Collection[str]) -> str:
    """Return what a column is called as a field of a detection; ``others`` are there already."""
    field = name.replace(".", "_").replace("\0", "_")
    while not field or field[0] in _NOT_FIRST or field in _TAKEN or field in others:
        field = f"data_{field}"
    return field


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and isnan(value)


def _plain(value: object) -> object:
    """Turn numpy scalars and arrays inside object columns into what JSON has."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    message = f"{type(value).__name__} {value!r}"
    raise TypeError(message)
