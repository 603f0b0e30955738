"""infer: has the work got worse? Two deliveries on the same images, compared image by image.

What both deliveries share (the images, the objects, the gold's own error) cancels in the
difference, so a pair of deliveries tells a smaller change apart than two separate intervals would.
A change counts as shown where the difference lies beyond a margin by a one-sided t test on
clusters; Holm's correction keeps the chance of any false alarm of a rule at its level, however many
groups it has. Few clusters that changed are few coins that fell on one side: no p-value of a rate
is smaller than the chance of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from annqc.infer.cht import cluster_location
from annqc.infer.unseen import planned_trials, unseen
from annqc.infer.verdicts import half_width

if TYPE_CHECKING:
    from annqc.infer.sums import Location
    from annqc.tables import Array, Bools, Floats, Ints

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

    ``old, new, change`` (new minus old) with ``se``, ``df`` and ``n_clusters``, which is that of
    the delivery with the fewer; ``n_old, n_new`` are the trials. ``fell`` and ``rose`` count the
    clusters that changed, ``still`` is the share of those that did not, and ``n_eff`` the effective
    number of trials.
    """

    old: Floats
    new: Floats
    change: Floats
    se: Floats
    df: Floats
    n_clusters: Ints
    n_old: Ints
    n_new: Ints
    fell: Ints
    rose: Ints
    still: Floats
    n_eff: Floats

    def interval(self, confidence: float) -> tuple[Floats, Floats]:
        """Confidence interval of the change; the lower end allows for losses not seen yet.

        Notes
        -----
        Where few clusters changed, those that changed do not tell how much could have. Besides what
        is seen, the lower end allows for one effective trial, weighted by the share of clusters
        that did not change: with ``a = still / n_eff`` it is ``change - a - t sqrt(se² + a²)``, and
        where nothing changed at least as low as
        `annqc.infer.unseen.unseen` says.
        """
        half = half_width(self.se, self.df, confidence)
        with np.errstate(all="ignore"):
            more = self.still / self.n_eff
            wider = half_width(np.sqrt(self.se**2 + more**2), self.df, confidence)
            nothing = (self.fell == 0) & (self.rose == 0)
            least = np.where(nothing, unseen(self.n_eff, (1 - confidence) / 2), 0.0)
            loss = np.minimum(np.maximum(-self.change + more + wider, least), 1.0)
        return -loss, self.change + half

    def p_worse(self, margin: float) -> Floats:
        """p-value of the ratio having fallen by no more than ``margin``.

        Notes
        -----
        That of t, but at least ``0.5 ** fell``: where nothing happened, each cluster that changed
        is as likely to have fallen as to have risen.
        """
        p = p_above(-self.change, self.se, self.df, margin)
        return np.where(np.isnan(p), np.nan, np.maximum(p, 0.5 ** self.fell.astype(np.float64)))


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
    In each delivery, with sums x and n of its G clusters and the ratio ``R = Σx / Σn``, cluster g
    has the linearised residual ``z_g = sqrt(G / (G - 1)) (x_g - R n_g) / Σn``, 0 where it has no
    trial. ``V = Σ (z_g of the new delivery - z_g of the old one)²``, over the clusters of either:
    the two variances less twice the covariance of what they share. It has one degree of freedom
    less than the delivery with fewer clusters has clusters. Where both deliveries have the same
    trials that is the clustered t of the mean difference.

    Where they do not, little of a delivery may show no spread by chance. With D half the sum over
    clusters of ``|share of the new trials - share of the old ones|``, and p the ratio of both
    together, V is at least ``D p (1 - p) (1 / n_eff of the new + 1 / n_eff of the old)``, with
    ``n_eff`` from `annqc.infer.unseen.planned_trials`.

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
        counts = [np.bincount(group, one > 0, n_groups) for one in n]
        factor = [np.sqrt(one / (one - 1)) for one in counts]
        parts = [
            factor[k][group] * (x[k] - ratio[k][group] * n[k]) / total[k][group] for k in (0, 1)
        ]
        variance = np.bincount(group, (parts[0] - parts[1]) ** 2, n_groups)
        count = np.minimum(*counts)
        trials = [planned_trials(total[k], counts[k]) for k in (0, 1)]
        share = [n[k] / total[k][group] for k in (0, 1)]
        unlike = np.bincount(group, np.abs(share[0] - share[1]), n_groups) / 2
        p = np.bincount(group, x[0] + x[1], n_groups) / (total[0] + total[1])
        least = unlike * np.maximum(p * (1 - p), 0) * (1 / trials[0] + 1 / trials[1])
        se = np.where(count > 1, np.sqrt(np.maximum(variance, least)), np.nan)
    fell, rose = (np.bincount(group[moved], minlength=n_groups) for moved in _moved(x, n, group))
    either = np.bincount(group, minlength=n_groups)
    return RatioChange(
        old=ratio[1],
        new=ratio[0],
        change=ratio[0] - ratio[1],
        se=se,
        df=np.maximum(count - 1, 0).astype(np.float64),
        n_clusters=count.astype(np.int64),
        n_old=total[1].astype(np.int64),
        n_new=total[0].astype(np.int64),
        fell=fell,
        rose=rose,
        still=1 - (fell + rose) / np.maximum(either, 1),
        n_eff=np.minimum(*trials),
    )


def _moved(x: list[Array], n: list[Array], group: Ints) -> tuple[Bools, Bools]:
    """Clusters whose ratio fell, and those whose ratio rose, from the old delivery to the new one.

    What has trials in one delivery alone is held against the ratio of both together: were the two
    exchanged, it would have moved the other way.
    """
    with np.errstate(all="ignore"):
        pooled = np.bincount(group, x[0] + x[1]) / np.bincount(group, n[0] + n[1])
        own = [np.where(n[k] > 0, x[k] / n[k], pooled[group]) for k in (0, 1)]
    moved = own[0] - own[1]
    return np.asarray(moved < -ROUNDING), np.asarray(moved > ROUNDING)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class BiasChange:
    """An offset in two deliveries, arrays (n_groups, K), in the units of the values.

    ``old`` and ``new`` are the offsets; ``change`` is by how much the size of the offset grew, and
    ``low, high`` its interval, each end with half of what the confidence leaves; ``p_value`` is
    that of its having grown by no more than the margin.
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

    The growth is the larger, over both signs s, of the smaller of the two. The upper end of its
    interval is put together in the same way from upper ends at half the tail, so that it holds
    whichever sign is the true one. The lower end takes the sign of the estimate.

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
    low, change = (
        np.minimum(parts[0].estimate + k * half[0], parts[1].estimate + k * half[1])
        for k in (-1, 0)
    )
    wide = [half_width(one.se, one.df, (1 + confidence) / 2) for one in parts]
    high = np.maximum(
        *(
            np.minimum(k * parts[0].estimate + wide[0], k * parts[1].estimate + wide[1])
            for k in (-1, 1)
        )
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
