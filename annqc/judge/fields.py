"""judge: how each field of a spec is converted; `SpecError` on what a field does not take."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from annqc.errors import SpecError
from annqc.judge.model import VERSION, Scalar
from annqc.judge.registry import find_measure
from annqc.measure.tolerance import Tolerance

__all__ = ["HEADER_FIELDS", "RULE_FIELDS", "range_words", "typed"]


def typed(value: Any, type: Any, expected: str) -> Any:
    """Check a value against a type, strictly; a whole number will do for a float."""
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError:
        what = "wrong kind of value"
        raise SpecError(what, expected=expected, found=repr(value)) from None


def _text(value: Any) -> str:
    text: str = typed(value, str, "a text in quotes")
    if not text.strip():
        what = "the text is empty"
        raise SpecError(what)
    return text


def _paths(value: Any) -> tuple[str, ...]:
    expected = "a path or a list of paths, in quotes"
    texts = [value] if isinstance(value, str) else typed(value, list[str], expected)
    return tuple(_text(text) for text in texts)


def _version(value: Any) -> int:
    if type(value) is not int or value != VERSION:
        what = "this version is not known"
        raise SpecError(what, expected=str(VERSION), found=repr(value))
    return value


_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def _id(value: Any) -> str:
    text = _text(value)
    if _ID.fullmatch(text) is None:
        what = "this cannot be the id of a rule"
        expected = "lower-case letters, digits, '-', '_' and '.', such as 'no-edge-bias'"
        raise SpecError(what, expected=expected, found=repr(text))
    return text


def _measure(value: Any) -> str:
    return find_measure(_text(value)).name


def _by(value: Any) -> tuple[str, ...]:
    expected = "a column or a list of columns, in quotes"
    texts = value.split(",") if isinstance(value, str) else typed(value, list[str], expected)
    names = tuple(_text(text).strip() for text in texts)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        what = f"{', '.join(map(repr, twice))} is named more than once"
        raise SpecError(what)
    return names


def _where(value: Any) -> dict[str, tuple[Scalar, ...]]:
    expected = 'a table of columns and values, such as { category = "person" }'
    table = typed(value, dict[str, Scalar | list[Scalar]], expected)
    return {
        name: tuple(wanted) if isinstance(wanted, list) else (wanted,)
        for name, wanted in table.items()
    }


def _confidence(value: Any) -> float:
    expected = "a number between 0.5 and 1, such as 0.95"
    level: float = typed(value, float, expected)
    if not 0.5 < level < 1:
        what = "the confidence level is out of range"
        raise SpecError(what, expected=expected, found=repr(value))
    return level


def _limit(value: Any) -> float:
    return float(typed(value, float, "a number"))


def range_words(low: float, high: float) -> str:
    """Range of a limit in words."""
    return f"{low:g} or more" if high == float("inf") else f"a number from {low:g} to {high:g}"


HEADER_FIELDS: Final = {
    "version": _version,
    "gold": _paths,
    "candidate": _paths,
    "annotator": _text,
}
RULE_FIELDS: Final = {
    "id": _id,
    "measure": _measure,
    "by": _by,
    "where": _where,
    "tolerance": Tolerance.parse,
    "confidence": _confidence,
    "at_least": _limit,
    "at_most": _limit,
}
