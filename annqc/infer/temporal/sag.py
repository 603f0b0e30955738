"""temporal: what interpolation between keyframes costs, as drawn and as it would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.estimate import NO_MOTION, OK, TOO_SHORT, Estimate, of_tracks
from annqc.infer.temporal.series import Series

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["GAPS", "GapErrors", "TrackSag", "annotator_sag", "chords", "gap_errors", "track_sag"]

GAPS: Final = (2, 3, 5, 8, 10, 15, 20, 30, 50)
"""Keyframe gaps that are tried."""
T_MIN: Final = 20
"""Frames between keyframes that a track's sag rests on, at least."""
SAG_MIN: Final = 0.1
"""Root mean square distance of the chords from gold, in px, below which there is no sag."""
PHASES: Final = 5
"""Frames of a series from which a simulated keyframe grid starts, at most."""
QUANTILE: Final = 0.95


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackSag:
    """How far each track follows the chords between its keyframes, arrays (s,).

    Attributes
    ----------
    share : float64
        1: the box lies on the chords, as interpolation puts it; 0: it follows the object.
    sag : float64
        Root mean square distance of the chords from gold, px.
    n : int64
        Frames between keyframes.
    status : int8
        ``ok``, ``too_short`` (fewer than 20 frames) or ``no_motion`` (chords nearer than 0.1 px).
    """

    share: Floats
    sag: Floats
    n: Ints
    status: Array


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class GapErrors:
    """Edge errors of a perfect annotator who interpolates, arrays (g,).

    Attributes
    ----------
    gap : int64
        Frames between keyframes.
    rms, quantile : float64
        Root mean square and 95 % quantile of the edges' error, in tolerances; NaN where no series
        is long enough.
    n : int64
        Frames looked at, keyframes among them.
    largest : int
        Largest of the gaps up to which the quantile stays within one tolerance; 1 if none does.
    """

    gap: Ints
    rms: Floats
    quantile: Floats
    n: Ints
    largest: int


def chords(gold: Array, keyframe: Array, frame: Array, starts: Array) -> Floats:
    """Interpolate gold linearly between keyframes.

    Parameters
    ----------
    gold : (n,) or (n, k) array_like
        Gold coordinates.
    keyframe : (n,) array_like of bool
        Whether the box of a row was drawn.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.

    Returns
    -------
    (n,) or (n, k) float64
        NaN before the first and after the last keyframe of a series.

    Examples
    --------
    >>> chords([0.0, 9, 9, 6, 7], [1, 0, 0, 1, 0], [0, 1, 2, 3, 4], [0, 5]).tolist()
    [0.0, 2.0, 4.0, 6.0, nan]
    """
    series = Series.of(gold, frame, starts)
    found, _ = _chords(series, np.asarray(keyframe, dtype=bool))
    return found[:, 0] if series.flat else found


def track_sag(offset: Array, gold: Array, keyframe: Array, frame: Array, starts: Array) -> TrackSag:
    """Regress the offset on the distance between the keyframes' chords and gold.

    Parameters
    ----------
    offset : (n,) or (n, k) array_like
        Annotation minus gold, px.
    gold : (n,) or (n, k) array_like
        Gold coordinates of the same edges, px.
    keyframe : (n,) array_like of bool
        From the export, or from `annqc.infer.temporal.keyframes.interpolation`.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.

    Returns
    -------
    TrackSag

    Notes
    -----
    ``Σ chord y / Σ chord²`` over the edges, with chord the interpolated gold minus gold.
    """
    y = Series.of(offset, frame, starts)
    series = Series.of(gold, frame, starts)
    drawn = np.asarray(keyframe, dtype=bool)
    chord = _chords(series, drawn)[0] - series.values
    used = np.isfinite(chord) & np.isfinite(y.values) & ~drawn[:, None]
    chord, away = np.where(used, chord, 0.0), np.where(used, y.values, 0.0)
    squares = y.total((chord * chord).sum(axis=1))
    n = y.total(used.any(axis=1)).astype(np.int64)
    with np.errstate(all="ignore"):
        share = y.total((chord * away).sum(axis=1)) / squares
        sag = np.sqrt(squares / y.total(used.sum(axis=1)))
    status = np.where(n < T_MIN, TOO_SHORT, np.where(sag >= SAG_MIN, OK, NO_MOTION))
    return TrackSag(share=share, sag=sag, n=n, status=status.astype(np.int8))


def annotator_sag(track: TrackSag, group: Array, n_groups: int) -> Estimate:
    """Share of the chords' error in each annotator's tracks: 1 pure interpolation, 0 none.

    Parameters
    ----------
    track : TrackSag
        From `track_sag`; tracks whose status is not ``ok`` are left out.
    group : (s,) array_like of int
        Annotator of each track.
    n_groups : int
        Number of annotators.
    """
    share = np.where(track.status == OK, track.share, np.nan)
    return of_tracks(share, np.asarray(group), np.arange(len(share)), n_groups)


def gap_errors(
    gold: Array,
    frame: Array,
    starts: Array,
    *,
    tolerance: Array | float = 1.0,
    gaps: tuple[int, ...] = GAPS,
) -> GapErrors:
    """Error of linear interpolation on the gold trajectories, gap by gap.

    Parameters
    ----------
    gold : (n,) or (n, k) array_like
        Gold edges.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    tolerance : float, (s,), (s, k) or (n, k) array_like
        In the units of gold; (n, k) for one an edge and frame.
    gaps : tuple of int
        Frames between keyframes.

    Returns
    -------
    GapErrors
        For keyframes drawn exactly: the error that no care at the keyframes can avoid.

    Notes
    -----
    Keyframes lie on a regular grid, which is laid from up to five different frames. Frames outside
    of two keyframes that are one gap apart are left out.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.arange(200)
    >>> found = gap_errors(40 * np.sin(frame / 20), frame, [0, 200], gaps=(2, 5, 10, 20))
    >>> found.quantile.round(2).tolist(), found.largest
    ([0.05, 0.29, 1.16, 4.57], 5)
    """
    series = Series.of(gold, frame, starts)
    each = np.asarray(tolerance, dtype=np.float64)
    least = each if each.ndim == 2 and len(each) == len(series.values) else series.spread(each)
    first = series.frame[series.starts[series.series]]
    since = series.frame - first
    rms, quantile = np.full(len(gaps), np.nan), np.full(len(gaps), np.nan)
    n = np.zeros(len(gaps), np.int64)
    for one, gap in enumerate(gaps):
        errors = []
        phases = np.unique(np.linspace(0, gap, PHASES, endpoint=False).astype(np.int64))
        for phase in phases.tolist():
            drawn = (since >= phase) & ((since - phase) % gap == 0)
            chord, reach = _chords(series, drawn)
            inside = (reach == gap) | (drawn & (reach == 0))
            away = (
                np.abs(chord - series.values)[inside]
                / np.broadcast_to(least, series.values.shape)[inside]
            )
            errors.append(away[np.isfinite(away).all(axis=1)])
        all_errors = np.concatenate(errors)
        spanned = (np.diff(series.starts) > gap).any()
        if len(all_errors) and spanned:
            n[one] = len(all_errors)
            rms[one] = np.sqrt(np.mean(all_errors**2))
            quantile[one] = np.quantile(all_errors, QUANTILE)
    kept = np.cumprod(np.nan_to_num(quantile, nan=np.inf) <= 1.0).astype(bool)
    largest = max([1, *(gap for gap, good in zip(gaps, kept, strict=True) if good)])
    return GapErrors(
        gap=np.asarray(gaps, dtype=np.int64), rms=rms, quantile=quantile, n=n, largest=largest
    )


def _chords(series: Series, drawn: Bools) -> tuple[Floats, Ints]:
    """Interpolated values, and how many frames the keyframes around lie apart (0 at one)."""
    n = len(drawn)
    if not n:
        return series.values.copy(), np.empty(0, np.int64)
    rows = np.arange(n)
    before = np.maximum.accumulate(np.where(drawn, rows, -1))
    after = np.minimum.accumulate(np.where(drawn, rows, n)[::-1])[::-1]
    between = (before >= series.starts[series.series]) & (after < series.starts[series.series + 1])
    before, after = np.maximum(before, 0), np.minimum(after, n - 1)
    reach = np.where(between, series.frame[after] - series.frame[before], -1)
    share = (series.frame - series.frame[before]) / np.maximum(reach, 1)
    found = series.values[before] + share[:, None] * (series.values[after] - series.values[before])
    found[~between] = np.nan
    return found, reach
