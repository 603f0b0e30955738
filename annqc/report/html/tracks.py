"""report: what pages show of tracks: temporal findings, scores, events, and pictures of some."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.html.story import TOGETHER
from annqc.report.html.texts import MARKS, interval, number
from annqc.report.html.tracks_pictures import MOST_KEYFRAMES, MOST_POINTS, Line, offset_lines
from annqc.report.html.tracks_scores import scores_of
from annqc.report.html.tracks_timeline import Lane, frames_text, runs_of, timeline
from annqc.report.plain import clean_text
from annqc.report.tracks import PLAIN, temporal_sentences
from annqc.run.temporal import TEMPORAL
from annqc.run.tracklists import EVENTS
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.report.html.story import Person, Story
    from annqc.tables import Array, Ints

__all__ = ["TITLES", "Tracks", "event_titles"]

TITLES: Final = {
    **{f"drift_{edge}": f"drift, {edge}" for edge in ("left", "top", "right", "bottom")},
    "lag": "lag",
    "jitter": "jitter",
    "start": "first frame",
    "end": "last frame",
    "sag": "interpolation",
    **{f"sawtooth_{edge}": f"sawtooth, {edge}" for edge in ("left", "top", "right", "bottom")},
    "sag_share": "sag that is left",
}
"""What temporal quantities are called in tables."""
K: Final = len(TEMPORAL)
N_LINES: Final = 3
N_WORST: Final = 2
N_LANES: Final = 20
N_LISTED: Final = 4
N_PARTS: Final = 12
"""Stretches of frames in the numbers of a track."""
LEAST: Final = 10
"""Frames drawn below which a track makes no picture."""
N_EVENTS: Final = 15
"""Events of one object in the numbers of a line of time."""
UNSIGNED: Final = ("jitter", "sag_share")
FEW: Final = ("no_data", "one_cluster", "too_few_clusters")
OF_ONE: Final = {"biased": "drifts", "clean": "does not drift", "undecided": "open"}
"""What a slope says of a single track, which is no verdict on an annotator."""


def event_titles(kind: str) -> str:
    """Name a kind of events, for many.

    Parameters
    ----------
    kind : str
        Of `annqc.run.tracklists.EVENTS`.
    """
    return PLAIN[kind][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A track that is drawn: its series, and why it was chosen."""

    series: int
    why: str


class Tracks:
    """Makes what is shown of tracks, for everybody in one audit.

    Parameters
    ----------
    story : Story
        The audit.
    """

    def __init__(self, story: Story) -> None:
        self.story = story
        run = story.run
        self.there = run.has_tracks
        if not self.there:
            return
        self.series, self.values = run.track_series, run.track_values
        self.list = run.track_columns()
        self.found = run.temporal_columns(story.view.by)
        self.events = run.track_event_columns()
        rows = run.track_event_rows
        self.event_of = np.array([row["annotator"] for row in rows], dtype=np.int64)
        self.of_series: dict[tuple[int, int], list[int]] = {}
        for k, row in enumerate(rows):
            self.of_series.setdefault((int(row["annotator"]), int(row["track"])), []).append(k)

    def of(self, person: Person) -> dict[str, Any] | None:
        """Return what the page of a person shows; None where there are no tracks.

        Parameters
        ----------
        person : Person
            One of the story's.
        """
        if not self.there:
            return None
        mine = self.story.rows(self.series.annotator, person)
        if not len(mine):
            return None
        events = self.story.rows(self.event_of, person)
        lanes = self._lanes(mine)
        picture, closed, unmarked = timeline([self._lane(k) for k in lanes])
        return {
            "findings": self._findings(person),
            "n_tracks": len(mine),
            "lines": [self._line(one) for one in self._chosen(mine)],
            "timeline": picture,
            "closed": closed,
            "unmarked": unmarked,
            "lanes": [self._lane_row(k) for k in lanes],
            "marks": [(self._name(k), *self._marks(k)) for k in lanes if self._events(k)],
            "events": self._listed(events),
            "n_events": len(events),
        }

    def overview(self) -> dict[str, Any] | None:
        """Return what the first page shows; None where there are no tracks."""
        if not self.there:
            return None
        story, people = self.story, self.story.people
        columns = dict(self.found)
        columns.setdefault("annotator", np.full(len(columns["quantity"]), TOGETHER, dtype=object))
        sawteeth = any(
            np.isfinite(columns["estimate"][columns["quantity"] == name]).any()
            for name in TEMPORAL[9:13]
        )
        shown = [name for name in TEMPORAL[:9] if name != "sag" or sawteeth] + (
            list(TEMPORAL[9:13]) if sawteeth else []
        )
        kinds = [kind for kind in EVENTS if (self.events["kind"] == kind).any()]
        told = []
        for person in people:
            counted = Counter(self.events["kind"][story.rows(self.event_of, person)].tolist())
            told.append((person, [counted[kind] for kind in kinds]))
        return {
            "everybody": temporal_sentences(columns, everybody=True),
            "said": temporal_sentences(columns),
            "titles": [TITLES[name] for name in shown],
            "findings": [
                (person, [self._cell(person, TEMPORAL.index(name)) for name in shown])
                for person in people
            ],
            "scores": scores_of(story),
            "kinds": [event_titles(kind) for kind in kinds],
            "events": told,
        }

    def _row(self, person: Person, quantity: int) -> dict[str, Any]:
        group = self.story.codes[person.group] if self.story.named else 0
        return {name: column[group * K + quantity] for name, column in self.found.items()}

    def _findings(self, person: Person) -> list[dict[str, Any]]:
        """Lay out what was tested over time, and what was only described."""
        found = []
        for k, name in enumerate(TEMPORAL):
            row = self._row(person, k)
            if row["status"] == "no_data":
                continue
            judged = np.isfinite(row["p_value"]) or row["status"] in FEW
            verdict = str(row["verdict"]) if judged else ""
            found.append(
                {
                    "quantity": name,
                    "title": TITLES[name],
                    "value": number(row["estimate"], 2, sign=name not in UNSIGNED),
                    "interval": interval(row["ci_low"], row["ci_high"], 2),
                    "unit": row["unit"],
                    "px": number(row["estimate_px"], 2, sign=name not in UNSIGNED),
                    "px_interval": interval(row["ci_low_px"], row["ci_high_px"], 2),
                    "verdict": verdict,
                    "mark": MARKS.get(verdict, ""),
                    "status": "" if row["status"] == "ok" else row["status"].replace("_", " "),
                    "evidence": number_of(
                        self._n_clusters(person, row),
                        "sequence" if name in {"start", "end"} else "track",
                    ),
                }
            )
        return found

    def _n_clusters(self, person: Person, row: dict[str, Any]) -> int:
        """Count what is behind a row: with nobody to compare with, that of jitter is in pixels."""
        if row["quantity"] == "jitter" and not np.isfinite(row["estimate"]):
            mine = self.story.rows(self.series.annotator, person)
            known = mine[np.isfinite(self.list["jitter_px"][mine])]
            return len(np.unique(self.series.track[known]))
        return int(row["n_clusters"])

    def _cell(self, person: Person, quantity: int) -> dict[str, Any]:
        row = self._row(person, quantity)
        if row["status"] == "no_data":
            return {"value": number(None), "interval": "", "verdict": "no data", "mark": "", "n": 0}
        few = row["status"] in FEW
        verdict = str(row["verdict"]) if np.isfinite(row["p_value"]) and not few else ""
        return {
            "value": number(row["estimate"], sign=TEMPORAL[quantity] != "jitter"),
            "interval": interval(row["ci_low"], row["ci_high"]),
            "verdict": verdict or str(row["status"]).replace("_", " "),
            "mark": MARKS.get(verdict, MARKS["too_few"] if few else ""),
            "n": int(row["n_clusters"]),
        }

    def _off(self, series: Ints) -> Array:
        """Say how steeply the edges of tracks drift, in tolerances, where that is shown."""
        steep = np.zeros(len(series))
        for k, edge in enumerate(EDGES):
            name = edge.replace("out_", "drift_")
            sure = self.list[f"{name}_verdict"][series] == "biased"
            slope = np.abs(self.list[name][series]) / self.values.tolerance[series, k % 2]
            steep = np.fmax(steep, np.where(sure, slope, 0.0))
        return steep

    def _chosen(self, mine: Ints) -> list[_Shown]:
        """Choose the tracks that drift most, and those that were drawn in most frames."""
        drawn = self.list["n_drawn"][mine]
        some, drawn = mine[drawn >= LEAST], drawn[drawn >= LEAST]
        steep = self._off(some)
        order = np.argsort(-steep, kind="stable")[:N_WORST]
        worst = [_Shown(series=int(some[k]), why="drifts most") for k in order if steep[k] > 0]
        taken = {one.series for one in worst}
        longest = [
            _Shown(series=int(some[k]), why="drawn in most frames")
            for k in np.argsort(-drawn, kind="stable")
            if int(some[k]) not in taken
        ]
        return [*worst, *longest[: N_LINES - len(worst)]]

    def _name(self, k: int) -> str:
        sequence, track = self.list["sequence"][k], self.list["track_id"][k]
        name = f"object {track}" if sequence is None else f"{sequence}, object {track}"
        return clean_text(name, width=40)

    def _short(self, k: int) -> str:
        """Name a track in a picture: the sequence may be cut, the object is not."""
        sequence, track = self.list["sequence"][k], clean_text(self.list["track_id"][k], width=8)
        return track if sequence is None else f"{clean_text(sequence, width=12)}, {track}"

    def _line(self, one: _Shown) -> dict[str, Any]:
        """Lay out the offsets of one track over time."""
        s, v, k = self.series, self.values, one.series
        rows = slice(int(s.starts[k]), int(s.starts[k + 1]))
        frame, edges = s.frame[rows], s.edges[rows]
        # Where every frame was drawn by hand a keyframe tells nothing.
        keys = np.zeros(len(frame), dtype=bool)
        if v.interpolated[k] and v.keyframe is not None:
            keys = v.keyframe[rows]
        lines, told = [], []
        for e, edge in enumerate(EDGES):
            name = edge.replace("out_", "drift_")
            slope, low, high = (float(self.list[f"{name}{x}"][k]) for x in ("", "_low", "_high"))
            lines.append(
                Line(
                    frame=frame,
                    offset=edges[:, e],
                    keyframe=keys,
                    slope=slope,
                    low=low,
                    high=high,
                    tolerance=float(v.tolerance[k, e % 2]),
                )
            )
            status = str(self.list["status"][k]).replace("_", " ")
            known_slope = np.isfinite(slope)
            told.append(
                {
                    "title": edge.replace("out_", ""),
                    "middle": number(float(self.list[f"{edge}_px"][k]), sign=True),
                    "slope": number(slope, 2, sign=True),
                    "interval": interval(low, high, 2),
                    "said": OF_ONE[self.list[f"{name}_verdict"][k]] if known_slope else status,
                    "n": int(np.isfinite(edges[:, e]).sum()),
                }
            )
        picture, step = offset_lines(lines)
        n_keys = int((keys & np.isfinite(edges).any(axis=1)).sum())
        return {
            "id": f"track-{k}",
            "name": self._name(k),
            "why": one.why,
            "picture": picture,
            "step": step,
            "thinned": step > 1,
            "most": MOST_POINTS,
            "n_keys": n_keys,
            "keys_left": n_keys > MOST_KEYFRAMES,
            "lag": number(float(self.list["lag"][k]), sign=True),
            "jitter": number(float(self.list["jitter_px"][k]), 2),
            "edges": told,
            "n_frames": len(frame),
            "parts": _parts(frame, edges),
        }

    def _lanes(self, mine: Ints) -> list[int]:
        """Choose the tracks of a line of time: those with most events, in order of time."""
        s = self.series
        count = np.array(
            [len(self.of_series.get((int(s.annotator[k]), int(s.track[k])), ())) for k in mine]
        )
        gone = self.list["n_frames"][mine] - self.list["n_drawn"][mine]
        order = np.lexsort((np.arange(len(mine)), -gone, -count))[:N_LANES]
        kept: list[int] = sorted(mine[order].tolist())
        return kept

    def _lane(self, k: int) -> Lane:
        s = self.series
        rows = slice(int(s.starts[k]), int(s.starts[k + 1]))
        frame = s.frame[rows]
        names = ("kind", "first_frame", "last_frame", "text")
        told = [tuple(self.events[name][row] for name in names) for row in self._events(k)]
        return Lane(
            name=self._short(k),
            gold=runs_of(frame, np.ones(len(frame), dtype=bool)),
            drawn=self._stretches(k),
            events=[
                {"kind": kind, "first": int(first), "last": int(last), "text": clean_text(text)}
                for kind, first, last, text in told
            ],
        )

    def _events(self, k: int) -> list[int]:
        """Return the events of the object and the annotator of a series, the largest first."""
        s = self.series
        return self.of_series.get((int(s.annotator[k]), int(s.track[k])), [])

    def _stretches(self, k: int) -> list[tuple[int, int]]:
        """Return first and last frame of each stretch in which an object was drawn."""
        s = self.series
        rows = slice(int(s.starts[k]), int(s.starts[k + 1]))
        return runs_of(s.frame[rows], s.candidate[rows] >= 0)

    def _marks(self, k: int) -> tuple[list[tuple[str, str]], int]:
        """Name the events of an object with their frames, in order of time; and how many more."""
        rows = self._events(k)
        told = []
        for row in sorted(rows[:N_EVENTS], key=lambda row: self.events["first_frame"][row]):
            kind = str(self.events["kind"][row])
            edge = f" of the {self.events['edge'][row]} edge" if self._drifts(row) else ""
            first, last = (int(self.events[f"{x}_frame"][row]) for x in ("first", "last"))
            told.append((f"{PLAIN[kind][0]}{edge}", frames_text([(first, last)])))
        return told, len(rows) - len(told)

    def _lane_row(self, k: int) -> dict[str, Any]:
        listed, rows = self.list, self._events(k)
        kinds = Counter(str(self.events["kind"][row]) for row in rows)
        drifting = sorted({str(self.events["edge"][row]) for row in rows if self._drifts(row)})
        other = {kind: n for kind, n in kinds.items() if kind != "drift"}
        return {
            "name": self._name(k),
            "first": int(listed["first_frame"][k]),
            "last": int(listed["last_frame"][k]),
            "n_frames": int(listed["n_frames"][k]),
            "n_drawn": int(listed["n_drawn"][k]),
            "stretches": frames_text(self._stretches(k)),
            "start": number(float(listed["start"][k]), 0, sign=True),
            "end": number(float(listed["end"][k]), 0, sign=True),
            "drifting": ", ".join(drifting),
            "events": ", ".join(
                f"{n:,} {PLAIN[kind][n != 1]}" for kind in EVENTS if (n := other.get(kind, 0))
            ),
        }

    def _drifts(self, row: int) -> bool:
        return bool(self.events["kind"][row] == "drift")

    def _listed(self, rows: Ints) -> list[dict[str, Any]]:
        """List events by kind, the largest of each."""
        found = []
        for kind in EVENTS:
            mine = rows[self.events["kind"][rows] == kind]
            if len(mine):
                texts = [clean_text(self.events["text"][row], width=200) for row in mine[:N_LISTED]]
                title = event_titles(kind).capitalize()
                found.append({"title": title, "n": len(mine), "texts": texts})
        return found


def _parts(frame: Ints, edges: Array) -> list[tuple[str, list[str]]]:
    """Give the median offset of each edge in stretches of frames, in the order of time."""
    found = []
    for rows in np.array_split(np.arange(len(frame)), min(N_PARTS, len(frame))):
        cells = []
        for e in range(len(EDGES)):
            there = edges[rows, e][np.isfinite(edges[rows, e])]
            cells.append(number(float(np.median(there)) if len(there) else None, sign=True))
        found.append((f"{frame[rows[0]]} to {frame[rows[-1]]}", cells))
    return found
