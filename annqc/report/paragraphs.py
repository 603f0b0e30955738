"""report: what a screen is made of: rows with a name, headings, lists and tables that fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from annqc.report.grid import hanging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

__all__ = ["heading", "lines", "listed", "row", "table"]


def row(console: Console, name: str, text: str) -> None:
    """Print a name in bold and what it says, wrapped.

    Parameters
    ----------
    console : Console
        Where to.
    name, text : str
        Up to nine characters, and a paragraph.
    """
    first, *rest = hanging(text, console.width - 10, indent=0)
    console.print(Text.assemble((f"{name:<10}", "bold"), first))
    for line in rest:
        console.print(Text(" " * 8 + line))


def heading(console: Console, title: str, note: str = "") -> None:
    """Print a heading, and a note beside it.

    Parameters
    ----------
    console : Console
        Where to.
    title, note : str
        What is bold, and what is not.
    """
    console.print()
    text = f"{title}  {note}" if note else title
    for k, line in enumerate(hanging(text, console.width, indent=0)):
        style = (line[: len(title)], "bold") if k == 0 else ("", "")
        console.print(Text.assemble(style, line[len(title) :] if k == 0 else line))


def lines(console: Console, texts: Iterable[str], *, style: str = "") -> None:
    """Print paragraphs that hang.

    Parameters
    ----------
    console : Console
        Where to.
    texts : iterable of str
        The paragraphs.
    style : str
        Of rich.
    """
    for text in texts:
        for line in hanging(text, console.width):
            console.print(Text(line, style=style), no_wrap=True, crop=False, overflow="ignore")


def listed(console: Console, texts: list[str], n: int, most: int, *, style: str = "") -> None:
    """Print the first paragraphs of a list, and how many more there are.

    Parameters
    ----------
    console : Console
        Where to.
    texts : list of str
        The paragraphs, or the first of them.
    n, most : int
        How many there are, and how many are printed.
    style : str
        Of rich.
    """
    lines(console, texts[:most], style=style)
    if n > most:
        console.print(Text(f"  and {n - most:,} more: --all", style="dim"))


def table(console: Console, rows: list[str], most: int) -> None:
    """Print titles and the first rows of a table, and how many more there are.

    Parameters
    ----------
    console : Console
        Where to.
    rows : list of str
        The titles, then the rows.
    most : int
        Rows at most.
    """
    for k, line in enumerate(rows[: most + 1]):
        style = "" if k else "dim"
        console.print(Text(line, style=style), no_wrap=True, crop=False, overflow="ignore")
    if len(rows) - 1 > most:
        console.print(Text(f"  and {len(rows) - 1 - most:,} more: --all", style="dim"))
