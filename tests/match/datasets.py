"""Datasets to match, straight from tables: by hand, from real files, and large seeded works."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.ids import encode, ids_array
from annqc.tables import Annotations, Dataset, Images

if TYPE_CHECKING:
    from pathlib import Path


def build(
    boxes: Any,
    *,
    image: Any = None,
    annotator: Any = None,
    category: Any = None,
    n_images: int | None = None,
    names: Any = ("thing", "other", "third"),
    file_names: Any = None,
    assigned: Any = None,
    **columns: Any,
) -> Dataset:
    """A dataset from boxes; everything else has a default."""
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    n = len(boxes)
    image = np.zeros(n, dtype=int) if image is None else np.asarray(image, dtype=int)
    annotator = np.zeros(n, dtype=int) if annotator is None else np.asarray(annotator, dtype=int)
    category = np.zeros(n, dtype=int) if category is None else np.asarray(category, dtype=int)
    n_images = max([0, *image.tolist()]) + 1 if n_images is None else n_images
    n_annotators = max([0, *annotator.tolist()]) + 1
    table = Annotations.build(
        image=image,
        annotator=annotator,
        category=category,
        xyxy=boxes,
        **{name: np.asarray(column) for name, column in columns.items()},
    )
    return Dataset(
        table,
        Images.build(
            np.arange(1, n_images + 1),
            file_name=None if file_names is None else ids_array(list(file_names)),
        ),
        ids_array([f"annotator {k}" for k in range(n_annotators)]),
        np.arange(1, len(names) + 1),
        ids_array(list(names)),
        assigned=None if assigned is None else np.asarray(assigned, dtype=np.int64).reshape(-1, 2),
    )


def from_coco(path: Path) -> Dataset:
    """A COCO file as it stands, rows that cannot be used left out."""
    content = json.loads(path.read_text())
    rows = [a for a in content["annotations"] if min(a["bbox"][2:]) > 0]
    image_codes = {one["id"]: row for row, one in enumerate(content["images"])}
    category_codes = {one["id"]: row for row, one in enumerate(content["categories"])}
    annotator, annotator_ids = encode([str(a.get("annotator", "gold")) for a in rows])
    annotator_codes = {str(one): row for row, one in enumerate(annotator_ids)}
    xywh = np.array([a["bbox"] for a in rows], dtype=float)
    assignments = content.get("assignments")
    assigned = None
    if assignments:
        names = dict.fromkeys(str(one["annotator"]) for one in assignments)
        for name in names:
            annotator_codes.setdefault(name, len(annotator_codes))
        annotator_ids = ids_array(list(annotator_codes))
        assigned = np.array(
            [
                (annotator_codes[str(one["annotator"])], image_codes[one["image_id"]])
                for one in assignments
            ]
        )
    table = Annotations.build(
        image=np.array([image_codes[a["image_id"]] for a in rows]),
        annotator=annotator,
        category=np.array([category_codes[a["category_id"]] for a in rows]),
        xyxy=np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]),
        crowd=np.array([bool(a.get("iscrowd")) for a in rows]),
    )
    return Dataset(
        table,
        Images.build(ids_array(list(image_codes))),
        annotator_ids,
        ids_array(list(category_codes)),
        ids_array([one["name"] for one in content["categories"]]),
        assigned=assigned,
    )


def large_work(
    n_images: int = 5000, n_annotators: int = 1, *, seed: int = 0, n_categories: int = 80
) -> tuple[Dataset, Dataset]:
    """A gold set with few objects on most images and many on some, and annotators with all errors.

    The full size has about 36,000 gold boxes, as many an annotator, and 590,000 pairs an annotator.
    """
    rng = np.random.default_rng(seed)
    per_image = rng.poisson(rng.gamma(0.95, 7.2 / 0.95, n_images))
    image = np.repeat(np.arange(n_images), per_image)
    n = len(image)
    size = np.exp(rng.normal(4.2, 0.8, (n, 2))).clip(6, 500)
    corner = rng.random((n, 2)) * (np.array([640, 480]) - size).clip(1)
    category = (n_categories * rng.random(n) ** 2.5).astype(int)
    names = [f"category {k}" for k in range(n_categories)]
    gold = build(np.hstack([corner, corner + size]), image=image, category=category, names=names)
    gold_boxes = gold.table.xyxy
    boxes, images, categories, annotators = [], [], [], []
    for annotator in range(n_annotators):
        drawn = np.flatnonzero(rng.random(n) > 0.06)
        noise = rng.standard_t(4, (len(drawn), 4)) * 0.03 * np.tile(size[drawn], 2)
        xyxy = gold_boxes[drawn] + noise
        labels = np.where(
            rng.random(len(drawn)) < 0.02, rng.integers(n_categories), category[drawn]
        )
        extra = rng.integers(n, size=int(0.06 * n))
        moved = gold_boxes[extra] + np.tile(rng.normal(0, 40, (len(extra), 2)), 2)
        boxes += [xyxy, moved]
        images += [image[drawn], image[extra]]
        categories += [labels, category[extra]]
        annotators.append(np.full(len(drawn) + len(extra), annotator))
    xyxy = np.concatenate(boxes)
    xyxy[:, 2:] = np.maximum(xyxy[:, 2:], xyxy[:, :2] + 1)
    work = build(
        xyxy,
        image=np.concatenate(images),
        category=np.concatenate(categories),
        annotator=np.concatenate(annotators),
        n_images=len(gold.image_table),
        names=names,
    )
    return gold, work
