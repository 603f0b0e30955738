"""What memory large shapes take: bounded by their outlines and segments, not by the canvas."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from annqc.geometry.contour_pairs import contour_distances, contour_offsets
from annqc.geometry.mask_pairs import (
    boundary_iou,
    mask_overlap,
    surface_distances,
)
from annqc.geometry.mask_pairs import contour_offsets as mask_offsets
from annqc.tables import Shapes
from tests.geometry.figures import star

MEASURES = (mask_overlap, boundary_iou, surface_distances, mask_offsets)


def peak_of(function):
    """Bytes that numpy held at most during a call, beyond what there was."""
    function()  # imports and kernels are no part of it
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def disc(size, radius, at):
    """The runs of a disc, made without a canvas."""
    x, y = at
    half = np.sqrt(np.maximum(radius**2 - (np.arange(size) + 0.5 - x) ** 2, 0))
    starts, ends = np.rint(y - half).astype(int), np.rint(y + half).astype(int)
    there = ends > starts
    base = np.arange(size)[there] * size
    edges = np.stack([base + starts[there], base + ends[there]], axis=1).ravel()
    return np.diff(np.concatenate([[0], edges, [size * size]]))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_large_mask_never_becomes_a_canvas(measure):
    size = 4000
    radii = (1500.0, 1503.0)
    masks = Shapes.from_runs([disc(size, one, (2000, 2000)) for one in radii], [(size, size)] * 2)
    assert peak_of(lambda: measure(masks, masks, [0], [1], engine="numba")) < size * size


@pytest.mark.parametrize("measure", MEASURES)
def test_many_masks_in_one_image_take_the_memory_of_their_outlines(measure):
    size, n = 2000, 300
    places = [(30 + 60 * (k % 32), 30 + 60 * (k // 32)) for k in range(n)]
    gold, work = (
        Shapes.from_runs([disc(size, one, at) for at in places], [(size, size)] * n)
        for one in (20.0, 21.5)
    )
    rows = np.arange(n)
    assert peak_of(lambda: measure(gold, work, rows, rows, engine="numba")) < n * 80 * 80 * 4


@pytest.mark.parametrize("jitter", [0.0005, 0.02, 0.12])
def test_a_contour_of_many_vertices_takes_memory_in_step_with_them(jitter):
    n = 20_000
    rng = np.random.default_rng(8)
    one, two = (Shapes.from_rings([[star(rng, n, radius=500, jitter=jitter)]]) for _ in range(2))
    row = np.zeros(1, dtype=np.int64)
    for measure in (contour_distances, contour_offsets):

        def run(measure=measure):
            return measure(one, two, row, row, step=20.0, engine="numba")

        samples = float(sum(np.hypot(*np.diff(s.points, axis=0).T).sum() / 20 for s in (one, two)))
        assert peak_of(run) < 2 * n * 1000 + 32 * samples
