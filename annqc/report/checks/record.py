"""report: a check as a record of plain values, which travels between processes and into files.

Everything that tells of a check to a person or a pipeline is made from its record, never from the
check itself: a record may come from another process, or from the cache of an earlier run.
"""

from __future__ import annotations

import math
import os
import shlex
import textwrap
from typing import TYPE_CHECKING, Any, Final

from annqc.report.checks.places import PROFILE
from annqc.report.plain import clean_lines, clean_text, encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from annqc.judge.model import Spec
    from annqc.judge.verdicts import Check

__all__ = [
    "Record",
    "failure_text",
    "limit_words",
    "make_record",
    "numbers_of",
    "origin_of",
    "properties",
    "reproduce",
    "stops",
    "value_name",
    "worst_of",
]

Record = dict[str, Any]

MOST_ROWS: Final = 50
"""Groups that a record keeps, the worst first; ``n_rows`` says how many there are."""
MOST_FAILING: Final = 300
"""Groups that a record keeps where so many fail: who is at fault must not be left out."""
MOST_SHOWN: Final = 25
"""Groups that a failure lists; where none fails, so many of the undecided."""
WIDTH: Final = 80
VALUES: Final = ("estimate", "change", "count")
"""What a row may be about; the first of these that it has is what is judged."""
NUMBERS: Final = (
    *VALUES,
    "ci_low",
    "ci_high",
    *(f"{name}_{unit}" for unit in ("px", "rel") for name in ("estimate", "ci_low", "ci_high")),
    "old",
    "new",
    "n_clusters",
    "n_more",
    "p_adjusted",
)
"""Numbers of a row that tools are told, under their own names."""


def make_record(check: Check, *, spec: Spec, dataset: str = "") -> Record:
    """Turn a check into plain values, ready for JSON and for another process.

    Parameters
    ----------
    check : Check
        One of a judgement.
    spec : Spec
        The spec that holds its rule.
    dataset : str
        Name of the dataset; empty for the only one of a spec.

    Returns
    -------
    dict
        As the class `annqc.report.checks.schema.CheckRecord` describes it. NaN is None.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate({"ann": [], "ben": annqc.Habit.loose("right", px=6)}, rng=3)
    >>> rule = {"id": "no-edge-bias", "measure": "edge_offset"}
    >>> judged = annqc.audit(made.work, made.gold).judge({"annqc": {"version": 1}, "rule": [rule]})
    >>> record = make_record(judged.checks[0], spec=judged.spec)
    >>> record["outcome"], record["counts"]["fail"], record["rows"][0]["group"]
    ('fail', 1, {'annotator': 'ben'})
    """
    from annqc.judge.registry import find_measure  # a record from the cache needs no judge

    rule = check.rule
    rows = check.rows
    plain = _plain(
        {
            "spec": spec.path,
            "dataset": dataset,
            "id": check.id,
            "order": next((k for k, one in enumerate(spec.rules) if one.id == check.id), 0),
            "line": spec.lines.get(check.id),
            "origin": origin_of(spec, check.id),
            "measure": check.measure,
            "summary": find_measure(check.measure).summary,
            "outcome": check.outcome,
            "counted_as": None,
            "sentence": check.sentence,
            "explanation": check.explain(),
            "why": rule.why,
            "by": list(rule.columns),
            "where": {name: list(values) for name, values in rule.where.items()},
            "tolerance": check.tolerance,
            "confidence": check.confidence,
            "at_least": rule.at_least,
            "at_most": rule.at_most,
            "no_worse_than": rule.no_worse_than,
            "margin": rule.margin,
            "sequential": rule.sequential,
            "preprocess": rule.preprocess,
            "counts": check.counts,
            "rows": rows[: max(MOST_ROWS, min(check.counts["fail"], MOST_FAILING))],
            "n_rows": len(rows),
            "evidence": list(check.evidence),
            "reproduce": reproduce(spec.path, check.id, dataset),
        }
    )
    assert isinstance(plain, dict)
    return plain


def reproduce(spec_path: str | os.PathLike[str] | None, rule: str, dataset: str = "") -> list[str]:
    """Return command lines that make one check again, quoted for a shell.

    Parameters
    ----------
    spec_path : path or None
        File of the spec; without one there is nothing to run.
    rule : str
        Id of the rule.
    dataset : str
        Name of the dataset; empty for the only one of a spec.

    Examples
    --------
    >>> for line in reproduce("my specs/boxes.annqc.toml", "no-edge-bias", "north"):
    ...     print(line)
    pytest 'my specs/boxes.annqc.toml::north::no-edge-bias'
    annqc audit --spec 'my specs/boxes.annqc.toml' --rule no-edge-bias --dataset north
    """
    if spec_path is None:
        return []
    path = _seen_from_here(os.fspath(spec_path))
    node = "::".join([path, *([dataset] if dataset else []), rule])
    command = ["annqc", "audit", "--spec", path, "--rule", rule]
    if dataset:
        command += ["--dataset", dataset]
    return [f"pytest {shlex.quote(node)}", shlex.join(command)]


def origin_of(spec: Spec, rule: str) -> str | None:
    """Say where an inherited rule comes from: a file, or a profile that comes with annqc.

    Returns
    -------
    str or None
        None for a rule of the spec itself.

    Examples
    --------
    >>> from annqc.judge import load_spec
    >>> spec = load_spec({"annqc": {"version": 1, "extends": "boxes"}})
    >>> origin_of(spec, "recall")
    'profile boxes'
    """
    from annqc.judge.inherit import profiles

    origin = spec.origins.get(rule)
    named = {str(path): name for name, path in profiles().items()}
    return origin if origin not in named else PROFILE + named[origin]


def worst_of(record: Record) -> dict[str, Any]:
    """Return the row that decides: of all groups the worst; empty where there is none."""
    rows: list[dict[str, Any]] = record["rows"]
    return rows[0] if rows else {}


def numbers_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a row that are worth telling, as far as they are defined."""
    return {name: row[name] for name in NUMBERS if row.get(name) is not None}


def value_name(row: Mapping[str, Any]) -> str | None:
    """Name the number that is judged: an estimate, a change since a baseline, or a count."""
    return next((name for name in VALUES if row.get(name) is not None), None)


def limit_words(record: Record) -> str:
    """Say what a rule sets as its limit, such as ``at least 0.95``; empty where it sets none.

    Examples
    --------
    >>> limit_words({"at_least": 0.95, "at_most": None, "no_worse_than": None, "margin": None})
    'at least 0.95'
    """
    for name in ("at_least", "at_most"):
        if record[name] is not None:
            return f"{name.replace('_', ' ')} {record[name]:g}"
    if record["no_worse_than"] is None:
        return ""
    margin = record["margin"]
    by = "" if margin is None else f" by more than {_number(margin)}"
    return f"no worse than {record['no_worse_than']}{by}"


def properties(record: Record) -> list[tuple[str, str]]:
    """Return what a JUnit report tells of a check, as names and values of ``<property>``.

    Parameters
    ----------
    record : dict
        From `make_record`.

    Returns
    -------
    list of (str, str)
        Every name starts with ``annqc.``; what is undefined or does not apply is left out. The
        estimate of an offset is in tolerances, and in pixels and shares of the side under names
        that end in ``_px`` and ``_rel``.
    """
    worst = worst_of(record)
    group = worst.get("group", {})
    given: dict[str, Any] = {
        "rule": record["id"],
        "measure": record["measure"],
        "outcome": record["outcome"],
        "dataset": record["dataset"] or None,
        **numbers_of(worst),
        "annotator": group.get("annotator"),
        "group": ", ".join(f"{k}={v}" for k, v in group.items() if k != "annotator") or None,
        "quantity": worst.get("quantity"),
        "limit": limit_words(record) or None,
        "tolerance": record["tolerance"],
        "confidence": record["confidence"],
        **{f"n_{name}": count for name, count in record["counts"].items()},
        "worst_annotations": ",".join(_ids(record)) or None,
    }
    return [
        (f"annqc.{name}", clean_text(_number(value)))
        for name, value in given.items()
        if value is not None
    ]


def stops(record: Record) -> bool:
    """Whether a check stands in the way of a pass.

    What a test run made of it counts where one made the check: there, what is undecided may be a
    failure, and a failure may be one that was expected.
    """
    counted = record.get("counted_as")
    return record["outcome"] in {"fail", "error"} if counted is None else counted == "failed"


def failure_text(record: Record) -> str:
    """Say all that a person needs to know of a check that does not pass.

    Parameters
    ----------
    record : dict
        From `make_record`.

    Returns
    -------
    str
        The first line is the sentence: who, which edge, how far. Then all groups that fail, as far
        as there is room, or those that are undecided where none fails; the annotations that weigh
        most, the reason for the rule, and how to make the check again.
    """
    lines = [clean_lines(record["sentence"])]
    lines += _listed(record)
    if record["evidence"]:
        lines += ["", "worst annotations:"]
        lines += [_item(one["text"]) for one in record["evidence"]]
    if record["why"]:
        lines += ["", *_wrapped(f"why: {clean_text(record['why'])}")]
    if record["reproduce"]:
        # Never wrapped: these lines are copied into a shell.
        lines += ["", "to reproduce:", *(f"  {clean_text(one)}" for one in record["reproduce"])]
    return "\n".join(lines)


def _listed(record: Record) -> list[str]:
    """List the groups of the worst outcome and count the others; one alone is the sentence."""
    counts = record["counts"]
    outcome = "fail" if counts["fail"] else "undecided"
    if counts[outcome] < 2:
        return []
    texts = [row["text"] for row in record["rows"] if row["outcome"] == outcome][:MOST_SHOWN]
    lines = ["", "what does not pass:", *(_item(f"{outcome}: {text}") for text in texts)]
    left = counts[outcome] - len(texts)
    if left > 0:
        lines.append(f"  and {left:,} more that {'fail' if counts['fail'] else 'are undecided'}")
    if outcome == "fail" and counts["undecided"]:
        said = "is" if counts["undecided"] == 1 else "are"
        lines.append(f"  besides, {counts['undecided']:,} {said} undecided")
    return lines


def _item(text: str) -> str:
    return "\n".join(_wrapped(clean_text(text), first="  ", rest="    "))


def _wrapped(text: str, *, first: str = "", rest: str = "  ") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _ids(record: Record) -> list[str]:
    """List the ids of the worst annotations; of what was missed, those of the gold."""
    pairs = ((one.get("annotation_id"), one.get("reference_id")) for one in record["evidence"])
    return [clean_text(a if a is not None else b) for a, b in pairs if (a, b) != (None, None)]


def _number(value: Any) -> str:
    """Write a value in few digits; anything but a number as it stands."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _seen_from_here(path: str) -> str:
    """Shorten a path that lies in the current folder, as one would type it."""
    try:
        seen = os.path.relpath(path)
    except (OSError, ValueError):  # another drive, or the folder is gone
        return path
    return path if seen.startswith(os.pardir) else seen


def _plain(value: Any) -> Any:
    """Turn a value into what JSON knows: lists, text keys, None for NaN and infinity."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "tolist"):  # a numpy scalar, without importing numpy to know
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, int | float | bool):
        return value
    return encodable(str(value))
