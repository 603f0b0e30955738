"""report: what is wrong with the rows of an input, for ``annqc lint``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.text import Text

from annqc.geometry.polygons import signed_areas
from annqc.judge.wording import number_of
from annqc.read.problems import KINDS
from annqc.report.grid import hanging
from annqc.report.plain import clean_text
from annqc.shapes import BOX_ONLY, MASK, POLYGON

if TYPE_CHECKING:
    from rich.console import Console

    from annqc.tables import Dataset, Problem, Source

__all__ = ["lint_screen"]

N_EACH: Final = 3


def lint_screen(console: Console, dataset: Dataset, *, everything: bool = False) -> None:
    """Print every kind of problem with its count, what it means, and where it stands.

    Parameters
    ----------
    console : Console
        Where to; see `annqc.report.terminal.make_console`.
    dataset : Dataset
        What was read.
    everything : bool
        Every row, and not the first few of a kind.
    """
    formats = ", ".join(
        number_of(n, f"{name} file") for name, n in Counter(map(_format, dataset.sources)).items()
    )
    usable = "is" if len(dataset) == 1 else "are"
    lines = hanging(
        f"Read {formats}: {number_of(dataset.n_rows, 'row')}, "
        f"of which {len(dataset):,} {usable} usable; "
        f"{number_of(len(dataset.image_table), 'image')}, "
        f"{number_of(len(dataset.annotator_ids), 'annotator')}, "
        f"{number_of(len(dataset.category_ids), 'category', 'categories')}",
        console.width,
        indent=0,
    )
    if len(dataset.sources) == 1 and dataset.issues:  # of one file, rows are told without its name
        path = clean_text(dataset.sources[0].path, width=400)
        lines += hanging(f"The file: {path}", console.width, indent=0)
    if outlines := outlines_text(dataset):
        lines += hanging(outlines, console.width, indent=0)
    for line in lines:
        # a path that is wider than the screen must stay whole to be of use
        console.print(Text(line), no_wrap=True, crop=False, overflow="ignore")
    if not dataset.issues:
        console.print(Text("No problems.", style="green"))
        return
    counts = Counter((one.severity, one.kind) for one in dataset.issues)
    one_file = len(dataset.sources) == 1
    for (severity, kind), n in sorted(counts.items(), key=lambda pair: (pair[0][0], -pair[1])):
        console.print()
        style = "bold red" if severity == "dropped" else "bold yellow"
        said = KINDS[kind].explanation if kind in KINDS else ""
        title, *rest = hanging(
            f"{n:,} {severity}: {kind}  {said}".rstrip(), console.width, indent=0
        )
        head = f"{n:,} {severity}: {kind}"
        console.print(Text.assemble((title[: len(head)], style), title[len(head) :]))
        for line in rest:
            console.print(Text(line))
        found = [one for one in dataset.issues if (one.severity, one.kind) == (severity, kind)]
        for one in found if everything else found[:N_EACH]:
            text = _text(one, one_file=one_file)
            # The whole list is for tools such as grep: one line a row, however long.
            for line in [f"  {text}"] if everything else hanging(text, console.width):
                console.print(Text(line), no_wrap=True, crop=False, overflow="ignore")
        if len(found) > N_EACH and not everything:
            console.print(Text(f"  and {len(found) - N_EACH:,} more: --all", style="dim"))


def outlines_text(dataset: Dataset) -> str:
    """Say how many outlines there are, and how many of their rings are holes; empty for none.

    Parameters
    ----------
    dataset : Dataset
        What was read.
    """
    shapes = dataset.table.shapes
    if shapes is None or not (shapes.kind != BOX_ONLY).any():
        return ""
    areas = signed_areas(shapes.points, shapes.ring_offsets)
    n_polygons, n_masks = ((shapes.kind == kind).sum() for kind in (POLYGON, MASK))
    said = []
    if n_polygons:
        rings, holes = number_of(len(areas), "ring"), number_of(int((areas < 0).sum()), "hole")
        said.append(f"{number_of(int(n_polygons), 'polygon')} of {rings}, {holes} among them")
    if n_masks:
        said.append(number_of(int(n_masks), "mask"))
    return "Outlines: " + "; ".join(said)


def _format(source: Source) -> str:
    """Name the format of a file; one that is empty could be of several."""
    return "empty" if source.mtime_ns and not source.size else source.format


def _text(one: Problem, *, one_file: bool) -> str:
    place = one.where if one_file else f"{one.source}, {one.where}"
    ids = [
        f"{name} {clean_text(value, width=40)}"
        for name, value in (
            ("annotation", one.annotation_id),
            ("image", one.image_id),
            ("annotator", one.annotator),
        )
        if value is not None
    ]
    about = f" ({', '.join(ids)})" if ids else ""
    return f"{clean_text(place)}{about}: {clean_text(one.message)}"
