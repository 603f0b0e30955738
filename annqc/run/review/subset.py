"""run: a review queue as datasets, which the writers take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from annqc.ids import encode, ids_array, objects_array
from annqc.run.review import boxes_of, image_columns
from annqc.run.review.rows import is_consensus
from annqc.shapes import Shapes
from annqc.tables import Annotations, Dataset, Images

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.run.audit import Run
    from annqc.tables import Array, Ints

__all__ = ["Subset", "queue_datasets"]

GOLD: Final = "(gold)"
CONSENSUS: Final = "(consensus)"
"""Who drew the boxes that are not the annotators', so that nobody is taken for their author."""
_TOLD: Final = (
    *("rank", "gain", "kind", "annotator", "annotation_id", "reference_id", "edge"),
    *("offset_px", "text", "url"),
)
"""Columns of a queue that go with the annotations, under ``review_`` and their name."""


class Subset(NamedTuple):
    """A queue as datasets on the same images.

    Attributes
    ----------
    queue : Dataset
        A row each: what was drawn, or the box of what was not.
    drawn : Dataset
        Those that were drawn.
    reference : Dataset
        What they are compared with.
    """

    queue: Dataset
    drawn: Dataset
    reference: Dataset


def queue_datasets(run: Run, rows: dict[str, Array], columns: dict[str, Array]) -> Subset:
    """Make datasets of a queue.

    Parameters
    ----------
    run : Run
        The comparison.
    rows : dict of str to array
        From `annqc.run.review.queue_rows`.
    columns : dict of str to array
        The queue as users have it; what it has of `annqc.run.review.subset` goes with each row.

    Notes
    -----
    Images are in the order in which the queue comes to them. Ids stay where all are whole numbers
    and none is there twice, and what nobody drew gets the next ones; else rows are numbered, and
    ``review_annotation_id`` has the id.
    """
    matches = run.matches
    gold, drawn = rows["reference"], rows["candidate"]
    table = matches.candidate.table
    images, image = _images(run, rows)
    names, category = _categories(matches, gold, drawn)
    theirs = CONSENSUS if is_consensus(run) else GOLD
    who = [theirs if d < 0 else matches.candidate.annotator_ids[table.annotator[d]] for d in drawn]
    codes, people = encode(objects_array(who))
    told = {f"review_{name}": columns[name] for name in _TOLD if name in columns}
    some = drawn >= 0
    extra = {name: _padded(column, drawn) for name, column in table.extra.items()}
    whole = Annotations.build(
        id=_ids(table.id, drawn),
        image=image,
        annotator=codes,
        category=category,
        xyxy=boxes_of(matches, gold, drawn),
        shapes=_shapes(table.shapes, drawn),
        extra={**extra, **told},
    )
    queue = Dataset(
        table=whole,
        image_table=images,
        annotator_ids=ids_array(people.tolist()),
        category_ids=names[0],
        category_names=names[1],
        n_rows=len(whole),
    )
    return Subset(queue, _only(queue, some), _reference(queue, matches, gold, theirs))


def _only(queue: Dataset, some: Array) -> Dataset:
    """Keep the rows that somebody drew, and the annotators that are among them."""
    table = queue.table.take(some)
    used, codes = np.unique(table.annotator, return_inverse=True)
    table = replace(table, annotator=codes.astype(np.int64))
    ids = queue.annotator_ids[used]
    return replace(queue, table=table, annotator_ids=ids, n_rows=len(table))


def _reference(queue: Dataset, matches: Matches, gold: Ints, theirs: str) -> Dataset:
    """Boxes of the reference that the rows are compared with, each once."""
    at = np.flatnonzero(gold >= 0)
    at = at[np.sort(np.unique(gold[at], return_index=True)[1])]
    category = _codes(matches, gold[at], np.full(len(at), -1))
    text = queue.table.extra.get("review_text")
    table = Annotations.build(
        id=np.arange(1, len(at) + 1),
        image=queue.table.image[at],
        annotator=np.zeros(len(at), dtype=np.int64),
        category=category,
        xyxy=matches.reference.table.xyxy[gold[at]],
        extra={} if text is None else {"review_text": text[at]},
    )
    return replace(queue, table=table, annotator_ids=ids_array([theirs]), n_rows=len(table))


def _images(run: Run, rows: dict[str, Array]) -> tuple[Images, Ints]:
    """Images of the queue as the input calls them, and the image of each row."""
    place, first = np.unique(rows["place"], return_index=True)
    order = np.argsort(first)
    code = np.empty(len(place), dtype=np.int64)
    code[order] = np.arange(len(place))
    image = code[np.searchsorted(place, rows["place"])]
    columns = {
        name: column[rows["image"][first[order]]] for name, column in image_columns(run).items()
    }
    named: dict[str, Any] = {
        name: None if _empty(columns[name]) else columns[name]
        for name in ("file_name", "sequence", "frame")
    }
    frame = named["frame"]
    if named["sequence"] is None or frame is None or any(one is None for one in frame.tolist()):
        named["sequence"] = named["frame"] = None
    size: dict[str, Any] = {name: columns[name] for name in ("width", "height")}
    return Images.build(columns["image_id"], **size, **named), image


def _empty(column: Array) -> bool:
    return all(one is None for one in column.tolist())


def _categories(matches: Matches, gold: Ints, drawn: Ints) -> tuple[tuple[Array, Array], Ints]:
    """Categories of both sides under the ids of the work, and the category of each row."""
    work, names = matches.candidate, matches.category_names
    given: dict[int, Any] = {}
    pairs = np.unique(np.stack([matches.candidate_category, work.table.category]), axis=1)
    for code, own in pairs.T.tolist():
        given.setdefault(code, work.category_ids[own : own + 1].tolist()[0])
    numbers = [one for one in given.values() if isinstance(one, int)]
    whole = len(numbers) == len(given) == len(set(numbers))
    spare = max(numbers, default=0) + 1
    ids = []
    for code in range(len(names)):
        if whole and code in given:
            ids.append(given[code])
        else:
            ids.append(spare if whole else code + 1)
            spare += 1
    return (ids_array(ids), names), _codes(matches, gold, drawn)


def _codes(matches: Matches, gold: Ints, drawn: Ints) -> Ints:
    codes = np.zeros(len(gold), dtype=np.int64)
    for column, rows in ((matches.reference_category, gold), (matches.candidate_category, drawn)):
        some = rows >= 0
        codes[some] = column[rows[some]]
    return codes


def _ids(ids: Array, drawn: Ints) -> Array:
    """Ids of the rows, whole numbers that are there once."""
    some = drawn >= 0
    given = ids[drawn[some]]
    if given.dtype.kind not in "iu" or len(np.unique(given)) < len(given):
        return np.arange(1, len(drawn) + 1)
    out = np.empty(len(drawn), dtype=np.int64)
    out[some] = given
    begin = int(ids.max(initial=0)) + 1
    out[~some] = np.arange(begin, begin + int((~some).sum()))
    return out


def _padded(column: Array, drawn: Ints) -> Array:
    """Values of the rows, None where nobody drew."""
    if (drawn >= 0).all():
        return column[drawn]
    out = np.full(len(drawn), None, dtype=object)
    out[drawn >= 0] = column[drawn[drawn >= 0]]
    return out


def _shapes(shapes: Shapes | None, drawn: Ints) -> Shapes | None:
    """Outlines of the rows; a box alone where nobody drew."""
    if shapes is None:
        return None
    some = drawn >= 0
    both = Shapes.concat([shapes.take(drawn[some]), Shapes.empty(int((~some).sum()))])
    place = np.empty(len(drawn), dtype=np.int64)
    place[some] = np.arange(int(some.sum()))
    place[~some] = np.arange(int(some.sum()), len(drawn))
    return both.take(place)
