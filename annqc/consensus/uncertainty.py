"""consensus: how sure annotators' offsets are, images being what is drawn at random.

The sandwich of the two-way fit: what each image adds to the score of each annotator, carried
through the inverse of the curvature, squared and summed over images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.consensus._edge import DF
from annqc.consensus._laplacian import laplacian
from annqc.consensus.gauge import weighted_median

if TYPE_CHECKING:
    from annqc.consensus._edge import Edge
    from annqc.consensus.graph import Links
    from annqc.consensus.twoway import TwoWay
    from annqc.tables import Floats, Ints

__all__ = ["Disagreements", "Offsets", "disagreements", "offset_uncertainty"]

INFLATION: Final = 1.10
"""What the standard errors miss because spreads and weights are estimated, measured."""
KAPPA: Final = (0.2, 1.0)
FEW: Final = 12
"""In components of up to so many annotators the median itself is drawn, not a mean in its place."""
LEAST: Final = 0.5
"""Part of the variance from the mean that an annotator has from the median at least."""
DENSE: Final = 3000
"""Components of more annotators are not inverted; their images are resampled instead."""
DRAWS: Final = 100
MEDIANS: Final = 400
"""Draws of the images where the median is drawn."""
SEED: Final = 20_240_229

Blocks = dict[str, Any]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Offsets:
    """Offsets of annotators in all eight quantities, each (A, 8) unless said.

    Attributes
    ----------
    estimate : float64
        ``out_left, out_top, out_right, out_bottom, dx, dy, dw, dh`` in units of the fit. From the
        median annotator of the component in each edge, or from the gold where that has any.
    se : float64
        Standard error; NaN with fewer than two images.
    df : (A,) float64
        Degrees of freedom: images less one; at most the images with gold less one where offsets
        are from the gold.
    n_images : (A,) int64
        Images on which the annotator drew an object that somebody else drew too, or gold.
    n_gold : (A,) int64
        Images with gold of the component, 0 where it has none.
    """

    estimate: Floats
    se: Floats
    df: Floats
    n_images: Ints
    n_gold: Ints


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Disagreements:
    """Components of two annotators: the difference between them, never whose it is.

    Attributes
    ----------
    first, second : (k,) int64
        The two.
    difference, se : (k, 8) float64
        Offset of the first less that of the second, and its standard error.
    df : (k,) float64
        Degrees of freedom.
    """

    first: Ints
    second: Ints
    difference: Floats
    se: Floats
    df: Floats


def offset_uncertainty(
    fit: TwoWay, image: Ints, *, dense: int = DENSE, n_draws: int = DRAWS, seed: int = SEED
) -> Offsets:
    """Give standard errors of annotators' offsets, images as clusters.

    Parameters
    ----------
    fit : TwoWay
        The fit.
    image : (m,) int64
        Image of each object; for videos the track or the video.
    dense : int
        Components of up to so many annotators are inverted. In larger ones the images are drawn
        anew, each as often as Poisson of mean 1 says, and the scores solved for.
    n_draws, seed : int
        How often, and from which random numbers.

    Returns
    -------
    Offsets

    Notes
    -----
    With ``L`` the Laplacian of the weights times ``kappa_a = clip(sum psi'(r) / sum om, .2, 1)``
    and ``S_ga`` the sum over image g of ``w (x - b - mu)``: ``Z = S (L + kap 11'/P)^-1 C`` with
    ``C = I - v 1'`` in each component, v the weights of the gauge, and ``se_a = 1.10 sqrt(sum_g
    Z_ga² G / (G - 1) G_a / (G_a - 1))``. Where a component has gold the Laplacian is not singular,
    ``C = I``, and a factor ``k / (k - 1)`` of its k images with gold is added. The gauge is a
    median and no mean: with three to twelve annotators images are drawn anew, and the offsets,
    moved by the drawn ``Z``, are gauged again.
    """
    rows, links = fit.rows, fit.links
    n_people = rows.n_annotators
    of_row = image[rows.object][rows.place]
    codes = np.unique(of_row, return_inverse=True)[1]
    n_all = int(codes.max(initial=-1)) + 1
    has_gold = (fit.fits[0].gold_precision > 0)[rows.place]
    n_gold = np.zeros(n_people, dtype=np.int64)
    drawn = np.unique(rows.who * max(n_all, 1) + codes)
    n_images = np.bincount(drawn // max(n_all, 1), minlength=n_people)
    variance = np.full((n_people, 8), np.nan)
    scores = [_scores(one, rows.who, codes, (n_all, n_people)) for one in fit.fits]
    matrices = [_curvature(fit, one) for one in fit.fits]
    order = np.argsort(links.component, kind="stable")
    label = links.component[order]
    for people in np.split(order, np.flatnonzero(np.diff(label)) + 1):
        if len(people) == 0 or links.component[people[0]] < 0:
            continue
        free = not links.anchored[people[0]]
        gauge = links.gauge[people] if free else None
        if len(people) <= dense:
            few = free and len(people) <= FEW and links.n_sources[people[0]] > 2
            offset = fit.offset[people] if few else None
            parts = _inverted(matrices, scores, people, gauge, offset, seed)
        else:
            parts = _drawn(matrices, scores, people, gauge, n_draws=n_draws, seed=seed)
        here = np.isin(rows.who, people)
        n = len(np.unique(codes[here]))
        variance[people] = parts * (n / (n - 1) if n > 1 else np.nan)
        if not free:
            # where zero is, only the images with gold tell
            k = len(np.unique(codes[here & has_gold]))
            n_gold[people] = k
            variance[people] *= k / (k - 1) if k > 1 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        variance *= np.where(n_images > 1, n_images / (n_images - 1), np.nan)[:, None]
    sure = np.where(n_gold > 0, np.minimum(n_images, n_gold), n_images)
    return Offsets(
        estimate=_quantities(fit.offset),
        se=INFLATION * np.sqrt(variance),
        df=np.maximum(sure - 1, 0).astype(np.float64),
        n_images=n_images,
        n_gold=n_gold,
    )


def disagreements(fit: TwoWay, offsets: Offsets) -> Disagreements:
    """List the pairs of annotators of whom only the difference is known.

    Parameters
    ----------
    fit : TwoWay
        The fit.
    offsets : Offsets
        From `offset_uncertainty`.
    """
    first, second = _pairs(fit.links)
    return Disagreements(
        first=first,
        second=second,
        difference=offsets.estimate[first] - offsets.estimate[second],
        # either lies half of the difference from the middle
        se=2 * np.fmax(offsets.se[first], offsets.se[second]),
        df=np.minimum(offsets.df[first], offsets.df[second]),
    )


def _pairs(links: Links) -> tuple[Ints, Ints]:
    """List who can be held against whom where there are but two sources."""
    two = np.flatnonzero(links.status == "two_annotators")
    first, second = two[np.triu_indices(len(two), 1)[0]], two[np.triu_indices(len(two), 1)[1]]
    apart = (links.component[first] == links.component[second]) & (
        links.source[first] != links.source[second]
    )
    return first[apart], second[apart]


def _quantities(edges: Floats) -> Floats:
    """Return edges and what is made of them, (A, 8)."""
    left, top, right, bottom = edges.T
    made = ((right - left) / 2, (bottom - top) / 2, left + right, top + bottom)
    return np.column_stack([edges, *made])


def _curvature(fit: TwoWay, edge: Edge) -> Any:
    """Laplacian of the weights, less where errors are gross."""
    who = fit.rows.who
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = (edge.residual / (edge.scale[who] * edge.size[fit.rows.place])) ** 2
    slope = (DF + 1) * (DF - r2) / (DF + r2) ** 2
    mass = fit.rows.by_annotator(edge.weight)
    kappa = np.clip(fit.rows.by_annotator(slope) / np.where(mass > 0, mass, 1.0), *KAPPA)
    return laplacian(fit.rows, kappa[who] * edge.precision, edge.gold_precision)


def _scores(edge: Edge, who: Ints, codes: Ints, shape: tuple[int, int]) -> Any:
    """Sum of ``w (x - b - mu)`` by image and annotator, sparse."""
    from scipy.sparse import coo_array

    return coo_array((edge.precision * edge.residual, (codes, who)), shape=shape).tocsc()


def _inverted(
    matrices: list[Any],
    scores: list[Any],
    people: Ints,
    gauge: Floats | None,
    offset: Floats | None,
    seed: int,
) -> Floats:
    """Variances of the eight quantities of a component, (P, 8), by way of the inverse."""
    from scipy.linalg import cho_factor, cho_solve

    n = len(people)
    mine = [one[:, people].tocsr() for one in scores]
    spread = []
    for matrix in matrices:
        block = matrix.dense()[np.ix_(people, people)]
        if gauge is not None:
            kap = np.trace(block) / n
            block += kap / n
        inverse = cho_solve(cho_factor(block), np.eye(n))
        if gauge is not None:
            inverse -= (inverse @ gauge)[:, None]
        spread.append(inverse)

    def moment(i: int, j: int) -> Floats:
        between = (mine[i].T @ mine[j]).toarray()
        found: Floats = np.einsum("ca,ca->a", spread[i], between @ spread[j])
        return found

    own = np.column_stack([moment(e, e) for e in range(4)])
    linear = _of_quantities(own, moment(0, 2), moment(1, 3))
    if gauge is None or offset is None:
        return linear
    # whoever is the median in every draw is not without error for that
    return np.maximum(_of_medians(mine, spread, gauge, offset, seed), LEAST * linear)


def _of_medians(
    scores: list[Any], spread: list[Floats], gauge: Floats, offset: Floats, seed: int
) -> Floats:
    """Mean squares of the eight quantities when the images are drawn anew, the median with them."""
    rng = np.random.default_rng(seed)
    often = rng.poisson(1.0, (MEDIANS, scores[0].shape[0])) - 1.0
    found = []
    for e, (score, inverse) in enumerate(zip(scores, spread, strict=True)):
        one = offset[:, e, None] + (often @ score @ inverse).T
        found.append(one - weighted_median(one, gauge) - offset[:, e, None])
    own = np.column_stack([(one**2).mean(axis=1) for one in found])
    cross = [(found[e] * found[e + 2]).mean(axis=1) for e in range(2)]
    return _of_quantities(own, *cross)


def _drawn(
    matrices: list[Any],
    scores: list[Any],
    people: Ints,
    gauge: Floats | None,
    *,
    n_draws: int,
    seed: int,
) -> Floats:
    """Do the same for a component too large to invert, by drawing its images anew."""
    rng = np.random.default_rng(seed)
    often = rng.poisson(1.0, (scores[0].shape[0], n_draws)) - 1.0
    member = np.zeros(scores[0].shape[1], dtype=bool)
    member[people] = True
    found = []
    for matrix, score in zip(matrices, scores, strict=True):
        right = (score.T @ often) * member[:, None]
        if gauge is not None:
            right[people] -= right[people].mean(axis=0)
        moved = matrix.solve(right, tolerance=1e-4)[people]
        found.append(moved if gauge is None else moved - gauge @ moved)
    own = np.column_stack([(one**2).mean(axis=1) for one in found])
    cross = [(found[e] * found[e + 2]).mean(axis=1) for e in range(2)]
    return _of_quantities(own, *cross)


def _of_quantities(own: Floats, across: Floats, down: Floats) -> Floats:
    """Variances of edges, shifts and growths from those of edges and two covariances."""
    left, top, right, bottom = own.T
    made = (
        (left + right - 2 * across) / 4,
        (top + bottom - 2 * down) / 4,
        left + right + 2 * across,
        top + bottom + 2 * down,
    )
    answer: Floats = np.maximum(np.column_stack([own, *made]), 0.0)
    return answer
