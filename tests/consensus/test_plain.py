from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.consensus.plain import majority, plain_consensus, weighted_boxes_fusion
from annqc.errors import UnknownNameError
from tests.consensus.oracles import iou, weighted_boxes


def boxes_of(seed, n=30):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 40, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(5, 40, (n, 2))], axis=1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 0.7))
def test_weighted_boxes_fusion_is_the_plain_loop(seed, least):
    boxes = boxes_of(seed)
    object_of, edges = weighted_boxes_fusion(boxes, np.array([0, 12, 12, 30]), least=least)
    fused, members = [], []
    for a, b in ((0, 12), (12, 30)):
        one, rows = weighted_boxes(boxes[a:b].tolist(), least)
        fused += one
        members += [[row + a for row in some] for some in rows]
    assert np.allclose(edges, fused)
    assert [np.flatnonzero(object_of == o).tolist() for o in range(len(fused))] == members


def test_weighted_boxes_fusion_is_that_of_ensemble_boxes():
    peer = pytest.importorskip("ensemble_boxes")
    for seed in range(20):
        boxes = boxes_of(seed) / 100
        # all scores are equal, and the peer turns the order of equal scores round
        theirs, _, _ = peer.weighted_boxes_fusion(
            [boxes[::-1].tolist()], [[1.0] * 30], [[0] * 30], iou_thr=0.5
        )
        order = (np.ones(30).argsort()[::-1]).tolist()
        ours = weighted_boxes_fusion(boxes[::-1][order], np.array([0, 30]), least=0.5)[1]
        assert len(ours) == len(theirs)
        assert np.allclose(sorted(ours.tolist()), sorted(theirs.tolist()), atol=1e-5)


@pytest.mark.parametrize("method", ["median", "mean", "cvat"])
def test_plain_ways_are_the_plain_loops(method):
    boxes = boxes_of(1)
    object_of = np.random.default_rng(0).integers(-1, 8, 30)
    object_of[object_of == 5] = 4
    found = plain_consensus(method, boxes, object_of, 8)
    assert np.isnan(found[5]).all()
    for o in set(object_of.tolist()) - {-1}:
        mine = boxes[object_of == o]
        mean = mine.mean(axis=0)
        wanted = {
            "median": np.median(mine, axis=0),
            "mean": mean,
            "cvat": max(mine.tolist(), key=lambda box: iou(box, mean.tolist())),
        }[method]
        assert np.allclose(found[o], wanted)


def test_an_unknown_way_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'median'"):
        plain_consensus("medain", boxes_of(0), np.zeros(30, int), 1)


def test_a_quorum_is_rounded_up():
    drawn, asked = np.array([1, 2, 2, 3]), np.array([3, 3, 5, 5])
    assert majority(drawn, asked).tolist() == [False, True, False, True]
    assert majority(drawn, asked, quorum=0.4).tolist() == [False, True, True, True]
