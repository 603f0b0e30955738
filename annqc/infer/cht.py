"""infer: the core estimator, cluster-Huber t (CHT), for many groups and several offsets at once.

An offset's typical value in a group (an annotator, or an annotator in a stratum) is its Huber
location. Boxes of one image are not independent, so the variance comes from cluster means: each
value is replaced by its Huber pseudo-value, pseudo-values are averaged per cluster, and the cluster
means enter a weighted t with Satterthwaite's degrees of freedom. All that is kept of a cluster is
eight sums a group, which add up over shards as long as a cluster lives in one shard and the shards
share the group's location and scale.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer._layout import Layout, sort_rows
from annqc.infer.sums import Location, Sums
from annqc.kernels import _jit
from annqc.kernels import cht as kernel
from annqc.kernels._cht import (
    GROSS_SCALES,
    KAPPA_MIN,
    MAD_TO_SD,
    MEAN_DEVIATION_TO_SD,
    NO_SPREAD,
    SCALE_FLOOR,
)

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = [
    "HUBER_C",
    "KAPPA_MIN",
    "RHO0",
    "SCALE_FLOOR",
    "Location",
    "Sums",
    "choose_engine",
    "cluster_location",
]

RHO0: Final = 0.2
"""Working correlation inside a cluster: sets the weights, not the validity."""
HUBER_C: Final = 1.345
"""Huber's constant: 95 % efficiency at the Gaussian."""
SECONDS_SAVED: Final = 1e-7
"""What the kernel saves a value over the numpy path, measured on 3,000,000 rows and 8 columns."""


def cluster_location(
    group: Array,
    cluster: Array,
    y: Array,
    *,
    n_groups: int | None = None,
    grid: Array | float = 0.0,
    group_grid: Array | None = None,
    missing: Array | None = None,
    given: Location | None = None,
    rho0: float = RHO0,
    c: float = HUBER_C,
    robust: bool = True,
    steps: int = 1,
    engine: _jit.Engine = "auto",
) -> Location:
    """Estimate the clustered Huber location of each group and column.

    Parameters
    ----------
    group, cluster : (N,) array_like of int
        Codes of the group and of the cluster (image, or track) of each row.
    y : (N,) or (N, K) array_like
        Values; what is not finite is left out and counted.
    n_groups : int, optional
        Number of groups; groups without rows come back as NaN. The largest code plus one if not
        given.
    grid : float or (N,) array_like, optional
        Coordinate step in the units of ``y``; a group takes the largest of its finite rows.
    group_grid : (n_groups, K) array_like, optional
        The step a group and column, instead of ``grid``.
    missing : (n_groups, K) array_like, optional
        Share of the group that was never measured; asks for ``bound_low, bound_high``: the median
        of the whole group lies in [F⁻¹((0.5 - m) / (1 - m)), F⁻¹(0.5 / (1 - m))], anything at all
        for m >= 0.5.
    given : Location, optional
        Take centre, scale and kappa of every group from here, as the shards of one work must, so
        that their sums merge to those of the whole.
    rho0 : float
        Working correlation: 0 weighs values alike, 1 clusters alike.
    c : float
        Huber's constant.
    robust : bool
        False uses the values as they are: the weighted mean.
    steps : int
        Newton steps from the weighted median.
    engine : {"auto", "numpy", "numba"}
        How; the results are the same to rounding.

    Returns
    -------
    Location

    Notes
    -----
    Huber (1964) pseudo-values; clustered variance as in Bell and McCaffrey (2002) for weighted
    means; t on cluster estimates as in Ibragimov and Müller (2010). Bounds: Horowitz and Manski
    (1995).

    Examples
    --------
    >>> import numpy as np
    >>> y = [1, 2, 3, 2, 2.5, 0.5, 4, 3, 3.5, 2.5, 1.5, 30]
    >>> found = cluster_location([0] * 12, [0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 4, 4], y)
    >>> print(f"{found.estimate[0]:.3f} +- {found.se[0]:.3f}, {found.n_clusters[0]} clusters")
    2.404 +- 0.433, 5 clusters
    """
    group = np.asarray(group, dtype=np.int64)
    values = np.asarray(y, dtype=np.float64)
    flat = values.ndim == 1
    columns = np.ascontiguousarray(values[None, :] if flat else values.T)
    k = len(columns)
    g = int(n_groups) if n_groups is not None else (int(group.max()) + 1 if len(group) else 0)
    order, group, cluster = sort_rows(group, np.asarray(cluster, dtype=np.int64))
    if order is not None:
        columns = np.ascontiguousarray(columns[:, order])
    if group_grid is None:
        steps_grid = np.zeros((g, k))
        per_row = np.broadcast_to(np.asarray(grid, dtype=np.float64), (len(group),))
        per_row = per_row if order is None else per_row[order]
        for column in range(k if per_row.any() else 0):
            used = np.isfinite(columns[column])
            np.maximum.at(steps_grid[:, column], group[used], per_row[used])
    else:
        steps_grid = np.ascontiguousarray(
            np.broadcast_to(np.asarray(group_grid, dtype=np.float64), (g, k))
        )
    absent = None
    if missing is not None:
        absent = np.ascontiguousarray(np.broadcast_to(missing, (g, k)), dtype=np.float64)
    if given is None and choose_engine(columns.size, engine=engine) == "numba":
        raw = kernel.locate(
            group, cluster, columns, g, steps_grid, absent, rho0, c, robust=robust, steps=steps
        )
    else:
        fixed = None
        if given is not None:
            fixed = np.stack([x.reshape(g, k) for x in (given.centre, given.scale, given.kappa)])
        raw = _locate(
            group,
            cluster,
            columns,
            g,
            steps_grid,
            absent,
            rho0,
            c,
            robust=robust,
            steps=steps,
            fixed=fixed,
        )
    return _assemble(raw, steps_grid, flat=flat)


def choose_engine(n_values: int, *, engine: _jit.Engine = "auto") -> _jit.Engine:
    """Settle ``"auto"`` for a known amount of work, so that many small calls are not misjudged.

    The two engines differ in the last digits, so the choice rests on the amount of work alone: the
    same audit gives the same numbers, whatever else the process has done.

    Parameters
    ----------
    n_values : int
        Values of all columns of all calls to come.
    engine : {"auto", "numpy", "numba"}
        What was asked for.

    Returns
    -------
    {"numpy", "numba"}
    """
    _jit.check_engine(engine)
    if engine == "auto":
        pays = n_values * SECONDS_SAVED > _jit.ENTRY_SECONDS and _jit.available()
        return "numba" if pays else "numpy"
    return engine


def _assemble(raw: dict[str, Array], grid: Floats, *, flat: bool) -> Location:
    """Turn (n_groups, K) statistics into a `Location`, squeezing a single column."""
    n_total = raw.pop("n_total")
    if flat:
        raw = {name: column[:, 0] for name, column in raw.items()}
        grid, n_total = grid[:, 0], n_total[:, 0]
    sums = Sums(**{one.name: raw.pop(one.name) for one in fields(Sums)})
    done = sums.finish(grid)
    n = sums.N.astype(np.int64)
    return Location(
        **done,
        **raw,
        n_clusters=sums.G.astype(np.int64),
        n=n,
        n_nan=n_total.astype(np.int64) - n,
        sums=sums,
    )


def _locate(
    group: Ints,
    cluster: Ints,
    columns: Floats,
    n_groups: int,
    grid: Floats,
    missing: Floats | None,
    rho0: float,
    c: float,
    *,
    robust: bool,
    steps: int,
    fixed: Floats | None,
) -> dict[str, Array]:
    """Batched numpy path: rows sorted by (group, cluster), columns (K, N)."""
    k = len(columns)
    out = {name: np.full((n_groups, k), np.nan) for name in kernel.STATISTICS}
    for one in fields(Sums):
        out[one.name] = np.zeros((n_groups, k))
    out["n_total"] = np.repeat(
        np.bincount(group, minlength=n_groups).astype(np.float64)[:, None], k, axis=1
    )
    layouts: dict[bytes, Layout] = {}
    finite = np.isfinite(columns)
    for column in range(k):
        mask = finite[column]
        key = np.packbits(mask).tobytes()
        layout = layouts.get(key)
        if layout is None:
            layout = layouts[key] = Layout.of(group, cluster, mask, rho0)
        if len(layout.groups):
            absent = None if missing is None else missing[layout.groups, column]
            stats = _column(
                layout,
                columns[column] if layout.everything else columns[column][mask],
                grid[layout.groups, column],
                absent,
                c,
                robust=robust,
                steps=steps,
                fixed=None if fixed is None else fixed[:, layout.groups, column],
            )
            for name, value in stats.items():
                out[name][layout.groups, column] = value
    return out


def _column(
    layout: Layout,
    v: Floats,
    grid: Floats,
    missing: Floats | None,
    c: float,
    *,
    robust: bool,
    steps: int,
    fixed: Floats | None,
) -> dict[str, Any]:
    """Statistics of one column in its non-empty groups."""
    stats: dict[str, Any] = {}
    count = layout.group_size
    ranked = layout.rank(v) if robust or missing is not None else None
    stats["mean"] = layout.per_group(v) / count
    if robust and ranked is not None:
        if fixed is None:
            m0, m, scale = _centre(layout, v, ranked, grid, c, steps)
            stats["m0"] = m0
        else:
            m, scale, _ = fixed
        z, kappa, outside = _clipped(layout, v, m, scale, c)
        kappa = kappa if fixed is None else fixed[2]
        used = layout.spread(m) + layout.spread(scale / kappa) * z
        stats |= {"centre": m, "scale": scale, "kappa": kappa}
        stats["clip_frac"] = layout.per_group(outside) / count
        stats["low"] = layout.quantile(v, ranked, 0.05)
        stats["high"] = layout.quantile(v, ranked, 0.95)
    else:
        used = v
    if missing is not None and ranked is not None:
        share = np.clip(missing, 0.0, 0.5)
        with np.errstate(divide="ignore", invalid="ignore"):
            lower = layout.quantile(v, ranked, (0.5 - share) / (1 - share))
            upper = layout.quantile(v, ranked, 0.5 / (1 - share))
        stats["bound_low"] = np.where(missing >= 0.5, -np.inf, lower)
        stats["bound_high"] = np.where(missing >= 0.5, np.inf, upper)
    stats |= layout.sums(used)
    if robust:
        b = stats["T1"] / stats["W1"]
        far = np.abs(v - layout.spread(b)) > GROSS_SCALES * layout.spread(stats["scale"])
        stats["gross_rate"] = layout.per_group(far.astype(np.float64)) / count
    return stats


def _centre(
    layout: Layout, v: Floats, ranked: Ints, grid: Floats, c: float, steps: int
) -> tuple[Floats, Floats, Floats]:
    """Weighted median, Huber location after the Newton steps, and scale."""
    m0 = layout.weighted_median(v, ranked)
    deviation = np.abs(v - layout.spread(m0))
    folded = layout.rank_folded(deviation, ranked)
    scale = MAD_TO_SD * layout.weighted_median(deviation, folded)
    scale = np.maximum(scale, SCALE_FLOOR * grid)
    if not (scale > NO_SPREAD).all():
        mean_deviation = layout.per_group(layout.weight * deviation) / layout.group_weight
        flat = ~(scale > np.minimum(NO_SPREAD, NO_SPREAD * mean_deviation))
        scale = np.where(flat, MEAN_DEVIATION_TO_SD * mean_deviation, scale)
        scale = np.where(scale > 0, scale, 1e-12)
    m = m0
    for _ in range(steps):
        z, kappa, _ = _clipped(layout, v, m, scale, c)
        m = m + scale * (layout.per_group(layout.weight * z) / layout.group_weight) / kappa
    return m0, m, scale


def _clipped(
    layout: Layout, v: Floats, m: Floats, scale: Floats, c: float
) -> tuple[Floats, Floats, Floats]:
    """Clipped standardised residuals, the unclipped share of weight, and who was clipped."""
    z = (v - layout.spread(m)) / layout.spread(scale)
    inside = np.abs(z) <= c
    kappa = layout.per_group(layout.weight * inside) / layout.group_weight
    return np.clip(z, -c, c), np.maximum(kappa, KAPPA_MIN), (~inside).astype(np.float64)
