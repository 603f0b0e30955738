"""run: what a comparison says of outlines; the part of `annqc.run.audit.Run` that is about them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from annqc.measure.outline_styles import measure_styles
from annqc.measure.outlines import measure_outlines
from annqc.run.keys import as_names
from annqc.run.outline_rates import outline_rate_columns
from annqc.run.outlines import find_outlines, outline_columns, outline_score_columns
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.match.policy import MatchPolicy
    from annqc.measure.outline_styles import OutlineStyles
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.measure.tolerance import Tolerance
    from annqc.run.audit import Parameters
    from annqc.run.outlines import Outlines
    from annqc.tables import Array

    MeasuredOutlines = dict[tuple[MatchPolicy, Tolerance, float], OutlineMeasurements]

__all__ = ["Outlined"]


class Outlined:
    """Polygons and masks of a comparison. Without outlines on both sides all of it is empty."""

    parameters: Parameters
    engine: Engine
    _measured_outlines: MeasuredOutlines

    if TYPE_CHECKING:

        @property
        def matches(self) -> Matches:
            """Which drawing means which object."""

    @cached_property
    def outline_measurements(self) -> OutlineMeasurements:
        """Signed contour offsets of the pairs, and how well their outlines agree.

        Runs that `annqc.run.audit.Run.with_parameters` made of one another measure once for each
        way to match and each tolerance.
        """
        used = self.parameters
        key = (used.policy, used.tolerance, used.border_px)
        if key not in self._measured_outlines:
            self._measured_outlines[key] = measure_outlines(
                self.matches,
                tolerance=used.tolerance,
                border_px=used.border_px,
                engine=self.engine,
            )
        return self._measured_outlines[key]

    @cached_property
    def outline_styles(self) -> OutlineStyles:
        """How outlines were drawn: simplified, traced or copied."""
        return measure_styles(self.matches, self.outline_measurements, engine=self.engine)

    @property
    def has_outlines(self) -> bool:
        """Whether any pair has an outline on both sides."""
        return len(self.outline_measurements) > 0

    @cached_property
    def _found_outlines(self) -> dict[tuple[str, ...], Outlines]:
        return {}

    def outline_findings(self, by: str | Sequence[str] = ("annotator",)) -> Outlines:
        """Find bias in the contour offsets, as arrays; `outlines` is the same as a table."""
        names = as_names(by)
        if names not in self._found_outlines:
            self._found_outlines[names] = find_outlines(
                self.matches,
                self.outline_measurements,
                names,
                confidence=self.parameters.confidence,
                engine=self.engine,
            )
        return self._found_outlines[names]

    def outline_columns(self, by: str | Sequence[str] = ("annotator",)) -> dict[str, Array]:
        """`outlines` as numpy columns, without pandas."""
        return outline_columns(self.outline_findings(by))

    def outline_score_columns(self, by: str | Sequence[str] = ("annotator",)) -> dict[str, Array]:
        """`outline_scores` as numpy columns, without pandas."""
        return outline_score_columns(
            self.matches,
            self.outline_measurements,
            as_names(by),
            styles=self.outline_styles,
            confidence=self.parameters.confidence,
        )

    def outline_rate_columns(
        self,
        name: str,
        by: str | Sequence[str] = ("annotator",),
        *,
        limit: float,
        at_least: bool,
    ) -> dict[str, Array]:
        """Hold how well outlines agree against a limit; see `annqc.run.outline_rates`."""
        return outline_rate_columns(
            self.matches,
            self.outline_measurements,
            name,
            as_names(by),
            limit=limit,
            at_least=at_least,
            confidence=self.parameters.confidence,
        )

    def outlines(self, by: str | Sequence[str] = ("annotator",)) -> pd.DataFrame:
        """Say whose outlines are dilated or eroded, on which side, and how sure that is.

        Parameters
        ----------
        by : str or sequence of str
            As in `bias`.

        Returns
        -------
        DataFrame
            One row a group and quantity: the ``by`` columns, ``quantity`` (``contour_left,
            contour_top, contour_right, contour_bottom``, ``contour`` for all of it, and the four
            quarters, which are described and not tested, ``contour_top_left`` and so on),
            ``estimate, ci_low, ci_high`` in tolerance units and with ``_px``, positive where
            dilated, ``confidence_level, n, n_clusters, p_value, p_adjusted, verdict, n_more, flags,
            status`` and what explains them. The tolerance of an outline is that of a side as long
            as the square root of its area.
        """
        return to_frame(self.outline_columns(by))

    def outline_scores(self, by: str | Sequence[str] = ("annotator",)) -> pd.DataFrame:
        """One row a group: how well outlines agree, with clustered intervals.

        Parameters
        ----------
        by : str or sequence of str
            As in `bias`.

        Returns
        -------
        DataFrame
            The ``by`` columns; ``mask_iou, boundary_iou, dice``, ``assd, hd95`` in pixels, and
            ``nsd``, the share of the contours within 2 px, each with ``_low, _high``; the typical
            ``area_ratio`` and ``vertex_density``; how outlines were drawn, ``density_ratio,
            chord_px`` and the shares ``copied, few_points, staircase, simplified, holes_filled,
            holes_opened``; and counts.
        """
        return to_frame(self.outline_score_columns(by))
