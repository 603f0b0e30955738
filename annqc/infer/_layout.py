"""infer: ragged bookkeeping of rows sorted by (group, cluster)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["Layout", "runs", "sort_rows", "stable_order"]

LONG_GROUP: Final = 256
"""Groups of this many rows on average are sorted one by one, shorter ones all at once."""


def runs(*keys: Array) -> Ints:
    """Start of each run of equal keys in sorted columns."""
    n = len(keys[0])
    if n == 0:
        return np.empty(0, np.int64)
    change = np.zeros(n, dtype=bool)
    change[0] = True
    for key in keys:
        change[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(change)


def stable_order(codes: Ints) -> Ints:
    """Argsort non-negative integer codes stably, by radix passes of 16 bits."""
    top = int(codes.max()) if len(codes) else 0
    order = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    shift = 16
    while top >> shift:
        digit = ((codes[order] >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digit, kind="stable")]
        shift += 16
    return order


def sort_rows(group: Ints, cluster: Ints) -> tuple[Ints | None, Ints, Ints]:
    """Sort rows by (group, cluster); the order is None where they are sorted already."""
    if len(group) < 2:
        return None, group, cluster
    step = group[1:] - group[:-1]
    if not ((step < 0) | ((step == 0) & (cluster[1:] < cluster[:-1]))).any():
        return None, group, cluster
    order = stable_order(cluster - cluster.min())
    order = order[stable_order(group[order])]
    return order, group[order], cluster[order]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Layout:
    """Where groups and clusters begin among a column's finite rows, and what each row weighs."""

    everything: bool
    groups: Ints
    group_start: Ints
    group_size: Floats
    group_of_row: Ints
    cluster_start: Ints
    cluster_size: Floats
    cluster_in_group: Ints
    weight: Floats
    group_weight: Floats
    cluster_weight: Floats

    @classmethod
    def of(cls, group: Ints, cluster: Ints, mask: Bools, rho0: float) -> Layout:
        """Lay out the rows of ``mask``; ``group`` and ``cluster`` are sorted together."""
        everything = bool(mask.all())
        if not everything:
            group, cluster = group[mask], cluster[mask]
        start = runs(group)
        size = np.diff(np.append(start, len(group)))
        cluster_start = runs(group, cluster)
        cluster_size = np.diff(np.append(cluster_start, len(group)))
        weight = np.repeat(1.0 / (1.0 + (cluster_size - 1.0) * rho0), cluster_size)
        return cls(
            everything=everything,
            groups=group[start],
            group_start=start,
            group_size=size.astype(np.float64),
            group_of_row=np.repeat(np.arange(len(start)), size),
            cluster_start=cluster_start,
            cluster_size=cluster_size.astype(np.float64),
            cluster_in_group=np.searchsorted(cluster_start, start),
            weight=weight,
            group_weight=np.add.reduceat(weight, start) if len(start) else np.empty(0),
            cluster_weight=cluster_size / (1.0 + (cluster_size - 1.0) * rho0),
        )

    def per_group(self, x: Floats) -> Floats:
        """Sum a row column within each group."""
        total: Floats = np.add.reduceat(x, self.group_start)
        return total

    def spread(self, x: Floats) -> Floats:
        """Give every row its group's value."""
        return np.asarray(x[self.group_of_row] if len(self.groups) > 1 else x)

    def rank(self, v: Floats) -> Ints:
        """Order of the rows by (group, value)."""
        if len(self.groups) == 1:
            return np.argsort(v)
        if self._few_groups:
            order = np.empty(len(v), np.int64)
            for rows in self._slices():
                np.add(np.argsort(v[rows]), rows.start, out=order[rows])
            return order
        order = np.argsort(v)
        return order[stable_order(self.group_of_row[order])]

    def rank_folded(self, deviation: Floats, order: Ints) -> Ints:
        """Order of the rows by (group, deviation), from the order by value.

        In the order by value the deviations from a centre fall and then rise: two runs a group,
        which a merge sort joins in one pass.
        """
        if len(self.groups) > 1 and not self._few_groups:
            return self.rank(deviation)
        folded = np.empty_like(order)
        for rows in self._slices():
            by_value = order[rows]
            folded[rows] = by_value[np.argsort(deviation[by_value], kind="stable")]
        return folded

    @property
    def _few_groups(self) -> bool:
        """Whether groups are so long that going through them one by one costs little."""
        return len(self.group_of_row) >= LONG_GROUP * len(self.groups)

    def _slices(self) -> Iterator[slice]:
        """Rows of each group."""
        ends = np.append(self.group_start[1:], len(self.group_of_row))
        for start, end in zip(self.group_start.tolist(), ends.tolist(), strict=True):
            yield slice(start, end)

    def weighted_median(self, v: Floats, order: Ints) -> Floats:
        """Weighted median of each group: midpoint of the lower and the upper one."""
        total = np.cumsum(self.weight[order])
        end = self.group_start + self.group_size.astype(np.int64)
        before = np.where(self.group_start > 0, total[self.group_start - 1], 0.0)
        half = before + (total[end - 1] - before) / 2
        slack = 1e-12 * max(total[-1], 1.0)
        low = np.minimum(np.searchsorted(total, half - slack), end - 1)
        high = np.minimum(np.searchsorted(total, half + slack), end - 1)
        return np.asarray(0.5 * (v[order[low]] + v[order[high]]))

    def quantile(self, v: Floats, order: Ints, share: Floats | float) -> Floats:
        """Take a quantile of each group: the smallest value with ``share`` at or below it."""
        position = np.ceil(np.asarray(share) * self.group_size - 1e-9).astype(np.int64) - 1
        position = np.clip(position, 0, self.group_size.astype(np.int64) - 1)
        return np.asarray(v[order[self.group_start + position]])

    def sums(self, v: Floats) -> dict[str, Floats]:
        """Add up the eight sums over the clusters of each group."""
        mean = np.add.reduceat(v, self.cluster_start) / self.cluster_size
        w = self.cluster_weight
        at = self.cluster_in_group
        clusters = np.diff(np.append(at, len(w)))

        def over(x: Floats) -> Floats:
            return np.add.reduceat(x, at)

        w2 = w * w
        return {
            "G": clusters.astype(np.float64),
            "N": self.group_size,
            "W1": over(w),
            "W2": over(w2),
            "W3": over(w2 * w),
            "T1": over(w * mean),
            "T2": over(w2 * mean),
            "Q2": over(w2 * mean * mean),
        }
