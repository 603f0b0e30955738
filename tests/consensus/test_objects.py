from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.consensus.objects import cluster_objects, who_was_asked
from annqc.errors import MatchError
from annqc.kernels.clusters import clusters
from annqc.read import read
from annqc.tables import Annotations, Dataset, Images
from tests.consensus.oracles import best_partition, partition_of, total

COORDINATE = st.integers(0, 12)


@st.composite
def scenes(draw):
    """Boxes on a coarse grid, so that many overlaps are equal; no annotator draws one twice."""
    n = draw(st.integers(1, 9))
    rows = []
    for _ in range(n):
        x, y = draw(COORDINATE), draw(COORDINATE)
        box = (x, y, x + draw(st.integers(3, 9)), y + draw(st.integers(3, 9)))
        rows.append((draw(st.integers(0, 3)), box))
    rows = sorted(set(rows))
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=float)


def cluster(who, boxes, *, engine="numpy", least=0.3, **options):
    order = np.argsort(who, kind="stable")
    label = clusters(
        np.ascontiguousarray(boxes[order].T),
        np.array([0, len(boxes)]),
        who[order],
        engine=engine,
        least=least,
        **options,
    )
    found = np.empty(len(boxes), dtype=np.int64)
    found[order] = label
    return found


def as_sets(who, boxes, label):
    return sorted(
        sorted((int(who[row]), *boxes[row].tolist()) for row in rows)
        for rows in partition_of(label)
    )


def value(boxes, label, least=0.3):
    return total(boxes.tolist(), partition_of(label), least)


@settings(max_examples=80, deadline=None)
@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(scene, random):
    who, boxes = scene
    order = list(range(len(who)))
    random.shuffle(order)
    one = as_sets(who, boxes, cluster(who, boxes))
    two = as_sets(who[order], boxes[order], cluster(who[order], boxes[order]))
    assert one == two


@settings(max_examples=80, deadline=None)
@given(scenes(), st.permutations(range(4)))
def test_the_names_of_annotators_do_not_matter(scene, names):
    who, boxes = scene
    other = np.array(names)[who]
    one, two = cluster(who, boxes), cluster(other, boxes)
    assert value(boxes, one) == pytest.approx(value(boxes, two))
    if len({tuple(box) for box in boxes.tolist()}) == len(boxes):
        assert as_sets(who, boxes, one) == as_sets(who, boxes, two)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_an_object_has_one_box_of_each_and_no_more_than_the_best_partition(scene):
    who, boxes = scene
    label = cluster(who, boxes)
    for rows in partition_of(label):
        assert len(set(who[rows].tolist())) == len(rows)
    best, _ = best_partition(boxes.tolist(), who.tolist(), 0.3)
    assert value(boxes, label) <= best + 1e-9
    assert value(boxes, label) >= value(boxes, cluster(who, boxes, passes=0)) - 1e-9


def crowded(rng):
    """Three or four annotators draw two or three objects that lie on top of each other."""
    people, m = int(rng.integers(3, 5)), int(rng.integers(2, 4))
    corner, size = rng.uniform(0, 25, (m, 2)), rng.uniform(20, 40, (m, 2))
    who, boxes = [], []
    for a in range(people):
        for o in np.flatnonzero(rng.random(m) < 0.85):
            near = corner[o] + rng.normal(0, 4, 2)
            boxes.append([*near, *(near + np.maximum(size[o] + rng.normal(0, 4, 2), 4))])
            who.append(a)
    return np.array(who[:10]), np.array(boxes[:10]).reshape(-1, 4)


def test_the_best_partition_is_found_nearly_always():
    rng = np.random.default_rng(5)
    hits, lost = [], []
    for _ in range(80):
        who, boxes = crowded(rng)
        best, _ = best_partition(boxes.tolist(), who.tolist(), 0.3)
        got = value(boxes, cluster(who, boxes))
        hits.append(got > best - 1e-9)
        lost.append(1 - got / best if best > 0 else 0.0)
    assert np.mean(hits) > 0.88
    assert np.mean(lost) < 0.012


def test_both_paths_agree():
    rng = np.random.default_rng(1)
    boxes, who, offsets = [], [], [0]
    for g in range(30):
        one, drawn = crowded(rng)
        if g % 3 == 0:
            drawn = drawn.round()
        boxes.append(drawn)
        who.append(one)
        offsets.append(offsets[-1] + len(one) * (g != 7))
        if g == 7:  # an image without boxes
            boxes.pop()
            who.pop()
    boxes = np.ascontiguousarray(np.concatenate(boxes).T)
    who, offsets = np.concatenate(who), np.array(offsets)
    plain = clusters(boxes, offsets, who, engine="numpy")
    assert plain.tolist() == clusters(boxes, offsets, who, engine="numba").tolist()
    alone = [
        clusters(
            np.ascontiguousarray(boxes[:, a:b]), np.array([0, b - a]), who[a:b], engine="numpy"
        )
        for a, b in pairwise(offsets)
    ]
    assert (
        plain.tolist()
        == np.concatenate(
            [one + before for one, before in zip(alone, starts(alone), strict=True)]
        ).tolist()
    )


def starts(labels):
    counts = [one.max(initial=-1) + 1 for one in labels]
    return np.concatenate([[0], np.cumsum(counts)[:-1]])


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_more_annotators_than_bits(engine):
    n = 150
    boxes = np.tile([[0.0], [0.0], [10.0], [10.0]], n)
    boxes += np.linspace(0, 0.5, n)
    assert clusters(boxes, np.array([0, n]), np.arange(n), engine=engine).tolist() == [0] * n
    twice = np.repeat(np.arange(n // 2), 2)
    found = clusters(boxes, np.array([0, n]), twice, engine=engine)
    assert np.bincount(found).tolist() == [75, 75]


def dataset(image, annotator, xyxy, *, category=None, assigned=None, n_images=2, **columns):
    table = Annotations.build(
        image=image,
        annotator=annotator,
        category=[0] * len(image) if category is None else category,
        xyxy=xyxy,
        **columns,
    )
    return Dataset(
        table=table,
        image_table=Images.build(np.arange(n_images)),
        annotator_ids=np.array(["ann", "bob", "cem"], dtype=object),
        category_ids=np.array([1, 2]),
        category_names=np.array(["cat", "dog"], dtype=object),
        assigned=assigned,
    )


A, B = [0.0, 0, 10, 10], [50.0, 50, 60, 60]


def test_drew_nothing_and_was_not_asked_differ():
    drawn = dataset([0, 0, 1], [0, 1, 0], [A, A, B])
    assert cluster_objects(drawn).n_asked.tolist() == [2, 1]
    told = dataset([0, 0, 1], [0, 1, 0], [A, A, B], assigned=np.array([[2, 0], [1, 1], [0, 1]]))
    found = cluster_objects(told)
    assert found.n_asked.tolist() == [3, 2]
    assert found.n_drawn.tolist() == [2, 1]
    asked = who_was_asked(told)
    assert asked.image.tolist() == [0, 0, 0, 1, 1]
    assert asked.annotator.tolist() == [0, 1, 2, 0, 1]


def test_categories_are_counted_and_can_divide():
    data = dataset([0, 0, 0], [0, 1, 2], [A, A, A], category=[1, 0, 1])
    whole = cluster_objects(data)
    assert whole.object.tolist() == [0, 0, 0]
    assert whole.category.tolist() == [1]
    assert whole.category_share.tolist() == pytest.approx([2 / 3])
    assert len(cluster_objects(data, by_category=True)) == 2


def test_crowds_and_ignored_take_no_part():
    data = dataset([0, 0], [0, 1], [A, A], crowd=np.array([True, False]))
    assert cluster_objects(data).object.tolist() == [-1, 0]


def test_nothing_drawn_gives_no_objects():
    found = cluster_objects(dataset([], [], np.empty((0, 4))))
    assert len(found) == 0
    assert found.object.tolist() == []


@pytest.mark.parametrize("least", [0.0, 1.0, -1, float("nan")])
def test_a_useless_threshold_is_refused(least):
    with pytest.raises(MatchError, match="above 0 and below 1"):
        cluster_objects(dataset([0], [0], [A]), pair_iou=least)


def test_real_crowd_boxes(shared_data):
    workers = read(shared_data / "crowd_boxes" / "workers.json")
    found = cluster_objects(workers, engine="numpy")
    assert (found.object >= 0).all()
    key = found.object * 1000 + workers.table.annotator
    assert len(np.unique(key)) == len(key)
    assert (found.image[found.object] == workers.table.image).all()
    assert (found.n_drawn <= found.n_asked).all()
    # gold has 627 objects, three quarters of which three or more drew
    assert 440 < (found.n_drawn >= 3).sum() < 540
