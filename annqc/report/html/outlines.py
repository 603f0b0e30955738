"""report: what pages show of outlines: signed contour offsets around a shape, and agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.measure.outlines import CONTOURS, QUARTERS
from annqc.report.html.pictures import (
    COLOURS,
    MOST_PICTURED,
    ROW,
    SYMBOLS,
    axis_of,
    figure_of,
    pictured_of,
)
from annqc.report.html.texts import MARKS, interval, number, plot_text
from annqc.report.outlines import contour_sentences, style_sentences
from annqc.report.plain import clean_text
from annqc.run.outlines import outline_columns

if TYPE_CHECKING:
    from annqc.report.html.pictures import Figure
    from annqc.report.html.story import Person, Story
    from annqc.run.outlines import Outlines
    from annqc.tables import Array, Floats

__all__ = ["AROUND", "OutlineSection", "Ring", "Spoke"]

NAMED: Final = (*CONTOURS, *QUARTERS)
AROUND: Final = (
    "contour_right",
    "contour_top_right",
    "contour_top",
    "contour_top_left",
    "contour_left",
    "contour_bottom_left",
    "contour_bottom",
    "contour_bottom_right",
)
"""Sides and quarters counter-clockwise from the right, an eighth of a turn apart."""
AGREEMENT: Final = (
    ("mask_iou", "IoU", 3),
    ("boundary_iou", "boundary IoU", 3),
    ("dice", "Dice", 3),
    ("assd", "ASSD, px", 2),
    ("hd95", "HD95, px", 2),
    ("nsd", "within 2 px", 3),
)
SIZE: Final = 190.0
"""Longer diameter of the reference shape in a drawing."""
ROOM: Final = np.array([120.0, 74.0])
"""Around the shape, across and down."""
REACH: Final = 52.0
VISIBLE: Final = 40.0
ZOOMS: Final = (50.0, 20.0, 10.0, 5.0, 2.0, 1.0)
NAME: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke:
    """One side or quarter: the point where the contour is drawn, and the ends of its interval."""

    name: str
    verdict: str
    point: tuple[float, float]
    low: tuple[float, float] | None
    high: tuple[float, float] | None
    label: str
    at: tuple[float, float]
    anchor: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """An ellipse for gold, and the contour around it as it is drawn on average."""

    width: float
    height: float
    radii: tuple[float, float]
    centre: tuple[float, float]
    spokes: tuple[Spoke, ...]
    path: str
    zoom: float
    cut: bool
    size: str


class OutlineSection:
    """Makes what is shown of outlines, for everybody in one audit.

    Parameters
    ----------
    story : Story
        The audit.
    """

    def __init__(self, story: Story) -> None:
        self.story = story
        run = story.run
        self.there = run.has_outlines
        if not self.there:
            return
        main = story.view.by
        in_parts = bool(main) and len(story.by) > 1
        parts = run.outline_findings(story.by) if in_parts else None
        self.found: Outlines = (parts and parts.pooled) or run.outline_findings(main)
        flat = outline_columns(self.found)
        k = len(NAMED)
        self.columns = {
            name: column.reshape(-1, k) for name, column in flat.items() if name not in main
        }
        self.order = self.columns["quantity"][0].tolist()
        self.scores = run.outline_score_columns(main)
        named = self.scores["annotator"].tolist() if main else []
        self.group = {who: row for row, who in enumerate(named)}
        self.measured = run.outline_measurements

    def of(self, person: Person) -> dict[str, Any] | None:
        """Return what a page shows; None where a person has no outline to compare.

        Parameters
        ----------
        person : Person
            One of the story's.
        """
        row = self._row(person)
        if row is None or not int(self.scores["n_outlines"][row]):
            return None
        mine = self.story.rows(self.measured.annotator, person)
        return {
            "ring": self._ring(row, mine),
            "findings": [self._finding(row, name) for name in NAMED],
            "scores": self._agreement(row),
            "n_outlines": int(self.scores["n_outlines"][row]),
            "n_apart": int(self.scores["n_apart"][row]),
            "n_unusable": int(self.scores["n_unusable"][row]),
            "said": style_sentences(
                {name: column[[row]] for name, column in self.scores.items()}, [person.name]
            ),
        }

    def overview(self) -> dict[str, Any] | None:
        """Return what the first page shows; None where there are no outlines."""
        if not self.there:
            return None
        rows = []
        for person in self.story.people:
            row = self._row(person)
            if row is not None and int(self.scores["n_outlines"][row]):
                rows.append((person, row))
        table = [
            {
                "person": person,
                "n": int(self.scores["n_outlines"][row]),
                "contour": self._finding(row, "contour"),
                "cells": self._agreement(row),
            }
            for person, row in rows
        ]
        return {
            "everybody": self._everybody(),
            "said": [text for _, text in contour_sentences(self.found)],
            "rows": table,
            "titles": [title for _, title, _ in AGREEMENT],
            "picture": self._forest(rows) if rows else None,
        }

    def _everybody(self) -> list[str]:
        """Say where all are off alike, in tolerances, and nobody is blamed."""
        verdict, shared = self.columns["verdict"], self.columns["collective"]
        said = []
        for k, name in enumerate(CONTOURS):
            rows = verdict[:, k] == "collective"
            if rows.any():
                size = number(float(shared[rows, k].astype(np.float64)[0]), sign=True)
                said.append(f"{_title(name)} {size} tolerances")
        return said

    def _row(self, person: Person) -> int | None:
        if not self.there:
            return None
        if not self.story.named:
            return 0
        return self.group.get(self.story.view.keys["annotator"][person.group])

    def _value(self, row: int, name: str, suffix: str = "") -> tuple[float, float, float]:
        k = self.order.index(name)
        one, low, high = (
            float(self.columns[f"{part}{suffix}"][row, k])
            for part in ("estimate", "ci_low", "ci_high")
        )
        return one, low, high

    def _verdict(self, row: int, name: str) -> tuple[str, str]:
        """Return the verdict of what is tested, and the status of what has none."""
        k = self.order.index(name)
        status = str(self.columns["status"][row, k])
        tested = name in CONTOURS
        said = "" if status == "ok" else status.replace("_", " ")
        return (str(self.columns["verdict"][row, k]) if tested else ""), said

    def _finding(self, row: int, name: str) -> dict[str, Any]:
        k = self.order.index(name)
        px, units = self._value(row, name, "_px"), self._value(row, name)
        verdict, status = self._verdict(row, name)
        return {
            "quantity": name,
            "title": _title(name),
            "px": number(px[0], 2, sign=True),
            "px_interval": interval(px[1], px[2], 2),
            "tolerances": number(units[0], 2, sign=True),
            "tolerances_interval": interval(units[1], units[2], 2),
            "verdict": verdict,
            "mark": MARKS.get(verdict, ""),
            "status": status,
            "n": int(self.columns["n"][row, k]),
            "n_clusters": int(self.columns["n_clusters"][row, k]),
        }

    def _agreement(self, row: int) -> list[dict[str, Any]]:
        return [
            {
                "title": title,
                "value": number(float(self.scores[name][row]), digits),
                "interval": interval(
                    self.scores[f"{name}_low"][row], self.scores[f"{name}_high"][row], digits
                ),
                "n_clusters": int(self.scores[f"{name}_n_clusters"][row]),
            }
            for name, title, digits in AGREEMENT
        ]

    def _ring(self, row: int, mine: Array) -> Ring | None:
        """Lay out the contour around an ellipse as large as the median gold outline's box."""
        gold = self.story.run.reference.table.xyxy[self.measured.reference[mine]]
        values = {name: self._value(row, name, "_px") for name in AROUND}
        known = [abs(one[0]) for one in values.values() if np.isfinite(one[0])]
        if not len(gold) or not known:
            return None
        median = np.median(gold[:, 2:] - gold[:, :2], axis=0)
        scale = SIZE / float(median.max())
        zoom = next((z for z in ZOOMS if z * scale * max(known) <= VISIBLE), 1.0)
        radii = median * scale / 2
        centre = radii + ROOM
        spokes, cut = [], False
        for k, name in enumerate(AROUND):
            value, low, high = values[name]
            if not np.isfinite(value):
                continue
            angle = k * np.pi / 4
            base = centre + radii * np.array([np.cos(angle), -np.sin(angle)])
            normal = np.array([np.cos(angle) * radii[1], -np.sin(angle) * radii[0]])
            normal /= np.hypot(*normal)
            lengths = zoom * scale * np.array([value, low, high])
            cut |= bool((np.abs(lengths[np.isfinite(lengths)]) > REACH).any())
            lengths = np.clip(lengths, -REACH, REACH)
            spokes.append(self._spoke(row, name, base, normal, lengths))
        width, height = 2 * centre
        return Ring(
            width=float(width),
            height=float(height),
            radii=_pair(radii),
            centre=_pair(centre),
            spokes=tuple(spokes),
            path=_closed([one.point for one in spokes]),
            zoom=zoom,
            cut=cut,
            size=f"{median[0]:,.0f} by {median[1]:,.0f} px",
        )

    def _spoke(self, row: int, name: str, base: Floats, normal: Floats, lengths: Floats) -> Spoke:
        finding = self._finding(row, name)
        sure = bool(np.isfinite(lengths[1:]).all())
        side = name in CONTOURS
        ends = [_pair(base + x * normal) if sure else None for x in lengths[1:]]
        out = max(0.0, float(np.nanmax(lengths)))
        at = base + (out + 12) * normal + np.array([0.0, 4.0])
        anchor = "middle" if abs(normal[0]) < 0.3 else "start" if normal[0] > 0 else "end"
        told = f" ({finding['px_interval']})" if finding["px_interval"] else ""
        verdict = finding["verdict"] if sure else ""
        mark = finding["mark"] if sure else MARKS["too_few"]
        return Spoke(
            name=name,
            verdict=(verdict or "too_few") if side else "described",
            point=_pair(base + lengths[0] * normal),
            low=ends[0],
            high=ends[1],
            label=f"{mark} {finding['px']} px" if side else "",
            at=_pair(at),
            anchor=anchor,
            said=f"{finding['title']} {finding['px']} px{told}{f', {verdict}' if verdict else ''}",
        )

    def _forest(self, rows: list[tuple[Person, int]]) -> Figure:
        """Draw the largest contour offsets with their intervals; the mark is the verdict's."""
        off = [abs(self._value(row, "contour", "_px")[0]) for _, row in rows]
        order = np.argsort(-np.nan_to_num(np.array(off), nan=-1.0), kind="stable")
        n, rows = len(rows), [rows[k] for k in np.sort(order[:MOST_PICTURED]).tolist()]
        traces = []
        verdicts = [self._verdict(row, "contour")[0] for _, row in rows]
        for verdict, colour in COLOURS.items():
            mine = [y for y, one in enumerate(verdicts) if one == verdict]
            if not mine:
                continue
            value, low, high = np.array([self._value(rows[y][1], "contour", "_px") for y in mine]).T
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": f"{MARKS[verdict]} {verdict}",
                    "x": value.tolist(),
                    "y": mine,
                    "marker": {"color": colour, "symbol": SYMBOLS[verdict], "size": 9},
                    "error_x": {
                        "type": "data",
                        "symmetric": False,
                        "array": (high - value).tolist(),
                        "arrayminus": (value - low).tolist(),
                        "color": colour,
                        "thickness": 1.5,
                        "width": 3,
                    },
                    "hoverinfo": "x",
                }
            )
        names = [plot_text(clean_text(person.name, width=NAME)) for person, _ in rows]
        layout = {
            "height": ROW * len(rows) + 110,
            "margin": {"l": 8, "r": 12, "t": 40, "b": 50},
            "xaxis": {
                "title": {"text": "contour, px: above zero is dilated"},
                "zeroline": True,
                "fixedrange": True,
            },
            "yaxis": axis_of(names),
            "meta": pictured_of([person for person, _ in rows], n),
            "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
            "showlegend": True,
        }
        return figure_of(traces, layout)


def _title(name: str) -> str:
    return name.removeprefix("contour").strip("_").replace("_", " ") or "all of the contour"


def _pair(point: Floats) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _closed(points: list[tuple[float, float]]) -> str:
    """Draw a smooth closed line through points (Catmull and Rom), as the path of an SVG."""
    n = len(points)
    if n < 3:
        return ""
    at = np.array(points)
    parts = [f"M{at[0][0]:.1f} {at[0][1]:.1f}"]
    for k in range(n):
        before, here, there, after = (at[(k + j) % n] for j in (-1, 0, 1, 2))
        one, two = here + (there - before) / 6, there - (after - here) / 6
        parts.append(
            f"C{one[0]:.1f} {one[1]:.1f} {two[0]:.1f} {two[1]:.1f} {there[0]:.1f} {there[1]:.1f}"
        )
    return " ".join([*parts, "Z"])
