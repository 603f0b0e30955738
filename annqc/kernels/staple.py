"""STAPLE's EM (Warfield, Zou and Wells, 2004) on patterns of votes instead of pixels.

All pixels that the same annotators have set weigh alike, so an object of k annotators has at most
2^k different ones, and mostly a few dozen. The empty pattern stands for the rest of the canvas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.kernels._jit import Engine, compiled, njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["StapleFit", "staple"]

SAVED_PER_PATTERN: Final = 1.2e-6
"""Seconds that the kernel saves on one pattern and annotator of an object, all iterations."""


class StapleFit(NamedTuple):
    """What STAPLE has found.

    Attributes
    ----------
    weight : (c,) float64
        Probability that a pixel of each pattern is foreground.
    sensitivity, specificity : (m,) float64
        Of each annotator of each object; NaN where there is nothing to judge it by.
    iterations : (n,) int64
        How many each object took.
    converged : (n,) bool
        Whether the last of them changed nothing by more than the tolerance.
    """

    weight: Floats
    sensitivity: Floats
    specificity: Floats
    iterations: Ints
    converged: npt.NDArray[np.bool_]


def staple(
    cells: Ints,
    pattern: Ints,
    pixels: Floats,
    raters: Ints,
    *,
    max_iterations: int,
    tol: float,
    engine: Engine = "auto",
) -> StapleFit:
    """Estimate the foreground of objects and how well each annotator drew it.

    Parameters
    ----------
    cells : (n + 1,) int64
        The patterns of object i are ``cells[i]`` up to ``cells[i + 1]``.
    pattern : (c,) int64
        Bit j is set where annotator j of the object has set the pixels.
    pixels : (c,) float64
        How many pixels there are of each pattern.
    raters : (n + 1,) int64
        The annotators of object i are ``raters[i]`` up to ``raters[i + 1]``; at most 62.
    max_iterations : int
        Most iterations.
    tol : float
        An object is done when no sensitivity or specificity changes by more.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both agree to rounding.

    Examples
    --------
    >>> done = staple(
    ...     np.array([0, 3]), np.array([0, 1, 3]), np.array([90.0, 2.0, 8.0]), np.array([0, 2]),
    ...     max_iterations=100, tol=1e-7,
    ... )
    >>> done.weight.round(2).tolist(), done.sensitivity.round(2).tolist()
    ([0.0, 0.5, 1.0], [1.0, 0.89])
    """
    n = len(cells) - 1
    fit = StapleFit(
        np.empty(len(pattern)),
        np.full(raters[-1], np.nan),
        np.full(raters[-1], np.nan),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.bool_),
    )
    work = float(np.diff(cells) @ np.diff(raters))
    path = _each if compiled(engine, saved_seconds=work * SAVED_PER_PATTERN) else _together
    path(cells, pattern, pixels, raters, max_iterations, tol, *fit)
    return fit


def _together(
    cells: Ints,
    pattern: Ints,
    pixels: Floats,
    raters: Ints,
    max_iterations: int,
    tol: float,
    weight: Floats,
    sensitivity: Floats,
    specificity: Floats,
    iterations: Ints,
    converged: npt.NDArray[np.bool_],
) -> None:
    """Do in numpy what `_each` does, one object after the other."""
    for i in range(len(cells) - 1):
        part, who = slice(cells[i], cells[i + 1]), slice(raters[i], raters[i + 1])
        k, n_pixels = int(raters[i + 1] - raters[i]), pixels[part]
        votes = (pattern[part][:, None] >> np.arange(k)) & 1 == 1
        w = votes.mean(axis=1) if k else np.zeros(len(votes))
        total = n_pixels.sum()
        prior = float(w @ n_pixels / total) if total else 0.0
        p = q = np.zeros(k)
        for step in range(max_iterations if 0 < prior < 1 else 0):
            front, back = w * n_pixels, (1 - w) * n_pixels
            old_p, old_q = p, q
            p, q = front @ votes / front.sum(), back @ ~votes / back.sum()
            a = prior * np.where(votes, p, 1 - p).prod(axis=1)
            b = (1 - prior) * np.where(votes, 1 - q, q).prod(axis=1)
            w = np.where(a + b > 0, a / np.where(a + b > 0, a + b, 1), w)
            iterations[i] = step + 1
            if max(abs(p - old_p).max(), abs(q - old_q).max()) <= tol:
                converged[i] = True
                break
        weight[part] = w
        if 0 < prior < 1:
            sensitivity[who], specificity[who] = p, q
        else:
            converged[i] = True


@njit
def _each(
    cells: Ints,
    pattern: Ints,
    pixels: Floats,
    raters: Ints,
    max_iterations: int,
    tol: float,
    weight: Floats,
    sensitivity: Floats,
    specificity: Floats,
    iterations: Ints,
    converged: npt.NDArray[np.bool_],
) -> None:
    for i in range(cells.shape[0] - 1):
        first, last, base = cells[i], cells[i + 1], raters[i]
        k = raters[i + 1] - base
        total = 0.0
        prior = 0.0
        for c in range(first, last):
            votes = 0
            for j in range(k):
                votes += (pattern[c] >> j) & 1
            weight[c] = votes / k if k > 0 else 0.0
            total += pixels[c]
            prior += weight[c] * pixels[c]
        if total > 0:
            prior /= total
        if prior <= 0 or prior >= 1:
            converged[i] = True
            continue
        for j in range(k):
            sensitivity[base + j] = 0.0
            specificity[base + j] = 0.0
        for step in range(max_iterations):
            front = 0.0
            back = 0.0
            for c in range(first, last):
                front += weight[c] * pixels[c]
                back += (1 - weight[c]) * pixels[c]
            change = 0.0
            for j in range(k):
                hit = 0.0
                clear = 0.0
                for c in range(first, last):
                    if (pattern[c] >> j) & 1:
                        hit += weight[c] * pixels[c]
                    else:
                        clear += (1 - weight[c]) * pixels[c]
                hit /= front
                clear /= back
                change = max(change, abs(hit - sensitivity[base + j]))
                change = max(change, abs(clear - specificity[base + j]))
                sensitivity[base + j] = hit
                specificity[base + j] = clear
            for c in range(first, last):
                a = prior
                b = 1 - prior
                for j in range(k):
                    if (pattern[c] >> j) & 1:
                        a *= sensitivity[base + j]
                        b *= 1 - specificity[base + j]
                    else:
                        a *= 1 - sensitivity[base + j]
                        b *= specificity[base + j]
                if a + b > 0:
                    weight[c] = a / (a + b)
            iterations[i] = step + 1
            if change <= tol:
                converged[i] = True
                break
