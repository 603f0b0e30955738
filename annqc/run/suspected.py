"""run: suspicions about a comparison; the part of `annqc.run.audit.Run` that is about them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from annqc.tables import to_frame

if TYPE_CHECKING:
    import pandas as pd

    from annqc.match import Matches
    from annqc.run.audit import Parameters
    from annqc.tables import Array, Dataset

__all__ = ["Suspected"]


class Suspected:
    """What should be looked at before the figures of a comparison are believed."""

    parameters: Parameters
    candidate: Dataset

    if TYPE_CHECKING:

        @property
        def matches(self) -> Matches:
            """Which drawing means which object."""

    @cached_property
    def suspicion_columns(self) -> dict[str, Array]:
        """`suspicions` as numpy columns, without pandas."""
        from annqc.run.suspicions import suspicion_columns

        return suspicion_columns(self.candidate, self.matches, tolerance=self.parameters.tolerance)

    def suspicions(self) -> pd.DataFrame:
        """List what is not as it should be with the comparison itself: a reason to look, no more.

        Returns
        -------
        DataFrame
            One row a suspicion: gold that is somebody's work, annotators whose boxes have the same
            source, boxes that were pasted, gold that several annotators contradict, and who drew
            nothing where others did; with ``annotators, n, of, share, share_low, share_high,
            expected, p_value, p_adjusted, image_id, annotation_id, text``.
        """
        return to_frame(self.suspicion_columns)
