import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.difficulty import two_way_skills


def least_squares(score, annotator, image, n_annotators):
    """Fit dummies of annotators and images by brute force; only contrasts are identified."""
    n_images = image.max() + 1
    design = np.zeros((len(score), n_annotators + n_images))
    design[np.arange(len(score)), annotator] = 1
    design[np.arange(len(score)), n_annotators + image] = 1
    return np.linalg.lstsq(design, score, rcond=None)[0][:n_annotators]


@given(seed=st.integers(0, 300))
def test_contrasts_are_least_squares(seed):
    rng = np.random.default_rng(seed)
    a, images = int(rng.integers(2, 6)), int(rng.integers(2, 9))
    drawn = rng.random((a, images)) < 0.7
    annotator, image = np.nonzero(drawn)
    if len(annotator) == 0:
        return
    score = rng.normal(size=len(annotator))
    found = two_way_skills(score, annotator, image, a)
    fitted = least_squares(score, annotator, image, a)
    for label in range(found.component.max() + 1):
        rows = np.flatnonzero(found.component == label)
        np.testing.assert_allclose(np.diff(found.adjusted[rows]), np.diff(fitted[rows]), atol=1e-8)


def test_the_hard_images_are_not_held_against_anyone():
    # Two annotators of equal skill; one got the hard images, and they share a few of both kinds.
    ease = np.array([0.9] * 20 + [0.5] * 20)
    first, second = np.r_[0:20, 20:24], np.r_[20:40, 0:4]
    annotator = np.repeat([0, 1], [len(first), len(second)])
    image = np.concatenate([first, second])
    found = two_way_skills(ease[image], annotator, image, 2)
    raw = [ease[first].mean(), ease[second].mean()]
    assert raw[0] - raw[1] > 0.2
    assert found.adjusted[0] == pytest.approx(found.adjusted[1])


def test_standard_errors_cover():
    rng = np.random.default_rng(0)
    truth = np.array([0.0, 0.3, -0.1, 0.2])
    hits = 0
    for _ in range(400):
        drawn = rng.random((4, 40)) < 0.6
        annotator, image = np.nonzero(drawn)
        score = truth[annotator] + rng.normal(0, 1, 40)[image] + rng.normal(0, 0.2, len(image))
        found = two_way_skills(score, annotator, image, 4)
        centred = found.adjusted - found.adjusted.mean()
        hits += (np.abs(centred - (truth - truth.mean())) < 1.96 * found.se).sum()
    assert 0.92 < hits / 1600 < 0.975


def test_islands_are_not_compared():
    annotator, image = np.array([0, 1, 2, 3, 4]), np.array([0, 0, 1, 1, 2])
    found = two_way_skills(np.arange(5.0), annotator, image, 6)
    assert found.component.tolist() == [0, 0, 1, 1, -1, -1]
    assert np.isnan(found.adjusted[4:]).all()
    assert np.isnan(found.se).all()  # nothing is left over to estimate an error from


def test_a_lone_bridge_is_weak():
    # Five annotators share forty images; the sixth shares one.
    annotator = np.concatenate([np.repeat(np.arange(5), 40), [5]])
    image = np.concatenate([np.tile(np.arange(40), 5), [0]])
    found = two_way_skills(np.zeros(len(image)), annotator, image, 6)
    assert found.weak.tolist() == [False] * 5 + [True]


def test_more_pairs_than_a_block_holds(monkeypatch):
    rng = np.random.default_rng(7)
    annotator, image = np.nonzero(rng.random((4, 50)) < 0.6)
    score = rng.normal(size=len(image))
    whole = two_way_skills(score, annotator, image, 4)
    monkeypatch.setattr("annqc.infer.difficulty.BLOCK", 7)
    blocks = two_way_skills(score, annotator, image, 4)
    np.testing.assert_allclose(blocks.adjusted, whole.adjusted)
    np.testing.assert_allclose(blocks.se, whole.se)
