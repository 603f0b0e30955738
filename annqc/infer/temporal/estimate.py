"""temporal: an estimate of many groups, with tracks as evidence, and what may be concluded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer import verdicts
from annqc.infer.cht import cluster_location

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "ALONE",
    "CONSTANT",
    "INTEGER",
    "NO_DATA",
    "NO_MOTION",
    "OK",
    "STATUSES",
    "TOO_FEW_CLUSTERS",
    "TOO_SHORT",
    "Estimate",
    "of_tracks",
    "ratio_of_tracks",
]

STATUSES: Final = (
    "ok",
    "no_data",
    "too_short",
    "constant",
    "no_motion",
    "integer",
    "too_few_clusters",
    "alone",
)
"""``constant``: one drawing held throughout; ``integer``: coordinates too coarse to tell;
``alone``: nothing that two others have drawn as well."""
OK, NO_DATA, TOO_SHORT, CONSTANT, NO_MOTION, INTEGER, TOO_FEW_CLUSTERS, ALONE = range(8)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Estimate:
    """Estimates of groups, arrays shaped (n_groups,) or (n_groups, k).

    Attributes
    ----------
    estimate, se, df : float64
        Estimate, standard error, degrees of freedom; ``se`` is NaN below two clusters.
    n_clusters, n : int64
        Tracks (or clips), and the values that came from them.
    status : int8
        Codes into `STATUSES`; whatever is not ``ok`` is undecided.
    """

    estimate: Floats
    se: Floats
    df: Floats
    n_clusters: Ints
    n: Ints
    status: Array

    def interval(self, confidence: float = 1 - verdicts.ALPHA) -> tuple[Floats, Floats]:
        """Confidence interval of a t; NaN below two clusters."""
        half = verdicts.half_width(self.se, self.df, confidence)
        return self.estimate - half, self.estimate + half

    def p_bias(self, delta: float = 0.0) -> Floats:
        """How surprising the estimate is if the truth is at most ``delta``; 1 if undecidable."""
        p = verdicts.p_bias(self.estimate, self.se, self.df, delta)
        return np.where(self._decidable, p, 1.0)

    def p_clean(self, delta: float) -> Floats:
        """How surprising the estimate is if the truth is at least ``delta``; 1 if undecidable."""
        p = verdicts.p_clean(self.estimate, self.se, self.df, delta)
        return np.where(self._decidable, p, 1.0)

    def verdict(self, delta: float, *, alpha: float = verdicts.ALPHA) -> Array:
        """Codes into `annqc.infer.verdicts.VERDICTS`; undecided below five clusters."""
        return verdicts.decide(self.p_bias(delta), self.p_clean(delta), self.enough, alpha=alpha)

    @property
    def enough(self) -> Bools:
        """Whether there is enough for a verdict: status ok, five clusters, two degrees."""
        return np.asarray(verdicts.eligible(self.n_clusters, self.df) & (self.status == OK))

    @property
    def _decidable(self) -> Bools:
        """Whether more of the same tracks would settle it."""
        return np.asarray((self.status == OK) | (self.status == TOO_FEW_CLUSTERS))


def of_tracks(
    value: Array,
    group: Array,
    cluster: Array,
    n_groups: int,
    *,
    grid: float = 0.0,
    robust: bool = True,
) -> Estimate:
    """Clustered Huber location (or mean) of one value a track and column.

    Parameters
    ----------
    value : (m,) or (m, k) array_like
        Values; NaN ones are left out.
    group, cluster : (m,) array_like of int
        Annotator and track (or clip) of each row.
    n_groups : int
        Number of annotators.
    grid : float
        Step of the values, 1 for whole frames.
    robust : bool
        False for the weighted mean.

    Returns
    -------
    Estimate
        See `annqc.infer.cht.cluster_location`.

    Examples
    --------
    >>> found = of_tracks([1.0, 2.0, 3.0], [0, 0, 0], [0, 1, 2], 1)
    >>> float(found.estimate[0]), found.verdict(0.5).tolist()
    (2.0, [0])
    """
    found = cluster_location(group, cluster, value, n_groups=n_groups, grid=grid, robust=robust)
    return Estimate(
        estimate=found.estimate,
        se=found.se,
        df=found.df,
        n_clusters=found.n_clusters,
        n=found.n,
        status=_status(found.n_clusters),
    )


def ratio_of_tracks(
    above: Array, below: Array, group: Array, n_groups: int, *, n: Array | None = None
) -> Estimate:
    """Ratio of two sums with one row a track, and a variance that sees unequal tracks.

    Parameters
    ----------
    above, below : (s,) array_like
        What a track adds above and below the line; NaN, or nothing below, leaves it out.
    group : (s,) array_like of int
        Annotator of each track.
    n_groups : int
        Number of annotators.
    n : (s,) array_like of int, optional
        Values behind each track; one if not given.

    Returns
    -------
    Estimate

    Notes
    -----
    With ``p = below / Σ below`` and residuals ``r = above - R below``, the variance is ``Σ r² /
    ((Σ below)² (1 - Σ p²))``, and t has ``(1 - P2)² / (P2 - 2 P3 + P2²)`` degrees of freedom, as
    in `annqc.infer.sums.Sums.finish`.

    Examples
    --------
    >>> found = ratio_of_tracks([1.0, 2.0, 3.0], [2.0, 2.0, 4.0], [0, 0, 0], 1)
    >>> float(found.estimate[0]), round(float(found.se[0]), 4), round(float(found.df[0]), 3)
    (0.75, 0.1118, 1.923)
    """
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    used = np.isfinite(above) & np.isfinite(below) & (below > 0)
    code = np.asarray(group, dtype=np.int64)[used]
    above, below = above[used], below[used]
    each = np.ones(len(above)) if n is None else np.asarray(n, dtype=np.float64)[used]

    def total(x: Floats | None) -> Floats:
        return np.bincount(code, x, n_groups).astype(np.float64)

    with np.errstate(all="ignore"):
        whole = total(below)
        ratio = total(above) / whole
        residual = above - ratio[code] * below
        noise = 1e-12 * total(above**2)
        share = below / whole[code]
        p2, p3 = total(share**2), total(share**3)
        spread = total(residual**2)
        spread = np.where(spread > noise, spread, 0.0)
        se = np.sqrt(spread / (1 - p2)) / whole
        df = (1 - p2) ** 2 / (p2 - 2 * p3 + p2**2)
    count = total(None).astype(np.int64)
    few = count < 2
    return Estimate(
        estimate=ratio,
        se=np.where(few, np.nan, se),
        df=np.where(few, 0.0, df),
        n_clusters=count,
        n=total(each).astype(np.int64),
        status=_status(count),
    )


def _status(n_clusters: Ints) -> Array:
    """Say which groups have nothing, too little, or enough for a verdict."""
    few = np.where(n_clusters < verdicts.G_MIN, TOO_FEW_CLUSTERS, OK)
    return np.where(n_clusters == 0, NO_DATA, few).astype(np.int8)
