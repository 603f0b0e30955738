"""Images of COCO files that are the frames of videos: which video, which frame."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import ids_array, objects_array
from annqc.tables import Sequences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["frames_of", "names_of", "videos_of"]

_VIDEO: Final = ("sequence", "video_id", "vid_id")
_FRAME: Final = ("frame", "frame_index", "frame_id", "frame_number")
_LENGTH: Final = ("nframes", "n_frames")
_LARGEST: Final = 1 << 53


def names_of(videos: Sequence[Any] | None) -> dict[Any, Any]:
    """Return video id -> name; the id where a video has no name, or not one of its own.

    Parameters
    ----------
    videos : sequence or None
        Objects with ``id`` and ``name``.
    """
    given = [one.name for one in videos or ()]
    usable = all(isinstance(name, str) and name for name in given) and len(set(given)) == len(given)
    return {one.id: one.name if usable else one.id for one in videos or ()}


def frames_of(
    ids: Array, file_names: Sequence[Any], extra: Mapping[str, Array], videos: dict[Any, Any]
) -> tuple[Array, Ints] | None:
    """Return the video and the frame number of each image.

    Parameters
    ----------
    ids : (m,) array
        Image ids.
    file_names : sequence of str or None
        Names of the image files.
    extra : mapping of str to (m,) array
        Other fields of the images: ``video_id`` with ``frame_id`` or ``frame_index`` among them.
    videos : dict
        Video id -> name.

    Returns
    -------
    (sequence, frame) or None
        (m,) object and int64; None and -1 for an image that is no frame. None where the images do
        not say both, or where two images would be the same frame.

    Notes
    -----
    PoseTrack has the id of the image once more as ``frame_id``. There the frame is the number at
    the end of the name of the file.
    """
    video_field = next((name for name in _VIDEO if name in extra), None)
    frame_field = next((name for name in _FRAME if name in extra), None)
    if video_field is None or frame_field is None:
        return None
    sequence, frame = extra[video_field].tolist(), extra[frame_field].tolist()
    if video_field == "vid_id" and frame == ids.tolist():
        numbers = [_trailing(name) for name in file_names]
        frame = frame if None in numbers else numbers
    if video_field != "sequence":
        sequence = [videos.get(one, one) for one in sequence]
    known = [one is not None for one in sequence]
    numbered = all(
        type(number) is int and abs(number) < _LARGEST
        for number, there in zip(frame, known, strict=True)
        if there
    )
    keys = {
        (one, number, id)
        for one, number, id, there in zip(sequence, frame, ids.tolist(), known, strict=True)
        if there
    }
    if not any(known) or not numbered or len({key[:2] for key in keys}) < len(keys):
        return None
    numbers = [number if there else -1 for number, there in zip(frame, known, strict=True)]
    return objects_array(sequence), np.array(numbers, dtype=np.int64)


def videos_of(
    sequence: Array, frame: Ints, extra: Mapping[str, Array], videos: Sequence[Any] | None
) -> Sequences:
    """Return the table of videos.

    Parameters
    ----------
    sequence, frame : (m,) arrays
        As `frames_of` gives them.
    extra : mapping of str to (m,) array
        Other fields of the images; ``nframes`` says how long the video is.
    videos : sequence or None
        Objects with ``id``, ``length``, ``frame_rate`` and ``fps``.
    """
    names = names_of(videos)
    first: dict[Any, int] = {}
    last: dict[Any, int] = {}
    length: dict[Any, int] = {}
    rate: dict[Any, float] = {}
    told = next((extra[name] for name in _LENGTH if name in extra), None)
    column = [None] * len(frame) if told is None else told.tolist()
    for one, number, long in zip(sequence.tolist(), frame.tolist(), column, strict=True):
        if one is not None:
            first[one] = min(number, first.get(one, number))
            last[one] = max(number, last.get(one, number))
            if type(long) is int and long > 0:
                length.setdefault(one, long)
    for video in videos or ():
        if type(video.length) is int and video.length > 0:
            length[names[video.id]] = video.length
        given = video.frame_rate if video.frame_rate is not None else video.fps
        if type(given) in (int, float) and given > 0:
            rate[names[video.id]] = float(given)
    return Sequences.build(
        ids_array(list(first)),
        frame_rate=np.array([rate.get(one, np.nan) for one in first]),
        first_frame=np.array(list(first.values())),
        # A length that counts some frames only says nothing of where the video ends.
        n_frames=np.array(
            [
                long if (long := length.get(one, -1)) > last[one] - first[one] else -1
                for one in first
            ]
        ),
    )


def _trailing(name: object) -> int | None:
    """Return the number at the end of the name of a file."""
    found = re.search(r"(\d{1,15})$", PurePosixPath(name).stem) if isinstance(name, str) else None
    return int(found[1]) if found else None
