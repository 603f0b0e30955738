"""run: what every single track says of itself: slope, lag, jitter, ends, keyframes.

Nothing is concluded on annotators here; that is the business of `annqc.run.temporal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.ids import encode
from annqc.infer.temporal.drift import TrackDrift, track_drift
from annqc.infer.temporal.ends import track_ends
from annqc.infer.temporal.estimate import OK
from annqc.infer.temporal.jitter import TrackJitter, track_jitter
from annqc.infer.temporal.keyframes import interpolation
from annqc.infer.temporal.lag import MARGIN as LAG_MARGIN
from annqc.infer.temporal.lag import SPEED_MIN, TrackLag, refined_lag, without_lag
from annqc.infer.temporal.sag import QUANTILE, chords, track_sag
from annqc.infer.temporal.series import segment_median
from annqc.infer.temporal.steps import Steps, find_steps, mark_cuts
from annqc.measure.track_reach import reach_beyond

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.tables import Bools, Floats, Ints

__all__ = ["SeriesValues", "keyframe_gaps", "sequence_of", "series_values"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SeriesValues:
    """What every track says of itself, arrays (s,) or (s, 4).

    Attributes
    ----------
    drift : TrackDrift
        Slope of each edge's offset in pixels per 100 frames. Where the annotator lags by more than
        half a frame, drift, steps and jitter are those of what the lag leaves.
    steps : Steps
        Jumps, in pixels, one row each.
    jumps : (s,) bool
        Tracks with a jump, or in view where the camera cuts or most of what the annotator draws
        jumps: their slope is that of a step, not of a drift.
    tolerance : (s, 2) float64
        Median tolerance along x and y, in pixels.
    lag : TrackLag
        Sums for the lag.
    jitter : TrackJitter
        Of each edge, in pixels.
    ends : (s, 2) float64
        First and last frame, drawn less reference; NaN at the ends of the sequence.
    sag : (s,) float64
        Share of the error of interpolation that is left; NaN where it cannot be told.
    missed, missed_px : (s,) float64
        What interpolation misses of the object, in tolerances and in pixels: the distance of the
        chords between keyframes from gold that 95 % of the edges keep below.
    keyframe : (n,) bool or None
        Keyframes as the file says, or as the coordinates betray them.
    interpolated : (s,) bool
        Tracks whose frames are mostly computed.
    gap : (s,) float64
        Typical frames between keyframes.
    """

    drift: TrackDrift
    steps: Steps
    jumps: Bools
    tolerance: Floats
    lag: TrackLag
    jitter: TrackJitter
    ends: Floats
    sag: Floats
    missed: Floats
    missed_px: Floats
    keyframe: Bools | None
    interpolated: Bools
    gap: Floats


def series_values(matches: Matches, series: TrackSeries, *, mutual: bool = False) -> SeriesValues:
    """Estimate drift, lag, jitter, ends and interpolation of every single track.

    Parameters
    ----------
    matches : Matches
        What was matched.
    series : TrackSeries
        From `annqc.measure.tracks.measure_tracks`.
    mutual : bool
        The reference is another annotator: a lag is one behind the middle between the two.
    """
    frame, starts, s = series.frame, series.starts, len(series)
    centre = 0.5 * (series.gold[:, :2] + series.gold[:, 2:])
    if mutual:
        centre = _between(series)
    moved = 0.5 * (series.edges[:, 2:] - series.edges[:, :2])
    keyframe, interpolated, gap = _keyframes(series)
    share, missed, missed_px = (np.full(s, np.nan) for _ in range(3))
    if keyframe is not None:
        found = track_sag(_image_axes(series.edges), series.gold, keyframe, frame, starts)
        share = np.where((found.status == OK) & interpolated, found.share, np.nan)
        missed, missed_px = _missed(series, keyframe, np.isfinite(share))
    first, last = _drawn_ends(matches, series)
    ends = np.full((s, 2), np.nan)
    some = np.flatnonzero(first >= 0)
    clip = _clips(matches)[series.image[some]]
    gold = np.stack([frame[starts[some]], frame[starts[some + 1] - 1]], axis=1)
    drawn = np.stack([first, last], axis=1)[some]
    ends[some] = track_ends(drawn, gold, clip).difference
    middle = np.full((s, 2), np.nan)
    for k in np.flatnonzero(np.diff(starts)).tolist():
        middle[k] = np.median(series.tolerance[starts[k] : starts[k + 1]], axis=0)
    grid = 1.0 if _whole_pixels(series.drawn) else 0.0
    n_annotators = len(matches.candidate.annotator_ids)
    lag = refined_lag(moved, centre, frame, starts, series.annotator, n_annotators)
    late = _lags(lag, series.annotator, n_annotators)[series.annotator]
    edges = without_lag(series.edges, series.gold, frame, starts, late, outward=True)
    steps = find_steps(edges, frame, starts, tolerance=np.tile(middle, 2), grid=grid)
    video = sequence_of(matches, series)
    by_annotator = series.annotator * (int(video.max(initial=0)) + 1) + video
    together = mark_cuts(steps, frame, starts, by_annotator)
    steps = mark_cuts(steps, frame, starts, video, series.annotator)
    jumps = np.bincount(steps.series, minlength=s) > 0
    jumps |= _across(steps, series, video) | _across(together, series, by_annotator)
    return SeriesValues(
        drift=track_drift(edges, frame, starts),
        steps=steps,
        jumps=jumps,
        tolerance=middle,
        lag=lag,
        jitter=track_jitter(edges, frame, starts, grid=grid),
        ends=ends,
        sag=share,
        missed=missed,
        missed_px=missed_px,
        keyframe=keyframe,
        interpolated=interpolated,
        gap=gap,
    )


def _lags(lag: TrackLag, annotator: Ints, n: int) -> Floats:
    """Lag of each annotator, 0 where it is no more than half a frame or nothing moves."""
    against, motion, frames = (
        np.bincount(annotator, x, n) for x in (lag.against, lag.motion, lag.n)
    )
    with np.errstate(all="ignore"):
        found = against / motion
        told = (np.sqrt(motion / frames) >= SPEED_MIN) & (np.abs(found) > LAG_MARGIN)
    return np.where(told, found, 0.0)


def _between(series: TrackSeries) -> Floats:
    """Centre between reference and drawing; the reference's where nothing was drawn."""
    boxes = series.gold.copy()
    there = series.candidate >= 0
    boxes[there] = 0.5 * (boxes[there] + series.drawn[there])
    return np.asarray(0.5 * (boxes[:, :2] + boxes[:, 2:]), dtype=np.float64)


def _image_axes(edges: Floats) -> Floats:
    """Turn outward offsets into differences along the image axes."""
    return np.asarray(edges * np.array([-1.0, -1.0, 1.0, 1.0]), dtype=np.float64)


def _keyframes(series: TrackSeries) -> tuple[Bools | None, Bools, Floats]:
    """Return which rows are keyframes, which tracks are interpolated, and their typical gap."""
    there = series.candidate >= 0
    if series.keyframe is None:
        told = interpolation(series.drawn, series.frame, series.starts)
        return told.keyframe & there, told.interpolated, told.gap
    s, of = len(series), series.series
    n = np.bincount(of[there], minlength=s)
    n_keys = np.bincount(of[series.keyframe], minlength=s)
    gap = keyframe_gaps(series.keyframe, series.frame, of, s)
    return series.keyframe, (n_keys > 1) & (2 * n_keys <= n), gap


def keyframe_gaps(keyframe: Bools, frame: Ints, series: Ints, n: int) -> Floats:
    """Find the median distance of the keyframes of each series, NaN with fewer than two.

    Parameters
    ----------
    keyframe, frame, series : (m,) array
        Whether a row is a keyframe, its frame, and its series, in order.
    n : int
        Number of series.
    """
    at = np.flatnonzero(keyframe)
    same = series[at][1:] == series[at][:-1]
    apart = np.diff(frame[at])[same].astype(np.float64)
    return segment_median(apart, series[at][1:][same], n)


def _missed(series: TrackSeries, keyframe: Bools, some: Bools) -> tuple[Floats, Floats]:
    """Say what interpolation between keyframes misses of each track, in tolerances and pixels."""
    away = np.abs(chords(series.gold, keyframe, series.frame, series.starts) - series.gold)
    away[keyframe | (series.candidate < 0)] = np.nan
    of_tolerance = away / np.tile(series.tolerance, 2)
    out = np.full((2, len(some)), np.nan)
    for k in np.flatnonzero(some).tolist():
        rows = slice(series.starts[k], series.starts[k + 1])
        for place, one in enumerate((of_tolerance, away)):
            out[place, k] = np.nanquantile(one[rows], QUANTILE)
    return out[0], out[1]


def _across(steps: Steps, series: TrackSeries, video: Ints) -> Bools:
    """Tracks that are in view before and after most others jump, seen to jump or not."""
    first, last = series.frame[series.starts[:-1]], series.frame[series.starts[1:] - 1]
    found = np.zeros(len(series), dtype=bool)
    cuts = np.unique(np.stack([video[steps.series], steps.frame])[:, steps.cut], axis=1)
    for one, frame in cuts.T.tolist():
        found |= (video == one) & (first < frame) & (frame <= last)
    return found


def _drawn_ends(matches: Matches, series: TrackSeries) -> tuple[Ints, Ints]:
    """First and last frame of the drawn track at the ends of each object, -1 for never.

    The track may be there before the object and after it: `annqc.measure.track_reach`.
    """
    there = np.flatnonzero(series.candidate >= 0)
    first, last = np.full(len(series), -1), np.full(len(series), -1)
    of = series.series[there]
    first[of[::-1]] = series.frame[there[::-1]]
    last[of] = series.frame[there]
    before, after = reach_beyond(matches, series).T
    return first - before, last + after


def _clips(matches: Matches) -> Ints:
    """First and last frame of the sequence of every image, (m, 2)."""
    images = matches.reference.image_table
    frame = np.arange(len(images)) if images.frame is None else images.frame
    if images.sequence is None:
        return np.tile([frame.min(initial=0), frame.max(initial=0)], (len(images), 1))
    code, ids = encode(images.sequence)
    first = np.full(len(ids), np.iinfo(np.int64).max)
    last = np.full(len(ids), -1)
    np.minimum.at(first, code, frame)
    np.maximum.at(last, code, frame)
    videos = matches.reference.sequence_table
    if videos is not None:
        row = {id: k for k, id in enumerate(videos.id.tolist())}
        for k, id in enumerate(ids.tolist()):
            at = row.get(id)
            if at is not None and videos.n_frames[at] > 0:
                first[k] = videos.first_frame[at]
                last[k] = videos.first_frame[at] + videos.n_frames[at] - 1
    return np.stack([first, last], axis=1)[code]


def sequence_of(matches: Matches, series: TrackSeries) -> Ints:
    """Return a number for the sequence of every series; one for all where images have none."""
    images = matches.reference.image_table
    if images.sequence is None:
        return np.zeros(len(series), dtype=np.int64)
    return encode(images.sequence)[0][series.image]


def _whole_pixels(boxes: Floats) -> bool:
    drawn = boxes[np.isfinite(boxes[:, 0])]
    return bool(len(drawn)) and bool((drawn == np.rint(drawn)).all())
