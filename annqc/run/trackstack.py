"""run: temporal quantities of groups of tracks, side by side, and what each is held against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.estimate import OK, STATUSES, Estimate, of_tracks, ratio_of_tracks
from annqc.infer.temporal.jitter import MARGIN as JITTER_MARGIN
from annqc.infer.temporal.jitter import fleet_jitter
from annqc.infer.temporal.lag import MARGIN as LAG_MARGIN
from annqc.infer.temporal.lag import SPEED_MIN
from annqc.infer.temporal.sawtooth import frames_since_keyframe
from annqc.run.trackvalues import sequence_of

if TYPE_CHECKING:
    from annqc.infer.temporal.jitter import TrackJitter
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.run.trackvalues import SeriesValues
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "DRIFTS",
    "ENDS",
    "JITTER",
    "LAG",
    "MARGINS",
    "ONE_SIDED",
    "SAG",
    "SAWTEETH",
    "SHARE",
    "TEMPORAL",
    "UNITS",
    "Stack",
    "Stacker",
    "TrackParts",
    "track_parts",
]

DRIFTS: Final = ("drift_left", "drift_top", "drift_right", "drift_bottom")
SAWTEETH: Final = ("sawtooth_left", "sawtooth_top", "sawtooth_right", "sawtooth_bottom")
TEMPORAL: Final = (*DRIFTS, "lag", "jitter", "start", "end", "sag", *SAWTEETH, "sag_share")
"""Temporal quantities, in the order of the table. The last is described and never tested."""
UNITS: Final = (
    *("tolerances per 100 frames",) * 4,
    "frames",
    "times the fleet's",
    "frames",
    "frames",
    "tolerances",
    *("tolerances until the next keyframe",) * 4,
    "share",
)
END_MARGIN: Final = 3.0
"""A track may begin or end this many frames off: an eighth of a second."""
MARGINS: Final = np.array(
    [
        *(1.0,) * 4,
        LAG_MARGIN,
        JITTER_MARGIN,
        END_MARGIN,
        END_MARGIN,
        *(1.0,) * 5,
        np.nan,
    ]
)
LAG, JITTER, START, END, SAG = range(4, 9)
TEETH: Final = slice(9, 13)
SHARE: Final = 13
ENDS: Final = (START, END)
"""Quantities of which the sequence is the unit of evidence, and not the track."""
ONE_SIDED: Final = (JITTER, SAG)
"""Whoever is steadier than the others, or better than interpolation, does nothing wrong."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackParts:
    """What every series adds to every quantity, arrays (s, k) by `TEMPORAL`.

    Attributes
    ----------
    value : float64
        What the single track has, in the units of `UNITS`; NaN where it has none, and of jitter.
    weight : float64
        How much of a ratio of sums the value is: the motion for the lag, the spread of the frames
        since a keyframe for sawteeth. 1 for the rest.
    pixels : float64
        The value in pixels, where that makes sense.
    n : int64
        Frames behind each value.
    """

    value: Floats
    weight: Floats
    pixels: Floats
    n: Ints


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stack:
    """Estimates of several quantities side by side, (g, K)."""

    estimate: Floats
    se: Floats
    df: Floats
    n_clusters: Ints
    n: Ints
    status: Array

    @property
    def n_eff(self) -> Floats:
        """Tracks, each of which counts alike."""
        return np.maximum(self.n_clusters, 1).astype(np.float64)

    @classmethod
    def of(cls, parts: list[Estimate]) -> Stack:
        """Lay estimates, (g,) or (g, k), side by side."""

        def column(name: str) -> Array:
            return np.concatenate(
                [np.asarray(getattr(one, name)).reshape(len(one.estimate), -1) for one in parts],
                axis=1,
            )

        names = ("estimate", "se", "df", "n_clusters", "n", "status")
        return cls(**{name: column(name) for name in names})

    def judged(self, unfit: Bools) -> Stack:
        """Return what verdicts rest on: some quantities are unfit, of some only one side counts."""
        estimate = self.estimate.copy()
        estimate[:, ONE_SIDED] = np.maximum(estimate[:, ONE_SIDED], 0.0)
        return replace(
            self,
            estimate=estimate,
            df=np.where(unfit, 0.0, self.df),
            n_clusters=np.where(unfit, 0, self.n_clusters),
        )


def track_parts(series: TrackSeries, values: SeriesValues) -> TrackParts:
    """Lay out what every single track says on every quantity.

    Parameters
    ----------
    series, values
        What was measured and estimated.
    """
    v, shape = values, (len(series), len(TEMPORAL))
    value, pixels = np.full(shape, np.nan), np.full(shape, np.nan)
    weight, n = np.ones(shape), np.ones(shape, dtype=np.int64)
    known = (v.drift.status == OK) & ~v.jumps[:, None]
    pixels[:, :4] = np.where(known, v.drift.slope, np.nan)
    value[:, :4] = pixels[:, :4] / np.tile(v.tolerance, 2)
    with np.errstate(all="ignore"):
        value[:, LAG] = np.where(v.lag.motion > 0, v.lag.lag, np.nan)
    weight[:, LAG], n[:, LAG] = v.lag.motion, v.lag.n
    pixels[:, JITTER] = _middle(v.jitter)
    value[:, ENDS] = v.ends
    value[:, SHARE] = v.sag
    value[:, SAG], pixels[:, SAG] = v.sag * v.missed, v.sag * v.missed_px
    value[:, TEETH], pixels[:, TEETH], weight[:, TEETH], n[:, TEETH] = _sawteeth(series, v)
    return TrackParts(value=value, weight=weight, pixels=pixels, n=n)


def _sawteeth(series: TrackSeries, values: SeriesValues) -> tuple[Floats, Floats, Floats, Ints]:
    """Say what each edge gains until the next keyframe, in tolerances and pixels, and its weight.

    The slope of a track is that of its offsets on the frames since the last keyframe, both less
    their mean in the track; what it comes to at the end of the track's typical gap is judged.
    """
    s, v = len(series), values
    blank = np.full((s, 4), np.nan)
    if v.keyframe is None or not s:
        return blank, blank, np.zeros((s, 4)), np.zeros((s, 4), dtype=np.int64)
    of = series.series
    since = frames_since_keyframe(v.keyframe, series.frame, series.starts)
    since[~v.interpolated[of]] = np.nan
    y = series.edges
    used = np.isfinite(y) & np.isfinite(since)[:, None]

    def total(x: Array) -> Floats:
        return np.stack([np.bincount(of, column, s) for column in x.T], axis=1)

    n = total(used.astype(np.float64))
    with np.errstate(all="ignore"):
        z = np.where(used, since[:, None], 0.0)
        z = np.where(used, z - (total(z) / n)[of], 0.0)
        squares = total(z * z)
        slope = total(z * np.where(used, y, 0.0)) / squares
        relative = total(z * np.where(used, y / np.tile(series.tolerance, 2), 0.0)) / squares
    reach = np.maximum(v.gap - 1, 0.0)[:, None]
    told = squares > 0
    value, pixels = (np.where(told, one * reach, np.nan) for one in (relative, slope))
    return value, pixels, squares, n.astype(np.int64)


def _middle(jitter: TrackJitter) -> Floats:
    """Return the root mean square over the edges; NaN where no edge is known."""
    known = jitter.status == OK
    squares = np.where(known, jitter.sd, 0.0) ** 2
    with np.errstate(all="ignore"):
        return np.asarray(np.sqrt(squares.sum(axis=1) / known.sum(axis=1)), dtype=np.float64)


class Stacker:
    """Estimates every quantity of groups of tracks."""

    def __init__(self, matches: Matches, series: TrackSeries, values: SeriesValues) -> None:
        self.series, self.values = series, values
        self.video = sequence_of(matches, series)
        self.parts = track_parts(series, values)

    def stack(self, code: Ints, n: int, *, fleet: bool) -> Stack:
        """Estimate every quantity of every group, with tracks (of ends: sequences) as evidence."""
        p, track = self.parts, self.series.track
        drift = of_tracks(p.value[:, :4], code, track, n, robust=False)
        ends = of_tracks(p.value[:, ENDS], code, self.video, n, grid=1.0)
        sag = of_tracks(p.value[:, SAG], code, track, n)
        teeth = [self._ratio(k, p.value, code, n) for k in range(*TEETH.indices(len(TEMPORAL)))]
        share = of_tracks(p.value[:, SHARE], code, track, n)
        lag, jitter = self._lag(code, n), self._jitter(code, n, fleet=fleet)
        return Stack.of([drift, lag, jitter, ends, sag, *teeth, share])

    def pixels(self, code: Ints, n: int) -> Stack:
        """Estimate in pixels what has pixels, each track counted as in `stack`."""
        p, track = self.parts, self.series.track
        teeth = [self._ratio(k, p.pixels, code, n) for k in range(*TEETH.indices(len(TEMPORAL)))]
        drift = of_tracks(p.pixels[:, :4], code, track, n, robust=False)
        rest = of_tracks(p.pixels[:, 4 : TEETH.start], code, track, n)
        return Stack.of([drift, rest, *teeth, of_tracks(p.pixels[:, SHARE], code, track, n)])

    def _ratio(self, k: int, value: Floats, code: Ints, n: int) -> Estimate:
        """Estimate a ratio of sums over tracks, whoever drew them in the group."""
        p, used = self.parts, np.isfinite(value[:, k])
        pair = np.stack([code[used], self.series.track[used]])
        distinct, merged = np.unique(pair, axis=1, return_inverse=True)
        merged, owner = merged.reshape(-1), distinct[0]
        weight = p.weight[used, k]

        def total(x: Array) -> Floats:
            return np.bincount(merged, x, len(owner)).astype(np.float64)

        return ratio_of_tracks(
            total(value[used, k] * weight), total(weight), owner, n, n=total(p.n[used, k])
        )

    def _lag(self, code: Ints, n: int) -> Estimate:
        v = self.values
        lag = self._ratio(LAG, self.parts.value, code, n)
        with np.errstate(all="ignore"):
            frames = np.bincount(code, v.lag.n, n)
            speed = np.sqrt(np.bincount(code, v.lag.motion, n) / frames)
            still = ~(speed >= SPEED_MIN)
        status = np.where(still & (frames > 0), STATUSES.index("no_motion"), lag.status)
        return replace(lag, status=status.astype(np.int8), df=np.where(still, 0.0, lag.df))

    def _jitter(self, code: Ints, n: int, *, fleet: bool) -> Estimate:
        if fleet:
            s, v = self.series, self.values
            return fleet_jitter(v.jitter, code, n, item=s.track, tolerance=np.tile(v.tolerance, 2))
        return of_tracks(np.full(len(self.series), np.nan), code, self.series.track, n)
