"""report: drawings to scale: the bias box of an annotator, and single pairs of boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.report.html.texts import MARKS, interval, number
from annqc.report.words import EDGE_NAMES
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.report.view import View
    from annqc.tables import Floats

__all__ = ["BiasBox", "Rect", "Side", "bias_box"]

SIDE: Final = 200.0
"""Longer side of the reference box in a drawing."""
ROOM: Final = (150.0, 100.0)
"""Room around the reference box, across and down."""
REACH: Final = 70.0
"""How far from the reference an edge may go in a drawing; farther ones are cut there."""
GAP: Final = 9.0
"""From an edge or its band to its label."""
LETTER: Final = 8.0
"""Width of a letter of a label, on average."""
ZOOMS: Final = (20.0, 10.0, 5.0, 2.0, 1.0)
VISIBLE: Final = 40.0
"""Offsets are drawn larger by the most that keeps all of them within so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """A rectangle in a drawing."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One edge: where it is drawn, the band of its interval, and what is written beside it."""

    name: str
    verdict: str
    mark: str
    line: tuple[float, float, float, float]
    band: Rect | None
    label: str
    at: tuple[float, float]
    anchor: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasBox:
    """The median gold box of an annotator, and the edges as they draw them on average."""

    width: float
    height: float
    gold: Rect
    sides: tuple[Side, ...]
    zoom: float
    cut: bool
    size: str


def bias_box(view: View, group: int, sides: Floats) -> BiasBox | None:
    """Lay out the bias box of a group.

    Parameters
    ----------
    view : View
        Findings.
    group : int
        Row of the view.
    sides : (n, 2) float64
        Width and height of the gold boxes that were compared, in pixels.

    Returns
    -------
    BiasBox or None
        None where no edge has an estimate.

    Notes
    -----
    The box is the median gold box. Where offsets are small beside it they are drawn larger by a
    factor, the same for all edges, that the page tells.
    """
    estimates = [view.estimate(group, k, "px") for k in range(len(EDGES))]
    known = [abs(one[0]) for one in estimates if np.isfinite(one[0])]
    if not len(sides) or not known:
        return None
    median = np.median(sides, axis=0)
    scale = SIDE / float(median.max())
    width, height = (float(side) * scale for side in median)
    zoom = next((z for z in ZOOMS if z * scale * max(known) <= VISIBLE), 1.0)
    per_px = scale * zoom
    gold = Rect(x=ROOM[0], y=ROOM[1], width=width, height=height)
    drawn = [_reached(per_px * value) if np.isfinite(value) else 0.0 for value, _, _ in estimates]
    left, top = gold.x - drawn[0], gold.y - drawn[1]
    right, bottom = gold.x + width + drawn[2], gold.y + height + drawn[3]
    lines = (
        (left, top, left, bottom),
        (left, top, right, top),
        (right, top, right, bottom),
        (left, bottom, right, bottom),
    )
    found = []
    for k, name in enumerate(EDGES):
        value, low, high = estimates[k]
        verdict = str(view.columns["verdict"][group, k]) if np.isfinite(value) else "too_few"
        ends = interval(low, high)
        label = f"{MARKS.get(verdict, MARKS['too_few'])} {number(value, sign=True)} px"
        outermost = _reached(per_px * high) if ends else 0.0
        at, anchor = _label_place(k, gold, max(drawn[k], outermost, 0.0), label)
        found.append(
            Side(
                name=name,
                verdict=verdict,
                mark=MARKS.get(verdict, MARKS["too_few"]),
                line=lines[k],
                band=_band(k, gold, per_px * low, per_px * high) if ends else None,
                label=f"{number(value, sign=True)} px",
                at=at,
                anchor=anchor,
                said=f"{EDGE_NAMES[k]} {number(value, sign=True)} px"
                f"{f', {ends}' if ends else ''}, {verdict.replace('_', ' ')}",
            )
        )
    beyond = [abs(per_px * one) > REACH for three in estimates for one in three if np.isfinite(one)]
    return BiasBox(
        width=width + 2 * ROOM[0],
        height=height + 2 * ROOM[1],
        gold=gold,
        sides=tuple(found),
        zoom=zoom,
        cut=any(beyond),
        size=f"{median[0]:,.0f} by {median[1]:,.0f} px",
    )


def _reached(length: float) -> float:
    return float(np.clip(length, -REACH, REACH))


def _band(edge: int, gold: Rect, low: float, high: float) -> Rect:
    """Place the interval of an edge; positive is outward."""
    inner, outer = _reached(low), _reached(high)
    thick = max(1.0, outer - inner)
    if edge == 0:
        return Rect(x=gold.x - outer, y=gold.y, width=thick, height=gold.height)
    if edge == 1:
        return Rect(x=gold.x, y=gold.y - outer, width=gold.width, height=thick)
    if edge == 2:
        return Rect(x=gold.x + gold.width + inner, y=gold.y, width=thick, height=gold.height)
    return Rect(x=gold.x, y=gold.y + gold.height + inner, width=gold.width, height=thick)


def _label_place(edge: int, gold: Rect, out: float, label: str) -> tuple[tuple[float, float], str]:
    """Place a label beyond an edge and its band, as far as there is room for it."""
    across, down = gold.x + gold.width / 2, gold.y + gold.height / 2 + 5
    aside = min(out + GAP, ROOM[0] - LETTER * len(label))
    return (
        ((gold.x - aside, down), "end"),
        ((across, gold.y - out - GAP), "middle"),
        ((gold.x + gold.width + aside, down), "start"),
        ((across, gold.y + gold.height + out + GAP + 11), "middle"),
    )[edge]
