"""The benchmark of masks, on works so small that nobody would time them."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.geometry.mask_pairs import mask_overlap
from tests.bench import masks, timing
from tests.bench.works import SIZES, Works


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # surface-distance uses old names
def test_every_part_is_compared_on_equal_values(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "TURN", 0.0)
    rows = list(masks.masks(Works(SIZES["tiny"], tmp_path)))
    assert [row.peer for row in rows] == [
        "pycocotools.mask.iou per image",
        "boundary-iou-api's steps, OpenCV and pycocotools",
        "OpenCV distance transforms",
        "surface-distance",
        "MONAI",
        *("", ""),
    ]
    assert all(row.cpu > 0 for row in rows)


def test_the_second_hand_slips_a_little():
    gold, work = masks.blobs(50, (8, 90))
    found = mask_overlap(gold, work, np.arange(50), np.arange(50))
    assert 0.5 < found.iou.min() < 0.95 < found.iou.max() < 1
