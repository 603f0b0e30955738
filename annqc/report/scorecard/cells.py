"""report: scores and edges of a scorecard as the cells of a table."""

from __future__ import annotations

from typing import Any

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import number_of
from annqc.report.html.texts import MARKS, count, interval, number

__all__ = ["edge_cells", "rests_on", "score_cells", "worst_edge"]


def score_cells(score: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return a rate, its interval, what it is of and the clusters that the interval rests on."""
    wrong, of = score["n_wrong"], count(score["n"])
    total = of if wrong is None else f"{count(score['n'] - wrong)} of {of}"
    ends = interval(score["ci_low"], score["ci_high"], 3) if score["estimate"] is not None else ""
    return number(score["estimate"], 3), ends, total, count(score["n_clusters"])


def edge_cells(one: dict[str, Any]) -> dict[str, Any]:
    """Return an edge in words, and what would settle it."""
    rel = None if one["estimate_rel"] is None else 100 * one["estimate_rel"]
    more = one["n_more"] if one["verdict"] == "undecided" else None
    about = "at least" if one["n_clusters"] < G_MIN else "about"
    return {
        "name": one["name"],
        "px": number(one["estimate_px"], sign=True),
        "px_interval": interval(one["ci_low_px"], one["ci_high_px"]),
        "rel": number(rel, sign=True),
        "tolerances": number(one["estimate"], sign=True),
        "tolerances_interval": interval(one["ci_low"], one["ci_high"]),
        "n_clusters": count(one["n_clusters"]),
        "verdict": one["verdict"],
        "mark": MARKS.get(one["verdict"], "·"),
        "more": "" if more is None else f"{about} {count(more)} more",
    }


def rests_on(n_clusters: int, thing: str) -> str:
    """Say on how many images, say, an interval rests.

    Examples
    --------
    >>> rests_on(1, "image"), rests_on(1200, "image or track")
    ('1 image', '1,200 images or tracks')
    """
    return number_of(n_clusters, thing)


def worst_edge(card: dict[str, Any]) -> dict[str, Any] | None:
    """Return the edge of a page that is farthest off, in tolerances; None where there is none."""
    known = [one for one in card["edges"] if one["estimate"] is not None]
    return max(known, key=lambda one: abs(one["estimate"]), default=None)
