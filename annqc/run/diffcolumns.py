"""run: the tables of a comparison of two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.ids import objects_array
from annqc.run.diffrows import KINDS, renumbered_tracks
from annqc.run.difftext import change_texts

if TYPE_CHECKING:
    from annqc.run.diffpairs import Pairs
    from annqc.run.diffrows import Changed, Stretches
    from annqc.run.diffsides import Side, Sides
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["change_columns", "image_columns", "renumbered_columns"]

EDGES: Final = objects_array(["left", "top", "right", "bottom", "all"])
ALL: Final = 4
MARKS: Final = objects_array([None, "ignored", "crowd", "crowd"])
SHIFT_PX: Final = 0.002
"""A box whose sides changed by no more than this was shifted: movements are rounded."""


def change_columns(
    sides: Sides, changed: Changed, stretches: dict[str, Stretches]
) -> dict[str, Array]:
    """Return `annqc.run.diff.Diff.changes` as numpy columns.

    Parameters
    ----------
    sides : Sides
        Both versions.
    changed : Changed
        What changed in each pair.
    stretches : dict of str to Stretches
        The changes of each kind.
    """
    made = [_columns_of(sides, changed, kind, stretches[kind]) for kind in KINDS]
    columns = {name: np.concatenate([part[name] for part in made]) for name in made[0]}
    old, new, image = (
        np.concatenate([getattr(stretches[kind], name) for kind in KINDS])
        for name in ("old", "new", "first_image")
    )
    # What was added stands where it would be among the older rows of its image: at their end.
    place = np.where(old >= 0, old, len(sides.old) + new)
    which = np.repeat(np.arange(len(KINDS)), [len(stretches[kind]) for kind in KINDS])
    order = np.lexsort((which, place, image))
    columns = {name: column[order] for name, column in columns.items()}
    several = max(len(side.data.annotator_ids) for side in (sides.old, sides.new)) > 1
    return {**columns, "text": change_texts(columns, by_whom=several)}


def _columns_of(sides: Sides, changed: Changed, kind: str, found: Stretches) -> dict[str, Array]:
    s = len(found)
    first, last = found.first_image, found.last_image
    one, two = sides.old, sides.new
    return {
        "kind": np.full(s, kind, dtype=object),
        "annotator": _named(one, found.old, "annotator"),
        "new_annotator": _named(two, found.new, "annotator"),
        "sequence": sides.of_images("sequence", first),
        "image_id": sides.of_images("id", first),
        "file_name": sides.of_images("file_name", first),
        "track_id": _named(one, found.old, "track"),
        "new_track_id": _named(two, found.new, "track"),
        "first_frame": sides.frames_of(first),
        "last_frame": sides.frames_of(last),
        "n_frames": found.n_frames,
        **_measured(changed, kind, found),
        "category": _named(one, found.old, "category"),
        "new_category": _named(two, found.new, "category"),
        "mark": _named(one, found.old, "mark"),
        "new_mark": _named(two, found.new, "mark"),
        "annotation_id": _named(one, found.old, "id"),
        "new_annotation_id": _named(two, found.new, "id"),
    }


def _measured(changed: Changed, kind: str, found: Stretches) -> dict[str, Array]:
    """Say how far the edges moved in each stretch, and how well the two agree."""
    s = len(found)
    blank = np.full(s, np.nan)
    values: dict[str, Array] = {
        "edge": np.full(s, None, dtype=object),
        "max_px": blank,
        "mean_px": blank,
        "iou": blank,
    }
    if not s or kind not in {"moved", "outline"}:
        return values
    at = found.starts[:-1]
    pair = np.flatnonzero(changed.kinds[kind])[found.members]
    overlap = changed.iou if kind == "moved" else changed.outline_iou
    values["iou"] = np.fmin.reduceat(overlap[pair], at)
    if kind == "moved":
        delta = changed.delta[pair]
        size = np.abs(delta)
        most = np.maximum.reduceat(size, at)
        values["edge"] = EDGES[np.where(_shifted(delta, at), ALL, most.argmax(axis=1))]
        values["max_px"] = most.max(axis=1)
        values["mean_px"] = np.add.reduceat(size.max(axis=1), at) / found.n_frames
    return values


def _shifted(delta: Floats, at: Ints) -> Bools:
    """Say in which stretches boxes were shifted as they are, and kept their sizes."""
    kept = np.abs(delta[:, :2] - delta[:, 2:]).max(axis=1) <= SHIFT_PX
    out: Bools = np.logical_and.reduceat(kept, at)
    return out


def image_columns(sides: Sides) -> dict[str, Array]:
    """Return `annqc.run.diff.Diff.images` as numpy columns.

    Parameters
    ----------
    sides : Sides
        Both versions.
    """
    added, removed = (np.flatnonzero(rows < 0) for rows in sides.image_rows)
    images = np.concatenate([removed, added])
    total = np.zeros(sides.image_rows.shape[1], dtype=np.int64)
    for side in (sides.old, sides.new):
        total += np.bincount(side.image, minlength=len(total))
    kinds = objects_array(["images_removed", "images_added"])
    return {
        "kind": np.repeat(kinds, [len(removed), len(added)]),
        "sequence": sides.of_images("sequence", images),
        "frame": sides.frames_of(images),
        "image_id": sides.of_images("id", images),
        "file_name": sides.of_images("file_name", images),
        "n_annotations": total[images],
    }


def renumbered_columns(sides: Sides, pairs: Pairs) -> dict[str, Array]:
    """Return `annqc.run.diff.Diff.renumbered` as numpy columns.

    Parameters
    ----------
    sides : Sides
        Both versions.
    pairs : Pairs
        Rows that are the same annotation.
    """
    old, new, n = renumbered_tracks(sides, pairs)
    one, two = _first_rows(sides.old, old), _first_rows(sides.new, new)
    other = sides.old.named_track[one] != sides.new.named_track[two]
    one, two, n = one[other], two[other], n[other]
    order = np.lexsort((one, sides.old.image[one]))
    one, two = one[order], two[order]
    return {
        "annotator": _named(sides.old, one, "annotator"),
        "sequence": sides.of_images("sequence", sides.old.image[one]),
        "track_id": _named(sides.old, one, "track"),
        "new_track_id": _named(sides.new, two, "track"),
        "n_frames": n[order],
    }


def _first_rows(side: Side, tracks: Ints) -> Ints:
    """Return the first row of each track."""
    first = np.full(int(side.track.max(initial=-1)) + 1, -1, dtype=np.int64)
    begins = np.flatnonzero((side.place == 0) & (side.track >= 0))
    first[side.track[begins]] = begins
    return first[tracks]


def _named(side: Side, rows: Ints, what: str) -> Array:
    """Return what rows are called, None where there is no row."""
    out = np.full(len(rows), None, dtype=object)
    there = np.flatnonzero(rows >= 0)
    data, some = side.data, rows[there]
    table = data.table
    if what == "annotator":
        found = data.annotator_ids[table.annotator[some]]
    elif what == "category":
        found = data.category_names[table.category[some]]
    elif what == "track":
        found = data.tracks_of(side.track[some])
    elif what == "id":
        found = table.id[some]
    else:
        found = MARKS[2 * table.crowd[some].astype(np.int64) + table.ignored[some]]
    out[there] = objects_array(found.tolist())
    return out
