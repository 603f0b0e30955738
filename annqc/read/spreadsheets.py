"""Text in tables that a spreadsheet must not take for a formula: on the way out, and back."""

from __future__ import annotations

from typing import Final

__all__ = ["spreadsheet_safe", "spreadsheet_text"]

FORMULA: Final = (*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula; the last four are wide signs."""


def spreadsheet_safe(text: str | None) -> str | None:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Parameters
    ----------
    text : str or None
        A cell.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("acme"), spreadsheet_safe(None)
    ("'=1+1", 'acme', None)
    """
    if text is None or not text.lstrip(" ").startswith(FORMULA):
        return text
    return f"'{text}"


def spreadsheet_text(cell: str) -> str:
    """Take the apostrophe away again that `spreadsheet_safe` put there.

    Parameters
    ----------
    cell : str
        A cell of a table.

    Examples
    --------
    >>> spreadsheet_text("'=1+1"), spreadsheet_text("'s-Gravenhage"), spreadsheet_text("-3")
    ('=1+1', "'s-Gravenhage", '-3')
    """
    if cell.startswith("'") and cell[1:].lstrip(" ").startswith(FORMULA):
        return cell[1:]
    return cell
