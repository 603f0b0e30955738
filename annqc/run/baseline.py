"""run: what changed since a saved run, as columns for the rules that ask whether it got worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.paired import bias_change, ratio_change
from annqc.measure.offsets import AXIS, GRID_STEP, MARGIN
from annqc.measure.tolerance import Tolerance
from annqc.run.pairing import DECIMALS
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.infer.paired import BiasChange
    from annqc.run.pairing import Comparison, Groups, Rows
    from annqc.tables import Array, Bools, Ints

__all__ = ["Changes", "bias_changes", "changes", "rate_changes"]

NAMES: Final = {
    "old": "old",
    "new": "new",
    "change": "change",
    "ci_low": "low",
    "ci_high": "high",
}
"""Columns, and the fields of `annqc.infer.paired.BiasChange` that they show."""


Changes = tuple[dict[str, "Array"], tuple[str, ...]]
"""One row a group (and quantity) as columns; and notes on what took no part."""


def changes(
    both: Comparison, measure: str, by: Sequence[str], *, margin: float | Tolerance
) -> Changes:
    """Measure what changed in every group, at the level of confidence of the newer run.

    Parameters
    ----------
    both : Comparison
        The two runs.
    measure : str
        Which rate; a margin with units asks for the signed offsets instead.
    by : sequence of str
        Columns.
    margin : float or Tolerance
        How much worse is no worse; see `rate_changes` and `bias_changes`.

    Returns
    -------
    columns, notes
    """
    # Rules on edges, shift and growth read different rows of one answer.
    key = ("" if isinstance(margin, Tolerance) else measure, tuple(by), margin)
    if key not in both.answered:
        confidence = both.new.parameters.confidence
        both.answered[key] = (
            bias_changes(both, by, margin=margin, confidence=confidence)
            if isinstance(margin, Tolerance)
            else rate_changes(both, measure, by, margin=margin, confidence=confidence)
        )
    columns, notes = both.answered[key]
    return dict(columns), notes


def rate_changes(
    both: Comparison, measure: str, by: Sequence[str], *, margin: float, confidence: float
) -> Changes:
    """Measure by how much a rate changed in every group.

    Parameters
    ----------
    both : Comparison
        The two runs.
    measure : {"recall", "precision", "label_accuracy", "mean_iou"}
        Which rate.
    by : sequence of str
        Columns.
    margin : float
        By how much it may fall.
    confidence : float
        Level of the intervals.

    Returns
    -------
    columns, notes
        Columns of ``by``, then ``old, new, change, ci_low, ci_high, p_value, n, n_clusters``;
        ``changed`` is the number of clusters in which the rate changed, and ``identical`` whether
        both deliveries have the very same boxes.
    """
    new, old = both.rows(measure)
    groups = both.grouped(by, new, old)
    trials = [
        (rows.event[code >= 0], code[code >= 0], rows.cluster[code >= 0])
        for rows, code in ((new, groups.new), (old, groups.old))
    ]
    found = ratio_change(trials[0], trials[1], groups.n)
    low, high = found.interval(confidence)
    changed = found.fell + found.rose
    # Boxes are looked at only where they may be the same.
    identical = np.zeros(groups.n, dtype=bool)
    if bool((changed == 0).any()):
        identical = _identical(both, new, old, groups)
    columns = {
        **groups.keys,
        "old": found.old,
        "new": found.new,
        "change": found.change,
        "ci_low": low,
        "ci_high": high,
        "p_value": found.p_worse(margin),
        "n": found.n_new,
        "n_clusters": found.n_clusters,
        "changed": changed,
        "identical": identical,
    }
    return columns, both.notes(images=measure == "precision")


def _identical(both: Comparison, new: Rows, old: Rows, groups: Groups) -> Bools:
    """Whether a group has the very same boxes in both deliveries; (n_groups,)."""
    sides = []
    for run, rows, code in ((both.new, new, groups.new), (both.old, old, groups.old)):
        task = both.task_codes(rows, newer=run is both.new)
        drawn = rows.candidate >= 0
        parts = np.zeros((len(rows), 9))
        parts[:, :4] = np.column_stack([code, rows.annotator, rows.reference, rows.event])
        parts[drawn, 4] = task[drawn]
        parts[drawn, 5:] = np.round(run.candidate.table.xyxy[rows.candidate[drawn]], DECIMALS)
        sides.append(parts[code >= 0])
    found = np.concatenate(sides)
    sign = np.repeat([1, -1], [len(one) for one in sides])
    order = np.lexsort(found.T)
    found, sign = found[order], sign[order]
    first = np.ones(len(found), dtype=bool)
    first[1:] = (found[1:] != found[:-1]).any(axis=1)
    excess = np.bincount(np.cumsum(first) - 1, sign, int(first.sum()))
    out = np.ones(groups.n, dtype=bool)
    out[found[first, 0][excess != 0].astype(np.int64)] = False
    return out


def bias_changes(
    both: Comparison, by: Sequence[str], *, margin: Tolerance, confidence: float
) -> Changes:
    """Measure by how much the offsets grew, one row a group and quantity.

    Parameters
    ----------
    both : Comparison
        The two runs.
    by : sequence of str
        Columns. The group of an object is the one it has in the newer run.
    margin : Tolerance
        By how much an edge may get worse; growth adds up two edges, and may by twice that.
    confidence : float
        Level of the intervals.

    Returns
    -------
    columns, notes
        Columns of ``by``, then ``quantity``; ``old, new, change, ci_low, ci_high`` in tolerance
        units, and with ``_told`` in pixels (in shares of the side, where the tolerance is one);
        ``p_value, n, n_clusters``. ``change`` is by how much the size of the offset grew.
    """
    new, old = both.new.measurements, both.old.measurements
    groups = both.grouped(by, *both.measured_rows())
    kept = groups.new >= 0
    first, second = (rows[kept] for rows in both.measured)
    group = groups.new[kept]
    allowed = np.asarray(margin.of(new.sides[first]))[:, AXIS] * MARGIN
    told = "rel" if both.new.parameters.tolerance.px == 0 else "px"
    whole = _whole(both, first, second)

    def change(unit: str) -> BiasChange:
        per_axis = {"tolerance": new.tolerance, "rel": new.sides}.get(unit)
        scale = np.ones(allowed.shape) if per_axis is None else per_axis[first][:, AXIS]
        step = np.median(1 / scale, axis=0) * GRID_STEP if whole and len(first) else 0.0
        return bias_change(
            new.values(unit).T[first],
            old.values(unit).T[second],
            group=group,
            cluster=new.cluster[first],
            n_groups=groups.n,
            margin=allowed / scale if unit == "tolerance" else None,
            confidence=confidence,
            grid=step,
        )

    found, shown = change("tolerance"), change(told)
    k = len(QUANTITIES)
    columns: dict[str, Array] = {name: np.repeat(key, k) for name, key in groups.keys.items()}
    columns["quantity"] = np.tile(np.array(QUANTITIES, dtype=object), groups.n)
    for suffix, one in (("", found), ("_told", shown)):
        for name, source in NAMES.items():
            columns[f"{name}{suffix}"] = getattr(one, source).reshape(-1)
    for name in ("p_value", "n", "n_clusters"):
        columns[name] = getattr(found, name).reshape(-1)
    return columns, both.notes()


def _whole(both: Comparison, first: Ints, second: Ints) -> bool:
    """Whether gold and both deliveries are in whole pixels."""
    new, old = both.new.measurements, both.old.measurements
    boxes = (
        both.new.reference.table.xyxy[new.reference[first]],
        both.new.candidate.table.xyxy[new.candidate[first]],
        both.old.candidate.table.xyxy[old.candidate[second]],
    )
    return all(bool((one == np.rint(one)).all()) for one in boxes)
