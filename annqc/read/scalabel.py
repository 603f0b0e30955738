"""Scalabel and BDD100K JSON -> `Part`: a list of frames with labels, or an object with such a list.

``box2d`` names the first and the last pixel of a box, as Scalabel's own toolkit reads it, so that
x2 and y2 grow by 1. Vertices of ``poly2d`` are continuous pixels and are taken as they stand.
Frames with ``videoName`` and ``frameIndex`` are those of a video, and the ids of their labels are
tracks. Labels that are marked as ``crowd`` or ``ignored`` count as such.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from annqc.read.files import owner, shown, source_of
from annqc.read.jsonrows import pieces_of, plain_row, read_each
from annqc.read.registry import EMPTY, NO, SURE, register_reader
from annqc.read.scalabelrows import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.jsontext import Buffer
    from annqc.read.options import Options
    from annqc.read.part import Part

_OF_FRAMES: Final = frozenset(
    ("labels", "videoName", "video_name", "frameIndex", "frame_index", "timestamp")
)
_LABELS: Final = re.compile(r'"labels"\s*:\s*\[')
_SHAPE: Final = re.compile(r'"(?:box2d|box3d|poly2d|rle|graph)"\s*:')


def sniff(head: Head) -> int:
    """Tell Scalabel by its frames, which have a name and labels."""
    outline = head.outline
    if outline is None:
        return NO
    if outline.top == "[":
        first = outline.first.get("")
    elif outline.keys.get("frames") == "[":
        first = outline.first.get("frames")
    else:
        return NO
    if first:
        if "name" not in first or "image_id" in first:
            return NO
        if _OF_FRAMES.intersection(first):
            return SURE
        return EMPTY if set(first) <= {"name", "url", "attributes", "size"} else NO
    text = head.text or ""  # the first frame may be longer than what is in sight
    return SURE if _LABELS.search(text) and _SHAPE.search(text) else NO


@register_reader(
    "scalabel",
    suffixes=(".json",),
    sniff=sniff,
    expects="Scalabel or BDD100K JSON: a list of frames, or an object with 'frames', of 'name' and "
    "'labels' with 'category' and 'box2d', 'poly2d' or 'rle'",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read Scalabel files, one part each."""
    return read_each(paths, partial(_read_one, options=options), tick)


def _read_one(data: Buffer, path: Path, *, options: Options) -> Part:
    """Decode one file, frame by frame."""
    import msgspec

    sections = [("frames", list[msgspec.Raw]), ("config", msgspec.Raw, msgspec.Raw(b"null"))]
    what = "the JSON is not Scalabel"
    expected = "a list of frames, or an object with such a list under 'frames'"
    bare, decoded = pieces_of(data, path, sections, what, expected)
    frames = Frames(str(path), options, None if bare else plain_row(decoded.config, path))
    for row, text in enumerate(decoded if bare else decoded.frames):
        frames.add(row, plain_row(text, path))
    part = frames.part([source_of(path, "scalabel", frames.n_rows)])
    videos = [] if part.sequences is None else part.sequences.id.tolist()
    if videos == [shown(path.stem)]:
        part.drawn_by = [owner(path)[0]]  # the file is called after its video
    return part
