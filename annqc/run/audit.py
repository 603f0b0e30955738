"""run: one comparison as a whole. Each step is done when it is first asked for, and once."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.match import MatchPolicy, match
from annqc.measure.detection import detections
from annqc.measure.offsets import BORDER_PX, measure
from annqc.measure.tolerance import Tolerance
from annqc.run.baseline import changes
from annqc.run.bias import BiasFinder
from annqc.run.counts import count_columns
from annqc.run.coverage import coverage_columns
from annqc.run.dependence import Dependent
from annqc.run.errors import ERROR_KINDS, error_columns, error_rows
from annqc.run.evidence import worst_annotations
from annqc.run.findings import findings_columns
from annqc.run.keys import as_names, known_keys, known_values
from annqc.run.outlined import Outlined
from annqc.run.pairing import Comparison
from annqc.run.pairs import pair_columns
from annqc.run.rates import rate_columns
from annqc.run.refusals import refuse_nothing, refuse_unusable
from annqc.run.scores import score_columns, score_sums
from annqc.run.sequential import sequential_columns
from annqc.run.suspected import Suspected
from annqc.run.tracked import Tracked
from annqc.run.worsened import worsened
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.measure.detection import Detections
    from annqc.measure.offsets import Measurements
    from annqc.run.baseline import Changes
    from annqc.run.bias import Bias
    from annqc.run.outlined import MeasuredOutlines
    from annqc.run.scores import Scores
    from annqc.tables import Array, Bools, Dataset, Problem

__all__ = ["Parameters", "Run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What an audit was asked to do; part of every output.

    Attributes
    ----------
    policy : MatchPolicy
        How the two sides are paired.
    tolerance : Tolerance
        Largest offset that is no bias.
    confidence : float
        Level of the intervals; one minus it is the level of the tests and the false discovery rate.
    border_px : float
        Edges this close to the image border are left out of offsets.
    """

    policy: MatchPolicy = field(default_factory=MatchPolicy)
    tolerance: Tolerance = field(default_factory=Tolerance)
    confidence: float = 0.95
    border_px: float = BORDER_PX

    def __post_init__(self) -> None:
        if not _is_number(self.confidence) or not 0.5 < self.confidence < 1:
            what = "the confidence level is out of range"
            raise SpecError(
                what, expected="a number between 0.5 and 1", found=repr(self.confidence)
            )
        if not _is_number(self.border_px) or not 0 <= self.border_px < np.inf:
            what = "the border width is out of range"
            raise SpecError(what, expected="pixels, zero or more", found=repr(self.border_px))


_OF_TOLERANCE: Final = {"track_series", "track_values", "structural_events"}
"""What a run at the same tolerance shares, once it is there."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Run(Outlined, Tracked, Suspected, Dependent):
    """A comparison of a candidate with a reference.

    Parameters
    ----------
    reference, candidate : Dataset
        What is trusted, and what is judged.
    parameters : Parameters, optional
        Defaults if not given.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    """

    def __init__(
        self,
        reference: Dataset,
        candidate: Dataset,
        *,
        parameters: Parameters | None = None,
        engine: Engine = "auto",
    ) -> None:
        self.reference = reference
        self.candidate = candidate
        self.parameters = parameters or Parameters()
        self.engine: Engine = engine
        self._bias: dict[tuple[str, ...], Bias] = {}
        self._scores: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, Array]] = {}
        self._score_sums: dict[tuple[str, ...], Scores] = {}
        self._again: dict[Parameters, Self] = {}
        self._comparisons: dict[Run, Comparison] = {}
        self._measured_outlines: MeasuredOutlines = {}

    @cached_property
    def matches(self) -> Matches:
        """Which drawing means which object."""
        refuse_unusable(self.reference, self.candidate)
        found = match(
            self.reference, self.candidate, policy=self.parameters.policy, engine=self.engine
        )
        refuse_nothing(found)
        return found

    @cached_property
    def measurements(self) -> Measurements:
        """Signed offsets of the pairs."""
        return measure(
            self.matches,
            tolerance=self.parameters.tolerance,
            border_px=self.parameters.border_px,
        )

    @cached_property
    def detected(self) -> Detections:
        """What was found, missed and invented."""
        return detections(self.matches)

    @property
    def issues(self) -> tuple[Problem, ...]:
        """Every problem of the reference, of the candidate, and of bringing them together."""
        return (*self.reference.issues, *self.candidate.issues, *self.matches.issues)

    def annotator_findings(self, by: str | Sequence[str] = ("annotator",)) -> Bias:
        """Find bias in the whole work of each annotator, in one go with the strata of ``by``.

        What is said of annotators and what is said of their strata then share one false discovery
        rate.
        """
        names = as_names(by)
        found = self.findings(names if "annotator" in names else ("annotator",))
        return found.pooled or found

    def with_parameters(
        self,
        *,
        tolerance: Tolerance | str | None = None,
        confidence: float | None = None,
        policy: MatchPolicy | None = None,
    ) -> Self:
        """Return the same comparison under other parameters, worked out once for each.

        What does not depend on the change is shared: the matches unless the policy changes, the
        measured offsets unless the tolerance does.

        Parameters
        ----------
        tolerance : Tolerance or str, optional
            Largest offset that is no bias; that of this run if not given.
        confidence : float, optional
            Level of the intervals; that of this run if not given.
        policy : MatchPolicy, optional
            How the two sides are paired; that of this run if not given.
        """
        old = self.parameters
        new = replace(
            old,
            tolerance=old.tolerance if tolerance is None else Tolerance.parse(tolerance),
            confidence=old.confidence if confidence is None else confidence,
            policy=old.policy if policy is None else policy,
        )
        if new == old:
            return self
        if new not in self._again:
            again = copy(self)
            again.__dict__ = {
                name: value
                for name, value in self.__dict__.items()
                if not isinstance(getattr(type(self), name, None), cached_property)
            }
            again.__dict__ |= {"parameters": new, "_bias": {}, "_scores": {}, "_again": {}}
            again.__dict__ |= {"_comparisons": {}, "_score_sums": {}}
            if new.policy == old.policy:
                again.__dict__ |= {"matches": self.matches, "detected": self.detected}
                if new.tolerance == old.tolerance:
                    again.__dict__["measurements"] = self.measurements
                    kept = self.__dict__.keys() & _OF_TOLERANCE
                    again.__dict__ |= {name: self.__dict__[name] for name in kept}
            self._again[new] = again
        return self._again[new]

    def findings(self, by: str | Sequence[str] = ("annotator",)) -> Bias:
        """Find bias in the signed offsets, as arrays; `bias` is the same as a table."""
        names = as_names(by)
        if names not in self._bias:
            self._bias[names] = self._finder.find(names)
        return self._bias[names]

    @cached_property
    def _finder(self) -> BiasFinder:
        return BiasFinder(
            self.matches,
            self.measurements,
            self.detected,
            confidence=self.parameters.confidence,
            border_px=self.parameters.border_px,
            engine=self.engine,
        )

    def bias_columns(self, by: str | Sequence[str] = ("annotator",)) -> dict[str, Array]:
        """`bias` as numpy columns, without pandas."""
        return findings_columns(self.findings(by))

    def sequential_columns(
        self, by: str | Sequence[str] = ("annotator",), *, cells: Bools | None = None
    ) -> dict[str, Array]:
        """`bias_columns` with intervals and verdicts that hold at every look at growing data.

        ``cells`` are the rows that are judged together, all of them if not given.
        """
        return sequential_columns(self.findings(by), cells)

    def changes(
        self,
        earlier: Run,
        measure: str,
        by: str | Sequence[str] = ("annotator",),
        *,
        margin: float | Tolerance,
    ) -> Changes:
        """Measure what changed since an earlier run: columns, and notes on what took no part."""
        return changes(self._compared(earlier), measure, as_names(by), margin=margin)

    def worsened(
        self,
        earlier: Run,
        measure: str,
        group: Mapping[str, object],
        *,
        quantity: str | None = None,
        most: int = 5,
    ) -> list[dict[str, Any]]:
        """List the annotations of a group that got worse since an earlier run."""
        return worsened(self._compared(earlier), measure, group, quantity=quantity, most=most)

    def _compared(self, earlier: Run) -> Comparison:
        """Pair this run with an earlier one, once."""
        if earlier not in self._comparisons:
            self._comparisons[earlier] = Comparison(self, earlier)
        return self._comparisons[earlier]

    def score_columns(
        self,
        by: str | Sequence[str] = ("annotator",),
        *,
        strata: str | Sequence[str] = ("annotator",),
    ) -> dict[str, Array]:
        """`scores` as numpy columns, without pandas.

        By annotator, ``strata`` is the grouping in one go with which the verdict on each annotator
        is reached.
        """
        names = as_names(by)
        whole = names == ("annotator",)
        key = (names, as_names(strata) if whole else ())
        if key not in self._scores:
            self._scores[key] = score_columns(
                self.matches,
                self.detected,
                self.score_sums(names),
                confidence=self.parameters.confidence,
                bias=self.annotator_findings(strata) if whole else None,
            )
        return dict(self._scores[key])

    def score_sums(self, by: str | Sequence[str] = ("annotator",)) -> Scores:
        """Return the sums that scores come from, as `annqc.run.scores.score_sums` lays them out."""
        names = as_names(by)
        if names not in self._score_sums:
            self._score_sums[names] = score_sums(self.matches, self.detected, names)
        return self._score_sums[names]

    def rate_columns(
        self,
        name: str,
        by: str | Sequence[str] = ("annotator",),
        *,
        limit: float,
        at_least: bool,
        kinds: Sequence[str] = (),
    ) -> dict[str, Array]:
        """Hold a rate against a limit, see `annqc.run.rates.rate_columns`."""
        names = as_names(by)
        return rate_columns(self, name, names, limit=limit, at_least=at_least, kinds=kinds)

    def count_columns(
        self, name: str, by: str | Sequence[str] = ("annotator",), *, kinds: Sequence[str] = ()
    ) -> dict[str, Array]:
        """Count something in every group, see `annqc.run.counts.count_columns`."""
        return count_columns(self, name, as_names(by), kinds=kinds)

    def coverage_columns(
        self, name: str, by: str | Sequence[str] = (), *, categories: Sequence[str] = ()
    ) -> dict[str, Array]:
        """Say what is there and what is missing, see `annqc.run.coverage.coverage_columns`."""
        return coverage_columns(self, name, as_names(by), categories=categories)

    def known_values(self, name: str) -> set[str]:
        """Every value that a column can have here, as text, with or without rows that have it."""
        return known_values(self.matches, name)

    def worst(
        self,
        group: Mapping[str, object],
        *,
        quantity: str | None = None,
        kinds: Sequence[str] = (),
        most: int = 5,
    ) -> list[dict[str, Any]]:
        """Return the annotations of a group that weigh most against it, the worst first.

        ``group`` is column -> value, as in the rows of a check. Of a ``quantity`` (an edge, ``dx,
        dy, dw, dh`` or ``iou``; of outlines a contour offset, ``mask_iou`` and so on) the pairs
        that are farthest off, or errors of some ``kinds``; see
        `annqc.run.evidence.worst_annotations`. The ``text`` of each is a line for people.
        """
        return worst_annotations(self, group, quantity=quantity, kinds=kinds, most=most)

    def error_columns(self) -> dict[str, Array]:
        """`errors` as numpy columns, without pandas."""
        return dict(self._errors)

    def pair_columns(self) -> dict[str, Array]:
        """`pairs` as numpy columns, without pandas."""
        return dict(self._pairs)

    @cached_property
    def _errors(self) -> dict[str, Array]:
        return error_columns(self.matches, self.error_rows)

    @cached_property
    def error_rows(self) -> dict[str, Array]:
        """`errors` as row numbers, see `annqc.run.errors.error_rows`."""
        outlines = self.outline_measurements, self.outline_styles
        return error_rows(self.matches, self.measurements, *outlines)

    @cached_property
    def _pairs(self) -> dict[str, Array]:
        return pair_columns(self.matches, self.measurements)

    @property
    def columns(self) -> list[str]:
        """Every column that ``by=`` may name."""
        return known_keys(self.matches)

    @property
    def pairs(self) -> pd.DataFrame:
        """One row a pair, missed and spurious included, with signed offsets in pixels.

        ``status`` is one of ``matched, mislabelled, missed, spurious, absorbed, paired``;
        ``paired`` rows overlap too little to count as found and are compared edge by edge all the
        same. ``in_offsets`` says whether the row entered the offset tests.
        """
        return to_frame(self.pair_columns())

    def bias(self, by: str | Sequence[str] = ("annotator",)) -> pd.DataFrame:
        """Say who is off, on which edge, by how much, and how sure that is.

        Parameters
        ----------
        by : str or sequence of str
            Any mix of ``annotator``, ``category``, ``size``, ``image_id`` and the columns of the
            data (see `columns`). With the annotator among them, the others are strata of the
            annotators.

        Returns
        -------
        DataFrame
            One row a group and quantity: the ``by`` columns, ``quantity`` (``out_left, out_top,
            out_right, out_bottom, dx, dy, dw, dh``), ``estimate, ci_low, ci_high`` in tolerance
            units and with ``_px`` and ``_rel``, ``confidence_level, n, n_clusters, p_value,
            p_adjusted, verdict, n_more, flags, status`` and what explains them. An estimate beyond
            ``margin`` (1, or 2
            for growth) is out of tolerance.
        """
        return to_frame(self.bias_columns(by))

    def scores(self, by: str | Sequence[str] = ("annotator",)) -> pd.DataFrame:
        """One row a group: recall, precision, label accuracy and mean IoU with clustered intervals.

        Parameters
        ----------
        by : str or sequence of str
            As in `bias`. By annotator alone there is the standing as well: the verdict on the
            annotator, the rank (1 is the smallest bias on the worst edge; ``rank_low`` to
            ``rank_high`` is where they stand with 90 % confidence), and the mean IoU adjusted for
            who drew which images.
        """
        return to_frame(self.score_columns(by))

    def errors(self, *, kind: str | None = None, annotator: object = None) -> pd.DataFrame:
        """One row an error, the one whose correction gains most first.

        Parameters
        ----------
        kind : str, optional
            Only this kind (see `annqc.run.errors.ERROR_KINDS`).
        annotator : object, optional
            Only those of this annotator.

        Raises
        ------
        UnknownNameError
            Where there is no such kind, or no such annotator.
        """
        columns = self.error_columns()
        wanted = np.ones(len(columns["kind"]), dtype=bool)
        if kind is not None:
            if kind not in ERROR_KINDS:
                what = "kind of error"
                raise UnknownNameError.among(what, kind, ERROR_KINDS)
            wanted &= columns["kind"] == kind
        if annotator is not None:
            known = self.candidate.annotator_ids.tolist()
            if annotator not in known:
                what = "annotator"
                raise UnknownNameError.among(what, annotator, map(str, known))
            wanted &= columns["annotator"] == annotator
        return to_frame({name: column[wanted] for name, column in columns.items()})

    def __repr__(self) -> str:
        facts: dict[str, Any] = {
            "annotators": len(self.candidate.annotator_ids),
            "reference": len(self.reference),
            "candidate": len(self.candidate),
        }
        inner = ", ".join(f"{count} {what}" for what, count in facts.items())
        return f"<annqc.{type(self).__name__}: {inner}>"
