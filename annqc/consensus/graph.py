"""consensus: what can be known, read off who drew objects together with whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Ints

__all__ = ["STATUSES", "Links", "links"]

STATUSES = ("ok", "pair_sums", "two_annotators", "not_linked")
"""What can be said of an annotator.

``ok``: the offset from the median annotator of the component, and the spread. ``pair_sums``: the
offset; of the spread only the sum of two squares. ``two_annotators``: only the difference between
the two, never whose it is. ``not_linked``: nothing, they drew no object together with anybody.
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
    """

    component: Ints
    size: Ints
    anchored: Bools
    odd_cycle: Bools

    @property
    def status(self) -> Array:
        """One of `STATUSES` for each annotator, (A,) object."""
        code = np.zeros(len(self.component), dtype=np.int64)
        code[~self.odd_cycle & ~self.anchored] = 1
        code[(self.size == 2) & ~self.anchored] = 2
        code[(self.component < 0) & ~self.anchored] = 3
        return np.array(STATUSES, dtype=object)[code]


def links(object: Ints, annotator: Ints, n_annotators: int, gold: Bools) -> Links:
    """Find the components of the annotators, and which have gold or an odd cycle.

    Parameters
    ----------
    object, annotator : (n,) int64
        What was drawn by whom.
    n_annotators : int
        Number of annotators.
    gold : (m,) bool
        Which objects have gold.

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
    return Links(
        component=component,
        size=np.where(linked, size, 0),
        anchored=anchored & linked,
        odd_cycle=(twice[:n_annotators] == twice[n_annotators:]) & ~alone,
    )
