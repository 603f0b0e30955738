"""report: ``annqc diff`` on one screen, and as a document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.text import Text

from annqc.judge.wording import number_of
from annqc.report.grid import hanging, side_by_side
from annqc.report.json import input_rows, problem_rows, rows_of
from annqc.report.plain import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from annqc.run.diff import Diff
    from annqc.tables import Array, Dataset, Ints

__all__ = ["diff_document", "diff_screen", "diff_tables"]

N_LINES: Final = 6
"""Lines of a section, where not everything is asked for."""
MANY: Final = 10**9
FEW: Final = 3
NAME: Final = 40
SIDES: Final = ("OLD", "NEW")


def diff_tables(made: Diff) -> dict[str, dict[str, Array]]:
    """Return all tables: name -> columns.

    Parameters
    ----------
    made : Diff
        The comparison.
    """
    return {
        "changes": made.change_columns(),
        "summary": made.summary_columns(),
        "images": made.image_columns(),
        "renumbered": made.renumbered_columns(),
    }


def diff_document(made: Diff, tables: dict[str, dict[str, Array]]) -> dict[str, Any]:
    """Lay out a comparison as plain values.

    Parameters
    ----------
    made : Diff
        The comparison.
    tables : dict of str to dict
        From `diff_tables`.
    """
    return {
        "inputs": input_rows(old=made.old, new=made.new),
        "tolerance": None if made.tolerance is None else str(made.tolerance),
        "identical": made.identical,
        "untouched": made.untouched if made.n_annotations else None,
        "n_renumbered_ids": made.n_renumbered_ids,
        "notes": list(made.sides.notes),
        "problems": {
            name: problem_rows(side.issues) for name, side in (("old", made.old), ("new", made.new))
        },
        **{name: rows_of(columns) for name, columns in tables.items()},
    }


def diff_screen(
    console: Console,
    made: Diff,
    tables: dict[str, dict[str, Array]],
    *,
    everything: bool = False,
) -> None:
    """Print one screen about what changed.

    Parameters
    ----------
    console : Console
        From `annqc.report.terminal.make_console`.
    made : Diff
        The comparison.
    tables : dict of str to dict
        From `diff_tables`.
    everything : bool
        Every change, and not the largest alone.
    """
    most = MANY if everything else N_LINES
    _row(console, "Compared", f"OLD: {_contents(made.old)}")
    _row(console, "", f"NEW: {_contents(made.new)}")
    _row(console, "Rules", _rules(made))
    for note in (*made.sides.notes, *_problems(made)):
        _row(console, "Mind", clean_text(note, width=400))
    for line in _images(tables["images"]):
        _row(console, "Images", line)
    for line in _renumbered(made, tables["renumbered"], most):
        _row(console, "New ids", line)
    console.print()
    if not tables["changes"]["kind"].size:
        same = "  the two versions are the same" if made.identical else "  but for the images"
        if made.identical and made.tolerance is not None:
            same = f"  of more than {made.tolerance}"
        console.print(Text.assemble(("No changes", "bold"), same))
        return
    _heading(console, "Changes", f"{_share(made)} of {made.n_annotations:,} untouched")
    _table(console, _counts(made, tables))
    for line in _in_words(made, tables["changes"]):
        _line(console, line)
    _listed(console, tables, most)


def _contents(data: Dataset) -> str:
    """Say what a version holds."""
    images = data.image_table
    video = images.sequence is not None and images.frame is not None
    parts = [
        number_of(len(data), "annotation"),
        number_of(len(images), "frame" if video else "image"),
    ]
    if video:
        parts.append(number_of(len(set(images.sequence.tolist())), "sequence"))  # type: ignore[union-attr]
    if data.table.track is not None:
        n = len(np.unique(data.table.track[data.table.track >= 0]))
        parts.append(number_of(n, "track"))
    if len(data.annotator_ids) > 1:
        parts.append(number_of(len(data.annotator_ids), "annotator"))
    return ", ".join(parts)


def _rules(made: Diff) -> str:
    limit = "beyond 0.01 px" if made.tolerance is None else f"beyond {made.tolerance}"
    several = max(len(side.annotator_ids) for side in (made.old, made.new)) > 1
    if not several:
        return f"movements {limit} are told"
    how = (
        "no annotator is named in both, so all are compared as if by one hand"
        if made.sides.whole
        else "annotators are compared by name"
    )
    return f"movements {limit} are told; {how}"


def _problems(made: Diff) -> list[str]:
    """Say which rows took no part, or are odd."""
    said = []
    for name, side in zip(SIDES, (made.old, made.new), strict=True):
        odd = len(side.issues) - side.n_dropped
        if side.n_dropped:
            n = number_of(side.n_dropped, "row")
            said.append(f"{n} of {name} cannot be used and took no part: annqc lint lists them")
        if odd:
            said.append(f"{number_of(odd, 'row')} of {name} may be wrong: annqc lint lists them")
    return said


def _images(columns: dict[str, Array]) -> list[str]:
    said = []
    for name, kind in zip(SIDES, ("images_removed", "images_added"), strict=True):
        mine = columns["kind"] == kind
        if not mine.any():
            continue
        frames = sum(one is not None for one in columns["frame"][mine].tolist())
        n = int(mine.sum())
        what = number_of(n, "frame" if frames == n else "image")
        first = ", ".join(
            clean_text(one, width=NAME) for one in columns["image_id"][mine][:FEW].tolist()
        )
        more = f" and {n - FEW:,} more" if n > FEW else ""
        total = number_of(int(columns["n_annotations"][mine].sum()), "annotation")
        said.append(f"{what} in {name} alone, with {total}: {first}{more}")
    return said


def _renumbered(made: Diff, columns: dict[str, Array], most: int) -> list[str]:
    said = []
    n = len(columns["track_id"])
    if n:
        shown = min(n, most)
        pairs = zip(columns["track_id"].tolist(), columns["new_track_id"].tolist(), strict=True)
        listed = ", ".join(
            f"{clean_text(a, width=NAME)} -> {clean_text(b, width=NAME)}"
            for a, b in list(pairs)[:shown]
        )
        more = f" and {n - shown:,} more" if n > shown else ""
        has = "has another id" if n == 1 else "have other ids"
        said.append(f"{number_of(n, 'track')} {has}, which is no change: {listed}{more}")
    if made.n_renumbered_ids:
        n = made.n_renumbered_ids
        has = "has another id" if n == 1 else "have other ids"
        said.append(f"{number_of(n, 'annotation')} {has}, which is no change")
    return said


def _share(made: Diff) -> str:
    """Write the share that is untouched; only all is 100 %, and only nothing is 0."""
    if made.n_untouched in {0, made.n_annotations}:
        return "none" if not made.n_untouched else "all"
    return f"{min(max(100 * made.untouched, 0.1), 99.9):.1f} %"


def _counts(made: Diff, tables: dict[str, dict[str, Array]]) -> list[str]:
    """Count the changes of each kind that there is, and say how large they are."""
    changes, summary = tables["changes"], tables["summary"]
    some = [row for row in range(len(summary["kind"]) - 1) if summary["n_annotations"][row]]
    kinds = [str(summary["kind"][row]) for row in some]
    cells: dict[str, list[str]] = {"changes": [], "tracks": [], "annotations": [], "share": []}
    largest = []
    for row, kind in zip(some, kinds, strict=True):
        mine = changes["kind"] == kind
        cells["changes"].append(f"{summary['n_changes'][row]:,}")
        cells["annotations"].append(f"{summary['n_annotations'][row]:,}")
        cells["share"].append(f"{max(100 * summary['share'][row], 0.1):.1f} %")
        cells["tracks"].append(f"{_n_tracks(made, kind):,}")
        far = float(changes["max_px"][mine].max()) if kind == "moved" else np.nan
        frames = int(changes["n_frames"][mine].max())
        size = [] if np.isnan(far) else [f"{far:,.3g} px" if far < 1000 else f"{far:,.0f} px"]
        largest.append(", ".join([*size, *([f"{frames:,} frames"] if frames > 1 else [])]))
    if not any(int(one.replace(",", "")) for one in cells["tracks"]):
        del cells["tracks"]
    table = [("kind", kinds, False), *((name, column, True) for name, column in cells.items())]
    return side_by_side([*table, ("largest", largest, False)])


def _n_tracks(made: Diff, kind: str) -> int:
    found = made.stretches[kind]
    sides = made.sides
    rows, side = (found.new, sides.new) if kind == "added" else (found.old, sides.old)
    track = side.track[rows] if len(rows) else rows
    return len(np.unique(track[track >= 0]))


def _in_words(made: Diff, changes: dict[str, Array]) -> list[str]:
    """Say of moved boxes how far they typically are, and of labels which became which."""
    said = []
    moved = made.changed.kinds["moved"]
    if int(moved.sum()) > 1:
        delta = made.changed.delta[moved]
        far = np.abs(delta).max(axis=1)
        middle = np.median(delta, axis=0)
        edges = ", ".join(
            f"{name} {value:+.3g}"
            for name, value in zip(("left", "top", "right", "bottom"), middle + 0.0, strict=True)
        )
        half, tail = np.percentile(far, [50, 95])
        said.append(
            f"moved: half of the boxes by up to {half:.3g} px, 95 % by up to {tail:.3g} px; "
            f"median of each edge in px: {edges}"
        )
    said += _exchanged("relabelled", changes, "category", "new_category")
    said += _exchanged("reassigned", changes, "annotator", "new_annotator")
    return said


def _exchanged(kind: str, changes: dict[str, Array], old: str, new: str) -> list[str]:
    mine = changes["kind"] == kind
    counts: Counter[tuple[str, str]] = Counter()
    pairs = zip(changes[old][mine].tolist(), changes[new][mine].tolist(), strict=True)
    for (a, b), n in zip(pairs, changes["n_frames"][mine].tolist(), strict=True):
        counts[str(a), str(b)] += n
    if not counts:
        return []
    listed = ", ".join(
        f"{clean_text(a, width=NAME)} -> {clean_text(b, width=NAME)} ({n:,})"
        for (a, b), n in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:FEW]
    )
    more = f" and {len(counts) - FEW:,} more" if len(counts) > FEW else ""
    return [f"{kind}: {listed}{more}"]


def _listed(console: Console, tables: dict[str, dict[str, Array]], most: int) -> None:
    """List the changes: those that moved farthest, and the longest of the others."""
    changes = tables["changes"]
    moved = np.flatnonzero(changes["kind"] == "moved")
    order = moved[np.argsort(-changes["max_px"][moved], kind="stable")]
    if len(order):
        _heading(console, "Moved", "the farthest first")
        _sentences(console, changes, order, most)
    rest = _rest(tables)
    frames = changes["n_frames"][rest]
    # Of equally long ones each kind has its turn.
    turns: Counter[tuple[int, str]] = Counter()
    turn = []
    for key in zip(frames.tolist(), changes["kind"][rest].tolist(), strict=True):
        turn.append(turns[key])
        turns[key] += 1
    order = rest[np.lexsort((np.array(turn, dtype=np.int64), -frames))]
    if len(order):
        long = int(frames.max()) > 1
        _heading(console, "Other changes", "the longest first" if long else "some of each kind")
        _sentences(console, changes, order, most)


def _rest(tables: dict[str, dict[str, Array]]) -> Ints:
    """Return changes that are no movements, nor stand on an image that is told as a whole."""
    changes, images = tables["changes"], tables["images"]
    told = {
        (kind, id)
        for kind, id, frame in zip(
            *(images[name].tolist() for name in ("kind", "image_id", "frame")), strict=True
        )
        if frame is None
    }
    rows = zip(changes["kind"].tolist(), changes["image_id"].tolist(), strict=True)
    kept = [kind != "moved" and (f"images_{kind}", id) not in told for kind, id in rows]
    return np.flatnonzero(np.array(kept, dtype=bool))


def _sentences(console: Console, changes: dict[str, Array], order: Ints, most: int) -> None:
    for text in changes["text"][order[:most]].tolist():
        _line(console, clean_text(text, width=400))
    if len(order) > most:
        console.print(Text(f"  and {len(order) - most:,} more: --all", style="dim"))


def _row(console: Console, name: str, text: str) -> None:
    first, *rest = hanging(text, console.width - 10, indent=0)
    console.print(Text.assemble((f"{name:<10}", "bold"), first))
    for line in rest:
        console.print(Text(" " * 8 + line))


def _heading(console: Console, title: str, note: str) -> None:
    if title != "Changes":
        console.print()
    console.print(Text.assemble((title, "bold"), f"  {note}"))


def _line(console: Console, text: str) -> None:
    for line in hanging(text, console.width):
        console.print(Text(line), no_wrap=True, crop=False, overflow="ignore")


def _table(console: Console, lines: Iterable[str]) -> None:
    for k, line in enumerate(lines):
        style = "" if k else "dim"
        console.print(Text(line, style=style), no_wrap=True, crop=False, overflow="ignore")
