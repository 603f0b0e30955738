"""Tracking metrics in plain Python, written from their definitions: slow, and plain to read.

A video is a list of frames; a frame is a pair of dicts, track -> box, of reference and candidate.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from annqc.kernels.tracking import Frames

ALPHAS = [0.05 * k for k in range(1, 20)]


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def best(rows, columns, weight):
    """Try every one-to-one choice of pairs with a weight; return the heaviest."""
    if not rows:
        return 0.0, []
    first, rest = rows[0], rows[1:]
    choices = [best(rest, columns, weight)]
    for column in columns:
        value = weight(first, column)
        if value > 0:
            total, pairs = best(rest, [c for c in columns if c != column], weight)
            choices.append((total + value, [(first, column), *pairs]))
    return max(choices, key=lambda choice: choice[0])


def sizes(video):
    return [Counter(track for frame in video for track in frame[side]) for side in (0, 1)]


def hota(video):
    """Luiten et al. 2021, by threshold: TP, FN, FP, IoU of the TP; A, its recall, its precision.

    Tracks are aligned over the whole video first: how much of two tracks could be matched, each box
    shared among all that it overlaps. A frame is matched by alignment times overlap.
    """
    n_ref, n_cand = sizes(video)
    potential = Counter()
    for ref, cand in video:
        of_ref = {r: sum(iou(ref[r], cand[c]) for c in cand) for r in ref}
        of_cand = {c: sum(iou(ref[r], cand[c]) for r in ref) for c in cand}
        for r in ref:
            for c in cand:
                overlap = iou(ref[r], cand[c])
                if overlap > 0:
                    potential[r, c] += overlap / (of_ref[r] + of_cand[c] - overlap)
    align = {p: v / (n_ref[p[0]] + n_cand[p[1]] - v) for p, v in potential.items()}
    matched = []
    for ref, cand in video:
        _, pairs = best(
            list(ref),
            list(cand),
            lambda r, c, ref=ref, cand=cand: align.get((r, c), 0) * iou(ref[r], cand[c]),
        )
        matched += [(r, c, iou(ref[r], cand[c])) for r, c in pairs]
    out = []
    for alpha in ALPHAS:
        tp = [(r, c, s) for r, c, s in matched if s >= alpha - 1e-15]
        tpa = Counter((r, c) for r, c, _ in tp)
        n = len(tp)
        out.append(
            (
                n,
                sum(n_ref.values()) - n,
                sum(n_cand.values()) - n,
                sum(s for *_, s in tp),
                sum(tpa[r, c] / (n_ref[r] + n_cand[c] - tpa[r, c]) for r, c, _ in tp),
                sum(tpa[r, c] / n_ref[r] for r, c, _ in tp),
                sum(tpa[r, c] / n_cand[c] for r, c, _ in tp),
            )
        )
    return np.array(out).T


def clear(video, threshold=0.5):
    """Bernardin and Stiefelhagen 2008: who was matched goes on if it can; then the most overlap.

    As TrackEval has it: a match goes on from the last frame alone that had boxes of both sides,
    an identity switch is against whoever had the object last, however long ago.
    """
    n_ref, n_cand = sizes(video)
    last, before = {}, {}
    tp = switches = 0
    overlap = 0.0
    hits, pieces = Counter(), Counter()
    for ref, cand in video:
        if not ref or not cand:
            continue

        def close(r, c, ref=ref, cand=cand):
            return iou(ref[r], cand[c]) if iou(ref[r], cand[c]) >= threshold else 0.0

        pairs = [(r, before[r]) for r in ref if before.get(r) in cand and close(r, before[r])]
        rows = [r for r in ref if r not in dict(pairs)]
        columns = [c for c in cand if c not in [one for _, one in pairs]]
        pairs += best(rows, columns, close)[1]
        for r, c in pairs:
            tp += 1
            overlap += iou(ref[r], cand[c])
            switches += r in last and last[r] != c
            pieces[r] += r not in before
            hits[r] += 1
        before = dict(pairs)
        last |= before
    shares = [hits[r] / n_ref[r] for r in n_ref]
    mt = sum(share > 0.8 for share in shares)
    ml = sum(share < 0.2 for share in shares)
    fn, fp = sum(n_ref.values()) - tp, sum(n_cand.values()) - tp
    frag = sum(n - 1 for n in pieces.values())
    return tp, fn, fp, overlap, switches, frag, mt, len(shares) - mt - ml, ml


def identity(video, threshold=0.5):
    """Ristani et al. 2016: whole tracks matched one to one, so that most boxes are right."""
    n_ref, n_cand = sizes(video)
    together = Counter(
        (r, c)
        for ref, cand in video
        for r in ref
        for c in cand
        if iou(ref[r], cand[c]) >= threshold
    )
    tp, _ = best(list(n_ref), list(n_cand), lambda r, c: together[r, c])
    return tp, sum(n_ref.values()) - tp, sum(n_cand.values()) - tp


def scores(video):
    """Final scores by their definitions; only where nothing is divided by zero."""
    h = hota(video)
    tp, fn, fp = h[:3]
    hota_alpha = [math.sqrt(a / n) for a, n in zip(h[4], tp + fn + fp, strict=True)]
    c = clear(video)
    i = identity(video)
    return {
        "HOTA": np.mean(hota_alpha),
        "HOTA(0)": hota_alpha[0],
        "DetA": np.mean(tp / (tp + fn + fp)),
        "DetRe": np.mean(tp / (tp + fn)),
        "DetPr": np.mean(tp / (tp + fp)),
        "OWTA": np.mean(np.sqrt(h[4] / (tp + fn))),
        "MOTA": 1 - (c[1] + c[2] + c[4]) / (c[0] + c[1]),
        "MODA": 1 - (c[1] + c[2]) / (c[0] + c[1]),
        "CLR_Re": c[0] / (c[0] + c[1]),
        "CLR_Pr": c[0] / (c[0] + c[2]),
        "sMOTA": (c[3] - c[2] - c[4]) / (c[0] + c[1]),
        "IDF1": 2 * i[0] / (2 * i[0] + i[1] + i[2]),
        "IDP": i[0] / (i[0] + i[2]),
        "IDR": i[0] / (i[0] + i[1]),
    }


def random_video(rng, *, n_frames=8, n=3, noise=0.12, gaps=0.15):
    """Return a few objects that cross, tracks that swap and stop, frames without anything."""
    start, speed = rng.uniform(0, 30, (n, 2)), rng.normal(0, 3, (n, 2))
    size = rng.uniform(20, 40, (n, 2))
    names = list(range(100, 100 + n))
    video = []
    for t in range(n_frames):
        if rng.random() < 0.25:
            i, j = rng.integers(0, n, 2)
            names[i], names[j] = names[j], names[i]
        if rng.random() < 0.1:
            names[rng.integers(n)] = 200 + t
        sides = {}, {}
        for k in range(n):
            corner = start[k] + t * speed[k]
            if rng.random() > gaps:
                sides[0][k] = (*corner, *(corner + size[k]))
            if rng.random() > gaps:
                moved = corner + noise * size[k] * rng.standard_normal(2)
                sides[1][names[k]] = (*moved, *(moved + size[k] * np.exp(noise * rng.normal())))
        for side in sides:
            if rng.random() < 0.08:
                side.clear()
        video.append(sides)
    return video


def laid_out(videos):
    """Lay videos out for the kernels, tracks numbered as they come."""
    tracks, boxes, counts = ([], []), ([], []), ([], [])
    for video in videos:
        numbers = {}, {}
        for frame in video:
            for side in (0, 1):
                counts[side].append(len(frame[side]))
                for track, box in frame[side].items():
                    tracks[side].append(numbers[side].setdefault(track, len(numbers[side])))
                    boxes[side].append(box)
    offsets = [np.concatenate([[0], np.cumsum(one)]).astype(np.int64) for one in counts]
    columns = [np.array(one, dtype=float).reshape(-1, 4).T.copy() for one in boxes]
    return Frames(
        frame_offsets=np.cumsum([0, *map(len, videos)]),
        ref_offsets=offsets[0],
        cand_offsets=offsets[1],
        ref_boxes=columns[0],
        cand_boxes=columns[1],
        ref_track=np.array(tracks[0], dtype=np.int64),
        cand_track=np.array(tracks[1], dtype=np.int64),
    )
