"""run: what changed in paired annotations, and the stretches of frames in which it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry.boxes import paired_iou
from annqc.geometry.mask_pairs import mask_overlap
from annqc.geometry.outline_pairs import same_outlines
from annqc.geometry.polygon_pairs import polygon_overlap
from annqc.run.diffsides import GRID, common_codes
from annqc.shapes import BOX_ONLY, MASK, POLYGON

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.measure.tolerance import Tolerance
    from annqc.run.diffpairs import Pairs
    from annqc.run.diffsides import Side, Sides
    from annqc.tables import Bools, Floats, Ints

__all__ = ["KINDS", "Changed", "Stretches", "changed_pairs", "renumbered_tracks", "stretches_of"]

KINDS: Final = (
    *("removed", "added", "moved", "relabelled", "reassigned", "renumbered"),
    *("outline", "marked"),
)
"""Kinds of change. Those of pairs come after the first two."""

DECIMALS: Final = 3
"""Movements are told to so many decimals of a pixel."""

OWN_ID: Final = 0.1
"""A track that keeps its id in this share of its frames has not been renumbered as a whole."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Changed:
    """What changed in each pair.

    Attributes
    ----------
    delta : (p, 4) float64
        Newer less older coordinate of each edge, in pixels, to three decimals.
    iou : (p,) float64
        Of the two boxes.
    outline_iou : (p,) float64
        Of the two outlines, where they changed and the box did not; else NaN.
    kinds : dict of str to (p,) bool
        Which pairs changed in which way.
    """

    delta: Floats
    iou: Floats
    outline_iou: Floats
    kinds: dict[str, Bools]


def changed_pairs(
    sides: Sides, pairs: Pairs, *, tolerance: Tolerance | None, engine: Engine = "auto"
) -> Changed:
    """Say what changed in each pair.

    Parameters
    ----------
    sides : Sides
        Both versions.
    pairs : Pairs
        Rows that are the same annotation.
    tolerance : Tolerance or None
        What an edge may move without being told; a hundredth of a pixel if None.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    """
    old, new = sides.old, sides.new
    i, j = pairs
    boxes = old.data.table.xyxy[i], new.data.table.xyxy[j]
    delta = np.round(boxes[1] - boxes[0], DECIMALS) + 0.0
    if tolerance is None:
        limit = np.full_like(delta, GRID)
    else:
        side = np.abs(boxes[0][:, 2:] - boxes[0][:, :2])
        limit = np.tile(np.maximum(tolerance.px, tolerance.rel * side), 2)
    moved: Bools = np.asarray((np.abs(delta) > limit).any(axis=1))
    marks = [2 * s.data.table.crowd[r] + s.data.table.ignored[r] for s, r in ((old, i), (new, j))]
    redrawn, outline_iou = _redrawn(sides, pairs, ~moved, engine)
    return Changed(
        delta=delta,
        iou=paired_iou(*boxes),
        outline_iou=outline_iou,
        kinds={
            "moved": moved,
            "relabelled": old.category[i] != new.category[j],
            "reassigned": old.who[i] != new.who[j],
            "renumbered": _broken_identity(sides, pairs),
            "outline": redrawn,
            "marked": marks[0] != marks[1],
        },
    )


def _redrawn(sides: Sides, pairs: Pairs, still: Bools, engine: Engine) -> tuple[Bools, Floats]:
    """Say which outlines changed though the box did not, and how well they agree."""
    out, iou = np.zeros(len(still), dtype=bool), np.full(len(still), np.nan)
    shapes = sides.old.data.table.shapes, sides.new.data.table.shapes
    if shapes[0] is None or shapes[1] is None:
        return out, iou
    kinds = shapes[0].kind[pairs.old], shapes[1].kind[pairs.new]
    drawn = (kinds[0] != BOX_ONLY) | (kinds[1] != BOX_ONLY)
    some = np.flatnonzero(still & drawn)
    rows = pairs.old[some], pairs.new[some]
    out[some] = ~same_outlines(shapes[0], shapes[1], *rows)
    polygons = np.flatnonzero(out & (kinds[0] == POLYGON) & (kinds[1] == POLYGON))
    if len(polygons):
        rows = pairs.old[polygons], pairs.new[polygons]
        iou[polygons] = polygon_overlap(shapes[0], shapes[1], *rows, engine=engine).iou
    masks = np.flatnonzero(out & (kinds[0] == MASK) & (kinds[1] == MASK))
    if len(masks):
        rows = pairs.old[masks], pairs.new[masks]
        found = mask_overlap(shapes[0], shapes[1], *rows, other_canvas="nan", engine=engine)
        iou[masks] = found.iou
    return out, iou


def renumbered_tracks(sides: Sides, pairs: Pairs) -> tuple[Ints, Ints, Ints]:
    """Say which newer track goes on for which older one, whatever their ids.

    Parameters
    ----------
    sides : Sides
        Both versions.
    pairs : Pairs
        Rows that are the same annotation.

    Returns
    -------
    old, new, n_frames : (k,) int64
        Tracks of both sides, one to one, and in how many frames they are paired.

    Notes
    -----
    Tracks of the same id come first where that holds in a tenth of the frames of either, so that
    what was exchanged is told of the frames in which it was; then those paired most often.
    """
    one, two = sides.old.track[pairs.old], sides.new.track[pairs.new]
    some = np.flatnonzero((one >= 0) & (two >= 0))
    blank = np.empty(0, dtype=np.int64)
    if not len(some):
        return blank, blank, blank
    one, two = one[some], two[some]
    width = int(two.max()) + 1
    codes, first, inverse, counts = np.unique(
        one * width + two, return_index=True, return_inverse=True, return_counts=True
    )
    begins = np.full(len(codes), np.iinfo(np.int64).max)
    np.minimum.at(begins, inverse, sides.old.image[pairs.old[some]])
    names = sides.old.named_track[pairs.old[some[first]]]
    others = sides.new.named_track[pairs.new[some[first]]]
    a, b = codes // width, codes % width
    most = np.maximum(np.bincount(one)[a], np.bincount(two)[b])
    own = (names == others) & (counts >= OWN_ID * most)
    order = np.lexsort((others, names, np.minimum(names, others), begins, -counts, ~own))
    taken: tuple[set[int], set[int]] = (set(), set())
    kept = []
    for k in order.tolist():
        if a[k] not in taken[0] and b[k] not in taken[1]:
            taken[0].add(int(a[k]))
            taken[1].add(int(b[k]))
            kept.append(k)
    rows = np.array(kept, dtype=np.int64)
    return a[rows], b[rows], counts[rows]


def _broken_identity(sides: Sides, pairs: Pairs) -> Bools:
    """Say which boxes are of another track than the one that goes on for theirs."""
    one, two = sides.old.track[pairs.old], sides.new.track[pairs.new]
    old, new, _ = renumbered_tracks(sides, pairs)
    goes_on = np.full(int(one.max(initial=-1)) + 2, -1, dtype=np.int64)
    goes_on[old] = new
    out: Bools = (one >= 0) & (two >= 0) & (goes_on[one] != two)
    return out


@dataclass(frozen=True, eq=False, kw_only=True)
class Stretches:
    """Changes of one kind: runs of frames of a track, or single annotations.

    Attributes
    ----------
    old, new : (s,) int64
        First row of each on either side, -1 where it is only on the other.
    first_image, last_image : (s,) int64
        Common images.
    n_frames : (s,) int64
        Annotations in it.
    starts, members : (s + 1,) and (m,) int64
        Stretch k is ``members[starts[k]:starts[k + 1]]``: positions among the pairs, or rows of the
        side where it is.
    """

    old: Ints
    new: Ints
    first_image: Ints
    last_image: Ints
    n_frames: Ints
    starts: Ints
    members: Ints

    def __len__(self) -> int:
        return len(self.old)


def stretches_of(sides: Sides, old: Ints, new: Ints, kind: str) -> Stretches:
    """Gather changes of one kind into stretches: frames that follow one another in their track.

    Parameters
    ----------
    sides : Sides
        Both versions.
    old, new : (m,) int64
        Rows that changed, -1 on the side where there is none.
    kind : str
        One of `KINDS`. A stretch of ``relabelled`` is from one category to one other.
    """
    blank = np.full(len(old), -1, dtype=np.int64)
    image = np.where(old >= 0, _of(sides.old.image, old), _of(sides.new.image, new))
    columns = []
    for side, rows in ((sides.old, old), (sides.new, new)):
        columns.append(np.where(rows >= 0, _of(side.track, rows), -1))
        columns.append(np.where(rows >= 0, _of(side.place, rows), -1))
    one, at, two, there = columns
    tracked = ((one >= 0) | (two >= 0)) & sides.video[image] if len(image) else blank.astype(bool)
    states = [blank, blank]
    if kind == "relabelled":
        states = [_of(sides.old.category, old), _of(sides.new.category, new)]
    elif kind == "marked":
        states = [_marks(side, rows) for side, rows in ((sides.old, old), (sides.new, new))]
    group, _ = common_codes(
        *((column, column[:0]) for column in (one, two, _who(sides, old, new), *states))
    )
    order = np.lexsort((new, old, there, at, image, group))
    follows = np.zeros(len(order), dtype=bool)
    if len(order):
        here, before = order[1:], order[:-1]
        follows[1:] = tracked[here] & (group[here] == group[before])
        for track, place in ((one, at), (two, there)):
            follows[1:] &= (track[here] < 0) | (place[here] == place[before] + 1)
    first = np.flatnonzero(~follows)
    starts = np.append(first, len(order))
    last = starts[1:] - 1
    return Stretches(
        old=old[order[first]],
        new=new[order[first]],
        first_image=image[order[first]],
        last_image=image[order[last]],
        n_frames=np.diff(starts),
        starts=starts,
        members=order,
    )


def _of(column: Ints, rows: Ints) -> Ints:
    return column[rows] if len(column) else np.full(len(rows), -1, dtype=np.int64)


def _who(sides: Sides, old: Ints, new: Ints) -> Ints:
    """Give every two annotators, the older and the newer, one number."""
    width = max(int(side.who.max(initial=0)) for side in (sides.old, sides.new)) + 2
    one = np.where(old >= 0, _of(sides.old.who, old), -1)
    two = np.where(new >= 0, _of(sides.new.who, new), -1)
    return (one + 1) * width + two + 1


def _marks(side: Side, rows: Ints) -> Ints:
    table = side.data.table
    return _of(2 * table.crowd.astype(np.int64) + table.ignored, rows)
