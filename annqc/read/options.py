"""What the user says about the files: categories, image sizes, columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import ReadError, TableError
from annqc.read.files import read_text
from annqc.read.maskoptions import MaskOptions
from annqc.read.tablefiles import delimiter_of

if TYPE_CHECKING:
    from annqc.read.names import Names

__all__ = ["ANNOTATOR_FIELDS", "Options", "Sizes", "category_names", "sizes_from"]

ANNOTATOR_FIELDS: Final = (
    "annotator",
    "annotator_id",
    "annotator_name",
    "worker",
    "worker_id",
    "rater",
    "rater_id",
    "labeler",
    "labeler_id",
    "labeller",
    "labeller_id",
    "user",
    "user_id",
    "username",
    "created_by",
    "completed_by",
    "annotated_by",
    "labeled_by",
)
"""Fields that say who drew an annotation, the best first."""

_ENDING: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
"""What ends the name of an image file, and not a number of a frame."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says about the files.

    Attributes
    ----------
    wanted : str or None
        A field that may say who drew an annotation, besides those of `ANNOTATOR_FIELDS`.
    categories : dict or None
        Category id -> name.
    sizes : Sizes
        Image sizes.
    box_format : str or None
        What the four numbers of a table mean.
    columns : dict
        What a column of a table stands for: role -> column name, or several that say it together.
    shapes : bool
        Whether to read outlines where the format has boxes as well.
    masks : MaskOptions
        What is the object in a mask image.
    named : Names or None
        What the parts of a file name mean, where ``annotator=`` is a pattern.
    """

    wanted: str | None = None
    categories: dict[Any, str] | None = None
    sizes: Sizes = field(default_factory=lambda: Sizes({}, None))
    box_format: str | None = None
    columns: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    shapes: bool = False
    masks: MaskOptions = field(default_factory=MaskOptions)
    named: Names | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """Image sizes by id, file name, stem or path; or one size for all."""

    by_name: dict[Any, tuple[float, float]]
    all: tuple[float, float] | None
    by_stem: dict[str, list[tuple[str, tuple[float, float]]]] = field(init=False)

    def __post_init__(self) -> None:
        by_stem: dict[str, list[tuple[str, tuple[float, float]]]] = {}
        for name, size in self.by_name.items():
            for path in _paths(name):
                by_stem.setdefault(path.rsplit("/", 1)[-1], []).append((path, size))
        object.__setattr__(self, "by_stem", by_stem)

    def __bool__(self) -> bool:
        return bool(self.by_name) or self.all is not None

    def of(self, id: object, file_name: object = None) -> tuple[float, float] | None:
        """Return the size of an image, None where it is not given."""
        size = self.named(id, file_name)
        return self.all if size is None else size

    def named(self, id: object, file_name: object = None) -> tuple[float, float] | None:
        """Return the size that stands beside the name of an image, None where none does.

        A name is looked for as it is, then without its ending; one of two paths may lack the
        folders that the other begins with. A name that fits several sizes tells nothing.
        """
        keys = [key for key in (id, file_name) if key is not None]
        for key in keys:
            for exact in (key, str(key)):
                if exact in self.by_name:
                    return self.by_name[exact]
        for path in (path for key in keys for path in _paths(key)):
            fitting = {
                size
                for other, size in self.by_stem.get(path.rsplit("/", 1)[-1], ())
                if f"/{other}".endswith(f"/{path}") or f"/{path}".endswith(f"/{other}")
            }
            if len(fitting) == 1:
                return fitting.pop()
        return None

    def example(self) -> str:
        """Return one of the names, for messages."""
        return repr(next(iter(self.by_name), None))


def category_names(categories: Any) -> dict[Any, str] | None:
    """Return category id -> name from a list (ids 0, 1, ...), a mapping, or a file of names.

    Raises
    ------
    TableError
        It is none of these.
    """
    if categories is None:
        return None
    if isinstance(categories, (str, Path)):
        lines = [line.strip() for line in read_text(Path(categories)).splitlines()]
        return dict(enumerate(line for line in lines if line))
    if isinstance(categories, Mapping):
        return {id: str(name) for id, name in categories.items()}
    try:
        return {id: str(name) for id, name in enumerate(categories)}
    except TypeError:
        what = "the categories cannot be understood"
        expected = "a list of names, a mapping of id to name, or a file with one name a line"
        raise TableError(what, expected=expected, found=type(categories).__name__) from None


def sizes_from(sizes: Any) -> Sizes:
    """Return image sizes from a mapping, a (width, height) pair for all, or a CSV file.

    Raises
    ------
    TableError
        It is none of these, or a size is not two positive numbers.
    """
    if sizes is None:
        return Sizes({}, None)
    if isinstance(sizes, (str, Path)):
        return Sizes(_sizes_file(Path(sizes)), None)
    if isinstance(sizes, Mapping):
        return Sizes({key: _pair(size, f"image {key!r}") for key, size in sizes.items()}, None)
    return Sizes({}, _pair(sizes, "image_sizes"))


def _pair(size: Any, where: str) -> tuple[float, float]:
    """Return (width, height) as numbers."""
    try:
        width, height = (float(side) for side in size)
    except (TypeError, ValueError):
        width = height = -1.0
    if not (0 < width < float("inf") and 0 < height < float("inf")):
        what = "an image size must be two positive numbers"
        raise TableError(what, where=where, expected="(width, height) in pixels", found=repr(size))
    return width, height


def _sizes_file(path: Path) -> dict[Any, tuple[float, float]]:
    """Read image sizes from a CSV file with a name, a width and a height column."""
    text = read_text(path)
    delimiter = delimiter_of(text.split("\n", 1)[0]) or ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    found = {name.strip().lower(): name for name in rows.fieldnames or ()}
    key = next(
        (
            found[name]
            for name in ("file_name", "filename", "stem", "image_id", "image", "name", "id")
            if name in found
        ),
        None,
    )
    width = found.get("width") or found.get("image_width")
    height = found.get("height") or found.get("image_height")
    if key is None or width is None or height is None:
        what = "the file of image sizes lacks a column"
        expected = "the columns file_name (or stem, or image_id), width and height"
        raise ReadError(what, where=str(path), expected=expected, found=", ".join(found) or "none")
    sizes: dict[Any, tuple[float, float]] = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        sizes[row[key]] = _pair((row[width] or "", row[height] or ""), where)
    return sizes


def _paths(key: object) -> tuple[str, ...]:
    """Return a name as it is compared: with slashes, as it stands and without an ending."""
    path = str(key).replace("\\", "/").strip().removeprefix("./")
    bare = _ENDING.sub("", path)
    return (path, bare) if bare != path else (path,)
