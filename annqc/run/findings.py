"""run: findings as a table, one row a group and quantity, with status and flags in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import DF_MIN, G_MIN, UNDECIDED, VERDICTS, half_width
from annqc.measure.offsets import MARGIN
from annqc.run.anonymous import STATUS
from annqc.run.keys import refuse_taken_names
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from annqc.run.bias import Bias
    from annqc.tables import Array, Bools

__all__ = ["FLAGS", "STATUSES", "findings_columns"]

MISSING_REPORTED: Final = 0.05
"""Share of unmeasured objects from which the bounds of the median are looked at."""
ASYMMETRY: Final = 0.5
ASYMMETRY_CLUSTERS: Final = 10

FLAGS: Final = {
    "SELECTION_SENSITIVE": "what could not be paired might change the verdict",
    "ASYMMETRIC": "the mean and the typical offset differ by more than half the tolerance",
    "degenerate": "the offsets do not vary, so the error is that of the coordinate grid",
    "MEASURABLE": "within tolerance, and yet distinguishable from zero",
    "AGREES_WITH_REFERENCE": "differs from the other annotators, but not from the reference",
}
"""What each flag of a finding means."""

STATUSES: Final = {
    "ok": "tested",
    "no_data": "no usable pair",
    "one_cluster": "a single image or track has no spread to judge by",
    "too_few_clusters": f"fewer than {G_MIN} images or tracks, or {DF_MIN:g} degrees of freedom",
    "infeasible": "undecided, and no reasonable number of further images would settle it",
    "descriptive": "strata are tested on the four edges; shift and growth are described, and so "
    "are the quarters of outlines",
    "weighs_reference": "agrees with the reference while the others, collectively, do not",
    "anonymous": "nobody in particular drew it, so nobody is judged; `by` without the annotator "
    "judges all of the work",
}
"""What each status of a finding means."""


def findings_columns(bias: Bias) -> dict[str, Array]:
    """Lay out findings as columns, one row a group and quantity.

    Parameters
    ----------
    bias : Bias
        From `annqc.run.bias.BiasFinder.find`.

    Returns
    -------
    dict of str to (n_groups * 8,) array
        The ``by`` columns, ``quantity``, ``estimate, ci_low, ci_high`` in tolerance units, the same
        with ``_px`` and ``_rel``, ``confidence_level, n, n_clusters, p_value, p_adjusted, verdict,
        n_more, flags, status``, and what explains them.
    """
    k = len(QUANTITIES)
    decided, estimates = bias.decisions, bias.estimates
    main = estimates.located["tolerance"]
    keys = {name: np.repeat(bias.groups.keys[name], k) for name in bias.by}
    columns: dict[str, Any] = {}
    columns["quantity"] = np.tile(np.array(QUANTITIES, dtype=object), bias.groups.n)
    for unit, suffix in (("tolerance", ""), ("px", "_px"), ("rel", "_rel")):
        found = estimates.located[unit]
        half = half_width(found.se, found.df, bias.confidence)
        columns[f"estimate{suffix}"] = found.estimate
        columns[f"ci_low{suffix}"] = found.estimate - half
        columns[f"ci_high{suffix}"] = found.estimate + half
    flags, status = _flags(bias), _status(bias)
    columns |= {
        "confidence_level": np.full((bias.groups.n, k), bias.confidence),
        "n": main.n,
        "n_clusters": main.n_clusters,
        "p_value": decided.p_value,
        "p_adjusted": decided.p_adjusted,
        "verdict": np.array(VERDICTS, dtype=object)[decided.verdict],
        "n_more": decided.n_more,
        "flags": flags,
        "status": status,
        "margin": np.broadcast_to(MARGIN, main.estimate.shape),
        "p_clean": decided.p_clean,
        "se": main.se,
        "df": main.df,
        "collective": np.where(bias.shared != 0, bias.shared, np.nan),
        "excess": main.estimate - bias.shared,
        "mean": main.mean,
        "low": main.low,
        "high": main.high,
        "m0": main.m0,
        "scale": main.scale,
        "kappa": main.kappa,
        "clip_frac": main.clip_frac,
        "gross_rate": main.gross_rate,
        "n_nan": main.n_nan,
        "n_border": estimates.n_border,
        "gate_loss": estimates.gate_loss,
        "missing": estimates.missing,
        "bound_low": np.where(np.isnan(estimates.missing), np.nan, main.bound_low),
        "bound_high": np.where(np.isnan(estimates.missing), np.nan, main.bound_high),
    }
    refuse_taken_names(bias.by, columns)
    return keys | {name: np.asarray(column).reshape(-1) for name, column in columns.items()}


def selection_sensitive(bias: Bias) -> Bools:
    """Whether the unmeasured objects could move the median across the margin.

    Parameters
    ----------
    bias : Bias
        Findings.

    Returns
    -------
    (n_groups, 8) bool
    """
    main = bias.estimates.located["tolerance"]
    with np.errstate(invalid="ignore"):
        relevant = bias.estimates.missing > MISSING_REPORTED
        inside = (np.abs(main.bound_low) <= MARGIN) & (np.abs(main.bound_high) <= MARGIN)
        beyond = (main.bound_low > MARGIN) | (main.bound_high < -MARGIN)
        return relevant & (main.n > 0) & ~inside & ~beyond


def _flags(bias: Bias) -> Array:
    main = bias.estimates.located["tolerance"]
    with np.errstate(invalid="ignore"):
        skewed = np.abs(main.mean - main.estimate) > ASYMMETRY * MARGIN
    masks = {
        "SELECTION_SENSITIVE": selection_sensitive(bias),
        "ASYMMETRIC": skewed & (main.n_clusters >= ASYMMETRY_CLUSTERS),
        "degenerate": main.degenerate,
        "MEASURABLE": bias.decisions.measurable,
        "AGREES_WITH_REFERENCE": bias.decisions.agrees,
    }
    out = np.full(main.estimate.shape, "", dtype=object)
    for name, mask in masks.items():
        out[mask] = np.where(out[mask] == "", name, out[mask] + "," + name)
    return out


def _status(bias: Bias) -> Array:
    main, decided = bias.estimates.located["tolerance"], bias.decisions
    out = np.full(main.estimate.shape, "ok", dtype=object)
    open_ended = (decided.verdict == UNDECIDED) & np.isnan(decided.n_more)
    out[open_ended] = "infeasible"
    out[decided.agrees] = "weighs_reference"
    enough = (main.n_clusters >= G_MIN) & (main.df >= DF_MIN)
    out[enough & ~decided.tested] = "descriptive"
    out[~enough] = "too_few_clusters"
    out[main.n_clusters == 1] = "one_cluster"
    out[bias.nameless] = STATUS
    out[main.n == 0] = "no_data"
    return out
