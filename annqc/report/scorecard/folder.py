"""report: the folder of a scorecard: whole or not there at all; it replaces its like alone."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from annqc.errors import AnnqcError
from annqc.report.files import refuse_missing_folder
from annqc.report.wholefolder import swap_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["FILES", "GENERATOR", "refuse_foreign", "write_folder"]

GENERATOR: Final = '<meta name="generator" content="annqc scorecard'
"""What the first page of a scorecard has near its beginning."""
BEGINNING: Final = 1_000
FILES: Final = ("index.html", "scorecard.csv", "scorecard.json", "summary.md")
PAGES: Final = "pages"
PAGE: Final = re.compile(r"[a-z0-9-]+\.html")


def write_folder(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that takes the place of an earlier scorecard.

    Parameters
    ----------
    contents : mapping of str to bytes
        Path inside the folder, with ``/``, to what is in the file.
    folder : Path
        The folder around it must be there.

    Raises
    ------
    AnnqcError
        Where the folder is no scorecard, or the system refuses.
    """
    refuse_foreign(folder)
    swap_in(contents, folder)


def refuse_foreign(folder: Path) -> None:
    """Raise where the folder is anything but a scorecard, or an empty folder.

    Parameters
    ----------
    folder : Path
        Where a scorecard is to be.

    Raises
    ------
    AnnqcError
        Where something would be lost, or the folder cannot be made.
    """
    refuse_missing_folder(folder)
    if not os.path.lexists(folder):
        return
    what = "this is no scorecard of annqc, and would be overwritten"
    hint = "give the name of a folder that does not exist yet"
    if not folder.is_dir() or folder.is_symlink():
        raise AnnqcError(what, where=str(folder), found="a file or a link", hint=hint)
    foreign = sorted(_foreign(folder))
    if not foreign and any(folder.iterdir()) and not _is_ours(folder / FILES[0]):
        foreign = [FILES[0] if (folder / FILES[0]).exists() else f"no {FILES[0]}"]
    if foreign:
        raise AnnqcError(what, where=str(folder), found=", ".join(foreign[:3]), hint=hint)


def _foreign(folder: Path) -> list[str]:
    """List what a scorecard does not have."""
    found = []
    for one in folder.iterdir():
        if one.name == PAGES and one.is_dir() and not one.is_symlink():
            found += [f"{PAGES}/{inner.name}" for inner in one.iterdir() if not _is_page(inner)]
        elif one.name not in FILES or one.is_symlink() or not one.is_file():
            found.append(one.name)
    return found


def _is_page(path: Path) -> bool:
    return bool(PAGE.fullmatch(path.name)) and path.is_file() and not path.is_symlink()


def _is_ours(page: Path) -> bool:
    try:
        with page.open("rb") as file:
            return GENERATOR.encode() in file.read(BEGINNING)
    except OSError:
        return False
