"""``annqc lint``: which rows cannot be used, or are odd, and where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from annqc.cli._app import WRONG_CALL
from annqc.cli._options import (
    asides_of,
    reading_options,
    said_of,
    sources_of,
    write_stdout,
)

if TYPE_CHECKING:
    from annqc.tables import Dataset

__all__ = ["lint"]


@click.command(short_help="List rows that cannot be used, or are odd.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@reading_options
@click.option("--only", multiple=True, metavar="NAME", help="What this annotator drew; repeatable.")
@click.option("--shapes", is_flag=True, help="Check polygons and masks too, where COCO has them.")
@click.option("--json", "json_", metavar="FILE", help="Write every problem as JSON; - is stdout.")
@click.option(
    "--fail-on",
    type=click.Choice(["never", "dropped", "any"]),
    default="never",
    show_default=True,
    help="Exit with 1 where there are unusable rows (dropped), or any problem at all.",
)
@click.option("--strict", is_flag=True, help="Exit with 2 where there are unusable rows.")
@click.option("--all", "everything", is_flag=True, help="Show every row, one a line.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def lint(work: tuple[str, ...], **given: Any) -> int:
    """Read WORK (files, folders or globs) and list what is wrong with its rows."""
    import annqc
    from annqc.cli._progress import Progress

    with Progress(1, quiet=given["quiet"]) as progress:
        progress.step("reading")
        dataset = annqc.read(
            sources_of(work),
            annotator=given["annotator"],
            **said_of(given),
            only=given["only"] or None,
            progress=progress.file,
        )
    if given["json_"] is not None:
        _write(dataset, given)
    if not given["quiet"] and given["json_"] != "-":
        from annqc.report.problems import lint_screen
        from annqc.report.terminal import make_console

        lint_screen(make_console(), dataset, everything=given["everything"])
    if given["strict"] and dataset.n_dropped:
        return WRONG_CALL
    bad = {"never": 0, "dropped": dataset.n_dropped, "any": len(dataset.issues)}[given["fail_on"]]
    return 1 if bad else 0


def _write(dataset: Dataset, given: dict[str, Any]) -> None:
    from annqc.report.files import spare_inputs, whole_file
    from annqc.report.json import encode, lint_document

    data = encode(lint_document(dataset))
    if given["json_"] == "-":
        write_stdout(data)
        return
    target = Path(given["json_"])
    spare_inputs([target], [dataset], also=asides_of(given))
    with whole_file(target) as file:
        file.write(data)
