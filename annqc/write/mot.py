"""write: MOTChallenge text, a folder a sequence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from annqc.classes import MOT_CLASSES
from annqc.errors import TableError, UnknownNameError
from annqc.ids import encode
from annqc.sequences import UNKNOWN_LENGTH
from annqc.write.whole import whole

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

    from annqc.tables import Dataset

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["write_mot"]

Layout = Literal["auto", "mot15", "mot17"]

_DIGITS: Final = 10
_WORLD: Final = ("world_x", "world_y", "world_z")


def write_mot(
    dataset: Dataset, folder: str | os.PathLike[str], *, layout: Layout = "auto"
) -> list[Path]:
    r"""Write a dataset of videos as MOTChallenge files that `annqc.read` reads back.

    Parameters
    ----------
    dataset : Dataset
        What to write; its images are frames of sequences.
    folder : str or path
        Where to write ``ANNOTATOR/SEQUENCE/gt/gt.txt`` and ``ANNOTATOR/SEQUENCE/seqinfo.ini``.
        Folders that are not there are made.
    layout : {"auto", "mot15", "mot17"}
        What follows the box: ``flag, class, visibility`` (mot17), or ``conf, x, y, z`` (mot15).
        "auto" takes mot15 where there are scores, or where everything is a pedestrian and nothing
        has a visibility.

    Returns
    -------
    list of Path
        The ``gt.txt`` files: one for each annotator and each sequence on which they drew or were
        asked.

    Raises
    ------
    TableError
        Images are no frames, or a name cannot be that of a folder.
    UnknownNameError
        There is no such layout.

    Notes
    -----
    Pixels and frames count from 1: 1 is added to x1 and y1, and to the frames of a sequence that
    begins with frame 0. Rows stand in the order of the dataset. Ids of tracks that are whole
    numbers from 0 on stay; of other ids, the tracks of a file are numbered from 1 in the order in
    which they are met. A box on no track has the id -1. Crowds and what is ignored have flag 0.
    Categories that MOTChallenge does not know are numbered from 1 and named in ``gt/labels.txt``.
    mot15 has no categories. A number that is within rounding error of one with at most ten decimals
    is written so: what came from a MOTChallenge file of such numbers goes back as it was. Numbers
    of more decimals come back up to rounding.

    Examples
    --------
    >>> import annqc, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "walk.txt")
    ...     _ = file.write_text("1,7,10,20,30.5,40,1,3,0.9\n")
    ...     (copy,) = write_mot(annqc.read(file, annotator="=ann"), folder)
    ...     print(copy.relative_to(folder).as_posix(), copy.read_text().split())
    ann/walk/gt/gt.txt ['1,7,10,20,30.5,40,1,3,0.9']
    """
    if layout not in get_args(Layout):
        kind = "layout"
        raise UnknownNameError.among(kind, layout, get_args(Layout))
    of_image, names = encode(_sequences(dataset))
    lines = _lines(dataset, of_image, layout)
    table = dataset.table
    n = len(names)
    cells = table.annotator * n + of_image[table.image]
    asked = np.empty(0, dtype=np.int64)
    if dataset.assigned is not None:
        asked = dataset.assigned[:, 0] * n + of_image[dataset.assigned[:, 1]]
    labels = None if _of_mot(dataset) else "\n".join(dataset.category_names.tolist()) + "\n"
    written = []
    for cell in np.unique(np.concatenate([cells, asked])).tolist():
        who, sequence = divmod(cell, n)
        home = Path(folder)
        for name in (dataset.annotator_ids[who], names[sequence]):
            home = home / _folder_name(str(name))
        (home / "gt").mkdir(parents=True, exist_ok=True)
        rows = np.flatnonzero(cells == cell).tolist()
        _put(home / "seqinfo.ini", _info(dataset, of_image == sequence, names[sequence]))
        if labels is not None:
            _put(home / "gt" / "labels.txt", labels)
        written.append(home / "gt" / "gt.txt")
        _put(written[-1], "".join(f"{lines[row]}\n" for row in rows))
    return written


def _sequences(dataset: Dataset) -> Array:
    """Return the sequence of each image.

    Raises
    ------
    TableError
        An image is no frame of a sequence.
    """
    sequence, frame = dataset.image_table.sequence, dataset.image_table.frame
    if sequence is None or frame is None or None in sequence.tolist() or bool((frame < 0).any()):
        what = "MOTChallenge files are of videos, and these images are no frames of sequences"
        raise TableError(what, hint="write them as COCO")
    return sequence


def _put(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole(path) as file:
        file.write(text.encode())


def _folder_name(name: str) -> str:
    """Return a name, unless it cannot be that of a folder."""
    if name in ("", ".", "..") or set(name) & set("/\\:\0"):
        what = "a name cannot be that of a folder"
        raise TableError(what, found=repr(name), hint="rename the annotator or the sequence")
    return name


def _of_mot(dataset: Dataset) -> bool:
    """Whether every category is one of MOTChallenge."""
    return set(dataset.category_names.tolist()) <= set(MOT_CLASSES.values())


def _lines(dataset: Dataset, of_image: Ints, layout: Layout) -> list[str]:
    """Return the line of each row."""
    table, images = dataset.table, dataset.image_table
    assert images.frame is not None
    frame = images.frame[table.image] + _shift(dataset, of_image)[table.image]
    corner = table.xyxy[:, :2]
    farthest = np.abs(table.xyxy).max(axis=1, initial=1.0)[:, None]
    box = np.concatenate([corner + 1.0, table.xyxy[:, 2:] - corner], axis=1)
    columns: list[Any] = [frame.tolist(), _track_numbers(dataset, of_image)]
    columns += [_texts(one) for one in _short(box, farthest).T]
    counts = np.where(table.ignored | table.crowd, 0.0, 1.0)
    scored = bool(np.isfinite(table.score).any())
    people = set(dataset.category_names.tolist()) <= {MOT_CLASSES[1]}
    if layout == "auto":
        plain = people and "visibility" not in table.extra
        layout = "mot15" if scored or plain else "mot17"
    if layout == "mot15":
        columns.append(_texts(np.where(np.isfinite(table.score), table.score, counts)))
        columns += [_texts(_numbers(table.extra.get(axis), len(table), -1.0)) for axis in _WORLD]
    else:
        visibility = _numbers(table.extra.get("visibility"), len(table), 1.0)
        columns += [_texts(counts), _classes(dataset), _texts(visibility)]
    return [",".join(map(str, row)) for row in zip(*columns, strict=True)]


def _shift(dataset: Dataset, of_image: Ints) -> Ints:
    """Return what is added to the frame of each image: 1 where its sequence begins with 0."""
    frame = dataset.image_table.frame
    assert frame is not None
    least = np.full(int(of_image.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, of_image, frame)
    return np.where(least[of_image] == 0, 1, 0)


def _track_numbers(dataset: Dataset, of_image: Ints) -> list[int]:
    """Return the id of each row: as given, or numbered by file where it is no whole number."""
    table = dataset.table
    if table.track is None:
        return [-1] * len(table)
    given = dataset.tracks_of(table.track).tolist()
    home = list(zip(table.annotator.tolist(), of_image[table.image].tolist(), strict=True))
    sound = [id is None or (type(id) is int and id >= 0) for id in given]
    renamed = {file for file, good in zip(home, sound, strict=True) if not good}
    met: dict[tuple[int, int], dict[object, int]] = {file: {} for file in renamed}
    numbers: list[int] = []
    for id, file in zip(given, home, strict=True):
        if id is None:
            numbers.append(-1)
        elif file in renamed:
            numbers.append(met[file].setdefault(id, len(met[file]) + 1))
        else:
            numbers.append(id)
    return numbers


def _classes(dataset: Dataset) -> list[int]:
    """Return the class of each row."""
    names = dataset.category_names.tolist()
    number = {name: k for k, name in enumerate(names, start=1)}
    if _of_mot(dataset):
        number = {name: k for k, name in MOT_CLASSES.items()}
    return [number[names[code]] for code in dataset.table.category.tolist()]


def _numbers(column: Array | None, n: int, blank: float) -> Floats:
    """Return a column of numbers; what is unknown is ``blank``."""
    if column is None:
        return np.full(n, blank)
    known = [blank if one is None else float(one) for one in column.tolist()]
    values = np.array(known, dtype=np.float64)
    return np.where(np.isfinite(values), values, blank)


def _short(values: Floats, scale: Floats) -> Floats:
    """Return the short number that a rounding error made long, where there is one."""
    short = np.round(values, _DIGITS)
    return np.where(np.abs(short - values) <= 4 * np.spacing(scale), short, values)


def _texts(values: Floats) -> list[str]:
    """Return numbers as text, whole ones without a point."""
    return [str(int(one)) if one.is_integer() else repr(one) for one in np.asarray(values).tolist()]


def _info(dataset: Dataset, of_sequence: Array, name: object) -> str:
    """Return the seqinfo.ini of a sequence."""
    images, videos = dataset.image_table, dataset.sequence_table
    assert images.frame is not None
    frames = images.frame[of_sequence]
    length = int(frames.max()) + (1 if frames.min() == 0 else 0)
    told = {"name": str(name)}
    if videos is not None and name in videos.id.tolist():
        row = videos.id.tolist().index(name)
        if np.isfinite(videos.frame_rate[row]):
            told["frameRate"] = _texts(videos.frame_rate[row : row + 1])[0]
        if videos.n_frames[row] != UNKNOWN_LENGTH:
            length = int(videos.n_frames[row])
    told["seqLength"] = str(length)
    width, height = images.width[of_sequence][:1], images.height[of_sequence][:1]
    if np.isfinite(width + height).all():
        told |= {"imWidth": _texts(width)[0], "imHeight": _texts(height)[0]}
    return "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in told.items())
