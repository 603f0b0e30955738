from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.consensus.others import leave_one_out
from annqc.consensus.twoway import SIGNS, T4_TO_SD, fit_twoway
from annqc.consensus.uncertainty import disagreements, offset_uncertainty
from annqc.errors import TableError, UnknownNameError
from tests.calibration.consensus import beyond, drawn
from tests.consensus.oracles import two_way


def small(seed=0, *, n=30, k=3, people=5, gross=0.03, **options):
    return drawn(np.random.default_rng(seed), n, k, people, gross=gross, **options)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("with_gold", [False, True])
def test_equal_to_the_slow_fit(engine, with_gold):
    boxes, object, who, true, _ = small()
    gold = np.full((30, 4), np.nan)
    gold[[1, 4, 9]] = true[[1, 4, 9]]
    fit = fit_twoway(
        boxes, object, who, gold=gold if with_gold else None, accuracy=1e-9, max_iter=2000,
        engine=engine,
    )  # fmt: skip
    assert fit.converged.all()
    for e, sign in enumerate(SIGNS):
        known = {o: sign * gold[o, e] for o in (1, 4, 9)} if with_gold else None
        x, h = (sign * boxes[:, e]).tolist(), fit.tolerance[:, e].tolist()
        mu, b, s, variance, om = two_way(x, h, who.tolist(), object.tolist(), known, n_iter=3000)
        close = pytest.approx
        assert fit.offset[:, e].tolist() == close([b[a] for a in range(5)], abs=1e-5)
        assert fit.scale[:, e].tolist() == close([s[a] for a in range(5)], abs=1e-5)
        assert (sign * fit.edges[:, e]).tolist() == close([mu[o] for o in range(30)], abs=1e-4)
        wanted = [variance[o] ** 0.5 for o in range(30)]
        assert fit.se[:, e].tolist() == close(wanted, abs=1e-4)
        assert fit.weight[:, e].tolist() == close([om[i] for i in range(len(x))], abs=1e-4)


def test_gv16_noise_free_offsets_are_recovered():
    rng = np.random.default_rng(0)
    offset = np.repeat([[0.0], [2.0], [-1.0], [0.5]], 4, axis=1)
    boxes, object, who, *_ = drawn(rng, 30, 3, 4, offset=offset, sd=0.0)
    fit = fit_twoway(boxes, object, who)
    wanted = offset - np.median(offset, axis=0)
    assert np.abs(fit.offset - wanted).max() < 1e-4


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_order_of_rows_and_names_do_not_matter(seed, random):
    boxes, object, who, *_ = small(seed, n=20)
    order = list(range(len(who)))
    random.shuffle(order)
    names = np.array(random.sample(range(5), 5))
    options = {"accuracy": 1e-9, "max_iter": 3000}
    one = fit_twoway(boxes, object, who, **options)
    two = fit_twoway(boxes[order], object[order], names[who[order]], **options)
    assert np.allclose(one.offset, two.offset[names], atol=1e-4)
    assert np.allclose(one.edges, two.edges, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-300, 300), st.floats(0.25, 4))
def test_moved_and_scaled_boxes_move_and_scale_the_consensus(seed, by, times):
    boxes, object, who, *_ = small(seed, n=20)
    one = fit_twoway(boxes, object, who, accuracy=1e-9, max_iter=3000)
    moved = fit_twoway(boxes + by, object, who, accuracy=1e-9, max_iter=3000)
    assert np.allclose(moved.edges, one.edges + by, atol=1e-3)
    assert np.allclose(moved.offset, one.offset, atol=1e-4)
    scaled = fit_twoway(
        boxes * times, object, who, tolerance=one.tolerance * times, accuracy=1e-9 * times,
        max_iter=3000,
    )  # fmt: skip
    assert np.allclose(scaled.edges, one.edges * times, atol=4e-3)
    assert np.allclose(scaled.scale, one.scale, atol=1e-3)


def test_the_median_offset_is_zero_whatever_all_do():
    boxes, object, who, *_ = small()
    one = fit_twoway(boxes, object, who)
    two = fit_twoway(boxes + 2 * SIGNS, object, who, tolerance=one.tolerance)
    assert np.abs(np.median(one.offset, axis=0)).max() < 1e-9
    assert np.allclose(one.offset, two.offset, atol=1e-4)


def test_gold_fixes_the_level():
    rng = np.random.default_rng(2)
    boxes, object, who, true, offset = drawn(rng, 300, 3, 10)
    gold = np.where(np.arange(300)[:, None] < 15, true, np.nan)
    free, tied = fit_twoway(boxes, object, who), fit_twoway(boxes, object, who, gold=gold)
    assert tied.links.anchored.all()
    wrong = [np.sqrt(((SIGNS * (fit.edges - true)) ** 2).mean()) for fit in (free, tied)]
    assert wrong[1] < 1.2 < 1.6 < wrong[0]
    assert np.abs(tied.offset - offset).mean() < 0.5


def test_offsets_in_tolerances_grow_with_the_object():
    rng = np.random.default_rng(4)
    corner = rng.uniform(0, 900, (200, 2))
    true = np.concatenate([corner, corner + rng.uniform(50, 400, (200, 2))], axis=1)
    offset = np.zeros((4, 4))
    offset[0, 3] = 2.0
    tol = np.maximum(1, 0.02 * np.tile(true[:, 2:] - true[:, :2], 2))
    object, who = np.repeat(np.arange(200), 4), np.tile(np.arange(4), 200)
    noise = 0.3 * rng.standard_normal((800, 4))
    boxes = true[object] + SIGNS * tol[object] * (offset[who] + noise)
    fit = fit_twoway(boxes, object, who, unit="tolerance")
    assert np.abs(fit.offset - offset).max() < 0.15
    assert np.abs(fit.sd / 0.3 - 1).max() < 0.35
    assert np.abs(fit.edges - true).mean() < 0.2 * tol.mean()


def test_two_annotators_disagree_and_nobody_is_named():
    rng = np.random.default_rng(0)
    offset = np.zeros((3, 4))
    offset[1, 0] = 3.0
    boxes, object, who, *_ = drawn(rng, 60, 2, 2, offset=offset[:2], sd=0.5)
    alone = rng.uniform(0, 9, (1, 2))
    boxes = np.concatenate([boxes, np.concatenate([alone, alone + 20], axis=1)])
    object, who = np.append(object, 60), np.append(who, 2)
    fit = fit_twoway(boxes, object, who)
    assert fit.links.status.tolist() == ["two_annotators", "two_annotators", "not_linked"]
    assert np.isnan(fit.sd).all()
    assert fit.offset[0, 0] == pytest.approx(-fit.offset[1, 0])
    assert np.isnan(fit.offset[2]).all()
    assert fit.edges[60].tolist() == boxes[-1].tolist()
    assert np.isnan(fit.se[60]).all()
    got = disagreements(fit, offset_uncertainty(fit, np.arange(61) // 5))
    assert (got.first.tolist(), got.second.tolist()) == ([0], [1])
    assert got.difference[0, 0] == pytest.approx(-3, abs=4 * got.se[0, 0])
    assert abs(got.difference[0, 3]) < 4 * got.se[0, 3]


def test_in_a_graph_without_odd_cycles_only_sums_of_squares_are_known():
    rng = np.random.default_rng(0)
    true = np.tile([10.0, 10, 40, 40], (400, 1)) + rng.uniform(0, 300, (400, 1))
    object = np.repeat(np.arange(400), 2)
    pairs = np.array([[0, 2], [0, 3], [1, 2], [1, 3]])  # a cycle of four
    who = pairs[np.arange(400) % 4].ravel()
    sd = np.array([0.5, 0.5, 2.0, 2.0])
    boxes = true[object] + sd[who, None] * rng.standard_normal((800, 4))
    fit = fit_twoway(boxes, object, who)
    assert set(fit.links.status.tolist()) == {"pair_sums"}
    assert np.isnan(fit.sd).all()
    first, second = pairs.T
    spread = np.hypot(fit.scale[first], fit.scale[second]) / T4_TO_SD
    assert np.abs(spread / np.hypot(0.5, 2) - 1).max() < 0.25
    assert not fit.links.odd_cycle.any()


def test_gross_errors_weigh_little_and_two_far_apart_are_contested():
    boxes, object, who, *_ = small(gross=0.0, n=60)
    boxes[7, 2] += 60
    fit = fit_twoway(boxes, object, who)
    assert fit.outlying[7]
    assert fit.outlying.mean() < 0.05
    assert fit.weight[7, 2] < 0.01
    assert np.abs(fit.edges[2, 2] - np.delete(boxes[6:9, 2], 1).mean()) < 4
    two = np.ones(len(who), dtype=bool)
    two[8] = False  # that object is left with two, 60 px apart
    fit = fit_twoway(boxes[two], object[two], who[two])
    assert np.argwhere(fit.contested).tolist() == [[2, 2]]


def test_components_are_apart():
    one, two = small(1), small(2)
    boxes = np.concatenate([one[0], two[0]])
    object, who = np.concatenate([one[1], two[1] + 30]), np.concatenate([one[2], two[2] + 5])
    fit = fit_twoway(boxes, object, who, accuracy=1e-8, max_iter=1000)
    assert fit.links.component.tolist() == [0] * 5 + [1] * 5
    assert np.abs(np.median(fit.offset.reshape(2, 5, 4), axis=1)).max() < 1e-9
    got = offset_uncertainty(fit, np.arange(60) // 3)
    assert (got.se > 0).all()


def test_large_components_give_nearly_the_same_errors():
    boxes, object, who, true, _ = small(3, n=300, people=14)
    gold = np.where(np.arange(300)[:, None] < 20, true, np.nan)
    for options in ({}, {"gold": gold}):
        fit = fit_twoway(boxes, object, who, **options)
        image = np.arange(300) // 5
        exact = offset_uncertainty(fit, image)
        by_draws = offset_uncertainty(fit, image, dense=1, n_draws=4000)
        assert np.abs(by_draws.se / exact.se - 1).max() < 0.08


def test_an_annotator_of_one_image_has_no_error():
    boxes, object, who, *_ = small(3, n=40, people=4)
    image = np.where(np.arange(40) < 39, np.arange(40) // 4, 99)
    new = np.concatenate([boxes, boxes[-1:] + 1])
    fit = fit_twoway(new, np.append(object, 39), np.append(who, 4))
    got = offset_uncertainty(fit, image)
    assert got.n_images[4] == 1
    assert np.isnan(got.se[4]).all()
    assert np.isfinite(got.se[:4]).all()


def test_without_the_own_vote_is_a_fit_of_the_others():
    boxes, object, who, *_ = small()
    fit = fit_twoway(boxes, object, who)
    others = leave_one_out(fit, boxes)
    row = 10
    mates = np.flatnonzero((object == object[row]) & (np.arange(len(who)) != row))
    for e, sign in enumerate(SIGNS):
        precision = (
            fit.weight[mates, e] / (fit.scale[who[mates], e] * fit.tolerance[object[row], e]) ** 2
        )
        wanted = (precision * (sign * boxes[mates, e] - fit.offset[who[mates], e])).sum()
        wanted /= precision.sum()
        assert sign * others.edges[row, e] == pytest.approx(wanted)
        assert others.se[row, e] == pytest.approx(precision.sum() ** -0.5)


def test_a_plain_leave_one_out_accuses_the_innocent_and_this_does_not():
    rng = np.random.default_rng(9)
    offset = np.zeros((3, 4))
    offset[2, 0] = 3.0
    plain, ours = [], []
    for _ in range(20):
        boxes, object, who, *_ = drawn(rng, 150, 3, 3, offset=offset)
        fit = fit_twoway(boxes, object, who)
        others = leave_one_out(fit, boxes).edges
        for a in range(2):
            rest = np.median(boxes[who != a].reshape(150, 2, 4), axis=1)
            for found, edges in ((plain, rest[object[who == a]]), (ours, others[who == a])):
                out = SIGNS[0] * (boxes[who == a] - edges)[:, 0]
                se = out.std(ddof=1) / np.sqrt(150)
                found.append(beyond(out.mean(), se, 149, 1.0) < 0.05)
    assert np.mean(plain) > 0.3
    assert np.mean(ours) <= 0.05


def test_nothing_to_fit():
    fit = fit_twoway(np.empty((0, 4)), np.empty(0, int), np.empty(0, int), n_annotators=2)
    assert fit.links.status.tolist() == ["not_linked"] * 2
    assert fit.edges.shape == (0, 4)
    assert fit.converged.all()
    got = offset_uncertainty(fit, np.empty(0, int))
    assert got.n_images.tolist() == [0, 0]


def test_what_cannot_be_fitted_is_refused():
    box, zero = np.array([[0.0, 0, 1, np.nan]]), np.zeros(1, int)
    with pytest.raises(TableError, match="not finite"):
        fit_twoway(box, zero, zero)
    with pytest.raises(TableError, match="do not fit together"):
        fit_twoway(box[:, :3], zero, zero)
    with pytest.raises(UnknownNameError, match="no unit 'pixel'"):
        fit_twoway(box, zero, zero, unit="pixel")
