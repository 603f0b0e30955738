"""YOLO text files -> `Part`: one file an image, one line an object, ``class cx cy w h [score]``.

Numbers are shares of the image's width and height, so sizes are needed: from ``image_sizes=``, or
from the image files, which are looked for beside the label files and in a folder ``images``. A line
of more numbers is a polygon, and its bounding box is taken. A file without a line is an image on
which nothing was drawn. Class names come from ``categories=``, ``data.yaml``, ``obj.names`` or
``classes.txt`` in the folder of the labels or above it; without them the number is the name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import ReadError
from annqc.read.classnames import class_names
from annqc.read.filepart import Gathered, image_names
from annqc.read.files import read_text
from annqc.read.imagesize import SUFFIXES, image_size
from annqc.read.registry import EMPTY, NO, SURE, register_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.options import Options, Sizes
    from annqc.read.part import Part

    Row = tuple[int, list[str]]

_LINE: Final = re.compile(
    r"\s*\d+(\.0*)?(\s+[-+]?(\d+(\.\d*)?|\.\d+|nan|inf)(e[-+]?\d+)?){4,}\s*", re.IGNORECASE
)
_LABELS: Final = frozenset(("labels", "annotations", "labeltxt", "txt"))
_IMAGES: Final = ("images", "Images", "JPEGImages", "imgs")


def sniff(head: Head) -> int:
    """Tell YOLO by lines that are nothing but a class and at least four numbers."""
    if head.suffix != ".txt" or head.text is None:
        return NO
    lines = [line for line in head.text.splitlines() if line.strip()]
    if not head.whole:
        lines = lines[:-1]
    if not lines:
        return EMPTY
    fitting = sum(_LINE.fullmatch(line) is not None for line in lines)
    return SURE if fitting * 2 > len(lines) else NO


@register_reader(
    "yolo",
    suffixes=(".txt",),
    sniff=sniff,
    expects="YOLO text, one file an image: lines of class cx cy w h, as shares of the image",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read YOLO label files, one part for all."""
    rows = Gathered("yolo", "line {}", options.named)
    finder = ImageFinder()
    without_size: list[Path] = []
    names: dict[Any, str] = dict(options.categories or {})
    seen: set[Path] = set()
    for path, id in zip(paths, image_names(paths, options.named), strict=True):
        if options.categories is None and path.parent not in seen:
            seen.add(path.parent)
            _agree(names, class_names(path.parent), path)
        image = finder.of(path)
        size = options.sizes.of(id, path.stem) if options.sizes else None
        if size is None and image is not None:
            size = image_size(image)
        lines = [
            (number, line.split())
            for number, line in enumerate(read_text(path).splitlines(), start=1)
            if line.strip()
        ]
        rows.add_file(path, id, None if image is None else image.name, size)
        if lines and size is None:
            without_size.append(path)
        elif size is not None:
            _add_lines(rows, lines, size)
        rows.end_file(len(lines))
        tick(path)
    if without_size:
        raise _no_sizes(without_size, len(paths), options.sizes)
    return [rows.part(names)]


def _add_lines(rows: Gathered, lines: list[Row], size: tuple[float, float]) -> None:
    """Add the objects of one image."""
    for number, cells in lines:
        try:
            kind, *values = (float(cell) for cell in cells)
        except ValueError:
            found = " ".join(cells)
            rows.bad(number, "malformed", f"expected numbers alone, found {found!r:.60}")
            continue
        if not (kind >= 0 and kind.is_integer()):
            rows.bad(number, "malformed", f"expected a whole class number, found {cells[0]!r:.60}")
            continue
        score = None
        if len(values) in (4, 5):
            cx, cy, w, h = values[:4]
            box = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
            score = values[4] if len(values) == 5 else None
        elif len(values) >= 6 and len(values) % 2 == 0:
            box = (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]))
        else:
            message = (
                f"expected class cx cy w h, with a score or a polygon, found {len(cells)} numbers"
            )
            rows.bad(number, "malformed", message)
            continue
        width, height = size
        scaled = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
        rows.add(number, scaled, int(kind), score=score)


def _agree(names: dict[Any, str], found: dict[int, str], path: Path) -> None:
    """Add class names; two lists of one data set must not contradict each other."""
    for number, name in found.items():
        if names.setdefault(number, name) != name:
            what = "the lists of class names of these folders differ"
            where = f"{path.parent}, class {number}"
            hint = "give --categories (categories= in Python), or read the folders one by one"
            raise ReadError(what, where=where, expected=names[number], found=name, hint=hint)


def _no_sizes(paths: list[Path], n: int, sizes: Sizes) -> ReadError:
    """Build the error for images whose size is not known."""
    what = f"the sizes of {len(paths)} of {n} images are not known, and YOLO needs them"
    missing = ", ".join(path.stem for path in paths[:5]) + (", ..." if len(paths) > 5 else "")
    found = f"no image for {missing}"
    if sizes:
        found += ", and no size; the sizes given are for names such as "
        found += sizes.example()
    return ReadError(
        what,
        where=str(paths[0].parent),
        expected="sizes, as coordinates are shares of them: images beside the label files or in a "
        "folder 'images'",
        found=found,
        hint="--image-sizes (image_sizes= in Python) takes a CSV file with the columns file_name, "
        "width, height, or one size for all: 640x480, in Python (640, 480)",
    )


class ImageFinder:
    """Finds the image of a label file; each folder is listed once."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, Path]] = {}
        self._near: dict[Path, list[Path]] = {}

    def of(self, label: Path) -> Path | None:
        """Return the image of a label file, None where there is none."""
        here = label.parent
        if here not in self._near:
            self._near[here] = [folder for folder in _image_folders(here) if folder.is_dir()]
        found = (self._listing(folder).get(label.stem) for folder in self._near[here])
        return next((image for image in found if image is not None), None)

    def _listing(self, folder: Path) -> dict[str, Path]:
        """Return the images of a folder by stem."""
        if folder not in self._folders:
            images = sorted(one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES)
            self._folders[folder] = {image.stem: image for image in images}
        return self._folders[folder]


def _image_folders(labels: Path) -> list[Path]:
    """Return where images may be: with the labels, in ``images`` in their place, beside them."""
    folders = [labels]
    parts = labels.parts
    for k in range(len(parts) - 1, -1, -1):
        if parts[k].lower() in _LABELS:
            folders += [labels.__class__(*parts[:k], name, *parts[k + 1 :]) for name in _IMAGES]
            break
    folders += [base / name for base in (labels, labels.parent) for name in _IMAGES]
    return folders
