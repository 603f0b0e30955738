"""report: HOTA, MOTA and IDF1 of everybody, as a picture and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.pictures import MOST_PICTURED, ROW, axis_of, figure_of
from annqc.report.html.texts import interval, number, plot_text
from annqc.report.plain import clean_text

if TYPE_CHECKING:
    from annqc.report.html.pictures import Figure
    from annqc.report.html.story import Story

__all__ = ["scores_of"]

SCORES: Final = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "IDF1")
DRAWN: Final = (
    ("HOTA", "#56B4E9", "circle"),
    ("MOTA", "#E69F00", "diamond"),
    ("IDF1", "#8A8F96", "square"),
)
NAME: Final = 18


def scores_of(story: Story) -> dict[str, Any] | None:
    """Lay out tracking scores with their intervals, the lowest HOTA first.

    Parameters
    ----------
    story : Story
        The audit. None comes back where its tracks have no scores.
    """
    run = story.run
    if not run.tracks_are_scored:
        return None
    columns = run.tracking_columns()
    order = np.argsort(np.nan_to_num(columns["HOTA"], nan=-1.0), kind="stable").tolist()
    rows = []
    for k in order:
        person = story.of_code[k] if story.named else None
        name = clean_text(columns["annotator"][k], width=60)
        rows.append(
            {
                "name": name if person is None else person.name,
                "page": story.people[0].page if person is None else person.page,
                "cells": [
                    {
                        "value": number(float(columns[score][k]), 3),
                        "interval": interval(
                            columns[f"{score}_low"][k], columns[f"{score}_high"][k], 3
                        ),
                    }
                    for score in SCORES
                ],
                "switches": number(float(columns["IDSW"][k]), 0),
                "n_clusters": int(columns["n_clusters"][k]),
                "clusters": str(columns["clusters"][k]),
            }
        )
    named = [(str(row["name"]), str(row["page"])) for row in rows]
    picture = _picture(columns, order[:MOST_PICTURED], named[:MOST_PICTURED])
    if len(rows) > MOST_PICTURED:
        picture["layout"]["meta"]["of"] = len(rows)
    return {"titles": SCORES, "rows": rows, "picture": picture}


def _picture(columns: dict[str, Any], order: list[int], named: list[tuple[str, str]]) -> Figure:
    """Draw three of the scores with their intervals, a row an annotator."""
    traces = []
    for shift, (name, colour, symbol) in zip((-0.22, 0.0, 0.22), DRAWN, strict=True):
        value, low, high = (columns[f"{name}{end}"][order] for end in ("", "_low", "_high"))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": value.tolist(),
                "y": [k + shift for k in range(len(order))],
                "marker": {"color": colour, "symbol": symbol, "size": 8},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": (high - value).tolist(),
                    "arrayminus": (value - low).tolist(),
                    "color": colour,
                    "thickness": 1.5,
                    "width": 3,
                },
                "hoverinfo": "x+name",
            }
        )
    layout = {
        "height": 2 * ROW * len(order) + 110,
        "margin": {"l": 8, "r": 12, "t": 40, "b": 44},
        "xaxis": {"title": {"text": "score, 1 is best"}, "fixedrange": True},
        "yaxis": axis_of([plot_text(clean_text(name, width=NAME)) for name, _ in named]),
        "meta": {"pages": [f"annotators/{page}" for _, page in named]},
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        "showlegend": True,
    }
    return figure_of(traces, layout)
