"""run: a spec applied to every piece of a delivery, and what many pieces make of chance.

Each piece is judged by the rules on its own images. Of many pieces that keep to a rule some fail it
by chance, so the pieces that fail a rule go through Benjamini and Hochberg's procedure: with R of m
pieces failing at the level ``alpha R / m``, those R fail. The p-value of a piece is the smallest
level at which the rule fails on it, so whatever the rule does inside a piece (annotators, edges,
groups) stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from annqc.judge import judge
from annqc.judge.registry import find_measure
from annqc.judge.wording import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from annqc.judge.model import Rule, Spec
    from annqc.judge.verdicts import Check, Judgement
    from annqc.run.audit import Run
    from annqc.run.scorecardunits import Cut, Unit

__all__ = ["Held", "judge_units"]

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

    def judged(unit: Unit, wanted: Spec, ids: Collection[str] | None) -> Judgement:
        assert unit.run is not None
        return judge(unit.run, wanted, only=ids, baseline=baseline)

    first = [None if one.run is None else judged(one, spec, only) for one in found.units]
    checks = [[] if one is None else list(one.checks) for one in first]
    chance: list[set[str]] = [set() for _ in first]
    rules = [rule for rule in spec.rules if only is None or rule.id in only]
    for at, rule in enumerate(rules):
        if not found.whole and not found.asked_is_known and rule.measure == "missing_images":
            whole = judge(found.run, spec, only=[rule.id], baseline=baseline).checks[0]
            for mine in checks:
                mine[at : at + 1] = [_of_the_whole(whole)] * len(mine[at : at + 1])
            continue
        tested = [k for k, mine in enumerate(checks) if mine and mine[at].outcome in SETTLED]
        failing = [k for k in tested if checks[k][at].outcome == "fail"]
        if not failing or len(tested) < 2 or not _is_test(rule):
            continue

        def fails(k: int, share: float, rule: Rule = rule, at: int = at) -> bool:
            unit, own = found.units[k], checks[k][at].confidence
            assert unit.run is not None
            level = 1 - (unit.run.parameters.confidence if own is None else own)
            stricter = msgspec.structs.replace(rule, confidence=1 - level * share)
            made = judged(unit, msgspec.structs.replace(spec, rules=(stricter,)), None)
            return made.checks[0].outcome == "fail"

        for k in set(failing) - set(_stepped(failing, len(tested), fails)):
            checks[k][at] = _by_chance(checks[k][at], len(tested))
            chance[k].add(rule.id)
    return [
        None
        if one is None
        else Held(judgement=replace(one, checks=tuple(mine)), chance=frozenset(by_chance))
        for one, mine, by_chance in zip(first, checks, chance, strict=True)
    ]


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


def _by_chance(check: Check, n_tested: int) -> Check:
    pages = number_of(n_tested, "page")
    said = f"alone it would fail; among {pages} this can be chance: {check.sentence}"
    return replace(check, outcome="undecided", sentence=said, evidence=())


def _of_the_whole(check: Check) -> Check:
    """Say of a rule on what is missing that it can be told of the whole delivery alone."""
    if check.outcome == "pass":
        return replace(check, sentence=f"of the whole delivery: {check.sentence}")
    if check.outcome != "fail":
        return check
    said = f"the work does not say who was asked for which images; of the whole: {check.sentence}"
    return replace(check, outcome="not_applicable", sentence=said, evidence=(), assessment=None)
