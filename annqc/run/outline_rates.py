"""run: how well outlines agree, held against a limit, with intervals and p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import UnknownNameError
from annqc.infer.cht import cluster_location
from annqc.infer.rates import p_of_t
from annqc.infer.unseen import p_unseen
from annqc.infer.verdicts import half_width
from annqc.measure.outlines import OVERLAPS
from annqc.run.keys import grouped, refuse_taken_names, resolve
from annqc.run.outline_scores import IN_PIXELS, share_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.match import Matches
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.tables import Array

__all__ = ["outline_rate_columns"]

RATIO: Final = "area_ratio"
"""A ratio is averaged by its logarithm: twice too large and half too small make up for each other.
"""
TAKEN: Final = ("estimate", "ci_low", "ci_high", "n", "n_clusters", "p_value", "n_unusable")
"""Columns of the answer, which ``by`` cannot name."""


def outline_rate_columns(
    matches: Matches,
    measured: OutlineMeasurements,
    name: str,
    by: Sequence[str],
    *,
    limit: float,
    at_least: bool,
    confidence: float = 0.95,
) -> dict[str, Array]:
    """Hold how well outlines agree in every group against a limit.

    Parameters
    ----------
    matches : Matches
        What was matched.
    measured : OutlineMeasurements
        From `annqc.measure.outlines.measure_outlines`.
    name : str
        One of `annqc.measure.outlines.OVERLAPS`.
    by : sequence of str
        Columns.
    limit : float
        The limit, in pixels for ``assd`` and ``hd95``.
    at_least : bool
        Whether the mean must be at least the limit, or at most.
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of str to (n_groups,) array
        The ``by`` columns, ``estimate, ci_low, ci_high, n, n_clusters``; ``p_value``, one-sided for
        "the mean keeps to the limit"; and ``n_unusable``, the pairs that have no value.

    Notes
    -----
    Mean and interval are those of `annqc.run.outline_scores.outline_score_columns`; the p-value of
    a share is never below what so few outlines allow (`annqc.infer.unseen.p_unseen`). Of the area
    ratio it is the geometric mean. Ratios and distances have no end, so nothing can be allowed for
    what was not met.
    """
    if name not in OVERLAPS:
        what = "measure of outlines"
        raise UnknownNameError.among(what, name, OVERLAPS)
    refuse_taken_names(by, TAKEN)
    groups = grouped(
        resolve(matches, by), (measured.reference, measured.candidate, measured.annotator)
    )
    code, n = groups.codes[0], groups.n
    values = measured.overlaps[name]
    if name == RATIO:
        with np.errstate(divide="ignore"):
            values, limit = np.log(values), float(np.log(limit))
    found = cluster_location(
        code, measured.cluster, values, n_groups=n, rho0=0.0, robust=False, engine="numpy"
    )
    mean, se, df = (getattr(found, one).reshape(n) for one in ("estimate", "se", "df"))
    p = p_of_t(mean, se, df, limit, at_least=at_least)
    if name == RATIO or name in IN_PIXELS:
        half = half_width(se, df, confidence)
        low, high = mean - half, mean + half
        if name == RATIO:
            mean, low, high = np.exp(mean), np.exp(low), np.exp(high)
        low = np.maximum(low, 0.0)
    else:
        low, high, n_eff = (one.reshape(n) for one in share_interval(found, confidence))
        p = np.maximum(p, p_unseen(mean, n_eff, limit, at_least=at_least))
    columns = {
        "estimate": mean,
        "ci_low": low,
        "ci_high": high,
        "n": found.n.reshape(n),
        "n_clusters": found.n_clusters.reshape(n),
        "p_value": p,
        "n_unusable": np.bincount(code[np.isnan(values)], minlength=n),
    }
    return {one: groups.keys[one] for one in by} | columns
