"""run: scores of every annotator, and how sure the ranking is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.rates import rate_sums
from annqc.infer.verdicts import half_width
from annqc.measure.offsets import clusters, clusters_of_drawn
from annqc.run.annotators import standing_columns
from annqc.run.keys import refuse_taken_names, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.infer.cht import Location
    from annqc.infer.rates import RateSums
    from annqc.match import Matches
    from annqc.measure.detection import Detections
    from annqc.run.bias import Bias
    from annqc.run.keys import Key
    from annqc.tables import Array, Floats, Ints

__all__ = ["RATES", "Scores", "overlap_interval", "score_columns", "score_sums"]

RATES: Final = {
    "recall": ("n_reference", "n_missed"),
    "precision": ("n_drawn", "n_spurious"),
    "label_accuracy": ("n_matched", "n_mislabelled"),
}
"""Rates, and the columns that count what they are of, and what is wrong."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Scores:
    """Sums behind the scores of n groups; None where the columns do not apply to such rows.

    ``keys`` are the columns of the groups, ``rates`` the sums of each of `RATES`, ``overlap`` the
    mean IoU, ``n_images`` the images compared, ``whole`` whether groups are annotators.
    """

    n: int
    keys: dict[str, Array]
    rates: dict[str, RateSums | None]
    overlap: Location | None
    n_images: Ints | None
    whole: bool


def score_sums(matches: Matches, detected: Detections, by: Sequence[str]) -> Scores:
    """Sum up what the scores of every group come from.

    Parameters
    ----------
    matches, detected
        What was matched and counted.
    by : sequence of str
        Columns.
    """
    keys = resolve(matches, by)
    reference, candidate = matches.reference.table, matches.candidate.table
    asked = _codes(keys, detected.asked_reference, None, detected.asked_annotator)
    drawn = _codes(
        keys, None, detected.drawn_candidate, candidate.annotator[detected.drawn_candidate]
    )
    paired = _codes(
        keys,
        detected.pair_reference,
        detected.pair_candidate,
        candidate.annotator[detected.pair_candidate],
    )
    sizes = [len(key.values) for key in keys]
    whole = [key.name for key in keys] == ["annotator"]
    present, (asked, drawn, paired) = _dense(asked, drawn, paired, sizes, whole=whole)
    n = len(present)
    columns: dict[str, Any] = {}
    rest = present
    for key in reversed(keys):
        columns[key.name] = key.values[rest % len(key.values)]
        rest = rest // len(key.values)
    unit = clusters(matches)
    unit_of_pair = unit[detected.pair_reference]
    counted = {
        "recall": (asked, detected.found, unit[detected.asked_reference]),
        "precision": (drawn, detected.real, clusters_of_drawn(matches)[detected.drawn_candidate]),
        "label_accuracy": (paired, detected.right_label, unit_of_pair),
    }
    sums = {
        name: None if group is None else rate_sums(event, np.ones(len(event)), group, cluster, n)
        for name, (group, event, cluster) in counted.items()
    }
    n_images = None
    if whole:
        n_images = np.bincount(matches.task_annotator, minlength=n)
    elif asked is not None:
        n_images = _distinct(asked, reference.image[detected.asked_reference], n)
    return Scores(
        n=n,
        keys={name: columns[name] for name in by},
        rates=sums,
        # the plain mean of the matched pairs, with a clustered t
        overlap=None
        if paired is None
        else cluster_location(
            paired, unit_of_pair, detected.iou, n_groups=n, rho0=0.0, robust=False
        ),
        n_images=n_images,
        whole=whole,
    )


def score_columns(
    matches: Matches,
    detected: Detections,
    scores: Scores,
    *,
    confidence: float = 0.95,
    bias: Bias | None = None,
) -> dict[str, Array]:
    """Rates and overlap of every group, with clustered intervals.

    Parameters
    ----------
    matches, detected
        What was matched and counted.
    scores : Scores
        From `score_sums`.
    confidence : float
        Level of the intervals.
    bias : Bias, optional
        Findings by annotator, for what is said of annotators as a whole; only where the groups are
        the annotators.

    Returns
    -------
    dict of str to array
        The ``by`` columns; ``recall, precision, label_accuracy, mean_iou``, each with ``_low,
        _high`` and the ``_n_clusters`` its interval rests on; counts; ``n_images`` compared; and
        what `annqc.run.annotators.standing_columns` says.

    Notes
    -----
    Recall is the share of asked reference objects that were drawn, in whatever category; precision
    the share of drawn objects that are there; label accuracy the share of matched pairs with the
    right category. Intervals of rates are Korn and Graubard's over images (tracks and sequences,
    where there are tracks); that of the mean IoU is a clustered t.
    """
    n, by = scores.n, list(scores.keys)
    refuse_taken_names(by, (*RATES, "mean_iou"))
    columns: dict[str, Any] = dict(scores.keys)
    counts: dict[str, Any] = {}
    for name, sums in scores.rates.items():
        if sums is None:
            columns |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.full(n, np.nan))
            columns[f"{name}_n_clusters"] = np.zeros(n, dtype=np.int64)
            continue
        rate = sums.finish(confidence)
        columns[name] = rate.estimate
        columns[f"{name}_low"], columns[f"{name}_high"] = rate.low, rate.high
        columns[f"{name}_n_clusters"] = rate.n_clusters.astype(np.int64)
        total, bad = RATES[name]
        counts[total] = rate.trials.astype(np.int64)
        counts[bad] = (rate.trials - rate.events).astype(np.int64)
    if scores.overlap is not None:
        found = scores.overlap
        low, high = overlap_interval(found, confidence)
        columns |= {"mean_iou": found.estimate, "mean_iou_low": low, "mean_iou_high": high}
        columns["mean_iou_n_clusters"] = found.n_clusters
    if scores.n_images is not None:
        counts["n_images"] = scores.n_images
    if bias is not None:
        counts |= standing_columns(matches, detected, bias)
    refuse_taken_names(by, counts)
    return {**columns, **counts}


def overlap_interval(found: Location, confidence: float) -> tuple[Floats, Floats]:
    """Clustered t interval of a mean IoU, inside [0, 1]."""
    half = half_width(found.se, found.df, confidence)
    low, high = found.estimate - half, found.estimate + half
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def _codes(
    keys: Sequence[Key], reference: Ints | None, candidate: Ints | None, annotator: Ints
) -> Ints | None:
    """Combine the codes of each row; None where a column is not known of this kind of row."""
    out = np.zeros(len(annotator), dtype=np.int64)
    for key in keys:
        if key.name == "annotator":
            code = annotator
        elif reference is not None and key.reference is not None:
            code = key.reference[reference]
        elif candidate is not None and key.candidate is not None:
            code = key.candidate[candidate]
        else:
            return None
        out = out * len(key.values) + code
    return out


def _dense(
    asked: Ints | None, drawn: Ints | None, paired: Ints | None, sizes: list[int], *, whole: bool
) -> tuple[Ints, list[Ints | None]]:
    """Compress codes to the combinations that occur; every annotator occurs."""
    parts = [asked, drawn, paired]
    if whole or not sizes:
        return np.arange(sizes[0] if sizes else 1), parts
    present = np.unique(np.concatenate([part for part in parts if part is not None]))
    return present, [None if part is None else np.searchsorted(present, part) for part in parts]


def _distinct(group: Ints, image: Ints, n: int) -> Ints:
    """Count the different images in each group."""
    wide = int(image.max(initial=0)) + 1
    return np.bincount(np.unique(group * wide + image) // wide, minlength=n)
