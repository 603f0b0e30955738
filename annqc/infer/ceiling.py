"""infer: the human ceiling, the mean IoU that a perfect annotator would have with this gold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from annqc.measure.ceiling import MEDIAN_VARIANCE

if TYPE_CHECKING:
    from annqc.measure.ceiling import CeilingSums
    from annqc.tables import Array, Floats

__all__ = ["Ceiling", "ceiling"]


class Ceiling(NamedTuple):
    """Three mean IoUs with gold, each ``(estimate, low, high)``.

    Attributes
    ----------
    single : (3,) float64
        Of an annotator on average.
    consensus : (3,) float64
        Of the annotators' consensus: what has been reached. A perfect annotator is no worse.
    perfect : (3,) float64
        Of an annotator without any error of their own, by extrapolation.
    n_images, n_objects : int
        What it rests on.
    """

    single: Floats
    consensus: Floats
    perfect: Floats
    n_images: int
    n_objects: int


def ceiling(sums: CeilingSums, *, confidence: float = 0.95) -> Ceiling:
    """Estimate the score that nobody can beat but by gold's own mistakes.

    Parameters
    ----------
    sums : CeilingSums
        What `annqc.measure.ceiling.ceiling_sums` has measured.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Ceiling
        NaN without objects; intervals NaN with less than two images.

    Notes
    -----
    With distances of 1 - Dice, which are about proportional to the errors of the edges: an
    annotator is ``D_1`` from gold, where ``D_1² = a + b``, a gold's share and b the annotator's; a
    median of k annotators ``D_k``, where ``D_k² = a + c_k b``, with ``c_k`` the variance of the
    median of k normal values. So ``a = (D_k² - c_k D_1²) / (1 - c_k)``, averaged over objects of
    different k, and a perfect annotator has a Dice of ``1 - sqrt(a)``, and the IoU of that. It
    takes annotators to err independently: what they share counts as gold's. Intervals are a
    jackknife's over images, with a t of G - 1 degrees of freedom.

    Examples
    --------
    >>> from annqc.measure.ceiling import ceiling_sums
    >>> rng = np.random.default_rng(1)
    >>> true = np.tile([100.0, 100.0, 150.0, 150.0], (300, 1))
    >>> drawn = np.repeat(true, 3, axis=0) + rng.normal(0, 2, (900, 4))
    >>> gold = true + rng.normal(0, 1, true.shape)
    >>> sums = ceiling_sums(gold, drawn, np.repeat(np.arange(300), 3), np.arange(300) // 5)
    >>> found = ceiling(sums)
    >>> found.single.round(2)[0], found.consensus.round(2)[0], found.perfect.round(2)[0]
    (np.float64(0.87), np.float64(0.9), np.float64(0.94))
    """
    ks, k_of = np.unique(sums.k, return_inverse=True)
    images, image_of = np.unique(sums.image, return_inverse=True)
    g = len(images)
    table = np.zeros((g, len(ks), 5))
    table[image_of, k_of] = np.stack(
        [sums.n, sums.consensus, sums.single, sums.consensus_dice, sums.single_dice], axis=1
    )
    total = table.sum(axis=0)
    share = np.array([_variance(k) for k in ks.tolist()])
    all_of = _scores(total[None], share)[0]
    if g < 2:
        wide = np.full((3, 2), np.nan)
        return _ceiling(all_of, wide, g, total)
    without = _scores(total - table, share)
    known = np.isfinite(without)
    n = known.sum(axis=0)
    with np.errstate(all="ignore"):
        mean = np.where(known, without, 0).sum(axis=0) / n
        se = np.sqrt((n - 1) / n * (np.where(known, without - mean, 0) ** 2).sum(axis=0))
        half = special.stdtrit(g - 1, 0.5 + confidence / 2) * se
    bounds = np.clip(np.stack([all_of - half, all_of + half], axis=1), 0, 1)
    return _ceiling(all_of, bounds, g, total)


def _scores(total: Floats, share: Floats) -> Floats:
    """Single, consensus and perfect scores of (..., k, 5) sums: objects and their distances."""
    n = total[..., 0]
    everything = n.sum(axis=-1)
    with np.errstate(all="ignore"):
        together, alone = total[..., 3] / n, total[..., 4] / n
        own = (together**2 - share * alone**2) / (1 - share)
        of_gold = np.where(n > 0, n * own, 0).sum(axis=-1) / everything
        single = 1 - total[..., 2].sum(axis=-1) / everything
        consensus = 1 - total[..., 1].sum(axis=-1) / everything
        far = np.sqrt(np.maximum(of_gold, 0.0))
        perfect = (1 - far) / (1 + far)
    return np.stack([single, consensus, perfect], axis=-1)


def _variance(k: int) -> float:
    """Variance of the median of k normal values."""
    if k <= len(MEDIAN_VARIANCE):
        return MEDIAN_VARIANCE[k - 1]
    return float(np.pi / 2 / (k + np.pi / 2 - 1))


def _ceiling(estimate: Floats, bounds: Array, g: int, total: Floats) -> Ceiling:
    single, consensus, perfect = np.column_stack([estimate, bounds])
    return Ceiling(single, consensus, perfect, g, int(total[:, 0].sum()))
