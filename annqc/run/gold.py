"""run: a gold that several people drew is taken as one, and that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.read.part import problem

if TYPE_CHECKING:
    from annqc.tables import Dataset

__all__ = ["one_gold"]

GOLD_BY_SEVERAL: Final = "gold_by_several"


def one_gold(gold: Dataset) -> Dataset:
    """List a problem where several annotators drew gold on one image.

    Parameters
    ----------
    gold : Dataset
        The reference.

    Returns
    -------
    Dataset
        The same, with one more issue where that is so.
    """
    if len(gold.annotator_ids) < 2:
        return gold
    table = gold.table
    drawn = np.unique(table.image * len(gold.annotator_ids) + table.annotator)
    image = drawn // len(gold.annotator_ids)
    several = len(np.unique(image[1:][image[1:] == image[:-1]]))
    if not several or any(one.kind == GOLD_BY_SEVERAL for one in gold.issues):
        return gold
    message = (
        f"{several:,} images of the gold were drawn on by more than one annotator; all their boxes "
        "together are taken as the gold"
    )
    source = gold.sources[0].path if gold.sources else "<table>"
    return gold.with_issues([problem(GOLD_BY_SEVERAL, source, "the whole file", message)])
