"""report: the folder of a report, which appears whole or not at all and replaces only its like."""

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

__all__ = ["ASSETS", "GENERATOR", "PAGES", "refuse_foreign", "write_folder"]

GENERATOR: Final = '<meta name="generator" content="annqc report'
"""What the first page of a report has near its beginning."""
BEGINNING: Final = 1_000
SUFFIXES: Final = (".html", ".htm")
PAGES: Final = ("index.html", "problems.html")
ASSETS: Final = ("plotly.min.js", "app.js", "style.css")
INSIDE: Final = {
    "annotators": re.compile(r"[a-z0-9-]+\.html"),
    "assets": re.compile("|".join(map(re.escape, ASSETS))),
    "categories": re.compile(r"[a-z0-9-]+\.html"),
    "assets/crops": re.compile(r"c[0-9]+\.jpg"),
    "review": re.compile(r"[a-z0-9-]+\.csv|queue\.[a-z]+\.(?:json|xml)"),
}
"""Folders in a report, and what their files are called; crops and queues may be missing."""


def write_folder(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that takes the place of an earlier report.

    Parameters
    ----------
    contents : mapping of str to bytes
        Path inside the folder, with ``/``, to what is in the file.
    folder : Path
        The folder around it must be there.

    Raises
    ------
    AnnqcError
        Where the folder is no report, or the system refuses.
    """
    refuse_foreign(folder)
    swap_in(contents, folder)


def refuse_foreign(folder: Path) -> None:
    """Raise where the folder is anything but a report, or an empty folder.

    Parameters
    ----------
    folder : Path
        Where a report is to be.

    Raises
    ------
    AnnqcError
        Where something would be lost, or the folder cannot be made.
    """
    refuse_missing_folder(folder)
    if not os.path.lexists(folder):
        if folder.suffix.lower() in SUFFIXES:
            what = "a report is a folder, and this is the name of one page"
            hint = "leave the ending off, or ask for one file: --single-file (single_file=True)"
            raise AnnqcError(what, where=str(folder), hint=hint)
        return
    what = "this is no report of annqc, and would be overwritten"
    hint = "give the name of a folder that does not exist yet"
    if not folder.is_dir() or folder.is_symlink():
        raise AnnqcError(what, where=str(folder), found="a file or a link", hint=hint)
    foreign = sorted(_foreign(folder))
    if not foreign and any(folder.iterdir()) and not _is_ours(folder / PAGES[0]):
        foreign = [PAGES[0] if (folder / PAGES[0]).exists() else f"no {PAGES[0]}"]
    if foreign:
        raise AnnqcError(what, where=str(folder), found=", ".join(foreign[:3]), hint=hint)


def _foreign(folder: Path, inside: str = "") -> list[str]:
    """List what a report does not have in a folder."""
    found = []
    for one in folder.iterdir():
        name = f"{inside}{one.name}"
        if one.is_symlink():
            found.append(name)
        elif name in INSIDE:
            found += _foreign(one, f"{name}/") if one.is_dir() else [name]
        else:
            pattern = INSIDE.get(inside.rstrip("/"))
            known = pattern.fullmatch(one.name) if pattern else one.name in PAGES
            if not known or not one.is_file():
                found.append(name)
    return found


def _is_ours(page: Path) -> bool:
    try:
        with page.open("rb") as file:
            return GENERATOR.encode() in file.read(BEGINNING)
    except OSError:
        return False
