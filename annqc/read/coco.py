"""COCO detection JSON -> `Part`: images, annotations and categories, or a list of results.

Boxes are ``[x, y, width, height]`` in continuous pixels and are taken as they stand: x2 = x +
width. Fields beyond COCO's own are kept where they are numbers, text or booleans, for ``by=`` and
slices. ``assignments``, a list of ``{image_id, annotator}``, says who was asked. Segmentations are
decoded only where they are asked for: they are most of the bytes of a file. Images with a
``video_id`` and a frame number are frames of a video. A file that is not of the right types
throughout is gone through a second time, annotation by annotation, and each bad one is listed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.ids import ids_array
from annqc.read import cocotypes
from annqc.read.cocoframes import frames_of, names_of, videos_of
from annqc.read.cocorows import one_by_one
from annqc.read.files import source_of
from annqc.read.jsonrows import read_each
from annqc.read.jsontext import decode, first_sign
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.part import Part, problem, tidy
from annqc.read.registry import MAYBE, NO, SURE, register_reader
from annqc.tables import Images

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.heads import Head
    from annqc.read.jsontext import Buffer
    from annqc.read.options import Options
    from annqc.tables import Problem

    Array = npt.NDArray[Any]

_ID_FIELDS: Final = ("id", "image_id", "category_id")
_AT_ONCE: Final = 1 << 11
_PACKED_NUMBER: Final = np.dtype([("sign", "u1"), ("value", ">f8")])
_PACKED_BOX: Final = np.dtype([("sign", "u1"), ("box", _PACKED_NUMBER, (4,))])
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
    return read_each(paths, partial(_read_one, options=options), tick)


def _read_one(data: Buffer, path: Path, *, options: Options) -> Part:
    """Decode one file and lay it out in columns."""
    import msgspec

    bare = first_sign(data) == b"["
    sample = cocotypes.sample(data, options.wanted, shapes=options.shapes)
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
    sound = n_rows is None
    columns = _columns(annotations, numbered=sample.numbered and sound)
    extra = _extra(annotations, sample.extra, scalar=sound)
    track = next((extra.pop(name) for name in _TRACKS if name in extra), None)
    part = Part(
        sources=[source_of(path, "coco", n if n_rows is None else n_rows)],
        where="[{}]" if bare else "annotations[{}]",
        n_rows=n if n_rows is None else n_rows,
        id=columns["id"],
        image_id=columns["image_id"],
        category=columns["category_id"],
        xyxy=columns["xyxy"],
        row=rows.get("annotations", np.arange(n)),
        track=track,
        extra=extra,
        taken=_TRACKS if track is not None else (),
        problems=problems,
        score=columns["score"],
        crowd=columns["crowd"],
        ignored=columns["ignored"],
    )
    if sample.shapes:
        from annqc.read.cocoshapes import outlines

        part.shapes, part.faults = outlines([one.segmentation for one in annotations])
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
        extra = _extra(decoded.images, sample.image_extra, scalar="images" not in rows)
        part.images = _images(decoded.images, extra, where, path, part.problems)
        _add_frames(part, decoded.videos)
        part.listed = np.stack([np.zeros(k, dtype=np.int64), np.arange(k)], axis=1)
    if decoded.categories:
        ids = ids_array([category.id for category in decoded.categories])
        names = [
            category.id if category.name is None else category.name
            for category in decoded.categories
        ]
        part.categories = ids, np.array([str(name) for name in names], dtype=object)
    if decoded.assignments is not None:
        asked = ids_array([assignment.image_id for assignment in decoded.assignments])
        part.assignments = asked, ids_array(_annotators(decoded.assignments))


def _add_frames(part: Part, videos: list[Any] | None) -> None:
    """Say of images which frame of which video they are, where the file does."""
    assert part.images is not None
    images = part.images
    names = [None] * len(images) if images.file_name is None else images.file_name.tolist()
    found = frames_of(images.id, names, images.extra, names_of(videos))
    if found is None:
        return
    sequence, frame = found
    part.sequences = videos_of(sequence, frame, images.extra, videos)
    for name in ("sequence", "frame"):
        images.extra.pop(name, None)
    part.images = replace(images, sequence=sequence, frame=frame)
    drawn = part.extra.get("keyframe")
    if drawn is not None and drawn.dtype == bool:
        part.keyframe = part.extra.pop("keyframe")


def _images(
    images: list[Any],
    extra: dict[str, Array],
    rows: Array,
    path: Path,
    problems: list[Problem],
) -> Images:
    """Lay out the image table; a size that is none counts as unknown."""
    names = _scalars([one.file_name for one in images])
    sizes = _floats([one.width for one in images]), _floats([one.height for one in images])
    with np.errstate(invalid="ignore"):
        bad = [~((size > 0) & (size < np.inf)) for size in sizes]
    for k in np.flatnonzero(bad[0] | bad[1]):
        if images[k].width is None and images[k].height is None:
            continue
        found = f"width {images[k].width!r:.30}, height {images[k].height!r:.30}"
        message = f"expected two positive numbers, found {found}"
        where = f"images[{rows[k]}]"
        one = problem("bad_image_size", str(path), where, message, image_id=images[k].id)
        problems.append(one)
    for size in sizes:
        size[bad[0] | bad[1]] = np.nan
    return Images.build(
        ids_array([one.id for one in images]),
        width=sizes[0],
        height=sizes[1],
        file_name=None if _is_blank(names) else tidy(names),
        extra=extra,
    )


def _extra(objects: list[Any], names: tuple[str, ...], *, scalar: bool) -> dict[str, Array]:
    """Return the extra fields that hold anything, by the names that they have in the file.

    ``scalar`` says that the decoder has seen to it that they are numbers, text or booleans.
    """
    columns = {}
    for k, name in enumerate(names):
        values = list(map(attrgetter(f"extra{k}"), objects))
        column = values if scalar else _scalars(values)
        if not _is_blank(column):
            columns[name] = tidy(column)
    return columns


def _scalars(values: list[Any]) -> list[Any]:
    """Return numbers, text and booleans; lists and objects count as nothing."""
    if set(map(type, values)) <= {int, float, str, bool, type(None)}:
        return values
    scalar = (int, float, str, bool)
    return [value if isinstance(value, scalar) else None for value in values]


def _columns(annotations: list[Any], *, numbered: bool) -> dict[str, Any]:
    """Return the columns that COCO itself knows, None for those that hold nothing.

    A few rows at a time: their objects are still in the processor's cache from one column to the
    next. ``numbered`` says that the decoder has seen to it that ids are whole numbers; of others
    numpy would take the text "12" for a number.
    """
    n = len(annotations)
    xyxy = np.empty((n, 4))
    numbers = {name: np.empty(n, dtype=np.int64) for name in (_ID_FIELDS if numbered else ())}
    marked = False
    for start in range(0, n, _AT_ONCE):
        some = annotations[start : start + _AT_ONCE]
        end = start + len(some)
        xyxy[start:end] = _unpacked([one.bbox for one in some])
        for name in tuple(numbers):
            values = map(attrgetter(name), some)
            try:
                numbers[name][start:end] = np.fromiter(values, np.int64, len(some))
            except (TypeError, OverflowError):  # an id that is not there, or too long
                del numbers[name]
        marks = [one.iscrowd or one.ignore or one.score is not None for one in some]
        marked = marked or any(marks)
    with np.errstate(over="ignore"):  # an infinity is found by the checks, with its row
        xyxy[:, 2:] += xyxy[:, :2]
    ids: dict[str, Any] = {
        name: numbers[name] if name in numbers else _ids(list(map(attrgetter(name), annotations)))
        for name in _ID_FIELDS
    }
    return {
        **ids,
        "xyxy": xyxy,
        "score": _scores([one.score for one in annotations]) if marked else None,
        "crowd": _flags([one.iscrowd for one in annotations]) if marked else None,
        "ignored": _flags([one.ignore for one in annotations]) if marked else None,
    }


def _unpacked(boxes: list[Any]) -> Array:
    """Return boxes of four floats as an array.

    In MessagePack, which the decoder also writes, every box has the same layout: a byte, and four
    times a byte and a big-endian float64. numpy takes that in faster than it takes objects.
    """
    import msgspec

    packed = msgspec.msgpack.encode(boxes)
    head = len(packed) - len(boxes) * _PACKED_BOX.itemsize
    numbers: Array = np.frombuffer(packed, _PACKED_BOX, offset=head)["box"]["value"]
    return numbers


def _ids(values: list[Any]) -> Array | None:
    """Return ids as given; None where there is none at all."""
    return ids_array(values) if not values or not _is_blank(values) else None


def _flags(values: list[Any]) -> Array | None:
    """Return a column of booleans, None where none is set."""
    return np.fromiter(map(bool, values), bool, len(values)) if any(values) else None


def _floats(values: list[Any]) -> Array:
    """Return a column of numbers, NaN where there is none."""
    if not set(map(type, values)) <= {int, float, type(None)}:
        values = [value if type(value) in (int, float) else None for value in values]
    return np.array(values, dtype=np.float64)


def _scores(values: list[Any]) -> Array | None:
    """Return the scores, None where no object has one."""
    return None if _is_blank(values) else _floats(values)


def _attributes(annotations: list[Any]) -> dict[str, Array]:
    """Return the numbers, texts and booleans under ``attributes`` as columns."""
    rows = [one.attributes if isinstance(one.attributes, dict) else {} for one in annotations]
    names = dict.fromkeys(name for row in rows for name in row)
    scalar = (int, float, str, bool)
    columns = {}
    for name in names:
        found = (row.get(name) for row in rows)
        columns[name] = [value if isinstance(value, scalar) else None for value in found]
    return {name: tidy(column) for name, column in columns.items() if not _is_blank(column)}


def _annotators(assignments: list[Any]) -> list[Any]:
    """Return who was asked, under whichever name it stands; the best name first."""
    found: list[Any] = [None] * len(assignments)
    for name in ANNOTATOR_FIELDS:
        values = map(attrgetter(name), assignments)
        found = [
            other if value is None else value for value, other in zip(found, values, strict=True)
        ]
        if None not in found:
            break
    return found


def _is_blank(values: list[Any]) -> bool:
    """Whether a column holds nothing."""
    return all(value is None for value in values)
