"""report: whether offsets go with the size of objects, and with their place in the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.blocks import LEAST, Panel, block_cells, cut, evidence_of, panels, spans
from annqc.report.html.dependence import tested
from annqc.report.html.texts import interval, number
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.report.html.blocks import Blocker, Blocks
    from annqc.report.html.story import Person, Story
    from annqc.tables import Bools, Floats, Ints

__all__ = ["PLACES", "Cell", "Padding", "Position"]

N_SIZES: Final = 5
PLACES: Final = (
    *("top left", "top", "top right"),
    *("left", "middle", "right"),
    *("bottom left", "bottom", "bottom right"),
)
"""Ninths of the image, in the order of their cells."""
WIDE: Final = 360.0
"""Pixels of the drawing of an image across."""
SHIFTS: Final = (4, 5)
"""Where the centre shift stands in `annqc.tables.QUANTITIES`."""
STEPS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


class Padding:
    """Offsets by the side of the gold box: so many pixels at any size, or a share of the side.

    Parameters
    ----------
    story : Story
        The audit.
    blocker : Blocker
        Of its run.
    """

    def __init__(self, story: Story, blocker: Blocker) -> None:
        self.story = story
        measured = story.run.measurements
        self.sides = measured.sides
        n_people = len(story.people)
        self.codes: list[Ints] = []
        self.found: list[Blocks] = []
        for axis in (0, 1):
            code = np.full(len(measured), -1, dtype=np.int64)
            for k, person in enumerate(story.people):
                rows = story.rows(measured.annotator, person)
                rows = rows[measured.usable[rows][:, [axis, axis + 2]].any(axis=1)]
                n_clusters = len(np.unique(measured.cluster[rows]))
                if n_clusters >= 2 * LEAST:
                    n = min(N_SIZES, n_clusters // LEAST)
                    code[rows] = k * N_SIZES + cut(self.sides[rows, axis], n)
            self.codes.append(code)
            self.found.append(blocker.blocks(code, n_people * N_SIZES))

    def of(self, person: Person) -> dict[str, Any] | None:
        """Return what a page shows; None where there is too little, or all sides are alike.

        Parameters
        ----------
        person : Person
            One of the story's.
        """
        k = self.story.people.index(person)
        rows = self.story.rows(self.story.run.measurements.annotator, person)
        tables, drawn = [], []
        for axis, side in ((0, "width"), (1, "height")):
            code, blocks = self.codes[axis][rows], self.found[axis]
            sides = self.sides[rows, axis]
            mine = [
                (row, sides[code == row])
                for row in range(k * N_SIZES, (k + 1) * N_SIZES)
                if (code == row).any()
            ]
            if len(mine) < 2:
                return None
            middle = [float(np.median(one)) for _, one in mine]
            drawn.append((middle, np.array([row for row, _ in mine])))
            quantities = (axis, axis + 2)
            tables.append(
                {
                    "side": side,
                    "edges": [EDGES[k].removeprefix("out_") for k in quantities],
                    "rows": [
                        {
                            "range": f"{number(float(one.min()), 0)} to "
                            f"{number(float(one.max()), 0)}",
                            "middle": number(float(np.median(one)), 0),
                            "cells": block_cells(blocks, row, quantities),
                            **spans(blocks, row, quantities),
                        }
                        for row, one in mine
                    ],
                }
            )
        return {
            "tables": tables,
            "picture": self._picture(person, drawn),
            "tested": tested(self.story, person, "padding", "size"),
        }

    def _picture(self, person: Person, drawn: list[tuple[list[float], Ints]]) -> dict[str, Any]:
        view = self.story.view
        made = []
        for edge in range(len(EDGES)):
            middle, rows = drawn[edge % 2]
            px, share = (view.estimate(person.group, edge, unit)[0] for unit in ("px", "rel"))
            reach = [0.0, 1.05 * max(middle)]
            guides = [
                ("all pairs, px", "dot", reach, [px, px]),
                ("all pairs, % of the side", "dash", reach, [share * x for x in reach]),
            ]
            side = ("width", "height")[edge % 2]
            made.append(
                Panel(x=middle, rows=rows, guides=guides, title=f"{side} of {view.side}, px")
            )
        both = _joined(self.found)
        return panels(both, made)


def _joined(found: list[Blocks]) -> Blocks:
    """Take left and right from the blocks of widths, top and bottom from those of heights."""
    across, down = found
    vertical = np.arange(across.estimate.shape[1]) % 2 == 1
    names = ("estimate", "low", "high", "n", "n_clusters")
    joined = {
        name: np.where(vertical, getattr(down, name), getattr(across, name)) for name in names
    }
    return type(across)(**joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A ninth of the image in the drawing; the arrow is the typical shift of the boxes in it."""

    x: float
    y: float
    width: float
    height: float
    start: tuple[float, float]
    tip: tuple[float, float]
    across: tuple[float, float] | None
    down: tuple[float, float] | None
    n_clusters: str
    said: str


class Position:
    """Offsets by where in the image the object is, in ninths.

    Parameters
    ----------
    story : Story
        The audit.
    blocker : Blocker
        Of its run.
    """

    def __init__(self, story: Story, blocker: Blocker) -> None:
        self.story = story
        run = story.run
        self.evidence = evidence_of(story)
        measured, table, images = run.measurements, run.reference.table, run.reference.image_table
        at = table.image[measured.reference]
        box = table.xyxy[measured.reference]
        size = np.stack([images.width[at], images.height[at]], axis=1)
        known: Bools = np.asarray((np.isfinite(size) & (size > 0)).all(axis=1))
        place = np.zeros((len(at), 2), dtype=np.int64)
        centre = 0.5 * (box[known, :2] + box[known, 2:])
        place[known] = np.clip(np.floor(3 * centre / size[known]), 0, 2)
        self.unknown = ~known
        self.aspect = 0.75
        if known.any():
            self.aspect = float(np.clip(np.median(size[known, 1] / size[known, 0]), 0.5, 1.3))
        number_of = np.full(len(at), -1, dtype=np.int64)
        for k, person in enumerate(story.people):
            number_of[story.rows(measured.annotator, person)] = k
        cell = 3 * place[:, 1] + place[:, 0]
        code = np.where(known & (number_of >= 0), len(PLACES) * number_of + cell, -1)
        self.code = code
        self.found = blocker.blocks(code, len(PLACES) * len(story.people))

    def of(self, person: Person) -> dict[str, Any] | None:
        """Return what a page shows; None where sizes of images are unknown, or little was drawn.

        Parameters
        ----------
        person : Person
            One of the story's.
        """
        k = self.story.people.index(person)
        rows = range(k * len(PLACES), (k + 1) * len(PLACES))
        n_clusters = self.found.n_clusters[rows.start : rows.stop]
        if (n_clusters.max(axis=1) >= LEAST).sum() < 2:
            return None
        mine = self.story.rows(self.story.run.measurements.annotator, person)
        cells, scale = self._cells(rows)
        bar = next((one for one in STEPS if one * scale >= 24.0), STEPS[-1])
        return {
            "cells": cells,
            "width": WIDE,
            "height": WIDE * self.aspect,
            "bar": bar * scale,
            "bar_px": f"{bar:g} px",
            "left_out": int(self.unknown[mine].sum()),
            "tested": tested(self.story, person, "place"),
            "rows": [
                {
                    "place": PLACES[row - rows.start],
                    "cells": block_cells(self.found, row, range(6)),
                    **spans(self.found, row, range(6)),
                }
                for row in rows
            ],
        }

    def _cells(self, rows: range) -> tuple[list[Cell], float]:
        """Lay out the nine arrows; one scale for all of them."""
        found = self.found
        wide, high = WIDE / 3, WIDE * self.aspect / 3
        shifts = found.estimate[rows.start : rows.stop, 4:6]
        ends = np.stack([found.low, found.high])[:, rows.start : rows.stop, 4:6]
        reach = np.nan_to_num(np.abs(shifts)).max(initial=0.0)
        known = np.abs(ends[np.isfinite(ends)])
        if len(known):
            reach = max(reach, min(float(known.max()), 3 * max(float(reach), 1e-9)))
        scale = 0.42 * min(wide, high) / max(float(reach), 0.1)
        made = []
        for k, row in enumerate(rows):
            x, y = (k % 3) * wide, (k // 3) * high
            centre = (x + wide / 2, y + high / 2)
            n = spans(found, row, SHIFTS)["n_clusters"]
            shift = [float(found.estimate[row, one]) for one in SHIFTS]
            there = bool(np.isfinite(shift).all())
            tip = tuple(c + scale * s if there else c for c, s in zip(centre, shift, strict=True))
            bars = [self._bar(row, k, scale, (x, y), (wide, high)) for k in (0, 1)]
            told = ", ".join(
                f"{name} {number(float(found.estimate[row, q]), sign=True)} px "
                f"({interval(found.low[row, q], found.high[row, q]) or 'no interval'})"
                for name, q in zip(("right", "down"), SHIFTS, strict=True)
            )
            made.append(
                Cell(
                    x=x,
                    y=y,
                    width=wide,
                    height=high,
                    start=centre,
                    tip=(tip[0], tip[1]),
                    across=bars[0],
                    down=bars[1],
                    n_clusters=n,
                    said=f"{PLACES[k]}: {told}, {n} {self.evidence}",
                )
            )
        return made, scale

    def _bar(
        self,
        row: int,
        axis: int,
        scale: float,
        corner: tuple[float, float],
        size: tuple[float, float],
    ) -> tuple[float, float] | None:
        """Return where the interval of a shift begins and ends, kept inside its cell."""
        low, high = (float(x[row, SHIFTS[axis]]) for x in (self.found.low, self.found.high))
        if not (np.isfinite(low) and np.isfinite(high)):
            return None
        middle = corner[axis] + size[axis] / 2
        ends: Floats = np.clip(
            middle + scale * np.array([low, high]), corner[axis] + 2, corner[axis] + size[axis] - 2
        )
        return float(ends[0]), float(ends[1])
