"""report: the four edges of a page as a drawing, measured in tolerances."""

from __future__ import annotations

from typing import Any, Final

from annqc.report.html.texts import MARKS, interval, number
from annqc.tables import EDGES

__all__ = ["bias_drawing"]

WIDTH, HEIGHT = 220.0, 130.0
"""The gold box: what a tolerance is differs from box to box, so it stands for all of them."""
ACROSS, DOWN = 125.0, 74.0
"""Room around it."""
STEP: Final = 22.0
"""Length of a tolerance."""
REACH: Final = 2.5
"""Edges that are farther off, in tolerances, are drawn at this."""
LABEL: Final = 8.0
BEGIN: Final = 0.3
"""Bands are on the middle of an edge, so that those of two edges never cover each other."""
LINE: Final = 0.2
"""Lines reach a little beyond them; what is left at the ends is for the labels."""


def bias_drawing(edges: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Lay out where the edges of a page are drawn on average.

    Parameters
    ----------
    edges : list of dict
        The edges of a page, left, top, right and bottom.

    Returns
    -------
    dict or None
        ``width, height``, ``gold`` and ``within`` (rectangles: the gold box, and one tolerance out
        and in), ``sides``, and whether something is ``cut``. None where no edge has an estimate.
    """
    known = [one for one in edges if one["estimate"] is not None]
    if not known:
        return None
    gold = (ACROSS, DOWN, WIDTH, HEIGHT)
    values = [one[name] for one in known for name in ("estimate", "ci_low", "ci_high")]
    return {
        "width": WIDTH + 2 * ACROSS,
        "height": HEIGHT + 2 * DOWN,
        "gold": gold,
        "within": [_grown(STEP), _grown(-STEP)],
        "sides": [_side(one, EDGES.index(one["quantity"])) for one in known],
        "cut": any(abs(one) > REACH for one in values if one is not None),
    }


def _grown(by: float) -> tuple[float, float, float, float]:
    return ACROSS - by, DOWN - by, WIDTH + 2 * by, HEIGHT + 2 * by


def _side(one: dict[str, Any], k: int) -> dict[str, Any]:
    mark = MARKS.get(one["verdict"], MARKS["too_few"])
    px = f"{number(one['estimate_px'], sign=True)} px"
    ends = interval(one["ci_low_px"], one["ci_high_px"])
    known = one["ci_low"] is not None and one["ci_high"] is not None
    x, y, anchor = _label(k)
    return {
        "verdict": one["verdict"],
        "line": _strip(k, one["estimate"], one["estimate"], LINE),
        "band": _strip(k, one["ci_low"], one["ci_high"], BEGIN) if known else None,
        "label": f"{mark} {px}",
        "x": x,
        "y": y,
        "anchor": anchor,
        "said": f"{one['name']} {px}{f', {ends}' if ends else ''}, {one['verdict']}",
    }


def _strip(k: int, low: float, high: float, begin: float) -> tuple[float, float, float, float]:
    """Return x, y, width and height of a strip along an edge; positive is outward."""
    near, far = (STEP * min(max(one, -REACH), REACH) for one in (low, high))
    thick = max(far - near, 2.5)
    if k in {0, 2}:  # left and right
        x = ACROSS - far if k == 0 else ACROSS + WIDTH + near
        return x, DOWN + begin * HEIGHT, thick, (1 - 2 * begin) * HEIGHT
    y = DOWN - far if k == 1 else DOWN + HEIGHT + near
    return ACROSS + begin * WIDTH, y, (1 - 2 * begin) * WIDTH, thick


def _label(k: int) -> tuple[float, float, str]:
    """Place a label beside its band, where no other is."""
    above, below = DOWN + LINE * HEIGHT - LABEL, DOWN + (1 - LINE) * HEIGHT + LABEL + 10
    after = ACROSS + (1 - LINE) * WIDTH + LABEL
    return (
        (ACROSS - LABEL, above, "end"),
        (after, DOWN - LABEL, "start"),
        (ACROSS + WIDTH + LABEL, below, "start"),
        (after, DOWN + HEIGHT + LABEL + 26, "start"),
    )[k]
