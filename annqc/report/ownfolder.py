"""report: folders that replace an earlier one of their kind, and nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from annqc.errors import AnnqcError
from annqc.report.files import refuse_missing_folder

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BEGINNING", "OwnFolder"]

BEGINNING: Final = 1_000
"""Bytes of a first page that say what wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFolder:
    """A kind of folder, and how one of it is known.

    Attributes
    ----------
    kind : str
        What it is called, such as ``"report"``.
    generator : str
        What its first page has near the beginning.
    files : tuple of str
        What is in it, the first page first.
    inside : dict of str to pattern
        Folders in it, with ``/``, and what their files are called; they may be missing.
    """

    kind: str
    generator: str
    files: tuple[str, ...]
    inside: Mapping[str, re.Pattern[str]]

    def refuse_foreign(self, folder: Path) -> None:
        """Raise where a folder is there that is not of this kind, nor empty.

        Parameters
        ----------
        folder : Path
            Where one of this kind is to be.

        Raises
        ------
        AnnqcError
            Where something would be lost, or the folder cannot be made.
        """
        refuse_missing_folder(folder)
        if not os.path.lexists(folder):
            return
        what = f"this is no {self.kind} of annqc, and would be overwritten"
        hint = "give the name of a folder that does not exist yet"
        if not folder.is_dir() or folder.is_symlink():
            raise AnnqcError(what, where=str(folder), found="a file or a link", hint=hint)
        foreign = sorted(self._foreign(folder))
        first = folder / self.files[0]
        if not foreign and any(folder.iterdir()) and not self._is_ours(first):
            foreign = [first.name if first.exists() else f"no {first.name}"]
        if foreign:
            raise AnnqcError(what, where=str(folder), found=", ".join(foreign[:3]), hint=hint)

    def _foreign(self, folder: Path, inside: str = "") -> list[str]:
        """List what one of this kind does not have in a folder."""
        found = []
        for one in folder.iterdir():
            name = f"{inside}{one.name}"
            if one.is_symlink():
                found.append(name)
            elif name in self.inside:
                found += self._foreign(one, f"{name}/") if one.is_dir() else [name]
            else:
                pattern = self.inside.get(inside.rstrip("/"))
                known = pattern.fullmatch(one.name) if pattern else one.name in self.files
                if not known or not one.is_file():
                    found.append(name)
        return found

    def _is_ours(self, page: Path) -> bool:
        try:
            with page.open("rb") as file:
                return self.generator.encode() in file.read(BEGINNING)
        except OSError:
            return False
