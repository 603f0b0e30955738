"""CVAT XML 1.1 -> `Part`: "for images" and "for video", one part a file.

Coordinates are continuous pixels and are taken as they stand. Polygons, masks, ellipses and turned
boxes are outlines. A video has a frame for every number that its task declares, whether or not
anything is drawn on it. Shapes that are ``outside`` say that an object is not there, and are no
rows. Frames that a file leaves to CVAT are filled, see `annqc.read.cvattracks`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from annqc.read.cvatmeta import meta_of
from annqc.read.cvatrows import Rows, attributes_of, told
from annqc.read.cvatshapes import SHAPES, geometry_of
from annqc.read.cvatvideo import LAST_FRAME, add_tracks
from annqc.read.files import collector_paused, owner, shown, source_of
from annqc.read.heads import past_prolog
from annqc.read.registry import EMPTY, NO, SURE, register_reader
from annqc.read.vertices import VertexError
from annqc.read.xmltext import parse_xml, positive, whole_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from annqc.read.cvatmeta import Meta
    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.part import Part

_ROOT: Final = re.compile(r"<annotations[\s>/]")
_SIGNS: Final = ("<track", "<image", "<meta")


def sniff(head: Head) -> int:
    """Tell CVAT by its root element, and by what is in it."""
    text = head.text
    if text is None or _ROOT.match(past_prolog(text)) is None:
        return NO
    return SURE if any(sign in text for sign in _SIGNS) else EMPTY


@register_reader(
    "cvat",
    suffixes=(".xml",),
    sniff=sniff,
    expects="CVAT XML 1.1: <annotations> with <image>s of <box>, <polygon> and <mask>, or with "
    "<track>s of those on frames",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read CVAT files, one part each."""
    parts = []
    for path in paths:
        with collector_paused():
            parts.append(_read_one(path, options))
        tick(path)
    return parts


def _read_one(path: Path, options: Options) -> Part:
    """Read one file."""
    root = parse_xml(path, "annotations", "CVAT XML")
    meta = meta_of(root, path)
    rows = Rows(str(path), options, meta)
    images = [one for one in root if one.tag == "image"]
    number = _add_images(rows, images, meta)
    add_tracks(rows, root, meta, number)
    _add_empty_videos(rows, meta, whole=not images)
    part = rows.part([source_of(path, "cvat", rows.n_rows)])
    if options.categories:
        part.categories = None
    if any(task.is_named and task.name == shown(path.stem) for task in meta.tasks):
        part.drawn_by = [owner(path)[0]]  # the file is called after its video
    return part


def _add_images(rows: Rows, images: Sequence[Element], meta: Meta) -> int:
    """Add the shapes of images; return how many shapes there are."""
    number = 0
    for one, name in zip(images, _names(images), strict=True):
        task = meta.task_of(one.get("task_id"))
        width, height = (positive(one.get(side)) for side in ("width", "height"))
        size = None if width is None or height is None else (width, height)
        frame = whole_or_none(one.get("id")) if task.is_video else None
        shapes = [shape for shape in one if shape.tag in SHAPES]
        if frame is not None and abs(frame) > LAST_FRAME:
            message = f"image {name!r:.60}: expected a frame from 0 to {LAST_FRAME}, found {frame}"
            for k in range(max(len(shapes), 1)):
                rows.bad(number + min(k + 1, len(shapes)), "bad_frame", message, None)
            number += len(shapes)
            continue
        at = rows.image(name, task, size) if frame is None else rows.frame(task, frame, size)
        for shape in shapes:
            number += 1
            label = (shape.get("label") or "").strip()
            try:
                geometry = geometry_of(shape, label)
                extra = {**told(shape), **attributes_of(shape, meta.types)}
                rows.add(number, geometry, label, at, extra)
            except VertexError as error:
                rows.bad(number, error.kind, f"{label!r}: {error.message}", at)
    return number


def _names(images: Sequence[Element]) -> list[Any]:
    """Return what each image is called: names that a project has twice begin with the subset."""
    names = [(one.get("name") or one.get("id") or "").strip() for one in images]
    for key in ("subset", "task_id"):
        twice = {name for name, count in Counter(names).items() if count > 1}
        names = [
            f"{one.get(key)}/{name}" if name in twice and one.get(key) else name
            for one, name in zip(images, names, strict=True)
        ]
    return names


def _add_empty_videos(rows: Rows, meta: Meta, *, whole: bool) -> None:
    """Add the frames of videos on which nothing at all is drawn."""
    for task in meta.tasks:
        if task.frames is not None and task.all_known and whole:
            rows.all_frames(task)
