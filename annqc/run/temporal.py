"""run: what is systematic in an annotator's tracks: drift, lag, jitter, late ends, interpolation.

The unit of evidence is the track (for ends: the sequence). Thousands of frames of one object say as
much of an annotator as one object can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.fleet import decide_fleet
from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.temporal.estimate import OK, STATUSES, of_tracks, ratio_of_tracks
from annqc.infer.temporal.jitter import MARGIN as JITTER_MARGIN
from annqc.infer.temporal.jitter import fleet_jitter
from annqc.infer.temporal.lag import MARGIN as LAG_MARGIN
from annqc.infer.temporal.lag import SPEED_MIN
from annqc.infer.temporal.sawtooth import frames_since_keyframe, sawtooth
from annqc.infer.verdicts import (
    BIASED,
    DF_MIN,
    G_MIN,
    UNDECIDED,
    VERDICTS,
    eligible,
    half_width,
    p_bias,
)
from annqc.run.keys import grouped, refuse_taken_names, resolve
from annqc.run.trackvalues import sequence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.infer.fleet import Decisions
    from annqc.infer.multiplicity import Accusation
    from annqc.infer.temporal.estimate import Estimate
    from annqc.infer.temporal.jitter import TrackJitter
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.run.keys import Groups
    from annqc.run.trackvalues import SeriesValues
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "MARGINS",
    "TEMPORAL",
    "UNITS",
    "Temporal",
    "find_temporal",
    "temporal_columns",
]

DRIFTS: Final = ("drift_left", "drift_top", "drift_right", "drift_bottom")
SAWTEETH: Final = ("sawtooth_left", "sawtooth_top", "sawtooth_right", "sawtooth_bottom")
TEMPORAL: Final = (*DRIFTS, "lag", "jitter", "start", "end", "sag", *SAWTEETH)
"""Temporal quantities, in the order of the table."""
N_TESTED: Final = 9
"""The quantities up to here are decided on against a margin; sawteeth are a test of their own."""
UNITS: Final = (
    *("tolerances per 100 frames",) * 4,
    "frames",
    "times the fleet's",
    "frames",
    "frames",
    "share",
    *("tolerances per frame",) * 4,
)
END_MARGIN: Final = 3.0
"""A track may begin or end this many frames off: an eighth of a second."""
SAG_MARGIN: Final = 0.5
"""More than half of what interpolation misses is left as it is."""
MARGINS: Final = np.array(
    [1.0, 1.0, 1.0, 1.0, LAG_MARGIN, JITTER_MARGIN, END_MARGIN, END_MARGIN, SAG_MARGIN]
)
LAG, JITTER, START, END, SAG = range(4, 9)
ONE_SIDED: Final = (JITTER, SAG)
"""Whoever is steadier than the others, or better than interpolation, does nothing wrong."""
FLEET: Final = 3
"""Annotators that make a fleet, beside which one of them can be too shaky."""
MIN_ANNOTATORS: Final = 5
"""Annotators who must agree before all of them are said to be off together."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Stack:
    """Estimates of several quantities side by side, (g, K)."""

    estimate: Floats
    se: Floats
    df: Floats
    n_clusters: Ints
    n: Ints
    status: Array

    @property
    def n_eff(self) -> Floats:
        return np.maximum(self.n_clusters, 1).astype(np.float64)

    @classmethod
    def of(cls, parts: list[Estimate]) -> _Stack:
        """Lay estimates, (g,) or (g, k), side by side."""

        def column(name: str) -> Array:
            return np.concatenate(
                [np.asarray(getattr(one, name)).reshape(len(one.estimate), -1) for one in parts],
                axis=1,
            )

        names = ("estimate", "se", "df", "n_clusters", "n", "status")
        return cls(**{name: column(name) for name in names})

    def judged(self, rows: Bools) -> _Stack:
        """Return what verdicts rest on: some quantities are unfit, of some only one side counts."""
        estimate = self.estimate.copy()
        estimate[:, ONE_SIDED] = np.maximum(estimate[:, ONE_SIDED], 0.0)
        return replace(
            self,
            estimate=estimate,
            df=np.where(rows, 0.0, self.df),
            n_clusters=np.where(rows, 0, self.n_clusters),
        )


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Temporal:
    """Temporal findings of every group.

    Attributes
    ----------
    by, keys
        The columns of the groups.
    stack, pixels : _Stack
        Estimates (g, 9) in the units of `UNITS` (jitter as the logarithm of its ratio), and those
        that have pixels in pixels: drifts, and the standard deviation of the jitter.
    decisions : Decisions
    accusation : Accusation
    shared : (9,) float64
        What everybody has alike and nobody is blamed for.
    slope, slope_p, slope_effect, slope_clusters, slope_n : (g, 4)
        Sawteeth: offset gained per frame since the keyframe in tolerances, p-value, what it comes
        to at the end of a typical gap, tracks, frames.
    untested : (9,) bool
        Quantities that are only described here.
    confidence : float
    """

    by: tuple[str, ...]
    keys: dict[str, Array]
    stack: _Stack
    pixels: _Stack
    decisions: Decisions
    accusation: Accusation
    shared: Floats
    slope: Floats
    slope_p: Floats
    slope_effect: Floats
    slope_clusters: Ints
    slope_n: Ints
    untested: Bools
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

    Notes
    -----
    One false discovery rate over annotators and quantities, as for boxes. Where five annotators or
    more are off alike, which is tested with annotators as the unit of evidence, each is compared
    with the others.
    """
    finder = _Finder(matches, series, values)
    alpha = 1 - confidence
    keys = resolve(matches, by)
    inner = [key for key in keys if key.name != "annotator"]
    by_annotator = len(inner) < len(keys)
    units = finder.groups([key for key in keys if key.name == "annotator"] or keys)
    whole = finder.stack(units, fleet=by_annotator)
    untested = np.zeros(N_TESTED, dtype=bool)
    untested[JITTER] = not by_annotator or int(np.isfinite(whole.se[:, JITTER]).sum()) < FLEET
    tested = whole.judged(np.broadcast_to(untested, whole.df.shape))
    shared = _collective(tested, alpha) if by_annotator else np.zeros(N_TESTED)
    rest: dict[str, Any] = {"margin": MARGINS, "shared": shared, "alpha": alpha, "q": alpha}
    told: dict[str, Any] = {"confidence": confidence, "untested": untested}
    if not (by_annotator and inner):
        decisions, _, accusation = decide_fleet(tested, **rest)
        return finder.told(tuple(by), units, whole, decisions, accusation, shared, **told)
    groups = finder.groups(keys)
    strata = finder.stack(groups, fleet=False)
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


def _collective(stack: _Stack, alpha: float) -> Floats:
    """Return what five annotators or more have alike, 0 where nothing is."""
    shared = np.zeros(N_TESTED)
    enough = eligible(stack.n_clusters, stack.df)
    for k in range(N_TESTED):
        some = np.flatnonzero(enough[:, k])
        if k == JITTER or len(some) < MIN_ANNOTATORS:
            continue
        one = cluster_location(
            np.zeros(len(some), dtype=np.int64), some, stack.estimate[some, k], n_groups=1
        )
        if p_bias(one.estimate, one.se, one.df, MARGINS[k])[0] < alpha:
            shared[k] = one.estimate[0]
    return shared


class _Finder:
    """What the steps of one search share."""

    def __init__(self, matches: Matches, series: TrackSeries, values: SeriesValues) -> None:
        self.matches, self.series, self.values = matches, series, values

    def groups(self, keys: Sequence[Any]) -> Groups:
        """Group the tracks; each stands for its first row."""
        s = self.series
        first = s.reference[s.starts[:-1]]
        return grouped(keys, (first, np.full(len(s), -1), s.annotator))

    def stack(self, groups: Groups, *, fleet: bool) -> _Stack:
        """Estimate every quantity of every group."""
        v, s, n = self.values, self.series, groups.n
        code = groups.codes[0]
        tolerance = np.tile(v.tolerance, 2)
        drift = of_tracks(self._drift() / tolerance, code, s.track, n, robust=False)
        merged, owner = self._by_track(code)
        lag = ratio_of_tracks(
            np.bincount(merged, v.lag.against, len(owner)),
            np.bincount(merged, v.lag.motion, len(owner)),
            owner,
            n,
            n=np.bincount(merged, v.lag.n, len(owner)).astype(np.int64),
        )
        with np.errstate(all="ignore"):
            frames = np.bincount(code, v.lag.n, n)
            speed = np.sqrt(np.bincount(code, v.lag.motion, n) / frames)
            still = ~(speed >= SPEED_MIN)
        status = np.where(still & (frames > 0), STATUSES.index("no_motion"), lag.status)
        lag = replace(lag, status=status.astype(np.int8), df=np.where(still, 0.0, lag.df))
        return _Stack.of([drift, lag, self._jitter(code, n, fleet=fleet), *self._rest(code, n)])

    def _drift(self) -> Floats:
        """Slopes in pixels per 100 frames; NaN where there is none, or a jump."""
        v = self.values
        known = (v.drift.status == OK) & ~v.jumps[:, None]
        return np.where(known, v.drift.slope, np.nan)

    def _by_track(self, code: Ints) -> tuple[Ints, Ints]:
        """Give each pair of group and track a number: that of every series, the group of each."""
        pair = np.stack([code, self.series.track])
        distinct, merged = np.unique(pair, axis=1, return_inverse=True)
        return merged.reshape(-1), distinct[0]

    def _jitter(self, code: Ints, n: int, *, fleet: bool) -> Estimate:
        if fleet:
            return fleet_jitter(self.values.jitter, code, n)
        return of_tracks(np.full(len(self.series), np.nan), code, self.series.track, n)

    def _rest(self, code: Ints, n: int) -> list[Estimate]:
        v, s = self.values, self.series
        ends = of_tracks(v.ends, code, sequence_of(self.matches, s), n, grid=1.0)
        return [ends, of_tracks(v.sag, code, s.track, n)]

    def told(
        self,
        by: tuple[str, ...],
        groups: Groups,
        stack: _Stack,
        decisions: Decisions,
        accusation: Accusation,
        shared: Floats,
        *,
        confidence: float,
        untested: Bools,
    ) -> Temporal:
        """Put findings together."""
        v, s, n, code = self.values, self.series, groups.n, groups.codes[0]
        pixels = _Stack.of(
            [
                of_tracks(self._drift(), code, s.track, n, robust=False),
                of_tracks(_middle(v.jitter), code, s.track, n),
            ]
        )
        slope = self._sawteeth(code, n)
        return Temporal(
            by=by,
            keys={name: groups.keys[name] for name in by},
            stack=stack,
            pixels=pixels,
            decisions=decisions,
            accusation=accusation,
            shared=shared,
            confidence=confidence,
            untested=untested,
            **slope,
        )

    def _sawteeth(self, code: Ints, n: int) -> dict[str, Any]:
        """Test whether offsets grow with the frames since the last keyframe, edge by edge."""
        v, s = self.values, self.series
        slope, effect = np.full((n, 4), np.nan), np.full((n, 4), np.nan)
        p = np.ones((n, 4))
        clusters, count = np.zeros((n, 4), dtype=np.int64), np.zeros((n, 4), dtype=np.int64)
        if v.keyframe is not None and len(s):
            since = frames_since_keyframe(v.keyframe, s.frame, s.starts)
            of = s.series
            since[~v.interpolated[of]] = np.nan
            typical = np.full(n, np.nan)
            for k in range(n):
                gaps = v.gap[(code == k) & v.interpolated & np.isfinite(v.gap)]
                typical[k] = np.median(gaps) if len(gaps) else np.nan
            for edge in range(4):
                y = s.edges[:, edge] / s.tolerance[:, edge % 2]
                found = sawtooth(y, since, s.track[of], code[of], n)
                slope[:, edge], p[:, edge] = found.slope, found.p_value
                effect[:, edge] = found.slope * np.maximum(typical - 1, 0)
                clusters[:, edge], count[:, edge] = found.n_clusters, found.n
        names = ("slope", "slope_p", "slope_effect", "slope_clusters", "slope_n")
        return dict(zip(names, (slope, p, effect, clusters, count), strict=True))


def _middle(jitter: TrackJitter) -> Floats:
    """Return the root mean square over the edges; NaN where no edge is known."""
    known = jitter.status == OK
    squares = np.where(known, jitter.sd, 0.0) ** 2
    with np.errstate(all="ignore"):
        return np.asarray(np.sqrt(squares.sum(axis=1) / known.sum(axis=1)), dtype=np.float64)


def temporal_columns(found: Temporal) -> dict[str, Array]:
    """Lay out temporal findings as columns, one row a group and quantity.

    Parameters
    ----------
    found : Temporal
        From `find_temporal`.

    Returns
    -------
    dict of str to (n_groups * 13,) array
        The ``by`` columns, ``quantity`` (`TEMPORAL`), ``unit``, ``estimate, ci_low, ci_high`` in
        that unit, ``estimate_px, ci_low_px, ci_high_px`` where pixels make sense,
        ``confidence_level, n, n_clusters, p_value, p_adjusted, verdict, n_more, flags, status,
        margin, se, df, collective``.
    """
    g, k = found.n, len(TEMPORAL)
    decided, stack = found.decisions, found.stack
    half = half_width(stack.se, stack.df, found.confidence)
    table = {
        name: np.full((g, k), np.nan)
        for name in ("estimate", "ci_low", "ci_high", "estimate_px", "ci_low_px", "ci_high_px")
    }
    table["estimate"][:, :N_TESTED] = stack.estimate
    table["ci_low"][:, :N_TESTED] = stack.estimate - half
    table["ci_high"][:, :N_TESTED] = stack.estimate + half
    for name in ("estimate", "ci_low", "ci_high"):
        table[name][:, JITTER] = np.exp(table[name][:, JITTER])
    table["estimate"][:, N_TESTED:] = found.slope
    pixels = half_width(found.pixels.se, found.pixels.df, found.confidence)
    at = [*range(4), JITTER]
    table["estimate_px"][:, at] = found.pixels.estimate
    table["ci_low_px"][:, at] = found.pixels.estimate - pixels
    table["ci_high_px"][:, at] = found.pixels.estimate + pixels

    def wide(tested: Array, rest: Array) -> Array:
        return np.concatenate([tested, rest], axis=1)

    blank = np.full((g, 4), np.nan)
    teeth = adjusted_bh(np.where(found.slope_clusters > 0, found.slope_p, np.nan).reshape(-1))
    teeth = teeth.reshape(g, 4)
    with np.errstate(invalid="ignore"):
        toothed = (teeth < 1 - found.confidence) & (np.abs(found.slope_effect) > 1.0)
    verdict = wide(decided.verdict, np.where(toothed, BIASED, UNDECIDED))
    keys = {name: np.repeat(column, k) for name, column in found.keys.items()}
    columns: dict[str, Any] = {
        "quantity": np.tile(np.array(TEMPORAL, dtype=object), g),
        "unit": np.tile(np.array(UNITS, dtype=object), g),
        **table,
        "confidence_level": np.full((g, k), found.confidence),
        "n": wide(stack.n, found.slope_n),
        "n_clusters": wide(stack.n_clusters, found.slope_clusters),
        "p_value": wide(decided.p_value, np.where(found.slope_clusters > 0, found.slope_p, np.nan)),
        "p_adjusted": wide(decided.p_adjusted, teeth),
        "verdict": np.array(VERDICTS, dtype=object)[verdict],
        "n_more": wide(decided.n_more, blank),
        "flags": _flags(found),
        "status": _status(found),
        "margin": np.broadcast_to(_shown_margins(), (g, k)),
        "se": wide(stack.se, blank),
        "df": wide(stack.df, blank),
        "collective": wide(
            np.broadcast_to(np.where(found.shared != 0, found.shared, np.nan), (g, N_TESTED)), blank
        ),
    }
    refuse_taken_names(found.by, columns)
    return keys | {name: np.asarray(column).reshape(-1) for name, column in columns.items()}


def _shown_margins() -> Floats:
    """Margins in the units of the table: that of jitter as a ratio, those of sawteeth at a gap."""
    shown = np.append(MARGINS, np.full(4, np.nan))
    shown[JITTER] = np.exp(MARGINS[JITTER])
    return shown


def _flags(found: Temporal) -> Array:
    flags = np.full((found.n, len(TEMPORAL)), "", dtype=object)
    flags[:, :N_TESTED][found.decisions.measurable] = "MEASURABLE"
    agrees = found.decisions.agrees
    flags[:, :N_TESTED][agrees] = "AGREES_WITH_REFERENCE"
    return flags


def _status(found: Temporal) -> Array:
    """Return why a finding is open, or ``ok``."""
    stack, decided = found.stack, found.decisions
    out = np.full((found.n, len(TEMPORAL)), "ok", dtype=object)
    main = out[:, :N_TESTED]
    enough = (stack.n_clusters >= G_MIN) & (stack.df >= DF_MIN)
    open_ended = (decided.verdict == UNDECIDED) & np.isnan(decided.n_more)
    main[open_ended & enough] = "infeasible"
    main[decided.agrees] = "weighs_reference"
    main[enough & ~decided.tested] = "descriptive"
    main[~enough] = "too_few_clusters"
    main[stack.n_clusters == 1] = "one_cluster"
    main[stack.n == 0] = "no_data"
    main[stack.status == STATUSES.index("no_motion")] = "no_motion"
    rest = out[:, N_TESTED:]
    rest[found.slope_clusters < 8] = "too_few_clusters"
    rest[found.slope_clusters == 0] = "no_data"
    return out
