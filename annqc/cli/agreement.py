"""``annqc agreement``: how far annotators agree, with each other and with themselves."""

from __future__ import annotations

from typing import Any

import click

from annqc.cli._options import reading_options, said_of, sources_of
from annqc.cli._written import json_of_tables, say_written, write_documents

__all__ = ["agreement"]


@click.command(short_help="How far annotators agree: alpha, every two, themselves twice.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@click.option("--gold", multiple=True, metavar="GOLD", help="Estimate the ceiling of this gold.")
@click.option("--only", multiple=True, metavar="NAME", help="What this annotator drew; repeatable.")
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
    from annqc.run.agreeing import BLIND

    sessions = _sessions(given)
    with Progress(2, quiet=given["quiet"]) as progress:
        progress.step("reading")
        reading = {"strict": given["strict"], "progress": progress.file}
        data = annqc.read(
            sources_of(work),
            annotator=given["annotator"],
            only=given["only"] or None,
            **said_of(given),
            **reading,
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
        document = {"mind": BLIND, **json_of_tables(documents, work=data)}
        written = write_documents(given, document, documents, sides)
    if not given["quiet"] and given["json_"] != "-":
        from annqc.report.agreement import agreement_screen
        from annqc.report.terminal import make_console

        console = make_console()
        agreement_screen(console, found, documents, everything=given["everything"])
        say_written(console, written)
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
