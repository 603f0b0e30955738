"""report: a scorecard as one CSV table, a row a page, that a spreadsheet can open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.plain import clean_text
from annqc.report.scorecard.card import SCORES
from annqc.report.standing import STANDINGS
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.tables import Array

__all__ = ["sheet"]

LONGEST: Final = 300
SAMPLES: Final = (
    "images_asked",
    "images_drawn_on",
    "images_compared",
    "images_without_gold",
    "boxes",
    "boxes_compared",
    "gold_objects",
    "objects_asked",
    "annotators",
    "rows_unusable",
)


def sheet(document: dict[str, Any]) -> dict[str, Array]:
    """Lay the pages out as columns.

    Parameters
    ----------
    document : dict
        From `annqc.report.scorecard.document.make_document`.

    Returns
    -------
    dict of str to array
        ``vendor, batch, verdict, why, n_more``; ``refused_by`` and ``undecided``, ids of rules with
        blanks between; the period; sample sizes; scores and edges with their intervals and
        clusters; how many annotators stand where; ranks; and the page.
    """
    rows = [_row(card) for card in document["pages"]]
    columns = {}
    for name in rows[0]:
        column = np.empty(len(rows), dtype=object)
        column[:] = [row[name] for row in rows]
        columns[name] = column
    return columns


def _row(card: dict[str, Any]) -> dict[str, Any]:
    period = card["period"] or {}
    row: dict[str, Any] = {
        "vendor": card["vendor"],
        "batch": card["batch"],
        "verdict": card["verdict"],
        "why": clean_text(card["why"], width=LONGEST) or None,
        "n_more": card["n_more"],
        "refused_by": _ids(card, "fail"),
        "undecided": _ids(card, "undecided"),
        "first": period.get("first"),
        "last": period.get("last"),
        **{name: card["samples"][name] for name in SAMPLES},
    }
    for name in SCORES:
        score = card["scores"][name]
        row[name] = score["estimate"]
        row |= {f"{name}_low": score["ci_low"], f"{name}_high": score["ci_high"]}
        row[f"{name}_n_clusters"] = score["n_clusters"]
    edges = {one["quantity"]: one for one in card["edges"]}
    for name in EDGES:
        edge = edges.get(name, {})
        row[f"{name}_px"] = edge.get("estimate_px")
        row |= {f"{name}_px_low": edge.get("ci_low_px"), f"{name}_px_high": edge.get("ci_high_px")}
        row[f"{name}_n_clusters"] = edge.get("n_clusters", 0)
        row[f"{name}_verdict"] = edge.get("verdict")
    row |= {f"annotators_{name}": card["annotators"]["counts"][name] for name in STANDINGS}
    row |= {name: card[name] for name in ("rank_low", "rank_high", "page")}
    return row


def _ids(card: dict[str, Any], outcome: str) -> str | None:
    """Name the rules of an outcome; one that fails for want of evidence is undecided here."""
    found = (("undecided" if one["is_short"] else one["outcome"], one) for one in card["checks"])
    ids = " ".join(one["id"] for name, one in found if name == outcome)
    return ids or None
