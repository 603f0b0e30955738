"""Agreement and consensus: labels, names, masks; and peers. ``python -m tests.bench.agreement X``
does one piece of work in a process of its own, so that its peak memory can be read off.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from annqc.consensus.labels import label_consensus
from annqc.consensus.masks import mask_consensus
from annqc.geometry.masks import crop, paint
from annqc.infer.agreement import alphas
from annqc.measure.alpha import alpha_nominal
from annqc.tables import Shapes

from .peers import load
from .report import Goal, Row
from .timing import interleave, launch, same

ITEMS = 36_000
ANNOTATORS = 10
LABELS = 80
ITERATIONS = 10
OBJECTS = 200
CANVAS = (480, 640)


def votes(share):
    """Items, annotators and labels: three of four are right, the rest anything."""
    rng = np.random.default_rng(41)
    n = max(50, round(ITEMS * share))
    truth = rng.integers(0, LABELS, n)
    item, who = np.repeat(np.arange(n), ANNOTATORS), np.tile(np.arange(ANNOTATORS), n)
    right = rng.random(len(item)) < 0.75
    return item, who, np.where(right, truth[item], rng.integers(0, LABELS, len(item)))


def drawn(share, *, vertices=48):
    """Wavy objects, each drawn by ten hands that slip."""
    rng = np.random.default_rng(42)
    n = max(3, round(OBJECTS * share))
    angle = np.arange(vertices) * 2 * np.pi / vertices
    size = rng.uniform(50, 110, (n, 1))
    waves = 1 + 0.2 * np.sin(3 * angle + rng.random((n, 1)) * 6)
    margin = 1.35 * size
    centre = margin + rng.random((n, 2)) * (np.array(CANVAS[::-1]) - 2 * margin)
    hands = []
    for _ in range(ANNOTATORS):
        at = size * waves + rng.normal(0, 2.0, (n, vertices))
        moved = centre + rng.normal(0, 1.5, (n, 2))
        hands.append(moved[:, None] + at[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1))
    points = np.clip(np.stack(hands, axis=1).reshape(-1, 2), 0, CANVAS[::-1])
    ends = np.arange(n * ANNOTATORS + 1)
    polygons = Shapes.from_ragged(points, vertices * ends, ends)
    return paint(polygons, np.tile(CANVAS, (n * ANNOTATORS, 1)))


def by_dawid_skene(columns):
    return label_consensus(
        *columns,
        n_labels=LABELS,
        method="dawid_skene",
        max_iterations=ITERATIONS,
        tol=-1,
        engine="numba",
    )


def by_alpha(columns):
    return alphas(alpha_nominal(columns[0], columns[2]))


def by_staple(shapes):
    n = len(shapes) // ANNOTATORS
    object = np.repeat(np.arange(n), ANNOTATORS)
    return mask_consensus(shapes, object, np.arange(len(shapes)), engine="numba")


def labels(works):
    """Dawid and Skene's model, the plain one, which the peer has."""
    columns = votes(works.size.share)
    contestants = {"annqc": lambda: by_dawid_skene(columns)}
    peer = load("crowdkit.aggregation.classification.dawid_skene")
    if peer is not None:
        import pandas as pd

        frame = pd.DataFrame(dict(zip(("task", "worker", "label"), columns, strict=True)))

        def theirs():
            return peer.DawidSkene(n_iter=ITERATIONS, tol=-np.inf).fit(frame)

        contestants["peer"] = theirs
        found, other = by_dawid_skene(columns), theirs()
        agreed = np.mean(found.label == other.labels_.sort_index().to_numpy())
        same("labels, crowd-kit", float(agreed), 1.0)
    yield _row(works, "Dawid-Skene", len(columns[0]), contestants, "crowd-kit",
               Goal(faster=80, cpu=0.2, peak_mb=250), "", "labels")  # fmt: skip


def names(works):
    """Nominal alpha."""
    columns = votes(works.size.share)
    contestants = {"annqc": lambda: by_alpha(columns)}
    peer = load("krippendorff")
    if peer is not None:
        table = np.ascontiguousarray(columns[2].reshape(-1, ANNOTATORS).T)

        def theirs():
            return peer.alpha(reliability_data=table, level_of_measurement="nominal")

        contestants["peer"] = theirs
        same("alpha, krippendorff", by_alpha(columns).estimate[0], theirs(), within=1e-12)
    yield _row(works, "nominal alpha", len(columns[0]), contestants, "krippendorff",
               Goal(faster=100, cpu=0.029, peak_mb=300), "", "names")  # fmt: skip


def masks(works):
    """STAPLE."""
    shapes = drawn(works.size.share)
    contestants = {"annqc": lambda: by_staple(shapes)}
    peer, note = load("SimpleITK"), "SimpleITK's images were unpacked free of charge"
    if peer is not None:
        height, width = CANVAS
        images = [
            peer.GetImageFromArray(crop(shapes, row, (0, 0, width, height)).astype(np.uint8))
            for row in range(len(shapes))
        ]

        def theirs():
            found = []
            for first in range(0, len(images), ANNOTATORS):
                staple = peer.STAPLEImageFilter()
                staple.SetForegroundValue(1)
                found.append(staple.Execute(images[first : first + ANNOTATORS]))
            return found

        contestants["peer"] = theirs
        made = by_staple(shapes).shapes
        other = 0
        for i, image in enumerate(theirs()):
            ours = crop(made, i, (0, 0, width, height))
            other += int(((peer.GetArrayFromImage(image) > 0.5) != ours).sum())
        same("pixels that differ, SimpleITK", other, 0)
    yield _row(works, "STAPLE", len(shapes), contestants, "SimpleITK",
               Goal(faster=80, cpu=0.09), note, "masks")  # fmt: skip


def _row(works, work, n, contestants, label, goal, note, child):
    times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
    there = "peer" in times.seconds
    alone = launch(["-m", "tests.bench.agreement", child, str(works.size.share)], works.folder)
    return Row(
        work=f"{work}, {n:,} drawn" if work == "STAPLE" else f"{work}, {n:,} labels",
        ours="",
        cpu=times.cpu("annqc"),
        peer=label,
        peer_cpu=times.cpu("peer") if there else None,
        ratio=times.ratio("annqc", "peer") if there else None,
        goal=goal,
        peak_mb=alone.peak_mb,
        note=note,
    )


def agreement(works):
    """Everything about agreement."""
    for part in (names, labels, masks):
        yield from part(works)


CHILDREN = {
    "names": lambda share: by_alpha(votes(share)).estimate[0],
    "labels": lambda share: by_dawid_skene(votes(share)).iterations,
    "masks": lambda share: int(by_staple(drawn(share)).shapes.run_offsets[-1]),
}

if __name__ == "__main__":
    print(json.dumps(CHILDREN[sys.argv[1]](float(sys.argv[2]))))
