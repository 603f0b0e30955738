"""testing: strategies for image tables, datasets, and pairs of gold and work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from hypothesis import strategies as st

from annqc.errors import SpecError
from annqc.ids import ids_array, objects_array
from annqc.tables import Annotations, Dataset, Images
from annqc.testing.strategies.shapes import IMAGE_SIZE, STEP, boxes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from annqc.tables import Array, Ints

__all__ = ["datasets", "deliveries", "images", "names"]

LARGEST_ID: Final = 2**53
"""The largest whole number that every JSON parser reads as it is."""
ALPHABET: Final = "abcxyz019-_.éß雪"
"""Letters of names; some of them take more than one byte."""
SMALLEST_GOLD: Final = 16.0
"""Smallest side in a delivery: an offset is then always less than half of it."""


def names(*, min_size: int = 0, max_size: int = 3) -> SearchStrategy[list[str]]:
    """Draw lists of different names."""
    name = st.text(ALPHABET, min_size=1, max_size=6)
    return st.lists(name, min_size=min_size, max_size=max_size, unique=True)


def images(
    *,
    min_images: int = 1,
    max_images: int = 5,
    image_size: Sequence[float] | None = IMAGE_SIZE,
) -> SearchStrategy[Images]:
    """Draw image tables: ids that are numbers or texts, with file names or without.

    Parameters
    ----------
    min_images, max_images : int
        How many.
    image_size : (2,) sequence of float or None
        Width and height of all of them in pixels; None where the table does not know.

    Returns
    -------
    strategy of Images

    Examples
    --------
    >>> from hypothesis import find
    >>> find(images(), lambda table: len(table) == 2).id.tolist()
    [1, 2]
    """
    _range("images", min_images, max_images)
    return _images(min_images, max_images, image_size)


@st.composite
def _images(draw: DrawFn, least: int, most: int, size: Sequence[float] | None) -> Images:
    m = draw(st.integers(least, most))
    ids = draw(_ids(m))
    named = draw(st.booleans())
    return Images.build(
        ids,
        width=None if size is None else np.full(m, float(size[0])),
        height=None if size is None else np.full(m, float(size[1])),
        file_name=objects_array([f"{one}.jpg" for one in ids.tolist()]) if named else None,
    )


def _ids(n: int) -> SearchStrategy[Array]:
    """Draw n different ids: 1 to n, any numbers, or texts."""
    numbers = st.lists(st.integers(0, LARGEST_ID), min_size=n, max_size=n, unique=True)
    plain: SearchStrategy[list[Any]] = st.just(list(range(1, n + 1)))
    return st.one_of(plain, numbers, names(min_size=n, max_size=n)).map(ids_array)


def datasets(
    *,
    min_annotations: int = 0,
    max_annotations: int = 10,
    min_images: int = 1,
    max_images: int = 5,
    max_per_image: int | None = None,
    annotators: Sequence[object] | None = None,
    categories: Sequence[str] | None = None,
    image_size: Sequence[float] = IMAGE_SIZE,
    min_side: float = 2.0,
    step: float | None = STEP,
    assigned: bool | None = None,
    scores: bool = False,
    crowds: bool = False,
    extra: Mapping[str, SearchStrategy[Any]] | None = None,
) -> SearchStrategy[Dataset]:
    """Draw datasets that are valid throughout: empty ones too, and ones with a box drawn twice.

    Parameters
    ----------
    min_annotations, max_annotations : int
        How many boxes. With ``max_per_image`` there may be fewer.
    min_images, max_images : int
        How many images; some may have nothing drawn on them.
    max_per_image : int, optional
        Most boxes on an image.
    annotators : sequence, optional
        Who draws; one to three with drawn names if not given. Some may have drawn nothing.
    categories : sequence of str, optional
        Names of the categories; one to three if not given.
    image_size : (2,) sequence of float
        Width and height of the images in pixels.
    min_side, step : float
        Smallest side of a box, and the step of its coordinates; see `boxes`. Where all coordinates
        are 1 or less, readers suspect that they are no pixels.
    assigned : bool, optional
        Whether the datasets say who was asked for which image; either way if not given. Whoever
        drew on an image was asked.
    scores, crowds : bool
        Whether boxes may have a score, and stand for a crowd or be ignored.
    extra : mapping of str to strategy, optional
        Further columns: name -> values. A column ``batch`` or none if not given.

    Returns
    -------
    strategy of Dataset

    Raises
    ------
    SpecError
        Where the numbers do not fit together.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(datasets(max_annotations=3, annotators=["ann", "bob"]))
    ... def annotators_are_kept(dataset):
    ...     assert dataset.annotators["annotator"].tolist() == ["ann", "bob"]
    ...     assert dataset.annotators["n_annotations"].sum() == len(dataset)
    >>> annotators_are_kept()
    """
    _range("annotations", min_annotations, max_annotations)
    _range("images", max(min_images, 1) if min_annotations else min_images, max_images)
    box = boxes(image_size=image_size, min_side=min_side, step=step)
    return _datasets(
        table=images(min_images=min_images, max_images=max_images, image_size=image_size),
        counts=(min_annotations, max_annotations),
        box=box,
        who=_given(annotators),
        what=_given(categories),
        per_image=max_per_image,
        assigned=assigned,
        scores=scores,
        crowds=crowds,
        extra=st.sampled_from([{}, {"batch": names(max_size=1).map("".join)}])
        if extra is None
        else st.just(dict(extra)),
    )


def _range(what: str, least: int, most: int) -> None:
    if not 0 <= least <= most:
        text = f"min_{what} must be at least 0 and at most max_{what}"
        raise SpecError(text, where=f"min_{what}, max_{what}", found=f"{least} and {most}")


def _given(fixed: Sequence[object] | None) -> SearchStrategy[list[Any]]:
    return names(min_size=1) if fixed is None else st.just(list(fixed))


@st.composite
def _datasets(
    draw: DrawFn,
    *,
    table: SearchStrategy[Images],
    counts: tuple[int, int],
    box: SearchStrategy[tuple[float, float, float, float]],
    who: SearchStrategy[list[Any]],
    what: SearchStrategy[list[Any]],
    per_image: int | None,
    assigned: bool | None,
    scores: bool,
    crowds: bool,
    extra: SearchStrategy[dict[str, SearchStrategy[Any]]],
) -> Dataset:
    image_table, annotator_ids, category_names = draw(table), draw(who), draw(what)
    m, a, c = len(image_table), len(annotator_ids), len(category_names)
    row = st.tuples(st.integers(0, m - 1), st.integers(0, a - 1), st.integers(0, c - 1), box)
    rows = draw(st.lists(row, min_size=counts[0], max_size=counts[1])) if m and a and c else []
    if per_image is not None:
        on_image = [one[0] for one in rows]
        rows = [one for k, one in enumerate(rows) if on_image[:k].count(one[0]) < per_image]
    n = len(rows)
    columns: dict[str, Any] = {
        name: ids_array(draw(st.lists(values, min_size=n, max_size=n)))
        for name, values in draw(extra).items()
    }
    flags = [draw(st.lists(st.booleans(), min_size=n, max_size=n)) for _ in range(2 * crowds)]
    known = st.one_of(st.just(np.nan), st.integers(0, 64).map(lambda k: k / 64))
    given = draw(st.lists(known, min_size=n, max_size=n)) if scores else [np.nan] * n
    crowd, ignored = (np.array(one, dtype=bool) for one in flags or [[False] * n] * 2)
    annotations = Annotations.build(
        id=draw(_ids(n)),
        image=np.array([one[0] for one in rows], dtype=np.int64),
        annotator=np.array([one[1] for one in rows], dtype=np.int64),
        category=np.array([one[2] for one in rows], dtype=np.int64),
        xyxy=np.array([one[3] for one in rows], dtype=np.float64),
        score=np.array(given, dtype=np.float64),
        crowd=crowd,
        ignored=ignored & ~crowd,
        extra=columns,
    )
    asked = draw(st.booleans()) if assigned is None else assigned
    return Dataset(
        table=annotations,
        image_table=image_table,
        annotator_ids=ids_array(annotator_ids),
        category_ids=np.arange(1, c + 1),
        category_names=ids_array(category_names),
        assigned=_asked(draw, annotations, a, m) if asked else None,
        n_rows=n,
    )


def _asked(draw: DrawFn, drawn: Annotations, a: int, m: int) -> Ints:
    """Who drew on an image was asked for it, and others may have been."""
    pairs = set(zip(drawn.annotator.tolist(), drawn.image.tolist(), strict=True))
    if a and m:
        more = st.sets(st.tuples(st.integers(0, a - 1), st.integers(0, m - 1)), max_size=a * m)
        pairs |= draw(more)
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def deliveries(
    gold: SearchStrategy[Dataset] | None = None,
    *,
    annotators: Sequence[object] | None = None,
    perfect: bool = False,
    max_offset: float = 2.0,
) -> SearchStrategy[tuple[Dataset, Dataset]]:
    """Draw pairs of gold and work, the work being drawn after the gold.

    Parameters
    ----------
    gold : strategy of Dataset, optional
        The gold; `datasets` with at least one box, and boxes of at least 16 px, if not given.
    annotators : sequence, optional
        Who draws the work; one to three with drawn names if not given.
    perfect : bool
        Whether everybody copies the gold. If not, each draws every edge off by an amount of their
        own, and leaves some objects out.
    max_offset : float
        Largest offset of an edge in pixels, in steps of an eighth; never more than a third of the
        smallest side of the gold. Edges may come to lie outside the image.

    Returns
    -------
    strategy of (Dataset, Dataset)
        Gold and work, on the same images. The work says who was asked for what, at least one of
        the annotators for each image.

    Examples
    --------
    >>> from hypothesis import find
    >>> two = deliveries(annotators=["ann", "bob"], perfect=True)
    >>> gold, work = find(two, lambda pair: len(pair[1]) > len(pair[0]))
    >>> len(gold), len(work)
    (1, 2)
    """
    if gold is None:
        gold = datasets(
            annotators=["gold"], min_annotations=1, min_side=SMALLEST_GOLD, assigned=False
        )
    if not 0 <= max_offset < np.inf:
        what = "the largest offset must be 0 px or above"
        raise SpecError(what, where="max_offset", found=repr(max_offset))
    return _deliveries(gold, _given(annotators), 0.0 if perfect else max_offset, perfect=perfect)


@st.composite
def _deliveries(
    draw: DrawFn,
    gold: SearchStrategy[Dataset],
    who: SearchStrategy[list[Any]],
    farthest: float,
    *,
    perfect: bool,
) -> tuple[Dataset, Dataset]:
    reference, annotator_ids = draw(gold), draw(who)
    m, a = len(reference.image_table), len(annotator_ids)
    everybody = st.sets(st.integers(0, a - 1), min_size=1, max_size=a)
    asked = [(one, image) for image in range(m) for one in sorted(draw(everybody))]
    assigned = np.array(sorted(asked), dtype=np.int64).reshape(-1, 2)
    sides = reference.table.xyxy[:, 2:] - reference.table.xyxy[:, :2]
    farthest = min(farthest, float(sides.min(initial=np.inf)) / 3)
    steps = st.integers(-int(farthest / STEP), int(farthest / STEP)).map(lambda k: k * STEP)
    offset = np.array(draw(st.lists(st.tuples(*[steps] * 4), min_size=a, max_size=a)))
    of_image = [np.flatnonzero(reference.table.image == image) for image in range(m)]
    drawn = [(one, row) for one, image in assigned.tolist() for row in of_image[image].tolist()]
    if not perfect:
        left_out = draw(st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn)))
        drawn = [one for one, missed in zip(drawn, left_out, strict=True) if not missed]
    annotator, rows = np.array(drawn, dtype=np.int64).reshape(-1, 2).T
    old = reference.table
    outward = offset.reshape(-1, 4)[annotator] * np.array([-1.0, -1.0, 1.0, 1.0])
    work = Annotations.build(
        image=old.image[rows],
        annotator=annotator,
        category=old.category[rows],
        xyxy=old.xyxy[rows] + outward,
    )
    return reference, Dataset(
        table=work,
        image_table=reference.image_table,
        annotator_ids=ids_array(annotator_ids),
        category_ids=reference.category_ids,
        category_names=reference.category_names,
        assigned=assigned,
        n_rows=len(work),
    )
