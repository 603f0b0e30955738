"""Distances between borders and signed offsets, against loops over all pairs of pixels."""

from __future__ import annotations

from math import hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.kernels import surfaces
from annqc.kernels._surfaces import _quantile, _select
from annqc.kernels.masks import borders
from tests.geometry.drawn_masks import paired_masks, random_mask, shapes_of


def lists(masks, rule):
    shapes = shapes_of(masks)
    return borders(shapes.runs, shapes.run_offsets, shapes.canvas, np.arange(len(masks)), rule=rule)


def places(one, k):
    part = slice(one.starts[k], one.starts[k + 1])
    return list(zip(one.x[part].tolist(), one.y[part].tolist(), strict=True))


@given(
    drawn=paired_masks(),
    rule=st.sampled_from(["eight", "four", "corners"]),
    spacing=st.tuples(*[st.sampled_from([1.0, 0.5, 2.0])] * 2),
)
def test_distances_are_those_of_plain_python(drawn, rule, spacing):
    sides = [lists(masks, rule) for masks in drawn]
    rows = np.arange(len(drawn[0]))
    found = surfaces.distance_sums(*sides, rows, rows, spacing=spacing, tolerance=1.5)
    down, across = spacing
    for k in rows:
        points = [places(one, k) for one in sides]
        for side in range(2):
            distances = [
                min(
                    (hypot((x - u) * across, (y - v) * down) for u, v in points[1 - side]),
                    default=np.inf,
                )
                for x, y in points[side]
            ]
            row = found[k, 5 * side : 5 * side + 5]
            near = sum(one <= 1.5 for one in distances)
            expected = [len(distances), sum(distances), max(distances, default=0)]
            np.testing.assert_allclose(row[:3], expected, rtol=1e-12)
            assert row[4] == near


@given(
    values=st.lists(st.integers(0, 30), min_size=1, max_size=60),
    share=st.sampled_from([0.0, 0.05, 0.5, 0.9, 0.95, 1.0]),
)
def test_quantiles_are_those_of_numpy(values, share):
    squared = np.array(values, dtype=float)
    found = _quantile(squared.copy(), np.ones(len(values)), len(values), share, 0.0)
    np.testing.assert_allclose(found, np.quantile(np.sqrt(squared), share), rtol=1e-14)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=40),
    share=st.floats(0.01, 1),
)
def test_the_weight_reaches_the_selected_value_and_no_smaller_one(pairs, share):
    values, weights = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    target = share * weights.sum()
    found = _select(values.copy(), weights.copy(), len(values), target)
    assert weights[values <= found].sum() >= target * (1 - 1e-12)
    assert weights[values < found].sum() < target * (1 + 1e-12)


def plain_signed(mask, x, y):
    """Distance of a pixel to the outline, positive inside: every other pixel is looked at."""
    ys, xs = np.nonzero(mask != mask[y, x])
    distance = np.sqrt(((xs - x) ** 2 + (ys - y) ** 2).min()) - 0.5
    return distance if mask[y, x] else -distance


def plain_ends(reference, x, y):
    """Distances to the edges of the canvas that end a candidate, from a pixel's centre."""
    height, width = reference.shape
    return [
        gap - 0.5
        for gap, reached in (
            (x + 1, reference[y, 0]),
            (width - x, reference[y, -1]),
            (y + 1, reference[0, x]),
            (height - y, reference[-1, x]),
        )
        if not reached
    ]


def test_offsets_are_those_of_plain_python():
    rng = np.random.default_rng(8)
    compared = 0
    for _ in range(60):
        height, width = rng.integers(3, 14, 2)
        one, two = (random_mask(rng, height, width) for _ in range(2))
        shapes = shapes_of([one, two])
        rows = np.arange(2)
        drawn = surfaces.Outlines.of(shapes.runs, shapes.run_offsets, shapes.canvas, rows)
        faces = surfaces.facing(drawn.inner, drawn.outer, drawn.canvas)
        centres = np.array([[width / 2 - 0.3, height / 2 - 0.3]] * 2)
        sums, counts = surfaces.offset_sums(drawn, drawn, faces, centres, rows[:1], rows[1:])
        total, n, quarters, left_out = 0.0, 0, [0, 0, 0, 0], 0
        for x, y in places(drawn.inner, 0):
            if two.all():
                signed = min(plain_ends(one, x, y), default=np.inf)
            elif not two.any():
                signed = np.inf
            else:
                signed = min([plain_signed(two, x, y), *plain_ends(one, x, y)])
            if np.isinf(signed):
                left_out += 1
                continue
            total += signed - 0.5
            n += 1
            right, low = x + 0.5 >= centres[0, 0], y + 0.5 >= centres[0, 1]
            quarters[[[0, 1], [3, 2]][int(low)][int(right)]] += 1
        np.testing.assert_allclose(sums[0, 0], total, rtol=1e-12, atol=1e-12)
        assert counts[0, 0] == n
        assert counts[0, 5:].tolist() == [*quarters, left_out]
        compared += n
    assert compared > 500


def plain_facing(mask, x, y):
    """Smooth the signed distance with a window of weights, the canvas mirrored at its edges."""
    height, width = mask.shape
    smooth, slope = surfaces.window()
    reach = len(smooth) // 2

    def mirrored(place, size):
        period = place % (2 * size)
        return min(period, 2 * size - 1 - period)

    across = down = 0.0
    for a in range(len(smooth)):
        for b in range(len(smooth)):
            value = plain_signed(
                mask, mirrored(x + a - reach, width), mirrored(y + b - reach, height)
            )
            across -= slope[a] * smooth[b] * value
            down -= smooth[a] * slope[b] * value
    if max(abs(across), abs(down)) < 1e-9:
        return 0
    if abs(across) >= abs(down) * (1 - 1e-9):
        return 1 if across < 0 else 3
    return 2 if down < 0 else 4


def test_sides_are_those_of_plain_python():
    rng = np.random.default_rng(9)
    disc = np.hypot(*(np.mgrid[:14, :16] - 7.0)) < 5
    masks = [disc, random_mask(rng, 14, 16) & disc, np.arange(16) > np.arange(14)[:, None]]
    inner, outer = (lists(masks, rule) for rule in ("four within", "free within"))
    faces = surfaces.facing(inner, outer, np.array([one.shape for one in masks]))
    for k, mask in enumerate(masks):
        expected = [plain_facing(mask, x, y) for x, y in places(inner, k)]
        assert faces[inner.starts[k] : inner.starts[k + 1]].tolist() == expected
    assert set(faces[: inner.starts[1]].tolist()) == {1, 2, 3, 4}


def test_a_line_one_pixel_wide_faces_nowhere():
    line = np.zeros((20, 20), dtype=bool)
    line[:, 10] = True
    inner, outer = (lists([line], rule) for rule in ("four within", "free within"))
    assert surfaces.facing(inner, outer, np.array([[20, 20]])).tolist() == [0] * 20


@pytest.mark.parametrize("rule", ["eight", "corners"])
def test_far_apart_and_empty(rule):
    masks = [np.zeros((30, 30), dtype=bool) for _ in range(3)]
    masks[0][2, 3] = masks[1][25, 28] = True
    drawn = lists(masks, rule)
    rows, others = np.array([0, 1, 0, 2]), np.array([1, 0, 2, 2])
    found = surfaces.distance_sums(drawn, drawn, rows, others)
    if rule == "eight":
        assert found[0, 2] == found[1, 2] == hypot(23, 25)
    assert found[2, 2] == np.inf
    assert found[2, 5] == found[3, 0] == 0
