"""judge: whether all of it is there. Counts again: they pass or they fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.registry import Assessment, register_measure
from annqc.judge.rules.common import (
    clusters_of,
    group_of,
    limit_words,
    nothing_words,
    split_columns,
    wanted_rows,
    who_words,
)
from annqc.judge.rules.counts import UNBOUNDED
from annqc.judge.wording import group_words, number_of

if TYPE_CHECKING:
    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array

__all__: list[str] = []


def _by_annotator_at_most(rule: Rule) -> str | None:
    """Refuse columns that mean nothing here."""
    others = [name for name in rule.by if name != "annotator"]
    if others:
        return f"{rule.measure} is told by annotator or, with by = [], of everything together"
    return None


@dataclass(frozen=True, eq=False, slots=True)
class _MissingWords:
    """Words for missing images."""

    keys: dict[str, Array]
    columns: dict[str, Array]

    def describe(self, row: int) -> str:
        """Say how many images are missing, and which."""
        count, total = (int(self.columns[name][row]) for name in ("count", "n"))
        first = str(self.columns["first"][row])
        named = f" ({first})" if first else ""
        if "annotator" in self.keys:
            who = group_words(group_of(self.keys, row))[0]
            of = f"{count:,} of {number_of(total, 'image')} asked for"
            return f"{who}: nothing drawn on {of}{named}"
        if not count:
            return f"all {number_of(total, 'image')} of the gold are in the work"
        return f"{count:,} of {number_of(total, 'image')} of the gold in nobody's work{named}"


@register_measure(
    "missing_images",
    "images of the gold for which nothing was delivered",
    takes=("by",),
    limits=("at_most",),
    limit_range=UNBOUNDED,
    by=(),
    check=_by_annotator_at_most,
)
def missing_images(measured: Measured, rule: Rule) -> Assessment:
    """Count images of the gold that nobody has, or that an annotator left empty."""
    keys, columns = _columns(measured.coverage_columns("missing_images", rule.by), rule)
    limit = rule.at_most or 0.0
    count = columns["count"]
    words = _MissingWords(keys, columns)
    return Assessment(
        claim=f"at most {limit_words(limit, 'missing image', 'missing images')}",
        keys=keys,
        columns=columns,
        outcome=np.where(count > limit, "fail", "pass").astype(object),
        badness=count.astype(np.float64),
        describe=words.describe,
        things=who_words(keys),
        nothing="" if len(count) else "the work does not say who was asked for which images",
    )


@dataclass(frozen=True, eq=False, slots=True)
class _CategoryWords:
    """Words for categories."""

    keys: dict[str, Array]
    count: Array

    def describe(self, row: int) -> str:
        """Say how often a category was drawn."""
        where, _ = group_words(group_of(self.keys, row))
        return f"{where}: {number_of(int(self.count[row]), 'annotation')}"


@register_measure(
    "category_coverage",
    "annotations of every category in the work",
    takes=("by", "categories"),
    limits=("at_least",),
    limit_range=UNBOUNDED,
    by=(),
    check=_by_annotator_at_most,
)
def category_coverage(measured: Measured, rule: Rule) -> Assessment:
    """Count the annotations of each category; one that is nowhere in the data has none."""
    found = measured.coverage_columns("category_coverage", rule.by, categories=rule.categories)
    keys, columns = _columns(found, rule, "category")
    limit = rule.at_least or 0.0
    count = columns["count"]
    words = _CategoryWords(keys, count)
    asked = limit_words(limit, "annotation", "annotations")
    return Assessment(
        claim=f"at least {asked} of every category",
        keys=keys,
        columns=columns,
        outcome=np.where(count < limit, "fail", "pass").astype(object),
        badness=-count.astype(np.float64),
        describe=words.describe,
        nothing="" if len(count) else "the gold has no object, and the rule names no category",
    )


@dataclass(frozen=True, eq=False, slots=True)
class _EvidenceWords:
    """Words for the amount of evidence."""

    keys: dict[str, Array]
    count: Array
    limit: float
    clusters: str

    def describe(self, row: int) -> str:
        """Say how much there is, and how much is missing."""
        where, _ = group_words(group_of(self.keys, row))
        count = int(self.count[row])
        text = f"{where}: {number_of(count, self.clusters)} with measured boxes"
        more = int(np.ceil(self.limit - count))
        return text if more <= 0 else f"{text}, {more:,} more {'is' if more == 1 else 'are'} needed"


@register_measure(
    "clusters",
    "images or tracks with measured boxes: enough evidence to judge by",
    takes=("by", "where"),
    limits=("at_least",),
    limit_range=UNBOUNDED,
)
def clusters(measured: Measured, rule: Rule) -> Assessment:
    """Count the evidence of every group."""
    found = measured.coverage_columns("clusters", rule.columns)
    wanted, notes = wanted_rows(found, rule, measured)
    keys, columns = split_columns(found, rule, wanted)
    count, limit, kind = columns["count"], rule.at_least or 0.0, clusters_of(measured)
    words = _EvidenceWords(keys, count, limit, kind)
    many = number_of(2, kind).removeprefix("2 ")
    return Assessment(
        claim=f"at least {limit_words(limit, kind, many)}",
        keys=keys,
        columns=columns,
        outcome=np.where(count < limit, "fail", "pass").astype(object),
        badness=-count.astype(np.float64),
        describe=words.describe,
        things=who_words(keys),
        nothing="" if len(count) else nothing_words(notes, "there is no group to judge"),
        notes=notes,
    )


def _columns(
    found: dict[str, Array], rule: Rule, *more: str
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Separate the groups' columns from the numbers."""
    names = (*rule.by, *more)
    return {name: found.pop(name) for name in names}, found
