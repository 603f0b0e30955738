"""run: whether somebody's sittings differ, by a mood of the day, from one to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from annqc.run.dependence.sizes import without_sizes
from annqc.run.dependence.stack import sequences

if TYPE_CHECKING:
    from annqc.run.dependence.sessions import Sessions
    from annqc.run.dependence.stack import Sequences, Stack
    from annqc.tables import Bools, Floats, Ints

__all__ = ["MAYBE", "by_sitting", "sitting_of", "sittings_differ", "withstands"]

LEVEL: Final = 0.15
"""Of the median over four edges: 1 to 3 of 100 honest people where the edges have nothing in
common, 15 where they are off together (4,000 people each, 3 to 20 sittings of 3 to 30 images)."""
MAYBE: Final = 0.75
"""Level from which on a change has to stand out from the sittings."""
SURE: Final = 0.003
"""Level of a change beside the sittings before and after it; it is where it seems largest."""
STEPPED: Final = 4
"""Sittings from which on one lasting change can be told from moods, and is taken out first."""
LEAST_INSIDE: Final = 4
"""Degrees of freedom inside sittings."""
N_EDGES: Final = 4


def sittings_differ(
    stack: Stack, seconds: Floats, sittings: Sessions, n_groups: int, *, level: float = LEVEL
) -> Bools:
    """Say whose sittings differ by more than the images inside them.

    Parameters
    ----------
    stack : Stack
        With images (or tracks) as clusters.
    seconds : (n_pairs,) float64
        When each pair was drawn.
    sittings : Sessions
        Of the pairs.
    n_groups : int
        Four times the number of people.
    level : float
        Of the median edge.

    Returns
    -------
    (n_people,) bool

    Notes
    -----
    F of the means of images, between over inside sittings, in the median over the four edges,
    which what one edge alone does leaves as it is. From four sittings on the work is parted at the
    step with the smallest sum of squares first: one change is no mood. Of each part the means are
    those of what is left of sizes.
    """
    kept = np.isfinite(seconds[stack.pair])
    group, pair, unit = stack.group[kept], stack.pair[kept], stack.cluster[kept]
    left = without_sizes(stack, stack.y[:, None], n_groups)[kept, 0]
    found = sequences(group, unit, seconds[pair], left, n_groups)
    sitting = sitting_of(found, group, sittings.session[pair])
    lengths = found.length.tolist()
    step = np.array([_step(found.x[k, :n], sitting[k, :n]) for k, n in enumerate(lengths)])
    # So many pixels are more tolerances on small objects, before and after a change.
    after = np.zeros(len(stack.group), dtype=np.int64)
    after[kept] = found.position >= step[group]
    sides = replace(stack, group=2 * stack.group + after)
    y = without_sizes(sides, stack.y[:, None], 2 * n_groups)[kept, 0]
    x = sequences(group, unit, seconds[pair], y, n_groups).x
    beyond = np.array(
        [_beyond(x[k, :n], sitting[k, :n], level) for k, n in enumerate(lengths)]
    ).reshape(-1, N_EDGES)
    known = np.isfinite(beyond).any(axis=1)
    differ = np.zeros(len(beyond), dtype=bool)
    differ[known] = np.nanmedian(beyond[known], axis=1) > 0
    return differ


def sitting_of(found: Sequences, group: Ints, session: Ints) -> Ints:
    """Return the sitting of every unit of sequences.

    Parameters
    ----------
    found : Sequences
    group, session : (n,) int64
        Group and sitting of each row that they were made from.

    Returns
    -------
    (n_groups, t) int64
        -1 beyond the end of a sequence.
    """
    sitting = np.full(found.x.shape, -1, dtype=np.int64)
    sitting[group, found.position] = session
    return sitting


def withstands(x: Floats, sitting: Ints, position: int) -> bool:
    """Say whether a change stands out from the sittings before it and after it.

    Parameters
    ----------
    x : (t,) float64
        Means of images in the order of time.
    sitting : (t,) int64
        Sitting of each.
    position : int
        The first image after the change.

    Returns
    -------
    bool
        Whether F(1, s - 2) of after against before is beyond its 0.3 % point, with the mean square
        between sittings on either side as error (that of images inside them, if it is larger).
    """
    after = np.arange(len(x)) >= position
    names, code = np.unique(2 * sitting + after, return_inverse=True)
    s, n = len(names), len(x)
    if s < STEPPED - 1 or n <= s:
        return False
    size = np.bincount(code)
    mean = np.bincount(code, x) / size
    own = np.where(after, x[after].mean(), x[~after].mean())
    between = float(((mean[code] - own) ** 2).sum()) / (s - 2)
    inside = float(((x - mean[code]) ** 2).sum()) / (n - s)
    step = float(((own - x.mean()) ** 2).sum())
    return step > float(special.fdtri(1, s - 2, 1 - SURE)) * max(between, inside)


def by_sitting(stack: Stack, sittings: Sessions, people: Bools) -> Ints:
    """Return clusters: the sittings of some people, and images of others or without a time.

    Parameters
    ----------
    stack : Stack
    sittings : Sessions
    people : (n_people,) bool
        Whose sittings are the units of evidence.

    Returns
    -------
    (n,) int64
    """
    session = sittings.session[stack.pair]
    first = int(stack.cluster.max(initial=0)) + 1
    used = people[stack.group // N_EDGES] & (session >= 0)
    return np.where(used, first + session, stack.cluster)


def _step(x: Floats, sitting: Ints) -> int:
    """Return where values are best parted in two; their end where sittings are too few for it."""
    n = len(x)
    if len(np.unique(sitting)) < STEPPED:
        return n
    at = np.arange(1, n)
    before = np.cumsum(x - x.mean())[:-1]
    return int(np.argmax(before**2 / (at * (n - at)))) + 1


def _beyond(x: Floats, sitting: Ints, level: float) -> float:
    """Return by how much F between sittings is beyond its limit; NaN where there are too few."""
    names, code = np.unique(sitting, return_inverse=True)
    n, s = len(x), len(names)
    if s < 2 or n - s < LEAST_INSIDE:
        return np.nan
    free = s - 2 if s >= STEPPED else s - 1
    size = np.bincount(code)
    mean = np.bincount(code, x) / size
    inside = float(((x - mean[code]) ** 2).sum()) / (n - s)
    limit = float(special.fdtri(free, n - s, 1 - level))
    between = float((size * (mean - x.mean()) ** 2).sum()) / free
    return between / inside - limit if inside > 0 else np.nan
