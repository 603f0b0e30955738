"""``annqc review``: the annotations to look at first, for a person and for annotation tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from annqc.cli._options import (
    asides_of,
    reading_options,
    said_of,
    sources_of,
    write_stdout,
)

if TYPE_CHECKING:
    from annqc.errors import AnnqcError
    from annqc.report.review import Review

    Failed = dict[str, AnnqcError]

__all__ = ["review"]

FILES: Final = {
    "label_studio": ("to_label_studio", "Label Studio tasks"),
    "fiftyone": ("to_fiftyone", "FiftyOne samples"),
    "csv_": ("to_csv", "the queue"),
    "coco": ("to_coco", "COCO"),
    "cvat": ("to_cvat", "CVAT XML"),
}
"""Options that name a file -> what writes it, and what it is called."""


@click.command(short_help="What to look at first, for a person or an annotation tool.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@click.option("--gold", multiple=True, metavar="GOLD", help="What is trusted; else a consensus.")
@reading_options
@click.option("--gold-format", default="auto", metavar="NAME", help="Format of GOLD.")
@click.option(
    "--tolerance",
    default="max(1 px, 2 %)",
    metavar="TEXT",
    show_default=True,
    help="Largest offset that is no bias.",
)
@click.option(
    "--top", type=click.IntRange(min=1), default=100, show_default=True, help="So many at most."
)
@click.option("--by-image", is_flag=True, help="What is on one image together, to open it once.")
@click.option(
    "--url",
    metavar="PATTERN",
    help="Links, such as https://cvat.example/tasks/3?frame={frame}; also {image_id}, {file_name} "
    "and {annotation_id}.",
)
@click.option("--csv", "csv_", metavar="FILE", help="Write the queue as a table.")
@click.option("--coco", metavar="FILE", help="Write it as COCO JSON.")
@click.option("--cvat", metavar="FILE", help="Write it as CVAT XML.")
@click.option("--label-studio", metavar="FILE", help="Write it as Label Studio tasks.")
@click.option(
    "--images",
    metavar="DIR|PATTERN",
    help="A folder, for the sizes of images; or where Label Studio finds one, such as "
    "/data/local-files/?d=photos/{file_name}.",
)
@click.option("--fiftyone", metavar="FILE", help="Write it as FiftyOne samples.")
@click.option("--json", "json_", metavar="FILE", help="Write the queue as JSON; - is stdout.")
@click.option(
    "--shapes", is_flag=True, help="Compare outlines too, where COCO has polygons or masks."
)
@click.option("--strict", is_flag=True, help="Refuse input that has unusable rows.")
@click.option("--all", "everything", is_flag=True, help="Print every row of the queue.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def review(work: tuple[str, ...], gold: tuple[str, ...], **given: Any) -> int:
    """Rank what is in WORK by what a look at it is expected to gain.

    With gold everybody is compared with it, without gold with a consensus of the others. It judges
    nothing, and exits with 0 whatever it found. Where a file cannot be written the others are, and
    it exits with 2.
    """
    import annqc
    from annqc.cli._progress import Progress
    from annqc.read.names import gold_rule
    from annqc.report.review.links import LinkPattern

    folder = _folder_of(given)
    for pattern in (given["url"], given["images"]):
        if pattern is not None:
            LinkPattern.parse(pattern)  # before any work is done
    with Progress(3, quiet=given["quiet"]) as progress:
        progress.step("reading")
        shared = {"strict": given["strict"], "progress": progress.file}
        rule = given["annotator"]
        sides = [annqc.read(sources_of(work), annotator=rule, **said_of(given), **shared)]
        if gold:
            source, said = sources_of(gold), said_of(given, gold=True)
            said["annotator"] = gold_rule(rule, source)
            sides.append(annqc.read(source, **said, **shared))
        _check_targets(given, sides)
        if folder is not None:
            from annqc.report.imagesizes import with_sizes

            sides = [with_sizes(side, folder) for side in sides]
        progress.step("comparing")
        made = annqc.audit(*sides, tolerance=given["tolerance"])
        progress.step("ranking")
        queue = made.review(top=given["top"], by_image=given["by_image"], url=given["url"])
        written, failed = _write(queue, given)
    if not given["quiet"] and given["json_"] != "-":
        from annqc.report.plain import clean_text
        from annqc.report.review.screen import review_screen
        from annqc.report.terminal import make_console

        console = make_console()
        review_screen(console, queue, everything=given["everything"], url=given["url"])
        if written:
            console.print()
            console.print(clean_text("Written: " + ", ".join(written)), soft_wrap=True)
    if failed:
        raise _not_written(queue, written, failed, folder)
    return 0


def _folder_of(given: dict[str, Any]) -> Path | None:
    """Take a folder of images out of the options; what is none is a pattern."""
    if given["images"] is None:
        return None
    folder = Path(given["images"])
    try:
        is_folder = folder.is_dir()
    except (OSError, ValueError):
        is_folder = False
    if is_folder:
        given["images"] = None
        return folder
    if "{" not in given["images"]:
        message = f"--images: there is no folder {folder}, and a pattern has {{file_name}} in it"
        raise click.UsageError(message)
    return None


def _check_targets(given: dict[str, Any], sides: list[Any]) -> None:
    """Refuse outputs that would replace an input, or one another, before any work is done."""
    from annqc.report.files import refuse_missing_folder, refuse_same_targets, spare_inputs

    options = {name: given[name] for name in (*FILES, "json_")}
    targets = [Path(one) for one in options.values() if one not in {None, "-"}]
    spare_inputs(targets, sides, also=asides_of(given))
    for target in targets:
        refuse_missing_folder(target)
    refuse_same_targets(targets)


def _write(queue: Review, given: dict[str, Any]) -> tuple[list[str], Failed]:
    """Write what was asked for; return what is where, and what could not be written."""
    from annqc.errors import AnnqcError

    written: list[str] = []
    failed: Failed = {}
    for name, (writer, what) in (*FILES.items(), ("json_", (None, "JSON"))):
        if given[name] is None:
            continue
        more = {"images": given["images"]} if name == "label_studio" else {}
        place = f"{what} in {given[name]}"
        try:
            if writer is None:
                _write_json(queue, given[name])
            else:
                getattr(queue, writer)(given[name], **more)
        except AnnqcError as error:
            failed[place] = error
        else:
            written.append(place)
    return written, failed


def _write_json(queue: Review, target: str) -> None:
    from annqc.report.files import whole_file
    from annqc.report.json import encode, input_rows, rows_of
    from annqc.report.review.screen import WITHOUT_GOLD

    sides = {"work": queue.run.candidate}
    if not queue.without_gold:
        sides["gold"] = queue.run.reference
    document = {
        "mind": WITHOUT_GOLD if queue.without_gold else None,
        "inputs": input_rows(**sides),
        "counts": queue.counts,
        "queue": rows_of(queue.columns),
    }
    if target == "-":
        write_stdout(encode(document))
        return
    with whole_file(Path(target)) as file:
        file.write(encode(document))


def _not_written(
    queue: Review, written: list[str], failed: Failed, folder: Path | None
) -> AnnqcError:
    """Say what was not written and why, and that the rest was."""
    from annqc.errors import AnnqcError, TableError

    errors = list(failed.values())
    what = f"{', '.join(failed)}: not written; written: {', '.join(written) or 'nothing'}"
    found = [": ".join(part for part in (one.what, one.found) if part) for one in errors]
    hints = [one.hint for one in errors if one.hint]
    if folder is not None and any(isinstance(one, TableError) for one in errors):
        from annqc.report.imagesizes import why_unknown

        why = why_unknown(queue.subset.queue, folder)
        found += [f"in {folder}: " + "; ".join(f"{n:,} x {one}" for one, n in why.items())]
    return AnnqcError(
        what,
        where=", ".join(dict.fromkeys(one.where for one in errors if one.where)),
        found="; ".join(dict.fromkeys(found)),
        hint="; ".join(dict.fromkeys(hints)),
    )
