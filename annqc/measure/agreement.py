"""measure: how far annotators agree with each other, without gold.

Where two annotators were both asked for an image, their boxes are paired one to one so that the
total overlap is largest. What they agree on is the overlap of the pairs; what they said is the
pairs, and every box that is left over on either side. The category is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.measure.couples import couples, paired

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.tables import Dataset, Floats, Ints

__all__ = ["Agreements", "agreements"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Agreements:
    """One row for every two annotators and image that both were asked for.

    Attributes
    ----------
    first, second : (m,) int64
        The annotators, ``first < second``.
    image : (m,) int64
        Row of the image table.
    overlap : (m,) float64
        Sum of the IoU of the paired boxes.
    said : (m,) float64
        Paired boxes, each pair once, and boxes left over. 0 where neither drew anything.
    """

    first: Ints
    second: Ints
    image: Ints
    overlap: Floats
    said: Floats


def agreements(data: Dataset, *, pair_iou: float = 0.1, engine: Engine = "auto") -> Agreements:
    """Compare every two annotators on every image that both were asked for.

    Parameters
    ----------
    data : Dataset
        The work. Whoever is assigned to an image or drew on it was asked for it. Crowds and ignored
        boxes are left out.
    pair_iou : float
        Boxes that overlap less are no pair.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob"], n_images=10, rng=1)
    >>> found = agreements(made.work)
    >>> len(found.image), bool((found.overlap <= found.said).all())
    (10, True)
    """
    who = couples(data)
    (found,) = paired(who, data.table.xyxy, at_least=(pair_iou,), engine=engine)
    n = len(who.image)
    overlap = np.bincount(found.couple, found.iou, minlength=n).astype(np.float64)
    return Agreements(
        first=who.first,
        second=who.second,
        image=who.image,
        overlap=overlap,
        said=(who.n_first + who.n_second - np.bincount(found.couple, minlength=n)).astype(float),
    )
