"""Pascal VOC XML -> `Part`: one file an image.

Boxes are 1-based and inclusive, so x1 = xmin - 1, y1 = ymin - 1, x2 = xmax, y2 = ymax: a box from
pixel 1 to pixel 640 is 640 pixels wide. Where xmin = xmax, a click was stored and no box was drawn:
by the letter one pixel wide, it counts as having no size. ``difficult`` objects are ignored;
``truncated``, ``occluded`` and ``pose`` are kept as columns. The image is called by the name of the
file without its ending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from annqc.errors import ReadError
from annqc.read.filepart import Gathered, all_of, image_names
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.registry import EMPTY, NO, SURE, register_reader
from annqc.read.xmltext import flag, number_or_none, parse_xml, positive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.part import Part

_SIDES: Final = ("xmin", "ymin", "xmax", "ymax")


def sniff(head: Head) -> int:
    """Tell VOC by its root element and by what is in it."""
    text = head.text
    if text is None or not text.lstrip().startswith("<") or "<annotation" not in text:
        return NO
    if "<annotations" in text:  # CVAT
        return NO
    if "<bndbox" in text:
        return SURE
    if "<polygon" in text or "<imagesize" in text:  # LabelMe
        return NO
    return SURE if "<segmented" in text or "<size" in text else EMPTY


@register_reader(
    "voc",
    suffixes=(".xml",),
    sniff=sniff,
    expects="Pascal VOC XML, one file an image: <annotation> with <object>s of <name> and <bndbox>",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read VOC files, one part for all."""
    rows = Gathered("voc", "object {}", options.named)
    errors: list[ReadError] = []
    fields = [*ANNOTATOR_FIELDS, *([options.wanted] if options.wanted else [])]
    for path, id in zip(paths, image_names(paths, options.named), strict=True):
        try:
            root = parse_xml(path, "annotation", "Pascal VOC")
        except ReadError as error:
            errors.append(error)
        else:
            _add_image(rows, root, path, id, fields)
        tick(path)
    if errors:
        raise all_of(errors, len(paths))
    part = rows.part()
    if options.categories:
        part.categories = None
    return [part]


def _add_image(rows: Gathered, root: Element, path: Path, id: str, fields: list[str]) -> None:
    """Add the objects of one image."""
    name = (root.findtext("filename") or "").strip() or None
    width, height = (positive(root.findtext(f"size/{side}")) for side in ("width", "height"))
    size = None if width is None or height is None else (width, height)
    rows.add_file(path, id, name, size)
    who = {f: text for f in fields if f.isidentifier() and (text := root.findtext(f))}
    objects = root.findall("object")
    for number, one in enumerate(objects, start=1):
        label = (one.findtext("name") or "").strip()
        texts = [one.findtext(f"bndbox/{side}") for side in _SIDES]
        sides = [number_or_none(text) for text in texts]
        absent = [side for side, text in zip(_SIDES, texts, strict=True) if text is None]
        if len(absent) == 4:
            rows.bad(number, "malformed", "there is no bndbox")
        elif absent:
            rows.bad(number, "malformed", "bndbox has no " + ", ".join(absent))
        elif None in sides:
            found = next(text for text, side in zip(texts, sides, strict=True) if side is None)
            rows.bad(number, "malformed", f"expected a number in bndbox, found {found!r:.60}")
        elif not label:
            rows.bad(number, "malformed", "there is no name")
        else:
            xmin, ymin, xmax, ymax = (side for side in sides if side is not None)
            x1 = xmin if xmin == xmax else xmin - 1
            y1 = ymin if ymin == ymax else ymin - 1
            rows.add(
                number,
                (x1, y1, xmax, ymax),
                label,
                ignored=flag(one.findtext("difficult")) == 1,
                extra={
                    "truncated": flag(one.findtext("truncated")),
                    "occluded": flag(one.findtext("occluded")),
                    "pose": (one.findtext("pose") or "").strip() or None,
                    **{f: one.findtext(f) or who.get(f) for f in fields if f.isidentifier()},
                },
            )
    rows.end_file(len(objects))
