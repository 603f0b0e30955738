"""What CVAT XML says of its tasks under ``meta``: names, frames, sizes, labels, assignees."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from annqc.errors import ReadError
from annqc.read.files import shown
from annqc.read.xmltext import positive

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

__all__ = ["Meta", "Task", "meta_of"]

_MOST_FRAMES: Final = 1_000_000
_LONGEST: Final = 16
_OLD_ATTRIBUTE: Final = re.compile(r"[@~](\w+)=([^:]+):")
"""How CVAT wrote the specification of an attribute in its first years: ``~select=pose:a,b``."""


@dataclass(slots=True)
class Task:
    """A task or a job, or one task of a project.

    Attributes
    ----------
    id : str or None
        What ``task_id`` calls it.
    name : str
        The video: what the uploaded file was called, else the name of the task.
    frames : range or None
        Frames that the file declares, None where it does not.
    all_known : bool
        Whether every frame of ``frames`` is in the task.
    size : (width, height) or None
        Size of the frames.
    assignee : str or None
        Whose work it is.
    is_video : bool
        Whether the images are the frames of a video.
    is_named : bool
        Whether the file says what the video is called.
    """

    id: str | None
    name: str
    frames: range | None
    all_known: bool
    size: tuple[float, float] | None
    assignee: str | None
    is_video: bool
    is_named: bool = False


@dataclass(slots=True)
class Meta:
    """What a file says of itself.

    Attributes
    ----------
    tasks : list of Task
        At least one.
    labels : list of str or None
        The labels there are, None where the file does not say.
    types : dict of str to str
        Attribute -> ``input_type``.
    """

    tasks: list[Task]
    labels: list[str] | None
    types: dict[str, str]

    def task_of(self, id: str | None) -> Task:
        """Return the task that an image or a track is of; the only one where there is one."""
        if len(self.tasks) == 1:
            return self.tasks[0]
        found = next((task for task in self.tasks if task.id == id), None)
        if found is None:
            found = Task(id, f"task {id}", None, False, None, None, is_video=True)
            self.tasks.append(found)
        return found


def meta_of(root: Element, path: Path) -> Meta:
    """Read ``meta``.

    Parameters
    ----------
    root : Element
        The whole document.
    path : Path
        Its file, which names the video where nothing else does.

    Raises
    ------
    ReadError
        The frames are more than any video has.
    """
    found = root.findall("meta/task") + root.findall("meta/job")
    found += root.findall("meta/project/tasks/task")
    source = _text(root, "meta/source") if len(found) < 2 else None
    tasks = [_task(one, source, path) for one in found]
    declared = sum(len(task.frames) for task in tasks if task.frames is not None)
    if declared > _MOST_FRAMES:
        what = "the file says it is about more frames than any video has"
        expected = f"at most {_MOST_FRAMES:,} frames"
        raise ReadError(what, where=f"{path}, meta", expected=expected, found=f"{declared:,}")
    if not tasks:
        name = PurePath(source).stem if source else shown(path.stem)
        tasks = [Task(None, name, None, False, None, None, is_video=False)]
    names = Counter(task.name for task in tasks)
    for task in tasks:
        if names[task.name] > 1:
            task.name = f"{task.name} (task {task.id})"
    places = (f"meta/{place}/labels/label" for place in ("task", "job", "project"))
    labels = [one for place in places for one in root.findall(place)]
    types: dict[str, str] = {}
    for label in labels:
        types.update(_types(label))
    listed = [text for one in labels if (text := _text(one, "name")) is not None]
    return Meta(tasks, list(dict.fromkeys(listed)) or None, types)


def _task(one: Element, source: str | None, path: Path) -> Task:
    """Read one task or job."""
    file = _text(one, "source") or source
    name = PurePath(file.replace("\\", "/")).stem if file else _text(one, "name")
    frames, all_known = _frames(one)
    width, height = (
        positive(one.findtext(f"original_size/{side}")) for side in ("width", "height")
    )
    return Task(
        id=_text(one, "id"),
        name=name or shown(path.stem),
        frames=frames,
        all_known=all_known,
        size=None if width is None or height is None else (width, height),
        assignee=_text(one, "assignee/username") or _text(one, "assignee"),
        is_video=_text(one, "mode") == "interpolation",
        is_named=name is not None,
    )


def _frames(one: Element) -> tuple[range | None, bool]:
    """Return the frames of a task, and whether all of them are in it."""
    start, stop, size = (_whole(one, name) for name in ("start_frame", "stop_frame", "size"))
    step = re.search(r"step\s*=\s*(\d{1,9})", one.findtext("frame_filter") or "")
    every = max(int(step[1]), 1) if step else 1
    first = start or 0
    if stop is None:
        if size is None:
            return None, False
        stop = first + (size - 1) * every
    frames = range(first, stop + 1, every)
    # Jobs of a ground truth have some of the frames, and do not say which.
    return frames, size is None or size == len(frames)


def _types(label: Element) -> dict[str, str]:
    """Return the types of the attributes of a label."""
    types = {}
    for one in label.findall("attributes/attribute"):
        name, kind = _text(one, "name"), _text(one, "input_type")
        old = _OLD_ATTRIBUTE.match((one.text or "").strip())
        if name is not None and kind is not None:
            types[name] = kind
        elif old is not None:
            types[old[2]] = old[1]
    return types


def _text(one: Element, path: str) -> str | None:
    """Return the text at a place, None where there is none."""
    return (one.findtext(path) or "").strip() or None


def _whole(one: Element, path: str) -> int | None:
    """Return a whole number that is not negative, None where there is none."""
    text = _text(one, path) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST else None
