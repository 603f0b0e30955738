"""consensus: one outline of an object from several annotators' masks or polygons.

Works on run lengths. An image is never unpacked: STAPLE and the majority count patterns of votes,
and the mean of shapes needs no more than the box around one object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

import numpy as np

from annqc.consensus.shapemean import mean_shape
from annqc.errors import MatchError, TableError, UnknownNameError
from annqc.kernels._jit import Engine, check_engine
from annqc.kernels.staple import StapleFit, staple
from annqc.shapes import BOX_ONLY, MASK, Shapes, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["MASK_METHODS", "MaskConsensus", "MaskMethod", "mask_consensus"]

MaskMethod = Literal["staple", "majority", "shape_mean"]

MASK_METHODS: Final[tuple[str, ...]] = get_args(MaskMethod)

MOST_ANNOTATORS: Final = 62
"""Annotators of one object: each has a bit of an integer."""
CHUNK: Final = 1 << 20
"""Runs looked at in one go."""
TABLE: Final = 1 << 20
"""Patterns are counted in a table up to this size, else sorted."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MaskConsensus:
    """The consensus mask of each of n objects, and how each annotator stands to it.

    Attributes
    ----------
    shapes : Shapes
        n masks on the canvas of the objects'; box only where nobody drew a mask. May be empty.
    n_annotators : (n,) int64
        How many were asked.
    sensitivity, specificity : (m,) float64
        ``staple``: share of the foreground, and of the background, that each entry has right, by
        the model. NaN for other methods, and where everything or nothing was set.
    prior : (n,) float64
        Mean share of the canvas that was set.
    iterations : (n,) int64
        Iterations of ``staple``, else 0.
    converged : (n,) bool
        Whether they were enough.
    """

    shapes: Shapes
    n_annotators: Ints
    sensitivity: Floats
    specificity: Floats
    prior: Floats
    iterations: Ints
    converged: Bools


class _Entries(NamedTuple):
    """Who was asked for which object, sorted by object, and the canvases."""

    order: Ints
    row: Ints
    starts: Ints
    canvas: Ints


class _Pieces(NamedTuple):
    """Stretches of pixels that the same annotators set, and how many there are of each pattern."""

    object: Ints
    start: Ints
    stop: Ints
    cell: Ints
    cells: Ints
    pattern: Ints
    pixels: Floats


def mask_consensus(
    shapes: Shapes,
    object: Array,
    row: Array,
    *,
    n_objects: int | None = None,
    method: MaskMethod = "staple",
    max_iterations: int = 1000,
    tol: float = 1e-7,
    engine: Engine = "auto",
) -> MaskConsensus:
    """Make one mask of those that several annotators drew of an object.

    Parameters
    ----------
    shapes : Shapes
        Masks; polygons go through `annqc.geometry.masks.paint` first, or to
        `annqc.consensus.shapemean.polygon_consensus`.
    object, row : (m,) array_like of int
        One entry for each annotator that was asked for an object: the object's code, and the row in
        ``shapes``, or -1 where the annotator did not draw it.
    n_objects : int, optional
        How many objects there are; as many as the codes say, if not given.
    method : {"staple", "majority", "shape_mean"}, optional
        See Notes.
    max_iterations : int, optional
        Most iterations of STAPLE.
    tol : float, optional
        STAPLE ends when no sensitivity or specificity changes by more.
    engine : {"auto", "numpy", "numba"}, optional
        How to compute; the results agree to rounding.

    Returns
    -------
    MaskConsensus
        One row an object; ``sensitivity`` and ``specificity`` one an entry.

    Raises
    ------
    MatchError
        A row is no mask, or masks of one object have canvases of different sizes.
    TableError
        A code is not one, or an object has more than 62 annotators.
    UnknownNameError
        There is no such method or engine.

    Notes
    -----
    ``staple`` (Warfield, Zou and Wells, 2004) weighs annotators by a sensitivity and a specificity
    each, which it learns; the prior is the mean share of the *canvas* that was set, as in
    SimpleITK, so a large empty canvas makes everybody's specificity near one. A pixel is set where
    its probability is above a half. ``majority`` sets what more than half of those asked have set;
    ties are background. ``shape_mean`` is the zero line of the mean signed distance of those who
    drew the object (`annqc.consensus.shapemean`): of outlines that are 2 px apart it takes the line
    in the middle, where the others take one or the other.

    Examples
    --------
    >>> masks = Shapes.from_runs([[0, 8, 8], [0, 8, 8], [4, 8, 4]], [[4, 4]] * 3)
    >>> found = mask_consensus(masks, [0, 0, 0], [0, 1, 2], method="majority")
    >>> found.shapes.runs.tolist()
    [0, 8, 8]
    """
    check_engine(engine)
    if method not in MASK_METHODS:
        what = "way to a consensus of masks"
        raise UnknownNameError.among(what, method, MASK_METHODS)
    entries = _entries(shapes, object, row, n_objects)
    n, m = len(entries.starts) - 1, len(entries.row)
    sensitivity, specificity = np.full(m, np.nan), np.full(m, np.nan)
    prior, iterations = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
    converged = np.ones(n, dtype=np.bool_)
    made: list[Shapes] = []
    for first, last in _chunks(shapes, entries):
        part = slice(entries.starts[first], entries.starts[last])
        raters = entries.starts[first : last + 1] - entries.starts[first]
        canvas, rows = entries.canvas[first:last], entries.row[part]
        found = _pieces(shapes, rows, raters, canvas)
        votes = _bits(found.pattern)
        k = np.diff(raters)
        of_cell = np.repeat(np.arange(last - first), np.diff(found.cells))
        with np.errstate(invalid="ignore", divide="ignore"):
            set_ = np.bincount(of_cell, votes * found.pixels, last - first)
            prior[first:last] = set_ / (k * canvas.prod(axis=1))
        if method == "shape_mean":
            made.append(_means(shapes, rows, raters, canvas))
            continue
        if method == "majority":
            chosen = 2 * votes > k[of_cell]
        else:
            fit: StapleFit = staple(
                *(found.cells, found.pattern, found.pixels, raters),
                max_iterations=max_iterations,
                tol=tol,
                engine=engine,
            )
            chosen = fit.weight > 0.5
            sensitivity[entries.order[part]] = fit.sensitivity
            specificity[entries.order[part]] = fit.specificity
            iterations[first:last], converged[first:last] = fit.iterations, fit.converged
        made.append(_masks(found, chosen[found.cell], canvas))
    return MaskConsensus(
        shapes=Shapes.concat(made) if made else Shapes.empty(0),
        n_annotators=np.diff(entries.starts),
        sensitivity=sensitivity,
        specificity=specificity,
        prior=prior,
        iterations=iterations,
        converged=converged,
    )


def _entries(shapes: Shapes, object: Array, row: Array, n_objects: int | None) -> _Entries:
    """Check the entries and sort them by object."""
    codes, rows = np.asarray(object, dtype=np.int64), np.asarray(row, dtype=np.int64)
    n = int(codes.max(initial=-1)) + 1 if n_objects is None else n_objects
    good = len(codes) == len(rows) and codes.min(initial=0) >= 0 and codes.max(initial=-1) < n
    if not (good and rows.min(initial=-1) >= -1 and rows.max(initial=-1) < len(shapes)):
        what = "the entries name objects or rows that do not exist"
        expected = f"objects 0 to {n - 1}, and a row from -1 to {len(shapes) - 1} for each"
        raise TableError(what, expected=expected)
    order = np.argsort(codes, kind="stable")
    codes, rows = codes[order], rows[order]
    counts = np.bincount(codes, minlength=n)
    if counts.max(initial=0) > MOST_ANNOTATORS:
        what = "an object has too many annotators"
        found = f"{counts.max()} for object {counts.argmax()}"
        raise TableError(what, expected=f"at most {MOST_ANNOTATORS}", found=found)
    drawn = rows >= 0
    odd = np.flatnonzero(shapes.kind[rows[drawn]] != MASK)
    if len(odd):
        what = "a consensus of masks takes masks"
        found = f"row {rows[drawn][odd[0]]} is a {shapes.kind_names[rows[drawn][odd[0]]]}"
        raise MatchError(what, found=found, hint="paint polygons first: annqc.geometry.masks.paint")
    canvas = np.zeros((n, 2), dtype=np.int64)
    canvas[codes[drawn]] = sizes = shapes.canvas[rows[drawn]]
    differ = np.flatnonzero((canvas[codes[drawn]] != sizes).any(axis=1))
    if len(differ):
        one, two = sizes[differ[0]].tolist(), canvas[codes[drawn][differ[0]]].tolist()
        what = "masks of one object are on canvases of different sizes"
        found = f"{one[1]} x {one[0]} and {two[1]} x {two[0]} for object {codes[drawn][differ[0]]}"
        raise MatchError(what, expected="one canvas an object", found=found)
    return _Entries(order, rows, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), canvas)


def _chunks(shapes: Shapes, entries: _Entries) -> Iterator[tuple[int, int]]:
    """Cut the objects into stretches of about `CHUNK` runs."""
    lengths = np.diff(shapes.run_offsets)
    each = np.where(entries.row >= 0, lengths[np.maximum(entries.row, 0)] if len(lengths) else 0, 0)
    load = np.concatenate([[0], np.cumsum(each + 1)])[entries.starts]
    n, first = len(entries.starts) - 1, 0
    while first < n:
        last = int(np.searchsorted(load, load[first] + CHUNK, side="right")) - 1
        last = min(max(last, first + 1), n)
        yield first, last
        first = last


def _pieces(shapes: Shapes, rows: Ints, raters: Ints, canvas: Ints) -> _Pieces:
    """Sweep over the ends of all runs, object by object, and note who has set what lies between."""
    n, k = len(canvas), np.diff(raters)
    area = canvas.prod(axis=1)
    base = np.cumsum(area) - area
    drawn = np.flatnonzero(rows >= 0)
    object = np.repeat(np.arange(n), k)
    bit = (np.arange(len(rows)) - raters[object])[drawn]
    of_drawn = object[drawn]
    places, offsets = gather(shapes.run_offsets, rows[drawn])
    lengths = np.diff(offsets)
    end = np.cumsum(shapes.runs[places])
    before = np.concatenate([[0], end])[offsets[:-1]]
    # a mask that ends in zeros has no end of ones there
    keep = np.ones(len(end), dtype=np.bool_)
    keep[offsets[1:][lengths % 2 == 1] - 1] = False
    key = (end + np.repeat(base[of_drawn] - before, lengths)) << 6
    key |= np.repeat(bit, lengths)
    key = np.sort(key[keep])
    n_ends = np.bincount(of_drawn, lengths - lengths % 2, n).astype(np.int64)
    state = np.bitwise_xor.accumulate(np.left_shift(1, key & 63)) if len(key) else key
    at = key >> 6
    size = np.diff(at, append=at[-1:])
    of_end = np.repeat(np.arange(n), n_ends)
    real = np.flatnonzero((state != 0) & (size > 0))
    of_piece, state, start, size = of_end[real], state[real], at[real], size[real]
    cell, cells, pattern = _cells(of_piece, state, n, int(k.max(initial=0)))
    pixels = np.bincount(cell, size, len(pattern)).astype(np.float64)
    of_cell = np.repeat(np.arange(n), np.diff(cells))
    # the first cell of an object is of the pixels that nobody set
    pixels[cells[:-1]] = area - np.bincount(of_cell, pixels, n)
    return _Pieces(of_piece, start, start + size, cell, cells, pattern, pixels)


def _cells(object: Ints, state: Ints, n: int, k: int) -> tuple[Ints, Ints, Ints]:
    """Give each pattern of an object a number, the empty one first."""
    if n << k <= TABLE + 4 * len(state):
        code = (object << k) + state
        there = np.zeros(n << k, dtype=np.bool_)
        there[code] = True
        there[np.arange(n) << k] = True
        known = np.flatnonzero(there)
        number = np.cumsum(there) - 1
        cells = np.searchsorted(known, np.arange(n + 1) << k)
        return number[code], cells, known & ((1 << k) - 1)
    objects, states = np.concatenate([object, np.arange(n)]), np.append(state, np.zeros(n, int))
    order = np.lexsort((states, objects))
    objects, states = objects[order], states[order]
    new = (np.diff(objects, prepend=-1) != 0) | (np.diff(states, prepend=-1) != 0)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    cells = np.searchsorted(objects[new], np.arange(n + 1))
    return number[: len(state)], cells, states[new]


def _bits(pattern: Ints) -> Ints:
    """Count the bits that are set."""
    return np.bitwise_count(pattern).astype(np.int64)


def _masks(found: _Pieces, chosen: Bools, canvas: Ints) -> Shapes:
    """Join the chosen pieces to masks."""
    n = len(canvas)
    area = canvas.prod(axis=1)
    base = np.cumsum(area) - area
    object, start, stop = (one[chosen] for one in (found.object, found.start, found.stop))
    apart = np.ones(len(object) + 1, dtype=np.bool_)
    apart[1:-1] = (start[1:] != stop[:-1]) | (object[1:] != object[:-1])
    object, start, stop = object[apart[:-1]], start[apart[:-1]], stop[apart[1:]]
    counts = np.bincount(object, minlength=n)
    # bounds of an object: 0, then the start and stop of every run of ones, then the end
    offsets = np.concatenate([[0], np.cumsum(2 * counts + 2)])
    bounds = np.empty(offsets[-1], dtype=np.int64)
    bounds[offsets[:-1]], bounds[offsets[1:] - 1] = base, base + area
    place = 2 * np.arange(len(object)) + 2 * object + 1
    bounds[place], bounds[place + 1] = start, stop
    runs = np.diff(bounds)
    keep = np.ones(len(runs), dtype=np.bool_)
    keep[offsets[1:-1] - 1] = False
    # the last run is of zeros; there is none where the ones reach the end, or the canvas is nothing
    last = offsets[1:] - 2
    keep[last[(runs[last] == 0) & (counts > 0)]] = False
    kind = np.where(area > 0, MASK, BOX_ONLY)
    keep[last[kind == BOX_ONLY]] = False
    of_run = np.repeat(np.arange(n), np.diff(offsets))[:-1][keep]
    lengths = np.bincount(of_run, minlength=n)
    run_offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Shapes.from_ragged_runs(runs[keep], run_offsets, canvas, kind=kind)


def _means(shapes: Shapes, rows: Ints, raters: Ints, canvas: Ints) -> Shapes:
    """Return the mean shape of each object."""
    made = []
    for i, size in enumerate(canvas.tolist()):
        own = rows[raters[i] : raters[i + 1]]
        own = own[own >= 0]
        made.append(mean_shape(shapes.take(own), (size[0], size[1])) if len(own) else None)
    return Shapes.from_runs(made, canvas)
