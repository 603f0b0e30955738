"""report: the screen about tracks: scores, edges, what happens over time, and where to look."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.wording import join_words, number_of
from annqc.report.grid import side_by_side
from annqc.report.plain import clean_text
from annqc.run.tracklists import EVENTS
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.tables import Array, Dataset

__all__ = [
    "PLAIN",
    "alone_table",
    "compared_tracks",
    "edge_table",
    "event_counts",
    "event_lines",
    "relative_sentences",
    "score_table",
    "temporal_sentences",
]

LONGEST: Final = 21
SCORES: Final = (
    ("HOTA", "HOTA"),
    ("DetA", "DetA"),
    ("AssA", "AssA"),
    ("LocA", "LocA"),
    ("MOTA", "MOTA"),
    ("IDF1", "IDF1"),
    ("IDSW", "IDSW"),
)
PLAIN: Final = {
    "missed_track": ("object never drawn", "objects never drawn"),
    "late_start": ("late start", "late starts"),
    "early_start": ("early start", "early starts"),
    "early_end": ("early end", "early ends"),
    "late_end": ("late end", "late ends"),
    "gap": ("gap", "gaps"),
    "id_switch": ("switched id", "switched ids"),
    "id_swap": ("swapped id", "swapped ids"),
    "merged_tracks": ("merged track", "merged tracks"),
    "spurious_track": ("track of nothing", "tracks of nothing"),
    "duplicate_id": ("id twice in a frame", "ids twice in a frame"),
    "category_flip": ("changed label", "changed labels"),
    "drift": ("drift", "drifts"),
    "jump": ("jump", "jumps"),
    "frozen": ("frozen box", "frozen boxes"),
    "cut": ("jump with most others", "jumps with most others"),
}


def compared_tracks(run: Run) -> str:
    """Say what was compared, in sequences, frames and tracks.

    Parameters
    ----------
    run : Run
        The comparison.
    """
    gold, work = run.reference, run.candidate
    n_sequences = 1 if gold.sequence_table is None else len(gold.sequence_table)
    parts = [
        number_of(n_sequences, "sequence"),
        number_of(len(gold.image_table), "frame"),
        f"{_n_tracks(gold):,} reference and {_n_tracks(work):,} drawn tracks",
        number_of(len(work.annotator_ids), "annotator"),
    ]
    return ", ".join(parts)


def _n_tracks(data: Dataset) -> int:
    track = data.table.track
    if track is None:
        return 0
    counted = (track >= 0) & ~data.table.ignored & ~data.table.crowd
    return len(np.unique(track[counted]))


def temporal_sentences(
    columns: dict[str, Array], *, everybody: bool = False, named: bool = True
) -> list[str]:
    """Say who drifts, lags or shakes, begins late, or leaves frames to interpolation.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.temporal_columns`, by annotator.
    everybody : bool
        What all have alike, instead of what is one annotator's.
    named : bool
        Whether a sentence says who it is about.

    Returns
    -------
    list of str
        One entry an annotator (or one for everybody).
    """
    verdict = "collective" if everybody else "biased"
    said: dict[str, list[str]] = {}
    rows = np.flatnonzero(columns["verdict"] == verdict)
    if everybody:
        first = np.unique(columns["quantity"][rows].astype(str), return_index=True)[1]
        rows = rows[np.sort(first)]
    for row in rows.tolist():
        one = {name: column[row] for name, column in columns.items()}
        name = "everybody" if everybody else clean_text(one["annotator"], width=LONGEST)
        said.setdefault(name, []).append(_sentence(one, everybody=everybody))
    return [f"{name}: " * named + join_words(parts) for name, parts in said.items()]


def _sentence(one: dict[str, Any], *, everybody: bool) -> str:
    quantity = one["quantity"]
    n = number_of(int(one["n_clusters"]), "sequence" if quantity in {"start", "end"} else "track")
    value, low, high = (one[name] for name in ("estimate", "ci_low", "ci_high"))
    if everybody:
        value, low, high = one["collective"], np.nan, np.nan
    kind, _, edge = quantity.partition("_")
    way = "outwards" if value > 0 else "inwards"
    if kind == "drift":
        if not everybody:
            value, low, high = (one[f"{name}_px"] for name in ("estimate", "ci_low", "ci_high"))
        unit = "tolerances" if everybody else "px"
        what = f"the {edge} edge drifts {abs(value):.1f} {unit} {way} in 100 frames"
    elif kind == "sawtooth":
        if not everybody:
            value, low, high = (one[f"{name}_px"] for name in ("estimate", "ci_low", "ci_high"))
        unit = "tolerances" if everybody else "px"
        what = f"the {edge} edge wanders {abs(value):.1f} {unit} {way} until the next keyframe"
    elif kind == "lag":
        what = f"{'trails' if value > 0 else 'runs ahead of'} the object by {abs(value):.1f} frames"
    elif kind == "jitter":
        what = f"shakes {value:.1f} times as much as the others"
    elif kind == "sag":
        if not everybody:
            value, low, high = (one[f"{name}_px"] for name in ("estimate", "ci_low", "ci_high"))
        unit = "tolerances" if everybody else "px"
        what = f"leaves frames to interpolation, which misses the object by {value:.1f} {unit}"
    else:
        late = (value > 0) == (kind == "start")
        verb = {"start": "begins", "end": "ends"}[kind]
        when = "late" if value > 0 else "early"
        hurt = "" if late else ", where nothing is"
        what = f"{verb} tracks {abs(value):.1f} frames {when}{hurt}"
    if not np.isfinite(low):
        return f"{what} ({n})" if not everybody else what
    sign = -1.0 if value < 0 and kind != "jitter" else 1.0
    bounds = sorted((sign * low, sign * high))
    shown = " to ".join(f"{one_bound:.1f}" for one_bound in bounds)
    return f"{what} ({shown}, {n})"


def event_counts(columns: dict[str, Array], *, most: int) -> list[str]:
    """Count the events of every annotator, whoever has most of them first.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.track_event_columns`.
    most : int
        Annotators at most.
    """
    who = Counter(str(one) for one in columns["annotator"].tolist())
    lines = []
    for name, _ in who.most_common(most):
        mine = columns["annotator"].astype(str) == name
        kinds = Counter(columns["kind"][mine].tolist())
        listed = [number_of(kinds[kind], *PLAIN[kind]) for kind in EVENTS if kind in kinds]
        lines.append(f"{clean_text(name, width=LONGEST)}: {', '.join(listed)}")
    return lines


def event_lines(columns: dict[str, Array], *, most: int, kinds: tuple[str, ...]) -> list[str]:
    """Return sentences about events of some kinds, the largest first.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.track_event_columns`.
    most : int
        Lines at most.
    kinds : tuple of str
        Of `annqc.run.tracklists.EVENTS`.
    """
    rows = np.flatnonzero(np.isin(columns["kind"].astype(str), kinds))[:most].tolist()
    return [
        clean_text(f"{columns['annotator'][row]}: {columns['text'][row]}", width=400)
        for row in rows
    ]


def score_table(columns: dict[str, Array], *, width: int) -> list[str]:
    """Lay out tracking scores, the smallest HOTA first.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.tracking_columns`, by annotator.
    width : int
        Columns of text; measures that do not fit are left out.
    """
    order = np.argsort(np.nan_to_num(columns["HOTA"], nan=-1.0), kind="stable").tolist()
    table = [
        ("annotator", [clean_text(columns["annotator"][k], width=LONGEST) for k in order], False)
    ]
    for name, title in SCORES:
        cells = [_score(columns, name, k) for k in order]
        wider = [*table, (title, cells, True)]
        if len(side_by_side(wider)[0]) > width:
            break
        table = wider
    return side_by_side(table)


def _score(columns: dict[str, Array], name: str, row: int) -> str:
    value = float(columns[name][row])
    if np.isnan(value):
        return "-"
    if name == "IDSW":
        return f"{value:,.0f}"
    low, high = (float(columns.get(f"{name}_{end}", columns[name] * np.nan)[row]) for end in _ENDS)
    if name != "HOTA" or np.isnan(low):
        return f"{value:.3f}"
    return f"{value:.3f} ({low:.2f}-{high:.2f})"


_ENDS: Final = ("low", "high")


def edge_table(columns: dict[str, Array], *, most: int) -> list[str]:
    """Lay out the signed offsets of the four edges, clustered by track.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.bias_columns`, by annotator.
    most : int
        Annotators at most, those with the largest offset first.
    """
    k = len(columns["quantity"]) // max(len(np.unique(columns["annotator"].astype(str))), 1)
    grid = {name: column.reshape(-1, k) for name, column in columns.items()}
    size = np.nan_to_num(np.abs(grid["estimate"][:, : len(EDGES)].astype(float)), nan=-1.0)
    order = np.argsort(-size.max(axis=1, initial=-1.0), kind="stable")[:most].tolist()
    marks = {"biased": "!", "clean": " ", "undecided": "?", "collective": "*"}

    def cell(row: int, edge: int) -> str:
        value = float(grid["estimate_px"][row, edge])
        if np.isnan(value):
            return "-"
        low, high = (float(grid[f"ci_{end}_px"][row, edge]) for end in _ENDS)
        half = "" if np.isnan(low) else f" ±{0.5 * (high - low):.1f}"
        return f"{value:+.1f}{half}{marks[grid['verdict'][row, edge]]}"

    table = [
        (
            "annotator",
            [clean_text(grid["annotator"][row, 0], width=LONGEST) for row in order],
            False,
        ),
        ("tracks", [_span(grid["n_clusters"][row, : len(EDGES)]) for row in order], True),
    ]
    for edge, name in enumerate(EDGES):
        title = f"{name.removeprefix('out_')} "
        table.append((title, [cell(row, edge) for row in order], True))
    return side_by_side(table)


def _span(counts: Array) -> str:
    """Say from how many to how many there are; evidence differs from edge to edge."""
    least, most = int(counts.min()), int(counts.max())
    return f"{least:,}" if least == most else f"{least:,}-{most:,}"


def alone_table(columns: dict[str, Array]) -> list[str]:
    """Lay out what tracks say of themselves, one line an annotator.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.alone.Alone.temporal_columns`.
    """
    names = list(dict.fromkeys(columns["annotator"].tolist()))
    rows = {
        (who, quantity): k
        for k, (who, quantity) in enumerate(
            zip(columns["annotator"].tolist(), columns["quantity"].tolist(), strict=True)
        )
    }
    table: dict[str, list[str]] = {
        title: [] for title in ("tracks", "jitter px", "beside others", "interpolated", "gap")
    }
    for who in names:
        jitter, share, gap = (
            rows[who, name] for name in ("jitter", "interpolated", "keyframe_gap")
        )
        mark = {"biased": "!", "undecided": "?"}.get(columns["verdict"][jitter], " ")
        value, low, high = (
            float(columns[name][jitter]) for name in ("estimate", "ci_low", "ci_high")
        )
        beside = "-"
        if np.isfinite(value) and columns["status"][jitter] != "descriptive":
            beside = f"{value:.2f}"
            beside += f" ({low:.2f}-{high:.2f}){mark}" if np.isfinite(low) else ""
        part, frames = (float(columns["estimate"][k]) for k in (share, gap))
        px = float(columns["estimate_px"][jitter])
        table["tracks"].append(f"{int(columns['n'][share]):,}")
        table["jitter px"].append("-" if np.isnan(px) else f"{px:.2f}")
        table["beside others"].append(beside)
        table["interpolated"].append("-" if np.isnan(part) else f"{100 * part:.0f} %")
        table["gap"].append("-" if np.isnan(frames) else f"{frames:.0f}")
    first = ("annotator", [clean_text(who, width=LONGEST) for who in names], False)
    return side_by_side([first, *((title, cells, True) for title, cells in table.items())])


def relative_sentences(columns: dict[str, Array]) -> list[str]:
    """Say which two annotators differ over time, and name no culprit.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.alone.Alone.relative_columns`.
    """
    said = []
    for row in np.flatnonzero(columns["verdict"] == "disagree").tolist():
        one, other = (
            clean_text(columns[name][row], width=LONGEST) for name in ("annotator", "other")
        )
        value, low, high = (float(columns[name][row]) for name in ("estimate", "ci_low", "ci_high"))
        quantity, unit = columns["quantity"][row].replace("_", " "), columns["unit"][row]
        n = int(columns["n_clusters"][row])
        of = "sequence" if quantity in {"start", "end"} else "track"
        said.append(
            f"{one} and {other}: {quantity} {value:+.1f} {unit} from the first to the second "
            f"({low:+.1f} to {high:+.1f}, {number_of(n, of)})"
        )
    return said
