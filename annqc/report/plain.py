"""report: text from input made safe to print. Imports next to nothing, for errors need it."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width

__all__ = ["BLANK", "clean_lines", "clean_text", "encodable", "name_text"]

BLANK = "(blank)"
"""What a name of nothing but blanks is called."""


def clean_text(value: Any, *, width: int | None = None) -> str:
    r"""Make text from input safe to print: no control characters, and no longer than ``width``.

    Nor does it hold what a CI runner takes for a command when it reads a log: ``::`` at the start
    of a line, or ``##[`` anywhere (GitHub Actions, Azure Pipelines).

    Parameters
    ----------
    value : object
        What is to be printed.
    width : int, optional
        Columns at most; East Asian wide characters take two.

    Examples
    --------
    >>> clean_text("eve\x1b[31m")
    'eve\\x1b[31m'
    >>> clean_text("a very long name", width=10)
    'a very ...'
    >>> clean_text("::stop-commands::x")
    '\\x3a:stop-commands::x'
    """
    text = str(value)
    if text.lstrip().startswith("::"):
        text = text.replace(":", "\\x3a", 1)
    text = text.replace("##[", "#\\x23[")
    if not text.isprintable():
        escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        text = "".join(escaped)
    return text if width is None else _shortened(text, width)


def name_text(value: Any, *, width: int | None = None) -> str:
    """Make a name safe to print, as `clean_text`; one that cannot be seen is called blank.

    Parameters
    ----------
    value : object
        The name.
    width : int, optional
        Columns at most.

    Examples
    --------
    >>> name_text("ann"), name_text("  ")
    ('ann', '(blank)')
    """
    text = clean_text(value, width=width)
    return text if text.strip() else BLANK


def clean_lines(text: str) -> str:
    r"""Make every line of a text safe to print, and keep the lines.

    Examples
    --------
    >>> clean_lines("no column\n  found: \x1b[31m")
    'no column\n  found: \\x1b[31m'
    """
    return "\n".join(clean_text(line) for line in text.split("\n"))


def encodable(text: str) -> str:
    r"""Write what UTF-8 does not have, such as the bytes of a file name that is none, as escapes.

    Examples
    --------
    >>> encodable("caf\udce9.json")
    'caf\\udce9.json'
    """
    return text.encode("utf-8", errors="backslashreplace").decode()


def _shortened(text: str, width: int) -> str:
    """Cut a text to ``width`` columns."""
    wide = [2 if east_asian_width(c) in "WF" else 1 for c in text]
    if sum(wide) <= width:
        return text
    kept = bisect_right(list(accumulate(wide)), width - 3)
    return text[:kept] + "..."
