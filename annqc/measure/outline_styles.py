"""measure: how outlines were drawn, beside the reference's: simplified, traced or copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry.cracks import traced
from annqc.geometry.outline_pairs import chord_offsets, same_outlines
from annqc.geometry.outlines import outline_style
from annqc.geometry.polygons import vertex_counts
from annqc.measure.outline_values import OutlineStatus
from annqc.shapes import MASK, POLYGON

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.measure.outline_values import OutlineMeasurements
    from annqc.tables import Bools, Floats, Ints, Shapes

__all__ = ["STYLES", "OutlineStyles", "measure_styles"]

STYLES: Final = (
    "copied",
    "few_points",
    "staircase",
    "simplified",
    "holes_filled",
    "holes_opened",
)
"""What can be odd about how an outline was drawn."""

COARSE: Final = 0.5
"""An outline with at most this share of the reference's vertex density may be simplified."""
CUT_OFF: Final = 0.5
"""It is where its chords lie too far in by this share of the tolerance or more, on average."""
FEW: Final = 8
MANY: Final = 16
"""Fewer vertices than 8 are few where the reference has 16 or more."""
LEVEL_SHARE: Final = 0.9
STEPS: Final = 12
"""A staircase has 12 corners or more, and 90 % of its contour runs along the axes."""
LEAST_HOLE: Final = 25.0
"""Holes of less than 25 square pixels, all together, are gaps between strokes."""
MOSTLY: Final = 0.5


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class OutlineStyles:
    """One row a pair of `OutlineMeasurements`.

    Attributes
    ----------
    density_ratio : (n,) float64
        Vertices for each pixel of contour, the candidate's over the reference's; NaN but for two
        polygons.
    chord_px : (n,) float64
        Mean signed offset that is due to the candidate's segments being straight, in pixels:
        negative where they cut through the object.
    odd : dict of str to (n,) bool
        Each of `STYLES`.
    known : dict of str to (n,) bool
        Pairs of which each can be told: of two polygons, of a candidate that is one, of two
        outlines of one kind, or of a reference that has holes.
    """

    density_ratio: Floats
    chord_px: Floats
    odd: dict[str, Bools]
    known: dict[str, Bools]


def measure_styles(
    matches: Matches, measured: OutlineMeasurements, *, engine: Engine = "auto"
) -> OutlineStyles:
    """Look at how the outlines of pairs were drawn.

    Parameters
    ----------
    matches : Matches
        What was matched.
    measured : OutlineMeasurements
        What was measured.
    engine : {"auto", "numpy", "numba"}, optional
        How to compute; the results are the same.

    Returns
    -------
    OutlineStyles

    Notes
    -----
    ``copied``: the same vertices as the reference's to the last digit, 8 or more, or the same
    pixels, of a mask whose outline has 8 corners or more; simpler shapes may be equal by chance.
    ``few_points``: fewer than 8 vertices where the reference has 16 or more. ``staircase``: a
    polygon that follows the pixels of a mask, with 12 corners or more and 90 % of its contour along
    the axes, unless the reference does too. ``simplified``: at most half of the reference's vertex
    density, and chords that lie too far in by half a tolerance or more on average.
    ``holes_filled``: more than half of the area of the reference's holes is covered, where it has
    25 square pixels of holes or more. ``holes_opened``: 25 square pixels or more of holes that lie
    on the reference, and more than half of all that was left open.
    """
    rows, drawn = measured.reference, measured.candidate
    gold, work = matches.reference.table.shapes, matches.candidate.table.shapes
    n = len(rows)
    if gold is None or work is None or not n:
        nothing = {name: np.zeros(n, dtype=bool) for name in STYLES}
        return OutlineStyles(
            density_ratio=np.full(n, np.nan),
            chord_px=np.full(n, np.nan),
            odd=nothing,
            known=dict(nothing),
        )
    usable = (measured.status == OutlineStatus.OK) | (measured.status == OutlineStatus.APART)
    kinds = gold.kind[rows], work.kind[drawn]
    both = usable & (kinds[0] == POLYGON) & (kinds[1] == POLYGON)
    holes = np.nan_to_num(measured.holes).T
    known = {
        "copied": usable & (kinds[0] == kinds[1]),
        "few_points": both,
        "staircase": usable & (kinds[1] == POLYGON),
        "simplified": both & (measured.status == OutlineStatus.OK),
        "holes_filled": usable & (holes[0] >= LEAST_HOLE),
        "holes_opened": usable,
    }
    styles = outline_style(gold), outline_style(work)
    vertices = styles[0].vertices[rows], styles[1].vertices[drawn]
    steps = [
        (style.level >= LEVEL_SHARE) & (style.vertices - style.collinear >= STEPS)
        for style in styles
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(both, measured.density[:, 1] / measured.density[:, 0], np.nan)
    chord = np.full(n, np.nan)
    some = np.flatnonzero(known["simplified"])
    chord[some] = chord_offsets(gold, work, rows[some], drawn[some], engine=engine).mean
    odd = {
        "copied": _copied(gold, work, rows, drawn),
        "few_points": (vertices[1] < FEW) & (vertices[0] >= MANY),
        "staircase": steps[1][drawn] & ~steps[0][rows],
        "simplified": (ratio <= COARSE) & (chord <= -CUT_OFF * measured.tolerance),
        "holes_filled": holes[2] > MOSTLY * holes[0],
        "holes_opened": (holes[3] >= LEAST_HOLE) & (holes[3] > MOSTLY * holes[1]),
    }
    return OutlineStyles(
        density_ratio=ratio,
        chord_px=chord,
        odd={name: odd[name] & known[name] for name in STYLES},
        known=known,
    )


def _copied(gold: Shapes, work: Shapes, rows: Ints, drawn: Ints) -> Bools:
    """Which outlines are those of the reference, and too intricate to be so by chance."""
    same = np.flatnonzero(same_outlines(gold, work, rows, drawn))
    part = gold.take(rows[same])
    # A rectangle of a mask has a run for every column, and four corners.
    counts = vertex_counts(traced(part) if (part.kind == MASK).any() else part)
    out = np.zeros(len(rows), dtype=bool)
    out[same[counts >= FEW]] = True
    return out
