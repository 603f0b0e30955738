"""Polygons: areas that pairs share, and distances between their contours."""

from __future__ import annotations

import numpy as np

from annqc.geometry.contour_pairs import contour_distances, contour_offsets
from annqc.geometry.polygon_pairs import polygon_overlap
from annqc.tables import Shapes

from .peers import load
from .report import Goal, Row
from .timing import interleave, same

PAIRS, VERTICES = 36_000, 40
CONTOURS = 2_000
HUGE = 100_000


def outlines(n, *, mean, radius, jitter=0.12, seed=0, middle=(200, 440)):
    """Two polygons around the same points, each seen from there as a star, so that both are valid.

    The second is what a good annotator draws of the first: 3 % of the radius off, vertex by vertex.
    """
    rng = np.random.default_rng(seed)
    counts = np.maximum(4, rng.poisson(mean, n))
    ends = np.concatenate([[0], np.cumsum(counts)])
    of_shape = np.repeat(np.arange(n), counts)
    turn = 2 * np.pi * (np.arange(ends[-1]) - ends[of_shape]) / counts[of_shape]
    size = rng.uniform(*radius, n)[of_shape]
    size = size * (1 + jitter * rng.standard_normal(ends[-1])).clip(0.4, 1.6)
    centre = rng.uniform(*middle, (n, 2))[of_shape]
    sides = []
    for off in (0.0, 0.03):
        r = size * (1 + off * rng.standard_normal(ends[-1]))
        points = centre + np.column_stack([r * np.cos(turn), r * np.sin(turn)])
        sides.append(Shapes.from_ragged(points, ends, np.arange(n + 1)))
    return sides


def built(shapely, shapes):
    """Return the polygons as shapely has them."""
    rings = np.repeat(np.arange(len(shapes)), np.diff(shapes.ring_offsets))
    return shapely.polygons(shapely.linearrings(shapes.points, indices=rings))


def by_shapely(shapely, one, two):
    """IoU of polygons that are built already."""
    shared = shapely.area(shapely.intersection(one, two))
    return shared / (shapely.area(one) + shapely.area(two) - shared)


def by_opencv(cv2, one, two):
    """IoU on pixels, each pair painted on the smallest canvas that holds both."""
    out = np.empty(len(one))
    for k in range(len(one)):
        rings = [np.round(side.rings(k)[0]).astype(np.int32) for side in (one, two)]
        corner = np.minimum(rings[0].min(axis=0), rings[1].min(axis=0))
        width, height = np.maximum(rings[0].max(axis=0), rings[1].max(axis=0)) - corner + 1
        masks = [np.zeros((height, width), np.uint8) for _ in range(2)]
        for mask, ring in zip(masks, rings, strict=True):
            cv2.fillPoly(mask, [ring - corner], 1)
        shared = cv2.countNonZero(masks[0] & masks[1])
        out[k] = shared / cv2.countNonZero(masks[0] | masks[1])
    return out


def by_pycocotools(mask, one, two):
    """IoU on pixels by way of run lengths, as COCO has it."""
    out = np.empty(len(one))
    for k in range(len(one)):
        rles = [
            mask.frPyObjects([side.rings(k)[0].ravel().tolist()], 640, 640) for side in (one, two)
        ]
        out[k] = mask.iou(rles[0], rles[1], [0])[0, 0]
    return out


def overlap(works):
    """IoU of 36,000 pairs of polygons of some 40 vertices, exactly."""
    size = works.size
    n = max(50, round(PAIRS * size.share))
    one, two = outlines(n, mean=VERTICES, radius=(10, 110))
    rows = np.arange(n)
    found = polygon_overlap(one, two, rows, rows, engine="numba").iou
    contestants = {"numba": lambda: polygon_overlap(one, two, rows, rows, engine="numba")}
    labels = {}
    shapely, cv2, mask = (load(name) for name in ("shapely", "cv2", "pycocotools.mask"))
    if shapely is not None:
        polygons = built(shapely, one), built(shapely, two)
        same("IoU", 0.0, float(np.abs(found - by_shapely(shapely, *polygons)).max()), within=1e-9)
        contestants["shapely"] = lambda: by_shapely(shapely, *polygons)
    labels["shapely"] = "shapely, polygons built beforehand", Goal(faster=15, cpu=0.19)
    if mask is not None:
        contestants["pycocotools"] = lambda: by_pycocotools(mask, one, two)
    labels["pycocotools"] = "pycocotools, on pixels", Goal()
    if cv2 is not None:
        same("mean IoU", float(found.mean()), float(by_opencv(cv2, one, two).mean()), within=0.03)
        contestants["opencv"] = lambda: by_opencv(cv2, one, two)
    labels["opencv"] = "OpenCV, on pixels", Goal(faster=7)
    times = interleave(contestants, budget=4 * size.budget, rounds=(size.rounds[0], 5))
    for key, (label, goal) in labels.items():
        there = key in contestants
        yield Row(
            work=f"polygon IoU, {n:,} pairs",
            ours="exact, numba",
            cpu=times.cpu("numba"),
            peer=label,
            peer_cpu=times.cpu(key) if there else None,
            ratio=times.ratio("numba", key) if there else None,
            goal=goal,
            note="equal to shapely within 1e-9; OpenCV's mean IoU is within 0.03 of it",
        )


def shapely_distances(shapely, one, two, *, step=1.0, tolerance=2.0):
    """Mean distance, 95th percentile and surface Dice, at the samples that annqc takes."""
    out = np.empty((len(one), 3))
    for k in range(len(one)):
        lines = [shapely.LinearRing(side.rings(k)[0]) for side in (one, two)]
        far, weight = [], []
        for side, other in ((one, lines[1]), (two, lines[0])):
            start = side.rings(k)[0]
            along = np.roll(start, -1, axis=0) - start
            length = np.hypot(*along.T)
            pieces = np.ceil(length / step).astype(int)
            of_piece = np.repeat(np.arange(len(start)), pieces)
            part = np.arange(len(of_piece)) - np.repeat(np.cumsum(pieces) - pieces, pieces) + 0.5
            at = start[of_piece] + (part / pieces[of_piece])[:, None] * along[of_piece]
            far.append(shapely.distance(other, shapely.points(at)))
            weight.append((length / pieces)[of_piece])
        high = 0.0
        for d, w in zip(far, weight, strict=True):
            order = np.argsort(d)
            reached = np.cumsum(w[order])
            high = max(high, d[order][np.searchsorted(reached, 0.95 * reached[-1] * (1 - 1e-12))])
        d, w = np.concatenate(far), np.concatenate(weight)
        out[k] = w @ d / w.sum(), high, w[d <= tolerance].sum() / w.sum()
    return out


def contours(works):
    """ASSD, HD95 and surface Dice of 2,000 pairs of 100 to 300 px, and signed offsets."""
    size = works.size
    n = max(20, round(CONTOURS * size.share))
    one, two = outlines(n, mean=48, radius=(50, 150), jitter=0.1, seed=1)
    rows = np.arange(n)
    contestants = {
        "distances": lambda: contour_distances(one, two, rows, rows, engine="numba"),
        "offsets": lambda: contour_offsets(one, two, rows, rows, engine="numba"),
    }
    shapely = load("shapely")
    if shapely is not None:
        ours = contestants["distances"]()
        found = np.column_stack([ours.assd, ours.hd_percentile, ours.nsd[:, 0]])
        worst = float(np.abs(found - shapely_distances(shapely, one, two)).max())
        same("distances", 0.0, worst, within=1e-6)
        contestants["shapely"] = lambda: shapely_distances(shapely, one, two)
    times = interleave(contestants, budget=4 * size.budget, rounds=(size.rounds[0], 5))
    for key, label, goal in (
        ("distances", "ASSD, HD, HD95, NSD at 1 px, numba", Goal(faster=10, cpu=0.3)),
        ("offsets", "signed offsets at 1 px, numba", Goal()),
    ):
        yield Row(
            work=f"contours, {n:,} pairs",
            ours=label,
            cpu=times.cpu(key),
            peer="shapely, distances at the same samples",
            peer_cpu=times.cpu("shapely") if shapely else None,
            ratio=times.ratio(key, "shapely") if shapely else None,
            goal=goal,
            note="equal within 1e-6; the peer takes no Hausdorff distance and no side",
        )


def huge(works):
    """One pair of outlines of 100,000 vertices each, fairly smooth and jagged."""
    n = max(200, round(HUGE * works.size.share))
    one, two = outlines(1, mean=n, radius=(2000, 2001), jitter=0.001, seed=2)
    jagged = outlines(1, mean=n, radius=(200, 201), jitter=0.12, seed=2)
    row = np.zeros(1, dtype=np.int64)
    contestants = {
        "area that both share": lambda: polygon_overlap(one, two, row, row, engine="numba"),
        "distances": lambda: contour_distances(one, two, row, row, engine="numba"),
        "distances, jagged": lambda: contour_distances(*jagged, row, row, engine="numba"),
    }
    times = interleave(contestants, budget=works.size.budget, rounds=(works.size.rounds[0], 3))
    for key in contestants:
        yield Row(
            work=f"two outlines of {n:,} vertices",
            ours=key,
            cpu=times.cpu(key),
            goal=Goal(cpu=2.0),
        )
