"""judge: where the paths of a spec lead: seen from its folder, or from each folder of a pattern."""

from __future__ import annotations

import glob
import os
import re
from typing import TYPE_CHECKING

from annqc.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["folder_of", "locate", "named_folders", "shared_paths"]


def folder_of(path: str) -> str:
    """Folder of a spec file, absolute; what the file names is seen from it."""
    return os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - Path would drop a final slash


def locate(text: str, folder: str | None) -> str:
    """Return a path or pattern as it is seen from a folder; an absolute one or a URL stays.

    Parameters
    ----------
    text : str
        What the spec says.
    folder : str or None
        None where the spec is no file: then everything is seen from where the process runs.

    Examples
    --------
    >>> locate("gold.json", "/data/[new]"), locate("*.json", "/data/[new]")
    ('/data/[new]/gold.json', '/data/[[]new]/*.json')
    """
    if folder is None or "://" in text:
        return text
    own = os.path.expanduser(text)  # noqa: PTH111 - Path would drop a final slash
    plain = os.path.join(folder, own)  # noqa: PTH118
    if not glob.has_magic(text) or os.path.exists(plain):  # noqa: PTH110
        return plain
    return os.path.join(glob.escape(folder), own)  # noqa: PTH118


def named_folders(pattern: str, *, where: str) -> dict[str, str]:
    """Find the folders of a pattern, each with a name that can stand in the id of a test.

    Parameters
    ----------
    pattern : str
        Seen from where the process runs.
    where : str
        The spec, for messages.

    Returns
    -------
    dict of str to str
        Name -> folder, in the order of the folders' paths.

    Raises
    ------
    SpecError
        Where there is no folder, or two would have the same name.
    """
    found = [pattern] if os.path.isdir(pattern) else glob.glob(pattern, recursive=True)  # noqa: PTH112, PTH207
    folders = sorted({os.path.normpath(one) for one in found if os.path.isdir(one)})  # noqa: PTH112
    if not folders:
        what = "no folder matches [annqc] folders"
        raise SpecError(what, where=where, expected="at least one folder", found=pattern)
    named: dict[str, str] = {}
    for folder in folders:
        base = os.path.basename(folder)  # noqa: PTH119
        name = re.sub(r"[^a-z0-9_.-]", "-", base.lower()).lstrip("-_.") or "dataset"
        if name in named:
            what = f"two folders would both be the dataset {name!r}"
            hint = "rename one, or write [[dataset]] tables"
            raise SpecError(what, where=where, found=f"{named[name]} and {folder}", hint=hint)
        named[name] = folder
    return named


def shared_paths(named: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Find who names the same path as somebody before, whatever the path is called.

    Parameters
    ----------
    named : iterable of (str, str or None)
        A name and its path; None where it has no path.

    Returns
    -------
    dict of str to str
        Name -> the first one that named the same path.

    Examples
    --------
    >>> shared_paths([("a", "run"), ("b", "./run"), ("c", "other"), ("d", None)])
    {'b': 'a'}
    """
    first: dict[str, str] = {}
    shared: dict[str, str] = {}
    for name, path in named:
        if path is None:
            continue
        owner = first.setdefault(os.path.realpath(path), name)
        if owner != name:
            shared[name] = owner
    return shared
