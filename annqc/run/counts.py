"""run: things counted in every group: errors, and boxes drawn twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import UnknownNameError
from annqc.measure.offsets import clusters_of_drawn, clusters_of_images
from annqc.run.keys import grouped, refuse_taken_names, resolve
from annqc.tables import ERROR_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.audit import Run
    from annqc.tables import Array, Bools, Dataset, Ints

__all__ = ["ErrorUnits", "count_columns", "drawn_again", "error_units"]

COUNTS: Final = ("error_count", "duplicates")
"""What can be counted."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class ErrorUnits:
    """What an error rate is a share of, one row a unit.

    ``n`` groups with their columns ``keys``; of each unit its ``group``, the ``cluster`` of
    evidence, and whether it is ``wrong``.
    """

    n: int
    keys: dict[str, Array]
    group: Ints
    cluster: Ints
    wrong: Bools


def error_units(run: Run, by: Sequence[str], kinds: Sequence[str] = ()) -> ErrorUnits:
    """Lay out what was drawn, and what was asked for and has nothing drawn that could be it.

    Parameters
    ----------
    run : Run
        The comparison.
    by : sequence of str
        Columns. A unit belongs to the group of the gold object that it was matched with or that is
        missing, and else to its own.
    kinds : sequence of str
        Kinds of errors; all of them if empty.

    Notes
    -----
    A drawn box is one unit, whatever is wrong with it and however often. An object that was asked
    of an annotator and missed is a unit of its own only where no drawn box stands for the miss: a
    near miss is one error and not two. What crowds and ignored regions swallowed is no unit.
    """
    matches, detected, rows = run.matches, run.detected, run.error_rows
    reference, candidate = matches.reference.table, matches.candidate.table
    drawn = detected.drawn_candidate
    is_unit = np.zeros(len(candidate) + 1, dtype=bool)  # one more, for the row -1 of no box
    is_unit[drawn] = True
    alone = ~is_unit[matches.missed_partner]
    missed, asked = matches.missed_reference[alone], matches.missed_annotator[alone]
    wanted = np.isin(rows["kind"], list(kinds or ERROR_KINDS))
    of_drawn = is_unit[rows["candidate"]]
    wrong_drawn = np.isin(drawn, rows["candidate"][wanted & of_drawn])
    width = max(len(reference), 1)
    told = wanted & ~of_drawn
    wrong_alone = np.isin(
        asked * width + missed, (rows["annotator"] * width + rows["reference"])[told]
    )
    matched = np.full(len(drawn), -1)
    matched[: len(detected.pair_reference)] = detected.pair_reference
    none = np.full(len(missed), -1)
    groups = grouped(
        resolve(matches, by),
        (
            np.concatenate([matched, missed]),
            np.concatenate([drawn, none]),
            np.concatenate([candidate.annotator[drawn], asked]),
        ),
    )
    cluster = np.concatenate(
        [
            clusters_of_drawn(matches)[drawn],
            clusters_of_images(matches)[reference.image[missed]],
        ]
    )
    kept = groups.codes[0] >= 0
    return ErrorUnits(
        n=groups.n,
        keys=groups.keys,
        group=groups.codes[0][kept],
        cluster=cluster[kept],
        wrong=np.concatenate([wrong_drawn, wrong_alone])[kept],
    )


def count_columns(
    run: Run, name: str, by: Sequence[str], *, kinds: Sequence[str] = ()
) -> dict[str, Array]:
    """Count something in every group.

    Parameters
    ----------
    run : Run
        The comparison.
    name : {"error_count", "duplicates"}
        Errors of some kinds, or boxes that were drawn again.
    by : sequence of str
        Columns.
    kinds : sequence of str
        Kinds of errors; all of them if empty.

    Returns
    -------
    dict of str to array
        The ``by`` columns, and ``count``. Groups without any are there, with 0.

    Raises
    ------
    UnknownNameError
        Where there is no such count, or no such column.
    """
    if name not in COUNTS:
        what = "count"
        raise UnknownNameError.among(what, name, COUNTS)
    refuse_taken_names(by, ("count",))
    matches, rows = run.matches, run.error_rows
    table = matches.candidate.table
    if name == "duplicates":
        again = drawn_again(run)
        events = np.full(len(again), -1), again, table.annotator[again]
    else:
        some = np.isin(rows["kind"], list(kinds or ERROR_KINDS))
        events = rows["reference"][some], rows["candidate"][some], rows["annotator"][some]
    everything = np.arange(len(table))
    asked = run.detected.asked_reference, run.detected.asked_annotator
    groups = grouped(
        resolve(matches, by),
        events,
        (np.full(len(table), -1), everything, table.annotator),
        (asked[0], np.full(len(asked[0]), -1), asked[1]),
    )
    code = groups.codes[0]
    return {**groups.keys, "count": np.bincount(code[code >= 0], minlength=groups.n)}


def drawn_again(run: Run) -> Ints:
    """Rows of the work that were drawn for the second time, each once.

    Returns
    -------
    (k,) int64
        Errors of the kind ``duplicate``, and of boxes that are equal in every coordinate all but
        one. Of equal boxes the match may have taken any for the object, so those that it calls
        duplicates count first.
    """
    rows = run.error_rows
    told = np.zeros(len(run.candidate.table), dtype=bool)
    told[rows["candidate"][rows["kind"] == "duplicate"]] = True
    which, size = _equal_boxes(run.candidate)
    counted = np.bincount(which, told, minlength=len(size))
    left = np.maximum(size - 1 - counted, 0)
    rest = np.flatnonzero(~told & (size[which] > 1))[::-1]  # later copies are the copies
    order = rest[np.argsort(which[rest], kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(which[order], which[order])
    told[order[place < left[which[order]]]] = True
    return np.flatnonzero(told)


def _equal_boxes(data: Dataset) -> tuple[Ints, Ints]:
    """Return the set of equal boxes that each box is in, and the sizes of the sets."""
    table = data.table
    columns = (table.annotator, table.image, table.category, *table.xyxy.T)
    order = np.lexsort(columns)
    new = np.zeros(len(order), dtype=bool)
    for column in columns:
        new[1:] |= column[order][1:] != column[order][:-1]
    which = np.empty(len(order), dtype=np.int64)
    which[order] = np.cumsum(new)
    return which, np.bincount(which)
