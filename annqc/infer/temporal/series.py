"""temporal: ragged series of frames, and what is counted, summed and compared inside each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import AnnqcError
from annqc.infer._layout import stable_order

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "MAD_TO_SD",
    "Columns",
    "Series",
    "neighbours",
    "row_at",
    "second_difference",
    "segment_median",
]

MAD_TO_SD: Final = 1.4826
"""A median absolute deviation times this is a standard deviation at the Gaussian."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Series:
    """Ragged series with their values as (n, k), checked.

    Attributes
    ----------
    values : (n, k) float64
        NaN where not usable.
    frame : (n,) int64
        Increasing inside a series.
    starts : (s + 1,) int64
        Offsets of the series.
    series : (n,) int64
        Series of each row.
    flat : bool
        Whether the values came as (n,), so that what is said of columns goes back as (s,).
    """

    values: Floats
    frame: Ints
    starts: Ints
    series: Ints
    flat: bool

    @classmethod
    def of(cls, values: Array, frame: Array, starts: Array) -> Series:
        """Check and arrange what callers hand over.

        Raises
        ------
        AnnqcError
            Where the three do not fit each other, or frames do not increase inside a series.
        """
        given = np.asarray(values, dtype=np.float64)
        frame = np.asarray(frame, dtype=np.int64)
        starts = np.asarray(starts, dtype=np.int64)
        n = len(given)
        fits = len(starts) > 0 and starts[0] == 0 and starts[-1] == n == len(frame)
        if not fits or (np.diff(starts) < 0).any():
            what = f"series do not fit their rows: {n} values and {len(frame)} frames"
            hint = "starts begins with 0, ends with the number of rows, and never falls"
            raise AnnqcError(what, hint=hint)
        series = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        backwards = (frame[1:] <= frame[:-1]) & (series[1:] == series[:-1])
        if backwards.any():
            row = int(np.flatnonzero(backwards)[0]) + 1
            what = f"the frames of series {series[row]} do not increase: {frame[row - 1]}"
            what += f" is followed by {frame[row]}"
            raise AnnqcError(what, hint="sort by frame, one row a frame and track")
        flat = given.ndim == 1
        columns = given[:, None] if flat else given
        return cls(values=columns, frame=frame, starts=starts, series=series, flat=flat)

    @property
    def n_series(self) -> int:
        """Number of series."""
        return len(self.starts) - 1

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    def columns(self) -> Columns:
        """Give every column of every series a series of its own, of usable rows only."""
        n, k = self.values.shape
        value = self.values.T.ravel()
        series = (self.series + np.arange(k)[:, None] * self.n_series).ravel()
        row = np.tile(np.arange(n), k)
        frame = np.tile(self.frame, k)
        used = np.isfinite(value)
        return Columns(
            value=value[used],
            frame=frame[used],
            series=series[used],
            row=row[used],
            n_series=self.n_series * k,
        )

    def shaped(self, x: Array) -> Array:
        """Bring one value a column and series, as `columns` numbers them, to (s, k) or (s,)."""
        return x if self.flat else x.reshape(self.n_columns, self.n_series).T

    def spread(self, x: Array | float) -> Floats:
        """Give every row, (n, 1) or (n, k), what is said once, a series, or a series and column."""
        each = np.asarray(x, dtype=np.float64)
        if each.ndim < 2:
            each = np.broadcast_to(each, self.n_series)[:, None]
        return np.asarray(each[self.series])

    def total(self, x: Array) -> Floats:
        """Sum (n,) rows within each series."""
        return np.bincount(self.series, x, self.n_series).astype(np.float64)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Columns:
    """Usable values of (series, column), one after the other.

    Attributes
    ----------
    value, frame, series, row : (m,) arrays
        Value, frame, column times series, and row of the `Series` that it came from.
    n_series : int
        Series times columns.
    """

    value: Floats
    frame: Ints
    series: Ints
    row: Ints
    n_series: int

    def count(self) -> Ints:
        """Rows of each series."""
        return np.bincount(self.series, minlength=self.n_series)

    def total(self, x: Array) -> Floats:
        """Sum within each series."""
        return np.bincount(self.series, x, self.n_series).astype(np.float64)

    def mean(self, x: Array) -> Floats:
        """Mean within each series; NaN where there is nothing."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total(x) / self.count())

    def median(self, x: Floats) -> Floats:
        """Median within each series; NaN where there is nothing."""
        return segment_median(x, self.series, self.n_series)

    def keep(self, mask: Bools) -> Columns:
        """Leave out rows."""
        return Columns(
            value=self.value[mask],
            frame=self.frame[mask],
            series=self.series[mask],
            row=self.row[mask],
            n_series=self.n_series,
        )

    def numbered(self, series: Ints) -> Columns:
        """Give the series that are listed the numbers 0, 1, 2 ...; no other has a row."""
        return Columns(
            value=self.value,
            frame=self.frame,
            series=np.searchsorted(series, self.series),
            row=self.row,
            n_series=len(series),
        )

    def step(self) -> Floats:
        """Usual distance in frames from one row to the next: 1 unless frames were skipped."""
        inside = self.series[1:] == self.series[:-1]
        distance = np.diff(self.frame)[inside].astype(np.float64)
        step = segment_median(distance, self.series[1:][inside], self.n_series, lower=True)
        return np.where(np.isnan(step), 1.0, step)


def segment_median(v: Floats, segment: Ints, n_segments: int, *, lower: bool = False) -> Floats:
    """Median of the finite values of each segment.

    Parameters
    ----------
    v : (n,) float64
        Values; what is not finite is left out.
    segment : (n,) int64
        Segment of each, in any order.
    n_segments : int
        Number of segments.
    lower : bool
        Of two in the middle take the lower one, not their mean.

    Returns
    -------
    (n_segments,) float64
        NaN where a segment has no value.

    Examples
    --------
    >>> import numpy as np
    >>> v, segment = np.array([3.0, 1, np.nan, 2, 9, 4]), np.array([0, 0, 0, 0, 2, 2])
    >>> segment_median(v, segment, 3).tolist()
    [2.0, nan, 6.5]
    """
    used = np.isfinite(v)
    v, segment = v[used], segment[used]
    order = np.argsort(v)
    order = order[stable_order(segment[order])]
    count = np.bincount(segment, minlength=n_segments)
    first = np.cumsum(count) - count
    found = np.full(n_segments, np.nan)
    some = count > 0
    low = first[some] + (count[some] - 1) // 2
    high = low if lower else first[some] + count[some] // 2
    found[some] = (v[order[low]] + v[order[high]]) / 2
    return found


def neighbours(frame: Ints, series: Ints, reach: int) -> Bools:
    """Whether row i and row i + reach are in one series, with no frame missing between.

    Parameters
    ----------
    frame, series : (n,) int64
        Sorted by (series, frame).
    reach : int
        Frames from one to the other.

    Returns
    -------
    (max(n - reach, 0),) bool
    """
    return np.asarray(
        (series[reach:] == series[:-reach]) & (frame[reach:] - frame[:-reach] == reach)
    )


def second_difference(values: Floats, frame: Ints, series: Ints) -> Floats:
    """Return x_{t+1} - 2 x_t + x_{t-1} at each row t; NaN without a neighbour on either side.

    Parameters
    ----------
    values : (n, k) float64
        Coordinates or offsets.
    frame, series : (n,) int64
        Sorted by (series, frame).
    """
    found = np.full(values.shape, np.nan)
    if len(values) > 2:
        whole = neighbours(frame, series, 2)[:, None]
        bend = values[2:] - 2 * values[1:-1] + values[:-2]
        found[1:-1] = np.where(whole, bend, np.nan)
    return found


def row_at(frame: Ints, series: Ints, distance: Ints | int) -> Ints:
    """Row of the same series ``distance`` frames later (or earlier, if negative), or -1.

    Parameters
    ----------
    frame, series : (n,) int64
        Sorted by (series, frame).
    distance : int or (n,) int64
        Frames.

    Examples
    --------
    >>> import numpy as np
    >>> row_at(np.array([0, 1, 3, 1, 2]), np.array([0, 0, 0, 1, 1]), 1).tolist()
    [1, -1, -1, 4, -1]
    """
    if not len(frame):
        return np.empty(0, np.int64)
    reach = int(np.abs(distance).max())
    base = frame - frame.min() + reach
    width = int(base.max()) + reach + 1
    key = series * width + base
    wanted = key + distance
    found = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.asarray(np.where(key[found] == wanted, found, -1))
