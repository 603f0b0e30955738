"""report: one page of a scorecard as plain values; pages, CSV, JSON and Markdown all take it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from annqc.judge.rules.common import clusters_of
from annqc.report.compared import compared
from annqc.report.html.names import page_name
from annqc.report.scorecard.changes import change_phrase, changes_of
from annqc.report.scorecard.people import people_of, people_on
from annqc.report.scorecard.period import period_of
from annqc.report.scorecard.unchecked import categories_of, unchecked
from annqc.report.scorecard.verdict import check_rows, verdict_of
from annqc.report.standing import STANDINGS
from annqc.report.view import view_of
from annqc.report.words import EDGE_NAMES, collective_sentences
from annqc.run.scorecard.checks import on_several_pages
from annqc.run.scorecard.ranks import accused_units
from annqc.run.times import times_of
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Collection

    from annqc.judge.model import Spec
    from annqc.report.scorecard.changes import Changed
    from annqc.report.scorecard.people import People
    from annqc.report.view import View
    from annqc.run.audit import Run
    from annqc.run.scorecard.checks import Held
    from annqc.run.scorecard.units import Cut, Unit
    from annqc.tables import Bools, Floats

__all__ = ["SCORES", "UNITS", "Common", "make_card", "page_of"]

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


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Common:
    """What all pages of a scorecard share.

    Attributes
    ----------
    spec : Spec or None
        The rules.
    categories : collection of str
        Those of the whole gold.
    times : (str, (n,) float64) or None
        When everything was drawn.
    people : People
        Everybody in the delivery.
    changed : Changed
        Whose edges changed over time.
    off : (n_units, 8) bool
        Which offsets of which pages are beyond the tolerance, as many pages as there are.
    """

    spec: Spec | None
    categories: Collection[str]
    times: tuple[str, Floats] | None
    people: People
    spread: set[object]
    changed: Changed
    off: Bools

    @classmethod
    def of(cls, found: Cut, spec: Spec | None) -> Common:
        """Work out what the pages of a delivery share."""
        return cls(
            spec=spec,
            categories=categories_of(found.run),
            times=times_of(found.run.candidate),
            people=people_of(found.run),
            spread=on_several_pages(found),
            changed=changes_of(found.run),
            off=accused_units(found),
        )


def page_of(unit: Unit, number: int) -> str:
    """Return the file name of a page, whatever the vendor is called."""
    return page_name(" ".join(filter(None, (unit.vendor, unit.batch))) or "delivery", number)


def make_card(
    found: Cut,
    number: int,
    held: Held | None,
    *,
    common: Common,
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
    common : Common
        What all pages share.

    Returns
    -------
    dict
        Plain values, None for what is undefined; ``docs/howto/scorecard.md`` describes them.
    """
    unit = found.units[number]
    run = unit.run
    thing = "image" if run is None else clusters_of(run)
    checks = [] if held is None else check_rows(held, thing, found, unit.name)
    card: dict[str, Any] = {
        "vendor": unit.vendor,
        "batch": unit.batch,
        "name": unit.name,
        "page": f"pages/{page_of(unit, number + 1)}",
        "period": period_of(common.times, unit.rows),
        **verdict_of(unit, held, checks, thing, found),
        "evidence": thing,
        "checks": checks,
        "samples": _samples(unit),
        "scores": {name: _nothing(("estimate", "ci_low", "ci_high")) for name in SCORES},
        "edges": [],
        "annotators": {"counts": dict.fromkeys(STANDINGS, 0), "told": [], "collective": []},
        "changes": [],
        "n_watched": 0,
        "rank_low": None,
        "rank_high": None,
    }
    if run is not None:
        whole, off = view_of(run, ()), common.off[number]
        card["scores"] = _scores(run)
        card["edges"] = [_edge(whole, k, off=bool(off[k])) for k in range(len(EDGES))]
        told = not run.candidate.anonymous and (found.whole or off.any())
        shared = collective_sentences(run) if told else []
        card["annotators"] = people_on(common.people, run, shared=shared, spread=common.spread)
        card["changes"] = common.changed.on(run)
        card["n_watched"] = common.changed.n_tested(run)
        card["why"] = "; ".join(filter(None, (card["why"], change_phrase(card["changes"]))))
    card["not_checked"] = unchecked(found, unit, card, held, common=common)
    return card


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
        "objects_asked": 0 if run is None else len(run.detected.asked_reference),
        "annotators": unit.n_annotators,
        "rows_unusable": unit.n_dropped,
        "rows_odd": len(unit.issues) - unit.n_dropped,
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


def _edge(view: View, k: int, *, off: bool) -> dict[str, Any]:
    """Lay an edge out; where only the number of pages explains that it is off, it is undecided."""
    finding = {name: _plain(value) for name, value in view.finding(0, k).items()}
    by_chance = finding["verdict"] == "biased" and not off
    if by_chance:
        finding["verdict"] = "undecided"
    numbers = {f"{end}{unit}": finding[f"{end}{unit}"] for unit in UNITS for end in ENDS}
    names = ("n", "n_clusters", "verdict", "status", "n_more")
    return {
        "quantity": EDGES[k],
        "name": EDGE_NAMES[k],
        **numbers,
        **{name: finding[name] for name in names},
        "by_chance": by_chance,
    }


def _plain(value: Any) -> Any:
    """Turn a cell into a plain value, None for NaN and infinity."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
