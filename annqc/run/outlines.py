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
from annqc.measure.detection import detections
from annqc.measure.outlines import CONTOURS
from annqc.run.anonymous import accused_by_name, declined, nameless_groups
from annqc.run.keys import combine, grouped, resolve
from annqc.run.outline_columns import outline_columns
from annqc.run.outline_scores import AGREEMENT, IN_PIXELS, outline_score_columns

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
    from annqc.tables import Array, Bools, Floats

__all__ = [
    "AGREEMENT",
    "IN_PIXELS",
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
    quarters : dict of str to Location
        Estimates (g, 4) of `annqc.measure.outlines.QUARTERS`, which are described and not tested.
    n_short : (g, 5) int64
        Pairs with too little contour on a side.
    missing : (g, 5) float64
        Share of the reference's outlines that were asked for and have no usable pair; NaN where a
        column is known of drawn outlines alone.
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
    quarters: dict[str, Location]
    n_short: Array
    missing: Floats
    confidence: float
    pooled: Outlines | None = None

    @property
    def n(self) -> int:
        """How many groups there are."""
        return len(self.shared)

    @property
    def nameless(self) -> Bools:
        """Groups of annotators that are nobody in particular: nothing is decided on them."""
        return nameless_groups(self.keys, self.by, self.n)


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
        finder.spread(groups, parts.codes, of_group)
        found = finder.collective(parts, alpha)
        if found is not None:
            shared_inside = inherit(found, everybody)[of_group]
    unit = np.zeros(groups.n, dtype=np.int64)
    finder.spread(groups, finder.annotators, unit)
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
        detected, shapes = detections(matches), matches.reference.table.shapes
        asked, who = detected.asked_reference, detected.asked_annotator
        drawn = np.zeros(len(asked), dtype=bool) if shapes is None else shapes.kind[asked] > 0
        self.asked = asked[drawn]
        self.annotators = [measured.annotator, who[drawn]]

    def groups(self, keys: Sequence[Key]) -> Groups:
        """Group the pairs, and the reference's outlines that were asked for: two ``codes``."""
        m = self.measured
        pairs = m.reference, m.candidate, m.annotator
        nothing = np.full(len(self.asked), -1)
        return grouped(keys, pairs, (self.asked, nothing, self.annotators[1]))

    def spread(self, groups: Groups, values: Sequence[Array], out: Array) -> None:
        """Give every group the value of its rows, of which all have the same."""
        for code, value in zip(groups.codes, values, strict=True):
            known = code >= 0
            out[code[known]] = value[known]

    def missing(self, groups: Groups) -> Floats:
        """Share of the asked outlines that no usable pair speaks for, a side."""
        asked = groups.codes[1]
        n_asked = np.bincount(asked[asked >= 0], minlength=groups.n)[:, None]
        m, code = self.measured, groups.codes[0]
        n_used = _sums(np.isfinite(m.offsets).astype(np.float64), code, groups.n)
        rest = n_asked - _sums(m.short.astype(np.float64), code, groups.n)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(rest > 0, np.clip(1 - n_used / rest, 0, 1), np.nan)

    def locate(self, groups: Groups, *, quarters: bool = False) -> dict[str, Location]:
        """Estimate every offset of every group, in tolerance units and in pixels."""
        m = self.measured
        missing = None if quarters else np.nan_to_num(self.missing(groups))
        return {
            unit: cluster_location(
                groups.codes[0],
                m.cluster,
                m.values(unit, quarters=quarters).T,
                n_groups=groups.n,
                group_grid=self._grid(groups, unit, quarters=quarters),
                missing=missing if unit == "tolerance" else None,
                engine=self.engine,
            )
            for unit in ("tolerance", "px")
        }

    def _grid(self, groups: Groups, unit: str, *, quarters: bool = False) -> Floats:
        """Mean step of each offset in each group; 0 where polygons alone are compared."""
        m, code = self.measured, groups.codes[0]
        step, offsets = (m.quarter_step, m.quarters) if quarters else (m.step, m.offsets)
        step = step / m.tolerance[:, None] if unit == "tolerance" else step
        known = np.isfinite(offsets)
        n_used = np.maximum(_sums(known.astype(np.float64), code, groups.n), 1)
        return _sums(np.where(known, step, 0.0), code, groups.n) / n_used

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
        if "annotator" in by:
            accusation = accused_by_name(accusation, self.matches.candidate.nameless)
        return Outlines(
            by=tuple(by),
            keys={name: groups.keys[name] for name in by},
            located=located,
            decisions=declined(decisions, nameless_groups(groups.keys, by, groups.n)),
            accusation=accusation,
            shared=np.broadcast_to(shared, (groups.n, K)),
            quarters=self.locate(groups, quarters=True),
            n_short=n_short.astype(np.int64),
            missing=self.missing(groups),
            confidence=confidence,
        )


def _sums(values: Floats, code: Array, n: int) -> Floats:
    """Sum each column up within groups."""
    return np.stack([np.bincount(code, column, minlength=n) for column in values.T], axis=1)
