"""judge: counts. A count has no interval: it passes or it fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.registry import Assessment, register_measure
from annqc.judge.rules.common import (
    group_of,
    limit_words,
    nothing_words,
    split_columns,
    wanted_rows,
    who_words,
)
from annqc.judge.wording import group_words, number_of
from annqc.read.problems import KINDS
from annqc.tables import ERROR_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array, Problem

__all__ = ["OUTSIDE", "UNBOUNDED"]

UNBOUNDED: Final = (0.0, float("inf"))
"""Range of the limit of a count."""
OUTSIDE: Final = ("outside_image", "beyond_border")
"""Problems of boxes that are not on their image."""
UNUSABLE: Final = tuple(name for name, kind in KINDS.items() if kind.severity == "dropped")
"""Problems for which a row is left out."""


@dataclass(frozen=True, eq=False, slots=True)
class _RowWords:
    """Words for rows of the input; ``first`` says where the first of each kind stands."""

    kinds: tuple[tuple[str, str], ...]
    counts: tuple[int, ...]
    first: tuple[str, ...]
    what: str
    many: str

    def describe(self, row: int) -> str:
        """Say one kind in one file."""
        kind, source = self.kinds[row]
        return f"{self.counts[row]:,} {kind} in {source} (first: {self.first[row]})"

    def together(self, rows: Sequence[int]) -> list[str]:
        """Say how many there are, then the kinds."""
        texts = [self.describe(row) for row in rows]
        return [f"{number_of(sum(self.counts), self.what, self.many)}: {texts[0]}", *texts[1:]]


def _listed(found: Iterable[Problem], limit: float, what: str, many: str) -> Assessment:
    """Judge the number of problems."""
    problems = list(found)
    counts = Counter((one.kind, one.source) for one in problems)
    first = {(one.kind, one.source): one.where for one in reversed(problems)}
    kinds = tuple(counts)
    words = _RowWords(kinds, tuple(counts.values()), tuple(first[one] for one in kinds), what, many)
    outcome = "fail" if len(problems) > limit else "pass"
    return Assessment(
        claim=f"at most {limit_words(limit, what, many)}",
        keys={
            "kind": np.array([kind for kind, _ in kinds], dtype=object),
            "source": np.array([source for _, source in kinds], dtype=object),
        },
        columns={"count": np.array(words.counts, dtype=np.int64)},
        outcome=np.full(len(kinds), outcome, dtype=object),
        badness=np.array(words.counts, dtype=np.float64),
        describe=words.describe,
        passes=number_of(len(problems), what, many) if problems else f"no {what}",
        together=words.together,
    )


def _limit(rule: Rule) -> float:
    return rule.at_most or 0.0


@register_measure(
    "unusable_rows",
    "rows of the input that cannot be used, gold and work together",
    takes=("kind",),
    limits=("at_most",),
    limit_range=UNBOUNDED,
    kinds=UNUSABLE,
    by=(),
)
def unusable_rows(measured: Measured, rule: Rule) -> Assessment:
    """Count what had to be left out."""
    dropped = [
        one
        for one in measured.issues
        if one.severity == "dropped" and (not rule.kind or one.kind in rule.kind)
    ]
    return _listed(dropped, _limit(rule), "unusable row", "unusable rows")


@register_measure(
    "problems",
    "problems of the rows and files, gold and work together, usable or not",
    takes=("kind",),
    limits=("at_most",),
    limit_range=UNBOUNDED,
    kinds=tuple(KINDS),
    by=(),
)
def problems(measured: Measured, rule: Rule) -> Assessment:
    """Count what is wrong with the input, or odd about it."""
    found = [one for one in measured.issues if not rule.kind or one.kind in rule.kind]
    return _listed(found, _limit(rule), "problem", "problems")


@register_measure(
    "outside_image",
    "boxes of the work that lie outside their image, or stick out of it",
    takes=(),
    limits=("at_most",),
    limit_range=UNBOUNDED,
    by=(),
)
def outside_image(measured: Measured, rule: Rule) -> Assessment:
    """Count boxes that are not on their image, whether or not they could be used."""
    found = [one for one in measured.matches.candidate.issues if one.kind in OUTSIDE]
    return _listed(found, _limit(rule), "box outside its image", "boxes outside their images")


@dataclass(frozen=True, eq=False, slots=True)
class _CountWords:
    """Words for counts of groups; ``looked`` are the kinds of errors that were counted."""

    keys: dict[str, Array]
    count: Array
    what: str
    many: str
    looked: tuple[str, ...]

    def describe(self, row: int) -> str:
        """Say one count."""
        where, _ = group_words(group_of(self.keys, row))
        return f"{where}: {number_of(int(self.count[row]), self.what, self.many)}"

    def look(self, _row: int) -> dict[str, Any]:
        """Say where to look for what was counted."""
        return {"kinds": self.looked}


def _counted(
    name: str, words: Callable[[Rule], tuple[str, str]], looked: Callable[[Rule], tuple[str, ...]]
) -> Callable[[Measured, Rule], Assessment]:
    """Return the measure that counts something in every group."""

    def assess(measured: Measured, rule: Rule) -> Assessment:
        found = measured.count_columns(name, rule.columns, kinds=rule.kind)
        wanted, notes = wanted_rows(found, rule, measured)
        keys, columns = split_columns(found, rule, wanted)
        count, limit = columns["count"], _limit(rule)
        said = _CountWords(keys, count, *words(rule), looked(rule))
        return Assessment(
            claim=f"at most {limit_words(limit, said.what, said.many)}",
            keys=keys,
            columns=columns,
            outcome=np.where(count > limit, "fail", "pass").astype(object),
            badness=count.astype(np.float64),
            describe=said.describe,
            things=who_words(keys),
            nothing="" if len(count) else nothing_words(notes, "there is nothing to count"),
            notes=notes,
            look=said.look,
        )

    return assess


def _error_words(rule: Rule) -> tuple[str, str]:
    if len(rule.kind) == 1:
        kind = rule.kind[0].replace("_", " ")
        return f"{kind} error", f"{kind} errors"
    kinds = f" ({', '.join(rule.kind)})" if rule.kind else ""
    return f"error{kinds}", f"errors{kinds}"


register_measure(
    "error_count",
    "errors of these kinds",
    takes=("by", "where", "kind"),
    limits=("at_most",),
    limit_range=UNBOUNDED,
    kinds=ERROR_KINDS,
)(_counted("error_count", _error_words, lambda rule: rule.kind or ERROR_KINDS))

register_measure(
    "duplicates",
    "boxes drawn twice around one object",
    takes=("by", "where"),
    limits=("at_most",),
    limit_range=UNBOUNDED,
)(
    _counted(
        "duplicates",
        lambda _: ("box drawn again", "boxes drawn again"),
        lambda _: ("duplicate",),
    )
)
