"""suspicions: what everyone who was asked says of each object of the gold, out of the matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.infer.suspicions.contradicted import Opinions

if TYPE_CHECKING:
    from annqc.match.matches import Matches
    from annqc.tables import Ints

__all__ = ["opinions_of"]


def opinions_of(matches: Matches, annotator: Ints, image: Ints) -> Opinions:
    """Lay out what everyone who was asked says of each ordinary object of the gold.

    Parameters
    ----------
    matches : Matches
        The work compared with the gold.
    annotator, image : (t,) int64
        Who was asked for which image of the gold, as in ``matches.task_annotator``.

    Returns
    -------
    Opinions
        Who has a box that pairs with the object, at whatever overlap pairs are made for offsets,
        drew it; offsets of ambiguous pairs are NaN.
    """
    gold, work = matches.reference.table, matches.candidate.table
    objects = np.flatnonzero(~(gold.crowd | gold.ignored))
    objects = objects[np.argsort(gold.image[objects], kind="stable")]
    starts = np.searchsorted(gold.image[objects], np.arange(len(matches.reference.image_table) + 1))
    count = (starts[1:] - starts[:-1])[image]
    task = np.repeat(np.arange(len(image)), count)
    within = np.arange(len(task)) - np.repeat(np.cumsum(count) - count, count)
    row = objects[starts[image[task]] + within] if len(task) else task
    n = len(matches.candidate.annotator_ids)
    key = row * n + annotator[task]
    matched = _looked_up(
        key, matches.matched_reference * n + work.annotator[matches.matched_candidate]
    )
    paired = _looked_up(key, matches.pair_reference * n + work.annotator[matches.pair_candidate])
    label = np.full(len(key), -1, dtype=np.int64)
    for at, candidates in ((paired, matches.pair_candidate), (matched, matches.matched_candidate)):
        label[at >= 0] = matches.candidate_category[candidates[at[at >= 0]]]
    plain = paired >= 0
    plain[plain] = ~matches.pair_ambiguous[paired[plain]]
    offsets = np.full((len(key), 4), np.nan)
    drawn = work.xyxy[matches.pair_candidate[paired[plain]]]
    offsets[plain] = (drawn - gold.xyxy[row[plain]]) * np.array([-1.0, -1.0, 1.0, 1.0])
    return Opinions(
        object=row, annotator=annotator[task], drew=label >= 0, label=label, offsets=offsets
    )


def _looked_up(key: Ints, among: Ints) -> Ints:
    """Position of each key among unsorted others, -1 for none."""
    if not len(among):
        return np.full(len(key), -1, dtype=np.int64)
    order = np.argsort(among, kind="stable")
    at = np.minimum(np.searchsorted(among[order], key), len(among) - 1)
    return np.where(among[order[at]] == key, order[at], -1)
