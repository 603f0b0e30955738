"""infer: who may be accused when many annotators, offsets and strata are tested at once.

The promise is about people: of the annotators that are accused, at most a share ``q`` is innocent.
A p-value an annotator comes from a weighted Simes test of the pooled offsets (0.8) and of the
strata (0.2); annotators go through Benjamini-Hochberg, and inside an accused annotator the offsets
do, at the level that selection leaves (Benjamini and Bogomolov 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats

__all__ = [
    "FDR",
    "HEAD_WEIGHT",
    "Accusation",
    "accuse",
    "adjusted_bh",
    "benjamini_hochberg",
    "simes",
]

FDR: Final = 0.05
HEAD_WEIGHT: Final = 0.8


def simes(p: Array) -> Floats:
    """Simes p-value of each row, ``min_i m p_(i) / i``; NaN entries do not count.

    Parameters
    ----------
    p : (..., m) array_like
        p-values.

    Returns
    -------
    (...) float64
        1 where nothing was tested.

    Examples
    --------
    >>> round(float(simes([0.01, 0.04, 0.2])), 12)
    0.03
    """
    p = np.sort(np.asarray(p, dtype=np.float64), axis=-1)
    if p.shape[-1] == 0:
        return np.ones(p.shape[:-1])
    tested = (~np.isnan(p)).sum(axis=-1, keepdims=True)
    scaled = p * tested / np.arange(1, p.shape[-1] + 1)
    return np.asarray(np.where(np.isnan(scaled), np.inf, scaled).min(axis=-1, initial=1.0))


def adjusted_bh(p: Array) -> Floats:
    """Benjamini-Hochberg adjusted p-values along the last axis; NaN stays NaN and does not count.

    Examples
    --------
    >>> adjusted_bh([0.01, 0.04, 0.2]).round(4).tolist()
    [0.03, 0.06, 0.2]
    """
    p = np.asarray(p, dtype=np.float64)
    if p.shape[-1] == 0:
        return p.copy()
    order = np.argsort(p, axis=-1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=-1)
    tested = (~np.isnan(p)).sum(axis=-1, keepdims=True)
    scaled = ranked * tested / np.arange(1, p.shape[-1] + 1)
    scaled = np.where(np.isnan(scaled), np.inf, scaled)
    scaled = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    out = np.empty_like(scaled)
    np.put_along_axis(out, order, np.minimum(scaled, 1.0), axis=-1)
    return np.where(np.isnan(p), np.nan, out)


def benjamini_hochberg(p: Array, q: float = FDR) -> Bools:
    """Which of the p-values are rejected at false discovery rate ``q``.

    Examples
    --------
    >>> benjamini_hochberg([0.001, 0.012, 0.03, 0.04, 0.5], 0.05).tolist()
    [True, True, True, True, False]
    """
    p = np.asarray(p, dtype=np.float64)
    m = len(p)
    order = np.argsort(p, kind="stable")
    passing = np.flatnonzero(p[order] <= q * np.arange(1, m + 1) / max(m, 1))
    rejected = np.zeros(m, dtype=bool)
    if len(passing):
        rejected[order[: passing[-1] + 1]] = True
    return rejected


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Accusation:
    """Who is accused of what.

    Attributes
    ----------
    accused : (A,) bool
    head, strata : (A, K) and (A, M) bool
        The pooled offsets and the stratum tests that are named.
    p_annotator, p_annotator_adjusted : (A,) float64
    head_adjusted, strata_adjusted : float64
        For each test the smallest ``q`` at which it would be named.
    """

    accused: Bools
    head: Bools
    strata: Bools
    p_annotator: Floats
    p_annotator_adjusted: Floats
    head_adjusted: Floats
    strata_adjusted: Floats


def accuse(
    p_head: Array, p_strata: Array | None = None, *, q: float = FDR, weight: float = HEAD_WEIGHT
) -> Accusation:
    """Accuse annotators, and name their offsets, at annotator-level false discovery rate ``q``.

    Parameters
    ----------
    p_head : (A, K) array_like
        p-values of the pooled offsets; NaN where not tested.
    p_strata : (A, M) array_like, optional
        p-values of stratum x edge; NaN where not tested.
    q : float
        Largest expected share of innocents among the accused.
    weight : float
        Share of the level that the pooled offsets get where there are strata.

    Returns
    -------
    Accusation

    Notes
    -----
    Annotators without a single test do not count among the A of Benjamini-Hochberg.
    """
    p_head = np.asarray(p_head, dtype=np.float64)
    a = len(p_head)
    p_strata = np.empty((a, 0)) if p_strata is None else np.asarray(p_strata, dtype=np.float64)
    shares = (weight, 1 - weight) if p_strata.shape[1] else (1.0, 0.0)
    p_annotator = np.minimum(1.0, simes(p_head) / shares[0])
    if p_strata.shape[1]:
        p_annotator = np.minimum(p_annotator, simes(p_strata) / shares[1])
    tested = ~(np.isnan(p_head).all(axis=1) & np.isnan(p_strata).all(axis=1))
    adjusted = np.full(a, np.nan)
    adjusted[tested] = adjusted_bh(p_annotator[tested])
    accused = np.zeros(a, dtype=bool)
    accused[tested] = benjamini_hochberg(p_annotator[tested], q)
    n_tested = int(tested.sum())
    level = q * accused.sum() / max(n_tested, 1)
    named, smallest = [], []
    for p, share in zip((p_head, p_strata), shares, strict=True):
        inner = adjusted_bh(p)
        named.append(accused[:, None] & (inner <= share * level))
        smallest.append(_smallest_q(inner, share, adjusted, n_tested))
    head, strata = named
    unnamed = np.flatnonzero(accused & ~head.any(axis=1) & ~strata.any(axis=1))
    for row in unnamed:
        families = [(simes(p_head[row]) / shares[0], head, p_head)]
        if p_strata.shape[1]:
            families.append((simes(p_strata[row]) / shares[1], strata, p_strata))
        _, family, p = min(families, key=lambda one: float(one[0]))
        family[row, np.nanargmin(p[row])] = True
    return Accusation(
        accused=accused,
        head=head,
        strata=strata,
        p_annotator=p_annotator,
        p_annotator_adjusted=adjusted,
        head_adjusted=smallest[0],
        strata_adjusted=smallest[1],
    )


def _smallest_q(inner: Floats, share: float, adjusted: Floats, n_tested: int) -> Floats:
    """Smallest q at which each test would be named.

    At level q, R(q) annotators are accused (those whose adjusted p is at most q) and a test is
    named where its own adjusted p is at most ``share * q * R(q) / A``.
    """
    out = np.full(inner.shape, np.nan)
    if share <= 0 or n_tested == 0 or inner.size == 0:
        return out
    sorted_q = np.sort(adjusted[~np.isnan(adjusted)])
    rank = np.arange(1, len(sorted_q) + 1)
    reach = np.maximum.accumulate(sorted_q * rank)
    need = inner * n_tested / share
    flat = need.ravel()
    at = np.searchsorted(reach, flat)
    after = np.minimum(at, len(rank) - 1)
    before = np.maximum(at - 1, 0)
    best = np.minimum(
        np.maximum(sorted_q[after], flat / rank[after]),
        np.maximum(sorted_q[before], flat / rank[before]),
    ).reshape(inner.shape)
    best = np.maximum(best, adjusted[:, None])
    return np.where(np.isnan(inner), np.nan, np.minimum(best, 1.0))
