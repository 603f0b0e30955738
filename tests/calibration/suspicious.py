"""Fleets of annotators who work on their own, and copies to plant: data for suspicions."""

from __future__ import annotations

import numpy as np

from annqc.infer.suspicions.identity import Drawn

__all__ = ["copy_of", "fleet", "stacked", "truth"]


def truth(rng, n_images, per_image, low, high):
    """Draw (objects, 4) boxes without overlap, and their images."""
    n = n_images * per_image
    cell = 3 * high
    corner = np.tile(np.arange(per_image) * cell, n_images)[:, None] + rng.uniform(5, high, (n, 1))
    corner = np.concatenate([corner, rng.uniform(5, 500, (n, 1))], axis=1)
    size = rng.uniform(low, high, (n, 2))
    image = np.repeat(np.arange(n_images), per_image)
    return np.concatenate([corner, corner + size], axis=1), image


def fleet(rng, boxes, n, sd, *, pitch=1.0, kind="normal", uneven=0.0):
    """Draw (n, objects, 4) boxes by annotators of these standard deviations, snapped to a grid.

    ``uneven`` is the standard deviation of the logarithm of an object's difficulty.
    """
    shape = (n, *boxes.shape)
    e = rng.standard_normal(shape) if kind == "normal" else rng.standard_t(3, shape) / np.sqrt(3)
    hard = np.exp(uneven * rng.standard_normal(len(boxes)))[None, :, None]
    drawn = boxes + np.reshape(sd, (-1, 1, 1)) * hard * e
    return np.round(drawn / pitch) * pitch if pitch else drawn


def copy_of(rng, source, own, redrawn):
    """Take the source's boxes, but for a share that was drawn anew."""
    anew = rng.random(len(source)) < redrawn
    return np.where(anew[:, None], own, source)


def stacked(works, image, *, size=1e4):
    """Lay works (authors, objects, 4) out as rows; NaN boxes were not drawn."""
    n = works.shape[0]
    xyxy = works.reshape(-1, 4)
    author = np.repeat(np.arange(n), works.shape[1])
    images = np.tile(image, n)
    there = ~np.isnan(xyxy[:, 0])
    return Drawn(
        xyxy=xyxy[there],
        image=images[there],
        author=author[there],
        cluster=images[there],
        size=np.full((int(there.sum()), 2), size),
    )
