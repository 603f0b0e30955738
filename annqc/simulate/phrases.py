"""simulate: habits in words, such as ``"loose right 5 px"``, for specs and for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from annqc.errors import SpecError, did_you_mean
from annqc.simulate.habits import OBJECT_SIZES, Habit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PHRASES", "parse_habits"]

_TEXT: Final = re.compile(
    r"(?P<words>[^\d.+-]*?)\s*(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(?P<unit>[a-z%]*)",
    re.IGNORECASE,
)
_ONLY: Final = re.compile(r"\s+on\s+(category|size)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One thing that can be said: the units it takes, and what it means."""

    units: tuple[str, ...]
    make: Callable[[float, str], Habit]


def _edge(edge: str, *, out: bool) -> _Phrase:
    make = Habit.loose if out else Habit.tight
    return _Phrase(
        ("px", "%"),
        lambda size, unit: make(edge, px=size) if unit == "px" else make(edge, rel=size / 100),
    )


def _box(kind: str, quantity: str, sign: int) -> _Phrase:
    def make(size: float, unit: str) -> Habit:
        moved = {quantity: sign * (size if unit == "px" else size / 100)}
        make_kind = Habit.shift if kind == "shift" else Habit.growth
        return make_kind(**moved, unit="px" if unit == "px" else "rel")

    return _Phrase(("px", "%"), make)


def _jitter(size: float, unit: str) -> Habit:
    return Habit.jitter(px=size) if unit == "px" else Habit.jitter(rel=size / 100)


def _rate(make: Callable[[float], Habit]) -> _Phrase:
    return _Phrase(("%",), lambda size, _unit: make(size / 100))


PHRASES: Final[Mapping[str, _Phrase]] = {
    **{f"loose {edge}": _edge(edge, out=True) for edge in ("left", "top", "right", "bottom")},
    **{f"tight {edge}": _edge(edge, out=False) for edge in ("left", "top", "right", "bottom")},
    "shift left": _box("shift", "dx", -1),
    "shift right": _box("shift", "dx", 1),
    "shift up": _box("shift", "dy", -1),
    "shift down": _box("shift", "dy", 1),
    "too wide": _box("growth", "dw", 1),
    "too narrow": _box("growth", "dw", -1),
    "too tall": _box("growth", "dh", 1),
    "too short": _box("growth", "dh", -1),
    "jitter": _Phrase(("px", "%"), _jitter),
    "tails": _Phrase(("df",), lambda size, _unit: Habit.tails(size)),
    "rounding": _Phrase(("px",), lambda size, _unit: Habit.rounding(size)),
    "gross": _rate(Habit.gross),
    "misses": _rate(Habit.misses),
    "extras": _rate(Habit.extras),
    "wrong labels": _rate(Habit.wrong_labels),
    "duplicates": _rate(Habit.duplicates),
    "merges": _rate(Habit.merges),
    "splits": _rate(Habit.splits),
}
"""Everything that can be said of a habit, before the number and its unit."""


def parse_habits(text: object) -> tuple[Habit, ...]:
    """Read habits; `annqc.Habit.parse` is the same, and says what can be written."""
    if not isinstance(text, str):
        what = "a habit is written as a text in quotes"
        raise SpecError(what, expected="'loose right 5 px'", found=repr(text))
    return tuple(_habit(part.strip()) for part in text.split(","))


def _habit(text: str) -> Habit:
    said, *limits = _ONLY.split(text)
    found = _TEXT.fullmatch(said)
    words = " ".join((said if found is None else found["words"]).lower().split())
    phrase = PHRASES.get(words)
    if phrase is None:
        raise _unknown(text, words)
    what = f"cannot read the habit {text!r}"
    example = f"{words} 5 {phrase.units[0]}"
    shape = " or ".join(repr(f"{words} 5 {unit}") for unit in phrase.units)
    if found is None:
        raise SpecError(what, expected=shape, hint=f"say how much, such as {example!r}")
    number, unit = float(found["number"]), found["unit"].lower()
    if unit not in phrase.units:
        hint = f"{words} is said in {' or '.join(phrase.units)}"
        raise SpecError(what, expected=shape, found=unit or "no unit", hint=hint)
    if number <= 0:
        hint = "say the opposite for the other direction, such as tight for loose"
        raise SpecError(what, expected="a number above 0", found=found["number"], hint=hint)
    if unit == "%" and phrase.units == ("%",) and number > 100:
        raise SpecError(what, expected="0 to 100 %", found=f"{number:g} %")
    return _limited(phrase.make(number, unit), limits, text)


def _limited(habit: Habit, limits: list[str], text: str) -> Habit:
    """Limit a habit to what stands behind "on"."""
    chosen = {
        name.lower(): value.strip() for name, value in zip(limits[::2], limits[1::2], strict=True)
    }
    if not chosen:
        return habit
    if len(chosen) < len(limits) / 2 or not all(chosen.values()):
        what = f"cannot read the habit {text!r}"
        expected = "one category, one size, or one of each"
        raise SpecError(what, expected=expected, hint="such as 'on category car on size small'")
    size = chosen.get("size")
    if size is not None and size.lower() in OBJECT_SIZES:
        chosen["size"] = size.lower()
    return habit.only(**chosen)


def _unknown(text: str, words: str) -> SpecError:
    """Build the error that lists all that can be said."""
    what = f"there is no habit {text!r}"
    return SpecError(what, expected=_listed(), hint=did_you_mean(words, PHRASES))


def _listed() -> str:
    """Everything that can be said, edges and directions folded together."""
    folded: dict[str, list[str]] = {}
    for name in PHRASES:
        first, _, second = name.partition(" ")
        if first in {"loose", "tight", "shift", "too"}:
            folded.setdefault(first, []).append(second)
        else:
            folded[name] = []
    said = [f"{name} {'|'.join(choices)}" if choices else name for name, choices in folded.items()]
    return (
        ", ".join(said)
        + "; then a number and its unit (px, %, df for tails), and 'on category NAME' "
        "or 'on size small|medium|large' where it is not on everything"
    )
