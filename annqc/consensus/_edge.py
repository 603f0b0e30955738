"""consensus: the two-way fit of one edge, by conditional maximisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.consensus._laplacian import laplacian
from annqc.consensus.gauge import weighted_median
from annqc.kernels.twoway import squares, sweep, use_kernel

if TYPE_CHECKING:
    from annqc.consensus._rows import Rows
    from annqc.consensus.graph import Links
    from annqc.kernels._jit import Engine
    from annqc.tables import Floats, Ints

__all__ = ["DF", "Edge", "fit_edge"]

DF: Final = 4.0
"""Degrees of freedom of the errors."""
PRIOR_DF: Final = 4.0
"""Spreads are drawn to the pooled one as if by so many boxes."""
PATIENCE: Final = 50
"""At first and every so many rounds the offsets are solved for at once: where few objects link two
teams, single rounds would take thousands."""
COARSE: Final = 0.01
"""Logarithms of scales need not come to rest as closely as offsets."""
LONGEST: Final = 8.0
SHRINKING: Final = 0.2
"""No leaps where a scale still shrinks by so much a round, as where there are no errors."""
BOLD: Final = 0.5
"""How far a leap may take the logarithm of a scale."""
SMALLEST: Final = 1e-9
"""Scale of errors where there are none, relative to the spread of the coordinates."""


@dataclass(frozen=True, eq=False, slots=True)
class _State:
    """Offsets and logarithms of scales of the annotators, edges of the objects."""

    b: Floats
    log_s: Floats
    centre: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Edge:
    """Fit of one edge, in outward coordinates.

    Attributes
    ----------
    centre, variance : (p,) float64
        Edge of each object, and one over the sum of its weights.
    offset, scale : (A,) float64
        Of each annotator; NaN for who takes no part.
    residual, weight, precision : (n,) float64
        ``x - b - mu``, the weight ``5 / (4 + r²)``, and that over ``(s h)²``.
    size : (p,) float64
        ``h`` of each object in the units of the coordinates.
    gold_precision : (p,) float64
        0 where there is no gold.
    n_iter : int
        Iterations.
    converged : bool
        Whether the offsets had come to rest.
    """

    centre: Floats
    variance: Floats
    offset: Floats
    scale: Floats
    residual: Floats
    weight: Floats
    precision: Floats
    size: Floats
    gold_precision: Floats
    n_iter: int
    converged: bool


def fit_edge(
    x: Floats,
    size: Floats,
    centre: Floats,
    rows: Rows,
    links: Links,
    gold: Floats,
    gold_precision: Floats,
    *,
    max_iter: int,
    accuracy: float,
    engine: Engine,
) -> Edge:
    """Fit the model to one edge.

    Parameters
    ----------
    x : (n,) float64
        Outward coordinates, in the order of the rows.
    size, centre : (p,) float64
        Tolerance of each object, and where to start.
    rows : Rows
        Who drew what.
    links : Links
        Components of the annotators.
    gold, gold_precision : (p,) float64
        Coordinate and precision of the gold, precision 0 where there is none.
    max_iter, accuracy
        When to stop.
    engine : {"auto", "numpy", "numba"}
        Which path to take.
    """
    who, ends = rows.who, np.append(rows.start, len(x))
    n_of = rows.by_annotator(np.ones(len(x)))
    anchored = bool((gold_precision > 0).any())
    floor = SMALLEST * max(float(np.abs(x).max(initial=0.0)), 1.0)
    z = (x - centre[rows.place]) / size[rows.place]
    first = np.maximum(_first_scale(z, rows), floor)
    components = _components(links)
    h2, pull = size * size, gold_precision * gold
    kernel = use_kernel(engine, len(x))

    def climb(now: _State, *, solve: bool = False) -> _State:
        """One round: weights and objects, offsets, scales."""
        centre = now.centre.copy()
        s2 = np.exp(2 * now.log_s)
        om, w, variance, mass, score = sweep(
            x, who, ends, h2, now.b, s2, centre, gold_precision, pull, kernel=kernel
        )
        b = score / np.where(mass > 0, mass, 1.0)
        if solve:
            b, centre = _solved(x, b, centre, w, rows, gold_precision)
        if anchored:
            b, centre = _levelled(x, b, centre, w, rows, links, gold, gold_precision)
        b, centre = _gauged(b, centre, rows, components, links.gauge)
        left = squares(x, who, ends, h2, b, centre, om, variance, kernel=kernel)
        scale2 = (PRIOR_DF * left.sum() / max(len(x), 1) + left) / (PRIOR_DF + n_of)
        return _State(b, 0.5 * np.log(np.maximum(scale2, floor * floor)), centre)

    state = _State(np.zeros(rows.n_annotators), np.log(first), centre)
    n_iter, converged = 0, len(x) == 0
    while n_iter < max_iter and not converged:
        one = climb(state, solve=n_iter % PATIENCE == 0)
        two = climb(one)
        n_iter += 2
        moved = np.abs(two.b - one.b).max(), COARSE * np.abs(two.log_s - one.log_s).max()
        converged = max(moved) < accuracy
        shrinking = bool((one.log_s - two.log_s).max() > SHRINKING)
        state = two if converged or shrinking else _leap(state, one, two)
    weight, precision = np.empty(0), np.empty(0)
    variance, centre = np.empty(0), state.centre
    if len(x):
        centre = state.centre.copy()
        s2 = np.exp(2 * state.log_s)
        weight, precision, variance, _, _ = sweep(
            x, who, ends, h2, state.b, s2, centre, gold_precision, pull, kernel=kernel
        )
    takes_part = n_of > 0
    return Edge(
        centre=centre,
        variance=variance,
        offset=np.where(takes_part, state.b, np.nan),
        scale=np.where(takes_part, np.exp(state.log_s), np.nan),
        residual=x - state.b[who] - centre[rows.place],
        weight=weight,
        precision=precision,
        size=size,
        gold_precision=gold_precision,
        n_iter=n_iter,
        converged=converged,
    )


def _leap(zero: _State, one: _State, two: _State) -> _State:
    """Go on in the direction of two rounds, as far as their shrinking promises (SQUAREM).

    Varadhan and Roland, Simple and globally convergent methods for accelerating the convergence of
    any EM algorithm, Scandinavian Journal of Statistics 2008; their third step length.
    """
    first = [a - b for a, b in ((one.b, zero.b), (one.log_s, zero.log_s))]
    second = [a - b for a, b in ((two.b, one.b), (two.log_s, one.log_s))]
    speed = sum(float(r @ r) for r in first)
    bend = sum(float((v - r) @ (v - r)) for r, v in zip(first, second, strict=True))
    length = min(max(np.sqrt(speed / bend), 1.0), LONGEST) if bend > 0 else 1.0

    def ahead(a: Floats, b: Floats, c: Floats) -> Floats:
        step = b - a
        return a + 2 * length * step + length**2 * (c - b - step)

    log_s = ahead(zero.log_s, one.log_s, two.log_s)
    near = np.clip(log_s, two.log_s - BOLD, two.log_s + BOLD)
    centre = ahead(zero.centre, one.centre, two.centre)
    return _State(ahead(zero.b, one.b, two.b), near, centre)


def _first_scale(z: Floats, rows: Rows) -> Floats:
    """Return 1.4826 times the median absolute deviation of each annotator, never zero for one."""
    size = np.abs(z)
    order = np.lexsort((size, rows.who))
    sizes = size[order]
    count = np.bincount(rows.who, minlength=rows.n_annotators)
    start = np.cumsum(count) - count
    found = np.zeros(rows.n_annotators)
    some = count > 0
    low, high = start + (count - 1) // 2, start + count // 2
    found[some] = 1.4826 * (sizes[low[some]] + sizes[high[some]]) / 2
    # who draws exactly as the median does most of the time is as unsure as all are to begin with
    typical = np.sqrt(np.mean(z**2)) if len(z) else 1.0
    positive = found[found > 0]
    return np.where(found > 0, found, np.median(positive) if len(positive) else typical)


def _components(links: Links) -> list[Ints]:
    """List the annotators of each component that has no gold."""
    label = np.where(links.anchored, -1, links.component)
    order = np.argsort(label, kind="stable")
    order = order[label[order] >= 0]
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []


def _gauged(
    b: Floats, centre: Floats, rows: Rows, components: list[Ints], gauge: Floats
) -> tuple[Floats, Floats]:
    """Make the median offset of each component zero, and move its objects the other way."""
    shift = np.zeros(len(b))
    for people in components:
        shift[people] = weighted_median(b[people], gauge[people])
    return b - shift, centre + shift[rows.who[rows.start]]


def _levelled(
    x: Floats,
    b: Floats,
    centre: Floats,
    w: Floats,
    rows: Rows,
    links: Links,
    gold: Floats,
    gold_precision: Floats,
) -> tuple[Floats, Floats]:
    """Move all offsets of a component at once to where its gold has them.

    A few objects with gold pull the whole level by so little an iteration that it would take
    thousands. In one step: the gold against what the annotators say of the same objects.
    """
    total = rows.by_object(w)
    said = rows.by_object(w * (x - b[rows.who])) / total
    trust = np.where(gold_precision > 0, total * gold_precision / (total + gold_precision), 0.0)
    of_object = links.component[rows.who[rows.start]]
    n = int(links.component.max(initial=-1)) + 1
    mass = np.bincount(of_object, trust, n)
    level = np.bincount(of_object, trust * (said - gold), n) / np.where(mass > 0, mass, 1.0)
    b = b + np.where(links.anchored, level[links.component], 0.0)
    shift = level[of_object]
    moved = (total * (said - shift) + gold_precision * gold) / (total + gold_precision)
    return b, np.where(mass[of_object] > 0, moved, centre)


def _solved(
    x: Floats, b: Floats, centre: Floats, w: Floats, rows: Rows, gold_precision: Floats
) -> tuple[Floats, Floats]:
    """Solve for all offsets and edges at once, the weights as they are."""
    matrix = laplacian(rows, w, gold_precision)
    score = rows.by_annotator(w * (x - b[rows.who] - centre[rows.place]))
    step = matrix.solve(score[:, None], tolerance=1e-6, steps=200)[:, 0]
    return b + step, centre - matrix.share * rows.by_object(w * step[rows.who])
