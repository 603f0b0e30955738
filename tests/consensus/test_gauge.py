"""Where zero is without gold: who has a say in it, and which teams do not share it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.consensus.gauge import gauge_weights, teams, weighted_median
from annqc.consensus.twoway import fit_twoway
from annqc.consensus.uncertainty import disagreements, offset_uncertainty
from tests.calibration.consensus import covers, drawn


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1, max_size=8))
def test_weighted_median_is_that_of_repeated_values(pairs):
    repeated = sorted(value for value, weight in pairs for _ in range(weight))
    if not repeated:
        return
    values, weight = np.array(pairs, dtype=float).T
    assert weighted_median(values, weight) == np.median(repeated)
    both = weighted_median(np.stack([values, -values], axis=1), weight)
    assert both.tolist() == [np.median(repeated), -np.median(repeated)]


def test_who_hardly_drew_has_no_say_and_copies_have_one():
    n = np.array([60, 20, 4, 60, 60, 3])
    got = gauge_weights(n, np.array([0, 0, 0, 0, 0, 1]), np.array([0, 1, 2, 3, 0, 5]))
    assert got == pytest.approx(np.array([0.75, 1, 0, 1.5, 0.75, 4]) / 4)


def two_teams(n_bridges, people=3, n=30):
    """Draw n objects by either team, and some by the first of both."""
    who = [[t * people + a for a in range(people)] for t in (0, 1) for _ in range(n)]
    who += [[0, people]] * n_bridges
    object = np.repeat(np.arange(len(who)), [len(one) for one in who])
    return object, np.concatenate(who)


@pytest.mark.parametrize(("n_bridges", "per_image", "apart"), [(1, 1, 1), (4, 1, 1), (5, 1, 0)])
def test_teams_are_apart_below_five_images(n_bridges, per_image, apart):
    object, who = two_teams(n_bridges)
    got = teams(object, who, np.arange(object.max() + 1) // per_image, 6)
    assert (got[0] != got[3]) == apart
    assert len(set(got[:3].tolist())) == len(set(got[3:].tolist())) == 1


def test_ten_objects_of_one_image_are_one_link():
    object, who = two_teams(10)
    image = np.minimum(np.arange(object.max() + 1), 60)
    assert teams(object, who, image, 6)[0] != teams(object, who, image, 6)[3]


def test_many_who_each_drew_little_are_one_crowd():
    rng = np.random.default_rng(0)
    who = np.concatenate([rng.permutation(60)[:3] for _ in range(120)])
    assert not teams(np.repeat(np.arange(120), 3), who, np.arange(120), 60).any()


def test_weakly_linked_teams_each_have_a_median_and_keep_all_objects():
    rng = np.random.default_rng(1)
    object, who = two_teams(1)
    image = np.arange(61)
    corner = rng.uniform(0, 500, (61, 2))
    true = np.concatenate([corner, corner + 30], axis=1)
    boxes = true[object] + rng.normal(0, 1, (len(object), 4))
    boxes[-1] += 20  # the one link is a gross error
    fit = fit_twoway(boxes, object, who, image=image)
    assert fit.links.split.all()
    assert fit.links.component.tolist() == [0] * 3 + [1] * 3
    assert np.abs(fit.offset).max() < 0.9
    assert np.isfinite(fit.edges).all()
    assert fit.edges[60].tolist() == boxes[-2:].mean(axis=0).tolist()
    joint = fit_twoway(boxes, object, who)
    assert np.abs(joint.offset).max() > 1.2


def test_two_with_many_images_say_where_zero_is():
    rng = np.random.default_rng(2)
    image = np.arange(60)
    who = np.concatenate([[0, 1, *([2 + g] if g < 4 else [])] for g in range(60)])
    object = np.concatenate([[g] * (3 if g < 4 else 2) for g in range(60)])
    corner = rng.uniform(0, 500, (60, 2))
    boxes = np.concatenate([corner, corner + 40], axis=1)[object]
    boxes += rng.normal(0, 1, boxes.shape)
    boxes[who > 1] += [-15, -15, 15, 15]
    fit = fit_twoway(boxes, object, who, image=image)
    assert np.abs(fit.offset[:2]).max() < 1
    assert (fit.offset[2:] > 8).all()


def test_copies_make_no_majority():
    rng = np.random.default_rng(3)
    offset = np.zeros((2, 4))
    offset[0] = 8.0
    boxes, object, who, *_ = drawn(rng, 100, 2, 2, offset=offset, spread=0.0)
    copy = who == 0
    boxes = np.concatenate([boxes, boxes[copy]])
    object, who = np.append(object, object[copy]), np.append(who, np.full(copy.sum(), 2))
    image = np.arange(100) // 5
    three = fit_twoway(boxes, object, who, image=image)
    assert three.links.status.tolist() == ["ok"] * 3
    fit = fit_twoway(boxes, object, who, image=image, same_source=np.array([0, 1, 0]))
    assert fit.links.status.tolist() == ["two_annotators"] * 3
    assert fit.offset[0] == pytest.approx(-fit.offset[1])
    pairs = disagreements(fit, offset_uncertainty(fit, image))
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0, 1], [1, 2])
    assert np.abs(pairs.difference[:, 0] - [8, -8]).max() < 1
    one = fit_twoway(boxes, object, who, same_source=np.zeros(3, dtype=int))
    assert one.links.status.tolist() == ["one_source"] * 3


@pytest.mark.parametrize(("n_gold", "known"), [(1, False), (6, True)])
def test_gold_of_one_image_leaves_zero_unsure(n_gold, known):
    rng = np.random.default_rng(4)
    boxes, object, who, true, _ = drawn(rng, 200, 3, 3, offset=np.zeros((3, 4)), sd=3.0)
    image = np.arange(200) // 5
    gold = np.where(image[:, None] < n_gold, true, np.nan)
    got = offset_uncertainty(fit_twoway(boxes, object, who, gold=gold), image)
    assert got.n_gold.tolist() == [n_gold] * 3
    assert got.df.tolist() == [n_gold - 1] * 3
    assert np.isfinite(got.se).all() == known


@pytest.mark.parametrize("people", [3, 4])
def test_intervals_from_a_median_of_few_hold_what_they_promise(people):
    rng = np.random.default_rng(people)
    offset = np.zeros((people, 4))
    offset[0] = 6.0
    image, held = np.arange(100) // 5, []
    for _ in range(60):
        boxes, object, who, *_ = drawn(rng, 100, people, people, offset=offset, sd=2.0, spread=0.0)
        got = offset_uncertainty(fit_twoway(boxes, object, who, image=image), image)
        held.append(covers(got, offset)[0])
        assert (got.se > 0).all()
    assert np.mean(held) >= 0.90
