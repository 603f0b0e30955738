"""testing: data that a test brings, read with polygons and masks where the rules look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from annqc.judge import Spec

__all__ = ["with_outlines"]


def with_outlines(
    spec: Spec, work: Any, gold: Any, options: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Return gold and the arguments of `annqc.audit` with which outlines are read, if need be.

    Parameters
    ----------
    spec : Spec
        The rules. Where none looks at outlines, nothing changes.
    work, gold : path, DataFrame, Dataset or the like
        What is judged, and what is trusted.
    options : mapping
        Arguments of `annqc.audit`; ``shapes`` among them has its way.

    Returns
    -------
    gold, options
        Gold beside work that was read already is read here.

    Examples
    --------
    >>> from annqc.judge import load_spec
    >>> rule = {"id": "masks", "measure": "mask_iou", "at_least": 0.8}
    >>> spec = load_spec({"annqc": {"version": 1}, "rule": [rule]})
    >>> with_outlines(spec, "work.json", "gold.json", {"iou": 0.7})
    ('gold.json', {'iou': 0.7, 'shapes': True})
    """
    from annqc.read import read
    from annqc.tables import Dataset

    made = dict(options)
    if not spec.asks_for_outlines or made.get("shapes") is not None:
        return gold, made
    if not isinstance(work, Dataset):
        return gold, made | {"shapes": True}
    if gold is not None and not isinstance(gold, Dataset):
        gold = read(gold, format=made.pop("gold_format", "auto"), shapes=True)
    return gold, made
