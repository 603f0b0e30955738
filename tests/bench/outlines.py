"""Outlines out of all proportion: very long ones, very large ones, very many in one image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from annqc.geometry.masks import paint
from annqc.geometry.rle import encode_counts

from .polygons import HUGE, huge, outlines
from .report import Row
from .timing import interleave_processes, same

MANY = 10_000
CANVAS = 20_000
"""Sides of the canvas of one mask, in pixels."""
ROUNDS = 2


@dataclass(frozen=True)
class Work:
    """Polygons of both sides on one square image, to be written as such or as masks."""

    name: str
    sides: list[Any]
    canvas: int
    masks: bool = False


def made(share):
    """Return the works: the names say how large they are."""
    vertices, many = max(200, round(HUGE * share)), max(20, round(MANY * share))
    canvas = max(100, round(CANVAS * share))
    dense = max(200, round(6_000 * share**0.5))
    spread = {"mean": 40, "radius": (10, 50), "seed": 3, "middle": (100, dense - 100)}
    at = (canvas / 2, canvas / 2 + 1)
    long = outlines(
        1, mean=vertices, radius=(2000, 2001), jitter=0.001, seed=2, middle=(2500, 2501)
    )
    wide = outlines(1, mean=48, radius=(0.4 * canvas, 0.4 * canvas + 1), jitter=0.1, middle=at)
    crowd = outlines(many, **spread)
    square = f"{canvas:,} x {canvas:,} px"
    place = f"in one image of {dense:,} x {dense:,} px"
    return [
        Work(f"one polygon of {vertices:,} vertices", long, 5000),
        Work(f"one mask, {square}", wide, canvas, masks=True),
        Work(f"{many:,} polygons {place}", crowd, dense),
        Work(f"{many:,} masks {place}", crowd, dense, masks=True),
    ]


def write(path, polygons, canvas, *, masks):
    """Write one side as a COCO file; return how many annotations it has."""
    n = len(polygons)
    ends = polygons.ring_offsets
    if masks:
        drawn = paint(polygons, np.full((n, 2), canvas))
        texts = encode_counts(drawn.runs, drawn.run_offsets)
        outlined = [{"size": [canvas, canvas], "counts": text.decode()} for text in texts]
    else:
        outlined = [[polygons.rings(k)[0].ravel().tolist()] for k in range(n)]
    low = np.minimum.reduceat(polygons.points, ends[:-1])
    size = np.maximum.reduceat(polygons.points, ends[:-1]) - low
    rows = [
        {
            "id": k + 1,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": box,
            "area": box[2] * box[3],
            "segmentation": outlined[k],
        }
        for k, box in enumerate(np.hstack([low, size]).tolist())
    ]
    document = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": canvas, "height": canvas}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": rows,
    }
    path.write_bytes(msgspec.json.encode(document))
    return n


def audits(works):
    """Time ``annqc audit --shapes`` on each, as a process of its own."""
    for number, work in enumerate(made(works.size.share)):
        paths = [works.folder / f"outlines-{number}-{side}.json" for side in ("gold", "work")]
        for path, polygons in zip(paths, work.sides, strict=True):
            n = write(path, polygons, work.canvas, masks=work.masks)
        gold, drawn = map(str, paths)
        out = works.folder / "outlines.json"
        command = ["-m", "annqc", "audit", drawn, "--gold", gold, "--shapes", "--quiet"]
        command += ["--json", str(out)]
        rounds = ROUNDS if works.size.is_full else 1
        times, _ = interleave_processes({"annqc": command}, works.folder, rounds=rounds)
        found = json.loads(out.read_text())
        same(f"{work.name}, matched", found["scores"][0]["n_matched"], n)
        # pairs that could as well be others are no evidence, and not measured
        compared = found["outlines"]["scores"][0]["n_outlines"]
        same(f"{work.name}, compared", compared, n, within=0.01)
        for path in (*paths, out):
            path.unlink()
        yield Row(
            work=work.name,
            ours="annqc audit --shapes, fresh process",
            cpu=times.cpu("annqc"),
            peak_mb=times.peak_mb["annqc"],
            note="files in, JSON out; gold and work have one annotation each for every outline",
        )


def outsized(works):
    """One pair of outlines in memory, and whole audits."""
    yield from huge(works)
    yield from audits(works)
