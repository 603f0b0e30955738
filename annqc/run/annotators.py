"""run: what is said of an annotator as a whole: verdict, rank, and the score on equal images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.difficulty import two_way_skills
from annqc.infer.rates import rate_sums
from annqc.infer.shrinkage import rank_intervals, shrink, smooth_variances
from annqc.infer.verdicts import BIASED, CLEAN, COLLECTIVE, G_MIN, UNDECIDED, VERDICTS
from annqc.measure.offsets import clusters
from annqc.run.anonymous import STATUS
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.infer.difficulty import Skills
    from annqc.infer.shrinkage import Ranks
    from annqc.match import Matches
    from annqc.measure.detection import Detections
    from annqc.run.bias import Bias
    from annqc.tables import Array, Bools

__all__ = ["annotator_verdicts", "rank_annotators", "standing_columns"]

SEED: Final = 20_240_229
"""Rank intervals come from random draws; the seed makes them the same every time."""


def standing_columns(matches: Matches, detected: Detections, bias: Bias) -> dict[str, Array]:
    """Say of every annotator as a whole how they stand.

    Parameters
    ----------
    matches, detected
        What was matched and counted.
    bias : Bias
        Findings by annotator alone.

    Returns
    -------
    dict of str to (n_annotators,) array
        ``verdict`` (see `annotator_verdicts`), its ``p_adjusted`` and ``status``, and ``n_more``,
        the further images that would settle every open edge; ``rank, rank_low, rank_high, p_worst,
        worst_edge``; ``far_rate`` with its interval, the share of asked objects that were drawn so
        far off that they could not be paired; ``iou_adjusted``, the mean IoU on images of average
        difficulty,
        with ``component`` (comparable within the same number, -1 for nobody) and ``weakly_linked``.
    """
    codes = annotator_verdicts(bias)
    decided = bias.decisions
    few = ~decided.tested[:, : len(EDGES)].any(axis=1)
    open_edges = decided.verdict[:, : len(EDGES)] == UNDECIDED
    more = np.where(open_edges, decided.n_more[:, : len(EDGES)], 0.0).max(axis=1)
    ranks = rank_annotators(bias)
    n = len(codes)
    reference = matches.reference.table
    width = max(len(reference), 1)
    unit = clusters(matches)
    far = np.isin(
        detected.asked_annotator * width + detected.asked_reference,
        matches.far_annotator * width + matches.far_reference,
    )
    rate = rate_sums(
        far,
        np.ones(len(far)),
        detected.asked_annotator,
        unit[detected.asked_reference],
        n,
    ).finish(bias.confidence)
    skills = _skills(matches, detected, n)
    return {
        "verdict": np.array(VERDICTS, dtype=object)[codes],
        "status": np.where(bias.nameless, STATUS, np.where(few, "too_few_clusters", "ok")).astype(
            object
        ),
        "n_more": np.where(codes == UNDECIDED, more, np.nan),
        "p_adjusted": bias.accusation.p_annotator_adjusted,
        "rank": ranks.rank,
        "rank_low": _unless(bias.nameless, ranks.low),
        "rank_high": _unless(bias.nameless, ranks.high),
        "p_worst": ranks.p_worst,
        "worst_edge": ranks.metric,
        "far_rate": rate.estimate,
        "far_rate_low": rate.low,
        "far_rate_high": rate.high,
        "iou_adjusted": skills.adjusted,
        "iou_adjusted_se": skills.se,
        "component": skills.component,
        "weakly_linked": skills.weak,
    }


def _unless(nameless: Bools, places: Array) -> Array:
    """Return places of annotators, and none of those who are nobody in particular."""
    return np.where(nameless, np.nan, places) if nameless.any() else places


def _skills(matches: Matches, detected: Detections, n: int) -> Skills:
    """Mean IoU of every annotator on equal images."""
    if n == 1:  # nobody to share images with
        nothing = np.empty(0)
        return two_way_skills(nothing, nothing, nothing, n)
    annotator = matches.candidate.table.annotator[detected.pair_candidate]
    n_images = max(len(matches.reference.image_table), 1)
    task = annotator * n_images + matches.reference.table.image[detected.pair_reference]
    keys, inverse = np.unique(task, return_inverse=True)
    iou = np.bincount(inverse, detected.iou) / np.bincount(inverse) if len(keys) else np.empty(0)
    return two_way_skills(iou, keys // n_images, keys % n_images, n)


def annotator_verdicts(bias: Bias) -> Array:
    """Judge each annotator as a whole.

    Parameters
    ----------
    bias : Bias
        Findings by annotator alone; those of `Bias.pooled` count the strata in.

    Returns
    -------
    (n_annotators,) int64
        Codes into `annqc.infer.verdicts.VERDICTS`. Biased: accused, on the whole work or on a part
        of it. Clean: not accused, and all four edges are clean. Collective: no edge is undecided,
        and one is off as everybody is. Else undecided.
    """
    edges = bias.decisions.verdict[:, : len(EDGES)]
    verdict = np.full(len(edges), UNDECIDED)
    settled = (edges != UNDECIDED).all(axis=1)
    verdict[settled & (edges == COLLECTIVE).any(axis=1)] = COLLECTIVE
    verdict[(edges == CLEAN).all(axis=1)] = CLEAN
    verdict[bias.accusation.accused] = BIASED
    return verdict


def rank_annotators(bias: Bias) -> Ranks:
    """Rank annotators by their worst edge, shrunken, with the interval that the doubt leaves.

    Parameters
    ----------
    bias : Bias
        Findings by annotator alone.

    Notes
    -----
    Each edge is shrunken over annotators: towards zero, or towards the common offset where the
    collective test says that there is one. The metric is the largest of the four posterior means in
    tolerance units. Annotators with too few images for a verdict are not ranked: they could stand
    anywhere. Nor are those who are nobody in particular.
    """
    found = bias.estimates.located["tolerance"]
    mean = np.empty((bias.groups.n, len(EDGES)))
    variance = np.empty_like(mean)
    for edge in range(len(EDGES)):
        noise = smooth_variances(
            found.se[:, edge], found.n_eff[:, edge], found.df[:, edge], found.n_clusters[:, edge]
        )
        shared = bias.collective is not None and bool(bias.collective.biased[0, edge])
        posterior = shrink(found.estimate[:, edge], noise, centre=None if shared else 0.0)
        mean[:, edge], variance[:, edge] = posterior.mean, posterior.variance
    few = (found.n_clusters[:, : len(EDGES)] < G_MIN).any(axis=1)
    mean[few | bias.nameless] = np.nan
    return rank_intervals(mean, variance, rng=SEED)
