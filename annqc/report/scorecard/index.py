"""report: the first page of a scorecard: a line for every page, and what is the same on all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.report.html.texts import NONE, interval
from annqc.report.scorecard.cells import edge_cells, rests_on, score_cells, worst_edge

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["index_values"]

RANK_WIDTH: Final = 120.0
MOST_CHANGES: Final = 20
SHORT: Final = {
    "recall": "recall",
    "precision": "precision",
    "label_accuracy": "labels",
    "mean_iou": "mean IoU",
}
Column = tuple[str, list[dict[str, Any]]]


def index_values(document: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of the index is filled with.

    Parameters
    ----------
    document : dict
        From `annqc.report.scorecard.document.make_document`.

    Returns
    -------
    dict
        ``rows``, ``columns`` (their titles), ``same``: sentences in place of the columns that would
        say the same on every line; ``changes``, and how many more there are.
    """
    pages = document["pages"]
    columns: list[Column] = []
    same = []
    everybody = document["noun"][1]
    for title, cells in _columns(pages):
        values = {cell["value"] for cell in cells if cell["value"] != NONE}
        if len(pages) > 1 and len(values) <= 1:
            ends = _widest([cell["ends"] for cell in cells])
            same += [f"{title}: {value} for all {everybody}{ends}" for value in values]
        else:
            columns.append((title, cells))
    ranks = [_rank(card) for card in pages]
    ranked = {one for one in ranks if one != NONE}
    shown = len(ranked) > 1
    if len(ranked) == 1:
        same.append(f"rank: {ranked.pop()} for all {everybody}, so no order can be told")
    rows = [
        {
            "card": card,
            "cells": [cells[k] for _, cells in columns],
            "rank": ranks[k] if shown else "",
            "bar": _bar(card, sum(one != NONE for one in ranks)) if shown else None,
        }
        for k, card in enumerate(pages)
    ]
    return {
        "rows": rows,
        "columns": [title for title, _ in columns],
        "same": same,
        "ranks": shown,
        "changes": [one["text"] for one in document["changes"][:MOST_CHANGES]],
        "changes_left": len(document["changes"]) - MOST_CHANGES,
    }


def _columns(pages: list[dict[str, Any]]) -> Iterator[Column]:
    """Lay the scores and the worst edge out, each with its interval and the clusters under it."""
    for name, title in SHORT.items():
        cells = []
        for card in pages:
            score = card["scores"][name]
            value, ends, _, _ = score_cells(score)
            basis = rests_on(score["n_clusters"], card["evidence"]) if ends else ""
            limits = score["ci_low"], score["ci_high"], 3
            cells.append({"value": value, "interval": ends, "clusters": basis, "ends": limits})
        yield title, cells
    cells = []
    for card in pages:
        worst = worst_edge(card)
        if worst is None:
            none = None, None, 1
            cells.append({"value": NONE, "interval": "", "clusters": "", "ends": none})
            continue
        edge = edge_cells(worst)
        ends = edge["px_interval"]
        basis = rests_on(worst["n_clusters"], card["evidence"]) if ends else ""
        value = f"{edge['name']} {edge['px']}"
        limits = worst["ci_low_px"], worst["ci_high_px"], 1
        cells.append({"value": value, "interval": ends, "clusters": basis, "ends": limits})
    yield "worst edge, px", cells


def _widest(ends: list[tuple[float | None, float | None, int]]) -> str:
    """Say within which ends all intervals of a column lie."""
    lows = [low for low, _, _ in ends if low is not None]
    highs = [high for _, high, _ in ends if high is not None]
    if not lows or not highs:
        return ""
    return f", intervals within {interval(min(lows), max(highs), ends[0][2])}"


def _rank(card: dict[str, Any]) -> str:
    low, high = card["rank_low"], card["rank_high"]
    return NONE if low is None else f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _bar(card: dict[str, Any], n_ranked: int) -> tuple[float, float] | None:
    """Return where the bar of a rank begins and ends."""
    low, high = card["rank_low"], card["rank_high"]
    if low is None or n_ranked < 2:
        return None
    step = (RANK_WIDTH - 12.0) / (n_ranked - 1)
    return 6.0 + (low - 1) * step, 6.0 + (high - 1) * step
