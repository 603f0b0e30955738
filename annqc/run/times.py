"""run: when annotations were made, as far as a column of the work says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Dataset, Floats

__all__ = ["TIME_COLUMNS", "seconds_of", "times_of"]

TIME_COLUMNS: Final = (
    "created_at",
    "completed_at",
    "annotated_at",
    "updated_at",
    "timestamp",
    "date",
)
"""Columns that say when, the first that says it of any annotation decides."""
SECONDS: Final = (5e8, 5e9)
"""Numbers in this range are seconds since 1970: from 1985 to 2128. Others may count frames."""
SCALES: Final = (1.0, 1e3, 1e6, 1e9)
"""Seconds, and what else clocks count: in a second there are so many."""

FARTHEST: Final = 6e10
"""Seconds from 1970 that a date may lie off, nineteen centuries; zones cannot shift it out."""


def times_of(work: Dataset) -> tuple[str, Floats] | None:
    """Return when annotations were made.

    Parameters
    ----------
    work : Dataset
        The work.

    Returns
    -------
    (str, (n,) float64) or None
        Name of the column, and seconds since 1970, NaN where it cannot be read. None where no
        column says it of any annotation.
    """
    for name in TIME_COLUMNS:
        column = work.table.extra.get(name)
        if column is None:
            continue
        if column.dtype.kind == "M":  # as nanoseconds they would come back as numbers
            column = column.astype("datetime64[us]")
        seconds = np.array([seconds_of(one) for one in column.tolist()], dtype=np.float64)
        if np.isfinite(seconds).any():
            return name, seconds
    return None


def seconds_of(value: object) -> float:
    """Read a point in time as seconds since 1970; NaN for what is none.

    Parameters
    ----------
    value : object
        A date or time, ISO 8601, or a number since 1970: seconds, milli-, micro- or nanoseconds.
        What names no zone is taken for UTC.

    Examples
    --------
    >>> seconds_of("2024-03-01T08:00:00Z"), seconds_of(1709280000000), seconds_of("soon")
    (1709280000.0, 1709280000.0, nan)
    >>> seconds_of(17)
    nan
    """
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        value = _read(value.strip())
    if isinstance(value, date):
        return _instant(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return np.nan
    return next((value / s for s in SCALES if SECONDS[0] * s <= value < SECONDS[1] * s), np.nan)


def _read(text: str) -> datetime | float | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _instant(value: date) -> float:
    if value != value:  # noqa: PLR0124 - pandas' NaT is not itself
        return np.nan
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone comes next
    seconds = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return seconds if abs(seconds) < FARTHEST else np.nan
