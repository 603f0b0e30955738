"""run: which annotation of the older version is which of the newer one, identity first.

Equal boxes first; then overlapping ones, where a track that goes on, an id that held elsewhere and
the category count beside the overlap; then what the track or the id tells without any overlap; and
what another annotator has now. Swapping the two versions gives the same pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.kernels.assign import best_assignment
from annqc.kernels.boxes import overlaps
from annqc.run.diffsides import GRID, common_codes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from annqc.kernels._jit import Engine
    from annqc.run.diffsides import Side, Sides
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Pairs", "pair_versions"]

LEAST_IOU: Final = 0.1
SAME_CATEGORY: Final = 0.3
"""What an equal category is worth, in units of IoU."""
TRUSTED: Final = 0.9
"""Ids are believed where they hold in this share of the pairs that were found without them."""


class Pairs(NamedTuple):
    """Rows of both sides that are the same annotation, ordered by the older row."""

    old: Ints
    new: Ints


class _Edges(NamedTuple):
    old: Ints
    new: Ints
    iou: Floats


def pair_versions(sides: Sides, *, engine: Engine = "auto") -> Pairs:
    """Find the newer annotation of every older one.

    Parameters
    ----------
    sides : Sides
        Both versions.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    """
    return _Pairing(sides, engine).found()


class _Pairing:
    def __init__(self, sides: Sides, engine: Engine) -> None:
        self.sides, self.engine = sides, engine
        self.old, self.new = sides.old, sides.new
        self.partner = np.full(len(self.old), -1, dtype=np.int64)
        self.taken = np.zeros(len(self.new), dtype=bool)
        self.cell = common_codes((self.old.who, self.new.who), (self.old.image, self.new.image))
        self.box = common_codes(*zip(_rounded(self.old), _rounded(self.new), strict=True))

    def found(self) -> Pairs:
        """Go through all the steps."""
        category = (self.old.category, self.new.category)
        track = (self.old.named_track, self.new.named_track)
        id = (self.old.named_id, self.new.named_id)
        exact = [self.cell, self.box]
        for more in ((category, track, id), (category, track), (category, id), (category,), ()):
            self._join(*exact, *more)
        self._overlapping()
        self._going_on()
        believed = self._trusted(id) and not (self.old.counted and self.new.counted)
        if believed:
            self._join(self.cell, id)
        if not self.sides.whole:
            image = (self.old.image, self.new.image)
            for more in ((category, track, id), (category, track), (category, id), (category,), ()):
                self._join(image, self.box, *more)
            if believed:
                self._join(image, id)
        rows = np.flatnonzero(self.partner >= 0)
        return Pairs(rows, self.partner[rows])

    def _free(self) -> tuple[Ints, Ints]:
        return np.flatnonzero(self.partner < 0), np.flatnonzero(~self.taken)

    def _take(self, old: Ints, new: Ints) -> None:
        self.partner[old] = new
        self.taken[new] = True

    def _join(self, *columns: tuple[Ints, Ints]) -> None:
        """Pair what is free and equal in all columns, several of a kind in their order."""
        free = self._free()
        if not (len(free[0]) and len(free[1])):
            return
        one, two = common_codes(*((a[free[0]], b[free[1]]) for a, b in columns))
        first, second = _joined(one, two)
        self._take(free[0][first], free[1][second])

    def _trusted(self, ids: tuple[Ints, Ints]) -> bool:
        """Whether ids hold in the pairs that there are."""
        rows = np.flatnonzero(self.partner >= 0)
        one, two = ids[0][rows], ids[1][self.partner[rows]]
        known = (one >= 0) & (two >= 0)
        return bool(known.any()) and float((one == two)[known].mean()) >= TRUSTED

    def _overlapping(self) -> None:
        """Pair what overlaps: once to learn which tracks belong together, and once for good."""
        edges = self._edges(*self._free())
        if not len(edges.old):
            return
        before = self.partner.copy(), self.taken.copy()
        followed = self._followed()
        for last in (False, True):
            worth = edges.iou + self._same(edges, followed)
            if last:
                shares = self._shares(edges)
                self.partner, self.taken = before
                worth += shares
            chosen = best_assignment(
                edges.old,
                edges.new,
                worth,
                n_rows=len(self.old),
                n_columns=len(self.new),
                engine=self.engine,
            )
            self._take(edges.old[chosen], edges.new[chosen])

    def _edges(self, old: Ints, new: Ints) -> _Edges:
        """Return all pairs of free boxes in a cell that overlap."""
        old, new = (
            rows[np.argsort(cell[rows], kind="stable")]
            for rows, cell in zip((old, new), self.cell, strict=True)
        )
        one, two = self.cell[0][old], self.cell[1][new]
        first = np.searchsorted(two, one)
        count = np.searchsorted(two, one, side="right") - first
        left, right = (
            np.ascontiguousarray(side.data.table.xyxy[rows].T)
            for side, rows in ((self.old, old), (self.new, new))
        )
        found = overlaps(left, right, first, count, engine=self.engine)
        kept = found.iou >= LEAST_IOU
        return _Edges(old[found.left[kept]], new[found.right[kept]], found.iou[kept])

    def _same(self, edges: _Edges, followed: tuple[Ints, Ints]) -> Floats:
        """Return what speaks for a pair besides its overlap."""
        old, new = self.old, self.new
        out: Floats = SAME_CATEGORY * (old.category[edges.old] == new.category[edges.new])
        named = [(old.named_track, new.named_track)]
        # Rows that were counted anew after some came or went have other numbers.
        if not (old.counted and new.counted and len(old) != len(new)):
            named.append((old.named_id, new.named_id))
        for one, two in named:
            if self._trusted((one, two)):
                out += (one[edges.old] == two[edges.new]) & (one[edges.old] >= 0)
        mine, theirs = old.track[edges.old], new.track[edges.new]
        known = (mine >= 0) & (theirs >= 0)
        out += known & (followed[0][edges.old] == theirs[:, None]).any(axis=1)
        out += known & (followed[1][edges.new] == mine[:, None]).any(axis=1)
        return out

    def _shares(self, edges: _Edges) -> Floats:
        """Return in which share of their pairs the two tracks of an edge are paired."""
        old, new = self.old.track, self.new.track
        rows = np.flatnonzero(self.partner >= 0)
        one, two = old[rows], new[self.partner[rows]]
        known = (one >= 0) & (two >= 0)
        one, two = one[known], two[known]
        k = int(max(new.max(initial=-1), 0)) + 1
        total = np.bincount(one, minlength=int(old.max(initial=-1)) + 1)
        others = np.bincount(two, minlength=k)
        codes, counts = np.unique(one * k + two, return_counts=True)
        mine, theirs = old[edges.old], new[edges.new]
        out = np.zeros(len(mine))
        some = np.flatnonzero((mine >= 0) & (theirs >= 0))
        if not (len(codes) and len(some)):
            return out
        wanted = mine[some] * k + theirs[some]
        at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        n = np.where(codes[at] == wanted, counts[at], 0)
        out[some] = n / np.maximum(np.maximum(total[mine[some]], others[theirs[some]]), 1)
        return out

    def _followed(self) -> tuple[Ints, Ints]:
        """Tracks of the other side that each box's track had before, and has after; (n, 2)."""
        back = np.full(len(self.new), -1, dtype=np.int64)
        rows = np.flatnonzero(self.partner >= 0)
        back[self.partner[rows]] = rows
        return (
            _continued(self.old, _track_of(self.new, self.partner)),
            _continued(self.new, _track_of(self.old, back)),
        )

    def _going_on(self) -> None:
        """Pair boxes of two tracks that are one before or after, though they do not overlap."""
        there, back = self._followed()
        for one in (0, 1):
            for two in (0, 1):
                free = self._free()
                ahead, behind = there[free[0], one], back[free[1], two]
                known = (
                    free[0][(ahead >= 0) & (self.old.track[free[0]] >= 0)],
                    free[1][(behind >= 0) & (self.new.track[free[1]] >= 0)],
                )
                if not (len(known[0]) and len(known[1])):
                    continue
                codes = common_codes(
                    (self.cell[0][known[0]], self.cell[1][known[1]]),
                    (self.old.track[known[0]], back[known[1], two]),
                    (there[known[0], one], self.new.track[known[1]]),
                )
                first, second = _joined(*codes)
                self._take(known[0][first], known[1][second])


def _rounded(side: Side) -> Iterable[Ints]:
    """Return the coordinates on a grid, one array each."""
    return np.rint(side.data.table.xyxy.T / GRID).astype(np.int64)


def _joined(one: Ints, two: Ints) -> tuple[Ints, Ints]:
    """Pair equal codes; the second of a code with the second."""
    keys, orders = [], []
    width = max(len(one), len(two)) + 1
    for codes in (one, two):
        order = np.argsort(codes, kind="stable")
        ranked = codes[order]
        keys.append(ranked * width + np.arange(len(order)) - np.searchsorted(ranked, ranked))
        orders.append(order)
    _, a, b = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    return orders[0][a], orders[1][b]


def _track_of(side: Side, rows: Ints) -> Ints:
    """Track of rows, -1 where there is no row or no track."""
    if not len(side):
        return np.full(len(rows), -1, dtype=np.int64)
    return np.where(rows >= 0, side.track[rows], -1)


def _continued(side: Side, other: Ints) -> Ints:
    """Return the other side's track at the nearest pair before and after in each box's track.

    Parameters
    ----------
    side : Side
        Whose boxes.
    other : (n,) int64
        Track of each box's partner, -1 for none.
    """
    order = np.lexsort((side.place, side.track))
    track, known = side.track[order], other[order] >= 0
    n = np.arange(len(order))
    before = np.maximum.accumulate(np.where(known, n, -1))
    after = np.minimum.accumulate(np.where(known, n, len(order))[::-1])[::-1]
    out = np.full((len(order), 2), -1, dtype=np.int64)
    for k, at in enumerate((before, after)):
        inside: Bools = (at >= 0) & (at < len(order)) & (track >= 0)
        rows = np.flatnonzero(inside)
        rows = rows[track[at[rows]] == track[rows]]
        out[order[rows], k] = other[order[at[rows]]]
    return out
