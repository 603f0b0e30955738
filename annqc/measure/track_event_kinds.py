"""measure: kinds of events of identity, presence and labels, and stretches of them as arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Ints

__all__ = ["STRUCTURAL", "SWAP_FRAMES", "TrackEvents"]

STRUCTURAL: Final = (
    "missed_track",
    "late_start",
    "early_start",
    "early_end",
    "late_end",
    "gap",
    "id_switch",
    "id_swap",
    "merged_tracks",
    "spurious_track",
    "duplicate_id",
    "category_flip",
)
"""Kinds of events that are about identity, presence and labels."""

SWAP_FRAMES: Final = 10
"""Two tracks that take over from each other within this many frames exchanged their ids."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackEvents:
    """m stretches.

    Attributes
    ----------
    kind : (m,) int64
        Position in `STRUCTURAL`.
    annotator : (m,) int64
        Who drew it.
    image : (m,) int64
        An image of the sequence, a row of the reference's image table (of the dataset's own, from
        `events_within`).
    track : (m,) int64
        Track of the reference, -1 where the event is about a drawn track alone.
    drawn_track : (m,) int64
        Track of the candidate; -1 where nothing was drawn. Of a switch or a swap, the new one.
    other_track : (m,) int64
        Of a switch or a swap, the track before; of merged tracks, the other reference track.
    first_frame, last_frame : (m,) int64
        The stretch.
    size : (m,) float64
        Frames of the stretch; of a switch, a swap and merged tracks, how long the new one lasts.
    """

    kind: Ints
    annotator: Ints
    image: Ints
    track: Ints
    drawn_track: Ints
    other_track: Ints
    first_frame: Ints
    last_frame: Ints
    size: Array

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, rows: Array) -> TrackEvents:
        """Return the given rows."""
        return TrackEvents(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    @classmethod
    def concat(cls, parts: list[TrackEvents]) -> TrackEvents:
        """Lay events end to end."""
        columns = {
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(cls)
        }
        return cls(**columns)
