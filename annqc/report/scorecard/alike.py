"""report: rules that break on all pages, or on most: the limit or the gold may be the reason."""

from __future__ import annotations

from typing import Any, Final

from annqc.judge.wording import number_of

__all__ = ["broken_alike"]

LEAST: Final = 3
"""Of so many pages most can be more than chance makes of two."""
REASON: Final = "the limit or the gold may be the reason"


def broken_alike(cards: list[dict[str, Any]], noun: list[str]) -> list[str]:
    """Say which rules break on all pages, or on most of at least three.

    Parameters
    ----------
    cards : list of dict
        The pages.
    noun : list of str
        What a page is of, one and several.

    Returns
    -------
    list of str
        Sentences without full stops, in the order of the rules. Where a rule looks at groups, and
        few of them break it, that is said in place of a reason.

    Examples
    --------
    >>> check = {"id": "r", "outcome": "fail", "is_short": False, "n_groups": 1, "n_fail": 1,
    ...          "group": {}}
    >>> broken_alike([{"checks": [check]}] * 3, ["vendor", "vendors"])
    ['r breaks for every vendor: the limit or the gold may be the reason']
    """
    said = []
    of_rule: dict[str, list[dict[str, Any]]] = {}
    for check in (one for card in cards for one in card["checks"]):
        of_rule.setdefault(check["id"], []).append(check)
    for id, checks in of_rule.items():
        tested = [one for one in checks if one["outcome"] in {"pass", "fail", "undecided"}]
        broken = [one for one in tested if one["outcome"] == "fail" and not one["is_short"]]
        every = 1 < len(broken) == len(cards)
        if not every and not (len(tested) >= LEAST and 2 * len(broken) > len(tested)):
            continue
        whom = f"every {noun[0]}" if every else f"{len(broken):,} of {len(tested):,} {noun[1]}"
        n_groups = sum(one["n_groups"] for one in tested)
        n_fail = sum(one["n_fail"] for one in broken)
        if 2 * n_fail < n_groups:
            people = number_of(n_groups, "annotator" if _by_annotator(checks) else "group")
            said.append(f"{id} breaks for {whom}, though only for {n_fail:,} of {people}")
        else:
            said.append(f"{id} breaks for {whom}: {REASON}")
    return said


def _by_annotator(checks: list[dict[str, Any]]) -> bool:
    return {tuple(one["group"]) for one in checks} == {("annotator",)}
