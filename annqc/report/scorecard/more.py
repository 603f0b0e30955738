"""report: how many more images would settle what is open, as numbers and in words."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import group_words, number_of
from annqc.run.scorecard.caution import LEAST_BOXES
from annqc.run.scorecard.needs import images_for_mean, images_for_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.report.checks.record import Record

__all__ = ["EVIDENCE", "NO_MORE", "more_of", "more_words"]

SHARES: Final = ("recall", "precision", "label_accuracy", "error_rate")
MEANS: Final = ("mean_iou",)
EVIDENCE: Final = "clusters"
"""Measures of which it can be told how many images settle them; the last asks for nothing else."""
NO_MORE: Final[dict[str, Any]] = {
    "n_more": None,
    "n_half": None,
    "n_open": 0,
    "n_few": 0,
    "n_stuck": 0,
    "groups": "group",
    "is_least": False,
}


def more_of(
    record: Record, rows: Sequence[dict[str, Any]], *, by_chance: bool, n_tests: int
) -> dict[str, Any]:
    """Say how many more images would settle the undecided groups of a check.

    Parameters
    ----------
    record : dict
        The check.
    rows : sequence of dict
        Its groups.
    by_chance : bool
        Whether it fails by itself, and the number of pages makes it undecided.
    n_tests : int
        That number.

    Returns
    -------
    dict
        ``n_more``, the further images for the group that needs most, and ``n_half``, those that
        settle half of the groups; None where none are needed or no number is known. ``n_open`` are
        the groups for which these are, ``n_few`` those that have too few images to tell more than
        how many it takes to judge them at all, ``n_stuck`` those that no number would settle, and
        ``groups`` says what they are. ``is_least`` says that the numbers are of such as have too
        few, because there are no others.
    """
    open_ = record["outcome"] == "undecided" or record["measure"] == EVIDENCE
    if not open_ or record["outcome"] not in {"undecided", "fail"}:
        return dict(NO_MORE)
    needed: dict[str, float] = {}
    few: set[str] = set()
    for row in rows:
        if row["outcome"] == record["outcome"]:
            who = group_words(row["group"])[0]
            more, least = _needed(record, row, n_tests=n_tests if by_chance else 1)
            needed[who] = max(needed.get(who, 0.0), more)
            few |= {who} if least else set()
    numbers = {who: int(one) for who, one in needed.items() if 0 < one < math.inf}
    told = {who: one for who, one in numbers.items() if who not in few}
    known = list((told or numbers).values())
    return {
        "n_more": max(known, default=None),
        "n_half": math.ceil(median(known)) if known else None,
        "n_open": len(known),
        "n_few": len(few & numbers.keys()),
        "groups": "annotator" if record["by"] == ["annotator"] else "group",
        "n_stuck": sum(one == math.inf for one in needed.values()),
        "is_least": bool(known) and not told,
    }


def more_words(needed: Mapping[str, Any], thing: str) -> str:
    """Say how much more it takes: ``n_more`` each, for ``n_open`` groups; "" for none.

    Parameters
    ----------
    needed : mapping
        ``n_more, n_half, n_open, groups`` and ``is_least``.
    thing : str
        What evidence is counted in.

    Examples
    --------
    >>> needed = {"n_more": 70, "n_half": 9, "n_open": 3, "groups": "annotator", "is_least": False}
    >>> more_words(needed, "image")
    'up to 70 more images each for 3 annotators (9 for half of them)'
    """
    n_more, n_open, half = needed["n_more"], needed["n_open"], needed["n_half"]
    if n_more is None:
        return ""
    each = f" each for {number_of(n_open, needed['groups'])}" if n_open > 1 else ""
    each += f" ({half:,} for half of them)" if n_open > 1 and half < n_more else ""
    about = "at least" if needed["is_least"] else "up to" if n_open > 1 else "about"
    return f"{about} {number_of(n_more, f'more {thing}')}{each}"


def _needed(record: Record, row: dict[str, Any], *, n_tests: int) -> tuple[float, bool]:
    """Return how many more images settle a group, and whether it takes at least so many.

    0 where nothing is known, infinity where none would. Of offsets the finding says it.
    """
    seen = row.get("n_clusters") or 0
    at_all = max(float(G_MIN - seen), 0.0)
    if row.get("n_more") is not None:
        return max(float(row["n_more"]), at_all), at_all > 0
    if row.get("status") == "infeasible":
        return math.inf, False
    limit = record["at_least"] if record["at_least"] is not None else record["at_most"]
    if record["measure"] == EVIDENCE:
        return math.ceil(limit - row["count"]), False
    ends = [row.get(name) for name in ("estimate", "ci_low", "ci_high")]
    if row.get("verdict") == "biased":  # and the pages, or too few boxes, make it undecided
        limit = math.copysign(row["margin"], ends[0] or 0.0)
    elif record["measure"] not in {*SHARES, *MEANS}:
        return at_all, at_all > 0
    if limit is None or not seen or None in ends:
        return at_all, at_all > 0
    estimate, low, high = (float(one) for one in ends if one is not None)
    if high < limit or low > limit:  # beyond it already, on too few boxes or among many pages
        boxes = max(int(row["n"]), 1)
        at_all = max(at_all, math.ceil((LEAST_BOXES - boxes) * seen / boxes))
    level, several = record["confidence"], {"n_tests": n_tests}
    of = (estimate, low, high, seen, limit)
    if record["measure"] in SHARES:
        total = images_for_share(*of, confidence=level, **several)
    else:
        total = images_for_mean(*of, confidence=level, **several)
    return max(total - seen, at_all, 1.0), at_all > 0
