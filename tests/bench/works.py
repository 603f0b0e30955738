"""The works, at three sizes, and the files that hold them. Made when they are first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from annqc.simulate.works import coco_like, million, w1, w1x10
from annqc.write.coco import write_coco


@dataclass(frozen=True)
class Size:
    """How much of each work. Goals are for the full size alone."""

    name: str
    share: float
    rounds: tuple[int, int]
    budget: float

    @property
    def is_full(self):
        return self.share == 1


SIZES = {
    "full": Size("full", 1.0, (3, 21), 6.0),
    "quick": Size("quick", 0.1, (2, 5), 1.0),
    "tiny": Size("tiny", 0.004, (1, 1), 0.0),
}


class Works:
    """Works of one size, and a folder with their files."""

    def __init__(self, size, folder):
        self.size = size
        self.folder = Path(folder)

    @cached_property
    def w1(self):
        return w1() if self.size.is_full else self._small(1)

    @cached_property
    def w1x10(self):
        return w1x10() if self.size.is_full else self._small(10)

    def _small(self, annotators):
        n = max(20, round(5_000 * self.size.share))
        # a few boxes cannot be shared out exactly among several
        each = round(7.207 * n) if annotators == 1 or n > 100 else None
        return coco_like(n, round(7.2 * n), annotators=annotators, each=each)

    @cached_property
    def hundred(self):
        """A small audit: 100 images, five annotators."""
        n = 100 if self.size.share > 0.01 else 10
        return coco_like(n, 7 * n, annotators=5)

    def million(self):
        """1,000,000 boxes; made for one benchmark, and not kept."""
        if self.size.is_full:
            return million()
        n = round(1_000_000 * self.size.share)
        annotators = max(5, round(100 * self.size.share))
        return coco_like(n // 28, n // 4, annotators=annotators, overlap=4, total=n)

    def files(self, name, made=None):
        """Write gold and work of a work as COCO files, once; return both paths."""
        paths = self.folder / f"{name}-gold.json", self.folder / f"{name}-work.json"
        if not paths[1].exists():
            made = made or getattr(self, name)
            write_coco(made.gold, paths[0])
            write_coco(made.work, paths[1])
        return paths

    def results(self, name):
        """Write the work as a bare list of results, all with the same score."""
        path = self.folder / f"{name}-results.json"
        if not path.exists():
            path.write_bytes(msgspec.json.encode(detections(getattr(self, name).work)))
        return path


def detections(dataset):
    """Return a list of COCO results, in the order of the rows, all with a score of 1."""
    table = dataset.table
    wh = table.xyxy[:, 2:] - table.xyxy[:, :2]
    columns = (
        dataset.image_table.id[table.image].tolist(),
        dataset.category_ids[table.category].tolist(),
        np.concatenate([table.xyxy[:, :2], wh], axis=1).tolist(),
    )
    return [
        {"image_id": image, "category_id": category, "bbox": box, "score": 1.0}
        for image, category, box in zip(*columns, strict=True)
    ]


POLYGONS = 500
CORNERS = 48
ROWS_AT_ONCE = 50_000


def write_polygons(path, n, *, seed=0):
    """Write a COCO file of ``n`` annotations with boxes and polygons, some 800 bytes each."""
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = rng.uniform(20, 60, (POLYGONS, 1)) * (
        1 + 0.1 * rng.standard_normal((POLYGONS, CORNERS))
    )
    corners = np.stack([320 + radius * np.cos(turn), 240 + radius * np.sin(turn)], axis=2)
    pool = [",".join(f"{v:.2f}" for v in one) for one in corners.reshape(POLYGONS, -1).tolist()]
    n_images = max(1, n // 7)
    row = (
        '{"segmentation":[[%s]],"area":%.2f,"iscrowd":0,"image_id":%d,'
        '"bbox":[%.2f,%.2f,%.2f,%.2f],"category_id":%d,"id":%d}'
    )
    with path.open("w", encoding="ascii") as file:
        images = ",".join(
            f'{{"id":{k},"file_name":"{k:012d}.jpg","width":640,"height":480}}'
            for k in range(1, n_images + 1)
        )
        file.write(f'{{"images":[{images}],"annotations":[')
        for first in range(0, n, ROWS_AT_ONCE):
            id = np.arange(first, min(n, first + ROWS_AT_ONCE))
            xy = rng.uniform(0, 400, (len(id), 2)).round(2)
            wh = rng.uniform(4, 80, (len(id), 2)).round(2)
            columns = (
                [pool[k % POLYGONS] for k in id.tolist()],
                (wh[:, 0] * wh[:, 1]).tolist(),
                (1 + id % n_images).tolist(),
                *xy.T.tolist(),
                *wh.T.tolist(),
                rng.integers(1, 81, len(id)).tolist(),
                (id + 1).tolist(),
            )
            lines = (row % one for one in zip(*columns, strict=True))
            file.write(("," if first else "") + ",".join(lines))
        categories = ",".join(f'{{"id":{k},"name":"category-{k:02d}"}}' for k in range(1, 81))
        file.write(f'],"categories":[{categories}]}}')
    return path
