"""suspicions: how likely it is that so many of several unlike events come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.tables import Array

__all__ = ["at_least"]


def at_least(chances: Array | Sequence[float], count: int) -> float:
    """Return the probability of ``count`` events or more, of independent ones of these chances.

    Parameters
    ----------
    chances : (n,) array_like
        The probability of each.
    count : int
        How many came.

    Notes
    -----
    Exact (the Poisson binomial), by adding one event at a time to the distribution up to ``count``.

    Examples
    --------
    >>> round(at_least([0.5, 0.5, 0.1], 2), 12)
    0.3
    """
    if count <= 0:
        return 1.0
    below = np.zeros(count)
    below[0] = 1.0
    reached = 0.0
    for chance in np.asarray(chances, dtype=np.float64).tolist():
        reached += chance * float(below[-1])
        below[1:] = (1 - chance) * below[1:] + chance * below[:-1]
        below[0] *= 1 - chance
    return min(reached, 1.0)
