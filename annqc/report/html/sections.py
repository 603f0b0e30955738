"""report: the sections that only some audits have: tracks, outlines, time, size and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annqc.report.html.blocks import Blocker, evidence_of
from annqc.report.html.outlines import OutlineSection
from annqc.report.html.position import Padding, Position
from annqc.report.html.tracks import Tracks
from annqc.report.html.trend import Trend

if TYPE_CHECKING:
    from annqc.report.html.story import Person, Story

__all__ = ["Sections"]


class Sections:
    """Makes the sections, of everybody in one audit.

    Parameters
    ----------
    story : Story
        The audit.
    """

    def __init__(self, story: Story) -> None:
        blocker = Blocker(story.run)
        self.evidence = evidence_of(story)
        self.tracks = Tracks(story)
        self.outlines = OutlineSection(story)
        self.trend = Trend(story, blocker)
        self.padding = Padding(story, blocker)
        self.position = Position(story, blocker)

    def of(self, person: Person) -> dict[str, Any]:
        """Return what the template of a person's page is filled with; None for what is not there.

        Parameters
        ----------
        person : Person
            One of the story's.
        """
        return {
            "evidence": self.evidence,
            "tracked": self.tracks.of(person),
            "outlined": self.outlines.of(person),
            "trend": self.trend.of(person),
            "trend_of_all": False,
            "padding": self.padding.of(person),
            "position": self.position.of(person),
        }

    def overview(self) -> dict[str, Any]:
        """Return what the template of the first page is filled with."""
        return {
            "evidence": self.evidence,
            "tracked": self.tracks.overview(),
            "outlined": self.outlines.overview(),
            "trend": self.trend.overview(),
            "trend_of_all": True,
        }
