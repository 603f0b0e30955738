"""write: what CVAT XML has for tasks, labels and shapes, as elements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from annqc.errors import TableError
from annqc.geometry.masks import mask_boxes, paint, strips
from annqc.shapes import MASK, POLYGON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from annqc.tables import Array, Dataset

__all__ = ["NUMBERS", "Shaper", "add_labels", "add_task", "attributes_of", "number", "whole_text"]

_SIDES: Final = ("xtl", "ytl", "xbr", "ybr")
_XML: Final = frozenset(("occluded", "z_order", "group_id", "source", "rotation"))
"""Columns that CVAT has as XML attributes; outlines say themselves how they are turned."""
NUMBERS: Final = ("z_order", "group_id")
"""Those of them that are whole numbers; CVAT takes a file with anything else for broken."""


def number(value: float) -> str:
    """Return a number so that reading gives the same again."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def whole_text(value: Any) -> str | None:
    """Return a whole number as text, None for what is none."""
    try:
        return str(int(value)) if float(value).is_integer() else None
    except (TypeError, ValueError):
        return None


def attributes_of(dataset: Dataset, *, annotators: bool) -> dict[str, list[Any]]:
    """Return the columns that CVAT has as attributes of labels, as lists of plain values.

    Parameters
    ----------
    dataset : Dataset
        What is written.
    annotators : bool
        Whether who drew is among them.
    """
    table = dataset.table
    columns: dict[str, Array] = {}
    if annotators:
        columns["annotator"] = dataset.annotator_ids[table.annotator]
    if np.isfinite(table.score).any():
        columns["score"] = table.score
    columns |= {"is_crowd": table.crowd} if table.crowd.any() else {}
    columns |= {"is_ignored": table.ignored} if table.ignored.any() else {}
    for name, one in table.extra.items():
        if name not in _XML or (name in NUMBERS and not _are_whole(one)):
            columns[name] = one
    return {name: one.tolist() for name, one in columns.items()}


def _are_whole(column: Array) -> bool:
    """Whether a column has whole numbers, and gaps."""
    values = [one for one in column.tolist() if one is not None and one == one]  # noqa: PLR0124
    return all(whole_text(one) is not None for one in values)


def add_task(
    parent: Element, tag: str, about: Mapping[str, str], size: tuple[float, float], assignee: str
) -> None:
    """Add a task, with nothing in it that the data do not say.

    Parameters
    ----------
    parent : Element
        Where to.
    tag : str
        ``task``.
    about : mapping of str to str
        Simple elements: name, size, frames.
    size : (width, height)
        Of the frames; NaN where unknown.
    assignee : str
        Whose work it is; empty where it is not one person's.
    """
    task = SubElement(parent, tag)
    for name, text in about.items():
        SubElement(task, name).text = text
    SubElement(SubElement(task, "assignee"), "username").text = assignee
    if np.isfinite(size).all():
        place = SubElement(task, "original_size")
        for name, side in zip(("width", "height"), size, strict=True):
            SubElement(place, name).text = number(side)


def add_labels(parent: Element, names: Iterable[str], columns: Mapping[str, list[Any]]) -> None:
    """Add the labels with the attributes that they have."""
    labels = SubElement(parent, "labels")
    for name in names:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = name
        attributes = SubElement(label, "attributes")
        for column, values in columns.items():
            attribute = SubElement(attributes, "attribute")
            SubElement(attribute, "name").text = column
            SubElement(attribute, "mutable").text = "True"
            SubElement(attribute, "input_type").text = _kind(values)
            SubElement(attribute, "default_value")
            SubElement(attribute, "values")


def _kind(values: list[Any]) -> str:
    """Return what CVAT calls the type of a column."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return "checkbox"
    return "number" if kinds and kinds <= {int, float} else "text"


class Shaper:
    """Writes rows of a dataset as elements.

    Parameters
    ----------
    dataset : Dataset
        What is written.
    columns : mapping of str to list
        Attributes.

    Raises
    ------
    TableError
        A polygon has several rings, and the size of its image is not known.
    """

    def __init__(self, dataset: Dataset, columns: Mapping[str, list[Any]]) -> None:
        self.dataset, self.columns = dataset, columns
        shapes = dataset.table.shapes
        self._shapes = shapes
        self._painted: dict[int, int] = {}
        if shapes is None:
            return
        rings = np.diff(shapes.shape_offsets)
        rows = np.flatnonzero((shapes.kind == POLYGON) & (rings > 1))
        images, image = dataset.image_table, dataset.table.image[rows]
        canvas = np.stack([images.height[image], images.width[image]], axis=1)
        unknown = np.flatnonzero(np.isnan(canvas).any(axis=1))
        if len(unknown):
            what = "a polygon of CVAT has one ring; several are written as a mask, on its image"
            where = f"annotation {dataset.table.id[rows[unknown[0]]]}"
            hint = "give image_sizes= to annqc.read"
            raise TableError(what, where=where, expected="the size of the image", hint=hint)
        self._masks = paint(shapes.take(rows), canvas.astype(np.int64))
        self._painted = {row: k for k, row in enumerate(rows.tolist())}

    def is_mask(self, row: int) -> bool:
        """Whether a row is written as a mask."""
        return row in self._painted or (self._shapes is not None and self._shapes.kind[row] == MASK)

    def add(self, parent: Element, row: int, about: Mapping[str, str]) -> None:
        """Add a row.

        Parameters
        ----------
        parent : Element
            The image or track.
        row : int
            Which annotation.
        about : mapping of str to str
            XML attributes that go before those of the shape.
        """
        extra = self.dataset.table.extra
        occluded = extra["occluded"][row] if "occluded" in extra else None
        given = {**about, "occluded": "1" if occluded in (1, True, "1") else "0"}
        if self.is_mask(row):
            one = SubElement(parent, "mask", {**given, **self._runs(row)})
        elif self._shapes is not None and self._shapes.kind[row] == POLYGON:
            (ring,) = self._shapes.rings(row)
            points = ";".join(f"{number(x)},{number(y)}" for x, y in ring.tolist())
            one = SubElement(parent, "polygon", {**given, "points": points})
        else:
            sides = map(number, self.dataset.table.xyxy[row].tolist())
            one = SubElement(parent, "box", given | dict(zip(_SIDES, sides, strict=True)))
        z_order = whole_text(extra["z_order"][row]) if "z_order" in extra else None
        one.set("z_order", z_order or "0")
        for name, values in self.columns.items():
            value = values[row]
            if value is not None and not (isinstance(value, float) and math.isnan(value)):
                text = str(value).lower() if isinstance(value, bool) else str(value)
                SubElement(one, "attribute", {"name": name}).text = text

    def _runs(self, row: int) -> dict[str, str]:
        """Return a mask as runs row by row in the box around it."""
        at = self._painted.get(row)
        assert self._shapes is not None
        one = self._shapes.take([row]) if at is None else self._masks.take([at])
        left, top, right, bottom = (int(side) for side in mask_boxes(one)[0])
        found = strips(one)
        pixels = np.zeros((bottom - top + 1, right - left), dtype=np.int8)
        np.add.at(pixels, (found.top - top, found.column - left), 1)
        np.subtract.at(pixels, (found.bottom - top, found.column - left), 1)
        flat = np.cumsum(pixels, axis=0)[:-1].ravel()
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        runs = np.diff([0, *changes.tolist(), len(flat)]).tolist()
        text = ", ".join(map(str, [0, *runs] if flat[0] else runs))
        place = (left, top, right - left, bottom - top)
        names = ("left", "top", "width", "height")
        return {"rle": text, **dict(zip(names, map(str, place), strict=True))}
