"""The types that a COCO file is decoded into, made to measure after a look at a few rows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from json import JSONDecoder
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from annqc.read.options import ANNOTATOR_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from annqc.read.jsontext import Buffer

__all__ = ["SECTIONS", "Sample", "Types", "sample", "struct"]

_KNOWN: Final = frozenset(
    [
        "id",
        "image_id",
        "category_id",
        "bbox",
        "iscrowd",
        "ignore",
        "score",
        "attributes",
        "area",
        "segmentation",
    ]
)
_IMAGE_KNOWN: Final = frozenset(["id", "file_name", "width", "height"])
_WINDOW: Final = 1 << 16
_WINDOWS: Final = 12
_SEVERAL: Final = 20
_OBJECT: Final = re.compile(r"(?:^|[\[,])\s*(\{)")
_PARSER: Final = JSONDecoder()
_NO_BOX: Final = (math.nan,) * 4

SECTIONS: Final = ("annotations", "images", "categories", "assignments", "videos")
"""The lists of a COCO file that are read."""


class Types(NamedTuple):
    """What a file is decoded into; extra fields are the attributes ``extra0, extra1, ...``."""

    annotation: Any
    image: Any
    category: Any
    assignment: Any
    video: Any
    file: Any


@dataclass(frozen=True, slots=True)
class Sample:
    """What a look at a few annotations and images has shown.

    Attributes
    ----------
    extra, image_extra : tuple of str
        Fields with numbers, text or booleans beyond COCO's own.
    has_attributes : bool
        Whether annotations have an object ``attributes``.
    numbered : bool
        Whether all ids are whole numbers.
    shapes : bool
        Whether segmentations are wanted; annotations that have one need no box then.
    """

    extra: tuple[str, ...]
    image_extra: tuple[str, ...]
    has_attributes: bool
    numbered: bool
    shapes: bool = False

    def types(self, *, strict: bool) -> Types:
        """Return the types that follow: as the sample has them, or whatever can still be used."""
        return _types(
            self.extra,
            self.image_extra,
            has_attributes=self.has_attributes,
            numbered=self.numbered and strict,
            shapes=self.shapes,
            strict=strict,
        )


def sample(data: Buffer, wanted: str | None, *, shapes: bool = False) -> Sample:
    """Look at a few annotations from all over the file.

    Parameters
    ----------
    data : bytes-like
        The JSON text.
    wanted : str or None
        A field to read whether or not the sample has it.
    shapes : bool
        Whether segmentations are wanted.
    """
    annotations, images = _look(data)
    extra = _scalars(annotations, _KNOWN)
    if wanted and wanted not in (*_KNOWN, *extra) and _can_be_asked_for(wanted):
        extra = (*extra, wanted)
    ids = ("id", "image_id", "category_id")
    return Sample(
        extra,
        _scalars(images, _IMAGE_KNOWN),
        has_attributes=any("attributes" in one for one in annotations),
        numbered=all(type(one.get(name, 0)) is int for one in annotations for name in ids),
        shapes=shapes,
    )


@lru_cache(maxsize=64)
def _types(
    extra: tuple[str, ...],
    image_extra: tuple[str, ...],
    *,
    has_attributes: bool,
    numbered: bool,
    shapes: bool,
    strict: bool,
) -> Types:
    """Make the types. One kind of id and no union decodes faster."""
    import msgspec

    some_id: Any = int if numbered else int | str
    scalar: Any = int | float | str | bool | None if strict else Any
    box: Any = ("bbox", tuple[float, float, float, float])
    fields: list[Any] = [
        ("image_id", some_id),
        ("category_id", some_id),
        (*box, _NO_BOX) if shapes else box,
        ("id", some_id | None, None),
        ("iscrowd", int | bool | None, 0),
        ("ignore", int | bool | None, 0),
        ("score", float | None, None),
    ]
    if shapes:
        fields.sort(key=len)  # what must be there goes before what need not
        fields.append(("segmentation", msgspec.Raw, msgspec.Raw()))
    if has_attributes:
        fields.append(("attributes", Any, None))
    annotation = struct("Annotation", fields, extra, scalar)
    image = struct(
        "Image",
        [
            ("id", int | str),
            ("file_name", scalar, None),
            ("width", float | None if strict else Any, None),
            ("height", float | None if strict else Any, None),
        ],
        image_extra,
        scalar,
    )
    category = struct("Category", [("id", int | str), ("name", str | int | None, None)])
    who: list[Any] = [(name, int | str | None, None) for name in ANNOTATOR_FIELDS]
    assignment = struct("Assignment", [("image_id", int | str), *who])
    about: list[Any] = [(name, Any, None) for name in ("name", "length", "frame_rate", "fps")]
    video = struct("Video", [("id", int | str), *about])
    sections = zip(SECTIONS, (annotation, image, category, assignment, video), strict=True)
    file = struct("File", [(name, list[one] | None, None) for name, one in sections])  # type: ignore[valid-type]
    return Types(annotation, image, category, assignment, video, file)


def struct(name: str, fields: list[Any], extra: tuple[str, ...] = (), scalar: Any = None) -> Any:
    """Make a struct; extra fields may have any name in the file, and are numbered here."""
    import msgspec

    attributes = {f"extra{k}": given for k, given in enumerate(extra)}
    added = [(attribute, scalar, None) for attribute in attributes]
    return msgspec.defstruct(name, [*fields, *added], rename=attributes, gc=False)


def _look(data: Buffer) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return some annotations and images, from the start of each list and all over the file."""
    annotations: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    size = len(data)
    starts = {0}
    for name in (rb'"annotations"', rb'"images"'):
        match = re.search(name + rb"\s*:\s*\[", data)
        if match:
            starts.add(match.end())
    if size > _WINDOW:
        starts.update(size * part // _WINDOWS for part in range(1, _WINDOWS))
        starts.add(size - _WINDOW)
    for start in sorted(starts):
        for one in _objects(bytes(data[start : start + _WINDOW]).decode(errors="replace")):
            if "image_id" in one:
                if "bbox" in one or "category_id" in one:
                    annotations.append(one)
            elif "id" in one and "file_name" in one:
                images.append(one)
    return annotations, images


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield some objects of the list that a piece of JSON is cut from."""
    position, n, tries = 0, 0, 0
    while n < _SEVERAL and tries < 2 * _SEVERAL:
        tries += 1
        begin = _OBJECT.search(text, position)
        if begin is None:
            return
        position = begin.start(1)
        try:
            found, position = _PARSER.raw_decode(text, position)
        except (ValueError, RecursionError):  # no JSON here, or a number of thousands of digits
            position += 1
            continue
        n += 1
        if isinstance(found, dict):
            yield found


def _scalars(objects: list[dict[str, Any]], known: frozenset[str]) -> tuple[str, ...]:
    """Return the unknown fields with numbers, text or booleans, in order of appearance."""
    names = {
        name: None
        for one in objects
        for name, value in one.items()
        if name not in known and isinstance(value, (int, float, str, bool))
    }
    return tuple(filter(_can_be_asked_for, names))


def _can_be_asked_for(name: str) -> bool:
    """Whether the decoder takes a name: it matches the bytes of the file, without escapes."""
    return name.isprintable() and not set(name) & {'"', "\\"}
