"""infer: whether a bias depends on something, such as size, position or time on shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from annqc.tables import Array

__all__ = ["ScoreTest", "score_hotelling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTest:
    """Result of `score_hotelling`: p-value, statistic, rank and number of clusters."""

    p_value: float
    statistic: float
    rank: int
    n_clusters: int


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

    Notes
    -----
    Scores ``S_g = Σ (z - mean z)(y - mean y)`` of the clusters, ``V = Σ S_g S_g'``,
    ``W = s' V⁺ s`` with ``s = Σ S_g``; ``F = W (G - q) / (q (G - W))`` is F(q, G - q).
    """
    y = np.asarray(y, dtype=np.float64)
    z = np.asarray(z, dtype=np.float64).reshape(len(y), -1)
    codes = np.unique(np.asarray(cluster), return_inverse=True)[1]
    n_clusters = int(codes.max()) + 1
    product = (z - z.mean(axis=0)) * (y - y.mean())[:, None]
    scores = np.stack([np.bincount(codes, column, n_clusters) for column in product.T], axis=1)
    outer = scores.T @ scores
    total = scores.sum(axis=0)
    rank = int(np.linalg.matrix_rank(outer))
    if rank == 0 or n_clusters <= rank:
        return ScoreTest(p_value=1.0, statistic=np.nan, rank=rank, n_clusters=n_clusters)
    w = min(float(total @ np.linalg.pinv(outer) @ total), n_clusters * (1 - 1e-12))
    f = w * (n_clusters - rank) / (rank * (n_clusters - w))
    p = float(special.fdtrc(rank, n_clusters - rank, f))
    return ScoreTest(p_value=p, statistic=w, rank=rank, n_clusters=n_clusters)
