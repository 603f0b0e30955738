"""The two sides of an audit: the gold may have files of its own, or be inside the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annqc.errors import SpecError
from annqc.read._read import read
from annqc.read.names import gold_rule
from annqc.read.only import names_of, share_of, split
from annqc.tables import Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["both_sides"]


def both_sides(
    work: Any,
    gold: Any,
    *,
    annotator: object = None,
    only: object = None,
    gold_only: object = None,
    formats: tuple[str, str] = ("auto", "auto"),
    files: Mapping[str, Any],
    shared: Mapping[str, Any],
) -> tuple[Dataset | None, Dataset]:
    """Read the gold and the work.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame or Dataset
        What is judged.
    gold : the same, or None
        What is trusted; None where ``gold_only`` says who drew it in the work, or there is none.
    annotator, only, gold_only
        As `annqc.audit` takes them.
    formats : (str, str)
        Formats of the work and of the gold.
    files, shared : mapping
        Arguments of `annqc.read.read`: those that a Dataset has no use for, and the others.

    Returns
    -------
    gold, work : Dataset
        The gold is None where there is none.

    Raises
    ------
    ReadError, SpecError, UnknownNameError
        A side cannot be read, or nobody is called so.
    """
    names, gold_names = names_of(only), names_of(gold_only)
    work_options = {"annotator": annotator, **files}
    if gold is None and not gold_names:
        return None, _side(work, "work", formats[0], work_options, names, shared)
    if gold is None:
        if names:
            names = tuple(dict.fromkeys((*gold_names, *names)))
        return split(_side(work, "work", formats[0], work_options, names, shared), gold_names)
    gold_options: dict[str, Any] = {}
    if not isinstance(gold, Dataset):
        gold_options = {"annotator": gold_rule(annotator, gold, gold_names), **files}
    reference = _side(gold, "gold", formats[1], gold_options, gold_names, shared)
    return reference, _side(work, "work", formats[0], work_options, names, shared)


def _side(
    source: Any,
    side: str,
    format: str,
    options: Mapping[str, Any],
    names: tuple[str, ...],
    shared: Mapping[str, Any],
) -> Dataset:
    """Read one side, or take the dataset that it is; of some annotators where there are names."""
    if not isinstance(source, Dataset):
        return read(source, format=format, **options, only=names or None, **shared)
    given = [name for name, value in options.items() if value is not None]
    if format != "auto":
        given.append("format")
    if given:
        what = f"{given[0]}= says how files are read, and the {side} is a Dataset already"
        raise SpecError(what, where=f"{given[0]}=", hint="give it to annqc.read")
    data: Dataset = share_of(source, names) if names else source
    if shared["strict"] and data.n_dropped:
        first = next(one for one in data.issues if one.severity == "dropped")
        what = f"{data.n_dropped} rows of the {side} cannot be used"
        raise SpecError(what, where=f"{first.source}, {first.where}", found=first.message)
    return data
