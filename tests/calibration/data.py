"""Data for the calibration: offsets in clusters, with known size, correlation and tails."""

from __future__ import annotations

import numpy as np

__all__ = ["KINDS", "SIZES", "draw", "offsets", "sizes_of"]

KINDS = ("normal", "t3", "t1.5", "contam")
SIZES = ("equal", "lognormal", "onehalf")


def draw(rng: np.random.Generator, kind: str, size: object) -> np.ndarray:
    """Draw errors of scale one: normal, t3 of unit variance, t1.5, or 5 % eight times as large."""
    if kind == "normal":
        return rng.standard_normal(size)
    if kind == "t3":
        return rng.standard_t(3, size) / np.sqrt(3)
    if kind == "t1.5":
        return rng.standard_t(1.5, size)
    if kind == "contam":
        return rng.standard_normal(size) * np.where(rng.random(size) < 0.05, 8.0, 1.0)
    raise KeyError(kind)


def sizes_of(rng: np.random.Generator, kind: str, a: int, g: int, each: int = 5) -> np.ndarray:
    """Return the number of objects in each of g clusters of each of a groups."""
    if kind == "equal":
        return np.full((a, g), each)
    if kind == "lognormal":
        return np.maximum(1, np.round(np.exp(1.3 + rng.standard_normal((a, g))))).astype(int)
    if kind == "onehalf":
        n = np.full((a, g), 3)
        n[:, 0] = 3 * (g - 1)
        return n
    raise KeyError(kind)


def offsets(rng, a, g, *, sizes="equal", rho=0.1, kind="normal", each=5, columns=None):
    """Return group, cluster and y of a groups with g clusters each.

    y = sqrt(rho) d_g + sqrt(1 - rho) d_gi; ``columns`` gives y that many independent columns.
    """
    n = sizes_of(rng, sizes, a, g, each)
    cluster = np.repeat(np.arange(a * g), n.ravel())
    shape = () if columns is None else (columns,)
    y = np.sqrt(1 - rho) * draw(rng, kind, (len(cluster), *shape))
    if rho > 0:
        y += np.sqrt(rho) * draw(rng, kind, (a * g, *shape))[cluster]
    return cluster // g, cluster, y
