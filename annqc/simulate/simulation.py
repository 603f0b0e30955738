"""simulate: a gold set, a work of annotators with planted habits, and what was planted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.ids import ids_array
from annqc.simulate.annotator import Drawn, Noise, annotate, finish_boxes
from annqc.simulate.habits import Habit, PlantedHabits
from annqc.simulate.scene import Scene, draw_scene
from annqc.tables import Annotations, Dataset, Source

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

    Habits = Habit | Sequence[Habit]

__all__ = ["Simulation", "simulate"]

CATEGORIES: Final = ("person", "car", "bicycle", "dog", "traffic light")
DRAWS_AT_ONCE: Final = 4_000_000
"""Random numbers held at once while images are dealt out to annotators."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Simulation:
    """What `simulate` makes.

    Attributes
    ----------
    gold : Dataset
        The reference, with its own error if ``gold_sd`` was given.
    work : Dataset
        What the annotators drew, with the assignments filled in.
    planted : PlantedHabits
        One record for each planted habit; ``planted.to_frame()`` is a table.
    truth : (n, 4) float64
        The true box of each gold row.
    origin : (k,) int64
        The gold row that each row of the work is a drawing of, -1 for an invented one.
    """

    gold: Dataset
    work: Dataset
    planted: PlantedHabits
    truth: Floats
    origin: Ints

    def __repr__(self) -> str:
        return (
            f"<annqc.Simulation: {len(self.gold)} gold boxes on "
            f"{len(self.gold.image_table)} images, "
            f"{len(self.work)} boxes by {len(self.work.annotator_ids)} annotators, "
            f"{len(self.planted)} planted>"
        )


def simulate(
    annotators: int | Sequence[str] | Mapping[str, Habits] = 5,
    *,
    n_images: int = 200,
    boxes_per_image: float | Sequence[int] | Array = 5.0,
    categories: int | Sequence[str] | Mapping[str, float] = CATEGORIES,
    image_size: Sequence[float] | Array = (1920, 1080),
    overlap: int | None = None,
    noise_px: float = 1.0,
    noise_rel: float = 0.01,
    noise_df: float = math.inf,
    icc: float = 0.1,
    gold_sd: float = 0.0,
    grid: float = 0.0,
    border: float = 0.03,
    box_side: float | None = None,
    rng: np.random.Generator | int | None = None,
) -> Simulation:
    """Draw a gold set and the work of annotators whose habits are known.

    Parameters
    ----------
    annotators : int, sequence of str, or mapping of str to habits
        How many clean ones, or their names, or names with one `Habit` or several; an empty list is
        a clean annotator, who has the noise and nothing else.
    n_images : int
        Images.
    boxes_per_image : float or (n_images,) array_like of int
        Mean of a Poisson number of objects, or the number on each image.
    categories : int, sequence of str, or mapping of str to float
        How many, their names, or names with weights.
    image_size : (2,) or (n_images, 2) array_like
        Width and height in pixels.
    overlap : int, optional
        How many annotators each image is given to, at random; all of them if not given.
    noise_px, noise_rel : float
        Scale of everybody's error on an edge, ``sqrt(noise_px² + (noise_rel * side)²)`` pixels.
    noise_df : float
        Degrees of freedom of that error (Student's t); infinity for the normal.
    icc : float
        Share of that error which all boxes of one annotator on one image have in common, from 0 up
        to, but not including, 1.
    gold_sd : float
        Standard deviation of the gold's own error on each edge, in pixels.
    grid : float
        Coordinate step of gold and work in pixels; 1 for whole numbers, 0 for none.
    border : float
        Share of the objects that touch the image border.
    box_side : float, optional
        Median side of an object in pixels; 8 % of the image's shorter side if not given.
    rng : Generator, int or None
        Seed or source of randomness.

    Returns
    -------
    Simulation

    Raises
    ------
    SpecError
        Where a parameter is out of its range.
    UnknownNameError
        Where a habit is limited to a category that does not exist.

    Notes
    -----
    The scene, the gold's error and each annotator draw from their own stream, so that planting a
    habit in one annotator leaves the scene and the other annotators as they were.

    Examples
    --------
    >>> made = simulate({"ann": [], "bob": Habit.loose("right", px=4)}, n_images=20, rng=1)
    >>> [(one.annotator, one.quantity, one.size, one.unit) for one in made.planted]
    [('bob', 'out_right', 4.0, 'px')]
    >>> len(made.work.annotator_ids), len(made.work.assigned)
    (2, 40)
    """
    habits = _habits(annotators)
    _check(n_images=n_images, overlap=overlap, n_annotators=len(habits))
    _check_ranges(noise_px=noise_px, noise_rel=noise_rel, gold_sd=gold_sd, grid=grid)
    if not (0 <= icc < 1 and noise_df > 0 and 0 <= border <= 1):
        what = "icc must be at least 0 and below 1, noise_df above 0, border between 0 and 1"
        raise SpecError(what, where="simulate", found=f"{icc=}, {noise_df=}, {border=}")
    source = np.random.default_rng(rng)
    for_scene, for_gold, for_deal, *for_annotators = source.spawn(3 + len(habits))
    scene = draw_scene(
        for_scene,
        n_images=n_images,
        boxes_per_image=boxes_per_image,
        categories=categories,
        image_size=image_size,
        border=border,
        side=box_side,
    )
    _check_names(habits, scene)
    noise = Noise(px=noise_px, rel=noise_rel, df=noise_df, icc=icc)
    asked = _deal(for_deal, n_images, len(habits), overlap)
    drawn = [
        annotate(scene, asked[k], planted, noise, grid, for_annotators[k])
        for k, planted in enumerate(habits.values())
    ]
    return Simulation(
        gold=_gold(scene, gold_sd, grid, for_gold),
        work=_work(scene, list(habits), asked, drawn),
        planted=PlantedHabits(
            record for name, many in habits.items() for one in many for record in one.planted(name)
        ),
        truth=scene.xyxy,
        origin=np.concatenate([one.origin for one in drawn]),
    )


def _habits(
    annotators: int | Sequence[str] | Mapping[str, Habits],
) -> dict[str, tuple[Habit, ...]]:
    """Names of the annotators with what they do wrong."""
    if isinstance(annotators, Mapping):
        named: dict[str, Any] = {
            str(name): (given,) if isinstance(given, Habit) else tuple(given)
            for name, given in annotators.items()
        }
    elif isinstance(annotators, int):
        digits = len(str(annotators))
        named = {f"annotator-{k:0{digits}d}": () for k in range(1, annotators + 1)}
    else:
        named = {str(name): () for name in annotators}
    wrong = [one for many in named.values() for one in many if not isinstance(one, Habit)]
    if not named or wrong:
        what = "annotators must be a number, names, or names with habits, at least one"
        raise SpecError(
            what,
            where="annotators",
            expected='3, ["ann", "bob"] or {"ann": [], "bob": [Habit.loose("right", px=4)]}',
            found=repr(wrong[0] if wrong else annotators),
        )
    return named


def _check(*, n_images: int, overlap: int | None, n_annotators: int) -> None:
    if n_images < 1:
        what = "a simulation needs at least one image"
        raise SpecError(what, where="n_images", found=repr(n_images))
    if overlap is not None and not 1 <= overlap <= n_annotators:
        what = "overlap says how many annotators each image is given to"
        raise SpecError(what, where="overlap", expected=f"1 to {n_annotators}", found=repr(overlap))


def _check_ranges(**sizes: float) -> None:
    for name, value in sizes.items():
        if not (math.isfinite(value) and value >= 0):
            what = f"{name} must be a finite number, 0 or above"
            raise SpecError(what, where=name, found=repr(value))


def _check_names(habits: Mapping[str, Sequence[Habit]], scene: Scene) -> None:
    """Refuse habits that speak of categories which do not exist."""
    known = [str(name) for name in scene.category_names]
    for name, many in habits.items():
        for habit in many:
            spoken = {c for true, drawn, _ in habit.confusion for c in (true, drawn)}
            for category in spoken | ({habit.category} - {None}):
                if category not in known:
                    raise UnknownNameError.among(
                        kind="category", name=category, choices=known, where=f"a habit of {name!r}"
                    )
            if habit.kind == "mislabelled" and len(known) < 2:
                what = "wrong labels need at least two categories"
                raise SpecError(what, where=f"a habit of {name!r}")


def _deal(
    rng: np.random.Generator, n_images: int, n_annotators: int, overlap: int | None
) -> list[Ints]:
    """Images each annotator is asked for, ascending."""
    everything = np.arange(n_images)
    if overlap is None or overlap == n_annotators:
        return [everything] * n_annotators
    chunk = max(1, DRAWS_AT_ONCE // n_annotators)
    parts = []
    for first in range(0, n_images, chunk):
        draws = rng.random((min(chunk, n_images - first), n_annotators))
        parts.append(np.argpartition(draws, overlap - 1, axis=1)[:, :overlap])
    chosen = np.concatenate(parts).ravel()
    image = np.repeat(everything, overlap)
    order = np.argsort(chosen, kind="stable")
    ends = np.cumsum(np.bincount(chosen, minlength=n_annotators))
    return np.split(image[order], ends[:-1])


def _gold(scene: Scene, sd: float, grid: float, rng: np.random.Generator) -> Dataset:
    """Make the reference: the scene with the gold's own error."""
    boxes = scene.xyxy
    if sd > 0:
        boxes = boxes + sd * rng.standard_normal(boxes.shape)
    if sd > 0 or grid > 0:
        sizes = np.stack(
            [scene.images.width[scene.image], scene.images.height[scene.image]], axis=1
        )
        boxes = finish_boxes(boxes, sizes, grid)
    everything = np.arange(len(scene.images))
    table = Annotations.build(
        image=scene.image,
        annotator=np.zeros(len(boxes), dtype=np.int64),
        category=scene.category,
        xyxy=boxes,
    )
    return _dataset(scene, table, ["gold"], [everything])


def _work(scene: Scene, names: list[str], asked: list[Ints], drawn: list[Drawn]) -> Dataset:
    """Make the work: what every annotator drew, one after another."""
    table = Annotations.build(
        image=np.concatenate([one.image for one in drawn]),
        annotator=np.repeat(np.arange(len(drawn)), [len(one) for one in drawn]),
        category=np.concatenate([one.category for one in drawn]),
        xyxy=np.concatenate([one.xyxy for one in drawn]),
    )
    return _dataset(scene, table, names, asked)


def _dataset(scene: Scene, table: Annotations, names: list[str], asked: list[Ints]) -> Dataset:
    n = len(table)
    who = np.repeat(np.arange(len(asked)), [len(images) for images in asked])
    return Dataset(
        table=table,
        image_table=scene.images,
        annotator_ids=ids_array(names),
        category_ids=np.arange(1, len(scene.category_names) + 1),
        category_names=scene.category_names,
        assigned=np.stack([who, np.concatenate(asked)], axis=1),
        sources=(Source(path="<simulated>", format="simulated", n_rows=n),),
        n_rows=n,
    )
