"""``annqc tracks``: how tracks go over time, against gold or on their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from annqc.cli._options import reading_options, said_of, sources_of
from annqc.cli._written import json_of_tables, say_written, write_documents

if TYPE_CHECKING:
    from annqc.api import Audit
    from annqc.run.alone import Alone
    from annqc.tables import Dataset

__all__ = ["tracks"]


@click.command(short_help="Videos: who drifts, lags, shakes or jumps, and HOTA, MOTA, IDF1.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@click.option("--gold", multiple=True, metavar="GOLD", help="What is trusted.")
@click.option("--only", multiple=True, metavar="NAME", help="What this annotator drew; repeatable.")
@reading_options
@click.option("--gold-format", default="auto", metavar="NAME", help="Format of GOLD.")
@click.option(
    "--tolerance",
    default="max(1 px, 2 %)",
    metavar="TEXT",
    show_default=True,
    help="Largest offset that is no bias; a drift may reach it in 100 frames.",
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Level.")
@click.option("--iou", type=float, help="Counting threshold, 0.5 unless said otherwise.")
@click.option(
    "--preprocess",
    type=click.Choice(["none", "mot"]),
    default="none",
    show_default=True,
    help="Leave out what MOTChallenge does: boxes on distractors, and gold that does not count.",
)
@click.option("--json", "json_", metavar="FILE", help="Write all tables as JSON; - is stdout.")
@click.option("--csv", "csv_", metavar="DIR", help="Write the tables as CSV files.")
@click.option("--strict", is_flag=True, help="Refuse input that has unusable rows.")
@click.option("--all", "everything", is_flag=True, help="Show every annotator and event.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def tracks(work: tuple[str, ...], gold: tuple[str, ...], **given: Any) -> int:
    """Follow the tracks of WORK (files, folders or globs) over time.

    With gold: HOTA, CLEAR and IDF1, the offsets of each edge with tracks as evidence, drift, lag,
    jitter, late ends, jumps, frozen boxes, switched ids. Without gold: what tracks show of
    themselves, and how two annotators of one video differ.
    """
    import annqc
    from annqc.cli._progress import Progress

    said = said_of(given)
    with Progress(3, quiet=given["quiet"]) as progress:
        progress.step("reading")
        data = annqc.read(
            sources_of(work),
            annotator=given["annotator"],
            only=given["only"] or None,
            strict=given["strict"],
            progress=progress.file,
            **said,
        )
        if not gold:
            progress.step("following tracks")
            alone = annqc.tracks(data, tolerance=given["tolerance"], confidence=given["confidence"])
            documents = _documents(alone)
            progress.step("outputs")
            document = json_of_tables(documents, work=data)
            written = write_documents(given, document, documents, [data])
        else:
            reading = {**said_of(given, gold=True), "progress": progress.file}
            reference = annqc.read(sources_of(gold), strict=given["strict"], **reading)
            _refuse_untracked(reference, "gold")
            _refuse_untracked(data, "work")
            progress.step("following tracks")
            audit = annqc.audit(
                data,
                reference,
                tolerance=given["tolerance"],
                confidence=given["confidence"],
                iou=given["iou"],
            )
            documents = _documents(audit, given["preprocess"])
            progress.step("outputs")
            document = json_of_tables(documents, work=data, gold=reference)
            written = write_documents(given, document, documents, [data, reference])
    if not given["quiet"] and given["json_"] != "-":
        _show(audit if gold else alone, given, written)
    return 0


def _refuse_untracked(side: Dataset, name: str) -> None:
    """Refuse a side that has boxes and no tracks, or nothing at all."""
    from annqc.errors import AnnqcError

    if side.table.track is None or not (side.table.track >= 0).any():
        what = f"the {name} has no tracks"
        found = "nothing was drawn" if not len(side) else "boxes without a track"
        expected = "boxes with a track id, in frames of a sequence"
        where = side.sources[0].path if side.sources else name
        hint = "annqc audit compares boxes"
        raise AnnqcError(what, where=where, expected=expected, found=found, hint=hint)


def _documents(made: Audit | Alone, preprocess: str = "none") -> dict[str, dict[str, Any]]:
    """Work every table out: name -> columns."""
    from annqc.api import Audit

    documents = {
        "tracks": made.temporal_columns(),
        "track_list": made.track_columns(),
        "track_events": made.track_event_columns(),
    }
    if isinstance(made, Audit):
        documents["tracking_scores"] = made.tracking_columns(preprocess=preprocess)
        documents["bias"] = made.bias_columns()
    else:
        documents["relative"] = made.relative_columns()
    return documents


def _show(made: Audit | Alone, given: dict[str, Any], written: list[str]) -> None:
    from annqc.api import Audit
    from annqc.report.terminal import make_console
    from annqc.report.trackscreen import alone_screen, tracks_screen

    console = make_console()
    if isinstance(made, Audit):
        tracks_screen(console, made, everything=given["everything"], preprocess=given["preprocess"])
    else:
        alone_screen(console, made, everything=given["everything"])
    say_written(console, written)
