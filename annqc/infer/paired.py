"""infer: has the work got worse? Two deliveries on the same images, compared image by image.

What both deliveries share (the images, the objects, the gold's own error) cancels in the
difference, so a pair of deliveries tells a smaller change apart than two separate intervals would.
A change counts as shown where the difference lies beyond a margin by a one-sided t test on
clusters; Holm's correction keeps the chance of any false alarm of a rule at its level, however many
groups it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from annqc.infer.cht import cluster_location
from annqc.infer.verdicts import half_width

if TYPE_CHECKING:
    from annqc.infer.sums import Location
    from annqc.tables import Array, Floats, Ints

__all__ = [
    "BiasChange",
    "RatioChange",
    "adjusted_holm",
    "bias_change",
    "p_above",
    "ratio_change",
]

ROUNDING = 1e-12
"""What is below this is no spread, and no difference either."""


def adjusted_holm(p: Array) -> Floats:
    """Holm's adjusted p-values; NaN stays NaN and does not count.

    Parameters
    ----------
    p : (m,) array_like
        p-values.

    Returns
    -------
    (m,) float64
        Rejecting those at or below a level keeps the chance of any false rejection at that level,
        whatever the dependence.

    Examples
    --------
    >>> adjusted_holm([0.01, 0.04, 0.03, float("nan")]).round(4).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    p = np.asarray(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    out = np.full(p.shape, np.nan)
    steps = p[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out


def p_above(estimate: Array, se: Array, df: Array, margin: Array | float = 0.0) -> Floats:
    """One-sided p-value of a value being at most ``margin``.

    Parameters
    ----------
    estimate, se, df : array_like
        What was estimated, its standard error and its degrees of freedom.
    margin : float or array_like
        What is still allowed.

    Returns
    -------
    array of float64
        ``S((estimate - margin) / se)``. Without any spread 0 above the margin and 1 up to it; NaN
        where there is no estimate or no degree of freedom.

    Examples
    --------
    >>> p_above([0.0, 2.0, 2.0], [1.0, 1.0, 0.0], 10.0).round(4).tolist()
    [0.5, 0.0367, 0.0]
    """
    over = np.asarray(estimate, dtype=np.float64) - margin
    se, df = np.asarray(se, dtype=np.float64), np.asarray(df, dtype=np.float64)
    with np.errstate(all="ignore"):
        p = special.stdtr(df, -over / se)
        p = np.where(se <= ROUNDING, np.where(over > ROUNDING, 0.0, 1.0), p)
    return np.where(np.isnan(over) | np.isnan(se) | ~(df > 0), np.nan, p)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class RatioChange:
    """A ratio in two deliveries, arrays (n_groups,).

    ``old, new, change`` (new minus old) with ``se``, ``df`` and ``n_clusters``; ``n_old, n_new``
    are the trials.
    """

    old: Floats
    new: Floats
    change: Floats
    se: Floats
    df: Floats
    n_clusters: Ints
    n_old: Ints
    n_new: Ints

    def interval(self, confidence: float) -> tuple[Floats, Floats]:
        """Confidence interval of the change."""
        half = half_width(self.se, self.df, confidence)
        return self.change - half, self.change + half

    def p_worse(self, margin: float) -> Floats:
        """p-value of the ratio having fallen by no more than ``margin``."""
        return p_above(-self.change, self.se, self.df, margin)


def ratio_change(
    new: tuple[Array, Array, Array],
    old: tuple[Array, Array, Array],
    n_groups: int,
) -> RatioChange:
    """Difference of two ratios over shared clusters.

    Parameters
    ----------
    new, old : (events, group, cluster)
        One entry a trial: its value (0 or 1, or an overlap), group and cluster.
    n_groups : int
        Number of groups.

    Returns
    -------
    RatioChange

    Notes
    -----
    With sums x and n of each cluster g and ratios ``R = Σx / Σn``, the linearised residual is ``z_g
    = (x_g - R n_g) / Σn`` of the new delivery minus that of the old one, and ``V = G / (G - 1) Σ
    z_g²`` with G - 1 degrees of freedom. Where both deliveries have the same trials that is the
    clustered t of the mean difference.

    Examples
    --------
    >>> group, cluster = [0] * 6, [0, 1, 2, 3, 4, 5]
    >>> found = ratio_change(([1, 1, 1, 0, 0, 1], group, cluster), ([1] * 6, group, cluster), 1)
    >>> print(f"{found.old[0]:.2f} -> {found.new[0]:.2f} +- {found.se[0]:.3f}")
    1.00 -> 0.67 +- 0.211
    """
    events = [np.asarray(one[0], dtype=np.float64) for one in (new, old)]
    groups = [np.asarray(one[1], dtype=np.int64) for one in (new, old)]
    clusters = [np.asarray(one[2], dtype=np.int64) for one in (new, old)]
    width = max((int(one.max(initial=0)) for one in clusters), default=0) + 1
    codes = [group * width + cluster for group, cluster in zip(groups, clusters, strict=True)]
    cells, place = np.unique(np.concatenate(codes), return_inverse=True)
    at = np.split(place, [len(codes[0])])
    group = cells // width
    x = [np.bincount(rows, of, len(cells)) for rows, of in zip(at, events, strict=True)]
    n = [np.bincount(rows, minlength=len(cells)) for rows in at]
    with np.errstate(all="ignore"):
        total = [np.bincount(group, one, n_groups) for one in n]
        ratio = [np.bincount(group, x[k], n_groups) / total[k] for k in (0, 1)]
        parts = [(x[k] - ratio[k][group] * n[k]) / total[k][group] for k in (0, 1)]
        residual = parts[0] - parts[1]
        count = np.bincount(group, minlength=n_groups)
        variance = count / (count - 1) * np.bincount(group, residual**2, n_groups)
        se = np.where(count > 1, np.sqrt(variance), np.nan)
    return RatioChange(
        old=ratio[1],
        new=ratio[0],
        change=ratio[0] - ratio[1],
        se=se,
        df=np.maximum(count - 1, 0).astype(np.float64),
        n_clusters=count,
        n_old=total[1].astype(np.int64),
        n_new=total[0].astype(np.int64),
    )


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class BiasChange:
    """An offset in two deliveries, arrays (n_groups, K), in the units of the values.

    ``old`` and ``new`` are the offsets; ``change`` is by how much the size of the offset grew, and
    ``low, high`` its interval; ``p_value`` is that of its having grown by no more than the margin.
    """

    old: Floats
    new: Floats
    change: Floats
    low: Floats
    high: Floats
    p_value: Floats
    n: Ints
    n_clusters: Ints


def bias_change(
    new: Array,
    old: Array,
    *,
    group: Array,
    cluster: Array,
    n_groups: int,
    margin: Array | None = None,
    confidence: float = 0.95,
    grid: Array | float = 0.0,
) -> BiasChange:
    """Growth of an offset between two deliveries of the same objects.

    Parameters
    ----------
    new, old : (N, K) array_like
        Offsets of the same objects; NaN where not usable.
    group, cluster : (N,) array_like of int
        Codes.
    n_groups : int
        Number of groups.
    margin : (N, K) array_like, optional
        By how much the offset may grow on each object. Nothing is tested if not given.
    confidence : float
        Level of the interval.
    grid : float or (K,) array_like
        Coordinate step.

    Returns
    -------
    BiasChange

    Notes
    -----
    "Worse" is ``|b_new| > |b_old| + margin``. With s the sign of ``b_new`` that is ``s b_new - s
    b_old > margin`` and ``s b_new + s b_old > margin`` at once: an intersection-union test, so
    neither part needs a correction, but as s was read off the same data the p-value is twice the
    larger of the two. Locations and standard errors are those of
    `annqc.infer.cht.cluster_location`, on the values of each object less its margin.

    Examples
    --------
    >>> import numpy as np
    >>> old = np.array([0.1, -0.2, 0.0, 0.2, -0.1, 0.1])[:, None]
    >>> new = np.array([2.2, 1.9, 2.0, 2.1, 1.8, 2.3])[:, None]
    >>> images = np.arange(6)
    >>> found = bias_change(
    ...     new, old, group=images * 0, cluster=images, n_groups=1, margin=np.full((6, 1), 0.25)
    ... )
    >>> print(f"grew by {found.change[0, 0]:.1f}, p {found.p_value[0, 0]:.1e}")
    grew by 2.0, p 3.2e-05
    """
    new, old = np.asarray(new, dtype=np.float64), np.asarray(old, dtype=np.float64)
    both = np.isfinite(new) & np.isfinite(old)
    new, old = np.where(both, new, np.nan), np.where(both, old, np.nan)
    group = np.asarray(group, dtype=np.int64)
    step = np.broadcast_to(np.asarray(grid, dtype=np.float64), (n_groups, new.shape[1]))

    def located(values: Array) -> Location:
        return cluster_location(group, cluster, values, n_groups=n_groups, group_grid=step)

    now, before = located(new), located(old)
    sign = np.where(now.estimate < 0, -1.0, 1.0)[group]
    values = (sign * (new - old), sign * (new + old))
    parts = [located(one) for one in values]
    half = [half_width(one.se, one.df, confidence) for one in parts]
    low, change, high = (
        np.minimum(parts[0].estimate + k * half[0], parts[1].estimate + k * half[1])
        for k in (-1, 0, 1)
    )
    p = np.full(change.shape, np.nan)
    if margin is not None:
        beyond = [located(one - margin) for one in values]
        larger = np.maximum(*(p_above(one.estimate, one.se, one.df) for one in beyond))
        p = np.minimum(2 * larger, 1.0)
    return BiasChange(
        old=before.estimate,
        new=now.estimate,
        change=change,
        low=low,
        high=high,
        p_value=p,
        n=parts[0].n,
        n_clusters=parts[0].n_clusters,
    )
