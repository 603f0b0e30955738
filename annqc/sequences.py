"""The videos that frames belong to: how many frames they have, and how fast they run.

Part of the canonical tables (`annqc.tables` gives it out as ``tables.Sequences``). A frame is an
image with ``sequence`` and ``frame``; what holds for a video as a whole stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["UNKNOWN_LENGTH", "Sequences"]

UNKNOWN_LENGTH = -1


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Sequences:
    """Videos: one row each.

    Attributes
    ----------
    id : (s,) int64 or object
        What ``Images.sequence`` calls them.
    frame_rate : (s,) float64
        Frames a second, NaN where unknown.
    first_frame : (s,) int64
        Number of the first frame, as the input counts.
    n_frames : (s,) int64
        Frames the video has, whether or not anything is drawn on them; `UNKNOWN_LENGTH` (-1) where
        the input does not say.
    """

    id: Array
    frame_rate: Floats
    first_frame: Ints
    n_frames: Ints

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def build(
        cls,
        id: Array,
        *,
        frame_rate: Array | None = None,
        first_frame: Array | None = None,
        n_frames: Array | None = None,
    ) -> Sequences:
        """Make a table of sequences; what is not given is unknown, and frames begin at 0.

        Parameters
        ----------
        id : (s,) array
            Names of the sequences.
        frame_rate, first_frame, n_frames : (s,) array_like, optional
            As the attributes.

        Examples
        --------
        >>> videos = Sequences.build(np.array(["a"], dtype=object), n_frames=[120])
        >>> videos.n_frames.tolist(), videos.first_frame.tolist()
        ([120], [0])
        """

        def column(given: Array | None, blank: float, kind: type) -> Array:
            return np.full(len(id), blank, kind) if given is None else np.asarray(given, dtype=kind)

        return cls(
            id=id,
            frame_rate=column(frame_rate, np.nan, np.float64),
            first_frame=column(first_frame, 0, np.int64),
            n_frames=column(n_frames, UNKNOWN_LENGTH, np.int64),
        )
