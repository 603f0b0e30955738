"""judge: findings in words: who, which edge, how far, how sure, on how many images.

The names of objects and directions, and the counting of things, are those of the report too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.measure.tolerance import Tolerance

__all__ = [
    "DIRECTIONS",
    "OBJECTS",
    "bias_words",
    "group_words",
    "join_words",
    "number_of",
    "rate_words",
    "shared_bias_words",
    "unsettled_words",
]

OBJECTS: Final = {
    "out_left": "the left edge",
    "out_top": "the top edge",
    "out_right": "the right edge",
    "out_bottom": "the bottom edge",
}
"""What is drawn wrongly; boxes as a whole for any other quantity."""

DIRECTIONS: Final = {
    "out_left": ("far out", "far in"),
    "out_top": ("far out", "far in"),
    "out_right": ("far out", "far in"),
    "out_bottom": ("far out", "far in"),
    "dx": ("far right", "far left"),
    "dy": ("low", "high"),
    "dw": ("wide", "narrow"),
    "dh": ("tall", "short"),
}
"""What follows "too" where the quantity is positive and negative."""


def number_of(count: int, what: str, many: str | None = None) -> str:
    """Count things in words; ``many`` is the plural where it is no mere s.

    Examples
    --------
    >>> number_of(1, "image"), number_of(3, "image"), number_of(3, "more image or track")
    ('1 image', '3 images', '3 more images or tracks')
    >>> number_of(2, "box", "boxes")
    '2 boxes'
    """
    if count == 1 or many is not None:
        return f"{count:,} {what if count == 1 else many}"
    return f"{count:,} " + " or ".join(f"{one}s" for one in what.split(" or "))


def join_words(texts: Sequence[str], *, most: int = 3, left: int = 0) -> str:
    """Join texts by semicolons, the first few alone; ``left`` are further ones not in the list."""
    shown = list(texts[:most])
    rest = len(texts) - len(shown) + left
    return "; ".join(shown) + (f"; and {rest:,} more" if rest else "")


def group_words(group: Mapping[str, object]) -> tuple[str, bool]:
    """Name a group.

    Parameters
    ----------
    group : mapping of str to object
        Column -> value.

    Returns
    -------
    text : str
    drawer : bool
        Whether the text names one who draws.

    Examples
    --------
    >>> group_words({"annotator": "bob", "category": "car"})
    ('bob (category car)', True)
    >>> group_words({"category": "car", "size": "small"})
    ('category car, size small', False)
    """
    others = ", ".join(f"{name} {value}" for name, value in group.items() if name != "annotator")
    if "annotator" not in group:
        return others or "everything together", False
    who = group["annotator"]
    name = who if isinstance(who, str) else f"annotator {who}"
    return f"{name} ({others})" if others else name, True


def bias_words(
    group: Mapping[str, object],
    finding: Mapping[str, Any],
    *,
    tolerance: Tolerance,
    clusters: str = "image",
) -> str:
    """Say one finding on a signed offset.

    Parameters
    ----------
    group : mapping of str to object
        Column -> value.
    finding : mapping of str to object
        A row of `annqc.Audit.bias`: ``quantity``, the estimates and intervals in px and relative,
        ``n_clusters``.
    tolerance : Tolerance
        That of the audit; says which of the units to use.
    clusters : str
        What evidence is counted in: ``"image"``, or ``"image or track"`` where there are tracks.

    Returns
    -------
    str

    Notes
    -----
    A tolerance in one unit is answered in that unit. With ``max(1 px, 2 %)`` the unit is the one in
    which the habit is the steadier: where the interval is the narrower for its estimate.

    Examples
    --------
    >>> from annqc.measure.tolerance import Tolerance
    >>> row = {"quantity": "out_right", "estimate_px": 3.1, "ci_low_px": 2.6, "ci_high_px": 3.6,
    ...        "estimate_rel": 0.04, "ci_low_rel": 0.01, "ci_high_rel": 0.07, "n_clusters": 40}
    >>> bias_words({"annotator": "bob"}, row, tolerance=Tolerance())
    'bob draws the right edge 3.1 px too far out (2.6 to 3.6 px, 40 images)'
    """
    quantity = str(finding["quantity"])
    where, drawer = group_words(group)
    thing = OBJECTS.get(quantity, "boxes")
    begin = f"{where} draws {thing}" if drawer else f"{where}: {thing} drawn"
    if not drawer and quantity not in OBJECTS:
        begin = f"{where}: boxes are drawn"
    elif not drawer:
        begin = f"{where}: {thing} is drawn"
    images = number_of(int(finding["n_clusters"]), clusters)
    unit, scale = ("%", 100.0) if _relative(finding, tolerance) else ("px", 1.0)
    suffix = "_rel" if unit == "%" else "_px"
    estimate, low, high = (
        scale * float(finding[f"{name}{suffix}"]) for name in ("estimate", "ci_low", "ci_high")
    )
    if math.isnan(estimate):
        return f"{begin} (nothing measured, {images})"
    direction = DIRECTIONS[quantity][int(estimate < 0)]
    if estimate < 0:
        estimate, low, high = -estimate, -high, -low
    number = _formatter(estimate, low, high)
    interval = "" if math.isnan(low) else f"{number(low)} to {number(high)} {unit}, "
    return f"{begin} {number(estimate)} {unit} too {direction} ({interval}{images})"


def shared_bias_words(quantity: str, shared: float, *, where: str, count: int) -> str:
    """Say an offset that everybody shares, in multiples of the tolerance.

    Parameters
    ----------
    quantity : str
        Such as ``"out_right"``.
    shared : float
        The shared offset in tolerance units.
    where : str
        Stratum, or empty.
    count : int
        Annotators who have it.

    Examples
    --------
    >>> shared_bias_words("out_right", 2.94, where="", count=12)
    'everybody draws the right edge too far out, by 2.9 tolerances (12 annotators; the annotators,
    the gold or the guideline may be off)'
    """
    thing = OBJECTS.get(quantity, "boxes")
    direction = DIRECTIONS[quantity][int(shared < 0)]
    size = abs(shared)
    inside = f" ({where})" if where else ""
    return (
        f"everybody{inside} draws {thing} too {direction}, by {_formatter(size)(size)} tolerances "
        f"({number_of(count, 'annotator')}; the annotators, the gold or the guideline may be off)"
    )


def unsettled_words(finding: Mapping[str, Any], *, clusters: str = "image") -> str:
    """Say why a finding is undecided, and what would settle it.

    Examples
    --------
    >>> unsettled_words({"status": "ok", "n_more": 14.0, "n_clusters": 8})
    'about 14 more images would settle it'
    """
    status, images = str(finding["status"]), number_of(int(finding["n_clusters"]), clusters)
    more = float(finding["n_more"])
    settle = f"about {number_of(int(more), f'more {clusters}')} would settle it" if more > 0 else ""
    if status == "no_data":
        return "there is no pair to measure"
    if status == "weighs_reference":
        return "agrees with the gold while the others, together, do not"
    if status in {"one_cluster", "too_few_clusters"}:
        few = f"{images} {'is' if images.startswith('1 ') else 'are'} too few"
        return f"{few}; {settle}" if settle else few
    if status == "infeasible":
        many = number_of(2, clusters).removeprefix("2 ")
        return f"too close to the tolerance for any reasonable number of {many} to settle it"
    return settle or "not settled"


def rate_words(
    group: Mapping[str, object],
    name: str,
    estimate: float,
    low: float,
    high: float,
    images: int | None,
    *,
    clusters: str = "image",
) -> str:
    """Say one rate with its interval.

    Examples
    --------
    >>> rate_words({"annotator": "bob"}, "recall", 0.81, 0.74, 0.87, 40)
    'bob: recall 0.810 (0.740 to 0.870, 40 images)'
    """
    where, _ = group_words(group)
    words = name.replace("_", " ").replace("iou", "IoU")
    if math.isnan(estimate):
        return f"{where}: {words} cannot be told, there is nothing to count"
    seen = "" if images is None else f", {number_of(images, clusters)}"
    interval = "no interval" if math.isnan(low) else f"{low:.3f} to {high:.3f}"
    return f"{where}: {words} {estimate:.3f} ({interval}{seen})"


def _relative(finding: Mapping[str, Any], tolerance: Tolerance) -> bool:
    if tolerance.px == 0 or tolerance.rel == 0:
        return tolerance.px == 0
    spread = [
        (float(finding[f"ci_high{unit}"]) - float(finding[f"ci_low{unit}"]))
        / max(abs(float(finding[f"estimate{unit}"])), 1e-12)
        for unit in ("_px", "_rel")
    ]
    return spread[1] < spread[0]


def _formatter(*values: float) -> Any:
    """Return one way to write numbers that belong together."""
    largest = max((abs(value) for value in values if not math.isnan(value)), default=0.0)
    digits = 0 if largest >= 100 else 1 if largest >= 1 else 2
    return lambda value: f"{value:.{digits}f}"
