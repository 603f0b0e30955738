"""judge: rates, overlap and agreement, judged by intervals.

A rate is good where its whole interval lies within the limit. It is bad where its whole interval
lies beyond, and the number of groups does not explain that: the p-values of the intervals go
through Benjamini-Hochberg at the tail of one interval, so one group alone is judged by its
interval, and of many groups at the limit any fails in at most ``(1 - confidence) / 2`` of all runs.
Everything else is undecided, and so is every group with evidence from fewer than five images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.registry import Assessment, register_measure
from annqc.judge.rules.common import (
    GROUPED,
    clusters_of,
    group_of,
    nothing_words,
    split_columns,
    wanted_rows,
    who_words,
)
from annqc.judge.wording import number_of, rate_words
from annqc.tables import ERROR_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array, Bools

__all__ = ["RATES", "Held", "hold_to_limit"]

RATES: Final = {
    "recall": "share of the objects asked for that were drawn",
    "precision": "share of the drawn objects that are there",
    "label_accuracy": "share of the matched objects with the right category",
    "mean_iou": "mean overlap of the matched objects",
}
"""Rates that a saved run can be compared in, and what they are."""

LOOK: Final[dict[str, dict[str, Any]]] = {
    "recall": {"kinds": ("missed", "near_miss", "merged", "split", "far")},
    "precision": {"kinds": ("spurious", "near_miss", "merged", "split", "duplicate")},
    "label_accuracy": {"kinds": ("mislabelled",)},
    "mean_iou": {"quantity": "iou"},
}
"""Where the annotations are that weigh on a rate."""

NOTHING: Final = {"agreement": "no two annotators were asked for the same image"}
"""Why there may be nothing to judge."""
NOTES: Final = {"agreement": ("agreement does not see what all annotators do alike",)}
"""What must be known of a measure wherever it is told."""
PARTNERS: Final = "a low value may be the fault of those who drew on the same images"
"""What must be known of the agreement of one annotator."""
UNUSABLE: Final = {
    "recall": ("counts as not drawn", "count as not drawn"),
    "precision": ("is left out of this", "are left out of this"),
    "label_accuracy": ("is left out of this", "are left out of this"),
}
"""What becomes of one row, or of several, that cannot be used."""


@dataclass(frozen=True, eq=False, slots=True)
class _RateWords:
    """Words for rates."""

    name: str
    keys: dict[str, Array]
    columns: dict[str, Array]
    clusters: str
    chance: Bools
    few: Bools
    looked: dict[str, Any] | None

    def describe(self, row: int) -> str:
        """Say one rate."""
        ends = ("estimate", "ci_low", "ci_high")
        estimate, low, high = (float(self.columns[end][row]) for end in ends)
        seen = int(self.columns["n_clusters"][row])
        group = group_of(self.keys, row)
        text = rate_words(group, self.name, estimate, low, high, seen, clusters=self.clusters)
        if self.few[row] and seen:
            verb = "is" if seen == 1 else "are"
            return (
                f"{text}: {number_of(seen, self.clusters)} {verb} too few; {_needed()} are needed"
            )
        if self.chance[row]:
            groups = number_of(int(np.sum(~self.few)), "group")
            return f"{text}: among {groups} this can be chance"
        return text

    def look(self, _row: int) -> dict[str, Any] | None:
        """Say where to look for the annotations behind a rate."""
        return None if self.looked is None else dict(self.looked)


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """Groups held against a limit, (n,) each.

    ``bad`` are beyond it, as many groups as there are; ``alone`` those whose own interval is;
    ``few`` have too few images to be judged. ``outcome`` is that of each group.
    """

    bad: Bools
    alone: Bools
    few: Bools
    outcome: Array


def hold_to_limit(
    measured: Measured, columns: dict[str, Array], limit: float, *, at_least: bool
) -> Held:
    """Hold the intervals of groups against a limit.

    Parameters
    ----------
    measured : Measured
        The audit, which says how sure to be.
    columns : dict of str to (n,) array
        ``ci_low, ci_high, n_clusters, p_value`` of each group; ``p_adjusted`` is put beside them.
    limit : float
        The limit.
    at_least : bool
        Whether it is the least or the most.
    """
    from annqc.infer.rates import beyond_together  # loads scipy
    from annqc.infer.verdicts import G_MIN

    low, high = columns["ci_low"], columns["ci_high"]
    with np.errstate(invalid="ignore"):
        good = low >= limit if at_least else high <= limit
        alone = high < limit if at_least else low > limit
    few = columns["n_clusters"] < G_MIN
    good, alone = good & ~few, alone & ~few
    bad, columns["p_adjusted"] = beyond_together(
        np.where(few, np.nan, columns["p_value"]),
        alone,
        confidence=measured.parameters.confidence,
    )
    outcome = np.where(bad, "fail", np.where(good, "pass", "undecided")).astype(object)
    return Held(bad, alone, few, outcome)


def _rate(name: str) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        at_least = rule.at_least is not None
        limit = float((rule.at_least if at_least else rule.at_most) or 0.0)
        found = measured.rate_columns(
            name, rule.columns, limit=limit, at_least=at_least, kinds=rule.kind
        )
        wanted, notes = wanted_rows(found, rule, measured)
        keys, columns = split_columns(found, rule, wanted)
        held = hold_to_limit(measured, columns, limit, at_least=at_least)
        estimate = columns["estimate"]
        looked = {"kinds": rule.kind or ERROR_KINDS} if name == "error_rate" else LOOK.get(name)
        clusters = _shared(measured) if name == "agreement" else clusters_of(measured)
        chance = held.alone & ~held.bad
        words = _RateWords(name, keys, columns, clusters, chance, held.few, looked)
        told: tuple[str, ...] = NOTES.get(name, ())
        if name == "agreement" and "annotator" in rule.columns:
            told += (PARTNERS,)
        things = who_words(keys)
        return Assessment(
            claim=f"{_named(rule)} {'at least' if at_least else 'at most'} {limit:g}",
            keys=keys,
            columns=columns,
            outcome=held.outcome,
            badness=-estimate if at_least else estimate,
            describe=words.describe,
            things=things,
            nothing=nothing_words(notes, NOTHING.get(name, "there is nothing to count"))
            if bool(np.isnan(estimate).all())
            else "",
            notes=(*notes, *told, *_unusable(measured, name)),
            look=words.look,
        )

    return assess


def _needed() -> int:
    """Return how many images, or tracks, it takes to pass or fail."""
    from annqc.infer.verdicts import G_MIN  # loads scipy, which reading a spec does without

    return G_MIN


def _unusable(measured: Measured, name: str) -> tuple[str, ...]:
    """Say what unusable rows of the work do to a rate, so that nobody is blamed in silence."""
    n = measured.matches.candidate.n_dropped
    if not n or name not in UNUSABLE:
        return ()
    count = UNUSABLE[name][int(n != 1)]
    return (f"{number_of(n, 'row')} of the work cannot be used and {count}",)


def _shared(measured: Measured) -> str:
    """Name what evidence of agreement is counted in; there are no tracks of several annotators."""
    work = measured.matches.candidate
    video = work.table.track is not None and work.image_table.sequence is not None
    return "sequence" if video else "image"


def _no_objects(rule: Rule) -> str | None:
    """Refuse columns of objects: two annotators may not draw the same."""
    for name in ("category", "candidate_category", "size"):
        if name in rule.columns:
            return (
                f"{rule.measure} cannot be told by {name}; it takes annotator, and columns of the "
                "images"
            )
    return None


def _named(rule: Rule) -> str:
    """Name what a rule limits."""
    words = rule.measure.replace("_", " ").replace("iou", "IoU")
    return f"{words} ({', '.join(rule.kind)})" if rule.kind else words


for _name, _summary in RATES.items():
    register_measure(
        _name,
        _summary,
        takes=(*GROUPED, "no_worse_than", "margin"),
        limits=("at_least", "at_most"),
    )(_rate(_name))

register_measure(
    "error_rate",
    "share of what was drawn or missed that is an error of these kinds",
    takes=(*GROUPED, "kind"),
    limits=("at_most",),
    kinds=ERROR_KINDS,
)(_rate("error_rate"))

register_measure(
    "agreement",
    "overlap of what several annotators drew on the same images; needs no gold",
    takes=GROUPED,
    limits=("at_least",),
    check=_no_objects,
    by=(),
)(_rate("agreement"))
