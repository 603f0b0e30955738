"""simulate: habits of drawing outlines in words, such as ``"dilated 1.5 px"``, for specs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from annqc.errors import SpecError, did_you_mean
from annqc.simulate.outline_habits import OutlineHabit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OUTLINE_PHRASES", "parse_outline_habits"]

_TEXT: Final = re.compile(
    r"(?P<words>[^\d.+-]*?)\s*(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(?P<unit>[a-z%]*)",
    re.IGNORECASE,
)
PX: Final = "px"
DEGREES: Final = "degrees"


def _moved(side: str, sign: int) -> Callable[[float], OutlineHabit]:
    return lambda size: OutlineHabit.moved(side, sign * size)


OUTLINE_PHRASES: Final[dict[str, tuple[str, Callable[[float], OutlineHabit]]]] = {
    "dilated": (PX, OutlineHabit.dilated),
    "eroded": (PX, OutlineHabit.eroded),
    **{f"{side} out": (PX, _moved(side, 1)) for side in ("left", "top", "right", "bottom")},
    **{f"{side} in": (PX, _moved(side, -1)) for side in ("left", "top", "right", "bottom")},
    "simplified": (PX, OutlineHabit.simplified),
    "rotated": (DEGREES, OutlineHabit.rotated),
}
"""Everything that can be said of a habit, with its unit, before the number."""


def parse_outline_habits(text: object) -> tuple[OutlineHabit, ...]:
    """Read habits of somebody who draws outlines.

    Parameters
    ----------
    text : str
        Habits, separated by commas: ``dilated``, ``eroded``, ``left|top|right|bottom out|in`` or
        ``simplified`` with a number of pixels, ``rotated`` with one of degrees.

    Raises
    ------
    SpecError
        Where it cannot be read.

    Examples
    --------
    >>> parse_outline_habits("dilated 1.5 px, right in 2 px")[1]
    OutlineHabit(kind='move', size=-2.0, side='right')
    """
    if not isinstance(text, str):
        what = "a habit is written as a text in quotes"
        raise SpecError(what, expected="'dilated 1.5 px'", found=repr(text))
    return tuple(_habit(part.strip()) for part in text.split(","))


def _habit(text: str) -> OutlineHabit:
    found = _TEXT.fullmatch(text)
    words = " ".join((text if found is None else found["words"]).lower().split())
    if words not in OUTLINE_PHRASES:
        what = f"there is no habit {text!r} of somebody who draws outlines"
        known = ", ".join(f"{name} ... {unit}" for name, (unit, _) in OUTLINE_PHRASES.items())
        raise SpecError(what, expected=known, hint=did_you_mean(words, OUTLINE_PHRASES))
    unit, make = OUTLINE_PHRASES[words]
    what, expected = f"cannot read the habit {text!r}", f"'{words} 2 {unit}'"
    if found is None:
        raise SpecError(what, expected=expected, hint="say how much")
    if found["unit"].lower() != unit:
        raise SpecError(what, expected=expected, found=found["unit"] or "no unit")
    size = float(found["number"])
    if size <= 0:
        hint = "say the opposite for the other direction, such as eroded for dilated"
        raise SpecError(what, expected="a number above 0", found=found["number"], hint=hint)
    return make(size)
