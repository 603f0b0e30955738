"""report: numbers as people read them on a page."""

from __future__ import annotations

import math
from typing import Any, Final

from annqc.report.shares import share_ends, share_text
from annqc.report.words import SENSITIVE

__all__ = [
    "KINDS",
    "MARKS",
    "NONE",
    "QUALIFIED",
    "WORDS",
    "count",
    "flag_text",
    "interval",
    "kind_text",
    "number",
    "plain_numbers",
    "plot_text",
    "share",
]

NONE: Final = "–"  # noqa: RUF001 - a dash, where there is no number
MARKS: Final = {
    "biased": "✕",
    "collective": "∗",  # noqa: RUF001 - an asterisk at the height of the other marks
    "undecided": "?",
    "clean": "✓",
    "too_few": "·",
}
"""What stands for a verdict besides its colour."""
WORDS: Final = {"too_few": "too few images"}
"""Verdicts whose word is not their name."""
QUALIFIED: Final = "†"
"""Behind the mark of a verdict that what could not be paired might change."""
KINDS: Final = {"loose_box": "edge far off", "loose_outline": "outline far off"}
"""Kinds of errors whose word is not their name: an edge may be too far in as well."""


def kind_text(kind: str) -> str:
    """Name a kind of errors.

    Examples
    --------
    >>> kind_text("loose_box"), kind_text("near_miss")
    ('edge far off', 'near miss')
    """
    return KINDS.get(kind, kind.replace("_", " "))


def flag_text(flag: str) -> str:
    """Name a flag of a finding.

    Examples
    --------
    >>> flag_text("SELECTION_SENSITIVE"), flag_text("ASYMMETRIC")
    ('† selection sensitive', 'asymmetric')
    """
    mark = f"{QUALIFIED} " if flag == SENSITIVE else ""
    return mark + flag.replace("_", " ").lower()


def number(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """Write a number with a true minus; a dash for none.

    Examples
    --------
    >>> number(3.14159, 2), number(2.0, sign=True), number(float("nan")) == NONE
    ('3.14', '+2.0', True)
    """
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if not any(c in "123456789" for c in text):
        text = text.lstrip("+-")
    return text.replace("-", "−")  # noqa: RUF001 - a minus sign, as wide as the digits


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """Write an interval; nothing where there is none.

    Examples
    --------
    >>> interval(0.5, 2.25, 2), interval(float("nan"), 1)
    ('0.50 to 2.25', '')
    """
    texts = number(low, digits), number(high, digits)
    return "" if NONE in texts else f"{texts[0]} to {texts[1]}"


def share(value: float, low: float, high: float) -> tuple[str, str]:
    """Write a share and its interval with two decimals; an interval is rounded outwards.

    Examples
    --------
    >>> share(0.9999, 0.991, 1.0)
    ('0.99', '0.99 to 1.00')
    """
    if not math.isfinite(value):
        return NONE, ""
    if not (math.isfinite(low) and math.isfinite(high)):
        return share_text(value), ""
    ends = share_ends(low, high)
    return share_text(value), f"{ends[0] / 100:.2f} to {ends[1] / 100:.2f}"


def count(value: float) -> str:
    """Write a whole number with separators."""
    return f"{int(value):,}"


def plot_text(text: str) -> str:
    """Make a text safe for plotly, which takes some tags in labels for its own.

    Examples
    --------
    >>> plot_text("<b>&")
    '&lt;b&gt;&amp;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain_numbers(value: Any, digits: int = 4) -> Any:
    """Round the floats of a structure for JSON; what is not finite is None.

    Examples
    --------
    >>> plain_numbers({"x": [0.123456, float("nan")]})
    {'x': [0.1235, None]}
    """
    if isinstance(value, dict):
        return {name: plain_numbers(one, digits) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_numbers(one, digits) for one in value]
    if isinstance(value, float):
        return round(value, digits) if math.isfinite(value) else None
    return value
