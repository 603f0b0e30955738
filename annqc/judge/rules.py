"""judge: the measures that a rule may name, one registered function each.

Offsets are judged by the verdicts of the findings, which know how many tests were made. Rates are
judged by single intervals: a rate is bad where its whole interval lies beyond the limit, good where
its whole interval lies within, and undecided otherwise. Nothing corrects the rates for the number
of groups: of many groups exactly at the limit, about ``(1 - confidence) / 2`` fail by chance.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import did_you_mean
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
    from annqc.tables import Array, Bools

__all__: list[str] = []

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


def _only_pooled(rule: Rule) -> str | None:
    """Refuse what would never be tested: inside an annotator's strata there are edges alone."""
    if "annotator" in rule.columns and len(rule.columns) > 1:
        return (
            f"{rule.measure} is tested by annotator, or by other columns, not by both together; "
            "use edge_offset, which is tested in strata as well"
        )
    return None


def _bias(quantities: tuple[str, ...]) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        found = measured.bias_columns(rule.columns)
        wanted, notes = _wanted(found, rule)
        wanted &= np.array([name in quantities for name in found["quantity"]], dtype=bool)
        keys, columns = _split(found, rule, wanted)
        tolerance = measured.parameters.tolerance
        verdict = columns["verdict"]
        outcome = np.array([OUTCOME_OF[name] for name in verdict], dtype=object)
        with np.errstate(invalid="ignore"):
            badness = np.abs(columns["estimate"]) / columns["margin"]
        accused = np.where(verdict == "biased", 1e6, 0.0)
        empty = not len(verdict) or bool((columns["status"] == "no_data").all())

        def describe(row: int) -> str:
            finding = {name: column[row] for name, column in columns.items()}
            text = bias_words(_group(keys, row), finding, tolerance=tolerance)
            if verdict[row] == "collective":
                return f"{text}, as everybody does"
            return f"{text}: {unsettled_words(finding)}" if verdict[row] == "undecided" else text

        def together(rows: Sequence[int]) -> list[str]:
            return _offences(rows, keys, columns, describe)

        return Assessment(
            claim=f"within {_times(columns['margin'])}{tolerance}",
            keys=keys,
            columns=columns,
            outcome=outcome,
            badness=badness + accused,
            describe=describe,
            nothing=_nothing(notes, "there is no pair to measure") if empty else "",
            notes=notes,
            together=together,
        )

    return assess


def _offences(
    rows: Sequence[int],
    keys: dict[str, Array],
    columns: dict[str, Array],
    describe: Callable[[int], str],
) -> list[str]:
    """Say accusations one by one, and what everybody shares once."""
    texts: list[str] = []
    shared: dict[tuple[object, ...], list[int]] = {}
    for row in rows:
        if columns["verdict"][row] != "collective":
            texts.append(describe(row))
            continue
        stratum = {name: value for name, value in _group(keys, row).items() if name != "annotator"}
        shared.setdefault((columns["quantity"][row], *stratum.values()), []).append(row)
    for (quantity, *values), members in shared.items():
        size = float(columns["collective"][members[0]])
        where = group_words(dict(zip((n for n in keys if n != "annotator"), values, strict=True)))
        texts.append(
            shared_bias_words(
                str(quantity), size, where=where[0] if values else "", count=len(members)
            )
        )
    return texts


def _rate(name: str) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        found = measured.score_columns(rule.columns)
        wanted, notes = _wanted(found, rule)
        keys, columns = _split(found, rule, wanted)
        estimate, low, high = (columns[f"{name}{end}"] for end in ("", "_low", "_high"))
        images = columns.get("n_images")
        at_least = rule.at_least is not None
        limit = rule.at_least if rule.at_least is not None else rule.at_most
        with np.errstate(invalid="ignore"):
            good = low >= limit if at_least else high <= limit
            bad = high < limit if at_least else low > limit
        outcome = np.where(bad, "fail", np.where(good, "pass", "undecided")).astype(object)

        def describe(row: int) -> str:
            seen = None if images is None else int(images[row])
            return rate_words(
                _group(keys, row),
                name,
                float(estimate[row]),
                float(low[row]),
                float(high[row]),
                seen,
            )

        words = name.replace("_", " ").replace("iou", "IoU")
        empty = bool(np.isnan(estimate).all())
        return Assessment(
            claim=f"{words} {'at least' if at_least else 'at most'} {limit:g}",
            keys=keys,
            columns={
                "estimate": estimate,
                "ci_low": low,
                "ci_high": high,
                **({} if images is None else {"n_clusters": images}),
            },
            outcome=outcome,
            badness=-estimate if at_least else estimate,
            describe=describe,
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
    )(_bias(_quantities))

for _name, _summary in RATES.items():
    register_measure(_name, _summary, takes=GROUPED, limits=("at_least", "at_most"))(_rate(_name))


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
    first = {(issue.kind, issue.source): issue for issue in reversed(dropped)}
    limit = rule.at_most or 0.0
    kinds = list(counts)

    def describe(row: int) -> str:
        kind, source = kinds[row]
        return f"{counts[kinds[row]]:,} {kind} in {source} (first: {first[kind, source].where})"

    def together(rows: Sequence[int]) -> list[str]:
        texts = [describe(row) for row in rows]
        return [f"{number_of(len(dropped), 'unusable row')}: {texts[0]}", *texts[1:]]

    outcome = "fail" if len(dropped) > limit else "pass"
    return Assessment(
        claim=f"at most {limit:g} unusable rows",
        keys={
            "kind": np.array([kind for kind, _ in kinds], dtype=object),
            "source": np.array([source for _, source in kinds], dtype=object),
        },
        columns={"count": np.array([counts[one] for one in kinds], dtype=np.int64)},
        outcome=np.full(len(kinds), outcome, dtype=object),
        badness=np.array([counts[one] for one in kinds], dtype=np.float64),
        describe=describe,
        passes=number_of(len(dropped), "unusable row") if dropped else "no unusable row",
        together=together,
    )


def _wanted(found: dict[str, Array], rule: Rule) -> tuple[Bools, tuple[str, ...]]:
    """Rows that ``where`` keeps, and a note on each value that does not occur."""
    some = next(iter(found.values()))
    keep = np.ones(len(some), dtype=bool)
    notes: list[str] = []
    for name, values in rule.where.items():
        column = found[name].tolist()
        asked = {*values, *map(str, values)}
        keep &= np.array([value in asked or str(value) in asked for value in column], dtype=bool)
        present = {str(value) for value in column}
        for value in values:
            if str(value) not in present:
                hint = did_you_mean(str(value), present)
                notes.append(f"there is no {name} {value!r}" + (f" ({hint})" if hint else ""))
    return keep, tuple(notes)


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
