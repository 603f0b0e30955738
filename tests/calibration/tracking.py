"""Calibration of the intervals of tracking scores (AT90)."""

from __future__ import annotations

import numpy as np

from annqc.infer.tracking import track_scores
from annqc.kernels.tracking import Frames
from annqc.measure.tracking import track_metrics, track_sums

from .core import Run, calibrates, check_share

LENGTH = 40
"""Frames of a track, and of a sequence."""
ENDLESS = 400
"""Videos at least that the truth is taken from."""
SCORES = ("HOTA", "AssA", "DetA", "MOTA", "IDF1")


def scenes(rng, n, n_tracks, *, between=0.0):
    """Return ``n`` videos of some tracks each, drawn by annotators who lose and swap objects.

    How often an object is missed, how far off it is drawn and how often its number changes differs
    from track to track; with ``between``, from video to video as well.
    """
    video = np.repeat(np.arange(n), n_tracks)
    ease = rng.standard_normal(len(video)) + between * rng.standard_normal(n)[video]
    miss = 1 / (1 + np.exp(2 - ease))
    switch = np.minimum(0.02 * np.exp(ease), 0.5)
    jitter = 0.05 * np.exp(0.5 * ease)
    track = np.repeat(np.arange(len(video)), LENGTH)
    frame = np.tile(np.arange(LENGTH), len(video))
    place = rng.uniform(0, 900, (len(video), 2))
    speed = rng.normal(0, 2, (len(video), 2))
    corner = place[track] + frame[:, None] * speed[track]
    size = np.array([40.0, 80.0])
    drawn = corner + jitter[track, None] * size * rng.standard_normal((len(track), 2))
    change = rng.random(len(track)) < switch[track]
    change[frame == 0] = True
    piece = np.cumsum(change)
    seen = rng.random(len(track)) > miss[track]
    ghost = rng.random(len(track)) < 0.05 * (track % 5 == 0)
    side = [
        (video[track], frame, track, np.hstack([corner, corner + size])),
        (
            np.concatenate([video[track][seen], video[track][ghost]]),
            np.concatenate([frame[seen], frame[ghost]]),
            np.concatenate([piece[seen], piece[-1] + 1 + track[ghost]]),
            np.concatenate(
                [
                    np.hstack([drawn, drawn + size])[seen],
                    np.hstack([corner, corner + size])[ghost] + 2e3,
                ]
            ),
        ),
    ]
    offsets, boxes, tracks = [], [], []
    width = piece[-1] + len(video) + 2  # no number of a track is as large
    for of_video, of_frame, of_track, box in side:
        key = of_video * LENGTH + of_frame
        order = np.argsort(key, kind="stable")
        offsets.append(np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n * LENGTH))]))
        boxes.append(np.ascontiguousarray(box[order].T))
        code = of_video[order] * width + of_track[order]
        used, number = np.unique(code, return_inverse=True)
        tracks.append(number - np.searchsorted(used, np.arange(n) * width)[of_video[order]])
    return Frames(
        frame_offsets=np.arange(n + 1) * LENGTH,
        ref_offsets=offsets[0],
        cand_offsets=offsets[1],
        ref_boxes=boxes[0],
        cand_boxes=boxes[1],
        ref_track=tracks[0],
        cand_track=tracks[1],
    )


def coverage(rng, n, *, n_sequences, n_tracks, between, cluster):
    """Return the share of annotators whose interval holds the score of endless work."""
    n_videos = n * n_sequences
    frames = scenes(rng, max(n_videos, ENDLESS), n_tracks, between=between)
    who, which = np.divmod(np.arange(frames.n_tasks), n_sequences)
    sums = track_sums(frames, annotator=who, sequence=which, by="track")
    truth = track_metrics(sums.combined())
    found = track_scores(sums.take(sums.annotator < n), cluster=cluster)
    return {
        name: np.mean((found.low[name] <= truth[name]) & (truth[name] <= found.high[name]))
        for name in SCORES
    }


@calibrates("AT90")
def at60(run: Run):
    full = 4_000
    n = run.n(full)
    for n_sequences, n_tracks, between, cluster, lowest in (
        (1, 8, 0.0, "track", 0.85),
        (1, 20, 0.0, "track", 0.88),
        (3, 20, 0.0, "track", 0.90),
        (5, 10, 0.5, "sequence", 0.90),
        (10, 10, 0.5, "sequence", 0.90),
    ):
        found = coverage(
            run.rng("tracking", n_sequences, n_tracks),
            n // n_sequences,
            n_sequences=n_sequences,
            n_tracks=n_tracks,
            between=between,
            cluster=cluster,
        )
        words = f"{n_sequences} videos of {n_tracks} tracks, over {cluster}s"
        size = {"n": n // n_sequences, "full": full // n_sequences}
        for name, share in found.items():
            what = f"coverage of {name}"
            yield check_share("AT90", words, what, share, low=lowest, **size)
            yield check_share("AT90", words, what, share, high=0.98, **size)
    # what the docs warn of: an interval over tracks knows nothing of other videos
    found = coverage(
        run.rng("tracking", "blind"),
        n // 3,
        n_sequences=3,
        n_tracks=20,
        between=0.5,
        cluster="track",
    )
    size = {"n": n // 3, "full": full // 3}
    words = "3 videos that differ, over tracks (hardness)"
    yield check_share("AT90", words, "coverage of HOTA", found["HOTA"], high=0.80, **size)
