"""consensus: what can be known, read off who drew objects together with whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.consensus.gauge import gauge_weights

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["STATUSES", "Links", "links"]

STATUSES = ("ok", "pair_sums", "two_annotators", "not_linked", "one_source")
"""What can be said of an annotator.

``ok``: the offset from the median annotator of the component, and the spread. ``pair_sums``: the
offset; of the spread only the sum of two squares. ``two_annotators``: only the difference between
the two, never whose it is; also where there are more, and their boxes have two sources.
``not_linked``: nothing, they drew no object together with anybody. ``one_source``: nothing, all who
drew the same objects have their boxes from one source.
"""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Links:
    """Components of the graph of annotators who drew an object together.

    Attributes
    ----------
    component : (A,) int64
        Offsets can be compared between annotators with the same number; -1 for who drew no object
        together with anybody.
    size : (A,) int64
        Annotators in the component, 0 for -1.
    anchored : (A,) bool
        Whether the component drew objects of the gold, so that offsets are from the gold.
    odd_cycle : (A,) bool
        Whether the component has an odd cycle, such as three annotators who each drew objects with
        both others. Without one only the sum of the squared spreads of two annotators is known.
    n_sources : (A,) int64
        Sources of the boxes of the component: annotators, those with copies of each other as one.
    source : (A,) int64
        Number of the source of each.
    gauge : (A,) float64
        How much each counts for where zero is without gold, see `annqc.consensus.gauge`.
    split : (A,) bool
        Whether the annotator belongs to a team that too few images link to others, so that it was
        made a component of its own.
    """

    component: Ints
    size: Ints
    anchored: Bools
    odd_cycle: Bools
    n_sources: Ints
    source: Ints
    gauge: Floats
    split: Bools

    @property
    def status(self) -> Array:
        """One of `STATUSES` for each annotator, (A,) object."""
        code = np.zeros(len(self.component), dtype=np.int64)
        code[~self.odd_cycle & ~self.anchored] = 1
        code[(self.n_sources == 2) & ~self.anchored] = 2
        code[(self.component < 0) & ~self.anchored] = 3
        code[(self.n_sources == 1) & ~self.anchored] = 4
        return np.array(STATUSES, dtype=object)[code]


def links(
    object: Ints,
    annotator: Ints,
    n_annotators: int,
    gold: Bools,
    *,
    image: Ints | None = None,
    same_source: Ints | None = None,
    split: Bools | None = None,
) -> Links:
    """Find the components of the annotators, and which have gold or an odd cycle.

    Parameters
    ----------
    object, annotator : (n,) int64
        What was drawn by whom.
    n_annotators : int
        Number of annotators.
    gold : (m,) bool
        Which objects have gold.
    image : (m,) int64, optional
        Image of each object; each has its own, if not given.
    same_source : (A,) int64, optional
        Annotators whose boxes have one source have one number.
    split : (A,) bool, optional
        Who belongs to a team that was taken apart from others.

    Examples
    --------
    >>> found = links(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]), 4, np.zeros(2, dtype=bool))
    >>> found.component.tolist(), bool(found.odd_cycle.any())
    ([0, 0, 0, -1], False)
    """
    from scipy.sparse import bmat, csr_array
    from scipy.sparse.csgraph import connected_components

    shape = (len(gold), n_annotators)
    drawn = csr_array((np.ones(len(object)), (object, annotator)), shape=shape)
    together = (drawn.T @ drawn).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    alone = np.diff(together.indptr) == 0
    anchored_one = (drawn.T @ gold.astype(np.float64)) > 0
    _, label = connected_components(together, directed=False)
    component = np.full(n_annotators, -1, dtype=np.int64)
    linked = ~alone | anchored_one
    component[linked] = np.unique(label[linked], return_inverse=True)[1]
    size = np.bincount(label, minlength=n_annotators)[label]
    anchored = np.bincount(label, anchored_one, n_annotators)[label] > 0
    # In two copies of the graph, with every link from one copy to the other, a walk from an
    # annotator to the own copy is a cycle of odd length.
    _, twice = connected_components(bmat([[None, together], [together, None]]), directed=False)
    of = np.arange(len(gold)) if image is None else np.unique(image, return_inverse=True)[1]
    source = np.arange(n_annotators) if same_source is None else same_source
    kinds = np.unique(np.stack([component, source])[:, linked], axis=1)
    n_sources = np.bincount(kinds[0], minlength=component.max(initial=-1) + 2)[component]
    on = np.unique(annotator * max(len(gold), 1) + of[object]) // max(len(gold), 1)
    n_images = np.bincount(on, minlength=n_annotators)
    return Links(
        component=component,
        size=np.where(linked, size, 0),
        anchored=anchored & linked,
        odd_cycle=(twice[:n_annotators] == twice[n_annotators:]) & ~alone,
        n_sources=np.where(linked, n_sources, 0),
        source=source,
        gauge=gauge_weights(n_images, component, source),
        split=np.zeros(n_annotators, dtype=bool) if split is None else split & linked,
    )
