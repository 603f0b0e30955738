"""run: findings on contours as a table, one row a group and quantity, with status and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import (
    CLEAN,
    DF_MIN,
    G_MIN,
    UNDECIDED,
    VERDICTS,
    eligible,
    half_width,
    p_bias,
    p_clean,
)
from annqc.measure.outlines import CONTOURS, QUARTERS
from annqc.run.anonymous import STATUS as ANONYMOUS
from annqc.run.findings import ASYMMETRY, ASYMMETRY_CLUSTERS, MISSING_REPORTED
from annqc.run.keys import refuse_taken_names

if TYPE_CHECKING:
    from annqc.run.outlines import Outlines
    from annqc.tables import Array, Bools

__all__ = ["contours_sensitive", "outline_columns"]

MARGIN: Final = 1.0


def outline_columns(found: Outlines) -> dict[str, Array]:
    """Lay out findings on contours as columns, one row a group and quantity.

    Parameters
    ----------
    found : Outlines
        From `annqc.run.outlines.find_outlines`.

    Returns
    -------
    dict of str to (n_groups * 9,) array
        The ``by`` columns, ``quantity`` (`annqc.measure.outlines.CONTOURS`, then `QUARTERS`),
        ``estimate, ci_low, ci_high`` in tolerance units and with ``_px``, ``confidence_level, n,
        n_clusters, p_value, p_adjusted, verdict, n_more, flags, status, margin, p_clean, se, df,
        collective, excess, mean, low, high, gross_rate, n_short, missing, bound_low, bound_high``.
    """
    tested, described = _tested(found), _described(found)
    names = [*CONTOURS, *QUARTERS]
    keys = {name: np.repeat(column, len(names)) for name, column in found.keys.items()}
    columns: dict[str, Any] = {"quantity": np.tile(np.array(names, dtype=object), found.n)}
    for name, of_sides in tested.items():
        of_quarters = np.broadcast_to(described[name], (found.n, len(QUARTERS)))
        columns[name] = np.concatenate([of_sides, of_quarters], axis=1).reshape(-1)
    refuse_taken_names(found.by, columns)
    return keys | columns


def contours_sensitive(found: Outlines) -> Bools:
    """Whether the outlines without a usable pair could move the median across the margin.

    Parameters
    ----------
    found : Outlines
        Findings.

    Returns
    -------
    (n_groups, 5) bool
    """
    main = found.located["tolerance"]
    with np.errstate(invalid="ignore"):
        inside = (np.abs(main.bound_low) <= MARGIN) & (np.abs(main.bound_high) <= MARGIN)
        beyond = (main.bound_low > MARGIN) | (main.bound_high < -MARGIN)
        return (found.missing > MISSING_REPORTED) & (main.n > 0) & ~inside & ~beyond


def _tested(found: Outlines) -> dict[str, Array]:
    """Columns of the contour and its sides, each (n_groups, 5)."""
    main, decided = found.located["tolerance"], found.decisions
    unknown = np.isnan(found.missing)
    return _estimates(found, found.located) | {
        "p_value": decided.p_value,
        "p_adjusted": decided.p_adjusted,
        "verdict": np.array(VERDICTS, dtype=object)[decided.verdict],
        "n_more": decided.n_more,
        "flags": _flags(found),
        "status": _status(found),
        "p_clean": decided.p_clean,
        "collective": np.where(found.shared != 0, found.shared, np.nan),
        "excess": main.estimate - found.shared,
        "n_short": found.n_short,
        "missing": found.missing,
        "bound_low": np.where(unknown, np.nan, main.bound_low),
        "bound_high": np.where(unknown, np.nan, main.bound_high),
    }


def _described(found: Outlines) -> dict[str, Any]:
    """Columns of the quarters: never biased, for nothing is tested; clean where that is shown."""
    main, alpha = found.quarters["tolerance"], 1 - found.confidence
    enough = eligible(main.n_clusters, main.df)
    at_margin = main.estimate, main.se, main.df, np.ones(len(QUARTERS))
    cleared = p_clean(*at_margin)
    clean = enough & (cleared < alpha) & ~found.nameless[:, None]
    flags = np.where(main.degenerate, "degenerate", "").astype(object)
    away = clean & (p_bias(main.estimate, main.se, main.df, 0.0) < alpha)
    flags[away] = np.where(flags[away] == "", "MEASURABLE", flags[away] + ",MEASURABLE")
    status = np.full(main.estimate.shape, "descriptive", dtype=object)
    status[~enough] = "too_few_clusters"
    status[main.n_clusters == 1] = "one_cluster"
    status[found.nameless] = ANONYMOUS
    status[main.n == 0] = "no_data"
    return _estimates(found, found.quarters) | {
        "p_value": p_bias(*at_margin),
        "p_adjusted": np.nan,
        "verdict": np.array(VERDICTS, dtype=object)[np.where(clean, CLEAN, UNDECIDED)],
        "n_more": np.nan,
        "flags": flags,
        "status": status,
        "p_clean": cleared,
        "collective": np.nan,
        "excess": main.estimate,
        "n_short": 0,
        "missing": np.nan,
        "bound_low": np.nan,
        "bound_high": np.nan,
    }


def _estimates(found: Outlines, located: dict[str, Any]) -> dict[str, Any]:
    """Columns that are no decisions."""
    columns: dict[str, Any] = {}
    for unit, suffix in (("tolerance", ""), ("px", "_px")):
        one = located[unit]
        half = half_width(one.se, one.df, found.confidence)
        columns[f"estimate{suffix}"] = one.estimate
        columns[f"ci_low{suffix}"] = one.estimate - half
        columns[f"ci_high{suffix}"] = one.estimate + half
    main = located["tolerance"]
    return columns | {
        "confidence_level": np.full(main.estimate.shape, found.confidence),
        "n": main.n,
        "n_clusters": main.n_clusters,
        "margin": np.full(main.estimate.shape, MARGIN),
        "se": main.se,
        "df": main.df,
        "mean": main.mean,
        "low": main.low,
        "high": main.high,
        "gross_rate": main.gross_rate,
    }


def _flags(found: Outlines) -> Array:
    """Return the flags of findings, as `annqc.run.findings.FLAGS` explains them."""
    main = found.located["tolerance"]
    with np.errstate(invalid="ignore"):
        skewed = np.abs(main.mean - main.estimate) > ASYMMETRY * MARGIN
    masks = {
        "SELECTION_SENSITIVE": contours_sensitive(found),
        "ASYMMETRIC": skewed & (main.n_clusters >= ASYMMETRY_CLUSTERS),
        "degenerate": main.degenerate,
        "MEASURABLE": found.decisions.measurable,
        "AGREES_WITH_REFERENCE": found.decisions.agrees,
    }
    out = np.full(found.shared.shape, "", dtype=object)
    for name, mask in masks.items():
        out[mask] = np.where(out[mask] == "", name, out[mask] + "," + name)
    return out


def _status(found: Outlines) -> Array:
    """Return the status of findings, as `annqc.run.findings.STATUSES` explains it."""
    main, decided = found.located["tolerance"], found.decisions
    out = np.full(main.estimate.shape, "ok", dtype=object)
    open_ended = (decided.verdict == UNDECIDED) & np.isnan(decided.n_more)
    out[open_ended] = "infeasible"
    out[decided.agrees] = "weighs_reference"
    enough = (main.n_clusters >= G_MIN) & (main.df >= DF_MIN)
    out[enough & ~decided.tested] = "descriptive"
    out[~enough] = "too_few_clusters"
    out[main.n_clusters == 1] = "one_cluster"
    out[found.nameless] = ANONYMOUS
    out[main.n == 0] = "no_data"
    return out
