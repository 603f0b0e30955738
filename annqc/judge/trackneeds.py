"""judge: what it takes to pass a rule on tracks, in words; part of `annqc.judge.describe`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from annqc.judge.registry import find_measure

if TYPE_CHECKING:
    from annqc.judge.model import Rule

__all__ = ["track_evidence"]

OF_TRACKS: Final = {
    "drift": "of 50 frames or more, without a jump",
    "lag": "whose speed varies by a pixel a frame or more",
    "jitter": "of each annotator, of whom there are three or more",
    "sag": "that are left to interpolation",
    "sawtooth": "that are left to interpolation",
}
"""Which tracks are evidence."""


def track_evidence(rule: Rule, least: int) -> tuple[str, tuple[str, ...]]:
    """Return what it takes to pass of a rule on tracks, in a few words and in full.

    Parameters
    ----------
    rule : Rule
        Of a measure that looks at tracks.
    least : int
        Clusters from which on there is a verdict.
    """
    if rule.measure == "track_events":
        return "tracks", ("Tracks on both sides. A count passes or fails, without an interval.",)
    if "preprocess" in find_measure(rule.measure).takes:
        few = f"{least} sequences"
        with_fewer = f"with fewer, {least} tracks, and the interval speaks of these sequences alone"
        within = "The whole interval must lie within the limit."
        return few, (f"At least {few}; {with_fewer}.", within)
    if rule.measure in {"start", "end"}:
        few = f"{least} sequences"
        return few, (f"At least {few} with objects that come or go inside them.",)
    which = OF_TRACKS.get(rule.measure.partition("_")[0], "")
    return f"{least} tracks", (f"At least {least} tracks {which}".rstrip() + ".",)
