"""judge: the measures that a rule may name, one registered function each.

Offsets are judged by the verdicts of the findings, which know how many tests were made. Rates are
judged by single intervals: a rate is bad where its whole interval lies beyond the limit, good where
its whole interval lies within, and undecided otherwise. Nothing corrects the rates for the number
of groups: of many groups exactly at the limit, about ``(1 - confidence) / 2`` fail by chance.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError, did_you_mean
from annqc.judge.registry import Assessment, register_measure
from annqc.judge.wording import (
    bias_words,
    group_words,
    number_of,
    rate_words,
    shared_bias_words,
    unsettled_words,
)
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.measure.tolerance import Tolerance
    from annqc.tables import Array, Bools

__all__: list[str] = []

SENSITIVE: Final = "SELECTION_SENSITIVE"
"""Flag of findings that the objects nobody could measure might turn over."""
THINGS: Final = {"edge_offset": "edge", "shift": "shift", "growth": "side"}
"""What is counted, for measures that judge several quantities of a group."""

BIAS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "edge_offset": (EDGES, "no edge is drawn beyond the tolerance"),
    "out_left": (("out_left",), "the left edge is not drawn beyond the tolerance"),
    "out_top": (("out_top",), "the top edge is not drawn beyond the tolerance"),
    "out_right": (("out_right",), "the right edge is not drawn beyond the tolerance"),
    "out_bottom": (("out_bottom",), "the bottom edge is not drawn beyond the tolerance"),
    "shift": (("dx", "dy"), "boxes are not moved sideways, up or down beyond the tolerance"),
    "growth": (("dw", "dh"), "boxes are not too wide, narrow, tall or short for the tolerance"),
}
"""Measures of bias: the quantities that must all be clean, and what that means."""

RATES: Final = {
    "recall": "share of the objects asked for that were drawn",
    "precision": "share of the drawn objects that are there",
    "label_accuracy": "share of the matched objects with the right category",
    "mean_iou": "mean overlap of the matched objects",
}

OUTCOME_OF: Final = {
    "biased": "fail",
    "collective": "fail",
    "clean": "pass",
    "undecided": "undecided",
}
GROUPED: Final = ("by", "where", "confidence")
SIZES: Final = ("small", "medium", "large")
"""Values of the column ``size``, whether or not the data have objects of each."""
FEW_VALUES: Final = 12
"""Up to so many values of a column are listed in a message."""


def _only_pooled(rule: Rule) -> str | None:
    """Refuse what would never be tested: inside an annotator's strata there are edges alone."""
    if "annotator" in rule.columns and len(rule.columns) > 1:
        return (
            f"{rule.measure} is tested by annotator, or by other columns, not by both together; "
            "use edge_offset, which is tested in strata as well"
        )
    return None


@dataclass(frozen=True, eq=False, slots=True)
class _BiasWords:
    """Words for findings on offsets; an object, and no closure, so that a judgement pickles."""

    keys: dict[str, Array]
    columns: dict[str, Array]
    tolerance: Tolerance
    clusters: str
    things: str

    def count(self, rows: Sequence[int]) -> str:
        """Count findings, and those who have them: a person may be off on several edges."""
        groups = {tuple(column[row] for column in self.keys.values()) for row in rows}
        who = number_of(len(groups), _who(self.keys))
        if self.things == _who(self.keys):
            return who
        return f"{number_of(len(rows), self.things)} of {who}"

    def describe(self, row: int) -> str:
        """Say one finding."""
        finding = {name: column[row] for name, column in self.columns.items()}
        text = bias_words(
            _group(self.keys, row), finding, tolerance=self.tolerance, clusters=self.clusters
        )
        if finding["verdict"] == "collective":
            return f"{text}, as everybody does"
        if finding["verdict"] == "undecided":
            return f"{text}: {unsettled_words(finding, clusters=self.clusters)}"
        return text

    def together(self, rows: Sequence[int]) -> list[str]:
        """Say accusations one by one, and what everybody shares once."""
        texts: list[str] = []
        shared: dict[tuple[object, ...], list[int]] = {}
        for row in rows:
            if self.columns["verdict"][row] != "collective":
                texts.append(self.describe(row))
                continue
            group = _group(self.keys, row)
            stratum = [value for name, value in group.items() if name != "annotator"]
            shared.setdefault((self.columns["quantity"][row], *stratum), []).append(row)
        names = [name for name in self.keys if name != "annotator"]
        for (quantity, *values), members in shared.items():
            size = float(self.columns["collective"][members[0]])
            where = group_words(dict(zip(names, values, strict=True)))[0] if values else ""
            said = shared_bias_words(str(quantity), size, where=where, count=len(members))
            texts.append(said)
        return texts


def _who(keys: dict[str, Array]) -> str:
    return "annotator" if list(keys) == ["annotator"] else "group"


def _bias(name: str, quantities: tuple[str, ...]) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        found = measured.bias_columns(rule.columns)
        wanted, notes = _wanted(found, rule, measured)
        wanted &= np.array([name in quantities for name in found["quantity"]], dtype=bool)
        keys, columns = _split(found, rule, wanted)
        tolerance = measured.parameters.tolerance
        verdict = columns["verdict"]
        outcome = np.array([OUTCOME_OF[name] for name in verdict], dtype=object)
        with np.errstate(invalid="ignore"):
            badness = np.abs(columns["estimate"]) / columns["margin"]
        accused = np.where(verdict == "biased", 1e6, 0.0)
        empty = not len(verdict) or bool((columns["status"] == "no_data").all())
        things = THINGS.get(name, _who(keys))
        words = _BiasWords(keys, columns, tolerance, _clusters(measured), things)
        return Assessment(
            claim=f"within {_times(columns['margin'])}{tolerance}",
            keys=keys,
            columns=columns,
            outcome=outcome,
            badness=badness + accused,
            describe=words.describe,
            nothing=_nothing(notes, "there is no pair to measure") if empty else "",
            notes=notes,
            together=words.together,
            things=things,
            count=words.count,
            doubtful=np.array([SENSITIVE in flags for flags in columns["flags"]], dtype=bool),
        )

    return assess


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
        group = _group(self.keys, row)
        return rate_words(group, self.name, estimate, low, high, seen, clusters=self.clusters)


def _rate(name: str) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        found = measured.score_columns(rule.columns)
        wanted, notes = _wanted(found, rule, measured)
        keys, columns = _split(found, rule, wanted)
        estimate, low, high = (columns[f"{name}{end}"] for end in ("", "_low", "_high"))
        clusters = _clusters(measured)
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
            things=_who(keys),
            nothing=_nothing(notes, "there is nothing to count") if empty else "",
            notes=notes,
        )

    return assess


for _name, (_quantities, _summary) in BIAS.items():
    register_measure(
        _name,
        _summary,
        takes=(*GROUPED, "tolerance"),
        check=None if set(_quantities) <= set(EDGES) else _only_pooled,
    )(_bias(_name, _quantities))

for _name, _summary in RATES.items():
    register_measure(_name, _summary, takes=GROUPED, limits=("at_least", "at_most"))(_rate(_name))


@dataclass(frozen=True, eq=False, slots=True)
class _RowWords:
    """Words for rows that cannot be used; ``first`` says where the first of each kind stands."""

    kinds: tuple[tuple[str, str], ...]
    counts: tuple[int, ...]
    first: tuple[str, ...]

    def describe(self, row: int) -> str:
        """Say one kind in one file."""
        kind, source = self.kinds[row]
        return f"{self.counts[row]:,} {kind} in {source} (first: {self.first[row]})"

    def together(self, rows: Sequence[int]) -> list[str]:
        """Say how many there are, then the kinds."""
        texts = [self.describe(row) for row in rows]
        return [f"{number_of(sum(self.counts), 'unusable row')}: {texts[0]}", *texts[1:]]


@register_measure(
    "unusable_rows",
    "rows of the input that cannot be used, gold and work together",
    takes=(),
    limits=("at_most",),
    limit_range=(0.0, float("inf")),
)
def unusable_rows(measured: Measured, rule: Rule) -> Assessment:
    """Count what had to be left out. A count has no interval: it passes or it fails."""
    dropped = [issue for issue in measured.issues if issue.severity == "dropped"]
    counts = Counter((issue.kind, issue.source) for issue in dropped)
    first = {(issue.kind, issue.source): issue.where for issue in reversed(dropped)}
    limit = rule.at_most or 0.0
    kinds = tuple(counts)
    words = _RowWords(kinds, tuple(counts.values()), tuple(first[one] for one in kinds))
    outcome = "fail" if len(dropped) > limit else "pass"
    return Assessment(
        claim=f"at most {limit:g} unusable rows",
        keys={
            "kind": np.array([kind for kind, _ in kinds], dtype=object),
            "source": np.array([source for _, source in kinds], dtype=object),
        },
        columns={"count": np.array(words.counts, dtype=np.int64)},
        outcome=np.full(len(kinds), outcome, dtype=object),
        badness=np.array(words.counts, dtype=np.float64),
        describe=words.describe,
        passes=number_of(len(dropped), "unusable row") if dropped else "no unusable row",
        together=words.together,
    )


def _wanted(
    found: dict[str, Array], rule: Rule, measured: Measured
) -> tuple[Bools, tuple[str, ...]]:
    """Rows that ``where`` keeps, and a note on each value that has no row.

    A value that is nowhere in the data is a slip of the pen: a rule that looks at nothing because
    of it must not go unnoticed.
    """
    some = next(iter(found.values()))
    keep = np.ones(len(some), dtype=bool)
    notes: list[str] = []
    for name, values in rule.where.items():
        column = found[name].tolist()
        asked = {*values, *map(str, values)}
        keep &= np.array([value in asked or str(value) in asked for value in column], dtype=bool)
        present = {str(value) for value in column}
        absent = [value for value in values if str(value) not in present]
        known = present | _known_values(measured, name) if absent else present
        for value in absent:
            if str(value) not in known:
                what = f"there is no {name} {value!r} in the data"
                few = ", ".join(sorted(known)) if len(known) <= FEW_VALUES else None
                hint = did_you_mean(str(value), known)
                raise SpecError(what, where=f"where = {{ {name} = ... }}", expected=few, hint=hint)
            notes.append(f"there is nothing to judge of {name} {value!r}")
    return keep, tuple(notes)


def _known_values(measured: Measured, name: str) -> set[str]:
    """Every value that a column can have in these data, with or without anything to judge."""
    known = {str(value) for value in measured.score_columns((name,))[name].tolist()}
    matches = measured.matches
    if name in {"category", "candidate_category"}:
        known |= set(map(str, matches.category_names))
    elif name == "size":
        known |= set(SIZES)
    elif name == "image_id":
        for side in (matches.reference, matches.candidate):
            known |= set(map(str, side.image_table.id.tolist()))
    return known


def _clusters(measured: Measured) -> str:
    """Name what evidence is counted in."""
    return "image" if measured.matches.reference.table.track is None else "image or track"


def _split(
    found: dict[str, Array], rule: Rule, wanted: Bools
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Separate the groups' columns from the numbers, wanted rows only."""
    kept = {name: column[wanted] for name, column in found.items()}
    keys = {name: kept.pop(name) for name in rule.columns}
    return keys, kept


def _times(margin: Array) -> str:
    """Say the margin where it is not one tolerance: both edges add up in growth."""
    largest = float(margin.max(initial=1.0))
    return "" if largest == 1 else f"{largest:g} times "


def _group(keys: dict[str, Array], row: int) -> dict[str, Any]:
    return {name: column[row] for name, column in keys.items()}


def _nothing(notes: tuple[str, ...], otherwise: str) -> str:
    return "; ".join(notes) or otherwise
