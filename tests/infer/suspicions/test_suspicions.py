from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annqc.infer.suspicions.contradicted import Opinions, contradicted, not_in_gold
from annqc.infer.suspicions.empty import drew_nothing
from annqc.infer.suspicions.sources import same_sources
from annqc.infer.suspicions.stamps import find_stamps
from tests.calibration.suspicious import copy_of, fleet, stacked, truth


def work(seed, n=6, *, images=20, sd=0.5, **how):
    rng = np.random.default_rng(seed)
    boxes, image = truth(rng, images, 5, 10, 20)
    return rng, fleet(rng, boxes, n, sd, **how), image


def pairs(found):
    return set(
        zip(found.left[found.named].tolist(), found.right[found.named].tolist(), strict=True)
    )


def test_expected_share_is_what_chance_makes():
    """Third parties predict how often two who work on their own draw the same box, or more."""
    _, drawn, image = work(1, 8, images=60)
    found = same_sources(stacked(drawn, image))
    looked_at = found.identical >= 2
    observed = found.identical[looked_at].sum() / found.n[looked_at].sum()
    assert observed < found.expected[looked_at].mean() < 3 * observed
    assert not found.named.any()


def test_three_who_accept_a_model_do_not_excuse_each_other():
    rng, drawn, image = work(2, 8, images=30)
    for who in (1, 4, 6):
        drawn[who] = copy_of(rng, drawn[7], drawn[who], 0.1)
    found = same_sources(stacked(drawn[:7], image))
    assert pairs(found) == {(1, 4), (1, 6), (4, 6)}


def test_on_whole_pixels_two_alone_are_never_named():
    _, drawn, image = work(3, 2)
    drawn[1] = drawn[0]
    assert not same_sources(stacked(drawn, image)).named.any()
    _, drawn, image = work(3, 2, pitch=0.0)
    drawn[1] = drawn[0]
    assert pairs(same_sources(stacked(drawn, image))) == {(0, 1)}


def test_two_identical_boxes_of_many_digits_are_enough_and_one_is_not():
    for n, expected in ((1, set()), (2, {(0, 1)})):
        _, drawn, image = work(4, pitch=0.0)
        drawn[1, :n] = drawn[0, :n]
        assert pairs(same_sources(stacked(drawn, image))) == expected


def test_who_is_known_to_have_drawn_the_gold_is_not_compared_with_it():
    _, drawn, image = work(5, pitch=0.0)
    drawn[5] = drawn[2]
    drawn[0] = drawn[1]
    data = stacked(drawn, image)
    assert pairs(same_sources(data, gold=5)) == {(2, 5), (0, 1)}
    assert pairs(same_sources(data, gold=5, known=data.author == 2)) == {(0, 1)}


def test_nothing_drawn():
    empty = stacked(np.empty((0, 4, 4)), np.arange(4))
    assert len(same_sources(empty).left) == len(find_stamps(empty).author) == 0


def test_order_of_rows_does_not_matter():
    rng, drawn, image = work(6)
    drawn[1] = copy_of(rng, drawn[0], drawn[1], 0.2)
    data = stacked(drawn, image)
    mixed = rng.permutation(len(data))
    again = replace(
        data, **{k: getattr(data, k)[mixed] for k in ("xyxy", "image", "author", "cluster", "size")}
    )
    one, other = same_sources(data), same_sources(again)
    assert pairs(one) == pairs(other) == {(0, 1)}
    np.testing.assert_allclose(one.p_value, other.p_value)


def test_a_size_that_others_draw_too_is_no_stamp():
    _, drawn, image = work(7, pitch=0.0)
    drawn[0, ::8, 2:] = drawn[0, ::8, :2] + [12.5, 14.25]
    found = find_stamps(stacked(drawn, image))
    assert found.author[found.named].tolist() == [0]
    assert (found.count.tolist(), found.n.tolist()) == ([13], [100])
    drawn[1:, ::8, 2:] = drawn[1:, ::8, :2] + [12.5, 14.25]
    assert not find_stamps(stacked(drawn, image)).named.any()


def test_stamps_need_several_images():
    _, drawn, image = work(8, 1, pitch=0.0)
    drawn[0, :10, 2:] = drawn[0, :10, :2] + 13.5  # ten boxes, all on two images
    assert not len(find_stamps(stacked(drawn, image)).author)


def said(offsets, drew=None, label=None):
    n, m = offsets.shape[:2]
    drew = np.ones((n, m), bool) if drew is None else drew
    label = np.zeros((n, m), int) if label is None else label
    item, who = np.divmod(np.arange(n * m), m)
    return Opinions(
        object=item,
        annotator=who,
        drew=drew.ravel(),
        label=np.where(drew, label, -1).ravel(),
        offsets=np.where(drew[..., None], offsets, np.nan).reshape(-1, 4),
    )


def test_contradictions_of_each_kind():
    rng = np.random.default_rng(9)
    offsets = rng.normal(0, 1, (200, 5, 4))
    offsets[7, :, 2] -= 9
    drew, label = np.ones((200, 5), bool), np.zeros((200, 5), int)
    drew[11] = False
    label[13] = 2
    found = contradicted(said(offsets, drew, label), np.full((200, 4), 2.0), np.zeros(200, int))
    listed = {o: (k, e, a) for o, k, e, a in zip(
        found.object.tolist(), found.kind.tolist(), found.edge.tolist(), found.against.tolist(),
        strict=True,
    )}  # fmt: skip
    assert listed == {7: (0, 2, 5), 11: (2, -1, 5), 13: (1, -1, 5)}
    assert found.named.all()
    assert found.far[found.object == 7] == pytest.approx(-9, abs=1.5)
    assert found.label[found.object == 13].tolist() == [2]


def test_what_all_draw_alike_everywhere_is_no_contradiction():
    offsets = np.random.default_rng(10).normal(0, 1, (100, 5, 4))
    offsets[:, :, 1] += 4
    found = contradicted(said(offsets), np.full((100, 4), 2.0), np.zeros(100, int))
    assert not found.named.any()


def test_two_annotators_contradict_nothing():
    offsets = np.random.default_rng(11).normal(0, 1, (100, 2, 4))
    offsets[:5] += 30
    assert not len(contradicted(said(offsets), np.ones((100, 4)), np.zeros(100, int)).object)


def test_objects_that_the_gold_lacks():
    rng = np.random.default_rng(12)
    who, image = np.divmod(np.arange(5 * 40), 40)
    place = np.array([10.0, 10, 30, 30])
    boxes = place + rng.normal(0, 0.5, (4, 4))
    found = not_in_gold(np.full(4, 3), np.arange(4), boxes, image, who)
    assert (found.against.tolist(), found.asked.tolist(), found.named.tolist()) == (
        [4],
        [5],
        [True],
    )
    apart = boxes + 40 * np.arange(4)[:, None]
    assert not len(not_in_gold(np.full(4, 3), np.arange(4), apart, image, who).object)


def test_empty_images_of_one_are_compared_with_those_of_others():
    who, image = np.divmod(np.arange(6 * 50), 50)
    nobody = image < 10  # nothing is there: everybody leaves these empty
    drew = ~nobody & ~((who == 4) & (image % 3 == 0))
    found = drew_nothing(who, image, drew, np.zeros(300, bool), cluster=image, n_annotators=7)
    assert found.rate.trials.tolist() == [40] * 6 + [0]
    assert found.rate.events.tolist() == [0, 0, 0, 0, 13, 0, 0]
    assert found.named.tolist() == [False] * 4 + [True] + [False] * 2
    assert found.rate.low[4] > 0.15
    assert np.isnan(found.p_value[6])
