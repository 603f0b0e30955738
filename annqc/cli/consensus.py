"""``annqc consensus``: objects, edges and annotators from redundant annotation, without gold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from annqc.cli._options import reading_options, said_of, sources_of
from annqc.cli._written import json_of_tables, say_written, write_documents

if TYPE_CHECKING:
    from annqc.run.consensus import Consensus
    from annqc.tables import Dataset

__all__ = ["consensus"]


@click.command(short_help="Without gold: what several annotators agree on, and who differs.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@click.option("--gold", multiple=True, metavar="GOLD", help="Hold the consensus against this gold.")
@click.option(
    "--anchor",
    multiple=True,
    metavar="GOLD",
    help="A little gold that says where zero is, so that what all have alike can be seen.",
)
@click.option("--only", multiple=True, metavar="NAME", help="What this annotator drew; repeatable.")
@reading_options
@click.option("--gold-format", default="auto", metavar="NAME", help="Format of GOLD.")
@click.option(
    "--method",
    default="model",
    show_default=True,
    metavar="NAME",
    help="model, or a plain rule: median, mean, wbf, majority, cvat.",
)
@click.option(
    "--pair-iou",
    type=float,
    default=0.3,
    show_default=True,
    help="IoU from which on two boxes are rather one object than two.",
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Level.")
@click.option("--write", "target", metavar="FILE", help="Write the consensus as COCO JSON.")
@click.option("--json", "json_", metavar="FILE", help="Write all tables as JSON; - is stdout.")
@click.option("--csv", "csv_", metavar="DIR", help="Write the tables as CSV files.")
@click.option("--strict", is_flag=True, help="Refuse input that has unusable rows.")
@click.option("--all", "everything", is_flag=True, help="Show every annotator.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def consensus(
    work: tuple[str, ...], gold: tuple[str, ...], anchor: tuple[str, ...], **given: Any
) -> int:
    """Make a consensus of WORK (files, folders or globs), which several annotators drew.

    Offsets are from the median annotator: what all of them do alike cannot be seen without gold.
    """
    import annqc
    from annqc.cli._progress import Progress

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
        sides = {
            name: annqc.read(sources_of(paths), **said_of(given, gold=True), **reading)
            for name, paths in (("gold", gold), ("anchor", anchor))
            if paths
        }
        progress.step("consensus")
        found = annqc.consensus(
            data,
            gold=sides.get("anchor"),
            method=given["method"],
            pair_iou=given["pair_iou"],
            confidence=given["confidence"],
        )
        documents = {
            "bias": found.bias_columns(),
            "annotators": found.annotator_columns(),
            "objects": found.object_columns(),
            "suspicions": found.suspicion_columns,
        }
        if "gold" in sides:
            documents["comparison"] = found.comparison_columns(sides["gold"])
            documents["against"] = found.against_columns(sides["gold"])
        written = _write(found, documents, given, data, sides)
    if not given["quiet"] and given["json_"] != "-":
        from annqc.report.consensus import consensus_screen
        from annqc.report.terminal import make_console

        console = make_console()
        consensus_screen(console, found, sides.get("gold"), everything=given["everything"])
        say_written(console, written)
    return 0


def _write(
    found: Consensus,
    documents: dict[str, dict[str, Any]],
    given: dict[str, Any],
    work: Dataset,
    sides: dict[str, Dataset],
) -> list[str]:
    """Write the consensus and the tables that were asked for, and say what is where."""
    from annqc.run.consensus import ANCHORED, NOT_KNOWN
    from annqc.write import write_coco

    anchored = found.fit.links.anchored
    mind = [ANCHORED] * bool(anchored.any()) + [NOT_KNOWN] * (not anchored.all())
    document = {"mind": mind, **json_of_tables(documents, work=work, **sides)}
    target = [] if given["target"] is None else [given["target"]]
    written = write_documents(given, document, documents, [work, *sides.values()], targets=target)
    if target:
        write_coco(found.dataset, given["target"])
        written.append(f"the consensus in {given['target']}")
    return written
