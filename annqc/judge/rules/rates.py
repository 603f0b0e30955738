"""judge: rates and overlap, judged by intervals.

A rate is bad where its whole interval lies beyond the limit, good where its whole interval lies
within, and undecided otherwise. Nothing corrects the rates for the number of groups: of many groups
exactly at the limit, about ``(1 - confidence) / 2`` fail by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from annqc.judge.wording import rate_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array

__all__ = ["RATES"]

RATES: Final = {
    "recall": "share of the objects asked for that were drawn",
    "precision": "share of the drawn objects that are there",
    "label_accuracy": "share of the matched objects with the right category",
    "mean_iou": "mean overlap of the matched objects",
}


@dataclass(frozen=True, eq=False, slots=True)
class _RateWords:
    """Words for rates."""

    name: str
    keys: dict[str, Array]
    columns: dict[str, Array]
    clusters: str

    def describe(self, row: int) -> str:
        """Say one rate."""
        ends = ("estimate", "ci_low", "ci_high")
        estimate, low, high = (float(self.columns[end][row]) for end in ends)
        seen = int(self.columns["n_clusters"][row])
        group = group_of(self.keys, row)
        return rate_words(group, self.name, estimate, low, high, seen, clusters=self.clusters)


def _rate(name: str) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        found = measured.score_columns(rule.columns)
        wanted, notes = wanted_rows(found, rule, measured)
        keys, columns = split_columns(found, rule, wanted)
        estimate, low, high = (columns[f"{name}{end}"] for end in ("", "_low", "_high"))
        clusters = clusters_of(measured)
        at_least = rule.at_least is not None
        limit = rule.at_least if rule.at_least is not None else rule.at_most
        with np.errstate(invalid="ignore"):
            good = low >= limit if at_least else high <= limit
            bad = high < limit if at_least else low > limit
        numbers = {
            "estimate": estimate,
            "ci_low": low,
            "ci_high": high,
            "n_clusters": columns[f"{name}_n_clusters"],
        }
        empty = bool(np.isnan(estimate).all())
        words = name.replace("_", " ").replace("iou", "IoU")
        return Assessment(
            claim=f"{words} {'at least' if at_least else 'at most'} {limit:g}",
            keys=keys,
            columns=numbers,
            outcome=np.where(bad, "fail", np.where(good, "pass", "undecided")).astype(object),
            badness=-estimate if at_least else estimate,
            describe=_RateWords(name, keys, numbers, clusters).describe,
            things=who_words(keys),
            nothing=nothing_words(notes, "there is nothing to count") if empty else "",
            notes=notes,
        )

    return assess


for _name, _summary in RATES.items():
    register_measure(_name, _summary, takes=GROUPED, limits=("at_least", "at_most"))(_rate(_name))
