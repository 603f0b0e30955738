"""testing: the files that a spec and its data are made of, which no output may replace."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annqc.errors import AnnqcError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from annqc.judge.model import DatasetSpec

__all__ = ["input_files"]

_QUOTED: Final = re.compile(r"""["']([^"'\n]+)["']""")


def input_files(
    spec: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None
) -> list[Path]:
    r"""List every file that checking a spec reads.

    Parameters
    ----------
    spec : path
        The spec. Of one that has faults, whatever it names in quotes counts.
    root : path, optional
        Folder from which data are seen, as for `annqc.testing.checking.datasets_of`.

    Returns
    -------
    list of Path
        The spec, what it extends, the data of all its datasets, and its baselines; as far as they
        are there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "gold.json").touch()
    >>> path = folder / "a.annqc.toml"
    >>> _ = path.write_text('[annqc]\ngold = "gold.json"\n', encoding="utf-8")
    >>> sorted(file.name for file in input_files(path))
    ['a.annqc.toml', 'gold.json']
    """
    from annqc.judge.spec import load_spec
    from annqc.testing.checking import datasets_of

    path = Path(spec)
    found = [path]
    try:
        read = load_spec(path)
        found += map(Path, read.origins.values())
        for dataset in datasets_of(read, root=root):
            found += _data_files(dataset)
    except AnnqcError:
        found += _named_files(path, Path(root) if root is not None else path.parent)
    return list(dict.fromkeys(found))


def _data_files(dataset: DatasetSpec) -> Iterator[Path]:
    """Yield the files of a dataset; what is not there cannot be replaced."""
    from annqc.read.files import expand
    from annqc.read.registry import every_reader

    suffixes = [suffix for reader in every_reader() for suffix in reader.suffixes]
    for source in (*dataset.gold, *dataset.candidate):
        try:
            yield from (one.path for one in expand(source, suffixes))
        except AnnqcError:
            continue
    yield from map(Path, dataset.files)
    if dataset.baseline is not None:
        yield from Path(dataset.baseline).rglob("*")


def _named_files(spec: Path, folder: Path) -> Iterator[Path]:
    """Yield the files that a spec names in quotes, whatever else is wrong with it."""
    try:
        text = spec.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for quoted in _QUOTED.findall(text):
        for home in {folder, spec.parent}:
            pattern = Path(glob.escape(str(home)), Path(quoted).expanduser())
            yield from map(Path, glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - a pattern
