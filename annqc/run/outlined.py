"""run: what a comparison says of outlines; the part of `annqc.run.audit.Run` that is about them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from annqc.measure.outlines import measure_outlines
from annqc.run.keys import as_names
from annqc.run.outlines import find_outlines, outline_columns, outline_score_columns
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from annqc.kernels._jit import Engine
    from annqc.match import Matches
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.run.audit import Parameters
    from annqc.run.outlines import Outlines
    from annqc.tables import Array

__all__ = ["Outlined"]


class Outlined:
    """Polygons and masks of a comparison. Without outlines on both sides all of it is empty."""

    parameters: Parameters
    engine: Engine

    if TYPE_CHECKING:

        @property
        def matches(self) -> Matches:
            """Which drawing means which object."""

    @cached_property
    def outline_measurements(self) -> OutlineMeasurements:
        """Signed contour offsets of the pairs, and how well their outlines agree."""
        return measure_outlines(
            self.matches,
            tolerance=self.parameters.tolerance,
            border_px=self.parameters.border_px,
            engine=self.engine,
        )

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
            contour_top, contour_right, contour_bottom``, and ``contour`` for all of it),
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
            ``area_ratio`` and ``vertex_density``; and counts.
        """
        return to_frame(self.outline_score_columns(by))
