"""simulate: the scene, that is images and the objects that are really there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError
from annqc.tables import Images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.tables import Array, Floats, Ints

__all__ = ["Scene", "draw_boxes", "draw_scene", "ragged_rows"]

SIDE_SHARE: Final = 0.08
"""Median object side, as a share of the image's shorter side."""
SIDE_SPREAD: Final = 0.7
"""Standard deviation of the logarithm of the object's side."""
ASPECT_SPREAD: Final = 0.45
"""Standard deviation of the logarithm of width over height."""
LARGEST: Final = 0.9
"""Largest side, as a share of the image's."""
SMALLEST: Final = 8.0
"""Smallest side in pixels, where the image has room for it."""


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """Images and the true objects on them, sorted by image.

    Attributes
    ----------
    images : Images
        m images.
    category_names : (c,) object array
        Names of the categories.
    image, category : (n,) int64
        Where each object is and what it is.
    xyxy : (n, 4) float64
        The true box.
    starts : (m + 1,) int64
        Objects of image i are rows ``starts[i]`` to ``starts[i + 1]``.
    border : float
        Share of the boxes that touch the image border.
    side : float or None
        Median side of a box in pixels.
    """

    images: Images
    category_names: Array
    category_weights: Floats
    image: Ints
    category: Ints
    xyxy: Floats
    starts: Ints
    border: float
    side: float | None


def draw_scene(
    rng: np.random.Generator,
    *,
    n_images: int,
    boxes_per_image: float | Sequence[int] | Array,
    categories: int | Sequence[str] | Mapping[str, float],
    image_size: Sequence[float] | Array,
    border: float,
    side: float | None,
) -> Scene:
    """Draw images and objects; parameters as in `annqc.simulate`."""
    names, weights = _categories(categories)
    sizes = np.asarray(image_size, dtype=np.float64)
    if sizes.shape not in {(2,), (n_images, 2)} or not (sizes >= 1).all():
        what = "an image size is a width and a height of at least one pixel"
        raise SpecError(
            what,
            where="image_size",
            expected="(1920, 1080), or one such row for each image",
            found=repr(image_size),
        )
    sizes = np.broadcast_to(sizes, (n_images, 2))
    counts = _counts(rng, n_images, boxes_per_image)
    image = np.repeat(np.arange(n_images), counts)
    digits = len(str(n_images))
    file_name = np.array(
        [f"image_{k:0{digits}d}.jpg" for k in range(1, n_images + 1)], dtype=object
    )
    images = Images.build(
        np.arange(1, n_images + 1), width=sizes[:, 0], height=sizes[:, 1], file_name=file_name
    )
    return Scene(
        images=images,
        category_names=names,
        category_weights=weights,
        image=image,
        category=rng.choice(len(names), size=len(image), p=weights),
        xyxy=draw_boxes(rng, sizes[image], border=border, side=side),
        starts=np.concatenate([[0], np.cumsum(counts)]),
        border=border,
        side=side,
    )


def draw_boxes(
    rng: np.random.Generator, sizes: Floats, *, border: float, side: float | None
) -> Floats:
    """Draw one box inside each image, sized log-normally, some of them touching a border.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    sizes : (n, 2) float64
        Width and height of the image of each box.
    border : float
        Share of the boxes that touch the border.
    side : float or None
        Median square root of the area, in pixels; None takes it from the image.

    Returns
    -------
    (n, 4) float64
        Boxes as ``xyxy``.
    """
    n = len(sizes)
    median = SIDE_SHARE * sizes.min(axis=1) if side is None else np.full(n, side)
    length = median * np.exp(SIDE_SPREAD * rng.standard_normal(n))
    stretch = np.exp(0.5 * ASPECT_SPREAD * rng.standard_normal(n))
    wanted = np.stack([length * stretch, length / stretch], axis=1)
    wh = np.clip(wanted, np.minimum(SMALLEST, LARGEST * sizes), LARGEST * sizes)
    low = rng.random((n, 2)) * (sizes - wh)
    touching = np.flatnonzero(rng.random(n) < border)
    which = rng.integers(0, 4, len(touching))
    axis = which % 2
    low[touching, axis] = np.where(which < 2, 0.0, (sizes - wh)[touching, axis])
    return np.concatenate([low, low + wh], axis=1)


def ragged_rows(starts: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """Return the rows of the chosen groups one after another, and the place in ``chosen`` of each.

    Examples
    --------
    >>> rows, place = ragged_rows(np.array([0, 2, 2, 5]), np.array([2, 0]))
    >>> rows.tolist(), place.tolist()
    ([2, 3, 4, 0, 1], [0, 0, 0, 1, 1])
    """
    counts = starts[chosen + 1] - starts[chosen]
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    first = np.repeat(starts[chosen] - (ends - counts), counts)
    return first + np.arange(total), np.repeat(np.arange(len(chosen)), counts)


def _categories(categories: int | Sequence[str] | Mapping[str, float]) -> tuple[Array, Floats]:
    """Names and probabilities of the categories."""
    listed: list[Any]
    if isinstance(categories, int):
        listed = [f"category-{k}" for k in range(1, categories + 1)]
        weights = np.ones(len(listed))
    elif hasattr(categories, "keys"):
        listed = list(categories)
        weights = np.array([categories[name] for name in listed], dtype=np.float64)
    else:
        listed = list(categories)
        weights = np.ones(len(listed))
    usable = len(listed) > 0 and np.isfinite(weights).all() and (weights >= 0).all()
    if not usable or weights.sum() <= 0 or len(set(listed)) < len(listed):
        what = "categories must be a number, distinct names, or names with weights"
        raise SpecError(what, where="categories", found=repr(categories))
    names = np.empty(len(listed), dtype=object)
    names[:] = listed
    return names, weights / weights.sum()


def _counts(
    rng: np.random.Generator, n_images: int, boxes_per_image: float | Sequence[int] | Array
) -> Ints:
    """Objects on each image: Poisson around a mean, or as given."""
    given = np.asarray(boxes_per_image)
    if given.ndim == 0 and given >= 0:
        return rng.poisson(float(given), n_images).astype(np.int64)
    if given.shape == (n_images,) and given.dtype.kind in "iu" and (given >= 0).all():
        return given.astype(np.int64)
    what = "boxes_per_image must be a mean, or one whole number for each image"
    raise SpecError(
        what,
        where="boxes_per_image",
        expected=f"a number, or {n_images} whole numbers, none below 0",
        found=repr(boxes_per_image),
    )
