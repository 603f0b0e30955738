"""Masks for tests: drawn as arrays, as a strategy, and as shapes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy import ndimage

from annqc.geometry.masks import runs_of_mask
from annqc.tables import Shapes


def shapes_of(masks):
    """Masks as `Shapes`, one row each."""
    return Shapes.from_runs([runs_of_mask(one) for one in masks], [one.shape for one in masks])


def random_mask(rng, height, width):
    """An empty one, a full one, noise, or blobs."""
    kind = rng.integers(0, 8)
    if kind == 0:
        return np.zeros((height, width), dtype=bool)
    if kind == 1:
        return np.ones((height, width), dtype=bool)
    if kind <= 3:
        return rng.random((height, width)) < (0.5, 0.95)[kind - 2]
    noise = ndimage.gaussian_filter(rng.normal(size=(height, width)), rng.uniform(0.8, 3))
    return noise > rng.normal() * 0.1


def blob(rng, radius, canvas=(480, 640), jitter=2.0):
    """A wavy object near the middle of the canvas, and the same moved and stretched a little."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    waves = 1 + 0.15 * np.sin(3 * angle + rng.random() * 6) + 0.06 * np.sin(8 * angle)
    y, x = np.mgrid[: canvas[0], : canvas[1]] + 0.5
    made = []
    for k in range(2):
        move, stretch = rng.normal(0, jitter * k, 2), 1 + rng.normal(0, 0.01 * k, 2)
        dx = (x - canvas[1] / 2 - move[0]) * stretch[0]
        dy = (y - canvas[0] / 2 - move[1]) * stretch[1]
        at = np.interp(np.arctan2(dy, dx) % (2 * np.pi), angle, radius * waves, period=2 * np.pi)
        made.append(np.hypot(dx, dy) <= at)
    return made


@st.composite
def paired_masks(draw):
    """Two lists of masks on one small canvas."""
    height, width, many = (draw(st.integers(1, most)) for most in (9, 9, 3))
    bits = st.integers(0, 2 ** (height * width) - 1)

    def mask():
        number = draw(bits | st.sampled_from([0, 2 ** (height * width) - 1]))
        text = f"{number:b}".zfill(height * width)
        return np.array([one == "1" for one in text]).reshape(height, width)

    return [mask() for _ in range(many)], [mask() for _ in range(many)]
