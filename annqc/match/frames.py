"""Which candidate frame is which reference frame: by sequence and frame number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.tables import Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Images

    Ints = npt.NDArray[np.int64]

__all__ = ["align_frames"]


def align_frames(reference: Images, candidate: Images) -> tuple[Ints, list[Problem]] | None:
    """Find the reference frame of every candidate frame, where both sides are videos.

    Sequences are the same where their names are; then where the name of one side is a whole-word
    part of exactly one name of the other (``MOT17-02`` of ``MOT17-02-FRCNN``); and where each side
    has a single sequence, they are the same whatever they are called. What was not paired by its
    full name is listed.

    Parameters
    ----------
    reference, candidate : Images
        The two image tables.

    Returns
    -------
    (rows, problems) or None
        As `annqc.match.images.align_images`; None where a side has no sequences and frames, or no
        frame is shared.

    Examples
    --------
    >>> from annqc.ids import ids_array
    >>> from annqc.tables import Images
    >>> gold, work = (
    ...     Images.build(ids_array([f"{s}/1", f"{s}/2"]), sequence=ids_array([s, s]), frame=[1, 2])
    ...     for s in ("walk", "walk-bob")
    ... )
    >>> rows, problems = align_frames(gold, work)
    >>> rows.tolist(), problems[0].kind
    ([0, 1], 'sequence_renamed')
    """
    if any(x is None for side in (reference, candidate) for x in (side.sequence, side.frame)):
        return None
    names = [_names(side) for side in (reference, candidate)]
    same = _same_sequences(*names)
    frames: dict[tuple[Any, int], int] = {}
    for row, key in enumerate(_keys(reference)):
        if key is not None:
            frames.setdefault(key, row)
    found = [
        -1 if key is None else frames.get((same.get(key[0]), key[1]), -1)
        for key in _keys(candidate)
    ]
    rows = np.array(found, dtype=np.int64)
    if not (rows >= 0).any():
        return None
    # two candidate frames cannot be one: the first stays
    taken = np.flatnonzero(rows >= 0)
    again = np.setdiff1d(taken, taken[np.unique(rows[taken], return_index=True)[1]])
    rows[again] = -1
    return rows, [_renamed(theirs, ours) for theirs, ours in same.items() if theirs != ours]


def _names(images: Images) -> list[Any]:
    assert images.sequence is not None
    return [one for one in dict.fromkeys(images.sequence.tolist()) if one is not None]


def _keys(images: Images) -> list[tuple[Any, int] | None]:
    assert images.sequence is not None
    assert images.frame is not None
    both = zip(images.sequence.tolist(), images.frame.tolist(), strict=True)
    return [None if name is None or frame < 0 else (name, frame) for name, frame in both]


def _same_sequences(reference: list[Any], candidate: list[Any]) -> dict[Any, Any]:
    """Return the reference sequence of each candidate sequence that has one."""
    known = set(reference)
    same = {name: name for name in candidate if name in known}
    ours = [name for name in reference if name not in same]
    theirs = [name for name in candidate if name not in same]
    of = {one: [other for other in ours if _part_of(one, other)] for one in theirs}
    back = {other: [one for one in theirs if other in of[one]] for other in ours}
    for one, options in of.items():
        # several annotators' files may be named after one sequence, but one name has one meaning
        if len(options) == 1 and back[options[0]] == [one]:
            same[one] = options[0]
    if not same and len(reference) == len(candidate) == 1:
        same[candidate[0]] = reference[0]
    return same


def _part_of(one: Any, other: Any) -> bool:
    """Whether one name is a part of the other, cut where words end."""
    short, long = sorted((str(one), str(other)), key=len)
    return bool(short) and (
        re.search(rf"(?<![^\W_]){re.escape(short)}(?![^\W_])", long) is not None
    )


def _renamed(candidate: Any, reference: Any) -> Problem:
    message = f"sequence {candidate!r} of the candidate is taken for {reference!r} of the reference"
    return Problem(
        kind="sequence_renamed",
        severity="kept",
        source="<match>",
        where="sequences",
        message=message,
    )
