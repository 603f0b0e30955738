"""Pascal VOC XML -> `Part`: one file an image.

Boxes are 1-based and inclusive, so x1 = xmin - 1, y1 = ymin - 1, x2 = xmax, y2 = ymax: a box from
pixel 1 to pixel 640 is 640 pixels wide. Where xmin = xmax, a click was stored and no box was drawn:
by the letter one pixel wide, it counts as having no size. ``difficult`` objects are ignored;
``truncated``, ``occluded`` and ``pose`` are kept as columns. The image is called by the name of the
file without its ending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from annqc.errors import ReadError
from annqc.read.filepart import Gathered, image_names
from annqc.read.heads import cannot_open
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.registry import EMPTY, NO, SURE, register_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.part import Part

_SIDES: Final = ("xmin", "ymin", "xmax", "ymax")
_DEEPEST: Final = 100


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
    rows = Gathered("voc", "object {}")
    errors: list[ReadError] = []
    fields = [*ANNOTATOR_FIELDS, *([options.wanted] if options.wanted else [])]
    for path, id in zip(paths, image_names(paths), strict=True):
        try:
            root = _parse(path)
        except ReadError as error:
            errors.append(error)
        else:
            _add_image(rows, root, path, id, fields)
        tick(path)
    if errors:
        raise _all_of(errors, len(paths))
    part = rows.part()
    if options.categories:
        part.categories = None
    return [part]


def _add_image(rows: Gathered, root: Element, path: Path, id: str, fields: list[str]) -> None:
    """Add the objects of one image."""
    name = (root.findtext("filename") or "").strip() or None
    width, height = (_positive(root.findtext(f"size/{side}")) for side in ("width", "height"))
    size = None if width is None or height is None else (width, height)
    rows.add_file(path, id, name, size)
    who = {f: text for f in fields if f.isidentifier() and (text := root.findtext(f))}
    objects = root.findall("object")
    for number, one in enumerate(objects, start=1):
        label = (one.findtext("name") or "").strip()
        texts = [one.findtext(f"bndbox/{side}") for side in _SIDES]
        sides = [_float(text) for text in texts]
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
                ignored=_flag(one.findtext("difficult")) == 1,
                extra={
                    "truncated": _flag(one.findtext("truncated")),
                    "occluded": _flag(one.findtext("occluded")),
                    "pose": (one.findtext("pose") or "").strip() or None,
                    **{f: one.findtext(f) or who.get(f) for f in fields if f.isidentifier()},
                },
            )
    rows.end_file(len(objects))


def _parse(path: Path) -> Element:
    """Parse XML without document types, which are the door to entities and to other files."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot_open(path, error) from None
    if not data.strip():
        what = "the file is empty"
        raise ReadError(what, where=str(path), expected="Pascal VOC XML")
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def start(tag: str, attributes: dict[str, Any]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            what = "the XML is nested too deeply"
            where = f"{path}, line {parser.CurrentLineNumber}"
            raise ReadError(what, where=where, expected=f"at most {_DEEPEST} levels")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> NoReturn:
        what = "the XML has a document type, and is not read"
        hint = "a document type can name other files: delete the <!DOCTYPE ...> part"
        raise ReadError(what, where=f"{path}, line {parser.CurrentLineNumber}", hint=hint)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, ReadError):
            raise
        what = "the file is no valid XML"
        where = f"{path}, line {parser.ErrorLineNumber}, column {parser.ErrorColumnNumber + 1}"
        cut = parser.ErrorByteIndex >= len(data.rstrip()) - 1
        hint = "the file may have been cut off: get it again" if cut else None
        raise ReadError(what, where=where, found=str(error), hint=hint) from None
    root = builder.close()
    if root.tag != "annotation":
        what = "the XML is not Pascal VOC"
        found = f"<{root.tag:.60}>"
        raise ReadError(
            what, where=str(path), expected="the root element <annotation>", found=found
        )
    return root


def _all_of(errors: list[ReadError], n: int) -> ReadError:
    """Return one error for the files that are no VOC."""
    if len(errors) == 1:
        return errors[0]
    what = f"{len(errors)} of {n} files cannot be read"
    shown = "\n    ".join(f"{error.where}: {error.what} ({error.found})" for error in errors[:5])
    return ReadError(what, where=shown, hint=errors[0].hint)


def _float(text: str | None) -> float | None:
    """Return text as a number, None where it is none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _positive(text: str | None) -> float | None:
    """Return a side of an image; 0 stands for unknown."""
    side = _float(text)
    return side if side is not None and 0 < side < float("inf") else None


def _flag(text: str | None) -> int | None:
    """Return a flag as 0 or 1, None where it is not given."""
    if text is None or not text.strip():
        return None
    return int(text.strip().lower() in ("1", "true", "yes"))
