"""run: what a comparison says of tracks; the part of `annqc.run.audit.Run` that is about videos."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from annqc.run.keys import as_names
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from annqc.infer.tracking import TrackScores
    from annqc.match import Matches
    from annqc.measure.track_events import TrackEvents
    from annqc.measure.tracks import TrackSeries
    from annqc.run.audit import Parameters
    from annqc.run.temporal import Temporal
    from annqc.run.trackvalues import SeriesValues
    from annqc.tables import Array

__all__ = ["Tracked"]


class Tracked:
    """Tracks of a comparison. Where the reference has none all of it is empty."""

    parameters: Parameters

    if TYPE_CHECKING:

        @property
        def matches(self) -> Matches:
            """Which drawing means which object."""

    @cached_property
    def track_series(self) -> TrackSeries:
        """What every annotator drew of every reference track, frame by frame."""
        from annqc.measure.tracks import measure_tracks

        return measure_tracks(
            self.matches,
            tolerance=self.parameters.tolerance,
            border_px=self.parameters.border_px,
        )

    @property
    def has_tracks(self) -> bool:
        """Whether the reference has a track that somebody was asked on."""
        return len(self.track_series) > 0

    @property
    def tracks_are_scored(self) -> bool:
        """Whether there are tracks on both sides, in frames of sequences, as scores need."""
        drawn, images = self.matches.candidate.table.track, self.matches.reference.image_table
        videos = images.sequence is not None and images.frame is not None
        return self.has_tracks and videos and drawn is not None and bool((drawn >= 0).any())

    @cached_property
    def track_values(self) -> SeriesValues:
        """Slope, lag, jitter, ends and keyframes of every single track."""
        from annqc.run.trackvalues import series_values

        return series_values(self.matches, self.track_series)

    @cached_property
    def structural_events(self) -> TrackEvents:
        """Gaps, late ends, switches and other events of identity, as arrays."""
        from annqc.measure.track_events import events_between

        return events_between(self.matches, self.track_series)

    @cached_property
    def track_event_rows(self) -> list[dict[str, Any]]:
        """`track_events` as row numbers, see `annqc.run.tracklists.event_rows`."""
        from annqc.run.tracklists import event_rows

        return event_rows(
            self.track_series,
            self.track_values,
            self.structural_events,
            confidence=self.parameters.confidence,
        )

    @cached_property
    def _found_temporal(self) -> dict[tuple[object, ...], Temporal]:
        return {}

    def temporal_findings(
        self,
        by: str | Sequence[str] = ("annotator",),
        *,
        margins: Mapping[str, float] | None = None,
    ) -> Temporal:
        """Find what is systematic in tracks, as arrays; `tracks` is the same as a table.

        ``margins`` are other ones than the usual, as `annqc.run.temporal.find_temporal` takes them.
        """
        from annqc.run.temporal import find_temporal

        names = as_names(by)
        key = (names, *sorted((margins or {}).items()))
        if key not in self._found_temporal:
            self._found_temporal[key] = find_temporal(
                self.matches,
                self.track_series,
                self.track_values,
                names,
                confidence=self.parameters.confidence,
                margins=margins,
            )
        return self._found_temporal[key]

    def temporal_columns(
        self,
        by: str | Sequence[str] = ("annotator",),
        *,
        margins: Mapping[str, float] | None = None,
    ) -> dict[str, Array]:
        """`tracks` as numpy columns, without pandas."""
        from annqc.run.temporal import temporal_columns

        columns = temporal_columns(self.temporal_findings(by, margins=margins))
        if self.has_tracks:
            return columns
        return {name: column[:0] for name, column in columns.items()}

    def track_columns(self) -> dict[str, Array]:
        """`track_list` as numpy columns, without pandas."""
        from annqc.run.tracklists import track_columns

        return track_columns(
            self.matches,
            self.track_series,
            self.track_values,
            confidence=self.parameters.confidence,
        )

    def track_event_columns(self) -> dict[str, Array]:
        """`track_events` as numpy columns, without pandas."""
        from annqc.run.tracklists import event_columns

        return event_columns(self.matches, self.track_event_rows)

    def track_count_columns(
        self, by: str | Sequence[str] = ("annotator",), *, kinds: Sequence[str] = ()
    ) -> dict[str, Array]:
        """Count events of tracks in every group, see `annqc.run.trackrates.track_count_columns`."""
        from annqc.run.trackrates import track_count_columns

        return track_count_columns(
            self.matches, self.track_series, self.track_event_rows, as_names(by), kinds=kinds
        )

    def track_rate_columns(
        self,
        name: str,
        by: str | Sequence[str] = ("annotator",),
        *,
        limit: float,
        at_least: bool,
        preprocess: str = "none",
    ) -> dict[str, Array]:
        """Hold a tracking score, or switches of identity, against a limit.

        See `annqc.run.trackrates`.
        """
        from annqc.run.trackrates import SWITCHES, switch_columns, track_score_columns

        confidence, names = self.parameters.confidence, as_names(by)
        if name == SWITCHES:
            series, events = self.track_series, self.structural_events
            return switch_columns(
                self.matches,
                series,
                events,
                names,
                limit=limit,
                at_least=at_least,
                confidence=confidence,
            )
        found = self._tracking_scored(preprocess)
        return track_score_columns(self.matches, found, name, names, limit=limit, at_least=at_least)

    @cached_property
    def _scored_tracks(self) -> dict[str, TrackScores]:
        return {}

    def _tracking_scored(self, preprocess: str) -> TrackScores:
        from annqc.run.trackscores import scored

        if preprocess not in self._scored_tracks:
            self._scored_tracks[preprocess] = scored(
                self.matches, preprocess=preprocess, confidence=self.parameters.confidence
            )
        return self._scored_tracks[preprocess]

    def tracking_columns(self, *, preprocess: str = "none") -> dict[str, Array]:
        """`tracking_scores` as numpy columns, without pandas."""
        from annqc.run.trackscores import tracking_columns

        return tracking_columns(self.matches, self._tracking_scored(preprocess))

    def tracking_scores(self, *, preprocess: str = "none") -> pd.DataFrame:
        """Return HOTA, CLEAR and identity scores, one row an annotator, equal to TrackEval's.

        Parameters
        ----------
        preprocess : {"none", "mot", "mot20"}
            Leave out what MOTChallenge does: boxes on distractors, and gold that does not count.

        Returns
        -------
        DataFrame
            ``annotator``; ``HOTA, DetA, AssA, LocA, MOTA, IDF1`` and the rest of
            `annqc.measure.tracking.SCORES`, each with ``_low, _high``; the counts ``IDSW, Frag, MT,
            PT, ML`` and so on; ``n_clusters``, the sequences that intervals rest on (tracks, where
            ``clusters`` says so, as there are fewer than five sequences), ``status``; and
            ``n_doubled``, boxes that stand beside another of their track in a frame, each of which
            counts as a track of its own.

        Raises
        ------
        MatchError
            A side has no tracks, or categories are not those of MOTChallenge.
        """
        return to_frame(self.tracking_columns(preprocess=preprocess))

    def tracks(self, by: str | Sequence[str] = ("annotator",)) -> pd.DataFrame:
        """Say whose tracks drift, lag or shake, begin late, or are left to interpolation.

        Parameters
        ----------
        by : str or sequence of str
            As in `bias`. The unit of evidence is the track (for ``start`` and ``end``: the
            sequence).

        Returns
        -------
        DataFrame
            One row a group and quantity: the ``by`` columns; ``quantity`` (``drift_left`` and the
            other edges, ``lag, jitter, start, end, sag``, and ``sawtooth_left`` and the other
            edges) with its ``unit``; ``estimate, ci_low, ci_high`` and, where it makes sense, the
            same with ``_px``; ``confidence_level, n, n_clusters, p_value, p_adjusted, verdict,
            n_more, flags, status``. Empty where the gold has no tracks.
        """
        return to_frame(self.temporal_columns(by))

    def track_list(self) -> pd.DataFrame:
        """Return one row for every object and annotator: slope, lag and jitter of the single track.

        Returns
        -------
        DataFrame
            The columns of `annqc.run.tracklists.track_columns`. A verdict in it is on one object,
            and says nothing of the annotator.
        """
        return to_frame(self.track_columns())

    def track_events(self) -> pd.DataFrame:
        """List where a track drifts, jumps, freezes, breaks or changes hands, as stretches.

        Returns
        -------
        DataFrame
            One row an event: ``annotator, sequence, kind, track_id, drawn_track_id,
            other_track_id, first_frame, last_frame, edge, size, size_low, size_high, unit, text``.
        """
        return to_frame(self.track_event_columns())
