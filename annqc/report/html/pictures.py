"""report: pictures as plain plotly figures, which app.js draws. No plotly is needed to make them.

Colours are after Okabe and Ito, which the colour-blind tell apart; a mark says the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.texts import MARKS, WORDS, interval, number, plain_numbers, plot_text
from annqc.report.plain import clean_text
from annqc.report.standing import STANDINGS
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.report.html.story import Story
    from annqc.tables import Floats

__all__ = [
    "COLOURS",
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
    "rank_plot",
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
N_BINS: Final = 24
MIDDLE: Final = (2.0, 98.0)
"""Percentiles between which a histogram has bins; what lies beyond is counted at the ends."""


def bias_map(story: Story) -> Figure:
    """Draw people x quantities: the colour is the estimate in tolerances, the mark the verdict.

    What has no interval has no colour: a single image says nothing of a habit.
    """
    view, groups = story.view, [one.group for one in story.people]
    estimate = view.columns["estimate"][groups]
    verdict = view.columns["verdict"][groups]
    px = [view.columns[name][groups] for name in ("estimate_px", "ci_low_px", "ci_high_px")]
    sure = np.isfinite(px[1]) & np.isfinite(px[2])
    marks, texts = [], []
    for i, person in enumerate(story.people):
        shown = zip(verdict[i], sure[i], strict=True)
        marks.append([MARKS.get(str(said), "") if one else MARKS["too_few"] for said, one in shown])
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
        "yaxis": axis_of([plot_text(clean_text(one.name, width=NAME)) for one in story.people]),
        "meta": {"pages": [f"annotators/{one.page}" for one in story.people]},
    }
    return figure_of([trace], layout)


def rank_plot(story: Story) -> Figure | None:
    """Draw the rank of everybody with its range; None where there are no ranks to tell apart."""
    ranked = [
        one
        for one in story.people
        if one.score.get("rank") is not None and np.isfinite(one.score["rank"])
    ]
    if len(ranked) < 2:
        return None
    ranked.sort(key=lambda one: (one.score["rank"], len(one.name), one.name))
    traces = []
    for place in STANDINGS:
        mine = [(y, one) for y, one in enumerate(ranked) if one.place == place]
        if not mine:
            continue
        rank = [float(one.score["rank"]) for _, one in mine]
        low = [float(one.score["rank_low"]) for _, one in mine]
        high = [float(one.score["rank_high"]) for _, one in mine]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{MARKS[place]} {WORDS.get(place, place)}",
                "x": rank,
                "y": [y for y, _ in mine],
                "marker": {"color": COLOURS[place], "symbol": SYMBOLS[place], "size": 9},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [b - a for a, b in zip(rank, high, strict=True)],
                    "arrayminus": [a - b for a, b in zip(rank, low, strict=True)],
                    "color": COLOURS[place],
                    "thickness": 1.5,
                    "width": 3,
                },
                "hoverinfo": "text",
                "hovertext": [
                    f"{plot_text(one.name)}: rank {number(one.score['rank'], 0)}, "
                    f"{number(one.score['rank_low'], 0)} to {number(one.score['rank_high'], 0)}"
                    f"<br>{WORDS.get(place, place)}; worst edge "
                    f"{number(one.score['worst_edge'])} tolerances"
                    for _, one in mine
                ],
            }
        )
    names = [plot_text(clean_text(one.name, width=NAME)) for one in ranked]
    layout = {
        "height": ROW * len(ranked) + 110,
        "margin": {"l": 8, "r": 12, "t": 40, "b": 50},
        "xaxis": {
            "title": {"text": "rank (1: least bias on the worst edge)"},
            "rangemode": "tozero",
            "fixedrange": True,
        },
        "yaxis": axis_of(names),
        "meta": {"pages": [f"annotators/{one.page}" for one in ranked]},
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        "showlegend": True,
    }
    return figure_of(traces, layout)


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
        are no offsets.
    """
    there = offsets[np.isfinite(offsets)]
    if not len(there):
        return None
    low, high = np.percentile(there, MIDDLE)
    reach = max(1.0, float(max(-low, high)))
    step = _nice(2 * reach / N_BINS)
    half = int(np.ceil(reach / step))
    cuts = step * np.arange(-half, half + 1)
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    tallies = np.array(
        [np.histogram(edge[np.isfinite(edge)], bins=ends)[0] for edge in offsets], dtype=np.int64
    )
    middles = [
        float(cuts[0] - step / 2),
        *(cuts[:-1] + step / 2).tolist(),
        float(cuts[-1] + step / 2),
    ]
    digits = max(0, int(np.ceil(-np.log10(step))))
    labels = [
        f"under {number(float(cuts[0]), digits)}",
        *(f"{number(a, digits)} to {number(b, digits)}" for a, b in pairwise(cuts.tolist())),
        f"{number(float(cuts[-1]), digits)} and over",
    ]
    traces, layout = [], {"height": 420, "margin": {"l": 36, "r": 8, "t": 24, "b": 44}}
    annotations = []
    for k, name in enumerate(EDGES):
        suffix = "" if k == 0 else str(k + 1)
        column, row = k % 2, k // 2
        x = [0.0, 0.46] if column == 0 else [0.54, 1.0]
        y = [0.6, 1.0] if row == 0 else [0.0, 0.4]
        traces.append(
            {
                "type": "bar",
                "x": middles,
                "y": tallies[k].tolist(),
                "width": step * 0.92,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "marker": {"color": "#56B4E9"},
                "hovertext": [
                    f"{label} px: {n}" for label, n in zip(labels, tallies[k], strict=True)
                ],
                "hoverinfo": "text",
            }
        )
        layout[f"xaxis{suffix}"] = {
            "domain": x,
            "anchor": f"y{suffix}",
            "fixedrange": True,
            "title": {"text": "px, outward" if row else ""},
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
    layout |= {"annotations": annotations, "showlegend": False}
    used = np.flatnonzero(tallies.sum(axis=0))
    rows = [(labels[k], tallies[:, k].tolist()) for k in used.tolist()]
    return figure_of(traces, layout), rows


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
