"""COCO for video, as YouTube-VIS has it -> `Part`: one annotation a track, lists along the frames.

``videos`` have ``file_names``, annotations have ``bboxes`` and ``segmentations`` with one entry a
frame, null where the object is not there. Boxes are ``[x, y, width, height]`` in continuous pixels
and are taken as they stand. Frames are numbered from 0, as the lists are. Outlines are read where
they are asked for, and where an object has no box. A list of results (``video_id``, ``score``,
``category_id``, ``segmentations``) is read as well.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from annqc.errors import ReadError
from annqc.read.cocovideorows import Objects
from annqc.read.files import source_of
from annqc.read.jsonrows import pieces_of, plain_row, read_each
from annqc.read.registry import NO, SURE, register_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.jsontext import Buffer
    from annqc.read.options import Options
    from annqc.read.part import Part

_ALONG: Final = frozenset(("bboxes", "segmentations"))
_SECTIONS: Final = ("videos", "annotations", "categories")
_SEVERAL: Final = re.compile(r'"(?:bboxes|segmentations)"\s*:\s*\[')


def sniff(head: Head) -> int:
    """Tell it by annotations that are of a video and not of an image, or by videos with files."""
    outline = head.outline
    if outline is None:
        return NO
    text = head.text or ""
    if outline.top == "[":
        first = outline.first.get("", ())
        fits = "video_id" in first and _ALONG.intersection(first)
        cut = not first and '"video_id"' in text and _SEVERAL.search(text) is not None
        return SURE if fits or cut else NO
    if "images" in outline.keys:
        return NO
    lists = {key for key, sign in outline.keys.items() if sign == "["}
    if "file_names" in outline.first.get("videos", ()):
        return SURE
    first = outline.first.get("annotations", ())
    if "annotations" in lists and "image_id" not in first:
        if "video_id" in first and _ALONG.intersection(first):
            return SURE
        cut = not first and '"image_id"' not in text and '"video_id"' in text
        return SURE if cut and _SEVERAL.search(text) else NO
    return SURE if "videos" in lists and '"file_names"' in text else NO


@register_reader(
    "cocovideo",
    suffixes=(".json",),
    sniff=sniff,
    expects="COCO JSON for video (YouTube-VIS): videos with file_names, and annotations with "
    "video_id, bboxes and segmentations, one entry a frame",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read COCO files for video, one part each."""
    return read_each(paths, partial(_read_one, options=options), tick)


def _read_one(data: Buffer, path: Path, *, options: Options) -> Part:
    """Decode one file, annotation by annotation."""
    import msgspec

    sections = [(name, list[msgspec.Raw] | None, None) for name in _SECTIONS]
    what = "the JSON is not COCO for video"
    expected = "lists under 'videos', 'annotations' and 'categories', or a list of results"
    bare, decoded = pieces_of(data, path, sections, what, expected)
    annotations = decoded if bare else decoded.annotations
    if annotations is None:
        what = "the file has no annotations"
        expected = "a list under the key 'annotations'"
        raise ReadError(what, where=str(path), expected=expected, found="no such key")
    videos, categories = (None, None) if bare else (decoded.videos, decoded.categories)
    objects = Objects(str(path), options, "[{}]" if bare else "annotations[{}]")
    for row, text in enumerate(videos or ()):
        objects.add_video(row, plain_row(text, path))
    for text in categories or ():
        objects.add_category(plain_row(text, path))
    for row, text in enumerate(annotations):
        objects.add(row, plain_row(text, path), declared=videos is not None)
    return objects.part([source_of(path, "cocovideo", objects.n_rows)])
