"""run: where an annotation stands, in words: which one it is, of what track, in which file."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.tables import Array, Dataset, Floats, Ints

__all__ = [
    "by_words",
    "entry_of",
    "first_of_track",
    "image_words",
    "place_of",
    "plain",
    "stands",
    "tracks_of_rows",
    "worst_of_tracks",
]

NO_TRACK: Final = -1


def entry_of(run: Run, gold: int, drawn: int, annotator: int) -> dict[str, Any]:
    """Say what and where an annotation is.

    Parameters
    ----------
    run : Run
        The comparison.
    gold, drawn : int
        Rows of the two sides, -1 for none.
    annotator : int
        Whose it is.

    Returns
    -------
    dict
        As `annqc.run.evidence.worst_annotations` has them, without what is wrong with it.
    """
    matches = run.matches
    reference, candidate = matches.reference, matches.candidate
    images = reference.image_table
    image = int(reference.table.image[gold] if gold >= 0 else matches.image_of_candidate[drawn])
    category = matches.category_names[
        matches.reference_category[gold] if gold >= 0 else matches.candidate_category[drawn]
    ]
    table = candidate.table
    there = drawn >= 0
    source = candidate.sources[int(table.source[drawn])].path if there and candidate.sources else ""
    return {
        "annotator": plain(candidate.annotator_ids[annotator]),
        "image_id": plain(images.id[image]),
        "file_name": None if images.file_name is None else plain(images.file_name[image]),
        "annotation_id": plain(table.id[drawn]) if there else None,
        "reference_id": plain(reference.table.id[gold]) if gold >= 0 else None,
        "category": plain(category),
        "candidate_category": (
            plain(matches.category_names[matches.candidate_category[drawn]]) if there else None
        ),
        "kind": None,
        "edge": None,
        "offset_px": None,
        "offset": None,
        "iou": None,
        "source": source or None,
        "row": plain(table.row[drawn]) if there else None,
        **_track_ids(reference, gold, candidate, drawn),
    }


def _track_ids(reference: Dataset, gold: int, candidate: Dataset, drawn: int) -> dict[str, Any]:
    """Name the tracks of both, where they are in any."""
    sides = (("track_id", reference, gold), ("drawn_track_id", candidate, drawn))
    ids = {
        name: plain(data.tracks_of(data.table.track[[row]])[0])
        for name, data, row in sides
        if row >= 0 and data.table.track is not None
    }
    found = {name: id for name, id in ids.items() if id is not None}
    return {"track_id": None, "drawn_track_id": None} | found if found else {}


def plain(value: Any) -> Any:
    """Turn a cell into a plain value, None for NaN."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value


def place_of(run: Run, entry: dict[str, Any]) -> str:
    """Say which annotation it is, and where it stands.

    Parameters
    ----------
    run : Run
        The comparison.
    entry : dict
        From `entry_of`.
    """
    said = f"annotation {entry['annotation_id']}"
    if entry.get("drawn_track_id") is not None:
        said += f" of track {entry['drawn_track_id']}"
    return f"{said}{by_words(run, entry)} on {image_words(entry)} ({stands(run, entry)})"


def by_words(run: Run, entry: dict[str, Any]) -> str:
    """Name the annotator where there are several."""
    return f" by {entry['annotator']}" if len(run.candidate.annotator_ids) > 1 else ""


def image_words(entry: dict[str, Any]) -> str:
    """Name the image."""
    return str(entry["file_name"] or entry["image_id"])


def stands(run: Run, entry: dict[str, Any]) -> str:
    """Name the file of an annotation, and its row where the file has several.

    Parameters
    ----------
    run : Run
        The comparison.
    entry : dict
        With ``source`` and ``row``.

    Returns
    -------
    str
        The name of the file, with as many of its folders as tell it from the other files of the
        work.
    """
    row, path = f"row {entry['row']}", entry["source"]
    if path is None:
        return row
    sources = run.candidate.sources
    name = _shortest(path, [one.path for one in sources])
    alone = any(one.path == path and one.n_rows == 1 for one in sources)
    return name if alone else f"{name}, {row}"


def _shortest(path: str, others: list[str]) -> str:
    """Return the end of a path that no other path has."""
    own = PurePath(path).parts
    rivals = {one for one in map(PurePath, others) if one.name == own[-1]} - {PurePath(path)}
    n = 1
    while n < len(own) and any(one.parts[-n:] == own[-n:] for one in rivals):
        n += 1
    return PurePath(*own[-n:]).as_posix()


def tracks_of_rows(run: Run, reference: Ints, candidate: Ints, annotator: Ints) -> Ints:
    """Tell the tracks that drawings, or objects that nobody drew, belong to.

    Parameters
    ----------
    run : Run
        The comparison.
    reference, candidate, annotator : (n,) int64
        Rows of the two sides, -1 for none, and whose it is.

    Returns
    -------
    (n,) int64
        The same number for the same track of the same annotator; -1 where there is none.
    """
    drawn, gold = _tracks(run.candidate, candidate), _tracks(run.reference, reference)
    width = 2 * (max(len(run.candidate), len(run.reference)) + 1)
    own = np.where(drawn >= 0, 2 * drawn, 2 * gold + 1)
    return np.where((drawn >= 0) | (gold >= 0), annotator * width + own, NO_TRACK)


def _tracks(data: Dataset, rows: Ints) -> Ints:
    track = data.table.track
    if track is None or not len(track):
        return np.full(len(rows), NO_TRACK)
    return np.where(rows >= 0, track[rows], NO_TRACK)


def first_of_track(track: Ints) -> tuple[Ints, Array]:
    """Keep the first row of each track, and all that are in none.

    Parameters
    ----------
    track : (n,) int64
        From `tracks_of_rows`.

    Returns
    -------
    rows : (m,) int64
        Positions, in order.
    frames : (m,) int64
        How many rows each stands for; 1 for what is in no track.

    Examples
    --------
    >>> rows, frames = first_of_track(np.array([7, -1, 7, -1, 4]))
    >>> rows.tolist(), frames.tolist()
    ([0, 1, 3, 4], [2, 1, 1, 1])
    """
    alone = track == NO_TRACK
    unit = np.where(alone, -2 - np.arange(len(track)), track)
    _, first, count = np.unique(unit, return_index=True, return_counts=True)
    order = np.argsort(first)
    return first[order], count[order]


def worst_of_tracks(track: Ints, weight: Floats) -> tuple[Ints, Array]:
    """Keep the heaviest row of each track, and all that are in none, the heaviest first.

    Parameters
    ----------
    track : (n,) int64
        From `tracks_of_rows`.
    weight : (n,) float64
        What counts.

    Returns
    -------
    rows, frames : (m,) int64
        As from `first_of_track`; earlier rows first among equals.
    """
    order = np.argsort(-weight, kind="stable")
    rows, frames = first_of_track(track[order])
    return order[rows], frames
