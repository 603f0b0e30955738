"""judge: findings in words: who, which edge, how far, how sure, on how many images.

The names of objects and directions, the units and the counting of things are those of the report
too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from annqc.judge.quantities import DIRECTIONS, OBJECTS, WITHIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.measure.tolerance import Tolerance

__all__ = [
    "DIRECTIONS",
    "OBJECTS",
    "WITHIN",
    "amount",
    "beyond_alone",
    "bias_words",
    "group_words",
    "join_words",
    "number_of",
    "on_the_line",
    "rate_words",
    "shared_bias_words",
    "steady_unit",
    "told_in",
    "unsettled_words",
]

UNITS: Final = {"px": ("px", 1.0), "rel": ("%", 100.0), "": ("tolerances", 1.0)}
ON_THE_LINE: Final = 0.05
"""An estimate within this share of its margin sits on the tolerance."""


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
        A row of `annqc.Audit.bias`: ``quantity``, the estimates and intervals in each unit,
            ``n_clusters``; ``margin`` and ``verdict`` say whether it is too far.
    tolerance : Tolerance
        That of the audit; see `told_in` for the unit.
    clusters : str
        What evidence is counted in: ``"image"``, or ``"image or track"`` where there are tracks.

    Returns
    -------
    str

    Examples
    --------
    >>> from annqc.measure.tolerance import Tolerance
    >>> row = {"quantity": "out_right", "estimate": 3.0, "ci_low": 2.5, "ci_high": 3.5,
    ...        "estimate_px": 3.1, "ci_low_px": 2.6, "ci_high_px": 3.6,
    ...        "estimate_rel": 0.09, "ci_low_rel": 0.06, "ci_high_rel": 0.12,
    ...        "margin": 1.0, "verdict": "biased", "n_clusters": 40}
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
    unit, (estimate, low, high) = told_in(finding, tolerance)
    if math.isnan(estimate):
        return f"{begin} (nothing measured, {images})"
    beyond = abs(float(finding["estimate"])) > float(finding["margin"])
    off = beyond or finding["verdict"] in {"biased", "collective"}
    words = (DIRECTIONS if off else WITHIN)[quantity][int(estimate < 0)]
    size, interval = amount(estimate, low, high, unit)
    spread = "" if math.isnan(low) else f"{interval}, "
    return f"{begin} {size} {'too ' if off else ''}{words} ({spread}{images})"


def steady_unit(finding: Mapping[str, Any], tolerance: Tolerance) -> str:
    """Choose the unit in which a habit is the steadier: ``"px"`` or ``"rel"``.

    Parameters
    ----------
    finding : mapping of str to object
        A row of `annqc.Audit.bias`.
    tolerance : Tolerance
        That of the audit. One in a single unit is answered in that unit. With ``max(1 px, 2 %)``
        it is the unit in which the interval is the narrower for its estimate; or for the
        tolerance, where the estimate may be zero. Contour offsets are told in pixels.
    """
    if "estimate_rel" not in finding:
        return "px"
    if tolerance.px == 0 or tolerance.rel == 0:
        return "rel" if tolerance.px == 0 else "px"

    _, low, high = _numbers(finding, "")
    px, rel = _numbers(finding, "_px"), _numbers(finding, "_rel")
    if low * high < 0:
        scale = tolerance.px, tolerance.rel
    else:
        scale = max(abs(px[0]), 1e-12), max(abs(rel[0]), 1e-12)
    return "rel" if (rel[2] - rel[1]) / scale[1] < (px[2] - px[1]) / scale[0] else "px"


def told_in(
    finding: Mapping[str, Any], tolerance: Tolerance
) -> tuple[str, tuple[float, float, float]]:
    """Choose the unit in which to tell a finding; screen and checks use the same.

    Parameters
    ----------
    finding : mapping of str to object
        A row of `annqc.Audit.bias`.
    tolerance : Tolerance
        That of the audit.

    Returns
    -------
    unit : {"px", "rel", ""}
        That of `steady_unit`; tolerances where a size in that unit would speak against the
        verdict, which was reached in tolerances: of the other sign, or not told from zero.
    numbers : (float, float, float)
        Estimate and interval in that unit.

    Examples
    --------
    >>> from annqc.measure.tolerance import Tolerance
    >>> row = {"estimate": 3.5, "ci_low": 2.9, "ci_high": 4.1,
    ...        "estimate_px": 0.9, "ci_low_px": -0.1, "ci_high_px": 1.9,
    ...        "estimate_rel": 0.07, "ci_low_rel": 0.05, "ci_high_rel": 0.09}
    >>> told_in(row, Tolerance(px=1, rel=0))
    ('', (3.5, 2.9, 4.1))
    """
    unit = steady_unit(finding, tolerance)
    tested = _numbers(finding, "")
    told = _numbers(finding, f"_{unit}")
    if math.isnan(tested[0]):
        return unit, told
    agrees = told[0] * tested[0] > 0
    if tested[1] * tested[2] > 0:
        agrees = agrees and told[1] * told[2] > 0
    return (unit, told) if agrees or tested[0] == 0 else ("", tested)


def _numbers(finding: Mapping[str, Any], suffix: str) -> tuple[float, float, float]:
    estimate, low, high = (
        float(finding[f"{name}{suffix}"]) for name in ("estimate", "ci_low", "ci_high")
    )
    return estimate, low, high


def amount(value: float, low: float, high: float, unit: str) -> tuple[str, str]:
    """Write a size and its interval, both in the direction of the size.

    Parameters
    ----------
    value, low, high : float
        Estimate and interval.
    unit : {"px", "rel", ""}
        Pixels, share of the side, or tolerances.

    Returns
    -------
    size, interval : str

    Examples
    --------
    >>> amount(-0.09, -0.12, -0.06, "rel")
    ('9 %', '6 to 12 %')
    >>> amount(2.52, 2.31, 2.74, "px")
    ('2.5 px', '2.3 to 2.7 px')
    """
    name, scale = UNITS[unit]
    sign = -1.0 if value < 0 else 1.0
    size, ends = abs(value) * scale, sorted((sign * low * scale, sign * high * scale))
    if not all(math.isfinite(end) for end in ends):
        return f"{_number(size, 1)} {name}", "no interval"
    half = (ends[1] - ends[0]) / 2
    decimals = 0 if half >= 1 or size >= 100 else 1 if half >= 0.1 or size >= 10 else 2
    lowest, highest = (_number(end, decimals) for end in ends)
    return f"{_number(size, decimals)} {name}", f"{lowest} to {highest} {name}"


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


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
    inside = f" ({where})" if where else ""
    return (
        f"everybody{inside} draws {thing} too {direction}, by {abs(shared):.1f} tolerances "
        f"({number_of(count, 'annotator')}; the annotators, the gold or the guideline may be off)"
    )


def unsettled_words(
    finding: Mapping[str, Any], *, clusters: str = "image", among: str = "so many"
) -> str:
    """Say why a finding is undecided, and what would settle it.

    Parameters
    ----------
    finding : mapping of str to object
        A row of `annqc.Audit.bias`.
    clusters : str
        What evidence is counted in.
    among : str
        What was tested together, for a finding that its own interval would settle.

    Examples
    --------
    >>> unsettled_words({"status": "ok", "n_more": 14.0, "n_clusters": 8})
    'about 14 more images would settle it'
    """
    from annqc.infer.verdicts import G_MIN  # loads scipy, which reading a spec does without

    status, images = str(finding["status"]), number_of(int(finding["n_clusters"]), clusters)
    more = float(finding["n_more"])
    settle = f"about {number_of(int(more), f'more {clusters}')} would settle it" if more > 0 else ""
    if status == "no_data":
        return "there is no pair to measure"
    if status == "weighs_reference":
        return "agrees with the gold while the others, together, do not"
    if status in {"one_cluster", "too_few_clusters"}:
        few = f"{images} {'is' if images.startswith('1 ') else 'are'} too few to judge"
        return f"{few}; {G_MIN} are needed" if int(finding["n_clusters"]) < G_MIN else few
    if beyond_alone(finding):
        chance = f"alone it would count as biased; among {among} it can be chance"
        return f"{chance}, and {settle}" if settle else chance
    if status == "infeasible":
        many = number_of(2, clusters).removeprefix("2 ")
        near = on_the_line(float(finding["excess"]) / float(finding["margin"]))
        why = "it sits on the tolerance" if near else "it varies too much"
        return f"no reasonable number of {many} would settle it: {why}"
    return settle or "not settled"


def beyond_alone(finding: Mapping[str, Any]) -> bool:
    """Whether the interval of a finding lies wholly beyond the margin, whatever else was tested."""
    if not {"ci_low", "ci_high", "margin"} <= finding.keys():
        return False
    low, high, margin = (float(finding[name]) for name in ("ci_low", "ci_high", "margin"))
    return low > margin or high < -margin


def on_the_line(excess: float) -> bool:
    """Whether an estimate, in multiples of its margin, is too close to the margin to be settled."""
    return abs(abs(excess) - 1) <= ON_THE_LINE


def rate_words(
    group: Mapping[str, object],
    name: str,
    estimate: float,
    low: float,
    high: float,
    images: int,
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
    seen = f", {number_of(images, clusters)}"
    interval = "no interval" if math.isnan(low) else f"{low:.3f} to {high:.3f}"
    return f"{where}: {words} {estimate:.3f} ({interval}{seen})"
