"""infer: scores on equal terms, as if everybody had drawn the same images.

Who happens to get the crowded images looks worse than they are. With two or more annotators on an
image the image can be taken out: ``score = skill of the annotator + ease of the image + error``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer._layout import runs, stable_order

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["WEAK_LINK", "Skills", "two_way_skills"]

WEAK_LINK: Final = 3.0
"""An annotator whose contrasts are this many times as uncertain as the median is weakly linked."""


BLOCK: Final = 2_000_000
"""Pairs of annotators at a time, so that memory stays bounded."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Skills:
    """Scores with the images taken out, arrays (n_annotators,).

    Attributes
    ----------
    adjusted : float64
        Score on the average image of the annotator's component; NaN for annotators who share no
        image
        with anybody.
    se : float64
        Standard error of the adjusted score against the component's mean; NaN without residuals.
    component : int64
        Annotators with the same number are comparable, -1 for those who share no image.
    weak : bool
        Whether the annotator hangs on the others by little: see `WEAK_LINK`.
    """

    adjusted: Floats
    se: Floats
    component: Ints
    weak: Array


def two_way_skills(score: Array, annotator: Array, image: Array, n_annotators: int) -> Skills:
    """Estimate annotators' scores with image effects taken out.

    Parameters
    ----------
    score : (n,) array_like
        One score for each annotator x image; what is not finite is left out.
    annotator, image : (n,) array_like of int
        Codes.
    n_annotators : int
        Number of annotators.

    Returns
    -------
    Skills

    Notes
    -----
    Two-way fixed effects. Images that a single annotator drew say nothing about differences and
    drop out. With k annotators on an image, its part of the Laplacian is ``I - 11'/k``; skills are
    ``L⁺ r``
    with ``r`` the sums of scores centred by image, and ``Var(skill_a - skill_b) = sigma² (L⁺_aa +
    L⁺_bb
    - 2 L⁺_ab)``, the effective resistance between the two. Only annotators of one connected
    component of the annotator-image graph can be compared.
    """
    score = np.asarray(score, dtype=np.float64)
    annotator, image = np.asarray(annotator, np.int64), np.asarray(image, np.int64)
    known = np.isfinite(score)
    score, annotator = score[known], annotator[known]
    image = np.unique(image[known], return_inverse=True)[1]
    shared = np.bincount(image)[image] > 1
    score, annotator = score[shared], annotator[shared]
    image = np.unique(image[shared], return_inverse=True)[1]
    blank = np.full(n_annotators, np.nan)
    component = np.full(n_annotators, -1, dtype=np.int64)
    weak = np.zeros(n_annotators, dtype=bool)
    if len(score) == 0:
        return Skills(adjusted=blank, se=blank.copy(), component=component, weak=weak)
    k = np.bincount(image).astype(np.float64)
    mean = np.bincount(image, score) / k
    links = np.diag(np.bincount(annotator, minlength=n_annotators).astype(np.float64))
    links -= _together(annotator, image, n_annotators)
    centred = np.bincount(annotator, score - mean[image], n_annotators)
    component = _components(links, component)
    adjusted, se = blank.copy(), blank.copy()
    for label in range(component.max() + 1):
        rows = np.flatnonzero(component == label)
        n = len(rows)
        # Adding 11'/n makes the Laplacian of a connected component invertible without touching
        # contrasts.
        inverse = np.linalg.inv(links[np.ix_(rows, rows)] + 1 / n) - 1 / n
        skill = inverse @ centred[rows]
        own = component[annotator] == label
        place = np.empty(n_annotators, dtype=np.int64)
        place[rows] = np.arange(n)
        at = place[annotator[own]]
        ease = mean - np.bincount(image[own], skill[at], len(k)) / k
        residual = score[own] - skill[at] - ease[image[own]]
        images = np.unique(image[own])
        free = int(own.sum()) - (n - 1) - len(images)
        adjusted[rows] = skill + ease[images].mean()
        if free > 0:
            se[rows] = np.sqrt(np.maximum(np.diag(inverse), 0) * (residual @ residual) / free)
        if n > 2:
            own_share = np.diag(inverse)
            resistance = own_share[:, None] + own_share - 2 * inverse
            off = ~np.eye(n, dtype=bool)
            typical = np.median(resistance[off])
            nearest = np.where(off, resistance, np.inf).min(axis=1)
            weak[rows] = nearest > WEAK_LINK * typical
    return Skills(adjusted=adjusted, se=se, component=component, weak=weak)


def _together(annotator: Ints, image: Ints, n: int) -> Floats:
    """Sum 1 / k over the images that two annotators share, k annotators on each."""
    order = stable_order(image)
    start = runs(image[order])
    count = np.diff(np.append(start, len(image)))
    total = np.zeros(n * n)
    for k in np.unique(count).tolist():
        first = start[count == k]
        step = max(1, BLOCK // (k * k))
        for at in range(0, len(first), step):
            who = annotator[order[first[at : at + step, None] + np.arange(k)]]
            pair = who[:, :, None] * n + who[:, None, :]
            total += np.bincount(pair.ravel(), minlength=n * n) / k
    return total.reshape(n, n)


def _components(links: Floats, component: Ints) -> Ints:
    """Label the connected components of annotators who share images; loners keep -1."""
    component = component.copy()
    label = 0
    neighbours = links < 0
    for start in np.flatnonzero(neighbours.any(axis=1)):
        if component[start] >= 0:
            continue
        reached = np.zeros(len(links), dtype=bool)
        reached[start] = True
        while True:
            wider = reached | neighbours[reached].any(axis=0)
            if (wider == reached).all():
                break
            reached = wider
        component[reached] = label
        label += 1
    return component
