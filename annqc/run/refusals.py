"""run: comparisons that would say nothing are refused, with the reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from annqc.errors import MatchError

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Dataset

__all__ = ["refuse_nothing", "refuse_unusable"]

ALIKE: Final = 0.05
"""Share of the smaller side's boxes that must pair for two sequences to be the same video."""


def refuse_unusable(reference: Dataset, candidate: Dataset) -> None:
    """Refuse a side of which every row had to be dropped: what follows would be misleading.

    Parameters
    ----------
    reference, candidate : Dataset
        The two sides.

    Raises
    ------
    MatchError
        With the kinds of problems, and how many of each.
    """
    for side, data in (("gold", reference), ("work", candidate)):
        if len(data.table) or not data.n_dropped:
            continue
        kinds = Counter(issue.kind for issue in data.issues if issue.severity == "dropped")
        what = f"none of the {data.n_dropped:,} rows of the {side} can be used"
        found = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common(3))
        raise MatchError(what, where=_where(data), found=found, hint="annqc lint lists them")


def refuse_nothing(matches: Matches) -> None:
    """Refuse a comparison without a single annotator x image.

    Parameters
    ----------
    matches : Matches
        From `annqc.match.match`.

    Raises
    ------
    MatchError
        With the reason.
    """
    if matches.n_tasks:
        _refuse_other_videos(matches)
        return
    what, where = "there is nothing to compare", _where(matches.candidate)
    if any(issue.kind == "own_reference" for issue in matches.issues):
        found = "every annotator drew the gold of their own images"
        hint = "give gold that others drew, or name the annotators of one side differently"
        raise MatchError(what, where=where, found=found, hint=hint)
    if any(issue.kind == "other_canvas" for issue in matches.issues):
        first = next(issue for issue in matches.issues if issue.kind == "other_canvas")
        found = f"image {first.image_id!r} is {first.message}"
        hint = "export the outlines of both sides at the size of the image"
        expected = "outlines of both sides on one canvas"
        raise MatchError(what, where=where, expected=expected, found=found, hint=hint)
    expected = "annotations, or assignments that say who was asked"
    raise MatchError(
        what, where=where, expected=expected, found="neither, on the images of the gold"
    )


def _refuse_other_videos(matches: Matches) -> None:
    """Refuse two videos of different names that were taken for one, and have nothing alike."""
    renamed = next((one for one in matches.issues if one.kind == "sequence_renamed"), None)
    fewest = min(len(matches.reference.table), len(matches.candidate.table))
    if renamed is None or len(matches.matched_reference) >= ALIKE * fewest:
        return
    what = "the two sides are not the same video"
    found = f"{len(matches.matched_reference):,} of {fewest:,} boxes overlap; {renamed.message}"
    hint = "give the gold of this video, or call the sequence the same on both sides"
    where = _where(matches.candidate)
    raise MatchError(
        what, where=where, expected="boxes on the same objects", found=found, hint=hint
    )


def _where(data: Dataset) -> str | None:
    return data.sources[0].path if data.sources else None
