"""temporal: single frames whose offset leaps away and comes back, as a rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.rates import Rate, korn_graubard
from annqc.infer.temporal.series import MAD_TO_SD, Series, second_difference

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["TOLERANCES", "Z_SPIKE", "Spikes", "find_spikes", "innovations", "spike_rate"]

Z_SPIKE: Final = 8.0
"""A spike is this many times as large as usual differences."""
TOLERANCES: Final = 3.0
"""And larger than this many tolerances."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Spikes:
    """Frames that leap out, one row each, and how many there are.

    Attributes
    ----------
    series, frame : (m,) int64
        Where.
    size : (m, k) or (m,) float64
        Distance from the median of the four frames around, in the units of the values.
    z : (m,) float64
        Size over usual differences, of the column that leaps furthest.
    n_spikes, n_frames : (s,) int64
        Spikes of each series, and frames in which one could have been seen.
    """

    series: Ints
    frame: Ints
    size: Floats
    z: Floats
    n_spikes: Ints
    n_frames: Ints


def find_spikes(
    values: Array,
    frame: Array,
    starts: Array,
    *,
    tolerance: Array | float = 1.0,
    grid: float = 0.0,
    z_spike: float = Z_SPIKE,
) -> Spikes:
    """Find frames that stand far from the two before and the two after.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        Offsets from gold, or `innovations` where there is no gold.
    frame : (n,) array_like of int
        Increasing inside a series; the five frames must be consecutive.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    tolerance : float, (s,) or (s, k) array_like
        In the units of the values; a spike is larger than three.
    grid : float
        Coordinate step in the same units: usual differences count as at least 0.75 of it.
    z_spike : float
        A spike must be larger than so many usual differences.

    Returns
    -------
    Spikes
        Heavy-tailed errors are spikes: judge the rate (`spike_rate`), do not raise an alarm.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.random.default_rng(4).normal(size=100)
    >>> y[30] += 20
    >>> found = find_spikes(y, np.arange(100), [0, 100])
    >>> found.frame.tolist(), found.n_spikes.tolist()
    ([30], [1])
    """
    series = Series.of(values, frame, starts)
    n = len(series.values)
    size = np.full(series.values.shape, np.nan)
    if n >= 5:
        around = np.stack([series.values[shift : n - 4 + shift] for shift in (0, 1, 3, 4)])
        around.sort(axis=0)
        whole = (series.series[4:] == series.series[:-4]) & (
            series.frame[4:] - series.frame[:-4] == 4
        )
        # A NaN among the four sorts last; it must not pass for a large value.
        whole = whole[:, None] & np.isfinite(around[3])
        size[2:-2] = np.where(whole, series.values[2:-2] - (around[1] + around[2]) / 2, np.nan)
    rows = Series(
        values=size,
        frame=series.frame,
        starts=series.starts,
        series=series.series,
        flat=series.flat,
    ).columns()
    usual = np.maximum(MAD_TO_SD * rows.median(np.abs(rows.value)), 0.75 * grid)
    with np.errstate(all="ignore"):
        ratio = np.where(rows.value == 0, 0.0, np.abs(rows.value) / usual[rows.series])
    z = np.zeros(size.shape)
    z[rows.row, rows.series // max(series.n_series, 1)] = ratio
    beyond = np.abs(size) > TOLERANCES * series.spread(tolerance)
    height = np.where((z > z_spike) & beyond, z, 0.0).max(axis=1, initial=0.0)
    found = np.flatnonzero(height > 0)
    seen = np.isfinite(size).any(axis=1)
    return Spikes(
        series=series.series[found],
        frame=series.frame[found],
        size=size[found, 0] if series.flat else size[found],
        z=height[found],
        n_spikes=np.bincount(series.series[found], minlength=series.n_series),
        n_frames=series.total(seen).astype(np.int64),
    )


def spike_rate(spikes: Spikes, group: Array, n_groups: int, *, confidence: float = 0.95) -> Rate:
    """Share of frames with a spike, with the track as the unit of evidence.

    Parameters
    ----------
    spikes : Spikes
        From `find_spikes`.
    group : (s,) array_like of int
        Annotator of each series.
    n_groups : int
        Number of annotators.
    confidence : float
        Level of the interval.
    """
    codes = np.asarray(group, dtype=np.int64)
    return korn_graubard(spikes.n_spikes, spikes.n_frames, codes, n_groups, confidence=confidence)


def innovations(coordinates: Array, frame: Array, starts: Array) -> Floats:
    """Tell what a box does that its motion so far did not promise: x_t - 2 x_{t-1} + x_{t-2}.

    Parameters
    ----------
    coordinates : (n,) or (n, k) array_like
        Without gold.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.

    Returns
    -------
    array like ``coordinates``
        NaN where one of the three frames is missing. True changes of motion are in it. A leap of
        one frame shows in three innovations, a jump that stays in two.

    Examples
    --------
    >>> innovations([0.0, 2, 4, 9], [0, 1, 2, 3], [0, 4]).tolist()
    [nan, nan, 0.0, 3.0]
    """
    series = Series.of(coordinates, frame, starts)
    bend = second_difference(series.values, series.frame, series.series)
    found = np.full(bend.shape, np.nan)
    found[1:] = bend[:-1]
    return found[:, 0] if series.flat else found
