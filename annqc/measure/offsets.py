"""measure: signed offsets of paired boxes, with the cross-axis gate and the border rule.

An offset is candidate minus reference in the outward direction: positive is loose, negative is
tight. A pair is judged on one axis only if it agrees on the *other* one; a gate by the full IoU
would cut off exactly the offsets that are to be measured, and invent looseness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.ids import encode
from annqc.measure.tolerance import Tolerance
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Bools, Floats, Images, Ints

__all__ = [
    "AXIS",
    "BORDER_PX",
    "MARGIN",
    "Measurements",
    "clusters",
    "clusters_of_drawn",
    "clusters_of_images",
    "iou_1d",
    "measure",
    "offsets",
    "units_of_evidence",
]

BORDER_PX: Final = 2.0
"""An edge this close to the image border says nothing about the annotator."""

AXIS: Final = np.array([0, 1, 0, 1, 0, 1, 0, 1])
"""Axis of each quantity: 0 horizontal (left, right, dx, dw), 1 vertical."""

MARGIN: Final = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
"""Margin of each quantity in tolerance units; growth adds up two edges."""

GRID_STEP: Final = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0])
"""Step of each quantity where coordinates are whole pixels; a centre moves by halves."""

_FROM_EDGES: Final = np.array(
    [
        [1, 0, 0, 0, -0.5, 0, 1, 0],
        [0, 1, 0, 0, 0, -0.5, 0, 1],
        [0, 0, 1, 0, 0.5, 0, 1, 0],
        [0, 0, 0, 1, 0, 0.5, 0, 1],
    ]
)


def offsets(reference: Floats, candidate: Floats) -> Floats:
    """Signed outward edge offsets of paired boxes.

    Parameters
    ----------
    reference, candidate : (n, 4) float64
        Boxes, ``xyxy``, pixels.

    Returns
    -------
    (n, 4) float64
        ``out_left, out_top, out_right, out_bottom``; positive is loose.

    Examples
    --------
    >>> import numpy as np
    >>> offsets(np.array([[10., 10, 20, 30]]), np.array([[8., 11, 20, 33]])).tolist()
    [[2.0, -1.0, 0.0, 3.0]]
    """
    difference = candidate - reference
    difference[:, :2] *= -1.0
    return difference


def iou_1d(a: Floats, b: Floats, length: Floats) -> Floats:
    """Overlap of two intervals along one axis, from the outward offsets of both ends.

    Parameters
    ----------
    a, b : (n,) float64
        Outward offsets of the two ends.
    length : (n,) float64
        Length of the reference interval.

    Returns
    -------
    (n,) float64
        ``inter = max(0, L + min(a, 0) + min(b, 0))``; ``inter / (L + max(0, L + a + b) - inter)``.
    """
    inter = np.maximum(0.0, length + np.minimum(a, 0.0) + np.minimum(b, 0.0))
    return inter / (length + np.maximum(0.0, length + a + b) - inter)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Measurements:
    """One row a pair that may enter the offset tests.

    Attributes
    ----------
    reference, candidate : (n,) int64
        Rows of the reference's and the candidate's annotations.
    annotator, cluster : (n,) int64
        Who drew it, and the image (or track) it belongs to.
    edges : (n, 4) float64
        Outward offsets in pixels.
    sides : (n, 2) float64
        Width and height of the reference.
    tolerance : (n, 2) float64
        Tolerance in pixels along x and y.
    usable : (n, 8) bool
        Which quantities the pair may speak on: passed the cross-axis gate, edges not at the border.
    at_border : (n, 4) bool
        Edges within `BORDER_PX` of the image border.
    gated : (n, 2) bool
        Pairs that failed the gate for the horizontal and for the vertical quantities.
    rule : Tolerance
        What ``tolerance`` was worked out from.
    """

    reference: Ints
    candidate: Ints
    annotator: Ints
    cluster: Ints
    edges: Floats
    sides: Floats
    tolerance: Floats
    usable: Bools
    at_border: Bools
    gated: Bools
    rule: Tolerance

    def __len__(self) -> int:
        return len(self.reference)

    def values(self, unit: str) -> Floats:
        """All eight quantities, NaN where not usable.

        Parameters
        ----------
        unit : {"tolerance", "px", "rel"}
            Tolerance units, pixels, or share of the reference's side.

        Returns
        -------
        (8, n) float64
            In the order of `annqc.tables.QUANTITIES`.
        """
        per_axis = {"tolerance": self.tolerance, "rel": self.sides}.get(unit)
        edges = self.edges if per_axis is None else self.edges / np.tile(per_axis, 2)
        out = np.empty((len(QUANTITIES), len(self)))
        left, top, right, bottom = edges.T
        out[:4] = edges.T
        np.subtract(right, left, out=out[4])
        np.subtract(bottom, top, out=out[5])
        out[4:6] *= 0.5
        np.add(left, right, out=out[6])
        np.add(top, bottom, out=out[7])
        out[~self.usable.T] = np.nan
        return out


def measure(
    matches: Matches, *, tolerance: Tolerance | None = None, border_px: float = BORDER_PX
) -> Measurements:
    """Measure the pairs of a match for the offset tests.

    Parameters
    ----------
    matches : Matches
        From `annqc.match.match`; its unambiguous pairs at the low pairing threshold are used.
    tolerance : Tolerance, optional
        ``max(1 px, 2 %)`` if not given.
    border_px : float
        Edges this close to the image border, in the reference or in the candidate, are left out.
        Where the size of the image is unknown, the left and the top border are known all the same.

    Returns
    -------
    Measurements
    """
    tolerance = tolerance or Tolerance()
    clear = ~matches.pair_ambiguous
    rows, drawn = matches.pair_reference[clear], matches.pair_candidate[clear]
    reference, candidate = matches.reference, matches.candidate
    gold, box = reference.table.xyxy[rows], candidate.table.xyxy[drawn]
    image = reference.table.image[rows]
    edges = offsets(gold, box)
    sides = gold[:, 2:] - gold[:, :2]
    allowed = np.asarray(tolerance.of(sides))
    overlap = [iou_1d(edges[:, k], edges[:, k + 2], sides[:, k]) for k in (0, 1)]
    # The gate of an axis looks at the other axis.
    gated = np.stack([overlap[1], overlap[0]], axis=1) < matches.policy.gate
    size = np.stack(
        [reference.image_table.width[image], reference.image_table.height[image]], axis=1
    )
    near = np.empty((len(rows), 4), dtype=bool)
    near[:, :2] = (gold[:, :2] <= border_px) | (box[:, :2] <= border_px)
    near[:, 2:] = (gold[:, 2:] >= size - border_px) | (box[:, 2:] >= size - border_px)
    usable = np.empty((len(rows), len(QUANTITIES)), dtype=bool)
    usable[:, :4] = ~near
    usable[:, 4:6] = usable[:, :2] & usable[:, 2:4]
    usable[:, 6:] = usable[:, 4:6]
    usable &= ~gated[:, AXIS]
    return Measurements(
        reference=rows,
        candidate=drawn,
        annotator=candidate.table.annotator[drawn],
        cluster=clusters(matches)[rows],
        edges=edges,
        sides=sides,
        tolerance=allowed,
        usable=usable,
        at_border=near,
        gated=gated,
        rule=tolerance,
    )


def clusters(matches: Matches) -> Ints:
    """Return the unit of evidence of every reference annotation: its track, else its image.

    In a video, what has no track belongs to its sequence: a frame tells little more than the next.
    """
    table = matches.reference.table
    codes = clusters_of_images(matches)[table.image]
    if table.track is None:
        return codes
    return np.where(table.track >= 0, 2 * len(matches.reference.image_table) + table.track, codes)


def clusters_of_drawn(matches: Matches) -> Ints:
    """Return the unit of evidence of every drawn object: the track that it was drawn as.

    Without one it is its sequence in video, where one frame tells little more than the next, else
    its image.
    """
    image, track = matches.image_of_candidate, matches.candidate.table.track
    codes = clusters_of_images(matches)
    out = np.where(image >= 0, codes[np.maximum(image, 0)], -1) if len(codes) else image
    if track is None:
        return out
    return np.where((track >= 0) & (image >= 0), 2 * len(codes) + track, out)


def clusters_of_images(matches: Matches) -> Ints:
    """Return the unit of evidence of every image of the reference: its sequence, or itself."""
    return units_of_evidence(matches.reference.image_table)


def units_of_evidence(images: Images) -> Ints:
    """Give every image the number of what is evidence on its own: its video, else itself.

    Parameters
    ----------
    images : Images
        m images; those with a sequence and a frame are frames of videos.

    Returns
    -------
    (m,) int64
    """
    if images.sequence is None or images.frame is None:
        return np.arange(len(images))
    code, ids = encode(images.sequence)
    apart = np.array([one is None for one in ids.tolist()], dtype=bool)[code]
    return np.where(apart, len(ids) + np.arange(len(images)), code)
