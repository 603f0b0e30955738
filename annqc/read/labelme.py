"""LabelMe -> `Part`, one file an image: the XML of the web tool, and the JSON of the desktop tool.

Coordinates are continuous pixels and are taken as they stand. Polygons are outlines, rectangles are
boxes, circles become polygons, masks are decoded. In JSON, shapes of one label and one ``group_id``
are the parts of one object. Objects that are marked as deleted, and shapes without an area, are
listed and left out. The image is called by the name of the file without its ending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.errors import ReadError
from annqc.read.filepart import Gathered, all_of, image_names
from annqc.read.jsonrows import read_json
from annqc.read.labelmeshapes import Drawn, drawn_json, drawn_xml
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.registry import NO, SURE, register_reader
from annqc.read.vertices import VertexError
from annqc.read.xmltext import flag, parse_xml, positive
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.part import Part

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_ABOUT: Final = frozenset(("imagePath", "imageHeight", "imageWidth", "imageData"))


def sniff(head: Head) -> int:
    """Tell the XML by its polygons or image size, the JSON by its shapes."""
    text = head.text
    if text is None:
        return NO
    if text.lstrip().startswith("<"):
        if "<annotation" not in text or "<annotations" in text or "<bndbox" in text:
            return NO
        signs = ("<polygon", "<imagesize", "<segm>", "<sourceAnnotation>")
        return SURE if any(sign in text for sign in signs) else NO
    outline = head.outline
    if outline is None or outline.top != "{":
        return NO
    if outline.keys.get("shapes") == "[":
        first = outline.first.get("shapes", ())
        fits = "points" in first or bool(_ABOUT.intersection(outline.keys))
        return SURE if fits or "flags" in outline.keys else NO
    return SURE if {"imagePath", "imageData"} <= outline.keys.keys() else NO


@register_reader(
    "labelme",
    suffixes=(".xml", ".json"),
    sniff=sniff,
    expects="LabelMe, one file an image: XML of <annotation> with <object>s of <polygon>, or JSON "
    "of 'shapes' and 'imagePath'",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read LabelMe files, one part for all."""
    rows = Gathered("labelme", "object {}", options.named)
    drawn: list[Drawn] = []
    errors: list[ReadError] = []
    fields = [*ANNOTATOR_FIELDS, *([options.wanted] if options.wanted else [])]
    for path, id in zip(paths, image_names(paths, options.named), strict=True):
        try:
            if _is_json(path):
                document = _checked(read_json(path), path)
            else:
                root = parse_xml(path, "annotation", "LabelMe")
        except ReadError as error:
            errors.append(error)
        else:
            if _is_json(path):
                _add_json(rows, drawn, document, path, id, fields)
            else:
                _add_xml(rows, drawn, root, path, id, fields)
        tick(path)
    if errors:
        raise all_of(errors, len(paths))
    part = rows.part()
    rings = Shapes.from_rings([one.rings for one in drawn])
    masks = Shapes.from_runs([one.runs for one in drawn], [one.canvas for one in drawn])
    part.shapes = Shapes.mixed(rings, masks)
    return [part]


def _add_xml(
    rows: Gathered, drawn: list[Drawn], root: Element, path: Path, id: str, fields: list[str]
) -> None:
    """Add the objects of an XML file."""
    name = (root.findtext("filename") or "").strip() or None
    width, height = (positive(root.findtext(f"imagesize/{one}")) for one in ("ncols", "nrows"))
    size = None if width is None or height is None else (width, height)
    rows.add_file(path, id, name, size)
    who = {f: text for f in fields if f.isidentifier() and (text := root.findtext(f))}
    objects = root.findall("object")
    for number, one in enumerate(objects, start=1):
        label = _text(one, "name")
        if flag(one.findtext("deleted")) == 1:
            rows.bad(number, "deleted_object", f"{label or 'an object'} is marked as deleted")
            continue
        if label is None:
            rows.bad(number, "malformed", "there is no name")
            continue
        try:
            shape = drawn_xml(one, label, path)
        except VertexError as error:
            rows.bad(number, error.kind, error.message)
            continue
        user = next(
            (t for tag in ("polygon", "segm") if (t := _text(one, f"{tag}/username"))), None
        )
        own = {f: one.findtext(f) for f in fields if f.isidentifier()}
        extra: dict[str, Any] = {
            "occluded": flag(one.findtext("occluded")),
            "verified": flag(one.findtext("verified")),
            "attributes": _text(one, "attributes"),
            "part_of": _text(one, "parts/ispartof"),
            "created_at": _date(_text(one, "date")),
            **{f: own.get(f) or who.get(f) for f in own},
        }
        extra["username"] = extra.get("username") or user
        rows.add(number, shape.box, label, extra=extra)
        drawn.append(shape)
    rows.end_file(len(objects))


def _add_json(
    rows: Gathered,
    drawn: list[Drawn],
    document: dict[str, Any],
    path: Path,
    id: str,
    fields: list[str],
) -> None:
    """Add the shapes of a JSON file, the parts of one object as one."""
    name = document.get("imagePath")
    # Windows writes backslashes; the image is told by its name, wherever it lay.
    short = name.replace("\\", "/").rsplit("/", 1)[-1] if isinstance(name, str) else ""
    sides = (document.get("imageWidth"), document.get("imageHeight"))
    width, height = (positive(str(side)) if _is_number(side) else None for side in sides)
    size = None if width is None or height is None else (width, height)
    rows.add_file(path, id, short or None, size)
    shapes = document["shapes"]
    groups: dict[tuple[str, int | str], Drawn] = {}
    for number, one in enumerate(shapes, start=1):
        if not isinstance(one, dict):
            rows.bad(number, "malformed", f"expected an object, found {one!r:.60}")
            continue
        label = one.get("label")
        if not isinstance(label, str) or not label.strip():
            rows.bad(number, "malformed", "there is no label")
            continue
        try:
            shape = drawn_json(one, label, size)
        except VertexError as error:
            rows.bad(number, error.kind, error.message)
            continue
        group = one.get("group_id")
        grouped = isinstance(group, (int, str)) and not isinstance(group, bool) and shape.rings
        if grouped:
            first = groups.setdefault((label, group), shape)  # type: ignore[arg-type]
            if first is not shape:
                first.rings += shape.rings
                first.box = (float("nan"),) * 4
                continue
        flags = one.get("flags")
        extra = {
            "group_id": group if isinstance(group, (int, str)) else None,
            "description": one.get("description") or None,
            **{f: one.get(f, document.get(f)) for f in fields},
            **({k: v for k, v in flags.items() if v is True or v is False} if flags else {}),
        }
        simple = {k: v for k, v in extra.items() if isinstance(v, (str, int))}
        rows.add(number, shape.box, label.strip(), extra=simple)
        drawn.append(shape)
    rows.end_file(len(shapes))


def _checked(document: Any, path: Path) -> dict[str, Any]:
    """Return a document that has a list of shapes."""
    if isinstance(document, dict) and isinstance(document.get("shapes"), list):
        return document
    what = "the JSON is not LabelMe"
    found = f"a {type(document).__name__}"
    if isinstance(document, dict):
        found = "the keys " + (", ".join(map(repr, list(document)[:8])) or "(none)")
    expected = "an object with 'shapes', a list"
    raise ReadError(what, where=str(path), expected=expected, found=found)


def _is_json(path: Path) -> bool:
    """Whether a file is JSON by its name: a reader that is forced gets files of any content."""
    return path.suffix.lower() == ".json"


def _is_number(value: Any) -> bool:
    """Whether this is a number, and no text or boolean."""
    return type(value) in (int, float)


def _text(one: Element, tag: str) -> str | None:
    """Return the text of an element, None where there is none."""
    return (one.findtext(tag) or "").strip() or None


def _date(text: str | None) -> str | None:
    """Return ``07-Jun-2018 18:02:05`` as ``2018-06-07T18:02:05``; anything else as it is."""
    if text is None:
        return None
    day, _, time = text.partition(" ")
    parts = day.split("-")
    if len(parts) != 3 or parts[1].lower() not in _MONTHS:
        return text
    month = _MONTHS.index(parts[1].lower()) + 1
    return f"{parts[2]}-{month:02d}-{parts[0]:0>2}" + (f"T{time.strip()}" if time else "")
