"""infer: whether a bias depends on something, such as size, position or time on shift.

The test looks at cluster sums of scores, so that the boxes of one image count as one piece of
evidence, and holds with few clusters. How large the dependence is comes from a weighted regression
with jackknifed errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from annqc.infer._layout import Layout, stable_order
from annqc.infer.cht import HUBER_C, RHO0, SCALE_FLOOR
from annqc.kernels._cht import MAD_TO_SD

if TYPE_CHECKING:
    from annqc.infer.cht import Location
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["ScoreTest", "ScoreTests", "Slopes", "place_field", "score_hotelling", "score_tests"]
__all__ += ["pseudo_values", "robust_scale", "slopes"]

LEAST: Final = 8
"""Clusters that a dependence is tested on, and three for each covariate."""
PER_COVARIATE: Final = 3
ALIKE: Final = 1e-9
"""Values that differ by a smaller share of their size do not vary, but for rounding."""
SINGULAR: Final = 1e-12
RIDGE: Final = 1e-10
ROUNDS: Final = 5
"""Of reweighting, before the Newton step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTest:
    """Result of `score_hotelling`: p-value, statistic, rank and number of clusters."""

    p_value: float
    statistic: float
    rank: int
    n_clusters: int


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class ScoreTests:
    """Results of `score_tests`, arrays (n_groups,).

    Attributes
    ----------
    p_value, statistic : float64
        NaN where nothing varies, or there are no more clusters than covariates.
    rank, n_clusters, n : int64
        Covariates that vary, clusters and rows.
    enough : bool
        Whether there are the clusters that a verdict needs: eight, and three a covariate.
    """

    p_value: Floats
    statistic: Floats
    rank: Ints
    n_clusters: Ints
    n: Ints
    enough: Bools


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Slopes:
    """Coefficients of `slopes`, arrays (n_groups, q), and degrees of freedom (n_groups,)."""

    estimate: Floats
    se: Floats
    df: Floats


def place_field(u: Array, v: Array) -> Floats:
    """Return the covariates of a smooth field over the image.

    Parameters
    ----------
    u, v : (n,) array_like
        Place across and down, -1 at the left and top border and 1 at the right and bottom one.

    Returns
    -------
    (n, 5) float64
        ``u, v, u² - 1/3, u v, v² - 1/3``.
    """
    u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
    return np.stack([u, v, u * u - 1 / 3, u * v, v * v - 1 / 3], axis=1)


def score_tests(y: Array, z: Array, cluster: Array, group: Array, n_groups: int) -> ScoreTests:
    """Test in many groups that an offset does not depend on covariates.

    Parameters
    ----------
    y : (N,) array_like
        Offsets (Huber pseudo-values); rows with NaN here or in a covariate are left out.
    z : (N,) or (N, q) array_like
        Covariates.
    cluster, group : (N,) array_like of int
        Cluster, the unit of evidence, and group of each row.
    n_groups : int
        Number of groups.

    Returns
    -------
    ScoreTests

    Notes
    -----
    Scores ``S_g = Σ (z - mean z)(y - mean y)`` of the clusters, ``V = Σ S_g S_g'``,
    ``W = s' V⁺ s`` with ``s = Σ S_g``; ``F = W (G - q) / (q (G - W))`` is F(q, G - q), with q the
    rank of V.
    """
    data = _Rows.of(y, z, cluster, group, n_groups)
    product = data.z * data.y[:, None]
    scores = _columns(data.cell, product, len(data.owner))
    total = _columns(data.owner, scores, n_groups)
    outer = _outer(data.owner, scores, n_groups)
    value, vector = np.linalg.eigh(outer)
    kept = value > SINGULAR * np.maximum(value[:, -1:], np.finfo(np.float64).tiny)
    rank = kept.sum(axis=1)
    n_clusters = np.bincount(data.owner, minlength=n_groups)
    along = np.einsum("gab,ga->gb", vector, total)
    with np.errstate(all="ignore"):
        w = np.where(kept, along**2 / value, 0.0).sum(axis=1)
        w = np.minimum(w, n_clusters * (1 - 1e-12))
        f = w * (n_clusters - rank) / (rank * (n_clusters - w))
        p = special.fdtrc(rank, n_clusters - rank, f)
    defined = (rank > 0) & (n_clusters > rank)
    return ScoreTests(
        p_value=np.where(defined, p, np.nan),
        statistic=np.where(defined, w, np.nan),
        rank=rank,
        n_clusters=n_clusters,
        n=np.bincount(data.group, minlength=n_groups),
        enough=defined & (n_clusters >= np.maximum(LEAST, PER_COVARIATE * rank)),
    )


def score_hotelling(y: Array, z: Array, cluster: Array) -> ScoreTest:
    """Test that an offset does not depend on covariates, with clusters as the units of evidence.

    Parameters
    ----------
    y : (N,) array_like
        Offsets (Huber pseudo-values).
    z : (N,) or (N, q) array_like
        Covariates.
    cluster : (N,) array_like
        Cluster of each row.

    Returns
    -------
    ScoreTest
        p-value 1 and a NaN statistic where there are no more clusters than covariates.
        `score_tests` is the same for many groups at once.
    """
    codes = np.unique(np.asarray(cluster), return_inverse=True)[1]
    found = score_tests(y, z, codes, np.zeros(len(codes), dtype=np.int64), 1)
    return ScoreTest(
        p_value=float(np.nan_to_num(found.p_value[0], nan=1.0)),
        statistic=float(found.statistic[0]),
        rank=int(found.rank[0]),
        n_clusters=int(found.n_clusters[0]),
    )


def pseudo_values(y: Array, group: Array, found: Location) -> Floats:
    """Return Huber pseudo-values: their mean is the robust location, their spread its error.

    Parameters
    ----------
    y : (N,) array_like
        Values.
    group : (N,) array_like of int
        Group of each.
    found : Location
        Of the groups, with one column.
    """
    centre, scale = found.centre[group], found.scale[group]
    z = np.clip((np.asarray(y, dtype=np.float64) - centre) / scale, -HUBER_C, HUBER_C)
    return np.asarray(centre + scale / found.kappa[group] * z)


def slopes(
    y: Array,
    z: Array,
    cluster: Array,
    group: Array,
    n_groups: int,
    *,
    grid: Array | float = 0.0,
) -> Slopes:
    """Estimate in many groups how a typical offset goes with covariates.

    Parameters
    ----------
    y : (N,) array_like
        Offsets, as they are.
    z, cluster, group, n_groups
        As in `score_tests`.
    grid : float or (n_groups,) array_like
        Coordinate step of each group, in the units of ``y``; scales are at least 0.75 of it.

    Returns
    -------
    Slopes
        NaN where a covariate does not vary, or there are no more clusters than coefficients.

    Notes
    -----
    Huber's M-estimate with an intercept, by reweighting and one Newton step, and the weights
    ``1 / (1 + (n_g - 1) rho0)`` of CHT. Errors are CR3, the jackknife over clusters, with the
    derivative of Huber's function as bread, and t(G - 1).
    """
    data = _Rows.of(y, z, cluster, group, n_groups)
    size = np.bincount(data.cell, minlength=len(data.owner))
    own = 1.0 / (1.0 + (size[data.cell] - 1.0) * RHO0)
    x = np.concatenate([np.ones((len(data.y), 1)), data.z], axis=1)
    layout = Layout.of(data.group, np.arange(len(x)), np.ones(len(x), dtype=bool), 0.0)
    floor = SCALE_FLOOR * np.broadcast_to(np.asarray(grid, dtype=np.float64), (n_groups,))
    bounds = np.searchsorted(data.group, np.arange(n_groups + 1)).tolist()
    weight = own
    for _ in range(ROUNDS):
        fit = _solve(*_equations(x, data.y, weight, bounds))
        left = data.y - (x * fit[data.group]).sum(axis=1)
        far = np.abs(left) / robust_scale(layout, np.abs(left), floor)[data.group]
        weight = own * np.minimum(1.0, HUBER_C / np.maximum(far, HUBER_C))
    n_cells, k = len(data.owner), x.shape[1]
    of_cell = _outer(data.cell, np.sqrt(own * (far <= HUBER_C))[:, None] * x, n_cells)
    to_cell = _columns(data.cell, (weight * left)[:, None] * x, n_cells)
    of = _columns(data.owner, of_cell.reshape(-1, k * k), n_groups).reshape(-1, k, k)
    to = _columns(data.owner, to_cell, n_groups)
    step = _solve(of, to)
    without = _solve(of[data.owner] - of_cell, to[data.owner] - to_cell)
    n_clusters = np.bincount(data.owner, minlength=n_groups)
    spread = _columns(data.owner, (without - step[data.owner]) ** 2, n_groups)
    with np.errstate(all="ignore"):
        se = np.sqrt(spread * ((n_clusters - 1) / n_clusters)[:, None])
        known = (data.scale > 0) & (n_clusters > k)[:, None]
        return Slopes(
            estimate=np.where(known, (fit + step)[:, 1:] / data.scale, np.nan),
            se=np.where(known, se[:, 1:] / data.scale, np.nan),
            df=(n_clusters - 1).astype(np.float64),
        )


def robust_scale(layout: Layout, deviation: Floats, floor: Floats) -> Floats:
    """Return the robust scale of each group: 1.4826 medians of absolute residuals.

    Parameters
    ----------
    layout : Layout
        Rows sorted by group.
    deviation : (N,) float64
        Absolute residuals.
    floor : (n_groups,) float64
        Least scale of each group, such as that of rounding.
    """
    scale = np.ones(len(floor))
    if len(layout.groups):
        middle = layout.weighted_median(deviation, layout.rank(deviation))
        scale[layout.groups] = np.maximum(MAD_TO_SD * middle, floor[layout.groups])
    return np.maximum(scale, 1e-12)


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Finite rows by group; covariates centred and scaled in their group, offsets centred."""

    y: Floats
    z: Floats
    group: Ints
    cell: Ints
    owner: Ints
    scale: Floats

    @classmethod
    def of(cls, y: Array, z: Array, cluster: Array, group: Array, n_groups: int) -> _Rows:
        y = np.asarray(y, dtype=np.float64)
        z = np.asarray(z, dtype=np.float64)
        z = z[:, None] if z.ndim == 1 else z
        used = np.flatnonzero(np.isfinite(y) & np.isfinite(z).all(axis=1))
        used = used[stable_order(np.asarray(group, dtype=np.int64)[used])]
        y, z = y[used], z[used]
        codes = np.asarray(group, dtype=np.int64)[used]
        names = np.unique(np.asarray(cluster, dtype=np.int64)[used], return_inverse=True)[1]
        width = int(names.max(initial=0)) + 1
        cells, cell = np.unique(codes * width + names, return_inverse=True)
        y, _ = _centred(y[:, None], codes, n_groups)
        z, scale = _centred(z, codes, n_groups)
        with np.errstate(all="ignore"):
            z = np.where(scale[codes] > 0, z / scale[codes], 0.0)
        return cls(y[:, 0], z, codes, cell, cells // width, scale)


def _centred(x: Floats, group: Ints, n_groups: int) -> tuple[Floats, Floats]:
    """Take the mean of the group off; give its standard deviation, 0 where nothing varies."""
    n = np.maximum(np.bincount(group, minlength=n_groups), 1)[:, None]
    mean = _columns(group, x, n_groups) / n
    off = x - mean[group]
    spread = np.sqrt(_columns(group, off * off, n_groups) / n)
    size = np.sqrt(_columns(group, x * x, n_groups) / n)
    spread = np.where(spread > ALIKE * size, spread, 0.0)
    return np.where(spread[group] > 0, off, 0.0), spread


def _columns(code: Ints, x: Floats, n: int) -> Floats:
    """Sum the columns of rows by code."""
    if not x.shape[1]:
        return np.zeros((n, 0))
    return np.stack([np.bincount(code, one, n) for one in x.T], axis=1).astype(np.float64)


def _outer(code: Ints, x: Floats, n: int) -> Floats:
    """Sum the outer products of rows with themselves by code, (n, q, q)."""
    q = x.shape[1]
    out = np.empty((n, q, q))
    for a in range(q):
        for b in range(a, q):
            out[:, a, b] = out[:, b, a] = np.bincount(code, x[:, a] * x[:, b], n)
    return out


def _equations(x: Floats, y: Floats, weight: Array, bounds: list[int]) -> tuple[Floats, Floats]:
    """Return the normal equations of groups of rows, stacked."""
    heavy = weight[:, None] * x
    n, k = len(bounds) - 1, x.shape[1]
    of, to = np.zeros((n, k, k)), np.zeros((n, k))
    for group, (first, last) in enumerate(pairwise(bounds)):
        part = heavy[first:last].T
        of[group], to[group] = part @ x[first:last], part @ y[first:last]
    return of, to


def _solve(of: Floats, to: Floats) -> Floats:
    """Solve stacked normal equations, with a ridge too small to matter where they are regular."""
    k = of.shape[-1]
    size = np.maximum(np.trace(of, axis1=1, axis2=2) / k, np.finfo(np.float64).tiny)
    solved = np.linalg.solve(of + (RIDGE * size)[:, None, None] * np.eye(k), to[:, :, None])
    return np.asarray(solved[:, :, 0])
