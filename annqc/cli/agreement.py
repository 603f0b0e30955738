"""``annqc agreement``: how far annotators agree, with each other and with themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from annqc.cli._options import (
    asides_of,
    reading_options,
    said_of,
    sources_of,
    write_stdout,
)

if TYPE_CHECKING:
    from annqc.tables import Dataset

__all__ = ["agreement"]


@click.command(short_help="How far annotators agree: alpha, every two, themselves twice.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@click.option("--gold", multiple=True, metavar="GOLD", help="Estimate the ceiling of this gold.")
@reading_options
@click.option("--gold-format", default="auto", metavar="NAME", help="Format of GOLD.")
@click.option(
    "--same",
    multiple=True,
    metavar="NAME=NAME",
    help="Two names that are one person at two times; repeatable.",
)
@click.option(
    "--session",
    metavar="COLUMN",
    help="What tells the sessions of an annotator apart: a column, or source (the file).",
)
@click.option(
    "--shapes", is_flag=True, help="Compare outlines too, where COCO has polygons or masks."
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Level.")
@click.option("--json", "json_", metavar="FILE", help="Write all tables as JSON; - is stdout.")
@click.option("--csv", "csv_", metavar="DIR", help="Write the tables as CSV files.")
@click.option("--strict", is_flag=True, help="Refuse input that has unusable rows.")
@click.option("--all", "everything", is_flag=True, help="Show every pair.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def agreement(work: tuple[str, ...], gold: tuple[str, ...], **given: Any) -> int:
    """Say how far the annotators of WORK (files, folders or globs) agree.

    No measure of agreement sees an offset that everybody has.
    """
    import annqc
    from annqc.cli._progress import Progress

    sessions = _sessions(given)
    with Progress(2, quiet=given["quiet"]) as progress:
        progress.step("reading")
        reading = {"strict": given["strict"], "progress": progress.file}
        data = annqc.read(
            sources_of(work), annotator=given["annotator"], **said_of(given), **reading
        )
        sides = [data]
        progress.step("agreement")
        found = annqc.agreement(data, confidence=given["confidence"])
        documents = {"alpha": found.alpha_columns(), "pairs": found.pair_columns()}
        if sessions:
            documents["repeatability"] = found.repeat_columns(sessions)
        if gold:
            sides.append(annqc.read(sources_of(gold), **said_of(given, gold=True), **reading))
            documents["ceiling"] = found.ceiling_columns(sides[1])
        written = _write(documents, given, sides)
    if not given["quiet"] and given["json_"] != "-":
        from annqc.report.agreement import agreement_screen
        from annqc.report.plain import clean_text
        from annqc.report.terminal import make_console

        console = make_console()
        agreement_screen(console, found, documents, everything=given["everything"])
        if written:
            console.print()
            console.print(clean_text("Written: " + ", ".join(written)), soft_wrap=True)
    return 0


def _sessions(given: dict[str, Any]) -> str | list[tuple[str, str]]:
    """Read what tells a second session from a first."""
    if given["same"] and given["session"] is not None:
        message = "--same and --session both say what a second session is; give one of them"
        raise click.UsageError(message)
    if given["session"] is not None:
        column: str = given["session"]
        return column
    pairs = []
    for text in given["same"]:
        one, equals, other = text.partition("=")
        if not (one and equals and other):
            message = f"--same takes NAME=NAME, such as ann=ann-2; found {text!r}"
            raise click.UsageError(message)
        pairs.append((one, other))
    return pairs


def _write(
    documents: dict[str, dict[str, Any]], given: dict[str, Any], sides: list[Dataset]
) -> list[str]:
    """Write what was asked for, and say what is where."""
    from annqc.report.files import spare_inputs, whole_file
    from annqc.report.json import encode, input_rows, rows_of
    from annqc.report.tablefiles import write_columns
    from annqc.run.agreeing import BLIND

    targets = [] if given["json_"] in {None, "-"} else [Path(given["json_"])]
    if given["csv_"] is not None:
        targets += [Path(given["csv_"]) / f"{name}.csv" for name in documents]
    spare_inputs(targets, sides, also=asides_of(given))
    written: list[str] = []
    if given["json_"] is not None:
        tables = {name: rows_of(columns) for name, columns in documents.items()}
        data = encode({"mind": BLIND, "inputs": input_rows(work=sides[0]), **tables})
        if given["json_"] == "-":
            write_stdout(data)
        else:
            with whole_file(Path(given["json_"])) as file:
                file.write(data)
            written.append(f"JSON in {given['json_']}")
    if given["csv_"] is not None:
        write_columns(Path(given["csv_"]), documents)
        written.append(f"tables in {given['csv_']}")
    return written
