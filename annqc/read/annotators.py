"""Who drew what: from a field, from the name of the file or its folder, or one name for all."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError, UnknownNameError, did_you_mean
from annqc.ids import encode, ids_array
from annqc.read.files import owner, shown
from annqc.read.names import names_from
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.part import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.read.part import Part

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["ANONYMOUS", "NOBODY", "Drawn", "annotators_of"]

ANONYMOUS: Final = "anonymous"
"""``annotator=`` where nobody is to be told from others, and the name that stands for all."""

NOBODY: Final = "(unknown)"
"""The annotator of a row that does not say who drew it."""

_WHERE: Final = "--annotator (annotator= in Python)"
_MOST_FIELDS: Final = 20
_BOOKKEEPING: Final = frozenset(
    ("id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "ignore", "score")
)
"""Fields of a row that never say who drew it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Who drew the rows of one part.

    Attributes
    ----------
    codes : (n,) int64
        Annotator of each row, as a row number of ``ids``.
    ids : (k,) int64 or object
        The annotators; where ``by_file``, the annotator of each file.
    by_file : bool
        Whether each file is of one annotator.
    nobody : (m,) int64
        Rows that do not say.
    """

    codes: Ints
    ids: Array
    by_file: bool
    nobody: Ints

    def of(self, row: int) -> object:
        """Return the annotator of a row."""
        return plain(self.ids[self.codes[row]])


def annotators_of(parts: Sequence[Part], annotator: object) -> list[Drawn]:
    """Resolve ``annotator=`` over all parts; a field that is used leaves the part's extra columns.

    Parameters
    ----------
    parts : sequence of Part
        What the readers gave.
    annotator : object
        None, ``"stem"``, ``"parent"``, ``"=name"``, ``"anonymous"``, the name of a field, a pattern
        of file names (see `annqc.read.names`), or a constant that is no text.

    Raises
    ------
    ReadError
        The rule cannot be applied to these files.
    UnknownNameError
        No file has a field of this name, or it says something else.
    """
    if annotator is None:
        return _auto(parts)
    if not isinstance(annotator, str):
        return [_constant(part, annotator) for part in parts]
    if annotator == ANONYMOUS:
        return [_constant(part, ANONYMOUS) for part in parts]
    if annotator.startswith("="):
        return [_constant(part, annotator[1:]) for part in parts]
    names = names_from(annotator)
    if names is not None:
        paths = [[Path(source.path) for source in part.sources] for part in parts]
        return [
            _per_file(part, [names.of(path)["annotator"] for path in some])
            for part, some in zip(parts, paths, strict=True)
        ]
    if annotator == "stem":
        if any(part.file_is_image for part in parts):
            what = "the annotator cannot be taken from the file name: there is one file an image"
            hint = (
                "'parent' takes the folder's name, '=name' gives one name to all, and a pattern "
                "such as '(?P<annotator>[^_]+)_(?P<image>.+)' takes file names apart"
            )
            raise ReadError(what, where=_WHERE, found="'stem'", hint=hint)
        return [_per_file(part, [_stem(source.path) for source in part.sources]) for part in parts]
    if annotator == "parent":
        return [_per_file(part, _folders(part)) for part in parts]
    return _from_field(parts, annotator)


def _auto(parts: Sequence[Part]) -> list[Drawn]:
    """Take a field that says it; else the file names; else, where those repeat, the folders."""
    apart = [part.file_is_image or part.drawn_by is not None for part in parts]
    plain = [p for p, one in zip(parts, apart, strict=True) if not one and _told(p) is None]
    stems = Counter(_stem(source.path) for part in plain for source in part.sources)
    by_folder = any(count > 1 for count in stems.values())
    drawn = []
    for part in parts:
        name = _told(part)
        if part.annotator is not None:
            drawn.append(_from_column(part.annotator))
        elif name is not None:
            drawn.append(_from_column(part.extra.pop(name)))
        elif part.drawn_by is not None:
            drawn.append(_per_file(part, part.drawn_by))
        elif part.file_is_image or by_folder:
            drawn.append(_per_file(part, _folders(part)))
        else:
            drawn.append(_per_file(part, [_stem(source.path) for source in part.sources]))
    return drawn


def _told(part: Part) -> str | None:
    """Return the field that says who drew a row, None where there is none."""
    if part.annotator is not None:
        return ""
    found = {name.lower(): name for name in part.extra}
    return next((found[name] for name in ANNOTATOR_FIELDS if name in found), None)


def _from_field(parts: Sequence[Part], annotator: str) -> list[Drawn]:
    """Take the field of this name; every file with a row or columns must have it."""
    holds = {name.lower() for part in parts for name in part.taken}
    if annotator.lower() in _BOOKKEEPING | holds:
        what = f"the field {annotator!r} says something else than who drew"
        raise UnknownNameError(what, where=_WHERE, hint=_known_fields(parts, annotator))
    # A table has its columns without a row, too.
    lacking = [p for p in parts if annotator not in p.extra and (len(p) or p.taken)]
    if lacking and not any(annotator in part.extra for part in parts):
        what = f"no file has a field {annotator!r} to say who drew"
        raise UnknownNameError(what, where=_WHERE, hint=_known_fields(parts, annotator))
    if lacking:
        what = f"there is no field {annotator!r} in one of the files"
        hint = f"to give one name to all, write '={annotator}'"
        raise ReadError(what, where=lacking[0].sources[0].path, hint=hint)
    none = np.empty(0, dtype=np.int64)
    return [
        _from_column(part.extra.pop(annotator))
        if annotator in part.extra
        # Without a row nobody drew, and no name is made up.
        else Drawn(none, none, by_file=False, nobody=none)
        for part in parts
    ]


def _known_fields(parts: Sequence[Part], annotator: str) -> str:
    """Say which fields there are, the nearest one first, and how a constant is written."""
    fields = [
        name
        for name in dict.fromkeys(name for part in parts for name in part.extra)
        if name.lower() not in _BOOKKEEPING
    ]
    near = did_you_mean(annotator, ["stem", "parent", *fields])
    shown_fields = ", ".join(fields[:_MOST_FIELDS]) + (
        ", ..." if len(fields) > _MOST_FIELDS else ""
    )
    there = f"the fields there are: {shown_fields}" if fields else "the rows have no other field"
    constant = f"to give one name to all, write '={annotator}'"
    return "; ".join(one for one in (near, there, constant) if one)


def _from_column(column: Array) -> Drawn:
    """Use a column; where it is empty, nobody is known."""
    codes, ids = encode(column)
    names = [_name(value) for value in ids.tolist()]
    blank = [code for code, name in enumerate(names) if name is None]
    known = ids_array([NOBODY if name is None else name for name in names])
    nobody = np.flatnonzero(np.isin(codes, blank)) if blank else np.empty(0, dtype=np.int64)
    return Drawn(codes, known, by_file=False, nobody=nobody)


def _name(value: object) -> object:
    """Return an annotator, None for what cannot be one: nothing, NaN, an empty text."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else (None if math.isnan(value) else value)
    return None if value == "" else value


def _constant(part: Part, name: object) -> Drawn:
    """Use one name for every file."""
    if name == "":
        what = "the annotator has no name"
        raise ReadError(what, where=_WHERE, expected="'=name'", found="'='")
    return _per_file(part, [name] * len(part.sources))


def _per_file(part: Part, names: list[Any]) -> Drawn:
    """Use one name a file."""
    source = np.zeros(len(part), dtype=np.int64) if part.source is None else part.source
    return Drawn(source, ids_array(names), by_file=True, nobody=np.empty(0, dtype=np.int64))


def _folders(part: Part) -> list[str]:
    """Return the name of the folder of each file, layout folders passed over."""
    return [owner(Path(source.path))[0] for source in part.sources]


def _stem(path: str) -> str:
    """Return the file name without its ending: ``alice.json`` and ``alice.coco.json`` are alice."""
    stem = shown(Path(path).stem)
    return stem.removesuffix(".coco") or stem
