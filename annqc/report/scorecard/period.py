"""report: when work was done, as far as a column says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from annqc.tables import Dataset, Ints

__all__ = ["period_of"]

COLUMNS: Final = ("created_at", "completed_at", "annotated_at", "updated_at", "timestamp", "date")
"""Columns that say when, the first that is there decides."""
SECONDS: Final = (5e8, 5e9)
"""Numbers in this range are seconds since 1970: from 1985 to 2128."""
SCALES: Final = (1.0, 1e3, 1e6, 1e9)
"""Seconds, and what else clocks count: in a second there are so many."""


def period_of(work: Dataset, rows: Ints) -> dict[str, Any] | None:
    """Say from when to when some annotations were made.

    Parameters
    ----------
    work : Dataset
        The work.
    rows : (n,) int64
        Rows of its table.

    Returns
    -------
    dict or None
        ``column``, ``first`` and ``last`` (ISO 8601), ``n_without``: annotations without a time
        that can be read. None where there is none at all.
    """
    for name in COLUMNS:
        if name not in work.table.extra:
            continue
        times = [_time(one) for one in work.table.extra[name][rows].tolist()]
        known = sorted(one for one in times if one is not None)
        if known:
            return {
                "column": name,
                "first": known[0].date().isoformat(),
                "last": known[-1].date().isoformat(),
                "n_without": len(times) - len(known),
            }
    return None


def _time(value: object) -> datetime | None:
    """Read a time: ISO 8601, a time object, or a number since 1970, from seconds to nanoseconds."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        if value != value:  # noqa: PLR0124 - pandas calls a missing time a time
            return None
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:  # the first or the last year that there is, in another zone
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = (value / scale for scale in SCALES)
    plausible = (one for one in seconds if SECONDS[0] <= one < SECONDS[1])
    return next((datetime.fromtimestamp(one, UTC) for one in plausible), None)
