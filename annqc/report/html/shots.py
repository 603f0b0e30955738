"""report: one annotation to scale: the window around it, the outlines, and the edges' offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.neighbours import edges_within
from annqc.report.html.pictures import SHORT
from annqc.report.html.texts import number
from annqc.shapes import MASK
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.html.crops import Crop
    from annqc.tables import Array, Bools, Floats, Shapes

__all__ = ["Drawing", "Label", "lay_out", "outline", "window_of"]

LONG: Final = 210.0
"""Longer side of a drawing over its picture, without the room for labels."""
MARGIN: Final = 0.22
"""Room around what is drawn, as a share of its longer side, where there is a picture."""
TIGHT: Final = 0.03
LEAST_MARGIN: Final = 6.0
LEAST_SIDE: Final = 32.0
"""A window shows so many pixels at least."""
WIDEST: Final = 1.6
"""Longer side of a window by its shorter one, at most."""
ROOM: Final = (150.0, 22.0)
"""Room for labels around a drawing, across (at most) and down."""
LITTLE: Final = (40.0, 22.0)
GAP: Final = 7.0
"""From an edge to its label."""
LETTER: Final = 7.0
"""Width of a letter of a label, on average."""
HIGH: Final = 13.0
ANCHORS: Final = ("end", "start")
SMALL: Final = 170.0
"""The same of a drawing without picture."""
FINE: Final = 0.4
"""How far a simplified outline may be off, in units of the drawing."""
MOST_POINTS: Final = 150
MOST_CELLS: Final = 64_000_000
"""What covers more of its canvas is not traced: the box stands for the mask."""
FINEST: Final = 8
"""A pixel of a small mask is traced as so many across."""
ENOUGH_CELLS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word beside an edge; ``aside`` where it did not enter the offsets."""

    x: float
    y: float
    anchor: str
    text: str
    aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing, in units of its own.

    Attributes
    ----------
    width, height : float
        Of the drawing.
    gold, drawn : str
        Paths of SVG; empty where there is none.
    labels : tuple of Label
        Offsets of edges.
    frame : str
        Path of the image's border, where its size is known.
    near : (str, str)
        Paths of other gold, and of what else the person drew.
    crop : (str, float, float, float, float) or None
        Path of a file in the report, and x, y, width and height of the picture.
    coarse : bool
        Whether pixels of the image are drawn so large that they are to be seen as such.
    """

    width: float
    height: float
    gold: str
    drawn: str
    labels: tuple[Label, ...]
    frame: str
    near: tuple[str, str]
    crop: tuple[str, float, float, float, float] | None
    coarse: bool


def window_of(boxes: Floats, *, tight: bool = False) -> Floats:
    """Return the part of the image to show: what was drawn, with room around it.

    Parameters
    ----------
    boxes : (n, 4) float64
        xyxy in pixels.
    tight : bool
        Leave little room, for a drawing without picture.

    Returns
    -------
    (4,) float64
        xyxy; if not tight, at most 1.6 times as wide as high, or as high as wide.

    Examples
    --------
    >>> window_of(np.array([[100.0, 100, 200, 200]])).tolist()
    [78.0, 78.0, 222.0, 222.0]
    """
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    size = high - low
    longer = float(size.max())
    if tight:
        room = TIGHT * max(longer, 1.0)
        return np.concatenate([low - room, high + room])
    size = np.maximum(size + 2 * max(LEAST_MARGIN, MARGIN * longer), LEAST_SIDE)
    size = np.maximum(size, size.max() / WIDEST)
    middle = (low + high) / 2
    return np.concatenate([middle - size / 2, middle + size / 2])


def lay_out(
    window: Floats,
    gold: list[Floats] | None,
    drawn: list[Floats] | None,
    *,
    boxes: tuple[Floats, Floats] | None = None,
    offsets: Floats | None = None,
    counted: Bools | None = None,
    crop: Crop | None = None,
    size: tuple[float, float] = (np.nan, np.nan),
    near: tuple[Floats, Floats] | None = None,
    most: int = MOST_POINTS,
) -> Drawing:
    """Draw an annotation to scale.

    Parameters
    ----------
    window : (4,) float64
        From `window_of`.
    gold, drawn : list of (k, 2) float64, optional
        Rings in pixels of the image, from `outline`.
    boxes : ((4,), (4,)) float64, optional
        Boxes of gold and work, whose edges are labelled.
    offsets : (4,) float64, optional
        What the labels say, in pixels; NaN for none.
    counted : (4,) bool, optional
        Which of them entered the offsets of the person; all, if not given.
    crop : Crop, optional
        The picture behind it; labels stand around it, never on it.
    size : (float, float)
        Width and height of the image, NaN where unknown.
    near : ((k, 4), (l, 4)) float64, optional
        Other boxes, of gold and of the work.
    most : int
        Vertices of an outline at most; more are simplified.
    """
    x0, y0, x1, y1 = (float(one) for one in window)
    scale = (SMALL if crop is None else LONG) / max(x1 - x0, y1 - y0)
    texts = [""] * len(EDGES)
    if offsets is not None:
        counted = np.ones(len(EDGES), dtype=bool) if counted is None else counted
        texts = _label_texts(offsets, counted)
    wide = np.array([LETTER * len(texts[k]) + GAP if texts[k] else 0.0 for k in (0, 2)])
    room = LITTLE if crop is None else (0.0, 0.0)
    if any(texts):
        room = (min(float(wide.max()), ROOM[0]), ROOM[1])

    def moved(points: Floats) -> Floats:
        return (points - [x0, y0]) * scale + room

    def edges(several: Floats) -> str:
        lines = moved(edges_within(several, window).reshape(-1, 2)).reshape(-1, 4).tolist()
        return "".join(f"M{a:.1f},{b:.1f} {c:.1f},{d:.1f}" for a, b, c, d in lines)

    border = edges(np.array([[0.0, 0.0, *size]])) if np.isfinite(size).all() else ""
    picture = None
    if crop is not None:
        corners = np.array([[crop.left, crop.top], [crop.right, crop.bottom]], dtype=np.float64)
        (left, top), (right, bottom) = moved(corners).tolist()
        picture = (crop.path, left, top, right - left, bottom - top)
    labels: tuple[Label, ...] = ()
    if boxes is not None and counted is not None:
        both = [moved(one.reshape(2, 2)).ravel() for one in boxes]
        clear = None if crop is None else moved(window.reshape(2, 2)).ravel()
        corner = ((x1 - x0) * scale + 2 * room[0], (y1 - y0) * scale + 2 * room[1])
        labels = _labels(both, texts, counted, corner, clear)
    return Drawing(
        width=(x1 - x0) * scale + 2 * room[0],
        height=(y1 - y0) * scale + 2 * room[1],
        gold="" if gold is None else _path([moved(one) for one in gold], most),
        drawn="" if drawn is None else _path([moved(one) for one in drawn], most),
        labels=labels,
        frame=border,
        near=("", "") if near is None else (edges(near[0]), edges(near[1])),
        crop=picture,
        coarse=scale >= 3,
    )


def outline(box: Floats, shapes: Shapes | None, row: int) -> list[Floats]:
    """Return the rings of an annotation, in pixels: its outline, or else its box.

    Parameters
    ----------
    box : (4,) float64
        xyxy.
    shapes : Shapes, optional
        Outlines of the side that it is on.
    row : int
        Which annotation.
    """
    x1, y1, x2, y2 = box.tolist()
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    if shapes is None:
        return [corners]
    rings = _mask_rings(shapes, row) if shapes.kind[row] == MASK else shapes.rings(row)
    return rings or [corners]


def _mask_rings(shapes: Shapes, row: int) -> list[Floats]:
    """Trace a mask along the borders of its pixels."""
    import cv2

    height = int(shapes.canvas[row, 0])
    runs = shapes.runs_of(row)
    ends = np.cumsum(runs)
    starts, stops = (ends - runs)[1::2], ends[1::2]
    some = stops > starts
    starts, stops = starts[some], stops[some]
    if not len(starts):
        return []
    left, right = int(starts[0]) // height, (int(stops[-1]) - 1) // height + 1
    if (right - left) * height > MOST_CELLS:
        return []
    flips = np.zeros((right - left) * height + 1, dtype=np.int8)
    np.add.at(flips, starts - left * height, 1)
    np.add.at(flips, stops - left * height, -1)
    mask = np.cumsum(flips[:-1], dtype=np.int8).reshape(right - left, height).T
    rows = np.flatnonzero(mask.any(axis=1))
    top = int(rows[0])
    part: Any = np.ascontiguousarray(mask[top : int(rows[-1]) + 1]).astype(np.uint8)
    # Where it is small each pixel becomes several: contours go through the middles of pixels.
    fine = int(np.clip(np.sqrt(ENOUGH_CELLS / part.size), 1, FINEST))
    grown = np.pad(np.kron(part, np.ones((fine, fine), dtype=np.uint8)), 1)
    rings, _ = cv2.findContours(grown, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [(ring[:, 0] - 0.5) / fine + [left, top] for ring in rings]


def _path(rings: list[Array], most: int) -> str:
    """Write rings as a path of SVG, with no more vertices than that."""
    import cv2

    step = FINE
    total = sum(len(one) for one in rings)
    while total > most and step < LONG:
        rings = [
            cv2.approxPolyDP(one.astype(np.float32).reshape(-1, 1, 2), step, closed=True)[:, 0]
            for one in rings
        ]
        total = sum(len(one) for one in rings)
        if total > most:
            rings = [one for one in rings if len(one) > 2] or rings
            step *= 2
    said = []
    for one in rings:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in one.tolist())
        said.append(f"M{points}Z")
    return "".join(said)


def _label_texts(offsets: Floats, counted: Bools) -> list[str]:
    """Say how far each edge is out, in brackets what did not count; nothing where that is NaN."""
    found = []
    for name, value, inside in zip(EDGES, offsets.tolist(), counted.tolist(), strict=True):
        text = f"{SHORT[name]} {number(value, sign=True)}"
        found.append("" if np.isnan(value) else text if inside else f"({text})")
    return found


def _labels(
    boxes: Sequence[Floats],
    texts: Sequence[str],
    counted: Bools,
    corner: tuple[float, float],
    clear: Floats | None,
) -> tuple[Label, ...]:
    """Place what is said of each edge beside it, all of it inside of the drawing.

    What does not fit beside an edge stands on its other side, in the box. Where there is a picture,
    which is to be kept ``clear``, labels stand beside that: it may have lines anywhere.
    """
    low, high = np.minimum(*boxes), np.maximum(*boxes)
    if clear is not None:
        low, high = clear, clear
    across, down = (float(one) for one in (boxes[0][:2] + boxes[0][2:]) / 2)
    half = float(low[2] - high[0]) / 2  # of what is free between the left and the right edge
    found = []
    for k, text in enumerate(texts):
        if not text:
            continue
        wide = LETTER * len(text)
        if k % 2:
            y = float(low[1]) - GAP if k == 1 else float(high[3]) + GAP + 10
            y = min(max(y, HIGH), corner[1] - 4)
            at, anchor = across, "middle"
            at = min(max(at, wide / 2), corner[0] - wide / 2)
        else:
            y, side = down + 4, -1.0 if k == 0 else 1.0
            at, anchor = float(low[0] if k == 0 else high[2]) + side * GAP, ANCHORS[k == 2]
            if not 0 <= at + side * wide <= corner[0] and wide + 2 * GAP <= half:
                at = float(high[0] if k == 0 else low[2]) - side * GAP
                anchor = ANCHORS[k == 0]
            elif k == 0:
                at = max(at, wide)
            else:
                at = min(at, corner[0] - wide)
        found.append(Label(x=at, y=y, anchor=anchor, text=text, aside=not bool(counted[k])))
    return tuple(found)
