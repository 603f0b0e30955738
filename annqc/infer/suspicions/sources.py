"""suspicions: authors whose boxes are the same more often than independent people make them.

Where coordinates have many digits, two people never draw the same box. On whole pixels they do, the
more often the more careful they are, so the chance of it is taken from **third parties**: how often
an edge of either author equals the edge of others, and others' edges each other. For errors of
standard deviation s on a grid of pitch q an edge of two authors is the same with probability
``e`` where ``1/e² - 1 = 2π (s_a² + s_b²) / q²``, which adds up over the two; so each author's part
is found without looking at the pair in question. Third parties who are as much alike with the pair
as the pair itself are left out, so that three who accepted one model's boxes do not excuse each
other; if nobody remains, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy import special

from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.suspicions.identity import pitch_of, same_boxes

if TYPE_CHECKING:
    from annqc.infer.suspicions.identity import BoxPairs, Drawn
    from annqc.tables import Bools, Floats, Ints

__all__ = ["LEVEL", "Sources", "components", "same_sources"]

LEVEL: Final = 0.01
"""False discovery rate over all pairs of authors."""
LEAST_SHARE: Final = 0.2
"""Where chance makes any identical boxes at all, fewer than this are not spoken of."""
FEWEST: Final = 3
"""Identical boxes that a pair must have at least on a grid; two where chance makes none."""
NEVER: Final = 0.01
"""Where fewer identical boxes are expected in all, chance makes none."""
AS_ALIKE: Final = 2 / 3
"""A third party this much as alike with the pair as the pair itself is no witness."""
MOST_CAREFUL: Final = 0.1
"""Nobody is ten times as precise as the others, or more precise than this many pixels."""
BOUND: Final = 0.9
"""One-sided bound of the shares that the chance is computed from."""
SMALL_P: Final = 1e-3


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Sources:
    """Every pair of authors with boxes of the same objects.

    Attributes
    ----------
    left, right : (p,) int64
        The two authors.
    identical, n : (p,) int64
        Identical boxes, of those that both drew.
    expected : (p,) float64
        The share of identical boxes that chance makes; 1 where that cannot be known.
    p_value, p_adjusted : (p,) float64
        Of as many by chance; Benjamini-Hochberg over all pairs.
    named : (p,) bool
        Pairs that are more alike than chance makes them.
    pairs : BoxPairs
        The boxes.
    pair_of : (m,) int64
        Which pair of authors they belong to.
    """

    left: Ints
    right: Ints
    identical: Ints
    n: Ints
    expected: Floats
    p_value: Floats
    p_adjusted: Floats
    named: Bools
    pairs: BoxPairs
    pair_of: Ints


class _Counts(NamedTuple):
    """Sums over the boxes of each pair of authors, and over their boxes of one cluster."""

    left: Ints
    right: Ints
    n: Ints
    identical: Ints
    equal: Ints
    told: Ints
    cell_pair: Ints
    cell_n: Ints
    cell_identical: Ints


def same_sources(
    drawn: Drawn, *, gold: int = -1, known: Bools | None = None, level: float = LEVEL
) -> Sources:
    """Find the authors whose boxes come from one source.

    Parameters
    ----------
    drawn : Drawn
        The boxes of all authors; the gold may be one of them.
    gold : int
        Which author is the gold, -1 for none.
    known : (n,) bool, optional
        Boxes of whom it is known that they drew the gold there; they are not compared with it.
    level : float
        False discovery rate over the pairs.

    Returns
    -------
    Sources

    Notes
    -----
    The number of identical boxes is compared with a binomial of ``n / φ`` trials, where φ is how
    much more the identical boxes of third parties vary between clusters than independent ones
    would. How much likelier a box is to be the same than four independent edges (objects differ in
    how plain their edges are) is taken from third parties as well.
    """
    pairs = same_boxes(drawn)
    if known is not None:
        of_gold = drawn.author == gold
        keep = ~(
            (known[pairs.left] & of_gold[pairs.right]) | (known[pairs.right] & of_gold[pairs.left])
        )
        pairs = type(pairs)(**{name: getattr(pairs, name)[keep] for name in pairs.__slots__})
    n_authors = int(drawn.author.max(initial=-1)) + 1
    counts, pair_of = _count(drawn, pairs, n_authors)
    pitch = np.array([pitch_of(drawn.xyxy[drawn.author == k]) for k in range(n_authors)])
    share = counts.identical / counts.n
    expected, p = np.ones(len(share)), np.ones(len(share))
    open_ = np.ones(len(share), dtype=bool)
    for row in np.lexsort((-counts.n, -share)).tolist():
        if counts.identical[row] < 2:
            continue
        chance, spread = _chance(counts, row, share, open_, pitch)
        expected[row] = chance
        k, n = counts.identical[row] / spread, counts.n[row] / spread
        p[row] = special.betainc(k, max(n - k, 0.0) + 1, chance) if chance < 1 else 1.0
        open_[row] = p[row] > SMALL_P
    adjusted = adjusted_bh(np.where(counts.n >= 2, p, np.nan))
    plain = (counts.identical >= FEWEST) & (share >= LEAST_SHARE)
    return Sources(
        left=counts.left,
        right=counts.right,
        identical=counts.identical,
        n=counts.n,
        expected=expected,
        p_value=p,
        p_adjusted=adjusted,
        named=(adjusted <= level) & (plain | (expected * counts.n <= NEVER)),
        pairs=pairs,
        pair_of=pair_of,
    )


def components(left: Ints, right: Ints, n: int) -> Ints:
    """Give a number to the groups of authors that are joined by pairs: their lowest member.

    Examples
    --------
    >>> components(np.array([1, 3]), np.array([3, 4]), 6).tolist()
    [0, 1, 2, 1, 1, 5]
    """
    label = np.arange(n)
    while len(left):
        low = np.minimum(label[left], label[right])
        if (label[left] == low).all() and (label[right] == low).all():
            break
        np.minimum.at(label, left, low)
        np.minimum.at(label, right, low)
    return label


def _count(drawn: Drawn, pairs: BoxPairs, n_authors: int) -> tuple[_Counts, Ints]:
    key = drawn.author[pairs.left] * n_authors + drawn.author[pairs.right]
    of, pair = np.unique(key, return_inverse=True)
    cluster = drawn.cluster[pairs.left]
    width = int(drawn.cluster.max(initial=-1)) + 1
    cells, cell = np.unique(pair * width + cluster, return_inverse=True)

    def total(code: Ints, values: Ints | Bools | None, n: int) -> Ints:
        return np.bincount(code, values, n).astype(np.int64)

    m = len(of)
    counts = _Counts(
        left=of // max(n_authors, 1),
        right=of % max(n_authors, 1),
        n=total(pair, None, m),
        identical=total(pair, pairs.same, m),
        equal=total(pair, pairs.equal, m),
        told=total(pair, pairs.told, m),
        cell_pair=cells // max(width, 1),
        cell_n=total(cell, None, len(cells)),
        cell_identical=total(cell, pairs.same, len(cells)),
    )
    return counts, pair


def _chance(
    counts: _Counts, row: int, share: Floats, open_: Bools, pitch: Floats
) -> tuple[float, float]:
    """Share of identical boxes that chance makes for a pair, at most, and the spread φ."""
    a, b = int(counts.left[row]), int(counts.right[row])
    alike_share = np.maximum(AS_ALIKE * share[row], _usual_at_most(counts, share))
    witness = open_ & ((counts.identical < FEWEST) | (share < alike_share))
    witness[row] = False
    with_a, with_b = ((counts.left == one) | (counts.right == one) for one in (a, b))
    n_authors = len(pitch)
    third = np.zeros(n_authors, dtype=bool)
    beside = with_a | with_b
    third[counts.left[beside]] = third[counts.right[beside]] = True
    third &= (pitch == pitch[a]) | (pitch == pitch[b])
    alike = beside & ~witness
    third[counts.left[alike]] = third[counts.right[alike]] = False
    third[[a, b]] = False
    outside_left, outside_right = third[counts.left], third[counts.right]
    of_a = witness & with_a & (outside_left | outside_right)
    of_b = witness & with_b & (outside_left | outside_right)
    among = witness & outside_left & outside_right
    if not counts.n[among].sum():
        return _chance_alone(counts, row, max(pitch[a], pitch[b])), 1.0
    rate_high, rate_low = _bounds(counts, among)
    others = max(1 / rate_low**2 - 1, 0.0) / 2
    floor = MOST_CAREFUL**2 * max(1 / rate_high**2 - 1, 0.0) / 2
    apart = 0.0
    for mine in (of_a, of_b):
        high = _bounds(counts, mine)[0] if counts.n[mine].sum() else 1.0
        apart += max(1 / high**2 - 1 - others, floor)
    edge = float((1 + apart) ** -0.5)
    null = of_a | of_b | among
    told = counts.told[row] / counts.n[row]
    return min(_clumping(counts, null) * edge**told, edge), _spread(counts, null)


def _usual_at_most(counts: _Counts, share: Floats) -> Floats:
    """Share that each pair hardly exceeds by luck if it is like most; else luck picks witnesses."""
    usual = float(np.quantile(share, 0.25))
    return usual + 4 * np.sqrt(usual * (1 - usual) / counts.n)


def _bounds(counts: _Counts, rows: Bools) -> tuple[float, float]:
    """Upper and lower bound of the share of equal edges; a box counts once, not four times."""
    share, n = counts.equal[rows].sum() / counts.told[rows].sum(), counts.n[rows].sum()
    k = share * n
    high = float(special.betaincinv(k + 1, n - k, BOUND)) if k < n else 1.0
    low = float(special.betaincinv(k, n - k + 1, 1 - BOUND)) if k > 0 else 0.0
    return high, max(low, 1e-9)


def _clumping(counts: _Counts, rows: Bools) -> float:
    """How much likelier a box is to be the same than independent edges would make it."""
    pooled = counts.equal[rows].sum() / counts.told[rows].sum()
    edge = (counts.equal[rows] + 8 * pooled) / (counts.told[rows] + 8)
    independent = float((counts.n[rows] * edge ** (counts.told[rows] / counts.n[rows])).sum())
    return max((float(counts.identical[rows].sum()) + 1) / (independent + 1), 1.0)


def _spread(counts: _Counts, rows: Bools) -> float:
    """Variance of identical boxes between clusters, over that of independent ones."""
    cells = rows[counts.cell_pair]
    pair, n, k = counts.cell_pair[cells], counts.cell_n[cells], counts.cell_identical[cells]
    rate = (counts.identical / counts.n)[pair]
    found = float(((k - n * rate) ** 2).sum())
    plain = float((n * rate * (1 - rate)).sum())
    free = max(len(n) - int(rows.sum()), 1) / max(len(n), 1)
    return max((found / free + 1) / (plain + 1), 1.0)


def _chance_alone(counts: _Counts, row: int, pitch: float) -> float:
    """Chance where nobody else can witness: only many digits can tell, and most of them do."""
    if pitch > 0.1:
        return 1.0
    steady = 2 * np.pi * (MOST_CAREFUL / pitch) ** 2
    edge = float((1 + 2 * steady) ** -0.5)
    other = int(counts.told[row] - 4 * counts.identical[row])
    if other > 0:
        left = max(int(counts.equal[row] - 4 * counts.identical[row]), 0)
        edge = max(edge, left / other)
    return float(edge ** (counts.told[row] / counts.n[row]))
