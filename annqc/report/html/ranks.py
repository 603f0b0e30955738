"""report: how far off everybody's worst edge is, and which ranks that leaves open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.pictures import (
    COLOURS,
    MOST_PICTURED,
    ROW,
    SHORT,
    SYMBOLS,
    axis_of,
    figure_of,
    pictured_of,
)
from annqc.report.html.texts import MARKS, WORDS, interval, number, plot_text
from annqc.report.plain import clean_text
from annqc.report.standing import STANDINGS
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.report.html.pictures import Figure
    from annqc.report.html.story import Person, Story

__all__ = ["Worst", "rank_range", "ranked", "ranks", "worst_edge"]

NAME: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The edge that is farthest off, in tolerances; the interval is in the direction of its sign.

    Attributes
    ----------
    edge : str
        One of `annqc.tables.EDGES`.
    size, low, high : float
        How far off it is, and the interval.
    n_clusters : int
        Images or tracks behind it.
    """

    edge: str
    size: float
    low: float
    high: float
    n_clusters: int


def worst_edge(story: Story, person: Person) -> Worst | None:
    """Return the edge of a person that is farthest off; None where none has an interval.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.
    """
    found = None
    for k, edge in enumerate(EDGES):
        value, low, high = story.view.estimate(person.group, k, "")
        if not (math.isfinite(low) and math.isfinite(high)):
            continue
        if found is None or abs(value) > found.size:
            ends = (low, high) if value >= 0 else (-high, -low)
            n = int(story.view.columns["n_clusters"][person.group, k])
            found = Worst(edge=edge, size=abs(value), low=ends[0], high=ends[1], n_clusters=n)
    return found


def ranked(story: Story) -> list[Person]:
    """Return those who have a rank, the first first; nobody where there is nobody to rank beside.

    Parameters
    ----------
    story : Story
        The audit.
    """
    found = [
        one
        for one in story.people
        if one.score.get("rank") is not None
        and math.isfinite(one.score["rank"])
        and worst_edge(story, one) is not None
    ]
    found.sort(key=lambda one: (one.score["rank"], len(one.name), one.name))
    return found if len(found) > 1 else []


def rank_range(person: Person) -> str:
    """Write between which ranks a person stands."""
    return interval(person.score["rank_low"], person.score["rank_high"], 0)


def ranks(story: Story) -> dict[str, Any] | None:
    """Draw the worst edge of everybody with its interval, and give the numbers.

    Parameters
    ----------
    story : Story
        The audit.

    Returns
    -------
    dict or None
        ``picture`` and ``rows``. None where there are no ranks to tell apart.
    """
    people = ranked(story)
    if not people:
        return None
    worst = {one.page: worst_edge(story, one) for one in people}
    rows = [
        {
            "person": one,
            "rank": number(one.score["rank"], 0),
            "range": rank_range(one),
            "edge": SHORT[edge.edge],
            "size": number(edge.size, 2),
            "interval": interval(edge.low, edge.high, 2),
            "n_clusters": edge.n_clusters,
        }
        for one in people
        if (edge := worst[one.page]) is not None
    ]
    return {"picture": _picture(people, worst), "rows": rows[::-1]}


def _picture(people: list[Person], worst: dict[str, Worst | None]) -> Figure:
    shown = people[: -MOST_PICTURED - 1 : -1]
    traces = []
    for place in STANDINGS:
        mine = [
            (y, one, edge)
            for y, one in enumerate(shown)
            if one.place == place and (edge := worst[one.page]) is not None
        ]
        if not mine:
            continue
        size, low, high = np.array([(edge.size, edge.low, edge.high) for _, _, edge in mine]).T
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{MARKS[place]} {WORDS.get(place, place)}",
                "x": size.tolist(),
                "y": [y for y, _, _ in mine],
                "marker": {"color": COLOURS[place], "symbol": SYMBOLS[place], "size": 9},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": (high - size).tolist(),
                    "arrayminus": (size - low).tolist(),
                    "color": COLOURS[place],
                    "thickness": 1.5,
                    "width": 3,
                },
                "hoverinfo": "text",
                "hovertext": [
                    f"{plot_text(one.name)}: {SHORT[edge.edge]} edge {number(edge.size, 2)} "
                    f"tolerances ({interval(edge.low, edge.high, 2)})<br>"
                    f"rank {number(one.score['rank'], 0)}, {rank_range(one)}; "
                    f"{WORDS.get(place, place)}"
                    for _, one, edge in mine
                ],
            }
        )
    names = [f"{plot_text(clean_text(one.name, width=NAME))}, {rank_range(one)}" for one in shown]
    layout = {
        "height": ROW * len(shown) + 110,
        "margin": {"l": 8, "r": 12, "t": 40, "b": 50},
        "xaxis": {
            "title": {"text": "worst edge, tolerances"},
            "rangemode": "tozero",
            "fixedrange": True,
        },
        "yaxis": axis_of(names),
        "shapes": [
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": 1,
                "x1": 1,
                "y0": 0,
                "y1": 1,
                "line": {"color": COLOURS["too_few"], "width": 1, "dash": "dot"},
            }
        ],
        "meta": pictured_of(shown, len(people)),
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        "showlegend": True,
    }
    return figure_of(traces, layout)
