"""run: findings on signed offsets that hold at every look at data that grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.infer.sequential import (
    clusters_to_settle,
    cs_factor,
    e_benjamini_hochberg,
    e_value,
)
from annqc.infer.verdicts import BIASED, eligible
from annqc.measure.offsets import MARGIN
from annqc.run.findings import findings_columns

if TYPE_CHECKING:
    from annqc.run.bias import Bias
    from annqc.tables import Array, Bools

__all__ = ["sequential_columns"]

KEPT_STATUS = ("no_data", "one_cluster", "too_few_clusters")
"""What stands in the way of any verdict, sequential or not."""
FIXED_FLAGS = ("MEASURABLE", "AGREES_WITH_REFERENCE")
"""Flags that rest on tests which hold for one look alone."""


def sequential_columns(bias: Bias, cells: Bools | None = None) -> dict[str, Array]:
    """Lay out findings that hold at every look, one row a group and quantity.

    Parameters
    ----------
    bias : Bias
        From `annqc.run.bias.BiasFinder.find`.
    cells : (n_groups * 8,) bool, optional
        The findings that are judged together; all of them if not given. The others are undecided.

    Returns
    -------
    dict of str to (n_groups * 8,) array
        The columns of `annqc.run.findings.findings_columns`, and ``e_value``. ``ci_low, ci_high``
        (in each unit) are a confidence sequence; ``p_value`` and ``p_adjusted`` are NaN.

    Notes
    -----
    Biased is what e-BH accuses among the cells, at the false discovery rate ``1 - confidence``;
    cells with too little data yet count as well, as evidence of nothing: were they left out, the
    first ones to be looked at would be judged as if they were alone. Clean is what has its whole
    confidence sequence within the margin. Both hold at all looks at once, as long as data are added
    and not redrawn: looking again at the same data changes nothing, and gold that is drawn anew
    starts a new sequence. The order of the images within one look does not matter. Below about ten
    images no statement is possible.

    An accusation on a quantity on which everybody is off alike is called collective. It is the same
    offence under another name: the test that names it holds for one look alone, so it neither makes
    nor lifts an accusation.
    """
    columns: dict[str, Any] = findings_columns(bias)
    alpha = 1 - bias.confidence
    main = bias.estimates.located["tolerance"]
    shape = main.estimate.shape
    asked = np.ones(shape, dtype=bool) if cells is None else np.asarray(cells).reshape(shape)
    for unit, suffix in (("tolerance", ""), ("px", "_px"), ("rel", "_rel")):
        found = bias.estimates.located[unit]
        with np.errstate(invalid="ignore"):
            half = cs_factor(found.df, found.n_eff, alpha=alpha) * found.se
        columns[f"ci_low{suffix}"] = (found.estimate - half).reshape(-1)
        columns[f"ci_high{suffix}"] = (found.estimate + half).reshape(-1)
    enough = eligible(main.n_clusters, main.df) & asked
    beyond = np.maximum(np.abs(main.estimate) - MARGIN, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(beyond > 0, beyond / main.se, 0.0)
    e = np.where(enough, e_value(t, main.df, main.n_eff, alpha=alpha), np.nan)
    weighed = np.where(enough, e, np.where(asked, 1.0, np.nan))
    accused = e_benjamini_hochberg(weighed.reshape(-1), alpha).reshape(shape) & enough
    low, high = (columns[name].reshape(shape) for name in ("ci_low", "ci_high"))
    with np.errstate(invalid="ignore"):
        clean = enough & (low > -MARGIN) & (high < MARGIN)
    alike = (bias.shared * main.estimate > 0) & (bias.decisions.verdict != BIASED)
    verdict = np.full(shape, "undecided", dtype=object)
    verdict[clean] = "clean"
    verdict[accused] = "biased"
    verdict[accused & alike] = "collective"
    n_tested = max(int(asked.sum()), 1)
    one_more = alpha * min(int(accused.sum()) + 1, n_tested) / n_tested
    more = clusters_to_settle(
        main.estimate,
        main.se,
        main.n_eff,
        main.n_clusters,
        MARGIN,
        alpha=alpha,
        alpha_biased=one_more,
    )
    more = np.where(verdict == "undecided", more, np.nan)
    open_ended = (verdict == "undecided") & np.isnan(more)
    status = np.where(open_ended, "infeasible", "ok").astype(object).reshape(-1)
    stuck = np.isin(columns["status"].astype(str), KEPT_STATUS)
    status[stuck] = columns["status"][stuck]
    nothing = np.full(status.shape, np.nan)
    columns |= {
        "p_value": nothing,
        "p_adjusted": nothing,
        "p_clean": nothing,
        "verdict": verdict.reshape(-1),
        "n_more": more.reshape(-1),
        "flags": _without(columns["flags"], FIXED_FLAGS),
        "status": status,
        "excess": main.estimate.reshape(-1),
        "e_value": e.reshape(-1),
    }
    return columns


def _without(flags: Array, names: tuple[str, ...]) -> Array:
    """Leave flags out of every row."""
    kept = [",".join(one for one in row.split(",") if one not in names) for row in flags]
    return np.array(kept, dtype=object)
