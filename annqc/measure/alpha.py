"""measure: how much annotators disagree within objects, and how much strangers would by chance.

Krippendorff's alpha is one minus the ratio of the two. This gives both and the sums of each image;
`annqc.infer.agreement` makes alphas and intervals of them. An annotator who was asked and did not
draw an object disagrees with those who did. What all annotators share, alpha does not see: where
everybody draws the right edge 5 px too far out, they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import numpy as np

from annqc.errors import TableError, UnknownNameError
from annqc.kernels._jit import Engine, check_engine
from annqc.measure.distances import box_distance
from annqc.measure.strangers import (
    all_strangers,
    some_strangers,
    told_apart,
    value_distances,
)

if TYPE_CHECKING:
    from annqc.measure.distances import Distance
    from annqc.tables import Array, Floats, Ints

__all__ = ["Disagreement", "Expected", "alpha_loc", "alpha_nominal", "unit_pairs"]

Expected = Literal["auto", "exact", "sampled"]

MOST_EXACT: Final = 20_000_000
"""Pairs of boxes that share x up to which all are looked at."""
TABLE: Final = 1 << 20
"""Counts go into a table up to this size, else they are sorted."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Disagreement:
    """Observed and expected disagreement of groups of units.

    Attributes
    ----------
    group, image : (c,) int64
        One row for every group and image with a unit that two annotators or more were asked for.
    apart : (c,) float64
        Sum over units of the distances of all ordered pairs, over annotators less one.
    values : (c,) float64
        Number of values: annotators asked, summed over units.
    expected : (n_groups,) float64
        Mean distance of two values of different images; NaN where there is one image only.
    n_units : (n_groups,) int64
        Units that count.
    sigma, ks : (n_groups,) float64
        Share of the observed distances that are closer than 95 % of the strangers; the largest lead
        of their distribution over that of strangers. NaN for nominal values.
    edge_px : (n_groups,) float64
        Mean distance of the edges of two boxes of one unit, in pixels, over pairs that were both
        drawn; NaN where there are none, or no boxes.
    exact : bool
        Whether every pair of strangers was looked at.
    """

    group: Ints
    image: Ints
    apart: Floats
    values: Floats
    expected: Floats
    n_units: Ints
    sigma: Floats
    ks: Floats
    edge_px: Floats
    exact: bool


class _Values(NamedTuple):
    """Values of units that count, sorted by unit; units are numbered anew."""

    unit: Ints
    row: Ints
    starts: Ints
    image: Ints
    group: Ints
    n_groups: int

    @property
    def sizes(self) -> Ints:
        """Number of values of each unit."""
        return np.diff(self.starts)


def alpha_loc(
    unit: Array,
    row: Array,
    image: Array,
    *,
    xyxy: Array | None = None,
    distance: Distance | None = None,
    group: Array | None = None,
    n_groups: int | None = None,
    expected: Expected = "auto",
    engine: Engine = "auto",
) -> Disagreement:
    """Measure how far apart the drawings of one object are, missing ones included.

    Parameters
    ----------
    unit : (m,) array_like of int
        One entry for every annotator that was asked for the image of a unit, a unit being what is
        taken for one object. An annotator has one entry a unit at the most.
    row : (m,) array_like of int
        What the annotator drew: a row of ``xyxy`` or of what ``distance`` knows; -1 for nothing.
    image : (n_units,) array_like of int
        The image of each unit.
    xyxy : (n, 4) array_like, optional
        Boxes. With no ``distance``, it is 1 - IoU.
    distance : Distance, optional
        Another distance, see `annqc.measure.distances`.
    group : (n_units,) array_like of int, optional
        A category or stratum of each unit; every group has an alpha of its own. -1 leaves out.
    n_groups : int, optional
        How many groups there are; as many as the codes say, if not given.
    expected : {"auto", "exact", "sampled"}, optional
        Whether to look at all pairs of strangers, possible for boxes by 1 - IoU alone, or at
        100,000, drawn with a fixed seed. ``auto``: all, where that is at most some 20 million.
    engine : {"auto", "numpy", "numba"}, optional
        How to compute; the results are the same.

    Returns
    -------
    Disagreement
        For `annqc.infer.agreement.alphas`.

    Raises
    ------
    TableError
        Columns that do not fit together, or neither boxes nor a distance.
    UnknownNameError
        There is no such way or engine.

    Notes
    -----
    A unit u has a value from each of its ``m_u >= 2`` annotators: a drawing, or nothing. With
    ``d = 1 - IoU`` of two drawings, 1 of a drawing and nothing, and 0 of nothing and nothing,
    ``D_o = sum_u 1/(m_u - 1) sum_{i != j} d_ij / sum_u m_u``, and ``D_e`` is the mean distance of
    two values of different images (Braylan, Alonso and Lease, 2022; Krippendorff's has pairs of one
    image as well). ``sigma`` and ``ks`` leave out pairs of nothing and nothing. Of 100,000 drawn
    pairs the standard error of ``D_e`` is about 0.0002.

    Examples
    --------
    >>> boxes = [[0, 0, 4, 4], [0, 0, 4, 2], [50, 0, 60, 9], [50, 0, 60, 9]]
    >>> found = alpha_loc([0, 0, 1, 1], [0, 1, 2, 3], [0, 1], xyxy=boxes)
    >>> found.apart.tolist(), found.values.tolist(), found.expected.tolist()
    ([1.0, 0.0], [2.0, 2.0], [1.0])
    """
    check_engine(engine)
    if expected not in get_args(Expected):
        what = "way to the expected disagreement"
        raise UnknownNameError.among(what, expected, get_args(Expected))
    rows = np.asarray(row, dtype=np.int64)
    values = _values(unit, rows, image, group, n_groups)
    by_iou = distance is None
    if expected == "exact" and not by_iou:
        what = "not every pair of strangers can be looked at by this distance"
        hint = "leave `expected` at 'auto', or give boxes and no distance"
        raise TableError(what, expected="boxes by 1 - IoU", hint=hint)
    if distance is None:
        if xyxy is None:
            what = "there is nothing to measure a distance by"
            raise TableError(what, expected="boxes, or a distance")
        distance = box_distance(xyxy)
    boxes = None if xyxy is None else np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)
    first, second = _within(values.starts)
    d = value_distances(distance, values.row[first], values.row[second])
    of_pair = values.unit[first]
    apart = np.bincount(of_pair, 2 * d / (values.sizes - 1)[of_pair], len(values.sizes))
    far = np.full(values.n_groups, np.nan)
    sigma, ks, px = far.copy(), far.copy(), far.copy()
    drawn_pair = (values.row[first] >= 0) & (values.row[second] >= 0)
    one_drawn = (values.row[first] >= 0) | (values.row[second] >= 0)
    group_of_pair = values.group[values.unit[first]]
    exact = True
    for g, own in _by_group(values):
        image_of, row_of = values.image[values.unit[own]], values.row[own]
        one, two = (row_of[side] for side in some_strangers(image_of))
        by_sample = value_distances(distance, one, two)
        total = None
        if expected != "sampled" and by_iou and boxes is not None:
            most = None if expected == "exact" else MOST_EXACT
            total = all_strangers(image_of, row_of, boxes, most=most, engine=engine)
        exact = exact and total is not None
        if len(by_sample):
            far[g] = by_sample.mean() if total is None else total
            told = (one >= 0) | (two >= 0)
            of_group = group_of_pair == g
            sigma[g], ks[g] = told_apart(d[of_group & one_drawn], by_sample[told])
            both = of_group & drawn_pair
            if boxes is not None and both.any():
                a, b = boxes[values.row[first[both]]], boxes[values.row[second[both]]]
                weight = 1 / (values.sizes - 1)[values.unit[first[both]]]
                px[g] = float(np.average(abs(a - b).mean(axis=1), weights=weight))
    return _summed(values, apart.astype(np.float64), far, sigma, ks, px, exact=exact)


def alpha_nominal(
    unit: Array,
    category: Array,
    image: Array | None = None,
    *,
    group: Array | None = None,
    n_groups: int | None = None,
) -> Disagreement:
    """Measure how often annotators name one object differently, not at all included.

    Parameters
    ----------
    unit : (m,) array_like of int
        As in `alpha_loc`.
    category : (m,) array_like of int
        What the annotator called it; -1, a category of its own, for an object that was not drawn.
    image : (n_units,) array_like of int, optional
        The image of each unit; each its own, if not given.
    group, n_groups
        As in `alpha_loc`.

    Returns
    -------
    Disagreement
        For `annqc.infer.agreement.alphas`. ``expected`` is Krippendorff's own, over pairs of values
        of all units, so that alpha is the one that the package ``krippendorff`` gives, and KaLOS
        (Tschirschwitz and Rodehorst, 2026) once objects are found.

    Raises
    ------
    TableError
        Columns that do not fit together.

    Notes
    -----
    With ``n_uc`` annotators that call unit u c, ``D_o = sum_u (m_u - sum_c n_uc (n_uc - 1) /
    (m_u - 1)) / n`` and ``D_e = 1 - sum_c n_c (n_c - 1) / (n (n - 1))``, over units with
    ``m_u >= 2`` annotators.

    Examples
    --------
    >>> found = alpha_nominal([0, 0, 1, 1, 2, 2], [4, 4, 4, -1, 7, 7])
    >>> found.apart.tolist(), found.expected.round(3).tolist()
    ([0.0, 2.0, 0.0], [0.733])
    """
    codes = np.asarray(category, dtype=np.int64)
    units = np.asarray(unit, dtype=np.int64)
    of_unit = np.arange(int(units.max(initial=-1)) + 1) if image is None else image
    values = _values(units, codes, of_unit, group, n_groups)
    names, n_names = values.row + 1, int(values.row.max(initial=-1)) + 2
    n, sizes = len(values.sizes), values.sizes
    code = values.unit * n_names + names
    if n * n_names <= 16 * len(code) + TABLE:
        counts = np.bincount(code, minlength=n * n_names)
        alike = (counts * (counts - 1)).reshape(n, n_names).sum(axis=1) if n else np.zeros(0)
    else:
        cells, times = np.unique(code, return_counts=True)
        alike = np.bincount(cells // n_names, times * (times - 1), n)
    apart = (sizes - alike / (sizes - 1)).astype(np.float64)
    totals = np.bincount(
        values.group[values.unit] * n_names + names, minlength=values.n_groups * n_names
    ).reshape(values.n_groups, n_names)
    every = totals.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        far = 1 - (totals * (totals - 1)).sum(axis=1) / (every * (every - 1))
    nothing = np.full(values.n_groups, np.nan)
    return _summed(values, apart, far, nothing, nothing, nothing, exact=True)


def unit_pairs(unit: Array) -> tuple[Ints, Ints]:
    """Return every two entries of the same unit, each pair once.

    Parameters
    ----------
    unit : (m,) array_like of int
        Unit of each entry, ascending.

    Examples
    --------
    >>> [one.tolist() for one in unit_pairs([0, 0, 0, 1])]
    [[0, 0, 1], [1, 2, 2]]
    """
    units = np.asarray(unit)
    starts = np.flatnonzero(np.diff(units, prepend=-1)) if len(units) else np.empty(0, np.int64)
    return _within(np.append(starts, len(units)).astype(np.int64))


def _values(
    unit: Array, row: Ints, image: Array, group: Array | None, n_groups: int | None
) -> _Values:
    """Check the columns; sort them by unit, leave out units with less than two annotators."""
    units, images = np.asarray(unit, dtype=np.int64), np.asarray(image, dtype=np.int64)
    groups = np.zeros(len(images), np.int64) if group is None else np.asarray(group, np.int64)
    n = int(groups.max(initial=-1)) + 1 if n_groups is None else n_groups
    if (
        len(units) != len(row)
        or len(groups) != len(images)
        or units.min(initial=0) < 0
        or units.max(initial=-1) >= len(images)
        or row.min(initial=-1) < -1
        or groups.max(initial=-1) >= n
    ):
        what = "the entries and the units do not fit together"
        expected = "a unit and a row (or -1) for each entry, an image and a group for each unit"
        found = f"{len(units)} and {len(row)} entries, {len(images)} images, {len(groups)} groups"
        raise TableError(what, expected=expected, found=found)
    counts = np.bincount(units, minlength=len(images))
    kept = np.flatnonzero((counts >= 2) & (groups >= 0))
    number = np.full(len(images), -1)
    number[kept] = np.arange(len(kept))
    renumbered = number[units]
    if len(units) and (np.diff(renumbered) >= 0).all() and renumbered[0] >= 0:
        order: Any = slice(None)
    else:
        order = np.argsort(renumbered, kind="stable")
        order = order[np.searchsorted(renumbered[order], 0) :]
    return _Values(
        unit=renumbered[order],
        row=row[order],
        starts=np.concatenate([[0], np.cumsum(counts[kept])]).astype(np.int64),
        image=images[kept],
        group=groups[kept],
        n_groups=n,
    )


def _within(starts: Ints) -> tuple[Ints, Ints]:
    """Return every two positions of the same stretch, the earlier one first."""
    n = np.diff(starts)
    at = np.arange(starts[-1])
    later = np.repeat(starts[1:], n) - at - 1
    first = np.repeat(at, later)
    step = np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    return first, first + step + 1


def _by_group(values: _Values) -> list[tuple[int, Ints]]:
    """Return the positions of the values of each group that has any."""
    group = values.group[values.unit]
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(values.n_groups + 1))
    parts = [(g, order[bounds[g] : bounds[g + 1]]) for g in range(values.n_groups)]
    return [(g, own) for g, own in parts if len(own)]


def _summed(
    values: _Values,
    apart: Floats,
    expected: Floats,
    sigma: Floats,
    ks: Floats,
    px: Floats,
    *,
    exact: bool,
) -> Disagreement:
    """Add up units to one row for every group and image."""
    image = values.image
    width = int(image.max(initial=0)) + 1
    code = values.group * width + image
    if values.n_groups * width <= 16 * len(code) + TABLE:
        there = np.bincount(code, minlength=values.n_groups * width) > 0
        cells = np.flatnonzero(there)
        place = (np.cumsum(there) - 1)[code]
    else:
        cells, place = np.unique(code, return_inverse=True)
    group, of = np.divmod(cells, width)
    return Disagreement(
        group=group,
        image=of,
        apart=np.bincount(place, apart, len(cells)).astype(np.float64),
        values=np.bincount(place, values.sizes, len(cells)).astype(np.float64),
        expected=expected,
        n_units=np.bincount(values.group, minlength=values.n_groups).astype(np.int64),
        sigma=sigma,
        ks=ks,
        edge_px=px,
        exact=exact,
    )
