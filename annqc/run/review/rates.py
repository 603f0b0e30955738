"""run: whether the annotator or the gold is wrong where they differ, from the data at hand.

Where both differ on whether there is an object, or on what it is, one of them is wrong. What the
gold has wrong all annotators differ from; what one annotator has wrong, only that one does. So the
rates of both are estimated, and the others who drew the same object are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import digamma, expit

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["GOLD_RATE", "SUREST", "annotator_wrong", "log_odds_of"]

GOLD_RATE: Final = {
    "missed": 0.005,
    "spurious": 0.005,
    "mislabelled": 0.005,
    "near_miss": 0.0005,
    "duplicate": 0.0005,
    "far": 0.0005,
    "merged": 0.0005,
    "split": 0.0005,
}
"""Share of the objects on which the gold is expected to be wrong before the data are seen."""
GOLD_SHAPE: Final = 4.0
"""Shape of the gamma prior of the gold's rate: its standard deviation is half of its mean."""
OWN_SHAPE: Final = 0.3
OWN_RATE: Final = 0.005
"""Gamma prior of an annotator's rate: most have fewer, some have many more than the mean."""
ODDS: Final = 8.0
"""The first of the others who sees it as one of them does multiplies the odds by this.

Each further one multiplies them by the root of what the one before did, so that all together come
to 64 at most: others who err on hard objects err together.
"""
SUREST: Final = 0.98
"""What follows from the data is multiplied by this: they do not know everything."""
ENOUGH: Final = 500.0
"""How many objects the mean of the annotators' rates is worth before the data are seen."""
STEPS: Final = 200


def log_odds_of(votes: Array) -> Floats:
    """Return by how much votes change the logarithm of the odds.

    Parameters
    ----------
    votes : (n,) array
        How many more others see it as the gold does than see it as the annotator does.

    Examples
    --------
    >>> np.exp(log_odds_of(np.array([0, 1, 2, 99, -1]))).round(3).tolist()
    [1.0, 8.0, 22.627, 64.0, 0.125]
    """
    v = np.asarray(votes, dtype=np.float64)
    found: Floats = np.log(ODDS) * np.sign(v) * (2.0 - 2.0 ** (1.0 - np.abs(v)))
    return np.where(v == 0, 0.0, found)


def annotator_wrong(annotator: Ints, votes: Ints, asked: Ints, *, gold_rate: float) -> Floats:
    """Say of differences of one kind how likely the annotator is wrong, and not the gold.

    Parameters
    ----------
    annotator : (n,) int64
        Who differs from the gold.
    votes : (n,) int64
        How many more others see it as the gold does than see it as the annotator does.
    asked : (n_annotators,) int64
        On how many objects each could have differed.
    gold_rate : float
        On what share of the objects the gold is expected to be wrong.

    Returns
    -------
    (n,) float64
        `SUREST` at most.

    Notes
    -----
    Differences of annotator j come at the rate ``e_j + g``: theirs, and the gold's, which is the
    same for all. Both have gamma priors: ``g`` of shape 4 and mean ``gold_rate``, ``e_j`` of shape
    0.3 and a mean that is fitted, and shrunk to 0.5 % as if that had been seen in 500 objects. By
    variational Bayes of the mixture in which each difference is one of the two, the odds are
    ``exp(E[log e_j] - E[log g])`` times those of the votes; the probability is times 0.98.

    Examples
    --------
    Two differences in four hundred objects are as many as everybody has with this gold; twenty are
    more:

    >>> who = np.array([0, 0, 1, 1, 2, 2, *[3] * 20])
    >>> found = annotator_wrong(who, np.zeros(26), np.full(4, 400), gold_rate=0.005)
    >>> found[[0, -1]].round(1).tolist()
    [0.0, 0.9]
    """
    n = len(annotator)
    if not n:
        return np.empty(0)
    said = log_odds_of(votes)
    exposed = np.asarray(asked, dtype=np.float64)
    p = np.full(n, 0.5)
    for _ in range(STEPS):
        own = np.bincount(annotator, weights=p, minlength=len(exposed))
        usual = (OWN_RATE * ENOUGH + p.sum()) / (ENOUGH + exposed.sum())
        rate = digamma(OWN_SHAPE + own) - np.log(OWN_SHAPE / usual + exposed)
        shared = digamma(GOLD_SHAPE + (1.0 - p).sum())
        shared -= np.log(GOLD_SHAPE / gold_rate + exposed.sum())
        before, p = p, expit(rate[annotator] - shared + said)
        if np.abs(p - before).max() < 1e-6:
            break
    return SUREST * p
