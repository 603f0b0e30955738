"""run: two versions of one annotation, put on common numbers and in an order of their own.

Nothing that follows depends on the order in which the rows came: rows are sorted by annotator,
image, box, category and ids first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import MatchError
from annqc.ids import encode, objects_array
from annqc.match.categories import align_categories
from annqc.match.images import align_images

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Dataset, Ints

__all__ = ["GRID", "Side", "Sides", "common_codes", "take_sides"]

GRID: Final = 0.01
"""Boxes that agree to so many pixels are the same: files round coordinates."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """One version, its rows sorted, with numbers that mean the same on both sides.

    Attributes
    ----------
    data : Dataset
        The version; ``data.table`` is sorted.
    image, who, category : (n,) int64
        Common numbers of the image, the annotator and the category of each row.
    named_track, named_id : (n,) int64
        Common numbers of the ids of the track and the annotation as they were given; -1 for none.
    counted : bool
        The annotation ids merely count the rows.
    """

    data: Dataset
    image: Ints
    who: Ints
    category: Ints
    named_track: Ints
    named_id: Ints
    counted: bool

    def __len__(self) -> int:
        return len(self.image)

    @cached_property
    def track(self) -> Ints:
        """Track of each row, -1 for none."""
        track = self.data.table.track
        return np.full(len(self), -1) if track is None else track

    @cached_property
    def place(self) -> Ints:
        """Which box of its track each row is, in the order of the frames."""
        order = np.lexsort((self.image, self.track))
        track = self.track[order]
        out = np.empty(len(order), dtype=np.int64)
        out[order] = np.arange(len(order)) - np.searchsorted(track, track)
        return out


@dataclass(frozen=True, eq=False, kw_only=True)
class Sides:
    """Both versions.

    Attributes
    ----------
    old, new : Side
        The versions.
    image_rows : (2, k) int64
        Row of each common image in the image tables of both sides, -1 where it is not there.
        Images are numbered in the order in which they are told: by sequence, frame and id.
    category_names : (c,) object
        The common categories.
    whole : bool
        No annotator is named on both sides, so they are compared as if by one hand.
    notes : tuple of str
        What was assumed to put both sides on common numbers.
    """

    old: Side
    new: Side
    image_rows: Ints
    category_names: Array
    whole: bool
    notes: tuple[str, ...]

    @cached_property
    def video(self) -> Bools:
        """Which common images are frames of a sequence."""
        out = np.zeros(self.image_rows.shape[1], dtype=bool)
        for side, rows in zip((self.old, self.new), self.image_rows, strict=True):
            images = side.data.image_table
            if images.sequence is None or images.frame is None:
                continue
            known = np.array([one is not None for one in images.sequence.tolist()], dtype=bool)
            there = rows >= 0
            out[there] |= known[rows[there]]
        return out

    def frames_of(self, images: Ints) -> Array:
        """Return the frame numbers of images, None for what is no frame of a sequence.

        Parameters
        ----------
        images : (n,) int64
            Common numbers.
        """
        out = self.of_images("frame", images)
        out[~self.video[images]] = None
        return out

    def of_images(self, name: str, images: Ints) -> Array:
        """Return what the images are called, as the older version has it where it has them.

        Parameters
        ----------
        name : {"id", "file_name", "sequence", "frame"}
            Which column.
        images : (n,) int64
            Common numbers.
        """
        out = np.full(len(images), None, dtype=object)
        for side, rows in zip((self.new, self.old), self.image_rows[::-1], strict=True):
            column = getattr(side.data.image_table, name)
            at = rows[images]
            if column is not None and (at >= 0).any():
                out[at >= 0] = objects_array(column[at[at >= 0]].tolist())
        return out


def take_sides(old: Dataset, new: Dataset) -> Sides:
    """Put two versions on common numbers.

    Parameters
    ----------
    old, new : Dataset
        The versions.

    Raises
    ------
    MatchError
        Both have images, and none in common.
    """
    image, image_rows, notes = _images(old, new)
    categories = align_categories(old, new)
    names = [[str(one) for one in side.annotator_ids.tolist()] for side in (old, new)]
    whole = not set(names[0]) & set(names[1])
    number = {name: k for k, name in enumerate(sorted({*names[0], *names[1]}))}
    tables = (old.table, new.table)
    who = [
        np.zeros(len(table), dtype=np.int64)
        if whole
        else np.array([number[one] for one in side] or [0], dtype=np.int64)[table.annotator]
        for side, table in zip(names, tables, strict=True)
    ]
    category = (categories.reference[old.table.category], categories.candidate[new.table.category])
    ids = _named([table.id for table in tables])
    tracks = _named(
        [
            side.tracks_of(np.full(len(side), -1) if side.table.track is None else side.table.track)
            for side in (old, new)
        ]
    )
    made = []
    for k, side in enumerate((old, new)):
        keys = (ids[k], tracks[k], category[k], *side.table.xyxy.T[::-1], image[k], who[k])
        order = np.lexsort(keys)
        made.append(
            Side(
                data=replace(side, table=side.table.take(order)),
                image=image[k][order],
                who=who[k][order],
                category=category[k][order],
                named_track=tracks[k][order],
                named_id=ids[k][order],
                counted=_counts(side.table.id),
            )
        )
    return Sides(
        old=made[0],
        new=made[1],
        image_rows=image_rows,
        category_names=categories.names,
        whole=whole,
        notes=(*notes, *(_said(one.message) for one in categories.problems)),
    )


def common_codes(*columns: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Give what is equal in all columns the same number on both sides.

    Parameters
    ----------
    *columns : pair of (n,) and (m,) int64
        A column of the one side, and of the other.

    Examples
    --------
    >>> one, two = np.array([7, 7, 3]), np.array([3, 7])
    >>> [codes.tolist() for codes in common_codes((one, two), (one, two))]
    [[1, 1, 0], [0, 1]]
    """
    n = len(columns[0][0])
    both = np.stack([np.concatenate(column) for column in columns])
    order = np.lexsort(both[::-1])
    new = np.zeros(len(order), dtype=np.int64)
    new[1:] = (both[:, order[1:]] != both[:, order[:-1]]).any(axis=0)
    codes = np.empty(len(order), dtype=np.int64)
    codes[order] = np.cumsum(new)
    return codes[:n], codes[n:]


def _images(old: Dataset, new: Dataset) -> tuple[tuple[Ints, Ints], Ints, list[str]]:
    """Give the images of both sides common numbers, in the order in which they are told."""
    sides = (old.image_table, new.image_table)
    try:
        rows, problems = align_images(*sides)
    except MatchError as error:
        if len(sides[0]) and len(sides[1]):
            what = "the two versions have no image in common"
            raise MatchError(
                what,
                expected=_said(error.expected or ""),
                found=_said(error.found or ""),
                hint="compare two versions of the same annotation",
            ) from None
        rows, problems = np.full(len(sides[1]), -1, dtype=np.int64), []
    n, only = len(sides[0]), np.flatnonzero(rows < 0)
    common = rows.copy()
    common[only] = n + np.arange(len(only))
    keys = _order_keys(sides[0], np.arange(n)) + _order_keys(sides[1], only)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    image_rows = np.full((2, len(order)), -1, dtype=np.int64)
    image_rows[0, number[:n]] = np.arange(n)
    image_rows[1, number[common]] = np.arange(len(common))
    image = (number[old.table.image], number[common[new.table.image]])
    return image, image_rows, [_said(one.message) for one in problems]


def _order_keys(images: Any, rows: Ints) -> list[tuple[Any, ...]]:
    blank = [None] * len(rows)
    ids = images.id[rows].tolist()
    sequence = blank if images.sequence is None else images.sequence[rows].tolist()
    frame = blank if images.frame is None else images.frame[rows].tolist()
    return [
        ("" if s is None else str(s), -1 if f is None else f, *_sortable(one))
        for s, f, one in zip(sequence, frame, ids, strict=True)
    ]


def _sortable(value: Any) -> tuple[int, int, str]:
    return (0, value, "") if isinstance(value, int) else (1, 0, str(value))


def _named(sides: list[Array]) -> list[Ints]:
    """Give ids that read the same on both sides one number, in their order; -1 for None."""
    if all(side.dtype.kind in "iu" for side in sides):
        found = np.unique(np.concatenate(sides), return_inverse=True)[1].astype(np.int64)
    else:
        raw, distinct = encode(np.concatenate([side.astype(object) for side in sides]))
        text = [None if one is None else _sortable(_number(one)) for one in distinct.tolist()]
        values = {one: k for k, one in enumerate(sorted({one for one in text if one is not None}))}
        of = np.array([-1 if one is None else values[one] for one in text] or [-1], dtype=np.int64)
        found = of[raw] if len(raw) else raw
    return [found[: len(sides[0])], found[len(sides[0]) :]]


def _number(value: Any) -> Any:
    """Read text that is a number as one, so that ``"7"`` is 7."""
    text = str(value)
    return int(text) if text.isdecimal() and str(int(text)) == text else text


def _counts(ids: Array) -> bool:
    """Whether ids are 0, 1, ... or 1, 2, ... in the order of the rows."""
    if ids.dtype.kind not in "iu" or not len(ids) or ids[0] not in {0, 1}:
        return False
    return bool((ids == ids[0] + np.arange(len(ids))).all())


def _said(text: str) -> str:
    """Call the sides what they are here."""
    text = text.replace("the reference", "the older version")
    text = text.replace("the candidate", "the newer version")
    return text.replace(", so every match is mislabelled", "")
