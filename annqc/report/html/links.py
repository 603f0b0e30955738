"""report: where a report finds images, and the links out of it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import SpecError
from annqc.report.review.links import LinkPattern

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["image_source", "link_of", "link_pattern", "rooted"]

OF_IMAGES: Final = ("file_name", "image_id", "frame")
"""What a pattern of images may name: an image is no annotation."""
_PATTERN: Final = re.compile(r"[{}]|^//|^[A-Za-z][A-Za-z0-9+.\-]+:")
_EXPECTED: Final = "a folder, or http://, https:// or a relative path with {file_name}"


def image_source(given: Any) -> Path | LinkPattern | None:
    """Say where images are: in a folder, or behind a pattern of links.

    Parameters
    ----------
    given : path or str, optional
        A folder that is there, or a pattern as of `annqc.report.review.links.LinkPattern` with
        ``{file_name}``, ``{image_id}`` or ``{frame}``.

    Raises
    ------
    SpecError, UnknownNameError
        It is neither.

    Examples
    --------
    >>> image_source("https://img.example/{file_name}").fill({"file_name": "a.jpg"})
    'https://img.example/a.jpg'
    """
    if given is None:
        return None
    text: Any = os.fspath(given) if isinstance(given, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        what = "this is no folder of images"
        raise SpecError(what, where="images", expected=_EXPECTED, found=repr(given))
    if Path(text).is_dir():
        return Path(text)
    if isinstance(given, str) and _PATTERN.search(text):
        pattern = _parsed(text, "images")
        names = {name for _, name in pattern.parts if name is not None}
        if not names or not names <= set(OF_IMAGES):
            expected = "{file_name}, {image_id} or {frame} in the pattern, and nothing else"
            what = "this pattern does not say where an image is"
            raise SpecError(what, where="images", expected=expected, found=repr(text))
        return pattern
    what = "there is no such folder of images"
    raise SpecError(what, where="images", expected=_EXPECTED, found=repr(text))


def link_pattern(given: str | None) -> LinkPattern | None:
    """Read the pattern of links into the tool where annotations are opened.

    Raises
    ------
    SpecError, UnknownNameError
        It is no such pattern.
    """
    return None if given is None else _parsed(given, "url")


def rooted(link: str | None, root: str) -> str | None:
    """Make a relative link, which is meant from the folder of the report, one from a page.

    Parameters
    ----------
    link : str or None
        From `LinkPattern.fill`.
    root : str
        Path from the page to the folder, such as ``../``.

    Examples
    --------
    >>> rooted("photos/a.jpg", "../"), rooted("https://x/a", "../"), rooted("/a", "../")
    ('../photos/a.jpg', 'https://x/a', '/a')
    """
    if link is None or link.startswith("/") or link.lower().startswith(("http://", "https://")):
        return link
    return root + link


def link_of(pattern: LinkPattern | None, row: Mapping[str, object], root: str) -> str | None:
    """Fill a pattern, if there is one, for a page.

    Parameters
    ----------
    pattern : LinkPattern, optional
        Of images or annotations.
    row : mapping of str to object
        As for `LinkPattern.fill`.
    root : str
        Path from the page to the folder of the report.

    Returns
    -------
    str or None
        None where there is no pattern, or the row lacks something.
    """
    return None if pattern is None else rooted(pattern.fill(row), root)


def _parsed(text: Any, where: str) -> LinkPattern:
    """Read a pattern; what is wrong with it is said of the right option."""
    try:
        return LinkPattern.parse(text)
    except SpecError as error:
        said = {"expected": error.expected, "found": error.found, "hint": error.hint}
        raise SpecError(error.what, where=where, **said) from None
