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
from annqc.infer.temporal.lag import TrackLag, refined_lag
from annqc.infer.temporal.sag import track_sag
from annqc.infer.temporal.steps import Steps, find_steps, mark_cuts

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.tables import Bools, Floats, Ints

__all__ = ["SeriesValues", "sequence_of", "series_values"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SeriesValues:
    """What every track says of itself, arrays (s,) or (s, 4).

    Attributes
    ----------
    drift : TrackDrift
        Slope of each edge's offset in pixels per 100 frames.
    steps : Steps
        Jumps, in pixels, one row each.
    jumps : (s,) bool
        Tracks with a jump that is not the camera's: their slope is that of a step, not of a drift.
    tolerance : (s, 2) float64
        Median tolerance along x and y, in pixels.
    lag : TrackLag
        Sums for the lag.
    jitter : TrackJitter
        Of each edge, in pixels.
    ends : (s, 2) float64
        First and last frame, drawn less reference; NaN at the ends of the sequence.
    sag : (s,) float64
        Share of the error of interpolation; NaN where it cannot be told.
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
    keyframe: Bools | None
    interpolated: Bools
    gap: Floats


def series_values(matches: Matches, series: TrackSeries) -> SeriesValues:
    """Estimate drift, lag, jitter, ends and interpolation of every single track.

    Parameters
    ----------
    matches : Matches
        What was matched.
    series : TrackSeries
        From `annqc.measure.tracks.measure_tracks`.
    """
    frame, starts, s = series.frame, series.starts, len(series)
    centre = 0.5 * (series.gold[:, :2] + series.gold[:, 2:])
    moved = 0.5 * (series.edges[:, 2:] - series.edges[:, :2])
    keyframe, interpolated, gap = _keyframes(series)
    share = np.full(s, np.nan)
    if keyframe is not None:
        found = track_sag(_image_axes(series.edges), series.gold, keyframe, frame, starts)
        share = np.where((found.status == OK) & interpolated, found.share, np.nan)
    first, last = _drawn_ends(series)
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
    steps = find_steps(series.edges, frame, starts, tolerance=np.tile(middle, 2), grid=grid)
    video = sequence_of(matches, series)
    by_annotator = series.annotator * (int(video.max(initial=0)) + 1) + video
    steps = mark_cuts(steps, frame, starts, by_annotator)
    jumps = np.bincount(steps.series[~steps.cut], minlength=s) > 0
    return SeriesValues(
        drift=track_drift(series.edges, frame, starts),
        steps=steps,
        jumps=jumps,
        tolerance=middle,
        lag=refined_lag(
            moved, centre, frame, starts, series.annotator, len(matches.candidate.annotator_ids)
        ),
        jitter=track_jitter(series.edges, frame, starts),
        ends=ends,
        sag=share,
        keyframe=keyframe,
        interpolated=interpolated,
        gap=gap,
    )


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
    gap = np.full(s, np.nan)
    at = np.flatnonzero(series.keyframe)
    same = of[at][1:] == of[at][:-1]
    apart, owner = np.diff(series.frame[at])[same], of[at][1:][same]
    for k in np.unique(owner).tolist():
        gap[k] = np.median(apart[owner == k])
    return series.keyframe, (n_keys > 1) & (2 * n_keys <= n), gap


def _drawn_ends(series: TrackSeries) -> tuple[Ints, Ints]:
    """First and last frame in which each object was drawn, -1 for never."""
    there = np.flatnonzero(series.candidate >= 0)
    first, last = np.full(len(series), -1), np.full(len(series), -1)
    of = series.series[there]
    first[of[::-1]] = series.frame[there[::-1]]
    last[of] = series.frame[there]
    return first, last


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
