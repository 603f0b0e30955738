"""What a reading would use, told apart by content without reading it: files, and those beside them.

A digest of the inputs says whether anything has changed that `annqc.read` would see. It holds the
bytes of every file that may be read (PNG images are: they may be masks), of the lists of class
names beside YOLO labels and of the masks beside LabelMe files, and of each image beside YOLO labels
the name and the size that its header tells.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from annqc.read.classnames import LEVELS_UP, NAME_FILES
from annqc.read.files import expand
from annqc.read.heads import cannot_open
from annqc.read.imagesize import image_size
from annqc.read.labelmeshapes import mask_folders
from annqc.read.registry import every_reader
from annqc.read.yolo import ImageFinder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["inputs_digest", "only_built_in"]


def inputs_digest(source: Any) -> str:
    r"""Return a digest of everything that reading a source looks at.

    Parameters
    ----------
    source : path, glob, folder, or list of those
        What would be given to `annqc.read`.

    Returns
    -------
    str
        64 hexadecimal digits. Paths are part of it: they tell annotators and images their names.

    Raises
    ------
    ReadError
        There is nothing to read, or a file cannot be opened.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "ann.csv"
    >>> _ = file.write_text("image_id,xmin,ymin,xmax,ymax,label\n")
    >>> before = inputs_digest(file)
    >>> _ = file.write_text("image_id,xmin,ymin,xmax,ymax,label\n1,0,0,9,9,cat\n")
    >>> inputs_digest(file) == before
    False
    """
    suffixes = [suffix for reader in every_reader() for suffix in reader.suffixes]
    found = expand(source, suffixes)
    whole = hashlib.sha256()
    for one in found:
        _add(whole, str(one.path.absolute()), str(one.folder is None), _content(one.path))
    labels = [one.path for one in found if one.path.suffix.lower() == ".txt"]
    for path in _class_lists(labels):
        _add(whole, str(path), _content(path))
    finder = ImageFinder()
    for label in labels:
        image = finder.of(label)
        if image is not None:
            _add(whole, str(label.absolute()), image.name, repr(image_size(image)))
    drawn = [one.path for one in found if one.path.suffix.lower() == ".xml"]
    for folder in sorted({folder for path in drawn for folder in mask_folders(path)}):
        for mask in sorted(folder.glob("*.png")):
            _add(whole, str(mask), _content(mask))
    return whole.hexdigest()


def only_built_in() -> bool:
    """Whether all readers are those of annqc, whose ways `inputs_digest` knows."""
    return all(reader.read.__module__.startswith("annqc.") for reader in every_reader())


def _class_lists(labels: Iterable[Path]) -> Iterator[Path]:
    """Yield the files in which class names may stand, as `annqc.read.classnames` looks for them."""
    folders = {label.parent.absolute() for label in labels}
    places = {place for here in folders for place in [here, *here.parents][:LEVELS_UP]}
    for place in sorted(places):
        names = {name for name in NAME_FILES if (place / name).is_file()}
        names |= {
            path.name for ending in ("yaml", "yml", "names") for path in place.glob(f"*.{ending}")
        }
        yield from (place / name for name in sorted(names) if (place / name).is_file())


def _content(path: Path) -> str:
    """Return the digest of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise cannot_open(path, error) from None


def _add(whole: hashlib._Hash, *parts: str) -> None:
    """Add texts, each with its end."""
    for part in parts:
        whole.update(part.encode("utf-8", "surrogateescape") + b"\0")
    whole.update(b"\1")
