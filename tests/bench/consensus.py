"""Consensus: clustering the boxes of ten annotators into objects."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np

from annqc.kernels.clusters import clusters

from .peers import load
from .report import Goal, Row
from .timing import interleave

IMAGES = 500
IOU = 0.5


def by_supervision(peer, images):
    """Merge the boxes of each image; return the number of objects."""
    return sum(len(peer.box_non_max_merge(one, iou_threshold=IOU)) for one in images)


def by_fusion(peer, images):
    """Fuse the boxes of each image, annotator by annotator; return the number of objects."""
    n = 0
    for boxes, scores, labels in images:
        n += len(peer.weighted_boxes_fusion(boxes, scores, labels, iou_thr=IOU)[0])
    return n


def contestants_of(boxes, offsets, who):
    """Return what the peers take, made beforehand, and how they are called."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        merge, fusion = load("supervision.detection.utils.iou_and_nms"), load("ensemble_boxes")
    found = {}
    if merge is not None:
        images = [np.column_stack([boxes[:, a:b].T, np.ones(b - a)]) for a, b in pairwise(offsets)]
        found["supervision"] = lambda: by_supervision(merge, images)
    if fusion is not None:
        # it takes boxes as shares of the image, and lists by annotator
        low, high = boxes.min(), boxes.max()
        parts = []
        for a, b in pairwise(offsets):
            drawn = ((boxes[:, a:b] - low) / (high - low)).T
            cuts = np.flatnonzero(np.diff(who[a:b])) + 1
            each = [one.tolist() for one in np.split(drawn, cuts)]
            ones, zeros = ([[value] * len(one) for one in each] for value in (1.0, 0))
            parts.append((each, ones, zeros))
        found["fusion"] = lambda: by_fusion(fusion, parts)
    return found


def clustering(works):
    """Time the clustering of up to 500 images of ten annotators, and of all of them."""
    table = works.w1x10.work.table
    n_images = len(works.w1x10.work.image_table)
    peers = {
        "supervision": ("supervision, merge", Goal(faster=15, cpu=0.009)),
        "fusion": ("ensemble-boxes, weighted boxes fusion", Goal()),
    }
    for few in sorted({min(IMAGES, n_images), n_images}):
        rows = np.flatnonzero(table.image < few)
        rows = rows[np.argsort(table.image[rows] * 10 + table.annotator[rows], kind="stable")]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(table.image[rows], minlength=few))])
        boxes, who = np.ascontiguousarray(table.xyxy[rows].T), table.annotator[rows]
        contestants = {"numba": lambda b=boxes, o=offsets, w=who: clusters(b, o, w, engine="numba")}
        first = few <= IMAGES
        if first:
            contestants |= contestants_of(boxes, offsets, who)
            n = {"annqc": int(contestants["numba"]().max()) + 1}
            n |= {peers[key][0]: contestants[key]() for key in peers if key in contestants}
            counts = ", ".join(f"{name} {count:,}" for name, count in n.items())
            note = f"objects: {counts}; the peers join boxes of one annotator too"
        times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
        listed = peers if first else {"": ("", Goal(cpu=0.11))}
        for key, (label, goal) in listed.items():
            there = key in contestants
            yield Row(
                work=f"clustering, {few:,} images, {len(rows):,} boxes",
                ours="numba",
                cpu=times.cpu("numba"),
                peer=label,
                peer_cpu=times.cpu(key) if there else None,
                ratio=times.ratio("numba", key) if there else None,
                goal=goal,
                note=note if first else "",
            )
