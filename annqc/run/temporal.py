"""run: what is systematic in an annotator's tracks: drift, lag, jitter, late ends, interpolation.

The unit of evidence is the track (for ends: the sequence). Thousands of frames of one object say as
much of an annotator as one object can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.fleet import decide_fleet
from annqc.infer.temporal.estimate import STATUSES
from annqc.infer.verdicts import DF_MIN, G_MIN, UNDECIDED, VERDICTS, half_width
from annqc.run.keys import grouped, refuse_taken_names, resolve
from annqc.run.trackshared import shared_by_all
from annqc.run.trackstack import DRIFTS, JITTER, LAG, MARGINS, SHARE, TEMPORAL, UNITS, Stacker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.infer.fleet import Decisions
    from annqc.infer.multiplicity import Accusation
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.run.keys import Groups
    from annqc.run.trackstack import Stack
    from annqc.run.trackvalues import SeriesValues
    from annqc.tables import Array, Bools, Floats

__all__ = [
    "DRIFTS",
    "MARGINS",
    "TEMPORAL",
    "UNITS",
    "Temporal",
    "find_temporal",
    "temporal_columns",
]

FLEET: Final = 3
"""Annotators that make a fleet, beside which one of them can be too shaky."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Temporal:
    """Temporal findings of every group.

    Attributes
    ----------
    by, keys
        The columns of the groups.
    stack, pixels : Stack
        Estimates (g, K) in the units of `UNITS` (jitter as the logarithm of its ratio), and in
        pixels of what has pixels.
    decisions : Decisions
    accusation : Accusation
    shared : (K,) float64
        What everybody has alike and nobody is blamed for.
    untested : (K,) bool
        Quantities that are only described here.
    margins : (K,) float64
        What each quantity was held against, as `MARGINS` has it.
    confidence : float
    """

    by: tuple[str, ...]
    keys: dict[str, Array]
    stack: Stack
    pixels: Stack
    decisions: Decisions
    accusation: Accusation
    shared: Floats
    untested: Bools
    margins: Floats
    confidence: float
    pooled: Temporal | None = None

    @property
    def n(self) -> int:
        """How many groups there are."""
        return len(self.stack.estimate)


def find_temporal(
    matches: Matches,
    series: TrackSeries,
    values: SeriesValues,
    by: Sequence[str] = ("annotator",),
    *,
    confidence: float = 0.95,
    margins: Mapping[str, float] | None = None,
) -> Temporal:
    """Say whose tracks drift, lag or shake, begin late, or are left to interpolation.

    Parameters
    ----------
    matches : Matches
        What was matched.
    series : TrackSeries
        From `annqc.measure.tracks.measure_tracks`.
    values : SeriesValues
        From `series_values`.
    by : sequence of str
        Columns. With ``annotator`` among them the others are strata, tested on drift alone.
    confidence : float
        Level of the intervals; one minus it is the level of the tests and the false discovery rate.
    margins : mapping of str to float, optional
        Other margins than the usual ones, by quantity: in frames, of ``jitter`` as a ratio, of
        drifts, ``sag`` and sawteeth in tolerances.

    Notes
    -----
    One false discovery rate over annotators and quantities, as for boxes. Where all are off alike,
    which is tested first with gold tracks as the unit of evidence (`annqc.run.trackshared`), each
    is compared with the others.
    """
    finder = _Finder(matches, series, values)
    alpha = 1 - confidence
    keys = resolve(matches, by)
    inner = [key for key in keys if key.name != "annotator"]
    by_annotator = len(inner) < len(keys)
    units = finder.groups([key for key in keys if key.name == "annotator"] or keys)
    whole = finder.stacker.stack(units.codes[0], units.n, fleet=by_annotator)
    untested = np.zeros(len(TEMPORAL), dtype=bool)
    untested[SHARE] = True
    untested[JITTER] = not by_annotator or int(np.isfinite(whole.se[:, JITTER]).sum()) < FLEET
    tested = whole.judged(np.broadcast_to(untested, whole.df.shape))
    limits = _limits(margins or {})
    shared = np.zeros(len(TEMPORAL))
    if by_annotator:
        shared = shared_by_all(
            finder.stacker.parts,
            series,
            finder.stacker.video,
            tested,
            margins=limits,
            alpha=alpha,
        )
    rest: dict[str, Any] = {"margin": limits, "shared": shared, "alpha": alpha, "q": alpha}
    told: dict[str, Any] = {"confidence": confidence, "untested": untested, "margins": limits}
    if not (by_annotator and inner):
        decisions, _, accusation = decide_fleet(tested, **rest)
        return finder.told(tuple(by), units, whole, decisions, accusation, shared, **told)
    groups = finder.groups(keys)
    strata = finder.stacker.stack(groups.codes[0], groups.n, fleet=False)
    unit = np.zeros(groups.n, dtype=np.int64)
    unit[groups.codes[0]] = series.annotator
    only_drift = np.zeros(strata.df.shape, dtype=bool)
    only_drift[:, LAG:] = True
    head, decided, accusation = decide_fleet(
        tested,
        strata=strata.judged(only_drift),
        unit=unit,
        strata_shared=np.broadcast_to(shared, strata.df.shape),
        **rest,
    )
    if decided is None:
        message = "strata that were given are decided on"
        raise AssertionError(message)
    pooled = finder.told(("annotator",), units, whole, head, accusation, shared, **told)
    told["untested"] = only_drift[0] if groups.n else untested
    found = finder.told(tuple(by), groups, strata, decided, accusation, shared, **told)
    return replace(found, pooled=pooled)


def _limits(margins: Mapping[str, float]) -> Floats:
    """Return the margin of every quantity: the usual one, or that which was given."""
    limits = MARGINS.copy()
    for name, margin in margins.items():
        k = TEMPORAL.index(name)
        limits[k] = np.log(margin) if k == JITTER else margin
    return limits


class _Finder:
    """What the steps of one search share."""

    def __init__(self, matches: Matches, series: TrackSeries, values: SeriesValues) -> None:
        self.series = series
        self.stacker = Stacker(matches, series, values)

    def groups(self, keys: Sequence[Any]) -> Groups:
        """Group the tracks; each stands for its first row."""
        s = self.series
        first = s.reference[s.starts[:-1]]
        return grouped(keys, (first, np.full(len(s), -1), s.annotator))

    def told(
        self,
        by: tuple[str, ...],
        groups: Groups,
        stack: Stack,
        decisions: Decisions,
        accusation: Accusation,
        shared: Floats,
        *,
        confidence: float,
        untested: Bools,
        margins: Floats,
    ) -> Temporal:
        """Put findings together."""
        return Temporal(
            by=by,
            keys={name: groups.keys[name] for name in by},
            stack=stack,
            pixels=self.stacker.pixels(groups.codes[0], groups.n),
            decisions=decisions,
            accusation=accusation,
            shared=shared,
            confidence=confidence,
            untested=untested,
            margins=margins,
        )


def temporal_columns(found: Temporal) -> dict[str, Array]:
    """Lay out temporal findings as columns, one row a group and quantity.

    Parameters
    ----------
    found : Temporal
        From `find_temporal`.

    Returns
    -------
    dict of str to (n_groups * 14,) array
        The ``by`` columns, ``quantity`` (`TEMPORAL`), ``unit``, ``estimate, ci_low, ci_high`` in
        that unit, ``estimate_px, ci_low_px, ci_high_px`` where pixels make sense,
        ``confidence_level, n, n_clusters, p_value, p_adjusted, verdict, n_more, flags, status,
        margin, se, df, collective``.
    """
    g, k = found.n, len(TEMPORAL)
    decided, stack, pixels = found.decisions, found.stack, found.pixels
    table: dict[str, Array] = {}
    for suffix, one in (("", stack), ("_px", pixels)):
        half = half_width(one.se, one.df, found.confidence)
        table[f"estimate{suffix}"] = one.estimate.copy()
        table[f"ci_low{suffix}"] = one.estimate - half
        table[f"ci_high{suffix}"] = one.estimate + half
    for name in ("estimate", "ci_low", "ci_high"):
        table[name][:, JITTER] = np.exp(table[name][:, JITTER])
    shown = found.margins.copy()
    shown[JITTER] = np.exp(shown[JITTER])
    shown[SHARE] = np.nan
    keys = {name: np.repeat(column, k) for name, column in found.keys.items()}
    columns: dict[str, Any] = {
        "quantity": np.tile(np.array(TEMPORAL, dtype=object), g),
        "unit": np.tile(np.array(UNITS, dtype=object), g),
        **table,
        "confidence_level": np.full((g, k), found.confidence),
        "n": stack.n,
        "n_clusters": stack.n_clusters,
        "p_value": np.where(found.untested, np.nan, decided.p_value),
        "p_adjusted": decided.p_adjusted,
        "verdict": np.array(VERDICTS, dtype=object)[decided.verdict],
        "n_more": np.where(found.untested, np.nan, decided.n_more),
        "flags": _flags(found),
        "status": _status(found),
        "margin": np.broadcast_to(shown, (g, k)),
        "se": stack.se,
        "df": stack.df,
        "collective": np.broadcast_to(np.where(found.shared != 0, found.shared, np.nan), (g, k)),
    }
    refuse_taken_names(found.by, columns)
    return keys | {name: np.asarray(column).reshape(-1) for name, column in columns.items()}


def _flags(found: Temporal) -> Array:
    flags = np.full((found.n, len(TEMPORAL)), "", dtype=object)
    flags[found.decisions.measurable] = "MEASURABLE"
    flags[found.decisions.agrees] = "AGREES_WITH_REFERENCE"
    return flags


def _status(found: Temporal) -> Array:
    """Return why a finding is open, or ``ok``."""
    stack, decided = found.stack, found.decisions
    out = np.full((found.n, len(TEMPORAL)), "ok", dtype=object)
    enough = (stack.n_clusters >= G_MIN) & (stack.df >= DF_MIN)
    open_ended = (decided.verdict == UNDECIDED) & np.isnan(decided.n_more)
    out[open_ended & enough] = "infeasible"
    out[decided.agrees] = "weighs_reference"
    out[enough & ~decided.tested] = "descriptive"
    out[~enough] = "too_few_clusters"
    out[stack.n_clusters == 1] = "one_cluster"
    out[:, SHARE] = "descriptive"
    out[stack.n == 0] = "no_data"
    out[stack.status == STATUSES.index("no_motion")] = "no_motion"
    out[stack.status == STATUSES.index("alone")] = (
        "descriptive" if found.untested[JITTER] else "alone"
    )
    return out
