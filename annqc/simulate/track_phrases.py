"""simulate: habits of drawing tracks in words, such as ``"lag 2 frames"``, for specs."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from annqc.errors import SpecError, did_you_mean
from annqc.simulate.track_habits import EDGES, TrackHabit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TRACK_PHRASES", "parse_track_habits"]

_TEXT: Final = re.compile(
    r"(?P<words>[^\d.+-]*?)\s*(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(?P<unit>[a-z%]*)",
    re.IGNORECASE,
)
PX: Final = "px"
FRAMES: Final = "frames"
SHARE: Final = "%"


def _drift(edge: str, size: float) -> TrackHabit:
    return TrackHabit.drift(size, edge=edge)


def _sawtooth(edge: str, size: float) -> TrackHabit:
    return TrackHabit.sawtooth(size, edge=edge)


def _lead(size: float) -> TrackHabit:
    return TrackHabit.lag(-size)


def _whole(make: Callable[[int], TrackHabit], size: float) -> TrackHabit:
    if size != int(size):
        what = "so many frames are a whole number"
        raise SpecError(what, found=f"{size:g}")
    return make(int(size))


def _share(make: Callable[[float], TrackHabit], size: float) -> TrackHabit:
    return make(size / 100)


TRACK_PHRASES: Final[dict[str, tuple[str, Callable[[float], TrackHabit]]]] = {
    **{f"drift {edge}": (PX, partial(_drift, edge)) for edge in EDGES},
    **{f"loose {edge}": (PX, partial(TrackHabit.loose, edge)) for edge in EDGES},
    **{f"sawtooth {edge}": (PX, partial(_sawtooth, edge)) for edge in EDGES},
    "lag": (FRAMES, TrackHabit.lag),
    "lead": (FRAMES, _lead),
    "jump": (PX, TrackHabit.jump),
    "jitter": (PX, TrackHabit.jitter),
    "interpolated": (FRAMES, partial(_whole, TrackHabit.interpolated)),
    "late start": (FRAMES, partial(_whole, TrackHabit.late_start)),
    "early end": (FRAMES, partial(_whole, TrackHabit.early_end)),
    "gap": (FRAMES, partial(_whole, TrackHabit.gap)),
    "frozen": (SHARE, partial(_share, TrackHabit.frozen)),
    "switch": (SHARE, partial(_share, TrackHabit.switch)),
    "swap": (SHARE, partial(_share, TrackHabit.swap)),
    "flip": (SHARE, partial(_share, TrackHabit.flip)),
}
"""Everything that can be said of a habit, with its unit, before the number."""
SIGNED: Final = ("drift", "loose", "sawtooth")
"""Habits that a negative number turns inwards."""


def parse_track_habits(text: object) -> tuple[TrackHabit, ...]:
    """Read habits of somebody who draws tracks.

    Parameters
    ----------
    text : str
        Habits, separated by commas: ``drift``, ``loose`` or ``sawtooth`` with an edge and pixels
        (of a drift, in 100 frames; negative is inwards); ``lag``, ``lead``, ``late start``,
        ``early end``, ``gap`` or ``interpolated`` (one keyframe in so many) with frames; ``jump``
        or ``jitter`` with pixels; ``frozen``, ``switch``, ``swap`` or ``flip`` with the percentage
        of tracks that have it.

    Raises
    ------
    SpecError
        Where it cannot be read.

    Examples
    --------
    >>> parse_track_habits("drift bottom 5 px, lag 2 frames")[1]
    TrackHabit(kind='lag', size=2.0, edges=('left', 'top', 'right', 'bottom'), share=1.0, every=1)
    """
    if not isinstance(text, str):
        what = "a habit is written as a text in quotes"
        raise SpecError(what, expected="'lag 2 frames'", found=repr(text))
    return tuple(_habit(part.strip()) for part in text.split(","))


def _habit(text: str) -> TrackHabit:
    found = _TEXT.fullmatch(text)
    words = " ".join((text if found is None else found["words"]).lower().split())
    if words not in TRACK_PHRASES:
        what = f"there is no habit {text!r} of somebody who draws tracks"
        known = ", ".join(f"{name} ... {unit}" for name, (unit, _) in TRACK_PHRASES.items())
        raise SpecError(what, expected=known, hint=did_you_mean(words, TRACK_PHRASES))
    unit, make = TRACK_PHRASES[words]
    what, expected = f"cannot read the habit {text!r}", f"'{words} 2 {unit}'"
    if found is None:
        raise SpecError(what, expected=expected, hint="say how much")
    told = found["unit"].lower()
    if told != unit and not (unit == FRAMES and told == "frame"):
        raise SpecError(what, expected=expected, found=found["unit"] or "no unit")
    size = float(found["number"])
    if size == 0 or (size < 0 and words.partition(" ")[0] not in SIGNED):
        raise SpecError(what, expected="a number above 0", found=found["number"])
    if unit == SHARE and size > 100:
        raise SpecError(what, expected="100 % or less", found=found["number"])
    try:
        return make(size)
    except SpecError as error:
        raise SpecError(what, expected=error.expected or expected, found=error.found) from None
