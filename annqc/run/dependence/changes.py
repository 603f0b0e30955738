"""run: since when an edge is drawn otherwise: a CUSUM over images in the order of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.drift import N_REFERENCE, change_point, cusum, cusum_limit, false_alarm, lag_one
from annqc.run.dependence.moods import by_sitting, sitting_of, withstands
from annqc.run.dependence.sizes import net_slopes, step_share
from annqc.run.dependence.stack import sequences

if TYPE_CHECKING:
    from annqc.infer.covariates import Slopes
    from annqc.run.dependence.sessions import Sessions
    from annqc.run.dependence.stack import Sequences, Stack
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Changes", "find_changes"]

LEAST_AFTER: Final = 5
"""Images past the reference that there must be for a sequence to be watched."""
ALIKE_FROM: Final = 0.1
"""Lag-1 correlation of neighbouring images above which sittings are watched instead."""


ROWS: Final = ("group", "pair", "y", "px", "side", "tolerance")
"""What a stack has by row, besides the cluster."""


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
    moody : (n_groups,) bool
        Whether sittings differ and are too few to be watched.
    like_sizes : (n_groups,) float64
        Share of a lasting change that sizes explain, at the time when they explain most.
    before, after : (c, 5) float64
        Estimate, error, degrees of freedom, pairs and images of the stretch up to the change and
        of the one from it, in pixels.
    net : (c, 3) float64
        After less before on objects of the same size: estimate, error, degrees of freedom, pixels.
    size : (c,) float64
        The same in tolerances.
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
    moody: Bools
    like_sizes: Floats
    before: Floats
    after: Floats
    net: Floats
    size: Floats


def find_changes(
    stack: Stack,
    seconds: Floats,
    sittings: Sessions,
    n_groups: int,
    *,
    differ: Bools,
    maybe: Bools,
    chance: float,
) -> Changes:
    """Find lasting changes of every edge of everybody.

    Parameters
    ----------
    stack : Stack
        With what is left of sizes, and images (or tracks) as clusters.
    seconds : (n_pairs,) float64
        When each pair was drawn.
    sittings : Sessions
        Of the pairs.
    n_groups : int
        Four times the number of people.
    differ : (n_people,) bool
        Whose sittings differ, from `annqc.run.dependence.moods.sittings_differ`.
    maybe : (n_people,) bool
        Whose sittings may differ: changes of theirs have to stand out from sittings.
    chance : float
        Largest chance of any false alarm in the fleet.

    Returns
    -------
    Changes

    Notes
    -----
    One limit serves all: the smallest h with ``1 - exp(-n / ARL0(h)) <= chance``, for the n images
    of all sequences together. After an alarm a sequence starts again at the change. Where images
    are alike to their neighbours (lag-1 correlation above .1, in the median of a person's edges)
    or sittings differ, sittings are watched in their place if there are enough; if they differ and
    are too few, nothing is; where they may differ, changes have to stand out from them. Standard
    deviations are widened by ``sqrt((1 + r) / (1 - r))`` for as much correlation as is left.
    """
    kept = np.flatnonzero(np.isfinite(seconds[stack.pair]))
    group, pair, y = stack.group[kept], stack.pair[kept], stack.y[kept]
    unit = stack.cluster[kept]
    found = sequences(group, unit, seconds[pair], y, n_groups)
    alike = _alike(found)
    images = found.length.reshape(-1, 4).max(axis=1)
    enough = (sittings.n >= N_REFERENCE + LEAST_AFTER) & (sittings.n < images)
    sat = ((alike[::4] > ALIKE_FROM) | differ) & enough
    by_session = np.repeat(sat, 4)
    moody = np.repeat(differ & ~enough, 4)
    if sat.any():
        unit = by_sitting(stack, sittings, sat)[kept]
        found = sequences(group, unit, seconds[pair], y, n_groups)
        alike = np.where(by_session, _alike(found), alike)
    watched = (found.length >= N_REFERENCE + LEAST_AFTER) & ~moody
    r = np.clip(alike, 0.0, 0.9)
    total = float(found.length[watched].sum())
    limit = cusum_limit(max(total, 1.0), chance=chance)
    peak, changes = _watch(found, watched, limit, np.sqrt((1 + r) / (1 - r)), stack.grid)
    at = np.array(changes, dtype=np.int64).reshape(-1, 2)
    doubtful = np.repeat(maybe & ~enough, 4)
    if doubtful[at[:, 0]].any():
        sitting = sitting_of(found, group, sittings.session[pair])
        for row in np.unique(at[doubtful[at[:, 0]], 0]).tolist():
            n = int(found.length[row])
            x, own = found.x[row, :n], sitting[row, :n]
            # One change is watched beside those of the same edge that come before or after it.
            moody[row] = not all(
                withstands(x[first:last], own[first:last], here - first)
                for first, here, last in _stretches(at[at[:, 0] == row, 1], n)
            )
        at, watched = at[~moody[at[:, 0]]], watched & ~moody
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
        unit[rows],
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
    before, after = told[left], told[left + 1]
    work = replace(
        stack, **{name: getattr(stack, name)[kept[rows]] for name in ROWS}, cluster=unit[rows]
    )
    net, steps = (_net(work, code, left, owner, one) for one in ("px", "tolerance"))
    position = np.where(watched[group], found.position, -1)
    timed = replace(stack, **{name: getattr(stack, name)[kept] for name in ROWS}, cluster=unit)
    return Changes(
        watched=watched,
        n=np.bincount(group, minlength=n_groups),
        n_units=np.where(moody, np.repeat(sittings.n, 4), found.length),
        peak=peak,
        chance=false_alarm(peak, total),
        limit=limit,
        group=at[:, 0],
        position=at[:, 1],
        since=found.time[at[:, 0], at[:, 1]],
        by_session=by_session,
        moody=moody & (found.length > 0),
        like_sizes=step_share(timed, position, n_groups, first=N_REFERENCE, last=LEAST_AFTER),
        before=before,
        after=after,
        net=np.stack([net.estimate[:, 0], net.se[:, 0], net.df], axis=1),
        # Too few images for sizes as well: what is left of these is as good as it gets.
        size=np.where(
            np.isfinite(steps.estimate[:, 0]),
            steps.estimate[:, 0],
            located.estimate[left + 1, 1] - located.estimate[left, 1],
        ),
    )


def _stretches(position: Ints, n: int) -> list[tuple[int, int, int]]:
    """Return of each change where the stretch before it begins, it is, and that after it ends."""
    ends = [0, *position.tolist(), n]
    return list(zip(ends, ends[1:-1], ends[2:], strict=False))


def _net(work: Stack, code: Ints, left: Ints, owner: Ints, unit: str) -> Slopes:
    """Estimate each change from the stretches before and after it, beside sizes."""
    pieces = [np.flatnonzero((code == one) | (code == one + 1)) for one in left.tolist()]
    rows = np.concatenate([*pieces, np.zeros(0, dtype=np.int64)])
    change = np.repeat(np.arange(len(left)), [len(one) for one in pieces])
    after = (code[rows] > left[change]).astype(np.float64)
    part = replace(work, **{one: getattr(work, one)[rows] for one in (*ROWS, "cluster")})
    part = replace(part, group=change)
    grid = (work.grid_px if unit == "px" else work.grid)[owner[left]]
    return net_slopes(part, after[:, None], len(left), unit=unit, grid=grid)


def _watch(
    found: Sequences, watched: Bools, limit: float, widen: Floats, grid: Floats
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


def _alike(found: Sequences) -> Floats:
    """Return how alike neighbours are, in the median of a person's edges; 0 where it is unknown.

    A change of one edge leaves the median alone; moods show on all of them.
    """
    r = lag_one(found.x).reshape(-1, 4)
    known = np.isfinite(r).any(axis=1)
    middle = np.zeros(len(r))
    middle[known] = np.nanmedian(r[known], axis=1)
    return np.repeat(middle, 4)
