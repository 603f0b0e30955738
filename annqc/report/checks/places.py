"""report: where a check stands: file and line, seen from the root of the work tree."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annqc.report.checks.record import Record

__all__ = ["inside", "place_of", "work_tree"]


def work_tree() -> str:
    """Return the folder that paths in reports are relative to: that of the checkout, if known."""
    folder = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
    return folder or os.getcwd()  # noqa: PTH109 - text, as everything here


def inside(path: str, root: str) -> str | None:
    """Return a path as seen from the root, with slashes; None where it lies elsewhere.

    Examples
    --------
    >>> inside("/home/w/specs/../specs/boxes.annqc.toml", "/home/w")
    'specs/boxes.annqc.toml'
    >>> inside("/usr/lib/boxes.annqc.toml", "/home/w") is None
    True
    """
    try:
        seen = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    except ValueError:  # another drive, or no path at all
        return None
    if seen == os.pardir or seen.startswith(os.pardir + os.sep):
        return None
    return seen.replace(os.sep, "/")


def place_of(record: Record, root: str) -> tuple[str | None, int | None]:
    """Return the file that a rule stands in and its line.

    Where the rule is inherited from a file outside the work tree, such as a profile of annqc
    itself, it is the spec that inherits it, without a line: that is the file one can change.
    """
    origin = record["origin"]
    if origin is None:
        return record["spec"], record["line"]
    if inside(origin, root) is not None:
        return origin, record["line"]
    return record["spec"], None
