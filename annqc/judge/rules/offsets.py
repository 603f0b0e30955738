"""judge: measures of bias, judged by the verdicts of the findings.

The verdicts know how many tests were made; nothing is tested here.
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
from annqc.judge.wording import (
    beyond_alone,
    bias_words,
    group_words,
    number_of,
    shared_bias_words,
    unsettled_words,
)
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.measure.tolerance import Tolerance
    from annqc.tables import Array

__all__ = ["BIAS", "BiasWords", "assess_offsets"]

SENSITIVE: Final = "SELECTION_SENSITIVE"
"""Flag of findings that the objects nobody could measure might turn over."""
EVERY_LOOK: Final = "held at every look so far"
"""What is said of an interval that is a confidence sequence."""
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

OUTCOME_OF: Final = {
    "biased": "fail",
    "collective": "fail",
    "clean": "pass",
    "undecided": "undecided",
}


def _only_pooled(rule: Rule) -> str | None:
    """Refuse what would never be tested: inside an annotator's strata there are edges alone."""
    if "annotator" in rule.columns and len(rule.columns) > 1:
        return (
            f"{rule.measure} is tested by annotator, or by other columns, not by both together; "
            "use edge_offset, which is tested in strata as well"
        )
    return None


@dataclass(frozen=True, eq=False, slots=True)
class BiasWords:
    """Words for findings on offsets: an object, and no closure, so that a judgement pickles."""

    keys: dict[str, Array]
    columns: dict[str, Array]
    tolerance: Tolerance
    clusters: str
    things: str

    def count(self, rows: Sequence[int]) -> str:
        """Count findings, and those who have them: a person may be off on several edges."""
        groups = {tuple(column[row] for column in self.keys.values()) for row in rows}
        who = number_of(len(groups), who_words(self.keys))
        if self.things == who_words(self.keys):
            return who
        return f"{number_of(len(rows), self.things)} of {who}"

    def describe(self, row: int) -> str:
        """Say one finding."""
        finding = {name: column[row] for name, column in self.columns.items()}
        text = bias_words(
            group_of(self.keys, row), finding, tolerance=self.tolerance, clusters=self.clusters
        )
        if finding["verdict"] == "collective":
            return f"{text}, as everybody does"
        if finding["verdict"] == "undecided":
            tests = range(len(self.columns["verdict"])) if beyond_alone(finding) else ()
            among = self.count(tests)
            return f"{text}: {unsettled_words(finding, clusters=self.clusters, among=among)}"
        return text

    def look(self, row: int) -> dict[str, str]:
        """Say where to look for the annotations behind a finding."""
        return {"quantity": str(self.columns["quantity"][row])}

    def together(self, rows: Sequence[int]) -> list[str]:
        """Say accusations one by one, and what everybody shares once."""
        texts: list[str] = []
        shared: dict[tuple[object, ...], list[int]] = {}
        for row in rows:
            if self.columns["verdict"][row] != "collective":
                texts.append(self.describe(row))
                continue
            group = group_of(self.keys, row)
            stratum = [value for name, value in group.items() if name != "annotator"]
            shared.setdefault((self.columns["quantity"][row], *stratum), []).append(row)
        names = [name for name in self.keys if name != "annotator"]
        for (quantity, *values), members in shared.items():
            size = float(self.columns["collective"][members[0]])
            where = group_words(dict(zip(names, values, strict=True)))[0] if values else ""
            said = shared_bias_words(str(quantity), size, where=where, count=len(members))
            texts.append(said)
        return texts


@dataclass(frozen=True, eq=False, slots=True)
class _SequentialWords(BiasWords):
    """Words for findings that hold at every look."""

    def describe(self, row: int) -> str:
        """Say one finding, and that it may be looked at again."""
        # Named, for a dataclass with slots is made twice, and super() knows the first alone.
        text = BiasWords.describe(self, row)
        if not np.isfinite(self.columns["ci_low"][row]):
            return text
        seen = number_of(int(self.columns["n_clusters"][row]), self.clusters)
        return text.replace(f"{seen})", f"{seen}, {EVERY_LOOK})", 1)


def _bias(name: str, quantities: tuple[str, ...]) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        return assess_offsets(
            measured,
            rule,
            measured.bias_columns(rule.columns),
            quantities,
            things=THINGS.get(name, ""),
            words=_SequentialWords if rule.sequential else BiasWords,
        )

    return assess


def assess_offsets(
    measured: Measured,
    rule: Rule,
    found: dict[str, Array],
    quantities: tuple[str, ...],
    *,
    things: str,
    words: type[BiasWords],
    nothing: str = "there is no pair to measure",
) -> Assessment:
    """Judge signed offsets by their verdicts.

    Parameters
    ----------
    measured : Measured
        The audit.
    rule : Rule
        What is asked.
    found : dict of str to array
        Findings, one row a group and quantity.
    quantities : tuple of str
        Those that must all be clean.
    things : str
        What a finding is, where a rule judges several of a group; empty where it does not.
    words : type of BiasWords
        What to say.
    nothing : str
        What is said where there is nothing to judge.
    """
    wanted, notes = wanted_rows(found, rule, measured)
    wanted &= np.array([name in quantities for name in found["quantity"]], dtype=bool)
    if rule.sequential:
        found = measured.sequential_columns(rule.columns, cells=wanted)
    keys, columns = split_columns(found, rule, wanted)
    tolerance = measured.parameters.tolerance
    verdict = columns["verdict"]
    outcome = np.array([OUTCOME_OF[name] for name in verdict], dtype=object)
    with np.errstate(invalid="ignore"):
        badness = np.abs(columns["estimate"]) / columns["margin"]
    accused = np.where(verdict == "biased", 1e6, 0.0)
    empty = not len(verdict) or bool((columns["status"] == "no_data").all())
    things = things or who_words(keys)
    said = words(keys, columns, tolerance, clusters_of(measured), things)
    claim = f"within {_times(columns['margin'])}{tolerance}"
    return Assessment(
        claim=claim + (", judged so that it holds at every look" if rule.sequential else ""),
        keys=keys,
        columns=columns,
        outcome=outcome,
        badness=badness + accused,
        describe=said.describe,
        nothing=nothing_words(notes, nothing) if empty else "",
        notes=notes,
        together=said.together,
        things=things,
        count=said.count,
        look=said.look,
        doubtful=np.array([SENSITIVE in flags for flags in columns["flags"]], dtype=bool),
    )


def _times(margin: Array) -> str:
    """Say the margin where it is not one tolerance: both edges add up in growth."""
    largest = float(margin.max(initial=1.0))
    return "" if largest == 1 else f"{largest:g} times "


for _name, (_quantities, _summary) in BIAS.items():
    register_measure(
        _name,
        _summary,
        takes=(*GROUPED, "tolerance", "no_worse_than", "margin", "sequential"),
        check=None if set(_quantities) <= set(EDGES) else _only_pooled,
    )(_bias(_name, _quantities))
