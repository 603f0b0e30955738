"""measure: tolerances such as ``max(1 px, 2 %)``, which make offsets of all sizes comparable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.errors import SpecError

if TYPE_CHECKING:
    from annqc.tables import Floats

__all__ = ["Tolerance"]

_TERM = re.compile(r"^\s*(\d+(?:\.\d*)?|\.\d+)\s*(px|%)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far an edge may be off: the larger of an absolute and a relative part.

    Attributes
    ----------
    px : float
        Pixels.
    rel : float
        Share of the reference's side (width for left and right, height for top and bottom).

    Examples
    --------
    >>> Tolerance.parse("max(1 px, 2 %)")
    Tolerance(px=1.0, rel=0.02)
    >>> Tolerance.parse("3 %").of(200.0)
    6.0
    """

    px: float = 1.0
    rel: float = 0.02

    @classmethod
    def parse(cls, text: str | Tolerance) -> Tolerance:
        """Read ``"2 px"``, ``"3 %"`` or ``"max(1 px, 2 %)"``.

        Raises
        ------
        SpecError
            Where the text is none of these, or the tolerance is zero.
        """
        if isinstance(text, Tolerance):
            return text
        what = f"cannot read the tolerance {text!r}"
        shape = "'2 px', '3 %' or 'max(1 px, 2 %)'"
        if not isinstance(text, str):
            raise SpecError(what, expected=shape, found=type(text).__name__)
        body = text.strip()
        inner = re.fullmatch(r"max\s*\((.*)\)", body)
        terms = inner.group(1).split(",") if inner else [body]
        parts: dict[str, float] = {}
        for term in terms:
            found = _TERM.match(term)
            if found is None:
                hint = "a number needs its unit, px or %" if re.search(r"\d", term) else None
                raise SpecError(what, expected=shape, found=repr(term.strip()), hint=hint)
            number, unit = found.groups()
            if unit in parts:
                raise SpecError(what, expected=shape, found=f"{unit} twice")
            parts[unit] = float(number)
        tolerance = cls(px=parts.get("px", 0.0), rel=parts.get("%", 0.0) / 100)
        if tolerance.px == 0 and tolerance.rel == 0:
            raise SpecError(what, expected="a tolerance above zero", found="zero")
        return tolerance

    def of(self, side: Floats | float) -> Floats | float:
        """Tolerance in pixels for a reference side of the given length: ``max(px, rel * side)``."""
        return (
            np.maximum(self.px, self.rel * side)
            if isinstance(side, np.ndarray)
            else max(self.px, self.rel * side)
        )

    def __str__(self) -> str:
        px, rel = f"{self.px:g} px", f"{100 * self.rel:g} %"
        if self.rel == 0:
            return px
        return rel if self.px == 0 else f"max({px}, {rel})"
