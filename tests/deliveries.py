"""Deliveries of the same annotators on the same gold, drawn independently of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.ids import ids_array
from annqc.simulate import simulate

if TYPE_CHECKING:
    from annqc.tables import Dataset

__all__ = ["deliveries", "on_images", "part_of"]


def part_of(work: Dataset, first: int, names: list[str]) -> Dataset:
    """Take the work of consecutive annotators, under other names."""
    kept = (work.table.annotator >= first) & (work.table.annotator < first + len(names))
    table = work.table.take(kept)
    table = replace(table, annotator=table.annotator - first)
    asked = work.assigned[:, 0] - first
    rows = (asked >= 0) & (asked < len(names))
    assigned = np.stack([asked[rows], work.assigned[rows, 1]], axis=1)
    return replace(
        work, table=table, annotator_ids=ids_array(names), assigned=assigned, n_rows=len(table)
    )


def on_images(work: Dataset, n_images: int) -> Dataset:
    """Take the work on the first images alone, as if the others had not been asked for yet."""
    table = work.table.take(work.table.image < n_images)
    assigned = work.assigned[work.assigned[:, 1] < n_images]
    return replace(work, table=table, assigned=assigned, n_rows=len(table))


def deliveries(*fleets: dict[str, Any], **scene: Any) -> tuple[Dataset, list[Dataset]]:
    """Simulate the gold and one delivery for each fleet (annotator -> habits)."""
    everybody = {
        f"{k}/{name}": habits for k, fleet in enumerate(fleets) for name, habits in fleet.items()
    }
    made = simulate(everybody, **scene)
    first, works = 0, []
    for fleet in fleets:
        works.append(part_of(made.work, first, list(fleet)))
        first += len(fleet)
    return made.gold, works
