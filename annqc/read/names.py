r"""File names that say several things: a pattern with named groups takes them apart.

``annotator=r"(?P<annotator>labeller\d+)_(?P<image>.+)"`` reads ``labeller3_017133HB.json`` as the
work of ``labeller3`` on ``017133HB``. A group ``sequence`` is the video that a file is about. A
pattern with a slash, such as ``"(?P<annotator>[^/]+)/(?P<sequence>[^/]+)/gt/gt"``, is about folders
too. Other groups become columns.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from annqc.errors import ReadError
from annqc.read.files import expand, shown

__all__ = ["Names", "gold_rule", "names_from"]

_WHERE = "--annotator (annotator= in Python)"


@dataclass(frozen=True, slots=True)
class Names:
    """What parts of a file name mean.

    Attributes
    ----------
    pattern : re.Pattern
        What the name of a file, without its ending, looks like as a whole.
    """

    pattern: re.Pattern[str]

    @property
    def has_image(self) -> bool:
        """Whether a part of the name is the image."""
        return "image" in self.pattern.groupindex

    def of(self, path: PurePath) -> dict[str, str | None]:
        """Return the parts of the name of a file; what is empty is None.

        Raises
        ------
        ReadError
            The name does not look like that, or a part that must be there is empty.
        """
        stem = shown(path.stem)
        if "/" in self.pattern.pattern:
            stem = shown(PurePath(path).with_suffix("").as_posix())
        found = self.pattern.fullmatch(stem) or self._tail(stem)
        parts = {} if found is None else {k: v or None for k, v in found.groupdict().items()}
        if parts.get("annotator") is None or (self.has_image and parts.get("image") is None):
            what = "the name of the file does not fit the pattern"
            expected = self.pattern.pattern
            hint = "the pattern must fit the whole name without its ending"
            if "/" in expected:
                hint = "the pattern must fit the end of the path, from the name of a folder on"
            where = shown(path)
            raise ReadError(what, where=where, expected=expected, found=repr(stem), hint=hint)
        return parts

    def _tail(self, path: str) -> re.Match[str] | None:
        """Match the end of a path, from the name of a folder on, the shortest that fits."""
        starts = [k + 1 for k, sign in enumerate(path) if sign == "/"]
        found = (self.pattern.fullmatch(path, start) for start in reversed(starts))
        return next((match for match in found if match is not None), None)

    def image(self, path: PurePath) -> str:
        """Return the image that a file is about."""
        return self.of(path)["image"] or ""

    def others(self, path: PurePath) -> dict[str, str | None]:
        """Return the parts that are neither the annotator nor the image."""
        return {k: v for k, v in self.of(path).items() if k not in ("annotator", "image")}

    def file_name(self, name: str | None) -> str | None:
        """Return the name of an image file without what is not of the image; None if it differs.

        ``labeller3_017133HB.jpg`` is ``017133HB.jpg``: a copy for each annotator is one image.
        """
        if name is None or not self.has_image:
            return name
        path = PurePath(name)
        found = self.pattern.fullmatch(path.stem)
        image = None if found is None else found["image"]
        return f"{image}{path.suffix}" if image else None


def names_from(annotator: object) -> Names | None:
    r"""Return the pattern of file names that ``annotator=`` is, None where it is something else.

    Parameters
    ----------
    annotator : object
        The user's ``annotator=``; text with a group ``(?P<annotator>...)`` is a pattern.

    Raises
    ------
    ReadError
        The pattern is no regular expression.

    Examples
    --------
    >>> names = names_from(r"(?P<annotator>labeller\d+)_(?P<image>.+)")
    >>> names.of(PurePath("labeller3_017133HB.json"))
    {'annotator': 'labeller3', 'image': '017133HB'}
    >>> names_from("stem") is None
    True
    """
    if not isinstance(annotator, str) or "(?P<annotator>" not in annotator:
        return None
    try:
        return Names(re.compile(annotator))
    except (re.error, RecursionError, OverflowError) as error:
        what = "the pattern for file names is no regular expression"
        raise ReadError(what, where=_WHERE, found=f"{annotator} ({error})") from None


def gold_rule(annotator: object, gold: Any, gold_only: object = None) -> object:
    """Return by which rule the annotators of the gold are told, given that of the work.

    Parameters
    ----------
    annotator : object
        The rule of the work.
    gold : path, glob, folder, list of those, or anything else
        What is trusted.
    gold_only : object
        Whose annotations are the gold, where the user says so: then the rule is that of the work.

    Returns
    -------
    object
        A pattern of file names goes for the gold where its names fit, so that an image is called
        the same on both sides; where no name fits, the gold is read without. Where nobody is to be
        told from others in the work, nobody is in the gold. None for the usual rule.

    Raises
    ------
    ReadError
        The gold is not there.

    Examples
    --------
    >>> gold_rule("username", "gold.json") is None
    True
    >>> gold_rule("username", "all.json", gold_only="ann")
    'username'
    """
    if gold_only or annotator in ("anonymous", "=anonymous"):
        return annotator
    names = names_from(annotator)
    if names is None or not _are_paths(gold):
        return None
    from annqc.read.registry import every_reader

    found = expand(gold, [suffix for reader in every_reader() for suffix in reader.suffixes])
    fit = any(names.pattern.fullmatch(shown(one.path.stem)) for one in found)
    return annotator if fit else None


def _are_paths(source: Any) -> bool:
    """Whether these are paths, and nothing in memory."""
    several = isinstance(source, (list, tuple))
    return all(isinstance(one, (str, os.PathLike)) for one in (source if several else [source]))
