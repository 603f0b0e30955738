"""run: what offsets and covariates owe to the sizes of objects, and what is left of them.

Objects may be smaller in one place, or of one day, than elsewhere: what an edge owes to the size of
the objects, by padding and scaling, is not owed to the place or the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.covariates import Slopes, slopes

if TYPE_CHECKING:
    from annqc.run.dependence.stack import Stack
    from annqc.tables import Array, Floats

__all__ = ["LIKE_SIZES", "net_slopes", "share_of_sizes", "step_share", "without_sizes"]

LIKE_SIZES: Final = 0.5
"""Share of a covariate that sizes explain from which on the two cannot be told apart."""
NOTHING: Final = 1e-9
"""What is left of a column, as a share of it, that is but rounding."""


def without_sizes(stack: Stack, values: Floats, n_groups: int) -> Floats:
    """Return what is left of columns after padding and scaling.

    Parameters
    ----------
    stack : Stack
    values : (n, q) float64
        Columns; rows with NaN stay as they are.
    n_groups : int

    Returns
    -------
    (n, q) float64

    Notes
    -----
    Residuals of least squares on ``1``, ``1 / tolerance`` and ``side / tolerance`` in each group;
    where these go together, as with sides that are all alike, the pseudo-inverse fits what they
    have in common.
    """
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    tol, at = stack.tolerance[rows], stack.group[rows]
    z = np.stack([np.ones(len(rows)), 1 / tol, stack.side[rows] / tol], axis=1)
    x = values[rows]
    normal, to = np.empty((n_groups, 3, 3)), np.empty((n_groups, 3, x.shape[1]))
    # Columns of one size, so that what the pseudo-inverse leaves out does not hang on units.
    z /= np.maximum(_sums(at, z * z, n_groups) ** 0.5, np.finfo(np.float64).tiny)[at]
    for a in range(3):
        for b in range(3):
            normal[:, a, b] = np.bincount(at, z[:, a] * z[:, b], n_groups)
        to[:, a] = _sums(at, z[:, a, None] * x, n_groups)
    fit = np.linalg.pinv(normal, rcond=1e-12, hermitian=True) @ to
    rest = x - np.einsum("na,nab->nb", z, fit[at])
    small = _sums(at, rest**2, n_groups) <= NOTHING**2 * _sums(at, x**2, n_groups)
    left = values.copy()
    left[rows] = np.where(small[at], 0.0, rest)
    return left


def share_of_sizes(stack: Stack, values: Floats, n_groups: int) -> Floats:
    """Return the share of each column's variance that padding and scaling explain.

    Parameters
    ----------
    stack : Stack
    values : (n, q) float64
        Columns; rows with NaN are left out.
    n_groups : int

    Returns
    -------
    (n_groups, q) float64
        R squared of the fit of `without_sizes`; 0 where a column does not vary.
    """
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    at, x = stack.group[rows], values[rows]
    n = np.maximum(np.bincount(at, minlength=n_groups), 1)[:, None]
    off = x - (_sums(at, x, n_groups) / n)[at]
    whole = _sums(at, off**2, n_groups)
    rest = _sums(at, without_sizes(stack, values, n_groups)[rows] ** 2, n_groups)
    varies = whole > NOTHING**2 * _sums(at, x**2, n_groups)
    return np.where(varies, 1.0 - rest / np.where(varies, whole, 1.0), 0.0)


def step_share(stack: Stack, position: Array, n_groups: int, *, first: int, last: int) -> Floats:
    """Return how much of a step in time sizes explain, at the step where they explain most.

    Parameters
    ----------
    stack : Stack
    position : (n,) array_like of int
        Place of each row in its sequence, from 0; negative where it has none.
    n_groups : int
    first, last : int
        Units before the first step that is tried, and from the last one on.

    Returns
    -------
    (n_groups,) float64
        Largest R squared of "from here on" on ``1``, ``1 / tolerance`` and ``side / tolerance``; 0
        where no step is tried.
    """
    place = np.asarray(position, dtype=np.int64)
    rows = np.flatnonzero(place >= 0)
    rows = rows[np.lexsort((place[rows], stack.group[rows]))]
    bounds = np.searchsorted(stack.group[rows], np.arange(n_groups + 1))
    share = np.zeros(n_groups)
    for group in range(n_groups):
        mine = rows[bounds[group] : bounds[group + 1]]
        if not len(mine) or place[mine[-1]] + 1 < first + last:
            continue
        tol = stack.tolerance[mine]
        z = np.stack([1 / tol, stack.side[mine] / tol], axis=1)
        z = (z - z.mean(axis=0)) / np.maximum(np.abs(z).max(axis=0), np.finfo(np.float64).tiny)
        basis, size, _ = np.linalg.svd(z, full_matrices=False)
        basis = basis[:, size > NOTHING * len(mine)]
        steps = np.arange(first, int(place[mine[-1]]) + 2 - last)
        before = np.searchsorted(place[mine], steps)
        along = np.cumsum(basis, axis=0)[before - 1]
        n = len(mine)
        share[group] = ((along**2).sum(axis=1) * n / (before * (n - before))).max()
    return share


def net_slopes(
    stack: Stack, z: Floats, n_groups: int, *, unit: str, grid: Array | float = 0.0
) -> Slopes:
    """Estimate how offsets go with covariates on objects of the same size.

    Parameters
    ----------
    stack : Stack
    z : (n, q) float64
        Covariates.
    n_groups : int
    unit : {"px", "tolerance"}
        Of the offsets.
    grid : float or (n_groups,) array_like
        Coordinate step in that unit.

    Returns
    -------
    Slopes
        Of the covariates alone. Sizes are fitted with them: taken out first, they would take with
        them what they have in common with the covariates.
    """
    y, sizes = stack.px, stack.side[:, None]
    if unit == "tolerance":
        y = stack.px / stack.tolerance
        sizes = np.stack([1 / stack.tolerance, stack.side / stack.tolerance], axis=1)
    both = np.concatenate([z, sizes], axis=1)
    fit = slopes(y, both, stack.cluster, stack.group, n_groups, grid=grid)
    q = z.shape[1]
    return Slopes(estimate=fit.estimate[:, :q], se=fit.se[:, :q], df=fit.df)


def _sums(code: Array, x: Floats, n: int) -> Floats:
    """Sum the columns of rows by code."""
    out = np.zeros((n, x.shape[1]))
    for k in range(x.shape[1]):
        out[:, k] = np.bincount(code, x[:, k], n)
    return out
