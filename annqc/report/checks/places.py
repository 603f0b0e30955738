"""report: where a check stands: file and line, seen from the root of the work tree."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from annqc.report.checks.record import Record
    from annqc.report.checks.trouble import SpecTrouble

__all__ = ["PROFILE", "inside", "place_of", "place_of_error", "work_tree"]

PROFILE: Final = "profile "
"""How the origin of a rule begins that comes from a profile of annqc, and so from no file."""
_EXTENDS: Final = (re.compile(r"\s*extends\s*="), re.compile(r"\s*\[annqc\]"))
"""What an inherited rule stands at in the spec that inherits it: the first that is there."""


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

    Where the rule is inherited from a profile or from a file outside the work tree, it is the spec
    that inherits it, and the line where it says so: that is what one can change.
    """
    origin = record["origin"]
    if origin is None:
        return record["spec"], record["line"]
    if not origin.startswith(PROFILE) and inside(origin, root) is not None:
        return origin, record["line"]
    return record["spec"], _extending_line(record["spec"])


def place_of_error(error: SpecTrouble, root: str) -> tuple[str, int]:
    """Return the file and the line of the first fault of a spec, as far as one can change them."""
    spec, file, line = error["spec"], error["file"], error["line"]
    if file is None:
        return spec, line or 1
    if inside(file, root) is not None:
        return file, line or 1
    return spec, _extending_line(spec)


def _extending_line(spec: str | None) -> int:
    """Return the line where a spec says what it extends, or the first.

    GitHub shows a mark without a line nowhere in the file.
    """
    try:
        lines = Path(spec or "").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 1
    for pattern in _EXTENDS:
        for number, line in enumerate(lines, start=1):
            if pattern.match(line):
                return number
    return 1
