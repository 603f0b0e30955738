"""judge: what a rule gives, checked against what its measure takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.errors import AnnqcError, did_you_mean
from annqc.judge.faults import inline
from annqc.judge.fields import range_words
from annqc.judge.model import Rule
from annqc.judge.registry import find_measure
from annqc.measure.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from annqc.judge.layers import Draft
    from annqc.judge.registry import Measure

__all__ = ["ALWAYS", "finish_rule", "takes_words"]

ALWAYS: Final = ("id", "measure", "why")
"""Fields that every rule has, whatever it measures."""


def takes_words(measure: Measure) -> str:
    """List the fields that a measure takes, in their usual order."""
    return ", ".join(name for name in Rule.__struct_fields__ if name in measure.takes)


def finish_rule(draft: Draft, given: Mapping[str, Any], values: dict[str, Any]) -> Rule | None:
    """Check the fields of a rule together, and make it.

    Parameters
    ----------
    draft : Draft
        The rule as its file has it; faults are put there.
    given : mapping of str to object
        Every field that the rule has, inherited ones too, whether or not it could be converted.
    values : dict of str to object
        Those that could be converted.

    Returns
    -------
    Rule or None
        None where there is a fault.
    """
    if "measure" not in values:
        if "measure" not in given:
            draft.add("", "measure is missing")
        return None
    measure = find_measure(values["measure"])
    for name, text in _faults(measure, given, values):
        draft.add(name if name in draft.given else "", text)
    if not draft.sound:
        return None
    if isinstance(values.get("margin"), Tolerance) and "tolerance" not in measure.takes:
        values = values | {"margin": values["margin"].rel}
    rule = Rule(**{"by": measure.by, **values})
    try:
        fault = None if measure.check is None else measure.check(rule)
    except AnnqcError as error:
        fault = inline(error)
    if fault is not None:
        draft.add("", fault)
        return None
    return rule


def _faults(
    measure: Measure, given: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield each fault with the field that has it; an empty field is the rule as a whole."""
    for name in given:
        if name not in ALWAYS and name not in measure.takes:
            yield name, f"{measure.name} has no {name}; it takes {takes_words(measure)}"
    taken = {name for name in given if name in measure.takes}
    yield from _limit_faults(measure, taken, given, values)
    for kind in values.get("kind", ()) if measure.kinds and "kind" in taken else ():
        if kind not in measure.kinds:
            hint = did_you_mean(kind, measure.kinds)
            listed = hint or f"expected one of {', '.join(measure.kinds)}"
            yield "kind", f"{measure.name} knows no kind {kind!r}; {listed}"
    if {"tolerance", "no_worse_than"} <= taken:
        text = "tolerance and no_worse_than exclude each other"
        yield "tolerance", f"{text}; how much worse is no worse the margin says"
    if "margin" in taken:
        if "no_worse_than" not in given:
            yield "margin", 'a margin goes with no_worse_than = "baseline", which is missing'
        yield from _margin_faults(measure, values.get("margin"))
    if values.get("sequential") and {"sequential", "no_worse_than"} <= taken:
        text = "sequential and no_worse_than exclude each other"
        yield "sequential", f"{text}; a comparison with a baseline is made once"


def _limit_faults(
    measure: Measure, taken: set[str], given: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    if not measure.limits:
        return
    free = measure.usual is not None
    wanted = [*measure.limits]
    if "no_worse_than" in measure.takes:
        wanted.append("no_worse_than")
    limits = [name for name in wanted if name in taken]
    if len(limits) != 1 and not (free and not limits):
        names = ", ".join(wanted[:-1])
        names = f"{names} or {wanted[-1]}" if names else wanted[-1]
        found = " and ".join(limits) or ("none of them" if len(wanted) > 1 else "nothing")
        text = f"{measure.name} needs a limit, {names}; found {found}"
        yield limits[-1] if limits else "", text
    low, high = measure.limit_range
    for name in limits:
        limit = values.get(name)
        if not isinstance(limit, float):
            continue
        if high != 1 and isinstance(given[name], str) and given[name].rstrip().endswith("%"):
            yield name, f"{measure.name} is no share, so its limit cannot be a percentage"
        elif not low <= limit <= high:
            text = f"the limit is out of range; expected {range_words(low, high)}; found {limit:g}"
            if high == 1 and 1 < limit <= 100 and not isinstance(given[name], str):
                text += f"; for {limit:g} % write {limit / 100:g}"
            yield name, text


def _margin_faults(measure: Measure, margin: float | Tolerance | None) -> Iterator[tuple[str, str]]:
    if margin is None:
        return
    if "tolerance" in measure.takes:
        if not isinstance(margin, Tolerance):
            text = f"the margin of {measure.name} needs its unit, px or %"
            yield "margin", f"{text}; expected '{margin:g} px' or '{margin:g} %'; found {margin:g}"
    elif isinstance(margin, Tolerance):
        if margin.px:
            text = f"the margin of {measure.name} is no length"
            yield "margin", f"{text}; expected a number such as 0.02 or '2 %'; found '{margin}'"
        elif margin.rel > measure.limit_range[1]:
            yield "margin", f"the margin is out of range; found '{margin}'"
    elif margin > measure.limit_range[1]:
        words = range_words(0, measure.limit_range[1])
        yield "margin", f"the margin is out of range; expected {words}; found {margin:g}"
