"""report: one page of a scorecard as plain values; pages, CSV, JSON and Markdown all take it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from annqc.judge.rules.common import clusters_of
from annqc.report.compared import compared
from annqc.report.html.drawings import bias_box
from annqc.report.html.names import page_name
from annqc.report.plain import clean_text
from annqc.report.scorecard.period import period_of
from annqc.report.scorecard.unchecked import unchecked
from annqc.report.scorecard.verdict import check_rows, verdict_of
from annqc.report.standing import STANDINGS, display_name, settle_text, standings
from annqc.report.view import view_of
from annqc.report.words import EDGE_NAMES, accused_sentences, collective_sentences
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Collection

    from annqc.report.html.drawings import BiasBox
    from annqc.report.view import View
    from annqc.run.audit import Run
    from annqc.run.scorecardchecks import Held
    from annqc.run.scorecardunits import Cut, Unit
    from annqc.tables import Floats

__all__ = ["SCORES", "UNITS", "box_of", "make_card", "page_of"]

SCORES: Final = {
    "recall": "recall",
    "precision": "precision",
    "label_accuracy": "label accuracy",
    "mean_iou": "mean IoU",
}
COUNTS: Final = {
    "recall": ("n_reference", "n_missed"),
    "precision": ("n_drawn", "n_spurious"),
    "label_accuracy": ("n_matched", "n_mislabelled"),
    "mean_iou": ("n_matched", None),
}
UNITS: Final = ("", "_px", "_rel")
ENDS: Final = ("estimate", "ci_low", "ci_high")


def page_of(unit: Unit, number: int) -> str:
    """Return the file name of a page, whatever the vendor is called."""
    return page_name(" ".join(filter(None, (unit.vendor, unit.batch))) or "delivery", number)


def make_card(
    found: Cut,
    number: int,
    held: Held | None,
    *,
    rules: bool,
    categories: Collection[str],
    times: tuple[str, Floats] | None,
) -> dict[str, Any]:
    """Lay one page out.

    Parameters
    ----------
    found : Cut
        The delivery.
    number : int
        Which of its units, from 0 on.
    held : Held or None
        The spec applied to it.
    rules : bool
        Whether there is a spec.
    categories : collection of str
        Those of the whole gold.
    times : (str, (n,) float64) or None
        When everything was drawn, from `annqc.run.times.times_of`.

    Returns
    -------
    dict
        Plain values, None for what is undefined; ``docs/howto/scorecard.md`` describes them.
    """
    unit = found.units[number]
    run = unit.run
    thing = "image" if run is None else clusters_of(run)
    checks = [] if held is None else check_rows(held, thing)
    card: dict[str, Any] = {
        "vendor": unit.vendor,
        "batch": unit.batch,
        "name": unit.name,
        "page": f"pages/{page_of(unit, number + 1)}",
        "period": period_of(times, unit.rows),
        **verdict_of(unit, held, checks, thing),
        "evidence": thing,
        "checks": checks,
        "samples": _samples(unit),
        "scores": {name: _nothing(("estimate", "ci_low", "ci_high")) for name in SCORES},
        "edges": [],
        "annotators": {"counts": dict.fromkeys(STANDINGS, 0), "told": [], "collective": []},
        "rank_low": None,
        "rank_high": None,
    }
    if run is not None:
        whole = view_of(run, ())
        card["scores"] = _scores(run)
        card["edges"] = [_edge(whole, k) for k in range(len(EDGES))]
        card["annotators"] = _annotators(run)
    card["not_checked"] = unchecked(found, unit, card, held, rules=rules, categories=categories)
    return card


def box_of(unit: Unit) -> BiasBox | None:
    """Draw the four edges of a page; None where there is nothing to draw."""
    if unit.run is None:
        return None
    measured = unit.run.measurements
    usable = measured.usable.any(axis=1)
    return bias_box(view_of(unit.run, ()), 0, measured.sides[usable])


def _nothing(names: tuple[str, ...]) -> dict[str, Any]:
    return {**dict.fromkeys(names), "n": 0, "n_wrong": None, "n_clusters": 0}


def _samples(unit: Unit) -> dict[str, Any]:
    run = unit.run
    c = None if run is None else compared(run)
    return {
        "images_asked": unit.n_asked,
        "images_drawn_on": unit.n_drawn_on,
        "images_compared": 0 if c is None else c.n_images,
        "boxes": len(unit.rows),
        "boxes_compared": 0 if c is None else c.n_candidate,
        "gold_objects": 0 if c is None else c.n_reference,
        "annotators": unit.n_annotators,
        "rows_unusable": 0 if run is None else run.candidate.n_dropped,
        "rows_odd": 0 if run is None else len(run.candidate.issues) - run.candidate.n_dropped,
        "boxes_without_gold": unit.n_outside_boxes,
        "images_without_gold": unit.n_outside_images,
    }


def _scores(run: Run) -> dict[str, Any]:
    columns = {name: column.tolist()[0] for name, column in run.score_columns(()).items()}
    found = {}
    for name in SCORES:
        total, wrong = COUNTS[name]
        found[name] = {
            "estimate": _plain(columns[name]),
            "ci_low": _plain(columns[f"{name}_low"]),
            "ci_high": _plain(columns[f"{name}_high"]),
            "n": columns[total],
            "n_wrong": None if wrong is None else columns[wrong],
            "n_clusters": columns[f"{name}_n_clusters"],
        }
    return found


def _edge(view: View, k: int) -> dict[str, Any]:
    finding = {name: _plain(value) for name, value in view.finding(0, k).items()}
    numbers = {f"{end}{unit}": finding[f"{end}{unit}"] for unit in UNITS for end in ENDS}
    names = ("n", "n_clusters", "verdict", "status", "n_more")
    return {
        "quantity": EDGES[k],
        "name": EDGE_NAMES[k],
        **numbers,
        **{name: finding[name] for name in names},
    }


def _annotators(run: Run) -> dict[str, Any]:
    """Say where everybody stands, and of those who are not clean why."""
    counts = dict.fromkeys(STANDINGS, 0)
    if run.candidate.anonymous:
        return {"counts": counts, "told": [], "collective": []}
    view = view_of(run)
    said: dict[int, list[str]] = {}
    for sentence in accused_sentences(view, None):
        said.setdefault(sentence.group, []).append(sentence.text)
    order = {place: k for k, place in enumerate(STANDINGS)}
    told = []
    for one in sorted(standings(view), key=lambda one: (order[one.place], one.group)):
        counts[one.place] += 1
        who = clean_text(view.keys["annotator"][one.group])
        text = said.get(one.group, [])
        if one.place in {"undecided", "too_few"}:
            text = [f"{display_name(view, one.group)}: {settle_text(view, one)}"]
        told.append({"annotator": who, "standing": one.place, "text": text})
    return {"counts": counts, "told": told, "collective": collective_sentences(run)}


def _plain(value: Any) -> Any:
    """Turn a cell into a plain value, None for NaN and infinity."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
