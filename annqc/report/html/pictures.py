"""report: pictures as plain plotly figures, which app.js draws. No plotly is needed to make them.

Colours are after Okabe and Ito, which the colour-blind tell apart; a mark says the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.texts import MARKS, QUALIFIED, interval, number, plain_numbers, plot_text
from annqc.report.plain import clean_text
from annqc.report.words import SENSITIVE
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.report.html.story import Person, Story
    from annqc.tables import Floats

__all__ = [
    "COLOURS",
    "MOST_PICTURED",
    "ROW",
    "SCALE",
    "SHORT",
    "SYMBOLS",
    "Figure",
    "axis_of",
    "bias_map",
    "error_bars",
    "figure_of",
    "histograms",
    "pictured_of",
]

Figure = dict[str, Any]

COLOURS: Final = {
    "biased": "#D55E00",
    "collective": "#C76FA1",
    "undecided": "#8F7AD6",
    "clean": "#009E73",
    "too_few": "#8A8F96",
}
SYMBOLS: Final = {
    "biased": "x",
    "collective": "star",
    "undecided": "circle-open",
    "clean": "circle",
    "too_few": "line-ns-open",
}
SHORT: Final = {
    "out_left": "left",
    "out_top": "top",
    "out_right": "right",
    "out_bottom": "bottom",
    "dx": "shift →",
    "dy": "shift ↓",
    "dw": "width",
    "dh": "height",
}
SCALE: Final = [[0.0, "#4C9ED9"], [0.5, "#F7F7F7"], [1.0, "#EE7733"]]
"""Tight is blue, loose is orange; light enough for black marks."""
DEEPEST: Final = 4.0
"""Tolerances at which the colour is as deep as it gets."""
NAME: Final = 18
"""Columns of a name in a picture."""
ROW: Final = 18
"""Pixels of a row of a picture."""
MOST_PICTURED: Final = 40
"""Annotators in one picture, the worst; a table has them all."""
N_BINS: Final = 24
GRIDS: Final = (1.0, 0.5, 0.25, 0.1)
"""Pixels that offsets may be whole multiples of."""
COARSE: Final = 10
"""Bins of more steps of a grid than that need not heed it."""
MIDDLE: Final = (2.0, 98.0)
"""Percentiles between which a histogram has bins; what lies beyond is counted at the ends."""
HATCH: Final = "/"
"""Of the bars at the ends, which are no bins: they hold all that lies beyond."""


def bias_map(story: Story) -> Figure:
    """Draw people x quantities: the colour is the estimate in tolerances, the mark the verdict.

    What has no interval has no colour: a single image says nothing of a habit. The worst are there.
    """
    people = story.people[:MOST_PICTURED]
    view, groups = story.view, [one.group for one in people]
    estimate = view.columns["estimate"][groups]
    verdict = view.columns["verdict"][groups]
    px = [view.columns[name][groups] for name in ("estimate_px", "ci_low_px", "ci_high_px")]
    sure = np.isfinite(px[1]) & np.isfinite(px[2])
    flags = view.columns["flags"][groups]
    marks, texts = [], []
    for i, person in enumerate(people):
        shown = zip(verdict[i], sure[i], flags[i], strict=True)
        marks.append(
            [
                MARKS.get(str(said), "") + QUALIFIED * (SENSITIVE in flag)
                if one
                else MARKS["too_few"]
                for said, one, flag in shown
            ]
        )
        line = []
        for k, name in enumerate(QUANTITIES):
            ends = interval(float(px[1][i, k]), float(px[2][i, k]))
            line.append(
                f"{plot_text(clean_text(person.name, width=40))}, {SHORT[name]}<br>"
                f"{number(float(px[0][i, k]), sign=True)} px{f' ({ends})' if ends else ''}<br>"
                f"{number(float(estimate[i, k]), sign=True)} tolerances: {verdict[i, k]}"
            )
        texts.append(line)
    trace = {
        "type": "heatmap",
        "x": list(range(len(QUANTITIES))),
        "y": list(range(len(groups))),
        "z": np.where(sure, estimate, np.nan).tolist(),
        "text": marks,
        "texttemplate": "%{text}",
        "textfont": {"color": "#111111", "size": 13},
        "hovertext": texts,
        "hoverinfo": "text",
        "colorscale": SCALE,
        "zmin": -DEEPEST,
        "zmax": DEEPEST,
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
    }
    layout = {
        "height": ROW * len(groups) + 90,
        "margin": {"l": 8, "r": 24, "t": 70, "b": 10},
        "xaxis": {
            "tickvals": list(range(len(QUANTITIES))),
            "ticktext": [SHORT[name] for name in QUANTITIES],
            "side": "top",
            "tickangle": -45,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": axis_of([plot_text(clean_text(one.name, width=NAME)) for one in people]),
        "meta": pictured_of(people, len(story.people)),
    }
    return figure_of([trace], layout)


def pictured_of(people: Sequence[Person], n: int) -> Figure:
    """Say who is in a picture: the pages that its rows lead to, and how many it is out of.

    Parameters
    ----------
    people : sequence of Person
        From the top down.
    n : int
        How many there are in all.
    """
    meta: Figure = {"pages": [f"annotators/{one.page}" for one in people]}
    return meta | {"of": n} if n > len(people) else meta


def error_bars(counts: Mapping[str, int]) -> Figure:
    """Draw how many errors there are of each kind."""
    names = list(counts)
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": list(counts.values()),
        "y": list(range(len(names))),
        "text": [f"{n:,}" for n in counts.values()],
        "textposition": "auto",
        "insidetextfont": {"color": "#111111"},
        "marker": {"color": "#56B4E9"},
        "hoverinfo": "skip",
    }
    layout = {
        "height": 28 * len(names) + 60,
        "margin": {"l": 8, "r": 12, "t": 10, "b": 40},
        "xaxis": {"title": {"text": "errors"}, "fixedrange": True},
        "yaxis": axis_of([name.replace("_", " ") for name in names]),
        "showlegend": False,
    }
    return figure_of([trace], layout)


def histograms(offsets: Floats) -> tuple[Figure, list[tuple[str, list[int]]]] | None:
    """Draw how the offsets of the four edges are spread, and give the numbers.

    Parameters
    ----------
    offsets : (4, n) float64
        Outward offsets in pixels, NaN where there is none.

    Returns
    -------
    figure, rows
        A row has a range in pixels, and how many offsets of each edge are in it. None where there
        are no offsets. A bin has zero in its middle; bars of all that lies beyond are hatched, and
        below the axis stands what they hold.
    """
    there = offsets[np.isfinite(offsets)]
    if not len(there):
        return None
    low, high = np.percentile(there, MIDDLE)
    reach = max(1.0, float(max(-low, high)))
    step, grid = _bin_of(there, 2 * reach / N_BINS)
    half = int(np.ceil(reach / step))
    middles = step * np.arange(-half - 1, half + 2)
    cuts = step * (np.arange(-half, half + 2, dtype=np.float64) - 0.5)
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    tallies = np.array(
        [np.histogram(edge[np.isfinite(edge)], bins=ends)[0] for edge in offsets], dtype=np.int64
    )
    used = np.flatnonzero(tallies.sum(axis=0)).tolist()
    labels = _bin_labels(cuts, grid)
    traces, layout = [], {"height": 440, "margin": {"l": 36, "r": 8, "t": 24, "b": 62}}
    outer = {0: "left", len(labels) - 1: "right"}
    ticks = _ticks(float(cuts[-1]))
    annotations = []
    for k, name in enumerate(EDGES):
        suffix = "" if k == 0 else str(k + 1)
        column, row = k % 2, k // 2
        x = [0.0, 0.46] if column == 0 else [0.54, 1.0]
        y = [0.6, 1.0] if row == 0 else [0.0, 0.4]
        traces.append(
            {
                "type": "bar",
                "x": middles[used].tolist(),
                "y": tallies[k, used].tolist(),
                "width": step * 0.92,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "marker": {
                    "color": "#56B4E9",
                    "pattern": {"shape": [HATCH * (j in outer) for j in used]},
                    "line": {"color": "#56B4E9", "width": [1.5 * (j in outer) for j in used]},
                },
                "hovertext": [f"{labels[j]} px: {tallies[k, j]}" for j in used],
                "hoverinfo": "text",
            }
        )
        layout[f"xaxis{suffix}"] = {
            "domain": x,
            "anchor": f"y{suffix}",
            "fixedrange": True,
            "title": {"text": "px, outward" if row else "", "standoff": 24},
            "tickvals": ticks,
            "zeroline": True,
            "zerolinewidth": 2,
        }
        layout[f"yaxis{suffix}"] = {"domain": y, "anchor": f"x{suffix}", "fixedrange": True}
        annotations.append(
            {
                "text": f"{SHORT[name]} edge",
                "x": sum(x) / 2,
                "xanchor": "center",
                "y": y[1],
                "xref": "paper",
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
        annotations += [
            {
                "text": labels[j],
                "x": float(middles[j]) + (step if j else -step) / 2,
                "xanchor": side,
                "y": 0,
                "yshift": -18,
                "xref": f"x{suffix}",
                "yref": f"y{suffix} domain",
                "yanchor": "top",
                "font": {"size": 11},
                "showarrow": False,
            }
            for j, side in outer.items()
            if tallies[k, j]
        ]
    layout |= {"annotations": annotations, "showlegend": False}
    rows = [(labels[j], tallies[:, j].tolist()) for j in used]
    return figure_of(traces, layout), rows


def _bin_of(offsets: Floats, least: float) -> tuple[float, float]:
    """Choose how wide bins are; and the grid that they heed, which is 0 for none.

    Where offsets are whole pixels, or halves, a bin has as many of these on either side of its
    middle: else a bin would have more of them than the next, and zero would lie between two.
    """
    step = _nice(least)
    for grid in GRIDS:
        steps = offsets / grid
        if step <= COARSE * grid and np.abs(steps - np.round(steps)).max() < 1e-6:
            n = int(np.ceil(least / grid - 1e-9))
            return grid * (n + (n + 1) % 2), grid
    return step, 0.0


def _bin_labels(cuts: Floats, grid: float) -> list[str]:
    """Say what bins hold; on a grid, the lowest and the highest value that can be in them."""
    unit = grid or float(cuts[1] - cuts[0]) / 2
    digits = next((k for k in range(6) if abs(round(unit, k) - unit) < 1e-9), 6)

    def said(value: float) -> str:
        return number(value, digits)

    inner = [(a + grid / 2, b - grid / 2) for a, b in pairwise(cuts.tolist())]
    low, high = float(cuts[0]) - grid / 2, float(cuts[-1]) + grid / 2
    return [
        f"{said(low)} and under" if grid else f"under {said(low)}",
        *(said(a) if said(a) == said(b) else f"{said(a)} to {said(b)}" for a, b in inner),
        f"{said(high)} and over",
    ]


def _ticks(end: float) -> list[float]:
    """Choose ticks short of where bins end: beyond, a bar stands for no place on the axis."""
    step = _nice(end / 2)
    n = int(np.ceil(end / step)) - 1
    found: list[float] = (step * np.arange(-n, n + 1)).tolist()
    return found


def _nice(step: float) -> float:
    """Round a step up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= step * (1 - 1e-9)))


def axis_of(names: Sequence[str]) -> Figure:
    """Make an axis of rows from the top down; rows of one name stay two.

    Parameters
    ----------
    names : sequence of str
        Safe for plotly (`annqc.report.html.texts.plot_text`).
    """
    return {
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "range": [len(names) - 0.5, -0.5],
        "automargin": True,
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 11},
    }


def figure_of(data: list[Figure], layout: Figure) -> Figure:
    """Put a figure together as plain values that go into JSON.

    Parameters
    ----------
    data : list of dict
        Traces.
    layout : dict
        With a ``height`` in pixels.
    """
    made: Figure = plain_numbers({"data": data, "layout": layout})
    return made
