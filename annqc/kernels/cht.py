"""kernels: the door to compiled cluster-Huber t: arranges the rows and calls the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._cht import locate_groups

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["STATISTICS", "SUMS", "locate"]

STATISTICS: Final = (
    "mean",
    "m0",
    "scale",
    "kappa",
    "clip_frac",
    "gross_rate",
    "low",
    "high",
    "bound_low",
    "bound_high",
    "centre",
)
SUMS: Final = ("G", "N", "W1", "W2", "W3", "T1", "T2", "Q2")

BIG_GROUP: Final = 64
"""Groups longer than this are sorted by numpy, shorter ones by insertion in the kernel."""


def locate(
    group: Ints,
    cluster: Ints,
    columns: Floats,
    n_groups: int,
    grid: Floats,
    missing: Floats | None,
    rho0: float,
    c: float,
    *,
    robust: bool,
    steps: int,
) -> dict[str, Array]:
    """Statistics and sums of each group and column.

    Parameters
    ----------
    group, cluster : (N,) int64
        Codes, rows sorted by (group, cluster).
    columns : (K, N) float64
        Values; NaN and infinities are left out.
    n_groups : int
        Number of groups.
    grid, missing : (n_groups, K) float64
        Coordinate step, and share never measured (None: no bounds wanted).
    rho0, c, robust, steps
        As in `annqc.infer.cht.cluster_location`.

    Returns
    -------
    dict of str to (n_groups, K) float64
        `STATISTICS`, `SUMS` and ``n_total``.
    """
    k = len(columns)
    start = np.searchsorted(group, np.arange(n_groups + 1)).astype(np.int64)
    length = np.diff(start)
    big = length > BIG_GROUP
    # Left-out values go last; numpy sorts infinities several times faster than NaN.
    columns = np.where(np.isfinite(columns), columns, np.inf)
    order = np.empty(columns.shape if big.any() else (k, 0), dtype=np.int64)
    if robust or missing is not None:
        for g in np.flatnonzero(big):
            piece = slice(start[g], start[g + 1])
            order[:, piece] = np.argsort(columns[:, piece], axis=1)
    sums = np.zeros((len(SUMS), n_groups, k))
    stats = np.full((len(STATISTICS), n_groups, k), np.nan)
    locate_groups(
        start,
        cluster,
        columns,
        order,
        big,
        grid,
        np.zeros((n_groups, k)) if missing is None else missing,
        missing is not None,
        rho0,
        c,
        robust,
        steps,
        sums,
        stats,
    )
    total = np.repeat(length.astype(np.float64)[:, None], k, axis=1)
    return {
        **dict(zip(SUMS, sums, strict=True)),
        **dict(zip(STATISTICS, stats, strict=True)),
        "n_total": total,
    }
