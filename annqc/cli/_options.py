"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

__all__ = ["image_sizes_of", "reading_options", "sources_of"]


def reading_options(command: Command) -> Command:
    """Add what says how files are read."""
    options = [
        click.option(
            "--annotator",
            metavar="RULE",
            help="Who drew: stem (file name), parent (folder), the name of a field, or =NAME.",
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
    ]
    for option in reversed(options):
        command = option(command)
    return command


def sources_of(paths: tuple[str, ...]) -> str | list[str]:
    """Return one source as it is, several as a list."""
    return paths[0] if len(paths) == 1 else list(paths)


def image_sizes_of(text: str | None) -> str | tuple[int, int] | None:
    """Read ``640x480``; anything else is a file."""
    if text is None:
        return None
    width, x, height = text.lower().partition("x")
    return (int(width), int(height)) if x and width.isdigit() and height.isdigit() else text
