"""report: a folder of files that appears whole or not at all, in the place of an earlier one."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from annqc.report.files import cannot_write, refuse_missing_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["swap_in"]


def swap_in(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that takes the place of an earlier one.

    Whatever stops it, an interrupt too, leaves the earlier folder where it was.

    Parameters
    ----------
    contents : mapping of str to bytes
        Path inside the folder, with ``/``, to what is in the file.
    folder : Path
        The folder around it must be there. What is in it already goes; whether that may be is for
        the caller to find out.

    Raises
    ------
    AnnqcError
        Where there is no folder around it, or the system refuses.
    """
    refuse_missing_folder(folder)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        part.mkdir()
        for name, data in contents.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(data)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except BaseException as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        if isinstance(error, OSError):
            raise cannot_write(folder, error) from None
        raise
    else:
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)
