"""infer: whether an edge is off by so many pixels at any size, or by a share of the side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from annqc.infer._layout import Layout, stable_order
from annqc.infer.cht import SCALE_FLOOR
from annqc.infer.covariates import robust_scale
from annqc.infer.verdicts import half_width

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["LABELS", "Padding", "padding"]

LABELS: Final = {
    "ADDITIVE": "so many pixels at any size: padding",
    "PROPORTIONAL": "a share of the side: scaling",
    "BOTH": "pixels and a share of the side",
    "UNRESOLVED": "neither could be told from nothing",
    "NOT_SEPARABLE": "too few clusters, or sides too much alike, to tell the two apart",
}
"""What each label means."""
_CODES: Final = np.array(["UNRESOLVED", "ADDITIVE", "PROPORTIONAL", "BOTH"], dtype=object)

LEAST: Final = 15
"""Clusters that the two are told apart on."""
LEAST_VARIATION: Final = 0.25
"""Standard deviation of the sides over their mean."""
C: Final = 2.0
ROUNDS: Final = 15


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Padding:
    """Results of `padding`, arrays (n_groups,).

    Attributes
    ----------
    additive, additive_low, additive_high : float64
        Pixels at any size, with their interval; NaN where the two cannot be told apart.
    share, share_low, share_high : float64
        Share of the side.
    p_value : float64
        That both are nothing.
    label : str
        One of `LABELS`.
    n, n_clusters : int64
    """

    additive: Floats
    additive_low: Floats
    additive_high: Floats
    share: Floats
    share_low: Floats
    share_high: Floats
    p_value: Floats
    label: Array
    n: Ints
    n_clusters: Ints


def padding(
    offset: Array,
    side: Array,
    tolerance: Array,
    cluster: Array,
    group: Array,
    n_groups: int,
    *,
    grid: Array | float = 0.0,
    confidence: float = 0.95,
) -> Padding:
    """Tell padding from scaling: fit ``offset = a + p side`` in many groups.

    Parameters
    ----------
    offset : (N,) array_like
        Outward offsets of one edge, pixels; NaN where not usable.
    side, tolerance : (N,) array_like
        Side of the reference along the edge's axis, and its tolerance, pixels.
    cluster, group : (N,) array_like of int
        Cluster, the unit of evidence, and group of each row.
    n_groups : int
        Number of groups.
    grid : float or (n_groups,) array_like
        Coordinate step of a group in tolerances; scales are at least 0.75 of it.
    confidence : float
        Level of the intervals that labels rest on.

    Returns
    -------
    Padding

    Notes
    -----
    In tolerances ``offset / tol`` on ``1 / tol`` and ``side / tol`` without an intercept: weights
    ``1 / tol²``. Huber's M-estimate with c = 2 in 15 rounds of reweighting, scale from the median
    of the absolute residuals. Variance of cluster sums of scores (CR1, ``G / (G - 2)``) with the
    derivative of Huber's function as bread, t(G - 2); both at once by Hotelling's
    ``F(2, G - 3)``. Fewer than 15 clusters, or sides that vary by less than a quarter of their
    mean, are not separable.
    """
    offset, side, tol = (np.asarray(x, dtype=np.float64) for x in (offset, side, tolerance))
    codes = np.asarray(group, dtype=np.int64)
    used = np.flatnonzero(np.isfinite(offset) & np.isfinite(side) & (tol > 0))
    used = used[stable_order(codes[used])]
    code, u = codes[used], offset[used] / tol[used]
    z = np.stack([1.0 / tol[used], side[used] / tol[used]])
    names = np.unique(np.asarray(cluster, dtype=np.int64)[used], return_inverse=True)[1]
    width = int(names.max(initial=0)) + 1
    cells, cell = np.unique(code * width + names, return_inverse=True)
    owner = cells // width

    def total(x: Floats) -> Floats:
        return np.bincount(code, x, n_groups).astype(np.float64)

    n = np.bincount(code, minlength=n_groups)
    n_clusters = np.bincount(owner, minlength=n_groups)
    floor = SCALE_FLOOR * np.broadcast_to(np.asarray(grid, dtype=np.float64), (n_groups,))
    layout = Layout.of(code, np.arange(len(code)), np.ones(len(code), dtype=bool), 0.0)
    weight = np.ones(len(u))
    with np.errstate(all="ignore"):
        mean = total(side[used]) / n
        spread = np.sqrt(total((side[used] - mean[code]) ** 2) / n)
        for _ in range(ROUNDS):
            fit = _inverse(*(total(weight * x) for x in (z[0] ** 2, z[0] * z[1], z[1] ** 2)))
            to = np.stack([total(weight * z[0] * u), total(weight * z[1] * u)])
            found = np.einsum("abg,bg->ag", fit, to)
            residual = u - (found[:, code] * z).sum(axis=0)
            scale = robust_scale(layout, np.abs(residual), floor)[code]
            outside = np.maximum(np.abs(residual) / scale, 1e-300)
            weight = np.minimum(1.0, C / outside)
        inside = (outside <= C).astype(np.float64)
        bread = _inverse(*(total(inside * x) for x in (z[0] ** 2, z[0] * z[1], z[1] ** 2)))
        scores = np.stack([np.bincount(cell, weight * residual * x, len(owner)) for x in z])
        meat = np.empty((2, 2, n_groups))
        for a in (0, 1):
            for b in (0, 1):
                meat[a, b] = np.bincount(owner, scores[a] * scores[b], n_groups)
        variance = np.einsum("abg,bcg,cdg->adg", bread, meat, bread)
        variance = variance * (n_clusters / np.maximum(n_clusters - 2.0, 1.0))
        separable = (n_clusters >= LEAST) & (spread >= LEAST_VARIATION * mean)
        separable &= np.isfinite(variance).all(axis=(0, 1)) & np.isfinite(found).all(axis=0)
        found = np.where(separable, found, np.nan)
        se = np.sqrt(np.stack([variance[0, 0], variance[1, 1]]))
        half = half_width(se, np.maximum(n_clusters - 2.0, 1.0), confidence)
        both = np.einsum("ag,abg,bg->g", found, _inverse(*variance[[0, 0, 1], [0, 1, 1]]), found)
        f = both * (n_clusters - 3.0) / (2.0 * (n_clusters - 2.0))
        p = special.fdtrc(2.0, np.maximum(n_clusters - 3.0, 1.0), f)
        sure = np.abs(found) > half
    return Padding(
        additive=found[0],
        additive_low=found[0] - half[0],
        additive_high=found[0] + half[0],
        share=found[1],
        share_low=found[1] - half[1],
        share_high=found[1] + half[1],
        p_value=np.where(separable, p, np.nan),
        label=np.where(separable, _CODES[sure[0] + 2 * sure[1]], "NOT_SEPARABLE"),
        n=n,
        n_clusters=n_clusters,
    )


def _inverse(a: Floats, b: Floats, c: Floats) -> Floats:
    """Invert symmetric 2 x 2 matrices [[a, b], [b, c]]: (2, 2, n); not finite where singular."""
    return np.array([[c, -b], [-b, a]]) / (a * c - b * b)
