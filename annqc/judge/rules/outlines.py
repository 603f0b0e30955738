"""judge: measures of polygons and masks: signed offsets of the contour, and how well they agree.

Offsets are judged by the verdicts of the findings, as those of edges are. What has no sign is
judged by its clustered interval, as a rate is, with the groups of the rule taken together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.quantities import OBJECTS
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
from annqc.judge.rules.offsets import BiasWords, assess_offsets
from annqc.judge.rules.rates import hold_to_limit
from annqc.judge.wording import group_words, number_of
from annqc.measure.outline_values import CONTOURS, NSD_PX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array, Bools, Dataset

__all__ = ["AGREEMENT", "CONTOUR_OFFSET", "TESTED_IN_STRATA"]

CONTOUR_OFFSET: Final = "contour_offset"
"""The measure that judges all contour offsets at once."""
WHOLE: Final = "contour"
TESTED_IN_STRATA: Final = CONTOURS[:4]
"""The sides; `annqc.infer.fleet` tests so many inside the work of an annotator, and describes the
whole. A test holds the two together."""
ALIKE: Final = 0.5
"""Sides are off alike where the least is at least this share of the largest."""
UNBOUNDED: Final = (0.0, float("inf"))


@dataclass(frozen=True, slots=True)
class _Agreement:
    """One way to say how well two outlines agree; ``better`` is the limit that it takes."""

    summary: str
    words: str
    better: tuple[str, ...] = ("at_least",)
    unit: str = ""
    bounds: tuple[float, float] = (0.0, 1.0)


AGREEMENT: Final = {
    "mask_iou": _Agreement("mean IoU of the outlines themselves", "mask IoU"),
    "boundary_iou": _Agreement("mean IoU of the bands along both contours", "boundary IoU"),
    "dice": _Agreement("mean Dice coefficient of the outlines", "Dice coefficient"),
    "nsd": _Agreement(f"mean share of both contours within {NSD_PX:g} px of the other", "NSD"),
    "coverage": _Agreement("mean share of the gold's area that was covered", "coverage"),
    "purity": _Agreement("mean share of the drawn area that is the object", "purity"),
    "assd": _Agreement(
        "mean distance between the contours, in pixels", "ASSD", ("at_most",), "px", UNBOUNDED
    ),
    "hd95": _Agreement(
        "mean 95th percentile of the distance between the contours, in pixels",
        "HD95",
        ("at_most",),
        "px",
        UNBOUNDED,
    ),
    "area_ratio": _Agreement(
        "typical area drawn over the gold's (geometric mean): above 1 where it is too large",
        "area ratio",
        ("at_least", "at_most"),
        "",
        UNBOUNDED,
    ),
}
"""Of `annqc.measure.outlines.OVERLAPS`, what a rule may limit."""


def _only_pooled(rule: Rule) -> str | None:
    """Refuse what would never be tested: inside an annotator's strata there are the sides alone."""
    if "annotator" in rule.columns and len(rule.columns) > 1:
        return (
            f"{rule.measure} is tested by annotator, or by other columns, not by both together; "
            f"use {CONTOUR_OFFSET}, which tests the sides in strata as well"
        )
    return None


def _lacking(measured: Measured) -> str:
    """Say why there is no outline to judge, and what to do."""
    sides = {"gold": measured.matches.reference, "work": measured.matches.candidate}
    without = [name for name, data in sides.items() if not _has_outlines(data)]
    if not without:
        return "no pair has outlines on both sides that can be compared"
    return (
        f"there are no polygons or masks in the {' and in the '.join(without)}, or they were not "
        "read: COCO files are read with them where [read] in the spec has shapes = true (in "
        "Python annqc.audit(..., shapes=True), on the command line annqc audit --shapes)"
    )


def _boxes_alone(measured: Measured) -> tuple[str, ...]:
    """Say how many pairs take no part because a side is a box, so that nobody passes by drawing it.

    Pairs that are ambiguous take part in no offset, boxes' or outlines'.
    """
    matches = measured.matches
    clear = ~matches.pair_ambiguous
    gold, work = matches.reference.table.shapes, matches.candidate.table.shapes
    if gold is None or work is None:
        return ()
    drawn = gold.kind[matches.pair_reference[clear]] > 0
    drawn &= work.kind[matches.pair_candidate[clear]] > 0
    left = int((~drawn).sum())
    if not left or not drawn.any():
        return ()
    verb = "is a box" if left == 1 else "are boxes"
    return (f"{left:,} of {number_of(len(drawn), 'pair')} {verb} on a side, and take no part",)


def _has_outlines(data: Dataset) -> bool:
    shapes = data.table.shapes
    return shapes is not None and bool((shapes.kind > 0).any())


@dataclass(frozen=True, eq=False, slots=True)
class _ContourWords(BiasWords):
    """Words for findings on contours: who is off alike all around is told once."""

    def together(self, rows: Sequence[int]) -> list[str]:
        """Say accusations one by one, and what everybody shares once."""
        around = self._all_around(rows)
        kept = [row for row in rows if around.get(self._who(row), row) == row]
        said = BiasWords.together(self, kept)
        whole = {BiasWords.describe(self, row) for row in around.values()}
        return [text.replace(" (", " all around (", 1) if text in whole else text for text in said]

    def _who(self, row: int) -> tuple[object, ...]:
        return tuple(column[row] for column in self.keys.values())

    def _all_around(self, rows: Sequence[int]) -> dict[tuple[object, ...], int]:
        """Return the row of the whole contour of each group that is off alike on all sides."""
        quantity, verdict = self.columns["quantity"], self.columns["verdict"]
        sizes: dict[tuple[object, ...], list[float]] = {}
        whole: dict[tuple[object, ...], int] = {}
        for row in rows:
            if verdict[row] != "biased":
                continue
            if quantity[row] == WHOLE:
                whole[self._who(row)] = row
            elif quantity[row] in TESTED_IN_STRATA:
                sizes.setdefault(self._who(row), []).append(float(self.columns["estimate"][row]))
        return {
            who: row
            for who, row in whole.items()
            if len(some := np.sign(self.columns["estimate"][row]) * np.array(sizes.get(who, [])))
            == len(TESTED_IN_STRATA)
            and some.min() >= ALIKE * some.max()
        }


def _contour(name: str, quantities: tuple[str, ...]) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        inside = "annotator" in rule.columns and len(rule.columns) > 1
        found = assess_offsets(
            measured,
            rule,
            measured.outline_columns(rule.columns),
            TESTED_IN_STRATA if inside and len(quantities) > 1 else quantities,
            things="contour offset" if name == CONTOUR_OFFSET else "",
            words=_ContourWords,
            nothing=_lacking(measured),
        )
        return replace(found, notes=(*found.notes, *_boxes_alone(measured)))

    return assess


@dataclass(frozen=True, eq=False, slots=True)
class _AgreementWords:
    """Words for how well outlines agree."""

    name: str
    keys: dict[str, Array]
    columns: dict[str, Array]
    clusters: str
    chance: Bools
    few: Bools

    def describe(self, row: int) -> str:
        """Say one group."""
        from annqc.infer.verdicts import G_MIN  # loads scipy, which reading a spec does without

        of = AGREEMENT[self.name]
        value, low, high = (
            float(self.columns[end][row]) for end in ("estimate", "ci_low", "ci_high")
        )
        where = group_words(group_of(self.keys, row))[0]
        if np.isnan(value):
            return f"{where}: {of.words} cannot be told, there is no outline to compare"
        digits = 2 if of.unit else 3
        unit = f" {of.unit}" if of.unit else ""
        n = int(self.columns["n_clusters"][row])
        seen = number_of(n, self.clusters)
        ends = f"{low:.{digits}f} to {high:.{digits}f}{unit}"
        spread = "no interval" if np.isnan(low) else ends
        text = f"{where}: {of.words} {value:.{digits}f}{unit} ({spread}, {seen})"
        if self.few[row]:
            return f"{text}: {seen} {'is' if n == 1 else 'are'} too few; {G_MIN} are needed"
        if self.chance[row]:
            among = number_of(int(np.sum(~self.few)), "group")
            return f"{text}: among {among} this can be chance"
        return text

    def look(self, _row: int) -> dict[str, Any]:
        """Say where to look for the outlines that agree worst."""
        return {"quantity": self.name}


def _agreement(name: str) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        of = AGREEMENT[name]
        at_least = rule.at_least is not None
        limit = float((rule.at_least if at_least else rule.at_most) or 0.0)
        found = measured.outline_rate_columns(name, rule.columns, limit=limit, at_least=at_least)
        wanted, notes = wanted_rows(found, rule, measured)
        keys, columns = split_columns(found, rule, wanted)
        left = int(columns.pop("n_unusable").sum())
        held = hold_to_limit(measured, columns, limit, at_least=at_least)
        words = _AgreementWords(
            name, keys, columns, clusters_of(measured), held.alone & ~held.bad, held.few
        )
        estimate = columns["estimate"]
        unit = f" {of.unit}" if of.unit else ""
        return Assessment(
            claim=f"{of.words} {'at least' if at_least else 'at most'} {limit:g}{unit}",
            keys=keys,
            columns=columns,
            outcome=held.outcome,
            badness=-estimate if at_least else estimate,
            describe=words.describe,
            things=who_words(keys),
            nothing=nothing_words(notes, _lacking(measured))
            if bool(np.isnan(estimate).all())
            else "",
            notes=(*notes, *_left_out(left, of.words), *_boxes_alone(measured)),
            look=words.look,
        )

    return assess


def _left_out(count: int, what: str) -> tuple[str, ...]:
    """Say how many pairs have no value, so that nothing is left out in silence."""
    if not count:
        return ()
    pairs = number_of(count, "pair of outlines has", "pairs of outlines have")
    why = "one is empty, or on a canvas of another size, or the size of the image is not known"
    return (f"{pairs} no {what}: {why}",)


register_measure(
    CONTOUR_OFFSET,
    "no contour is drawn beyond the tolerance, on any side or all around",
    takes=(*GROUPED, "tolerance"),
    outlines=True,
)(_contour(CONTOUR_OFFSET, CONTOURS))

for _name in CONTOURS:
    register_measure(
        _name,
        f"{OBJECTS[_name]} is not drawn beyond the tolerance",
        takes=(*GROUPED, "tolerance"),
        check=None if _name in TESTED_IN_STRATA else _only_pooled,
        outlines=True,
    )(_contour(_name, (_name,)))

for _name in AGREEMENT:
    register_measure(
        _name,
        AGREEMENT[_name].summary,
        takes=GROUPED,
        limits=AGREEMENT[_name].better,
        limit_range=AGREEMENT[_name].bounds,
        outlines=True,
        unit=AGREEMENT[_name].unit,
    )(_agreement(_name))
