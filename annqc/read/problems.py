"""What can be wrong with a row, and the checks that find it.

First step of read -> match -> measure -> infer -> judge -> report. Every check is vectorised over
all rows. A dropped row has exactly one reason: the first that applies, in the order of `KINDS`. A
kept row can be listed under several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from annqc.geometry.boxes import FARTHEST, beyond_border, far_out, outside_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from annqc.tables import Severity

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["KINDS", "Kind", "box_faults", "duplicate_boxes", "repeated_ids"]


class Kind(NamedTuple):
    """A kind of problem: what becomes of the row, and one sentence on why."""

    severity: Severity
    explanation: str


KINDS: Final[dict[str, Kind]] = {
    "malformed": Kind(
        "dropped", "A field is missing or of the wrong type, or a box is not four numbers."
    ),
    "no_geometry": Kind(
        "dropped", "The row has no geometry, such as a tag for the image as a whole."
    ),
    "unsupported_shape": Kind(
        "dropped", "The shape is of a kind that is not read, such as a point or a line."
    ),
    "deleted_object": Kind("dropped", "The annotation tool marks the object as deleted."),
    "unreadable_mask": Kind(
        "dropped", "The mask image is damaged, too large, or a picture rather than a mask."
    ),
    "inverted_mask": Kind(
        "dropped", "The mask seems to be inverted: its object would be what is around the object."
    ),
    "unknown_image": Kind("dropped", "The image is not in the image table of its file."),
    "bad_frame": Kind(
        "dropped", "The sequence cannot have this frame: it is before the first or after the last."
    ),
    "unknown_category": Kind("dropped", "The category is not in the category table of its file."),
    "non_finite": Kind("dropped", "A coordinate is NaN or infinite."),
    "out_of_range": Kind("dropped", "A coordinate is farther out than any image is wide."),
    "few_points": Kind("dropped", "The outline has fewer than three different points."),
    "zero_area": Kind("dropped", "The outline encloses no area."),
    "tangled": Kind("dropped", "The outline crosses itself so often that it is none."),
    "broken_rle": Kind("dropped", "The runs of the mask cannot be those of its canvas."),
    "empty_mask": Kind("dropped", "No pixel of the mask is set."),
    "canvas_mismatch": Kind("dropped", "The mask is on a canvas of another size than its image."),
    "negative_size": Kind("dropped", "The right or bottom edge lies before the left or top edge."),
    "zero_size": Kind("dropped", "The box has no width or no height."),
    "outside_image": Kind("dropped", "The box lies wholly outside its image."),
    "duplicate_row": Kind(
        "dropped", "An earlier row has the same id, image, annotator, category and box."
    ),
    "bad_assignment": Kind(
        "dropped", "An assignment names an image that is not there, or no annotator."
    ),
    "duplicate_id": Kind(
        "kept", "An earlier row of the same file has the same id and other content."
    ),
    "duplicate_track_box": Kind(
        "kept", "The track has a box on this frame already; both take part."
    ),
    "track_gap": Kind(
        "kept", "The track is not drawn on some frames between its first and its last one."
    ),
    "no_keyframe": Kind("kept", "No shape of the track is marked as drawn by hand."),
    "frames_out_of_order": Kind(
        "kept", "The shapes of the track do not stand in order of their frames; they were sorted."
    ),
    "open_track": Kind(
        "kept", "The track ends before its video does and does not say that the object is gone."
    ),
    "duplicate_box": Kind(
        "kept", "The annotator drew exactly this box on this image, as this category, before."
    ),
    "no_outline": Kind("kept", "The annotation has a box and no outline."),
    "stray_ring": Kind(
        "kept", "A ring of the outline has too few points or no area; the others stand without it."
    ),
    "self_touching": Kind(
        "kept", "The outline touches itself or runs back on itself; it was cut there."
    ),
    "self_crossing": Kind(
        "kept", "The outline crosses itself; what it encloses an odd number of times is inside."
    ),
    "hole_outside": Kind("kept", "A hole lies outside the outline, wholly or in part."),
    "overlapping_parts": Kind(
        "kept", "Rings of the outline overlap or share an edge; they were put together."
    ),
    "beyond_border": Kind("kept", "The box sticks out of its image by more than a pixel."),
    "unknown_annotator": Kind(
        "kept", "The row does not say who drew it; it counts as drawn by '(unknown)'."
    ),
    "unassigned": Kind(
        "kept", "The annotator drew on an image that the assignments do not give them."
    ),
    "duplicate_image": Kind("kept", "The image table has this image twice; the first entry holds."),
    "image_id_clash": Kind("kept", "Files use one id for images of different names."),
    "size_mismatch": Kind("kept", "The image has another size elsewhere; the first one holds."),
    "unlike_canvases": Kind(
        "kept", "Masks of one image are on canvases of different sizes; nothing is resized."
    ),
    "bad_image_size": Kind(
        "kept", "The size of the image is not two positive numbers; it counts as unknown."
    ),
    "unused_image_sizes": Kind(
        "kept", "No image size that was given is for an image of the input."
    ),
    "duplicate_category": Kind("kept", "The category table has this id or name twice."),
    "category_id_clash": Kind(
        "kept", "Files use one id for categories of different names; names hold."
    ),
    "looks_normalised": Kind(
        "kept", "Every coordinate of the file is between 0 and 1, as if it were not pixels."
    ),
    "no_rows": Kind("kept", "The file has not a single row."),
    "same_sequence": Kind(
        "kept", "Several files are about one sequence, and nothing says that several people drew."
    ),
    "similar_annotators": Kind(
        "kept", "Names of annotators differ in capitals, blanks or type alone; they are kept apart."
    ),
    "skipped_file": Kind("kept", "A file in the folder is in no format that is read here."),
    # Reading finds those above in one input; those below come up when two sides meet.
    "image_id_conflict": Kind(
        "kept", "An image id means another file on the other side; file names decide."
    ),
    "sequence_renamed": Kind(
        "kept", "Two sequences of different names are taken for the same video."
    ),
    "consensus_reference": Kind(
        "kept", "There is no gold: everybody is compared with a consensus of the others."
    ),
    "image_name_mismatch": Kind(
        "kept", "Both sides name their images and share no name; ids decide."
    ),
    "image_id_type": Kind(
        "kept", "An image id is a number on one side and the same digits as text on the other."
    ),
    "category_spelling": Kind(
        "kept", "Two categories differ in capitals or blanks alone, and count as one."
    ),
    "category_mismatch": Kind(
        "kept", "The two sides have no category in common, so every match is mislabelled."
    ),
    "own_reference": Kind(
        "kept", "An annotator drew the reference of some images, and is not judged on those."
    ),
    "other_canvas": Kind(
        "kept", "The two sides drew an image on canvases of different sizes, so it is left out."
    ),
    "unreadable_gold": Kind(
        "kept", "Nothing of the gold of an image could be used, so the image is left out."
    ),
    "gold_by_several": Kind(
        "kept", "Several annotators drew gold on one image; all their boxes together are the gold."
    ),
}
"""Every kind of problem: whether the row is dropped or kept, and one sentence on why."""


def box_faults(
    xyxy: Floats, width: Floats, height: Floats, free: Bools
) -> Iterator[tuple[str, Bools]]:
    """Yield (kind, rows) for everything that can be wrong with a box alone.

    Parameters
    ----------
    xyxy : (n, 4) float64
        Boxes as read.
    width, height : (n,) float64
        Size of the image of each, NaN where unknown.
    free : (n,) bool
        Rows that are not dropped for another reason. Changed in place: rows found here are no
        longer free.
    """
    if not len(xyxy):
        return
    with np.errstate(invalid="ignore", over="ignore"):
        w, h = xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1]
        # Sound data take a few passes; a NaN makes its comparison false, and each row is looked at.
        low, high = float(xyxy.min()), float(xyxy.max())
        sound = float(w.min()) > 0 and float(h.min()) > 0 and low >= -FARTHEST and high <= FARTHEST
    if not sound:
        faults: tuple[tuple[str, Any], ...] = (
            ("non_finite", ~np.isfinite(xyxy).all(axis=1)),
            ("out_of_range", far_out(xyxy)),
            ("negative_size", (w < 0) | (h < 0)),
            ("zero_size", (w == 0) | (h == 0)),
        )
        for kind, found in faults:
            yield kind, _claim(found, free)
    if sound and low >= 0 and bool(((xyxy[:, 2] <= width) & (xyxy[:, 3] <= height)).all()):
        return
    if not (np.isnan(width).all() and np.isnan(height).all()):
        yield "outside_image", _claim(outside_image(xyxy, width, height), free)
        yield "beyond_border", beyond_border(xyxy, width, height) & free


def repeated_ids(ids: Array, source: Ints) -> tuple[Ints, Ints]:
    """Find rows whose id was met before in the same source.

    Parameters
    ----------
    ids : (n,) int64 or object
        Annotation ids; None is no id.
    source : (n,) int64
        Which input each row is from.

    Returns
    -------
    again, first : (k,) int64
        Rows that repeat an id, and the first row that has it.
    """
    empty = np.empty(0, dtype=np.int64)
    if ids.dtype.kind in "iu":
        if len(ids) < 2 or (bool(np.all(ids[1:] > ids[:-1])) and bool(np.all(source == source[0]))):
            return empty, empty
        order = np.lexsort((ids, source))
        same = (ids[order][1:] == ids[order][:-1]) & (source[order][1:] == source[order][:-1])
        if not same.any():
            return empty, empty
    seen: dict[tuple[int, object], int] = {}
    again, first = [], []
    for row, key in enumerate(zip(source.tolist(), ids.tolist(), strict=True)):
        met = seen.setdefault(key, row)
        if met != row and key[1] is not None:
            again.append(row)
            first.append(met)
    return np.array(again, dtype=np.int64), np.array(first, dtype=np.int64)


def duplicate_boxes(
    annotator: Ints, image: Ints, category: Ints, xyxy: Floats
) -> tuple[Ints, Ints]:
    """Find rows that equal an earlier one in annotator, image, category and all four coordinates.

    Parameters
    ----------
    annotator, image, category : (n,) int64
        Row numbers into the dataset's tables.
    xyxy : (n, 4) float64
        Boxes.

    Returns
    -------
    again, first : (k,) int64
        Rows that repeat a box, and the first row that has it.
    """
    empty = np.empty(0, dtype=np.int64)
    if len(image) < 2:
        return empty, empty
    columns = [
        annotator,
        image,
        category,
        *(np.ascontiguousarray(xyxy.T) + 0.0),
    ]  # -0.0 becomes 0.0
    hashed = np.zeros(len(image), dtype=np.uint64)
    for column in columns:  # a hash finds the few candidates; equality decides
        hashed ^= column.view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        hashed *= np.uint64(0xFF51AFD7ED558CCD)
        hashed ^= hashed >> np.uint64(32)
    ordered = np.sort(hashed)
    shared = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(shared):
        return empty, empty
    rows = np.flatnonzero(np.isin(hashed, shared))
    seen: dict[tuple[float, ...], int] = {}
    again, first = [], []
    keys = zip(*(column[rows].tolist() for column in columns), strict=True)
    for row, key in zip(rows.tolist(), keys, strict=True):
        met = seen.setdefault(key, row)
        if met != row:
            again.append(row)
            first.append(met)
    return np.array(again, dtype=np.int64), np.array(first, dtype=np.int64)


def _claim(found: Bools, free: Bools) -> Bools:
    """Return the rows found that have no other reason yet, and take them out of ``free``."""
    claimed: Bools = found & free
    free &= ~claimed
    return claimed
