"""``annqc audit``: compare work with gold, print one screen, write what is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from annqc.cli._app import WRONG_CALL
from annqc.cli._judging import (
    deliveries_of,
    own_rules,
    reading_of,
    rules_of,
    shared_by_rules,
    spec_of,
    tell_errors,
    unasked,
    undecided_of,
    who_takes_part,
    worst_code,
)
from annqc.cli._options import asides_of, reading_options, write_stdout
from annqc.cli._scorecard import (
    check_options,
    check_target,
    lists_of,
    scorecard_options,
    write_pages,
)
from annqc.errors import AnnqcError
from annqc.report.plain import clean_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.api import Audit
    from annqc.cli._judging import Delivery
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


@click.command(short_help="Compare work with gold: screen, report, scorecard, checks.")
@click.argument("work", nargs=-1, metavar="WORK...")
@click.option("--gold", "gold", multiple=True, metavar="GOLD", help="What is trusted.")
@click.option(
    "--gold-only",
    multiple=True,
    metavar="NAME",
    help="Take what this annotator drew as the gold, out of GOLD, or else out of WORK; repeatable.",
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Judge what this annotator drew; repeatable."
)
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
@click.option(
    "--spec",
    metavar="SPEC",
    help="Rules to check: a file, *.annqc.toml, or the name of a profile; sets the exit code.",
)
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Only this rule; repeatable.")
@click.option("--dataset", metavar="NAME", help="Only this dataset of the spec.")
@click.option(
    "--undecided",
    type=click.Choice(["undecided", "pass", "fail"]),
    help="What an undecided check counts as in the exit code; else what the spec says, else "
    "undecided.",
)
@click.option("--html", metavar="DIR", help="Write a report: pages to open in a browser.")
@click.option(
    "--pseudonyms", is_flag=True, help="Call annotators by numbers in the report of --html."
)
@click.option(
    "--single-file", is_flag=True, help="Make the report of --html one file, to be sent by e-mail."
)
@click.option(
    "--images",
    metavar="DIR|PATTERN",
    help="Show single annotations of the report over their images: a folder; or links, such as "
    "https://img.example/{file_name}.",
)
@click.option(
    "--url",
    metavar="PATTERN",
    help="Links of the report into the annotation tool, such as "
    "https://cvat.example/tasks/3?frame={frame}; also {image_id}, {file_name} and {annotation_id}.",
)
@scorecard_options
@click.option("--json", "json_", metavar="FILE", help="Write everything as JSON; - is stdout.")
@click.option("--csv", "csv_", metavar="DIR", help="Write the tables as CSV files.")
@click.option("--save", metavar="DIR", help="Save the run, for annqc.load.")
@click.option(
    "--shapes", is_flag=True, help="Compare outlines too, where COCO has polygons or masks."
)
@click.option(
    "--suspicions", is_flag=True, help="Ask where boxes came from: circular gold, copies, stamps."
)
@click.option("--strict", is_flag=True, help="Refuse input that has unusable rows.")
@click.option("--all", "everything", is_flag=True, help="Show every annotator.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--engine", default="auto", hidden=True)
def audit(work: tuple[str, ...], gold: tuple[str, ...], **given: Any) -> int:
    """Compare WORK (files, folders or globs) with gold, edge by edge.

    Without a spec it reports, and exits with 0 whatever it found. Without WORK it audits every
    dataset that the spec names, and the worst of them decides: 2 before 1 before 3 before 0.
    """
    spec = None if given["spec"] is None else spec_of(given["spec"])
    only = rules_of(spec, given["rules"])
    _check_report(given)
    check_options(given)
    deliveries = deliveries_of(
        work, gold, spec, given["dataset"], gold_inside=bool(given["gold_only"])
    )
    _refuse_outputs_of_several(given, deliveries)
    if len(deliveries) == 1:
        return _audit_one(deliveries[0], spec, only, given)
    return worst_code([_audit_of_several(one, spec, only, given) for one in deliveries])


def _check_report(given: dict[str, Any]) -> None:
    """Refuse what cannot go into the report, before any work is done."""
    if given["html"] is None:
        for name in ("pseudonyms", "single_file", "images", "url"):
            if given[name]:
                option = f"--{name.replace('_', '-')}"
                target = "FILE.html" if name == "single_file" else "DIR"
                message = f"{option} is for the report, and there is none: add --html {target}"
                raise click.UsageError(message)
        return
    from annqc.report.html.links import image_source, link_pattern

    image_source(given["images"])
    link_pattern(given["url"])


def _refuse_outputs_of_several(given: dict[str, Any], deliveries: list[Delivery]) -> None:
    """Refuse outputs that can hold one dataset only."""
    options = {"html": "--html", "scorecard": "--scorecard", "json_": "--json"}
    options |= {"csv_": "--csv", "save": "--save"}
    for name, option in options.items():
        if given[name] is not None and len(deliveries) > 1:
            names = ", ".join(one.name for one in deliveries[:5])
            names += ", ..." if len(deliveries) > 5 else ""
            message = (
                f"{option} writes one audit, and the spec has {len(deliveries)} datasets "
                f"({names}); choose one with --dataset"
            )
            raise click.UsageError(message)


def _audit_of_several(
    delivery: Delivery, spec: Spec | None, only: list[str] | None, given: dict[str, Any]
) -> int:
    """Audit one dataset of several: what is wrong with it does not keep the others from it."""
    try:
        return _audit_one(delivery, spec, only, given)
    except AnnqcError as error:
        click.echo(clean_lines(f"annqc: dataset {delivery.name}: {error}"), err=True)
        return WRONG_CALL


def _audit_one(
    delivery: Delivery, spec: Spec | None, only: list[str] | None, given: dict[str, Any]
) -> int:
    """Audit one dataset, print it and write what is asked for; return its exit code."""
    from annqc.cli._progress import Progress

    with Progress(len(STEPS), quiet=given["quiet"]) as progress:
        used = {
            name: shared_by_rules(spec, only, name, given[name])
            for name in ("tolerance", "confidence")
        }
        made = _made(delivery, spec, given | used, progress)
        progress.step(STEPS[6])
        judgement = None
        if spec is not None:
            judgement = made.judge(spec, only=only, baseline=delivery.baseline)
        written = write_pages(made, spec, only, delivery.baseline, given)
        written += _write(made, judgement, given)
    if given["quiet"] or given["json_"] == "-":
        tell_errors(judgement, name=delivery.name)
    else:
        minds = [] if spec is None else own_rules(spec, only, made)
        if judgement is not None and judgement.outcome == "pass" and only is None:
            minds += unasked(made)
        everything = given["everything"]
        _show(made, judgement, delivery.name, everything=everything, written=written, minds=minds)
        if given["suspicions"]:
            _show_suspicions(made)
    if judgement is None:
        return 0
    return judgement.exit_code(undecided=undecided_of(given["undecided"], spec))


def _made(delivery: Delivery, spec: Spec | None, given: dict[str, Any], progress: Any) -> Audit:
    """Read both sides and work everything out."""
    import annqc
    from annqc.read.names import gold_rule

    said = {"strict": given["strict"], "progress": progress.file}
    work_reading = reading_of(given, delivery)
    gold_only, only = who_takes_part(given, delivery)
    sides: list[Dataset] = []
    inside: dict[str, Any] = {"gold_only": gold_only, "only": only or None}
    work_reading.pop("only", None)
    if delivery.gold:
        progress.step(STEPS[0])
        rule = gold_rule(work_reading["annotator"], delivery.gold, gold_only)
        reading = reading_of(given, delivery, gold=True) | {"annotator": rule}
        reading["only"] = gold_only or None
        sides.append(annqc.read(delivery.gold, **reading, **said))
        inside = {}
        work_reading["only"] = only or None
    progress.step(STEPS[1])
    work_data = annqc.read(delivery.work, **work_reading, **said)
    asides = asides_of(given) + lists_of(given)
    asides += [] if delivery.reading is None else delivery.reading.files
    _check_targets(given, asides, work_data, *sides)
    made = annqc.audit(
        work_data,
        *sides,
        **inside,
        by=given["by"],
        tolerance=given["tolerance"],
        confidence=given["confidence"],
        policy=None if spec is None else spec.match,
        method=given["method"],
        iou=given["iou"],
        engine=given["engine"],
    )
    _work_out(made, progress)
    return made


def _check_targets(given: dict[str, Any], asides: list[str], *sides: Dataset) -> None:
    """Refuse outputs that would replace an input, or anything else, before any work is done."""
    from annqc.report import html
    from annqc.report.files import refuse_missing_folder, refuse_same_targets, spare_inputs
    from annqc.report.saved import refuse_foreign
    from annqc.report.tablefiles import table_paths

    said = {name: given[name] for name in ("html", "scorecard", "json_", "csv_", "save")}
    named = {name: Path(one) for name, one in said.items() if one not in {None, "-"}}
    for path in named.values():
        refuse_missing_folder(path)
    whole = {"scorecard", "save"} | (set() if given["single_file"] else {"html"})
    folders = [path for name, path in named.items() if name in whole]
    files = [path for name, path in named.items() if name not in whole]
    refuse_same_targets(files, folders)
    if "csv_" in named:
        files = [path for path in files if path != named["csv_"]] + table_paths(named["csv_"])
        refuse_same_targets(files)
    spare_inputs([*files, *folders], sides, also=asides)
    if given["html"] is not None:
        refuse = html.refuse_other if given["single_file"] else html.refuse_foreign
        refuse(Path(given["html"]))
    check_target(given)
    if given["save"] is not None:
        refuse_foreign(Path(given["save"]))


def _work_out(made: Audit, progress: Any) -> None:
    """Do the work step by step, so that the bar can say where it is; the audit keeps it."""
    from annqc.run.times import times_of

    progress.step(STEPS[2])
    _ = made.measurements, made.detected
    progress.step(STEPS[3])
    made.findings(made.by)
    made.annotator_findings(made.by)
    if times_of(made.candidate) is not None:
        made.dependence_columns()
    progress.step(STEPS[4])
    made.score_columns(strata=made.by)
    progress.step(STEPS[5])
    made.error_columns()


def _write(made: Audit, judgement: Judgement | None, given: dict[str, Any]) -> list[str]:
    """Write what was asked for, and say what is where."""
    written = []
    if given["html"] is not None:
        from annqc.report.html import write_report

        said: list[str] = []
        page = write_report(
            made,
            Path(given["html"]),
            by=made.by,
            judgement=judgement,
            veiled=given["pseudonyms"],
            single_file=given["single_file"],
            images=given["images"],
            url=given["url"],
            say=said.append,
        )
        size = f" ({page.stat().st_size / 1e6:.1f} MB)" if given["single_file"] else ""
        shown = "".join(f", with {one}" for one in said)
        written.append(f"the report in {page}{size}{shown}")
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


def _show(
    made: Audit,
    judgement: Judgement | None,
    name: str,
    *,
    everything: bool,
    written: list[str],
    minds: Sequence[str],
) -> None:
    from annqc.report.plain import clean_text
    from annqc.report.terminal import make_console, screen, show_judgement

    console = make_console()
    if name:
        console.rule(clean_text(f"dataset {name}"), characters="=", align="left")
    screen(console, made, by=made.by, everything=everything)
    if judgement is not None:
        show_judgement(console, judgement, everything=everything, minds=minds)
    if written:
        console.print()
        console.print(clean_text("Written: " + ", ".join(written)), soft_wrap=True)


def _show_suspicions(made: Audit) -> None:
    from annqc.report.paragraphs import heading, lines
    from annqc.report.plain import clean_text
    from annqc.report.terminal import make_console

    console = make_console()
    said = [clean_text(one, width=400) for one in made.suspicion_columns["text"].tolist()]
    note = "a reason to look, and no more" if said else "nothing that makes one ask"
    heading(console, "Suspicions", note)
    lines(console, said, style="magenta")
