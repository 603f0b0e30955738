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


def clustering(works):
    """Time the clustering of up to 500 images of ten annotators, and of all of them."""
    table = works.w1x10.work.table
    n_images = len(works.w1x10.work.image_table)
    for few in (min(IMAGES, n_images), n_images):
        rows = np.flatnonzero(table.image < few)
        rows = rows[np.argsort(table.image[rows] * 10 + table.annotator[rows], kind="stable")]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(table.image[rows], minlength=few))])
        boxes, who = np.ascontiguousarray(table.xyxy[rows].T), table.annotator[rows]
        contestants = {"numba": lambda b=boxes, o=offsets, w=who: clusters(b, o, w, engine="numba")}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = load("supervision.detection.utils.iou_and_nms") if few == IMAGES else None
        if peer is not None:
            images = [
                np.column_stack([boxes[:, a:b].T, np.ones(b - a)]) for a, b in pairwise(offsets)
            ]
            contestants["supervision"] = lambda images=images, peer=peer: [
                peer.box_non_max_merge(one, iou_threshold=0.5) for one in images
            ]
        times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
        there = "supervision" in contestants
        first = few == IMAGES
        yield Row(
            work=f"clustering, {few:,} images, {len(rows):,} boxes",
            ours="numba",
            cpu=times.cpu("numba"),
            peer="supervision, merge" if first else "",
            peer_cpu=times.cpu("supervision") if there else None,
            ratio=times.ratio("numba", "supervision") if there else None,
            goal=Goal(faster=15, cpu=0.009) if first else Goal(cpu=0.11),
            note="the merge knows no annotators",
        )
