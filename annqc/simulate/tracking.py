"""simulate: videos of moving objects, and tracks drawn by annotators with planted habits.

``annqc.simulate.tracks(...)`` is to videos what ``annqc.simulate(...)`` is to images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError
from annqc.ids import ids_array
from annqc.simulate.track_habits import EDGES, PlantedTrack, TrackHabit
from annqc.tables import Annotations, Dataset, Images, Sequences, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["DrawnTracks", "PlantedTrack", "TrackHabit", "tracks"]

OUT: Final = np.array([-1.0, -1.0, 1.0, 1.0])
"""Direction of each edge of ``xyxy`` that is outwards."""
ROOM: Final = 20.0
"""Objects stay this far from the image border, in pixels."""
CORRELATION: Final = 0.8
"""Of the error of an edge in one frame with that in the next."""
WHITE: Final = 0.3
"""Share of the error's scale that is new in every frame."""
CATEGORIES: Final = ("person", "car")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class DrawnTracks:
    """What `tracks` makes.

    Attributes
    ----------
    gold, work : Dataset
        The reference and what the annotators drew, with sequences, frames and tracks.
    planted : tuple of PlantedTrack
        One record a habit and track.
    """

    gold: Dataset
    work: Dataset
    planted: tuple[PlantedTrack, ...]

    def __repr__(self) -> str:
        gold = self.gold
        n_tracks = 0 if gold.track_ids is None else len(gold.track_ids)
        n_sequences = 0 if gold.sequence_table is None else len(gold.sequence_table)
        return (
            f"<annqc.simulate.DrawnTracks: {n_tracks} gold tracks in "
            f"{n_sequences} sequences, {len(self.work)} boxes by "
            f"{len(self.work.annotator_ids)} annotators, {len(self.planted)} planted>"
        )


def tracks(
    annotators: int | Sequence[str] | Mapping[str, Any] = 3,
    *,
    n_sequences: int = 4,
    n_tracks: int = 6,
    n_frames: int = 200,
    image_size: tuple[float, float] = (1920.0, 1080.0),
    side: tuple[float, float] = (40.0, 200.0),
    speed: float = 2.0,
    noise_px: float = 1.0,
    gold_sd: float = 0.0,
    integer: bool = False,
    frame_rate: float = 25.0,
    rng: np.random.Generator | int | None = None,
) -> DrawnTracks:
    """Draw videos with gold tracks, and the work of annotators whose habits are known.

    Parameters
    ----------
    annotators : int, sequence of str, or mapping of str to habits
        How many clean ones, or their names, or names with one `TrackHabit` or several.
    n_sequences, n_tracks, n_frames : int
        Videos, objects in each, and frames of each (10 or more).
    image_size : (float, float)
        Width and height in pixels.
    side : (float, float)
        The geometric mean of an object's width and height lies between these.
    speed : float
        Typical speed of an object in pixels a frame.
    noise_px : float
        Scale of everybody's error of an edge in pixels: most of it lasts from frame to frame
        (correlation .8), a part is new in every frame.
    gold_sd : float
        Scale of the gold's own error, new in every frame.
    integer : bool
        Round the work to whole pixels.
    frame_rate : float
        Frames a second.
    rng : Generator, int or None
        Seed or source of randomness.

    Returns
    -------
    DrawnTracks

    Raises
    ------
    SpecError
        Where the numbers make no video, or the annotators are no annotators.

    Examples
    --------
    >>> made = tracks({"ann": [], "bob": TrackHabit.lag(2)}, n_sequences=1, n_tracks=2, rng=1)
    >>> made.planted[0].annotator, made.planted[0].size, made.planted[0].unit
    ('bob', 2.0, 'frames')
    """
    named = _habits(annotators)
    if min(n_sequences, n_tracks) < 1 or n_frames < 10 or not side[0] <= side[1]:
        what = "videos need a sequence, a track, 10 frames, and sides in order"
        raise SpecError(what, where="tracks", found=f"{n_sequences=}, {n_tracks=}, {n_frames=}")
    room = 4 * ROOM + 2 * side[1]
    if min(image_size) < room:
        what = "the images are too small for the objects"
        raise SpecError(what, where="image_size", expected=f"{room:g} px or more a side")
    random = np.random.default_rng(rng)
    scene = _Scene(random, n_sequences, n_tracks, n_frames, np.array(image_size), side, speed)
    boxes = scene.boxes(0.0)
    gold = _Rows(scene, boxes + gold_sd * random.standard_normal(boxes.shape))
    drawn, planted = [], []
    for name, habits in named.items():
        one = _Rows(scene, boxes.copy())
        planted += _draw(one, name, habits, noise_px, random)
        if integer:
            one.boxes = np.rint(one.boxes)
        drawn.append(one)
    return DrawnTracks(
        gold=_dataset([gold], ["gold"], frame_rate),
        work=_dataset(drawn, list(named), frame_rate),
        planted=tuple(planted),
    )


class _Scene:
    """Objects on smooth paths: k = n_sequences * n_tracks of them, over n frames."""

    def __init__(
        self,
        rng: np.random.Generator,
        n_sequences: int,
        n_tracks: int,
        n_frames: int,
        image: Floats,
        side: tuple[float, float],
        speed: float,
    ) -> None:
        k = n_sequences * n_tracks
        self.n_frames, self.n_tracks, self.k, self.image = n_frames, n_tracks, k, image
        self.sequence = np.repeat(np.arange(n_sequences), n_tracks)
        self.category = rng.integers(0, len(CATEGORIES), k)
        size = np.exp(rng.uniform(np.log(side[0]), np.log(side[1]), k))
        stretch = np.exp(rng.normal(0, 0.2, k))
        self.half = 0.5 * np.stack([size * stretch, size / stretch], axis=1)
        period = rng.uniform(60, 240, (k, 2, 2))
        # a wave of this amplitude has the asked speed on average
        amplitude = speed * period / (4.0 * np.sqrt(2.0))
        limit = (0.5 * image - ROOM - 1.2 * self.half)[:, :, None] / 2.0
        self.amplitude, self.period = np.minimum(amplitude, 0.95 * limit), period
        self.phase = rng.uniform(0, 2 * np.pi, (k, 2, 2))
        reach = self.amplitude.sum(axis=2) + 1.2 * self.half + ROOM
        self.middle = reach + rng.random((k, 2)) * np.maximum(image - 2 * reach, 0.0)
        length = rng.integers(int(0.6 * n_frames), n_frames + 1, k)
        self.first = np.floor(rng.random(k) * (n_frames - length + 1)).astype(np.int64)
        self.last = self.first + length - 1

    def boxes(self, behind: float) -> Floats:
        """Return the true boxes of every object this many frames earlier, (k, n_frames, 4)."""
        t = np.arange(self.n_frames) - behind
        angle = 2 * np.pi * t[:, None, None] / self.period[:, None] + self.phase[:, None]
        centre = self.middle[:, None] + (self.amplitude[:, None] * np.sin(angle)).sum(axis=3)
        swell = 1.0 + 0.1 * np.sin(angle[..., 0, :].sum(axis=2) / 2.0)
        half = self.half[:, None] * swell[..., None]
        return np.concatenate([centre - half, centre + half], axis=2)


class _Rows:
    """What one person drew: boxes (k, n_frames, 4), which of them are there, and their ids."""

    def __init__(self, scene: _Scene, boxes: Floats) -> None:
        self.scene, self.boxes = scene, boxes
        frame = np.arange(scene.n_frames)
        self.there: Bools = (frame >= scene.first[:, None]) & (frame <= scene.last[:, None])
        self.id: Ints = np.repeat(np.arange(scene.k)[:, None] % scene.n_tracks + 1, len(frame), 1)
        self.category: Ints = np.repeat(scene.category[:, None], len(frame), 1)
        self.keyframe: Bools = np.ones(self.there.shape, dtype=bool)


def _draw(
    rows: _Rows,
    name: str,
    habits: tuple[TrackHabit, ...],
    noise_px: float,
    rng: np.random.Generator,
) -> list[PlantedTrack]:
    """Draw every track with errors and habits; return the record of the habits."""
    scene = rows.scene
    lags = sum(habit.size for habit in habits if habit.kind == "lag")
    if lags:
        rows.boxes = scene.boxes(lags)
    rows.boxes = rows.boxes + OUT * noise_px * _errors(rng, rows.boxes.shape)
    planted: list[PlantedTrack] = []
    for habit in habits:
        has = np.flatnonzero(rng.random(scene.k) < habit.share)
        middle = scene.first[has] + np.floor(
            (0.4 + 0.2 * rng.random(len(has))) * (scene.last - scene.first)[has]
        ).astype(np.int64)
        spans = _APPLY[habit.kind](rows, habit, has, middle, rng)
        for k, first, last in spans:
            planted.append(
                PlantedTrack(
                    annotator=name,
                    kind=habit.kind,
                    size=habit.size,
                    unit=habit.unit,
                    edges=habit.edges,
                    sequence=f"video-{scene.sequence[k] + 1}",
                    track=int(k % scene.n_tracks + 1),
                    first_frame=int(first),
                    last_frame=int(last),
                )
            )
    return planted


def _errors(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw errors of scale one, (k, n_frames, 4): most of it lasts, a part is new every frame."""
    lasting = rng.standard_normal(shape)
    step = np.sqrt(1.0 - CORRELATION**2)
    for t in range(1, shape[1]):
        lasting[:, t] = CORRELATION * lasting[:, t - 1] + step * lasting[:, t]
    new = rng.standard_normal(shape)
    return np.asarray(np.sqrt(1.0 - WHITE**2) * lasting + WHITE * new)


_Spans = list[tuple[int, int, int]]


def _whole(rows: _Rows, has: Ints) -> _Spans:
    scene = rows.scene
    return [(k, int(scene.first[k]), int(scene.last[k])) for k in has.tolist()]


def _from(rows: _Rows, has: Ints, middle: Ints) -> _Spans:
    last = rows.scene.last
    return [(k, m, int(last[k])) for k, m in zip(has.tolist(), middle.tolist(), strict=True)]


def _outward(rows: _Rows, habit: TrackHabit, has: Ints, amount: Floats) -> None:
    """Move the edges of a habit outwards by (tracks, frames) pixels."""
    for edge in habit.edges:
        at = EDGES.index(edge)
        rows.boxes[has, :, at] += OUT[at] * amount


def _loose(rows: _Rows, habit: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    _outward(rows, habit, has, np.full((len(has), rows.scene.n_frames), habit.size))
    return _whole(rows, has)


def _drift(rows: _Rows, habit: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    since = np.arange(rows.scene.n_frames) - rows.scene.first[has, None]
    _outward(rows, habit, has, np.asarray(habit.size * since / 100.0, np.float64))
    return _whole(rows, has)


def _sawtooth(rows: _Rows, habit: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    since = (np.arange(rows.scene.n_frames) - rows.scene.first[has, None]) % habit.every
    rows.keyframe[has] &= since == 0
    _outward(rows, habit, has, np.asarray(habit.size * since / max(habit.every - 1, 1), np.float64))
    return _whole(rows, has)


def _lag(rows: _Rows, _h: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    return _whole(rows, has)


def _jump(rows: _Rows, habit: TrackHabit, has: Ints, middle: Ints, _r: Any) -> _Spans:
    after = np.arange(rows.scene.n_frames) >= middle[:, None]
    for at in (0, 2):
        rows.boxes[has, :, at] += habit.size * after
    return _from(rows, has, middle)


def _jitter(rows: _Rows, habit: TrackHabit, has: Ints, _m: Ints, rng: Any) -> _Spans:
    rows.boxes[has] += habit.size * rng.standard_normal(rows.boxes[has].shape)
    return _whole(rows, has)


def _interpolated(rows: _Rows, habit: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    for k, first, last in _whole(rows, has):
        keys = np.append(np.arange(first, last, habit.every), last)
        between = np.arange(first, last + 1)
        for at in range(4):
            rows.boxes[k, between, at] = np.interp(between, keys, rows.boxes[k, keys, at])
        rows.keyframe[k, between] = np.isin(between, keys)
    return _whole(rows, has)


def _frozen(rows: _Rows, _h: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    for k, first, last in _whole(rows, has):
        rows.boxes[k, first : last + 1] = rows.boxes[k, first]
        rows.keyframe[k, first + 1 : last + 1] = False
    return _whole(rows, has)


def _late_start(rows: _Rows, habit: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    spans = [(k, first, first + int(habit.size) - 1) for k, first, _ in _whole(rows, has)]
    return _without(rows, spans)


def _early_end(rows: _Rows, habit: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    return _without(
        rows, [(k, last - int(habit.size) + 1, last) for k, _, last in _whole(rows, has)]
    )


def _gap(rows: _Rows, habit: TrackHabit, has: Ints, middle: Ints, _r: Any) -> _Spans:
    both = zip(has.tolist(), middle.tolist(), strict=True)
    return _without(rows, [(k, m, m + int(habit.size) - 1) for k, m in both])


def _without(rows: _Rows, spans: _Spans) -> _Spans:
    for k, first, last in spans:
        rows.there[k, max(first, 0) : last + 1] = False
    return spans


def _switch(rows: _Rows, _h: TrackHabit, has: Ints, middle: Ints, _r: Any) -> _Spans:
    for k, m in zip(has.tolist(), middle.tolist(), strict=True):
        rows.id[k, m:] += 100
    return _from(rows, has, middle)


def _swap(rows: _Rows, _h: TrackHabit, has: Ints, _m: Ints, _r: Any) -> _Spans:
    scene, spans = rows.scene, []
    for k in has.tolist():
        other = k + 1
        if k % 2 or other == scene.k or scene.sequence[k] != scene.sequence[other]:
            continue
        middle = int(max(scene.first[[k, other]]) + min(scene.last[[k, other]])) // 2
        rows.id[[k, other], middle:] = rows.id[[other, k], middle:]
        spans += [(k, middle, int(scene.last[k])), (other, middle, int(scene.last[other]))]
    return spans


def _flip(rows: _Rows, _h: TrackHabit, has: Ints, middle: Ints, _r: Any) -> _Spans:
    for k, m in zip(has.tolist(), middle.tolist(), strict=True):
        rows.category[k, m:] = (rows.category[k, m:] + 1) % len(CATEGORIES)
    return _from(rows, has, middle)


_APPLY: Final = {
    "loose": _loose,
    "drift": _drift,
    "sawtooth": _sawtooth,
    "lag": _lag,
    "jump": _jump,
    "jitter": _jitter,
    "interpolated": _interpolated,
    "frozen": _frozen,
    "late_start": _late_start,
    "early_end": _early_end,
    "gap": _gap,
    "switch": _switch,
    "swap": _swap,
    "flip": _flip,
}


def _dataset(drawn: list[_Rows], names: list[str], frame_rate: float) -> Dataset:
    """Lay boxes out as a dataset: every frame of every sequence is an image."""
    scene = drawn[0].scene
    n_sequences, n_frames = int(scene.sequence[-1]) + 1, scene.n_frames
    sequence = [f"video-{v + 1}" for v in range(n_sequences)]
    frame = np.tile(np.arange(n_frames), n_sequences)
    of_frame = np.repeat(np.arange(n_sequences), n_frames)
    images = Images.build(
        ids_array([f"{sequence[v]}/{t}" for v, t in zip(of_frame, frame, strict=True)]),
        width=np.full(len(frame), scene.image[0]),
        height=np.full(len(frame), scene.image[1]),
        sequence=ids_array([sequence[v] for v in of_frame]),
        frame=frame,
    )
    parts: dict[str, list[Array]] = {name: [] for name in (*_COLUMNS, "id", "sequence")}
    for person, one in enumerate(drawn):
        # by frame within a sequence, as a tool exports them
        k, t = np.nonzero(one.there)
        order = np.lexsort((k, t, scene.sequence[k]))
        k, t = k[order], t[order]
        parts["image"].append(scene.sequence[k] * n_frames + t)
        parts["annotator"].append(np.full(len(k), person))
        parts["category"].append(one.category[k, t])
        parts["xyxy"].append(one.boxes[k, t])
        parts["keyframe"].append(one.keyframe[k, t])
        parts["id"].append(one.id[k, t])
        parts["sequence"].append(scene.sequence[k])
    columns = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    ids, in_sequence = columns.pop("id"), columns.pop("sequence")
    keys = np.stack([columns["annotator"], in_sequence, ids], axis=1)
    distinct, track = np.unique(keys, axis=0, return_inverse=True)
    table = Annotations.build(**columns, track=track.reshape(-1).astype(np.int64))
    m = len(images)
    who = np.arange(len(drawn))
    return Dataset(
        table=table,
        image_table=images,
        annotator_ids=ids_array(names),
        category_ids=np.arange(1, len(CATEGORIES) + 1),
        category_names=ids_array(list(CATEGORIES)).astype(object),
        assigned=np.stack([np.repeat(who, m), np.tile(np.arange(m), len(drawn))], axis=1),
        sources=(Source(path="<simulated>", format="simulated", n_rows=len(table)),),
        n_rows=len(table),
        track_ids=distinct[:, 2].copy(),
        sequence_table=Sequences.build(
            ids_array(sequence),
            frame_rate=np.full(n_sequences, frame_rate),
            n_frames=np.full(n_sequences, n_frames),
        ),
    )


_COLUMNS: Final = ("image", "annotator", "category", "xyxy", "keyframe")


def _habits(
    annotators: int | Sequence[str] | Mapping[str, Any],
) -> dict[str, tuple[TrackHabit, ...]]:
    """Names of the annotators with what they do wrong."""
    named: dict[str, Any]
    if isinstance(annotators, int):
        named = {f"annotator-{k}": () for k in range(1, annotators + 1)}
    elif isinstance(annotators, Mapping):
        named = {
            str(name): (given,) if isinstance(given, TrackHabit) else tuple(given)
            for name, given in annotators.items()
        }
    else:
        named = {str(name): () for name in annotators}
    wrong = [one for many in named.values() for one in many if not isinstance(one, TrackHabit)]
    if not named or wrong:
        what = "annotators must be a number, names, or names with habits, at least one"
        expected = '3, ["ann", "bob"] or {"ann": [], "bob": [TrackHabit.lag(2)]}'
        found = repr(wrong[0] if wrong else annotators)
        raise SpecError(what, where="annotators", expected=expected, found=found)
    return named
