"""report: the offsets of single tracks over time.

Long series are thinned so that a page stays small, and the page says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.report.html.pictures import SHORT, figure_of
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.html.pictures import Figure
    from annqc.tables import Bools, Floats, Ints

__all__ = ["MOST_KEYFRAMES", "MOST_POINTS", "Line", "offset_lines", "thinned"]

MOST_POINTS: Final = 240
"""Points of one edge of one track in a picture."""
MOST_KEYFRAMES: Final = 80
PANEL: Final = 105
"""Pixels of the panel of an edge."""
OFFSET: Final = "#56B4E9"
KEY: Final = "#E69F00"
TREND: Final = "#8A8F96"
BAND: Final = "rgba(138,143,150,0.3)"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Line:
    """Offset of one edge of one track over time.

    Attributes
    ----------
    frame : (n,) int64
    offset : (n,) float64
        Outward, in pixels; NaN where nothing was drawn, or the edge is at the border.
    keyframe : (n,) bool
    slope, low, high : float
        Drift in pixels per 100 frames with its interval; NaN where there is none.
    tolerance : float
        In pixels.
    """

    frame: Ints
    offset: Floats
    keyframe: Bools
    slope: float
    low: float
    high: float
    tolerance: float


def thinned(values: Floats, most: int = MOST_POINTS) -> tuple[Ints, int]:
    """Choose what to draw of a long series: of every so many values the lowest and the highest.

    Parameters
    ----------
    values : (n,) float64
        NaN where there is none.
    most : int
        Values at most.

    Returns
    -------
    rows : (m,) int64
        Ascending. Where all of a stretch is NaN one of them stands for it, so that a line breaks.
    step : int
        Length of the stretches; 1 where everything is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> rows, step = thinned(np.array([0.0, 5, 1, 2, 9, 2, 2, 3]), most=4)
    >>> rows.tolist(), step
    ([0, 1, 4, 5], 4)
    """
    n = len(values)
    if n <= most:
        return np.arange(n), 1
    step = -(-2 * n // most)
    kept: list[int] = []
    for first in range(0, n, step):
        part = values[first : first + step]
        if np.isnan(part).all():
            kept.append(first)
        else:
            kept += sorted({first + int(np.nanargmin(part)), first + int(np.nanargmax(part))})
    return np.array(kept, dtype=np.int64), step


def offset_lines(lines: Sequence[Line]) -> tuple[Figure, int]:
    """Draw the offsets of the four edges of one track, a panel an edge.

    Parameters
    ----------
    lines : sequence of Line
        In the order of `annqc.tables.EDGES`.

    Returns
    -------
    figure
    step : int
        From `thinned`, the largest of the four.
    """
    traces: list[Figure] = []
    layout: Figure = {
        "height": PANEL * len(lines) + 90,
        "margin": {"l": 44, "r": 10, "t": 40, "b": 40},
        "shapes": [],
        "annotations": [],
        "legend": {"orientation": "h", "y": 1.03, "yanchor": "bottom", "x": 0},
    }
    steps, seen = [1], {"offset": False, "keyframe": False, "drift": False}
    part = 1 / len(lines)
    for k, line in enumerate(lines):
        suffix = "" if k == 0 else str(k + 1)
        axes = {"xaxis": "x", "yaxis": f"y{suffix}"}
        rows, step = thinned(line.offset)
        steps.append(step)

        def named(name: str) -> Figure:
            first = not seen[name]
            seen[name] = True
            return {"name": name, "legendgroup": name, "showlegend": first}

        if np.isfinite(line.slope):
            traces += _drift(line, axes, named("drift"))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": line.frame[rows].tolist(),
                "y": _rounded(line.offset[rows]),
                "line": {"color": OFFSET, "width": 1.4},
                "hoverinfo": "x+y",
                **axes,
                **named("offset"),
            }
        )
        keys = np.flatnonzero(line.keyframe & np.isfinite(line.offset))
        if len(keys):
            keys = keys[:: -(-len(keys) // MOST_KEYFRAMES)]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": line.frame[keys].tolist(),
                    "y": _rounded(line.offset[keys]),
                    "marker": {"color": KEY, "symbol": "diamond-open", "size": 7},
                    "hoverinfo": "x+y",
                    **axes,
                    **named("keyframe"),
                }
            )
        top = 1 - k * part
        layout[f"yaxis{suffix}"] = {
            "domain": [max(0.0, top - part + 0.03), top - 0.02],
            "fixedrange": True,
            "title": {"text": f"{SHORT[EDGES[k]]}, px"},
            "zeroline": True,
            "nticks": 5,
        }
        for sign in (-1.0, 1.0):
            layout["shapes"].append(_level(sign * line.tolerance, suffix))
    layout["xaxis"] = {"title": {"text": "frame"}, "anchor": _last(len(lines)), "fixedrange": True}
    return figure_of(traces, layout), max(steps)


def _last(n: int) -> str:
    return "y" if n == 1 else f"y{n}"


def _level(y: float, suffix: str) -> Figure:
    return {
        "type": "line",
        "xref": "paper",
        "yref": f"y{suffix}",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": TREND, "width": 1, "dash": "dot"},
    }


def _drift(line: Line, axes: Figure, name: Figure) -> list[Figure]:
    """Draw a drift through the middle of a track, with the interval of its slope."""
    known = np.isfinite(line.offset)
    frame, offset = line.frame[known], line.offset[known]
    middle = float(frame.mean())
    level = float(np.median(offset - line.slope * (frame - middle) / 100))
    ends = (float(frame[0]), float(frame[-1]))

    def at(slope: float, x: float) -> float:
        return level + slope * (x - middle) / 100

    hidden = {**name, "showlegend": False}
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": [ends[0], middle, ends[1], ends[1], middle, ends[0]],
        "y": [
            at(line.low, ends[0]),
            level,
            at(line.high, ends[1]),
            at(line.low, ends[1]),
            level,
            at(line.high, ends[0]),
        ],
        "fill": "toself",
        "fillcolor": BAND,
        "line": {"width": 0, "color": BAND},
        "hoverinfo": "skip",
        **axes,
        **hidden,
    }
    drawn = {
        "type": "scatter",
        "mode": "lines",
        "x": list(ends),
        "y": [at(line.slope, x) for x in ends],
        "line": {"color": TREND, "width": 2, "dash": "dash"},
        "hoverinfo": "skip",
        **axes,
        **name,
    }
    return [band, drawn] if np.isfinite(line.low) else [drawn]


def _rounded(values: Floats) -> list[float]:
    rounded: list[float] = np.round(values, 2).tolist()
    return rounded
