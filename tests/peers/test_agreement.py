"""Agreement and consensus give what other programs give, where they mean the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import annqc
from annqc.consensus.labels import label_consensus
from annqc.consensus.masks import mask_consensus
from annqc.geometry.masks import crop
from annqc.infer.agreement import alphas
from annqc.measure.alpha import alpha_nominal
from annqc.measure.couples import couples, paired
from tests.geometry.drawn_masks import shapes_of


def table_of(unit, category, rater, n_raters):
    """A reliability table as `krippendorff` takes it: raters by units, NaN for not asked."""
    table = np.full((n_raters, unit.max() + 1), np.nan)
    table[rater, unit] = category
    return table


@pytest.mark.parametrize("seed", range(6))
def test_nominal_alpha(seed):
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(seed)
    n, raters, k = 300, 2 + seed, 2 + 3 * seed
    asked = rng.random((n, raters)) < 0.7
    unit, rater = np.nonzero(asked)
    truth = rng.integers(-1, k, n)
    category = np.where(rng.random(len(unit)) < 0.7, truth[unit], rng.integers(-1, k, len(unit)))
    expected = krippendorff.alpha(
        reliability_data=table_of(unit, category, rater, raters),
        level_of_measurement="nominal",
    )
    found = alphas(alpha_nominal(unit, category))
    assert found.estimate[0] == pytest.approx(expected, abs=1e-12)


def test_nominal_alpha_of_boxes_that_real_people_drew(shared_data):
    """The two who share most images; what one of them did not draw is a category of its own."""
    krippendorff = pytest.importorskip("krippendorff")
    data = annqc.read(shared_data / "crowd_boxes" / "workers.json")
    who = couples(data)
    pair = who.first * len(data.annotator_ids) + who.second
    chosen = who.take(pair == np.bincount(pair).argmax())
    (found,) = paired(chosen, data.table.xyxy, at_least=(0.5,))
    alone = int((chosen.n_first + chosen.n_second).sum()) - 2 * len(found.iou)
    category = np.concatenate([
        data.table.category[np.stack([found.first, found.second], axis=1)].ravel(),
        np.tile([0, -1], alone),
    ])  # fmt: skip
    unit = np.repeat(np.arange(len(category) // 2), 2)
    rater = np.tile([0, 1], len(unit) // 2)
    expected = krippendorff.alpha(
        reliability_data=table_of(unit, category, rater, 2), level_of_measurement="nominal"
    )
    assert alphas(alpha_nominal(unit, category)).estimate[0] == pytest.approx(expected, abs=1e-12)


def test_staple_pixel_for_pixel():
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(7)
    for _ in range(12):
        height, width, k = 40, 50, int(rng.integers(2, 8))
        base = ndimage.gaussian_filter(rng.normal(size=(height, width)), 4)
        noise = [ndimage.gaussian_filter(rng.normal(size=base.shape), 2) for _ in range(k)]
        votes = [base + 0.25 * one > 0.03 for one in noise]
        staple = sitk.STAPLEImageFilter()
        staple.SetForegroundValue(1)
        expected = sitk.GetArrayFromImage(
            staple.Execute([sitk.GetImageFromArray(one.astype(np.uint8)) for one in votes])
        )
        found = mask_consensus(shapes_of(votes), [0] * k, range(k))
        np.testing.assert_array_equal(crop(found.shapes, 0, (0, 0, width, height)), expected > 0.5)
        np.testing.assert_allclose(found.sensitivity, staple.GetSensitivity(), atol=2e-5)
        np.testing.assert_allclose(found.specificity, staple.GetSpecificity(), atol=2e-5)


def test_plain_dawid_skene():
    peer = pytest.importorskip("crowdkit.aggregation.classification.dawid_skene")
    import pandas as pd

    rng = np.random.default_rng(8)
    n, a, k = 400, 8, 6
    truth = rng.integers(0, k, n)
    item, who = np.nonzero(rng.random((n, a)) < 0.6)
    said = np.where(rng.random(len(item)) < 0.7, truth[item], rng.integers(0, k, len(item)))
    frame = pd.DataFrame({"task": item, "worker": who, "label": said})
    model = peer.DawidSkene(n_iter=12, tol=-np.inf).fit(frame)
    found = label_consensus(
        *(item, who, said), n_items=n, n_labels=k,
        method="dawid_skene", max_iterations=12, tol=-1,
    )  # fmt: skip
    tasks = model.probas_.index.to_numpy()
    np.testing.assert_array_equal(found.label[tasks], model.labels_.loc[tasks].to_numpy())
    top = model.probas_.max(axis=1).to_numpy()
    np.testing.assert_allclose(found.probability[tasks], top, atol=1e-5)
    errors = model.errors_.sort_index()
    for (worker, label), row in errors.iterrows():
        np.testing.assert_allclose(
            found.confusion[worker, :, label], row.sort_index().to_numpy(), atol=1e-5
        )
