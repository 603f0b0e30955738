"""run: a spec applied to every piece of a delivery, and what many pieces make of chance.

Each piece is judged by the rules on its own images. Of many pieces that keep to a rule some fail it
by chance, so the pieces that fail a rule go through Benjamini and Hochberg's procedure: with R of m
pieces failing at the level ``alpha R / m``, those R fail. The p-value of a piece is the smallest
level at which the rule fails on it, so whatever the rule does inside a piece (annotators, edges,
groups) stays as it is. Inside a piece that fails those groups are named that fail at this level too
(Benjamini and Bogomolov 2014), and of single annotators those whom the rule names on the whole
delivery.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from annqc.judge import judge
from annqc.judge.registry import find_measure
from annqc.judge.verdicts import Check, Judgement
from annqc.judge.wording import number_of
from annqc.run.scorecard.caution import cautious

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from annqc.judge.model import Rule, Spec
    from annqc.judge.registry import Assessment
    from annqc.run.audit import Run
    from annqc.run.scorecard.units import Cut, Unit
    from annqc.tables import Problem

__all__ = ["Held", "judge_units", "on_several_pages"]

OF_ROWS: Final = ("unusable_rows", "problems")
"""Measures that ask of rows alone, whether they can be compared or not."""
SETTLED: Final = ("pass", "fail", "undecided")
"""Outcomes of pieces on which a rule was tested."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Held:
    """A spec applied to one piece.

    Attributes
    ----------
    judgement : Judgement
        Its checks, for as many pieces as there are.
    chance : frozenset of str
        Ids of the rules that fail on this piece alone, and that many pieces make undecided.
    """

    judgement: Judgement
    chance: frozenset[str]


def judge_units(
    found: Cut,
    spec: Spec,
    *,
    only: Collection[str] | None = None,
    baseline: Callable[[], Run] | None = None,
) -> list[Held | None]:
    """Apply a spec to every piece.

    Parameters
    ----------
    found : Cut
        The pieces.
    spec : Spec
        The rules.
    only : collection of str, optional
        Ids of the rules to apply; all of them if not given.
    baseline : callable, optional
        Gives the earlier run that rules with ``no_worse_than`` compare with.

    Returns
    -------
    list of Held or None
        One a piece; None where there is nothing to compare.

    Notes
    -----
    Counts, and whether all of it is there, are facts and no tests: nothing is adjusted. A pass is
    each piece's own, whatever the number of pieces.
    """

    def judged(unit: Unit, wanted: Spec, ids: Collection[str] | None) -> list[Check]:
        assert unit.run is not None
        made = judge(unit.run, wanted, only=ids, baseline=baseline)
        return [cautious(one, unit.run, partial(of_whole, one.id)) for one in made.checks]

    @cache
    def of_whole(id: str) -> Check:
        return judge(found.run, spec, only=[id], baseline=baseline).checks[0]

    rules = [rule for rule in spec.rules if only is None or rule.id in only]
    checks = [
        _of_rows(one, rules) if one.run is None else judged(one, spec, only) for one in found.units
    ]
    chance: list[set[str]] = [set() for _ in checks]
    spread = on_several_pages(found)
    for at, rule in enumerate(rules):
        if not found.whole and rule.measure == "missing_images" and not rule.columns:
            whole = of_whole(rule.id)
            for mine in checks:
                mine[at : at + 1] = [_complete(one, whole, found) for one in mine[at : at + 1]]
            continue
        tested = [k for k, mine in enumerate(checks) if mine and mine[at].outcome in SETTLED]
        failing = [k for k in tested if checks[k][at].outcome == "fail"]
        if not failing or len(tested) < 2 or not _is_test(rule):
            continue

        def stricter(k: int, share: float, rule: Rule = rule, at: int = at) -> Check:
            unit, own = found.units[k], checks[k][at].confidence
            assert unit.run is not None
            level = 1 - (unit.run.parameters.confidence if own is None else own)
            wanted = msgspec.structs.replace(rule, confidence=1 - level * share)
            return judged(unit, msgspec.structs.replace(spec, rules=(wanted,)), None)[0]

        kept = _stepped(failing, len(tested), lambda k, share: stricter(k, share).outcome == "fail")
        whole = of_whole(rule.id)
        for k in failing:
            named = checks[k][at]
            if k in kept:
                left = _named(named, stricter(k, len(kept) / len(tested)))
                named = _named(left, whole, spread=spread)
            if k not in kept or named.outcome != "fail":
                checks[k][at] = _by_chance(checks[k][at], number_of(len(tested), *found.noun))
                chance[k].add(rule.id)
            else:
                checks[k][at] = named
    return [
        Held(judgement=Judgement(checks=tuple(mine), spec=spec), chance=frozenset(by_chance))
        if mine or unit.run is not None
        else None
        for unit, mine, by_chance in zip(found.units, checks, chance, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What can be measured of work of which no row can be used."""

    issues: tuple[Problem, ...]


def _of_rows(unit: Unit, rules: list[Rule]) -> list[Check]:
    """Judge work that cannot be compared by its rows; nothing where no rule refuses those."""
    made = []
    for rule in rules:
        check = Check(
            id=rule.id,
            measure=rule.measure,
            outcome="not_applicable",
            sentence=unit.trouble,
            rule=rule,
        )
        if rule.measure in OF_ROWS:
            rows: Any = _Rows(unit.issues)
            counted = find_measure(rule.measure).assess(rows, rule)
            check = replace(check, assessment=counted).reconsidered(counted.outcome)
        made.append(check)
    return made if any(check.outcome == "fail" for check in made) else []


def _is_test(rule: Rule) -> bool:
    """Whether a rule is judged at a level; counts are not."""
    return "confidence" in find_measure(rule.measure).takes


def _stepped(failing: list[int], n_tested: int, fails: Callable[[int, float], bool]) -> list[int]:
    """Step down to those R that fail at R of ``n_tested`` parts of the level.

    Examples
    --------
    >>> p = {0: 0.001, 1: 0.02, 2: 0.04}
    >>> _stepped([0, 1, 2], 5, lambda k, share: p[k] <= 0.05 * share)
    [0, 1]
    """
    kept = failing
    while kept and len(kept) < n_tested:
        still = [k for k in kept if fails(k, len(kept) / n_tested)]
        if len(still) == len(kept):
            break
        kept = still
    return kept


def on_several_pages(found: Cut) -> set[object]:
    """Return annotators whose work is in several pieces: the whole says nothing of one of these.

    They may be several people of one name, or one who mended.

    Parameters
    ----------
    found : Cut
        The delivery.
    """
    table = found.run.candidate.table
    pieces = [np.unique(table.annotator[unit.rows]) for unit in found.units]
    count = np.bincount(
        np.concatenate([*pieces, np.empty(0, dtype=np.int64)]),
        minlength=len(found.run.candidate.annotator_ids),
    )
    return set(found.run.candidate.annotator_ids[count > 1].tolist())


def _named(check: Check, other: Check, *, spread: Collection[object] | None = None) -> Check:
    """Keep those failures that another judgement of the same rule confirms.

    With ``spread`` the other is that of the whole delivery, which speaks of single annotators, and
    not of ``spread``, nor of what everybody of a page does alike.
    """
    mine, theirs = check.assessment, other.assessment
    if mine is None or theirs is None or (spread is not None and "annotator" not in mine.keys):
        return check
    confirmed = {
        key for key, one in zip(_keys(theirs), theirs.outcome, strict=True) if one == "fail"
    }
    outcome = mine.outcome.copy()
    for row, key in enumerate(_keys(mine)):
        if outcome[row] != "fail" or key in confirmed:
            continue
        alike = "verdict" in mine.columns and mine.columns["verdict"][row] == "collective"
        if spread is None or not (alike or mine.keys["annotator"][row] in spread):
            outcome[row] = "undecided"
    return check if (outcome == mine.outcome).all() else check.reconsidered(outcome)


def _keys(found: Assessment) -> list[tuple[object, ...]]:
    columns = [column.tolist() for column in found.keys.values()]
    if "quantity" in found.columns:
        columns.append(found.columns["quantity"].tolist())
    return list(zip(*columns, strict=True)) if columns else [()] * len(found.outcome)


def _by_chance(check: Check, among: str) -> Check:
    assert check.assessment is not None
    said = f"alone it would fail; among {among} this can be chance: {check.sentence}"
    outcome = check.assessment.outcome.copy()
    outcome[outcome == "fail"] = "undecided"
    return replace(check.reconsidered(outcome), sentence=said)


def _complete(check: Check, whole: Check, found: Cut) -> Check:
    """Say of the rule on missing images what a page can be told of it.

    A page knows the images that were asked of it. What nobody was asked for is missing from the
    delivery, and no page can be told to be complete.
    """
    if whole.outcome == "fail":
        one = found.noun[0]
        reason = f"nobody was asked for what is missing, so no {one} is complete; of the whole"
        if not found.asked_is_known:
            reason = "the work does not say who was asked for which images; of the whole"
        said = f"{reason}: {whole.sentence}"
        return replace(whole, outcome="not_applicable", sentence=said, evidence=(), assessment=None)
    if not found.asked_is_known:
        return replace(whole, sentence=f"of the whole delivery: {whole.sentence}")
    if check.outcome != "pass" or check.assessment is None:
        return check
    asked = number_of(int(check.assessment.columns["n"][0]), "gold image")
    return replace(check, sentence=f"all {asked} asked of it are in the work")
