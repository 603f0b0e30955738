"""report: what outlines and tracks say of each person, beside the verdict on edges, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import BIASED, G_MIN, VERDICTS
from annqc.judge.wording import number_of
from annqc.report.outlines import contour_sentences, outline_verdicts, within_sentences
from annqc.report.plain import clean_text
from annqc.report.trackopen import clean_line, open_line, undecided_lines
from annqc.report.tracks import PLAIN, temporal_sentences
from annqc.report.view import kind_of_clusters
from annqc.run.temporal import TEMPORAL
from annqc.run.tracklists import EVENTS
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.run.outlines import Outlines
    from annqc.tables import Array

__all__ = ["Habit", "outline_habits", "track_habits"]

EVERYBODY: Final = "everything"
FEW: Final = ("no_data", "one_cluster", "too_few_clusters")
JUDGED: Final = (*(f"drift_{edge.removeprefix('out_')}" for edge in EDGES), "lag", "jitter")
"""Of tracks, what must be shown to be within tolerance before anybody is called clean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What is known of the outlines, or of the tracks, of one person.

    Attributes
    ----------
    verdict : str
        One of `annqc.report.standing.STANDINGS`.
    accusations : tuple of str
        What they are biased in, with units, intervals and evidence.
    besides : tuple of str
        What is no accusation: what is shown to be within tolerance, what is open, what happened in
        single tracks.
    """

    verdict: str
    accusations: tuple[str, ...] = field(default=())
    besides: tuple[str, ...] = field(default=())


def outline_habits(
    run: Run, main: tuple[str, ...], by: tuple[str, ...]
) -> tuple[dict[Any, Habit], list[str]]:
    """Say what the outlines tell of everybody.

    Parameters
    ----------
    run : Run
        The comparison.
    main : tuple of str
        ``("annotator",)``, or nothing where people are not told apart.
    by : tuple of str
        Grouping of the findings: those who are accused of a part alone have that part named.

    Returns
    -------
    habits : dict of object to Habit
        By annotator; under None where nobody is told apart. Those without outlines are not in it.
    within : list of str
        Who is measurably off and yet within tolerance, by name.
    """
    if not run.has_outlines:
        return {}, []
    parts = run.outline_findings(by) if main and len(by) > 1 else None
    found: Outlines = (parts and parts.pooled) or run.outline_findings(main)
    verdicts, clusters = outline_verdicts(found), kind_of_clusters(run)
    scores = run.outline_score_columns(main)
    n_outlines, n_clusters = scores["n_outlines"], found.located["tolerance"].n_clusters
    said: dict[int, list[str]] = {}
    for group, text in contour_sentences(found, clusters=clusters, named=False):
        said.setdefault(group, []).append(text)
    within = dict(within_sentences(found, verdicts, clusters=clusters, named=False))
    keys = found.keys["annotator"].tolist() if main else [None]
    made = {}
    for group, who in enumerate(keys):
        if not n_outlines[group]:
            continue
        verdict = str(VERDICTS[verdicts[group]])
        accused = tuple(said.get(group, ()))
        if verdicts[group] == BIASED and not accused and parts is not None:
            accused = _in_parts(parts, who, clusters)
        least = number_of(int(n_clusters[group].min()), clusters)
        besides = [within[group]] if group in within else []
        if verdict == "undecided" and int(n_clusters[group].max()) < G_MIN:
            verdict = "too_few"
            besides.append(f"too few to judge ({least}; {G_MIN} are needed)")
        elif verdict == "undecided":
            besides.append(
                "neither biased nor shown to be within tolerance, as a whole and on all sides"
            )
        elif verdict == "clean":
            besides.append(f"all sides are shown to be within tolerance on {least} or more")
        elif verdict == "collective":
            besides.append("off as everybody's are, and nothing beyond that is shown")
        made[who] = Habit(verdict=verdict, accusations=accused, besides=tuple(besides))
    named = [text for _, text in within_sentences(found, verdicts, clusters=clusters)]
    return made, named


def _in_parts(parts: Outlines, who: Any, clusters: str) -> tuple[str, ...]:
    """Say what somebody is biased in who is accused of a part of the work alone."""
    mine = np.array([one == who for one in parts.keys["annotator"].tolist()], dtype=bool)
    names = [name for name in parts.by if name != "annotator"]
    return tuple(
        f"on {', '.join(clean_text(parts.keys[name][group]) for name in names)}, {text}"
        for group, text in contour_sentences(parts, mine, clusters=clusters, named=False)
    )


def track_habits(run: Run, main: tuple[str, ...]) -> tuple[dict[Any, Habit], list[str]]:
    """Say what the tracks tell of everybody.

    Parameters
    ----------
    run : Run
        The comparison.
    main : tuple of str
        ``("annotator",)``, or nothing where people are not told apart.

    Returns
    -------
    habits : dict of object to Habit
        By annotator; under None where nobody is told apart. Those without tracks are not in it.
    remarks : list of str
        On what there is no verdict, and why; and what is shown to be within tolerance.
    """
    if not run.has_tracks:
        return {}, []
    columns = dict(run.temporal_columns(main))
    n = len(columns["quantity"])
    columns.setdefault("annotator", np.full(n, EVERYBODY, dtype=object))
    drawn = np.unique(run.track_series.annotator).tolist()
    codes = {who: k for k, who in enumerate(run.candidate.annotator_ids.tolist())}
    events = run.track_event_columns()["kind"]
    event_of = np.array([row["annotator"] for row in run.track_event_rows], dtype=np.int64)
    made: dict[Any, Habit] = {}
    for first in range(0, n, len(TEMPORAL)):
        mine = {name: column[first : first + len(TEMPORAL)] for name, column in columns.items()}
        who = mine["annotator"][0] if main else None
        if main and codes[who] not in drawn:
            continue
        clean = clean_line(mine).replace("Within tolerance: ", "within tolerance in ")
        besides = [text for text in (clean, open_line(mine)) if text]
        rows = event_of == codes[who] if main else np.ones(len(event_of), dtype=bool)
        counted = Counter(events[rows].tolist())
        if counted:
            listed = [number_of(counted[kind], *PLAIN[kind]) for kind in EVENTS if counted[kind]]
            besides.append(f"in single tracks, which is no verdict: {', '.join(listed)}")
        made[who] = Habit(
            verdict=_verdict(mine),
            accusations=tuple(temporal_sentences(mine, named=False)),
            besides=tuple(besides),
        )
    return made, [text for text in (clean_line(columns), *undecided_lines(columns)) if text]


def _verdict(columns: dict[str, Array]) -> str:
    """Judge somebody's tracks as a whole, by what was tested."""
    verdict, status = columns["verdict"].astype(str), columns["status"].astype(str)
    tested = np.isfinite(columns["p_value"].astype(float)) & ~np.isin(status, FEW)
    if (verdict[tested] == "biased").any():
        return "biased"
    if not tested.any():
        return "too_few"
    judged = np.isin(columns["quantity"].astype(str), JUDGED)
    if not (tested[judged].all() and np.isin(verdict[tested], ["clean", "collective"]).all()):
        return "undecided"
    return "collective" if (verdict[tested] == "collective").any() else "clean"
