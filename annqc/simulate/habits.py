"""simulate: the habits an annotator can be given, and the record of what was planted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.tables import EDGES, to_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from annqc.tables import Floats

__all__ = ["OBJECT_SIZES", "Habit", "Kind", "Planted", "PlantedHabits", "Unit"]

Kind = Literal[
    "offset",
    "jitter",
    "tails",
    "gross",
    "missed",
    "spurious",
    "mislabelled",
    "duplicate",
    "merged",
    "split",
    "rounding",
]
Unit = Literal["px", "rel", "rate", "df"]

OBJECT_SIZES: Final = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, math.inf),
}
"""Area ranges in square pixels, lower end included, as COCO divides objects."""

OUTWARD: Final = {
    **{name: tuple(float(k == i) for k in range(4)) for i, name in enumerate(EDGES)},
    "dx": (-1.0, 0.0, 1.0, 0.0),
    "dy": (0.0, -1.0, 0.0, 1.0),
    "dw": (0.5, 0.0, 0.5, 0.0),
    "dh": (0.0, 0.5, 0.0, 0.5),
}
"""How far each edge (left, top, right, bottom) moves outward for one unit of a quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One planted habit of one annotator.

    Attributes
    ----------
    annotator : str
        Who has it.
    kind : str
        What sort of habit it is, such as ``"offset"`` or ``"missed"``.
    quantity : str
        What it changes: a name of `annqc.tables.QUANTITIES` for offsets, else the kind.
    size : float
        How much, in ``unit``.
    unit : {"px", "rel", "rate", "df"}
        Pixels, share of the object's side, share of the objects, or degrees of freedom.
    category, object_size : str or None
        The objects it is limited to; None for all.
    """

    annotator: str
    kind: Kind
    quantity: str
    size: float
    unit: Unit
    category: str | None = None
    object_size: str | None = None


class PlantedHabits(tuple[Planted, ...]):
    """Everything that was planted: a tuple of `Planted` that can become a table."""

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a planted habit, columns as the attributes of `Planted`."""
        return to_frame(
            {name: [getattr(one, name) for one in self] for name in Planted.__dataclass_fields__}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Something an annotator does wrong every time, or at a rate. Use the constructors.

    Attributes
    ----------
    kind : str
        What sort of habit it is.
    amounts : tuple of (str, float)
        Quantities and how much of each.
    unit : {"px", "rel", "rate", "df"}
        What the amounts are in.
    category, object_size : str or None
        The objects the habit is limited to; see `only`.
    confusion : tuple of (str, str, float)
        For wrong labels: true category, drawn category, probability.

    Examples
    --------
    >>> Habit.loose("right", px=3).amounts
    (('out_right', 3.0),)
    >>> Habit.tight("top", rel=0.05).only(category="person").category
    'person'
    """

    kind: Kind
    amounts: tuple[tuple[str, float], ...]
    unit: Unit
    category: str | None = None
    object_size: str | None = None
    confusion: tuple[tuple[str, str, float], ...] = ()

    @classmethod
    def parse(cls, text: str) -> tuple[Habit, ...]:
        """Read habits as they stand in the examples of a spec, separated by commas.

        Parameters
        ----------
        text : str
            ``loose right 5 px``, ``tight top 3 %``, ``shift up 3 px``, ``too wide 6 px``,
            ``jitter 4 px``, ``misses 20 %``, ``extras 10 %``, ``wrong labels 15 %``,
            ``duplicates 5 %``, ``merges 5 %``, ``splits 5 %``, ``gross 5 %``, ``rounding 1 px``
            or ``tails 3 df``; with ``on category car``, ``on size small`` or both behind it,
            on these objects alone.

        Raises
        ------
        SpecError
            Where the text is none of these, or lacks its unit.

        Examples
        --------
        >>> [habit.amounts for habit in Habit.parse("loose right 5 px, misses 20 %")]
        [(('out_right', 5.0),), (('missed', 0.2),)]
        >>> Habit.parse("tight top 3 % on category traffic light")[0].category
        'traffic light'
        """
        from annqc.simulate.phrases import parse_habits  # which is made of these constructors

        return parse_habits(text)

    @classmethod
    def loose(cls, edge: str, *, px: float | None = None, rel: float | None = None) -> Habit:
        """Draw one edge too far out, by pixels or by a share of the object's side.

        Parameters
        ----------
        edge : {"left", "top", "right", "bottom"}
            The edge; ``"out_left"`` and so on are understood too.
        px, rel : float
            How far; exactly one of the two.
        """
        size, unit = _px_or_rel(px, rel)
        return cls(kind="offset", amounts=((_edge(edge), size),), unit=unit)

    @classmethod
    def tight(cls, edge: str, *, px: float | None = None, rel: float | None = None) -> Habit:
        """Draw one edge too far in; parameters as in `loose`."""
        size, unit = _px_or_rel(px, rel)
        return cls(kind="offset", amounts=((_edge(edge), -size),), unit=unit)

    @classmethod
    def shift(cls, *, dx: float = 0.0, dy: float = 0.0, unit: Literal["px", "rel"] = "px") -> Habit:
        """Draw the whole box off centre: ``dx`` to the right, ``dy`` down.

        Parameters
        ----------
        dx, dy : float
            How far, in ``unit``; a share is one of the object's width (dx) or height (dy).
        unit : {"px", "rel"}
            Pixels or share.
        """
        return cls(kind="offset", amounts=_nonzero({"dx": dx, "dy": dy}), unit=_known_unit(unit))

    @classmethod
    def growth(
        cls, *, dw: float = 0.0, dh: float = 0.0, unit: Literal["px", "rel"] = "px"
    ) -> Habit:
        """Draw the box too wide by ``dw`` and too tall by ``dh``, half of it on either side."""
        return cls(kind="offset", amounts=_nonzero({"dw": dw, "dh": dh}), unit=_known_unit(unit))

    @classmethod
    def jitter(cls, *, px: float | None = None, rel: float | None = None) -> Habit:
        """Add noise of this scale to every edge, on top of the noise everybody has."""
        size, unit = _px_or_rel(px, rel)
        return cls(kind="jitter", amounts=(("jitter", _positive("jitter", size)),), unit=unit)

    @classmethod
    def tails(cls, df: float) -> Habit:
        """Draw the noise from Student's t with ``df`` degrees of freedom, the scale as it is."""
        return cls(kind="tails", amounts=(("tails", _positive("df", df)),), unit="df")

    @classmethod
    def gross(cls, rate: float) -> Habit:
        """Draw this share of the objects grossly wrong, as if around something near by."""
        return cls._rate("gross", rate)

    @classmethod
    def misses(cls, rate: float) -> Habit:
        """Leave out this share of the objects."""
        return cls._rate("missed", rate)

    @classmethod
    def extras(cls, rate: float) -> Habit:
        """Draw boxes where nothing is: this many for each object."""
        return cls._rate("spurious", rate)

    @classmethod
    def wrong_labels(
        cls,
        rate: float | None = None,
        *,
        confusion: Mapping[str, Mapping[str, float]] | None = None,
    ) -> Habit:
        """Give objects another category.

        Parameters
        ----------
        rate : float, optional
            Share of the objects that get any other category, all alike.
        confusion : mapping of str to mapping of str to float, optional
            True category, drawn category, probability; instead of ``rate``.
        """
        if (rate is None) == (confusion is None):
            what = "wrong labels need a rate or a confusion, and not both"
            raise SpecError(what, where="Habit.wrong_labels")
        if confusion is None:
            return cls._rate("mislabelled", rate)
        listed = tuple(
            (true, drawn, _share("confusion", p))
            for true, row in confusion.items()
            for drawn, p in row.items()
        )
        for true in confusion:
            _share(
                f"confusion of {true!r}, all together", sum(p for t, _, p in listed if t == true)
            )
        return cls(kind="mislabelled", amounts=(), unit="rate", confusion=listed)

    @classmethod
    def duplicates(cls, rate: float) -> Habit:
        """Draw this share of the objects twice."""
        return cls._rate("duplicate", rate)

    @classmethod
    def merges(cls, rate: float) -> Habit:
        """Draw one box around this share of the objects and their next neighbour in the image."""
        return cls._rate("merged", rate)

    @classmethod
    def splits(cls, rate: float) -> Habit:
        """Draw this share of the objects as two halves, cut across the longer side."""
        return cls._rate("split", rate)

    @classmethod
    def rounding(cls, step: float = 1.0) -> Habit:
        """Round coordinates to multiples of ``step`` pixels."""
        return cls(kind="rounding", amounts=(("rounding", _positive("step", step)),), unit="px")

    @classmethod
    def _rate(cls, kind: Kind, rate: float | None) -> Habit:
        return cls(kind=kind, amounts=((kind, _share("rate", rate)),), unit="rate")

    def only(self, *, category: str | None = None, size: str | None = None) -> Habit:
        """Limit the habit to one category, to one object size, or to both.

        Parameters
        ----------
        category : str, optional
            Name of the category.
        size : {"small", "medium", "large"}, optional
            Area of the object: below 32², below 96², or above, in square pixels.
        """
        if size is not None and size not in OBJECT_SIZES:
            raise UnknownNameError.among(
                kind="object size", name=size, choices=OBJECT_SIZES, where="Habit.only"
            )
        if self.kind == "rounding":
            what = "rounding is a habit of the tool and cannot be limited to some objects"
            raise SpecError(what, where="Habit.only")
        return replace(self, category=category, object_size=size)

    @property
    def size(self) -> float:
        """The amount of a habit that has only one."""
        return self.amounts[0][1]

    def outward(self) -> Floats:
        """Return how far the edges (left, top, right, bottom) move outward, in ``unit``."""
        moves = np.zeros(4)
        for quantity, amount in self.amounts:
            moves += amount * np.array(OUTWARD[quantity])
        return moves

    def planted(self, annotator: str) -> list[Planted]:
        """Return the records of this habit in the hands of ``annotator``."""
        rows = [(quantity, size, self.category) for quantity, size in self.amounts]
        rows += [(f"mislabelled as {drawn}", p, true) for true, drawn, p in self.confusion]
        return [
            Planted(
                annotator=annotator,
                kind=self.kind,
                quantity=quantity,
                size=size,
                unit=self.unit,
                category=category,
                object_size=self.object_size,
            )
            for quantity, size, category in rows
        ]


def _edge(edge: str) -> str:
    name = edge if edge.startswith("out_") else f"out_{edge}"
    if name not in EDGES:
        choices = [one.removeprefix("out_") for one in EDGES]
        raise UnknownNameError.among(kind="edge", name=edge, choices=choices, where="Habit")
    return name


def _px_or_rel(px: float | None, rel: float | None) -> tuple[float, Literal["px", "rel"]]:
    if px is not None and rel is None:
        return _finite("px", px), "px"
    if rel is not None and px is None:
        return _finite("rel", rel), "rel"
    what = "say how much in pixels or as a share of the object's side, and not in both"
    raise SpecError(what, where="Habit", expected="px=3 or rel=0.05")


def _known_unit(unit: str) -> Literal["px", "rel"]:
    if unit == "px":
        return "px"
    if unit == "rel":
        return "rel"
    raise UnknownNameError.among(kind="unit", name=unit, choices=("px", "rel"), where="Habit")


def _nonzero(amounts: dict[str, float]) -> tuple[tuple[str, float], ...]:
    kept = tuple((name, _finite(name, size)) for name, size in amounts.items() if size)
    if not kept:
        what = "an offset of zero is not a habit"
        raise SpecError(what, where="Habit", expected=" or ".join(amounts) + " other than 0")
    return kept


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        what = f"{name} must be a finite number"
        raise SpecError(what, where="Habit", found=repr(value))
    return float(value)


def _positive(name: str, value: float) -> float:
    if not _finite(name, value) > 0:
        what = f"{name} must be above 0"
        raise SpecError(what, where="Habit", found=repr(value))
    return float(value)


def _share(name: str, value: float | None) -> float:
    if value is None or not 0.0 <= value <= 1.0:
        what = f"{name} must be between 0 and 1"
        raise SpecError(what, where="Habit", found=repr(value))
    return float(value)
