"""Pairs of masks give what other programs give: pycocotools, boundary IoU as published, others.

surface-distance is compared as installed. What MedPy and MONAI compute is written out with scipy,
on the whole image, so that neither has to be there; where MONAI is there, it is asked itself.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from annqc.geometry.mask_pairs import (
    boundary_iou,
    contour_offsets,
    mask_overlap,
    surface_distances,
)
from annqc.kernels.surfaces import window
from tests.geometry.drawn_masks import blob, random_mask, shapes_of

coco = pytest.importorskip("pycocotools.mask")

FOLDER = "bubil_masks/BU-BIL_Dataset4"


def made_up():
    """Noise, blobs, full and empty masks on canvases of many sizes."""
    rng = np.random.default_rng(21)
    pairs = []
    for _ in range(80):
        height, width = rng.integers(1, 60, 2)
        pairs.append([random_mask(rng, height, width) for _ in range(2)])
    return pairs + [blob(rng, rng.uniform(20, 110)) for _ in range(2)]


def real(shared_data, most):
    """Gold and an expert of the same image, where both have the same canvas."""
    pairs = []
    for path in sorted((shared_data / FOLDER / "GoldStandard").glob("*.png")):
        if len(pairs) == most:
            break
        both = [
            cv2.imread(str(one), cv2.IMREAD_GRAYSCALE)
            for one in (path, shared_data / FOLDER / "ExpertsAnnotations/Expert1" / path.name)
        ]
        if all(one is not None for one in both) and both[0].shape == both[1].shape:
            pairs.append([one == 0 for one in both])  # the object is black there
    return pairs


@pytest.fixture(params=["made up", "real"])
def pairs(request):
    if request.param == "made up":
        return made_up()
    return real(request.getfixturevalue("shared_data"), 6)


def compared(function, pairs, **options):
    rows = np.arange(len(pairs))
    left, right = (shapes_of([pair[k] for pair in pairs]) for k in range(2))
    return function(left, right, rows, rows, engine="numba", **options)


def encoded(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


def test_the_real_pairs_differ_and_resemble_each_other(shared_data):
    found = compared(mask_overlap, real(shared_data, 6))
    assert len(found.iou) == 6
    assert ((found.iou > 0.7) & (found.iou < 1)).all()


def test_mask_iou_is_that_of_pycocotools_to_the_last_bit(pairs):
    for crowd in (0, 1):
        found = compared(mask_overlap, pairs, crowd=np.full(len(pairs), crowd))
        theirs = [
            # pycocotools takes candidates first, and says 0 of two empty masks
            coco.iou([encoded(two)], [encoded(one)], [crowd])[0, 0]
            for one, two in pairs
        ]
        defined = ~np.isnan(found.iou)
        assert found.iou[defined].tolist() == np.array(theirs)[defined].tolist()
        assert defined.sum() > 5
    assert found.reference_area.tolist() == [int(coco.area(encoded(one))) for one, _ in pairs]


def published_boundary(mask, ratio=0.02):
    """Cheng et al.: the mask less its erosion, on an image with a border of background."""
    height, width = mask.shape
    dilation = max(round(ratio * np.sqrt(height**2 + width**2)), 1)
    image = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(image, np.ones((3, 3), dtype=np.uint8), iterations=dilation)
    return mask.astype(np.uint8) - eroded[1 : height + 1, 1 : width + 1]


@pytest.mark.parametrize("ratio", [0.02, 0.005, 0.1])
def test_boundary_iou_is_the_published_one(pairs, ratio):
    boundaries = compared(boundary_iou, pairs, ratio=ratio)
    lesser = compared(boundary_iou, pairs, ratio=ratio, lesser=True)
    kept = np.flatnonzero(~np.isnan(boundaries.iou))
    assert len(kept) > 5
    for k in kept.tolist():
        bands = [encoded(published_boundary(one, ratio)) for one in pairs[k]]
        boundary = coco.iou([bands[1]], [bands[0]], [0])[0, 0]
        whole = coco.iou([encoded(pairs[k][1])], [encoded(pairs[k][0])], [0])[0, 0]
        assert boundaries.iou[k] == boundary
        assert lesser.iou[k] == min(boundary, whole)


def both_ways(one, two, *, diagonal, spacing=(1, 1)):
    """Distances between the borders of two masks, by distance transforms of the whole image."""
    around = ndimage.generate_binary_structure(2, 2 if diagonal else 1)
    borders = [mask ^ ndimage.binary_erosion(mask, around) for mask in (one, two)]
    maps = [ndimage.distance_transform_edt(~border, sampling=spacing) for border in borders]
    return maps[1][borders[0]], maps[0][borders[1]]


@pytest.mark.parametrize("spacing", [(1, 1), (0.7, 1.9)])
@pytest.mark.parametrize("border", ["eight", "four"])
def test_distances_are_those_of_medpy_and_monai(pairs, border, spacing):
    options = {"border": border, "spacing": spacing, "tolerance": 1.5}
    found = compared(surface_distances, pairs, **options)
    pooled = compared(surface_distances, pairs, pooled=True, **options)
    n = 0
    for k, (one, two) in enumerate(pairs):
        if not (one.any() and two.any()):
            continue
        n += 1
        out, back = both_ways(one, two, diagonal=border == "eight", spacing=spacing)
        together = np.concatenate([out, back])
        expected = {
            "monai assd": (together.mean(), found.assd[k]),
            "medpy assd": ((out.mean() + back.mean()) / 2, found.mean_of_means[k]),
            "hd": (together.max(), found.hd[k]),
            "monai hd95": (
                max(np.percentile(out, 95), np.percentile(back, 95)),
                found.robust_hd[k],
            ),
            "medpy hd95": (np.percentile(together, 95), pooled.robust_hd[k]),
            "monai nsd": ((together <= 1.5).mean(), found.nsd[k]),
            "one way": (out.mean(), found.from_reference.mean[k]),
            "the other": (back.max(), found.from_candidate.largest[k]),
        }
        for name, (theirs, ours) in expected.items():
            assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12), name
    assert n > 5


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("spacing", [(1, 1), (0.7, 1.9)])
def test_corners_are_those_of_surface_distance(pairs, spacing, monkeypatch):
    peer = pytest.importorskip("surface_distance.metrics")
    # it needs a name that numpy 2 took away, and only where one mask is empty
    monkeypatch.setattr(np, "Inf", np.inf, raising=False)
    options = {"border": "corners", "spacing": spacing, "tolerance": 1.5}
    found = compared(surface_distances, pairs, **options)
    for k, (one, two) in enumerate(pairs):
        if not (one.any() or two.any()):
            continue
        theirs = peer.compute_surface_distances(one, two, spacing)
        robust = peer.compute_robust_hausdorff(theirs, 95)
        largest = peer.compute_robust_hausdorff(theirs, 100)
        near = peer.compute_surface_dice_at_tolerance(theirs, 1.5)
        assert found.robust_hd[k] == pytest.approx(robust, rel=1e-12, abs=1e-12)
        assert found.hd[k] == pytest.approx(largest, rel=1e-12, abs=1e-12)
        assert found.nsd[k] == pytest.approx(near, rel=1e-12, abs=1e-12)
        if one.any() and two.any():
            means = peer.compute_average_surface_distance(theirs)
            ours = found.from_reference.mean[k], found.from_candidate.mean[k]
            assert ours == pytest.approx(means, rel=1e-12, abs=1e-12)


def test_distances_are_those_of_monai_itself(pairs):
    monai = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    kept = [pair for pair in pairs if all(one.any() for one in pair)]
    found = compared(surface_distances, kept, border="four", tolerance=1.5)
    for k, pair in enumerate(kept):
        one, two = (torch.from_numpy(np.ascontiguousarray(mask)[None, None]) for mask in pair)
        theirs = {
            "assd": monai.compute_average_surface_distance(two, one, True, symmetric=True),
            "hd": monai.compute_hausdorff_distance(two, one, True),
            "robust_hd": monai.compute_hausdorff_distance(two, one, True, percentile=95),
            "nsd": monai.compute_surface_dice(two, one, [1.5], True),
        }
        for name, value in theirs.items():  # MONAI computes in single precision
            assert getattr(found, name)[k] == pytest.approx(float(value), rel=2e-6), name


def signed(mask):
    inside, outside = (ndimage.distance_transform_edt(one) for one in (mask, ~mask))
    return np.where(mask, inside - 0.5, 0.5 - outside)


def test_offsets_are_the_difference_of_signed_distances_on_the_whole_image(pairs):
    found = compared(contour_offsets, pairs, method="pixels")
    n = 0
    for k, (one, two) in enumerate(pairs):
        at_edge = [mask[:, [0, -1]].any() or mask[[0, -1]].any() for mask in (one, two)]
        if any(at_edge) or not (one.any() and two.any()):
            continue
        n += 1
        edge = one & ~ndimage.binary_erosion(one)
        offset = (signed(two) - signed(one))[edge]
        np.testing.assert_allclose(found.offset[k, 0], offset.mean(), rtol=1e-11, atol=1e-12)
        down, across = (
            -ndimage.gaussian_filter(signed(one), 1.5, order=order)[edge]
            for order in ((1, 0), (0, 1))
        )
        sideways = abs(across) >= abs(down) * (1 - 1e-9)
        steep = np.maximum(abs(across), abs(down)) >= 1e-9
        sides = [
            sideways & (across < 0),
            ~sideways & (down < 0),
            sideways & (across > 0),
            ~sideways & (down > 0),
        ]
        for side, kept in enumerate(sides, start=1):
            there = offset[kept & steep]
            assert found.pixels[k, side] == len(there)
            expected = there.mean() if len(there) >= 5 else np.nan
            np.testing.assert_allclose(found.offset[k, side], expected, rtol=1e-10, atol=1e-12)
    assert n > 1


def test_the_window_is_that_of_scipy():
    impulse = np.zeros(41)
    impulse[20] = 1
    smooth, slope = window()
    reach = len(smooth) // 2
    part = slice(20 - reach, 21 + reach)
    np.testing.assert_allclose(ndimage.gaussian_filter1d(impulse, 1.5)[part], smooth, rtol=1e-12)
    derivative = ndimage.gaussian_filter1d(impulse, 1.5, order=1)[part]
    np.testing.assert_allclose(derivative[::-1], slope, rtol=1e-12)
