"""judge: no worse than before. The same annotators on the same gold, beside a saved run.

A ratchet asks for proof before it fails: it fails where the work is shown to be worse than the
baseline by more than the margin, with Holm's correction over the groups of the rule, so that a
process that has not changed fails with a probability of at most ``1 - confidence``. Otherwise it
passes, and says how large a worsening could still hide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError
from annqc.judge.registry import Assessment
from annqc.judge.rules.common import (
    clusters_of,
    group_of,
    nothing_words,
    split_columns,
    wanted_rows,
    who_words,
)
from annqc.judge.rules.offsets import BIAS, THINGS
from annqc.judge.wording import DIRECTIONS, OBJECTS, WITHIN, amount, group_words, number_of
from annqc.measure.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array

__all__ = ["HOW_TO_SAVE", "RATE_MARGIN", "Since", "default_margin", "no_worse"]

RATE_MARGIN: Final = 0.01
"""By how much a rate may fall where the rule does not say."""
SHARE_OF_TOLERANCE: Final = 0.25
"""By how much an offset may grow where the rule does not say: a share of the tolerance."""
GROWTH: Final = frozenset(("dw", "dh"))
"""Quantities that add up two edges, and so may be off by twice as much."""
HOW_TO_SAVE: Final = (
    "annqc audit --spec SPEC --save FOLDER saves one, and so does pytest --annqc-update-baseline"
)


@dataclass(frozen=True, slots=True)
class Since:
    """An audit beside an earlier one.

    Parameters
    ----------
    measured : Measured
        The audit.
    earlier : callable or None
        Gives the earlier one when it is first asked for.
    """

    measured: Measured
    earlier: Callable[[], Measured] | None

    @property
    def baseline(self) -> Measured:
        """The earlier one.

        Raises
        ------
        SpecError
            Where none is named.
        """
        if self.earlier is None:
            what = "there is no baseline yet: none is named"
            expected = 'baseline = "FOLDER" in [annqc], a saved run'
            raise SpecError(what, expected=expected, hint=HOW_TO_SAVE)
        return self.earlier()

    def worst(
        self,
        group: Mapping[str, object],
        *,
        measure: str,
        quantity: str | None = None,
        most: int = 5,
    ) -> list[dict[str, Any]]:
        """Return the annotations of a group that got worse, the worst first."""
        found: list[dict[str, Any]] = self.measured.worsened(
            self.baseline, measure, group, quantity=quantity, most=most
        )
        return found


def default_margin(measure: str, tolerance: Tolerance) -> float | Tolerance:
    """Return how much worse is no worse where a rule does not say.

    Parameters
    ----------
    measure : str
        What the rule asks for.
    tolerance : Tolerance
        The tolerance in force.

    Returns
    -------
    float or Tolerance
        0.01 for rates; a quarter of the tolerance for offsets.

    Examples
    --------
    >>> default_margin("recall", Tolerance())
    0.01
    >>> str(default_margin("edge_offset", Tolerance()))
    'max(0.25 px, 0.5 %)'
    """
    if measure not in BIAS:
        return RATE_MARGIN
    return Tolerance(px=SHARE_OF_TOLERANCE * tolerance.px, rel=SHARE_OF_TOLERANCE * tolerance.rel)


@dataclass(frozen=True, eq=False, slots=True)
class _Words:
    """What the words for rates and offsets share."""

    measure: str
    keys: dict[str, Array]
    columns: dict[str, Array]
    outcome: Array
    clusters: str
    unit: str

    def seen(self, row: int) -> str:
        """Count the images in common."""
        return number_of(int(self.columns["n_clusters"][row]), self.clusters)

    def too_few(self, row: int) -> str:
        """Say why nothing can be said."""
        from annqc.infer.verdicts import G_MIN  # loads scipy, which reading a spec does without

        seen = self.seen(row)
        verb = "is" if seen.startswith("1 ") else "are"
        if int(self.columns["n_clusters"][row]) < G_MIN:
            return f"{seen} in common {verb} too few to judge; {G_MIN} are needed"
        return f"nothing can be told from {seen} in common"


@dataclass(frozen=True, eq=False, slots=True)
class _RateWords(_Words):
    def describe(self, row: int) -> str:
        """Say how a rate changed."""
        old, new, change, low, high = (
            float(self.columns[name][row]) for name in ("old", "new", "change", "ci_low", "ci_high")
        )
        where = group_words(group_of(self.keys, row))[0]
        if self.outcome[row] == "fail":
            spread = f"{max(-high, 0):.3f} to {-low:.3f}, {self.seen(row)}"
            fell = f"{where}: {self.unit} fell by {-change:.3f} ({spread})"
            return f"{fell} from {old:.3f} to {new:.3f}"
        now = f"{where}: {self.unit} {_rate(new)}, before {_rate(old)}"
        if self.outcome[row] == "undecided":
            return f"{now}: {self.too_few(row)}"
        return f"{now} ({self._hidden(row, low)}, {self.seen(row)})"

    def _hidden(self, row: int, low: float) -> str:
        """Say how much of a loss may hide in what was seen."""
        if self.columns["identical"][row]:
            return "no loss, the boxes are the same"
        if low >= 0:
            return "better"
        hidden = f"a loss of up to {-low:.3f} cannot be excluded"
        return hidden if self.columns["changed"][row] else f"no change seen, {hidden}"

    def look(self, _row: int) -> dict[str, Any]:
        """Say where to look for what got worse."""
        return {"measure": self.measure}


def _told(size: str) -> bool:
    """Whether a size is told apart from zero by the digits that are shown."""
    return float(size.split(maxsplit=1)[0]) != 0


def _rate(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.3f}"


@dataclass(frozen=True, eq=False, slots=True)
class _OffsetWords(_Words):
    def describe(self, row: int) -> str:
        """Say how an offset changed."""
        numbers = (
            float(self.columns[f"{name}_told"][row])
            for name in ("old", "new", "change", "ci_low", "ci_high")
        )
        old, new, change, low, high = numbers
        quantity = str(self.columns["quantity"][row])
        where, drawer = group_words(group_of(self.keys, row))
        thing = OBJECTS.get(quantity, "boxes")
        verb = "are" if thing == "boxes" else "is"
        begin = f"{where} draws {thing}" if drawer else f"{where}: {thing} {verb} drawn"
        if math.isnan(new):
            return f"{begin}: {self.too_few(row)}"
        beyond = abs(float(self.columns["new"][row])) > (2 if quantity in GROWTH else 1)
        words = (DIRECTIONS if beyond else WITHIN)[quantity][int(new < 0)]
        half = (high - low) / 2
        size, before, largest = (
            amount(one, one - half, one + half, self.unit)[0] for one in (new, old, high)
        )
        other_way = " the other way" if new * old < 0 and _told(before) else ""
        now = f"{begin} {size} {'too ' if beyond else ''}{words}, before {before}{other_way}"
        if self.outcome[row] == "undecided":
            return f"{now}: {self.too_few(row)}"
        if self.outcome[row] == "fail":
            # The two sizes say by how much; the estimate of the change, another mean, would not
            # be quite their difference.
            return f"{now}: {amount(change, low, high, self.unit)[1]} worse ({self.seen(row)})"
        hidden = f"up to {largest} worse cannot be excluded" if high > 0 else "no worse"
        return f"{now} ({hidden}, {self.seen(row)})"

    def look(self, row: int) -> dict[str, Any]:
        """Say where to look for what got worse."""
        return {"measure": self.measure, "quantity": str(self.columns["quantity"][row])}

    def count(self, rows: Sequence[int]) -> str:
        """Count what got worse, and who has it."""
        groups = {tuple(column[row] for column in self.keys.values()) for row in rows}
        who = number_of(len(groups), who_words(self.keys))
        things = THINGS.get(self.measure)
        return who if things is None else f"{number_of(len(rows), things)} of {who}"


def no_worse(since: Since, rule: Rule) -> Assessment:
    """Judge a rule that has ``no_worse_than``.

    Parameters
    ----------
    since : Since
        The audit beside its baseline.
    rule : Rule
        Of a rate or an offset.

    Returns
    -------
    Assessment
    """
    from annqc.infer.paired import adjusted_holm  # loads scipy, which reading a spec does without
    from annqc.infer.verdicts import G_MIN

    measured = since.measured
    used = measured.parameters
    margin = default_margin(rule.measure, used.tolerance) if rule.margin is None else rule.margin
    found, notes = measured.changes(since.baseline, rule.measure, rule.columns, margin=margin)
    wanted, left_out = wanted_rows(found, rule, measured)
    quantities = BIAS[rule.measure][0] if rule.measure in BIAS else ()
    if quantities:
        wanted &= np.isin(found["quantity"].astype(str), quantities)
    keys, columns = split_columns(found, rule, wanted)
    enough = (columns["n_clusters"] >= G_MIN) & ~np.isnan(columns["p_value"])
    columns["p_adjusted"] = adjusted_holm(np.where(enough, columns["p_value"], np.nan))
    alpha = 1 - used.confidence
    with np.errstate(invalid="ignore"):
        worse = enough & (columns["p_adjusted"] <= alpha)
    outcome = np.where(worse, "fail", np.where(enough, "pass", "undecided")).astype(object)
    clusters = clusters_of(measured)
    words: _RateWords | _OffsetWords
    if quantities:
        unit = "rel" if used.tolerance.px == 0 else "px"
        words = _OffsetWords(rule.measure, keys, columns, outcome, clusters, unit)
        twice = "twice " if GROWTH.issuperset(quantities) else ""
        claim = f"no more than {twice}{margin} further off than in the baseline"
    else:
        unit = rule.measure.replace("_", " ").replace("iou", "IoU")
        words = _RateWords(rule.measure, keys, columns, outcome, clusters, unit)
        claim = f"{unit} no more than {margin:g} below the baseline"
    empty = not len(outcome) or bool((columns["n_clusters"] == 0).all())
    if empty and not left_out:
        # A ratchet that compares nothing would hold whatever was delivered.
        what = (
            f"nothing can be compared with the baseline: {'; '.join(notes) or 'no pair in common'}"
        )
        raise SpecError(what, hint="is it the baseline of these data? If so: " + HOW_TO_SAVE)
    things = THINGS.get(rule.measure, who_words(keys))
    return Assessment(
        claim=claim,
        keys=keys,
        columns=columns,
        outcome=outcome,
        badness=columns["change"] if quantities else -columns["change"],
        describe=words.describe,
        nothing=nothing_words((*left_out, *notes), "") if empty else "",
        notes=(*left_out, *notes),
        things=things,
        count=words.count if isinstance(words, _OffsetWords) else None,
        look=words.look,
    )
