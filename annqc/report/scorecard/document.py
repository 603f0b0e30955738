"""report: a scorecard as plain values: all pages, and what holds for all of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import annqc
from annqc.judge.wording import number_of
from annqc.report.json import input_rows
from annqc.report.scorecard.alike import broken_alike
from annqc.report.scorecard.card import Common, make_card
from annqc.report.scorecard.verdict import WORDS, rules_left
from annqc.report.standing import edges_text
from annqc.run.scorecard.caution import LEAST_BOXES
from annqc.run.scorecard.ranks import rank_units, shared_images
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.judge.model import Spec
    from annqc.run.scorecard.checks import Held
    from annqc.run.scorecard.units import Cut, Unit

__all__ = ["FORMAT", "VERSION", "make_document"]

FORMAT: Final = "annqc-scorecard"
VERSION: Final = 1
"""Raised when a field changes its meaning or goes; new fields do not raise it."""
OFF: Final = ("biased", "collective")


def make_document(found: Cut, held: list[Held | None], spec: Spec | None) -> dict[str, Any]:
    """Lay a scorecard out.

    Parameters
    ----------
    found : Cut
        The delivery in pieces.
    held : list of Held or None
        The spec applied to each of them; all None without one.
    spec : Spec or None
        The rules.

    Returns
    -------
    dict
        Plain values; ``docs/howto/scorecard.md`` describes them.
    """
    common = Common.of(found, spec)
    cards = [make_card(found, k, one, common=common) for k, one in enumerate(held)]
    for card, rank in zip(cards, rank_units(found), strict=True):
        if rank is not None:
            card["rank_low"], card["rank_high"] = rank
    for card, unit in zip(cards, found.units, strict=True):
        card["minds"] = _of_the_others(card, unit, cards)
    used, several = found.run.parameters, len(cards) > 1
    applied = next((one for one in held if one is not None), None)
    left = [] if applied is None else rules_left(applied)
    return {
        "format": FORMAT,
        "version": VERSION,
        "annqc_version": annqc.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": input_rows(reference=found.run.reference, candidate=found.run.candidate),
        "spec": None if spec is None else _spec_name(spec),
        "rules": [] if spec is None else _rules(cards),
        "rules_not_applied": left,
        "parameters": {
            "tolerance": str(used.tolerance),
            "confidence": used.confidence,
            "method": used.policy.method,
            "iou": used.policy.counting_iou,
        },
        "told_by": found.told_by,
        "noun": list(found.noun),
        "n_annotators": len(common.people.told),
        "family": _family(found, used.confidence, rules=spec is not None),
        "fairness": _fairness(found) if several else "",
        "collective": common.people.collective,
        "notes": found.notes,
        "alike": broken_alike(cards, list(found.noun)),
        "changes": [change for _, change in common.changed.found],
        "counts": {name: sum(one["verdict"] == name for one in cards) for name in WORDS},
        "pages": cards,
    }


def _spec_name(spec: Spec) -> str:
    return "rules given in code" if spec.path is None else os.path.basename(spec.path)  # noqa: PTH119


def _rules(cards: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the rules that were applied, with their limits."""
    checks: list[dict[str, Any]] = next((card["checks"] for card in cards if card["checks"]), [])
    return [{"id": one["id"], "asked": one["asked"]} for one in checks]


def _family(found: Cut, confidence: float, *, rules: bool) -> str:
    """Say how many tests the verdicts are corrected for."""
    level = f"Intervals hold at {100 * confidence:g} %"
    several = len(found.units) > 1
    everybody = "Whether an annotator is biased is decided of everybody in the delivery together"
    if not rules:
        return f"{level}, each by itself. {everybody}."
    inside = (
        f"{level} unless a rule says otherwise. A rule is corrected for the annotators, edges and "
        "groups that it looks at"
    )
    floor = f"Nobody is refused or called biased on fewer than {LEAST_BOXES} boxes or objects."
    if not several:
        return f"{inside}. {everybody}. {floor}"
    one, many = found.noun
    return (
        f"{inside}, and its refusals for all {number_of(len(found.units), one, many)} (Benjamini "
        f"and Hochberg: of the {many} that a rule refuses, on average at most one minus its "
        "confidence by chance; counts are facts, and not corrected). An acceptance is "
        f"each {one}'s own. {everybody}, and whether an edge of a {one} is over all {many}. {floor}"
    )


def _fairness(found: Cut) -> str:
    shared, compared, alike = shared_images(found)
    one, many = found.noun
    if not compared:
        return ""
    if alike:
        return f"All {many} rest on the same gold images."
    return (
        f"{shared:,} of {number_of(compared, 'gold image')} were compared for more than one {one}. "
        f"The scores are not adjusted for who had the harder images, so {many} on different images "
        "are no race."
    )


def _of_the_others(card: dict[str, Any], unit: Unit, cards: list[dict[str, Any]]) -> list[str]:
    """Say of what everybody on a page does whether it is so on the other pages."""
    if not card["annotators"]["collective"] or unit.run is None:
        return []
    found = unit.run.annotator_findings().collective
    if found is None:
        return []
    others = [one for one in cards if one is not card and one["edges"]]
    one, many = ("other batch", "other batches")
    if card["vendor"] is not None:  # the other batches of a vendor are no other people
        others = [one for one in others if one["vendor"] != card["vendor"]]
        whole = card["batch"] is None
        one = "other vendor" if whole else "batch of another vendor"
        many = "other vendors" if whole else "batches of other vendors"
    among = number_of(len(others), one, many)
    n = number_of(unit.n_annotators, "annotator")
    said = [f"Everybody, here, is the {n} of {card['name']}."] if len(cards) > 1 else []
    for k in range(len(EDGES)):
        if not found.biased[0, k] or not others:
            continue
        sign = found.estimate[0, k] > 0
        alike = sum(_is_off(one["edges"][k], positive=bool(sign)) for one in others)
        found_on = f"The {edges_text((k,))} is off the same way for {alike or 'none'} of {among}"
        if not alike:
            said.append(f"{found_on}, which speaks against the gold as the reason.")
        elif 2 * alike >= len(others):
            said.append(f"{found_on}: the gold or the guideline may be off.")
        else:
            said.append(f"{found_on}.")
    return said


def _is_off(edge: dict[str, Any], *, positive: bool) -> bool:
    return edge["verdict"] in OFF and (edge["estimate"] or 0.0) * (1 if positive else -1) > 0
