"""Other programs on the same work."""

from __future__ import annotations

import contextlib
import io
from functools import cached_property
from importlib import import_module

import numpy as np

from .oneiou import IOU, one_threshold
from .works import detections

APART = 4096.0
"""Categories are moved so far apart that boxes of two never overlap."""


def load(module):
    """Import a peer; None where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        return None


HOMES = {
    "boundary-iou-api": (("cv2", "pycocotools"), ""),
    "COCOeval": (("pycocotools",), ""),
    "crowd-kit": (("crowdkit.aggregation.classification.dawid_skene",), "peers-heavy"),
    "ensemble-boxes": (("ensemble_boxes",), "peers-heavy"),
    "faster-coco-eval": (("faster_coco_eval",), "peers"),
    "krippendorff": (("krippendorff",), "peers"),
    "MONAI": (("monai.metrics", "torch"), "peers-torch"),
    "motrics": (("motrics",), "peers-heavy"),
    "OpenCV": (("cv2",), ""),
    "pycocotools": (("pycocotools",), ""),
    "shapely": (("shapely",), ""),
    "SimpleITK": (("SimpleITK",), "peers-heavy"),
    "statsmodels": (("statsmodels.regression.linear_model",), "peers-heavy"),
    "supervision": (("supervision.detection.utils.iou_and_nms",), "peers-heavy"),
    "surface-distance": (("surface_distance.metrics",), "peers"),
    "TrackEval": (("trackeval",), "peers-bare"),
}
"""How the label of a peer begins -> the modules it needs, and the dependency group that has it."""


def absence(label):
    """Say why a peer has no time."""
    for start, (modules, group) in HOMES.items():
        for module in modules if label.startswith(start) else ():
            try:
                import_module(module)
            except ImportError as error:
                return f"{error} (pip install --group {group})" if group else str(error)
    return "it was not asked"


class ImageByImage:
    """Peers that match one image at a time: same category first, then any among who is left.

    Grouping the boxes is part of the work. With ``grouped`` it is done beforehand, free of charge.
    """

    def __init__(self, made, *, grouped=False):
        self.made = made
        self._kept = {} if grouped else None

    def _groups(self, name):
        """Call a way of grouping, or return what it gave before."""
        if self._kept is None:
            return getattr(self, name)()
        if name not in self._kept:
            self._kept[name] = list(getattr(self, name)())
        return self._kept[name]

    def _images(self):
        """Yield boxes and categories of both sides, annotator by annotator and image by image."""
        gold, work = self.made.gold.table, self.made.work.table
        n_images = len(self.made.gold.image_table)
        n_tasks = n_images * len(self.made.work.annotator_ids)
        order, gold_ends = _runs(gold.image, n_images)
        boxes, of_gold = gold.xyxy[order], gold.category[order]
        order, work_ends = _runs(work.annotator * n_images + work.image, n_tasks)
        drawn, of_work = work.xyxy[order], work.category[order]
        for task in range(n_tasks):
            image = task % n_images
            left = slice(gold_ends[image], gold_ends[image + 1])
            right = slice(work_ends[task], work_ends[task + 1])
            if left.start < left.stop and right.start < right.stop:
                yield boxes[left], drawn[right], of_gold[left], of_work[right]

    def _by_category(self):
        """Yield for each image: its boxes, those of each category, and who is alone in theirs."""
        for gold, work, of_gold, of_work in self._images():
            left, right = {}, {}
            for row, category in enumerate(of_gold.tolist()):
                left.setdefault(category, []).append(row)
            for row, category in enumerate(of_work.tolist()):
                right.setdefault(category, []).append(row)
            parts, alone = [], ([], [])
            for category, rows in left.items():
                others = right.pop(category, None)
                if others is None:
                    alone[0].extend(rows)
                else:
                    parts.append((gold[rows], work[others], rows, others))
            for rows in right.values():
                alone[1].extend(rows)
            yield gold, work, parts, alone

    def motrics(self):
        """Match category by category; return the pairs of both passes, and total IoU."""
        match_boxes = load("motrics").match_boxes
        same = other = 0
        total = 0.0
        for gold, work, parts, alone in self._groups("_by_category"):
            left, right = list(alone[0]), list(alone[1])
            for of_gold, of_work, gold_rows, work_rows in parts:
                first = match_boxes(of_gold, of_work, iou_threshold=IOU)
                same += len(first.matches)
                total += sum(first.scores)
                left += [gold_rows[k] for k in first.unmatched_a]
                right += [work_rows[k] for k in first.unmatched_b]
            if left and right:
                second = match_boxes(gold[left], work[right], iou_threshold=IOU)
                other += len(second.matches)
                total += sum(second.scores)
        return same, other, total

    def _apart(self):
        """Yield for each image: its boxes, and the same moved apart by category."""
        for gold, work, of_gold, of_work in self._images():
            yield gold, work, gold + APART * of_gold[:, None], work + APART * of_work[:, None]

    def motrics_apart(self):
        """Match with one call an image, by way of boxes that are moved apart by category."""
        match_boxes = load("motrics").match_boxes
        same = other = 0
        total = 0.0
        for gold, work, gold_apart, work_apart in self._groups("_apart"):
            first = match_boxes(gold_apart, work_apart, iou_threshold=IOU)
            same += len(first.matches)
            total += sum(first.scores)
            left, right = first.unmatched_a, first.unmatched_b
            if left and right:
                second = match_boxes(gold[left], work[right], iou_threshold=IOU)
                other += len(second.matches)
                total += sum(second.scores)
        return same, other, total

    def _dense(self):
        """Yield for each image: boxes as x, y, width, height; who shares a category; no crowds."""
        for gold, work, of_gold, of_work in self._images():
            equal = of_gold[:, None] == of_work
            yield _to_xywh(gold), _to_xywh(work), equal, [0] * len(work)

    def masks_and_scipy(self):
        """Match with pycocotools.mask.iou and scipy's assignment."""
        iou_of = load("pycocotools.mask").iou
        assign = load("scipy.optimize").linear_sum_assignment
        same = other = 0
        total = 0.0
        for gold, work, equal, no_crowd in self._groups("_dense"):
            iou = iou_of(gold, work, no_crowd)
            iou[iou < IOU] = 0.0
            first = np.where(equal, iou, 0.0)
            rows, columns = assign(first, maximize=True)
            scores = first[rows, columns]
            hit = scores > 0
            same += int(hit.sum())
            total += scores.sum()
            if hit.sum() == min(iou.shape):
                continue
            left, right = np.ones(len(gold), dtype=bool), np.ones(len(work), dtype=bool)
            left[rows[hit]] = right[columns[hit]] = False
            second = iou[left][:, right]
            if second.any():
                scores = second[assign(second, maximize=True)]
                other += int((scores > 0).sum())
                total += scores.sum()
        return same, other, total


class Evaluators:
    """COCOeval and its like, indices built beforehand: one threshold, all sizes, no limit."""

    def __init__(self, made):
        self.made = made

    def _inputs(self, module):
        coco = load(module).COCO
        with contextlib.redirect_stdout(io.StringIO()):
            gold = coco()
            gold.dataset = gold_dictionary(self.made.gold)
            gold.createIndex()
            return gold, gold.loadRes(detections(self.made.work))

    @cached_property
    def _pycocotools(self):
        return self._inputs("pycocotools.coco")

    @cached_property
    def _faster(self):
        return self._inputs("faster_coco_eval")

    def pycocotools(self):
        """Return the matched (gold id, result id) of same category."""
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = load("pycocotools.cocoeval").COCOeval(*self._pycocotools, "bbox")
            one_threshold(evaluation)
            evaluation.evaluate()
        return evaluation

    def faster(self):
        evaluation = load("faster_coco_eval").COCOeval_faster(*self._faster, "bbox")
        one_threshold(evaluation)
        evaluation.evaluate()
        return evaluation

    def n_of_faster(self, evaluation):
        """Count matched pairs: recall times gold, category by category."""
        recall = evaluation.eval["recall"].reshape(-1)
        gold = self.made.gold
        present = np.bincount(gold.table.category, minlength=len(gold.category_ids))
        known = recall >= 0
        return round(float((recall[known] * present[known]).sum()))


def gold_dictionary(dataset):
    """Return a dataset as the dictionary of a COCO file."""
    table, images = dataset.table, dataset.image_table
    wh = table.xyxy[:, 2:] - table.xyxy[:, :2]
    columns = (
        table.id.tolist(),
        images.id[table.image].tolist(),
        dataset.category_ids[table.category].tolist(),
        np.concatenate([table.xyxy[:, :2], wh], axis=1).tolist(),
        (wh[:, 0] * wh[:, 1]).tolist(),
    )
    names = ("id", "image_id", "category_id", "bbox", "area")
    rows = [dict(zip(names, row, strict=True), iscrowd=0) for row in zip(*columns, strict=True)]
    return {
        "images": [{"id": id, "width": 640, "height": 480} for id in images.id.tolist()],
        "categories": [{"id": id, "name": str(id)} for id in dataset.category_ids.tolist()],
        "annotations": rows,
    }


def clustered_ols(y, cluster):
    """Mean and its cluster-robust standard error by statsmodels: OLS on a constant."""
    ols = load("statsmodels.regression.linear_model").OLS
    fitted = ols(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    return float(fitted.params[0]), float(fitted.bse[0]), float(fitted.pvalues[0])


def clustered_dummies(y, group, cluster):
    """Do the same for all groups at once by one OLS on dummies."""
    ols = load("statsmodels.regression.linear_model").OLS
    dummies = (group[:, None] == np.arange(int(group.max()) + 1)).astype(np.float64)
    fitted = ols(y, dummies).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    return fitted.params, fitted.bse, fitted.pvalues


def _runs(key, n):
    """Return rows by key, and where those of each key begin and end."""
    ends = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n))])
    return np.argsort(key, kind="stable"), ends.tolist()


def _to_xywh(boxes):
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
