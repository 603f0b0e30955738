"""The options of ``annqc audit`` for a scorecard: vendors, batches, and the folder of pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from annqc.api import Audit
    from annqc.judge import Spec

    Command = Callable[..., Any]

__all__ = ["check_options", "check_target", "lists_of", "scorecard_options", "write_pages"]


def scorecard_options(command: Command) -> Command:
    """Add the options."""
    options = [
        click.option(
            "--scorecard",
            metavar="DIR",
            help="Write a scorecard: a printable page for every vendor and batch, accepted or "
            "refused by SPEC, and CSV, JSON and Markdown.",
        ),
        click.option(
            "--vendor",
            metavar="RULE",
            help="What tells the vendors of --scorecard apart: a column, stem (file name), parent "
            "(folder), annotator, or a CSV file (annotator, vendor and, if wanted, batch). One "
            "page for everything if left out.",
        ),
        click.option(
            "--batch",
            metavar="RULE",
            help="What tells batches apart, as --vendor; a CSV file may have image_id or file_name "
            "in place of annotator.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def check_options(given: dict[str, Any]) -> None:
    """Refuse what is about a scorecard where there is none."""
    for name in ("vendor", "batch"):
        if given[name] is not None and given["scorecard"] is None:
            message = f"--{name} is for the scorecard, and there is none: add --scorecard DIR"
            raise click.UsageError(message)


def check_target(given: dict[str, Any]) -> None:
    """Refuse a folder that is anything but a scorecard."""
    if given["scorecard"] is None:
        return
    from annqc.report.scorecard import SCORECARD

    SCORECARD.refuse_foreign(Path(given["scorecard"]))


def lists_of(given: dict[str, Any]) -> list[str]:
    """Return the files that say whose work something is."""
    rules = [given[name] for name in ("vendor", "batch")]
    return [one for one in rules if one is not None and one.lower().endswith(".csv")]


def write_pages(
    made: Audit,
    spec: Spec | None,
    only: Collection[str] | None,
    baseline: str | None,
    given: dict[str, Any],
) -> list[str]:
    """Write the scorecard that was asked for, and say what is where."""
    if given["scorecard"] is None:
        return []
    page = made.to_scorecard(
        given["scorecard"],
        spec=spec,
        only=only,
        baseline=baseline,
        vendor=given["vendor"],
        batch=given["batch"],
    )
    counts = json.loads((page.parent / "scorecard.json").read_text(encoding="utf-8"))["counts"]
    told = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items() if n)
    return [f"the scorecard in {page} ({told})"]
