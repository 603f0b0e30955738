"""What formats with one file a sequence share: its name, its frames, and whose the file is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.ids import objects_array
from annqc.read.files import located, owner, read_text, shown
from annqc.read.part import problem
from annqc.sequences import UNKNOWN_LENGTH, Sequences
from annqc.tables import Images

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.options import Options
    from annqc.read.part import Part

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

__all__ = ["LONGEST", "Clip", "clip_of", "on_frames"]

LONGEST: Final = 1_000_000
"""More frames than any sequence has: nine hours at 30 a second."""

_MOST_FRAMES: Final = 4_000_000
"""Frames of all sequences at most, unless the files have more lines."""

_FIXED: Final = frozenset(("gt", "det"))
"""Names of folders and files that say what a file is, as in ``SEQ/gt/gt.txt``."""


@dataclass(slots=True)
class Clip:
    """The sequence that a file is about.

    Attributes
    ----------
    path : Path
        The file.
    sequence : str
        Name of the sequence.
    drawn_by : str
        Whose the file is, where the user does not say.
    told : dict of str to str or None
        What else the name of the file says: extra columns.
    first : int
        Number of the first frame.
    length : int or None
        Frames of the sequence, where something says it.
    rate : float
        Frames a second, NaN where unknown.
    size : (float, float) or None
        Width and height.
    """

    path: Path
    sequence: str
    drawn_by: str
    told: dict[str, str | None]
    first: int = 1
    length: int | None = None
    rate: float = np.nan
    size: tuple[float, float] | None = None

    @property
    def last(self) -> int:
        """Number of the last frame that can be."""
        return self.first + (LONGEST if self.length is None else self.length) - 1

    def impossible(self, frame: Floats) -> Bools:
        """Return which of (n,) frame numbers the sequence cannot have."""
        return ~((frame >= self.first) & (frame <= self.last))

    def why(self, frame: float) -> str:
        """Say why the sequence cannot have a frame."""
        length = "" if self.length is None else f" to {self.last}"
        if frame > self.last and self.length is None:
            length = f" to {self.last}, which is more than any sequence has"
        return f"expected a frame from {self.first}{length}, found {frame:.15g}"


@dataclass(frozen=True, slots=True)
class _Info:
    """What seqinfo.ini says."""

    name: str | None = None
    length: int | None = None
    rate: float = np.nan
    size: tuple[float, float] | None = None


def clip_of(path: Path, options: Options, first: int) -> Clip:
    """Find out which sequence a file is about, from its name, its folders, and seqinfo.ini.

    Parameters
    ----------
    path : Path
        The file.
    options : Options
        A pattern of file names with a group ``sequence`` comes before all else.
    first : int
        Number of the first frame of a sequence in the format.

    Raises
    ------
    ReadError
        A seqinfo.ini cannot be read.

    Notes
    -----
    The name is that of seqinfo.ini; else that of the folder above ``gt/`` or ``det/``; else that of
    the file without a trailing ``.gt`` or ``.det``. What the user says is the annotator is not the
    sequence as well. ``SEQ.txt`` is drawn by its folder, ``SEQ.gt.txt`` by ``gt`` (or by its folder
    where another folder has one too), and ``SEQ/gt/alice.txt`` by alice.
    """
    stem, _, kind = path.stem.rpartition(".")
    if not stem or kind.lower() not in _FIXED:
        stem, kind = path.stem, ""
    info = _info_of(path, stem)
    parts = {} if options.named is None else options.named.of(path)
    told = {k: v for k, v in parts.items() if k not in ("annotator", "image", "sequence")}
    above = located(path).parent.parent if path.parent.name.lower() in _FIXED else None
    fixed = path.stem.lower() in _FIXED
    drawer = parts.get("annotator") or _drawer(path, options)
    folder = located(path).parent if above is None else above
    candidates = [
        parts.get("sequence"),
        info.name,
        None if above is None else above.name,
        None if fixed else stem,
        folder.name,
    ]
    sequence = next((one for one in candidates if one and one != drawer), path.stem)
    if path.stem.lower() == "det":
        drawn_by = "det"
    elif fixed:
        drawn_by = _home(folder if _alike(folder.name, sequence) else folder / path.name)
    elif kind:
        drawn_by = kind
    else:
        drawn_by = owner(path)[0] if stem == sequence else stem
    size = info.size or options.sizes.named(sequence)
    return Clip(path, shown(sequence), shown(drawn_by), told, first, info.length, info.rate, size)


def _home(path: Path) -> str:
    """Return whose a file or folder is by the folder it is in; ``gt`` is a name there."""
    above = path.parent.name
    return above if above.lower() in _FIXED else owner(path)[0]


def _drawer(path: Path, options: Options) -> str | None:
    """Return the annotator where the user says it is the name of the file or of its folder."""
    if options.wanted == "stem":
        return path.stem
    return owner(path)[0] if options.wanted == "parent" else None


def _alike(folder: str, sequence: str) -> bool:
    """Whether a folder is called as its sequence, as ``MOT17-02`` of ``MOT17-02-FRCNN``."""
    return folder.startswith(sequence) or sequence.startswith(folder)


def _info_of(path: Path, stem: str) -> _Info:
    """Read the seqinfo.ini that is nearest to a file."""
    beside = located(path).parent
    places = [beside / f"{stem}.seqinfo.ini", beside / "seqinfo.ini"]
    if beside.name.lower() in _FIXED:
        places.append(located(path).parent.parent / "seqinfo.ini")
    found = next((place for place in places if place.is_file()), None)
    return _Info() if found is None else _read_info(found)


def _read_info(path: Path) -> _Info:
    """Read a seqinfo.ini."""
    from configparser import ConfigParser, Error

    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(read_text(path))
    except Error as error:
        what = "the file about the sequence cannot be read"
        found = str(error).splitlines()[0]
        hint = "mend it, or take it away"
        raise ReadError(what, where=shown(path), found=found, hint=hint) from None
    given = parser["Sequence"] if parser.has_section("Sequence") else {}

    def number(key: str, most: float) -> float | None:
        text = given.get(key)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 < value <= most:
            what = f"{key} of the sequence cannot be"
            expected = f"a number above 0, up to {most:.0f}"
            raise ReadError(what, where=shown(path), expected=expected, found=repr(text))
        return value

    length, rate = number("seqLength", LONGEST), number("frameRate", 1e6)
    width, height = number("imWidth", 1e9), number("imHeight", 1e9)
    return _Info(
        given.get("name") or None,
        None if length is None else int(length),
        np.nan if rate is None else rate,
        None if width is None or height is None else (width, height),
    )


def on_frames(parts: Sequence[Part], clips: Sequence[Clip]) -> list[Part]:
    """Give parts their images: every frame of their sequences that is known to exist.

    Parameters
    ----------
    parts : sequence of Part
        One a file. ``image_id`` is the number of the frame of each row, none of them impossible.
    clips : sequence of Clip
        The sequence of each.

    Returns
    -------
    list of Part
        The same parts. A frame is known to exist up to the length that is told, or else up to the
        last one on which anybody drew; whoever has a file about a sequence was asked on all of it.
    """
    _tell_apart(parts, clips)
    spans: dict[str, tuple[int, int]] = {}
    known: dict[str, tuple[float, float]] = {}
    for part, clip in zip(parts, clips, strict=True):
        first, end = spans.get(clip.sequence, (clip.first, clip.first))
        drawn = int(part.image_id.max()) + 1 if len(part) else end
        end = max(end, drawn, 0 if clip.length is None else clip.first + clip.length)
        spans[clip.sequence] = min(first, clip.first), end
        if clip.size is not None:
            known.setdefault(clip.sequence, clip.size)
    _refuse_too_many(spans, parts, clips)
    named: dict[str, Any] = {}
    for part, clip in zip(parts, clips, strict=True):
        first, end = spans[clip.sequence]
        frame = np.arange(first, end)
        if clip.sequence not in named:  # several files of one sequence share the ids
            ids = [f"{clip.sequence}/{number}" for number in range(first, end)]
            named[clip.sequence] = objects_array(ids)
        ids = named[clip.sequence]
        width, height = clip.size or known.get(clip.sequence, (np.nan, np.nan))
        name = objects_array([clip.sequence])
        part.images = Images.build(
            ids,
            width=np.full(len(ids), width),
            height=np.full(len(ids), height),
            sequence=np.repeat(name, len(ids)),
            frame=frame,
        )
        part.sequences = Sequences.build(
            name,
            frame_rate=np.array([clip.rate]),
            first_frame=np.array([first]),
            n_frames=np.array([UNKNOWN_LENGTH if clip.length is None else clip.length]),
        )
        part.image_id = ids[part.image_id - first]
        part.listed = np.stack([np.zeros(len(ids), dtype=np.int64), np.arange(len(ids))], axis=1)
        part.drawn_by = [clip.drawn_by]
        part.extra |= {key: _constant(value, len(part)) for key, value in clip.told.items()}
    return list(parts)


def _tell_apart(parts: Sequence[Part], clips: Sequence[Clip]) -> None:
    """Name files of one sequence by their folders where they would be one annotator's, in place.

    Where the folders do not tell them apart either, that is listed.
    """
    same: dict[tuple[str, str], list[int]] = {}
    for k, clip in enumerate(clips):
        same.setdefault((clip.sequence, clip.drawn_by), []).append(k)
    rivals = {key: some for key, some in same.items() if len(some) > 1}
    # Whoever has a folder has it for all sequences, those without a rival too.
    names = {name for _, name in rivals}
    for clip in clips:
        if clip.drawn_by in names:
            clip.drawn_by = shown(owner(clip.path)[0])
    for (sequence, _), some in rivals.items():
        told = [clips[k].drawn_by for k in some]
        for k, name in zip(some, told, strict=True):
            if told.count(name) > 1:
                message = (
                    f"{told.count(name)} files are about sequence {sequence!r} and count as one "
                    f"annotator, {name!r}; --annotator (annotator= in Python) tells them apart"
                )
                path = str(clips[k].path)
                parts[k].problems.append(problem("same_sequence", path, "the whole file", message))
                break


def _refuse_too_many(
    spans: dict[str, tuple[int, int]], parts: Sequence[Part], clips: Sequence[Clip]
) -> None:
    """Refuse files of a few lines each that stand for millions of frames together."""
    counts = {name: end - first for name, (first, end) in spans.items()}
    most = max(_MOST_FRAMES, sum(len(part) for part in parts))
    if sum(counts.values()) <= most:
        return
    largest = max(counts, key=counts.__getitem__)
    path = next(clip.path for clip in clips if clip.sequence == largest)
    what = "the files are about more frames than can be read at once"
    expected = f"at most {most:,} frames in all sequences together"
    found = f"{sum(counts.values()):,}, of which {counts[largest]:,} are of {largest!r:.60}"
    hint = "see whether a frame number is wrong, or read fewer sequences at once"
    raise ReadError(what, where=shown(path), expected=expected, found=found, hint=hint)


def _constant(value: str | None, n: int) -> Any:
    """Return a column of one value."""
    return np.full(n, value, dtype=object)
