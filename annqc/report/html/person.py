"""report: what the page of one annotator shows."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.drawings import bias_box
from annqc.report.html.paragraph import paragraph
from annqc.report.html.pictures import SHORT, histograms
from annqc.report.html.sections import Sections
from annqc.report.html.texts import MARKS, QUALIFIED, flag_text, interval, kind_text, number
from annqc.report.mistakes import error_text, unusable_drawings
from annqc.report.plain import name_text
from annqc.report.view import view_of
from annqc.report.words import SENSITIVE
from annqc.run.findings import FLAGS
from annqc.run.keys import SIZE_EDGES
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from annqc.report.html.gallery import Gallery
    from annqc.report.html.reviewfiles import ReviewFiles
    from annqc.report.html.story import Person, Story
    from annqc.report.view import View
    from annqc.tables import Array, Ints

__all__ = ["People", "cell_of", "findings_table", "span", "standings_of"]

N_LISTED: Final = 15
N_CATEGORIES: Final = 12
SIDES: Final = ("reference", "candidate")
ERRORS: Final = (
    ("Misses", ("missed",)),
    ("Extras", ("spurious", "duplicate")),
    ("Wrong labels", ("mislabelled",)),
    ("Other errors", ()),
)
"""Lists of errors; the last takes what no other does."""
SMALL, LARGE = (f"{math.isqrt(int(one))}² px" for one in SIZE_EDGES)
AREAS: Final = {
    "small": f"area under {SMALL}",
    "medium": f"area of {SMALL} to {LARGE}",
    "large": f"area of {LARGE} or more",
}
"""What the sizes mean."""


class People:
    """Makes the contents of pages, of everybody in one audit.

    Parameters
    ----------
    story : Story
        The audit.
    gallery : Gallery
        Single annotations of everybody.
    reviews : ReviewFiles
        The review queue.
    """

    def __init__(self, story: Story, gallery: Gallery, reviews: ReviewFiles) -> None:
        self.story, self.gallery, self.reviews = story, gallery, reviews
        run = story.run
        self.px = run.measurements.values("px")[: len(EDGES)]
        self.errors = run.error_columns()
        self.kinds = self.errors["kind"].astype(str)
        self.rows = run.error_rows
        self.error_of = self.rows["annotator"]
        self.unusable = unusable_drawings(run)
        main = story.view.by
        names = ["size"] + (["category"] if len(run.matches.category_names) > 1 else [])
        if len(story.by) == 2:  # the part of the work that was asked about comes first
            names = list(dict.fromkeys([next(n for n in story.by if n != "annotator"), *names]))
        self.strata = {name: view_of(run, (*main, name)) for name in names}
        self.parts = {name: _by_person(view) for name, view in self.strata.items()}
        pairs = run.pair_columns()
        wrong = np.flatnonzero(pairs["status"] == "mislabelled")
        listed = {
            name: pairs[name][wrong].tolist()
            for name in ("annotator", "category", "candidate_category")
        }
        self.sections = Sections(story)
        self.confused: dict[Any, Counter[tuple[str, str]]] = {}
        for who, *labels in zip(*listed.values(), strict=True):
            key = who if story.named else None
            of, to = (name_text(one, width=40) for one in labels)
            self.confused.setdefault(key, Counter())[of, to] += 1

    def context(self, person: Person) -> dict[str, Any]:
        """Return what the template of a person's page is filled with."""
        story = self.story
        view, measured = story.view, story.run.measurements
        rows = story.rows(measured.annotator, person)
        usable = rows[np.isfinite(self.px[:, rows]).any(axis=0)]
        key = view.keys["annotator"][person.group] if story.named else None
        drawn = histograms(self.px[:, rows])
        errors = story.rows(self.error_of, person)
        return {
            "person": person,
            "said": paragraph(story, person),
            "standings": standings_of(person),
            "flags": _flags_met(view, person.group),
            "box": bias_box(view, person.group, measured.sides[usable]),
            "findings": findings_table(view, person.group),
            "histogram": None if drawn is None else drawn[0],
            "bins": [] if drawn is None else drawn[1],
            "edges": [SHORT[name] for name in EDGES],
            "strata": [one for name in self.strata if (one := self._stratum(name, key))],
            "confusions": self.confused.get(key, Counter()).most_common(N_LISTED),
            "kinds": self.counted(errors),
            "lists": self._lists(person, errors),
            "gallery": self.gallery.of(person),
            "other": self.gallery.other,
            "queue": self.reviews.of_page.get(person.page),
            **self.sections.of(person),
        }

    def _stratum(self, name: str, key: object) -> dict[str, Any] | None:
        """Lay out the findings on parts of a person's work."""
        view, groups = self.strata[name], self.parts[name].get(key, [])
        if not groups:
            return None
        judged = set(self.story.by) == set(view.by)
        many = sorted(groups, key=lambda group: -int(view.columns["n"][group].max()))
        shown = groups if name == "size" else many[:N_CATEGORIES]
        return {
            "name": name,
            "judged": judged,
            "left": len(groups) - len(shown),
            "rows": [
                {
                    "value": _value_text(name, view.keys[name][group]),
                    "n": span(view.columns["n"][group, : len(EDGES)]),
                    "cells": [cell_of(view, group, k, judged=judged) for k in range(len(EDGES))],
                }
                for group in shown
            ],
        }

    def counted(self, errors: Ints) -> list[tuple[str, int]]:
        """Count errors by kind, the most frequent first."""
        kinds = Counter(self.kinds[errors].tolist())
        return [(kind_text(kind), n) for kind, n in kinds.most_common()]

    def _lists(self, person: Person, errors: Ints) -> list[dict[str, Any]]:
        """List the errors of a person, those that gain most by a correction first."""
        named = {kind for _, kinds in ERRORS for kind in kinds}
        found = []
        for title, kinds in ERRORS:
            mine = [
                row
                for row in errors.tolist()
                if (self.kinds[row] in kinds if kinds else self.kinds[row] not in named)
            ]
            if mine:
                items = [self.item(person, row) for row in mine[:N_LISTED]]
                found.append({"title": title, "n": len(mine), "items": items})
        return found

    def item(self, person: Person, row: int) -> dict[str, Any]:
        """Say one error, and give the number that links go by."""
        error = {name: column[row] for name, column in self.errors.items()}
        text = error_text(error, self.unusable, side=self.story.view.side)
        anchor = self.gallery.anchor(person, *(int(self.rows[side][row]) for side in SIDES))
        return {"rank": int(error["rank"]), "text": text, "anchor": anchor}


def findings_table(view: View, group: int) -> list[dict[str, Any]]:
    """Lay out the eight findings of a group.

    Parameters
    ----------
    view : View
        Findings.
    group : int
        Row of the view.
    """
    found = []
    for k, name in enumerate(QUANTITIES):
        px, share, units = (view.estimate(group, k, unit) for unit in ("px", "rel", ""))
        row = view.finding(group, k)
        verdict = str(row["verdict"])
        lopsided = "ASYMMETRIC" in _flags(row)
        found.append(
            {
                "quantity": name,
                "title": SHORT[name],
                "px": number(px[0], 2, sign=True),
                "px_interval": interval(px[1], px[2], 2),
                "rel": number(100 * share[0], 1, sign=True),
                "rel_interval": interval(100 * share[1], 100 * share[2], 1),
                "tolerances": number(units[0], 2, sign=True),
                "tolerances_interval": interval(units[1], units[2], 2),
                "verdict": verdict,
                "mark": mark_of(verdict, row["flags"]),
                "flags": [flag_text(flag) for flag in _flags(row)],
                "mean_px": number(row["mean_px"], 2, sign=True) if lopsided else "",
                "mean": number(row["mean"], 2, sign=True) if lopsided else "",
                "n": int(row["n"]),
                "n_clusters": int(row["n_clusters"]),
                "status": "" if row["status"] == "ok" else str(row["status"]).replace("_", " "),
            }
        )
    return found


def standings_of(person: Person) -> list[tuple[str, str, str]]:
    """Return what a person is judged on, where they stand in it, and whether that is qualified.

    Parameters
    ----------
    person : Person
        One of the story's.
    """
    edges = ("Edges", person.place, QUALIFIED * person.standing.sensitive)
    return [edges, *((what, one.verdict, "") for what, one in person.habits.items())]


def mark_of(verdict: str, flags: str) -> str:
    """Return the mark of a verdict; a qualified one where what was not paired might change it."""
    return MARKS.get(verdict, "") + QUALIFIED * (SENSITIVE in flags)


def cell_of(view: View, group: int, quantity: int, *, judged: bool) -> dict[str, Any]:
    """Lay out an offset in pixels with its interval and the clusters behind it.

    Parameters
    ----------
    view : View
        Findings.
    group, quantity : int
        Row and column of the view.
    judged : bool
        Whether its verdict is to be shown.
    """
    value, low, high = view.estimate(group, quantity, "px")
    row = view.finding(group, quantity)
    verdict = str(row["verdict"]) if judged else ""
    return {
        "value": number(value, sign=True),
        "interval": interval(low, high),
        "verdict": verdict,
        "mark": mark_of(verdict, row["flags"]) if judged else "",
        "n_clusters": int(row["n_clusters"]),
    }


def span(counts: Array) -> str:
    """Say from how many to how many there are; evidence differs from edge to edge."""
    least, most = int(counts.min()), int(counts.max())
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _flags(row: dict[str, Any]) -> list[str]:
    return [flag for flag in str(row["flags"]).split(",") if flag]


def _flags_met(view: View, group: int) -> list[tuple[str, str]]:
    """Explain the flags that the findings of a group have."""
    met = {flag for k in range(len(QUANTITIES)) for flag in _flags(view.finding(group, k))}
    return [(flag_text(flag), text) for flag, text in FLAGS.items() if flag in met]


def _value_text(name: str, value: object) -> str:
    """Name a part of the work; a size with its limits."""
    text = name_text(value, width=40)
    return f"{text} ({AREAS[text]})" if name == "size" and text in AREAS else text


def _by_person(view: View) -> dict[Any, list[int]]:
    """Return the rows of a view by annotator; under None where there are none."""
    keys: Array | None = view.keys.get("annotator")
    found: dict[Any, list[int]] = {}
    for group in range(len(view)):
        found.setdefault(None if keys is None else keys[group], []).append(group)
    return found
