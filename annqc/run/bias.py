"""run: findings on signed offsets for any mix of columns; the collective test comes first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer._layout import Layout, stable_order
from annqc.infer.cht import choose_engine, cluster_location
from annqc.infer.collective import MIN_ANNOTATORS, collective, inherit
from annqc.infer.fleet import decide_fleet
from annqc.measure.offsets import AXIS, BORDER_PX, GRID_STEP, MARGIN
from annqc.run.anonymous import accused_by_name, declined, nameless_groups
from annqc.run.keys import combine, resolve
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from annqc.infer.cht import Location
    from annqc.infer.collective import Collective
    from annqc.infer.fleet import Decisions
    from annqc.infer.multiplicity import Accusation
    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.measure.detection import Detections
    from annqc.measure.offsets import Measurements
    from annqc.run.keys import Key
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["Bias", "BiasFinder", "Groups"]

K: Final = len(QUANTITIES)
SAMPLE: Final = 1000
_TO_QUANTITY: Final = np.array([0, 1, 2, 3, 4, 5, 4, 5])
"""Quantities share what is left out: shift and growth along an axis need both of its edges."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Groups:
    """Dense groups of the measured pairs and of the objects that were asked for.

    ``keys`` has one entry a group for each column, ``codes`` the same as codes. ``of_asked`` is
    None where a column is known of drawn objects only.
    """

    n: int
    keys: dict[str, Array]
    codes: dict[str, Ints]
    of_pair: Ints
    of_asked: Ints | None


class _Units(dict[str, "Location"]):
    """Estimates in each unit, worked out when they are asked for: verdicts need one unit only."""

    def __init__(self, locate: Callable[[str], Location]) -> None:
        super().__init__()
        self._locate = locate

    def __missing__(self, unit: str) -> Location:
        self[unit] = self._locate(unit)
        return self[unit]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Estimates:
    """Estimates of every group in each unit, and what was left out. Arrays are (n_groups, 8)."""

    located: _Units
    n_border: Ints
    gate_loss: Floats
    missing: Floats


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Bias:
    """Findings of one grouping, before they become a table.

    Where the grouping has strata of annotators, ``pooled`` holds the findings on their whole work,
    decided in one go with the strata; else it is None.
    """

    by: tuple[str, ...]
    groups: Groups
    estimates: Estimates
    decisions: Decisions
    accusation: Accusation
    shared: Floats
    collective: Collective | None
    confidence: float
    pooled: Bias | None = None

    @property
    def nameless(self) -> Bools:
        """Groups of annotators that are nobody in particular: nothing is decided on them."""
        return nameless_groups(self.groups.keys, self.by, self.groups.n)


class BiasFinder:
    """Everything that findings of one comparison share, worked out once.

    Parameters
    ----------
    matches, measurements, detected
        What was matched, measured and counted.
    confidence : float
        Level of the intervals; one minus it is the level of the tests and the false discovery rate.
    engine : {"auto", "numpy", "numba"}
        How to estimate.
    """

    def __init__(
        self,
        matches: Matches,
        measurements: Measurements,
        detected: Detections,
        *,
        confidence: float = 0.95,
        border_px: float = BORDER_PX,
        engine: Engine = "auto",
    ) -> None:
        self.matches = matches
        self.measurements = measurements
        self.detected = detected
        self.confidence = confidence
        self.border_px = border_px
        # Three units, and twice in the collective test: about five rounds over all quantities.
        self.engine = choose_engine(5 * K * len(measurements), engine=engine)

    def find(self, by: Sequence[str]) -> Bias:
        """Estimate and decide on every group.

        Parameters
        ----------
        by : sequence of str
            Columns. With ``annotator`` among them the others are strata of the annotators; without
            it every combination of values is judged as one annotator would be.
        """
        keys = resolve(self.matches, by)
        strata_keys = [key for key in keys if key.name != "annotator"]
        by_annotator = len(strata_keys) < len(keys)
        alpha = 1 - self.confidence
        units = self.groups([k for k in keys if k.name == "annotator"] if by_annotator else keys)
        pooled = self.estimates(units)
        everybody = self._collective(None) if by_annotator else None
        shared = np.zeros(K) if everybody is None else everybody.shift[0]
        if not by_annotator or not strata_keys:
            decisions, _, accusation = decide_fleet(
                pooled.located["tolerance"], margin=MARGIN, shared=shared, alpha=alpha, q=alpha
            )
            return self._bias(by, units, pooled, (decisions, accusation), shared, everybody)
        groups = self.groups(keys)
        inner = self.estimates(groups)
        shared_inside = np.zeros((groups.n, K))
        strata_collective = None
        if everybody is not None:
            parts = self.groups(strata_keys)
            strata_collective = self._collective(parts)
            if strata_collective is not None:
                of_group = np.zeros(groups.n, dtype=np.int64)
                of_group[groups.of_pair] = parts.of_pair
                shared_inside = inherit(strata_collective, everybody)[of_group]
        whole, decided, accusation = decide_fleet(
            pooled.located["tolerance"],
            margin=MARGIN,
            shared=shared,
            strata=inner.located["tolerance"],
            unit=groups.codes["annotator"],
            strata_shared=shared_inside,
            alpha=alpha,
            q=alpha,
        )
        head = self._bias(("annotator",), units, pooled, (whole, accusation), shared, everybody)
        strata = self._bias(
            by, groups, inner, (decided, accusation), shared_inside, strata_collective
        )
        return replace(strata, pooled=head)

    def groups(self, keys: Sequence[Key]) -> Groups:
        """Group the pairs and the asked objects by some columns."""
        measured, detected = self.measurements, self.detected
        pair_codes, asked_codes = [], []
        for key in keys:
            if key.name == "annotator":
                pair_codes.append(measured.annotator)
                asked_codes.append(detected.asked_annotator)
            elif key.reference is not None:
                pair_codes.append(key.reference[measured.reference])
                asked_codes.append(key.reference[detected.asked_reference])
            elif key.candidate is not None:
                pair_codes.append(key.candidate[measured.candidate])
        sizes = [len(key.values) for key in keys]
        of_pair = combine(pair_codes, sizes) if keys else np.zeros(len(measured), dtype=np.int64)
        known = len(asked_codes) == len(keys)
        of_asked = None
        if known:
            n_asked = len(detected.asked_reference)
            of_asked = combine(asked_codes, sizes) if keys else np.zeros(n_asked, dtype=np.int64)
        if [key.name for key in keys] == ["annotator"] or not keys:
            present = np.arange(sizes[0] if keys else 1)
        else:
            seen = of_pair if of_asked is None else np.concatenate([of_pair, of_asked])
            present = np.unique(seen)
            of_pair = np.searchsorted(present, of_pair)
            of_asked = None if of_asked is None else np.searchsorted(present, of_asked)
        codes: dict[str, Ints] = {}
        rest = present
        for key, size in zip(reversed(keys), reversed(sizes), strict=True):
            codes[key.name] = rest % size
            rest = rest // size
        return Groups(
            n=len(present),
            keys={key.name: key.values[codes[key.name]] for key in keys},
            codes=codes,
            of_pair=of_pair,
            of_asked=of_asked,
        )

    def estimates(self, groups: Groups) -> Estimates:
        """Estimate all quantities of every group, in tolerance units, pixels and shares."""
        measured = self.measurements
        n = groups.n
        n_pairs = np.bincount(groups.of_pair, minlength=n)
        n_border = _count(_with_axes(measured.at_border), groups.of_pair, n)[:, _TO_QUANTITY]
        gated = _count(measured.gated, groups.of_pair, n)
        with np.errstate(invalid="ignore"):
            gate_loss = (gated / n_pairs[:, None])[:, AXIS]
        missing = self._missing(groups)

        def locate(unit: str) -> Location:
            return cluster_location(
                groups.of_pair,
                measured.cluster,
                measured.values(unit).T,
                n_groups=n,
                group_grid=self.grid(groups, unit),
                missing=np.nan_to_num(missing) if unit == "tolerance" else None,
                engine=self.engine,
            )

        return Estimates(
            located=_Units(locate), n_border=n_border, gate_loss=gate_loss, missing=missing
        )

    @cached_property
    def _step(self) -> Floats:
        """Coordinate step of each pair, px: 1 where annotator and reference are integral."""
        measured = self.measurements
        n = len(self.matches.candidate.annotator_ids)
        odd = np.zeros(n, dtype=bool)
        rows = np.arange(len(measured))
        # One box off the grid is enough, and mostly among the first: the rest need no look then.
        for some in (rows[:SAMPLE], rows[SAMPLE:]):
            part = some[~odd[measured.annotator[some]]]
            box = self.matches.candidate.table.xyxy[measured.candidate[part]]
            gold = self.matches.reference.table.xyxy[measured.reference[part]]
            whole = ((box == np.rint(box)) & (gold == np.rint(gold))).all(axis=1)
            odd[measured.annotator[part[~whole]]] = True
        return np.asarray(~odd[measured.annotator], dtype=np.float64)

    def _missing(self, groups: Groups) -> Floats:
        """Share of the asked objects that no usable pair speaks for; NaN where unknown."""
        if groups.of_asked is None:
            return np.full((groups.n, K), np.nan)
        measured, detected = self.measurements, self.detected
        n_asked = np.bincount(groups.of_asked, minlength=groups.n)[:, None]
        table, images = self.matches.reference.table, self.matches.reference.image_table
        near = np.zeros((len(table), 4), dtype=bool)
        size = np.stack([images.width[table.image], images.height[table.image]], axis=1)
        near[:, :2] = table.xyxy[:, :2] <= self.border_px
        near[:, 2:] = table.xyxy[:, 2:] >= size - self.border_px
        cut = _with_axes(near)
        n_cut = _count(cut[detected.asked_reference], groups.of_asked, groups.n)[:, _TO_QUANTITY]
        n_used = _count(measured.usable[:, :6], groups.of_pair, groups.n)[:, _TO_QUANTITY]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.clip(1 - n_used / (n_asked - n_cut), 0, 1)
        return np.asarray(np.where(n_asked > n_cut, share, np.nan))

    def grid(self, groups: Groups, unit: str) -> Floats:
        """Coordinate step of each group and quantity, in the units of the values."""
        step = np.zeros(groups.n)
        np.maximum.at(step, groups.of_pair, self._step)
        grid: Floats = step[:, None] * GRID_STEP
        if unit == "px" or not step.any():
            return grid
        order = stable_order(groups.of_pair)
        scale = self.measurements.tolerance if unit == "tolerance" else self.measurements.sides
        group = groups.of_pair[order]
        layout = Layout.of(group, np.arange(len(group)), np.ones(len(group), dtype=bool), 0.0)
        middle = np.ones((groups.n, 2))
        for axis in (0, 1):
            column = scale[order, axis]
            middle[layout.groups, axis] = layout.weighted_median(column, layout.rank(column))
        return np.asarray(grid / middle[:, AXIS])

    def _collective(self, strata: Groups | None) -> Collective | None:
        """Shared offsets, of everything or by stratum; None with too few annotators to ask."""
        measured = self.measurements
        if len(np.unique(measured.annotator)) < MIN_ANNOTATORS:
            return None
        groups = strata or self.groups([])
        item = combine(
            [measured.reference, groups.of_pair], [len(self.matches.reference.table), groups.n]
        )
        return collective(
            self.measurements.values("tolerance"),
            item=item,
            annotator=measured.annotator,
            cluster=measured.cluster,
            group=groups.of_pair,
            n_groups=groups.n,
            margin=MARGIN,
            axis=AXIS,
            group_grid=self.grid(groups, "tolerance"),
            engine=self.engine,
            alpha=1 - self.confidence,
        )

    def _bias(
        self,
        by: Sequence[str],
        groups: Groups,
        estimates: Estimates,
        decided: tuple[Decisions | None, Accusation],
        shared: Floats,
        found: Collective | None,
    ) -> Bias:
        decisions, accusation = decided
        if decisions is None:
            message = "strata that were given are decided on"
            raise AssertionError(message)
        if "annotator" in by:
            accusation = accused_by_name(accusation, self.matches.candidate.nameless)
        return Bias(
            by=tuple(by),
            groups=groups,
            estimates=estimates,
            decisions=declined(decisions, nameless_groups(groups.keys, by, groups.n)),
            accusation=accusation,
            shared=np.broadcast_to(shared, (groups.n, K)),
            collective=found,
            confidence=self.confidence,
        )


def _with_axes(edges: Array) -> Array:
    """Add to flags of the four edges those of the two axes: either of their edges."""
    out = np.empty((len(edges), 6), dtype=bool)
    out[:, :4] = edges
    np.logical_or(edges[:, :2], edges[:, 2:], out=out[:, 4:])
    return out


def _count(flags: Array, group: Ints, n_groups: int) -> Ints:
    """Count the flags of each column in each group."""
    if n_groups == 1:
        return np.asarray(np.count_nonzero(flags, axis=0))[None, :]
    columns = [np.bincount(group[column], minlength=n_groups) for column in flags.T]
    return np.stack(columns, axis=1)
