"""report: the folder of a report, which appears whole or not at all and replaces only its like."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from annqc.errors import AnnqcError
from annqc.report.files import refuse_missing_folder
from annqc.report.ownfolder import OwnFolder
from annqc.report.wholefolder import swap_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ASSETS", "REPORT", "SUFFIXES", "refuse_foreign", "write_folder"]

SUFFIXES: Final = (".html", ".htm")
ASSETS: Final = ("plotly.min.js", "app.js", "style.css")
REPORT: Final = OwnFolder(
    kind="report",
    generator='<meta name="generator" content="annqc report',
    files=("index.html", "problems.html"),
    inside={
        "annotators": re.compile(r"[a-z0-9-]+\.html"),
        "assets": re.compile("|".join(map(re.escape, ASSETS))),
        "categories": re.compile(r"[a-z0-9-]+\.html"),
        "assets/crops": re.compile(r"c[0-9]+\.jpg"),
        "review": re.compile(r"[a-z0-9-]+\.csv|queue\.[a-z]+\.(?:json|xml)"),
    },
)


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
    if not os.path.lexists(folder) and folder.suffix.lower() in SUFFIXES:
        what = "a report is a folder, and this is the name of one page"
        hint = "leave the ending off, or ask for one file: --single-file (single_file=True)"
        raise AnnqcError(what, where=str(folder), hint=hint)
    REPORT.refuse_foreign(folder)
