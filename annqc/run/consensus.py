"""run: objects, edges, labels and annotators from redundant annotation, without gold or with a few.

A consensus is made from several annotators, and is never called truth. What all of them do alike
cannot be seen in it: offsets are from the median annotator, unless some gold says where zero is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from annqc.consensus.existence import Existence, existence
from annqc.consensus.labels import LabelConsensus, label_consensus
from annqc.consensus.objects import PAIR_IOU, Objects, cluster_objects
from annqc.consensus.plain import majority, plain_consensus, weighted_boxes_fusion
from annqc.consensus.twoway import GOLD_SD, TwoWay, fit_twoway
from annqc.consensus.uncertainty import Offsets, offset_uncertainty
from annqc.errors import AnnqcError, UnknownNameError
from annqc.ids import ids_array
from annqc.match import match
from annqc.measure.offsets import units_of_evidence
from annqc.read import read
from annqc.run.consensusrules import check_numbers
from annqc.run.suspicions import one_source, suspicion_columns
from annqc.tables import Annotations, Dataset, to_frame

if TYPE_CHECKING:
    import pandas as pd

    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["METHODS", "NOT_KNOWN", "Consensus", "Method", "consensus", "make_consensus"]

Method = Literal["model", "median", "mean", "wbf", "majority", "cvat"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
LIKELY: Final = 0.9
"""An object is in the consensus from this probability on; less likely ones are doubtful."""
NOT_KNOWN: Final = (
    "without gold an offset that everybody has cannot be seen: offsets are from the median "
    "annotator"
)
ANCHORED: Final = "offsets are from the gold where an annotator's objects are tied to it"


@dataclass(eq=False)
class Consensus:
    """Objects that several annotators drew, and what that tells of the annotators.

    Made by `annqc.consensus`. The tables are `objects`, `bias` and `annotators`; `dataset` is the
    consensus as a reference for others.

    Parameters
    ----------
    work : Dataset
        What several annotators drew.
    gold : Dataset, optional
        Gold on some of the images.
    method : str
        How objects and edges are made: the model, or a plain rule.
    pair_iou : float
        IoU from which on two boxes are rather one object than two.
    gold_sd : float
        How far an edge of the gold is off, in pixels.
    confidence : float
        Level of the intervals; one minus it is the level of the tests.
    same_source : (A,) int64, optional
        Annotators whose boxes have one source have one number; they count as one annotator.
    """

    work: Dataset
    gold: Dataset | None = None
    method: Method = "model"
    pair_iou: float = PAIR_IOU
    gold_sd: float = GOLD_SD
    confidence: float = 0.95
    same_source: Ints | None = None

    @cached_property
    def clusters(self) -> Objects:
        """Which annotation shows which object."""
        return cluster_objects(self.work, pair_iou=self.pair_iou)

    @property
    def drawn(self) -> Ints:
        """Who drew each annotation."""
        return self.work.table.annotator

    @cached_property
    def anchors(self) -> Floats | None:
        """Gold box of each object that has one, (m, 4); NaN for the others."""
        if self.gold is None or not len(self.clusters):
            return None
        boxes = plain_consensus(
            "median", self.work.table.xyxy, self.clusters.object, len(self.clusters)
        )
        found = match(self.gold, self._as_dataset(boxes, np.arange(len(self.clusters))))
        anchors = np.full((len(self.clusters), 4), np.nan)
        anchors[found.matched_candidate] = self.gold.table.xyxy[found.matched_reference]
        return anchors if np.isfinite(anchors).any() else None

    def _fitted(self, unit: Literal["px", "tolerance"]) -> TwoWay:
        return fit_twoway(
            self.work.table.xyxy,
            self.clusters.object,
            self.drawn,
            n_annotators=len(self.work.annotator_ids),
            n_objects=len(self.clusters),
            gold=self.anchors,
            gold_sd=self.gold_sd,
            image=self.evidence,
            same_source=self.same_source,
            unit=unit,
        )

    @cached_property
    def fit(self) -> TwoWay:
        """Edges of objects and offsets of annotators, in units of tolerance."""
        return self._fitted("tolerance")

    @cached_property
    def evidence(self) -> Ints:
        """Unit of evidence of every object: its video, else its image."""
        return units_of_evidence(self.work.image_table)[self.clusters.image]

    @cached_property
    def offsets(self) -> Offsets:
        """Offsets of annotators with standard errors, in units of tolerance."""
        return offset_uncertainty(self.fit, self.evidence)

    @cached_property
    def offsets_px(self) -> Offsets:
        """The same in pixels."""
        return offset_uncertainty(self._fitted("px"), self.evidence)

    @cached_property
    def existing(self) -> Existence:
        """Which objects are there, and what annotators see."""
        return existence(self.clusters, self.drawn, len(self.work.annotator_ids))

    @cached_property
    def labels(self) -> LabelConsensus:
        """The most likely category of every object."""
        rows = self.clusters.object >= 0
        return label_consensus(
            self.clusters.object[rows],
            self.drawn[rows],
            self.work.table.category[rows],
            n_items=len(self.clusters),
            n_annotators=len(self.work.annotator_ids),
            n_labels=max(len(self.work.category_ids), 1),
            method="map_dawid_skene" if self.method == "model" else "majority",
        )

    @cached_property
    def boxes(self) -> Floats:
        """Consensus box of every object, (m, 4)."""
        if self.method == "model":
            return self.fit.edges
        plain = {"majority": "median", "wbf": "mean"}.get(self.method, self.method)
        return plain_consensus(
            plain, self.work.table.xyxy, self.clusters.object, len(self.clusters)
        )

    @cached_property
    def kept(self) -> Bools:
        """Which objects are in the consensus."""
        if self.method == "model":
            # of a contested object there is no consensus: somebody must look
            there = (self.existing.probability >= LIKELY) & ~self.fit.contested.any(axis=1)
        else:
            there = majority(self.clusters.n_drawn, self.clusters.n_asked)
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        return np.asarray(there & (sides > 0).all(axis=1))

    @cached_property
    def dataset(self) -> Dataset:
        """The consensus as a dataset, drawn by ``"consensus"``; a reference, and no truth."""
        if self.method == "wbf":
            return self._fused()
        rows = np.flatnonzero(self.kept)
        _ = self.labels
        return self._as_dataset(self.boxes, rows)

    def _fused(self) -> Dataset:
        """Let weighted boxes fusion cluster by itself; a quorum decides, as for other rules."""
        table = self.work.table
        rows = np.flatnonzero(~(table.crowd | table.ignored))
        rows = rows[np.argsort(table.image[rows], kind="stable")]
        bounds = np.searchsorted(table.image[rows], np.arange(len(self.work.image_table) + 1))
        object_, edges = weighted_boxes_fusion(table.xyxy[rows], bounds)
        m = len(edges)
        pair = np.unique(np.stack([object_, table.annotator[rows]]), axis=1)
        n_drawn = np.bincount(pair[0], minlength=m)
        image = np.zeros(m, dtype=np.int64)
        image[object_] = table.image[rows]
        asked = np.diff(self.clusters.asked.offsets)[image]
        category = np.zeros(m, dtype=np.int64)
        category[object_] = table.category[rows]
        keep = np.flatnonzero(majority(n_drawn, asked))
        return self._table(edges[keep], image[keep], category[keep], {"n_drawn": n_drawn[keep]})

    def _as_dataset(self, boxes: Floats, rows: Ints) -> Dataset:
        found = self.clusters
        extra: dict[str, Array] = {
            "n_drawn": found.n_drawn[rows],
            "n_asked": found.n_asked[rows],
        }
        # while gold is being matched, nothing of the model is known yet
        known = "labels" in self.__dict__
        label = self.labels.label[rows] if known else found.category[rows]
        if "existing" in self.__dict__:
            extra["probability"] = self.existing.probability[rows]
        if "fit" in self.__dict__:
            extra |= {
                f"sd_{edge}": self.fit.se[rows, k]
                for k, edge in enumerate(("left", "top", "right", "bottom"))
            }
            extra["contested"] = np.asarray(self.fit.contested[rows].any(axis=1))
        return self._table(boxes[rows], found.image[rows], label, extra)

    def _table(
        self, boxes: Floats, image: Ints, category: Ints, extra: dict[str, Array]
    ) -> Dataset:
        work = self.work
        table = Annotations.build(
            image=image,
            annotator=np.zeros(len(image), dtype=np.int64),
            category=np.maximum(category, 0),
            xyxy=boxes,
            extra=extra,
        )
        return Dataset(
            table=table,
            image_table=work.image_table,
            annotator_ids=ids_array(["consensus"]),
            category_ids=work.category_ids,
            category_names=work.category_names,
            sources=work.sources,
            n_rows=len(table),
        )

    def bias_columns(self) -> dict[str, Array]:
        """`bias` as numpy columns, without pandas."""
        from annqc.run.consensusbias import bias_columns

        return bias_columns(self)

    def annotator_columns(self) -> dict[str, Array]:
        """`annotators` as numpy columns, without pandas."""
        n = len(self.work.annotator_ids)
        rows = self.clusters.object >= 0
        asked = np.bincount(self.clusters.asked.annotator, minlength=n)
        spread = self.fit.sd
        return {
            "annotator": self.work.annotator_ids,
            "n_images": asked,
            "n_drawn": np.bincount(self.drawn[rows], minlength=n),
            # where they cannot be told they were drawn to what is usual, and say nothing
            "recall": np.where(self.existing.identified, self.existing.recall, np.nan),
            "spurious_per_image": np.where(
                self.existing.identified, self.existing.spurious, np.nan
            ),
            "existence_known": self.existing.identified,
            "label_accuracy": self.labels.accuracy,
            **{
                f"sd_{edge}": spread[:, k]
                for k, edge in enumerate(("left", "top", "right", "bottom"))
            },
            "n_outlying": np.bincount(self.drawn[self.fit.outlying], minlength=n),
            "status": np.asarray(self.fit.links.status),
        }

    def object_columns(self) -> dict[str, Array]:
        """`objects` as numpy columns, without pandas."""
        found, work = self.clusters, self.work
        columns: dict[str, Any] = {
            "image_id": work.image_table.id[found.image],
            "category": work.category_names[np.maximum(self.labels.label, 0)],
            "category_probability": self.labels.probability,
            **{name: self.boxes[:, k] for k, name in enumerate(("x1", "y1", "x2", "y2"))},
            **{
                f"sd_{edge}": self.fit.se[:, k]
                for k, edge in enumerate(("left", "top", "right", "bottom"))
            },
            "n_drawn": found.n_drawn,
            "n_asked": found.n_asked,
            "probability": self.existing.probability,
            "kept": self.kept,
            "contested": self.fit.contested.any(axis=1),
        }
        return columns

    @cached_property
    def suspicion_columns(self) -> dict[str, Array]:
        """`suspicions` as numpy columns, without pandas."""
        return suspicion_columns(self.work)

    def suspicions(self) -> pd.DataFrame:
        """List annotators whose boxes have one source, pasted boxes, and who drew nothing."""
        return to_frame(self.suspicion_columns)

    def comparison_columns(self, gold: Dataset) -> dict[str, Array]:
        """`comparison` as numpy columns, without pandas."""
        from annqc.run.consensuscheck import comparison_columns

        return comparison_columns(self, gold)

    def against_columns(self, gold: Dataset) -> dict[str, Array]:
        """`against` as numpy columns, without pandas."""
        from annqc.run.consensuscheck import against_columns

        return against_columns(self, gold)

    def comparison(self, gold: Dataset) -> pd.DataFrame:
        """Hold the consensus against gold, beside plainer ways of making one.

        Parameters
        ----------
        gold : Dataset
            What is trusted.

        Returns
        -------
        DataFrame
            One row a method: ``n_objects, recall, precision`` at IoU 0.5, and on the objects that
            all methods found (``n_common``) ``edge_rmse_px, edge_median_px, label_accuracy``.
        """
        return to_frame(self.comparison_columns(gold))

    def against(self, gold: Dataset) -> pd.DataFrame:
        """Put every annotator's offsets without gold beside those from gold."""
        return to_frame(self.against_columns(gold))

    def bias(self) -> pd.DataFrame:
        """Say how far every annotator is from the median annotator, or from the gold there is.

        Returns
        -------
        DataFrame
            One row an annotator and quantity: ``estimate, ci_low, ci_high`` in tolerance units and
            with ``_px``, ``n_clusters`` (images), ``p_value, p_adjusted, verdict`` (``disagree``
            where there are two annotators, or as many on either side, so that nobody can be said to
            be off), ``n_more, status``, ``from`` (what offsets are counted from; of two annotators
            their difference is given) and ``component``: annotators of two components cannot
            be compared.
        """
        return to_frame(self.bias_columns())

    def annotators(self) -> pd.DataFrame:
        """One row an annotator: recall, spurious objects an image, label accuracy, spread."""
        return to_frame(self.annotator_columns())

    def objects(self) -> pd.DataFrame:
        """One row an object that anybody drew: its edges, how sure they are, and whether it is."""
        return to_frame(self.object_columns())

    def __repr__(self) -> str:
        return (
            f"<annqc.Consensus: {int(self.kept.sum()):,} of {len(self.clusters):,} objects, "
            f"{len(self.work.annotator_ids)} annotators, {self.method}>"
        )


def make_consensus(
    work: Dataset,
    *,
    gold: Dataset | None = None,
    method: str = "model",
    pair_iou: float = PAIR_IOU,
    gold_sd: float = GOLD_SD,
    confidence: float = 0.95,
) -> Consensus:
    """Check what was asked for, and make a consensus of it.

    Parameters
    ----------
    work, gold, method, pair_iou, gold_sd, confidence
        As for `Consensus`.

    Raises
    ------
    UnknownNameError
        There is no such method.
    AnnqcError
        Fewer than two annotators drew.
    SpecError
        A number is out of its range.
    """
    check_numbers(pair_iou, gold_sd, confidence)
    if method not in METHODS:
        kind = "method"
        raise UnknownNameError.among(kind, method, METHODS)
    who = np.unique(work.table.annotator)
    if len(who) < 2:
        what = "a consensus takes two annotators or more"
        found = "nobody" if not len(who) else f"{work.annotator_ids[who[0]]} alone"
        hint = "say who drew what with annotator=, such as annotator='stem' for a file each"
        raise AnnqcError(what, where="work", found=found, hint=hint)
    chosen: Any = method
    made = Consensus(
        work,
        gold=gold,
        method=chosen,
        pair_iou=pair_iou,
        gold_sd=gold_sd,
        confidence=confidence,
        same_source=one_source(work),
    )
    if (np.diff(made.clusters.asked.offsets) < 2).all():
        what = "no two annotators were asked on one image"
        hint = (
            "check that the files call their images alike; annqc lint shows images and annotators"
        )
        raise AnnqcError(what, where="work", expected="images that several people drew", hint=hint)
    return made


def consensus(
    work: Any,
    gold: Any = None,
    *,
    method: str = "model",
    pair_iou: float = PAIR_IOU,
    gold_sd: float = GOLD_SD,
    confidence: float = 0.95,
    **options: Any,
) -> Consensus:
    """Make a consensus of what several annotators drew, and say how they differ.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame or Dataset
        What several annotators drew.
    gold : the same, optional
        A little gold that says where zero is: offsets are then from it, and what all have alike
        can be seen.
    method : {"model", "median", "mean", "wbf", "majority", "cvat"}
        The model of objects, edges and annotators together, or a plain rule. Findings on annotators
        are the model's in any case.
    pair_iou : float
        IoU from which on two boxes are rather one object than two.
    gold_sd : float
        How far an edge of the gold is off, in pixels.
    confidence : float
        Level of the intervals; one minus it is the level of the tests.
    **options
        Arguments of `annqc.read`, for the work.

    Returns
    -------
    Consensus
        Its tables are `Consensus.bias`, `Consensus.annotators` and `Consensus.objects`;
        `Consensus.dataset` is a reference for others, and never truth.

    Raises
    ------
    AnnqcError
        Fewer than two annotators drew.
    ReadError
        A source cannot be read.
    UnknownNameError
        There is no such method.

    Examples
    --------
    >>> import annqc
    >>> loose = annqc.Habit.loose("right", px=6)
    >>> made = annqc.simulate({"ann": [], "bob": loose, "cal": []}, rng=1)
    >>> found = annqc.consensus(made.work)
    >>> bias = found.bias()
    >>> bias.loc[bias["verdict"] == "biased", "annotator"].unique().tolist()
    ['bob']
    """
    data = work if isinstance(work, Dataset) else read(work, **options)
    known = gold if gold is None or isinstance(gold, Dataset) else read(gold)
    return make_consensus(
        data,
        gold=known,
        method=method,
        pair_iou=pair_iou,
        gold_sd=gold_sd,
        confidence=confidence,
    )
