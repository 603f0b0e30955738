"""run: what tracks say of themselves, where there is no gold.

Shaking, jumps, frozen boxes, interpolation, gaps, ids that are there twice and labels that change
can be seen without gold; and how two annotators of one video differ. How far anybody is off, drifts
or lags cannot, and is not said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import AnnqcError
from annqc.ids import encode
from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.rates import korn_graubard
from annqc.infer.temporal.estimate import OK, STATUSES
from annqc.infer.temporal.frozen import held_drawings
from annqc.infer.temporal.jitter import MARGIN, fleet_jitter, track_jitter
from annqc.infer.temporal.keyframes import integer_gap, interpolation
from annqc.infer.temporal.relative import track_faults
from annqc.infer.verdicts import (
    ALPHA,
    BIASED,
    CLEAN,
    UNDECIDED,
    VERDICTS,
    eligible,
    half_width,
    p_bias,
    p_clean,
)
from annqc.measure.tolerance import Tolerance
from annqc.read import read
from annqc.run.aloneevents import HELD, event_columns
from annqc.run.alonepairs import MOST_PAIRS, pair_columns, pairs_of
from annqc.run.trackvalues import keyframe_gaps
from annqc.tables import Dataset, to_frame

if TYPE_CHECKING:
    import pandas as pd

    from annqc.infer.temporal.frozen import Held
    from annqc.infer.temporal.jitter import TrackJitter
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["NOT_KNOWN", "Alone", "tracks"]

NOT_KNOWN: Final = (
    "without gold it cannot be told how far anybody is off, drifts or lags, nor what all do alike"
)
FLEET: Final = 3
"""Annotators that make a fleet, beside which one of them can be too shaky."""


@dataclass(eq=False)
class Alone:
    """Tracks on their own.

    Parameters
    ----------
    work : Dataset
        What was drawn, with tracks.
    tolerance : Tolerance
        What a jump must exceed threefold.
    confidence : float
        Level of the intervals; one minus it is the level of the tests.
    """

    work: Dataset
    tolerance: Tolerance = field(default_factory=Tolerance)
    confidence: float = 1 - ALPHA

    @cached_property
    def rows(self) -> Ints:
        """Rows with a track, one a track and frame, by track and frame."""
        table = self.work.table
        if table.track is None:
            return np.empty(0, dtype=np.int64)
        some = np.flatnonzero((table.track >= 0) & ~table.crowd & ~table.ignored)
        frame = self._frame_of(some)
        order = some[np.lexsort((frame, table.track[some]))]
        frame = self._frame_of(order)
        new = np.ones(len(order), dtype=bool)
        new[1:] = (table.track[order][1:] != table.track[order][:-1]) | (frame[1:] != frame[:-1])
        return order[new]

    def _frame_of(self, rows: Ints) -> Ints:
        image, images = self.work.table.image[rows], self.work.image_table
        return image if images.frame is None else images.frame[image]

    @cached_property
    def starts(self) -> Ints:
        """Where each series of `rows` begins, and the end."""
        track = self.track_of_rows[self.rows]
        new = np.append(True, track[1:] != track[:-1])[: len(track)]
        return np.append(np.flatnonzero(new), len(track))

    @property
    def track_of_rows(self) -> Ints:
        """Track of every annotation, -1 for none."""
        track = self.work.table.track
        return np.full(len(self.work.table), -1) if track is None else track

    @cached_property
    def first(self) -> Ints:
        """First row of every series."""
        return self.rows[self.starts[:-1]]

    @cached_property
    def frame(self) -> Ints:
        """Frame of each of `rows`."""
        return self._frame_of(self.rows)

    @cached_property
    def boxes(self) -> Floats:
        """Box of each of `rows`."""
        return self.work.table.xyxy[self.rows]

    @cached_property
    def annotator(self) -> Ints:
        """Who drew each series."""
        return self.work.table.annotator[self.first]

    @cached_property
    def sequence(self) -> Ints:
        """Number of the sequence of each series."""
        images = self.work.image_table
        image = self.work.table.image[self.first]
        if images.sequence is None:
            return np.zeros(len(image), dtype=np.int64)
        return encode(images.sequence)[0][image]

    @cached_property
    def jitter(self) -> TrackJitter:
        """Jitter of each edge of each series, from third differences of the coordinates."""
        return track_jitter(self.boxes, self.frame, self.starts, order=3, grid=self.grid)

    @property
    def grid(self) -> float:
        """Step of the coordinates: 1 where all are whole pixels, else 0."""
        return float(len(self.boxes) > 0 and bool((self.boxes == np.rint(self.boxes)).all()))

    @cached_property
    def allowed(self) -> Floats:
        """Tolerance of each edge of each series in pixels, that of its first box, (s, 4)."""
        first = self.work.table.xyxy[self.first]
        size = first[:, 2:] - first[:, :2]
        return np.tile(np.asarray(self.tolerance.of(size)).reshape(-1, 2), 2)

    @cached_property
    def held(self) -> Held:
        """Drawings and how long they are held."""
        return held_drawings(self.boxes, self.frame, self.starts, long=HELD)

    @cached_property
    def keyframes(self) -> tuple[Bools, Floats]:
        """Return which series are mostly interpolated, and the typical gap of keyframes."""
        given = self.work.table.keyframe
        if given is None:
            found = interpolation(self.boxes, self.frame, self.starts)
            return found.interpolated, found.gap
        keyframe, lengths = given[self.rows], np.diff(self.starts)
        series = np.repeat(np.arange(len(lengths)), lengths)
        n_keys = np.bincount(series[keyframe], minlength=len(lengths))
        gap = keyframe_gaps(keyframe, self.frame, series, len(lengths))
        return (n_keys > 1) & (2 * n_keys <= lengths), gap

    def temporal_columns(self) -> dict[str, Array]:
        """`tracks` as numpy columns, without pandas."""
        n = len(self.work.annotator_ids)
        jitter = fleet_jitter(
            self.jitter, self.annotator, n, item=self.sequence, tolerance=self.allowed
        )
        known = int(np.isfinite(jitter.estimate).sum())
        enough = eligible(jitter.n_clusters, jitter.df) & (known >= FLEET)
        half = half_width(jitter.se, jitter.df, self.confidence)
        # Who is steadier than the others does nothing wrong.
        excess = np.maximum(jitter.estimate, 0.0)
        alpha = 1 - self.confidence
        p = np.where(enough, p_bias(excess, jitter.se, jitter.df, MARGIN), np.nan)
        adjusted = adjusted_bh(p)
        verdict = np.full(n, UNDECIDED)
        with np.errstate(invalid="ignore"):
            clean = p_clean(excess, jitter.se, jitter.df, MARGIN) < alpha
            verdict[enough & clean] = CLEAN
            verdict[enough & (adjusted < alpha)] = BIASED
        squares = np.where(self.jitter.status == OK, self.jitter.sd, np.nan)
        px = np.full(n, np.nan)
        for k in range(n):
            known_sd = squares[self.annotator == k]
            known_sd = known_sd[np.isfinite(known_sd)]
            px[k] = np.median(known_sd) if len(known_sd) else np.nan
        few = "descriptive" if known < FLEET else "too_few_clusters"
        parts = [
            {
                "quantity": "jitter",
                "unit": "times the fleet's",
                "estimate": np.exp(jitter.estimate),
                "ci_low": np.exp(jitter.estimate - half),
                "ci_high": np.exp(jitter.estimate + half),
                "estimate_px": px,
                "n": jitter.n,
                "n_clusters": jitter.n_clusters,
                "p_value": p,
                "p_adjusted": adjusted,
                "verdict": np.array(VERDICTS, dtype=object)[verdict],
                "status": np.where(
                    jitter.status == STATUSES.index("alone"),
                    "alone",
                    np.where(enough, "ok", np.where(jitter.n > 0, few, "no_data")),
                ),
            },
            *self._described(n),
        ]
        names = list(parts[0])
        who = np.tile(np.arange(n), len(parts))
        order = np.lexsort((np.repeat(np.arange(len(parts)), n), who))
        columns = {
            name: np.concatenate(
                [np.broadcast_to(np.asarray(part[name], dtype=object), n) for part in parts]
            )[order]
            for name in names
        }
        numbers = {"estimate", "ci_low", "ci_high", "estimate_px", "p_value", "p_adjusted"}
        typed = {
            name: column.astype(np.float64 if name in numbers else np.int64)
            if name in numbers or name in {"n", "n_clusters"}
            else column
            for name, column in columns.items()
        }
        return {"annotator": self.work.annotator_ids[who[order]], **typed}

    def _described(self, n: int) -> list[dict[str, Any]]:
        """How many tracks are interpolated, with which gap: a way of working, and no fault."""
        interpolated, gap = self.keyframes
        share = korn_graubard(
            interpolated.astype(np.float64),
            np.ones(len(interpolated)),
            self.annotator,
            n,
            confidence=self.confidence,
        )
        n_tracks = np.bincount(self.annotator, minlength=n)
        whole = integer_gap(self.boxes, self.frame, self.starts, self.annotator, n)
        middle = np.full(n, np.nan)
        for k in range(n):
            mine = gap[(self.annotator == k) & interpolated]
            middle[k] = np.median(mine) if len(mine) else np.nan
        guessed = np.isnan(middle) & (whole.mode > 0)
        blank = np.full(n, np.nan)
        rest: dict[str, Any] = {"estimate_px": blank, "p_value": blank, "p_adjusted": blank}
        rest |= {"n": n_tracks, "n_clusters": n_tracks, "verdict": "undecided"}
        told = np.where(n_tracks > 0, "descriptive", "no_data")
        return [
            {
                "quantity": "interpolated",
                "unit": "share of tracks",
                "estimate": share.estimate,
                "ci_low": share.low,
                "ci_high": share.high,
                "status": told,
                **rest,
            },
            {
                "quantity": "keyframe_gap",
                "unit": "frames",
                "estimate": np.where(guessed, whole.mode.astype(np.float64), middle),
                "ci_low": blank,
                "ci_high": blank,
                "status": np.where(np.isnan(middle) & ~guessed, "no_data", "descriptive"),
                **rest,
            },
        ]

    def track_columns(self) -> dict[str, Array]:
        """`track_list` as numpy columns, without pandas."""
        data, first = self.work, self.first
        lengths = np.diff(self.starts)
        series = np.repeat(np.arange(len(lengths)), lengths)
        faults = track_faults(
            series, self.frame, data.table.category[self.rows], max(len(lengths), 1)
        )
        interpolated, gap = self.keyframes
        known = self.jitter.status == OK
        squares = np.where(known, self.jitter.sd, 0.0) ** 2
        with np.errstate(all="ignore"):
            jitter = np.sqrt(squares.sum(axis=1) / known.sum(axis=1))
        images = data.image_table
        image = data.table.image[first]
        n = len(lengths)
        return {
            "annotator": data.annotator_ids[self.annotator],
            "sequence": np.full(n, None) if images.sequence is None else images.sequence[image],
            "track_id": data.tracks_of(self.track_of_rows[first]),
            "first_frame": faults.first[:n],
            "last_frame": faults.last[:n],
            "n_frames": faults.n_frames[:n],
            "missing": faults.missing[:n],
            "longest_gap": faults.longest_gap[:n],
            "n_drawings": self.held.n_drawings,
            "longest_held": self.held.longest,
            "jitter_px": jitter,
            "interpolated": interpolated,
            "keyframe_gap": gap,
            "flips": faults.flips[:n],
        }

    def track_event_columns(self) -> dict[str, Array]:
        """`track_events` as numpy columns, without pandas."""
        return event_columns(self)

    @property
    def pairs_left_out(self) -> int:
        """How many pairs of annotators `relative` leaves out, of those that could be compared."""
        return max(len(pairs_of(self)) - MOST_PAIRS, 0)

    def relative_columns(self) -> dict[str, Array]:
        """`relative` as numpy columns, without pandas."""
        return pair_columns(self)

    def tracks(self) -> pd.DataFrame:
        """Say who shakes more than the others, and who leaves frames to interpolation.

        Returns
        -------
        DataFrame
            One row an annotator and quantity (``jitter, interpolated, keyframe_gap``): ``unit,
            estimate, ci_low, ci_high, estimate_px, n, n_clusters, p_value, p_adjusted, verdict,
            status``. Only the jitter has a verdict, from three annotators on.
        """
        return to_frame(self.temporal_columns())

    def track_list(self) -> pd.DataFrame:
        """Return one row a drawn track: its frames, gaps, drawings, jitter and keyframes."""
        return to_frame(self.track_columns())

    def track_events(self) -> pd.DataFrame:
        """List gaps, jumps, frozen boxes, ids twice in a frame and labels that change."""
        return to_frame(self.track_event_columns())

    def relative(self) -> pd.DataFrame:
        """Say how the tracks of every two annotators of one video differ, and how over time.

        Returns
        -------
        DataFrame
            One row a pair and quantity, ``other`` less ``annotator``; the verdict is ``disagree``,
            and names no culprit. One false discovery rate holds over all pairs. More than 45 pairs
            are not compared: `pairs_left_out` says how many are not.
        """
        return to_frame(self.relative_columns())


def tracks(
    work: Any,
    *,
    tolerance: str | Tolerance = "max(1 px, 2 %)",
    confidence: float = 1 - ALPHA,
    **options: Any,
) -> Alone:
    """Look at tracks without gold: who shakes, jumps, freezes, interpolates, or breaks ids.

    With gold, `annqc.audit` has `annqc.Audit.tracks`, which says who drifts and lags as well.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame or Dataset
        What was drawn, of one annotator or of many.
    tolerance : str or Tolerance
        An edge jumps if it moves by three of these more than its motion explains.
    confidence : float
        Level of the intervals; one minus it is the level of the tests.
    **options
        Arguments of `annqc.read`.

    Returns
    -------
    Alone
        Its tables are `Alone.tracks`, `Alone.track_list`, `Alone.track_events` and, between two
        annotators of one video, `Alone.relative`.

    Raises
    ------
    ReadError
        The source cannot be read.
    AnnqcError
        It has no tracks.

    Examples
    --------
    >>> from annqc.simulate import TrackHabit, tracks as simulated
    >>> made = simulated({"ann": [], "bob": TrackHabit.gap(7)}, n_sequences=1, rng=1)
    >>> events = tracks(made.work).track_events()
    >>> set(events["annotator"]), set(events["kind"]), set(events["size"])
    ({'bob'}, {'gap'}, {7.0})
    """
    data = work if isinstance(work, Dataset) else read(work, **options)
    if data.table.track is None or not (data.table.track >= 0).any():
        what = "there are no tracks"
        expected = "boxes with a track id, in frames of a sequence"
        hint = "a table needs sequence, frame and track_id; annqc.formats() lists what else is read"
        raise AnnqcError(what, where="work", expected=expected, hint=hint)
    return Alone(data, tolerance=Tolerance.parse(tolerance), confidence=confidence)
