"""Polygons as files have them -> normal form, and what was wrong with them.

Stands beside the way read -> match -> measure -> infer -> judge -> report. In normal form rings
are open, no vertex repeats the one before it, outer rings run clockwise on screen (positive area)
and holes the other way, holes lie inside outer rings, and rings overlap in no other way. A polygon
that is sound keeps its vertices: at most its rings are turned round, and repeated vertices go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from annqc.geometry.boxes import FARTHEST
from annqc.geometry.evenodd import MOST_CROSSINGS, crossings, even_odd
from annqc.geometry.polygons import cyclic_next, signed_areas
from annqc.geometry.rings import nesting, oriented, rings_of, shoelace
from annqc.shapes import BOX_ONLY, MASK, gather
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["Fault", "Fill", "normalise"]

Fill = Literal["union", "even_odd"]

_SLACK: Final = 1e-11
"""Areas that differ by less, relative to area and perimeter, are equal."""
_AT_ONCE: Final = 1 << 18
"""Vertices that are held as shapely's objects at a time."""
_MANY: Final = 500
"""Rings of fewer vertices cannot cross each other too often."""
_PLACE: Final = re.compile(r"\[(\S+) (\S+)\]")


class Fault(NamedTuple):
    """What is wrong with the outline of one annotation: a kind of problem, and the particulars."""

    kind: str
    row: int
    found: str


def normalise(
    shapes: Shapes, *, fill: Fill = "union", hole: Bools | None = None
) -> tuple[Shapes, list[Fault]]:
    """Put polygons into normal form.

    Parameters
    ----------
    shapes : Shapes
        Rings as the file has them: closed or not, in either direction. Masks stay as they are.
    fill : {"union", "even_odd"}
        What several rings of one annotation mean. ``union``: parts of one object; where they
        overlap they count once (COCO, LabelMe). ``even_odd``: a ring inside another is a hole, one
        inside that an island (Darwin, SVG).
    hole : (r,) bool, optional
        Which rings are holes, where the file says so; they are taken off the union of the others.

    Returns
    -------
    shapes : Shapes
        n rows in normal form; rows of which nothing is left have no ring, and are box only.
    faults : list of Fault
        By row. ``non_finite``, ``out_of_range``, ``few_points``, ``zero_area``, ``tangled``:
        nothing is left. ``stray_ring``, ``self_touching``, ``self_crossing``, ``hole_outside``,
        ``overlapping_parts``: repaired.

    Notes
    -----
    A ring that crosses itself is even-odd in itself, as in `shapely.make_valid` and in COCO's
    rasteriser: both lobes of a figure of eight stay.

    Examples
    --------
    >>> bowtie = [[0, 0], [4, 4], [4, 0], [0, 4]]
    >>> normal, faults = normalise(Shapes.from_rings([[bowtie]]))
    >>> len(normal.rings(0)), faults[0].kind
    (2, 'self_crossing')
    """
    ends = shapes.ring_offsets[shapes.shape_offsets[1:]]
    n, start, first = len(shapes), 0, 0
    several: list[Shapes] = []
    faults: list[Fault] = []
    while start < n or not several:
        stop = max(int(np.searchsorted(ends, first + _AT_ONCE, side="right")), start + 1)
        rows, stop = np.arange(start, min(stop, n)), min(stop, n)
        a, b = shapes.shape_offsets[[start, stop]].tolist()
        made, found = _normalised(shapes.take(rows), fill, None if hole is None else hole[a:b])
        several.append(made)
        faults += [one._replace(row=one.row + start) for one in found]
        start, first = stop, int(ends[stop - 1]) if n else 0
    return Shapes.concat(several), faults


def _normalised(shapes: Shapes, fill: Fill, hole: Bools | None) -> tuple[Shapes, list[Fault]]:
    """Put some polygons into normal form: as many as memory likes at a time."""
    import shapely

    faults: list[Fault] = []
    rings = _long_enough(shapes, hole, faults)
    n, r = len(shapes), len(rings.row)
    polygons = np.empty(0, dtype=object)
    if r:
        index = np.repeat(np.arange(r), np.diff(rings.offsets))
        polygons = shapely.polygons(shapely.linearrings(rings.points, indices=index))
    valid: Bools = shapely.is_valid(polygons)
    counts = np.bincount(rings.row, minlength=n)
    odd = np.zeros(n, dtype=bool)
    odd[rings.row[rings.hole | ~valid]] = True
    sound = (counts == 1) & ~odd
    if fill == "union":
        sound |= _apart(polygons, rings.row, (counts > 1) & ~odd)
    untouched = sound[rings.row]
    made: list[tuple[int, list[Floats]]] = []
    for row in np.unique(rings.row[~untouched]).tolist():
        first, last = np.searchsorted(rings.row, [row, row + 1]).tolist()
        few = _Outline(row, rings, slice(first, last), polygons[first:last], valid[first:last])
        made.append((row, few.mended(fill, faults)))
    normal = _assembled(shapes, rings, np.flatnonzero(untouched), made)
    lost = {one.row for one in faults if one.kind in _LOST}
    told = [one for one in faults if one.kind in _LOST or one.row not in lost]
    return normal, sorted(told, key=lambda one: one.row)


_LOST: Final = frozenset({"non_finite", "out_of_range", "few_points", "zero_area", "tangled"})


@dataclass(frozen=True, slots=True)
class _Rings:
    """Rings of three vertices or more, none repeated: by annotation, and their numbers in it."""

    points: Floats
    offsets: Ints
    row: Ints
    hole: Bools
    number: Ints


def _long_enough(shapes: Shapes, hole: Bools | None, faults: list[Fault]) -> _Rings:
    """Return the rings that can be worked with; list those that cannot."""
    per_shape, per_ring = np.diff(shapes.shape_offsets), np.diff(shapes.ring_offsets)
    row = np.repeat(np.arange(len(shapes)), per_shape)
    number = np.arange(len(row)) - np.repeat(shapes.shape_offsets[:-1], per_shape)
    ring = np.repeat(np.arange(len(row)), per_ring)
    points = shapes.points
    sound = np.ones(len(shapes), dtype=bool)
    finite = np.isfinite(points).all(axis=1)
    far = finite & (np.abs(points).max(axis=1, initial=0.0) > FARTHEST)
    for kind, bad in (("non_finite", ~finite), ("out_of_range", far)):
        for k in np.flatnonzero(bad).tolist():
            at = int(row[ring[k]])
            if sound[at]:
                x, y = points[k].tolist()
                faults.append(Fault(kind, at, f"expected a vertex in pixels, found {x:g}, {y:g}"))
                sound[at] = False
    keep = (points != points[cyclic_next(shapes.ring_offsets)]).any(axis=1) & sound[row[ring]]
    length = np.bincount(ring[keep], minlength=len(row))
    long = length > 2
    keep &= long[ring]
    n_long = np.bincount(row[long], minlength=len(shapes))
    for k in np.flatnonzero(~long & sound[row]).tolist():
        at, found = int(row[k]), f"ring {number[k] + 1} of {per_shape[row[k]]}"
        points_found = _count(max(int(length[k]), min(int(per_ring[k]), 1)), "different point")
        if n_long[at]:
            faults.append(Fault("stray_ring", at, f"{found} has {points_found}"))
        elif number[k] == 0:
            faults.append(Fault("few_points", at, f"expected three or more, found {points_found}"))
    return _Rings(
        points=points[keep],
        offsets=np.concatenate([[0], np.cumsum(length[long])]),
        row=row[long],
        hole=np.zeros(int(long.sum()), dtype=bool) if hole is None else hole[long],
        number=number[long],
    )


def _apart(polygons: Array, row: Ints, several: Bools) -> Bools:
    """Return which annotations of several valid rings have parts that do not overlap."""
    import shapely

    apart = np.zeros(len(several), dtype=bool)
    rows = np.flatnonzero(several)
    if len(rows):
        some = several[row]
        parts = shapely.multipolygons(polygons[some], indices=np.searchsorted(rows, row[some]))
        apart[rows] = shapely.is_valid(parts)
    return apart


class _Outline:
    """The rings of one annotation that need a closer look."""

    def __init__(self, row: int, rings: _Rings, some: slice, polygons: Array, valid: Bools) -> None:
        bounds = rings.offsets[some.start : some.stop + 1].tolist()
        self.row = row
        self.rings = [rings.points[a:b] for a, b in pairwise(bounds)]
        self.hole = rings.hole[some]
        self.number = rings.number[some].tolist()
        self.polygons = polygons
        self.valid = valid
        self.faults: list[Fault] = []

    def mended(self, fill: Fill, faults: list[Fault]) -> list[Floats]:
        """Return the rings in normal form, and list what was wrong with them."""
        made = self._mended(fill)
        if not made and not any(one.kind in _LOST for one in self.faults):
            self._add("zero_area", "nothing is left of it but lines and points")
        faults += self.faults
        return made

    def _mended(self, fill: Fill) -> list[Floats]:
        import shapely

        if sum(map(len, self.rings)) > _MANY and crossings(self.rings) > MOST_CROSSINGS:
            self._add("tangled", f"about {crossings(self.rings)} crossings")
            return []
        flagged = bool(self.hole.any())
        if self.valid.all() and (flagged or fill == "even_odd"):
            depth = nesting(self.polygons, self.rings)
            if depth is not None and (
                np.array_equal(depth, self.hole) if flagged else fill == "even_odd"
            ):
                pairs = zip(self.rings, (depth % 2 == 0).tolist(), strict=True)
                return [oriented(ring, outer=outer) for ring, outer in pairs]
        pieces = [self._piece(k) for k in range(len(self.rings))]
        if fill == "even_odd" and not flagged:
            if self.valid.all():
                self._add("overlapping_parts", "its rings cross or touch each other")
            return rings_of(even_odd(self.rings))
        outer = self._united([one for one, h in zip(pieces, self.hole, strict=True) if not h])
        if not flagged:
            return rings_of(outer)
        for piece, number in zip(np.array(pieces)[self.hole], self._numbers(), strict=True):
            beyond = shapely.area(shapely.difference(piece, outer))
            if beyond > _SLACK * (shapely.area(piece) + shapely.length(piece)):
                found = f"{beyond:g} of {shapely.area(piece):g} square pixels of ring {number + 1}"
                self._add("hole_outside", f"{found} lie outside the outline")
        holes = shapely.union_all(np.array(pieces)[self.hole])
        return rings_of(shapely.difference(outer, holes))

    def _numbers(self) -> list[int]:
        return [number for number, h in zip(self.number, self.hole, strict=True) if h]

    def _piece(self, k: int) -> Any:
        """Return one ring as valid polygons, even-odd in itself."""
        import shapely

        if self.valid[k]:
            return self.polygons[k]
        ring, before = self.rings[k], abs(shoelace(self.rings[k]))
        fixed = even_odd([ring])
        which = f"ring {self.number[k] + 1}" if len(self.rings) > 1 else "it"
        if not rings_of(fixed):
            if len(self.rings) > 1:
                self._add("stray_ring", f"{which} encloses no area")
            return shapely.MultiPolygon()
        place = _PLACE.search(shapely.is_valid_reason(self.polygons[k]))
        near = f" near x {float(place[1]):g}, y {float(place[2]):g}" if place else ""
        if abs(fixed.area - before) > _SLACK * (fixed.area + fixed.length):
            areas = f"; it encloses {fixed.area:g} square pixels"
            self._add("self_crossing", f"{which} crosses itself{near}{areas}")
        else:
            self._add("self_touching", f"{which} touches itself{near}")
        return fixed

    def _united(self, pieces: list[Any]) -> Any:
        """Return the union of parts; list it where they overlap or share an edge."""
        import shapely

        parts = shapely.get_parts(np.array(pieces, dtype=object))
        if not len(parts):
            return shapely.MultiPolygon()
        if len(pieces) > 1 and not shapely.is_valid(shapely.multipolygons(parts)):
            union = shapely.union_all(parts)
            shared = float(shapely.area(parts).sum() - union.area)
            self._add("overlapping_parts", f"{max(shared, 0.0):g} square pixels are in several")
            return union
        return shapely.multipolygons(parts)

    def _add(self, kind: str, found: str) -> None:
        self.faults.append(Fault(kind, self.row, found))


def _assembled(
    shapes: Shapes, rings: _Rings, untouched: Ints, made: Iterable[tuple[int, list[Floats]]]
) -> Shapes:
    """Lay the rings that stay and those that were made out by annotation."""
    places, offsets = gather(rings.offsets, untouched)
    lengths = np.diff(offsets)
    backwards = signed_areas(rings.points, rings.offsets)[untouched] < 0
    step = np.arange(len(places)) - np.repeat(offsets[:-1], lengths)
    turned = places - step + (np.repeat(lengths, lengths) - step) % np.repeat(lengths, lengths)
    points = [rings.points[np.where(np.repeat(backwards, lengths), turned, places)]]
    row, length = [rings.row[untouched]], [lengths]
    for at, several in made:
        points += several
        row.append(np.full(len(several), at))
        length.append(np.array([len(one) for one in several], dtype=np.int64))
    rows = np.concatenate(row)
    ring_offsets = np.concatenate([[0], np.cumsum(np.concatenate(length))])
    order = np.argsort(rows, kind="stable")
    where, in_order = gather(ring_offsets, order)
    per_shape = np.bincount(rows, minlength=len(shapes))
    polygons = Shapes.from_ragged(
        np.concatenate(points)[where], in_order, np.concatenate([[0], np.cumsum(per_shape)])
    )
    is_mask = shapes.kind == MASK
    masks = replace(shapes, kind=np.where(is_mask, MASK, BOX_ONLY).astype(np.int8))
    return Shapes.mixed(polygons, masks)


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"
