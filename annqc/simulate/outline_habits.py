"""simulate: the habits of somebody who draws outlines, and the record of what was planted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from annqc.errors import SpecError, UnknownNameError

__all__ = ["Kind", "OutlineHabit", "PlantedOutline"]

Kind = Literal["growth", "move", "simplification", "rotation"]

SIDES: Final = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedOutline:
    """One planted habit of one annotator.

    Attributes
    ----------
    annotator : str
        Who has it.
    kind : str
        What sort of habit it is.
    quantity : str
        What it changes: ``"contour"``, ``"contour_right"`` and so on, else the kind.
    size : float
        How much, in ``unit``.
    unit : {"px", "degrees"}
        What the size is in.
    """

    annotator: str
    kind: Kind
    quantity: str
    size: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineHabit:
    """Something an annotator does wrong on every outline. Use the constructors.

    Attributes
    ----------
    kind : {"growth", "move", "simplification", "rotation"}
        What sort of habit it is.
    size : float
        How much: pixels, or degrees for a rotation.
    side : str
        The side that a move is about, else empty.

    Examples
    --------
    >>> OutlineHabit.dilated(1.5).size, OutlineHabit.eroded(1).size
    (1.5, -1.0)
    >>> OutlineHabit.moved("right", 2).side
    'right'
    """

    kind: Kind
    size: float
    side: str = ""

    def planted(self, annotator: str) -> PlantedOutline:
        """Return the record of this habit.

        Parameters
        ----------
        annotator : str
            Who has it.
        """
        names = {"growth": "contour", "move": f"contour_{self.side}"}
        return PlantedOutline(
            annotator=annotator,
            kind=self.kind,
            quantity=names.get(self.kind, self.kind),
            size=self.size,
            unit="degrees" if self.kind == "rotation" else "px",
        )

    @classmethod
    def dilated(cls, px: float) -> OutlineHabit:
        """Draw the whole contour this far outside the object; holes get smaller."""
        return cls(kind="growth", size=_number(px))

    @classmethod
    def eroded(cls, px: float) -> OutlineHabit:
        """Draw the whole contour this far inside the object."""
        return cls(kind="growth", size=-_number(px))

    @classmethod
    def moved(cls, side: str, px: float) -> OutlineHabit:
        """Draw what faces one side this far outside; it fades out over 15 degrees beyond.

        Parameters
        ----------
        side : {"left", "top", "right", "bottom"}
            What is within 45 degrees of this direction.
        px : float
            How far, along the normal; negative for inside.
        """
        if side not in SIDES:
            raise UnknownNameError.among(kind="side", name=side, choices=SIDES)
        return cls(kind="move", size=_number(px), side=side)

    @classmethod
    def simplified(cls, px: float) -> OutlineHabit:
        """Leave out vertices that change the outline by no more than this (Douglas-Peucker)."""
        return cls(kind="simplification", size=_number(px))

    @classmethod
    def rotated(cls, degrees: float) -> OutlineHabit:
        """Turn each outline about its middle at random, with this standard deviation."""
        return cls(kind="rotation", size=_number(degrees))


def _number(size: float) -> float:
    if not math.isfinite(size):
        what = "a habit needs a size that is a finite number"
        raise SpecError(what, where="a habit", found=repr(size))
    return float(size)
