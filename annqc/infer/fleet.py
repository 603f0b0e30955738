"""infer: verdicts for a whole fleet of annotators at once, and who may be named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from annqc.infer.multiplicity import HEAD_WEIGHT, Accusation, accuse
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
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["Decisions", "Estimates", "decide_fleet"]

N_TESTED_IN_STRATA = 4
"""In strata the four edges are tested; shift and growth are described."""


class Estimates(Protocol):
    """What is decided on: estimates of groups, (n_groups, K), as `annqc.infer.cht` makes them."""

    @property
    def estimate(self) -> Floats:
        """In units in which the margin is given."""

    @property
    def se(self) -> Floats:
        """Standard error."""

    @property
    def df(self) -> Floats:
        """Degrees of freedom."""

    @property
    def n_clusters(self) -> Ints:
        """Units of evidence."""

    @property
    def n_eff(self) -> Floats:
        """Equally weighted units of evidence that they are worth."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Decisions:
    """Decisions on every group and quantity, arrays (n_groups, K).

    Attributes
    ----------
    p_value, p_clean : float64
        Against the margin (where everybody is off, against the others and the reference both), and
        for equivalence.
    p_adjusted : float64
        After multiplicity: the smallest false discovery rate at which the finding would be named;
        NaN where there were too few clusters to test.
    verdict : int8
        Codes into `annqc.infer.verdicts.VERDICTS`.
    n_more : float64
        Further clusters that would settle an undecided finding, NaN where none would or none is
        needed.
    measurable : bool
        Clean, and yet distinguishable from zero.
    agrees : bool
        Differs from the others, who are collectively off, but is not shown to be off from the
        reference in the same direction: not an accusation.
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
    pooled: Estimates,
    *,
    margin: Floats,
    shared: Floats,
    strata: Estimates | None = None,
    unit: Ints | None = None,
    strata_shared: Floats | None = None,
    alpha: float = ALPHA,
    q: float = ALPHA,
) -> tuple[Decisions, Decisions | None, Accusation]:
    """Decide on the pooled offsets of every annotator, and on their strata.

    Parameters
    ----------
    pooled : Estimates
        (A, K) estimates in tolerance units, one row an annotator.
    margin : (K,) float64
        Largest offset that is no bias.
    shared : (A, K) or (K,) float64
        Collective offset that individuals are not blamed for, 0 where there is none.
    strata : Estimates, optional
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
    p = _accusing_p(pooled, margin, shared)
    tested = eligible(pooled.n_clusters, pooled.df)
    p_head = np.where(tested, p, np.nan)
    if strata is None or unit is None or strata_shared is None:
        accusation = accuse(p_head, q=q)
        planned = _planning_level(accusation, p_head, 1.0, q)[:, None]
        named = (accusation.head, accusation.head_adjusted)
        head = _decide(pooled, (p, tested), named, margin, shared, alpha, planned)
        return head, None, accusation
    tested_inside = eligible(strata.n_clusters, strata.df)
    tested_inside[:, N_TESTED_IN_STRATA:] = False
    p_strata = _accusing_p(strata, margin, strata_shared)
    slots = _slots(unit, len(p_head))
    width = int(slots.max(initial=-1)) + 1
    family = np.full((len(p_head), width, N_TESTED_IN_STRATA), np.nan)
    edges = np.where(tested_inside, p_strata, np.nan)
    family[unit, slots] = edges[:, :N_TESTED_IN_STRATA]
    flat = family.reshape(len(p_head), -1)
    accusation = accuse(p_head, flat, q=q)
    named_inside = np.zeros(p_strata.shape, dtype=bool)
    adjusted = np.full(p_strata.shape, np.nan)
    for target, source in (
        (named_inside, accusation.strata),
        (adjusted, accusation.strata_adjusted),
    ):
        target[:, :N_TESTED_IN_STRATA] = source.reshape(family.shape)[unit, slots]
    head = _decide(
        pooled,
        (p, tested),
        (accusation.head, accusation.head_adjusted),
        margin,
        shared,
        alpha,
        _planning_level(accusation, p_head, HEAD_WEIGHT, q)[:, None],
    )
    inner = _decide(
        strata,
        (p_strata, tested_inside),
        (named_inside, adjusted),
        margin,
        strata_shared,
        alpha,
        _planning_level(accusation, flat, 1 - HEAD_WEIGHT, q)[unit][:, None],
    )
    return head, inner, accusation


def _accusing_p(found: Estimates, margin: Floats, shared: Floats) -> Floats:
    """p-value of an accusation.

    Where everybody is off, both must hold: off from the others, and off from the reference in the
    same direction. The larger of the two p-values tests that.
    """
    excess = found.estimate - shared
    p = p_bias(excess, found.se, found.df, margin)
    raw = p_bias(found.estimate, found.se, found.df, margin)
    both = np.where(np.sign(excess) == np.sign(found.estimate), np.maximum(p, raw), 1.0)
    return np.where(np.broadcast_to(shared, p.shape) != 0, both, p)


def _planning_level(accusation: Accusation, p: Floats, share: float, q: float) -> Floats:
    """Level at which one more annotator would be accused on a single test, for planning.

    With R accused among A, Benjamini-Hochberg accuses one more at ``q (R + 1) / A``, and Simes'
    rule names a single one of k tests at a k-th of that.
    """
    n_tested = max(int((~np.isnan(accusation.p_annotator_adjusted)).sum()), 1)
    level = share * q * min(int(accusation.accused.sum()) + 1, n_tested) / n_tested
    return np.asarray(level / np.maximum((~np.isnan(p)).sum(axis=1), 1))


def _slots(unit: Ints, n_units: int) -> Ints:
    """Count the stratum rows of each annotator up from zero."""
    order = np.argsort(unit, kind="stable")
    start = np.searchsorted(unit[order], np.arange(n_units))
    slots = np.empty(len(unit), dtype=np.int64)
    slots[order] = np.arange(len(unit)) - start[unit[order]]
    return slots


def _decide(
    found: Estimates,
    tests: tuple[Floats, Bools],
    accused: tuple[Bools, Floats],
    margin: Floats,
    shared: Floats,
    alpha: float,
    planned: Floats,
) -> Decisions:
    """Combine accusation, equivalence and the collective offset into verdicts."""
    p, tested = tests
    named, adjusted = accused
    enough = eligible(found.n_clusters, found.df)
    estimate, se, df = found.estimate, found.se, found.df
    excess = estimate - shared
    cleared = p_clean(estimate, se, df, margin)
    together = (np.broadcast_to(shared, estimate.shape) != 0) & enough
    differs = together & (p_bias(excess, se, df, margin) < alpha)
    agrees = differs & (p >= alpha)
    verdict = np.full(estimate.shape, UNDECIDED, dtype=np.int8)
    verdict[together & ~differs & (p_bias(estimate, se, df, margin) < alpha)] = COLLECTIVE
    verdict[enough & (cleared < alpha) & ~agrees] = CLEAN
    verdict[named] = BIASED
    more = more_clusters(
        excess, se, found.n_eff, found.n_clusters, margin, alpha=alpha, alpha_biased=planned
    )
    return Decisions(
        p_value=p,
        p_clean=cleared,
        p_adjusted=adjusted,
        verdict=verdict,
        n_more=np.where(verdict == UNDECIDED, more, np.nan),
        measurable=(verdict == CLEAN) & (p_bias(estimate, se, df, 0.0) < alpha),
        agrees=agrees,
        tested=tested,
    )
