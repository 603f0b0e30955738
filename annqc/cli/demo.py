"""``annqc demo``: audits a made-up set with planted habits, and prints planted beside found."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["demo"]


@click.command(short_help="Audit a made-up set with planted habits, and see them found.")
@click.option(
    "--out", default="annqc-demo", show_default=True, metavar="DIR", help="Where the files go."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Another seed, another set.",
)
@click.option("--quiet", is_flag=True, help="Print the planted beside the found alone.")
def demo(*, out: str, seed: int, quiet: bool) -> int:
    """Make a gold set and twelve annotators with known habits, audit them, and compare.

    Exits with 1 if a planted habit is not found or a clean annotator is accused.
    """
    from annqc.cli._planted import found_rows, run_demo, show_found
    from annqc.cli._progress import Progress
    from annqc.report.plain import clean_text
    from annqc.report.terminal import make_console, screen

    folder = Path(out)
    with Progress(4) as progress:
        simulation, audit = run_demo(folder, seed=seed, step=progress.step)
        rows = found_rows(simulation, audit)
    console = make_console()
    if not quiet:
        screen(console, audit, by=audit.by)
    show_found(console, rows)
    console.print()
    console.print(
        clean_text(
            f"In {folder}: gold.json, work.json, audit.json, tables/, report/ "
            "and the saved run run.annqc/"
        )
    )
    console.print("The report, to open in a browser:")
    page = clean_text(f"  {folder / 'report' / 'index.html'}")
    console.print(page, no_wrap=True, crop=False, overflow="ignore")
    console.print("The same by hand:")
    console.print(
        clean_text(
            f"  annqc audit {folder / 'work.json'} --gold {folder / 'gold.json'}"
            " --by annotator,category"
        ),
        no_wrap=True,
        crop=False,
        overflow="ignore",
    )
    return 0 if all(row.as_planted for row in rows) else 1
