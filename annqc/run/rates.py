"""run: rates held against a limit: with intervals, and p-values for as many groups as there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import UnknownNameError
from annqc.infer.rates import p_of_t, rate_sums
from annqc.infer.unseen import p_unseen
from annqc.run.agreement import agreement_columns
from annqc.run.counts import error_units
from annqc.run.keys import refuse_taken_names
from annqc.run.scores import overlap_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.infer.rates import RateSums
    from annqc.run.audit import Run
    from annqc.tables import Array

__all__ = ["rate_columns"]

TAKEN: Final = ("estimate", "ci_low", "ci_high", "n", "n_clusters", "p_value")
"""Columns of the answer, which ``by`` cannot name."""
NAMES: Final = ("recall", "precision", "label_accuracy", "mean_iou", "error_rate", "agreement")


def rate_columns(
    run: Run,
    name: str,
    by: Sequence[str],
    *,
    limit: float,
    at_least: bool,
    kinds: Sequence[str] = (),
) -> dict[str, Array]:
    """Hold a rate of every group against a limit.

    Parameters
    ----------
    run : Run
        The comparison.
    name : {"recall", "precision", "label_accuracy", "mean_iou", "error_rate", "agreement"}
        What is rated.
    by : sequence of str
        Columns.
    limit : float
        The limit.
    at_least : bool
        Whether the rate must be at least the limit, or at most.
    kinds : sequence of str
        For the error rate, the kinds of errors that count; all of them if empty.

    Returns
    -------
    dict of str to array
        The ``by`` columns, ``estimate, ci_low, ci_high, n, n_clusters``, and ``p_value``, one-sided
        for "the rate keeps to the limit": the tail at which the interval would just touch it. Of
        shares it is 1 where the interval does not lie beyond the limit.
    """
    if name not in NAMES:
        what = "rate"
        raise UnknownNameError.among(what, name, NAMES)
    refuse_taken_names(by, TAKEN)
    confidence = run.parameters.confidence
    if name == "agreement":
        found = agreement_columns(
            run.candidate,
            by=by,
            policy=run.parameters.policy,
            confidence=confidence,
            engine=run.engine,
        )
        t, n_eff = (found.pop("se"), found.pop("df")), found.pop("n_eff")
        p = p_of_t(found["estimate"], *t, limit, at_least=at_least)
        least = p_unseen(found["estimate"], n_eff, limit, at_least=at_least)
        return {**found, "p_value": np.maximum(p, least)}
    if name == "error_rate":
        units = error_units(run, by, kinds)
        sums = rate_sums(
            units.wrong, np.ones(len(units.wrong)), units.group, units.cluster, units.n
        )
        return {**units.keys, **_of_sums(sums, limit, confidence, at_least=at_least)}
    scores = run.score_sums(by)
    if name == "mean_iou":
        mean = scores.overlap
        if mean is None:
            return {**scores.keys, **_nothing(scores.n)}
        low, high = overlap_interval(mean, confidence)
        columns: dict[str, Any] = {
            "estimate": mean.estimate,
            "ci_low": low,
            "ci_high": high,
            "n": mean.n,
            "n_clusters": mean.n_clusters,
            "p_value": p_of_t(mean.estimate, mean.se, mean.df, limit, at_least=at_least),
        }
        return {**scores.keys, **columns}
    of = scores.rates[name]
    if of is None:
        return {**scores.keys, **_nothing(scores.n)}
    return {**scores.keys, **_of_sums(of, limit, confidence, at_least=at_least)}


def _of_sums(
    sums: RateSums, limit: float, confidence: float, *, at_least: bool
) -> dict[str, Array]:
    rate = sums.finish(confidence)
    p = sums.p_beyond(limit, at_least=at_least, largest=(1 - confidence) / 2)
    return {
        "estimate": rate.estimate,
        "ci_low": rate.low,
        "ci_high": rate.high,
        "n": rate.trials.astype(np.int64),
        "n_clusters": rate.n_clusters.astype(np.int64),
        "p_value": np.where(rate.trials > 0, p, np.nan),
    }


def _nothing(n: int) -> dict[str, Array]:
    """Columns of a rate that does not apply to groups of this kind."""
    unknown = np.full(n, np.nan)
    none = np.zeros(n, dtype=np.int64)
    return {
        **dict.fromkeys(("estimate", "ci_low", "ci_high"), unknown),
        "n": none,
        "n_clusters": none,
        "p_value": unknown,
    }
