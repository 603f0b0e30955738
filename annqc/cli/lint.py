"""``annqc lint``: which rows cannot be used, or are odd, and where they stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from annqc.cli._options import image_sizes_of, reading_options, sources_of

__all__ = ["lint"]


@click.command(short_help="List rows that cannot be used, or are odd.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@reading_options
@click.option("--json", "json_", metavar="FILE", help="Write every problem as JSON; - is stdout.")
@click.option(
    "--fail-on",
    type=click.Choice(["never", "dropped", "any"]),
    default="never",
    show_default=True,
    help="Exit with 1 where there are unusable rows (dropped), or any problem at all.",
)
@click.option("--strict", is_flag=True, help="The same as --fail-on dropped.")
@click.option(
    "--all", "everything", is_flag=True, help="Show every row, not the first few of a kind."
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def lint(work: tuple[str, ...], **given: Any) -> int:
    """Read WORK (files, folders or globs) and list what is wrong with its rows."""
    import annqc
    from annqc.cli._progress import Progress

    with Progress(1, quiet=given["quiet"]) as progress:
        progress.step("reading")
        dataset = annqc.read(
            sources_of(work),
            format=given["format_"],
            annotator=given["annotator"],
            box_format=given["box_format"],
            categories=given["categories"],
            image_sizes=image_sizes_of(given["image_sizes"]),
            progress=progress.file,
        )
    if given["json_"] is not None:
        from annqc.report.files import whole_file
        from annqc.report.json import encode, lint_document

        data = encode(lint_document(dataset))
        if given["json_"] == "-":
            sys.stdout.write(data.decode())
        else:
            with whole_file(Path(given["json_"])) as file:
                file.write(data)
    if not given["quiet"] and given["json_"] != "-":
        from annqc.report.problems import lint_screen
        from annqc.report.terminal import make_console

        lint_screen(make_console(), dataset, everything=given["everything"])
    fail_on = "dropped" if given["strict"] and given["fail_on"] == "never" else given["fail_on"]
    bad = {"never": 0, "dropped": dataset.n_dropped, "any": len(dataset.issues)}[fail_on]
    return 1 if bad else 0
