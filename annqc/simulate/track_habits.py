"""simulate: the habits of somebody who draws tracks, and the record of what was planted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from annqc.errors import SpecError, UnknownNameError

__all__ = ["PlantedTrack", "TrackHabit", "TrackKind"]

TrackKind = Literal[
    "loose",
    "drift",
    "sawtooth",
    "lag",
    "jump",
    "jitter",
    "interpolated",
    "frozen",
    "late_start",
    "early_end",
    "gap",
    "switch",
    "swap",
    "flip",
]

EDGES: Final = ("left", "top", "right", "bottom")
UNITS: Final[dict[str, str]] = {
    "loose": "px",
    "drift": "px per 100 frames",
    "sawtooth": "px",
    "jump": "px",
    "jitter": "px",
    "frozen": "share of tracks",
    "switch": "share of tracks",
    "swap": "share of tracks",
    "flip": "share of tracks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedTrack:
    """One planted habit on one track.

    Attributes
    ----------
    annotator, kind, size, unit
        Who has it, what sort of habit it is, how much, and what the size is in.
    edges : tuple of str
        The edges it is about; all four where it moves the whole box.
    sequence, track : object
        The reference track that has it.
    first_frame, last_frame : int
        Frames in which it shows.
    """

    annotator: str
    kind: TrackKind
    size: float
    unit: str
    edges: tuple[str, ...]
    sequence: object
    track: object
    first_frame: int
    last_frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackHabit:
    """Something an annotator does wrong on tracks. Use the constructors.

    Attributes
    ----------
    kind : str
        What sort of habit it is.
    size : float
        How much, in the unit of the kind.
    edges : tuple of str
        The edges it is about.
    share : float
        Share of the tracks that have it.
    every : int
        Frames between keyframes, where the habit is about them.

    Examples
    --------
    >>> TrackHabit.lag(2).size, TrackHabit.drift(5, edge="bottom").edges
    (2.0, ('bottom',))
    """

    kind: TrackKind
    size: float
    edges: tuple[str, ...] = EDGES
    share: float = 1.0
    every: int = 1

    def __post_init__(self) -> None:
        unknown = [edge for edge in self.edges if edge not in EDGES]
        if unknown:
            raise UnknownNameError.among(kind="edge", name=unknown[0], choices=EDGES)
        what = "a habit on tracks is out of range"
        where = f"TrackHabit of kind {self.kind!r}"
        if not math.isfinite(self.size):
            raise SpecError(what, where=where, expected="a finite size", found=repr(self.size))
        if not 0 <= self.share <= 1:
            raise SpecError(what, where=where, expected="a share", found=repr(self.share))
        if self.every < 1:
            expected = "a gap of one frame or more"
            raise SpecError(what, where=where, expected=expected, found=repr(self.every))

    @property
    def unit(self) -> str:
        """What the size is in."""
        return UNITS.get(self.kind, "frames")

    @classmethod
    def loose(cls, edge: str, px: float) -> TrackHabit:
        """Draw one edge this far outside, always; negative for inside."""
        return cls(kind="loose", size=float(px), edges=(edge,))

    @classmethod
    def drift(cls, px: float, *, edge: str, share: float = 1.0) -> TrackHabit:
        """Let one edge wander outwards by this many pixels in 100 frames, from zero on."""
        return cls(kind="drift", size=float(px), edges=(edge,), share=share)

    @classmethod
    def sawtooth(cls, px: float, *, edge: str, every: int = 20) -> TrackHabit:
        """Let one edge wander outwards by this much until the next keyframe sets it right."""
        return cls(kind="sawtooth", size=float(px), edges=(edge,), every=every)

    @classmethod
    def lag(cls, frames: float) -> TrackHabit:
        """Draw where the object was this many frames ago; negative runs ahead."""
        return cls(kind="lag", size=float(frames))

    @classmethod
    def jump(cls, px: float, *, share: float = 1.0) -> TrackHabit:
        """Displace the box to the right from some frame in the middle of the track on."""
        return cls(kind="jump", size=float(px), edges=("left", "right"), share=share)

    @classmethod
    def jitter(cls, px: float) -> TrackHabit:
        """Add noise of this standard deviation to every edge of every frame."""
        return cls(kind="jitter", size=float(px))

    @classmethod
    def interpolated(cls, every: int) -> TrackHabit:
        """Draw one frame in this many by hand, and leave the rest to linear interpolation."""
        return cls(kind="interpolated", size=float(every), every=int(every))

    @classmethod
    def frozen(cls, share: float = 1.0) -> TrackHabit:
        """Draw the object once, and hold the drawing for all of the track."""
        return cls(kind="frozen", size=float(share), share=float(share))

    @classmethod
    def late_start(cls, frames: int) -> TrackHabit:
        """Begin every track this many frames late."""
        return cls(kind="late_start", size=float(frames))

    @classmethod
    def early_end(cls, frames: int) -> TrackHabit:
        """End every track this many frames early."""
        return cls(kind="early_end", size=float(frames))

    @classmethod
    def gap(cls, frames: int, *, share: float = 1.0) -> TrackHabit:
        """Leave this many frames in the middle of a track without a box."""
        return cls(kind="gap", size=float(frames), share=share)

    @classmethod
    def switch(cls, share: float = 1.0) -> TrackHabit:
        """Go on under a new id from some frame in the middle of the track."""
        return cls(kind="switch", size=float(share), share=float(share))

    @classmethod
    def swap(cls, share: float = 1.0) -> TrackHabit:
        """Exchange the ids of two tracks of a sequence from some common frame on."""
        return cls(kind="swap", size=float(share), share=float(share))

    @classmethod
    def flip(cls, share: float = 1.0) -> TrackHabit:
        """Give the second part of a track another category."""
        return cls(kind="flip", size=float(share), share=float(share))
