"""temporal: drawings that are held while the object moves on, and how many drawings there are.

Bit-equal coordinates in successive frames are one drawing. However long it is held, it is one
observation of its author.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.series import Series

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["LONG", "Held", "held_drawings", "one_a_drawing"]

LONG: Final = 25
"""Frames from which a held drawing is called frozen: a second of video."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Held:
    """Drawings and how long they are held.

    Attributes
    ----------
    drawing : (n,) int64
        Drawing of each row.
    series, first, last : (d,) int64
        Of each drawing: its series, its first and its last frame.
    length : (d,) int64
        Rows that it is held for.
    moved : (d,) float64
        Furthest that gold moves away from where it was when the drawing began, over the columns;
        NaN without gold.
    frozen : (d,) bool
        Held long while gold moves by more than the tolerance; without gold, never.
    whole : (d,) bool
        Held for all of a series, and for long.
    n_drawings, longest, frozen_frames : (s,) int64
        Of each series: drawings (its effective number of observations), rows of the longest, and
        rows of frozen ones.
    """

    drawing: Ints
    series: Ints
    first: Ints
    last: Ints
    length: Ints
    moved: Floats
    frozen: Bools
    whole: Bools
    n_drawings: Ints
    longest: Ints
    frozen_frames: Ints


def held_drawings(
    coordinates: Array,
    frame: Array,
    starts: Array,
    gold: Array | None = None,
    *,
    tolerance: Array | float = 1.0,
    long: int = LONG,
) -> Held:
    """Tell drawings apart, and find those that are held while gold moves.

    Parameters
    ----------
    coordinates : (n, k) array_like
        Boxes as they were drawn.
    frame : (n,) array_like of int
        Increasing inside a series; a drawing may be held across a gap.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    gold : (n, k) array_like, optional
        Gold boxes of the same rows; NaN where there is none.
    tolerance : float or (s,) array_like
        How far gold must move, in the units of the coordinates.
    long : int
        Rows from which a held drawing is frozen.

    Examples
    --------
    >>> import numpy as np
    >>> frame, box = np.arange(40), np.tile([5.0, 5, 9, 9], (40, 1))
    >>> found = held_drawings(box, frame, [0, 40], box + frame[:, None])
    >>> found.n_drawings.tolist(), found.frozen_frames.tolist(), found.moved.tolist()
    ([1], [40], [39.0])
    """
    series = Series.of(coordinates, frame, starts)
    n = len(series.values)
    if n:
        change = np.ones(n, dtype=bool)
        change[1:] = (series.values[1:] != series.values[:-1]).any(axis=1)
        change[series.starts[:-1][np.diff(series.starts) > 0]] = True
        begin = np.flatnonzero(change)
    else:
        begin = np.empty(0, np.int64)
    length = np.diff(np.append(begin, n))
    drawing = np.repeat(np.arange(len(begin)), length)
    owner = series.series[begin]
    moved = np.full(len(begin), np.nan)
    if gold is not None and n:
        truth = np.asarray(gold, dtype=np.float64).reshape(series.values.shape)
        away = np.abs(truth - _first_known(truth, begin)[drawing])
        furthest = np.maximum.reduceat(np.where(np.isnan(away), -1.0, away).max(axis=1), begin)
        moved = np.where(furthest < 0, np.nan, furthest)
    least = np.broadcast_to(np.asarray(tolerance, dtype=np.float64), series.n_series)[owner]
    frozen = (length >= long) & (moved > least)
    total = np.bincount(series.series, minlength=series.n_series)
    longest = np.zeros(series.n_series, np.int64)
    np.maximum.at(longest, owner, length)
    return Held(
        drawing=drawing,
        series=owner,
        first=series.frame[begin],
        last=series.frame[begin + length - 1],
        length=length,
        moved=moved,
        frozen=frozen,
        whole=(length == total[owner]) & (length >= long),
        n_drawings=np.bincount(owner, minlength=series.n_series),
        longest=longest,
        frozen_frames=np.bincount(owner, length * frozen, series.n_series).astype(np.int64),
    )


def one_a_drawing(values: Array, held: Held) -> Floats:
    """Mean of the values over each drawing, so that holding one adds no evidence.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        Offsets of each row; NaN ones are left out.
    held : Held
        From `held_drawings`.

    Returns
    -------
    (d,) or (d, k) float64
        One row a drawing; ``held.series`` says whose. NaN where no row is usable.

    Examples
    --------
    >>> held = held_drawings([[1.0], [1.0], [2.0]], [0, 1, 2], [0, 3])
    >>> one_a_drawing([4.0, 6.0, 1.0], held).tolist()
    [5.0, 1.0]
    """
    given = np.asarray(values, dtype=np.float64)
    columns = given[:, None] if given.ndim == 1 else given
    d = len(held.length)
    means = []
    for column in columns.T:
        used = np.isfinite(column)
        count = np.bincount(held.drawing[used], minlength=d)
        with np.errstate(invalid="ignore"):
            means.append(np.bincount(held.drawing[used], column[used], d) / count)
    found = np.stack(means, axis=1)
    return found[:, 0] if given.ndim == 1 else found


def _first_known(truth: Floats, begin: Ints) -> Floats:
    """First row of each drawing in which gold is known."""
    n = len(truth)
    known = np.isfinite(truth).all(axis=1)
    row = np.minimum.reduceat(np.where(known, np.arange(n), n), begin)
    end = np.append(begin[1:], n)
    first = truth[np.minimum(row, n - 1)].copy()
    first[row >= end] = np.nan
    return first
