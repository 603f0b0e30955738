"""measure: how far drawn tracks go on before their object is there and after it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.tables import Ints

__all__ = ["reach_beyond"]


def reach_beyond(matches: Matches, series: TrackSeries) -> Ints:
    """Count the frames by which the track drawn at either end of an object goes on beyond it.

    Parameters
    ----------
    matches : Matches
        What was matched.
    series : TrackSeries
        From `annqc.measure.tracks.measure_tracks`.

    Returns
    -------
    (s, 2) int64
        Frames before the object's first and after its last one. Only frames that join the object
        without a break count, in which the box is on nothing else, be it ignored; 0 where the
        object was not drawn in its first, or last, frame.
    """
    out = np.zeros((len(series), 2), dtype=np.int64)
    table = matches.candidate.table
    if table.track is None or not len(series):
        return out
    free = (table.track >= 0) & (matches.image_of_candidate >= 0) & ~table.ignored & ~table.crowd
    free[series.candidate[series.candidate >= 0]] = False
    free[matches.pair_candidate] = False
    free[matches.absorbed_candidate] = False
    loose = np.flatnonzero(free)
    frames = matches.reference.image_table.frame
    image = matches.image_of_candidate[loose]
    frame = image if frames is None else frames[image]
    free_at = set(zip(table.track[loose].tolist(), frame.tolist(), strict=True))
    some = np.flatnonzero(np.diff(series.starts) > 0)
    for side, (rows, step) in enumerate(
        ((series.starts[some], -1), (series.starts[some + 1] - 1, 1))
    ):
        owners, here = series.drawn_track[rows].tolist(), series.frame[rows].tolist()
        for k, owner, at in zip(some.tolist(), owners, here, strict=True):
            n = 0
            while owner >= 0 and (owner, at + step * (n + 1)) in free_at:
                n += 1
            out[k, side] = n
    return out
