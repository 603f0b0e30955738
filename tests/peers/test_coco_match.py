"""The method "coco" chooses the pairs that pycocotools' COCOeval chooses, crowds included."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from annqc.match import match
from tests.match.datasets import build, from_coco

coco = pytest.importorskip("pycocotools.coco")
cocoeval = pytest.importorskip("pycocotools.cocoeval")


def coco_json(dataset):
    """A dataset as COCO's dict; ids begin at 1, as COCOeval reads a gold id of 0 as unmatched."""
    table = dataset.table
    corner, size = table.xyxy[:, :2], table.xyxy[:, 2:] - table.xyxy[:, :2]
    return {
        "images": [{"id": int(one)} for one in dataset.image_table.id],
        "categories": [
            {"id": k + 1, "name": name} for k, name in enumerate(dataset.category_names.tolist())
        ],
        "annotations": [
            {
                "id": row + 1,
                "image_id": int(dataset.image_table.id[table.image[row]]),
                "category_id": int(table.category[row]) + 1,
                "bbox": [*corner[row].tolist(), *size[row].tolist()],
                "area": float(np.prod(size[row])),
                "iscrowd": int(table.crowd[row]),
                "score": float(np.nan_to_num(table.score[row], nan=0.5)),
            }
            for row in range(len(table))
        ],
    }


def their_pairs(gold, work, threshold):
    """Matched and absorbed pairs of COCOeval, as rows of the two tables."""
    with contextlib.redirect_stdout(io.StringIO()):
        sides = []
        for content in (coco_json(gold), coco_json(work)):
            side = coco.COCO()
            side.dataset = content
            side.createIndex()
            sides.append(side)
        evaluation = cocoeval.COCOeval(*sides, iouType="bbox")
        evaluation.params.iouThrs = np.array([threshold])
        evaluation.params.maxDets = [10**6]
        evaluation.params.areaRng = [[0, 1e12]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.evaluate()
    matched, absorbed = set(), set()
    for image in filter(None, evaluation.evalImgs):
        ignored = dict(zip(image["gtIds"], image["gtIgnore"], strict=True))
        for candidate, reference in zip(image["dtIds"], image["dtMatches"][0], strict=True):
            if reference:
                pair = int(reference) - 1, int(candidate) - 1
                (absorbed if ignored[int(reference)] else matched).add(pair)
    return matched, absorbed


def our_pairs(gold, work, threshold, engine):
    matches = match(gold, work, method="coco", iou=threshold, engine=engine)
    same = ~matches.mislabelled
    matched = zip(
        matches.matched_reference[same].tolist(),
        matches.matched_candidate[same].tolist(),
        strict=True,
    )
    absorbed = zip(
        matches.absorbed_reference.tolist(), matches.absorbed_candidate.tolist(), strict=True
    )
    return set(matched), set(absorbed)


def redrawn(gold, rng, scores):
    """A detector's answer: jittered on a coarse grid, some left out, some twice, some elsewhere."""
    table = gold.table
    rows = np.concatenate(
        [
            np.flatnonzero(rng.random(len(table)) < 0.9),
            rng.integers(len(table), size=len(table) // 2),
        ]
    )
    rng.shuffle(rows)
    size = np.tile(table.xyxy[rows, 2:] - table.xyxy[rows, :2], 2)
    boxes = table.xyxy[rows] + rng.normal(0, 0.12, (len(rows), 4)) * size
    boxes = np.round(boxes * 4) / 4  # dyadic, so that x + w - x gives w back
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 0.25)
    wrong = rng.random(len(rows)) < 0.1
    category = np.where(
        wrong, rng.integers(len(gold.category_ids), size=len(rows)), table.category[rows]
    )
    return build(
        boxes,
        image=table.image[rows],
        category=category,
        n_images=len(gold.image_table),
        names=gold.category_names.tolist(),
        score=scores(rng, len(rows)),
    )


def dyadic(gold):
    """The gold with a second half of crowds, on the same grid as the answer."""
    boxes = np.round(gold.table.xyxy * 4) / 4
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 0.25)
    return build(
        boxes,
        image=gold.table.image,
        category=gold.table.category,
        n_images=len(gold.image_table),
        names=gold.category_names.tolist(),
        crowd=gold.table.crowd,
    )


SCORES = {
    "distinct": lambda rng, n: rng.permutation(n) / n,
    "tied": lambda rng, n: rng.integers(1, 4, n) / 4,
    "none": lambda rng, n: np.full(n, np.nan),
}


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.75])
def test_pairs_equal_cocoeval(engine, scores, threshold, shared_data):
    gold = dyadic(from_coco(shared_data / "coco_val2017_subset" / "instances_val2017.tiny.json"))
    work = redrawn(gold, np.random.default_rng(11), SCORES[scores])
    matched, absorbed = their_pairs(gold, work, threshold)
    assert len(matched) > 200
    assert len(absorbed) > 5
    assert our_pairs(gold, work, threshold, engine) == (matched, absorbed)


@pytest.mark.parametrize("seed", range(3))
def test_many_crowds_equal_cocoeval(seed):
    rng = np.random.default_rng(seed)
    n = 600
    corner = rng.integers(0, 60, (n, 2))
    boxes = np.hstack([corner, corner + rng.integers(4, 40, (n, 2))])
    gold = build(
        boxes,
        image=rng.integers(20, size=n),
        n_images=20,
        category=rng.integers(2, size=n),
        crowd=rng.random(n) < 0.3,
    )
    work = redrawn(gold, rng, SCORES["tied"])
    for threshold in (0.3, 0.5, 1.0):
        want = their_pairs(gold, work, threshold)
        assert our_pairs(gold, work, threshold, "auto") == want


def test_a_gold_id_of_zero_is_no_trap():
    gold = build([(0, 0, 10, 10)], id=np.array([0]))
    matches = match(gold, gold, method="coco")
    assert matches.matched_reference.tolist() == [0]
