"""report: the acceptance of one page in words, its checks, and what would settle the open ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.judge.wording import group_words, number_of
from annqc.report.checks.record import limit_words, make_record, value_name
from annqc.report.html.texts import NONE, number
from annqc.report.plain import clean_lines, clean_text
from annqc.report.scorecard.more import EVIDENCE, NO_MORE, more_of, more_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from annqc.judge.verdicts import Check
    from annqc.report.checks.record import Record
    from annqc.run.scorecard.checks import Held
    from annqc.run.scorecard.units import Cut, Unit

__all__ = [
    "DIGITS",
    "WORDS",
    "check_rows",
    "rules_left",
    "share_words",
    "value_words",
    "verdict_of",
    "worst_words",
]

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
NOTHING_MORE: Final = {"n_more": None, "n_open": 0, "more": ""}
FEW_TOLD: Final = 2
"""So many rules are told of in a phrase."""
DIGITS: Final = {"px": 1, "tolerances": 1, "count": 0, "": 3, "change": 3}
EVERYTHING: Final = group_words({})[0]
"""What a check calls the whole of what it looked at."""
FEW_MEASURED: Final = "too few of the objects were measured to be sure"


def check_rows(held: Held, thing: str, found: Cut, name: str) -> list[dict[str, Any]]:
    """Lay the checks of one page out.

    Parameters
    ----------
    held : Held
        From `annqc.run.scorecard.checks.judge_units`.
    thing : str
        What evidence is counted in, such as ``"image"``.
    found : Cut
        The delivery.
    name : str
        What the page is called.

    Returns
    -------
    list of dict
        ``id, measure, asked, limit, tolerance, outcome, by_chance, is_short, sentence, caveat,
        notes``; ``group, quantity, estimate, ci_low, ci_high, unit, n_clusters`` of the group that
        decides, ``estimate_rel`` of offsets; ``n_groups``, and how many of them ``n_pass, n_fail``
        and ``n_undecided``; what `annqc.report.scorecard.more.more_of` returns, and ``more``, the
        same in words.
    """
    spec = held.judgement.spec
    whose = EVERYTHING if found.whole else f"{name} as a whole"
    rows = []
    for check in held.judgement.checks:
        record = make_record(check, spec=spec)
        worst = record["rows"][0] if record["rows"] else {}
        unit, numbers = _numbers(worst)
        by_chance = check.id in held.chance
        needed = more_of(record, check.rows, by_chance=by_chance, n_tests=len(found.units))
        rows.append(
            {
                "id": record["id"],
                "measure": record["measure"],
                "asked": _asked(record),
                "limit": limit_words(record),
                "tolerance": record["tolerance"],
                "outcome": record["outcome"],
                "by_chance": by_chance,
                "is_short": _is_short(record),
                "sentence": clean_lines(record["sentence"].replace(EVERYTHING, whose)),
                "caveat": _caveat(check),
                "notes": [] if check.assessment is None else list(check.assessment.notes),
                "group": worst.get("group", {}),
                "quantity": worst.get("quantity"),
                **dict(zip(("estimate", "ci_low", "ci_high"), numbers, strict=True)),
                "estimate_rel": worst.get("estimate_rel"),
                "unit": unit,
                "n_clusters": worst.get("n_clusters"),
                "n_groups": record["n_rows"],
                **{f"n_{name}": record["counts"][name] for name in ("pass", "fail", "undecided")},
                **needed,
                "more": more_words(needed, thing),
            }
        )
    return rows


def verdict_of(
    unit: Unit, held: Held | None, checks: list[dict[str, Any]], thing: str, found: Cut
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
    found : Cut
        The delivery.

    Returns
    -------
    dict
        ``verdict``, one of `WORDS`; ``sentence``, and ``why``, a phrase for a table; ``n_more``,
        the further images that would settle the page, for the group that needs most, None where no
        number would or it is not known; ``n_open``, how many groups need some; ``more``, both in
        words.

    Notes
    -----
    A rule that asks for enough evidence says nothing of the work: where it alone fails, the page is
    undecided.
    """
    if unit.run is None and held is None:
        said = f"Nothing was checked: {unit.trouble}."
        why = unit.trouble
        return {"verdict": "not_checked", "sentence": said, "why": why, **NOTHING_MORE}
    if held is None:
        said = "Nothing was accepted or refused, for no rule was given; the findings stand below."
        return {"verdict": "no_rule", "sentence": said, "why": "", **NOTHING_MORE}
    verdict = OF_OUTCOME[held.judgement.outcome]
    if verdict == "refused" and all(one["is_short"] for one in checks if one["outcome"] == "fail"):
        verdict = "undecided"
    left = rules_left(held)
    numbers = _page_more(checks) if verdict == "undecided" else NOTHING_MORE
    said = _sentence(verdict, checks, left, thing, found)
    why = _phrase(verdict, checks, left, found)
    more = more_words(numbers, thing) if numbers["n_more"] is not None else ""
    told = {"n_more": numbers["n_more"], "n_open": numbers["n_open"], "more": more}
    return {"verdict": verdict, "sentence": said, "why": why, **told}


def rules_left(held: Held) -> list[str]:
    """Name the rules of the spec that were not applied, because others were asked for."""
    applied = {one.id for one in held.judgement.checks}
    return [one.id for one in held.judgement.spec.rules if one.id not in applied]


def value_words(one: Mapping[str, Any]) -> str:
    """Say the number that decides a check: ``"0.887"``, ``"bravo-1 right +3.2 px"``."""
    digits, unit = DIGITS[one["unit"]], one["unit"]
    signed = unit in {"px", "tolerances", "change"} and one["quantity"] is not None
    value = number(one["estimate"], digits, sign=signed)
    if value == NONE:
        return worst_words(one)
    value += f" {unit}" if unit in {"px", "tolerances"} else ""
    value += share_words(one)
    return " ".join(part for part in (worst_words(one), value) if part)


def share_words(one: Mapping[str, Any]) -> str:
    """Say beside pixels what share of the side they are: `told_in` may choose either unit."""
    if one["unit"] != "px" or one["estimate_rel"] is None:
        return ""
    return f" ({number(100 * one['estimate_rel'], 0, sign=True)} %)"


def worst_words(one: Mapping[str, Any]) -> str:
    """Name the group and the quantity that decide a check; "" where everything does."""
    group = ", ".join(str(value) for value in one["group"].values())
    quantity = (one["quantity"] or "").removeprefix("out_").replace("_", " ")
    return clean_text(" ".join(f"{group} {quantity}".split()), width=40)


def _page_more(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the further images that settle a page: none where a rule of it would stay open."""
    open_ = _open(checks)
    if not open_ or any(one["n_stuck"] or one["n_more"] is None for one in open_):
        return NO_MORE
    most = max(open_, key=lambda one: one["n_more"])
    wide = max(open_, key=lambda one: one["n_open"])
    return {
        **wide,
        "n_more": most["n_more"],
        "n_half": wide["n_half"] if most is wide else most["n_more"],
        "is_least": any(one["is_least"] or one["n_few"] for one in open_),
    }


def _open(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in checks if one["outcome"] == "undecided" or one["is_short"]]


def _caveat(check: Check) -> str:
    """Say of a pass that it rests on a part of the objects."""
    found = check.assessment
    if check.outcome != "pass" or found is None or found.doubtful is None:
        return ""
    n = int(found.doubtful.sum())
    if not n:
        return ""
    return FEW_MEASURED if len(found.doubtful) == 1 else f"of {n:,} of them {FEW_MEASURED}"


def _is_short(check: Mapping[str, Any]) -> bool:
    """Whether a check fails for want of evidence."""
    return bool(check["measure"] == EVIDENCE and check["outcome"] == "fail")


def _sentence(
    verdict: str, checks: list[dict[str, Any]], left: list[str], thing: str, found: Cut
) -> str:
    ids: dict[str, list[str]] = {}
    for one in checks:
        ids.setdefault("short" if one["is_short"] else one["outcome"], []).append(one["id"])
    rest = f" Not applied: {_listed(left)}." if left else ""
    if verdict == "accepted":
        doubtful = [one["id"] for one in checks if one["caveat"]]
        but = f"; of {_listed(doubtful)}, {FEW_MEASURED}" if doubtful else ""
        few = {1: "the rule is", 2: "both rules are"}
        rules = few.get(len(checks), f"all {len(checks)} rules are")
        if left:
            verb = "is" if len(checks) == 1 else "are"
            rules = f"on the rules applied: {_listed(ids['pass'])} {verb}"
            return f"Accepted {rules} shown to be kept{but}.{rest}"
        return f"Accepted: {rules} shown to be kept{but}."
    if verdict == "refused":
        refused = f"Refused: the work is shown not to keep {_listed(ids['fail'])}."
        return f"{refused}{_besides(ids)}{rest}"
    if verdict == "error":
        return f"Not judged: {_listed(ids['error'])} could not be made.{rest}"
    if verdict == "not_checked":
        return f"Nothing was checked: none of the rules applies here.{rest}"
    open_, short = ids.get("undecided", []), ids.get("short", [])
    if not open_ and not short:
        asked = _listed(ids["not_applicable"])
        return f"Undecided: {asked} could not be asked; the others pass.{rest}"
    parts = []
    if open_:
        verb = "is" if len(open_) == 1 else "are"
        parts.append(f"{_listed(open_)} {verb} neither kept nor broken")
    if short:
        verb = "asks" if len(short) == 1 else "ask"
        parts.append(f"{_listed(short)} {verb} for more {_plural(thing)} than there are")
    return f"Undecided: {'; '.join([*parts, *_settle(checks, thing, found)])}.{rest}"


def _settle(checks: list[dict[str, Any]], thing: str, found: Cut) -> list[str]:
    """Say what would settle it, and what would not."""
    open_ = _open(checks)
    said = []
    known: dict[str, list[str]] = {}
    for one in open_:
        if one["more"]:
            known.setdefault(one["more"], []).append(one["id"])
    for more, ids in known.items():
        left = any(one["n_stuck"] or one["n_few"] * (not one["is_least"]) for one in open_)
        all_of_it = len(ids) == len(open_) and not left
        if more.startswith("at least"):
            said.append(f"{more} are needed" + ("" if all_of_it else f" for {_listed(ids)}"))
        else:
            said.append(f"{more} would settle {'it' if all_of_it else _listed(ids)}")
    few = [one["id"] for one in open_ if one["n_few"] and not one["is_least"]]
    if few:
        said.append(f"some have too few {_plural(thing)} to tell ({_listed(few)})")
    stuck = [one["id"] for one in open_ if one["n_stuck"]]
    if stuck:
        said.append(f"no reasonable number of {_plural(thing)} would settle {_listed(stuck)}")
    chance = [one["id"] for one in open_ if one["by_chance"]]
    if chance:
        said.append(
            f"among {number_of(len(found.units), *found.noun)} {_listed(chance)} can be chance"
        )
    silent = [one["id"] for one in open_ if not (one["n_stuck"] or one["by_chance"] or one["more"])]
    if silent:
        said.append(f"how many more {_listed(silent)} takes is not known")
    return said


def _phrase(verdict: str, checks: list[dict[str, Any]], left: list[str], found: Cut) -> str:
    """Say in a few words why the verdict is what it is, for a table of many pages."""
    if verdict == "accepted":
        doubtful = [one["id"] for one in checks if one["caveat"]]
        parts = [f"of {_listed(doubtful)} few objects were measured"] if doubtful else []
        return "; ".join([*parts, *([f"{_listed(left)} not applied"] if left else [])])
    if verdict == "refused":
        failed = [one for one in checks if one["outcome"] == "fail" and not one["is_short"]]
        parts = [f"{one['id']}: {_value_and_limit(one)}" for one in failed]
    elif verdict == "error":
        parts = [f"{one['id']} could not be made" for one in checks if one["outcome"] == "error"]
    elif verdict == "undecided":
        parts = [f"{one['id']}: {_open_words(one, found)}" for one in _open(checks)]
        na = [one["id"] for one in checks if one["outcome"] == "not_applicable"]
        parts += [f"{one} could not be asked" for one in na] if not parts else []
    else:
        parts = ["no rule applies"]
    rest = len(parts) - FEW_TOLD
    return "; ".join(parts[:FEW_TOLD]) + (
        f"; and {number_of(rest, 'more rule')}" if rest > 0 else ""
    )


def _value_and_limit(one: Mapping[str, Any]) -> str:
    limit = f", asked {one['limit']}" if one["limit"] else ""
    rest = f" and {one['n_fail'] - 1:,} more" if one["n_fail"] > 1 else ""
    return f"{value_words(one)}{rest}{limit}"


def _open_words(one: Mapping[str, Any], found: Cut) -> str:
    if one["by_chance"]:
        return f"among {number_of(len(found.units), *found.noun)} this can be chance"
    if one["n_stuck"]:
        return "no reasonable number of images would settle it"
    if one["unit"] == "change" and one["estimate"] is not None:
        return f"not shown to be worse; {_hidden(one)} may hide"
    return str(one["more"]) or "neither kept nor broken"


def _hidden(one: Mapping[str, Any]) -> str:
    """Say how much worse it may be than it was; offsets grow as they get worse, rates fall."""
    if one["quantity"] is None:
        return f"a loss of up to {number(max(-one['ci_low'], 0.0), 3)}"
    return f"up to {number(max(one['ci_high'], 0.0), 2)} tolerances worse"


def _plural(thing: str) -> str:
    return number_of(2, thing).removeprefix("2 ")


def _besides(ids: dict[str, list[str]]) -> str:
    open_ = ids.get("undecided", [])
    return f" Undecided besides: {_listed(open_)}." if open_ else ""


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _asked(record: Record) -> str:
    name = record["measure"].replace("_", " ").replace("iou", "IoU")
    parts = [name, limit_words(record)]
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
