"""report: estimates and intervals as geometry for small drawings, one a group, on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from annqc.report.checks.record import value_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.report.checks.record import Record

__all__ = ["HEIGHT", "WIDTH", "Interval", "Scale", "interval_of", "scale_of"]

WIDTH: Final = 240
HEIGHT: Final = 20
PAD: Final = 8
"""Room at both ends, so that no dot is cut in half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the drawings of one check share.

    Attributes
    ----------
    low, high : float
        Values at the two ends.
    good : (float, float) or None
        Ends of the band in which a rule wants the values, in pixels of the drawing.
    marks : tuple of (float, str)
        Position and label of each limit, and of zero where that lies between limits.
    """

    low: float
    high: float
    good: tuple[float, float] | None
    marks: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """Place a value; what lies beyond an end is drawn at that end."""
        return _at(value, self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One group: positions in pixels of the drawing; ``low`` and ``high`` None without one."""

    dot: float
    low: float | None
    high: float | None


def scale_of(record: Record, rows: Sequence[Mapping[str, Any]]) -> Scale | None:
    """Choose the scale of a check; None where there are no estimates to draw.

    Offsets are drawn in tolerances, for which the band is one margin to both sides; rates and
    counts as they are, for which it reaches from the limit to the end. Changes since a baseline
    have a mark at zero alone, for what is asked is not the same in every row.
    """
    values = [
        float(number)
        for row in rows
        if (name := value_name(row)) is not None
        for number in (row[name], row.get("ci_low"), row.get("ci_high"))
        if _is_number(number)
    ]
    if not values:
        return None
    limits = _limits(record, rows)
    ends = [one for one in limits if one is not None]
    low, high = min([*values, *ends]), max([*values, *ends])
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.06
    low, high = low - room, high + room
    if not ends:
        return Scale(low=low, high=high, good=None, marks=())
    if record["no_worse_than"] is not None:
        return Scale(low=low, high=high, good=None, marks=((_at(0.0, low, high), "0"),))
    bottom, top = limits
    good = (
        0.0 if bottom is None else _at(bottom, low, high),
        float(WIDTH) if top is None else _at(top, low, high),
    )
    labelled = [*ends, 0.0] if len(ends) == 2 else ends
    marks = tuple((_at(value, low, high), f"{value:g}") for value in sorted(labelled))
    return Scale(low=low, high=high, good=good, marks=marks)


def interval_of(row: Mapping[str, Any], scale: Scale) -> Interval | None:
    """Place one group; None where its estimate is undefined."""
    name = value_name(row)
    if name is None:
        return None
    ends = [row.get("ci_low"), row.get("ci_high")]
    low, high = (scale.at(end) if _is_number(end) else None for end in ends)
    return Interval(dot=scale.at(float(row[name])), low=low, high=high)


def _limits(record: Record, rows: Sequence[Mapping[str, Any]]) -> tuple[float | None, float | None]:
    """Return the ends between which a rule wants the values; None for an open end."""
    if record["no_worse_than"] is not None:
        return 0.0, None
    if record["at_least"] is not None or record["at_most"] is not None:
        return record["at_least"], record["at_most"]
    margins = [float(row["margin"]) for row in rows if _is_number(row.get("margin"))]
    if record["tolerance"] is None or not margins:
        return None, None
    return -max(margins), max(margins)


def _at(value: float, low: float, high: float) -> float:
    share = (min(max(value, low), high) - low) / (high - low)
    return round(PAD + share * (WIDTH - 2 * PAD), 1)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
