"""Options that several commands share."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from annqc.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

__all__ = [
    "asides_of",
    "columns_of",
    "image_sizes_of",
    "reading_options",
    "said_of",
    "sources_of",
    "write_stdout",
]

MOST_DIGITS: Final = 9


def reading_options(command: Command) -> Command:
    """Add what says how files are read."""
    options = [
        click.option(
            "--annotator",
            metavar="RULE",
            help="Who drew: stem (file name), parent (folder), a field of the rows, =NAME, a "
            "pattern of file names, or anonymous.",
        ),
        click.option("--format", "format_", default="auto", metavar="NAME", help="Format of WORK."),
        click.option(
            "--box-format",
            metavar="NAME",
            help="What the four numbers of a table mean: xyxy, xywh or cxcywh.",
        ),
        click.option("--categories", metavar="FILE", help="Category names, one a line."),
        click.option(
            "--image-sizes",
            metavar="FILE|WxH",
            help="Image sizes: a CSV file (file_name, width, height), or one size for all.",
        ),
        click.option(
            "--columns",
            multiple=True,
            metavar="NAME=COLUMN",
            help="What a table calls a column, such as image_id=frame, or image_id=patient+slice; "
            "may be repeated.",
        ),
        click.option(
            "--mask-object",
            metavar="WHICH",
            help="What the object is in mask images: light, dark, or values such as 255, #ff0000.",
        ),
        click.option(
            "--mask-values",
            metavar="WHAT",
            help="What values in mask images are: object, categories or instances.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def sources_of(paths: tuple[str, ...]) -> str | list[str]:
    """Return one source as it is, several as a list; none may be a pipe.

    Parameters
    ----------
    paths : tuple of str
        Files, folders or globs.

    Raises
    ------
    ReadError
        One is a pipe or a device: annqc looks into a file more than once.
    """
    for path in paths:
        try:
            mode = Path(path).stat().st_mode
        except (OSError, ValueError):  # a glob, or nothing; the reader says so
            continue
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            what = "this is no file but a pipe or a device, which can be read only once"
            hint = "write it to a file first, and give the name of the file"
            raise ReadError(what, where=path, expected="a file, folder or glob", hint=hint)
    return paths[0] if len(paths) == 1 else list(paths)


def columns_of(given: tuple[str, ...]) -> dict[str, str] | None:
    """Read ``image_id=frame``, once or several times; commas separate too."""
    columns: dict[str, str] = {}
    for one in (part.strip() for text in given for part in text.split(",")):
        name, equals, column = one.partition("=")
        if not (name and equals and column):
            message = f"--columns takes NAME=COLUMN, such as image_id=frame; found {one!r}"
            raise click.UsageError(message)
        columns[name.strip()] = column.strip()
    return columns or None


def image_sizes_of(text: str | None) -> str | tuple[int, int] | None:
    """Read ``640x480``; anything else is a file."""
    if text is None:
        return None
    sides = text.lower().split("x")
    numbers = all(side.isdecimal() and len(side) <= MOST_DIGITS for side in sides)
    return (int(sides[0]), int(sides[1])) if len(sides) == 2 and numbers else text


def said_of(given: dict[str, Any], *, gold: bool = False) -> dict[str, Any]:
    """Return what the options say about reading, as `annqc.read` takes it; what they leave out is.

    Parameters
    ----------
    given : dict of str to object
        The options of `reading_options`.
    gold : bool
        Of the gold, and not of the work.
    """
    format_ = given["gold_format"] if gold else given["format_"]
    said = {
        "format": None if format_ == "auto" else format_,
        "box_format": given["box_format"],
        "categories": given["categories"],
        "image_sizes": image_sizes_of(given["image_sizes"]),
        "columns": columns_of(given["columns"]),
        "mask_object": given["mask_object"],
        "mask_values": given["mask_values"],
        "shapes": given.get("shapes") or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def asides_of(given: dict[str, Any]) -> list[str]:
    """Return the files that the options name as inputs, besides the annotations."""
    names = ("categories", "image_sizes", "spec")
    return [given[name] for name in names if given.get(name) is not None]


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output as they are, whatever the encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
