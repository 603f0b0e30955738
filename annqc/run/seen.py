"""run: what data look like, as far as it decides which rules can be kept and settled on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.match.authors import author_columns, unsigned
from annqc.shapes import BOX_ONLY

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.tables import Array, Dataset, Floats

__all__ = ["Seen", "Spread", "look", "look_at_work"]

WELL_MEASURED: Final = 5
"""Annotators with fewer measured pairs say nothing about scatter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Values of the annotators: the one in the middle, and the two ends."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Array) -> Spread:
        """Summarise values; NaN is left out, and NaN all through where nothing is left."""
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(median=np.nan, low=np.nan, high=np.nan)
        return cls(median=float(np.median(known)), low=float(known.min()), high=float(known.max()))


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Seen:
    """What the data look like.

    Attributes
    ----------
    n_images, n_gold, n_work, n_annotators : int
        Images that were compared, boxes of both sides, and those who drew.
    categories : tuple of str
        Names, as the gold has them.
    side : Spread
        Square root of the area of the gold's boxes, in pixels.
    image_sides : tuple of float or None
        Median width and height of the images, where they are known.
    boxes_per_image : float
        Gold boxes on each compared image.
    tracks : int
        Tracks of the gold; 0 where it has none.
    outlines : int
        Polygons and masks of the gold (of the work, without gold), where both sides have some.
    scored : bool
        Whether the work has scores, as that of a model has.
    images_each, objects_each : Spread
        Images and gold objects that each annotator was asked for.
    n_few : int
        Annotators with fewer than five images.
    scatter_px, scatter_rel : float
        Robust standard deviation of an edge about each annotator's own middle, the median of all
        annotators, in pixels and as a share of the side; NaN where nothing could be measured.
    rates : dict of str to Spread
        Recall, precision, label accuracy and mean IoU of the annotators.
    whole : dict of str to float
        The same of the work as a whole.
    trials : dict of str to (n_annotators,) int64
        What each of these rates is a rate of, annotator by annotator.
    category_objects : dict of str to int
        Gold objects asked for, all annotators together, by category.
    n_dropped : int
        Rows of either side that cannot be used.
    n_gold_images, n_missing : int
        Images of the gold, and how many of them are in nobody's work.
    unsigned : str
        That everything counts as the work of one, where nothing says who drew it; else empty.
    author_columns : tuple of str
        Columns that could say it.
    """

    n_images: int
    n_gold: int
    n_work: int
    n_annotators: int
    categories: tuple[str, ...]
    side: Spread
    image_sides: tuple[float, float] | None
    boxes_per_image: float
    tracks: int
    outlines: int
    scored: bool
    images_each: Spread
    objects_each: Spread
    n_few: int
    scatter_px: float
    scatter_rel: float
    rates: dict[str, Spread]
    whole: dict[str, float]
    trials: dict[str, Array]
    category_objects: dict[str, int]
    n_dropped: int
    n_gold_images: int
    n_missing: int
    unsigned: str
    author_columns: tuple[str, ...]


def look(run: Run, *, least_images: int = 5) -> Seen:
    """Look at a comparison.

    Parameters
    ----------
    run : Run
        The work beside its gold.
    least_images : int
        Annotators with fewer images are counted as `Seen.n_few`.

    Returns
    -------
    Seen
    """
    gold, work = run.reference, run.candidate
    scores = run.score_columns(("annotator",))
    by_category = run.score_columns(("category",))
    whole = run.score_columns(())
    n_images = int(whole["n_images"][0]) if len(whole["n_images"]) else 0
    px, rel = _scatter(run)
    table = gold.table
    wh = table.xyxy[:, 2:] - table.xyxy[:, :2]
    drawn = {"recall": "n_reference", "precision": "n_drawn", "label_accuracy": "n_matched"}
    return Seen(
        n_images=n_images,
        n_gold=len(gold),
        n_work=len(work),
        n_annotators=len(scores["annotator"]),
        categories=tuple(str(name) for name in by_category["category"].tolist()),
        side=Spread.of(np.sqrt(np.maximum(wh[:, 0] * wh[:, 1], 0.0))),
        image_sides=_image_sides(gold) or _image_sides(work),
        boxes_per_image=len(gold) / max(len(np.unique(table.image)), 1),
        tracks=0 if table.track is None else len(np.unique(table.track[table.track >= 0])),
        outlines=min(_outlines(gold), _outlines(work)) and _outlines(gold),
        scored=bool(np.isfinite(work.table.score).any()),
        images_each=Spread.of(scores["n_images"].astype(np.float64)),
        objects_each=Spread.of(scores["n_reference"].astype(np.float64)),
        n_few=int((scores["n_images"] < least_images).sum()),
        scatter_px=px,
        scatter_rel=rel,
        rates={name: Spread.of(scores[name]) for name in (*drawn, "mean_iou")},
        whole={name: float(whole[name][0]) if n_images else np.nan for name in drawn},
        trials={name: scores[column] for name, column in drawn.items()},
        category_objects=dict(
            zip(
                map(str, by_category["category"].tolist()),
                by_category["n_reference"].tolist(),
                strict=True,
            )
        ),
        n_dropped=sum(one.severity == "dropped" for one in run.issues),
        n_gold_images=len(gold.image_table),
        n_missing=int(run.coverage_columns("missing_images", ())["count"][0]),
        unsigned=unsigned(work),
        author_columns=tuple(author_columns(work)),
    )


def look_at_work(work: Dataset, *, least_images: int = 5) -> Seen:
    """Look at work that has no gold beside it: nothing is known of rates and scatter.

    Parameters
    ----------
    work : Dataset
        What the annotators drew.
    least_images : int
        Annotators with fewer images are counted as `Seen.n_few`.

    Returns
    -------
    Seen
    """
    table = work.table
    drawn = np.unique(table.annotator * len(work.image_table) + table.image)
    who = drawn // max(len(work.image_table), 1)
    images_each = np.bincount(who, minlength=len(work.annotator_ids))
    wh = table.xyxy[:, 2:] - table.xyxy[:, :2]
    nothing = Spread.of(np.empty(0))
    return Seen(
        n_images=len(np.unique(table.image)),
        n_gold=0,
        n_work=len(work),
        n_annotators=len(work.annotator_ids),
        categories=tuple(str(work.category_names[k]) for k in np.unique(table.category)),
        side=Spread.of(np.sqrt(np.maximum(wh[:, 0] * wh[:, 1], 0.0))),
        image_sides=_image_sides(work),
        boxes_per_image=len(work) / max(len(drawn), 1),
        tracks=0 if table.track is None else len(np.unique(table.track[table.track >= 0])),
        outlines=_outlines(work),
        scored=bool(np.isfinite(table.score).any()),
        images_each=Spread.of(images_each.astype(np.float64)),
        objects_each=nothing,
        n_few=int((images_each < least_images).sum()),
        scatter_px=np.nan,
        scatter_rel=np.nan,
        rates={},
        whole={},
        trials={},
        category_objects={},
        n_dropped=sum(one.severity == "dropped" for one in work.issues),
        n_gold_images=0,
        n_missing=0,
        unsigned=unsigned(work),
        author_columns=tuple(author_columns(work)),
    )


def _outlines(data: Dataset) -> int:
    shapes = data.table.shapes
    return 0 if shapes is None else int((shapes.kind != BOX_ONLY).sum())


def _image_sides(side: Dataset) -> tuple[float, float] | None:
    width, height = side.image_table.width, side.image_table.height
    known = np.isfinite(width) & np.isfinite(height)
    if not known.any():
        return None
    return float(np.median(width[known])), float(np.median(height[known]))


def _scatter(run: Run) -> tuple[float, float]:
    """Robust standard deviation of the edges, within annotators."""
    m = run.measurements
    sides = m.sides[:, [0, 1, 0, 1]]
    usable = m.usable[:, :4]
    px, rel = [], []
    for who in np.unique(m.annotator):
        rows = m.annotator == who
        for edge in range(4):
            kept = rows & usable[:, edge]
            if kept.sum() >= WELL_MEASURED:
                px.append(_robust_sd(m.edges[kept, edge]))
                rel.append(_robust_sd(m.edges[kept, edge] / sides[kept, edge]))
    return (float(np.median(px)), float(np.median(rel))) if px else (np.nan, np.nan)


def _robust_sd(values: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
