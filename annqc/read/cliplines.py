"""What formats of text with one file a sequence share: telling them by lines, file after file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annqc.read.registry import EMPTY, NO, SURE
from annqc.read.videos import clip_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.part import Part
    from annqc.read.videos import Clip

__all__ = ["parts_and_clips", "sniff_lines"]


def sniff_lines(head: Head, fits: Callable[[str], object]) -> int:
    """Tell a format by most of the lines in sight.

    Parameters
    ----------
    head : Head
        The beginning of a file; one that does not end in ``.txt`` is of another format.
    fits : callable
        Tells of a line whether it is one of the format.

    Returns
    -------
    int
        How sure this is, as `annqc.read.registry` has it.
    """
    if head.suffix != ".txt" or head.text is None:
        return NO
    lines = [line for line in head.text.splitlines() if line.strip()]
    if not head.whole and len(lines) > 1:
        lines = lines[:-1]  # the last one may be cut
    if not lines:
        return EMPTY
    fitting = sum(bool(fits(line)) for line in lines)
    return SURE if fitting * 2 > len(lines) else NO


def parts_and_clips(
    paths: Sequence[Path],
    options: Options,
    tick: Callable[[Path], None],
    *,
    first: int,
    read_one: Callable[[Clip, Options], Part],
) -> tuple[list[Part], list[Clip]]:
    """Read files of one sequence each, for `annqc.read.videos.on_frames`.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    options : Options
        What the user says.
    tick : callable
        Is told of each file that is done.
    first : int
        Number of the first frame of a sequence in the format.
    read_one : callable
        Lays out the lines of one file.

    Raises
    ------
    ReadError
        A file cannot be read.
    """
    parts, clips = [], []
    for path in paths:
        clip = clip_of(path, options, first)
        parts.append(read_one(clip, options))
        clips.append(clip)
        tick(path)
    return parts, clips
