"""COCO detection JSON -> `Part`: images, annotations and categories, or a list of results.

Boxes are ``[x, y, width, height]`` in continuous pixels and are taken as they stand: x2 = x +
width. Fields beyond COCO's own are kept where they are numbers, text or booleans, for ``by=`` and
slices. ``assignments``, a list of ``{image_id, annotator}``, says who was asked. A file that is not
of the right types throughout is gone through a second time, annotation by annotation, and each bad
one is listed.
"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.errors import ReadError
from annqc.read import cocotypes
from annqc.read.cocorows import one_by_one
from annqc.read.files import source_of
from annqc.read.jsontext import NotANumberError, careful, decode, load, without_nan
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.part import Part, problem, tidy
from annqc.read.registry import MAYBE, NO, SURE, register_reader
from annqc.tables import Images, ids_array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.heads import Head
    from annqc.read.jsontext import Buffer
    from annqc.read.options import Options
    from annqc.tables import Problem

    Array = npt.NDArray[Any]

_TRACKS = ("track_id", "instance_id")
_MAY_LEAD = frozenset({"info", "licenses", "categories", "type", "videos", "year", "version"})


def sniff(head: Head) -> int:
    """Tell COCO by its keys: annotations with an image_id, or images with an id."""
    outline = head.outline
    if outline is None:
        return NO
    if outline.top == "[":
        keys = outline.first.get("", ())
        return SURE if "image_id" in keys and "bbox" in keys else NO
    lists = {key for key, sign in outline.keys.items() if sign == "["}
    if "annotations" in lists:
        first = outline.first.get("annotations", ())
        fits = "image_id" in first or (not first and "images" in outline.keys)
        fits = fits or '"image_id"' in (head.text or "")  # the first one may be a bad one
        boxless = head.whole and bool(first) and "bbox" not in (head.text or "")
        return NO if not fits else MAYBE if boxless else SURE
    if "images" in lists:
        first = outline.first.get("images", ())
        return SURE if not first or "id" in first else NO
    leads = bool(outline.keys) and _MAY_LEAD.issuperset(outline.keys) and not head.whole
    return MAYBE if leads else NO


@register_reader(
    "coco",
    suffixes=(".json",),
    sniff=sniff,
    expects="JSON with the lists images, annotations (image_id, category_id, bbox) and categories, "
    "or a list of results (image_id, category_id, bbox, score)",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read COCO files, one part each."""
    parts = []
    for path in paths:
        with careful():
            parts.append(_with_or_without_nan(path, options))
        tick(path)
    return parts


def _with_or_without_nan(path: Path, options: Options) -> Part:
    """Read one file; where it has a NaN, once more with the NaN as text, to find its row."""
    data = load(path)
    try:
        return _read_one(data, path, options)
    except NotANumberError as refused:
        try:
            return _read_one(without_nan(data), path, options)
        except NotANumberError:
            raise refused.error from None


def _read_one(data: Buffer, path: Path, options: Options) -> Part:
    """Decode one file and lay it out in columns."""
    import msgspec

    bare = bytes(data[:4096]).lstrip()[:1] == b"["
    sample = cocotypes.sample(data, options.wanted)
    types = sample.types(strict=True)
    rows: dict[str, Array] = {}
    n_rows: int | None = None
    problems: list[Problem] = []
    try:
        decoded = decode(data, _list_of(types.annotation) if bare else types.file, path)
    except msgspec.ValidationError:
        decoded, rows, problems, n_rows = one_by_one(data, sample, path, bare=bare)
    annotations = decoded if bare else decoded.annotations
    if annotations is None:
        what = "the file has no annotations"
        expected = "a list under the key 'annotations'"
        raise ReadError(what, where=str(path), expected=expected, found="no such key")
    n = len(annotations)
    columns = _Columns(annotations, numbered=sample.numbered and n_rows is None)
    extra = _extra(columns, sample.extra)
    track = next((extra.pop(name) for name in _TRACKS if name in extra), None)
    part = Part(
        sources=[source_of(path, "coco", n if n_rows is None else n_rows)],
        where="[{}]" if bare else "annotations[{}]",
        n_rows=n if n_rows is None else n_rows,
        id=columns.ids("id", optional=True),
        image_id=columns.ids("image_id"),
        category=columns.ids("category_id"),
        xyxy=columns.boxes(),
        row=rows.get("annotations", np.arange(n)),
        score=columns.scores(),
        crowd=columns.flags("iscrowd"),
        ignored=columns.flags("ignore"),
        track=track,
        extra=extra,
        problems=problems,
    )
    if sample.has_attributes:
        for name, column in _attributes(annotations).items():
            part.extra.setdefault(name, column)
    if not bare:
        _add_tables(part, decoded, sample, rows, path)
    return part


def _list_of(type: Any) -> Any:
    """Return the type of a list."""
    return list[type]


def _add_tables(
    part: Part, decoded: Any, sample: cocotypes.Sample, rows: dict[str, Array], path: Path
) -> None:
    """Add images, categories and assignments to a part."""
    if decoded.images:
        k = len(decoded.images)
        where = rows.get("images", np.arange(k))
        part.images = _images(decoded.images, sample.image_extra, where, path, part.problems)
        part.listed = np.stack([np.zeros(k, dtype=np.int64), np.arange(k)], axis=1)
    if decoded.categories:
        ids = ids_array([category.id for category in decoded.categories])
        names = [
            category.id if category.name is None else category.name
            for category in decoded.categories
        ]
        part.categories = ids, np.array([str(name) for name in names], dtype=object)
    if decoded.assignments is not None:
        who = [_annotator(assignment) for assignment in decoded.assignments]
        asked = ids_array([assignment.image_id for assignment in decoded.assignments])
        part.assignments = asked, ids_array(who)


def _images(
    images: list[Any], extra: tuple[str, ...], rows: Array, path: Path, problems: list[Problem]
) -> Images:
    """Lay out the image table; a size that is none counts as unknown."""
    columns = _Columns(images)
    names = columns.any("file_name")
    sizes = columns.floats("width"), columns.floats("height")
    stated = [
        np.array([v is not None for v in map(attrgetter(n), images)]) for n in ("width", "height")
    ]
    with np.errstate(invalid="ignore"):
        bad = [~((size > 0) & (size < np.inf)) for size in sizes]
    for k in np.flatnonzero((bad[0] | bad[1]) & (stated[0] | stated[1])):
        found = f"width {images[k].width!r:.30}, height {images[k].height!r:.30}"
        message = f"expected two positive numbers, found {found}"
        where = f"images[{rows[k]}]"
        one = problem("bad_image_size", str(path), where, message, image_id=images[k].id)
        problems.append(one)
    for size in sizes:
        size[bad[0] | bad[1]] = np.nan
    return Images.build(
        columns.ids("id"),
        width=sizes[0],
        height=sizes[1],
        file_name=None if _is_blank(names) else names,
        extra=_extra(columns, extra),
    )


def _extra(columns: _Columns, names: tuple[str, ...]) -> dict[str, Array]:
    """Return the extra fields that hold anything, by the names that they have in the file."""
    found = {name: columns.any(f"extra{k}") for k, name in enumerate(names)}
    return {name: column for name, column in found.items() if not _is_blank(column)}


class _Columns:
    """Columns of a list of decoded objects, without Python code per object."""

    def __init__(self, objects: list[Any], *, numbered: bool = False) -> None:
        self.objects = objects
        self.numbered = numbered
        self.n = len(objects)

    def any(self, name: str) -> Array:
        """Return a column of whatever there is; lists and objects count as nothing."""
        values = list(map(attrgetter(name), self.objects))
        if not set(map(type, values)) <= {int, float, str, bool, type(None)}:
            scalar = (int, float, str, bool)
            values = [value if isinstance(value, scalar) else None for value in values]
        return tidy(values)

    def ids(self, name: str, *, optional: bool = False) -> Any:
        """Return ids as given; None where no object has one and none is needed."""
        if self.numbered:  # the decoder has seen to it: numpy would take the text "12" for a number
            try:
                return np.fromiter(map(attrgetter(name), self.objects), np.int64, self.n)
            except (TypeError, OverflowError):
                pass
        values = list(map(attrgetter(name), self.objects))
        if optional and set(map(type, values)) <= {type(None)}:
            return None
        return ids_array(values)

    def boxes(self) -> Array:
        """Return boxes as corners."""
        flat = chain.from_iterable(map(attrgetter("bbox"), self.objects))
        boxes = np.fromiter(flat, np.float64, 4 * self.n).reshape(-1, 4)
        with np.errstate(over="ignore"):  # an infinity is found by the checks, with its row
            boxes[:, 2:] += boxes[:, :2]
        return boxes

    def flags(self, name: str) -> Array | None:
        """Return a column of booleans, None where none is set."""
        if not any(map(attrgetter(name), self.objects)):
            return None
        return np.fromiter(map(bool, map(attrgetter(name), self.objects)), bool, self.n)

    def floats(self, name: str) -> Array:
        """Return a column of numbers, NaN where there is none."""
        values = list(map(attrgetter(name), self.objects))
        if not set(map(type, values)) <= {int, float, type(None)}:
            values = [value if type(value) in (int, float) else None for value in values]
        return np.array(values, dtype=np.float64)

    def scores(self) -> Array | None:
        """Return the scores, None where no object has one."""
        kinds = set(map(attrgetter("score"), self.objects[:1000]))
        if kinds <= {None} and not any(map(attrgetter("score"), self.objects)):
            return None
        return self.floats("score")


def _attributes(annotations: list[Any]) -> dict[str, Array]:
    """Return the numbers, texts and booleans under ``attributes`` as columns."""
    rows = [one.attributes if isinstance(one.attributes, dict) else {} for one in annotations]
    names = dict.fromkeys(name for row in rows for name in row)
    scalar = (int, float, str, bool)
    columns = {}
    for name in names:
        found = (row.get(name) for row in rows)
        columns[name] = tidy([value if isinstance(value, scalar) else None for value in found])
    return {name: column for name, column in columns.items() if not _is_blank(column)}


def _annotator(assignment: Any) -> object:
    """Return who was asked, under whichever name it stands."""
    found = (getattr(assignment, name) for name in ANNOTATOR_FIELDS)
    return next((value for value in found if value is not None), None)


def _is_blank(column: Array) -> bool:
    """Whether a column holds nothing."""
    return column.dtype == object and all(value is None for value in column.tolist())
