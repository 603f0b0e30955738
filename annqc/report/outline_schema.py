"""report: what the documented JSON says of outlines, as types; part of `annqc.report.schema`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["OutlineFinding", "OutlineScore", "Outlines"]

Id = str | int | float | bool | None
Number = float | None


class OutlineFinding(Struct, frozen=True, kw_only=True):
    """The contour offset of one group: all, one side, or one quarter. Positive is dilated."""

    quantity: Annotated[
        str,
        Meta(
            description="contour, contour_left, contour_top, contour_right, contour_bottom; and "
            "the quarters, which are described and not tested, contour_top_left, "
            "contour_top_right, contour_bottom_right, contour_bottom_left"
        ),
    ]
    estimate: Annotated[Number, Meta(description="in tolerances")]
    ci_low: Number
    ci_high: Number
    estimate_px: Number
    ci_low_px: Number
    ci_high_px: Number
    confidence_level: float
    n: int
    n_clusters: int
    p_value: Number
    p_adjusted: Number
    verdict: Annotated[str, Meta(description="biased, clean, undecided or collective")]
    n_more: Number
    flags: str
    status: str
    margin: float
    p_clean: Number
    se: Number
    df: Number
    collective: Number
    excess: Number
    mean: Number
    low: Number
    high: Number
    gross_rate: Number
    n_short: Annotated[int, Meta(description="pairs with too little contour on the side")]
    missing: Annotated[Number, Meta(description="share of outlines without a usable pair")]
    bound_low: Annotated[Number, Meta(description="bounds of the median over all outlines")]
    bound_high: Number
    annotator: Id = None


class OutlineScore(Struct, frozen=True, kw_only=True):
    """How well the outlines of one group agree with the reference, and how they were drawn."""

    mask_iou: Number
    mask_iou_low: Number
    mask_iou_high: Number
    mask_iou_n_clusters: int
    boundary_iou: Number
    boundary_iou_low: Number
    boundary_iou_high: Number
    boundary_iou_n_clusters: int
    dice: Number
    dice_low: Number
    dice_high: Number
    dice_n_clusters: int
    assd: Annotated[Number, Meta(description="px")]
    assd_low: Number
    assd_high: Number
    assd_n_clusters: int
    hd95: Annotated[Number, Meta(description="px")]
    hd95_low: Number
    hd95_high: Number
    hd95_n_clusters: int
    nsd: Annotated[Number, Meta(description="share of the contours within 2 px")]
    nsd_low: Number
    nsd_high: Number
    nsd_n_clusters: int
    area_ratio: Number
    vertex_density: Annotated[Number, Meta(description="vertices for each 100 px of contour")]
    vertex_density_reference: Number
    density_ratio: Annotated[Number, Meta(description="vertex density over the reference's")]
    density_ratio_low: Number
    density_ratio_high: Number
    chord_px: Annotated[Number, Meta(description="offset due to straight segments, px")]
    chord_px_low: Number
    chord_px_high: Number
    copied: Annotated[Number, Meta(description="share with the vertices or pixels of the gold")]
    copied_low: Number
    copied_high: Number
    copied_n: int
    few_points: Annotated[Number, Meta(description="share under 8 vertices where the gold has 16")]
    few_points_low: Number
    few_points_high: Number
    few_points_n: int
    staircase: Annotated[Number, Meta(description="share that follows the pixels of a mask")]
    staircase_low: Number
    staircase_high: Number
    staircase_n: int
    simplified: Annotated[Number, Meta(description="share whose chords cut corners")]
    simplified_low: Number
    simplified_high: Number
    simplified_n: int
    holes_filled: Annotated[
        Number, Meta(description="share that fills more than half of the gold's holes")
    ]
    holes_filled_low: Number
    holes_filled_high: Number
    holes_filled_n: Annotated[int, Meta(description="outlines whose gold has holes")]
    holes_opened: Annotated[Number, Meta(description="share with holes where the gold has none")]
    holes_opened_low: Number
    holes_opened_high: Number
    holes_opened_n: int
    n_outlines: int
    n_apart: Annotated[int, Meta(description="pairs of outlines that share nothing")]
    n_unusable: int
    n_no_canvas: Annotated[int, Meta(description="polygons on images of unknown size")]
    annotator: Id = None


class Outlines(Struct, frozen=True, kw_only=True):
    """What polygons and masks say."""

    findings: Annotated[list[OutlineFinding], Meta(description="one a group and quantity")]
    scores: list[OutlineScore]
