"""run: since when an edge is drawn otherwise: a CUSUM over images in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.drift import N_REFERENCE, change_point, cusum, cusum_limit, false_alarm, lag_one

if TYPE_CHECKING:
    from annqc.run.dependence.sessions import Sessions
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Changes", "Stack", "find_changes"]

LEAST_AFTER: Final = 5
"""Images past the reference that there must be for a sequence to be watched."""
ALIKE_FROM: Final = 0.1
"""Lag-1 correlation of neighbouring images above which sittings are watched instead."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stack:
    """Usable offsets of the four edges beneath one another, one row a pair and edge.

    Attributes
    ----------
    group : (n,) int64
        Four times the person, and the edge.
    cluster, pair : (n,) int64
        Image (or track), and row of the measurements.
    y, px : (n,) float64
        Pseudo-values in tolerances, and offsets as measured in pixels.
    grid, grid_px : (n_groups,) float64
        Coordinate steps of the groups in tolerances, and in pixels.
    """

    group: Ints
    cluster: Ints
    pair: Ints
    y: Floats
    px: Floats
    grid: Floats
    grid_px: Floats


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Changes:
    """What changed over time.

    Attributes
    ----------
    watched : (n_groups,) bool
        Whether there were enough images for an answer.
    n, n_units : (n_groups,) int64
        Pairs, and images (tracks, sittings) in order.
    peak, chance : (n_groups,) float64
        Largest CUSUM, and the chance that honest work has one as large anywhere in the fleet.
    limit : float
        From which on it is an alarm.
    group, position : (c,) int64
        Of each change: its group, and how many images come before it.
    since : (c,) float64
        Time of the first image after it, seconds since 1970.
    by_session : (n_groups,) bool
        Whether sittings and not images were watched.
    before, after : (c, 5) float64
        Estimate, error, degrees of freedom, pairs and images of the stretch up to the change and
        of the one from it, in pixels.
    size : (c,) float64
        After less before, in tolerances.
    """

    watched: Bools
    n: Ints
    n_units: Ints
    peak: Floats
    chance: Floats
    limit: float
    group: Ints
    position: Ints
    since: Floats
    by_session: Bools
    before: Floats
    after: Floats
    size: Floats


@dataclass(frozen=True, eq=False, slots=True)
class _Sequences:
    """Means of units in the order of time, (n_groups, t); and of each row its place in there."""

    x: Floats
    time: Floats
    length: Ints
    position: Ints


def find_changes(
    stack: Stack, seconds: Floats, sittings: Sessions, n_groups: int, *, chance: float
) -> Changes:
    """Find lasting changes of every edge of everybody.

    Parameters
    ----------
    stack : Stack
    seconds : (n_pairs,) float64
        When each pair was drawn.
    sittings : Sessions
        Of the pairs.
    n_groups : int
        Four times the number of people.
    chance : float
        Largest chance of any false alarm in the fleet.

    Returns
    -------
    Changes

    Notes
    -----
    One limit serves all: the smallest h with ``1 - exp(-n / ARL0(h)) <= chance``, for the n images
    of all sequences together. After an alarm a sequence starts again at the change. Where images
    are alike to their neighbours (lag-1 correlation above .1, in the median of a person's edges),
    sittings are watched in their place if there are enough. Standard deviations are widened by
    ``sqrt((1 + r) / (1 - r))`` for as much correlation as is left.
    """
    kept = np.isfinite(seconds[stack.pair])
    group, pair, y = stack.group[kept], stack.pair[kept], stack.y[kept]
    unit = stack.cluster[kept]
    found = _sequences(group, unit, seconds[pair], y, n_groups)
    alike = _alike(found)
    images = found.length.reshape(-1, 4).max(axis=1)
    enough = (sittings.n >= N_REFERENCE + LEAST_AFTER) & (sittings.n < images)
    by_session = np.repeat((alike[::4] > ALIKE_FROM) & enough, 4)
    if by_session.any():
        first = int(unit.max()) + 1
        unit = np.where(by_session[group], first + sittings.session[pair], unit)
        found = _sequences(group, unit, seconds[pair], y, n_groups)
        alike = np.where(by_session, _alike(found), alike)
    watched = found.length >= N_REFERENCE + LEAST_AFTER
    r = np.clip(alike, 0.0, 0.9)
    total = float(found.length[watched].sum())
    limit = cusum_limit(max(total, 1.0), chance=chance)
    peak, changes = _watch(found, watched, limit, np.sqrt((1 + r) / (1 - r)), stack.grid)
    at = np.array(changes, dtype=np.int64).reshape(-1, 2)
    cuts = np.zeros((n_groups, found.x.shape[1] + 1), dtype=np.int64)
    cuts[at[:, 0], at[:, 1]] = 1
    # Every stretch of a sequence with changes is estimated, as work of its own would be.
    part = np.cumsum(cuts, axis=1)[group, found.position] if len(group) else group
    start = np.cumsum(np.append(0, np.bincount(at[:, 0], minlength=n_groups) + 1))
    rows = np.isin(group, at[:, 0])
    code = (start[:-1][group] + part)[rows]
    owner = np.repeat(np.arange(n_groups), np.diff(start))
    values = np.stack([stack.px[kept][rows], y[rows]], axis=1)
    grids = np.stack([stack.grid_px[owner], stack.grid[owner]], axis=1)
    located = cluster_location(
        code,
        stack.cluster[kept][rows],
        values,
        n_groups=int(start[-1]),
        group_grid=grids,
        engine="numpy",
    )
    told = np.stack(
        [
            x[:, 0]
            for x in (located.estimate, located.se, located.df, located.n, located.n_clusters)
        ],
        axis=1,
    ).astype(np.float64)
    earlier = np.array([np.count_nonzero((at[:, 0] == g) & (at[:, 1] < k)) for g, k in at.tolist()])
    left = start[at[:, 0]] + earlier.astype(np.int64)
    return Changes(
        watched=watched,
        n=np.bincount(group, minlength=n_groups),
        n_units=found.length,
        peak=peak,
        chance=false_alarm(peak, total),
        limit=limit,
        group=at[:, 0],
        position=at[:, 1],
        since=found.time[at[:, 0], at[:, 1]],
        by_session=by_session,
        before=told[left],
        after=told[left + 1],
        size=located.estimate[left + 1, 1] - located.estimate[left, 1],
    )


def _watch(
    found: _Sequences, watched: Bools, limit: float, widen: Floats, grid: Floats
) -> tuple[Floats, list[tuple[int, int]]]:
    """Run the CUSUM over all sequences, and again from every change on."""
    peak = np.full(len(watched), np.nan)
    rows = np.flatnonzero(watched)
    begin = np.zeros(len(watched), dtype=np.int64)
    changes: list[tuple[int, int]] = []
    while len(rows):
        longest = int((found.length[rows] - begin[rows]).max())
        if longest <= N_REFERENCE:
            break
        at = begin[rows, None] + np.arange(longest)
        x = found.x[rows[:, None], np.minimum(at, found.x.shape[1] - 1)]
        x = np.where(at < found.length[rows, None], x, np.nan)
        # A mean of whole pixels is uncertain by rounding, however alike they are.
        alarms = cusum(x, limit=limit, widen=widen[rows], floor=grid[rows] / np.sqrt(12))
        peak[rows] = np.fmax(peak[rows], alarms.peak)
        hit = np.flatnonzero(alarms.alarm >= 0)
        for k in hit.tolist():
            row = int(rows[k])
            begin[row] += change_point(x[k], int(alarms.start[k]), int(alarms.alarm[k]))
            changes.append((row, int(begin[row])))
        rows = rows[hit]
    return peak, sorted(changes)


def _sequences(group: Ints, unit: Ints, seconds: Floats, y: Floats, n_groups: int) -> _Sequences:
    """Put the means of units into the order of the median time of what was drawn on them."""
    width = int(unit.max(initial=0)) + 1
    cells, cell = np.unique(group * width + unit, return_inverse=True)
    owner = cells // width
    mean = np.bincount(cell, y, len(cells)) / np.bincount(cell, minlength=len(cells))
    works, work = np.unique((group // 4) * width + unit, return_inverse=True)
    order = np.lexsort((seconds, work))
    count = np.bincount(work, minlength=len(works))
    middle = seconds[order][np.cumsum(count) - count + (count - 1) // 2] if len(works) else seconds
    time = middle[np.searchsorted(works, (owner // 4) * width + cells % width)]
    order = np.lexsort((cells % width, time, owner))
    length = np.bincount(owner, minlength=n_groups)
    place = np.empty(len(cells), dtype=np.int64)
    place[order] = np.arange(len(cells)) - (np.cumsum(length) - length)[owner[order]]
    x = np.full((n_groups, max(int(length.max(initial=0)), 1)), np.nan)
    when = np.full(x.shape, np.nan)
    x[owner, place], when[owner, place] = mean, time
    # Nothing says in which order things were drawn that were all drawn at one time.
    spread = np.nanmax(when, axis=1, initial=-np.inf) > np.nanmin(when, axis=1, initial=np.inf)
    return _Sequences(x, when, np.where(spread, length, 0), place[cell])


def _alike(found: _Sequences) -> Floats:
    """Return how alike neighbours are, in the median of a person's edges; 0 where it is unknown.

    A change of one edge leaves the median alone; moods show on all of them.
    """
    r = lag_one(found.x).reshape(-1, 4)
    known = np.isfinite(r).any(axis=1)
    middle = np.zeros(len(r))
    middle[known] = np.nanmedian(r[known], axis=1)
    return np.repeat(middle, 4)
