"""run: how far annotators agree: alpha, every two of them, themselves twice, and the ceiling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.consensus.objects import Objects, cluster_objects
from annqc.errors import AnnqcError
from annqc.infer.agreement import alphas
from annqc.infer.ceiling import ceiling
from annqc.infer.pairwise import pair_matrix
from annqc.match import match
from annqc.measure.alpha import alpha_loc, alpha_nominal
from annqc.measure.ceiling import ceiling_sums
from annqc.measure.distances import outline_distance
from annqc.measure.offsets import units_of_evidence
from annqc.measure.pairwise import pair_counts, repeat_counts
from annqc.measure.units import unit_entries
from annqc.read import read
from annqc.tables import EDGES, Dataset, to_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from annqc.infer.agreement import Alpha
    from annqc.infer.pairwise import PairMatrix
    from annqc.measure.pairwise import PairCounts
    from annqc.measure.units import Entries
    from annqc.tables import Array, Ints

    Sessions = str | Sequence[tuple[object, object]]

__all__ = ["BLIND", "UNIT_IOU", "Agreement", "agreement"]

UNIT_IOU: Final = 0.1
"""Boxes that overlap by this much are taken to show one thing, however badly drawn."""
BLIND: Final = "agreement cannot see an offset that everybody has: it is no proof of being right"
MEASURES: Final = ("mean_iou", "f1", "label_agreement", "kappa")


@dataclass(eq=False)
class Agreement:
    """How far the annotators of a dataset agree. Made by `annqc.agreement`.

    Parameters
    ----------
    work : Dataset
        What several annotators drew.
    confidence : float
        Level of the intervals.
    """

    work: Dataset
    confidence: float = 0.95

    @cached_property
    def clusters(self) -> Objects:
        """Which annotation shows which object."""
        return cluster_objects(self.work, pair_iou=UNIT_IOU)

    @cached_property
    def entries(self) -> Entries:
        """What everybody who was asked said of every object."""
        o = self.clusters
        return unit_entries(
            o.object, self.work.table.annotator, o.image, o.asked.offsets, o.asked.annotator
        )

    @cached_property
    def evidence(self) -> Ints:
        """Unit of evidence of every object: its video, else its image."""
        return units_of_evidence(self.work.image_table)[self.clusters.image]

    def _clustered(self, counts: PairCounts) -> PairCounts:
        """Take the frames of a video for one piece of evidence."""
        code = units_of_evidence(self.work.image_table)
        return replace(
            counts,
            image=code[counts.image],
            label_image=code[counts.label_image],
            edge_image=code[counts.edge_image],
        )

    def alpha_columns(self) -> dict[str, Array]:
        """`alpha` as numpy columns, without pandas."""
        o, e, table = self.clusters, self.entries, self.work.table
        names = self.work.category_names
        n = len(names)
        rows: list[dict[str, Any]] = []

        def add(kind: str, found: Alpha, groups: list[object]) -> None:
            for k, group in enumerate(groups):
                if found.n_units[k]:
                    one = {"kind": kind, "category": group}
                    rows.append(one | {name: getattr(found, name)[k] for name in _ALPHA})

        def told(**options: Any) -> Alpha:
            found = alpha_loc(e.unit, e.row, self.evidence, **options)
            return alphas(found, confidence=self.confidence)

        add("box", told(xyxy=table.xyxy), ["all"])
        if n > 1:
            by = told(xyxy=table.xyxy, group=o.category, n_groups=n)
            add("box", by, names.tolist())
        if table.shapes is not None and (table.shapes.kind > 0).any():
            add("outline", told(distance=outline_distance(table.shapes, table.xyxy)), ["all"])
        nominal = alpha_nominal(e.unit, e.values(table.category), self.evidence)
        add("label", alphas(nominal, confidence=self.confidence), ["all"])
        return {
            name: np.array([row[name] for row in rows], dtype=object if name in _WORDS else None)
            for name in ("kind", "category", *_ALPHA)
        }

    def pair_columns(self) -> dict[str, Array]:
        """`pairs` as numpy columns, without pandas."""
        counts = self._clustered(pair_counts(self.work))
        return _matrix(pair_matrix(counts, confidence=self.confidence))

    def repeat_columns(self, sessions: Sessions) -> dict[str, Array]:
        """`repeatability` as numpy columns, without pandas."""
        counts = self._clustered(repeat_counts(self.work, sessions))
        return _matrix(pair_matrix(counts, confidence=self.confidence))

    def ceiling_columns(self, gold: Dataset) -> dict[str, Array]:
        """`ceiling` as numpy columns, without pandas."""
        # the low threshold: one at IoU 0.5 would cut off what is to be measured
        found = match(gold, self.work)
        sums = ceiling_sums(
            gold.table.xyxy,
            self.work.table.xyxy[found.pair_candidate],
            found.pair_reference,
            units_of_evidence(gold.image_table)[gold.table.image],
        )
        told = ceiling(sums, confidence=self.confidence)
        names = ("single", "consensus", "perfect")
        return {
            "of": np.array(names, dtype=object),
            **{
                column: np.array([float(getattr(told, name)[k]) for name in names])
                for k, column in enumerate(("mean_iou", "mean_iou_low", "mean_iou_high"))
            },
            "n_images": np.full(3, told.n_images),
            "n_objects": np.full(3, told.n_objects),
        }

    def alpha(self) -> pd.DataFrame:
        """Krippendorff's alpha of boxes, outlines and labels, missing objects included.

        Returns
        -------
        DataFrame
            One row a kind (``box, outline, label``) and category: ``estimate, low, high``,
            ``observed`` disagreement with its interval and the ``expected`` one, ``sigma, ks,
            edge_px``, ``n_images, n_units, status``.
        """
        return to_frame(self.alpha_columns())

    def pairs(self) -> pd.DataFrame:
        """Say how far every two annotators agree, on the images that both were asked on.

        Returns
        -------
        DataFrame
            One row a pair: ``mean_iou, f1, label_agreement, kappa`` with ``_low, _high`` (clustered
            by image), ``edge_sd_px``, the second's typical offset from the first at each edge
            (``out_left_px`` and so on), ``n_images, n_pairs``.
        """
        return to_frame(self.pair_columns())

    def repeatability(self, sessions: Sessions) -> pd.DataFrame:
        """Say how far annotators agree with themselves, where they drew an image twice.

        Parameters
        ----------
        sessions : str or sequence of (name, name)
            A column that tells the sessions of an annotator apart; ``"source"``, the files they
            came from; or pairs of names that are one person.

        Returns
        -------
        DataFrame
            As `pairs`, one row an annotator.
        """
        return to_frame(self.repeat_columns(sessions))

    def ceiling(self, gold: Dataset) -> pd.DataFrame:
        """Estimate the mean IoU that nobody can beat but by the gold's own mistakes.

        Parameters
        ----------
        gold : Dataset
            The gold; its author must not be among the annotators.

        Returns
        -------
        DataFrame
            ``mean_iou`` with its interval, of a ``single`` annotator, of their ``consensus``, and
            of a ``perfect`` annotator, by extrapolation.
        """
        return to_frame(self.ceiling_columns(gold))

    def __repr__(self) -> str:
        return (
            f"<annqc.Agreement: {len(self.work.annotator_ids)} annotators, "
            f"{len(self.clusters):,} objects>"
        )


def _matrix(found: PairMatrix) -> dict[str, Array]:
    columns: dict[str, Any] = {"first": found.first, "second": found.second}
    for name in MEASURES:
        interval = getattr(found, name)
        columns[name] = interval.estimate
        columns[f"{name}_low"], columns[f"{name}_high"] = interval.low, interval.high
    columns["edge_sd_px"] = found.edge_sd
    columns |= {f"{edge}_px": found.edge_shift[:, k] for k, edge in enumerate(EDGES)}
    return columns | {"n_images": found.n_images, "n_pairs": found.n_pairs}


_ALPHA: Final = (
    *("estimate", "low", "high", "observed", "observed_low", "observed_high", "expected"),
    *("sigma", "ks", "edge_px", "n_images", "n_units", "status"),
)
_WORDS: Final = ("kind", "category", "status")


def agreement(work: Any, *, confidence: float = 0.95, **options: Any) -> Agreement:
    """Say how far annotators agree, where several drew the same images.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame or Dataset
        What several annotators drew.
    confidence : float
        Level of the intervals.
    **options
        Arguments of `annqc.read`.

    Returns
    -------
    Agreement
        Its tables are `Agreement.alpha`, `Agreement.pairs`, `Agreement.repeatability` and
        `Agreement.ceiling`. None of them sees an offset that everybody has.

    Raises
    ------
    AnnqcError
        Fewer than two annotators drew.
    ReadError
        The source cannot be read.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob", "cal"], n_images=30, rng=1)
    >>> found = annqc.agreement(made.work)
    >>> found.alpha()["kind"].unique().tolist(), len(found.pairs())
    (['box', 'label'], 3)
    """
    data = work if isinstance(work, Dataset) else read(work, **options)
    who = np.unique(data.table.annotator)
    if len(who) < 2:
        what = "agreement takes two annotators or more"
        found = "nobody" if not len(who) else f"{data.annotator_ids[who[0]]} alone"
        hint = "say who drew what with annotator=, such as annotator='stem' for a file each"
        raise AnnqcError(what, where="work", found=found, hint=hint)
    made = Agreement(data, confidence=confidence)
    if (np.diff(made.clusters.asked.offsets) < 2).all():
        what = "no two annotators were asked on one image"
        hint = (
            "check that the files call their images alike; annqc lint shows images and annotators"
        )
        raise AnnqcError(what, where="work", expected="images that several people drew", hint=hint)
    return made
