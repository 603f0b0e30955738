"""report: from when to when the work of a page was done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Floats, Ints

__all__ = ["period_of"]


def period_of(times: tuple[str, Floats] | None, rows: Ints) -> dict[str, Any] | None:
    """Say from when to when some annotations were made.

    Parameters
    ----------
    times : (str, (n,) float64) or None
        Of all annotations, from `annqc.report.times.times_of`.
    rows : (m,) int64
        Annotations of a page.

    Returns
    -------
    dict or None
        ``column``, ``first`` and ``last`` (ISO 8601), ``zone``, that of both days, ``n_without``:
        annotations without a time that can be read. None where there is none at all.
    """
    if times is None:
        return None
    name, seconds = times
    known = seconds[rows][np.isfinite(seconds[rows])]
    if not len(known):
        return None
    ends = float(known.min()), float(known.max())
    first, last = (datetime.fromtimestamp(one, UTC).date() for one in ends)
    return {
        "column": name,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "zone": "UTC",
        "n_without": len(rows) - len(known),
    }
