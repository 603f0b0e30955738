"""report: outputs appear whole or not at all, and never in the place of an input."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from annqc.errors import AnnqcError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from annqc.tables import Dataset

__all__ = [
    "cannot_write",
    "refuse_missing_folder",
    "refuse_same_targets",
    "spare_inputs",
    "whole_file",
]

LONGEST_NAME: Final = 230
"""Bytes of a name; 255 is what file systems take, and the rest is for the name before the swap."""


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside ``path`` that takes its place once everything is written.

    A link stays, and what it points to is replaced. What is there and is no file, such as a pipe
    or a device, stays what it is and is written into.

    Parameters
    ----------
    path : Path
        The file that is to appear; its folder must be there.

    Raises
    ------
    AnnqcError
        Where there is no such folder, or the system refuses.
    """
    refuse_missing_folder(path)
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        mode = _mode(path)
        if mode is not None and (not stat.S_ISREG(mode) or _is_stream(path)):
            with path.open("wb") as file:
                yield file
            return
        with part.open("wb") as file:
            yield file
        if mode is not None:
            part.chmod(stat.S_IMODE(mode))
        part.replace(target)
    except BrokenPipeError:  # whoever read a pipe has left; the program knows what to do
        raise
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with suppress(OSError):  # what refused the file refuses this too, and has been said
            part.unlink(missing_ok=True)


def refuse_missing_folder(path: Path) -> None:
    """Raise where an output cannot be made: its folder is not there, or its name is too long.

    A folder that is not there is a slip of the pen, mostly. What is written stands beside its place
    first, under a name that is a little longer.
    """
    length = len(os.fsencode(path.name))
    if length > LONGEST_NAME:
        what = "the name of an output is too long"
        found, expected = f"{length} bytes", f"at most {LONGEST_NAME}"
        raise AnnqcError(what, where=f"{path.name[:40]}...", found=found, expected=expected)
    parent = Path(os.path.realpath(path)).parent
    if not os.path.lexists(parent):
        what = "there is no such folder to write into"
        hint = f"make it first, or mend the path: {path}"
        raise AnnqcError(what, where=str(parent), hint=hint)


def _mode(path: Path) -> int | None:
    """Return what a path is, links followed; None where there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _is_stream(path: Path) -> bool:
    """Whether a path stands for an open stream of this process, whatever is behind it."""
    text = os.path.abspath(path)  # noqa: PTH100 - links must stay links
    return text in {"/dev/stdout", "/dev/stderr"} or text.startswith(("/dev/fd/", "/proc/"))


def cannot_write(path: Path, error: OSError) -> AnnqcError:
    """Build the error for a path that cannot be written."""
    what = "this cannot be written"
    return AnnqcError(what, where=str(path), found=error.strerror or str(error))


def spare_inputs(
    targets: Iterable[Path], sides: Iterable[Dataset], *, also: Iterable[str | Path] = ()
) -> None:
    """Refuse to write over anything that was read, whatever the path to it is called.

    Parameters
    ----------
    targets : iterable of Path
        Files that are to be written; for a folder that is replaced, the folder.
    sides : iterable of Dataset
        What was read.
    also : iterable of path
        Other inputs, such as a spec.

    Raises
    ------
    AnnqcError
        Where a target is an input, or a folder that an input lies in.
    """
    inputs = [Path(one.path) for side in sides for one in side.sources] + [Path(p) for p in also]
    real = {os.path.realpath(one): one for one in inputs}
    same = {key: one for one in inputs if (key := _identity(one)) is not None}
    for target in targets:
        key = _identity(target)
        if key is None:
            continue
        found = same.get(key) or real.get(os.path.realpath(target))
        if found is None and target.is_dir():
            inside = os.path.realpath(target) + os.sep
            found = next((one for path, one in real.items() if path.startswith(inside)), None)
        if found is not None:
            what = "an output would overwrite an input"
            hint = "give the output another name"
            raise AnnqcError(what, where=str(target), found=f"the input {found}", hint=hint)


def refuse_same_targets(files: Iterable[Path], folders: Iterable[Path] = ()) -> None:
    """Refuse outputs that would replace one another, whatever the paths to them are called.

    Parameters
    ----------
    files : iterable of Path
        Files that are to be written, and folders that files are put into.
    folders : iterable of Path
        Folders that are replaced as a whole: nothing else may go into them.

    Raises
    ------
    AnnqcError
        Where two are the same, or one lies in a folder that is replaced.
    """
    whole = list(folders)
    every = [*files, *whole]
    real = [os.path.realpath(one) for one in every]
    hint = "give each output a name of its own"
    for k, path in enumerate(real):
        if path in real[:k]:
            what = "two outputs have the same name"
            raise AnnqcError(what, where=str(every[k]), hint=hint)
    for one in whole:
        inside = os.path.realpath(one) + os.sep
        for path, target in zip(real, every, strict=True):
            if path.startswith(inside):
                what = "an output lies in another, which is replaced as a whole"
                raise AnnqcError(what, where=str(target), found=f"the folder {one}", hint=hint)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells one file from another, whatever it is called; None where it is no file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return (status.st_dev, status.st_ino) if is_file else None
