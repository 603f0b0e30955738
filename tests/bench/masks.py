"""Pairs of masks: shared pixels, boundary IoU, distances between borders; and peers."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from annqc.geometry.mask_pairs import (
    boundary_iou,
    contour_offsets,
    mask_overlap,
    surface_distances,
)
from annqc.geometry.masks import paint
from annqc.tables import Shapes

from .peers import load
from .report import Goal, Row
from .timing import interleave, same

CANVAS = (480, 640)
PER_IMAGE = 7
TOLERANCE = 2.0


def blobs(n, radius, *, seed=31, vertices=48):
    """n wavy outlines around random places, and the same drawn again by a hand that slips."""
    rng = np.random.default_rng(seed)
    angle = np.arange(vertices) * 2 * np.pi / vertices
    sizes = rng.uniform(*radius, (n, 1))
    waves = 1 + 0.2 * np.sin(3 * angle + rng.random((n, 1)) * 6)
    waves += 0.1 * np.sin(7 * angle + rng.random((n, 1)) * 6)
    margin = 1.35 * sizes
    centre = margin + rng.random((n, 2)) * (np.array(CANVAS[::-1]) - 2 * margin)
    made = []
    for slip in (0.0, 1.5):
        at = sizes * waves + rng.normal(0, slip, (n, vertices))
        moved = centre + rng.normal(0, slip, (n, 2))
        points = moved[:, None] + at[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
        points = np.clip(points, 0, CANVAS[::-1])
        ends = np.arange(n + 1)
        polygons = Shapes.from_ragged(points.reshape(-1, 2), vertices * ends, ends)
        made.append(paint(polygons, np.tile(CANVAS, (n, 1))))
    return made


def unpacked(shapes):
    """Masks as arrays, for peers that take nothing else."""
    height, width = CANVAS
    for row in range(len(shapes)):
        runs = shapes.runs_of(row)
        yield np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T.copy()


def encoded(coco, shapes):
    rows = [
        {"size": list(CANVAS), "counts": shapes.runs_of(k).tolist()} for k in range(len(shapes))
    ]
    return [coco.frPyObjects(one, *CANVAS) for one in rows]


def row(work, ours, times, peer, label, goal, note=""):
    there = peer in times.seconds
    return Row(
        work=work,
        ours=ours,
        cpu=times.cpu("annqc"),
        peer=label,
        peer_cpu=times.cpu(peer) if there else None,
        ratio=times.ratio("annqc", peer) if there else None,
        goal=goal,
        note=note,
    )


def shared_pixels(works):
    """IoU of paired masks on their run lengths."""
    n = max(70, round(36_000 * works.size.share))
    gold, work = blobs(n, (8, 90))
    pairs = np.arange(n)
    contestants = {"annqc": lambda: mask_overlap(gold, work, pairs, pairs, engine="numba").iou}
    coco = load("pycocotools.mask")
    if coco is not None:
        sides = encoded(coco, gold), encoded(coco, work)

        def by_image():
            out = []
            for start in range(0, n, PER_IMAGE):
                one, two = (side[start : start + PER_IMAGE] for side in sides)
                out.append(np.diagonal(coco.iou(two, one, [0] * len(one))))
            return np.concatenate(out)

        contestants["pycocotools"] = by_image
        same("mask IoU", contestants["annqc"]().tolist(), by_image().tolist())
    times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
    note = "equal to the last bit; pycocotools compares all masks of an image with each other"
    label = "pycocotools.mask.iou per image"
    goal = Goal(at_most=1)
    yield row(f"mask IoU, {n:,} pairs", "run lengths", times, "pycocotools", label, goal, note)


def published_boundary(mask):
    """Boundary IoU as its authors publish it: the whole image, padded and eroded."""
    height, width = mask.shape
    dilation = max(round(0.02 * np.sqrt(height**2 + width**2)), 1)
    image = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(image, np.ones((3, 3), dtype=np.uint8), iterations=dilation)
    return mask - eroded[1 : height + 1, 1 : width + 1]


def bands(works):
    """Boundary IoU against its published form."""
    n = max(6, round(1_000 * works.size.share))
    gold, work = blobs(n, (40, 110))
    pairs = np.arange(n)
    contestants = {"annqc": lambda: boundary_iou(gold, work, pairs, pairs, engine="numba").iou}
    coco = load("pycocotools.mask")
    if coco is not None:
        sides = encoded(coco, gold), encoded(coco, work)

        def published():
            found = []
            for one, two in zip(*sides, strict=True):
                drawn = [
                    coco.encode(np.asfortranarray(published_boundary(coco.decode(side))))
                    for side in (one, two)
                ]
                found.append(coco.iou([drawn[1]], [drawn[0]], [0])[0, 0])
            return found

        contestants["published"] = published
        same("boundary IoU", contestants["annqc"]().tolist(), published())
    times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
    goal = Goal(faster=4, cpu=0.5)
    label = "boundary-iou-api's steps, OpenCV and pycocotools"
    yield row(f"boundary IoU, {n:,} pairs", "band", times, "published", label, goal)


def summary(found):
    return [float(np.mean(values)) for values in (found.assd, found.robust_hd, found.nsd)]


def opencv_distances(cuts):
    """ASSD, HD95 and NSD by OpenCV's exact-mask distance transforms of masks already cut out."""
    found = []
    for pair in cuts:
        borders = [
            mask - cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=0) for mask in pair
        ]
        maps = [cv2.distanceTransform(1 - one, cv2.DIST_L2, 5) for one in borders]
        out, back = maps[1][borders[0] > 0], maps[0][borders[1] > 0]
        n = len(out) + len(back)
        found.append(
            (
                (out.sum() + back.sum()) / n,
                max(np.percentile(out, 95), np.percentile(back, 95)),
                ((out <= TOLERANCE).sum() + (back <= TOLERANCE).sum()) / n,
            )
        )
    return np.mean(found, axis=0).tolist()


def distances(works):
    """ASSD, HD95 and NSD of paired masks, beside surface-distance and OpenCV."""
    n = max(6, round(2_000 * works.size.share))
    gold, work = blobs(n, (50, 115))
    pairs = np.arange(n)
    cuts = []
    for both in zip(unpacked(gold), unpacked(work), strict=True):
        rows, columns = (np.flatnonzero((both[0] | both[1]).any(axis=k)) for k in (1, 0))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        cuts.append([np.pad(one[part], 1).astype(np.uint8) for one in both])

    def ours(border):
        return summary(
            surface_distances(
                gold, work, pairs, pairs, tolerance=TOLERANCE, border=border, engine="numba"
            )
        )

    contestants = {"annqc": lambda: ours("eight"), "opencv": lambda: opencv_distances(cuts)}
    for mine, theirs in zip(ours("eight"), contestants["opencv"](), strict=True):
        same("distances, OpenCV (approximate)", mine, theirs, within=0.02)
    times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
    name = f"ASSD, HD95, NSD, {n:,} pairs"
    goal = Goal(faster=3.5, cpu=0.4)
    note = "OpenCV's distances are approximate, 0.3 % low; its masks were cut out free of charge"
    yield row(name, "pixels", times, "opencv", "OpenCV distance transforms", goal, note)
    yield from corners(works, name, ours, cuts)
    yield from thin(works, name, ours, cuts)


def corners(works, name, ours, cuts):
    """The same by pixel corners, as surface-distance has it."""
    contestants = {"annqc": lambda: ours("corners")}
    peer = load("surface_distance.metrics")
    if peer is not None:

        def theirs():
            found = []
            for one, two in cuts:
                both = peer.compute_surface_distances(one > 0, two > 0, (1, 1))
                total = sum(
                    (both[f"distances_{a}_to_{b}"] * both[f"surfel_areas_{a}"]).sum()
                    for a, b in (("gt", "pred"), ("pred", "gt"))
                )
                length = both["surfel_areas_gt"].sum() + both["surfel_areas_pred"].sum()
                found.append(
                    (
                        total / length,
                        peer.compute_robust_hausdorff(both, 95),
                        peer.compute_surface_dice_at_tolerance(both, TOLERANCE),
                    )
                )
            return np.mean(found, axis=0).tolist()

        contestants["peer"] = theirs
        for mine, other in zip(ours("corners"), theirs(), strict=True):
            same("distances, surface-distance", mine, other, within=1e-9)
    times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
    yield row(name, "corners", times, "peer", "surface-distance", Goal(faster=20))


def thin(works, name, ours, cuts):
    """The same by pixels with one of four neighbours outside, as MONAI has it."""
    contestants = {"annqc": lambda: ours("four")}
    peer, torch = load("monai.metrics"), load("torch")
    note = "MONAI computes in single precision: equal within 1e-5"
    if peer is not None and torch is not None:

        def theirs():
            found = []
            for one, two in cuts:
                gold, work = (torch.from_numpy(mask[None, None]) for mask in (one, two))
                measured = (
                    peer.compute_average_surface_distance(work, gold, True, symmetric=True),
                    peer.compute_hausdorff_distance(work, gold, True, percentile=95),
                    peer.compute_surface_dice(work, gold, [TOLERANCE], True),
                )
                found.append([float(one) for one in measured])
            return np.mean(found, axis=0).tolist()

        contestants["peer"] = theirs
        for mine, other in zip(ours("four"), theirs(), strict=True):
            same("distances, MONAI", mine, other, within=1e-5)
    # a round with MONAI takes the better part of a minute: one will do
    times = interleave(contestants, budget=works.size.budget, rounds=(1, works.size.rounds[1]))
    goal = Goal(cpu=0.4)
    yield row(name, "pixels, four neighbours", times, "peer", "MONAI", goal, note)


def offsets(works):
    """Signed contour offsets: nobody else has them."""
    n = max(6, round(2_000 * works.size.share))
    gold, work = blobs(n, (50, 115))
    pairs = np.arange(n)
    for method in ("outlines", "pixels"):
        measured = partial(contour_offsets, gold, work, pairs, pairs, method=method, engine="numba")
        times = interleave({"annqc": measured}, budget=works.size.budget, rounds=works.size.rounds)
        yield row(f"contour offsets, {n:,} pairs", method, times, "", "", Goal())


def masks(works):
    """Everything about pairs of masks."""
    for part in (shared_pixels, bands, distances, offsets):
        yield from part(works)
