"""Label Studio tasks (JSON) -> `Part`: rectangles, polygons and ellipses on images.

Coordinates are percent of the image, ``x / 100 * original_width``; without the size a region cannot
be read. A turned rectangle, which turns around its top-left corner, becomes a polygon. Brushes,
keypoints and regions of videos are listed and left out. Each annotation of a task is one person's:
whoever saved one was asked, and drew nothing where it is empty. Annotations that were skipped
(``was_cancelled``) say nothing. Predictions are read where no task has an annotation.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from annqc.read.files import source_of
from annqc.read.jsonrows import pieces_of, plain_row, read_each
from annqc.read.labelstudiorows import Tasks
from annqc.read.registry import NO, SURE, register_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.jsontext import Buffer
    from annqc.read.options import Options
    from annqc.read.part import Part

_OF_TASKS: Final = frozenset(("annotations", "predictions", "completions"))


def sniff(head: Head) -> int:
    """Tell tasks by their data beside annotations or predictions."""
    outline = head.outline
    if outline is None or outline.top != "[":
        return NO
    first = outline.first.get("")
    if first is not None:
        return SURE if "data" in first and _OF_TASKS.intersection(first) else NO
    text = head.text or ""  # the first task may be longer than what is in sight
    signs = ('"original_width"', '"from_name"', '"to_name"')
    return SURE if '"result"' in text and any(sign in text for sign in signs) else NO


@register_reader(
    "labelstudio",
    suffixes=(".json",),
    sniff=sniff,
    expects="Label Studio JSON: a list of tasks of 'data' and 'annotations', which have a 'result' "
    "of regions such as 'rectanglelabels'",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read Label Studio files, one part each."""
    return read_each(paths, partial(_read_one, options=options), tick)


def _read_one(data: Buffer, path: Path, *, options: Options) -> Part:
    """Decode one file, task by task; a single task may stand without a list."""
    import msgspec

    sections = [
        ("data", msgspec.Raw),
        *((name, msgspec.Raw, msgspec.Raw(b"null")) for name in sorted(_OF_TASKS)),
    ]
    what = "the JSON is not Label Studio"
    expected = "a list of tasks of 'data' and 'annotations' (export as JSON, not as JSON-MIN)"
    bare, decoded = pieces_of(data, path, sections, what, expected)
    found = [plain_row(one, path) for one in decoded] if bare else [plain_row(data, path)]
    drawn = any(
        isinstance(task, dict) and (task.get("annotations") or task.get("completions"))
        for task in found
    )
    tasks = Tasks(str(path), options, predictions=not drawn)
    for row, task in enumerate(found):
        tasks.add(row, task)
    return tasks.part([source_of(path, "labelstudio", tasks.n_rows)])
