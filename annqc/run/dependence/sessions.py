"""run: sittings: stretches of work by one annotator without a long pause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["PAUSE", "Sessions", "sessions"]

PAUSE: Final = 1800.0
"""Seconds without a drawing that end a sitting."""
FAST: Final = 60.0
"""Seconds an image: whoever is faster has images that are hardly apart from one another."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Sessions:
    """Sittings of drawn boxes.

    Attributes
    ----------
    session : (n,) int64
        Sitting of each box, numbered through; -1 where its time is unknown.
    hours : (n,) float64
        Hours since it began; NaN where unknown.
    fast : (n_people,) bool
        Who draws more than one image a minute.
    n : (n_people,) int64
        Sittings of each.
    """

    session: Ints
    hours: Floats
    fast: Bools
    n: Ints


def sessions(seconds: Array, cluster: Array, person: Array, n_people: int) -> Sessions:
    """Cut work into sittings.

    Parameters
    ----------
    seconds : (n,) array_like
        When each box was drawn; NaN where unknown.
    cluster, person : (n,) array_like of int
        Image (or track) of each box, and who drew it.
    n_people : int
        How many there are.

    Returns
    -------
    Sessions

    Examples
    --------
    >>> found = sessions([0.0, 600.0, 9000.0, 0.0], [0, 1, 2, 0], [0, 0, 0, 1], 2)
    >>> found.session.tolist(), found.hours.round(2).tolist(), found.n.tolist()
    ([0, 0, 1, 2], [0.0, 0.17, 0.0, 0.0], [2, 1])
    """
    seconds, who = np.asarray(seconds, dtype=np.float64), np.asarray(person, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(seconds))
    order = known[np.lexsort((seconds[known], who[known]))]
    time, owner = seconds[order], who[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (owner[1:] != owner[:-1]) | (np.diff(time) > PAUSE)
    number = np.cumsum(new) - 1
    began = time[new]
    session = np.full(len(seconds), -1, dtype=np.int64)
    session[order] = number
    hours = np.full(len(seconds), np.nan)
    hours[order] = (time - began[number]) / 3600.0
    last = np.append(np.flatnonzero(new)[1:], len(order)) - 1
    spent = np.bincount(owner[new], time[last] - began, n_people) if len(order) else 0.0
    seen = np.unique(np.stack([owner, np.asarray(cluster, dtype=np.int64)[order]]), axis=1)
    images = np.bincount(seen[0], minlength=n_people)
    return Sessions(
        session=session,
        hours=hours,
        fast=np.asarray(images * FAST > spent),
        n=np.bincount(owner[new], minlength=n_people),
    )
