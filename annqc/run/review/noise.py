"""run: what is usual of each annotator's edges, what is a slip, and what is the gold's noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import expit, logit

if TYPE_CHECKING:
    from annqc.measure.offsets import Measurements
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Noise", "noise_of"]

SLIPS: Final = 0.002
SLIPS_ENOUGH: Final = 400.0
"""Share of edges that are slips, before the data are seen, and how many edges that is worth."""
SLIP_SIZE: Final = 8.0
"""Scale of slips in tolerances: their density is that of Laplace's distribution."""
OF_GOLD: Final = 0.25
OF_GOLD_ENOUGH: Final = 50.0
"""Share of noise that is the gold's, before the data are seen, and how many pairs that is worth.

Where several drew one object, what they have in common counts as the gold's.
"""
SHARES: Final = (0.15, 0.8)
FARTHEST: Final = 2.5
"""What others have in common is asked of edges up to so many deviations: a slip says nothing."""
LEAST_SCALE: Final = 0.25
"""The deviation of an annotator in tolerances is at least this."""
HABIT: Final = 1.0
"""From so many tolerances on it is asked whether a habit is one of pixels."""
ENOUGH: Final = 20
"""With fewer boxes of a category the annotator's are taken together, or else everybody's."""
SIZES: Final = 6
ENOUGH_OF_SIZE: Final = 50
"""So many groups of objects by size, of so many edges: the noise of each is its own."""
NORMAL: Final = 1.4826
MEDIAN_SE: Final = 1.2533
STEPS: Final = 30


class Noise(NamedTuple):
    """What is usual of n pairs, each column (n, 4) float64 in tolerances.

    Attributes
    ----------
    middle, se
        Median offset of the annotator's boxes of the category, and its standard error.
    scale
        Standard deviation of the usual offsets on objects of this size.
    gold, gold_sd
        What the others who drew the object say of the gold's own noise, which adds to the offset:
        mean and standard deviation.
    own_sd
        Standard deviation of the annotator's own noise.
    slip
        Probability that the offset is a slip.
    """

    middle: Floats
    se: Floats
    scale: Floats
    gold: Floats
    gold_sd: Floats
    own_sd: Floats
    slip: Floats


def noise_of(
    measured: Measurements, units: Floats, usable: Bools, category: Ints, n_categories: int
) -> Noise:
    """Fit what is usual, and say of each edge how likely it is a slip.

    Parameters
    ----------
    measured : Measurements
        What was measured, one pair or more.
    units : (n, 4) float64
        Offsets in tolerances.
    usable : (n, 4) bool
        Edges that are not at the image border.
    category : (n,) int64
        Category of each pair.
    n_categories : int
        How many there are.
    """
    middle, scale, se = _usual_of(measured, units, usable, category, n_categories)
    group = _by_size(measured, usable)
    away = np.where(usable, units - middle, np.nan)
    scale = scale * _of_size(away / scale, group)
    share = _shares(away / scale, measured.reference, group)[group][:, None]
    slip = _slips(away, scale, measured.annotator)
    # Noise of the gold ~ N(0, share); each other who drew the object measures it with what is left.
    z = away / scale
    z[~(np.abs(z) <= FARTHEST)] = np.nan
    code = np.unique(measured.reference, return_inverse=True)[1]
    total, count = np.zeros_like(z), np.zeros_like(z)
    for k in range(z.shape[1]):
        known = np.isfinite(z[:, k])
        mine = np.where(known, z[:, k], 0.0)
        total[:, k] = np.bincount(code, weights=mine)[code] - mine
        count[:, k] = np.bincount(code, weights=known)[code] - known
    variance = 1.0 / (1.0 / share + count / (1.0 - share))
    gold = variance * total / (1.0 - share)
    return Noise(
        middle,
        se,
        scale,
        gold * scale,
        np.sqrt(variance) * scale,
        np.sqrt(1.0 - share) * scale,
        slip,
    )


def _usual_of(
    measured: Measurements, units: Floats, usable: Bools, category: Ints, n_categories: int
) -> tuple[Floats, Floats, Floats]:
    """Say what is usual, in tolerances.

    Where somebody is off by pixels rather than by tolerances, which is where those are closer
    together, it is so many pixels on each object.
    """
    who = measured.annotator
    in_units = _usual(units, usable, who, category, n_categories)
    in_px = _usual(measured.edges, usable, who, category, n_categories)
    (m, s, _), (m_px, s_px, _) = in_units, in_px
    pixels = (np.abs(m) >= HABIT) & (s_px * np.abs(m) < s * np.abs(m_px))
    tolerance = np.tile(measured.tolerance, 2)
    chosen = [np.where(pixels, px / tolerance, u) for px, u in zip(in_px, in_units, strict=True)]
    return chosen[0], np.maximum(chosen[1], LEAST_SCALE), chosen[2]


def _by_size(measured: Measurements, usable: Bools) -> Ints:
    """Sort pairs into groups by the size of the object."""
    area = measured.sides.prod(axis=1)
    groups = max(min(SIZES, int(usable.sum()) // ENOUGH_OF_SIZE), 1)
    found: Ints = np.searchsorted(np.quantile(area, np.arange(1, groups) / groups), area)
    return found


def _of_size(z: Floats, group: Ints) -> Floats:
    """Say how much noisier edges of objects of this size are than the annotator's others."""
    found = np.ones(int(group.max()) + 1)
    for k in range(len(found)):
        some = np.abs(z[group == k])
        some = some[np.isfinite(some)]
        if len(some) >= ENOUGH_OF_SIZE:
            found[k] = max(NORMAL * float(np.median(some)), LEAST_SCALE)
    return found[group][:, None]


def _shares(z: Floats, reference: Ints, group: Ints) -> Floats:
    """Fit, for each group, the share of the noise that all who drew an object have in common."""
    n_groups = int(group.max()) + 1
    order = np.argsort(reference, kind="stable")
    same = np.flatnonzero(reference[order][1:] == reference[order][:-1])
    one, other = order[1:][same], order[:-1][same]
    both = np.isfinite(z[one]) & np.isfinite(z[other])
    pair, edge = np.nonzero(both)
    first, second = (np.clip(z[rows[pair], edge], -FARTHEST, FARTHEST) for rows in (one, other))
    common, power = first * second, 0.5 * (first**2 + second**2)
    group = group[one[pair]]

    def fitted(some: Bools, before: float) -> float:
        n = int(some.sum())
        total = float(power[some].sum())
        shared = float(common[some].sum()) / total if total > 0.0 else before
        found = (before * OF_GOLD_ENOUGH + shared * n) / (OF_GOLD_ENOUGH + n)
        return float(np.clip(found, *SHARES))

    whole = fitted(np.ones(len(group), dtype=bool), OF_GOLD)
    return np.array([fitted(group == k, whole) for k in range(n_groups)])


def _slips(away: Floats, scale: Floats, annotator: Ints) -> Floats:
    """Fit the share of slips of each annotator by EM, and say how likely each edge is one."""
    usable = np.isfinite(away)
    log_ratio = np.log(0.5 / SLIP_SIZE) - np.abs(away) / SLIP_SIZE
    log_ratio += 0.5 * (away / scale) ** 2 + np.log(scale * np.sqrt(2.0 * np.pi))
    log_ratio = np.where(usable, log_ratio, -np.inf)
    people = int(annotator.max()) + 1
    count = np.bincount(annotator, weights=usable.sum(axis=1), minlength=people)
    share = np.full(people, SLIPS)
    p = np.zeros_like(away)
    for _ in range(STEPS):
        p = expit(logit(share)[annotator][:, None] + log_ratio)
        found = np.bincount(annotator, weights=p.sum(axis=1), minlength=people)
        usual = (SLIPS * SLIPS_ENOUGH + found.sum()) / (SLIPS_ENOUGH + count.sum())
        before, share = share, (usual * SLIPS_ENOUGH + found) / (SLIPS_ENOUGH + count)
        if np.abs(share - before).max() < 1e-7:
            break
    return p


def _usual(
    units: Floats, usable: Bools, annotator: Ints, category: Ints, n_categories: int
) -> tuple[Floats, Floats, Floats]:
    """Say what each is to be like: median, robust deviation, and standard error of the median.

    That is the annotator's boxes of the category where there are enough, else all of the
    annotator's, else everybody's; one edge at a time.
    """
    middle = np.zeros_like(units)
    scale, se = np.ones_like(units), np.ones_like(units)
    values = np.where(usable, units, np.nan)
    levels = (np.zeros_like(annotator), annotator, annotator * n_categories + category)
    for group in levels:
        code = np.unique(group, return_inverse=True)[1]
        for k in range(units.shape[1]):
            column = values[:, k]
            count = np.bincount(code[usable[:, k]], minlength=int(code.max()) + 1)[code]
            enough = count >= ENOUGH
            if not enough.any():
                continue
            centre = _median_of(column, code)
            spread = NORMAL * _median_of(np.abs(column - centre), code)
            spread = np.maximum(spread, LEAST_SCALE)
            middle[enough, k] = centre[enough]
            scale[enough, k] = spread[enough]
            se[enough, k] = (MEDIAN_SE * spread / np.sqrt(np.maximum(count, 1)))[enough]
    return middle, scale, se


def _median_of(column: Floats, code: Ints) -> Floats:
    """Return the median of the group of each row, NaN left out."""
    some = np.flatnonzero(np.isfinite(column))
    order = some[np.lexsort((column[some], code[some]))]
    count = np.bincount(code[some], minlength=int(code.max()) + 1)
    first = np.cumsum(count) - count
    there = count > 0
    low, high = (first + (count - 1) // 2)[there], (first + count // 2)[there]
    table = np.full(len(count), np.nan)
    table[there] = 0.5 * (column[order[low]] + column[order[high]])
    return table[code]
