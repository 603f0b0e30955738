"""suspicions: who left images empty on which others, asked alike, drew something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.rates import Rate, rate_sums
from annqc.infer.suspicions.tails import at_least

if TYPE_CHECKING:
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Empty", "drew_nothing"]

LEVEL: Final = 0.01
PRIOR: Final = 4.0
"""How many others the rate of the whole fleet counts for on an image."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Empty:
    """Images that were asked, had something to draw, and were left empty; one row an annotator.

    Attributes
    ----------
    rate : Rate
        The share of the images left empty, with its Korn-Graubard interval.
    expected : (a,) float64
        The share that others leave empty on the same images; NaN where there are none.
    p_value, p_adjusted : (a,) float64
        Of as many, if they left images empty as others do; Benjamini-Hochberg over annotators.
    named : (a,) bool
        Annotators who leave more empty than others.
    """

    rate: Rate
    expected: Floats
    p_value: Floats
    p_adjusted: Floats
    named: Bools


def drew_nothing(
    annotator: Ints,
    image: Ints,
    drew: Bools,
    in_gold: Bools,
    *,
    cluster: Ints,
    n_annotators: int,
    level: float = LEVEL,
) -> Empty:
    """Count the images that annotators were asked for and left empty where there was something.

    Parameters
    ----------
    annotator, image : (t,) int64
        What was asked of whom, each once.
    drew : (t,) bool
        Whether they drew anything there.
    in_gold : (t,) bool
        Whether the gold has an object on that image; all False without gold.
    cluster : (t,) int64
        The image, or the video that it is a frame of.
    n_annotators : int
        Number of annotators.
    level : float
        False discovery rate over annotators.

    Returns
    -------
    Empty

    Notes
    -----
    An image has something to draw where the gold does, or where two others or more were asked and
    most of them drew. How often others leave it empty, mixed with how often anybody leaves any
    image empty, is the chance there; the p-value is that of a sum of such events.

    Examples
    --------
    >>> who, image = np.repeat(np.arange(4), 10), np.tile(np.arange(10), 4)
    >>> found = drew_nothing(
    ...     who, image, who != 3, np.ones(40, bool), cluster=image, n_annotators=4
    ... )
    >>> found.named.tolist(), found.rate.events.tolist()
    ([False, False, False, True], [0.0, 0.0, 0.0, 10.0])
    """
    width = int(image.max(initial=-1)) + 1
    asked = np.bincount(image, minlength=width)[image] - 1
    others_drew = np.bincount(image, drew, width)[image] - drew
    something = in_gold | ((asked >= 2) & (2 * others_drew > asked))
    who, left, place = annotator[something], ~drew[something], cluster[something]
    asked, others_left = asked[something], (asked - others_drew)[something]
    sums = rate_sums(left, np.ones(len(who)), who, place, n_annotators)
    total, empty = sums.N.sum() - sums.N, sums.X.sum() - sums.X
    with np.errstate(all="ignore"):
        fleet = np.where(total > 0, (empty + 0.5) / (total + 1), np.nan)[who]
        chance = (others_left + PRIOR * fleet) / (asked + PRIOR)
        expected = np.bincount(who, chance, n_annotators) / sums.N
    p = np.full(n_annotators, np.nan)
    for one in np.flatnonzero(np.isfinite(expected)).tolist():
        p[one] = at_least(chance[who == one], int(sums.X[one]))
    adjusted = adjusted_bh(p)
    return Empty(
        rate=sums.finish(),
        expected=expected,
        p_value=p,
        p_adjusted=adjusted,
        named=(sums.X >= 2) & (np.nan_to_num(adjusted, nan=1.0) <= level),
    )
