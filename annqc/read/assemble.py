"""Parts -> `Dataset`: encode ids, unite the tables, check every row, list the problems."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import fields
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.errors import ReadError
from annqc.ids import encode
from annqc.read.annotators import annotators_of
from annqc.read.asked import asked_of, assigned_pairs
from annqc.read.categories import unite_categories
from annqc.read.files import shown
from annqc.read.jsontext import HALF, HALF_HINT
from annqc.read.outlines import boxes_around, outlines_of
from annqc.read.part import plain, problem
from annqc.read.problems import KINDS, box_faults, duplicate_boxes, repeated_ids
from annqc.read.tracks import check_frames, check_tracks
from annqc.read.unite import joined, unite_images, unite_sequences
from annqc.tables import Annotations, Dataset, nameless

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.geometry.repair import Fault
    from annqc.read.annotators import Drawn
    from annqc.read.categories import Categories
    from annqc.read.options import Options
    from annqc.read.part import Part
    from annqc.read.unite import United
    from annqc.tables import Images, Problem, Shapes

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["assemble"]


def assemble(parts: Sequence[Part], annotator: object, options: Options) -> Dataset:
    """Put the parts together.

    Parameters
    ----------
    parts : sequence of Part
        What the readers gave, in order; at least one.
    annotator : object
        The user's ``annotator=``.
    options : Options
        What else the user said.

    Returns
    -------
    Dataset
        Usable rows, and a problem for each of the others.
    """
    problems = [one for part in parts for one in part.problems] + _empty_sources(parts)
    drawn = annotators_of(parts, annotator)
    images = unite_images(parts, options.sizes, problems)
    categories = unite_categories(parts, options.categories, problems)
    asked = asked_of(parts, drawn, images, problems)
    columns = _columns(parts, images, categories)
    columns["shapes"], faults = outlines_of(parts, columns["image"], images.table)
    columns["xyxy"] = boxes_around(columns["xyxy"], columns["shapes"])
    keep = _check(parts, drawn, columns, images, faults, problems)
    told = [one.ids for one in drawn], [one.names for one in asked if one is not None]
    codes, annotator_ids = encode(joined([*told[0], *told[1]]))
    bounds = list(accumulate((len(one) for one in (*told[0], *told[1])), initial=0))
    columns["annotator"] = joined(
        [codes[start:][one.codes] for one, start in zip(drawn, bounds, strict=False)]
    )
    sequences = unite_sequences(parts, images.table)
    check_frames(parts, columns, images.table, sequences, keep, problems)
    track_ids = None
    if any(part.track is not None for part in parts):
        columns["track"], track_ids = _tracks(parts, columns, images.table)
    _check_repeats(parts, columns, keep, annotator_ids, problems)
    check_tracks(parts, columns, images.table, keep, annotator_ids, problems)
    problems += _similar_annotators(parts, columns["annotator"], annotator_ids)
    assigned = assigned_pairs(
        parts, asked, codes[bounds[len(parts)] :], columns, images, annotator_ids, problems
    )
    given = [annotator_ids, images.table.id, categories.names]
    given += [] if sequences is None else [sequences.id]
    given += [] if track_ids is None else [track_ids]
    _refuse_half_characters(given, parts)
    table = Annotations.build(**columns)
    return Dataset(
        table=table if keep.all() else table.take(keep),
        image_table=images.table,
        annotator_ids=annotator_ids,
        category_ids=categories.ids,
        category_names=categories.names,
        assigned=assigned,
        issues=tuple(problems),
        sources=tuple(source for part in parts for source in part.sources),
        n_rows=sum(part.n_rows for part in parts),
        # Whoever writes a pattern says which part of the name is the person.
        authors_known=options.named is not None
        or any(len(part) and not one.by_file for part, one in zip(parts, drawn, strict=True)),
        track_ids=track_ids,
        sequence_table=sequences,
    )


def _refuse_half_characters(ids: Sequence[Array], parts: Sequence[Part]) -> None:
    """Refuse ids with one half of a surrogate pair, which nothing can write."""
    for some in ids:
        texts = (
            [one for one in some.tolist() if isinstance(one, str)] if some.dtype == object else []
        )
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:
            found = next(one for one in texts if shown(one) != one)
            where = shown(parts[0].sources[0].path) if len(parts) == 1 else None
            raise ReadError(HALF, where=where, found=ascii(found), hint=HALF_HINT) from None


def _columns(parts: Sequence[Part], images: United, categories: Categories) -> dict[str, Any]:
    """Lay the parts' columns end to end, ids encoded; -1 is an image or category not there."""
    offsets = [0, *accumulate(len(part.sources) for part in parts)]
    columns: dict[str, Any] = {
        "image": joined(images.codes),
        "category": joined(categories.codes),
        "xyxy": joined([part.xyxy for part in parts]),
        "row": joined([part.row for part in parts]),
        "source": joined(
            [
                np.full(len(part), offset) if part.source is None else part.source + offset
                for part, offset in zip(parts, offsets, strict=False)
            ]
        ),
        "extra": _extra(parts),
    }
    if any(part.id is not None for part in parts):
        columns["id"] = joined([np.arange(1, len(p) + 1) if p.id is None else p.id for p in parts])
    for name, empty in (("score", np.nan), ("crowd", False), ("ignored", False)):
        given = [getattr(part, name) for part in parts]
        if any(one is not None for one in given):
            filled = [
                np.full(len(part), empty) if one is None else one
                for part, one in zip(parts, given, strict=True)
            ]
            columns[name] = joined(filled)
    given = [part.keyframe for part in parts]
    if all(one is not None for one in given):
        columns["keyframe"] = joined(given)
    return columns


def _check(
    parts: Sequence[Part],
    drawn: list[Drawn],
    columns: dict[str, Any],
    images: United,
    outlines: list[Fault],
    problems: list[Problem],
) -> Bools:
    """List the rows that cannot be used, or are odd, and return which can."""
    image, category, xyxy = columns["image"], columns["category"], columns["xyxy"]
    free = np.ones(len(image), dtype=bool)
    width, height = images.table.width, images.table.height
    if np.isnan(width).all() and np.isnan(height).all():
        width = height = np.full(1, np.nan)
        faults = box_faults(xyxy, width, height, free)
    else:
        faults = box_faults(xyxy, width[image], height[image], free)
    found: list[tuple[str, Ints]] = []
    for kind, code in (("unknown_image", image), ("unknown_category", category)):
        rows = code < 0
        rows &= free
        free &= ~rows
        found.append((kind, np.flatnonzero(rows)))
    starts = [0, *accumulate(len(part) for part in parts)]
    for fault in outlines:
        if free[fault.row]:
            k = bisect_right(starts, fault.row) - 1
            at, who = fault.row - starts[k], drawn[k].of(fault.row - starts[k])
            problems.append(parts[k].problem(fault.kind, at, fault.found, annotator=who))
            free[fault.row] = KINDS[fault.kind].severity == "kept"
    found += [(kind, np.flatnonzero(rows)) for kind, rows in faults]
    for part, one, start in zip(parts, drawn, starts, strict=False):
        end = start + len(part)
        for kind, rows in found:
            for row in rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)].tolist():
                at = row - start
                message = _message(kind, part, at, xyxy[row], image[row], images)
                problems.append(part.problem(kind, at, message, annotator=one.of(at)))
        message = KINDS["unknown_annotator"].explanation
        problems += [part.problem("unknown_annotator", int(at), message) for at in one.nobody]
        if not len(part) or float(xyxy[start:end].max()) > 1.0:
            continue
        usable = free[start:end]
        if usable.any() and float(np.abs(xyxy[start:end][usable]).max()) <= 1.0:
            message = "all coordinates are between 0 and 1; pixels are expected"
            problems.append(
                problem("looks_normalised", part.sources[0].path, "the whole file", message)
            )
    return free


def _message(kind: str, part: Part, row: int, box: Floats, image: int, images: United) -> str:
    """Say what was expected and what was found."""
    x1, y1, x2, y2 = box.tolist()
    if kind == "unknown_image":
        found = plain(part.image_id[row])
        other = images.near(found)
        hint = f"; there is {other!r}, of another type" if other is not None else ""
        return f"image {found!r} is not in the image table{hint}"
    if kind == "unknown_category":
        return f"category {plain(part.category[row])!r} is not in the category table"
    if kind in ("negative_size", "zero_size"):
        return f"expected width and height above 0, found {x2 - x1:g} and {y2 - y1:g}"
    corners = f"x1 {x1:g}, y1 {y1:g}, x2 {x2:g}, y2 {y2:g}"
    if kind in ("outside_image", "beyond_border"):
        width, height = images.table.width[image], images.table.height[image]
        return f"{corners} in an image of {width:g} x {height:g} pixels"
    return f"expected coordinates that an image can have, found {corners}"


def _check_repeats(
    parts: Sequence[Part],
    columns: dict[str, Any],
    keep: Bools,
    annotator_ids: Array,
    problems: list[Problem],
) -> None:
    """List rows that repeat an earlier one; exact repeats leave ``keep``, in place."""
    image, category, xyxy = columns["image"], columns["category"], columns["xyxy"]
    who, source = columns["annotator"], columns["source"]
    starts = np.array([0, *accumulate(len(part) for part in parts)])

    def add(kind: str, row: int, first: int) -> None:
        k = int(np.searchsorted(starts, row, side="right")) - 1
        j = int(np.searchsorted(starts, first, side="right")) - 1
        part, earlier = parts[k], parts[j]
        at = earlier.where.format(earlier.row[first - starts[j]])
        message = f"{KINDS[kind].explanation.rstrip('.')}: {at}"
        annotator = plain(annotator_ids[who[row]])
        problems.append(part.problem(kind, row - int(starts[k]), message, annotator=annotator))

    numbered = all(part.id is not None for part in parts)
    if "id" in columns:
        ids = columns["id"]
        if not numbered:  # ids that were made up here repeat nothing
            made_up = np.repeat([part.id is None for part in parts], [len(part) for part in parts])
            ids = ids.astype(object)
            ids[made_up] = None
        # A usable row that repeats a dropped one is the first of its kind.
        usable = np.flatnonzero(keep)
        apart = np.repeat([part.ids_by_image for part in parts], [len(part) for part in parts])
        home = source + np.where(apart, image + 1, 0) * (int(source.max(initial=0)) + 1)
        again, first = repeated_ids(ids[usable], home[usable])
        for row, earlier in zip(usable[again].tolist(), usable[first].tolist(), strict=True):
            same = (
                image[row] == image[earlier]
                and category[row] == category[earlier]
                and who[row] == who[earlier]
                and bool(np.all(xyxy[row] == xyxy[earlier]))
                and _same_outline(columns["shapes"], row, earlier)
            )
            add("duplicate_row" if same else "duplicate_id", row, earlier)
            keep[row] = not same
    # Of people who cannot be told apart, several may well draw one box.
    named = ~nameless(annotator_ids)
    usable = np.flatnonzero(keep & named[who])
    sides = who, image, category, xyxy
    some = sides if len(usable) == len(keep) else tuple(column[usable] for column in sides)
    again, first = duplicate_boxes(*some)
    for row, earlier in zip(usable[again].tolist(), usable[first].tolist(), strict=True):
        add("duplicate_box", row, earlier)


def _same_outline(shapes: Shapes | None, row: int, other: int) -> bool:
    """Whether two rows have the same outline, or none are known."""
    if shapes is None:
        return True
    one, two = (shapes.take([k]) for k in (row, other))
    return all(
        np.array_equal(getattr(one, field.name), getattr(two, field.name)) for field in fields(one)
    )


def _extra(parts: Sequence[Part]) -> dict[str, Array]:
    """Lay the extra columns end to end; a part that lacks one has None there."""
    names = dict.fromkeys(name for part in parts for name in part.extra)
    columns = {}
    for name in names:
        pieces = [
            part.extra[name] if name in part.extra else np.full(len(part), None, dtype=object)
            for part in parts
        ]
        columns[name] = joined(pieces)
    return columns


def _tracks(parts: Sequence[Part], columns: dict[str, Any], images: Images) -> tuple[Ints, Array]:
    """Encode the tracks of all parts, -1 where there is none; and return their ids as given.

    The same id in two sequences, or by two annotators, is two tracks.
    """
    pieces = [
        np.full(len(part), None, dtype=object) if part.track is None else part.track
        for part in parts
    ]
    codes, ids = encode(joined(pieces))
    real = np.array([one is not None for one in ids.tolist()], dtype=bool)[codes]
    image, given = columns["image"], codes
    sequence = images.sequence if images.sequence is not None else images.extra.get("video_id")
    if sequence is not None and len(images):
        of_image, distinct = encode(sequence)
        given = given * (len(distinct) + 1) + np.where(image < 0, len(distinct), of_image[image])
    given = given * (int(columns["annotator"].max(initial=-1)) + 2) + columns["annotator"] + 1
    tracks = np.full(len(codes), -1, dtype=np.int64)
    tracks[real], distinct_codes = encode(given[real])
    first = np.unique(tracks[real], return_index=True)[1]
    return tracks, ids[codes[real][first]] if len(distinct_codes) else ids[:0]


def _empty_sources(parts: Sequence[Part]) -> list[Problem]:
    """List files without a row; of formats with a file an image, only where no file has one."""
    message = KINDS["no_rows"].explanation
    found = []
    for part in parts:
        empty = [source.path for source in part.sources if not source.n_rows]
        if part.file_is_image:
            empty = empty[:1] if len(empty) == len(part.sources) else []
        found += [problem("no_rows", path, "the whole file", message) for path in empty]
    return found


def _similar_annotators(parts: Sequence[Part], who: Ints, ids: Array) -> list[Problem]:
    """List annotators whose names differ in capitals, blanks or type alone."""
    alike: dict[str, list[int]] = {}
    for row, name in enumerate(ids.tolist()):
        alike.setdefault(" ".join(str(name).split()).casefold(), []).append(row)
    counts = np.bincount(who, minlength=len(ids)).tolist()
    found = []
    for rows in alike.values():
        if len(rows) > 1:
            each = [f"{plain(ids[row])!r} (rows: {counts[row]})" for row in rows]
            message = f"{' and '.join(each)} count as {len(rows)} annotators"
            path, name = parts[0].sources[0].path, plain(ids[rows[0]])
            found.append(
                problem("similar_annotators", path, "the annotators", message, annotator=name)
            )
    return found
