"""judge: counts. A count has no interval: it passes or it fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.registry import Assessment, register_measure
from annqc.judge.wording import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured

__all__: list[str] = []


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
