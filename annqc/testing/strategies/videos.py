"""testing: strategies for videos: datasets of tracks, and pairs of gold and work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from annqc.errors import SpecError
from annqc.ids import ids_array
from annqc.tables import Annotations, Dataset, Images, Sequences
from annqc.testing.strategies.shapes import IMAGE_SIZE, STEP
from annqc.testing.strategies.tables import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["tracked_datasets", "tracked_deliveries"]

SIDE = 24.0
"""Sides of the boxes in pixels: a step from frame to frame is always less."""


def tracked_datasets(
    *,
    annotators: Sequence[object] = ("gold",),
    max_sequences: int = 2,
    max_tracks: int = 3,
    max_frames: int = 8,
    image_size: Sequence[float] = IMAGE_SIZE,
    gaps: bool = True,
) -> SearchStrategy[Dataset]:
    """Draw datasets of videos: tracks that move, come and go, with frames that nobody drew in.

    Parameters
    ----------
    annotators : sequence
        Who draws; each track is one annotator's. Several draw in the same sequences.
    max_sequences, max_tracks, max_frames : int
        Videos, tracks of each annotator in each of them, and frames of each; at least one.
    image_size : (2,) sequence of float
        Width and height of all frames in pixels.
    gaps : bool
        Whether a track may miss frames between its first and its last.

    Returns
    -------
    strategy of Dataset
        With ``sequence`` and ``frame`` of every image, ``sequence_table`` and ``track_ids``. An id
        is used by a track of every annotator, and no track stands twice in a frame.

    Examples
    --------
    >>> from hypothesis import find
    >>> found = find(tracked_datasets(), lambda data: len(data) > len(data.track_ids))
    >>> found.table.track.tolist()
    [0, 0]
    """
    least = min(max_sequences, max_tracks, max_frames)
    if least < 1 or not annotators:
        what = "a video has a sequence, a track, a frame and an annotator at least"
        raise SpecError(what, where="tracked_datasets", found=repr(least))
    if min(image_size) < 2 * SIDE:
        what = "the images are too small for the boxes"
        raise SpecError(what, where="image_size", expected=f"{2 * SIDE:g} px or more a side")
    limits = max_sequences, max_tracks, max_frames
    return _tracked(list(annotators), limits, (image_size[0], image_size[1]), gaps=gaps)


@st.composite
def _tracked(
    draw: DrawFn,
    annotators: list[object],
    limits: tuple[int, int, int],
    size: tuple[float, float],
    *,
    gaps: bool,
) -> Dataset:
    sequences = draw(names(min_size=1, max_size=limits[0]))
    frames = [draw(st.integers(1, limits[2])) for _ in sequences]
    first = np.cumsum([0, *frames[:-1]])
    rows: list[tuple[int, int, int, tuple[float, float]]] = []
    ids: list[int] = []
    spots = st.tuples(*(st.integers(0, int((one - SIDE) / STEP)) for one in size))
    for video, n in enumerate(frames):
        for who in range(len(annotators)):
            for id in range(draw(st.integers(0, limits[1]))):
                ids.append(id + 1)
                track = len(ids) - 1
                begin = draw(st.integers(0, n - 1))
                end = draw(st.integers(begin, n - 1))
                spot = draw(spots)
                step = draw(st.tuples(*[st.integers(-8, 8)] * 2))
                for frame in range(begin, end + 1):
                    inside = begin < frame < end
                    if gaps and inside and draw(st.integers(0, 7)) == 7:
                        continue
                    at = tuple(
                        float(np.clip(s * STEP + d * STEP * (frame - begin), 0, one - SIDE))
                        for s, d, one in zip(spot, step, size, strict=True)
                    )
                    rows.append((int(first[video]) + frame, who, track, (at[0], at[1])))
    image = np.array([row[0] for row in rows], dtype=np.int64)
    corner = np.array([row[3] for row in rows], dtype=np.float64).reshape(-1, 2)
    of_frame = np.repeat(np.arange(len(sequences)), frames)
    number = np.concatenate([np.arange(n) for n in frames])
    named = np.array(sequences, dtype=object)
    table = Annotations.build(
        image=image,
        annotator=np.array([row[1] for row in rows], dtype=np.int64),
        category=np.zeros(len(rows), dtype=np.int64),
        xyxy=np.concatenate([corner, corner + SIDE], axis=1),
        track=np.array([row[2] for row in rows], dtype=np.int64),
    )
    m, a = len(of_frame), len(annotators)
    return Dataset(
        table=table,
        image_table=Images.build(
            ids_array(list(range(1, m + 1))),
            width=np.full(m, float(size[0])),
            height=np.full(m, float(size[1])),
            sequence=named[of_frame],
            frame=number,
        ),
        annotator_ids=ids_array(annotators),
        category_ids=ids_array([1]),
        category_names=ids_array(["object"]),
        assigned=np.stack([np.repeat(np.arange(a), m), np.tile(np.arange(m), a)], axis=1),
        sequence_table=Sequences.build(ids_array(sequences), n_frames=np.array(frames)),
        track_ids=ids_array(ids),
        n_rows=len(table),
    )


def tracked_deliveries(
    gold: SearchStrategy[Dataset] | None = None,
    *,
    annotator: object = "ann",
    perfect: bool = False,
) -> SearchStrategy[tuple[Dataset, Dataset]]:
    """Draw pairs of gold and work in videos, the work being drawn after the gold.

    Parameters
    ----------
    gold : strategy of Dataset, optional
        The gold, by one annotator; `tracked_datasets` if not given.
    annotator : object
        Who draws the work.
    perfect : bool
        Whether the gold is copied. If not, every edge is off by up to 2 px, boxes are left out,
        and tracks have other ids.

    Returns
    -------
    strategy of (Dataset, Dataset)
        Gold and work, on the same frames.

    Examples
    --------
    >>> from hypothesis import find
    >>> gold, work = find(tracked_deliveries(perfect=True), lambda pair: len(pair[1]) > 0)
    >>> len(gold), len(work)
    (1, 1)
    """
    return _deliveries(tracked_datasets() if gold is None else gold, annotator, perfect=perfect)


@st.composite
def _deliveries(
    draw: DrawFn, gold: SearchStrategy[Dataset], annotator: object, *, perfect: bool
) -> tuple[Dataset, Dataset]:
    reference = draw(gold)
    table, n = reference.table, len(reference.table)
    ids = [] if reference.track_ids is None else reference.track_ids.tolist()
    keep, xyxy = np.ones(n, dtype=bool), table.xyxy
    if not perfect:
        keep = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
        off = st.tuples(*[st.integers(-int(2 / STEP), int(2 / STEP))] * 4)
        moved = draw(st.lists(off, min_size=n, max_size=n))
        xyxy = xyxy + STEP * np.array(moved, dtype=np.float64).reshape(n, 4)
        ids = [100 + k for k in range(len(ids))]
    work = Annotations.build(
        image=table.image[keep],
        annotator=np.zeros(int(keep.sum()), dtype=np.int64),
        category=table.category[keep],
        xyxy=xyxy[keep],
        track=None if table.track is None else table.track[keep],
    )
    m = len(reference.image_table)
    return reference, replace(
        reference,
        table=work,
        annotator_ids=ids_array([annotator]),
        assigned=np.stack([np.zeros(m, dtype=np.int64), np.arange(m)], axis=1),
        track_ids=ids_array(ids),
        n_rows=len(work),
    )
