"""report: links into the tool where an annotation can be opened, from a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from annqc.errors import SpecError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELDS", "LinkPattern"]

FIELDS: Final = ("image_id", "file_name", "annotation_id", "frame")
"""What a pattern may name."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
PAGES: Final = (".html", ".htm", ".php")
"""A name that ends so is a page, and no host."""
_WHAT: Final = "this is no pattern for links"
_EXPECTED: Final = "http://, https:// or a relative path, with any of " + ", ".join(
    f"{{{one}}}" for one in FIELDS
)


@dataclass(frozen=True, slots=True)
class LinkPattern:
    """A URL with places for what stands in a row.

    Attributes
    ----------
    parts : tuple of (str, str or None)
        Text, and the field that follows it.
    """

    parts: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, text: Any) -> LinkPattern:
        """Read a pattern.

        Parameters
        ----------
        text : str
            Such as ``https://cvat.example/tasks/3?frame={frame}``.

        Raises
        ------
        SpecError
            It is neither ``http``, ``https`` nor relative, or its host would come from the data.
        UnknownNameError
            It names a field that there is not.

        Examples
        --------
        >>> LinkPattern.parse("view/{file_name}").fill({"file_name": "a b/7.jpg"})
        'view/a%20b/7.jpg'
        """
        if not isinstance(text, str) or not text or not text.isprintable() or "\\" in text:
            raise SpecError(_WHAT, where="url", expected=_EXPECTED, found=repr(text))
        if " " in text:
            raise SpecError(_WHAT, where="url", expected="no blanks; write %20", found=repr(text))
        try:
            read = [(one[0], one[1], one[2], one[3]) for one in Formatter().parse(text)]
        except ValueError as error:
            found = f"{text!r}: {error}"
            raise SpecError(_WHAT, where="url", expected=_EXPECTED, found=found) from None
        for _, name, spec, conversion in read:
            if name is not None and (name not in FIELDS or spec or conversion):
                what = "field of a link"
                raise UnknownNameError.among(what, name, FIELDS, where=f"url {text!r}")
        _refuse_schemes(text, read[0][0])
        _refuse_hosts(text, read[0][0])
        return cls(tuple((one[0], one[1]) for one in read))

    def fill(self, row: Mapping[str, object]) -> str | None:
        """Return the link of a row; None where the row lacks something, or leads out of the path.

        Parameters
        ----------
        row : mapping of str to object
            Values of `FIELDS`. They are percent-encoded; slashes stay between the folders of a file
            name.
        """
        link = ""
        for text, name in self.parts:
            link += text
            if name is None:
                continue
            value = row.get(name)
            if value is None:
                return None
            encoded = _encoded(name, str(value), first=not link)
            if encoded is None:
                return None
            link += encoded
        return link

    def lacks(self, row: Mapping[str, object]) -> str | None:
        """Return the field for want of which a row has no link; None where it has one.

        Parameters
        ----------
        row : mapping of str to object
            Values of `FIELDS`.

        Examples
        --------
        >>> LinkPattern.parse("view/{frame}").lacks({"frame": None, "image_id": 7})
        'frame'
        """
        for _, name in self.parts:
            if name is not None:
                value = row.get(name)
                if value is None or _encoded(name, str(value), first=False) is None:
                    return name
        return None


def _encoded(name: str, value: str, *, first: bool) -> str | None:
    """Percent-encode a value; None where it would lead out of its folder, or is no text."""
    if any(one in {".", ".."} for one in value.replace("\\", "/").split("/")):
        return None
    try:
        text = quote(value, safe="/" if name == "file_name" else "", errors="surrogateescape")
    except UnicodeEncodeError:  # half a character: no address has that
        return None
    # A value at the beginning must not name a host, as //host/ would.
    return "%2F" * (len(text) - len(text.lstrip("/"))) + text.lstrip("/") if first else text


def _refuse_schemes(text: str, begins: str) -> None:
    """Refuse what runs or reads something, and hosts that the data would name."""
    lowered = text.lower()
    if lowered.startswith(("http://", "https://")):
        rest = begins.split("://", 1)[1]
        # The host ends before the first place for a value.
        if re.match(r"[^/?#{}]+(?:[/?#]|$)", rest) and (
            re.search(r"[/?#]", rest) or begins == text
        ):
            return
        expected = "a host that is written out, and no part of the data"
        raise SpecError(_WHAT, where="url", expected=expected, found=repr(text))
    head = re.split(r"[/?#]", text, maxsplit=1)[0]
    if ":" in head or _SCHEME.match(text) or text.startswith("//"):
        hint = "a link may not run or read anything but a page"
        raise SpecError(_WHAT, where="url", expected=_EXPECTED, found=repr(text), hint=hint)


def _refuse_hosts(text: str, begins: str) -> None:
    """Refuse a host without a scheme, which a browser would take for a folder."""
    head = re.split(r"[/?#]", begins, maxsplit=1)[0]
    if "." not in head.strip(".") or head.startswith("."):
        return
    if _SCHEME.match(text) or (head == begins and len(begins) < len(text)):
        return  # the first part goes on with what the data say
    if head.lower().endswith(PAGES) and not begins.startswith(head + "/"):
        return
    expected = "https:// before a host, or ./ before a folder"
    hint = f"write https://{head}... or ./{head}..."
    raise SpecError(_WHAT, where="url", expected=expected, found=repr(text), hint=hint)
