"""One annotator's share of a dataset, and the rest: gold that one of several people drew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from annqc.tables import Dataset

    Bools = npt.NDArray[np.bool_]

__all__ = ["names_of", "share_of", "split"]

_FEW: Final = 12


def names_of(given: object) -> tuple[str, ...]:
    """Return names of annotators as text: one, or several.

    Parameters
    ----------
    given : object
        A name or number, or several of them; None for none.

    Examples
    --------
    >>> names_of("ann"), names_of([1, "bob"]), names_of(None)
    (('ann',), ('1', 'bob'), ())
    """
    if given is None:
        return ()
    several = isinstance(given, Iterable) and not isinstance(given, (str, bytes))
    return tuple(dict.fromkeys(str(one) for one in (given if several else [given])))  # type: ignore[attr-defined]


def share_of(data: Dataset, names: Iterable[str], *, where: str = "only=") -> Dataset:
    """Return what some annotators drew, and the images that they were asked for.

    Parameters
    ----------
    data : Dataset
        Work of several.
    names : iterable of str
        Annotators; the number 7 is the name ``"7"`` here.
    where : str
        What the user wrote, for messages.

    Returns
    -------
    Dataset
        Their annotations, and the problems of their rows and of rows of nobody. Of the images,
        those that they were asked for; where the data do not say, those that they drew on: an
        image that somebody never saw is no image on which they drew nothing.

    Raises
    ------
    UnknownNameError
        Nobody of this name drew anything.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob"], n_images=5, rng=1)
    >>> share_of(made.work, ["bob"]).annotator_ids.tolist()
    ['bob']
    """
    chosen = _chosen(data, tuple(names), where)
    known = {str(one) for one in data.annotator_ids[~chosen].tolist()}
    return _taken(data, chosen, lambda name: name not in known)


def split(
    data: Dataset, names: Iterable[str], *, where: str = "gold_only="
) -> tuple[Dataset, Dataset]:
    """Return what some annotators drew, and the work of the others.

    Parameters
    ----------
    data : Dataset
        Work of several.
    names : iterable of str
        Annotators.
    where : str
        What the user wrote, for messages.

    Returns
    -------
    gold, work : Dataset
        Each row, and each problem, is in one of them; problems of nobody's rows are in the second.

    Raises
    ------
    UnknownNameError
        Nobody of this name drew anything.
    ReadError
        Nobody else did.
    """
    chosen = _chosen(data, tuple(names), where)
    if chosen.all():
        what = "nobody is left to compare with the gold"
        found = f"all of the work is by {_listed(data, chosen)}"
        raise ReadError(what, where=where, expected="work of others beside it", found=found)
    gold_names = {str(one) for one in data.annotator_ids[chosen].tolist()}
    gold = _taken(data, chosen, lambda name: name in gold_names)
    return gold, _taken(data, ~chosen, lambda name: name not in gold_names)


def _chosen(data: Dataset, names: tuple[str, ...], where: str) -> Bools:
    """Return which annotators are meant."""
    known = [str(one) for one in data.annotator_ids.tolist()]
    for name in names:
        if name not in known:
            kind = "annotator"
            raise UnknownNameError.among(kind, name, known, where=where)
    return np.isin(np.array(known, dtype=object), np.array(names, dtype=object))


def _taken(data: Dataset, chosen: Bools, told_of: Callable[[str], bool]) -> Dataset:
    """Return the rows of some annotators, the images they had, and the problems that fit."""
    code = np.where(chosen, np.cumsum(chosen) - 1, -1)
    table = data.table.take(chosen[data.table.annotator])
    if data.assigned is None:
        asked, seen = None, table.image
    else:
        asked = data.assigned[chosen[data.assigned[:, 0]]]
        seen = asked[:, 1]
    there = np.zeros(len(data.image_table), dtype=bool)
    there[seen] = True
    there[table.image] = True
    image = np.cumsum(there) - 1
    if asked is not None:
        asked = np.stack([code[asked[:, 0]], image[asked[:, 1]]], axis=1)
    issues = tuple(one for one in data.issues if told_of(str(one.annotator)))
    dropped = sum(one.severity == "dropped" for one in issues)
    changed: dict[str, Any] = {"annotator": code[table.annotator], "image": image[table.image]}
    return replace(
        data,
        table=replace(table, **changed),
        image_table=data.image_table.take(there),
        annotator_ids=data.annotator_ids[chosen],
        assigned=asked,
        issues=issues,
        n_rows=len(table) + dropped,
        authors_known=True,  # whom the user calls by name is a person, and no mere file
    )


def _listed(data: Dataset, chosen: Bools) -> str:
    """Name a few annotators."""
    names = [str(one) for one in data.annotator_ids[chosen].tolist()]
    return ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")
