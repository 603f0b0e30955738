"""run: whether all of it is there: images, categories, and enough evidence to judge by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.match.authors import authored
from annqc.match.images import align_images
from annqc.run.keys import grouped, refuse_taken_names, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.audit import Run
    from annqc.tables import Array, Bools, Ints

__all__ = ["coverage_columns"]

NAMES: Final = ("missing_images", "category_coverage", "clusters")
FIRST: Final = 3
"""So many missing images are named."""


def coverage_columns(
    run: Run, name: str, by: Sequence[str], *, categories: Sequence[str] = ()
) -> dict[str, Array]:
    """Say what is there and what is missing.

    Parameters
    ----------
    run : Run
        The comparison.
    name : {"missing_images", "category_coverage", "clusters"}
        What is looked for.
    by : sequence of str
        Columns; nothing or the annotator, but for clusters.
    categories : sequence of str
        Categories that must be there; all that the gold has objects of if empty.

    Returns
    -------
    dict of str to array
        The ``by`` columns and ``count``. For images ``count`` is what is missing of ``n``, and
        ``first`` names some of them; for categories there is a row each, ``category``.

    Raises
    ------
    UnknownNameError
        Where there is no such measure, or no such column.
    SpecError
        Where ``by`` is not for this measure.

    Notes
    -----
    Of the whole delivery, an image of the gold is missing where nobody drew on it and no list of
    assignments or images has it; if the gold has no object there either, it is missing only where
    the work lists images without boxes. Of an annotator, an image that was asked of them is missing
    where the gold has objects on it and they drew none; where the work does not say who was asked
    for what, there are no rows.
    """
    if name not in NAMES:
        what = "measure of coverage"
        raise UnknownNameError.among(what, name, NAMES)
    if name == "clusters":
        refuse_taken_names(by, ("count",))
        return _clusters(run, by)
    if any(one != "annotator" for one in by):
        what = f"{name} is told by annotator or of everything together"
        raise SpecError(what, expected="by = [] or by = ['annotator']", found=repr(list(by)))
    if name == "missing_images":
        return _missing_by_annotator(run) if by else _missing(run)
    return _categories(run, categories, apart=bool(by))


def _names(run: Run, images: Ints) -> str:
    """Name the first few images of the gold."""
    table = run.reference.image_table
    few = images[:FIRST].tolist()
    files = [None] * len(few) if table.file_name is None else table.file_name[few].tolist()
    ids = table.id[few].tolist()
    text = ", ".join(str(file or id) for file, id in zip(files, ids, strict=True))
    return text + (f" and {len(images) - FIRST:,} more" if len(images) > FIRST else "")


def _missing(run: Run) -> dict[str, Array]:
    n_images = len(run.reference.image_table)
    there = np.zeros(n_images, dtype=bool)
    there[run.matches.task_image] = True
    # Those who drew the gold of an image are not compared there, and were there all the same.
    there[authored(run.reference, run.candidate) % max(n_images, 1)] = True
    if not _lists_empty_images(run):
        # Nobody can tell an empty image from one that was not delivered.
        there |= ~_has_objects(run)
    missing = np.flatnonzero(~there)
    return {
        "count": np.array([len(missing)]),
        "n": np.array([n_images]),
        "first": np.array([_names(run, missing)], dtype=object),
    }


def _lists_empty_images(run: Run) -> bool:
    """Whether the work names images on which nothing was drawn, as a table of boxes cannot."""
    work = run.candidate
    if work.assigned is not None:
        return True
    drawn = np.zeros(len(work.image_table), dtype=bool)
    drawn[work.table.image] = True
    return not drawn.all()


def _missing_by_annotator(run: Run) -> dict[str, Array]:
    ids = run.candidate.annotator_ids
    if run.candidate.assigned is None:
        none = np.empty(0, dtype=np.int64)
        return {"annotator": ids[:0], "count": none, "n": none, "first": np.empty(0, dtype=object)}
    n_images = max(len(run.reference.image_table), 1)
    image = align_images(run.reference.image_table, run.candidate.image_table)[0]
    asked = run.candidate.assigned
    given = asked[:, 0] * n_images + image[asked[:, 1]]
    given = np.unique(given[image[asked[:, 1]] >= 0])
    given = given[~np.isin(given, authored(run.reference, run.candidate))]
    table = run.candidate.table
    drawn = table.annotator * n_images + run.matches.image_of_candidate
    drawn = drawn[run.matches.image_of_candidate >= 0]
    missing = given[~np.isin(given, drawn) & _has_objects(run)[given % n_images]]
    parts = [missing[missing // n_images == k] % n_images for k in range(len(ids))]
    return {
        "annotator": ids,
        "count": np.array([len(part) for part in parts], dtype=np.int64),
        "n": np.bincount(given // n_images, minlength=len(ids)),
        "first": np.array([_names(run, part) for part in parts], dtype=object),
    }


def _has_objects(run: Run) -> Bools:
    """Images of the gold with something to draw."""
    table = run.reference.table
    out = np.zeros(len(run.reference.image_table), dtype=bool)
    out[table.image[~(table.crowd | table.ignored)]] = True
    return out


def _categories(run: Run, wanted: Sequence[str], *, apart: bool) -> dict[str, Array]:
    matches = run.matches
    names = [str(one) for one in matches.category_names]
    table = run.reference.table
    if wanted:
        codes = [_code(names, one) for one in wanted]
        shown = list(wanted)
    else:
        objects = matches.reference_category[~(table.crowd | table.ignored)]
        codes = np.unique(objects).tolist()
        shown = [names[code] for code in codes]
    ids = run.candidate.annotator_ids
    n = len(ids) if apart else 1
    who = run.candidate.table.annotator if apart else np.zeros(len(run.candidate), dtype=np.int64)
    width = len(names) + 1  # the last column is for what is nowhere in the data
    counts = np.bincount(who * width + matches.candidate_category, minlength=n * width)
    table_of = counts.reshape(n, width)[:, codes]
    columns: dict[str, Array] = {}
    if apart:
        columns["annotator"] = np.repeat(ids, len(codes))
    columns["category"] = np.tile(np.array(shown, dtype=object), n)
    return {**columns, "count": table_of.reshape(-1)}


def _code(names: list[str], wanted: str) -> int:
    """Return the position of a category, -1 for none; capitals and blanks are no difference."""
    if wanted in names:
        return names.index(wanted)
    alike = [name.strip().casefold() for name in names]
    plain = wanted.strip().casefold()
    return alike.index(plain) if plain in alike else -1


def _clusters(run: Run, by: Sequence[str]) -> dict[str, Array]:
    """Count the images or tracks whose pairs entered the offsets."""
    measured, detected = run.measurements, run.detected
    used = measured.usable.any(axis=1)
    rows = measured.reference[used], measured.candidate[used], measured.annotator[used]
    asked = detected.asked_reference, detected.asked_annotator
    groups = grouped(
        resolve(run.matches, by), rows, (asked[0], np.full(len(asked[0]), -1), asked[1])
    )
    code, cluster = groups.codes[0], measured.cluster[used]
    width = int(cluster.max(initial=0)) + 1
    distinct = np.unique((code * width + cluster)[code >= 0]) // width
    return {**groups.keys, "count": np.bincount(distinct, minlength=groups.n)}
