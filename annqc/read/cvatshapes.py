"""The shapes of CVAT XML -> numbers that can be interpolated, and those -> boxes, rings, runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.read.vertices import VertexError, ellipse, vertices
from annqc.read.xmltext import number_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["SHAPES", "Drawn", "Geometry", "between", "drawn", "geometry_of"]

SHAPES: Final = frozenset(
    ("box", "polygon", "ellipse", "mask", "polyline", "points", "cuboid", "skeleton", "tag")
)
"""What can stand in an image or a track; the first four have an area."""

_NAN: Final = (math.nan,) * 4
_SIDES: Final = ("xtl", "ytl", "xbr", "ybr")
_AXES: Final = ("cx", "cy", "rx", "ry")
_PLACE: Final = ("left", "top", "width", "height")
_MOST_PIXELS: Final = 1 << 28


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A shape as CVAT has it.

    Attributes
    ----------
    kind : str
        ``box``, ``polygon``, ``ellipse`` or ``mask``.
    numbers : (k,) float64
        Corners, vertices end to end, or centre and half axes; of a mask left, top, width, height.
    rotation : float
        Degrees clockwise on screen, around the centre.
    runs : (r,) int64 or None
        Runs of a mask, row by row, the first of zeros.
    """

    kind: str
    numbers: Floats
    rotation: float = 0.0
    runs: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A shape in continuous pixels: a box, NaN where that is the one around the outline."""

    box: Sequence[float] = _NAN
    rings: tuple[Floats, ...] = ()
    runs: Ints | None = None
    canvas: tuple[int, int] = (0, 0)


def geometry_of(one: Element, label: str) -> Geometry:
    """Return the numbers of a shape.

    Parameters
    ----------
    one : Element
        The shape.
    label : str
        Its label.

    Raises
    ------
    VertexError
        It is of a kind without an area, has no label, or a number is none.
    """
    if not label:
        raise VertexError(kind="malformed", message="there is no label")
    if one.tag == "tag":
        raise VertexError(kind="no_geometry", message="it is a tag of the whole image")
    if one.tag not in ("box", "polygon", "ellipse", "mask"):
        message = f"it is of the kind {one.tag!r:.40}, which is not read"
        raise VertexError(kind="unsupported_shape", message=message)
    rotation = 0.0 if one.get("rotation") is None else _numbers(one, ("rotation",))[0]
    if not math.isfinite(rotation):
        raise VertexError(kind="non_finite", message="the rotation is not finite")
    if one.tag == "box":
        return Geometry("box", np.array(_numbers(one, _SIDES)), rotation)
    if one.tag == "ellipse":
        numbers = _numbers(one, _AXES)
        if not np.isfinite(numbers).all():
            raise VertexError(
                kind="non_finite", message="a coordinate of the ellipse is not finite"
            )
        if min(numbers[2:]) < 0:
            message = f"expected half axes above 0, found {min(numbers[2:]):g}"
            raise VertexError(kind="negative_size", message=message)
        return Geometry("ellipse", np.array(numbers), rotation)
    if one.tag == "polygon":
        return Geometry("polygon", _points(one.get("points")).ravel())
    return _mask(one)


def between(first: Geometry, second: Geometry, part: float) -> Geometry:
    """Return the shape on the way from one to another.

    Numbers go straight, and rotations the shorter way round. A polygon with another number of
    vertices, another kind of shape and a mask stay as the first is.

    Parameters
    ----------
    first, second : Geometry
        Shapes of two frames.
    part : float
        How much of the way: 0 is the first, 1 the second.

    Examples
    --------
    >>> one, two = (Geometry("box", np.array([x, 0.0, x + 4, 2])) for x in (0.0, 8))
    >>> between(one, two, 0.25).numbers.tolist()
    [2.0, 0.0, 6.0, 2.0]
    """
    same = first.kind == second.kind and len(first.numbers) == len(second.numbers)
    if not same or first.kind == "mask":
        return first
    turn = (second.rotation - first.rotation + 180) % 360 - 180
    with np.errstate(invalid="ignore", over="ignore"):  # the checks find what is not finite
        numbers = first.numbers + (second.numbers - first.numbers) * part
    return Geometry(first.kind, numbers, (first.rotation + turn * part) % 360)


def drawn(shape: Geometry, size: tuple[float, float] | None) -> Drawn:
    """Return a shape in continuous pixels.

    Parameters
    ----------
    shape : Geometry
        The shape.
    size : (width, height) or None
        Size of its image: the canvas of a mask.

    Raises
    ------
    VertexError
        A mask cannot be placed on its image.
    """
    if shape.kind == "mask":
        return _placed(shape, size)
    numbers = shape.numbers.tolist()
    if shape.kind == "polygon":
        return Drawn(rings=(shape.numbers.reshape(-1, 2),))
    if shape.kind == "ellipse":
        turn = math.radians(shape.rotation)
        return Drawn(rings=(ellipse(numbers[:2], numbers[2:], turn),))
    if not shape.rotation % 360 or not np.isfinite(numbers).all():
        return Drawn(box=numbers)
    return Drawn(rings=(_turned(numbers, math.radians(shape.rotation)),))


def _turned(sides: Sequence[float], angle: float) -> Floats:
    """Return the corners of a box that is turned around its centre."""
    x1, y1, x2, y2 = sides
    cos, sin = math.cos(angle), math.sin(angle)
    with np.errstate(invalid="ignore", over="ignore"):  # the checks find what is not finite
        centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
        corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]) - centre
        return np.asarray(corners @ np.array([[cos, sin], [-sin, cos]]) + centre)


def _numbers(one: Element, names: Sequence[str]) -> list[float]:
    """Return attributes that are numbers."""
    absent = [name for name in names if one.get(name) is None]
    if absent:
        message = f"the {one.tag} has no " + ", ".join(absent)
        raise VertexError(kind="malformed", message=message)
    found = [number_or_none(one.get(name)) for name in names]
    for name, value in zip(names, found, strict=True):
        if value is None:
            message = f"expected a number as {name}, found {one.get(name)!r:.60}"
            raise VertexError(kind="malformed", message=message)
    return [value for value in found if value is not None]


def _points(text: str | None) -> Floats:
    """Return the vertices in ``x,y;x,y``."""
    pairs: list[list[Any]] = []
    for pair in (text or "").split(";") if (text or "").strip() else ():
        values = [number_or_none(value) for value in pair.split(",")]
        if None in values or len(values) != 2:
            message = f"vertex {len(pairs) + 1}: expected x,y, found {pair!r:.60}"
            raise VertexError(kind="malformed", message=message)
        pairs.append(values)
    if not pairs:
        raise VertexError(kind="malformed", message="the polygon has no vertex")
    return vertices(pairs)


def _mask(one: Element) -> Geometry:
    """Return a mask: runs in a part of the image."""
    place = _numbers(one, _PLACE)
    text = one.get("rle")
    if text is None:
        raise VertexError(kind="malformed", message="the mask has no rle")
    try:
        runs = np.array([int(run) for run in text.split(",") if run.strip()], dtype=np.int64)
    except (ValueError, OverflowError):
        message = f"expected run lengths, found {text!r:.60}"
        raise VertexError(kind="broken_rle", message=message) from None
    if not all(value.is_integer() and abs(value) < _MOST_PIXELS for value in place):
        message = f"expected whole numbers as its place, found {place}"
        raise VertexError(kind="malformed", message=message)
    if min(place[2:]) <= 0 or place[2] * place[3] > _MOST_PIXELS:
        message = f"expected a width and a height, found {place[2]:g} and {place[3]:g}"
        raise VertexError(kind="broken_rle", message=message)
    if (runs < 0).any() or int(runs.sum()) != place[2] * place[3]:
        expected = f"{place[2]:g} x {place[3]:g} = {place[2] * place[3]:g} pixels"
        message = f"expected runs over {expected}, found {int(runs.sum())}"
        raise VertexError(kind="broken_rle", message=message)
    return Geometry("mask", np.array(place), runs=runs)


def _placed(shape: Geometry, size: tuple[float, float] | None) -> Drawn:
    """Return a mask on the canvas of its image, column by column."""
    from annqc.geometry.masks import runs_of_mask, runs_of_strips, strips
    from annqc.tables import Shapes

    assert shape.runs is not None
    left, top, width, height = (int(value) for value in shape.numbers.tolist())
    if size is None or size[0] * size[1] > _MOST_PIXELS:
        kind = "unreadable_mask"
        raise VertexError(kind, "the size of the image is not known, or too large for a mask")
    canvas = int(size[1]), int(size[0])
    if left < 0 or top < 0 or left + width > canvas[1] or top + height > canvas[0]:
        raise VertexError(kind="canvas_mismatch", message="the mask sticks out of its image")
    lit = np.repeat(np.arange(len(shape.runs)) % 2 == 1, shape.runs)
    if not lit.any():
        raise VertexError(kind="empty_mask", message="no pixel is set")
    small = runs_of_mask(lit.reshape(height, width))
    found = strips(Shapes.from_runs([small], [(height, width)]))
    runs = runs_of_strips(found.column + left, found.top + top, found.bottom + top, canvas)
    return Drawn(runs=runs, canvas=canvas)
