from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.suspicions.identity import Drawn, pitch_of, same_boxes, telling_edges
from annqc.infer.suspicions.sources import components
from annqc.infer.suspicions.tails import at_least


def drawn(boxes, author, image=None, cluster=None, size=(100.0, 100.0)):
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    image = np.zeros(len(boxes), dtype=int) if image is None else np.asarray(image)
    return Drawn(
        xyxy=boxes,
        image=image,
        author=np.asarray(author),
        cluster=image if cluster is None else np.asarray(cluster),
        size=np.tile(size, (len(boxes), 1)).astype(float),
    )


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    area = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return w * h / (sum(area) - w * h)


def slow_pairs(data):
    """Mutually best partners, box by box."""
    n = len(data)

    def best(k, who):
        found = [
            (-iou(data.xyxy[k], data.xyxy[j]), j)
            for j in range(n)
            if data.author[j] == who and data.image[j] == data.image[k]
        ]
        return min(found)[1] if found and -min(found)[0] >= 0.1 else -1

    return {
        (j, k)
        for j, k in itertools.permutations(range(n), 2)
        if data.author[j] < data.author[k]
        and best(j, data.author[k]) == k
        and best(k, data.author[j]) == j
    }


BOX = st.tuples(*[st.integers(1, 30)] * 2, *[st.integers(3, 25)] * 2, *[st.integers(0, 2)] * 2)


@given(st.lists(BOX, max_size=12))
def test_pairs_are_those_of_a_slow_search(rows):
    table = np.array(rows, dtype=float).reshape(-1, 6)
    jitter = np.arange(len(table))[:, None] * 1e-3  # no two overlaps are the same
    boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4] + jitter], axis=1)
    data = drawn(boxes, table[:, 4].astype(int), table[:, 5].astype(int))
    found = same_boxes(data)
    assert set(zip(found.left.tolist(), found.right.tolist(), strict=True)) == slow_pairs(data)
    for left, right, equal, told, same in zip(
        found.left, found.right, found.equal, found.told, found.same, strict=True
    ):
        edges = np.abs(data.xyxy[left] - data.xyxy[right]) <= 1e-6
        assert (equal, told, same) == (edges.sum(), 4, edges.all())


def test_edges_at_the_border_tell_nothing():
    full, corner, side = [0, 0, 100, 100], [0, 0, 50, 60], [0, 20, 40, 60]
    data = drawn([full, corner, side, side], [0, 0, 0, 1])
    assert telling_edges(data).sum(axis=1).tolist() == [0, 2, 3, 3]
    found = same_boxes(drawn([full, corner, side] * 2, [0] * 3 + [1] * 3))
    assert found.left.tolist() == [2]
    assert (found.equal.tolist(), found.told.tolist()) == ([3], [3])


def test_borders_of_images_of_unknown_size_are_where_several_end():
    boxes = [[5, 5, 90, 80], [6, 5, 90, 70], [5, 6, 60, 50]]
    data = drawn(boxes, [0, 1, 1], size=(np.nan, np.nan))
    assert telling_edges(data)[:, 2].tolist() == [False, False, True]
    assert telling_edges(data)[:, 3].all()  # only one of them goes that far down
    alone = drawn(boxes, [0, 0, 0], size=(np.nan, np.nan))
    assert telling_edges(alone).all()


def test_templates_are_no_evidence():
    here = [10, 10, 40, 40]
    for images, n in ((2, 2), (3, 0)):
        data = drawn([here] * 2 * images, [0, 1] * images, np.repeat(np.arange(images), 2))
        assert len(same_boxes(data).left) == n


def test_what_stands_still_in_a_video_counts_once():
    still, moving = [10, 10, 40, 40], [50, 50, 80, 80]
    boxes = np.array([[still, still, moving, moving]] * 4, dtype=float)
    boxes[:, 2:] += np.arange(4)[:, None, None]
    image = np.repeat(np.arange(4), 4)
    author = [0, 1, 0, 1] * 4
    found = same_boxes(drawn(boxes, author, image, cluster=np.zeros(16, dtype=int)))
    assert len(found.left) == 1 + 4


def test_pitch():
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 500, 400)
    assert pitch_of(values) == 1e-6
    for pitch in (1.0, 0.5, 0.1, 0.01):
        assert pitch_of(np.round(values / pitch) * pitch) == pitch
    assert pitch_of(np.empty(0)) == 1e-6


@given(st.lists(st.floats(0, 1), max_size=7), st.integers(0, 8))
def test_tail_is_that_of_all_outcomes(chances, count):
    outcomes = itertools.product([0, 1], repeat=len(chances))
    whole = sum(
        np.prod([p if hit else 1 - p for p, hit in zip(chances, one, strict=True)])
        for one in outcomes
        if sum(one) >= count
    )
    assert abs(at_least(chances, count) - whole) < 1e-12


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_components(joined):
    label = components(
        np.array([a for a, _ in joined], dtype=int), np.array([b for _, b in joined], dtype=int), 10
    )
    groups = [{k} for k in range(10)]
    for a, b in joined:
        both = next(g for g in groups if a in g) | next(g for g in groups if b in g)
        groups = [g for g in groups if not g & both] + [both]
    assert label.tolist() == [min(next(g for g in groups if k in g)) for k in range(10)]
