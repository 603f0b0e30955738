"""Disagreement of drawings and of names, beside plain Python over all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import TableError, UnknownNameError
from annqc.infer.agreement import alphas
from annqc.measure.alpha import alpha_loc, alpha_nominal, unit_pairs
from annqc.measure.distances import (
    boundary_distance,
    box_distance,
    label_distance,
    oks_distance,
    outline_distance,
)
from annqc.measure.strangers import some_strangers, told_apart
from annqc.shapes import Shapes
from tests.geometry.drawn_masks import shapes_of


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inter = max(width, 0) * max(height, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if union else 0.0


def apart(a, b):
    """Distance of two values, None being nothing."""
    if a is None or b is None:
        return float((a is None) != (b is None))
    return 1 - iou(a, b)


def observed_and_expected(units, distance, *, same_image):
    """``units``: list of (image, values). Everything over all pairs."""
    units = [one for one in units if len(one[1]) >= 2]
    total = sum(len(values) for _, values in units)
    seen = 0.0
    for _, values in units:
        n = len(values)
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
        seen += sum(distance(values[i], values[j]) for i, j in pairs) / (n - 1)
    every = [(image, value) for image, values in units for value in values]
    far = [
        distance(a, b)
        for i, (one, a) in enumerate(every)
        for two, b in every[i + 1 :]
        if same_image or one != two
    ]
    return seen / total if total else math.nan, np.mean(far) if far else math.nan


@st.composite
def drawings(draw):
    """Units of 1 to 4 values each on few images; boxes on a coarse grid, some missing."""
    corner, side = st.integers(0, 8), st.integers(1, 6)
    box = st.builds(
        lambda x, y, w, h: (float(x), float(y), float(x + w), float(y + h)),
        corner, corner, side, side,
    )  # fmt: skip
    unit = st.tuples(st.integers(0, 3), st.lists(st.none() | box, min_size=1, max_size=4))
    return draw(st.lists(unit, min_size=1, max_size=8))


def arrays(units):
    unit = np.repeat(np.arange(len(units)), [len(values) for _, values in units])
    every = [value for _, values in units for value in values]
    drawn = [value for value in every if value is not None]
    row = np.full(len(every), -1)
    row[[value is not None for value in every]] = np.arange(len(drawn))
    return unit, row, np.array([image for image, _ in units]), np.array(drawn).reshape(-1, 4)


@given(drawings(), st.randoms(use_true_random=False), st.sampled_from(["numpy", "numba"]))
def test_alpha_of_boxes_is_that_over_all_pairs(units, random, engine):
    seen, far = observed_and_expected(units, apart, same_image=False)
    unit, row, image, boxes = arrays(units)
    order = list(range(len(unit)))
    random.shuffle(order)
    measured = alpha_loc(unit[order], row[order], image, xyxy=boxes, engine=engine)
    found = alphas(measured)
    np.testing.assert_allclose(measured.expected, [far], atol=1e-12)
    np.testing.assert_allclose(found.observed, [seen], atol=1e-12)
    if far and not math.isnan(far):
        np.testing.assert_allclose(found.estimate, [1 - seen / far], atol=1e-9)
    elif not math.isnan(far):
        assert found.estimate[0] == 1 or (seen > 0 and np.isnan(found.estimate[0]))
        assert found.status[0] == "NO_VARIATION"
    else:
        assert np.isnan(found.estimate[0])
        assert found.status[0] == ("ONE_IMAGE" if measured.n_units[0] else "NO_DATA")


@settings(max_examples=40)
@given(drawings())
def test_a_sample_of_strangers_is_close_to_all(units):
    _, far = observed_and_expected(units, apart, same_image=False)
    unit, row, image, boxes = arrays(units)
    found = alpha_loc(unit, row, image, xyxy=boxes, expected="sampled")
    if math.isnan(far):
        assert np.isnan(found.expected[0])
    else:
        assert not found.exact
        assert abs(found.expected[0] - far) < 0.01
        again = alpha_loc(unit, row, image, distance=box_distance(boxes))
        assert again.expected[0] == found.expected[0]


@st.composite
def names(draw):
    unit = st.tuples(st.integers(0, 3), st.lists(st.integers(-1, 3), min_size=1, max_size=5))
    return draw(st.lists(unit, min_size=1, max_size=8))


@given(names())
def test_alpha_of_names_is_that_over_all_pairs(units):
    seen, far = observed_and_expected(units, lambda a, b: float(a != b), same_image=True)
    unit = np.repeat(np.arange(len(units)), [len(values) for _, values in units])
    name = np.array([value for _, values in units for value in values])
    found = alphas(alpha_nominal(unit, name, [image for image, _ in units]))
    if math.isnan(far):
        assert np.isnan(found.estimate[0])
    elif far == 0:
        assert found.estimate[0] == 1
    else:
        np.testing.assert_allclose(found.estimate, [1 - seen / far], atol=1e-9)


@settings(max_examples=40)
@given(drawings(), st.data())
def test_every_group_has_the_alpha_it_has_alone(units, data):
    group = np.array([data.draw(st.integers(-1, 2)) for _ in units])
    unit, row, image, boxes = arrays(units)
    together = alphas(alpha_loc(unit, row, image, xyxy=boxes, group=group, n_groups=3))
    named = alphas(alpha_nominal(unit, row, image, group=group, n_groups=3))
    for g in range(3):
        own = group[unit] == g
        alone = alphas(alpha_loc(unit[own], row[own], image, xyxy=boxes))
        np.testing.assert_allclose(together.estimate[g], alone.estimate[0], atol=1e-12)
        np.testing.assert_allclose(together.low[g], alone.low[0], atol=1e-9)
        np.testing.assert_allclose(together.sigma[g], alone.sigma[0])
        alone = alphas(alpha_nominal(unit[own], row[own], image))
        np.testing.assert_allclose(named.estimate[g], alone.estimate[0], atol=1e-12)


def test_the_interval_is_linearised_over_images():
    """By hand: three images with s = (0, 1, 0.5), n = (2, 2, 4)."""
    boxes = [[0, 0, 4, 4], [0, 0, 4, 4], [90, 0, 94, 4], [90, 0, 94, 2],
             *[[200, 0, 204, 4]] * 3, [200, 0, 204, 3]]  # fmt: skip
    unit = [0, 0, 1, 1, 2, 2, 3, 3]
    found = alphas(alpha_loc(unit, range(8), [0, 1, 2, 2], xyxy=boxes))
    s, n = np.array([0, 1, 0.5]), np.array([2, 2, 4])
    d = s.sum() / n.sum()
    se = np.sqrt(3 / 2 * ((s - d * n) ** 2).sum()) / n.sum()
    assert found.observed[0] == pytest.approx(d)
    assert found.observed_high[0] == pytest.approx(d + 4.302652730 * se)
    assert found.low[0] == pytest.approx(1 - (d + 4.302652730 * se) / 1.0)
    assert found.edge_px[0] == pytest.approx((0 + 2 / 4 + 0 + 1 / 4) / 4)


def test_strangers_are_all_equally_likely():
    image = np.array([5, 1, 5, 5, 2, 1])
    one, two = some_strangers(image)
    assert (image[one] != image[two]).all()
    pairs = np.zeros((6, 6))
    np.add.at(pairs, (one, two), 1)
    allowed = image[:, None] != image[None, :]
    n = allowed.sum()
    share = 1e5 / n
    assert (abs(pairs[allowed] - share) < 5 * np.sqrt(share)).all()


def test_sigma_and_ks_tell_near_from_far():
    rng = np.random.default_rng(0)
    far, near = rng.uniform(0.8, 1, 2000), rng.uniform(0, 0.3, 500)
    assert told_apart(near, far) == (1.0, 1.0)
    sigma, ks = told_apart(far[:500], far)
    assert sigma == pytest.approx(0.05, abs=0.03)
    assert ks < 0.06
    assert told_apart(far, near)[1] == 0


def test_all_pairs_of_a_unit():
    first, second = unit_pairs(np.array([0, 0, 1, 2, 2, 2]))
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        (0, 1), (3, 4), (3, 5), (4, 5),
    ]  # fmt: skip


def square(x, side):
    return [[[x, 0], [x + side, 0], [x + side, side], [x, side]]]


def test_outlines_are_compared_as_what_they_are():
    shapes = Shapes.from_rings([square(0, 4), square(0, 2), None, square(9, 2)])
    boxes = np.array([[0, 0, 4, 4], [0, 0, 2, 2], [0, 0, 4, 4], [9, 0, 11, 2]], dtype=float)
    distance = outline_distance(shapes, boxes)
    left, right = np.array([0, 0, 0]), np.array([1, 2, 3])
    np.testing.assert_allclose(distance(left, right), [0.75, 0.0, 1.0])
    block = np.zeros((8, 8), dtype=bool)
    block[2:6, 2:6] = True
    masks = shapes_of([block, np.roll(block, 2, axis=1), np.pad(block, ((0, 1), (0, 0)))])
    around = np.array([[2, 2, 6, 6], [4, 2, 8, 6], [2, 2, 6, 6]], dtype=float)
    left, right = np.array([0, 0]), np.array([1, 2])
    np.testing.assert_allclose(outline_distance(masks, around)(left, right), [1 - 8 / 24, 0.0])
    band = boundary_distance(masks)(left, right)
    assert band[0] == pytest.approx(1 - 4 / 20)
    assert band[1] == 1


def test_keypoints_that_both_have_marked():
    points = np.array([[[0, 0], [5, 5]], [[0, 2], [99, 99]], [[0, 0], [0, 0]]], dtype=float)
    visible = [[1, 1], [1, 0], [0, 0]]
    distance = oks_distance(points, visible, [100, 300, 100], [0.1, 0.05])
    expected = [1 - math.exp(-4 / (2 * 200 * 0.2**2)), 1.0, 0.0]
    np.testing.assert_allclose(distance(np.array([0, 0, 0]), np.array([1, 2, 0])), expected)
    assert label_distance([1, 2])(np.array([0]), np.array([1])).tolist() == [1.0]


def test_bias_of_one_annotator_hardly_shows():
    """statistics.md: 3 % noise, and one of three whose top is 5 % off: .876 falls to .865."""
    rng = np.random.default_rng(4)
    n = 4000
    xy, side = rng.uniform(0, 1e5, (n, 2)), rng.uniform(30, 200, (n, 2))
    true = np.repeat(np.concatenate([xy, xy + side], axis=1), 3, axis=0)
    size = np.tile(np.repeat(side, 3, axis=0), 2)
    drawn = true + rng.normal(0, 0.03, true.shape) * size
    unit, image = np.repeat(np.arange(n), 3), np.arange(n) // 4
    clean = alphas(alpha_loc(unit, np.arange(3 * n), image, xyxy=drawn)).estimate[0]
    drawn[::3, 1] -= 0.05 * size[::3, 1]
    biased = alphas(alpha_loc(unit, np.arange(3 * n), image, xyxy=drawn)).estimate[0]
    assert clean == pytest.approx(0.876, abs=0.004)
    assert biased == pytest.approx(0.865, abs=0.004)


def test_what_is_refused():
    boxes = [[0, 0, 1, 1]] * 2
    with pytest.raises(TableError, match="do not fit together"):
        alpha_loc([0, 1], [0, 1], [0], xyxy=boxes)
    with pytest.raises(TableError, match="nothing to measure"):
        alpha_loc([0, 0], [0, 1], [0])
    with pytest.raises(TableError, match="not every pair of strangers"):
        alpha_loc([0, 0], [0, 1], [0], distance=box_distance(boxes), expected="exact")
    with pytest.raises(UnknownNameError, match="expected disagreement"):
        alpha_loc([0, 0], [0, 1], [0], xyxy=boxes, expected="all")
