"""simulate: what one annotator draws, given the scene, their habits and the noise everybody has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.simulate.habits import OBJECT_SIZES
from annqc.simulate.scene import draw_boxes, ragged_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.simulate.habits import Habit, Kind
    from annqc.simulate.scene import Scene
    from annqc.tables import Bools, Floats, Ints

__all__ = ["Drawn", "Noise", "annotate", "finish_boxes"]

SMALLEST_SIDE = 1.0
"""Nobody draws a box thinner than this many pixels, or than the coordinate step."""
DUPLICATE_SHIFT = 0.03
"""Scale of the difference between the two drawings of a duplicate, as a share of the side."""
GROSS_SHIFT = 0.35
"""Scale of the shift of a gross error, as a share of the side."""
GROSS_STRETCH = 0.35
"""Standard deviation of the logarithm of the side of a gross error over the object's."""
SIGN = np.array([-1.0, -1.0, 1.0, 1.0])
"""Turns an outward move into a change of ``xyxy``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What everybody's edges are off by, at random.

    Attributes
    ----------
    px, rel : float
        Scale of an edge's error: ``sqrt(px² + (rel * side)²)``.
    df : float
        Degrees of freedom of Student's t; infinity for the normal.
    icc : float
        Share of the variance that all boxes of one annotator on one image have in common.
    """

    px: float
    rel: float
    df: float
    icc: float


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """Boxes of one annotator, sorted by image; ``origin`` is the object's row, -1 for none."""

    image: Ints
    category: Ints
    xyxy: Floats
    origin: Ints

    def __len__(self) -> int:
        return len(self.image)

    def take(self, rows: Ints | Bools) -> Drawn:
        """Return the given rows."""
        return Drawn(self.image[rows], self.category[rows], self.xyxy[rows], self.origin[rows])

    def plus(self, other: Drawn) -> Drawn:
        """Return these rows and others, sorted by image."""
        both = Drawn(
            np.concatenate([self.image, other.image]),
            np.concatenate([self.category, other.category]),
            np.concatenate([self.xyxy, other.xyxy]),
            np.concatenate([self.origin, other.origin]),
        )
        return both.take(np.argsort(both.image, kind="stable"))


def annotate(
    scene: Scene,
    asked: Ints,
    habits: Sequence[Habit],
    noise: Noise,
    grid: float,
    rng: np.random.Generator,
) -> Drawn:
    """Draw what one annotator draws on the images they were asked for.

    Parameters
    ----------
    scene : Scene
        What is really there.
    asked : (k,) int64
        Rows of the images, ascending.
    habits : sequence of Habit
        What they do wrong.
    noise : Noise
        What everybody does wrong.
    grid : float
        Coordinate step in pixels, 0 for none.
    rng : Generator
        Source of randomness.

    Notes
    -----
    Every step works on all boxes of the annotator at once. Order: misses, noise and offsets, gross
    errors, merges, splits, duplicates, labels, extras, and last the image border and the coordinate
    step.
    """
    rows, place = ragged_rows(scene.starts, asked)
    kept = np.ones(len(rows), dtype=bool)
    for habit in _of("missed", habits):
        kept &= ~_struck(scene, rows, habit, rng)
    rows, place = rows[kept], place[kept]
    boxes = scene.xyxy[rows] + _outward(scene, rows, place, len(asked), habits, noise, rng) * SIGN
    drawn = Drawn(scene.image[rows], scene.category[rows], _ordered(boxes, SMALLEST_SIDE), rows)
    for habit in _of("gross", habits):
        drawn = _misplace(drawn, _struck(scene, drawn.origin, habit, rng), rng)
    for habit in _of("merged", habits):
        drawn = _merge(drawn, _struck(scene, drawn.origin, habit, rng))
    for habit in _of("split", habits):
        drawn = _split(drawn, _struck(scene, drawn.origin, habit, rng))
    for habit in _of("duplicate", habits):
        drawn = _duplicate(drawn, _struck(scene, drawn.origin, habit, rng), rng)
    for habit in _of("mislabelled", habits):
        drawn = _relabel(scene, drawn, habit, rng)
    for habit in _of("spurious", habits):
        drawn = drawn.plus(_extras(scene, asked, habit, rng))
    for habit in _of("rounding", habits):
        grid = max(grid, habit.size)
    boxes = finish_boxes(drawn.xyxy, _image_sizes(scene, drawn.image), grid)
    return Drawn(drawn.image, drawn.category, boxes, drawn.origin)


def finish_boxes(xyxy: Floats, sizes: Floats, grid: float) -> Floats:
    """Keep boxes inside their image, on the coordinate grid, and at least one step wide.

    Parameters
    ----------
    xyxy : (n, 4) float64
        Boxes.
    sizes : (n, 2) float64
        Width and height of the image of each.
    grid : float
        Coordinate step in pixels, 0 for none.
    """
    both = np.concatenate([sizes, sizes], axis=1)
    inside = np.clip(_ordered(xyxy, SMALLEST_SIDE), 0.0, both)
    if grid > 0:
        inside = np.round(inside / grid) * grid
    least = grid if grid > 0 else SMALLEST_SIDE
    low = np.maximum(np.minimum(inside[:, :2], sizes - least), 0.0)
    if grid > 0:
        low = np.floor(low / grid + 1e-9) * grid
    return np.concatenate([low, np.maximum(inside[:, 2:], low + least)], axis=1)


def _of(kind: Kind, habits: Sequence[Habit]) -> list[Habit]:
    return [habit for habit in habits if habit.kind == kind]


def _image_sizes(scene: Scene, image: Ints) -> Floats:
    return np.stack([scene.images.width[image], scene.images.height[image]], axis=1)


def _ordered(xyxy: Floats, least: float) -> Floats:
    """Give boxes whose edges crossed the least side, around the middle of the two edges."""
    low, high = xyxy[:, :2], xyxy[:, 2:]
    crossed = high - low < least
    middle = 0.5 * (low + high)
    low = np.where(crossed, middle - 0.5 * least, low)
    return np.concatenate([low, np.where(crossed, middle + 0.5 * least, high)], axis=1)


def _concerned(scene: Scene, rows: Ints, habit: Habit) -> Bools:
    """Objects that a habit is about."""
    out = np.ones(len(rows), dtype=bool)
    if habit.category is not None:
        out &= scene.category[rows] == _code(scene, habit.category)
    if habit.object_size is not None:
        low, high = OBJECT_SIZES[habit.object_size]
        wh = scene.xyxy[rows, 2:] - scene.xyxy[rows, :2]
        area = wh[:, 0] * wh[:, 1]
        out &= (area >= low) & (area < high)
    return out


def _code(scene: Scene, name: str) -> int:
    return int(np.flatnonzero(scene.category_names == name)[0])


def _struck(scene: Scene, rows: Ints, habit: Habit, rng: np.random.Generator) -> Bools:
    """Objects that a habit with a rate strikes this time."""
    return _concerned(scene, rows, habit) & (rng.random(len(rows)) < habit.size)


def _outward(
    scene: Scene,
    rows: Ints,
    place: Ints,
    n_asked: int,
    habits: Sequence[Habit],
    noise: Noise,
    rng: np.random.Generator,
) -> Floats:
    """How far each edge is drawn outward of the true one: (n, 4) pixels."""
    wh = scene.xyxy[rows, 2:] - scene.xyxy[rows, :2]
    side = np.concatenate([wh, wh], axis=1)
    variance = noise.px**2 + (noise.rel * side) ** 2
    df = np.full(len(rows), noise.df)
    moved = np.zeros_like(side)
    for habit in habits:
        if habit.kind == "offset":
            unit = side if habit.unit == "rel" else np.ones_like(side)
            moved += np.where(_concerned(scene, rows, habit)[:, None], unit * habit.outward(), 0.0)
        elif habit.kind == "jitter":
            unit = side if habit.unit == "rel" else np.ones_like(side)
            added = (unit * habit.size) ** 2
            variance = variance + np.where(_concerned(scene, rows, habit)[:, None], added, 0.0)
        elif habit.kind == "tails":
            df = np.where(_concerned(scene, rows, habit), habit.size, df)
    error = _student(rng, df)
    if noise.icc > 0:
        shared = _student(rng, np.full(n_asked, noise.df))[place]
        error = np.sqrt(noise.icc) * shared + np.sqrt(1 - noise.icc) * error
    return np.asarray(moved + np.sqrt(variance) * error)


def _student(rng: np.random.Generator, df: Floats) -> Floats:
    """Draw four values a row from t with that row's degrees of freedom; infinity is the normal."""
    out = rng.standard_normal((len(df), 4))
    heavy = np.isfinite(df)
    if heavy.any():
        freedom = df[heavy][:, None]
        out[heavy] /= np.sqrt(rng.chisquare(freedom, (len(freedom), 4)) / freedom)
    return out


def _misplace(drawn: Drawn, struck: Bools, rng: np.random.Generator) -> Drawn:
    """Move and stretch struck boxes by a good part of their side."""
    boxes = drawn.xyxy.copy()
    low, high = boxes[struck, :2], boxes[struck, 2:]
    wh = high - low
    centre = 0.5 * (low + high) + GROSS_SHIFT * wh * rng.standard_normal(wh.shape)
    half = 0.5 * wh * np.exp(GROSS_STRETCH * rng.standard_normal(wh.shape))
    boxes[struck] = np.concatenate([centre - half, centre + half], axis=1)
    return Drawn(drawn.image, drawn.category, boxes, drawn.origin)


def _merge(drawn: Drawn, struck: Bools) -> Drawn:
    """Replace a struck box and its neighbour to the right in the image by the box around both."""
    order = np.lexsort((drawn.xyxy[:, 0], drawn.image))
    drawn, struck = drawn.take(order), struck[order]
    same = drawn.image[1:] == drawn.image[:-1]
    first = np.flatnonzero(struck[:-1] & same)
    # A box that was swallowed cannot swallow the next one: of a run keep every other one.
    run = np.cumsum(np.concatenate([[0], np.diff(first) != 1])) if len(first) else first
    begin = first[np.searchsorted(run, run)] if len(first) else first
    first = first[(first - begin) % 2 == 0]
    boxes = drawn.xyxy.copy()
    boxes[first, :2] = np.minimum(boxes[first, :2], boxes[first + 1, :2])
    boxes[first, 2:] = np.maximum(boxes[first, 2:], boxes[first + 1, 2:])
    kept = np.ones(len(drawn), dtype=bool)
    kept[first + 1] = False
    return Drawn(drawn.image, drawn.category, boxes, drawn.origin).take(kept)


def _split(drawn: Drawn, struck: Bools) -> Drawn:
    """Replace struck boxes by their two halves, cut across the longer side."""
    first, second = drawn.xyxy.copy(), drawn.xyxy[struck].copy()
    rows = np.flatnonzero(struck)
    axis = np.argmax(second[:, 2:] - second[:, :2], axis=1)
    at = np.arange(len(rows))
    middle = 0.5 * (second[at, axis] + second[at, axis + 2])
    first[rows, axis + 2] = middle
    second[at, axis] = middle
    halves = Drawn(drawn.image[struck], drawn.category[struck], second, drawn.origin[struck])
    return Drawn(drawn.image, drawn.category, first, drawn.origin).plus(halves)


def _duplicate(drawn: Drawn, struck: Bools, rng: np.random.Generator) -> Drawn:
    """Draw struck boxes a second time, a little differently."""
    again = drawn.take(struck)
    wh = again.xyxy[:, 2:] - again.xyxy[:, :2]
    change = DUPLICATE_SHIFT * np.concatenate([wh, wh], axis=1)
    boxes = _ordered(again.xyxy + change * rng.standard_normal(change.shape), SMALLEST_SIDE)
    return drawn.plus(Drawn(again.image, again.category, boxes, again.origin))


def _relabel(scene: Scene, drawn: Drawn, habit: Habit, rng: np.random.Generator) -> Drawn:
    """Give struck boxes another category."""
    category = drawn.category.copy()
    true = scene.category[drawn.origin]
    if habit.confusion:
        draw = rng.random(len(drawn))
        passed = np.zeros(len(drawn))
        concerned = _concerned(scene, drawn.origin, habit)
        for name, other, p in habit.confusion:
            here = concerned & (true == _code(scene, name))
            category[here & (draw >= passed) & (draw < passed + p)] = _code(scene, other)
            passed[here] += p
    else:
        struck = _struck(scene, drawn.origin, habit, rng)
        n = len(scene.category_names)
        step = rng.integers(1, n, len(drawn))
        category = np.where(struck, (true + step) % n, category)
    return Drawn(drawn.image, category, drawn.xyxy, drawn.origin)


def _extras(scene: Scene, asked: Ints, habit: Habit, rng: np.random.Generator) -> Drawn:
    """Draw boxes where nothing is, one for each struck object of the image."""
    rows, _ = ragged_rows(scene.starts, asked)
    struck = rows[_struck(scene, rows, habit, rng)]
    image = scene.image[struck]
    if habit.category is None:
        category = rng.choice(len(scene.category_names), len(image), p=scene.category_weights)
    else:
        category = np.full(len(image), _code(scene, habit.category))
    sizes = _image_sizes(scene, image)
    boxes = draw_boxes(rng, sizes, border=scene.border, side=scene.side)
    return Drawn(image, category, boxes, np.full(len(image), -1))
