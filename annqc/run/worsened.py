"""run: the single annotations that got worse since a saved run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.run.evidence import error_words, offset_words
from annqc.run.places import entry_of, place_of
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from annqc.run.pairing import Comparison, Rows
    from annqc.tables import Ints

__all__ = ["worsened"]

KINDS: Final = {
    "recall": "missed",
    "precision": "spurious",
    "label_accuracy": "mislabelled",
    "mean_iou": "overlap",
}
"""What an annotation that weighs on a rate is called."""


def worsened(
    both: Comparison,
    measure: str,
    group: Mapping[str, object],
    *,
    quantity: str | None = None,
    most: int = 5,
) -> list[dict[str, Any]]:
    """List the annotations of a group that got worse, the worst first.

    Parameters
    ----------
    both : Comparison
        The two runs.
    measure : str
        A rate; whatever it is where ``quantity`` is given.
    group : mapping of str to object
        Column -> value.
    quantity : str, optional
        An offset, such as ``"out_right"``.
    most : int
        How many.

    Returns
    -------
    list of dict
        ``annotator, image_id, file_name, annotation_id, reference_id, category, kind, edge,
        offset_px, offset, iou, source, row, text``: plain values, None for what does not apply.
    """
    if quantity is not None:
        return _offsets(both, group, quantity, most)
    new, old = both.rows(measure)
    inside, before_inside = _members(both, group, new, old)
    new, old = new.take(inside), old.take(before_inside)
    if measure == "precision":
        worse = _more_spurious(both, new, old)
        new = new.take(worse[:most])
        before = np.full(len(new), np.nan)
    else:
        # An object that was not drawn before is no worse for being drawn badly now.
        now, then = both.object_codes(new), both.object_codes(old)
        _, here, there = np.intersect1d(now, then, return_indices=True)
        drop = old.event[there] - new.event[here]
        order = np.argsort(-drop, kind="stable")
        order = order[drop[order] > 0][:most]
        new, before = new.take(here[order]), old.event[there[order]]
    found = []
    for at in range(len(new)):
        entry = _entry_of(both, new, at) | {"kind": KINDS[measure]}
        if measure == "mean_iou":
            entry["iou"] = float(new.event[at])
        found.append(entry | {"text": _rate_words(both, entry, float(before[at]))})
    return found


def _members(
    both: Comparison, group: Mapping[str, object], new: Rows, old: Rows
) -> tuple[Ints, Ints]:
    """Rows of either delivery that belong to the group."""
    groups = both.grouped(tuple(group), new, old)
    is_it = np.ones(groups.n, dtype=bool)
    for name, value in group.items():
        is_it &= np.array([one == value for one in groups.keys[name].tolist()], dtype=bool)
    where = np.flatnonzero(is_it)
    return np.flatnonzero(np.isin(groups.new, where)), np.flatnonzero(np.isin(groups.old, where))


def _more_spurious(both: Comparison, new: Rows, old: Rows) -> Ints:
    """Rows of spurious boxes, those first on images that have most of them more than before."""
    now, then = both.task_codes(new, newer=True), both.task_codes(old, newer=False)
    wrong, before = now[new.event == 0], then[old.event == 0]
    tasks, count = np.unique(wrong, return_counts=True)
    earlier = np.bincount(np.searchsorted(tasks, before[np.isin(before, tasks)]), None, len(tasks))
    rows = np.flatnonzero(new.event == 0)
    gained = (count - earlier)[np.searchsorted(tasks, wrong)] if len(rows) else rows
    order = np.argsort(-gained, kind="stable")
    return rows[order[gained[order] > 0]]


def _offsets(
    both: Comparison, group: Mapping[str, object], quantity: str, most: int
) -> list[dict[str, Any]]:
    new, old = both.measured_rows()
    inside, _ = _members(both, group, new, old)
    k = QUANTITIES.index(quantity)
    first, second = (rows[inside] for rows in both.measured)
    now, then = (
        run.measurements.values("tolerance")[k][rows]
        for run, rows in ((both.new, first), (both.old, second))
    )
    with np.errstate(invalid="ignore"):
        grown = np.nan_to_num(np.abs(now) - np.abs(then), nan=-np.inf)
        # What grew to the side on which the group is off as a whole comes first.
        typical = np.nanmedian(now) if np.isfinite(now).any() else 0.0
        grown = np.where(now * typical < 0, -np.inf, grown)
    order = np.argsort(-grown, kind="stable")
    order = order[grown[order] > 0][:most]
    rows = new.take(inside[order])
    pixels, earlier = (
        run.measurements.values("px")[k][at[order]]
        for run, at in ((both.new, first), (both.old, second))
    )
    found = []
    for at in range(len(rows)):
        entry = _entry_of(both, rows, at) | {"kind": "offset"}
        entry |= {"edge": quantity if quantity in EDGES else None}
        entry |= {"offset_px": float(pixels[at]), "offset": float(now[order[at]])}
        said = f"{offset_words(k, entry)}, before {_earlier(pixels[at], earlier[at])}"
        found.append(entry | {"text": f"{place_of(both.new, entry)}: {said}"})
    return found


def _earlier(now: float, before: float) -> str:
    """Say an earlier offset beside the one of today."""
    other_way = now * before < 0 and f"{before:.1f}" != "0.0"
    return f"{abs(before):.1f} px" + (" the other way" if other_way else "")


def _entry_of(both: Comparison, rows: Rows, at: int) -> dict[str, Any]:
    gold, drawn, who = rows.reference[at], rows.candidate[at], rows.annotator[at]
    return entry_of(both.new, int(gold), int(drawn), int(who))


def _rate_words(both: Comparison, entry: dict[str, Any], before: float) -> str:
    """Say how it is now, and how it was."""
    kind = entry["kind"]
    if kind == "missed":
        return f"{error_words(both.new, entry)}; before it was drawn"
    if kind == "spurious":
        return f"{error_words(both.new, entry)}; there were fewer of them on this image before"
    if kind == "mislabelled":
        return f"{error_words(both.new, entry)}; before it was right"
    return f"{place_of(both.new, entry)}: IoU {entry['iou']:.2f}, before {before:.2f}"
