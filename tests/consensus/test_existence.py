from __future__ import annotations

import math

import numpy as np
import pytest

from annqc.consensus.existence import existence
from annqc.consensus.objects import Asked, Objects
from tests.calibration.consensus import patterns


def objects_of(patterns_, n_asked, *, images=None):
    """Objects from lists of who drew each; annotators 0 to n - 1 were asked everywhere."""
    m = len(patterns_)
    image = np.arange(m) if images is None else np.array(images)
    counts = np.array([len(one) for one in patterns_], dtype=np.int64)
    n_images = int(image.max(initial=-1)) + 1
    return Objects(
        object=np.repeat(np.arange(m), counts),
        image=image,
        n_drawn=counts,
        n_asked=np.full(m, n_asked),
        category=np.zeros(m, dtype=np.int64),
        category_share=np.ones(m),
        asked=Asked(
            offsets=np.arange(n_images + 1) * n_asked,
            annotator=np.tile(np.arange(n_asked), n_images),
        ),
    ), np.array([a for one in patterns_ for a in one], dtype=np.int64)


def test_the_odds_are_those_of_the_model():
    rng = np.random.default_rng(0)
    objects, who, _, _ = patterns(rng, 6, 60, 6)
    found = existence(objects, who, 6, accuracy=1e-10, max_iter=5000)
    assert found.converged
    p, r, c = found.probability, found.recall, found.coincidence
    drew = [set(who[objects.object == o].tolist()) for o in range(len(objects))]
    unseen = math.prod(1 - one for one in r)
    rate_of_objects = sum(p) / (1 - unseen) / 60
    # who began a spurious object: their share of the rates among those who drew it
    f = np.full(6, 0.3)
    for _ in range(2000):
        began = [
            sum(
                (1 - p[o]) * f[a] / sum(f[b] for b in drew[o])
                for o in range(len(p))
                if a in drew[o]
            )
            for a in range(6)
        ]
        pooled = (sum(began) + 0.1) / 360
        fresh = np.array([(one + pooled) / 61 for one in began])
        if np.abs(fresh - f).max() < 1e-12:
            break
        f = fresh
    for o in range(0, len(p), 7):
        true = rate_of_objects * math.prod(r[a] if a in drew[o] else 1 - r[a] for a in range(6))
        k = len(drew[o])
        false = sum(f[a] for a in drew[o]) * c ** (k - 1) * (1 - c) ** (6 - k)
        assert p[o] == pytest.approx(true / (true + false), abs=1e-4)


def test_who_sees_well_counts_for_more_than_who_invents():
    rng = np.random.default_rng(1)
    objects, who, there, recall = patterns(rng, 12, 300, 5)
    found = existence(objects, who, 12)
    assert np.sqrt(np.mean((found.recall - recall) ** 2)) < 0.05
    wrong = np.mean((found.probability > 0.5) != there)
    assert wrong < 0.75 * np.mean((objects.n_drawn * 2 >= objects.n_asked) != there)
    assert found.identified.all()
    assert found.object_identified.all()


def test_the_names_of_annotators_do_not_matter():
    objects, who, _, _ = patterns(np.random.default_rng(2), 5, 40, 5)
    names = np.array([3, 0, 4, 1, 2])
    one, two = existence(objects, who, 5), existence(objects, names[who], 5)
    assert np.allclose(one.probability, two.probability, atol=1e-3)
    assert np.allclose(one.recall, two.recall[names], atol=1e-3)


def test_of_two_neither_is_blamed():
    drawn = [[0, 1]] * 30 + [[0]] * 15 + [[1]] * 2
    objects, who = objects_of(drawn, 2)
    found = existence(objects, who, 2)
    assert not found.identified.any()
    assert not found.object_identified.any()
    assert found.recall[0] == found.recall[1]
    assert len(set(found.probability[30:].round(9).tolist())) == 1
    assert found.probability[0] > 0.9 > found.probability[30]


def test_not_asked_is_no_evidence_and_nothing_drawn_is_none():
    objects, who = objects_of([[0, 1, 2]] * 20 + [[0]], 3)
    more = Objects(
        object=objects.object, image=objects.image, n_drawn=objects.n_drawn,
        n_asked=np.append(objects.n_asked[:-1], 1), category=objects.category,
        category_share=objects.category_share,
        asked=Asked(offsets=np.append(objects.asked.offsets[:-1], 61),
                    annotator=objects.asked.annotator[:61]),
    )  # fmt: skip
    missed = existence(objects, who, 3).probability[-1]
    assert existence(more, who, 3).probability[-1] > missed + 0.2
    nothing, nobody = objects_of([], 3)
    empty = existence(nothing, nobody, 3)
    assert empty.converged
    assert np.isnan(empty.recall).all()
