"""temporal: the error of a slope whose residuals go together over frames in an unknown way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from annqc.infer.temporal.series import Columns
    from annqc.tables import Array, Floats

__all__ = ["WAVES", "slope_error"]

WAVES: Final = 40
"""Slow waves of the residuals that are looked at, or half as many as there are rows."""
MEMORIES: Final = (0.0, 0.4, 0.6, 0.75, 0.84, 0.9, 0.94, 0.965, 0.98, 0.99)
"""Correlations from row to row that are weighed against each other."""
SHARES: Final = (1.0, 0.8, 0.5)
"""Shares of the variance that have such a correlation; the rest is white."""
PRIOR: Final = 0.75
"""Correlation phi weighs ``(1 - phi)`` to this power beforehand."""
LEVELS: Final = (0.05, 0.001)
"""Levels at which the t that is handed on has the tails of the mixture."""
DISTANCES: Final = (1.2, 1.7, 2.2, 2.8, 3.6, 5.0, 7.0, 11.0, 18.0, 40.0)
"""Errors from the slope at which the tails of the mixture are looked up."""
TABLE: Final = np.linspace(-6.0, 9.0, 601)
"""Logarithms of the distances at which tails are tabulated."""
DEGREES: Final = np.concatenate(
    [np.arange(1.0, 10.0, 0.25), np.arange(10.0, 40.0), [60.0, 100.0, 1000.0]]
)


def slope_error(rows: Columns, residual: Floats) -> tuple[Floats, Floats]:
    """Find the standard error of least-squares slopes, and the degrees of freedom of their t.

    Parameters
    ----------
    rows : Columns
        Every series has three rows or more.
    residual : (m,) float64
        Values less any line; what is left of a line in them makes no difference.

    Returns
    -------
    se, df : (n_series,) float64
        Per frame.

    Notes
    -----
    The slow waves of a series, ``z_j = sum_t e_t cos(pi j (t + 1/2) / T)``, are all but
    independent, whether errors are white, have a memory, or wander at random; their variances are
    those of the spectrum ``c (1 - phi²) / (1 - 2 phi cos w + phi²) + 1 - c``. Each of 28 spectra
    gives the slope an error; they are weighed by how well they explain the waves (restricted
    likelihood, the variance integrated out) and by ``(1 - phi)^(3/4)``. The slope is then a mixture
    of t, and the t that is handed on has its tails at the levels .05 and .001. An error that knows
    only the correlation of neighbouring frames takes white noise upon a slow wander for a short
    memory; and a single best spectrum has too light tails where a series is short.
    """
    count = rows.count()
    waves = np.minimum(WAVES, count // 2)
    of_line, of_rest = _waves(rows, rows.frame - rows.mean(rows.frame)[rows.series], residual)
    j = np.arange(1, WAVES + 1)
    used = j <= waves[:, None]
    z, x = np.where(used, of_rest, 0.0), np.where(used, of_line, 0.0)
    cosine = np.cos(np.pi * j / count[:, None])
    free = waves - 1.0
    weight, scale = [], []
    with np.errstate(all="ignore"):
        whole = (x * x).sum(axis=1)
        for phi in MEMORIES:
            memory = (1 - phi**2) / (1 - 2 * phi * cosine + phi**2)
            for share in SHARES if phi else (1.0,):
                v = share * memory + (1 - share)
                sxx = (x * x / v).sum(axis=1)
                rest = (z * z / v).sum(axis=1) - (x * z / v).sum(axis=1) ** 2 / sxx
                rest = np.maximum(rest, np.finfo(np.float64).tiny)
                fit = np.log(np.where(used, v, 1.0)).sum(axis=1) + np.log(sxx)
                before = PRIOR * np.log1p(-phi) - np.log(len(SHARES) if phi else 1)
                weight.append(before - 0.5 * (fit + free * np.log(rest)))
                scale.append(np.sqrt(rest / free * (x * x * v).sum(axis=1)) / whole)
    return _one_t(np.array(weight), np.array(scale), free)


def _waves(rows: Columns, line: Floats, residual: Floats) -> tuple[Floats, Floats]:
    """Cosine transform of the frames and of the residuals of each series, (n_series, WAVES)."""
    count = rows.count()
    first = np.cumsum(count) - count
    place = np.arange(len(rows.value)) - first[rows.series]
    turn = 2 * np.cos(np.pi * (place + 0.5) / count[rows.series])
    before, now = np.ones(len(place)), turn / 2
    scale = np.sqrt(2 / count)
    found = np.empty((2, len(count), WAVES))
    for j in range(WAVES):
        for k, x in enumerate((line, residual)):
            found[k, :, j] = scale * np.add.reduceat(now * x, first)
        before, now = now, turn * now - before
    return found[0], found[1]


def _one_t(weight: Array, scale: Array, free: Floats) -> tuple[Floats, Floats]:
    """Find the t that has the tails of a mixture of t at both levels."""
    weight = np.exp(weight - weight.max(axis=0))
    weight /= weight.sum(axis=0)
    typical = np.exp((weight * np.log(scale)).sum(axis=0))
    away = np.log(typical) - np.log(scale)
    tail = np.stack([(weight * _tails(away + np.log(d), free)).sum(axis=0) for d in DISTANCES])
    near, far = (_quantile(np.log(tail), np.log(level)) for level in LEVELS)
    reach = [special.stdtrit(DEGREES, 1 - level / 2) for level in LEVELS]
    df = np.interp(near - far, np.log(reach[0] / reach[1]), DEGREES)
    return typical * np.exp(near) / special.stdtrit(df, 1 - LEVELS[0] / 2), df


def _tails(away: Floats, free: Floats) -> Floats:
    """Two-sided tails of t at exp(away), (m, n), read from a table for each number of degrees."""
    found = np.empty(away.shape)
    for degrees in np.unique(free).tolist():
        mine = free == degrees
        table = np.log(2 * special.stdtr(degrees, -np.exp(TABLE)))
        found[:, mine] = np.exp(np.interp(away[:, mine], TABLE, table))
    return found


def _quantile(tail: Floats, level: float) -> Floats:
    """Logarithm of the distance at which each log tail, (len(DISTANCES), n), comes to a level."""
    at = np.clip((tail > level).sum(axis=0) - 1, 0, len(DISTANCES) - 2)
    column = np.arange(tail.shape[1])
    above, below = tail[at, column], tail[at + 1, column]
    distance = np.log(DISTANCES)
    share = (above - level) / (above - below)
    return np.asarray(distance[at] + share * (distance[at + 1] - distance[at]))
