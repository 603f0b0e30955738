"""report: the section about tracks on the screen of an audit, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.trackopen import undecided_lines
from annqc.report.tracks import temporal_sentences

if TYPE_CHECKING:
    from annqc.run.audit import Run

__all__ = ["TrackSection", "track_lines"]


class TrackSection(NamedTuple):
    """The section in words.

    Attributes
    ----------
    note : str
        What stands behind the heading.
    shared, sentences : list of str
        What everybody has alike; who drifts, lags, shakes, or begins late.
    open : list of str
        On what there is no verdict, and why.
    """

    note: str
    shared: list[str]
    sentences: list[str]
    open: list[str]


def track_lines(run: Run) -> TrackSection:
    """Say what an audit says of tracks in short; ``annqc tracks`` has the rest.

    Parameters
    ----------
    run : Run
        The comparison, of which the reference has tracks.
    """
    columns = run.temporal_columns()
    shared = temporal_sentences(columns, everybody=True)
    sentences = temporal_sentences(columns)
    n = number_of(len(np.unique(run.track_series.track)), "reference track")
    found = "" if sentences else "; nobody is shown to drift, lag, shake or be late"
    return TrackSection(
        f"{n}{found}; annqc tracks shows more", shared, sentences, undecided_lines(columns)
    )
