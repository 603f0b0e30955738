"""The tracks of CVAT XML: which frames are written out, and which follow from those that are.

CVAT's own exports write a shape on every frame, drawn or interpolated. Other programs write some
frames and rely on CVAT to fill the rest, which it does when it imports the file: between two shapes
by interpolation, after the last one by holding it, and neither after a shape that is ``outside``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["Filling", "Track", "fill", "n_missing", "writes_every_frame"]


class Track(NamedTuple):
    """The shapes of one track, in order of their frames.

    Attributes
    ----------
    frame : (k,) int64
        Frame of each shape.
    outside : (k,) bool
        From here on the object is not in the picture.
    keyframe : (k,) bool
        Whether the shape is a keyframe, rather than written out by interpolation.
    """

    frame: Ints
    outside: Bools
    keyframe: Bools


class Filling(NamedTuple):
    """Frames that are not written: between which two shapes, and where between them.

    Attributes
    ----------
    left, right : (m,) int64
        Row numbers of the shapes before and after; the same one where a shape is held.
    frame : (m,) int64
        The frame.
    part : (m,) float64
        How much of the way from left to right; 0 where a shape is held.
    """

    left: Ints
    right: Ints
    frame: Ints
    part: Floats


def writes_every_frame(tracks: Sequence[tuple[Track, int]]) -> bool:
    """Tell whether a file writes out every frame on which an object is.

    It does where any shape is not a keyframe: CVAT writes either all interpolated shapes or none.
    Where all are keyframes, it does if most shapes follow the one before them at once.

    Parameters
    ----------
    tracks : sequence of (Track, int)
        The tracks, and the step from frame to frame.

    Examples
    --------
    >>> frame, inside = np.array([0, 10, 20]), np.zeros(3, dtype=bool)
    >>> writes_every_frame([(Track(frame, inside, ~inside), 1)])
    False
    >>> writes_every_frame([(Track(frame, inside, ~inside), 10)])
    True
    """
    at_once = apart = 0
    for track, step in tracks:
        if not track.keyframe.all():
            return True
        gaps = np.diff(track.frame)[~track.outside[:-1]]
        at_once += int((gaps <= step).sum())
        apart += int((gaps > step).sum())
    return at_once > apart


def n_missing(track: Track, last: int | None, step: int) -> Ints:
    """Count the frames that are not written after each of (k,) shapes; as for `fill`.

    Examples
    --------
    >>> track = Track(np.array([0, 4, 9]), np.array([False, True, False]), np.ones(3, dtype=bool))
    >>> n_missing(track, 11, 1).tolist()
    [3, 0, 2]
    """
    frame = track.frame
    after = np.append(frame[1:], (frame[-1] if last is None else last) + step)
    return np.where(track.outside, 0, np.maximum(-((frame - after) // step) - 1, 0))


def fill(track: Track, last: int | None, step: int) -> Filling:
    """Find the frames of a track that are not written, as CVAT does on import.

    Parameters
    ----------
    track : Track
        At least one shape.
    last : int or None
        The last frame of the video, up to which the last shape is held; None where unknown.
    step : int
        From one frame to the next.

    Examples
    --------
    >>> track = Track(np.array([0, 4, 9]), np.array([False, True, False]), np.ones(3, dtype=bool))
    >>> found = fill(track, 11, 1)
    >>> found.frame.tolist(), found.part.tolist()
    ([1, 2, 3, 10, 11], [0.25, 0.5, 0.75, 0.0, 0.0])
    """
    frame = track.frame
    missing = n_missing(track, last, step)
    left = np.repeat(np.arange(len(frame)), missing)
    starts = np.cumsum(missing) - missing
    count: Any = np.arange(len(left)) - starts[left] + 1
    new = frame[left] + count * step
    held = left == len(frame) - 1
    right = np.where(held, left, np.minimum(left + 1, len(frame) - 1))
    whole = np.where(held, 1, frame[right] - frame[left])
    part = np.where(held, 0.0, (new - frame[left]) / whole)
    return Filling(left, right, new, part)
