"""report: the page of one category, and the table of all of them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.names import page_name
from annqc.report.html.person import cell_of, span
from annqc.report.html.pictures import ROW, SCALE, SHORT, axis_of, figure_of
from annqc.report.html.texts import MARKS, number, plot_text, share
from annqc.report.mistakes import error_text
from annqc.report.plain import clean_text, name_text
from annqc.report.view import view_of
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.report.html.person import People
    from annqc.report.html.pictures import Figure
    from annqc.report.html.story import Story
    from annqc.report.view import View
    from annqc.tables import Array

__all__ = ["ENOUGH", "FOLDER", "MOST_PAGES", "Categories"]

FOLDER: Final = "categories"
ENOUGH: Final = 5
"""Images with a pair from which a category has a page."""
MOST_PAGES: Final = 100
N_PICTURED: Final = 30
N_PEOPLE: Final = 200
N_LISTED: Final = 15
N_ROWS: Final = 3_000
NAME: Final = 18
DEEPEST: Final = 4.0
SCORES: Final = (
    ("recall", "recall"),
    ("precision", "precision"),
    ("label_accuracy", "labels"),
    ("mean_iou", "mean IoU"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beyond:
    """Of how many annotators how many are beyond the tolerance: by edge, and on any of them."""

    n: int
    edges: list[int]
    anybody: int


class Categories:
    """Makes pages of categories, where there is more than one.

    Parameters
    ----------
    story : Story
        The audit.
    people : People
        Makes the pages of its people, and has what both need.
    """

    def __init__(self, story: Story, people: People) -> None:
        self.story, self.people = story, people
        run = story.run
        self.pages: dict[Any, str] = {}
        self.view = view_of(run, ("category",))
        self.scores = run.score_columns(("category",))
        self.at = {name: k for k, name in enumerate(self.scores["category"].tolist())}
        self.group = {name: k for k, name in enumerate(self.view.keys["category"].tolist())}
        gold = self.scores["n_reference"]
        self.names: list[Any] = sorted(self.at, key=lambda name: (-gold[self.at[name]], str(name)))
        self.by_person: View | None = None
        self.groups: dict[Any, list[int]] = {}
        if len(self.names) < 2:
            return
        enough = [name for name in self.names if self._n_images(name) >= ENOUGH]
        self.pages = {
            name: page_name(clean_text(name), k).replace("annotator-", "category-", 1)
            for k, name in enumerate(enough[:MOST_PAGES], start=1)
        }
        self.by_person = people.strata.get("category") if story.named else None
        if self.by_person is not None:
            for group, name in enumerate(self.by_person.keys["category"].tolist()):
                self.groups.setdefault(name, []).append(group)
            both = run.score_columns((*story.view.by, "category"))
            self.rates = both
            keys = zip(both["annotator"].tolist(), both["category"].tolist(), strict=True)
            self.rate_at = {key: k for k, key in enumerate(keys)}
        self._confusions()
        self.errors_of: dict[str, list[int]] = {}
        for row, name in enumerate(people.errors["category"].tolist()):
            self.errors_of.setdefault(str(name), []).append(row)

    def contexts(self) -> dict[str, dict[str, Any]]:
        """Return what each page is filled with, by its file name."""
        return {page: self._context(name) for name, page in self.pages.items()}

    def table(self) -> dict[str, Any]:
        """Return the table of all categories, those with most gold first."""
        shown = self.names[:N_ROWS]
        return {
            "rows": [self.row(name) for name in shown],
            "n": len(self.names),
            "spread": self.by_person is not None,
            "evidence": self.people.sections.evidence,
            "n_pages": len(self.pages),
            "most_pages": MOST_PAGES,
            "left": len(self.names) - len(shown),
            "enough": ENOUGH,
            "titles": [title for _, title in SCORES],
        }

    def row(self, name: Any) -> dict[str, Any]:
        """Lay out one category, all annotators together.

        Parameters
        ----------
        name : object
            The category.
        """
        row = self.at[name]
        group = self.group.get(name)
        edges = [
            {"value": number(None), "interval": "", "mark": "", "n_clusters": 0}
            if group is None
            else cell_of(self.view, group, k, judged=False)
            for k in range(len(EDGES))
        ]
        beyond = self._beyond(name)
        for one, n in zip(edges, beyond.edges, strict=True):
            one["beyond"] = n
        return {
            "name": name_text(name, width=40),
            "page": self.pages.get(name, ""),
            "n": int(self.scores["n_reference"][row]),
            "n_images": self._n_images(name),
            "rates": self._rates(self.scores, row),
            "edges": edges,
            "beyond": beyond.anybody,
            "n_annotators": beyond.n,
        }

    def _beyond(self, name: Any) -> _Beyond:
        """Count the annotators whose intervals within a category lie beyond the tolerance."""
        groups = self.groups.get(name, [])
        if self.by_person is None or not groups:
            return _Beyond(n=0, edges=[0] * len(EDGES), anybody=0)
        low, high, margin = (
            self.by_person.columns[one][groups, : len(EDGES)].astype(np.float64)
            for one in ("ci_low", "ci_high", "margin")
        )
        out = (low > margin) | (high < -margin)
        known = np.isfinite(low).any(axis=1)
        return _Beyond(
            n=int(known.sum()), edges=out.sum(axis=0).tolist(), anybody=int(out.any(axis=1).sum())
        )

    def _n_images(self, name: Any) -> int:
        group = self.group.get(name)
        return 0 if group is None else int(self.view.n_clusters[group])

    def _rates(self, scores: dict[str, Array], row: int) -> list[dict[str, Any]]:
        rates = []
        for one, _ in SCORES:
            text, ends = share(*(float(scores[one + end][row]) for end in ("", "_low", "_high")))
            n_clusters = int(scores[f"{one}_n_clusters"][row])
            rates.append({"value": text, "interval": ends, "n_clusters": n_clusters})
        return rates

    def _confusions(self) -> None:
        """Count which labels were taken for which others."""
        pairs = self.story.run.pair_columns()
        wrong = np.flatnonzero(pairs["status"] == "mislabelled")
        of, to = (pairs[name][wrong].tolist() for name in ("category", "candidate_category"))
        self.taken_for: dict[str, Counter[str]] = {}
        self.taken_from: dict[str, Counter[str]] = {}
        for gold, drawn in zip(map(str, of), map(str, to), strict=True):
            self.taken_for.setdefault(gold, Counter())[drawn] += 1
            self.taken_from.setdefault(drawn, Counter())[gold] += 1

    def _context(self, name: Any) -> dict[str, Any]:
        people = self._people(name)
        errors = self.errors_of.get(str(name), [])
        group = self.group[name]
        return {
            "category": name_text(name, width=60),
            "evidence": self.people.sections.evidence,
            "row": self.row(name),
            "titles": [title for _, title in SCORES],
            "pairs": span(self.view.columns["n"][group, : len(EDGES)]),
            "people": people[:N_PEOPLE],
            "n_people": len(people),
            "judged": self._judged(),
            "edges": [SHORT[edge] for edge in EDGES],
            "picture": self._picture(name, people[:N_PICTURED]),
            "taken_for": _listed(self.taken_for.get(str(name))),
            "taken_from": _listed(self.taken_from.get(str(name))),
            "kinds": self.people.counted(np.array(errors, dtype=np.int64)),
            "lists": self._lists(errors),
        }

    def _judged(self) -> bool:
        view = self.by_person
        return view is not None and set(self.story.by) == set(view.by)

    def _people(self, name: Any) -> list[dict[str, Any]]:
        """Lay out the annotators within a category, those with most pairs first."""
        if self.by_person is None:
            return []
        view, judged, found = self.by_person, self._judged(), []
        place = {self.story.codes[one.group]: one for one in self.story.people}
        code = {who: k for k, who in enumerate(self.story.run.candidate.annotator_ids.tolist())}
        for group in self.groups.get(name, []):
            who = view.keys["annotator"][group]
            row = self.rate_at.get((who, name))
            found.append(
                {
                    "person": place[code[who]],
                    "group": group,
                    "cells": [cell_of(view, group, k, judged=judged) for k in range(len(EDGES))],
                    "rates": [] if row is None else self._rates(self.rates, row)[:2],
                    "n": int(view.columns["n"][group].max()),
                    "pairs": span(view.columns["n"][group, : len(EDGES)]),
                }
            )
        return sorted(found, key=lambda one: (-one["n"], one["person"].name))

    def _picture(self, name: Any, people: list[dict[str, Any]]) -> Figure:
        """Draw everybody and all together x edges: the colour is the estimate in tolerances."""
        rows: list[tuple[str, str, View, int]] = [
            ("all together", "", self.view, self.group[name]),
            *(
                (one["person"].name, one["person"].page, self.by_person or self.view, one["group"])
                for one in people
            ),
        ]
        z, texts = [], []
        for _, _, view, group in rows:
            line, told = [], []
            for k in range(len(EDGES)):
                value, low, high = view.estimate(group, k, "px")
                sure = math.isfinite(low) and math.isfinite(high)
                line.append(view.estimate(group, k, "")[0] if sure else math.nan)
                told.append(number(value, sign=True) if sure else MARKS["too_few"])
            z.append(line)
            texts.append(told)
        trace = {
            "type": "heatmap",
            "x": list(range(len(EDGES))),
            "y": list(range(len(rows))),
            "z": z,
            "text": texts,
            "texttemplate": "%{text}",
            "textfont": {"color": "#111111", "size": 11},
            "hoverinfo": "skip",
            "colorscale": SCALE,
            "zmin": -DEEPEST,
            "zmax": DEEPEST,
            "xgap": 1,
            "ygap": 1,
            "showscale": False,
        }
        layout = {
            "height": (ROW + 4) * len(rows) + 70,
            "margin": {"l": 8, "r": 12, "t": 40, "b": 10},
            "xaxis": {
                "tickvals": list(range(len(EDGES))),
                "ticktext": [SHORT[edge] for edge in EDGES],
                "side": "top",
                "fixedrange": True,
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": axis_of([plot_text(clean_text(one, width=NAME)) for one, *_ in rows]),
            "meta": {"pages": [f"../annotators/{page}" if page else "" for _, page, *_ in rows]},
        }
        return figure_of([trace], layout)

    def _lists(self, errors: list[int]) -> list[dict[str, Any]]:
        """List what was missed and what is spurious, those that gain most by a correction first."""
        found = []
        for title, kinds in (("Missed", ("missed",)), ("Spurious", ("spurious", "duplicate"))):
            mine = [row for row in errors if self.people.kinds[row] in kinds]
            if mine:
                texts = []
                for row in mine[:N_LISTED]:
                    one = {key: column[row] for key, column in self.people.errors.items()}
                    texts.append(error_text(one, self.people.unusable, side=self.story.view.side))
                found.append({"title": title, "n": len(mine), "texts": texts})
        return found


def _listed(counted: Counter[str] | None) -> list[tuple[str, int]]:
    most = (counted or Counter[str]()).most_common(N_LISTED)
    return [(name_text(name, width=40), n) for name, n in most]
