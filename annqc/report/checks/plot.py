"""report: estimates and intervals as geometry for small drawings, one a group, on one scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
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
MOST_TICKS: Final = 6
DIGIT: Final = 6.5
"""Width of a digit of a label."""
GAP: Final = 8.0
"""Room between two labels."""
FAR: Final = 10.0
"""A dot may be so many margins away before it counts as far off the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the drawings of one check share.

    Attributes
    ----------
    low, high : float
        Values at the two ends.
    good : (float, float) or None
        Ends of the band in which a rule wants the values, in pixels of the drawing.
    marks : tuple of float
        Positions of each limit, and of zero where that lies between limits.
    labels : tuple of (float, str)
        Position and text of what stands at the axis: limits first, then round numbers, as far as
        no two of them touch.
    """

    low: float
    high: float
    good: tuple[float, float] | None
    marks: tuple[float, ...]
    labels: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """Place a value; what lies beyond an end is drawn at that end."""
        return _at(value, self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One group: positions in pixels of the drawing; ``low`` and ``high`` None without one.

    ``beyond`` names the ends, of "left" and "right", past which the group goes on.
    """

    dot: float
    low: float | None
    high: float | None
    beyond: tuple[str, ...] = ()


def scale_of(record: Record, rows: Sequence[Mapping[str, Any]]) -> Scale | None:
    """Choose the scale of a check; None where there are no estimates to draw.

    Offsets are drawn in tolerances, for which the band is one margin to both sides; rates and
    counts as they are, for which it reaches from the limit to the end. Changes since a baseline
    have a mark at zero alone, for what is asked is not the same in every row. What is far off the
    others does not make the scale: it is cut, and an arrow says so.
    """
    dots = [
        float(row[name])
        for row in rows
        if (name := value_name(row)) is not None and _is_number(row[name])
    ]
    if not dots:
        return None
    limits = _limits(record, rows)
    ends = [one for one in limits if one is not None]
    low, high = _range(dots, rows, limits)
    if not ends:
        labels = _labels([], low, high)
        return Scale(low=low, high=high, good=None, marks=(), labels=labels)
    labelled = sorted([*ends, 0.0] if len(ends) == 2 else ends)
    marks = tuple(_at(value, low, high) for value in labelled)
    labels = _labels(labelled, low, high)
    if record["no_worse_than"] is not None:
        return Scale(low=low, high=high, good=None, marks=marks, labels=labels)
    bottom, top = limits
    good = (
        0.0 if bottom is None else _at(bottom, low, high),
        float(WIDTH) if top is None else _at(top, low, high),
    )
    return Scale(low=low, high=high, good=good, marks=marks, labels=labels)


def interval_of(row: Mapping[str, Any], scale: Scale) -> Interval | None:
    """Place one group; None where its estimate is undefined."""
    name = value_name(row)
    if name is None:
        return None
    dot = float(row[name])
    ends = [row.get("ci_low"), row.get("ci_high")]
    low, high = (scale.at(end) if _is_number(end) else None for end in ends)
    drawn = [dot, *(float(end) for end in ends if _is_number(end))]
    beyond = {"left": min(drawn) < scale.low, "right": max(drawn) > scale.high}
    cut = tuple(side for side, is_cut in beyond.items() if is_cut)
    return Interval(dot=scale.at(dot), low=low, high=high, beyond=cut)


def _range(
    dots: Sequence[float],
    rows: Sequence[Mapping[str, Any]],
    limits: tuple[float | None, float | None],
) -> tuple[float, float]:
    """Choose the ends of a scale, such that one group far off does not squash all others."""
    ends = [one for one in limits if one is not None]
    core = [*dots, *ends]
    if len(ends) == 2 and ends[0] < ends[1]:
        middle, half = sum(ends) / 2, (ends[1] - ends[0]) / 2
        reach = max(FAR * half, 4 * median(abs(dot - middle) for dot in dots))
        core = [min(max(one, middle - reach), middle + reach) for one in core]
    low, high = min(core), max(core)
    # Intervals may go beyond the dots by half of what these take up.
    room = 0.5 * (high - low) or max(abs(high), 1.0) * 0.5
    tails = [
        min(max(float(end), low - room), high + room)
        for row in rows
        for end in (row.get("ci_low"), row.get("ci_high"))
        if _is_number(end)
    ]
    low, high = min([low, *tails]), max([high, *tails])
    edge = 0.06 * (high - low) or max(abs(high), 1.0) * 0.06
    return low - edge, high + edge


def _labels(limits: Sequence[float], low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Choose what stands at the axis: the limits, then round numbers where there is room."""
    placed: list[tuple[float, str]] = []

    def place(at: float, text: str) -> bool:
        half = DIGIT * len(text) / 2
        if any(abs(at - one) < half + DIGIT * len(said) / 2 + GAP for one, said in placed):
            return False
        placed.append((at, text))
        return True

    both = len(limits) == 3 and limits[0] == -limits[2]
    if both and _at(limits[2], low, high) - _at(limits[0], low, high) < 5 * DIGIT + 2 * GAP:
        place(_at(0.0, low, high), f"±{limits[2]:g}")
    else:
        for value in limits:
            place(_at(value, low, high), _label(value))
    step = _round_step((high - low) / MOST_TICKS)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        place(_at(number * step, low, high), _label(number * step))
    return tuple(sorted(placed))


def _label(value: float) -> str:
    return f"{round(value, 9):g}".replace("-", "−")  # noqa: RUF001 - a minus sign, not a hyphen


def _round_step(least: float) -> float:
    """Return the first of 1, 2, 5, 10, 20 and so on, and their tenths, that is not below."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999999)


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
