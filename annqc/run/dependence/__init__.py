"""run: on which kind of object an edge is off, and since when; the part of a run about that."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from annqc.run.times import times_of
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from annqc.run.bias import Bias, BiasFinder
    from annqc.tables import Array, Dataset

__all__ = ["QUESTIONS", "STATUSES", "VERDICTS", "Dependent"]

QUESTIONS: Final = {
    "size": "does the offset, in tolerances, go with the side of the object",
    "place": "does it go with the place of the object in the image",
    "session": "does it go with the hours since a sitting began",
    "padding": "is it so many pixels at any size, or a share of the side",
    "change": "did it change at some time, and stay so",
}
"""What is asked of every edge of every annotator."""

VERDICTS: Final = {
    "depends": "the offset goes with it, by a tolerance or more over the work",
    "changed": "the offset changed, by a tolerance or more",
    "measurable": "it does, by less than a tolerance",
    "not_found": "nothing was found",
    "not_tested": "nothing can be said; the status says why",
}
"""What each verdict means; to ``padding`` the answers are `annqc.infer.padding.LABELS`."""

STATUSES: Final = {
    "ok": "tested",
    "by_session": "tested on sittings, for images drawn one after the other are alike",
    "no_data": "no usable pair",
    "sittings_differ": "sittings differ, and they are too few to be the evidence",
    "like_sizes": "it cannot be told from the size of the objects, which goes with it",
    "too_few_clusters": "fewer images or tracks than the question takes",
    "no_variation": "there is no difference in it within the work",
    "no_times": "nothing says when, or all was drawn at one time",
    "no_image_sizes": "the sizes of the images are not known",
    "anonymous": "nobody in particular drew it",
}
"""What each status means."""


class Dependent:
    """What offsets depend on."""

    candidate: Dataset

    if TYPE_CHECKING:

        @property
        def _finder(self) -> BiasFinder: ...

        def findings(self, by: str | Sequence[str] = ("annotator",)) -> Bias:
            """Find bias in the signed offsets, as arrays."""

    @cached_property
    def _dependence(self) -> dict[str, Array]:
        from annqc.run.dependence.asked import Asked

        by = () if self.candidate.anonymous else ("annotator",)
        return Asked(self.findings(by), self._finder, times_of(self.candidate)).columns()

    def dependence_columns(self) -> dict[str, Array]:
        """`dependence` as numpy columns, without pandas."""
        return dict(self._dependence)

    def dependence(self) -> pd.DataFrame:
        """Say on which kind of object an edge is off, and since when.

        Returns
        -------
        DataFrame
            One row an annotator, edge (``quantity``) and ``question``: ``size`` (the logarithm of
            the side), ``place`` (a smooth field over the image), ``session`` (hours since a sitting
            began), ``padding`` (so many pixels, or a share of the side) and ``change`` (since
            when); of changes there may be several rows. With ``estimate, ci_low, ci_high, unit``
            and, where a question has two numbers, ``second, second_low, second_high,
            second_unit``; ``confidence_level, n, n_clusters, p_value, p_adjusted, verdict, status,
            reach`` (how far the offset goes over the work, in tolerances), ``since, position,
            n_before, n_after`` of changes, ``net, net_low, net_high`` (px after a change less px
            before it, on objects of the same size), and ``text``. Nobody in particular has no
            verdicts; where all are anonymous, there is no column ``annotator``.

        Notes
        -----
        Score tests of Huber pseudo-values in tolerances, with images or tracks as clusters, or
        sittings where these differ; place, session and change are asked net of sizes. One
        question over all annotators is one family: Simes over the edges of an annotator,
        Benjamini-Hochberg over annotators, and over the edges of those named at the level that is
        left, as in `bias`. Of a change, ``p_value`` is the chance that honest work on this edge,
        and ``p_adjusted`` that anybody's on any edge, looks as changed as that.

        Examples
        --------
        >>> import annqc
        >>> team = {"ann": [], "bob": annqc.Habit.loose("right", px=6)}
        >>> made = annqc.simulate(team, n_images=60, rng=1)
        >>> found = annqc.audit(made.work, made.gold).dependence()
        >>> bob = found.query("annotator == 'bob' and quantity == 'out_right'")
        >>> bob.set_index("question")["verdict"]["padding"]
        'ADDITIVE'
        """
        return to_frame(self._dependence)
