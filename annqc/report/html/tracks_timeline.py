"""report: a line of time: when objects are there, when they were drawn, what happens to them.

What is too short or too much for the picture is counted, for the page to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.pictures import axis_of, figure_of
from annqc.report.html.texts import plot_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.html.pictures import Figure
    from annqc.tables import Bools, Ints

__all__ = [
    "MOST_MARKS",
    "MOST_STRETCHES",
    "Lane",
    "frames_text",
    "merged_stretches",
    "runs_of",
    "timeline",
]

MOST_STRETCHES: Final = 400
"""Stretches of one kind, over all rows."""
MOST_MARKS: Final = 300
MOST_TOLD: Final = 12
"""Stretches of one row in the numbers."""
LANE: Final = 30
GOLD: Final = "#8A8F96"
DRAWN: Final = "#56B4E9"
HOLD: Final = "#E69F00"
SYMBOLS: Final = {
    "jump": "x",
    "cut": "line-ns-open",
    "id_switch": "diamond",
    "id_swap": "diamond-open",
    "category_flip": "star",
    "duplicate_id": "square-open",
    "merged_tracks": "triangle-up-open",
}
"""Events that are a mark at one frame; all others are stretches."""
HELD: Final = ("frozen",)
BEYOND: Final = ("early_start", "late_end")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Lane:
    """A row of a line of time.

    Attributes
    ----------
    name : str
        What the track is called.
    gold, drawn : list of (int, int)
        First and last frame of each stretch.
    events : list of dict
        ``kind, first, last, text``.
    """

    name: str
    gold: list[tuple[int, int]]
    drawn: list[tuple[int, int]]
    events: list[dict[str, Any]]


def runs_of(frame: Ints, there: Bools) -> list[tuple[int, int]]:
    """Return first and last frame of each run of rows that are there.

    Parameters
    ----------
    frame : (n,) int64
        Ascending. Frames that are farther apart than is usual break a run too.
    there : (n,) bool

    Examples
    --------
    >>> import numpy as np
    >>> runs_of(np.array([1, 2, 3, 4, 9]), np.array([True, True, False, True, True]))
    [(1, 2), (4, 4), (9, 9)]
    """
    if not len(frame):
        return []
    steps = np.diff(frame)
    usual = float(np.median(steps)) if len(steps) else 1.0
    at = np.flatnonzero(there)
    if not len(at):
        return []
    ends = np.flatnonzero((np.diff(at) > 1) | (np.diff(frame[at]) > 1.5 * usual))
    first = frame[at[np.concatenate([[0], ends + 1])]]
    last = frame[at[np.concatenate([ends, [len(at) - 1]])]]
    return list(zip(first.tolist(), last.tolist(), strict=True))


def frames_text(stretches: Sequence[tuple[int, int]]) -> str:
    """Write stretches of frames; where there are many, the first of them.

    Parameters
    ----------
    stretches : sequence of (int, int)
        First and last frame of each.

    Examples
    --------
    >>> frames_text([(1, 2), (4, 4)])
    '1 to 2, 4'
    """
    said = [
        f"{first}" if first == last else f"{first} to {last}"
        for first, last in stretches[:MOST_TOLD]
    ]
    left = len(stretches) - len(said)
    return ", ".join(said) + (f" and {left:,} more" if left else "")


def merged_stretches(
    lanes: Sequence[list[tuple[int, int]]], most: int = MOST_STRETCHES
) -> tuple[list[list[tuple[int, int]]], int]:
    """Close the shortest gaps between stretches until there are few enough of them.

    Parameters
    ----------
    lanes : sequence of list of (int, int)
        Stretches of every row.
    most : int
        Stretches at most, if there are not more rows.

    Returns
    -------
    lanes : list of list of (int, int)
    closed : int
        Gaps of up to so many frames are closed; 0 where none is.
    """
    gaps = sorted((after[0] - before[1] - 1) for lane in lanes for before, after in pairwise(lane))
    surplus = sum(map(len, lanes)) - most
    if surplus <= 0 or not gaps:
        return [list(lane) for lane in lanes], 0
    closed = gaps[min(surplus, len(gaps)) - 1]
    out = []
    for lane in lanes:
        kept: list[tuple[int, int]] = []
        for first, last in lane:
            if kept and first - kept[-1][1] - 1 <= closed:
                kept[-1] = (kept[-1][0], last)
            else:
                kept.append((first, last))
        out.append(kept)
    return out, closed


def timeline(lanes: Sequence[Lane]) -> tuple[Figure, int, int]:
    """Draw when objects are there, when they were drawn, and what happens to them.

    Parameters
    ----------
    lanes : sequence of Lane
        From the top down.

    Returns
    -------
    figure
    closed : int
        Gaps of up to so many frames are not to be seen.
    left : int
        Events that should have a mark and are not drawn, the smallest of each row.
    """
    gold, closed_gold = merged_stretches([lane.gold for lane in lanes])
    drawn, closed = merged_stretches([lane.drawn for lane in lanes])
    marked = {*SYMBOLS, *HELD, *BEYOND, "drift"}  # gaps and late ends are to be seen without
    listed = [
        (k, y, event)
        for y, lane in enumerate(lanes)
        for k, event in enumerate(one for one in lane.events if one["kind"] in marked)
    ]
    listed.sort(key=lambda one: one[:2])  # where there are too many, every row has its largest
    shown = [(y, event) for _, y, event in listed[:MOST_MARKS]]
    traces = [
        _stretches(gold, -0.26, "gold", GOLD, 4, "solid"),
        _stretches(drawn, 0.0, "drawn", DRAWN, 8, "solid"),
    ]
    for name, kinds, colour, place in (
        ("drawn where nothing is", BEYOND, "#D55E00", 0.0),
        ("drifts", ("drift",), "#8F7AD6", 0.26),
        ("one drawing held", HELD, HOLD, 0.26),
    ):
        some: list[list[tuple[int, int]]] = [[] for _ in lanes]
        for y, event in shown:
            if event["kind"] in kinds:
                some[y].append((event["first"], event["last"]))
        if any(some):
            dash = "solid" if place else "dot"
            traces.append(_stretches(some, place, name, colour, 4, dash))
    for kind, symbol in SYMBOLS.items():
        mine = [(y, event) for y, event in shown if event["kind"] == kind]
        if mine:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": kind.replace("_", " "),
                    "x": [event["first"] for _, event in mine],
                    "y": [y for y, _ in mine],
                    "marker": {"symbol": symbol, "size": 9, "color": "#CC79A7"},
                    "hoverinfo": "text",
                    "hovertext": [plot_text(event["text"]) for _, event in mine],
                }
            )
    layout = {
        "height": LANE * len(lanes) + 130,
        "margin": {"l": 8, "r": 12, "t": 60, "b": 44},
        "xaxis": {"title": {"text": "frame"}, "fixedrange": True},
        "yaxis": axis_of([plot_text(lane.name) for lane in lanes]),
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        "showlegend": True,
    }
    left = len(listed) - len(shown)
    return figure_of(traces, layout), max(closed, closed_gold), left


def _stretches(
    lanes: Sequence[list[tuple[int, int]]],
    shift: float,
    name: str,
    colour: str,
    wide: int,
    dash: str,
) -> Figure:
    """Draw stretches as one broken line; one of a single frame is as long as half a frame."""
    x: list[float | None] = []
    y: list[float | None] = []
    for k, lane in enumerate(lanes):
        for first, last in lane:
            x += [first - 0.25, last + 0.25, None]
            y += [k + shift, k + shift, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "width": wide, "dash": dash},
        "hoverinfo": "x",
    }
