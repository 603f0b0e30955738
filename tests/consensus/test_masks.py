"""A consensus of masks, beside pixel by pixel Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from annqc.consensus import masks as module
from annqc.consensus.masks import MASK_METHODS, mask_consensus
from annqc.consensus.shapemean import mean_shape, polygon_consensus
from annqc.errors import MatchError, TableError, UnknownNameError
from annqc.geometry.masks import crop, mask_faults
from annqc.geometry.polygons import polygon_areas
from annqc.shapes import BOX_ONLY, MASK, Shapes
from tests.geometry.drawn_masks import random_mask, shapes_of


def unpacked(shapes, row):
    height, width = shapes.canvas[row].tolist()
    return crop(shapes, row, (0, 0, width, height))


def staple(votes, iterations):
    """Every pixel, in plain numpy: votes (k, h, w)."""
    d = votes.reshape(len(votes), -1).astype(float)
    w = d.mean(axis=0)
    prior = w.mean()
    p = q = np.full(len(d), np.nan)
    if 0 < prior < 1:
        for _ in range(iterations):
            p = (d * w).sum(axis=1) / w.sum()
            q = ((1 - d) * (1 - w)).sum(axis=1) / (1 - w).sum()
            a = prior * np.prod(np.where(d > 0, p[:, None], 1 - p[:, None]), axis=0)
            b = (1 - prior) * np.prod(np.where(d > 0, 1 - q[:, None], q[:, None]), axis=0)
            w = np.where(a + b > 0, a / np.where(a + b > 0, a + b, 1), w)
    return w.reshape(votes.shape[1:]), p, q


@st.composite
def drawn(draw):
    """Objects on canvases of their own: a list of (k, h, w) votes, some rows nothing drawn."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    objects = []
    for _ in range(draw(st.integers(1, 4))):
        height, width, k = (draw(st.integers(1, most)) for most in (9, 9, 5))
        base = random_mask(rng, height, width)
        votes = np.stack([base ^ (rng.random(base.shape) < 0.15) for _ in range(k)])
        votes[rng.random(k) < 0.15] = False
        objects.append(votes)
    return objects


def entries(objects):
    every, owner, row = [], [], []
    for i, votes in enumerate(objects):
        for one in votes:
            owner.append(i)
            row.append(len(every) if one.any() else -1)
            every.extend([one] if one.any() else [])
    return (shapes_of(every) if every else Shapes.empty(0)), np.array(owner), np.array(row)


@settings(max_examples=60)
@given(drawn(), st.sampled_from(["numpy", "numba"]), st.integers(0, 2**32 - 1))
def test_staple_is_the_em_over_all_pixels(objects, engine, seed):
    shapes, owner, row = entries(objects)
    order = np.random.default_rng(seed).permutation(len(owner))
    found = mask_consensus(
        shapes, owner[order], row[order], max_iterations=7, tol=-1, engine=engine
    )
    sensitivity, specificity = np.empty(len(order)), np.empty(len(order))
    sensitivity[order], specificity[order] = found.sensitivity, found.specificity
    assert {kind for kind, _, _ in mask_faults(found.shapes)} <= {"empty_mask"}
    for i, votes in enumerate(objects):
        if not votes.any():
            assert found.shapes.kind[i] == BOX_ONLY
            continue
        w, p, q = staple(votes, 7)
        sure = abs(w - 0.5) > 1e-9
        np.testing.assert_array_equal(unpacked(found.shapes, i)[sure], (w > 0.5)[sure])
        np.testing.assert_allclose(sensitivity[owner == i], p, atol=1e-9)
        np.testing.assert_allclose(specificity[owner == i], q, atol=1e-9)
        assert found.prior[i] == pytest.approx(votes.mean())


@given(drawn())
def test_majority_is_more_than_half_of_those_asked(objects):
    shapes, owner, row = entries(objects)
    found = mask_consensus(shapes, owner, row, method="majority")
    assert found.n_annotators.tolist() == [len(votes) for votes in objects]
    for i, votes in enumerate(objects):
        if votes.any():
            expected = 2 * votes.sum(axis=0) > len(votes)
            np.testing.assert_array_equal(unpacked(found.shapes, i), expected)
            total = np.diff(found.shapes.run_offsets)[i]
            assert found.shapes.runs_of(i).sum() == expected.size
            assert (found.shapes.runs_of(i)[1:] > 0).all()
            assert total >= 1


@given(drawn())
def test_patterns_are_the_same_counted_or_sorted(objects):
    shapes, owner, row = entries(objects)
    before = mask_consensus(shapes, owner, row)
    old = module.TABLE
    module.TABLE = -(1 << 40)
    try:
        after = mask_consensus(shapes, owner, row)
    finally:
        module.TABLE = old
    np.testing.assert_array_equal(before.shapes.runs, after.shapes.runs)
    np.testing.assert_array_equal(before.sensitivity, after.sensitivity)


def test_chunks_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    objects = [np.stack([random_mask(rng, 12, 15) for _ in range(4)]) for _ in range(9)]
    shapes, owner, row = entries(objects)
    for method in MASK_METHODS:
        whole = mask_consensus(shapes, owner, row, method=method, n_objects=10)
        monkeypatch.setattr(module, "CHUNK", 40)
        parts = mask_consensus(shapes, owner, row, method=method, n_objects=10)
        monkeypatch.undo()
        np.testing.assert_array_equal(whole.shapes.runs, parts.shapes.runs)
        assert whole.shapes.kind.tolist() == parts.shapes.kind.tolist()
        assert parts.shapes.kind[9] == BOX_ONLY


def signed(mask):
    if mask.all():
        return np.full(mask.shape, 1e9)
    inside, outside = (ndimage.distance_transform_edt(one) for one in (mask, ~mask))
    return np.where(mask, inside - 0.5, 0.5 - outside)


@given(drawn())
def test_the_mean_of_shapes_is_that_of_their_signed_distances(objects):
    for votes in objects:
        some = votes[votes.any(axis=(1, 2)) & ~votes.all(axis=(1, 2))]
        if not len(some):
            continue
        mean = np.mean([signed(one) for one in some], axis=0)
        height, width = some.shape[1:]
        found = Shapes.from_runs([mean_shape(shapes_of(some), (height, width))], [(height, width)])
        expected = np.where(abs(mean) < 1e-8, False, mean > 0)
        np.testing.assert_array_equal(unpacked(found, 0), expected)


def disc(radius, centre=(40, 50), canvas=(90, 100)):
    y, x = np.mgrid[: canvas[0], : canvas[1]] + 0.5
    return np.hypot(y - centre[0], x - centre[1]) < radius


def test_the_mean_of_two_outlines_lies_in_the_middle():
    shapes = shapes_of([disc(20), disc(24)])
    made = mask_consensus(shapes, [0, 0], [0, 1], method="shape_mean")
    assert made.shapes.kind.tolist() == [MASK]
    assert np.sqrt(unpacked(made.shapes, 0).sum() / np.pi) == pytest.approx(22, abs=0.25)


def polygon(radius, centre, n=60):
    angle = np.arange(n) * 2 * np.pi / n
    return [np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], 1)]


@pytest.mark.parametrize("size", [3.0, 20.0, 300.0])
def test_polygons_are_averaged_finer_than_pixels(size):
    radii = np.array([0.94, 1.0, 1.06]) * size
    shapes = Shapes.from_rings([polygon(one, (500.3, 400.7)) for one in radii])
    made = polygon_consensus(shapes, [0, 0, 0, 1, 2], [0, 1, 2, 1, -1])
    assert made.kind.tolist() == [1, 1, 0]
    area = polygon_areas(made)
    assert np.sqrt(area[0] / np.pi) == pytest.approx(size, rel=0.01)
    np.testing.assert_array_equal(made.rings(1)[0], shapes.rings(1)[0])
    np.testing.assert_allclose(made.rings(0)[0].mean(axis=0), [500.3, 400.7], atol=0.01 * size)


def test_somebody_who_missed_the_rest_has_a_low_sensitivity():
    whole, half = disc(20), disc(20)
    half[:, :50] = False
    found = mask_consensus(shapes_of([whole, whole, whole, half]), [0] * 4, [0, 1, 2, 3])
    np.testing.assert_allclose(found.sensitivity, [1, 1, 1, 0.5], atol=0.05)
    np.testing.assert_array_equal(unpacked(found.shapes, 0), whole)
    assert found.converged[0]


def test_what_is_refused():
    masks = shapes_of([disc(20), disc(9, canvas=(80, 100))])
    with pytest.raises(MatchError, match="canvases of different sizes"):
        mask_consensus(masks, [0, 0], [0, 1])
    with pytest.raises(UnknownNameError, match="did you mean 'staple'"):
        mask_consensus(masks, [0], [0], method="stapel")
    with pytest.raises(TableError, match="objects or rows"):
        mask_consensus(masks, [0], [2])
    with pytest.raises(TableError, match="too many annotators"):
        mask_consensus(masks, [0] * 63, [0] * 63)
    boxes = Shapes.from_rings([polygon(5, (9, 9))])
    with pytest.raises(MatchError, match="row 0 is a polygon"):
        mask_consensus(boxes, [0], [0])
    with pytest.raises(MatchError, match="row 0 is a mask"):
        polygon_consensus(masks, [0], [0])
    with pytest.raises(TableError, match="objects or rows"):
        polygon_consensus(boxes, [0], [1])
