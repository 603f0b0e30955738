"""What commands that judge share: which spec, which data, and the exit code of it all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from annqc.cli._options import columns_of, image_sizes_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from annqc.api import Audit
    from annqc.judge import Judgement, Spec

__all__ = [
    "Delivery",
    "deliveries_of",
    "own_rules",
    "reading_of",
    "rules_of",
    "spec_of",
    "tell_errors",
    "unasked",
    "undecided_of",
    "worst_code",
]

WORST_FIRST: Final = (2, 1, 3, 0)
"""Exit codes, the one that speaks for several datasets first: what could not be judged, what
failed, what is undecided, what is well."""
UNDECIDED: Final = {"skip": "undecided", "fail": "fail", "pass": "pass"}
"""What a spec makes of undecided checks, in the words of the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Work and the gold that it is compared with.

    Attributes
    ----------
    name : str
        That of the dataset in the spec; empty where there is only one.
    work, gold : str or list of str
        Files, folders or patterns.
    annotator : str or None
        Who drew, as the spec says it.
    baseline : str or None
        A saved run, for rules that compare with it; None for that of the spec, if it has one.
    """

    name: str
    work: str | list[str]
    gold: str | list[str]
    annotator: str | None = None
    baseline: str | None = None


def spec_of(text: str) -> Spec:
    """Read a spec from a file, or the profile of that name.

    Raises
    ------
    SpecError, UnknownNameError
        There is neither, or the spec is wrong.
    """
    from annqc.errors import UnknownNameError
    from annqc.judge import load_spec
    from annqc.judge.inherit import is_path, profiles

    path, known = Path(text), profiles()
    if path.is_file() or is_path(text):
        return load_spec(path)
    if text not in known:
        kind = "file and no profile"
        raise UnknownNameError.among(kind, text, known)
    return load_spec(known[text])


def deliveries_of(
    work: tuple[str, ...], gold: tuple[str, ...], spec: Spec | None, dataset: str | None
) -> list[Delivery]:
    """Take the files of the command line, or else those that the spec names."""
    if dataset is not None:
        if spec is None or work:
            message = "--dataset chooses one of a spec: it goes with --spec, and not with WORK"
            raise click.UsageError(message)
        chosen: Iterable[Any] = [spec.dataset(dataset)]
    else:
        chosen = spec.datasets if spec is not None and not work else []
    found = [
        _delivery(one.name, one.candidate, gold or one.gold, one.annotator, one.baseline)
        for one in chosen
    ]
    if found:
        return found
    annotator = None
    if spec is not None:
        gold, annotator = gold or tuple(spec.gold), spec.annqc.annotator
    return [_delivery("", work, gold, annotator, None)]


def _delivery(
    name: str,
    work: tuple[str, ...],
    gold: tuple[str, ...],
    annotator: str | None,
    baseline: str | None,
) -> Delivery:
    of = f" for the dataset {name!r}" if name else ""
    if not work:
        message = f"WORK is missing{of}: the files that are to be audited"
        raise click.UsageError(message)
    if not gold:
        message = (
            f"--gold is missing{of}: annqc audit compares with gold, and audits against a "
            "consensus of annotators are not there yet"
        )
        raise click.UsageError(message)
    return Delivery(
        name=name,
        work=sources_of(work),
        gold=sources_of(gold),
        annotator=annotator,
        baseline=baseline,
    )


def rules_of(spec: Spec | None, wanted: Sequence[str]) -> list[str] | None:
    """Check the rules that are asked for; None for all of them."""
    from annqc.errors import UnknownNameError

    if not wanted:
        return None
    if spec is None:
        message = "--rule chooses rules of a spec: it goes with --spec"
        raise click.UsageError(message)
    known = [rule.id for rule in spec.rules]
    for id in wanted:
        if id not in known:
            kind = "rule"
            raise UnknownNameError.among(kind, id, known, where=spec.name)
    return list(wanted)


def undecided_of(given: str | None, spec: Spec | None) -> Any:
    """Say what an undecided check counts as: the option, else the spec, else undecided."""
    if given is not None:
        return given
    own = None if spec is None else spec.annqc.undecided
    return "undecided" if own is None else UNDECIDED[own]


def worst_code(codes: Iterable[int]) -> int:
    """Return the exit code that speaks for several datasets.

    Examples
    --------
    >>> worst_code([0, 3, 1]), worst_code([1, 2]), worst_code([0, 3])
    (1, 2, 3)
    """
    return min(codes, key=WORST_FIRST.index, default=0)


def reading_of(given: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
    """Return what the options, and the spec, say about reading files."""
    annotator = given["annotator"]
    return {
        "annotator": delivery.annotator if annotator is None else annotator,
        "box_format": given["box_format"],
        "categories": given["categories"],
        "image_sizes": image_sizes_of(given["image_sizes"]),
        "columns": columns_of(given["columns"]),
    }


def unasked(made: Audit) -> list[str]:
    """Say who is biased on the screen although every rule passes: the rules ask less, or else."""
    if "annotator" not in made.by:
        return []
    found = made.annotator_findings(made.by)
    names = found.groups.keys["annotator"][found.accusation.accused].tolist()
    if not names:
        return []
    listed = ", ".join(map(str, names[:3])) + (", ..." if len(names) > 3 else "")
    by = ",".join(made.by)
    rule = f"by {by} and {made.parameters.tolerance}"
    return [f"{rule} the audit finds {listed} biased, which the rules of the spec let pass"]


def own_rules(spec: Spec, only: Sequence[str] | None) -> list[str]:
    """Say where an option on the command line does not reach: rules that state their own."""
    context = click.get_current_context()
    rules = [rule for rule in spec.rules if only is None or rule.id in only]
    said = []
    for name in ("tolerance", "confidence"):
        own = [rule.id for rule in rules if getattr(rule, name) is not None]
        if own and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            listed = ", ".join(own[:3]) + (f" and {len(own) - 3:,} more" if len(own) > 3 else "")
            has, its = ("has", "its") if len(own) == 1 else ("have", "their")
            said.append(f"--{name} is for the rest: {listed} {has} {its} own {name}")
    return said


def tell_errors(judgement: Judgement | None, *, name: str = "") -> None:
    """Print checks that could not be made, where nothing else is printed."""
    from annqc.report.plain import clean_lines

    of = f"{name}: " if name else ""
    for outcome, text in [] if judgement is None else judgement.paragraphs(most=0):
        if outcome == "error":
            click.echo(clean_lines(f"annqc: {of}{text}"), err=True)
