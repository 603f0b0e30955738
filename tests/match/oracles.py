"""Matching written out per annotator and image, one box at a time, with scipy's assignment."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def iou_of(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return inter / (area - inter)


def share_in(a, crowd):
    """Share of box a that lies in the crowd."""
    width = min(a[2], crowd[2]) - max(a[0], crowd[0])
    height = min(a[3], crowd[3]) - max(a[1], crowd[1])
    return max(width, 0) * max(height, 0) / ((a[2] - a[0]) * (a[3] - a[1]))


def groups_of(matches):
    """Rows of the two tables for every annotator and image that was compared."""
    reference, candidate = matches.reference.table, matches.candidate.table
    for annotator, image in zip(matches.task_annotator, matches.task_image, strict=True):
        yield (
            np.flatnonzero(reference.image == image).tolist(),
            np.flatnonzero(
                (candidate.annotator == annotator) & (matches.image_of_candidate == image)
            ).tolist(),
        )


def hungarian(ious, threshold):
    """CVAT's way: a padded square of costs, cells below the threshold barred by a cost of 1."""
    n = max(*ious.shape, 1)
    cost = np.ones((n, n))
    cost[: ious.shape[0], : ious.shape[1]] = np.where(ious >= threshold, 1 - ious, 1)
    return [
        (r, c)
        for r, c in zip(*linear_sum_assignment(cost), strict=True)
        if r < ious.shape[0] and c < ious.shape[1] and cost[r, c] < 1
    ]


def assigned(matches, refs, cands, threshold, *, same_first):
    """Pairs of one group as (reference row, candidate row); ordinary references only."""
    ref_box, cand_box = matches.reference.table.xyxy, matches.candidate.table.xyxy
    ious = np.array([[iou_of(ref_box[r], cand_box[c]) for c in cands] for r in refs])
    ious = ious.reshape(len(refs), len(cands))
    if not same_first:
        return [(refs[r], cands[c]) for r, c in hungarian(ious, threshold)]
    same = matches.reference_category[refs][:, None] == matches.candidate_category[cands][None, :]
    first = hungarian(np.where(same, ious, 0), threshold)
    left = ious.copy()
    for r, c in first:
        left[r, :] = 0
        left[:, c] = 0
    return [(refs[r], cands[c]) for r, c in first + hungarian(left, threshold)]
