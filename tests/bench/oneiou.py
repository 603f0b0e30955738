"""COCOeval at one threshold. Imports little, so that a fresh process pays for pycocotools alone."""

from __future__ import annotations

import numpy as np

IOU = 0.5


def one_threshold(evaluation):
    evaluation.params.iouThrs = np.array([IOU])
    evaluation.params.areaRng = [[0, 1e10]]
    evaluation.params.areaRngLbl = ["all"]
    evaluation.params.maxDets = [10_000]


def matched_ids(evaluation):
    """Return the matched (gold id, result id) of a pycocotools evaluation, sorted."""
    pairs = [
        (int(gold), int(result))
        for one in evaluation.evalImgs
        if one is not None
        for gold, result in zip(one["dtMatches"][0], one["dtIds"], strict=True)
        if gold > 0
    ]
    return sorted(pairs)
