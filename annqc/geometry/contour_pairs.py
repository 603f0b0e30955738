"""Pairs of contours: how far they lie apart, and in which direction. Vectors to the end, no pixels.

Stands beside the way read -> match -> measure -> infer -> judge -> report. Takes what
`annqc.geometry.polygon_pairs` takes. The contour of a shape is that of all its rings, holes too.
Each segment is cut into equal pieces of at most ``step`` pixels; the middle of a piece is a sample
that stands for the length of its piece. Its distance is that to the nearest segment of the other
contour, exactly, so that the step matters for the sums alone: their error falls with its square,
that of lengths within a tolerance and of percentiles with the step itself. On 690 outlines of COCO
a step of 1 px is off by 0.0006 px in the mean distance (at most 0.006), by 0.001 in the surface
Dice (at most 0.009) and by 0.006 px in the 95th percentile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.errors import AnnqcError
from annqc.geometry.polygon_pairs import check_pairs
from annqc.geometry.polygons import centroids, perimeters, vertex_counts
from annqc.kernels import contours
from annqc.kernels._jit import Engine, check_engine, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.tables import Shapes

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = [
    "QUADRANTS",
    "SIDES",
    "ContourDistances",
    "ContourOffsets",
    "contour_distances",
    "contour_offsets",
]

SIDES: Final = ("left", "top", "right", "bottom")
QUADRANTS: Final = ("top_left", "top_right", "bottom_left", "bottom_right")

SAVED_PER_SAMPLE: Final = 8e-7
"""Seconds that the kernel saves over shapely on a sample, measured."""

MOST_SAMPLES: Final = 1 << 22
"""On a longer contour the step grows, so that memory stays bounded."""

ROUNDING: Final = 1e-12
"""What sums of lengths may differ by, as a share."""


class ContourDistances(NamedTuple):
    """How far apart paired contours are, in pixels.

    d(p) is the distance from a point of one contour to the nearest point of the other.

    Attributes
    ----------
    to_candidate, to_reference : (n,) float64
        Mean of d along the reference, and along the candidate, by length.
    assd : (n,) float64
        Average symmetric surface distance: mean of d along both contours, by length.
    mean_of_means : (n,) float64
        ``(to_candidate + to_reference) / 2``: both contours weigh the same, however long.
    hd : (n,) float64
        Hausdorff distance: the largest d from either side, over all samples and vertices.
    hd_percentile : (n,) float64
        The larger of the two percentiles of d, each along one contour, by length. The percentile is
        the smallest distance within which that share of the length lies.
    hd_percentile_pooled : (n,) float64
        The percentile of d along both contours together.
    nsd : (n, m) float64
        Normalised surface Dice: the share of the length of both contours where d is at most the
        tolerance, one column a tolerance.
    length : (n, 2) float64
        Lengths of the reference contour and of the candidate contour.
    """

    to_candidate: Floats
    to_reference: Floats
    assd: Floats
    mean_of_means: Floats
    hd: Floats
    hd_percentile: Floats
    hd_percentile_pooled: Floats
    nsd: Floats
    length: Floats


class ContourOffsets(NamedTuple):
    """Signed distances from the reference contour to the candidate's, in pixels.

    Positive where the candidate reaches beyond the reference (dilated), negative where it falls
    short (eroded).

    Attributes
    ----------
    whole : (n,) float64
        Mean along the whole contour, by length.
    sides : (n, 4) float64
        Mean along what looks to the left, top, right, bottom: `SIDES`. Right is where the outward
        normal is within 45 degrees of the x axis, left within 45 degrees of its opposite.
    quadrants : (n, 4) float64
        Mean by quadrant around the centre of area of the reference: `QUADRANTS`.
    length : (n, 9) float64
        Length of the reference contour behind each: whole, sides, quadrants.
    """

    whole: Floats
    sides: Floats
    quadrants: Floats
    length: Floats


def contour_distances(
    reference: Shapes,
    candidate: Shapes,
    left: Ints,
    right: Ints,
    *,
    step: float = 1.0,
    tolerances: Sequence[float] = (2.0,),
    percentile: float = 95.0,
    engine: Engine = "auto",
) -> ContourDistances:
    """Return the distances between the contours of paired polygons, from both sides.

    Parameters
    ----------
    reference, candidate : Shapes
        Polygons in normal form.
    left, right : (n,) int64
        Pair i is row ``left[i]`` of ``reference`` with row ``right[i]`` of ``candidate``.
    step : float, optional
        The longest piece of contour that one sample stands for, in pixels. It grows on contours
        of more than 4 million steps.
    tolerances : sequence of float, optional
        Tolerances of the surface Dice in pixels.
    percentile : float, optional
        Which percentile, between 0 and 100.
    engine : {"auto", "numpy", "numba"}, optional
        ``numpy`` goes through shapely, ``numba`` through the kernel; both give equal results.

    Returns
    -------
    ContourDistances
        One row a pair; NaN where one of the two has no polygon.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> gold = Shapes.from_rings([[[[0, 0], [40, 0], [40, 40], [0, 40]]]])
    >>> work = Shapes.from_rings([[[[0, 0], [43, 0], [43, 40], [0, 40]]]])
    >>> found = contour_distances(gold, work, np.array([0]), np.array([0]))
    >>> found.hd.tolist(), found.assd.round(3).tolist(), found.nsd.round(3).tolist()
    ([3.0], [0.736], [[0.761]])
    """
    check_engine(engine)
    if not 0 <= percentile <= 100:
        what = "a percentile lies between 0 and 100"
        raise AnnqcError(what, found=repr(percentile))
    pairs = _Pairs(reference, candidate, left, right, step)
    taus = np.asarray(tolerances, dtype=np.float64).reshape(-1)
    share = percentile / 100
    if pairs.use_kernel(engine):
        directed, pooled = contours.distances(*pairs.arrays, pairs.steps, taus, share)
    else:
        from annqc.geometry import _shapely_pairs

        directed, pooled = _shapely_pairs.distances(*pairs.shapes, pairs.steps, taus, share)
    length, total, largest, quantile = np.moveaxis(directed[:, :, :4], 2, 0)
    mean = total / length
    both = length.sum(axis=1)
    within = directed[:, :, 4:].sum(axis=1) / both[:, None]
    # The whole, added up in another order, may differ from itself by a rounding error.
    within = np.where(np.abs(within - 1) <= ROUNDING, 1.0, within)
    return ContourDistances(
        pairs.spread(mean[:, 0]),
        pairs.spread(mean[:, 1]),
        pairs.spread(total.sum(axis=1) / both),
        pairs.spread(mean.mean(axis=1)),
        pairs.spread(largest.max(axis=1)),
        pairs.spread(quantile.max(axis=1)),
        pairs.spread(pooled),
        pairs.spread(within),
        pairs.spread(length),
    )


def contour_offsets(
    reference: Shapes,
    candidate: Shapes,
    left: Ints,
    right: Ints,
    *,
    step: float = 1.0,
    symmetric: bool = True,
    least_length: float = 5.0,
    image_size: Floats | None = None,
    border: float = 2.0,
    engine: Engine = "auto",
) -> ContourOffsets:
    """Return the signed offset of the candidate contour: overall, by side and by quadrant.

    Parameters
    ----------
    reference, candidate : Shapes
        Polygons in normal form.
    left, right : (n,) int64
        Pair i is row ``left[i]`` of ``reference`` with row ``right[i]`` of ``candidate``.
    step : float, optional
        The longest piece of contour that one sample stands for, in pixels.
    symmetric : bool, optional
        Whether the candidate contour is walked along too, its distances to the reference negated
        where they lie within it, and both put together by length. Corners then bias less.
    least_length : float, optional
        A side or quadrant with less reference contour than this, in pixels, is NaN.
    image_size : (n, 2) float64, optional
        Width and height of the image of each pair, NaN where unknown. Samples within ``border`` of
        its border are left out: there the image cuts shapes off.
    border : float, optional
        Width of the strip along the image border, in pixels.
    engine : {"auto", "numpy", "numba"}, optional
        ``numpy`` goes through shapely, ``numba`` through the kernel; both give equal results.

    Returns
    -------
    ContourOffsets
        One row a pair; NaN where one of the two has no polygon.

    Notes
    -----
    The offset of a sample is its distance to the nearest point of the other contour, positive where
    the sample lies within the other shape. So a side that is moved outward by o reads o but for
    the stretch o next to its ends, where the neighbouring side is nearer: a straight side of
    length L loses about ``o ** 2 / L`` there, and half of that with ``symmetric``.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> gold = Shapes.from_rings([[[[0, 0], [200, 0], [200, 200], [0, 200]]]])
    >>> work = Shapes.from_rings([[[[0, 0], [202, 0], [202, 200], [0, 200]]]])
    >>> found = contour_offsets(gold, work, np.array([0]), np.array([0]))
    >>> dict(zip(SIDES, (found.sides[0].round(2) + 0.0).tolist()))
    {'left': 0.0, 'top': 0.0, 'right': 1.99, 'bottom': 0.0}
    """
    check_engine(engine)
    pairs = _Pairs(reference, candidate, left, right, step)
    steps = pairs.steps if symmetric else pairs.steps * [[1.0], [0.0]]
    centre = centroids(reference)[pairs.left]
    window = np.tile([-np.inf, -np.inf, np.inf, np.inf], (len(pairs.rows), 1))
    if image_size is not None:
        size = np.asarray(image_size, dtype=np.float64).reshape(-1, 2)[pairs.rows]
        known = np.isfinite(size).all(axis=1)
        window[known] = np.hstack([np.full_like(size, border), size - border])[known]
    if pairs.use_kernel(engine):
        sums = contours.offsets(*pairs.arrays, steps, centre, window)
    else:
        from annqc.geometry import _shapely_pairs

        sums = _shapely_pairs.offsets(*pairs.shapes, steps, centre, window)
    length = sums[:, 0, :, 1]
    total, weight = np.moveaxis(sums.sum(axis=1), 2, 0)
    mean = np.full(length.shape, np.nan)
    np.divide(total, weight, out=mean, where=(length >= least_length) & (weight > 0))
    spread = pairs.spread(mean)
    return ContourOffsets(spread[:, 0], spread[:, 1:5], spread[:, 5:], pairs.spread(length))


class _Pairs:
    """The pairs that have a contour on both sides, and how finely each is walked along."""

    def __init__(
        self, reference: Shapes, candidate: Shapes, left: Ints, right: Ints, step: float
    ) -> None:
        if not step > 0:
            what = "the step along a contour is above 0 px"
            raise AnnqcError(what, found=repr(step))
        rows = check_pairs(reference, candidate, left, right)
        self.n = len(rows[0])
        long, other = perimeters(reference), perimeters(candidate)
        sound = np.isfinite(long) & (long > 1e-9), np.isfinite(other) & (other > 1e-9)
        self.rows = np.flatnonzero(sound[0][rows[0]] & sound[1][rows[1]])
        self.left, self.right = rows[0][self.rows], rows[1][self.rows]
        length = np.stack([long[self.left], other[self.right]])
        self.steps = np.maximum(step, length / MOST_SAMPLES)
        self.shapes = reference, candidate, self.left, self.right
        n_samples = _at_most(reference, long, step), _at_most(candidate, other, step)
        self.n_samples = float(n_samples[0][self.left].sum() + n_samples[1][self.right].sum())
        self.arrays = (
            *(reference.points, reference.ring_offsets, reference.shape_offsets, n_samples[0]),
            *(candidate.points, candidate.ring_offsets, candidate.shape_offsets, n_samples[1]),
            *(self.left, self.right),
        )

    def use_kernel(self, engine: Engine) -> bool:
        """Whether the work goes to the kernel."""
        return compiled(engine, saved_seconds=self.n_samples * SAVED_PER_SAMPLE)

    def spread(self, values: Floats) -> Floats:
        """Put the values of the pairs in their places, NaN elsewhere."""
        out = np.full((self.n, *values.shape[1:]), np.nan)
        out[self.rows] = values
        return out


def _at_most(shapes: Shapes, length: Floats, step: float) -> Ints:
    """Return a number that the samples and vertices of each contour do not exceed."""
    pieces = np.minimum(np.nan_to_num(length, posinf=0.0) / step, MOST_SAMPLES)
    return pieces.astype(np.int64) + 2 * vertex_counts(shapes) + 2
