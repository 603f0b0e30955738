"""measure: how outlines were drawn, beside the reference's: simplified, traced or copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry.outline_pairs import chord_offsets, same_outlines
from annqc.geometry.outlines import outline_style
from annqc.measure.outline_values import OutlineStatus
from annqc.shapes import POLYGON

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.measure.outline_values import OutlineMeasurements
    from annqc.tables import Bools, Floats, Shapes

__all__ = ["STYLES", "OutlineStyles", "measure_styles"]

STYLES: Final = ("copied", "few_points", "staircase", "simplified")
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
        Pairs of which each can be told: of two polygons, of a candidate that is one, or of two
        outlines of one kind.
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
    pixels, in 8 runs or more; simpler shapes may be equal by chance.
    ``few_points``: fewer than 8 vertices where the reference has 16 or more. ``staircase``: a
    polygon that follows the pixels of a mask, with 12 corners or more and 90 % of its contour along
    the axes, unless the reference does too. ``simplified``: at most half of the reference's vertex
    density, and chords that lie too far in by half a tolerance or more on average.
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
    known = {
        "copied": usable & (kinds[0] == kinds[1]),
        "few_points": both,
        "staircase": usable & (kinds[1] == POLYGON),
        "simplified": both & (measured.status == OutlineStatus.OK),
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
        "copied": same_outlines(gold, work, rows, drawn) & _intricate(gold)[rows],
        "few_points": (vertices[1] < FEW) & (vertices[0] >= MANY),
        "staircase": steps[1][drawn] & ~steps[0][rows],
        "simplified": (ratio <= COARSE) & (chord <= -CUT_OFF * measured.tolerance),
    }
    return OutlineStyles(
        density_ratio=ratio,
        chord_px=chord,
        odd={name: odd[name] & known[name] for name in STYLES},
        known=known,
    )


def _intricate(shapes: Shapes) -> Bools:
    """Whether outlines have so many vertices or runs that two are not equal by chance."""
    return np.asarray((shapes.vertex_counts >= FEW) | (np.diff(shapes.run_offsets) >= FEW))
