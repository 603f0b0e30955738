"""run: how well outlines agree and how they were drawn, one row a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.rates import Ratio, rate_sums
from annqc.infer.unseen import planned_trials
from annqc.infer.verdicts import half_width
from annqc.measure.outline_styles import STYLES
from annqc.measure.outlines import OutlineStatus
from annqc.run.keys import grouped, refuse_taken_names, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.infer.cht import Location
    from annqc.match import Matches
    from annqc.measure.outline_styles import OutlineStyles
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.run.keys import Groups
    from annqc.tables import Array, Floats, Ints

__all__ = ["AGREEMENT", "IN_PIXELS", "outline_score_columns", "share_interval"]

AGREEMENT: Final = ("mask_iou", "boundary_iou", "dice", "assd", "hd95", "nsd")
"""What scores of outlines are means of; ``assd`` and ``hd95`` are in pixels, the others shares."""

IN_PIXELS: Final = ("assd", "hd95")


def outline_score_columns(
    matches: Matches,
    measured: OutlineMeasurements,
    by: Sequence[str] = ("annotator",),
    *,
    styles: OutlineStyles | None = None,
    confidence: float = 0.95,
) -> dict[str, Array]:
    """Average how well outlines agree in every group, with clustered t intervals.

    Parameters
    ----------
    matches : Matches
        What was matched.
    measured : OutlineMeasurements
        What was measured.
    by : sequence of str
        Columns.
    styles : OutlineStyles, optional
        From `annqc.measure.outline_styles.measure_styles`; asks for how outlines were drawn.
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of str to (n_groups,) array
        The ``by`` columns; each of `AGREEMENT` with ``_low, _high`` and ``_n_clusters``; the median
        ``area_ratio`` and the ``vertex_density`` of the candidate and of the reference
        (``_reference``); ``n_outlines``, the pairs of outlines, ``n_apart``, those that share
        nothing, ``n_unusable``, those that could not be compared, ``n_no_canvas``, those without a
        boundary IoU. With ``styles``: ``density_ratio`` and ``chord_px`` with ``_low, _high``, and
        the share of each of `annqc.measure.outline_styles.STYLES` with ``_low, _high`` and ``_n``,
        the pairs it is a share of.

    Notes
    -----
    Means are plain ones over the pairs that entered the offsets, and their intervals a clustered t
    over images (tracks, where there are tracks); of shares, those of `share_interval`. The density
    ratio is a clustered Huber location of its logarithm, ``chord_px`` one of pixels; how often an
    outline was drawn in some way has the clustered interval of Korn and Graubard.
    """
    groups = grouped(
        resolve(matches, by), (measured.reference, measured.candidate, measured.annotator)
    )
    code, n = groups.codes[0], groups.n
    columns: dict[str, Any] = {}
    values = np.stack([measured.overlaps[name] for name in AGREEMENT], axis=1)
    found = cluster_location(
        code, measured.cluster, values, n_groups=n, rho0=0.0, robust=False, engine="numpy"
    )
    half = half_width(found.se, found.df, confidence)
    low, high, _ = share_interval(found, confidence)
    for k, name in enumerate(AGREEMENT):
        columns[name] = found.estimate[:, k]
        if name in IN_PIXELS:
            low[:, k] = np.maximum(found.estimate[:, k] - half[:, k], 0.0)
            high[:, k] = found.estimate[:, k] + half[:, k]
        columns[f"{name}_low"], columns[f"{name}_high"] = low[:, k], high[:, k]
        columns[f"{name}_n_clusters"] = found.n_clusters[:, k]
    middle = np.stack([measured.overlaps["area_ratio"], *measured.density[:, ::-1].T], axis=1)
    typical = cluster_location(code, measured.cluster, middle, n_groups=n, rho0=0.0, engine="numpy")
    for k, name in enumerate(("area_ratio", "vertex_density", "vertex_density_reference")):
        columns[name] = typical.m0[:, k]
    if styles is not None:
        columns |= _style_columns(styles, groups, measured.cluster, confidence)
    bad = (measured.status == OutlineStatus.EMPTY) | (measured.status == OutlineStatus.OTHER_CANVAS)
    flags = {
        "n_outlines": np.ones(len(measured), dtype=bool),
        "n_apart": measured.status == OutlineStatus.APART,
        "n_unusable": bad,
        "n_no_canvas": measured.no_canvas & ~bad,
    }
    for name, flag in flags.items():
        columns[name] = np.bincount(code[flag], minlength=n)
    refuse_taken_names(by, columns)
    return {name: groups.keys[name] for name in by} | columns


def share_interval(found: Location, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Interval of the means of shares, from 0 to 1, that allows for what was not met.

    Parameters
    ----------
    found : Location
        Plain means and their clustered standard errors.
    confidence : float
        Level of the interval.

    Returns
    -------
    low, high : arrays of float64
        NaN with one cluster.
    n_eff : array of float64
        The effective number of shares behind each mean, `annqc.infer.unseen.planned_trials`.

    Notes
    -----
    A clustered t that reaches at least as far as if the share of outlines that may all have been
    missed by chance were 0, or 1 (`annqc.infer.rates.Ratio.interval`): one outline in thirty that
    is all wrong is often in none of twenty images, and leaves no spread to judge by.
    """
    n_eff = planned_trials(found.n, found.n_clusters)
    ratio = Ratio(estimate=found.estimate, se=found.se, df=found.df, n_clusters=found.n_clusters)
    return *ratio.interval(confidence, n_eff=n_eff), n_eff


def _style_columns(
    styles: OutlineStyles, groups: Groups, cluster: Ints, confidence: float
) -> dict[str, Array]:
    """Say how the outlines of every group were drawn; nothing of it is tested."""
    code, n = groups.codes[0], groups.n
    columns: dict[str, Array] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.stack([np.log(styles.density_ratio), styles.chord_px], axis=1)
    found = cluster_location(code, cluster, values, n_groups=n, engine="numpy")
    half = half_width(found.se, found.df, confidence)
    ends = {"": found.estimate, "_low": found.estimate - half, "_high": found.estimate + half}
    columns |= {f"density_ratio{end}": np.exp(value[:, 0]) for end, value in ends.items()}
    columns |= {f"chord_px{end}": value[:, 1] for end, value in ends.items()}
    for name in STYLES:
        known = styles.known[name]
        events = styles.odd[name][known].astype(np.float64)
        trials = np.ones(len(events))
        rate = rate_sums(events, trials, code[known], cluster[known], n).finish(confidence)
        columns[name] = rate.estimate
        columns[f"{name}_low"], columns[f"{name}_high"] = rate.low, rate.high
        columns[f"{name}_n"] = rate.trials.astype(np.int64)
    return columns
