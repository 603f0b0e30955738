"""run: single annotations to look at first, ranked by how much a correction would gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.measure.offsets import offsets
from annqc.run.error_blocks import block, rightly_matched
from annqc.run.outline_errors import loose_outlines, odd_outlines, worst_contours
from annqc.tables import EDGES, ERROR_KINDS

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.offsets import Measurements
    from annqc.measure.outline_styles import OutlineStyles
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.tables import Array, Dataset, Floats, Ints

__all__ = ["ERROR_KINDS", "error_columns", "error_rows"]

_OFFSETS: Final = ("offset", "offset_px", "offset_rel")

ROUNDING: Final = 1e-9
GROSS: Final = 3.0
"""A matched box is an error where an edge is out by this many tolerances or more."""


def error_rows(
    matches: Matches,
    measurements: Measurements,
    outlines: OutlineMeasurements | None = None,
    styles: OutlineStyles | None = None,
) -> dict[str, Array]:
    """List every error as row numbers, the one that gains most first.

    Parameters
    ----------
    matches, measurements
        What was matched and measured.
    outlines, styles : OutlineMeasurements and OutlineStyles, optional
        What was measured of outlines, and how they were drawn.

    Returns
    -------
    dict of str to array
        ``kind, severity``; ``reference, candidate`` (rows of the two tables, -1 for none),
        ``annotator`` (code); ``iou, boundary_iou, others_found, style, edge, offset, offset_px,
        offset_rel``. Of errors of outlines, IoU and offset are those of the outlines.

    Notes
    -----
    Severity is the overlap that is lost, ``1 - IoU`` (1 for what has no partner or the wrong
    label), times how sure it is that the annotator, and not the reference, is at fault. For a
    missed object that is ``(found + 1) / (asked + 2)`` over the other annotators who were asked to
    draw it: an object that nobody found may not be there. Ties are broken in favour of larger
    objects.
    """
    blocks = [
        _missed(matches),
        _spurious(matches),
        _mislabelled(matches),
        _loose(matches, measurements),
    ]
    if outlines is not None and len(outlines):
        blocks.append(loose_outlines(matches, outlines))
        if styles is not None:
            blocks.append(odd_outlines(matches, outlines, styles))
    rows: dict[str, Array] = {
        name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]
    }
    reference, candidate = matches.reference, matches.candidate
    gold, drawn = rows["reference"], rows["candidate"]
    box = np.where(
        (drawn >= 0)[:, None],
        _rows(candidate.table.xyxy, drawn),
        _rows(reference.table.xyxy, gold),
    )
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    order = np.lexsort((-area, -rows["severity"]))
    rows = {name: column[order] for name, column in rows.items()}
    rows |= _worst_edges(matches, rows, measurements)
    if outlines is not None and len(outlines):
        at, found = worst_contours(rows, outlines, len(candidate.table))
        for name, column in found.items():
            rows[name][at] = column
    return rows


def error_columns(matches: Matches, rows: dict[str, Array]) -> dict[str, Array]:
    """Lay errors out for users.

    Parameters
    ----------
    matches : Matches
        What was matched.
    rows : dict of str to array
        From `error_rows`.

    Returns
    -------
    dict of str to array
        ``rank, severity, kind, annotator, image_id, file_name, annotation_id, reference_id,
        category, candidate_category, iou, edge, offset, offset_px, offset_rel, others_found,
        source, row, boundary_iou, style, sequence, track_id``.
    """
    reference, candidate = matches.reference, matches.candidate
    gold, drawn = rows["reference"], rows["candidate"]
    image = np.where(
        gold >= 0,
        _rows(reference.table.image, gold),
        _rows(matches.image_of_candidate, drawn),
    )
    names, videos = reference.image_table.file_name, reference.image_table.sequence
    table = candidate.table
    paths = np.array([source.path for source in candidate.sources] or [""], dtype=object)
    return {
        "rank": np.arange(1, len(gold) + 1),
        "severity": rows["severity"],
        "kind": rows["kind"],
        "annotator": candidate.annotator_ids[rows["annotator"]],
        "image_id": reference.image_table.id[image],
        "file_name": np.full(len(gold), None, dtype=object) if names is None else names[image],
        "annotation_id": _pick(table.id, drawn),
        "reference_id": _pick(reference.table.id, gold),
        "category": _pick(matches.category_names, _code(matches.reference_category, gold)),
        "candidate_category": _pick(
            matches.category_names, _code(matches.candidate_category, drawn)
        ),
        "iou": rows["iou"],
        "edge": rows["edge"],
        "offset": rows["offset"],
        "offset_px": rows["offset_px"],
        "offset_rel": rows["offset_rel"],
        "others_found": rows["others_found"],
        "source": _pick(paths, _code(table.source, drawn)),
        "row": _pick(table.row, drawn),
        "boundary_iou": rows["boundary_iou"],
        "style": rows["style"],
        "sequence": np.full(len(gold), None, dtype=object) if videos is None else videos[image],
        "track_id": np.where(gold >= 0, _track_ids(reference, gold), _track_ids(candidate, drawn)),
    }


def _track_ids(data: Dataset, rows: Ints) -> Array:
    """Ids of the tracks of rows, None where the row is -1 or in no track."""
    track = data.table.track
    if track is None:
        return np.full(len(rows), None, dtype=object)
    return data.tracks_of(_code(track, rows))


def _missed(matches: Matches) -> dict[str, Array]:
    gold = matches.missed_reference
    found = np.bincount(matches.matched_reference, minlength=len(matches.reference.table))
    asked = found + np.bincount(gold, minlength=len(found))
    others = asked[gold] - 1
    sure = (found[gold] + 1) / (others + 2)
    with np.errstate(invalid="ignore"):
        share = np.where(others > 0, found[gold] / others, np.nan)
    kinds = np.array(["missed", *matches.MISSED_KINDS[1:]], dtype=object)
    return block(
        kind=kinds[matches.missed_kind],
        reference=gold,
        candidate=matches.missed_partner,
        annotator=matches.missed_annotator,
        severity=sure,
        others_found=share,
    )


def _spurious(matches: Matches) -> dict[str, Array]:
    """Spurious boxes, but for those that stand beside the missed object they nearly are."""
    width = len(matches.candidate.table)
    told = np.isin(
        matches.spurious_reference * width + matches.spurious_candidate,
        matches.missed_reference * width + matches.missed_partner,
    )
    told &= matches.spurious_reference >= 0
    drawn = matches.spurious_candidate[~told]
    kinds = np.array(["spurious", *matches.SPURIOUS_KINDS[1:]], dtype=object)
    return block(
        kind=kinds[matches.spurious_kind[~told]],
        reference=matches.spurious_reference[~told],
        candidate=drawn,
        annotator=matches.candidate.table.annotator[drawn],
        # Nobody is known to agree or disagree: as sure as of a missed object that was asked of no
        # one else.
        severity=np.full(len(drawn), 0.5),
    )


def _mislabelled(matches: Matches) -> dict[str, Array]:
    wrong = matches.mislabelled
    drawn = matches.matched_candidate[wrong]
    return block(
        kind=np.full(len(drawn), "mislabelled", dtype=object),
        reference=matches.matched_reference[wrong],
        candidate=drawn,
        annotator=matches.candidate.table.annotator[drawn],
        severity=np.full(len(drawn), 0.5),
        iou=matches.matched_iou[wrong],
    )


def _loose(matches: Matches, measured: Measurements) -> dict[str, Array]:
    """List matched boxes of the right label with an edge far out of tolerance."""
    same, iou = rightly_matched(matches, measured.reference, measured.candidate)
    offset = _in_tolerances(measured.edges, measured.tolerance, measured.at_border)
    worst = np.abs(offset).max(axis=1, initial=0.0)
    kept = np.flatnonzero(same & (worst >= GROSS - ROUNDING))
    overlap = iou[kept]
    return block(
        kind=np.full(len(kept), "loose_box", dtype=object),
        reference=measured.reference[kept],
        candidate=measured.candidate[kept],
        annotator=measured.annotator[kept],
        severity=1 - overlap,
        iou=overlap,
    )


def _in_tolerances(edges: Floats, tolerance: Floats, at_border: Array) -> Floats:
    """Offsets of the four edges in tolerance units, 0 at the image border."""
    return np.where(at_border, 0.0, edges / np.tile(tolerance, 2))


def _worst_edges(
    matches: Matches, rows: dict[str, Array], measured: Measurements
) -> dict[str, Array]:
    """Say of every row that has both boxes which edge is farthest off, and by how much."""
    gold, drawn = rows["reference"], rows["candidate"]
    both = np.flatnonzero((gold >= 0) & (drawn >= 0))
    reference = matches.reference.table.xyxy[gold[both]]
    edges = offsets(reference, matches.candidate.table.xyxy[drawn[both]])
    sides = reference[:, 2:] - reference[:, :2]
    tolerance = np.asarray(measured.rule.of(sides))
    worst = np.abs(edges / np.tile(tolerance, 2)).argmax(axis=1) if len(both) else both
    line = np.arange(len(both))
    pixels = edges[line, worst]
    n = len(gold)
    found: dict[str, Array] = {name: np.full(n, np.nan) for name in _OFFSETS}
    found["edge"] = np.full(n, None, dtype=object)
    found["edge"][both] = np.array(EDGES, dtype=object)[worst]
    found["offset"][both] = pixels / tolerance[line, worst % 2]
    found["offset_px"][both] = pixels
    found["offset_rel"][both] = pixels / sides[line, worst % 2]
    return found


def _rows(column: Array, rows: Ints) -> Array:
    """Values of rows, whatever where the row is -1."""
    return column[rows] if len(column) else np.zeros((len(rows), *column.shape[1:]), column.dtype)


def _code(column: Ints, rows: Ints) -> Ints:
    """Codes of rows, -1 where the row is -1."""
    return np.where(rows >= 0, _rows(column, rows), -1)


def _pick(column: Array, rows: Ints) -> Array:
    """Values of rows as objects, None where the row is -1."""
    values = np.full(len(rows), None, dtype=object)
    there = rows >= 0
    values[there] = column[rows[there]]
    return values
