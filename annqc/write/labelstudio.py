"""write: Label Studio tasks, as JSON that its import takes."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from annqc.errors import TableError
from annqc.shapes import POLYGON
from annqc.write.sizes import sizes_needed
from annqc.write.whole import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from annqc.tables import Array, Dataset

__all__ = ["write_label_studio"]

FROM: Final = {"rectanglelabels": "label", "polygonlabels": "outline"}
TO: Final = "image"
"""What the tags of the labelling configuration are called; no two may have the same name."""


def write_label_studio(
    dataset: Dataset,
    path: str | os.PathLike[str],
    *,
    suggestions: Dataset | None = None,
    images: Sequence[str | None] | None = None,
) -> Path:
    """Write a dataset as Label Studio tasks, which `annqc.read` reads back.

    Parameters
    ----------
    dataset : Dataset
        What was drawn: each annotator's boxes on an image are one annotation of its task.
    path : str or path
        The file; its folder must exist. It appears whole or not at all.
    suggestions : Dataset, optional
        What should rather be there, on the same images: the predictions of the tasks.
    images : sequence of str or None, optional
        Where the image of each row of the image table is; its file name, or id, if not given.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TableError
        The size of an image is not known, or a value cannot be written as JSON.

    Notes
    -----
    Coordinates are percent of the image. Label Studio refuses what is beyond it, so that boxes and
    outlines are cut off at its border. Polygons of one ring are ``polygonlabels``, by the control
    ``outline``; everything else is ``rectanglelabels``, by the control ``label``. Both are about
    the object ``image``. Other columns are the ``meta`` of a region. Who drew stands under
    ``annotator``, which Label Studio passes over: it refuses names that are not those of its users
    as ``completed_by``.

    Examples
    --------
    >>> import annqc, tempfile
    >>> work = annqc.simulate(["ann", "bob"], n_images=3, rng=1).work
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = annqc.read(write_label_studio(work, f"{folder}/work.json"))
    >>> len(again) == len(work), again.annotator_ids.tolist()
    (True, ['ann', 'bob'])
    """
    table = dataset.image_table
    sizes_needed([dataset, *([] if suggestions is None else [suggestions])], "Label Studio")
    drawn = _results(dataset)
    should = {} if suggestions is None else _results(suggestions, prefix="suggestion-")
    names = table.file_name if table.file_name is not None else [None] * len(table)
    tasks = []
    for row, id in enumerate(table.id.tolist()):
        name = None if names[row] is None else str(names[row])
        about: dict[str, Any] = {
            "image": (None if images is None else images[row]) or name or str(id)
        }
        about |= {"image_id": id} | ({} if name is None else {"file_name": name})
        if table.sequence is not None and table.frame is not None:
            about |= {"sequence": table.sequence[row], "frame": int(table.frame[row])}
        annotations = [
            {"annotator": who, "was_cancelled": False, "ground_truth": False, "result": result}
            for (image, who), result in drawn.get(row, {}).items()
        ]
        predictions = [
            {"model_version": str(who), "result": result}
            for (image, who), result in should.get(row, {}).items()
        ]
        tasks.append(
            {"id": row + 1, "data": about, "annotations": annotations, "predictions": predictions}
        )
    try:
        data = msgspec.json.format(msgspec.json.encode(tasks, enc_hook=_plain), indent=1)
    except (TypeError, UnicodeEncodeError, msgspec.MsgspecError) as error:
        what = "a value cannot be written as JSON"
        raise TableError(what, where=str(path), found=str(error)) from None
    target = Path(path)
    with whole(target) as file:
        file.write(data + b"\n")
    return target


def _results(
    dataset: Dataset, *, prefix: str = ""
) -> dict[int, dict[tuple[int, Any], list[dict[str, Any]]]]:
    """Return image -> (image, annotator) -> regions."""
    table, images = dataset.table, dataset.image_table
    size = np.stack([images.width, images.height], axis=1)[table.image]
    percent = np.clip(100.0 * table.xyxy / np.tile(size, 2), 0.0, 100.0)
    extra = _extras(table.extra)
    score = table.score.tolist()
    labels = dataset.category_names[table.category].tolist()
    who = dataset.annotator_ids[table.annotator].tolist()
    found: dict[int, dict[tuple[int, Any], list[dict[str, Any]]]] = {}
    rows = zip(table.image.tolist(), percent.tolist(), table.id.tolist(), strict=True)
    for row, (image, (left, top, right, bottom), id) in enumerate(rows):
        value: dict[str, Any] = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        value["rotation"], kind = 0, "rectanglelabels"
        shapes = table.shapes
        if shapes is not None and shapes.kind[row] == POLYGON and len(shapes.rings(row)) == 1:
            points = np.clip(100.0 * shapes.rings(row)[0] / size[row], 0.0, 100.0)
            value, kind = {"points": points.tolist(), "closed": True}, "polygonlabels"
        region: dict[str, Any] = {
            "id": f"{prefix}{id}",
            "type": kind,
            "from_name": FROM[kind],
            "to_name": TO,
            "original_width": _number(size[row, 0]),
            "original_height": _number(size[row, 1]),
            "image_rotation": 0,
            "value": value | {kind: [str(labels[row])]},
        }
        if not _is_nan(score[row]):
            region["score"] = score[row]
        meta = {name: column[row] for name, column in extra.items() if column[row] is not None}
        if meta:
            region["meta"] = meta
        found.setdefault(image, {}).setdefault((image, who[row]), []).append(region)
    return found


def _extras(extra: dict[str, Array]) -> dict[str, list[Any]]:
    """Return other columns as lists; ``text`` as Label Studio has it, a list of its own."""
    columns: dict[str, list[Any]] = {}
    for name, column in extra.items():
        values = [None if _is_nan(one) else one for one in column.tolist()]
        columns[name] = [[one] if name == "text" and one is not None else one for one in values]
    return columns


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and isnan(value)


def _plain(value: object) -> object:
    """Turn numpy scalars and arrays inside object columns into what JSON has."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    message = f"{type(value).__name__} {value!r}"
    raise TypeError(message)
