"""infer: what cluster-Huber t keeps of a group, how shards merge, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["Location", "Sums"]

TINY: Final = 1e-300
ROUNDING: Final = 16 * np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Sums:
    """The eight mergeable sums of a group over its clusters, (n_groups, K) or (n_groups,).

    With ``n_g`` values in cluster g, ``w_g = n_g / (1 + (n_g - 1) rho0)`` and cluster mean
    ``yb_g``: ``G`` clusters, ``N`` values, ``W1, W2, W3`` sums of w, w², w³, ``T1, T2`` sums of w
    yb, w² yb, and ``Q2`` the sum of w² yb².
    """

    G: Floats
    N: Floats
    W1: Floats
    W2: Floats
    W3: Floats
    T1: Floats
    T2: Floats
    Q2: Floats

    def merge(self, other: Sums) -> Sums:
        """Add the sums of another shard.

        Every cluster must live entirely in one shard, and robust shards must share their centre
        (see ``given=`` of `cluster_location`).

        Parameters
        ----------
        other : Sums
            Of the same shape.
        """
        return Sums(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )

    def finish(self, grid: Array | float = 0.0) -> dict[str, Array]:
        """Estimate, standard error and degrees of freedom from the merged sums.

        Parameters
        ----------
        grid : float or array, optional
            Coordinate step in the units of the values; the standard error is at least
            ``grid / sqrt(12 N)``.

        Returns
        -------
        dict of str to array
            ``estimate, se, df, n_eff, degenerate``. ``se`` is NaN and ``df`` 0 with fewer than two
            clusters.

        Notes
        -----
        ``b = T1 / W1``, ``P2 = W2 / W1²``, ``P3 = W3 / W1³``,
        ``V = (Q2 - 2 b T2 + b² W2) / (W1² (1 - P2))``, unbiased where the variance of a cluster
        mean goes as 1 / w_g, and Satterthwaite's ``df = (1 - P2)² / (P2 - 2 P3 + P2²)``, which is G
        - 1 for equal weights. ``n_eff = 1 / P2``.
        """
        with np.errstate(all="ignore"):
            estimate = self.T1 / self.W1
            p2 = self.W2 / self.W1**2
            p3 = self.W3 / self.W1**3
            spread = self.Q2 - 2 * estimate * self.T2 + estimate**2 * self.W2
            # The three terms cancel: what is left below their rounding error is no spread.
            terms = self.Q2 + np.abs(2 * estimate * self.T2) + estimate**2 * self.W2
            spread = np.where(spread > ROUNDING * terms, spread, 0.0)
            se = np.sqrt(spread / self.W1**2 / (1 - p2))
            df = (1 - p2) ** 2 / (p2 - 2 * p3 + p2**2)
            floor = np.asarray(grid) / np.sqrt(12 * np.maximum(self.N, 1))
            rounding = 1e-9 * np.maximum(np.abs(estimate), TINY)
            degenerate = ~(se > np.maximum(floor, rounding)) & (self.G >= 2)
            se = np.maximum(se, floor)
            few = self.G < 2
            return {
                "estimate": estimate,
                "se": np.where(few, np.nan, se),
                "df": np.where(few, 0.0, df),
                "n_eff": 1 / p2,
                "degenerate": degenerate,
            }


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Location:
    """Clustered location of every group and column, arrays shaped (n_groups, K) or (n_groups,).

    Attributes
    ----------
    estimate, se, df : float64
        Huber location, its clustered standard error, Satterthwaite degrees of freedom.
    n_eff : float64
        Effective number of clusters, ``W1² / W2``.
    n_clusters, n, n_nan : int64
        Clusters and values used, and values that were not finite.
    m0, centre, scale, kappa : float64
        Weighted median, Huber location before clustering, scale, and unclipped weight behind the
        pseudo-values.
    clip_frac, gross_rate : float64
        Share of values beyond ``c`` scales of the location, and beyond five.
    mean, low, high : float64
        Raw mean, and the range that leaves out 5 % on either side.
    bound_low, bound_high : float64
        Bounds of the median when ``missing`` of the group was never measured (see
        `cluster_location`).
    degenerate : bool
        The values do not vary, so the standard error is the grid's.
    sums : Sums
        What to merge.
    """

    estimate: Floats
    se: Floats
    df: Floats
    n_eff: Floats
    n_clusters: Ints
    n: Ints
    n_nan: Ints
    m0: Floats
    centre: Floats
    scale: Floats
    kappa: Floats
    clip_frac: Floats
    gross_rate: Floats
    mean: Floats
    low: Floats
    high: Floats
    bound_low: Floats
    bound_high: Floats
    degenerate: Array
    sums: Sums
