"""measure: the tracks of two datasets laid out frame by frame, for `annqc.measure.tracking`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np

from annqc.classes import MOT_CLASSES
from annqc.errors import MatchError, UnknownNameError
from annqc.kernels.tracking import Frames
from annqc.measure.tracking import TrackSums, track_sums

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.kernels.tracking import Side
    from annqc.match import Matches
    from annqc.tables import Annotations, Array, Bools, Dataset, Images, Ints

__all__ = ["DISTRACTORS", "Preprocess", "TrackFrames", "track_frames", "tracking"]

Preprocess = Literal["mot", "mot20"]
Twice = Literal["refuse", "apart"]

DISTRACTORS: Final[dict[str, frozenset[str]]] = {
    "mot": frozenset({"person_on_vehicle", "static_person", "distractor", "reflection"}),
    "mot20": frozenset(
        {"person_on_vehicle", "static_person", "distractor", "reflection", "non_mot_vehicle"}
    ),
}
"""Classes of MOTChallenge that need not be tracked, and may be."""

PEDESTRIAN: Final = "pedestrian"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackFrames:
    """What `annqc.measure.tracking.track_sums` takes, and what its numbers stand for.

    Attributes
    ----------
    frames : Frames
        Boxes of both sides, one task an annotator and sequence.
    annotator, sequence : (n_tasks,) int64
        Rows of the candidate's ``annotator_ids``, and of `sequence_ids`.
    sequence_ids : (s,) object
        The sequences of the reference in the order in which they come.
    counted, distractor : (n_ref,) bool
        Reference boxes that count, and those that need not be drawn.
    reference, candidate : int64
        Rows of the two annotation tables.
    n_untracked : (2,) int64
        Boxes of the reference and of the candidate that have no track. Each stands as a track of
        its own.
    """

    frames: Frames
    annotator: Ints
    sequence: Ints
    sequence_ids: Array
    counted: Bools
    distractor: Bools
    reference: Ints
    candidate: Ints
    n_untracked: Ints


def tracking(
    matches: Matches,
    *,
    preprocess: Preprocess | None = None,
    category: str | None = None,
    by: Literal["sequence", "track"] = "sequence",
    twice: Twice = "refuse",
    threshold: float = 0.5,
    engine: Engine = "auto",
) -> TrackSums:
    """Measure how every annotator tracked every sequence.

    Parameters
    ----------
    matches : Matches
        From `annqc.match.match`: which frames are the same, and who was asked for which. Its pairs
        are not used, as each tracking metric has a matching of its own.
    preprocess, category, twice
        As for `track_frames`.
    by, threshold, engine
        As for `annqc.measure.tracking.track_sums`.

    Returns
    -------
    TrackSums
        ``annotator`` has rows of the candidate's ``annotator_ids``.

    Raises
    ------
    MatchError
        Where a side has no tracks, the reference no sequences, or a track stands twice in a frame.
    """
    laid = track_frames(matches, preprocess=preprocess, category=category, twice=twice)
    return track_sums(
        laid.frames,
        annotator=laid.annotator,
        sequence=laid.sequence,
        counted=laid.counted,
        distractor=laid.distractor,
        by=by,
        threshold=threshold,
        engine=engine,
    )


def track_frames(
    matches: Matches,
    *,
    preprocess: Preprocess | None = None,
    category: str | None = None,
    twice: Twice = "refuse",
) -> TrackFrames:
    """Lay the tracks of both sides out by annotator, sequence and frame.

    An annotator is asked for the frames that are assigned; where the candidate does not say, for
    all frames of every sequence that they drew in. Crowds take no part. Boxes that are ignored, of
    either side, are left out, and swallow nothing.

    Parameters
    ----------
    matches : Matches
        From `annqc.match.match`.
    preprocess : {"mot", "mot20"}, optional
        Do as MOTChallenge does: the reference is its pedestrians, and candidates that are matched
        with a distractor are taken out. ``mot20`` takes ``non_mot_vehicle`` for one as well.
    category : str, optional
        Compare boxes of this category alone; any category may be matched with any if None.
    twice : {"refuse", "apart"}
        What to do with a track that stands twice in a frame: refuse it, as TrackEval does, or give
        every box but the first a track of its own.

    Returns
    -------
    TrackFrames

    Raises
    ------
    MatchError
        Where a side has no tracks, the reference no sequences, a track stands twice in a frame, or
        a class is none of MOTChallenge's.
    """
    gold, work = matches.reference, matches.candidate
    sequence_of_image, frame_of_image, ids = _sequences(gold.image_table)
    ref_track, cand_track = _tracks(gold, "reference", twice), _tracks(work, "candidate", twice)
    ref_rows = sequence_of_image[gold.table.image] >= 0
    cand_rows = (matches.image_of_candidate >= 0) & ~work.table.crowd & ~work.table.ignored
    counted = ~(gold.table.ignored | gold.table.crowd)
    distractor = np.zeros(len(gold.table), dtype=bool)
    if category is not None:
        names = matches.category_names
        if category not in names.tolist():
            kind = "category"
            raise UnknownNameError.among(kind, category, [str(name) for name in names])
        cand_rows &= names[matches.candidate_category] == category
        ref_rows &= names[matches.reference_category] == category
    if preprocess is not None:
        if preprocess not in DISTRACTORS:
            kind = "preprocessing"
            raise UnknownNameError.among(kind, preprocess, DISTRACTORS)
        name_of = _mot_names(gold, work)
        distractor = np.isin(name_of, list(DISTRACTORS[preprocess]))[gold.table.category]
        counted &= (name_of == PEDESTRIAN)[gold.table.category]
    else:
        ref_rows &= ~gold.table.crowd
    annotator, image = _asked(matches, sequence_of_image)
    order = np.lexsort((frame_of_image[image], sequence_of_image[image], annotator))
    annotator, image = annotator[order], image[order]
    n_images = max(len(gold.image_table), 1)
    ref, ref_offsets = _gather(gold.table.image, np.flatnonzero(ref_rows), image)
    who = work.table.annotator * n_images + matches.image_of_candidate
    cand, cand_offsets = _gather(who, np.flatnonzero(cand_rows), annotator * n_images + image)
    task = _runs(annotator, sequence_of_image[image])
    starts = np.append(task, len(image))
    numbers = []
    for track, rows, offsets in ((ref_track, ref, ref_offsets), (cand_track, cand, cand_offsets)):
        of_task = np.repeat(np.arange(len(task)), np.diff(offsets[starts]))
        numbers.append(_dense(of_task, track[rows], len(task)))
    frames = Frames(
        frame_offsets=starts,
        ref_offsets=ref_offsets,
        cand_offsets=cand_offsets,
        ref_boxes=np.ascontiguousarray(gold.table.xyxy[ref].T),
        cand_boxes=np.ascontiguousarray(work.table.xyxy[cand].T),
        ref_track=numbers[0],
        cand_track=numbers[1],
    )
    image_of_frame = gold.image_table.id[image]
    _refuse_twice(frames.ref, ref, gold, image_of_frame, "reference")
    _refuse_twice(frames.cand, cand, work, image_of_frame, "candidate")
    return TrackFrames(
        frames=frames,
        annotator=annotator[task],
        sequence=sequence_of_image[image[task]],
        sequence_ids=ids,
        counted=counted[ref],
        distractor=distractor[ref],
        reference=ref,
        candidate=cand,
        n_untracked=np.array(
            [
                np.count_nonzero(_untracked(table)[rows])
                for table, rows in ((gold.table, ref), (work.table, cand))
            ]
        ),
    )


def _sequences(images: Images) -> tuple[Ints, Ints, Array]:
    """Return the sequence of each image, -1 for none, its frame, and what sequences are called."""
    names = [] if images.sequence is None else images.sequence.tolist()
    if images.frame is None or all(name is None for name in names):
        what = "the images of the reference are no frames of videos"
        raise MatchError(
            what,
            expected="a sequence and a frame number for each image",
            hint="tracks are measured in videos; give a table the columns sequence and frame",
        )
    numbers: dict[Any, int] = {}
    code = [-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names]
    ids = np.empty(len(numbers), dtype=object)
    ids[:] = list(numbers)
    return np.array(code, dtype=np.int64), images.frame, ids


def _untracked(table: Annotations) -> Bools:
    none: Bools = np.ones(len(table), dtype=bool) if table.track is None else table.track < 0
    return none


def _tracks(dataset: Dataset, name: str, twice: Twice) -> Ints:
    """Track of each row; a row without one is a track of its own."""
    table = dataset.table
    if table.track is None and len(table):
        what = f"the {name} has no tracks"
        raise MatchError(
            what,
            expected="a track for the boxes of one object",
            hint="give a table the column track_id, or read a format that has tracks",
        )
    if table.track is None or not len(table):
        return np.empty(0, dtype=np.int64)
    own = table.track.max() + 1 + np.arange(len(table))
    alone = table.track < 0
    if twice == "apart":
        order = np.lexsort((np.arange(len(table)), table.image, table.track))
        track, image = table.track[order], table.image[order]
        alone[order[1:]] |= (track[1:] == track[:-1]) & (image[1:] == image[:-1])
    return np.where(alone, own, table.track)


def _mot_names(gold: Dataset, work: Dataset) -> Array:
    """Names of the reference's categories; both sides must keep to MOTChallenge's."""
    names = np.array([str(name) for name in gold.category_names], dtype=object)
    known = list(MOT_CLASSES.values())
    for dataset, allowed, side in (
        (gold, set(known), "reference"),
        # a candidate may call what it tracks by any name that is not another of MOTChallenge's
        (work, None, "candidate"),
    ):
        for code in np.unique(dataset.table.category).tolist():
            name = str(dataset.category_names[code])
            if (allowed is None and name in known and name != PEDESTRIAN) or (
                allowed is not None and name not in allowed
            ):
                what = f"MOTChallenge's rules do not know what to do with {name!r} in the {side}"
                raise MatchError(
                    what,
                    expected="one of " + ", ".join(known) if allowed else "pedestrians alone",
                    hint="leave the preprocessing out, or rename the category",
                )
    return names


def _asked(matches: Matches, sequence_of_image: Ints) -> tuple[Ints, Ints]:
    """Annotator and image of every frame that was asked for."""
    annotator, image = matches.task_annotator, matches.task_image
    some = sequence_of_image[image] >= 0
    annotator, image = annotator[some], image[some]
    if matches.candidate.assigned is not None:
        return annotator, image
    n_sequences = int(sequence_of_image.max(initial=-1)) + 1
    drawn = np.unique(annotator * n_sequences + sequence_of_image[image])
    of_sequence = np.argsort(sequence_of_image, kind="stable")
    counts = np.bincount(sequence_of_image + 1, minlength=n_sequences + 1)
    first = np.cumsum(counts)[:-1]
    who, which = np.divmod(drawn, max(n_sequences, 1))
    rows, offsets = _spread(first[which], counts[1:][which])
    asked = np.repeat(who, np.diff(offsets)), of_sequence[rows]
    # frames that were drawn on and yet not compared are not to be: the annotator made the reference
    n_images = len(sequence_of_image)
    on = matches.image_of_candidate >= 0
    table = matches.candidate.table
    drawn_on = np.unique(table.annotator[on] * n_images + matches.image_of_candidate[on])
    barred = np.setdiff1d(drawn_on, annotator * n_images + image)
    kept = ~np.isin(asked[0] * n_images + asked[1], barred)
    return asked[0][kept], asked[1][kept]


def _refuse_twice(side: Side, rows: Ints, dataset: Dataset, image: Array, name: str) -> None:
    """Refuse a track that stands twice in a frame, and name it."""
    boxes = side.twice
    if not len(boxes):
        return
    row = rows[boxes[0]]
    track = (
        dataset.tracks_of(dataset.table.track[[row]])[0] if dataset.table.track is not None else row
    )
    what = f"a track of the {name} stands twice in a frame"
    raise MatchError(
        what,
        where=f"image {image[side.frame[boxes[0]]]}, annotation {dataset.table.id[row]}",
        expected="each track once in a frame",
        found=f"track {track} again, and {len(boxes) - 1} more of the kind",
        hint="a track is one object; give the other box a track of its own",
    )


def _runs(*keys: Ints) -> Ints:
    """Where equal keys begin."""
    new = np.ones(len(keys[0]), dtype=bool)
    new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.flatnonzero(new)


def _spread(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Positions ``first .. first + count`` of each run, and where the runs begin."""
    offsets = np.concatenate([[0], np.cumsum(count)])
    shift = np.repeat(first - offsets[:-1], count)
    return np.arange(offsets[-1]) + shift, offsets


def _gather(key: Ints, rows: Ints, asked: Ints) -> tuple[Ints, Ints]:
    """Rows of each asked key in the order of the table, and where those of each begin."""
    order = rows[np.argsort(key[rows], kind="stable")]
    ordered = key[order]
    first = np.searchsorted(ordered, asked, side="left")
    count = np.searchsorted(ordered, asked, side="right") - first
    places, offsets = _spread(first, count)
    return order[places], offsets


def _dense(task: Ints, track: Ints, n_tasks: int) -> Ints:
    """Give the tracks of each task numbers from 0."""
    if not len(task):
        return np.empty(0, dtype=np.int64)
    width = int(track.max()) + 1
    used, number = np.unique(task * width + track, return_inverse=True)
    first = np.searchsorted(used, np.arange(n_tasks) * width)
    return cast("Ints", number - first[task])
