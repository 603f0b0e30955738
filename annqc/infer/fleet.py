"""infer: verdicts for a whole fleet of annotators at once, and who may be named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.infer.multiplicity import Accusation, accuse
from annqc.infer.verdicts import (
    ALPHA,
    BIASED,
    CLEAN,
    COLLECTIVE,
    UNDECIDED,
    eligible,
    more_clusters,
    p_bias,
    p_clean,
)

if TYPE_CHECKING:
    from annqc.infer.cht import Location
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["Decisions", "decide_fleet"]

N_TESTED_IN_STRATA = 4
"""In strata the four edges are tested; shift and growth are described."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Decisions:
    """Decisions on every group and quantity, arrays (n_groups, K).

    Attributes
    ----------
    p_value, p_clean, p_adjusted : float64
        Against the margin, for equivalence, and after multiplicity (the smallest false discovery
        rate at which the finding would be named); NaN where there were too few clusters to test.
    verdict : int8
        Codes into `annqc.infer.verdicts.VERDICTS`.
    n_more : float64
        Further clusters that would settle an undecided finding, NaN where none would or none is
        needed.
    measurable : bool
        Clean, and yet distinguishable from zero.
    agrees : bool
        Differs from the others, who are collectively off, but not from the reference: not an
        accusation.
    tested : bool
    """

    p_value: Floats
    p_clean: Floats
    p_adjusted: Floats
    verdict: Array
    n_more: Floats
    measurable: Bools
    agrees: Bools
    tested: Bools


def decide_fleet(
    pooled: Location,
    *,
    margin: Floats,
    shared: Floats,
    strata: Location | None = None,
    unit: Ints | None = None,
    strata_shared: Floats | None = None,
    alpha: float = ALPHA,
    q: float = ALPHA,
) -> tuple[Decisions, Decisions | None, Accusation]:
    """Decide on the pooled offsets of every annotator, and on their strata.

    Parameters
    ----------
    pooled : Location
        (A, K) estimates in tolerance units, one row an annotator.
    margin : (K,) float64
        Largest offset that is no bias.
    shared : (A, K) or (K,) float64
        Collective offset that individuals are not blamed for, 0 where there is none.
    strata : Location, optional
        (S, K) estimates, one row an annotator x stratum.
    unit : (S,) int64, optional
        Annotator of each stratum row.
    strata_shared : (S, K) float64, optional
        Collective offset of each stratum row.
    alpha, q : float
        Level of single verdicts, and false discovery rate over annotators.

    Returns
    -------
    pooled, strata : Decisions
        ``strata`` is None where there are none.
    accusation : Accusation
    """
    enough = eligible(pooled.n_clusters, pooled.df)
    p = p_bias(pooled.estimate - shared, pooled.se, pooled.df, margin)
    p_head = np.where(enough, p, np.nan)
    if strata is None or unit is None or strata_shared is None:
        accusation = accuse(p_head, q=q)
        head = _decide(
            pooled, p, p_head, accusation.head, accusation.head_adjusted, margin, shared, alpha
        )
        return head, None, accusation
    tested = eligible(strata.n_clusters, strata.df)
    tested[:, N_TESTED_IN_STRATA:] = False
    p_strata = p_bias(strata.estimate - strata_shared, strata.se, strata.df, margin)
    slots = _slots(unit, len(p_head))
    width = int(slots.max(initial=-1)) + 1
    family = np.full((len(p_head), width, N_TESTED_IN_STRATA), np.nan)
    edges = np.where(tested, p_strata, np.nan)
    family[unit, slots] = edges[:, :N_TESTED_IN_STRATA]
    accusation = accuse(p_head, family.reshape(len(p_head), -1), q=q)
    named = np.zeros(p_strata.shape, dtype=bool)
    adjusted = np.full(p_strata.shape, np.nan)
    for target, source in ((named, accusation.strata), (adjusted, accusation.strata_adjusted)):
        target[:, :N_TESTED_IN_STRATA] = source.reshape(family.shape)[unit, slots]
    head = _decide(
        pooled, p, p_head, accusation.head, accusation.head_adjusted, margin, shared, alpha
    )
    inner = _decide(strata, p_strata, edges, named, adjusted, margin, strata_shared, alpha)
    return head, inner, accusation


def _slots(unit: Ints, n_units: int) -> Ints:
    """Count the stratum rows of each annotator up from zero."""
    order = np.argsort(unit, kind="stable")
    start = np.searchsorted(unit[order], np.arange(n_units))
    slots = np.empty(len(unit), dtype=np.int64)
    slots[order] = np.arange(len(unit)) - start[unit[order]]
    return slots


def _decide(
    found: Location,
    p: Floats,
    p_tested: Floats,
    named: Bools,
    adjusted: Floats,
    margin: Floats,
    shared: Floats,
    alpha: float,
) -> Decisions:
    """Combine accusation, equivalence and the collective offset into verdicts."""
    enough = eligible(found.n_clusters, found.df)
    estimate, se, df = found.estimate, found.se, found.df
    cleared = p_clean(estimate, se, df, margin)
    clean = enough & (cleared < alpha)
    agrees = named & clean
    together = (np.broadcast_to(shared, estimate.shape) != 0) & enough
    alike = (p_bias(estimate, se, df, margin) < alpha) | (
        p_clean(estimate - shared, se, df, margin) < alpha
    )
    verdict = np.full(estimate.shape, UNDECIDED, dtype=np.int8)
    verdict[together & alike] = COLLECTIVE
    verdict[clean] = CLEAN
    verdict[named] = BIASED
    verdict[agrees] = UNDECIDED
    more = more_clusters(estimate - shared, se, found.n_eff, found.n_clusters, margin, alpha=alpha)
    return Decisions(
        p_value=p,
        p_clean=cleared,
        p_adjusted=adjusted,
        verdict=verdict,
        n_more=np.where(verdict == UNDECIDED, more, np.nan),
        measurable=(verdict == CLEAN) & (p_bias(estimate, se, df, 0.0) < alpha),
        agrees=agrees,
        tested=~np.isnan(p_tested),
    )
