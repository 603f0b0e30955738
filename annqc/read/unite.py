"""Image tables of several files -> one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import encode, ids_array
from annqc.read.part import plain, problem
from annqc.sequences import UNKNOWN_LENGTH
from annqc.tables import Images, Sequences

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.read.options import Sizes
    from annqc.read.part import Part
    from annqc.tables import Problem

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["United", "find", "joined", "unite_images", "unite_sequences"]

_DIRECT_TABLE: Final = 1 << 18
"""Ids that span less than this, or than four times the rows, are looked up by position."""


@dataclass(frozen=True, slots=True)
class United:
    """The images of all parts.

    Attributes
    ----------
    table : Images
        Each image once.
    codes : list of (n,) int64
        For each part, the image of each row as a row number of ``table``; -1 where there is none.
    local : list of (m,) int64
        For each part, its own image table in terms of ``table``.
    ids : list of (m,) array
        For each part, the ids of its own image table.
    """

    table: Images
    codes: list[Ints]
    local: list[Ints]
    ids: list[Array]

    def find(self, part: int, ids: Array) -> Ints:
        """Return the rows of the images that a part calls by these ids; -1 where there is none."""
        at = find(self.ids[part], ids)
        if not len(self.local[part]):
            return at
        return np.where(at < 0, -1, self.local[part][at])

    def near(self, id: object) -> object:
        """Return an image id that reads the same and is of another type, or None."""
        other: object = str(id) if isinstance(id, int) else None
        if isinstance(id, str) and id.strip().lstrip("-").isdigit():
            other = int(id)
        return other if other is not None and other in self.table.id.tolist() else None


def joined(pieces: Sequence[Array]) -> Any:
    """Lay arrays end to end: unlike kinds become objects, so that ids stay what they are."""
    if len(pieces) == 1:
        return pieces[0]
    filled = [piece for piece in pieces if len(piece)] or list(pieces[:1])
    kinds = {piece.dtype.kind for piece in filled}
    if len(kinds) > 1 and kinds != {"i", "f"}:
        filled = [piece.astype(object) for piece in filled]
    return np.concatenate(filled) if filled else np.empty(0, dtype=np.int64)


def find(table: Array, values: Array) -> Ints:
    """Return where each value stands first in a table of ids; -1 where it does not.

    Parameters
    ----------
    table : (m,) int64 or object
        Ids.
    values : (n,) int64 or object
        What to look up.
    """
    if table.dtype.kind == "i" and values.dtype.kind == "i" and len(table):
        low, high = int(table.min()), int(table.max())
        if high - low < max(_DIRECT_TABLE, 4 * len(values)):
            places = np.full(high - low + 2, -1, dtype=np.int64)
            places[table[::-1] - low] = np.arange(len(table) - 1, -1, -1)
            inside = (values >= low) & (values <= high)
            return places[np.where(inside, values - low, high - low + 1)]
        order = np.argsort(table, kind="stable")
        at = np.minimum(np.searchsorted(table, values, sorter=order), len(table) - 1)
        rows = order[at]
        return np.where(table[rows] == values, rows, -1)
    # The first of equal ids is written last, and stays.
    rows_of = dict(zip(table.tolist()[::-1], range(len(table) - 1, -1, -1), strict=True))
    if values is table and len(rows_of) == len(table):
        return np.arange(len(table))
    found = (rows_of.get(value, -1) for value in values.tolist())
    return np.fromiter(found, np.int64, len(values))


def unite_images(parts: Sequence[Part], sizes: Sizes, problems: list[Problem]) -> United:
    """Unite the images of all parts.

    Where every part knows the file names of its images, and no name twice, images are the same when
    their file names are; ids may then differ between files. Otherwise images are the same when
    their ids are.
    """
    tables: list[Images] = []
    codes: list[Ints] = []
    for part in parts:
        if part.images is None:
            implied, named = encode(part.image_id)
            tables.append(Images.build(named))
            codes.append(implied)
        else:
            tables.append(_without_repeats(part, problems))
            codes.append(find(part.images.id, part.image_id))
    if len(parts) == 1:
        table = tables[0]
        given = parts[0].images
        own_ids = table.id if given is None else given.id
        if given is not None and len(given) != len(table):
            codes = [find(table.id, parts[0].image_id)]
        return United(
            _sized(table, sizes, parts, problems), codes, [find(table.id, own_ids)], [own_ids]
        )
    by_name = all(_named(table) for table in tables)
    keys = [table.file_name if by_name else table.id for table in tables]
    code, _ = encode(joined(keys))  # type: ignore[arg-type]
    first = np.unique(code, return_index=True)[1]
    stacked = _stack(tables)
    _compare_sizes(parts, tables, stacked, code, first, problems)
    table = stacked.take(first)
    for side in ("width", "height"):
        _fill(getattr(table, side), getattr(stacked, side), code)
    if by_name:
        table = _unambiguous(table, parts, problems)
    starts = np.cumsum([0, *map(len, tables)])
    globally = [code[a:b] for a, b in pairwise(starts)]
    local: list[Ints] = []
    ids: list[Array] = []
    for part, own, whole in zip(parts, tables, globally, strict=True):
        given_ids = own.id if part.images is None else part.images.id
        local.append(whole[find(own.id, given_ids)])
        ids.append(given_ids)
    rows = [
        np.where(one < 0, -1, own[one]) if len(own) else one
        for one, own in zip(codes, local, strict=True)
    ]
    return United(_sized(table, sizes, parts, problems), rows, local, ids)


def _named(table: Images) -> bool:
    """Whether every image has a file name, and no two the same."""
    if table.file_name is None:
        return False
    names = table.file_name.tolist()
    return None not in names and len(set(names)) == len(names)


def _without_repeats(part: Part, problems: list[Problem]) -> Images:
    """Return the image table of a part with each id once."""
    images = part.images
    assert images is not None
    first = find(images.id, images.id)
    again = np.flatnonzero(first != np.arange(len(images)))
    for row in again.tolist():
        id = plain(images.id[row])
        where = f"images[{row}]"
        message = f"image {id!r} stands at images[{first[row]}] already"
        path = part.sources[0].path
        problems.append(problem("duplicate_image", path, where, message, image_id=id))
    return images if not len(again) else images.take(np.delete(np.arange(len(images)), again))


def _stack(tables: Sequence[Images]) -> Images:
    """Lay image tables end to end."""

    def column(name: str) -> Any:
        pieces = [getattr(table, name) for table in tables]
        if all(piece is None for piece in pieces):
            return None
        blank = [np.full(len(table), None, dtype=object) for table in tables]
        return joined([b if p is None else p for p, b in zip(pieces, blank, strict=True)])

    names = dict.fromkeys(name for table in tables for name in table.extra)
    extra = {}
    for name in names:
        blank = [np.full(len(table), None, dtype=object) for table in tables]
        extra[name] = joined([t.extra.get(name, b) for t, b in zip(tables, blank, strict=True)])
    frame = column("frame")
    return Images.build(
        joined([table.id for table in tables]),
        width=joined([table.width for table in tables]),
        height=joined([table.height for table in tables]),
        file_name=column("file_name"),
        sequence=column("sequence"),
        frame=frame if frame is None or frame.dtype.kind == "i" else _frames(frame),
        extra=extra,
    )


def _frames(column: Array) -> Array:
    """Return frame numbers, -1 where there is none."""
    return np.array([-1 if value is None else value for value in column.tolist()], dtype=np.int64)


def unite_sequences(parts: Sequence[Part], images: Images) -> Sequences | None:
    """Unite the videos of all parts, and those that only the image table knows.

    Parameters
    ----------
    parts : sequence of Part
        What the readers gave.
    images : Images
        The united image table.

    Returns
    -------
    Sequences or None
        The first part that knows something of a video decides; None where no image is a frame.
    """
    if images.sequence is None:
        return None
    known = [part.sequences for part in parts if part.sequences is not None]
    named = [one for one in images.sequence.tolist() if one is not None]
    ids = encode([*(id for table in known for id in table.id.tolist()), *named])[1]
    row_of = {id: row for row, id in enumerate(ids.tolist())}
    united = Sequences.build(ids)
    told = np.zeros(len(ids), dtype=bool)
    for table in known:
        rows = np.array([row_of[id] for id in table.id.tolist()], dtype=np.int64)
        rate, length = table.frame_rate, table.n_frames
        new = np.isnan(united.frame_rate[rows])
        united.frame_rate[rows[new]] = rate[new]
        new = united.n_frames[rows] == UNKNOWN_LENGTH
        united.n_frames[rows[new]] = length[new]
        new = ~told[rows]
        united.first_frame[rows[new]] = table.first_frame[new]
        told[rows] = True
    if images.frame is not None:
        code = np.array([row_of.get(id, -1) for id in images.sequence.tolist()], dtype=np.int64)
        seen = (code >= 0) & (images.frame >= 0)
        least = np.full(len(ids), np.iinfo(np.int64).max)
        np.minimum.at(least, code[seen], images.frame[seen])
        new = ~told & (least < np.iinfo(np.int64).max)
        united.first_frame[new] = least[new]
    return united


def _fill(side: Array, stacked: Array, code: Ints) -> None:
    """Fill sizes that the first file does not know from the others, in place."""
    for row in np.flatnonzero(~np.isnan(stacked)).tolist():
        if np.isnan(side[code[row]]):
            side[code[row]] = stacked[row]


def _compare_sizes(
    parts: Sequence[Part],
    tables: Sequence[Images],
    stacked: Images,
    code: Ints,
    first: Ints,
    problems: list[Problem],
) -> None:
    """List images that have different sizes in different files."""
    with np.errstate(invalid="ignore"):
        differ = np.zeros(len(code), dtype=bool)
        for side in (stacked.width, stacked.height):
            there = side[first][code]
            differ |= (side != there) & ~np.isnan(side) & ~np.isnan(there)
    starts = np.cumsum([0, *map(len, tables)])
    for row in np.flatnonzero(differ).tolist():
        part = parts[int(np.searchsorted(starts, row, side="right")) - 1]
        base = first[code[row]]
        id = plain(stacked.id[row])
        sizes = [f"{stacked.width[k]:g} x {stacked.height[k]:g}" for k in (row, int(base))]
        message = f"{sizes[0]} pixels here, {sizes[1]} in the first file"
        path = part.sources[0].path
        problems.append(problem("size_mismatch", path, "the image table", message, image_id=id))


def _unambiguous(table: Images, parts: Sequence[Part], problems: list[Problem]) -> Images:
    """Return a table of unique ids: the file names, where one id stands for several images."""
    ids = table.id.tolist()
    if len(set(ids)) == len(ids):
        return table
    seen: set[object] = set()
    twice = next(id for id in ids if id in seen or seen.add(id))  # type: ignore[func-returns-value]
    message = f"id {twice!r} stands for images of different names; file names are the ids now"
    path = parts[0].sources[0].path
    problems.append(problem("image_id_clash", path, "the image tables", message, image_id=twice))
    assert table.file_name is not None
    return Images.build(
        ids_array(table.file_name.tolist()),
        width=table.width,
        height=table.height,
        file_name=table.file_name,
        sequence=table.sequence,
        frame=table.frame,
        extra=table.extra,
    )


def _sized(table: Images, sizes: Sizes, parts: Sequence[Part], problems: list[Problem]) -> Images:
    """Fill sizes that are unknown from what the user gave, in place."""
    if not sizes:
        return table
    names = [None] * len(table) if table.file_name is None else table.file_name.tolist()
    ids = table.id.tolist()
    unknown = np.flatnonzero(np.isnan(table.width) | np.isnan(table.height)).tolist()
    found = [sizes.of(ids[row], names[row]) for row in unknown]
    for row, size in zip(unknown, found, strict=True):
        if size is not None:
            table.width[row], table.height[row] = size
    if unknown and not any(found) and not any(map(sizes.named, ids, names)):
        first = unknown[0]
        image = ids[first] if names[first] is None else names[first]
        message = (
            f"no size that was given is for an image that is here: sizes are for names such as "
            f"{sizes.example()}, and images are called {image!r}"
        )
        path = parts[0].sources[0].path
        problems.append(problem("unused_image_sizes", path, "the images", message))
    return table
