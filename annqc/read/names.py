r"""File names that say several things: a pattern with named groups takes them apart.

``annotator=r"(?P<annotator>labeller\d+)_(?P<image>.+)"`` reads ``labeller3_017133HB.json`` as the
work of ``labeller3`` on ``017133HB``. Other groups become columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from annqc.errors import ReadError
from annqc.read.files import shown

__all__ = ["Names", "names_from"]

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
        found = self.pattern.fullmatch(stem)
        parts = {} if found is None else {k: v or None for k, v in found.groupdict().items()}
        if parts.get("annotator") is None or (self.has_image and parts.get("image") is None):
            what = "the name of the file does not fit the pattern"
            expected = self.pattern.pattern
            hint = "the pattern must fit the whole name without its ending"
            where = shown(path)
            raise ReadError(what, where=where, expected=expected, found=repr(stem), hint=hint)
        return parts

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
