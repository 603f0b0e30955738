"""Tracks: HOTA, CLEAR and Identity of seven made-up sequences as long as those of MOT17."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

import numpy as np

from annqc.kernels.tracking import Frames
from annqc.measure.tracking import track_metrics, track_sums

from .peers import load
from .report import Goal, Row
from .timing import interleave, same

LENGTHS = (600, 1050, 837, 525, 654, 900, 750)
"""Frames of the training sequences of MOT17, 5,316 in all."""


@dataclass(frozen=True)
class Side:
    """Boxes of one side of a sequence in the order of frames."""

    frame: np.ndarray
    track: np.ndarray
    box: np.ndarray


def sequence(n_frames, rng, *, each=23.4):
    """Return what walks through a scene, and what a tracker makes of it."""
    life = np.minimum(n_frames, 40 + rng.exponential(150, 4000).astype(int))
    n = max(2, int(np.searchsorted(np.cumsum(life), each * n_frames)))
    life = life[:n]
    start = (rng.random(n) * (n_frames - life + 1)).astype(int)
    track = np.repeat(np.arange(n), life)
    age = np.arange(len(track)) - np.repeat(np.cumsum(life) - life, life)
    frame = start[track] + age
    height = rng.uniform(60, 320, n)[track]
    size = np.column_stack([0.4 * height, height])
    speed = np.column_stack([rng.normal(0, 2, n), rng.normal(0, 0.3, n)])[track]
    place = np.column_stack([rng.uniform(0, 1800, n), rng.uniform(300, 700, n)])[track]
    corner = place + age[:, None] * speed
    box = np.concatenate([corner, corner + size], axis=1)
    gold = Side(frame, track, box)
    noise = 0.05 * size * rng.standard_normal((len(track), 2))
    grown = size * np.exp(0.05 * rng.standard_normal((len(track), 2)))
    drawn = np.concatenate([corner + noise, corner + noise + grown], axis=1)
    # each person is given up at random and found again under another number
    piece = np.cumsum(np.where(age == 0, 1, rng.random(len(track)) < 1 / 120))
    seen = rng.random(len(track)) > 0.09
    extra = rng.integers(0, len(track), round(0.07 * len(track)))
    shifted = box[extra] + rng.normal(0, 60, (len(extra), 1))
    ghost = piece.max() + 1 + np.arange(len(extra)) // 12
    work = Side(
        np.concatenate([frame[seen], _apart(ghost, frame[extra], n_frames)]),
        np.concatenate([piece[seen], ghost]),
        np.concatenate([drawn[seen], shifted]),
    )
    return gold, work


def _apart(track, frame, n_frames):
    """Spread the boxes of short tracks over frames, so that none is twice in one."""
    first = np.concatenate([[0], np.flatnonzero(np.diff(track)) + 1])
    n = np.diff(np.append(first, len(track)))
    within = np.arange(len(track)) - np.repeat(first, n)
    return np.minimum(frame[np.repeat(first, n)], n_frames - 12) + within


def in_order(side):
    """Sort by frame; number the tracks from 0."""
    order = np.argsort(side.frame, kind="stable")
    number = np.unique(side.track[order], return_inverse=True)[1]
    return Side(side.frame[order], number, side.box[order])


def made(share=1.0, seed=0):
    """Return the sequences, each as both sides and its number of frames."""
    rng = np.random.default_rng(seed)
    found = []
    for length in LENGTHS:
        n_frames = max(30, round(share * length))
        gold, work = sequence(n_frames, rng)
        found.append((in_order(gold), in_order(work), n_frames))
    return found


def batch(sequences):
    """Lay the sequences out for annqc."""
    offsets, boxes, tracks = [], [], []
    lengths = [n_frames for *_, n_frames in sequences]
    for k in range(2):
        sides = [one[k] for one in sequences]
        counts = [np.bincount(s.frame, minlength=n) for s, n in zip(sides, lengths, strict=True)]
        offsets.append(np.concatenate([[0], np.cumsum(np.concatenate(counts))]))
        boxes.append(np.ascontiguousarray(np.concatenate([s.box for s in sides]).T))
        tracks.append(np.concatenate([s.track for s in sides]))
    return Frames(
        frame_offsets=np.concatenate([[0], np.cumsum(lengths)]),
        ref_offsets=offsets[0],
        cand_offsets=offsets[1],
        ref_boxes=boxes[0],
        cand_boxes=boxes[1],
        ref_track=tracks[0],
        cand_track=tracks[1],
    )


def by_frame(side, n_frames):
    """Tracks and boxes frame by frame."""
    cuts = np.searchsorted(side.frame, np.arange(1, n_frames))
    return np.split(side.track, cuts), np.split(side.box, cuts)


def trackeval_data(gold, work, n_frames):
    """Return a sequence as TrackEval's metrics take it, similarities and all."""
    overlap = load("trackeval").datasets._base_dataset._BaseDataset._calculate_box_ious
    (gold_ids, gold_boxes), (work_ids, work_boxes) = (
        by_frame(side, n_frames) for side in (gold, work)
    )
    return {
        "num_timesteps": n_frames,
        "num_gt_ids": len(np.unique(gold.track)),
        "num_tracker_ids": len(np.unique(work.track)),
        "num_gt_dets": len(gold.track),
        "num_tracker_dets": len(work.track),
        "gt_ids": gold_ids,
        "tracker_ids": work_ids,
        "similarity_scores": [
            overlap(a, b, box_format="x0y0x1y1")
            for a, b in zip(gold_boxes, work_boxes, strict=True)
        ],
    }


def by_trackeval(data):
    """Evaluate all sequences and combine them; return what all families say."""
    found = {}
    metrics = load("trackeval").metrics
    with contextlib.redirect_stdout(io.StringIO()):
        families = [metrics.HOTA(), metrics.CLEAR(), metrics.Identity()]
        for family in families:
            each = {str(k): family.eval_sequence(one) for k, one in enumerate(data)}
            found |= family.combine_sequences(each)
    return found


def by_motrics(lists):
    """Evaluate each sequence; motrics combines nothing in memory."""
    motrics = load("motrics")
    return [motrics.evaluate(motrics.Frames(*one[:2]), motrics.Frames(*one[2:])) for one in lists]


def motrics_lists(gold, work, n_frames):
    """Return a sequence as motrics takes it: lists by frame."""
    found = []
    for side in (gold, work):
        tracks, boxes = by_frame(side, n_frames)
        found += [[one.tolist() for one in tracks], boxes]
    return found


def tracks(works):
    """HOTA, CLEAR and Identity, boxes in memory to combined metrics."""
    size = works.size
    sequences = made(size.share)
    frames = batch(sequences)

    def ours(engine="numba"):
        return track_metrics(track_sums(frames, engine=engine).combined())

    found = ours()
    contestants = {"numba": ours, "numpy": lambda: ours("numpy")}
    labels = {}
    if load("trackeval") is not None:
        data = [trackeval_data(*one) for one in sequences]
        theirs = by_trackeval(data)
        for name in ("HOTA", "AssA", "LocA", "MOTA", "IDSW", "Frag", "IDF1"):
            same(name, float(found[name][0]), float(np.mean(theirs[name])), within=1e-9)
        contestants["trackeval"] = lambda: by_trackeval(data)
        contestants["trackeval whole"] = lambda: by_trackeval(
            [trackeval_data(*one) for one in sequences]
        )
    labels["trackeval"] = "TrackEval, metrics only", Goal(faster=14, cpu=0.1)
    labels["trackeval whole"] = "TrackEval, similarities and metrics", Goal()
    if load("motrics") is not None:
        lists = [motrics_lists(*one) for one in sequences]
        contestants["motrics"] = lambda: by_motrics(lists)
    labels["motrics"] = "motrics, frames made beforehand", Goal(faster=2.5)
    times = interleave(contestants, budget=4 * size.budget, rounds=(size.rounds[0], 7))
    n_boxes = frames.ref_boxes.shape[1] + frames.cand_boxes.shape[1]
    for engine in ("numba", "numpy"):
        for key, (label, goal) in labels.items():
            there = key in contestants
            yield Row(
                work=f"tracks, {len(frames.ref_offsets) - 1:,} frames, {n_boxes:,} boxes",
                ours=engine,
                cpu=times.cpu(engine),
                peer=label,
                peer_cpu=times.cpu(key) if there else None,
                ratio=times.ratio(engine, key) if there else None,
                goal=goal if engine == "numba" else Goal(),
                note="equal to TrackEval within 1e-9",
            )
