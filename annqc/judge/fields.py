"""judge: how each field of a spec is converted; `SpecError` on what a field does not take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from annqc.errors import AnnqcError, SpecError, UnknownNameError
from annqc.geometry.boxes import BOX_FORMATS
from annqc.judge.faults import as_written
from annqc.judge.model import VERSION, DrawnAs, PreprocessedAs, Scalar, UndecidedIs
from annqc.judge.registry import OUTCOMES, find_measure
from annqc.measure.tolerance import Tolerance
from annqc.read.maskoptions import VALUES, mask_options
from annqc.read.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DATASET_FIELDS",
    "EXAMPLE_FIELDS",
    "HEADER_FIELDS",
    "ID",
    "READ_FIELDS",
    "RULE_FIELDS",
    "range_words",
    "typed",
]


def typed(value: Any, type: Any, expected: str) -> Any:
    """Check a value against a type, strictly; a whole number will do for a float."""
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError:
        what = "wrong kind of value"
        raise SpecError(what, expected=expected, found=as_written(value)) from None


def _text(value: Any) -> str:
    text: str = typed(value, str, "a text in quotes")
    if not text.strip():
        what = "the text is empty"
        raise SpecError(what)
    return text


def _texts(value: Any, expected: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else typed(value, list[str], expected)
    return tuple(_text(text) for text in texts)


def _path(value: Any) -> str:
    text = _text(value)
    if "\0" in text:
        what = "no path holds a null character"
        raise SpecError(what, found=repr(text))
    return text


def _paths(value: Any) -> tuple[str, ...]:
    return tuple(map(_path, _texts(value, "a path or a list of paths, in quotes")))


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        what = f"{', '.join(map(repr, twice))} is named more than once"
        raise SpecError(what)
    return names


def _names(expected: str) -> Callable[[Any], tuple[str, ...]]:
    """Return the conversion of a text or a list of texts, each at most once."""
    return lambda value: _once(_texts(value, expected))


def _version(value: Any) -> int:
    if type(value) is not int or value != VERSION:
        what = "this version is not known"
        raise SpecError(what, expected=str(VERSION), found=as_written(value))
    return value


ID: Final = r"[a-z0-9][a-z0-9_.-]*"
"""What ids of rules and names of datasets and examples look like."""
_ID: Final = re.compile(ID)


def _id_of(what: str, such_as: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        text = _text(value)
        if _ID.fullmatch(text) is None:
            refusal = f"this cannot be {what}"
            expected = f"lower-case letters, digits, '-', '_' and '.', such as {such_as!r}"
            raise SpecError(refusal, expected=expected, found=repr(text))
        return text

    return convert


def _measure(value: Any) -> str:
    return find_measure(_text(value)).name


def _by(value: Any) -> tuple[str, ...]:
    expected = "a column or a list of columns, in quotes"
    texts = value.split(",") if isinstance(value, str) else typed(value, list[str], expected)
    return _once(tuple(_text(text).strip() for text in texts))


def _where(value: Any) -> dict[str, tuple[Scalar, ...]]:
    expected = 'a table of columns and values, such as { category = "person" }'
    table = typed(value, dict[str, Scalar | list[Scalar]], expected)
    return {
        name: tuple(wanted) if isinstance(wanted, list) else (wanted,)
        for name, wanted in table.items()
    }


_NUMBER: Final = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(%?)\s*", re.ASCII)


def _number(value: Any, expected: str) -> float:
    """Read a number, or a text that holds one, since variables can only be texts."""
    if not isinstance(value, str):
        return float(typed(value, float, expected))
    found = _NUMBER.fullmatch(value)
    if found is None:
        what = "wrong kind of value"
        raise SpecError(what, expected=f"{expected} or a percentage", found=as_written(value))
    # "57 %" must be 0.57 and not 0.5700000000000001, so the point is moved in the text.
    return float(f"{found.group(1)}e-2") if found.group(2) else float(found.group(1))


def _confidence(value: Any) -> float:
    expected = "a number between 0.5 and 1, such as 0.95"
    level = _number(value, expected)
    if not 0.5 < level < 1:
        what = "the confidence level is out of range"
        raise SpecError(what, expected=expected, found=as_written(value))
    return level


def _limit(value: Any) -> float:
    return _number(value, "a number")


def _unit_missing(value: Any, what: str) -> None:
    """Refuse a bare number where an offset is meant: it could be pixels or a share of the side."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        refusal = f"{what} needs its unit, px or %"
        raise SpecError(refusal, expected=f"'{value:g} px' or '{value:g} %'", found=f"{value:g}")


def _tolerance(value: Any) -> Tolerance:
    _unit_missing(value, "a tolerance")
    return Tolerance.parse(value)


def _margin(value: Any) -> float | Tolerance:
    """Read a margin of either kind; which one a rule can have its measure says."""
    expected = "a number such as 0.02, or a text such as '2 %' or '0.5 px'"
    if not isinstance(value, str):
        number = float(typed(value, float, expected))
    elif _NUMBER.fullmatch(value) and "%" not in value:
        number = _number(value, expected)
    else:
        try:
            return Tolerance.parse(value)
        except AnnqcError as error:
            what = f"cannot read the margin {value!r}"
            raise SpecError(what, expected=expected, found=error.found, hint=error.hint) from None
    if not 0 <= number < float("inf"):
        what = "the margin is out of range"
        raise SpecError(what, expected="0 or more", found=as_written(value))
    return number


def _flag(value: Any) -> bool:
    return bool(typed(value, bool, "true or false"))


def _one_of(kind: str, choices: tuple[str, ...]) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        text = _text(value)
        if text not in choices:
            raise UnknownNameError.among(kind, text, choices)
        return text

    return convert


def _whole(least: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        expected = f"a whole number, {least} or more"
        number: int = typed(value, int, expected)
        if number < least:
            what = "the number is too small"
            raise SpecError(what, expected=expected, found=as_written(value))
        return number

    return convert


def _annotators(value: Any) -> dict[str, tuple[str, ...]]:
    expected = 'a table of annotators and habits, such as { ann = [], bob = "loose right 5 px" }'
    table = typed(value, dict[str, str | list[str]], expected)
    if not table:
        what = "there is no annotator"
        raise SpecError(what, expected=expected)
    return {name: _texts(habits, expected) for name, habits in table.items()}


def _expect(value: Any) -> dict[str, str]:
    expected = 'a table of rules and outcomes, such as { recall = "pass" }'
    table = typed(value, dict[str, str], expected)
    if not table:
        what = "nothing is expected"
        raise SpecError(what, expected=expected)
    outcome = _one_of("outcome", OUTCOMES)
    return {id: outcome(wanted) for id, wanted in table.items()}


def _scene(value: Any) -> dict[str, Any]:
    table: dict[str, Any] = typed(
        value, dict[str, Any], "a table of arguments of the simulation, such as { n_images = 60 }"
    )
    return table


def _format(value: Any) -> str:
    from annqc.read.registry import reader_named  # loads the readers, for those who need it

    text = _text(value)
    return text if text == "auto" else reader_named(text).name


def _columns(value: Any) -> dict[str, str]:
    expected = 'a table of columns, such as { image_id = "asset" }'
    table = typed(value, dict[str, str], expected)
    for role in table:
        if role not in ROLES:
            kind = "role of a column"
            raise UnknownNameError.among(kind, role, ROLES)
    return {role: _text(name) for role, name in table.items()}


def _categories(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return _path(value)
    return _texts(value, "a file with one name a line, or a list of names, in quotes")


_SIZE: Final = re.compile(r"\s*(\d{1,9})\s*x\s*(\d{1,9})\s*", re.ASCII | re.IGNORECASE)


def _image_sizes(value: Any) -> str | tuple[int, int]:
    expected = 'a CSV file, or one size such as "640x480" or [640, 480]'
    if isinstance(value, str):
        found = _SIZE.fullmatch(value)
        if found is None:
            return _path(value)
        sides = [int(side) for side in found.groups()]
    else:
        sides = typed(value, list[int], expected)
    if len(sides) != 2 or min(sides) < 1:
        what = "this is no size of an image"
        raise SpecError(what, expected=expected, found=as_written(value))
    return sides[0], sides[1]


def _mask_object(value: Any) -> str:
    text = _text(str(value) if type(value) is int else value)
    mask_options(text, None)
    return text


def _annotator_names(value: Any) -> tuple[str, ...]:
    """Read one name or number of an annotator, or several."""
    expected = "the name of an annotator, or a list of names"
    several: list[str | int] = (
        typed(value, list[str | int], expected) if isinstance(value, list) else [value]
    )
    texts = [str(one) if type(one) is int else _text(one) for one in several]
    if not texts:
        what = "no annotator is named"
        raise SpecError(what, expected=expected)
    return _once(tuple(texts))


def range_words(low: float, high: float) -> str:
    """Range of a limit in words."""
    return f"{low:g} or more" if high == float("inf") else f"a number from {low:g} to {high:g}"


HEADER_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "version": _version,
    "gold": _paths,
    "candidate": _paths,
    "annotator": _text,
    "baseline": _path,
    "folders": _path,
    "extends": _path,
    "without": _names("the id of a rule or a list of ids, in quotes"),
    "undecided": _one_of("outcome for undecided checks", get_args(UndecidedIs)),
}
READ_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "format": _format,
    "gold_format": _format,
    "box_format": _one_of("box format", BOX_FORMATS),
    "columns": _columns,
    "categories": _categories,
    "image_sizes": _image_sizes,
    "mask_object": _mask_object,
    "mask_values": _one_of("way to read mask values", VALUES),
    "shapes": _flag,
    "only": _annotator_names,
    "gold_only": _annotator_names,
}
DATASET_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "name": _id_of("the name of a dataset", "vendor-a"),
    "gold": _paths,
    "candidate": _paths,
    "annotator": _text,
    "baseline": _path,
    **READ_FIELDS,
}
EXAMPLE_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "name": _id_of("the name of an example", "one-loose-edge"),
    "annotators": _annotators,
    "images": _whole(1),
    "seed": _whole(0),
    "scene": _scene,
    "expect": _expect,
    "drawn_as": _one_of("thing to draw", get_args(DrawnAs)),
}
RULE_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "id": _id_of("the id of a rule", "no-edge-bias"),
    "measure": _measure,
    "by": _by,
    "where": _where,
    "tolerance": _tolerance,
    "confidence": _confidence,
    "at_least": _limit,
    "at_most": _limit,
    "no_worse_than": _one_of("thing to compare with", ("baseline",)),
    "margin": _margin,
    "sequential": _flag,
    "kind": _names("a kind or a list of kinds, in quotes"),
    "categories": _names("a category or a list of categories, in quotes"),
    "preprocess": _one_of("preprocessing", get_args(PreprocessedAs)),
    "why": _text,
}
