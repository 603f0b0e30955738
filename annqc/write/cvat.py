"""write: CVAT XML 1.1, "for images" and "for video"."""

from __future__ import annotations

import re
from collections import Counter
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from annqc.errors import TableError
from annqc.write.cvatxml import (
    NUMBERS,
    Shaper,
    add_labels,
    add_task,
    attributes_of,
    number,
    whole_text,
)
from annqc.write.whole import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from annqc.tables import Dataset

__all__ = ["write_cvat_images", "write_cvat_video"]

_SOURCES = ("source", "group_id")
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_cvat_images(dataset: Dataset, path: str | os.PathLike[str]) -> Path:
    """Write a dataset as CVAT XML 1.1 for images, which `annqc.read` reads back.

    Parameters
    ----------
    dataset : Dataset
        What to write. Images are called by their file names, or by their ids where they have none.
    path : str or path
        The file; its folder must exist. It appears whole or not at all.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TableError
        A polygon has several rings, and the size of its image is not known; or a value has a
        character that XML has not.

    Notes
    -----
    Coordinates are written in full, not rounded to hundredths of a pixel as CVAT does. Where the
    work is one annotator's they are the assignee, else every shape has an attribute ``annotator``.
    Scores, crowds, objects to ignore and other columns are attributes, which the labels declare, so
    that CVAT imports them into a task whose labels do. CVAT has polygons of one ring, and no box
    beside an outline: several rings become a mask, and the box of an outline is left out.

    Examples
    --------
    >>> import annqc, tempfile
    >>> work = annqc.simulate(["ann", "bob"], n_images=3, rng=1).work
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = annqc.read(write_cvat_images(work, f"{folder}/work.xml"))
    >>> bool((again.table.xyxy == work.table.xyxy[work.table.image.argsort(kind="stable")]).all())
    True
    """
    root, columns, assignee = _document(dataset)
    meta, images, table = SubElement(root, "meta"), dataset.image_table, dataset.table
    about = {"name": Path(path).stem, "size": str(len(images)), "mode": "annotation"}
    add_task(meta, "task", about, (np.nan, np.nan), assignee)
    add_labels(meta[0], map(str, dataset.category_names), columns)
    shaper = Shaper(dataset, columns)
    rows_of = _grouped(table.image, len(images))
    for row, id in enumerate(images.id.tolist()):
        name = None if images.file_name is None else images.file_name[row]
        one = SubElement(root, "image", {"id": str(row), "name": str(id if name is None else name)})
        for side in ("width", "height"):
            if np.isfinite(getattr(images, side)[row]):
                one.set(side, number(getattr(images, side)[row]))
        for k in rows_of[row]:
            label = str(dataset.category_names[table.category[k]])
            shaper.add(one, k, {"label": label, **_source(dataset, k)})
    return _write(root, path)


def write_cvat_video(
    dataset: Dataset,
    path: str | os.PathLike[str],
    *,
    frames: Mapping[Any, Iterable[int]] | None = None,
) -> Path:
    """Write the frames of videos as CVAT XML 1.1 for video, which `annqc.read` reads back.

    Parameters
    ----------
    dataset : Dataset
        What to write; every image is a frame of a sequence. Several sequences become the tasks of a
        project, each a subset of its own.
    path : str or path
        The file; its folder must exist. It appears whole or not at all.
    frames : mapping of sequence to iterable of int, optional
        Frames that the videos have, where the dataset has only some of them.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TableError
        An image is no frame of a sequence; a polygon has several rings, and the size of its image
        is not known; or a value has a character that XML has not.

    Notes
    -----
    Every frame of a track is written out. Where a track breaks off, the frame after has a shape
    that is ``outside``, so that CVAT interpolates nothing, and the shapes at both ends of what is
    left are keyframes, for CVAT passes over all that are none. Frames keep their numbers; those of
    CVAT begin at 0. A row without a track becomes a track of one frame, and a track of several
    categories one of each, under the same id; ids that are no numbers, as the description of CVAT
    XML has them, are written as they are. CVAT has no tracks of masks: each mask is a track of one
    frame. For the rest see `write_cvat_images`.

    Examples
    --------
    >>> import tempfile, annqc
    >>> from annqc.ids import ids_array
    >>> from annqc.tables import Annotations, Dataset, Images
    >>> frames = Images.build(
    ...     ids_array(["v/0", "v/1"]), sequence=ids_array(["v", "v"]), frame=[0, 1]
    ... )
    >>> boxes = Annotations.build(
    ...     image=[0, 1], annotator=[0, 0], category=[0, 0], xyxy=[[0, 0, 4, 4], [1, 0, 5, 4]],
    ...     track=np.array([0, 0]),
    ... )
    >>> work = Dataset(boxes, frames, ids_array(["ann"]), ids_array([1]), ids_array(["cat"]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = annqc.read(write_cvat_video(work, f"{folder}/v.xml"))
    >>> again.table.xyxy.tolist(), again.annotator_ids.tolist()
    ([[0.0, 0.0, 4.0, 4.0], [1.0, 0.0, 5.0, 4.0]], ['ann'])
    """
    root, columns, assignee = _document(dataset)
    own = _frames(dataset)
    meta, n = SubElement(root, "meta"), len(own)
    parent = meta if n == 1 else SubElement(meta, "project")
    tasks = parent if n == 1 else SubElement(parent, "tasks")
    known: dict[Any, list[int]] = {}
    for k, (name, of_frame) in enumerate(own.items()):
        known[name] = sorted({*of_frame, *(() if frames is None else frames.get(name, ()))})
        about = {"id": str(k), "name": str(name), **_declared(known[name], len(of_frame))}
        about |= {"subset": str(name)} if n > 1 else {}
        first = next(iter(of_frame.values()), 0)
        images = dataset.image_table
        size = (images.width[first], images.height[first]) if of_frame else (np.nan, np.nan)
        add_task(tasks, "task", about, size, assignee)
    add_labels(meta[0] if len(meta) else meta, map(str, dataset.category_names), columns)
    if n > 1:
        SubElement(parent, "subsets").text = "\n".join(map(str, own))
    shaper = Shaper(dataset, columns)
    task_of = {name: str(k) for k, name in enumerate(own)}
    for name, id, rows in _tracks(dataset, shaper):
        label = str(dataset.category_names[dataset.table.category[rows[0]]])
        about = {"id": str(id), "label": label, **_source(dataset, rows[0])}
        if n > 1:
            about |= {"task_id": task_of[name], "subset": str(name)}
        _add_track(SubElement(root, "track", about), dataset, rows, known[name], shaper)
    return _write(root, path)


def _document(dataset: Dataset) -> tuple[Element, dict[str, list[Any]], str]:
    """Return the root, the attributes, and whose work it is, empty where it is several people's."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    who = dataset.annotator_ids.tolist()
    columns = attributes_of(dataset, annotators=len(who) > 1)
    return root, columns, str(who[0]) if len(who) == 1 else ""


def _write(root: Element, path: str | os.PathLike[str]) -> Path:
    """Write a document whole or not at all."""
    target = Path(path)
    indent(root)
    text = tostring(root, encoding="unicode")
    found = _NO_XML.search(text)
    if found is not None:
        what = "a value has a character that XML cannot have"
        near = text[max(found.start() - 20, 0) : found.end() + 20]
        raise TableError(what, where=str(path), found=ascii(near), hint="rename it in the input")
    with whole(target) as file:
        file.write(f"<?xml version='1.0' encoding='utf-8'?>\n{text}".encode())
    return target


def _source(dataset: Dataset, row: int) -> dict[str, str]:
    """Return what CVAT itself says of an object, where the data have it."""
    extra = dataset.table.extra
    given = {name: extra[name][row] for name in _SOURCES if name in extra}
    texts = {name: whole_text(one) if name in NUMBERS else one for name, one in given.items()}
    return {name: str(text) for name, text in texts.items() if text is not None}


def _grouped(codes: Any, n: int) -> list[list[int]]:
    """Return the rows of each code."""
    groups: list[list[int]] = [[] for _ in range(n)]
    for row, code in enumerate(codes.tolist()):
        groups[code].append(row)
    return groups


def _frames(dataset: Dataset) -> dict[Any, dict[int, int]]:
    """Return sequence -> frame -> image."""
    images = dataset.image_table
    n = len(images)
    sequence = [None] * n if images.sequence is None else images.sequence.tolist()
    frame = [-1] * n if images.frame is None else images.frame.tolist()
    frames: dict[Any, dict[int, int]] = {}
    for row, (name, number_) in enumerate(zip(sequence, frame, strict=True)):
        if name is None or number_ < 0:
            what = "CVAT XML for video is about frames, and an image is none"
            hint = "write_cvat_images writes images"
            where = f"image {images.id[row]!r}"
            raise TableError(what, where=where, expected="a sequence and a frame number", hint=hint)
        frames.setdefault(name, {})[number_] = row
    return frames


def _declared(frames: list[int], n: int) -> dict[str, str]:
    """Return which frames a task has, and that ``n`` of them are in the file."""
    gaps = np.diff(frames).tolist()
    step = gcd(*gaps) if gaps else 1
    first, last = (frames[0], frames[-1]) if frames else (0, -1)
    about = {"size": str(n), "mode": "interpolation", "start_frame": str(first)}
    return {
        **about,
        "stop_frame": str(last),
        "frame_filter": f"step={step}" if step > 1 else "",
    }


def _tracks(dataset: Dataset, shaper: Shaper) -> list[tuple[Any, Any, list[int]]]:
    """Return sequence, id and rows of each track of one category, rows in order of their frames."""
    table, images = dataset.table, dataset.image_table
    assert images.sequence is not None
    assert images.frame is not None
    n = len(table)
    code = np.full(n, -1) if table.track is None else table.track
    ids = dataset.tracks_of(code).tolist()
    spare = max((one for one in ids if type(one) is int), default=-1) + 1
    groups: dict[Any, tuple[Any, Any, list[int]]] = {}
    met: Counter[Any] = Counter()
    for row in np.lexsort((np.arange(n), images.frame[table.image])).tolist():
        image, category = int(table.image[row]), int(table.category[row])
        key = int(code[row]), category
        if code[row] < 0 or shaper.is_mask(row):
            group: Any = ("alone", row)
        else:  # a frame that a track has twice goes on under the same id
            met[key, image] += 1
            group = (*key, met[key, image])
        if code[row] < 0:
            ids[row], spare = spare, spare + 1
        groups.setdefault(group, (images.sequence[image], ids[row], []))[2].append(row)
    return list(groups.values())


def _add_track(
    track: Element, dataset: Dataset, rows: list[int], frames: list[int], shaper: Shaper
) -> None:
    """Add the shapes of a track, and one that is outside on the frame after each run of them."""
    table, images = dataset.table, dataset.image_table
    assert images.frame is not None
    place = {frame: k for k, frame in enumerate(frames)}
    drawn = images.frame[table.image[rows]].tolist()
    at = {place[frame] for frame in drawn}
    inside = {k for k in at if k - 1 in at and k + 1 in at}
    for row, frame, after in zip(rows, drawn, [*drawn[1:], None], strict=True):
        key = table.keyframe is None or bool(table.keyframe[row]) or place[frame] not in inside
        about = {"frame": str(frame), "outside": "0", "keyframe": str(int(key))}
        shaper.add(track, row, about)
        following = place[frame] + 1
        if following < len(frames) and frames[following] != after:
            gone = {"frame": str(frames[following]), "outside": "1", "keyframe": "1"}
            shaper.add(track, row, gone)
