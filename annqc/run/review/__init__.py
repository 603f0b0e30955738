"""run: what to look at first: annotations ranked by what a look at them is expected to gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError
from annqc.ids import encode, ids_array
from annqc.measure.offsets import offsets
from annqc.run.review.rows import KINDS, is_consensus, reasons
from annqc.run.review.stretches import stretches_of
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.run.audit import Run
    from annqc.tables import Array, Floats, Ints

__all__ = ["boxes_of", "image_columns", "queue_columns", "queue_rows"]

LEAST: Final = 1e-6
"""Gains are told to six decimals; what rounds to nothing is not worth a look."""

_NOBODY: Final = -1


def queue_rows(run: Run, *, top: int | None = None, by_image: bool = False) -> dict[str, Array]:
    """Rank what to look at, as row numbers.

    Parameters
    ----------
    run : Run
        The comparison.
    top : int, optional
        So many at most; all whose gain is above zero if not given.
    by_image : bool
        Set what is on one image together, the image with the largest gain first.

    Returns
    -------
    dict of str to array
        ``gain, probability, change``; ``kind`` (position in `annqc.run.review.rows.KINDS`);
        ``reference, candidate, annotator`` (rows, -1 for none); ``image`` (row of the reference's
        images), ``place`` (the same number for what is on one image, whoever drew it); ``edge,
        offset, iou, same, others, text`` and ``kinds``, a tuple of all kinds, the leading one
        first; ``n_frames, first_image, last_image`` of the stretch of a track that the row stands
        for.

    Raises
    ------
    SpecError
        ``top`` is not a positive whole number.

    Notes
    -----
    An annotation with several reasons is told once; the reason with the largest gain leads, and its
    gain is that of the annotation. Ties go to more frames, the larger box, the order of the input.
    Frames of a track that one annotator has wrong in one way, with gaps of five images at most, are
    one row, that of the frame with the largest gain.
    """
    given: Any = top  # whatever a caller without types gives
    if top is not None and (type(given) is not int or top < 1):
        what = "the length of a review queue must be a whole number, 1 or more"
        raise SpecError(what, where="top", found=repr(top))
    matches = run.matches
    rows = reasons(run)
    gain = np.round(rows["probability"] * rows["change"], 6)
    kept = np.flatnonzero(gain >= LEAST)
    rows = {name: column[kept] for name, column in rows.items()} | {"gain": gain[kept]}
    unit = _units(matches, rows)
    order = np.lexsort((rows["kind"], -rows["gain"], unit))
    first = np.flatnonzero(np.diff(unit[order], prepend=-1) != 0)
    every = _kinds_of(rows["kind"][order].tolist(), first.tolist())
    lead = order[first]
    rows = {name: column[lead] for name, column in rows.items()} | {"kinds": every}
    rows["image"] = np.where(
        rows["reference"] >= 0,
        _take(matches.reference.table.image, rows["reference"]),
        _take(matches.image_of_candidate, rows["candidate"]),
    )
    rows["place"] = _places(run)[rows["image"]]
    box = boxes_of(matches, rows["reference"], rows["candidate"])
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    told = stretches_of(matches, rows, np.lexsort((-area, -rows["gain"])))
    frames = {"n_frames": told.n, "first_image": told.first, "last_image": told.last}
    rows = {name: column[told.lead] for name, column in rows.items()} | frames
    best = np.lexsort((-area[told.lead], -told.n, -rows["gain"]))[:top]
    if by_image and len(best):
        place = np.unique(rows["place"][best], return_inverse=True)[1]
        total = np.round(np.bincount(place, weights=rows["gain"][best]), 6)[place]
        first_seen = np.full(int(place.max()) + 1, len(best))
        np.minimum.at(first_seen, place, np.arange(len(best)))
        best = best[np.lexsort((np.arange(len(best)), first_seen[place], -total))]
    return {name: column[best] for name, column in rows.items()}


def queue_columns(run: Run, rows: dict[str, Array]) -> dict[str, Array]:
    """Lay a queue out for users.

    Parameters
    ----------
    run : Run
        The comparison.
    rows : dict of str to array
        From `queue_rows`.

    Returns
    -------
    dict of str to array
        ``rank, gain, probability, change, kind, kinds, annotator, sequence, frame, image_id,
        file_name, annotation_id, reference_id, track_id, n_frames, first_frame, last_frame,
        category, reference_category, edge, offset, offset_px, iou, others_same, others_asked, x1,
        y1, x2, y2, reference_x1 ... reference_y2, source, row``. The
        annotator is None where the gold is to be looked at. Without gold there are no ids and no
        boxes of a reference to tell.
    """
    matches = run.matches
    reference, candidate = matches.reference, matches.candidate
    gold, drawn, image = rows["reference"], rows["candidate"], rows["image"]
    images = image_columns(run)
    box, theirs = boxes_of(matches, gold, drawn), _boxes(reference.table.xyxy, gold)
    paths = np.array([source.path for source in candidate.sources] or [""], dtype=object)
    made: dict[str, Any] = {
        "rank": np.arange(1, len(gold) + 1),
        **{name: rows[name] for name in ("gain", "probability", "change")},
        "kind": np.array(KINDS, dtype=object)[rows["kind"]],
        "kinds": _texts(["; ".join(KINDS[k] for k in one) for one in rows["kinds"].tolist()]),
        "annotator": _pick(candidate.annotator_ids, rows["annotator"]),
        **{name: column[image] for name, column in images.items() if name in _OF_IMAGES},
        "annotation_id": _pick(candidate.table.id, drawn),
        "reference_id": _pick(reference.table.id, gold),
        "track_id": _track_ids(matches, gold, drawn),
        "n_frames": rows["n_frames"],
        "first_frame": images["frame"][rows["first_image"]],
        "last_frame": images["frame"][rows["last_image"]],
        "category": _pick(matches.category_names, _code(matches.candidate_category, drawn)),
        "reference_category": _pick(
            matches.category_names, _code(matches.reference_category, gold)
        ),
        "edge": rows["edge"],
        "offset": rows["offset"],
        "offset_px": _pixels(run, rows),
        "iou": rows["iou"],
        "others_same": _counts(rows["same"]),
        "others_asked": _counts(rows["others"]),
    }
    for k, name in enumerate(("x1", "y1", "x2", "y2")):
        made[name] = box[:, k]
    for k, name in enumerate(("x1", "y1", "x2", "y2")):
        made[f"reference_{name}"] = theirs[:, k]
    made["source"] = _pick(paths, _code(candidate.table.source, drawn))
    made["row"] = _pick(candidate.table.row, drawn)
    if is_consensus(run):
        made["reference_id"] = np.full(len(gold), None, dtype=object)
    return made


_OF_IMAGES: Final = ("sequence", "frame", "image_id", "file_name")


def image_columns(run: Run) -> dict[str, Array]:
    """Return the images as they are called in the input, with the sizes that either side knows.

    Without gold everybody has images of their own, ``"7 (ann)"``; here they are 7 again.

    Returns
    -------
    dict of str to array
        ``image_id, file_name, sequence, frame, width, height``, one row an image of the reference.
    """
    matches = run.matches
    images, other = matches.reference.image_table, matches.candidate.image_table
    n = len(images)
    theirs = np.full(n, _NOBODY)
    at = matches.image_of_candidate
    theirs[at[at >= 0]] = matches.candidate.table.image[at >= 0]
    has = theirs >= 0
    size = {}
    for name in ("width", "height"):
        size[name] = getattr(images, name).copy()
        unknown = has & np.isnan(size[name])
        size[name][unknown] = getattr(other, name)[theirs[unknown]]
    id, sequence = images.id, _or_none(images.sequence, n)
    if is_consensus(run):
        who = np.full(n, _NOBODY)
        who[matches.task_image] = matches.task_annotator
        ends = [f" ({one})" for one in (*run.candidate.annotator_ids.tolist(), "")]
        who = np.where(who < 0, len(ends) - 1, who)
        id = _numbers([i.removesuffix(ends[w]) for i, w in zip(id, who, strict=True)])
        sequence = _texts(
            [
                None if one is None else str(one).removesuffix(ends[w])
                for one, w in zip(sequence.tolist(), who.tolist(), strict=True)
            ]
        )
    names = _or_none(images.file_name, n)
    if other.file_name is not None:
        unnamed = has & np.array([one is None for one in names.tolist()], dtype=bool)
        names[unnamed] = other.file_name[theirs[unnamed]]
    frame = _or_none(images.frame, n)
    return {"image_id": id, "file_name": names, "sequence": sequence, "frame": frame, **size}


def boxes_of(matches: Matches, gold: Ints, drawn: Ints) -> Floats:
    """Return where to look: the box that was drawn, or that of the gold where none was."""
    mine, theirs = (
        _boxes(side.table.xyxy, rows)
        for side, rows in ((matches.candidate, drawn), (matches.reference, gold))
    )
    return np.where((drawn >= 0)[:, None], mine, theirs)


def _units(matches: Matches, rows: dict[str, Array]) -> Ints:
    """Give what is looked at a number: a drawing, or an object that somebody did not draw."""
    n = len(matches.candidate.table)
    people = len(matches.candidate.annotator_ids) + 1
    missing = n + rows["reference"] * people + rows["annotator"] + 1
    return np.where(rows["candidate"] >= 0, rows["candidate"], missing)


def _places(run: Run) -> Ints:
    """Give the images of all annotators that are one image in the input one number."""
    columns = image_columns(run)
    if not is_consensus(run):
        return np.arange(len(columns["image_id"]))
    return encode(columns["image_id"])[0]


def _kinds_of(kinds: list[int], first: list[int]) -> Array:
    """Collect the kinds of each unit, each once, the leading one first."""
    out = np.empty(len(first), dtype=object)
    for k, (start, stop) in enumerate(zip(first, [*first, len(kinds)][1:], strict=True)):
        out[k] = tuple(dict.fromkeys(kinds[start:stop]))
    return out


def _pixels(run: Run, rows: dict[str, Array]) -> Floats:
    """Offsets of the accused edges in pixels, where the edge is one of a box."""
    matches = run.matches
    out = np.full(len(rows["edge"]), np.nan)
    place = {name: k for k, name in enumerate(EDGES)}
    edge = np.array([place.get(one, -1) for one in rows["edge"].tolist()], dtype=np.int64)
    some = np.flatnonzero((edge >= 0) & (rows["reference"] >= 0) & (rows["candidate"] >= 0))
    far = offsets(
        matches.reference.table.xyxy[rows["reference"][some]],
        matches.candidate.table.xyxy[rows["candidate"][some]],
    )
    out[some] = far[np.arange(len(some)), edge[some]]
    return out


def _track_ids(matches: Matches, gold: Ints, drawn: Ints) -> Array:
    out = np.full(len(gold), None, dtype=object)
    for side, rows in ((matches.reference, gold), (matches.candidate, drawn)):
        if side.table.track is not None:
            some = rows >= 0
            out[some] = side.tracks_of(side.table.track[rows[some]])
    return out


def _counts(counts: Ints) -> Array:
    """Return counts as they are told: None for those that were not made."""
    return _texts([None if one < 0 else one for one in counts.tolist()])


def _numbers(ids: list[str]) -> Array:
    """Return ids that are all digits as the numbers that they were."""
    if ids and all(one.isdecimal() and one.isascii() and str(int(one)) == one for one in ids):
        return ids_array([int(one) for one in ids])
    return _texts(ids)


def _texts(values: list[Any]) -> Array:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _or_none(column: Array | None, n: int) -> Array:
    return np.full(n, None, dtype=object) if column is None else column.astype(object)


def _boxes(xyxy: Floats, rows: Ints) -> Floats:
    out = np.full((len(rows), 4), np.nan)
    some = rows >= 0
    out[some] = xyxy[rows[some]]
    return out


def _take(column: Ints, rows: Ints) -> Ints:
    return column[rows] if len(column) else np.zeros(len(rows), dtype=np.int64)


def _code(column: Ints, rows: Ints) -> Ints:
    return np.where(rows >= 0, _take(column, rows), -1)


def _pick(column: Array, rows: Ints) -> Array:
    values = np.full(len(rows), None, dtype=object)
    there = rows >= 0
    values[there] = column[rows[there]]
    return values
