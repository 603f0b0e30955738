"""simulate: outlines, drawn as polygons or painted as masks by annotators with planted habits.

``annqc.simulate.outlines(...)`` is to outlines what ``annqc.simulate(...)`` is to boxes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.geometry.masks import mask_boxes, paint
from annqc.geometry.polygons import bounding_boxes
from annqc.geometry.repair import normalise
from annqc.ids import ids_array
from annqc.shapes import Shapes
from annqc.simulate.contours import (
    Contours,
    draw_contours,
    facing_weight,
    resample,
    wobble,
)
from annqc.simulate.outline_habits import OutlineHabit, PlantedOutline
from annqc.simulate.scene import draw_scene
from annqc.tables import Annotations, Dataset, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.simulate.scene import Scene
    from annqc.tables import Array, Floats, Ints

__all__ = ["DrawnOutlines", "OutlineHabit", "PlantedOutline", "outlines"]

Drawing = Literal["polygon", "mask"]

ROOM: Final = 12.0
"""Objects stay this far from the image border, in pixels."""
ASPECT_SPREAD: Final = 0.3
"""Standard deviation of the logarithm of width over height."""
SPACING: Final = 6.0
"""Median distance of two vertices in pixels, where the limits on their number leave the choice."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class DrawnOutlines:
    """What `outlines` makes.

    Attributes
    ----------
    gold, work : Dataset
        The reference and what the annotators drew; their tables have ``shapes``.
    planted : tuple of PlantedOutline
        One record a habit.
    truth : (n, 4) float64
        Box of the true contour of each gold row.
    origin : (k,) int64
        The gold row that each row of the work is a drawing of.
    offsets : (k, 5) float64
        How far growth and moves displace the true contour of each row of the work, noise aside:
        the mean along the whole contour, and along what faces left, top, right and bottom (NaN
        where nothing does). What a measurement ought to find on average.
    """

    gold: Dataset
    work: Dataset
    planted: tuple[PlantedOutline, ...]
    truth: Floats
    origin: Ints
    offsets: Floats

    def __repr__(self) -> str:
        return (
            f"<annqc.simulate.DrawnOutlines: {len(self.gold)} gold outlines on "
            f"{len(self.gold.image_table)} images, "
            f"{len(self.work)} outlines by {len(self.work.annotator_ids)} annotators, "
            f"{len(self.planted)} planted>"
        )


def outlines(
    annotators: int | Sequence[str] | Mapping[str, Any] = 5,
    *,
    n_images: int = 100,
    objects_per_image: float | Sequence[int] | Array = 4.0,
    categories: int | Sequence[str] | Mapping[str, float] = 1,
    image_size: Sequence[float] | Array = (1280, 960),
    side: tuple[float, float] = (30.0, 300.0),
    roughness: float = 0.6,
    holes: float = 0.0,
    vertices: tuple[int, int] = (20, 80),
    drawn_as: Drawing = "polygon",
    noise_px: float = 1.0,
    noise_rel: float = 0.005,
    noise_length: float = 20.0,
    icc: float = 0.1,
    gold_sd: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> DrawnOutlines:
    """Draw a gold set of outlines and the work of annotators whose habits are known.

    Parameters
    ----------
    annotators : int, sequence of str, or mapping of str to habits
        How many clean ones, or their names, or names with one `OutlineHabit` or several.
    n_images : int
        Images.
    objects_per_image : float or (n_images,) array_like of int
        Mean of a Poisson number of objects, or the number on each image.
    categories, image_size
        As for `annqc.simulate.simulate`.
    side : (float, float)
        The geometric mean of an object's width and height is drawn between these, log-uniformly.
    roughness : float
        0 for ellipses; at 1 outlines have dents.
    holes : float
        Share of the objects with a hole.
    vertices : (int, int)
        Fewest and most vertices of a polygon; between them, one each six pixels or so.
    drawn_as : {"polygon", "mask"}
        Polygons, or masks painted on the canvas of their image.
    noise_px, noise_rel : float
        Scale of everybody's error, ``sqrt(noise_px² + (noise_rel * side)²)`` pixels along the
        normal.
    noise_length : float
        Correlation length of that error along the contour in pixels.
    icc : float
        Share of its variance that all objects of one annotator on one image have in common.
    gold_sd : float
        Scale of the gold's own error in pixels.
    rng : Generator, int or None
        Seed or source of randomness.

    Returns
    -------
    DrawnOutlines

    Raises
    ------
    SpecError
        Where a parameter is out of its range.

    Notes
    -----
    Every drawing, the gold's too, sets its own vertices on the contour it means. What gold and work
    lose on curves by that is the same on average. Objects keep clear of the image border.

    Examples
    --------
    >>> habits = {"ann": [], "bob": OutlineHabit.dilated(1.5)}
    >>> made = outlines(habits, n_images=10, rng=1)
    >>> [(one.annotator, one.quantity, one.size, one.unit) for one in made.planted]
    [('bob', 'contour', 1.5, 'px')]
    >>> made.gold.table.shapes.kind_names[0], len(made.work) == 2 * len(made.gold)
    ('polygon', True)
    """
    habits = _habits(annotators)
    _check(
        side=side,
        vertices=vertices,
        drawn_as=drawn_as,
        shares={"holes": holes, "icc": icc},
        sizes={
            "roughness": roughness,
            "noise_px": noise_px,
            "noise_rel": noise_rel,
            "noise_length": noise_length,
            "gold_sd": gold_sd,
        },
    )
    for_scene, for_gold, *for_annotators = np.random.default_rng(rng).spawn(2 + len(habits))
    scene = draw_scene(
        for_scene,
        n_images=n_images,
        boxes_per_image=objects_per_image,
        categories=categories,
        image_size=image_size,
        border=0.0,
        side=None,
    )
    centre, wh = _places(for_scene, scene, side)
    contours = draw_contours(for_scene, centre, wh, roughness=roughness, holes=holes)
    normals = contours.normals()
    hand = _Hand(scene, contours, normals, centre, wh, vertices, drawn_as)
    rest = {"length": noise_length, "icc": icc}
    still = np.zeros(contours.points.shape[:2])
    gold = hand.draw(for_gold, still, (), sd=np.full(len(wh), gold_sd), **rest)
    sd = np.sqrt(noise_px**2 + noise_rel**2 * wh.prod(axis=1))
    drawn, offsets = [], []
    for one, stream in zip(habits.values(), for_annotators, strict=True):
        pushed = _pushed(normals, one)
        drawn.append(hand.draw(stream, pushed, one, sd=sd, **rest))
        offsets.append(_by_side(contours, normals, pushed, len(wh)))
    return DrawnOutlines(
        gold=_dataset(scene, [gold], ["gold"]),
        work=_dataset(scene, drawn, list(habits)),
        planted=tuple(one.planted(name) for name, many in habits.items() for one in many),
        truth=np.hstack([centre - 0.5 * wh, centre + 0.5 * wh]),
        origin=np.tile(np.arange(len(wh)), len(habits)),
        offsets=np.concatenate(offsets),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Hand:
    """What all drawings of a scene have in common."""

    scene: Scene
    contours: Contours
    normals: Floats
    centre: Floats
    wh: Floats
    vertices: tuple[int, int]
    drawn_as: Drawing

    def draw(
        self,
        rng: np.random.Generator,
        pushed: Floats,
        habits: Sequence[OutlineHabit],
        *,
        sd: Floats,
        length: float,
        icc: float,
    ) -> Shapes:
        """Draw all objects: displace the contours, set vertices, turn, simplify, paint."""
        of = self.contours.of
        image = self.scene.image[of]
        noise = wobble(rng, self.contours, image, sd=sd[of], length=length, icc=icc)
        points = self.contours.points + self.normals * (pushed + noise)[..., None]
        for one in habits:
            if one.kind == "rotation":
                points = self._turned(points, np.radians(one.size) * rng.standard_normal(len(sd)))
        step = SPACING * np.exp(0.3 * rng.standard_normal(len(of)))
        wanted = self.contours.lengths().sum(axis=1) / step
        counts = np.clip(np.rint(wanted), *self.vertices).astype(np.int64)
        shapes = self._shapes(*resample(rng, points, counts))
        for one in habits:
            if one.kind == "simplification":
                shapes = _simplified(shapes, one.size)
        if self.drawn_as == "mask":
            images = self.scene.images
            size = np.stack([images.height, images.width], axis=1).astype(np.int64)
            shapes = paint(shapes, size[self.scene.image])
        return shapes

    def _turned(self, points: Floats, angle: Floats) -> Floats:
        of = self.contours.of
        cos, sin = np.cos(angle)[of, None], np.sin(angle)[of, None]
        middle = self.centre[of][:, None]
        x, y = np.moveaxis(points - middle, 2, 0)
        return np.asarray(np.stack([x * cos - y * sin, x * sin + y * cos], axis=2) + middle)

    def _shapes(self, points: Floats, offsets: Ints) -> Shapes:
        """Put the rings of each object together, holes the other way round."""
        of, hole = self.contours.of, self.contours.hole
        ring = np.repeat(np.arange(len(of)), np.diff(offsets))
        back = offsets[ring] + offsets[ring + 1] - 1 - np.arange(len(ring))
        points = points[np.where(hole[ring], back, np.arange(len(ring)))]
        order = np.lexsort((hole, of))
        rings = Shapes.from_ragged(points, offsets, np.arange(len(of) + 1)).take(order)
        bounds = np.searchsorted(of[order], np.arange(len(self.wh) + 1))
        made = Shapes.from_ragged(rings.points, rings.ring_offsets, bounds)
        return normalise(made, hole=hole[order])[0]


def _simplified(shapes: Shapes, px: float) -> Shapes:
    """Leave out vertices of every ring; what would not stay valid stays as it is."""
    import shapely

    ring = np.repeat(np.arange(len(shapes.ring_offsets) - 1), np.diff(shapes.ring_offsets))
    polygons = shapely.polygons(shapely.linearrings(shapes.points, indices=ring))
    points, of = shapely.get_coordinates(shapely.simplify(polygons, px), return_index=True)
    counts = np.bincount(of, minlength=len(polygons))
    ends = np.cumsum(counts)
    opened = np.delete(points, ends - 1, axis=0)
    offsets = np.concatenate([[0], ends - np.arange(1, len(ends) + 1)])
    return Shapes.from_ragged(opened, offsets, shapes.shape_offsets)


def _pushed(normals: Floats, habits: Sequence[OutlineHabit]) -> Floats:
    """How far habits displace each point of the contours along the normal."""
    out = np.zeros(normals.shape[:2])
    for one in habits:
        if one.kind == "growth":
            out += one.size
        elif one.kind == "move":
            out += one.size * facing_weight(normals, one.side)
    return out


def _by_side(contours: Contours, normals: Floats, pushed: Floats, n: int) -> Floats:
    """Mean displacement of each object, along the whole contour and what faces each side."""
    length = contours.lengths()
    across, down = normals[..., 0], normals[..., 1]
    sideways = np.abs(across) >= np.abs(down)
    parts = [
        np.ones_like(sideways),
        sideways & (across < 0),
        ~sideways & (down < 0),
        sideways & (across >= 0),
        ~sideways & (down >= 0),
    ]
    out = np.full((n, 5), np.nan)
    for k, part in enumerate(parts):
        weight = np.bincount(contours.of, (length * part).sum(axis=1), n)
        total = np.bincount(contours.of, (length * part * pushed).sum(axis=1), n)
        np.divide(total, weight, out=out[:, k], where=weight > 0)
    return out


def _places(
    rng: np.random.Generator, scene: Scene, side: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Draw the middle and the size of every object, clear of the image border."""
    n = len(scene.image)
    images = np.stack([scene.images.width, scene.images.height], axis=1)[scene.image]
    size = np.exp(rng.uniform(math.log(side[0]), math.log(side[1]), n))
    stretch = np.exp(0.5 * ASPECT_SPREAD * rng.standard_normal(n))
    wh = np.stack([size * stretch, size / stretch], axis=1)
    room = images - 2 * ROOM
    if n and (room < 1).any():
        what = "the images are too small for outlines"
        raise SpecError(what, where="image_size", expected=f"more than {2 * ROOM:g} px a side")
    wh = np.minimum(wh, room)
    low = ROOM + rng.random((n, 2)) * (room - wh)
    return low + 0.5 * wh, wh


def _dataset(scene: Scene, drawn: list[Shapes], names: list[str]) -> Dataset:
    n, who = len(scene.image), np.arange(len(drawn))
    shapes = Shapes.concat(drawn)
    xyxy = bounding_boxes(shapes)
    painted = ~np.isfinite(xyxy[:, 0])
    xyxy[painted] = mask_boxes(shapes)[painted]
    table = Annotations.build(
        image=np.tile(scene.image, len(drawn)),
        annotator=np.repeat(who, n),
        category=np.tile(scene.category, len(drawn)),
        xyxy=xyxy,
        shapes=shapes,
    )
    m = len(scene.images)
    return Dataset(
        table=table,
        image_table=scene.images,
        annotator_ids=ids_array(names),
        category_ids=np.arange(1, len(scene.category_names) + 1),
        category_names=scene.category_names,
        assigned=np.stack([np.repeat(who, m), np.tile(np.arange(m), len(drawn))], axis=1),
        sources=(Source(path="<simulated>", format="simulated", n_rows=len(table)),),
        n_rows=len(table),
    )


def _habits(
    annotators: int | Sequence[str] | Mapping[str, Any],
) -> dict[str, tuple[OutlineHabit, ...]]:
    """Names of the annotators with what they do wrong."""
    named: dict[str, Any]
    if isinstance(annotators, int):
        digits = len(str(annotators))
        named = {f"annotator-{k:0{digits}d}": () for k in range(1, annotators + 1)}
    elif isinstance(annotators, Mapping):
        named = {
            str(name): (given,) if isinstance(given, OutlineHabit) else tuple(given)
            for name, given in annotators.items()
        }
    else:
        named = {str(name): () for name in annotators}
    wrong = [one for many in named.values() for one in many if not isinstance(one, OutlineHabit)]
    if not named or wrong:
        what = "annotators must be a number, names, or names with habits, at least one"
        raise SpecError(
            what,
            where="annotators",
            expected='3, ["ann", "bob"] or {"ann": [], "bob": [OutlineHabit.dilated(1.5)]}',
            found=repr(wrong[0] if wrong else annotators),
        )
    return named


def _check(
    *,
    side: tuple[float, float],
    vertices: tuple[int, int],
    drawn_as: str,
    shares: Mapping[str, float],
    sizes: Mapping[str, float],
) -> None:
    if drawn_as not in {"polygon", "mask"}:
        raise UnknownNameError.among(kind="drawing", name=drawn_as, choices=("polygon", "mask"))
    if not (8 <= side[0] <= side[1] < math.inf and 3 <= vertices[0] <= vertices[1]):
        what = "sides are from 8 px on, polygons have 3 vertices or more, the smaller number first"
        raise SpecError(what, where="outlines", found=f"{side=}, {vertices=}")
    for name, value in sizes.items():
        if not (math.isfinite(value) and value >= 0):
            what = f"{name} must be a finite number, 0 or above"
            raise SpecError(what, where=name, found=repr(value))
    for name, value in shares.items():
        if not 0 <= value < 1:
            what = f"{name} must be at least 0 and below 1"
            raise SpecError(what, where=name, found=repr(value))
