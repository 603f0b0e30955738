"""report: the acceptance of one page in words, its checks, and what would settle the open ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import group_words, number_of
from annqc.report.checks.record import limit_words, make_record, value_name
from annqc.report.plain import clean_lines
from annqc.run.scorecardneeds import images_for_mean, images_for_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.report.checks.record import Record
    from annqc.run.scorecardchecks import Held
    from annqc.run.scorecardunits import Unit

__all__ = ["WORDS", "check_rows", "verdict_of"]

WORDS: Final = {
    "accepted": "accepted",
    "refused": "refused",
    "undecided": "undecided",
    "not_checked": "nothing was checked",
    "error": "not judged",
    "no_rule": "no rule given",
}
"""Every verdict of a page, and what stands on it."""
OF_OUTCOME: Final = {
    "pass": "accepted",
    "fail": "refused",
    "undecided": "undecided",
    "not_applicable": "not_checked",
    "error": "error",
}
NO_MORE: Final = {"n_more": None, "n_open": 0, "more": ""}
SHARES: Final = ("recall", "precision", "label_accuracy", "error_rate")
MEANS: Final = ("mean_iou",)
EVIDENCE: Final = "clusters"
"""Measures of which it can be told how many images settle them; the last asks for nothing else."""


def check_rows(held: Held, thing: str) -> list[dict[str, Any]]:
    """Lay the checks of one page out.

    Parameters
    ----------
    held : Held
        From `annqc.run.scorecardchecks.judge_units`.
    thing : str
        What evidence is counted in, such as ``"image"``.

    Returns
    -------
    list of dict
        ``id, measure, asked, outcome, by_chance, is_short, sentence``; ``group, quantity, estimate,
        ci_low, ci_high, unit, n_clusters`` of the group that decides; ``n_groups``, and how many of
        them ``n_pass, n_fail`` and ``n_undecided``; ``n_more``, the further images that would
        settle the group that needs most, None where none are needed or no number is known, of
        ``n_open`` groups; ``n_stuck``, those that none would settle; ``is_least``, whether it takes
        at least so many, and nobody knows how many more; ``more``, these in words.
    """
    spec = held.judgement.spec
    rows = []
    for check in held.judgement.checks:
        record = make_record(check, spec=spec)
        worst = record["rows"][0] if record["rows"] else {}
        unit, numbers = _numbers(worst)
        by_chance = check.id in held.chance
        rows.append(
            {
                "id": record["id"],
                "measure": record["measure"],
                "asked": _asked(record),
                "outcome": record["outcome"],
                "by_chance": by_chance,
                "is_short": _is_short(record),
                "sentence": clean_lines(record["sentence"]),
                "group": worst.get("group", {}),
                "quantity": worst.get("quantity"),
                **dict(zip(("estimate", "ci_low", "ci_high"), numbers, strict=True)),
                "unit": unit,
                "n_clusters": worst.get("n_clusters"),
                "n_groups": record["n_rows"],
                **{f"n_{name}": record["counts"][name] for name in ("pass", "fail", "undecided")},
                **_more(record, check.rows, by_chance=by_chance),
            }
        )
        rows[-1]["more"] = more_words(rows[-1], thing)
    return rows


def verdict_of(
    unit: Unit, held: Held | None, checks: list[dict[str, Any]], thing: str
) -> dict[str, Any]:
    """Say whether the work of one page is accepted.

    Parameters
    ----------
    unit : Unit
        The work.
    held : Held or None
        The spec applied to it; None where there is no spec, or nothing to compare.
    checks : list of dict
        From `check_rows`.
    thing : str
        What evidence is counted in.

    Returns
    -------
    dict
        ``verdict``, one of `WORDS`; ``sentence``; ``n_more``, the further images that would settle
        the group that needs most, and ``n_open``, how many groups need some; ``more``, both in
        words.

    Notes
    -----
    A rule that asks for enough evidence says nothing of the work: where it alone fails, the page is
    undecided.
    """
    if unit.run is None:
        said = f"Nothing was checked: {unit.trouble}."
        return {"verdict": "not_checked", "sentence": said, **NO_MORE}
    if held is None:
        said = "Nothing was accepted or refused, for no rule was given; the findings stand below."
        return {"verdict": "no_rule", "sentence": said, **NO_MORE}
    verdict = OF_OUTCOME[held.judgement.outcome]
    if verdict == "refused" and all(one["is_short"] for one in checks if one["outcome"] == "fail"):
        verdict = "undecided"
    needed = [one["n_more"] for one in checks if one["n_more"] is not None]
    n_more = max(needed, default=None) if verdict == "undecided" else None
    n_open = max((one["n_open"] for one in checks), default=0) if verdict == "undecided" else 0
    is_least = any(one["is_least"] for one in checks)
    numbers = {"n_more": n_more, "n_open": n_open}
    more = more_words({**numbers, "is_least": is_least}, thing)
    said = _sentence(verdict, checks, more, thing)
    return {"verdict": verdict, "sentence": said, **numbers, "more": more}


def more_words(needed: Mapping[str, Any], thing: str) -> str:
    """Say how much more it takes: ``n_more`` each, for ``n_open`` groups; "" for none.

    Parameters
    ----------
    needed : mapping
        ``n_more, n_open`` and ``is_least``.
    thing : str
        What evidence is counted in.

    Examples
    --------
    >>> more_words({"n_more": 7, "n_open": 3, "is_least": False}, "image")
    'up to 7 more images each for 3 groups'
    """
    n_more, n_open = needed["n_more"], needed["n_open"]
    if n_more is None:
        return ""
    each = f" each for {n_open:,} groups" if n_open > 1 else ""
    about = "at least" if needed["is_least"] else "up to" if n_open > 1 else "about"
    return f"{about} {number_of(n_more, f'more {thing}')}{each}"


def _is_short(check: Mapping[str, Any]) -> bool:
    """Whether a check fails for want of evidence."""
    return bool(check["measure"] == EVIDENCE and check["outcome"] == "fail")


def _sentence(verdict: str, checks: list[dict[str, Any]], more: str, thing: str) -> str:
    ids: dict[str, list[str]] = {}
    for one in checks:
        ids.setdefault("short" if one["is_short"] else one["outcome"], []).append(one["id"])
    if verdict == "accepted":
        few = {1: "the rule is", 2: "both rules are"}
        rules = few.get(len(checks), f"all {len(checks)} rules are")
        return f"Accepted: {rules} shown to be kept."
    if verdict == "refused":
        return f"Refused: the work is shown not to keep {_listed(ids['fail'])}.{_besides(ids)}"
    if verdict == "error":
        return f"Not judged: {_listed(ids['error'])} could not be made."
    if verdict == "not_checked":
        return "Nothing was checked: none of the rules applies here."
    open_, short = ids.get("undecided", []), ids.get("short", [])
    if not open_ and not short:
        return f"Undecided: {_listed(ids['not_applicable'])} could not be asked; the others pass."
    parts = []
    if open_:
        verb = "is" if len(open_) == 1 else "are"
        parts.append(f"{_listed(open_)} {verb} neither kept nor broken")
    if short:
        verb = "asks" if len(short) == 1 else "ask"
        parts.append(f"{_listed(short)} {verb} for more {_plural(thing)} than there are")
    return f"Undecided: {'; '.join([*parts, *_settle(checks, more, thing)])}."


def _settle(checks: list[dict[str, Any]], more: str, thing: str) -> list[str]:
    """Say what would settle it, and what would not."""
    open_ = [one for one in checks if one["outcome"] == "undecided" or one["is_short"]]
    stuck = [one["id"] for one in open_ if one["n_stuck"]]
    chance = [one["id"] for one in open_ if one["by_chance"]]
    known = [one["id"] for one in open_ if one["n_more"] is not None]
    unknown = [one["id"] for one in open_ if one["id"] not in {*stuck, *chance, *known}]
    said = []
    if more:
        what = "it" if len(known) == len(open_) and not stuck else _listed(known)
        verb = "are needed" if more.startswith("at least") else f"would settle {what}"
        said.append(f"{more} {verb}")
    if stuck:
        said.append(f"no reasonable number of {_plural(thing)} would settle {_listed(stuck)}")
    if chance:
        said.append(f"among so many pages {_listed(chance)} can be chance")
    if unknown:
        said.append(f"how many more {_listed(unknown)} takes is not known")
    return said


def _plural(thing: str) -> str:
    return number_of(2, thing).removeprefix("2 ")


def _besides(ids: dict[str, list[str]]) -> str:
    open_ = ids.get("undecided", [])
    return f" Undecided besides: {_listed(open_)}." if open_ else ""


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _asked(record: Record) -> str:
    parts = [record["measure"].replace("_", " "), limit_words(record)]
    if record["tolerance"]:
        parts.append(f"within {record['tolerance']}")
    by = record["by"]
    said = " ".join(part for part in parts if part)
    return f"{said}, by {' and '.join(by)}" if by else said


def _numbers(row: dict[str, Any]) -> tuple[str, tuple[Any, Any, Any]]:
    """Return the unit, and estimate and interval, of what decides a check: offsets in pixels."""
    name = value_name(row)
    if name is None:
        return "", (None, None, None)
    if name == "estimate" and row.get("estimate_px") is not None:
        return "px", (row["estimate_px"], row.get("ci_low_px"), row.get("ci_high_px"))
    unit = {"count": "count", "change": "change"}.get(name, "")
    if row.get("quantity") is not None and name == "estimate":
        unit = "tolerances"
    return unit, (row[name], row.get("ci_low"), row.get("ci_high"))


def _more(record: Record, rows: Sequence[dict[str, Any]], *, by_chance: bool) -> dict[str, Any]:
    """Say how many more images would settle the undecided groups of a check.

    ``n_open`` are the groups for which a number is known, ``n_stuck`` those that none would settle.
    ``is_least`` says that all of them have too few images to tell more than how many it takes to
    judge them at all.
    """
    if by_chance or not (record["outcome"] == "undecided" or _is_short(record)):
        return {"n_more": None, "n_open": 0, "n_stuck": 0, "is_least": False}
    needed: dict[str, float] = {}
    is_least = True
    for row in rows:
        if row["outcome"] == record["outcome"]:
            who = group_words(row["group"])[0]
            more, least = _needed(record, row)
            needed[who] = max(needed.get(who, 0.0), more)
            is_least &= least
    known = [int(one) for one in needed.values() if 0 < one < math.inf]
    stuck = sum(one == math.inf for one in needed.values())
    n_more = max(known, default=None)
    return {"n_more": n_more, "n_open": len(known), "n_stuck": stuck, "is_least": is_least}


def _needed(record: Record, row: dict[str, Any]) -> tuple[float, bool]:
    """Return how many more images settle a group, and whether it takes at least so many.

    0 where nothing is known, infinity where none would. Of offsets the finding says it.
    """
    seen = row.get("n_clusters") or 0
    at_all = max(float(G_MIN - seen), 0.0)
    if row.get("n_more") is not None:
        return max(float(row["n_more"]), at_all), at_all > 0
    if row.get("status") == "infeasible":
        return math.inf, False
    limit = record["at_least"] if record["at_least"] is not None else record["at_most"]
    if record["measure"] == EVIDENCE:
        return math.ceil(limit - row["count"]), False
    ends = [row.get(name) for name in ("estimate", "ci_low", "ci_high")]
    if limit is None or not seen or None in ends or record["measure"] not in {*SHARES, *MEANS}:
        return at_all, at_all > 0
    estimate, low, high = (float(one) for one in ends if one is not None)
    if record["measure"] in MEANS:
        total = images_for_mean(estimate, low, high, seen, limit)
    else:
        level = record["confidence"]
        total = images_for_share(estimate, low, high, seen, limit, confidence=level)
    return max(total - seen, at_all, 1.0), False
