"""``annqc diff``: what changed between two versions of the same annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from annqc.cli._options import reading_options, said_of, sources_of
from annqc.cli._written import say_written, write_documents

if TYPE_CHECKING:
    from annqc.run.diff import Diff
    from annqc.tables import Array

    Tables = dict[str, dict[str, Array]]

__all__ = ["diff"]

DIFFERENT = 1


@click.command(short_help="What changed between two versions of the same annotation.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@reading_options
@click.option("--shapes", is_flag=True, help="Compare polygons and masks too, where COCO has them.")
@click.option(
    "--tolerance",
    metavar="TEXT",
    help="What an edge may move without being told, such as '1 px'; 0.01 px if not given.",
)
@click.option("--json", "json_", metavar="FILE", help="Write all tables as JSON; - is stdout.")
@click.option("--csv", "csv_", metavar="DIR", help="Write the tables as CSV files.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything differs.")
@click.option("--all", "everything", is_flag=True, help="Show every change.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def diff(old: str, new: str, **given: Any) -> int:
    """Say what changed from OLD to NEW, two versions (files, folders or globs) of one annotation.

    In videos changes are told as stretches of frames of a track, in images one by one: what was
    removed, added, moved, relabelled, redrawn, or belongs to another annotator or track. New ids
    for the same tracks and boxes are no change. The options for reading go for both versions.
    """
    import annqc
    from annqc.cli._progress import Progress
    from annqc.report.diff import diff_document, diff_tables

    said = {**said_of(given), "annotator": given["annotator"]}
    with Progress(3, quiet=given["quiet"]) as progress:
        progress.step("reading")
        reading = {**said, "progress": progress.file}
        sides = [annqc.read(sources_of((one,)), **reading) for one in (old, new)]
        progress.step("comparing")
        made = annqc.diff(*sides, tolerance=given["tolerance"])
        tables = diff_tables(made)
        progress.step("outputs")
        document = diff_document(made, tables)
        written = write_documents(given, document, tables, [made.old, made.new])
    if not given["quiet"] and given["json_"] != "-":
        _show(made, tables, given, written)
    return DIFFERENT if given["exit_code"] and not made.identical else 0


def _show(made: Diff, tables: Tables, given: dict[str, Any], written: list[str]) -> None:
    from annqc.report.diff import diff_screen
    from annqc.report.terminal import make_console

    console = make_console()
    diff_screen(console, made, tables, everything=given["everything"])
    say_written(console, written)
