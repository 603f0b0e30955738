"""The shapes of LabelMe, XML and JSON -> rings, runs and boxes."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.read.maskruns import segments_of
from annqc.read.png import CLEAR, open_png, picture_of
from annqc.read.vertices import VertexError, box_around, ellipse, vertices
from annqc.read.xmltext import number_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    import numpy.typing as npt

    from annqc.read.png import Picture

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["Drawn", "drawn_json", "drawn_xml", "mask_folders"]

_NAN: Final = (math.nan,) * 4
_MOST_PIXELS: Final = 1 << 31


@dataclass(slots=True, eq=False)
class Drawn:
    """One object: its box, NaN where that is the box around the shape; rings, or runs."""

    box: Sequence[float] = _NAN
    rings: list[Floats] = field(default_factory=list)
    runs: Ints | None = None
    canvas: tuple[int, int] = (0, 0)


def drawn_xml(one: Element, label: str, path: Path) -> Drawn:
    """Return the shape of an ``<object>``.

    Parameters
    ----------
    one : Element
        The object.
    label : str
        Its name, for messages.
    path : Path
        Its file: masks are in the folder ``Masks`` beside its folder of annotations.

    Raises
    ------
    VertexError
        There is no shape, or it cannot be read.
    """
    polygons = one.findall("polygon")
    if polygons:
        rings = [_points(polygon) for polygon in polygons]
        rings = [ring for ring in rings if len(ring)]
        if not rings:
            raise VertexError(kind="malformed", message="the polygon has no vertex")
        if (one.findtext("type") or "").strip() == "bounding_box":
            return Drawn(box_around(np.concatenate(rings)))
        return Drawn(rings=rings)
    if one.find("segm") is None:
        raise VertexError(kind="no_geometry", message=f"{label!r} has neither a polygon nor a mask")
    name = (one.findtext("segm/mask") or "").strip()
    file = _mask_file(path, name)
    if file is None:
        message = f"{label!r} is a mask, and the file {name!r} is not in a folder 'Masks' near by"
        raise VertexError(kind="unreadable_mask", message=message)
    try:
        picture = open_png(file)
    except ReadError as error:
        raise VertexError(kind="unreadable_mask", message=f"{name}: {error.what}") from None
    return Drawn(runs=_runs(picture, name), canvas=(picture.height, picture.width))


def drawn_json(one: dict[str, Any], label: str, size: tuple[float, float] | None) -> Drawn:
    """Return one of the ``shapes``.

    Parameters
    ----------
    one : dict
        The shape.
    label : str
        Its label, for messages.
    size : (width, height) or None
        Size of the image.

    Raises
    ------
    VertexError
        It is of a kind without an area, or cannot be read.
    """
    kind = one.get("shape_type") or "polygon"
    given = one.get("points")
    if kind not in ("polygon", "rectangle", "oriented_rectangle", "circle", "mask"):
        message = f"{label!r} is of the type {kind!r:.40}, which is not read"
        raise VertexError(kind="unsupported_shape", message=message)
    if not isinstance(given, list):
        raise VertexError(
            kind="malformed", message=f"expected a list as points, found {given!r:.60}"
        )
    points = vertices(given)
    if kind in ("polygon", "oriented_rectangle"):
        if not len(points):
            raise VertexError(kind="malformed", message="the polygon has no vertex")
        return Drawn(rings=[points])
    if kind == "rectangle" and len(points) in (2, 4):
        return Drawn(box_around(points))
    if len(points) != 2:
        message = f"expected two points of a {kind}, found {len(points)}"
        raise VertexError(kind="malformed", message=message)
    if kind == "circle":
        radius = math.dist(*points.tolist())
        return Drawn(rings=[ellipse(points[0].tolist(), (radius, radius))])
    return _embedded(one.get("mask"), points, size)


def _points(polygon: Element) -> Floats:
    """Return the vertices of a ``<polygon>``."""
    found = []
    for number, point in enumerate(polygon.findall("pt"), start=1):
        texts = [point.findtext(axis) for axis in "xy"]
        pair = [number_or_none(text) for text in texts]
        if None in pair:
            what = next(t for t, value in zip(texts, pair, strict=True) if value is None)
            message = f"vertex {number}: expected a number, found {what!r:.60}"
            raise VertexError(kind="malformed", message=message)
        found.append(pair)
    return vertices(found)


def _mask_file(path: Path, name: str) -> Path | None:
    """Return where the mask of an object lies, None where it is not there."""
    if not name or "/" in name or "\\" in name or name.startswith("."):
        return None
    files = (folder / name for folder in mask_folders(path))
    return next((file for file in files if file.is_file()), None)


def mask_folders(path: Path) -> list[Path]:
    """Return where the masks of an XML file may lie: ``Masks`` stands beside ``Annotations``."""
    below = path.absolute().parent
    places = ((below, ""), (below.parent, ""), (below.parent.parent, below.name))
    return [base / "Masks" / inner for base, inner in places]


def _embedded(text: Any, corners: Floats, size: tuple[float, float] | None) -> Drawn:
    """Return a mask that stands in the JSON: a PNG of the box, placed on the image."""
    kind = "unreadable_mask"
    if not isinstance(text, str):
        raise VertexError(kind, "the mask is not there")
    if size is None or size[0] * size[1] > _MOST_PIXELS:
        raise VertexError(kind, "the size of the image is not known, or too large for a mask")
    try:
        picture = picture_of(base64.b64decode(text, validate=True), "mask")
    except (binascii.Error, ValueError) as error:
        why = error.what if isinstance(error, ReadError) else "it is no base64 text"
        raise VertexError(kind, f"the mask cannot be read: {why}") from None
    left, top = (round(value) for value in corners.min(axis=0).tolist())
    width, height = int(size[0]), int(size[1])
    fits = 0 <= left <= width - picture.width and 0 <= top <= height - picture.height
    if not fits:
        raise VertexError(kind="canvas_mismatch", message="the mask sticks out of its image")
    runs = _runs(picture, "the mask")
    return Drawn(runs=_placed(runs, picture, left, top, (height, width)), canvas=(height, width))


def _runs(picture: Picture, name: str) -> Ints:
    """Return the runs of everything in a mask that is not background."""
    segments = segments_of(picture)
    if segments is None:
        raise VertexError(kind="unreadable_mask", message=f"{name} is a picture and no mask")
    lit = [k for k, value in enumerate(segments.values) if value not in (0, CLEAR)]
    if not lit:
        raise VertexError(kind="empty_mask", message=f"{name} has no pixel of an object")
    return segments.runs(lit)


def _placed(runs: Ints, picture: Picture, left: int, top: int, canvas: tuple[int, int]) -> Ints:
    """Return runs on a small canvas as runs on a larger one."""
    edges = np.cumsum(runs)
    first, last = edges[0:-1:2], edges[1::2]
    # A run that goes on in the next column of the small canvas is two in the large one.
    columns = first // picture.height, (last - 1) // picture.height
    n = columns[1] - columns[0] + 1
    of = np.repeat(np.arange(len(first)), n)
    column = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n) + columns[0][of]
    start = np.maximum(first[of], column * picture.height) - column * picture.height
    end = np.minimum(last[of], (column + 1) * picture.height) - column * picture.height
    base = (column + left) * canvas[0] + top
    starts, ends = base + start, base + end
    apart = starts[1:] != ends[:-1]
    starts, ends = starts[np.append(True, apart)], ends[np.append(apart, True)]
    placed = np.empty(2 * len(starts) + 1, dtype=np.int64)
    placed[0], placed[1::2], placed[2::2] = 0, starts, ends
    rest = canvas[0] * canvas[1] - int(ends[-1])
    lengths = np.diff(placed)
    return np.append(lengths, rest) if rest else lengths
