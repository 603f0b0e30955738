"""simulate: true contours as dense rings, and how somebody draws them. Arrays alone.

A ring is `DENSE` points, the same number for every ring, so that all rings of a scene are one array
(r, `DENSE`, 2). It is star-shaped and smooth. What somebody does wrong is a displacement of every
point along the outward normal, so that its mean over any part of the contour is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Bools, Floats, Ints

__all__ = ["DENSE", "Contours", "draw_contours", "facing_weight", "resample", "wobble"]

DENSE: Final = 256
"""Points of a ring."""
HARMONICS: Final = 24
"""Waves along a ring that noise is made of."""
LOBES: Final = (2, 3, 4, 5, 6, 7)
"""Waves of the radius that a shape is made of."""
HOLE_SIZE: Final = (0.25, 0.45)
"""Side of a hole as a share of the object's."""
TAPER: Final = 15.0
"""Degrees over which a one-sided move fades out beyond the side."""
SIDE_ANGLES: Final = {"right": 0.0, "bottom": 0.5 * np.pi, "left": np.pi, "top": 1.5 * np.pi}
"""Where the outward normal of each side points: x right, y down."""


@dataclass(frozen=True, eq=False, slots=True)
class Contours:
    """Rings of n objects, holes behind the outer rings of all objects.

    Attributes
    ----------
    points : (r, DENSE, 2) float64
        Clockwise on screen, holes too.
    of : (r,) int64
        The object of each ring.
    hole : (r,) bool
        Which rings are holes.
    """

    points: Floats
    of: Ints
    hole: Bools

    def take(self, rings: Ints | Bools) -> Contours:
        """Return some of the rings."""
        return Contours(self.points[rings], self.of[rings], self.hole[rings])

    def normals(self) -> Floats:
        """Return the unit normals that point out of the object: into its holes."""
        along = np.roll(self.points, -1, axis=1) - np.roll(self.points, 1, axis=1)
        along /= np.hypot(along[..., 0], along[..., 1])[..., None]
        out = np.stack([along[..., 1], -along[..., 0]], axis=2)
        return np.where(self.hole[:, None, None], -out, out)

    def lengths(self) -> Floats:
        """Return the length of contour that each point stands for, (r, DENSE)."""
        step = np.roll(self.points, -1, axis=1) - self.points
        ahead = np.hypot(step[..., 0], step[..., 1])
        return np.asarray(0.5 * (ahead + np.roll(ahead, 1, axis=1)))


def draw_contours(
    rng: np.random.Generator, centre: Floats, wh: Floats, *, roughness: float, holes: float
) -> Contours:
    """Draw one smooth star-shaped outline an object, some with a hole.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    centre, wh : (n, 2) float64
        Middle, width and height of the box of each object.
    roughness : float
        0 for ellipses; at 1 outlines have dents.
    holes : float
        Share of the objects that have a hole.
    """
    n = len(centre)
    pierced = np.flatnonzero(rng.random(n) < holes)
    share = rng.uniform(*HOLE_SIZE, len(pierced))
    of = np.concatenate([np.arange(n), pierced])
    size = np.concatenate([wh, wh[pierced] * share[:, None]])
    turn = 2 * np.pi * np.arange(DENSE) / DENSE
    lobes = np.array(LOBES)
    depth = roughness * 0.3 * rng.random((len(of), len(lobes))) / lobes**1.5
    phase = rng.uniform(0, 2 * np.pi, depth.shape)
    real, imaginary = depth * np.cos(phase), depth * np.sin(phase)
    waves = lobes[:, None] * turn
    radius = 1.0 + real @ np.cos(waves) - imaginary @ np.sin(waves)
    points = radius[..., None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    low, high = points.min(axis=1), points.max(axis=1)
    points = (points - 0.5 * (low + high)[:, None]) * (size / (high - low))[:, None]
    return Contours(points + centre[of][:, None], of, np.arange(len(of)) >= n)


def facing_weight(normals: Floats, side: str) -> Floats:
    """Return 1 where a contour faces a side, within 45 degrees, and fade to 0 beyond.

    Parameters
    ----------
    normals : (..., 2) float64
        Outward unit normals.
    side : {"left", "top", "right", "bottom"}
        Which side.

    Examples
    --------
    >>> facing_weight(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]), "right").round(2).tolist()
    [1.0, 0.0, 0.44]
    """
    at = SIDE_ANGLES[side]
    straight = normals[..., 0] * np.cos(at) + normals[..., 1] * np.sin(at)
    away = np.degrees(np.arccos(np.clip(straight, -1.0, 1.0)))
    part = np.clip((away - 45.0) / TAPER, 0.0, 1.0)
    return np.asarray(1.0 - part * part * (3.0 - 2.0 * part))


def wobble(
    rng: np.random.Generator,
    contours: Contours,
    image: Ints,
    *,
    sd: Floats,
    length: float,
    icc: float,
) -> Floats:
    """Draw how far off the hand is at each point: smooth along the contour, alike on an image.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    contours : Contours
        The true contours.
    image : (r,) int64
        Image of each ring.
    sd : (r,) float64
        Scale in pixels.
    length : float
        Correlation length along the contour, in pixels.
    icc : float
        Share of the variance that all contours of an image have in common, as a function of the
        direction they face.

    Returns
    -------
    (r, DENSE) float64
        Displacements along the outward normal, of mean zero.
    """
    n = len(contours.of)
    total = contours.lengths().sum(axis=1)
    k = np.arange(HARMONICS + 1)
    power = np.exp(-0.5 * (2 * np.pi * k * length / total[:, None]) ** 2)
    power[:, 0] *= 0.5  # one wave of length zero, where the others have a sine and a cosine
    amplitude = np.sqrt(power / power.sum(axis=1, keepdims=True))
    waves = 2 * np.pi * k[:, None] * np.arange(DENSE) / DENSE
    sines, cosines = (amplitude * rng.standard_normal((n, len(k))) for _ in range(2))
    own = sines @ np.sin(waves) + cosines @ np.cos(waves)
    if icc == 0:
        return np.asarray(sd[:, None] * own)
    rows, place = np.unique(image, return_inverse=True)
    hand = rng.standard_normal((len(rows), 3))[place] / np.sqrt([3.0, 1.5, 1.5])
    normals = contours.normals()
    shared = hand[:, :1] + (normals * hand[:, None, 1:]).sum(axis=2)
    return np.asarray(sd[:, None] * (np.sqrt(icc) * shared + np.sqrt(1 - icc) * own))


def resample(
    rng: np.random.Generator, points: Floats, counts: Ints
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Set vertices along rings, about evenly, from a random start.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    points : (r, DENSE, 2) float64
        Rings.
    counts : (r,) int64
        Vertices of each.

    Returns
    -------
    vertices : (p, 2) float64
        All vertices, ring by ring.
    offsets : (r + 1,) int64
        Where each ring begins.
    """
    n, m = points.shape[:2]
    closed = np.concatenate([points, points[:, :1]], axis=1)
    step = np.diff(closed, axis=1)
    way = np.zeros((n, m + 1))
    np.cumsum(np.hypot(step[..., 0], step[..., 1]), axis=1, out=way[:, 1:])
    way /= way[:, -1:]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ring = np.repeat(np.arange(n), counts)
    number = np.arange(offsets[-1]) - offsets[ring]
    jitter, start = 0.6 * (rng.random(len(ring)) - 0.5), rng.random(len(counts))
    at = (number + jitter + start[ring]) / counts[ring]
    if not n:
        return np.empty((0, 2)), offsets
    # Ring j lies between 2 j and 2 j + 1, so that one call looks up the places of all rings.
    wanted = 2.0 * ring + at % 1.0
    known = (2.0 * np.arange(n)[:, None] + way).ravel()
    vertices = np.stack(
        [np.interp(wanted, known, closed[..., axis].ravel()) for axis in (0, 1)], axis=1
    )
    order = np.lexsort((at % 1.0, ring))
    return vertices[order], offsets
