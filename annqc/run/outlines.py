"""run: findings on the contours of polygons and masks, and how well outlines agree.

The decisions are those on boxes: clustered Huber locations, the collective test first, one false
discovery rate over annotators. What differs is the quantities, all with a margin of one tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.collective import MIN_ANNOTATORS, collective, inherit
from annqc.infer.fleet import decide_fleet
from annqc.infer.verdicts import DF_MIN, G_MIN, UNDECIDED, VERDICTS, half_width
from annqc.measure.outlines import CONTOURS, OutlineStatus
from annqc.run.keys import combine, grouped, refuse_taken_names, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.infer.cht import Location
    from annqc.infer.collective import Collective
    from annqc.infer.fleet import Decisions
    from annqc.infer.multiplicity import Accusation
    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.run.keys import Groups, Key
    from annqc.tables import Array, Floats

__all__ = [
    "AGREEMENT",
    "Outlines",
    "find_outlines",
    "outline_columns",
    "outline_score_columns",
]

K: Final = len(CONTOURS)
MARGIN: Final = np.ones(K)
"""Margin of each of `CONTOURS`, in tolerance units."""

TOGETHER: Final = np.zeros(K, dtype=np.int64)
"""All of the contour contains each side, so what everybody shares on one is shared on all."""

AGREEMENT: Final = ("mask_iou", "boundary_iou", "dice", "assd", "hd95", "nsd")
"""What scores of outlines are means of; ``assd`` and ``hd95`` are in pixels, the others shares."""

IN_PIXELS: Final = ("assd", "hd95")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Outlines:
    """Findings on the contours of one grouping, before they become a table.

    Attributes
    ----------
    by : tuple of str
    keys : dict of str to (g,) array
        The columns of the groups.
    located : dict of str to Location
        Estimates (g, 5) in ``tolerance`` units and in ``px``.
    decisions : Decisions
        Of each group and each of `annqc.measure.outlines.CONTOURS`.
    accusation : Accusation
        Who is accused.
    shared : (g, 5) float64
        Offset that individuals are not blamed for, in tolerance units.
    n_short : (g, 5) int64
        Pairs with too little contour on a side.
    confidence : float
    pooled : Outlines or None
        Findings on the whole work of annotators, where the groups are strata of it.
    """

    by: tuple[str, ...]
    keys: dict[str, Array]
    located: dict[str, Location]
    decisions: Decisions
    accusation: Accusation
    shared: Floats
    n_short: Array
    confidence: float
    pooled: Outlines | None = None

    @property
    def n(self) -> int:
        """How many groups there are."""
        return len(self.shared)


def find_outlines(
    matches: Matches,
    measured: OutlineMeasurements,
    by: Sequence[str] = ("annotator",),
    *,
    confidence: float = 0.95,
    engine: Engine = "auto",
) -> Outlines:
    """Say whose contours are dilated or eroded, and on which side.

    Parameters
    ----------
    matches : Matches
        What was matched.
    measured : OutlineMeasurements
        From `annqc.measure.outlines.measure_outlines`.
    by : sequence of str
        Columns. With ``annotator`` among them the others are strata of the annotators, which are
        tested on the four sides; without it every combination of values is judged as one annotator
        would be.
    confidence : float
        Level of the intervals; one minus it is the level of the tests and the false discovery rate.
    engine : {"auto", "numpy", "numba"}
        How to estimate.
    """
    finder = _Finder(matches, measured, engine)
    alpha = 1 - confidence
    keys = resolve(matches, by)
    inner_keys = [key for key in keys if key.name != "annotator"]
    by_annotator = len(inner_keys) < len(keys)
    units = finder.groups([key for key in keys if key.name == "annotator"] or keys)
    pooled = finder.locate(units)
    everybody = finder.collective(finder.groups([]), alpha) if by_annotator else None
    shared = np.zeros(K) if everybody is None else everybody.shift[0]
    rest: dict[str, Any] = {"margin": MARGIN, "shared": shared, "alpha": alpha, "q": alpha}
    if not (by_annotator and inner_keys):
        decisions, _, accusation = decide_fleet(pooled["tolerance"], **rest)
        return finder.outlines(by, units, pooled, decisions, accusation, shared, confidence)
    groups = finder.groups(keys)
    inner = finder.locate(groups)
    shared_inside = np.zeros((groups.n, K))
    if everybody is not None:
        parts = finder.groups(inner_keys)
        of_group = np.zeros(groups.n, dtype=np.int64)
        of_group[groups.codes[0]] = parts.codes[0]
        found = finder.collective(parts, alpha)
        if found is not None:
            shared_inside = inherit(found, everybody)[of_group]
    unit = np.zeros(groups.n, dtype=np.int64)
    unit[groups.codes[0]] = measured.annotator
    whole, decided, accusation = decide_fleet(
        pooled["tolerance"],
        strata=inner["tolerance"],
        unit=unit,
        strata_shared=shared_inside,
        **rest,
    )
    if decided is None:
        message = "strata that were given are decided on"
        raise AssertionError(message)
    head = finder.outlines(("annotator",), units, pooled, whole, accusation, shared, confidence)
    strata = finder.outlines(by, groups, inner, decided, accusation, shared_inside, confidence)
    return replace(strata, pooled=head)


class _Finder:
    """What the steps of one search share."""

    def __init__(self, matches: Matches, measured: OutlineMeasurements, engine: Engine) -> None:
        self.matches = matches
        self.measured = measured
        self.engine = engine

    def groups(self, keys: Sequence[Key]) -> Groups:
        """Group the pairs; the code of each is the only entry of ``codes``."""
        m = self.measured
        return grouped(keys, (m.reference, m.candidate, m.annotator))

    def locate(self, groups: Groups) -> dict[str, Location]:
        """Estimate every offset of every group, in tolerance units and in pixels."""
        m = self.measured
        return {
            unit: cluster_location(
                groups.codes[0],
                m.cluster,
                m.values(unit).T,
                n_groups=groups.n,
                group_grid=self._grid(groups, unit),
                engine=self.engine,
            )
            for unit in ("tolerance", "px")
        }

    def _grid(self, groups: Groups, unit: str) -> Floats:
        """Mean step of each offset in each group; 0 where polygons alone are compared."""
        m, code = self.measured, groups.codes[0]
        step = m.step / m.tolerance[:, None] if unit == "tolerance" else m.step
        step = np.where(np.isfinite(m.offsets), step, 0.0)
        n_used = np.maximum(_sums(np.isfinite(m.offsets).astype(np.float64), code, groups.n), 1)
        return _sums(step, code, groups.n) / n_used

    def collective(self, groups: Groups, alpha: float) -> Collective | None:
        """Shared offsets of each group; None with too few annotators to ask."""
        m, code = self.measured, groups.codes[0]
        if len(np.unique(m.annotator)) < MIN_ANNOTATORS:
            return None
        sizes = [len(self.matches.reference.table), groups.n]
        return collective(
            m.values("tolerance"),
            item=combine([m.reference, code], sizes),
            annotator=m.annotator,
            cluster=m.cluster,
            group=code,
            n_groups=groups.n,
            margin=MARGIN,
            axis=TOGETHER,
            group_grid=self._grid(groups, "tolerance"),
            engine=self.engine,
            alpha=alpha,
        )

    def outlines(
        self,
        by: Sequence[str],
        groups: Groups,
        located: dict[str, Location],
        decisions: Decisions,
        accusation: Accusation,
        shared: Floats,
        confidence: float,
    ) -> Outlines:
        """Put findings together."""
        n_short = _sums(self.measured.short.astype(np.float64), groups.codes[0], groups.n)
        return Outlines(
            by=tuple(by),
            keys={name: groups.keys[name] for name in by},
            located=located,
            decisions=decisions,
            accusation=accusation,
            shared=np.broadcast_to(shared, (groups.n, K)),
            n_short=n_short.astype(np.int64),
            confidence=confidence,
        )


def _sums(values: Floats, code: Array, n: int) -> Floats:
    """Sum each column up within groups."""
    return np.stack([np.bincount(code, column, minlength=n) for column in values.T], axis=1)


def outline_columns(found: Outlines) -> dict[str, Array]:
    """Lay out findings on contours as columns, one row a group and quantity.

    Parameters
    ----------
    found : Outlines
        From `find_outlines`.

    Returns
    -------
    dict of str to (n_groups * 5,) array
        The ``by`` columns, ``quantity`` (`annqc.measure.outlines.CONTOURS`), ``estimate, ci_low,
        ci_high`` in tolerance units and with ``_px``, ``confidence_level, n, n_clusters, p_value,
        p_adjusted, verdict, n_more, flags, status, margin, p_clean, se, df, collective, excess,
        mean, low, high, gross_rate, n_short``.
    """
    main, decided = found.located["tolerance"], found.decisions
    keys = {name: np.repeat(column, K) for name, column in found.keys.items()}
    columns: dict[str, Any] = {"quantity": np.tile(np.array(CONTOURS, dtype=object), found.n)}
    for unit, suffix in (("tolerance", ""), ("px", "_px")):
        one = found.located[unit]
        half = half_width(one.se, one.df, found.confidence)
        columns[f"estimate{suffix}"] = one.estimate
        columns[f"ci_low{suffix}"] = one.estimate - half
        columns[f"ci_high{suffix}"] = one.estimate + half
    columns |= {
        "confidence_level": np.full(main.estimate.shape, found.confidence),
        "n": main.n,
        "n_clusters": main.n_clusters,
        "p_value": decided.p_value,
        "p_adjusted": decided.p_adjusted,
        "verdict": np.array(VERDICTS, dtype=object)[decided.verdict],
        "n_more": decided.n_more,
        "flags": _flags(found),
        "status": _status(found),
        "margin": np.broadcast_to(MARGIN, main.estimate.shape),
        "p_clean": decided.p_clean,
        "se": main.se,
        "df": main.df,
        "collective": np.where(found.shared != 0, found.shared, np.nan),
        "excess": main.estimate - found.shared,
        "mean": main.mean,
        "low": main.low,
        "high": main.high,
        "gross_rate": main.gross_rate,
        "n_short": found.n_short,
    }
    refuse_taken_names(found.by, columns)
    return keys | {name: np.asarray(column).reshape(-1) for name, column in columns.items()}


def _flags(found: Outlines) -> Array:
    """Return the flags of findings, as `annqc.run.findings.FLAGS` explains them."""
    masks = {
        "degenerate": found.located["tolerance"].degenerate,
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
    out[main.n == 0] = "no_data"
    return out


def outline_score_columns(
    matches: Matches,
    measured: OutlineMeasurements,
    by: Sequence[str] = ("annotator",),
    *,
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
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of str to (n_groups,) array
        The ``by`` columns; each of `AGREEMENT` with ``_low, _high`` and ``_n_clusters``; the median
        ``area_ratio`` and the ``vertex_density`` of the candidate and of the reference
        (``_reference``); ``n_outlines``, the pairs of outlines, ``n_apart``, those that share
        nothing, ``n_unusable``, those that could not be compared, ``n_no_canvas``, those without a
        boundary IoU.

    Notes
    -----
    Means are plain ones over the pairs that entered the offsets, and their intervals a clustered t
    over images (tracks, where there are tracks), inside [0, 1] for shares.
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
    for k, name in enumerate(AGREEMENT):
        most = np.inf if name in IN_PIXELS else 1.0
        columns[name] = found.estimate[:, k]
        columns[f"{name}_low"] = np.clip(found.estimate[:, k] - half[:, k], 0.0, most)
        columns[f"{name}_high"] = np.clip(found.estimate[:, k] + half[:, k], 0.0, most)
        columns[f"{name}_n_clusters"] = found.n_clusters[:, k]
    middle = np.stack([measured.overlaps["area_ratio"], *measured.density[:, ::-1].T], axis=1)
    typical = cluster_location(code, measured.cluster, middle, n_groups=n, rho0=0.0, engine="numpy")
    for k, name in enumerate(("area_ratio", "vertex_density", "vertex_density_reference")):
        columns[name] = typical.m0[:, k]
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
