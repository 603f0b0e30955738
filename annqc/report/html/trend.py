"""report: offsets over the time of drawing, in blocks, where the data say when that was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.blocks import LEAST, Panel, block_cells, cut, panels, spans
from annqc.report.html.dependence import change_lines, changed_people, tested
from annqc.run.times import times_of
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.report.html.blocks import Blocker, Blocks
    from annqc.report.html.story import Person, Story
    from annqc.tables import Array, Floats, Ints

__all__ = ["Trend"]

N_BLOCKS: Final = 8


class Trend:
    """Offsets over time, of everybody and of all together.

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
        times = times_of(story.run.candidate)
        self.there = False
        if times is None:
            return
        self.column, seconds = times
        self.time: Floats = seconds[measured.candidate]
        self.there = bool(np.isfinite(self.time).any())
        if not self.there:
            return
        self.code = np.full(len(measured), -1, dtype=np.int64)
        for k, person in enumerate(story.people):
            rows = story.rows(measured.annotator, person)
            self._cut(rows, measured.cluster, k, self.code)
        self.all = np.full(len(measured), -1, dtype=np.int64)
        # Others drew the same image in other weeks: it is cut by who drew it as well.
        width = int(measured.cluster.max(initial=0)) + 1
        work = measured.annotator * width + measured.cluster
        self._cut(np.arange(len(measured)), work, 0, self.all)
        self.found = blocker.blocks(self.code, N_BLOCKS * len(story.people))
        self.together = blocker.blocks(self.all, N_BLOCKS)

    def _cut(self, rows: Ints, cluster: Array, k: int, code: Ints) -> None:
        """Cut clusters into blocks by the median time of what was drawn on each."""
        rows = rows[np.isfinite(self.time[rows])]
        names, at = np.unique(cluster[rows], return_inverse=True)
        if len(names) < 2 * LEAST:
            return
        order = np.lexsort((self.time[rows], at))
        count = np.bincount(at)
        first = np.cumsum(count) - count
        middle = self.time[rows][order][first + (count - 1) // 2]
        n = min(N_BLOCKS, len(names) // LEAST)
        code[rows] = k * N_BLOCKS + cut(middle, n)[at]

    def of(self, person: Person) -> dict[str, Any] | None:
        """Return what a page shows; None where times are unknown or alike, or little was drawn.

        Parameters
        ----------
        person : Person
            One of the story's.
        """
        if not self.there:
            return None
        k = self.story.people.index(person)
        mine = self.story.rows(self.story.run.measurements.annotator, person)
        made = self._laid_out(self.found, self.code, k, mine)
        if made is not None:
            made["picture"]["layout"]["shapes"] = change_lines(self.story, person)
            made["tested"] = tested(self.story, person, "change", "session")
        return made

    def overview(self) -> dict[str, Any] | None:
        """Return what the first page shows; None as in `of`."""
        if not self.there:
            return None
        made = self._laid_out(self.together, self.all, 0, np.arange(len(self.all)))
        if made is not None:
            made["changed"] = changed_people(self.story)
        return made

    def _laid_out(self, found: Blocks, code: Ints, k: int, mine: Ints) -> dict[str, Any] | None:
        rows = [row for row in range(k * N_BLOCKS, (k + 1) * N_BLOCKS) if (code[mine] == row).any()]
        if len(rows) < 2:
            return None
        times = [self.time[mine[code[mine] == row]] for row in rows]
        x = [_iso(float(np.median(one))) for one in times]
        at = np.array(rows)
        picture = panels(found, [Panel(x=x, rows=at, guides=[]) for _ in EDGES])
        for name in ("xaxis", "xaxis2", "xaxis3", "xaxis4"):
            picture["layout"][name] |= {"type": "date", "tickangle": 0}
        return {
            "picture": picture,
            "column": self.column,
            "undated": int((~np.isfinite(self.time[mine])).sum()),
            "rows": [
                {
                    "from": _iso(float(one.min())),
                    "to": _iso(float(one.max())),
                    "cells": block_cells(found, row, range(len(EDGES))),
                    **spans(found, row, range(len(EDGES))),
                }
                for row, one in zip(rows, times, strict=True)
            ],
        }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
