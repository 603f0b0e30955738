"""consensus: whether an object is there, judged by who drew it and who did not.

A quorum gives every vote the same weight. Here whoever misses little and invents little counts for
more: both are estimated from the same data, without gold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit, logit

if TYPE_CHECKING:
    from annqc.consensus.objects import Asked, Objects
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["Existence", "existence"]

RECALL_PRIOR: Final = 12.0
"""Recalls are drawn to the pooled one as if by so many objects."""
SPURIOUS_PRIOR: Final = 1.0
"""Rates of spurious objects are drawn to the pooled one as if by so many images."""
POOLED_RECALL: Final = (8.0, 2.0)
"""Beta prior of the pooled recall, so many drawn and so many missed."""
COINCIDENCE: Final = (3.0, 57.0)
"""Beta prior of the chance that another annotator draws the same spurious object."""
ENOUGH: Final = 3
"""Annotators asked on an image from which on misses and inventions can be told apart."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Existence:
    """Which objects are there, and how well annotators see.

    Attributes
    ----------
    probability : (m,) float64
        Posterior probability that the object is there.
    recall : (A,) float64
        Share of the objects that are there, on images the annotator was asked on, that they drew;
        NaN for who was asked on no image.
    spurious : (A,) float64
        Objects an image that the annotator drew though they are not there.
    coincidence : float
        Chance that another annotator draws the same spurious object.
    identified : (A,) bool
        Whether recall and spurious rate are told by the data: the annotator was asked on an image
        together with two others. For the others both are held at the pooled values.
    object_identified : (m,) bool
        Whether three or more were asked on the object's image. With two, an object that one drew
        was missed by the other or invented by the first, and only the assumptions decide: its
        probability rests on the pooled recall and rate, not on who drew it.
    n_iter : int
        Iterations.
    converged : bool
        Whether the probabilities had come to rest.
    """

    probability: Floats
    recall: Floats
    spurious: Floats
    coincidence: float
    identified: Bools
    object_identified: Bools
    n_iter: int
    converged: bool


def existence(
    objects: Objects,
    annotator: Ints,
    n_annotators: int,
    *,
    max_iter: int = 500,
    accuracy: float = 1e-5,
) -> Existence:
    """Estimate whether each object is there, and each annotator's recall and spurious rate.

    Parameters
    ----------
    objects : Objects
        From `annqc.consensus.objects.cluster_objects`.
    annotator : (n,) int64
        Who drew each annotation, in the order of ``objects.object``.
    n_annotators : int
        Number of annotators.
    max_iter, accuracy
        Iterations at most; they end when no probability moves further than this.

    Returns
    -------
    Existence

    Notes
    -----
    Objects that are there come at a rate of ``lam`` an image, and each annotator who is asked draws
    one with probability ``r_a``, whatever the others do. Each annotator invents objects at a rate
    of ``f_a`` an image, and every other one draws the same with probability ``c``. A pattern of k
    drawers D among the m asked then comes at the rate ``lam prod r^y (1 - r)^(1 - y)`` or
    ``sum over D of f_a c^(k - 1) (1 - c)^(m - k)``; their ratio are the odds. EM, with the objects
    that nobody drew counted in by their expectation; ``r_a`` under a beta prior around the pooled
    recall, ``f_a`` under a gamma prior around the pooled rate. That annotators miss independently
    is an assumption: objects that all find hard are missed together, and then recall is
    overestimated.
    """
    m = len(objects)
    drawn = np.unique(
        objects.object[objects.object >= 0] * max(n_annotators, 1) + annotator[objects.object >= 0]
    )
    which, who = np.divmod(drawn, max(n_annotators, 1))
    asked = objects.asked
    image, k = objects.image, objects.n_drawn.astype(np.float64)
    n_asked = objects.n_asked.astype(np.float64)
    n_images_of = np.bincount(asked.annotator, minlength=n_annotators).astype(np.float64)
    identified = _with_two_others(asked, n_annotators)
    votes = _Votes(which, who, image, asked, n_annotators, m)
    p = np.clip((k - 0.5) / np.maximum(n_asked, 1), 0.02, 0.98)
    recall, rate, coincidence = np.full(n_annotators, 0.8), np.full(n_annotators, 0.1), 0.05
    n_iter, moved = 0, np.inf if m else 0.0
    n_images = max(int((np.diff(asked.offsets) > 0).sum()), 1)
    while n_iter < max_iter and not moved < accuracy:
        n_iter += 1
        # spurious objects: who began them, and who fell in
        began = rate[who] / np.maximum(votes.by_object(rate[who]), 1e-300)[which]
        false = 1 - p
        started = votes.by_annotator(false[which] * began)
        pooled = (started.sum() + 0.1) / max(n_images_of.sum(), 1.0)
        rate = (started + SPURIOUS_PRIOR * pooled) / (n_images_of + SPURIOUS_PRIOR)
        rate = np.where(identified, rate, pooled)
        fell_in, could = (false * (k - 1)).sum(), (false * (n_asked - 1)).sum()
        coincidence = (fell_in + COINCIDENCE[0]) / (could + sum(COINCIDENCE))
        # objects that are there, those that nobody drew included
        unseen = np.exp(votes.by_image(np.log1p(-recall)))[image]
        there = p / np.maximum(1 - unseen, 1e-12)
        seen = votes.by_annotator(p[which])
        trials = votes.over_asked(there)
        middle = (seen.sum() + POOLED_RECALL[0]) / (trials.sum() + sum(POOLED_RECALL))
        recall = (seen + RECALL_PRIOR * middle) / (trials + RECALL_PRIOR)
        recall = np.clip(np.where(identified, recall, middle), 1e-6, 1 - 1e-6)
        per_image = there.sum() / n_images
        log_miss = votes.by_image(np.log1p(-recall))[image]
        log_true = np.log(per_image + 1e-300) + log_miss + votes.by_object(logit(recall)[who])
        log_false = (
            np.log(np.maximum(votes.by_object(rate[who]), 1e-300))
            + (k - 1) * np.log(coincidence)
            + (n_asked - k) * np.log1p(-coincidence)
        )
        fresh = expit(log_true - log_false)
        moved = float(np.abs(fresh - p).max(initial=0.0))
        p = fresh
    invented = votes.by_annotator((1 - p)[which])
    some = n_images_of > 0
    return Existence(
        probability=p,
        recall=np.where(some, recall, np.nan),
        spurious=np.divide(invented, n_images_of, out=np.full(n_annotators, np.nan), where=some),
        coincidence=float(coincidence),
        identified=identified,
        object_identified=objects.n_asked >= ENOUGH,
        n_iter=n_iter,
        converged=bool(moved < accuracy),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Votes:
    """Who drew what, and sums over it."""

    which: Ints
    who: Ints
    image: Ints
    asked: Asked
    n_annotators: int
    n_objects: int

    def by_object(self, values: Array) -> Floats:
        return np.bincount(self.which, values, self.n_objects).astype(np.float64)

    def by_annotator(self, values: Array) -> Floats:
        return np.bincount(self.who, values, self.n_annotators).astype(np.float64)

    def by_image(self, of_annotator: Floats) -> Floats:
        """Sum over those who were asked on each image."""
        sums = np.concatenate([[0.0], np.cumsum(of_annotator[self.asked.annotator])])
        return np.diff(sums[self.asked.offsets])

    def over_asked(self, of_object: Floats) -> Floats:
        """Sum over the objects of the images that each annotator was asked on."""
        n_images = len(self.asked.offsets) - 1
        of_image = np.bincount(self.image, of_object, n_images)
        there = of_image[self.asked.image]
        return np.bincount(self.asked.annotator, there, self.n_annotators).astype(np.float64)


def _with_two_others(asked: Asked, n_annotators: int) -> Bools:
    many = np.diff(asked.offsets)[asked.image] >= ENOUGH
    return np.bincount(asked.annotator[many], minlength=n_annotators) > 0
