"""What commands that judge share: which spec, which data, and the exit code of it all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from annqc.cli._options import said_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from annqc.api import Audit
    from annqc.judge import Judgement, Spec
    from annqc.judge.reading import ReadSpec

__all__ = [
    "Delivery",
    "deliveries_of",
    "own_rules",
    "reading_of",
    "rules_of",
    "shared_by_rules",
    "spec_of",
    "tell_errors",
    "unasked",
    "undecided_of",
    "who_takes_part",
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
        Files, folders or patterns; no gold where it is inside the work.
    annotator : str or None
        Who drew, as the spec says it.
    baseline : str or None
        A saved run, for rules that compare with it; None for that of the spec, if it has one.
    reading : ReadSpec or None
        How the files are read, as the spec says it.
    """

    name: str
    work: str | list[str]
    gold: str | list[str]
    annotator: str | None = None
    baseline: str | None = None
    reading: ReadSpec | None = None


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
    work: tuple[str, ...],
    gold: tuple[str, ...],
    spec: Spec | None,
    dataset: str | None,
    *,
    gold_inside: bool = False,
) -> list[Delivery]:
    """Take the files of the command line, or else those that the spec names.

    Where the gold is inside the work, as what one annotator of several drew, there need be no files
    of gold.
    """
    if dataset is not None:
        if spec is None or work:
            message = "--dataset chooses one of a spec: it goes with --spec, and not with WORK"
            raise click.UsageError(message)
        chosen: Iterable[Any] = [spec.dataset(dataset)]
    else:
        chosen = spec.datasets if spec is not None and not work else []
    found = [
        _delivery(
            Delivery(
                name=one.name,
                work=list(one.candidate),
                gold=list(gold or one.gold),
                annotator=one.annotator,
                baseline=one.baseline,
                reading=one,
            ),
            gold_inside=gold_inside,
        )
        for one in chosen
    ]
    if found:
        return found
    annotator = reading = None
    if spec is not None:
        gold, annotator = gold or tuple(spec.gold), spec.annqc.annotator
        reading = spec.reading
    one = Delivery(name="", work=list(work), gold=list(gold), annotator=annotator, reading=reading)
    # without a spec, everybody is compared with a consensus of the others
    return [_delivery(one, gold_inside=gold_inside or spec is None)]


def _delivery(one: Delivery, *, gold_inside: bool) -> Delivery:
    """Check that a delivery has files, and return it with one file as it is."""
    of = f" for the dataset {one.name!r}" if one.name else ""
    if not one.work:
        message = f"WORK is missing{of}: the files that are to be audited"
        raise click.UsageError(message)
    inside = gold_inside or (one.reading is not None and bool(one.reading.gold_only))
    if not one.gold and not inside:
        message = (
            f"--gold is missing{of}: the rules of a spec are held against gold; --gold-only NAME "
            "takes what one annotator drew as the gold, and annqc consensus needs none"
        )
        raise click.UsageError(message)
    gold = sources_of(tuple(one.gold)) if one.gold else []
    return replace(one, work=sources_of(tuple(one.work)), gold=gold)


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


def reading_of(given: dict[str, Any], delivery: Delivery, *, gold: bool = False) -> dict[str, Any]:
    """Return what the options, and else the spec, say about reading the files of one side."""
    spec = {} if delivery.reading is None else delivery.reading.options(gold=gold)
    said = said_of(given, gold=gold)
    if "columns" in spec and "columns" in said:
        said["columns"] = {**spec["columns"], **said["columns"]}
    annotator = delivery.annotator if given["annotator"] is None else given["annotator"]
    return ({} if gold else {"annotator": annotator}) | spec | said


def who_takes_part(given: dict[str, Any], delivery: Delivery) -> tuple[Any, Any]:
    """Return whose drawings are the gold, and whose are judged: the options, else the spec."""
    spec = delivery.reading
    own = ((), ()) if spec is None else (spec.gold_only, spec.only)
    return given["gold_only"] or own[0], given["only"] or own[1]


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


def shared_by_rules(spec: Spec | None, only: Sequence[str] | None, name: str, default: Any) -> Any:
    """Return the tolerance or confidence that the audit takes, so that one screen has one answer.

    Parameters
    ----------
    spec : Spec or None
        The rules.
    only : sequence of str or None
        Ids of those that are judged; None for all.
    name : {"tolerance", "confidence"}
        Which of the two.
    default : object
        That of the option. It stays where it stands on the command line, where the rules differ
        among themselves, and where they have none.
    """
    from annqc.judge.registry import find_measure
    from annqc.measure.tolerance import Tolerance

    if spec is None or _on_the_command_line(name):
        return default
    usual = Tolerance.parse(default) if name == "tolerance" else default
    rules = [rule for rule in spec.rules if only is None or rule.id in only]
    own = [getattr(rule, name) for rule in rules if name in find_measure(rule.measure).takes]
    asked = {usual if one is None else one for one in own}
    return asked.pop() if len(asked) == 1 else default


def _on_the_command_line(name: str) -> bool:
    context = click.get_current_context()
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def own_rules(spec: Spec, only: Sequence[str] | None, made: Audit) -> list[str]:
    """Say which rules do not judge by what the audit judges by: those that state their own."""
    rules = [rule for rule in spec.rules if only is None or rule.id in only]
    said = []
    for name in ("tolerance", "confidence"):
        used = getattr(made.parameters, name)
        own = [rule for rule in rules if getattr(rule, name) not in {None, used}]
        if not own:
            continue
        listed = ", ".join(rule.id for rule in own[:3])
        listed += f" and {len(own) - 3:,} more" if len(own) > 3 else ""
        has, its = ("has", "its") if len(own) == 1 else ("have", "their")
        if _on_the_command_line(name):
            said.append(f"--{name} is for the rest: {listed} {has} {its} own {name}")
            continue
        values = {str(getattr(rule, name)) for rule in own}
        one = f", {values.pop()}" if len(values) == 1 else ""
        said.append(
            f"{listed} {has} {its} own {name}{one}, and may say otherwise than the audit above, "
            f"which uses {used}"
        )
    return said


def tell_errors(judgement: Judgement | None, *, name: str = "") -> None:
    """Print checks that could not be made, where nothing else is printed."""
    from annqc.report.plain import clean_lines

    of = f"{name}: " if name else ""
    for outcome, text in [] if judgement is None else judgement.paragraphs(most=0):
        if outcome == "error":
            click.echo(clean_lines(f"annqc: {of}{text}"), err=True)
