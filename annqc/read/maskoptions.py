"""What the user says about mask images: which pixels are the object, and what their values mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from annqc.errors import ReadError, UnknownNameError

__all__ = ["VALUES", "MaskOptions", "Value", "mask_options"]

Value = int | str
"""A value of a mask: a number, or a colour such as ``"#ff0000"``."""

VALUES: Final = ("object", "categories", "instances")
"""What ``mask_values=`` can be."""

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_GREY: Final = re.compile(r"#(..)\1\1")
_OBJECT: Final = "'light', 'dark', or values such as 255 or '#ff0000'"
_WHERE: Final = "--mask-object (mask_object= in Python)"


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """What is the object in a mask.

    Attributes
    ----------
    side : {"light", "dark"} or None
        Everything but 0, or 0 alone; None is light, and the masks are looked at whether they are
        inverted.
    chosen : frozenset
        Values that are objects, all others being background; empty where the side says it.
    values : {"object", "categories", "instances"} or None
        What becomes of several values in one mask: one object of all, a category a value, or an
        object a value. None refuses where it makes a difference.
    """

    side: str | None = None
    chosen: frozenset[Value] = frozenset()
    values: str | None = None

    def is_object(self, value: Value) -> bool:
        """Whether pixels of a value are an object."""
        if self.chosen:
            return value in self.chosen
        return (value == 0) == (self.side == "dark")


def mask_options(mask_object: object, mask_values: object) -> MaskOptions:
    """Check what the user says about masks.

    Parameters
    ----------
    mask_object : object
        None, ``"light"``, ``"dark"``, a value, or several: a sequence, or text with commas.
    mask_values : object
        None or one of `VALUES`.

    Raises
    ------
    ReadError
        ``mask_object`` is none of these.
    UnknownNameError
        ``mask_values`` is none of these.

    Examples
    --------
    >>> options = mask_options("1, #FF0000", "categories")
    >>> options.is_object(1), options.is_object("#ff0000"), options.is_object(2)
    (True, True, False)
    >>> mask_options("dark", None).is_object(0)
    True
    """
    if mask_values is not None and mask_values not in VALUES:
        kind = "way to read mask values"
        raise UnknownNameError.among(kind, str(mask_values), VALUES)
    values = None if mask_values is None else str(mask_values)
    if mask_object is None:
        return MaskOptions(values=values)
    if isinstance(mask_object, str):
        if mask_object in ("light", "dark"):
            return MaskOptions(side=mask_object, values=values)
        given: list[object] = list(mask_object.split(","))
    else:
        given = list(mask_object) if isinstance(mask_object, Iterable) else [mask_object]
    chosen = [_value(one) for one in given]
    if not chosen or None in chosen:
        what = "what is the object in a mask cannot be understood"
        raise ReadError(what, where=_WHERE, expected=_OBJECT, found=repr(mask_object))
    return MaskOptions(chosen=frozenset(v for v in chosen if v is not None), values=values)


def _value(given: object) -> Value | None:
    """Return a value of a mask; a grey colour is a number."""
    text = str(given).strip().lower()
    if _COLOUR.fullmatch(text):
        grey = _GREY.fullmatch(text)
        return int(grey[1], 16) if grey else text
    number = text.isascii() and text.isdigit() and len(text) <= 5
    return int(text) if number and not isinstance(given, bool) else None
