"""What comparing paired masks gives: an array a quantity, a row a pair, and why one is missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Codes = npt.NDArray[np.int8]

__all__ = [
    "BoundaryIou",
    "ContourOffsets",
    "Direction",
    "MaskOverlap",
    "MaskStatus",
    "SurfaceDistances",
    "ratio_of",
]


def ratio_of(part: Any, whole: Any) -> Floats:
    """Divide arrays, NaN where the whole is nothing.

    Parameters
    ----------
    part, whole : array_like
        Numbers that can be broadcast against each other.

    Examples
    --------
    >>> ratio_of(np.array([1, 0]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    some = np.asarray(whole, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: Floats = np.where(some > 0, part / some, np.nan)
    return quotient


class MaskStatus(IntEnum):
    """Why a pair of masks has no value, or an infinite one."""

    OK = 0
    REFERENCE_EMPTY = 1
    CANDIDATE_EMPTY = 2
    BOTH_EMPTY = 3
    OTHER_CANVAS = 4


class MaskOverlap(NamedTuple):
    """What paired masks share.

    Attributes
    ----------
    inter, reference_area, candidate_area : (m,) int64
        Pixels; ``inter`` is 0 where the canvases differ.
    iou : (m,) float64
        Intersection over union; over the candidate's area where the reference is a crowd.
    dice : (m,) float64
        Twice the intersection over the sum of both areas.
    coverage, purity : (m,) float64
        The part of the reference that is covered, and the part of the candidate that covers it.
    status : (m,) int8
        A `MaskStatus` each.
    """

    inter: Ints
    reference_area: Ints
    candidate_area: Ints
    iou: Floats
    dice: Floats
    coverage: Floats
    purity: Floats
    status: Codes


class BoundaryIou(NamedTuple):
    """How well the bands along the outlines of paired masks agree.

    Attributes
    ----------
    iou : (m,) float64
        Boundary IoU.
    inter, reference_band, candidate_band : (m,) int64
        Pixels of both bands, and of each.
    status : (m,) int8
        A `MaskStatus` each.
    """

    iou: Floats
    inter: Ints
    reference_band: Ints
    candidate_band: Ints
    status: Codes


class Direction(NamedTuple):
    """Distances from every element of one border to the other border, summed up.

    Attributes
    ----------
    length : (m,) float64
        Elements of the border, or their length.
    total : (m,) float64
        Sum of the distances, weighted by length.
    largest, quantile : (m,) float64
        The largest distance, and a quantile.
    near : (m,) float64
        Length of what lies within the tolerance.
    """

    length: Floats
    total: Floats
    largest: Floats
    quantile: Floats
    near: Floats

    @property
    def mean(self) -> Floats:
        """The mean distance in this direction, NaN where the border is empty."""
        return ratio_of(self.total, self.length)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SurfaceDistances:
    """Distances between the borders of paired masks.

    Attributes
    ----------
    from_reference, from_candidate : Direction
        From each side's border to the other's.
    pooled : (m,) float64
        The quantile over both directions together; NaN unless asked for.
    status : (m,) int8
        A `MaskStatus` each. Where one mask is empty, distances are infinite and `nsd` is 0; where
        both are, everything is NaN.
    """

    from_reference: Direction
    from_candidate: Direction
    pooled: Floats
    status: Codes

    @property
    def assd(self) -> Floats:
        """Average symmetric surface distance: the mean over both borders together (MONAI)."""
        one, two = self.from_reference, self.from_candidate
        return ratio_of(one.total + two.total, one.length + two.length)

    @property
    def mean_of_means(self) -> Floats:
        """The mean of both directions' means (MedPy's assd); NaN where a mask is empty."""
        mean: Floats = (self.from_reference.mean + self.from_candidate.mean) / 2
        return mean

    @property
    def hd(self) -> Floats:
        """Hausdorff distance: the larger of both directions' largest distances."""
        return self._larger(self.from_reference.largest, self.from_candidate.largest)

    @property
    def robust_hd(self) -> Floats:
        """HD95, or another quantile: the larger of both directions', or the pooled one."""
        larger = self._larger(self.from_reference.quantile, self.from_candidate.quantile)
        return np.where(np.isnan(self.pooled), larger, self.pooled)

    @property
    def nsd(self) -> Floats:
        """Normalised surface distance, or surface Dice: the part of both borders that is near."""
        one, two = self.from_reference, self.from_candidate
        return ratio_of(one.near + two.near, one.length + two.length)

    def _larger(self, one: Floats, two: Floats) -> Floats:
        larger: Floats = np.fmax(one, two)
        return np.where(self.from_reference.length + self.from_candidate.length > 0, larger, np.nan)


class ContourOffsets(NamedTuple):
    """Signed offsets of the candidate's outline along that of the reference.

    Attributes
    ----------
    offset : (m, 9) float64
        Mean offset in pixels, positive where the candidate is loose, in each of `SECTORS` of
        `annqc.kernels.surfaces`: all of the outline; the sides left, top, right, bottom, by the
        way the reference's outline faces; the quarters about its centre of gravity, top left, top
        right, bottom right, bottom left. NaN for a side or a quarter of fewer than five pixels.
    total : (m, 9) float64
        Sums of the offsets, which can be merged.
    pixels : (m, 9) int64
        How many border pixels of the reference each is over; by the method ``outlines`` the length
        of its outline, rounded.
    left_out : (m,) int64
        Border pixels of the reference that the candidate has no outline for: it is empty, or
        covers the whole canvas.
    status : (m,) int8
        A `MaskStatus` each.
    """

    offset: Floats
    total: Floats
    pixels: Ints
    left_out: Ints
    status: Codes
