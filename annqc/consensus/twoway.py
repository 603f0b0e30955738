"""consensus: edges of objects and offsets of annotators, estimated together and without gold.

A drawn edge is the object's edge, plus what its annotator always adds, plus an error as large as
that annotator's errors are: ``x = mu_object + b_annotator + s_annotator h_object eps``, ``eps`` of
Student's t with four degrees of freedom, so that gross errors count for little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from annqc.consensus._edge import DF, Edge, fit_edge
from annqc.consensus._rows import Rows, lay_out, medians
from annqc.consensus.gauge import teams
from annqc.consensus.graph import Links, links
from annqc.errors import TableError, UnknownNameError

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["GOLD_SD", "OUTLYING", "SIGNS", "T4_TO_SD", "TwoWay", "Unit", "fit_twoway"]

Unit = Literal["px", "tolerance"]

GOLD_SD: Final = 0.5
"""How far an edge of the gold is taken to be off, in pixels."""
OUTLYING: Final = 0.3
"""An annotation with less weight than this (of 1.25) lies outside of what its annotator does."""
CONTESTED: Final = 4.0
"""Two annotators who are so many standard deviations apart have no consensus."""
T4_TO_SD: Final = 0.831
"""Scale of Student's t with four degrees of freedom that is fitted to normal errors of sd 1."""
SIGNS: Final = np.array([-1.0, -1.0, 1.0, 1.0])
"""Outward direction of x1, y1, x2, y2."""
TOL_PX: Final = 1.0
TOL_REL: Final = 0.02


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TwoWay:
    """Edges of m objects and offsets of A annotators, fitted to n boxes.

    Attributes
    ----------
    edges : (m, 4) float64
        Consensus, ``xyxy`` in pixels. The box of an object that one annotator drew is that box with
        the annotator's offsets taken off; as drawn where these are not known.
    se : (m, 4) float64
        Uncertainty of the edges in pixels, that of the offsets left out; NaN where not known.
    contested : (m, 4) bool
        Edges of two annotators who are further apart than their errors allow: the number in
        ``edges`` is between the two and says nothing.
    offset : (A, 4) float64
        What the annotator adds to left, top, right and bottom, positive outward, in units of
        ``unit``. From the median annotator of the component, or from the gold where that has any.
        NaN for who drew no object together with anybody.
    scale : (A, 4) float64
        Scale ``s`` of the annotator's errors in units of the object's tolerance; 1 / 0.831 of it is
        the standard deviation of normal errors. Where the status is ``pair_sums`` or
        ``two_annotators`` only sums of two squares mean something.
    weight : (n, 4) float64
        Weight of each drawn edge, 1.25 for one that lies where it is expected down to 0; NaN for
        rows that take no part.
    tolerance : (m, 4) float64
        Tolerance ``h`` of each edge in pixels.
    links : Links
        What can be compared with what.
    unit : {"px", "tolerance"}
        Unit of ``offset``.
    gold_sd : float
        How far the gold was taken to be off, in pixels.
    n_iter : (4,) int64
        Iterations of each edge.
    converged : (4,) bool
        Whether the offsets had come to rest.
    rows : Rows
        The boxes that were fitted.
    fits : tuple of four Edge
        The fit of each edge in outward coordinates.
    """

    edges: Floats
    se: Floats
    contested: Bools
    offset: Floats
    scale: Floats
    weight: Floats
    tolerance: Floats
    links: Links
    unit: Unit
    gold_sd: float
    n_iter: Ints
    converged: Bools
    rows: Rows
    fits: tuple[Edge, ...]

    @property
    def outlying(self) -> Bools:
        """Annotations with an edge that has next to no weight, (n,)."""
        with np.errstate(invalid="ignore"):
            low: Bools = np.asarray((self.weight < OUTLYING).any(axis=1))
        return low

    @property
    def sd(self) -> Floats:
        """Spread of each annotator in units of tolerance, (A, 4); NaN where only sums are known."""
        known = self.links.status == "ok"
        return np.where(known[:, None], self.scale / T4_TO_SD, np.nan)


def fit_twoway(
    boxes: Floats,
    object: Ints,
    annotator: Ints,
    *,
    n_annotators: int | None = None,
    n_objects: int | None = None,
    gold: Floats | None = None,
    gold_sd: float = GOLD_SD,
    tolerance: Floats | None = None,
    image: Ints | None = None,
    same_source: Ints | None = None,
    unit: Unit = "px",
    max_iter: int = 200,
    accuracy: float = 1e-6,
    engine: Engine = "auto",
) -> TwoWay:
    """Fit objects' edges and annotators' offsets.

    Parameters
    ----------
    boxes : (n, 4) float64
        Boxes, ``xyxy`` in pixels.
    object, annotator : (n,) int64
        What each shows, and who drew it. Rows with a negative object take no part.
    n_annotators, n_objects : int, optional
        How many there are; as many as are named, if not given.
    gold : (m, 4) float64, optional
        Boxes of the objects that have gold, NaN for the others. Then offsets are from the gold.
    gold_sd : float
        How far an edge of the gold is off, in pixels.
    tolerance : (m, 4) float64, optional
        Tolerance of each edge in pixels; ``max(1 px, 2 %)`` of the side of the median box, if not
        given.
    image : (m,) int64, optional
        Image of each object, or what else is drawn at random. Teams that fewer than five link are
        then components of their own, and who drew on fewer than five has no say in where zero is.
        If not given each object is its own, and no teams are looked for.
    same_source : (A,) int64, optional
        Annotators whose boxes have one source have one number; they count as one annotator.
    unit : {"px", "tolerance"}
        Whether an annotator adds the same number of pixels to objects of all sizes, or the same
        part of the tolerance.
    max_iter : int
        Iterations at most.
    accuracy : float
        The fit rests when no offset moves further than this.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results, to rounding.

    Returns
    -------
    TwoWay

    Raises
    ------
    TableError
        Where shapes do not fit, or a box is not finite.
    UnknownNameError
        Where there is no such unit.

    Notes
    -----
    ECM for t with four degrees of freedom (Lange, Little and Taylor 1989). The variance of an
    edge's estimate is added to the squared residuals, without which spreads collapse to zero, and
    spreads are drawn to the pooled one with four degrees of freedom. Without gold the median offset
    of a component is zero, weighted by `annqc.consensus.gauge.gauge_weights`: what all do alike
    cannot be known, and a mean would charge the many with what one does.

    Examples
    --------
    >>> true = np.array([[10.0, 10, 50, 50], [30, 20, 90, 60], [5, 40, 25, 80]])
    >>> drawn = np.concatenate([true, true, true + [-3, 0, 0, 0]])
    >>> fit = fit_twoway(drawn, np.tile(np.arange(3), 3), np.repeat(np.arange(3), 3))
    >>> (fit.offset[:, 0].round(3) + 0.0).tolist()
    [0.0, 0.0, 3.0]
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    object, annotator = np.asarray(object, np.int64), np.asarray(annotator, np.int64)
    _check(boxes, object, annotator, unit)
    m = int(object.max(initial=-1)) + 1 if n_objects is None else n_objects
    n_people = int(annotator.max(initial=-1)) + 1 if n_annotators is None else n_annotators
    known: Bools = np.zeros(m, dtype=bool)
    if gold is not None:
        known = np.asarray(np.isfinite(gold).all(axis=1))
    every = lay_out(np.flatnonzero(object >= 0), object, annotator, n_people)
    h = np.ones((m, 4))
    middle = np.full((m, 4), np.nan)
    middle[every.object] = medians(boxes[every.row].T, every).T
    if tolerance is None:
        side = np.tile(middle[:, 2:] - middle[:, :2], 2)
        h = np.fmax(TOL_PX, TOL_REL * side)
    else:
        h = np.asarray(tolerance, dtype=np.float64)
    # an object of one box and no gold tells nothing about anybody
    telling = every.row[((every.count > 1) | known[every.object])[every.place]]
    rows = lay_out(telling, object, annotator, n_people)
    rows, split = _taken_apart(rows, object, annotator, known, image)
    at = None if image is None else image[rows.object]
    found = links(
        rows.place, rows.who, n_people, known[rows.object],
        image=at, same_source=same_source, split=split,
    )  # fmt: skip
    precision = 1 / gold_sd**2
    per_tolerance = unit == "tolerance"
    fits = []
    for e, sign in enumerate(SIGNS.tolist()):
        size = h[rows.object, e]
        by = size if per_tolerance else np.ones(len(size))
        fixed = np.zeros(len(size))
        if gold is not None:
            fixed[known[rows.object]] = sign * gold[rows.object[known[rows.object]], e]
        fits.append(
            fit_edge(
                sign * boxes[rows.row, e] / by[rows.place],
                size / by,
                sign * middle[rows.object, e] / by,
                rows,
                found,
                fixed / by,
                np.where(known[rows.object], precision * by**2, 0.0),
                max_iter=max_iter,
                accuracy=accuracy,
                engine=engine,
            )
        )
    offset, scale = np.stack([f.offset for f in fits], 1), np.stack([f.scale for f in fits], 1)
    edges, se, contested = _objects(
        boxes, middle, every, rows, fits, offset, scale, h, per_tolerance
    )
    weight = np.full(boxes.shape, np.nan)
    weight[rows.row] = np.stack([f.weight for f in fits], axis=1)
    return TwoWay(
        edges=edges,
        se=se,
        contested=contested,
        offset=offset,
        scale=scale,
        weight=weight,
        tolerance=h,
        links=found,
        unit=unit,
        gold_sd=gold_sd,
        n_iter=np.array([f.n_iter for f in fits]),
        converged=np.array([f.converged for f in fits]),
        rows=rows,
        fits=tuple(fits),
    )


def _taken_apart(
    rows: Rows, object: Ints, annotator: Ints, known: Bools, image: Ints | None
) -> tuple[Rows, Bools]:
    """Leave an object that weakly linked teams drew to the team that has most boxes of it."""
    none = np.zeros(rows.n_annotators, dtype=bool)
    if image is None:
        return rows, none
    team = teams(rows.place, rows.who, image[rows.object], rows.n_annotators)
    if not team.any():
        return rows, none
    found = links(rows.place, rows.who, rows.n_annotators, known[rows.object])
    cut = np.isin(found.component, found.component[team > 0])
    n = int(team.max()) + 1
    count = np.bincount(rows.place * n + team[rows.who], minlength=len(rows.start) * n)
    votes = count.reshape(-1, n)
    first = votes.argmax(axis=1)
    mine = team[rows.who] == first[rows.place]
    enough = (votes.max(axis=1) > 1) | known[rows.object]
    kept = rows.row[mine & enough[rows.place]]
    return lay_out(kept, object, annotator, rows.n_annotators), cut


def _objects(
    boxes: Floats,
    middle: Floats,
    every: Rows,
    rows: Rows,
    fits: list[Edge],
    offset: Floats,
    scale: Floats,
    h: Floats,
    per_tolerance: bool,  # noqa: FBT001 - private
) -> tuple[Floats, Floats, Bools]:
    """Edges of all objects, how sure they are, and which are contested."""
    # what is left is drawn by weakly linked teams, one of each: nothing better than the middle
    edges, se = middle.copy(), np.full(h.shape, np.nan)
    contested = np.zeros(h.shape, dtype=bool)
    by = h if per_tolerance else np.ones_like(h)
    one = every.start[every.count == 1]
    row, which, who = every.row[one], every.object[every.count == 1], every.who[one]
    edges[which] = boxes[row] - SIGNS * np.nan_to_num(offset[who]) * by[which]
    se[which] = scale[who] * h[which] * np.sqrt(DF / (DF + 1))
    two = rows.start[rows.count == 2]
    pair = rows.object[rows.count == 2]
    a, b = rows.who[two], rows.who[two + 1]
    for e, fit in enumerate(fits):
        edges[rows.object, e] = SIGNS[e] * fit.centre * by[rows.object, e]
        se[rows.object, e] = np.sqrt(fit.variance) * by[rows.object, e]
        apart = np.abs(fit.residual[two] - fit.residual[two + 1]) * by[pair, e]
        contested[pair, e] = apart > CONTESTED * h[pair, e] * np.hypot(scale[a, e], scale[b, e])
    return edges, se, contested


def _check(boxes: Floats, object: Array, annotator: Array, unit: str) -> None:
    if unit not in get_args(Unit):
        kind = "unit"
        raise UnknownNameError.among(kind, unit, get_args(Unit))
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not len(boxes) == len(object) == len(annotator):
        what = "the boxes, their objects and their annotators do not fit together"
        found = f"shapes {boxes.shape}, {object.shape} and {annotator.shape}"
        raise TableError(what, expected="shapes (n, 4), (n,) and (n,)", found=found)
    bad = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
    if len(bad):
        what = "a box of the consensus is not finite"
        raise TableError(what, where=f"row {bad[0]}", found=str(boxes[bad[0]].tolist()))
