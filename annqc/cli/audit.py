"""``annqc audit``: compare work with gold, print one screen, write what is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from annqc.cli._options import (
    asides_of,
    columns_of,
    image_sizes_of,
    reading_options,
    sources_of,
    write_stdout,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.api import Audit
    from annqc.judge import Judgement, Spec
    from annqc.tables import Dataset

__all__ = ["audit"]

STEPS: Final = (
    "reading the gold",
    "reading the work",
    "matching",
    "findings",
    "scores",
    "errors",
    "checks and outputs",
)


@click.command(short_help="Compare work with gold: who is off, where, by how much.")
@click.argument("work", nargs=-1, metavar="WORK...")
@click.option("--gold", "gold", multiple=True, metavar="GOLD", help="What is trusted.")
@reading_options
@click.option("--gold-format", default="auto", metavar="NAME", help="Format of GOLD.")
@click.option(
    "--by", default="annotator", metavar="COLUMNS", help="Grouping, such as annotator,category."
)
@click.option(
    "--tolerance",
    default="max(1 px, 2 %)",
    metavar="TEXT",
    show_default=True,
    help="Largest offset that is no bias: '2 px', '3 %' of the side, or the larger of both.",
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Level.")
@click.option(
    "--method", metavar="NAME", help="Matching: optimal (default), coco, cvat-classic or cvat-2026."
)
@click.option("--iou", type=float, help="Counting threshold, 0.5 unless the method says otherwise.")
@click.option("--spec", metavar="FILE", help="Rules to check, *.annqc.toml; sets the exit code.")
@click.option(
    "--undecided",
    type=click.Choice(["undecided", "pass", "fail"]),
    default="undecided",
    show_default=True,
    help="What an undecided check counts as in the exit code.",
)
@click.option("--json", "json_", metavar="FILE", help="Write everything as JSON; - is stdout.")
@click.option("--csv", "csv_", metavar="DIR", help="Write the tables as CSV files.")
@click.option("--save", metavar="DIR", help="Save the run, for annqc.load.")
@click.option("--strict", is_flag=True, help="Refuse input that has unusable rows.")
@click.option("--all", "everything", is_flag=True, help="Show every annotator.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--engine", default="auto", hidden=True)
def audit(work: tuple[str, ...], gold: tuple[str, ...], **given: Any) -> int:
    """Compare WORK (files, folders or globs) with gold, edge by edge.

    Without a spec it reports, and exits with 0 whatever it found.
    """
    import annqc
    from annqc.cli._progress import Progress

    spec = _spec_of(given["spec"])
    sources, trusted = _sides(work, gold, spec)
    with Progress(len(STEPS), quiet=given["quiet"]) as progress:
        options = _reading(given, spec)
        progress.step(STEPS[0])
        trusted_data = annqc.read(
            trusted,
            format=given["gold_format"],
            **{k: v for k, v in options.items() if k != "annotator"},
            strict=given["strict"],
            progress=progress.file,
        )
        progress.step(STEPS[1])
        work_data = annqc.read(
            sources,
            format=given["format_"],
            **options,
            strict=given["strict"],
            progress=progress.file,
        )
        _check_targets(given, trusted_data, work_data)
        made = annqc.audit(
            work_data,
            trusted_data,
            by=given["by"],
            tolerance=given["tolerance"],
            confidence=given["confidence"],
            policy=None if spec is None else spec.match,
            method=given["method"],
            iou=given["iou"],
            engine=given["engine"],
        )
        _work_out(made, progress)
        progress.step(STEPS[6])
        judgement = None if spec is None else made.judge(spec)
        written = _write(made, judgement, given)
    if given["quiet"] or given["json_"] == "-":
        _tell_errors(judgement)
    else:
        minds = [] if spec is None else _own_rules(spec)
        if judgement is not None and judgement.outcome == "pass":
            minds += _unasked(made)
        _show(made, judgement, everything=given["everything"], written=written, minds=minds)
    return 0 if judgement is None else judgement.exit_code(undecided=given["undecided"])


def _spec_of(path: str | None) -> Spec | None:
    if path is None:
        return None
    from annqc.judge import load_spec

    return load_spec(Path(path))


def _sides(
    work: tuple[str, ...], gold: tuple[str, ...], spec: Spec | None
) -> tuple[str | list[str], str | list[str]]:
    """Take the files of the command line, or else those that the spec names."""
    if spec is not None:
        work, gold = work or tuple(spec.candidate), gold or tuple(spec.gold)
    if not work:
        message = "WORK is missing: the files that are to be audited"
        raise click.UsageError(message)
    if not gold:
        message = (
            "--gold is missing: annqc audit compares with gold, and audits against a consensus "
            "of annotators are not there yet"
        )
        raise click.UsageError(message)
    return sources_of(work), sources_of(gold)


def _reading(given: dict[str, Any], spec: Spec | None) -> dict[str, Any]:
    annotator = given["annotator"]
    if annotator is None and spec is not None:
        annotator = spec.annqc.annotator
    return {
        "annotator": annotator,
        "box_format": given["box_format"],
        "categories": given["categories"],
        "image_sizes": image_sizes_of(given["image_sizes"]),
        "columns": columns_of(given["columns"]),
    }


def _check_targets(given: dict[str, Any], *sides: Dataset) -> None:
    """Refuse outputs that would replace an input, or anything else, before any work is done."""
    from annqc.report.files import refuse_missing_folder, spare_inputs, table_paths
    from annqc.report.saved import refuse_foreign

    targets = []
    if given["json_"] not in {None, "-"}:
        targets.append(Path(given["json_"]))
    if given["csv_"] is not None:
        targets += table_paths(Path(given["csv_"]))
    if given["save"] is not None:
        targets.append(Path(given["save"]))
    spare_inputs(targets, sides, also=asides_of(given))
    for name in ("json_", "csv_", "save"):
        if given[name] not in {None, "-"}:
            refuse_missing_folder(Path(given[name]))
    if given["save"] is not None:
        refuse_foreign(Path(given["save"]))


def _work_out(made: Audit, progress: Any) -> None:
    """Do the work step by step, so that the bar can say where it is; the audit keeps it."""
    progress.step(STEPS[2])
    _ = made.measurements, made.detected
    progress.step(STEPS[3])
    made.findings(made.by)
    made.annotator_findings(made.by)
    progress.step(STEPS[4])
    made.score_columns(strata=made.by)
    progress.step(STEPS[5])
    made.error_columns()


def _write(made: Audit, judgement: Judgement | None, given: dict[str, Any]) -> list[str]:
    """Write what was asked for, and say what is where."""
    written = []
    if given["json_"] == "-":
        write_stdout(str(made.to_json(judgement=judgement)).encode())
    elif given["json_"] is not None:
        made.to_json(given["json_"], judgement=judgement)
        written.append(f"JSON in {given['json_']}")
    if given["csv_"] is not None:
        made.to_csv(given["csv_"])
        written.append(f"tables in {given['csv_']}")
    if given["save"] is not None:
        made.save(given["save"])
        written.append(f"the run in {given['save']}")
    return written


def _unasked(made: Audit) -> list[str]:
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


def _own_rules(spec: Spec) -> list[str]:
    """Say where an option on the command line does not reach: rules that state their own."""
    context = click.get_current_context()
    said = []
    for name in ("tolerance", "confidence"):
        own = [rule.id for rule in spec.rules if getattr(rule, name) is not None]
        if own and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            listed = ", ".join(own[:3]) + (f" and {len(own) - 3:,} more" if len(own) > 3 else "")
            has, its = ("has", "its") if len(own) == 1 else ("have", "their")
            said.append(f"--{name} is for the rest: {listed} {has} {its} own {name}")
    return said


def _tell_errors(judgement: Judgement | None) -> None:
    """Print checks that could not be made, where nothing else is printed."""
    from annqc.report.plain import clean_lines

    for outcome, text in [] if judgement is None else judgement.paragraphs(most=0):
        if outcome == "error":
            click.echo(clean_lines(f"annqc: {text}"), err=True)


def _show(
    made: Audit,
    judgement: Judgement | None,
    *,
    everything: bool,
    written: list[str],
    minds: Sequence[str],
) -> None:
    from annqc.report.plain import clean_text
    from annqc.report.terminal import make_console, screen, show_judgement

    console = make_console()
    screen(console, made, by=made.by, everything=everything)
    if judgement is not None:
        show_judgement(console, judgement, everything=everything, minds=minds)
    if written:
        console.print()
        console.print(clean_text("Written: " + ", ".join(written)), soft_wrap=True)
